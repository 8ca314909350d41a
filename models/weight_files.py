"""Weights on disk: safetensors, and nothing else.

A pickle runs whatever code its author put into it, so none is ever opened, whatever its name says.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes, write_atomically
from extramaze.core.json_files import load_json
from extramaze.core.signatures import HEAD, kind_of
from extramaze.core.words import counted
from extramaze.schema.training import MAX_WEIGHTS

MAX_TENSORS = 100_000
MAX_HEADER = 2**24  # bytes: names and shapes of some hundred thousand tensors
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
MENTIONED = 3  # tensors named in one message
PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")  # what such files are usually called
_ZIP = b"PK\x03\x04"  # torch.save's archives; older files are a bare pickle
_PICKLE = re.compile(rb"\x80[\x00-\x05]")


def read_weights(solver: nn.Module, path: str | Path) -> str:
    """Fill a solver with the weights of a safetensors file; return the file's sha256.

    The file's tensors are those of ``solver.state_dict()``, by name and shape. Raises InputError where they are not,
    where a number is not finite, where the file cannot be read, and for a pickle, with a line that converts it.
    """
    path = Path(path)
    refuse_pickled_name(path)
    content = read_bytes(path, MAX_WEIGHTS)
    fill(solver, content, str(path))
    return hashlib.sha256(content).hexdigest()


def write_weights(solver: nn.Module, path: str | Path) -> str:
    """Write a solver's weights as safetensors, atomically; return the file's sha256."""
    content = weight_bytes(solver)
    write_atomically(Path(path), content)
    return hashlib.sha256(content).hexdigest()


def weight_bytes(solver: nn.Module) -> bytes:
    """Return a solver's weights as a safetensors file would hold them."""
    return save({name: value.detach().cpu().contiguous() for name, value in solver.state_dict().items()})


def read_tensors(content: bytes, origin: str) -> dict[str, Tensor]:
    """Read the tensors of safetensors bytes. Raises InputError for anything else."""
    if _is_pickle(content):
        raise InputError(f"{origin}: a pickle inside, which could run code; {conversion(origin)}")
    if MAX_HEADER < int.from_bytes(content[:8], "little") < len(content):
        raise InputError(
            f"{origin}: a header larger than {MAX_HEADER >> 20} MiB; no solver's names and shapes take that"
        )
    _check_header(content, origin)
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError) as problem:
        kind = kind_of(content[:HEAD])
        raise InputError(f"{origin}: not readable as safetensors, it is {kind}: {problem}") from problem


def _check_header(content: bytes, origin: str) -> None:
    """Raise InputError where the header, which is JSON, is not to be read as such: names given twice among it."""
    length = int.from_bytes(content[:8], "little")
    if content[8:9] == b"{" and length <= len(content) - 8:  # anything else is no safetensors, and refused as such
        load_json(content[8 : 8 + length], f"{origin}: header", MAX_TENSORS)


def fill(solver: nn.Module, content: bytes, origin: str) -> None:
    """Load safetensors bytes into a solver. Raises InputError for other names or shapes, and for NaN and infinities."""
    state, ours = read_tensors(content, origin), solver.state_dict()
    wrong = misfits(ours, state)
    if wrong:
        raise InputError(
            f"{origin}: weights of another architecture: {counted(len(wrong), 'tensor')} other than expected, "
            f"first {wrong[0]}; use the recipe, or the solver, they came with"
        )
    wrong = non_numbers({name: value.to(ours[name].dtype) for name, value in state.items()})
    if wrong:
        raise InputError(
            f"{origin}: {some(wrong)}; such weights compute nothing, so the training that made them failed"
        )
    solver.load_state_dict(state)


def state_sha256(state: Mapping[str, Tensor]) -> str | None:
    """Hash weights and buffers by name, whatever file they come from; None where there are none."""
    digest = hashlib.sha256()
    for name in sorted(state):
        _refuse_other_than_numbers(name, state[name])
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest() if state else None


