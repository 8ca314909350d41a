import itertools
import threading

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from extramaze.mazes import InputError, MazeSpec, generate, raster, stream
from extramaze.mazes.datasets import FrozenMazes, GeneratedMazes
from extramaze.mazes.generation import INDICES_PER_SEED
from extramaze.mazes.streams import ahead


def test_a_stream_is_the_whole_in_blocks():
    """Blocks one after another are the mazes of one call, whatever the block."""
    spec = MazeSpec(9, percolation=0.1)
    whole = generate(spec, 25, split="val", first=3)
    for block in (1, 7, 25, 100):
        parts = list(stream(spec, 25, "val", first=3, block=block))
        assert [len(part) for part in parts[:-1]] == [block] * (len(parts) - 1)
        assert np.array_equal(np.concatenate([part.connections for part in parts]), whole.connections)
    assert sum(len(part) for part in itertools.islice(stream(spec, block=10), 5)) == 50
    assert list(stream(spec, 0)) == []


def test_what_is_made_ahead_comes_in_order_and_stays_within_bounds():
    """Any depth yields the same items; never more than depth + 1 of them have been made and not taken."""
    for depth in (0, 1, 4):
        made = []

        def make(index, made=made):
            made.append(index)
            return index * index

        waiting = []
        for position, item in enumerate(ahead(make, range(2, 30), depth)):
            waiting.append(len(made) - position - 1)
            assert item == (position + 2) ** 2
        assert made == list(range(2, 30))
        assert max(waiting) <= max(1, depth)


def test_an_error_made_ahead_arrives_and_the_thread_ends():
    """The item that cannot be made raises where it would have come; no thread stays behind."""

    def make(index):
        if index == 3:
            raise InputError("no more")
        return index

    before = threading.active_count()
    items = ahead(make, itertools.count(), 4)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="no more"):
        next(items)
    assert threading.active_count() == before


def taken(dataset, count):
    return list(itertools.islice(iter(dataset), count))


def test_generated_batches_are_the_same_however_they_are_loaded():
    """By itself, ahead or not, and through a DataLoader: the same batches."""
    mixture = [(MazeSpec(9), 1.0), (MazeSpec(9, percolation=0.2), 2.0)]
    plain = taken(GeneratedMazes(mixture, 8, ahead=0), 4)
    loaded = taken(DataLoader(GeneratedMazes(mixture, 8), batch_size=None), 4)
    for (images, targets), (images_2, targets_2) in zip(plain, loaded, strict=True):
        assert torch.equal(images, images_2)
        assert torch.equal(targets, targets_2)
        assert (images.dtype, targets.dtype) == (torch.float32, torch.int64)


def test_a_seed_ends_before_the_next_begins():
    """No maze occurs under two seeds: where a seed's indices end, so do its batches."""
    dataset = GeneratedMazes(MazeSpec(3), 4, first=2**24 - 4, seed=255)
    assert len(dataset.make(0)[0]) == 4
    with pytest.raises(InputError, match=r"batch 1 is beyond the 16,777,216 mazes of seed 255"):
        dataset.make(1)


def test_a_mixture_has_its_shares():
    """Each specification occurs as often as its weight says (4 standard errors), and brings its own mazes."""
    mixture = [(MazeSpec(9), 1.0), (MazeSpec(9, percolation=1.0, start="any"), 3.0)]
    images = torch.cat([images for images, _ in taken(GeneratedMazes(mixture, 16, split=None), 50)])
    open_share = (images.amax(dim=1).flatten(1).sum(dim=1) == 65).double().mean()  # a full lattice: 25 cells, 40 edges
    assert abs(float(open_share) - 0.75) < 4 * (0.75 * 0.25 / 800) ** 0.5


def test_ranks_share_no_maze_and_make_up_the_whole():
    """Two ranks' batches are the even and the odd batches of one; no index occurs twice."""
    spec = MazeSpec(9)
    alone = taken(GeneratedMazes(spec, 4), 6)
    ranks = [taken(GeneratedMazes(spec, 4, rank=rank, world=2), 3) for rank in range(2)]
    for t in range(3):
        for rank in range(2):
            assert torch.equal(ranks[rank][t][0], alone[2 * t + rank][0])
    images, _ = raster(generate(spec, 24, split="train"))
    assert torch.equal(torch.cat([images for images, _ in alone]), torch.from_numpy(images).float())


