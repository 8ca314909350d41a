"""Weights of the published networks, read by the names their authors gave them.

Two layouts are known: that of github.com/aks2203/deep-thinking (DT-Net with and without recall, Bansal et al. 2022; the
easy-to-hard models use it too) and that of the IT-Net of github.com/mines-opt-ml/robust-maze-learning (Knutson et al.
2024). Published files are pickles, which extramaze does not open: read one yourself with ``torch.load(path,
weights_only=True)``, whose ``"net"`` entry is the state dictionary, and give that to ``read_published``.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.models.dt_net import DTNet
from extramaze.models.weight_files import misfits

_CONVOLUTION = {"1": "first", "2": "second"}
_HEAD = r"(?:head|latent_to_output_layer)\.([024])\.weight"


def read_published(state: Mapping[str, Tensor]) -> DTNet:
    """Build the network that a published state dictionary belongs to, and fill in its weights.

    Width, residual blocks and recall are read off names and shapes; a ``module.`` that DataParallel put before the
    names is taken off. Raises InputError naming what is missing or not understood.
    """
    given = {name.removeprefix("module."): value for name, value in state.items()}
    recall = any(name in given for name in ("recur_block.0.weight", "latent_forward_layer.0.weight"))
    ours = {_our_name(name, recall): value for name, value in given.items()}
    if "projection.weight" not in ours:
        raise InputError("published weights: no projection among them; expected projection.0.weight or the like")
    blocks = len({name.split(".")[1] for name in ours if name.startswith("blocks.")})
    solver = DTNet(width=ours["projection.weight"].shape[0], blocks=blocks, recall=recall)
    wrong = misfits(solver.state_dict(), ours)
    if wrong:
        raise InputError(f"published weights: {len(wrong)} tensors do not fit, first {wrong[0]}")
    solver.load_state_dict(ours)
    return solver.eval()


def _our_name(name: str, recall: bool) -> str:
    if name in ("projection.0.weight", "input_to_latent_layer.0.weight"):
        return "projection.weight"
    if recall and name in ("recur_block.0.weight", "latent_forward_layer.0.weight"):
        return "recall.weight"
    if match := re.fullmatch(rf"recur_block\.{int(recall)}\.(\d+)\.conv([12])\.weight", name):
        return f"blocks.{match[1]}.{_CONVOLUTION[match[2]]}.weight"
    if match := re.fullmatch(r"latent_forward_layer\.([1-9]\d*)\.conv([12])\.weight", name):
        return f"blocks.{int(match[1]) - 1}.{_CONVOLUTION[match[2]]}.weight"
    if match := re.fullmatch(_HEAD, name):
        return f"head.{match[1]}.weight"
    raise InputError(f"published weights: the name {name!r} belongs to none of the known layouts")
