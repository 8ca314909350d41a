import sys

import networkx as nx
import numpy as np
import pytest
from scipy.stats import chisquare, ks_2samp

from extramaze.mazes import InputError, MazeSpec, describe, generate, layout_splits, solve
from extramaze.mazes.description import COLUMNS
from extramaze.mazes.spec import ALGORITHMS, SPLITS
from tests.mazes.plain import graph

# The first 20 mazes of each: generator version 1, for ever.
GOLDEN_DIGESTS = {
    ("size=9", "train"): "0a84ef8e2b90164cdb41bf08d817e1420d2f040513ac61fcaf2fab9f0414f40c",
    ("size=9", "test"): "6128028329ac954e4232543a2f35d030af763f4b68c3df92f66a23670007ea88",
    ("size=9", None): "347eede48be39864468b7abda9155649e7917d21ac09df3f43fb519b260889a9",
    ("size=13,percolation=0.1", "test"): "2388c201d83ce1b545394459718d6f13106dd31fc370b56a5449c0aa0b045975",
    ("size=9,percolation=0.3,start=any", "sealed"): "e37e5d74ceda025656d356a3c6fa3b3aea3022a9fdba18da855b5f5d170a8b44",
    ("size=5,width=13", "test"): "fe5b3f0d025f48f33a0402946a2adbde9f1c7153e9242814cb5751f6f30e44d6",
    ("size=13,width=5,percolation=0.1,start=any", "train"): (
        "e3faac0700b7e678888b389b6ec506dbad3f30a378c739284301324f0f046391"
    ),
    ("size=59", "val"): "37441fdb6dd0a95c5ea1f6ba8751633c1e7327ba74956ada05858bc2ebe8e980",
}
SPECS = [
    "size=3",
    "size=5,width=17",
    "size=9",
    "size=13,start=any",
    "size=9,percolation=0.2",
    "size=21,percolation=0.05,start=any",
]


@pytest.mark.parametrize(("spec", "split"), GOLDEN_DIGESTS)
def test_mazes_are_frozen(spec, split):
    """The mazes of a specification and split are the same on every machine and release."""
    assert generate(MazeSpec.parse(spec), 20, split=split).digest() == GOLDEN_DIGESTS[spec, split]


@pytest.mark.parametrize("spec", SPECS)
def test_any_workers_order_and_prefix_give_the_same_mazes(spec):
    """Maze i is the same alone, in a longer set, and on any number of workers."""
    spec = MazeSpec.parse(spec)
    whole = generate(spec, 300, workers=1)
    assert generate(spec, 300, workers=3).digest() == whole.digest()
    assert generate(spec, 100).digest() == whole[:100].digest()
    assert generate(spec, 50, first=250).digest() == whole[250:].digest()
    backwards = [generate(spec, 1, first=i).digest() for i in reversed(range(290, 300))]
    assert backwards == [whole[i].digest() for i in reversed(range(290, 300))]


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "percolation"])
@pytest.mark.parametrize(("size", "width"), [(3, 3), (5, 5), (9, 9), (21, 21), (3, 15), (13, 5)])
def test_without_percolation_mazes_are_spanning_trees(algorithm, size, width):
    """R·C cells, R·C − 1 edges, connected: on squares and on rectangles, by every algorithm."""
    mazes = generate(MazeSpec(size, width=width, algorithm=algorithm), 20)
    assert mazes.shape == ((size + 1) // 2, (width + 1) // 2)
    for connections in mazes.connections:
        assert nx.is_tree(graph(connections))


def test_a_square_by_its_width_is_the_same_specification():
    """``width`` equal to ``size`` is a square's, and changes no maze."""
    assert MazeSpec(9, width=9) == MazeSpec(9)
    assert str(MazeSpec(9, width=13)) == "size=9,width=13"


def test_a_rectangle_and_its_transpose_share_their_splits():
    """A lying and a standing rectangle of the same layout belong to one split."""
    lying = generate(MazeSpec(5, width=9), 200, split="test").connections
    standing = np.stack([lying[:, 1].swapaxes(1, 2), lying[:, 0].swapaxes(1, 2)], axis=1)
    assert set(layout_splits(standing)) == {"test"}


def test_percolation_only_adds_edges():
    """Percolated mazes stay connected and gain slots × p edges on average; p = 1 opens every edge."""
    for p in (0.05, 0.5):
        mazes = generate(MazeSpec(9, percolation=p, start="any"), 2000)
        extra = describe(mazes).cycles
        slots = 2 * 5 * 4 - 24
        assert all(nx.is_connected(graph(c)) for c in mazes.connections[:50])
        assert abs(extra.mean() - slots * p) < 5 * np.sqrt(slots * p * (1 - p) / len(mazes))
    assert generate(MazeSpec(5, percolation=1, start="any"), 3).connections.sum() == 3 * 12


def test_dead_end_starts_are_uniform_over_dead_ends():
    """The start has one open neighbour, and each dead end is as likely (chi-square at 1e-4 over its rank)."""
    mazes = generate(MazeSpec(9), 4000)
    measured = describe(mazes)
    assert (measured.start_degree == 1).all()
    three = np.flatnonzero(measured.dead_ends == 3)
    ranks = []
    for i in three:
        ends = sorted(cell for cell, degree in graph(mazes.connections[i]).degree if degree == 1)
        ranks.append(ends.index(tuple(mazes.start[i].tolist())))
    assert chisquare(np.bincount(ranks, minlength=3)).pvalue > 1e-4


def test_free_starts_and_goals_are_uniform():
    """Start and goal are uniform over cells, and differ (chi-square at 1e-4)."""
    mazes = generate(MazeSpec(5, start="any"), 9000)
    for cell in (mazes.start, mazes.goal):
        assert chisquare(np.bincount(cell[:, 0] * 3 + cell[:, 1], minlength=9)).pvalue > 1e-4
    assert (mazes.start != mazes.goal).any(axis=1).all()


@pytest.mark.parametrize("split", ["train", "val", "test", "sealed"])
def test_a_split_holds_only_its_layouts_and_all_that_were_asked_for(split):
    """N asked is N delivered, each in its split, with the acceptance rate recorded."""
    mazes = generate(MazeSpec(9, percolation=0.1), 500, split=split)
    assert len(mazes) == 500
    assert set(layout_splits(mazes.connections)) == {split}
    share = 0.7 if split == "train" else 0.1
    generation = mazes.generation
    assert generation.drawn - generation.rejected_split - generation.rejected_endpoints == 500
    assert abs(1 - generation.rejected_split / generation.drawn - share) < 0.05
    assert generation.acceptance == pytest.approx(500 / (500 + generation.rejected_endpoints))


@pytest.fixture
def little_effort(monkeypatch):
    """Give up on a maze after a tenth of the cells that are carved otherwise."""
    monkeypatch.setattr(sys.modules["extramaze.mazes.generation"], "MAX_CELLS_TRIED", 5_000_000)


@pytest.mark.usefixtures("little_effort")
def test_full_percolation_with_dead_end_starts_says_why_not():
    """A specification that cannot be met ends with the rate seen and the constraint that binds."""
    with pytest.raises(InputError, match=r"0 of \d+ attempts kept.*no cells would do for start=deadend"):
        generate(MazeSpec(9, percolation=1.0), 5)


@pytest.mark.usefixtures("little_effort")
def test_the_constraint_that_binds_is_named_in_a_split():
    """Most attempts fall outside a test split; where those inside have no dead end, the start is to blame."""
    with pytest.raises(InputError, match="all fell outside the split"):
        generate(MazeSpec(9, percolation=1.0), 1, split="test")
    outcome = generate(MazeSpec(9, percolation=0.97), 3, split="test").generation
    assert outcome.rejected_split > outcome.rejected_endpoints > 0
    assert outcome.acceptance == pytest.approx(3 / (3 + outcome.rejected_endpoints))


@pytest.mark.usefixtures("little_effort")
def test_a_lattice_with_too_few_layouts_says_so():
    """2×2 cells have one tree up to symmetry, so only one split can be drawn."""
    (owner,) = set(layout_splits(generate(MazeSpec(3), 2).connections))
    assert len(generate(MazeSpec(3), 2, split=owner)) == 2
    other = "val" if owner != "val" else "test"
    with pytest.raises(InputError, match="or a larger size"):
        generate(MazeSpec(3), 2, split=other)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [((-1,), "count"), ((1.5,), "count"), ((1, "tset"), "did you mean test"), ((1, None, 0, 0), "workers")],
)
def test_bad_arguments_are_refused(arguments, problem):
    """A count is a whole number of at least 0, a split one of four."""
    with pytest.raises(InputError, match=problem):
        generate(MazeSpec(9), *arguments)