def test_seeds_share_no_maze():
    """Another seed has mazes of its own, also of a single specification."""
    spec = MazeSpec(9)
    (images, _), *_ = taken(GeneratedMazes(spec, 4, seed=3), 1)
    ours, _ = raster(generate(spec, 4, split="train", first=3 * INDICES_PER_SEED))
    assert torch.equal(images, torch.from_numpy(ours).float())
    assert not torch.equal(images, taken(GeneratedMazes(spec, 4), 1)[0][0])


def test_a_frozen_set():
    """Item i is maze i's image and stored path."""
    mazes = generate(MazeSpec(9, percolation=0.1), 5, split="test")
    frozen = FrozenMazes(mazes, scale=2)
    images, targets = raster(mazes, 2)
    assert len(frozen) == 5
    for index in (0, 4, -1):
        image, target = frozen[index]
        assert np.array_equal(image.numpy(), images[index])
        assert np.array_equal(target.numpy(), targets[index])
    with pytest.raises(IndexError):
        frozen[5]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (([], 4), "weights above 0"),
        (([(MazeSpec(9), 0.0)], 4), "weights above 0"),
        (([(MazeSpec(9), 1.0), (MazeSpec(13), 1.0)], 4), "images of one shape"),
        ((MazeSpec(9), 0), "batch must be an integer of at least 1, got 0"),
        ((MazeSpec(9), 4, 1, "tset"), "did you mean test"),
        ((MazeSpec(9), 4, 1, "train", 0, 0, 2, 2), "rank below world"),
        ((MazeSpec(9), 4, 1, "train", 256), "seed must be from 0 to 255, got 256"),
        ((MazeSpec(9), 4, 1, "train", 1, -8), "first must be an integer of at least 0, got -8"),
        ((MazeSpec(9), 2.5), "batch must be an integer"),
        ((MazeSpec(9), 4, True), "scale must be 1"),
        (([MazeSpec(9)], 4), "pairs of a MazeSpec and a number"),
        (([(MazeSpec(9), "1")], 4), "pairs of a MazeSpec and a number"),
    ],
)
def test_bad_datasets_are_refused(arguments, problem):
    """What cannot be a dataset says so when it is made."""
    with pytest.raises(InputError, match=problem):
        GeneratedMazes(*arguments)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"count": -5}, "count must be an integer of at least 0, got -5"),
        ({"count": 0, "split": "nonsense"}, "split"),
        ({"count": 2000, "first": 2**32 - 1500}, "indices must stay below"),
    ],
)
def test_a_stream_that_cannot_be_is_refused_at_once(arguments, problem):
    """Before any block is taken."""
    with pytest.raises(InputError, match=problem):
        stream(MazeSpec(9), **arguments)


def test_a_block_of_nothing_is_refused():
    """A block holds at least one maze."""
    for block in (0, 2.5, True):
        with pytest.raises(InputError, match="block must be an integer of at least 1"):
            next(stream(MazeSpec(9), 5, block=block))


def test_numpys_small_integers_do_not_run_over():
    """Counts and firsts that are NumPy's own are the numbers that they are."""
    blocks = stream(MazeSpec(9), np.uint8(250), first=np.uint8(200), block=np.uint8(100))
    assert [len(mazes) for mazes in blocks] == [100, 100, 50]


@pytest.mark.parametrize("scale", [True, 1.0, 3, "1", None])
def test_a_scale_is_one_or_two(scale):
    """Nothing that merely equals one of them, in whatever draws images."""
    mazes = generate(MazeSpec(9), 1)
    for draw in (raster, FrozenMazes):
        with pytest.raises(InputError, match="scale must be 1"):
            draw(mazes, scale)


@pytest.mark.parametrize("workers", [0, -1, 2.5, True])
def test_workers_are_a_whole_number(workers):
    """In whatever runs kernels in threads."""
    with pytest.raises(InputError, match="workers must be an integer of at least 1"):
        raster(generate(MazeSpec(9), 1), workers=workers)