def _refuse_other_than_numbers(name: str, value: object) -> None:
    """Raise InputError for an entry of a ``state_dict`` that does not hold its own numbers in plain sight."""
    if not isinstance(value, Tensor):
        kind = f"a {type(value).__name__}, as quantised layers have it"
    elif is_lazy(value):
        kind = "not made before a first call; call the layer once where the solver is made"
    elif value.device.type == "meta":
        kind = "on the device meta, without numbers; load its weights where the solver is made"
    elif value.layout != torch.strided or value.is_quantized:
        kind = "sparse or quantised"
    else:
        return
    raise InputError(f"the solver's weights must be plain tensors that hold their numbers: {name} is {kind}")


def holds_exactly(path: Path, weights: Collection[str]) -> bool:
    """Whether a file holds, and holds nothing but, tensors with one of some digests: of the file or of the state."""
    try:
        content = read_bytes(path, MAX_WEIGHTS)
        tensors = read_tensors(content, str(path))
    except InputError:
        return False
    return hashlib.sha256(content).hexdigest() in weights or state_sha256(tensors) in weights


def misfits(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Say which tensors are missing, too many, of another shape or kind: a line each, none where all fit.

    Where the solver computes with floating-point numbers any of FLOATS may be stored, else the very type.
    """
    ours, theirs = ({name: _form(value) for name, value in state.items()} for state in (expected, found))
    wrong = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return [f"{name}: expected {ours.get(name, 'none')}, found {theirs.get(name, 'none')}" for name in wrong]


def _form(tensor: Tensor) -> str:
    """Describe a tensor's shape and the kind of its numbers, such as ``(2, 32, 3, 3)`` and ``(1,) int64``."""
    kind = "" if tensor.dtype in FLOATS else f" {str(tensor.dtype).removeprefix('torch.')}"
    return f"{tuple(tensor.shape)}{kind}"


def some(wrong: Sequence[str]) -> str:
    """Join the first MENTIONED of some problems, and say how many more there are."""
    more = f"; and {len(wrong) - MENTIONED} more" if len(wrong) > MENTIONED else ""
    return "; ".join(wrong[:MENTIONED]) + more


def unusable(tensors: Mapping[str, Tensor]) -> list[str]:
    """Say which tensors are no plain arrays of floating-point numbers: a line each."""
    return [
        f"{name}: expected floating-point numbers, got {kind}"
        for name, value in tensors.items()
        if (kind := _unusual(value)) is not None
    ]


def _unusual(tensor: Tensor) -> str | None:
    """Say what kind of tensor this is, unless it holds FLOATS one after another."""
    if tensor.is_meta:
        return "a meta tensor, which holds none"
    if tensor.is_nested or tensor.layout != torch.strided:
        return f"a tensor laid out as {'nested' if tensor.is_nested else str(tensor.layout).removeprefix('torch.')}"
    return None if tensor.dtype in FLOATS else str(tensor.dtype).removeprefix("torch.")


def non_numbers(tensors: Mapping[str, Tensor]) -> list[str]:
    """Say which tensors hold infinities or NaN: a line each."""
    return [f"{name}: not all numbers are finite" for name in sorted(tensors) if not _all_finite(tensors[name])]


def _all_finite(tensor: Tensor) -> bool:
    """Whether no number is infinite or NaN; floats of one byte, of which torch cannot say it, are widened."""
    narrow = tensor.is_floating_point() and tensor.dtype not in FLOATS
    return bool((tensor.float() if narrow else tensor).isfinite().all())


def refuse_pickled_name(path: Path) -> None:
    """Raise InputError for a file that is called like a pickle."""
    if path.suffix.lower() in PICKLED:
        raise InputError(f"{path}: {path.suffix} files are pickles, which could run code; {conversion(str(path))}")


def conversion(origin: str) -> str:
    """Say how a pickle of one's own becomes safetensors."""
    return (
        "if it is yours, convert it once: import torch; from safetensors.torch import save_file; "
        f"save_file(torch.load({Path(origin).name!r}, weights_only=True), 'weights.safetensors')"
    )


def _is_pickle(content: bytes) -> bool:
    """Whether bytes begin like a pickle or a zip archive and not like safetensors, whose header is JSON."""
    header = int.from_bytes(content[:8], "little")
    if content[8:9] == b"{" and header <= len(content) - 8:
        return False
    return content.startswith(_ZIP) or bool(_PICKLE.match(content))
