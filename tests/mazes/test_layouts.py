import itertools

import networkx as nx
import numpy as np
import pytest

from extramaze.mazes import InputError, MazeSpec, generate, layout_hashes, layout_splits
from tests.mazes import plain


@pytest.fixture(scope="module", params=["size=9", "size=5,width=13", "size=13,width=7"])
def mazes(request):
    return generate(MazeSpec.parse(f"{request.param},percolation=0.15,start=any"), 40).connections


def test_the_hash_equals_a_plain_one(mazes):
    """The compiled hash of the canonical form equals one written with Python integers."""
    assert layout_hashes(mazes).tolist() == [plain.layout_hash(maze) for maze in mazes]


def test_the_hash_is_the_same_through_all_symmetries(mazes):
    """Turning or mirroring a maze changes neither hash nor split."""
    for maze in mazes:
        turned = plain.symmetries(maze)
        assert len({layout_hashes(other[None]).item() for other in turned}) == 1


def test_the_split_hash_is_frozen():
    """The hash of the empty and of the full 5×5 lattice, and their splits, are the same for ever."""
    empty, full = np.zeros((2, 5, 5), bool), np.ones((2, 5, 5), bool)
    full[0, -1] = full[1, :, -1] = False
    assert layout_hashes(np.stack([empty, full])).tolist() == GOLDEN_HASHES
    assert layout_splits(np.stack([empty, full])).tolist() == GOLDEN_SPLITS


def test_every_tree_layout_of_3x3_cells_is_in_one_split_and_all_are_covered():
    """The 192 spanning trees make 28 layouts up to symmetry; equal layouts share a split."""
    edges = plain.graph(np.pad(np.ones((2, 3, 3), bool), 0)[:, :, :]).edges
    edges = [e for e in edges if max(e[0] + e[1]) < 3]
    trees = []
    for kept in itertools.combinations(edges, 8):
        candidate = nx.Graph(kept)
        if len(candidate) == 9 and nx.is_connected(candidate):
            trees.append(plain.connections_of(candidate, 3, 3))
    splits = layout_splits(np.stack(trees))
    by_layout = {}
    for tree, split in zip(trees, splits, strict=True):
        by_layout.setdefault(tuple(plain.canonical_bits(tree)), set()).add(str(split))
    assert len(trees) == 192
    assert len(by_layout) == 28
    assert all(len(found) == 1 for found in by_layout.values())


def test_each_of_the_4096_layouts_of_3x3_cells_belongs_to_one_split_with_its_mirror_images():
    """Every set of open edges has one split, shared by what turning and mirroring its image gives; none is empty."""
    bits = (np.arange(4096)[:, None] >> np.arange(12)) & 1
    connections = np.zeros((4096, 2, 3, 3), bool)
    connections[:, 0, :2] = bits[:, :6].reshape(-1, 2, 3)
    connections[:, 1, :, :2] = bits[:, 6:].reshape(-1, 3, 2)
    images = np.zeros((4096, 5, 5), np.uint8)
    images[:, 1::2, ::2], images[:, ::2, 1::2] = connections[:, 0, :2], connections[:, 1, :, :2]
    turned = [np.rot90(seen, turn, axes=(1, 2)) for seen in (images, images[:, :, ::-1]) for turn in range(4)]
    forms = [min(seen[i].tobytes() for seen in turned) for i in range(4096)]
    splits = layout_splits(connections)
    owners = {}
    for form, split in zip(forms, splits.tolist(), strict=True):
        owners.setdefault(form, set()).add(split)
    assert all(len(found) == 1 for found in owners.values())
    assert set(splits.tolist()) == {"train", "val", "test", "sealed"}
    assert len(set(layout_hashes(connections).tolist())) == len(owners)  # and no two layouts share a hash


def test_splits_are_disjoint_across_specifications():
    """No test layout of one specification is a training layout of another, on a lattice small enough to collide."""
    specs = [
        MazeSpec(5),
        MazeSpec(5, start="any"),
        MazeSpec(5, percolation=0.1),
        MazeSpec(5, percolation=0.5, start="any"),
    ]
    seen = {}
    for spec in specs:
        for split in ("train", "test"):
            hashes = set(layout_hashes(generate(spec, 2000, split=split).connections).tolist())
            seen.setdefault(split, []).append(hashes)
    assert not set.union(*seen["train"]) & set.union(*seen["test"])
    assert len(set.intersection(*seen["train"][2:])) > 10  # they do share layouts within a split


def test_shares_of_the_splits():
    """About 70/10/10/10 of many distinct layouts, within 5 standard errors."""
    splits = layout_splits(generate(MazeSpec(21), 20_000).connections)
    for split, share in {"train": 0.7, "val": 0.1, "test": 0.1, "sealed": 0.1}.items():
        assert abs((splits == split).mean() - share) < 5 * np.sqrt(share * (1 - share) / len(splits))


@pytest.mark.parametrize("wrong", [np.ones((2, 9, 3), bool), np.ones((1, 1, 3, 3), bool), np.ones((1, 2, 3, 3), int)])
def test_other_arrays_are_refused(wrong):
    """Only bool (N, 2, R, C) has a layout."""
    with pytest.raises(InputError, match="connections must be bool"):
        layout_hashes(wrong)


GOLDEN_HASHES = [997902335734199573, 17817412088410386188]
GOLDEN_SPLITS = ["train", "sealed"]
