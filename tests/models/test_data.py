import numpy as np
import pytest

from extramaze.core.checked import check_model
from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.mazes.generation import INDICES_PER_SEED
from extramaze.models.training.data import Data, Supply, validation_blocks

MIXED = Data(mixture=({"spec": "size=5", "weight": 3}, {"spec": "size=5,percolation=0.3", "weight": 1}), scale=1)
SIZES = Data(mixture=({"spec": "size=5", "weight": 1}, {"spec": "size=7", "weight": 3}), scale=2)
FINITE = Data(spec="size=5", mazes=10, scale=1)


def test_one_specification_is_drawn_in_order():
    """Step t of a seed trains on its own indices: the seed's first, plus t times the batch."""
    batch = Supply(Data(spec="size=5", scale=2), seed=3, batch=16)(7)
    images, targets = raster(generate(MazeSpec(5), 16, "train", first=3 * INDICES_PER_SEED + 7 * 16), 2)
    assert np.array_equal(batch.images, images)
    assert np.array_equal(batch.targets, targets)


def test_mixtures_follow_their_weights():
    """Over many steps each specification gives its share of the mazes, within four standard deviations."""
    supply = Supply(MIXED, seed=0, batch=32)
    counts = {"size=5": 0, "size=5,percolation=0.3": 0}
    for step in range(500):
        for block in supply.blocks(step, 0, 32):
            counts[str(block.spec)] += block.count
    assert sum(counts.values()) == 500 * 32
    assert abs(counts["size=5"] - 0.75 * 16_000) < 4 * (16_000 * 0.75 * 0.25) ** 0.5


def test_a_mixed_step_is_made_of_addressed_mazes_and_depends_on_seed_and_step_alone():
    """Each block of a step holds the mazes of its specification at the step's own indices."""
    supply = Supply(MIXED, seed=2, batch=32)
    blocks, drawn = supply.blocks(5, 0, 32), supply(5)
    assert [block.first for block in blocks] == [2 * INDICES_PER_SEED + 5 * 32, blocks[0].first + blocks[0].count]
    pieces = [raster(generate(block.spec, block.count, "train", first=block.first))[0] for block in blocks]
    assert np.array_equal(drawn.images, np.concatenate(pieces))
    supply(0)
    assert np.array_equal(supply(5).images, drawn.images)
    assert not np.array_equal(Supply(MIXED, seed=1, batch=32)(5).images, drawn.images)


def test_mixed_sizes_take_turns_by_weight():
    """A step holds one size; over many steps the sizes come by weight, within four standard deviations."""
    supply = Supply(SIZES, seed=0, batch=4)
    sides = [supply(step).images.shape for step in range(400)]
    assert {side[2:] for side in sides} == {(16, 16), (20, 20)}
    assert abs(sum(side[2] == 20 for side in sides) - 300) < 4 * (400 * 0.75 * 0.25) ** 0.5


def test_a_finite_set_is_seen_whole_in_every_epoch_each_time_in_a_new_order():
    """Ten mazes in steps of four: every ten positions hold each maze once, over the ends of batches."""
    supply = Supply(FINITE, seed=1, batch=4)
    images, _ = raster(generate(MazeSpec(5), 10, "train", first=INDICES_PER_SEED))
    names = {image.tobytes(): i for i, image in enumerate(images)}
    seen = [names[image.tobytes()] for step in range(15) for image in supply(step).images]
    epochs = [seen[i : i + 10] for i in range(0, 60, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    late = Supply(FINITE, seed=1, batch=4)
    assert np.array_equal(late(14).images, supply(14).images)  # without having been at the steps before


@pytest.mark.parametrize("data", [Data(spec="size=5", scale=1), MIXED, SIZES, FINITE])
def test_processes_share_a_step_without_overlap(data):
    """The shares of four processes, one behind the other, are the step of one process."""
    whole = Supply(data, seed=1, batch=16)
    shares = [Supply(data, seed=1, batch=16, rank=rank, ranks=4) for rank in range(4)]
    for step in range(4):
        parts = [share(step) for share in shares]
        assert [len(part) for part in parts] == [4] * 4
        assert np.array_equal(np.concatenate([part.images for part in parts]), whole(step).images)
        assert np.array_equal(np.concatenate([part.targets for part in parts]), whole(step).targets)


def test_validation_mazes_are_split_by_weight():
    """The blocks hold as many mazes as asked for, by weight, none larger than the size, from the first index on."""
    blocks = validation_blocks(MIXED, 100, 40, 32)
    assert [(str(b.spec), b.first, b.count) for b in blocks] == [
        ("size=5", 40, 32),
        ("size=5", 72, 32),
        ("size=5", 104, 11),
        ("size=5,percolation=0.3", 40, 25),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"scale": 1}, "mixture: .*either spec or mixture"),
        ({"spec": "size=5", "mixture": [{"spec": "size=5", "weight": 1}], "scale": 1}, "not both"),
        ({"mixture": [{"spec": "size=5", "weight": 0}], "scale": 1}, r"mixture\.0\.weight"),
        ({"mixture": [{"spec": "size=4", "weight": 1}], "scale": 3}, r"mixture\.0\.spec: .*odd integer.*; scale"),
        ({"mixture": [{"spec": "size=5", "weight": 1}, {"spec": "size=5,start=deadend", "weight": 1}], "scale": 1},
         "mixture: .*given twice"),
        ({"mixture": [{"spec": "size=5", "weight": 1}, {"spec": "size=7", "weight": 1}], "mazes": 9, "scale": 1},
         "mazes: .*one size"),
    ],
)  # fmt: skip
def test_impossible_data_is_refused_by_key(content, problem):
    """Each problem names its key."""
    with pytest.raises(InputError, match=problem):
        check_model(Data, content, "data")
