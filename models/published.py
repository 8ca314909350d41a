"""Weights of the published networks, read by the names their authors gave them.

Two layouts are known: that of github.com/aks2203/deep-thinking (DT-Net with and without recall, Bansal et al. 2022; the
easy-to-hard models use it too) and that of the IT-Net of github.com/mines-opt-ml/robust-maze-learning (Knutson et al.
2024). Published files are pickles, which extramaze does not open: read one yourself with ``torch.load(path,
weights_only=True)``, and give what it returns to ``read_published``.

The first repository has a variant with group normalisation (``dt_net_recall_gn_2d``) whose layers hold no numbers: its
weights have the names and shapes of a network without. Nothing in them tells the two apart, and read as one without,
they compute something else. It is refused where a checkpoint says its name, or its layers do hold numbers; a note of
the solver says so in any case.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from extramaze.core.errors import InputError
from extramaze.models.contract import SolverCard
from extramaze.models.dt_net import IMAGE_CHANNELS, DTNet
from extramaze.models.weight_files import FLOATS, misfits, non_numbers, some, unusable
from extramaze.schema.solver import Imported
from extramaze.schema.training import MAX_WEIGHTS

HOLDERS = ("net", "state_dict", "model", "model_state_dict", "network", "weights")  # keys of a checkpoint's weights
WRAPPERS = ("module", "_orig_mod")  # what DataParallel, its kin and torch.compile put into the names
DEEPEST = 4  # mappings one within another, in a checkpoint
DEEP_THINKING = "a state dictionary in the layout of github.com/aks2203/deep-thinking"
ROBUST_MAZE = "a state dictionary in the layout of github.com/mines-opt-ml/robust-maze-learning"
READ_IT = "read the file yourself, torch.load(path, weights_only=True), and give what that returns"
UNSEEN_NORM = (
    "published weights do not tell whether their network had group normalisation, whose layers hold no numbers; it is "
    "read as one without, and if it was dt_net_gn_2d or dt_net_recall_gn_2d its answers are not these"
)
_NORM = re.compile(r"(^|\.)(gn|bn|ln|norm|group_?norm|batch_?norm|layer_?norm)\d*\.", re.IGNORECASE)
_PARTS = (
    "projection",
    "recur_block",
    "head",
    "input_to_latent_layer",
    "latent_forward_layer",
    "latent_to_output_layer",
)
_NORMED_NAME = re.compile(r"(^|[_\W])gn([_\W]|$)|group.?norm", re.IGNORECASE)  # dt_net_recall_gn_2d
_CONVOLUTION = {"1": "first", "2": "second"}
_HEAD = r"(?:head|latent_to_output_layer)\.([024])\.weight"


def read_published(state: Mapping[str, Any]) -> DTNet:
    """Build the network that a published state dictionary belongs to, and fill in its weights, in float32.

    state: the dictionary, or a checkpoint that holds it under one of HOLDERS. Width, residual blocks and recall are
    read off names and shapes; what DataParallel and torch.compile put into the names is taken off. The solver's card
    has notes of what was rounded, and of what the weights do not tell. Raises InputError naming what is missing, too
    much or not understood, normalisation layers, and numbers that are not finite.
    """
    given = _bare(_weights(state))
    _refuse(unusable(given))
    if (numbers := sum(value.numel() for value in given.values())) > MAX_WEIGHTS // 4:
        raise InputError(f"published weights: {numbers:,} numbers; at most {MAX_WEIGHTS // 4:,} are read")
    recall = any(name in given for name in ("recur_block.0.weight", "latent_forward_layer.0.weight"))
    names = {name: found for name in given if (found := _our_name(name, recall)) is not None}
    _refuse([_why_unknown(name, value) for name, value in given.items() if name not in names])
    ours = _renamed(names, given)
    solver = _unfilled(ours, recall)
    _refuse(misfits(solver.state_dict(), ours))
    rounded = {name: value.detach().cpu().to(torch.float32) for name, value in ours.items()}
    _refuse(non_numbers(rounded))
    solver.to_empty(device="cpu").load_state_dict(rounded)
    solver.card = SolverCard(
        name="DTNet",
        recipe="DTNet",
        notes=(*_rounding(ours, rounded), UNSEEN_NORM),
        provenance=Imported(source=ROBUST_MAZE if f"{_PARTS[3]}.0.weight" in given else DEEP_THINKING),
    )
    return solver.eval()


def _refuse(wrong: list[str]) -> None:
    if wrong:
        raise InputError(f"published weights: {some(wrong)}")


def _weights(given: object, deep: int = 0) -> Mapping[str, Any]:
    """Return the state dictionary that is given, or that a checkpoint holds under one of HOLDERS."""
    if isinstance(given, nn.Module):
        raise InputError("published weights: expected a state dictionary, got a module; give its state_dict()")
    if not isinstance(given, Mapping):
        raise InputError(f"published weights: expected a state dictionary, got {_kind(given)}; {READ_IT}")
    if not all(isinstance(key, str) for key in given):
        raise InputError("published weights: expected a state dictionary, whose keys are names; got other keys")
    _refuse(list(_told_normalised(given)))
    held = [key for key in HOLDERS if isinstance(given.get(key), Mapping | nn.Module)]
    if len(held) > 1:
        raise InputError(f"published weights: {' and '.join(held)} each hold weights; give the one that you mean")
    if held:
        if deep == DEEPEST:
            raise InputError(f"published weights: more than {DEEPEST} dictionaries one within another; give the inmost")
        return _weights(given[held[0]], deep + 1)
    other = [f"{name} is {_kind(value)}" for name, value in given.items() if not isinstance(value, Tensor)]
    if other:
        raise InputError(
            f"published weights: expected tensors, or a checkpoint that holds them under one of {', '.join(HOLDERS)}; "
            f"{some(other)}"
        )
    return given


def _kind(value: object) -> str:
    return repr(value)[:60] if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


def _told_normalised(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the entries of a checkpoint, weights aside, that say that its network has group normalisation."""
    for key, value in given.items():
        named = isinstance(value, str) and _NORMED_NAME.search(value)
        if named or (value is True and _NORMED_NAME.search(key)):
            yield f"{key}: {value!r} is a network with group normalisation, which DTNet has not"
        elif isinstance(value, Mapping) and key not in HOLDERS and all(isinstance(inner, str) for inner in value):
            yield from _told_normalised(value)


