"""Weights are safetensors: what is not is refused with a line that helps."""

import pickle

import pytest
import torch
from safetensors.torch import save
from torch import nn

from extramaze.mazes import InputError
from extramaze.models import read_weights, write_weights
from extramaze.models.weight_files import non_numbers


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def test_weights_survive_the_disk(layer, tmp_path):
    """What was written is what is read, under the same digest."""
    written = write_weights(layer, tmp_path / "w.safetensors")
    other = nn.Linear(3, 2)
    assert read_weights(other, tmp_path / "w.safetensors") == written
    assert torch.equal(other.weight, layer.weight)


@pytest.mark.parametrize("suffix", ["pt", "pth", "bin", "ckpt", "pkl", "PT"])
def test_what_is_called_like_a_pickle_is_not_opened(layer, tmp_path, suffix):
    """Not even where it holds safetensors; the line says how to convert."""
    write_weights(layer, tmp_path / f"w.{suffix}")
    with pytest.raises(InputError, match=rf"are pickles.*torch.load\('w\.{suffix}', weights_only=True\)"):
        read_weights(layer, tmp_path / f"w.{suffix}")


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("it was run",)


@pytest.mark.parametrize("protocol", ["zip", "legacy", 2, 4, 5])
def test_a_pickle_under_another_name_is_not_opened(layer, tmp_path, protocol):
    """The content tells, not the name."""
    path = tmp_path / "w.safetensors"
    if isinstance(protocol, int):
        path.write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    else:
        torch.save(layer.state_dict(), path, _use_new_zipfile_serialization=protocol == "zip")
    with pytest.raises(InputError, match=r"a pickle inside.*save_file"):
        read_weights(layer, path)


def test_safetensors_that_begin_like_a_pickle_are_read(tmp_path):
    """A header of 640 bytes begins with the two bytes of a pickle of protocol 2."""
    content = save({"weight": torch.ones(1)})
    header = content[8 : 8 + int.from_bytes(content[:8], "little")].rstrip()
    (tmp_path / "w.safetensors").write_bytes((640).to_bytes(8, "little") + header.ljust(640) + content[-4:])
    module = nn.Module()
    module.weight = nn.Parameter(torch.zeros(1))
    assert (tmp_path / "w.safetensors").read_bytes()[:2] == b"\x80\x02"
    read_weights(module, tmp_path / "w.safetensors")
    assert module.weight.item() == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not readable as safetensors"),
        (b"\xff" * 100, "not readable as safetensors"),
        ((2**24 + 1).to_bytes(8, "little") + b"{" + b" " * (2**24 + 9), "a header larger than 16 MiB"),
        (save({"weight": torch.zeros(2, 3)}), "first bias: expected .2,., found none"),
        (
            save({"weight": torch.zeros(2, 4), "bias": torch.zeros(2)}),
            r"first weight: expected \(2, 3\), found \(2, 4\)",
        ),
        *(
            (
                save({"weight": torch.zeros(2, 3).to(kind), "bias": torch.zeros(2)}),
                rf"first weight: expected \(2, 3\), found \(2, 3\) {name}",
            )
            for kind, name in ((torch.int8, "int8"), (torch.bool, "bool"), (torch.float8_e4m3fn, "float8_e4m3fn"))
        ),
    ],
)
def test_what_does_not_fit_is_named(layer, tmp_path, content, problem):
    """Damage, missing tensors, other shapes and kinds are one sentence, and the solver keeps what it had."""
    before = layer.weight.clone()
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=problem):
        read_weights(layer, tmp_path / "w.safetensors")
    assert torch.equal(layer.weight, before)


def test_numbers_of_every_kind_are_looked_at():
    """What is not finite is named in floats of one byte and complex numbers too; integers always are."""
    nan, one = torch.tensor([float("nan")]), torch.ones(1)
    for kind in (torch.float8_e4m3fn, torch.float8_e5m2fnuz, torch.float16, torch.float64, torch.complex64):
        assert non_numbers({"weight": nan.to(kind)}) == ["weight: not all numbers are finite"]
    for kind in (torch.float8_e4m3fnuz, torch.float8_e5m2, torch.bfloat16, torch.int8, torch.uint64, torch.bool):
        assert non_numbers({"weight": one.to(kind)}) == []
    assert non_numbers({"weight": torch.tensor([1e300], dtype=torch.float64)}) == []


def test_a_missing_file_is_named(layer, tmp_path):
    """It says which."""
    with pytest.raises(InputError, match=r"cannot read .*w\.safetensors"):
        read_weights(layer, tmp_path / "w.safetensors")


def test_a_pointer_is_told_from_weights(layer, tmp_path):
    """What Git LFS leaves in the file's place is named, with what fetches the file."""
    (tmp_path / "w.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(InputError, match=r"not readable as safetensors, it is a Git LFS pointer.*git lfs pull"):
        read_weights(layer, tmp_path / "w.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_numbers_that_are_not_finite_are_not_loaded(layer, tmp_path, value):
    """By the tensor's name, also where they are too large for the solver's precision; the solver stays as it was."""
    before = layer.weight.clone()
    broken = {"weight": layer.weight.detach().double().clone(), "bias": layer.bias.detach().clone()}
    broken["weight"][1, 2] = value
    (tmp_path / "w.safetensors").write_bytes(save(broken))
    with pytest.raises(InputError, match=r"weight: not all numbers are finite.*the training that made them failed"):
        read_weights(layer, tmp_path / "w.safetensors")
    assert torch.allclose(layer.weight, before)
