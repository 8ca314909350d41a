"""A GPU that is none, for machines without one: tensors that say they lie on it and are computed on the CPU.

What CUDA refuses is refused here: tensors of both devices in one operation, NumPy's view of a tensor on the GPU, and a
generator of the other device. Numbers, speed and memory are the CPU's: this shows that code keeps the devices apart,
and the tests marked ``gpu`` what a GPU gives.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
NAME = "a pretended GPU"
MEMORY = 8 * 2**30
MIXING = (Tensor.__getitem__, Tensor.__setitem__, Tensor.copy_)  # may read the CPU's from where the first argument lies


class OnGPU(Tensor):
    """A tensor that says it lies on the pretended GPU."""

    @property
    def device(self) -> torch.device:
        return GPU

    @property
    def is_cuda(self) -> bool:
        return True

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if id(self) not in memo:
            with torch._C.DisableTorchFunction(), torch.no_grad():
                memo[id(self)] = self.clone().as_subclass(OnGPU).requires_grad_(self.requires_grad)
            memo[id(self)]._is_param = getattr(self, "_is_param", False)
        return memo[id(self)]

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func, args, kwargs or {})


class _Devices(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func, args, kwargs or {})


@contextmanager
def pretended_gpu() -> Iterator[None]:
    """Let this thread have one CUDA device."""
    as_one_has_it = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "get_device_name": lambda *_: NAME,
        "is_bf16_supported": lambda *_, **__: True,
        "mem_get_info": lambda *_: (MEMORY, MEMORY),
        "init": lambda: None,
        "reset_peak_memory_stats": lambda *_: None,
        "max_memory_allocated": lambda *_: 0,
        "synchronize": lambda *_: None,
        "empty_cache": lambda: None,
        "get_rng_state": lambda *_: torch.get_rng_state(),
        "set_rng_state": lambda *_: None,
    }
    with ExitStack() as stack:
        for name, value in as_one_has_it.items():
            stack.enter_context(mock.patch.object(torch.cuda, name, value))
        stack.enter_context(mock.patch.object(nn.Module, "_apply", _move))
        stack.enter_context(_Devices())
        yield


def _call(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Compute on the CPU what was asked for, and say of the results where CUDA would have left them."""
    given = tree_leaves((args, kwargs))
    ours = [each for each in given if isinstance(each, OnGPU)]
    named = [each for each in given if _names_device(each)]
    parses = func is torch.device or getattr(func, "__name__", "") == "_parse_to"
    with torch._C.DisableTorchFunction():
        if parses or not (ours or any(torch.device(each).type == "cuda" for each in named)):
            return func(*args, **kwargs)
        if func in (Tensor.numpy, Tensor.__array__):
            raise TypeError("can't convert cuda:0 device type tensor to numpy; use Tensor.cpu() first")
        if func is Tensor.device.__get__:
            return GPU
        if func is Tensor.is_cuda.__get__:
            return True
        at_home = torch.device(named[0]).type == "cuda" if named else bool(ours) and func is not Tensor.cpu
        _refuse_mixing(func, given, kwargs, at_home)
        moves = func in (Tensor.to, Tensor.cpu)
        if func is Tensor.to and not named:
            at_home = isinstance(next((each for each in given[1:] if isinstance(each, Tensor)), args[0]), OnGPU)
        found = func(*tree_map(_on_cpu, args), **tree_map(_on_cpu, kwargs))
        if moves and at_home != isinstance(args[0], OnGPU) and found.data_ptr() == args[0].data_ptr():
            found = found.clone()
        return tree_map(lambda each: _placed(each, at_home), found)


def _refuse_mixing(func: Any, given: list, kwargs: dict[str, Any], at_home: bool) -> None:
    """Raise what CUDA raises where an operation meets both devices."""
    tensors = [each for each in given if isinstance(each, Tensor)]
    abroad = [each for each in tensors if not isinstance(each, OnGPU) and each.dim()]
    allowed = func is Tensor.to or (func in MIXING and (func is not Tensor.__getitem__ or isinstance(given[0], OnGPU)))
    if len(abroad) < len(tensors) and abroad and not allowed:
        shapes = [tuple(each.shape) for each in tensors]
        raise RuntimeError(f"{func}: tensors {shapes} are not all on one of the devices cuda:0 and cpu")
    if at_home and kwargs.get("generator") is not None:
        raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")


def _names_device(each: Any) -> bool:
    return isinstance(each, torch.device) or (isinstance(each, str) and each.split(":")[0] in ("cpu", "cuda"))


def _on_cpu(each: Any) -> Any:
    return CPU if _names_device(each) else each


def _placed(each: Any, at_home: bool) -> Any:
    if not isinstance(each, Tensor) or isinstance(each, OnGPU) == at_home:
        return each
    return each.as_subclass(OnGPU if at_home else Tensor)


def _move(module: nn.Module, change: Any, recurse: bool = True) -> nn.Module:
    """Replace a module's numbers: what torch does where a parameter's kind changes."""
    for child in module.children():
        child._apply(change)
    with torch.no_grad():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                module._parameters[name] = nn.Parameter(change(parameter.detach()), parameter.requires_grad)
        for name, buffer in module._buffers.items():
            module._buffers[name] = buffer if buffer is None else change(buffer)
    return module