def _bare(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take what wraps a network, or a part of it, off the names of its weights."""
    names = {name: ".".join(part for part in name.split(".") if part not in WRAPPERS) for name in state}
    return _renamed(names, state)


def _renamed(names: Mapping[str, str], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under other names. Raises InputError where two would have one."""
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    _refuse([f"{name}: two tensors of this name" for name in twice])
    return {ours: state[name] for name, ours in names.items()}


def _our_name(name: str, recall: bool) -> str | None:
    if name in ("projection.0.weight", "input_to_latent_layer.0.weight"):
        return "projection.weight"
    if recall and name in ("recur_block.0.weight", "latent_forward_layer.0.weight"):
        return "recall.weight"
    if match := re.fullmatch(rf"recur_block\.{int(recall)}\.([0-9]{{1,4}})\.conv([12])\.weight", name):
        return f"blocks.{match[1]}.{_CONVOLUTION[match[2]]}.weight"
    if match := re.fullmatch(r"latent_forward_layer\.([1-9][0-9]{0,3})\.conv([12])\.weight", name):
        return f"blocks.{int(match[1]) - 1}.{_CONVOLUTION[match[2]]}.weight"
    if match := re.fullmatch(_HEAD, name):
        return f"head.{match[1]}.weight"
    return None


def _why_unknown(name: str, value: Tensor) -> str:
    """Say why a name is not understood; normalisation is told by the layer's name, or by one factor a channel."""
    if _NORM.search(name) or (value.dim() == 1 and name.endswith(".weight") and name.split(".")[0] in _PARTS):
        return (
            f"{name}: of a normalisation layer; a network with one, such as dt_net_recall_gn_2d, computes something "
            "else than a DTNet of its convolutions"
        )
    return f"the name {name[:200]!r} belongs to none of the known layouts"


def _unfilled(ours: Mapping[str, Tensor], recall: bool) -> DTNet:
    """Build the network without memory for its weights: what is given may be of any size."""
    if "projection.weight" not in ours:
        raise InputError("published weights: no projection among them; expected projection.0.weight or the like")
    shape = tuple(ours["projection.weight"].shape)
    if len(shape) != 4 or shape[0] < 1 or shape[1:] != (IMAGE_CHANNELS, 3, 3):
        raise InputError(f"published weights: the projection must be (width, {IMAGE_CHANNELS}, 3, 3), got {shape}")
    blocks = len({name.split(".")[1] for name in ours if name.startswith("blocks.")})
    with torch.device("meta"):
        return DTNet(width=shape[0], blocks=blocks, recall=recall)


def _rounding(given: Mapping[str, Tensor], read: Mapping[str, Tensor]) -> Iterator[str]:
    """Say how numbers of another precision became float32."""
    for kind in FLOATS:
        names = [name for name, value in given.items() if value.dtype == kind]
        if kind == torch.float32 or not names:
            continue
        changed = sum(int((read[name].double() != given[name].detach().cpu().double()).sum()) for name in names)
        total, word = sum(given[name].numel() for name in names), str(kind).removeprefix("torch.")
        yield (
            f"published weights rounded from {word} to float32: {changed:,} of {total:,} numbers changed"
            if kind == torch.float64
            else f"published weights widened from {word} to float32: no number changed"
        )