def test_indices_stay_addressable():
    """Indices beyond 2**32 are refused rather than wrapped."""
    assert len(generate(MazeSpec(9), 1, first=2**32 - 1)) == 1
    with pytest.raises(InputError, match=r"2\*\*32"):
        generate(MazeSpec(9), 2, first=2**32 - 1)


def test_no_mazes_are_no_mazes():
    """A count of 0 gives an empty batch."""
    assert len(generate(MazeSpec(9), 0)) == 0


@pytest.mark.parametrize("spec", ["size=13", "size=13,percolation=0.1", "size=21,algorithm=wilson,start=any"])
def test_splitting_moves_no_measure(spec):
    """Every measure of every split is distributed as without one (Kolmogorov–Smirnov at 1e-4)."""
    spec, count = MazeSpec.parse(spec), 4000
    whole = describe(generate(spec, count, first=10**6))
    for split in SPLITS:
        part = describe(generate(spec, count, split=split))
        for name in COLUMNS:
            assert ks_2samp(getattr(whole, name), getattr(part, name), method="asymp").pvalue > 1e-4, (split, name)


@pytest.mark.usefixtures("little_effort")
def test_mazes_that_only_some_would_get_are_refused_before_long_work():
    """The first mazes show how rare the rest would be; the error has the acceptance and what binds."""
    spec = MazeSpec(9, percolation=0.2, start="any", min_path=22)
    assert len(generate(spec, 1)) == 1
    with pytest.raises(InputError, match=r"100000 mazes \(.* would be missing\).*4 of \d+ attempts kept.*min_path"):
        generate(spec, 100_000)


def test_progress_adds_up():
    """What is reported while mazes are drawn sums to their number."""
    done = []
    generate(MazeSpec(9), 5000, workers=2, progress=done.append)
    assert sum(done) == 5000
    assert len(done) > 20


@pytest.mark.parametrize("text", ["size=999", "size=3,width=999", "size=999,width=5,algorithm=wilson"])
def test_large_mazes_are_trees_with_one_path(text):
    """At size 999, square or not: one edge fewer than cells, one shortest path, which joins start and goal."""
    mazes = generate(MazeSpec.parse(text), 1, split="test")
    rows, columns = mazes.shape
    assert mazes.connections.sum() == rows * columns - 1
    measured, path = describe(mazes), solve(mazes)[0]
    assert (measured.cycles, measured.n_shortest, measured.path_length) == (0, 1, len(path) - 1)
    assert path[0].tolist() == mazes.start[0].tolist()
    assert path[-1].tolist() == mazes.goal[0].tolist()
    assert (np.abs(np.diff(path, axis=0)).sum(axis=1) == 1).all()
