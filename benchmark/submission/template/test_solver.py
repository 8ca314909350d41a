"""What must hold before my-net is submitted: pytest."""

import torch
from solver import Solver
from train import train

from extramaze.models import read_weights, write_weights
from extramaze.models.doctor import examine


def test_the_contract_is_kept():
    """What extramaze doctor checks: any size, pure steps, independent mazes, float64, reproducible answers."""
    assert [str(finding) for finding in examine(Solver)] == []


def test_training_changes_the_weights_and_they_survive_the_disk(tmp_path):
    """Two steps of training run, and what they learn is read back to the bit."""
    trained, fresh = train(steps=2), Solver()
    write_weights(trained, tmp_path / "weights.safetensors")
    torch.manual_seed(0)
    assert not torch.equal(trained.head.weight, Solver().head.weight)
    read_weights(fresh, tmp_path / "weights.safetensors")
    assert torch.equal(trained.head.weight, fresh.head.weight)
