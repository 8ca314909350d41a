"""The same code on a CUDA device; skipped where there is none."""

import pytest
import torch

from extramaze.evaluation.evaluate import evaluate
from extramaze.models import load
from extramaze.models.training.train import train
from extramaze.quickstart import quickstart
from tests.models.test_train import TINY

pytestmark = pytest.mark.gpu
DEVICE = "cuda"


def numbers(record):
    """Return what a record says of its mazes; how many were computed together is the device's affair."""
    return [cell.model_dump(exclude={"batch"}) for cell in record.summary.cells], record.summary.limits


@pytest.mark.parametrize("name", ["wavefront", "dead-end-filling"])
def test_algorithms_answer_as_on_a_cpu(name, tiny_suite):
    """Algorithms on whole numbers give the very same scores and limits on both devices."""
    assert numbers(evaluate(load(name), tiny_suite, DEVICE, quiet=True)) == numbers(
        evaluate(load(name), tiny_suite, "cpu", quiet=True)
    )


def test_a_network_answers_as_on_a_cpu_to_rounding(tiny_suite, tiny_records):
    """Accuracy agrees with the CPU's but for a few mazes, and twice on the GPU gives the same numbers."""
    first, second = (evaluate(load("dt-net-thin@0"), tiny_suite, DEVICE, quiet=True) for _ in range(2))
    assert numbers(first) == numbers(second)
    for ours, theirs in zip(first.summary.cells, tiny_records["dt-net-thin@0"].summary.cells, strict=True):
        assert abs(ours.rungs[-1].optimal.right - theirs.rungs[-1].optimal.right) <= 0.05 * ours.n
    assert first.summary.plan.device == torch.cuda.get_device_name()


def test_training_is_repeatable(tmp_path):
    """The same recipe and seed give the same weights twice on one GPU."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    results = [train(str(tmp_path / "tiny.yaml"), 0, tmp_path / str(i), DEVICE, quiet=True) for i in range(2)]
    assert results[0].weights_sha256 == results[1].weights_sha256


def test_quickstart_runs(tmp_path):
    """The first command works on a GPU and saves its picture."""
    assert "wavefront" in quickstart(tmp_path, DEVICE, quiet=True)
    assert (tmp_path / "failures.png").exists()
