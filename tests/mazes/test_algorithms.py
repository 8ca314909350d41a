import itertools
import random

import networkx as nx
import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare, ks_2samp

from extramaze.mazes import MazeSpec, describe, generate, solve
from extramaze.mazes.spec import ALGORITHMS
from tests.mazes.plain import connections_of, graph

TREES = [name for name in ALGORITHMS if name != "percolation"]

# The first 20 mazes of each: generator version 1, for ever.
GOLDEN_DIGESTS = {
    "size=13,algorithm=wilson": "2d47b0a94742701f126116c0c2a1c92a0caf4acb1ae9d04574e6e225029bb58f",
    "size=13,algorithm=aldous-broder": "56af80abafa2baa101fff477612755613d52dd0a52158518db614bb48ba66a6c",
    "size=13,algorithm=prim": "feb2b14bbfda552a511b47071989d8cddc4ada4ec82e7b25fde7e5a2b0a51d9c",
    "size=13,algorithm=kruskal": "60572a69448fb0957496b38c83aa3b269f020570027457444c27cf072073ce85",
    "size=13,algorithm=percolation,percolation=0.6": "23873a7cee400a69336677a3840e71a029a02ab6c3cf657f69c4202e4d02e83a",
    "size=13,start=3,goal=deadend,min_path=10,max_path=20": "a437fb24b200b6205726114b93b0c216916b14c7575a74a0e7982e4f858e9e5a",  # noqa: E501
    "size=13,cycles=5,min_shortest=2": "f0c9f56baa0a7ead034a12976923b2e0c96890abf8faa9779eef2e4b442e651b",
    "size=13,start=any,braid=0.5": "db228230824055206c1c9017f12261a8ef2ec2be03dabee4a08786dadaa5670a",
}


@pytest.mark.parametrize("text", GOLDEN_DIGESTS)
def test_mazes_are_frozen(text):
    """The mazes of every axis are the same on every machine and release; the text is canonical."""
    spec = MazeSpec.parse(text)
    assert str(spec) == text
    assert generate(spec, 20, split="test").digest() == GOLDEN_DIGESTS[text]


@pytest.mark.parametrize("algorithm", TREES)
@pytest.mark.parametrize("size", [3, 5, 9, 21])
def test_every_algorithm_carves_spanning_trees(algorithm, size):
    """L² cells, L² − 1 edges, connected; the same on any number of workers."""
    mazes = generate(MazeSpec(size, algorithm=algorithm), 100, workers=1)
    assert all(nx.is_tree(graph(connections)) for connections in mazes.connections)
    assert generate(MazeSpec(size, algorithm=algorithm), 100, workers=3).digest() == mazes.digest()


def spanning_trees_of_3x3():
    """List all spanning trees of the 3×3 grid, as connections bytes."""
    grid = nx.grid_2d_graph(3, 3)
    chosen = (nx.Graph(kept) for kept in itertools.combinations(grid.edges, 8))
    return [connections_of(t, 3, 3).tobytes() for t in chosen if len(t) == 9 and nx.is_connected(t)]


def test_kirchhoff_counts_192_spanning_trees_of_3x3():
    """The determinant of the reduced Laplacian is the number of trees listed."""
    laplacian = nx.laplacian_matrix(nx.grid_2d_graph(3, 3)).toarray()[1:, 1:]
    assert round(np.linalg.det(laplacian)) == len(spanning_trees_of_3x3()) == 192


@pytest.mark.parametrize(("algorithm", "uniform"), [("wilson", True), ("aldous-broder", True), ("dfs", False)])
def test_wilson_and_aldous_broder_are_uniform(algorithm, uniform):
    """Over all 192 spanning trees of the 3×3 grid (chi-square at 1e-4, 38,400 mazes); depth-first search is not."""
    trees = spanning_trees_of_3x3()
    drawn = generate(MazeSpec(5, algorithm=algorithm), 200 * len(trees)).connections
    counts = dict.fromkeys(trees, 0)
    for maze in drawn:
        counts[maze.tobytes()] += 1
    assert (chisquare(list(counts.values())).pvalue > 1e-4) == uniform


def plain_tree(algorithm, side, chance):
    """Carve a tree with Python's own random numbers, as textbooks do."""
    grid = nx.grid_2d_graph(side, side)
    cells = list(grid)
    tree = nx.Graph()
    tree.add_nodes_from(cells)
    if algorithm == "kruskal":
        edges = list(grid.edges)
        chance.shuffle(edges)
        for a, b in edges:
            if not nx.has_path(tree, a, b):
                tree.add_edge(a, b)
        return tree
    first = chance.choice(cells)
    seen = {first}
    if algorithm == "prim":
        while len(seen) < len(cells):
            a, b = chance.choice([(a, b) for a in seen for b in grid[a] if b not in seen])
            tree.add_edge(a, b)
            seen.add(b)
        return tree
    stack = [first]
    while stack:
        free = [b for b in grid[stack[-1]] if b not in seen]
        if not free:
            stack.pop()
            continue
        b = chance.choice(free)
        tree.add_edge(stack[-1], b)
        seen.add(b)
        stack.append(b)
    return tree


@pytest.mark.parametrize("algorithm", ["dfs", "prim", "kruskal"])
def test_biased_algorithms_equal_plain_ones_in_distribution(algorithm):
    """Dead ends (chi-square) and path lengths (Kolmogorov–Smirnov) of 1,000 plain mazes do not differ at 1e-4."""
    chance = random.Random(0)
    mazes = generate(MazeSpec(11, algorithm=algorithm, start="any"), 4000)
    measured = describe(mazes)
    dead_ends, lengths = [], []
    for _ in range(1000):
        tree = plain_tree(algorithm, 6, chance)
        dead_ends.append(sum(degree == 1 for _, degree in tree.degree))
        lengths.append(nx.shortest_path_length(tree, *chance.sample(list(tree), 2)))
    low, high = np.quantile(dead_ends, [0.02, 0.98]).astype(int)
    bins = [np.bincount(np.clip(values, low, high) - low) for values in (measured.dead_ends, np.array(dead_ends))]
    assert chi2_contingency(np.array(bins)).pvalue > 1e-4
    assert ks_2samp(measured.path_length, lengths).pvalue > 1e-4


@pytest.mark.parametrize("algorithm", ["dfs", "wilson"])
@pytest.mark.parametrize("cycles", [1, 2, 7, 16])
def test_cycles_are_exact(algorithm, cycles):
    """The cyclomatic number is exactly what was asked, up to every closed edge of the tree."""
    mazes = generate(MazeSpec(9, algorithm=algorithm, cycles=cycles, start="any"), 200)
    assert (describe(mazes).cycles == cycles).all()


def test_every_choice_of_extra_edges_is_equally_likely():
    """On 2×2 cells each of the 4 edges is the tree's missing one equally often; adding it gives the full square."""
    mazes = generate(MazeSpec(3, cycles=1, start="any"), 50)
    assert (mazes.connections.sum(axis=(1, 2, 3)) == 4).all()
    # On 3×3 cells with 3 of 4 closed edges opened, the one left closed is uniform over the 12 by symmetry classes.
    left = ~generate(MazeSpec(5, algorithm="wilson", cycles=3, start="any"), 12_000).connections
    border = left[:, 0, :2, 0].sum() + left[:, 0, :2, 2].sum() + left[:, 1, 0, :2].sum() + left[:, 1, 2, :2].sum()
    inner = left[:, 0, :2, 1].sum() + left[:, 1, 1, :2].sum()
    # An edge of the grid lies outside a uniform spanning tree with probability 1 − effective resistance.
    resistance = nx.resistance_distance(nx.grid_2d_graph(3, 3), (0, 0), (0, 1))
    inside = nx.resistance_distance(nx.grid_2d_graph(3, 3), (0, 1), (1, 1))
    expected = np.array([8 * (1 - resistance), 4 * (1 - inside)]) / 4 * 12_000
    assert chisquare([border, inner], expected).pvalue > 1e-4


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_braiding_opens_a_share_of_the_dead_ends(share):
    """At most a share 1 − f of a tree's dead ends is left, none at f = 1, and nothing is closed."""
    mazes = generate(MazeSpec(13, braid=share, start="any"), 300)
    ends = describe(mazes).dead_ends
    plain = describe(generate(MazeSpec(13, start="any"), 300)).dead_ends.mean()
    assert ends.mean() < (1 - share) * plain + 0.5
    assert all(nx.is_connected(graph(connections)) for connections in mazes.connections)
    if share == 1:
        assert (ends == 0).all()


@pytest.mark.parametrize("start", [1, 2, 3, 4])
@pytest.mark.parametrize("goal", ["any", 1, 3])
def test_endpoints_have_the_degree_asked_for(start, goal):
    """Start and goal have exactly the degrees of the specification, and are never one cell."""
    mazes = generate(MazeSpec(13, algorithm="wilson", percolation=0.1, start=start, goal=goal), 200)
    measured = describe(mazes)
    assert (measured.start_degree == start).all()
    assert goal == "any" or (measured.goal_degree == goal).all()
    assert (mazes.start != mazes.goal).any(axis=1).all()


def test_goals_that_must_fit_are_uniform_over_those_that_do():
    """On 2×2 cells a tree has two dead ends: start and goal are the two, in both orders alike."""
    mazes = generate(MazeSpec(3, goal="deadend"), 2000)
    assert chisquare(np.bincount(mazes.start[:, 0] * 2 + mazes.start[:, 1], minlength=4)).pvalue > 1e-4
    assert (describe(mazes).goal_degree == 1).all()


def test_path_bounds_hold():
    """Size and path length vary independently; the rejected share is counted."""
    mazes = generate(MazeSpec(21, min_path=30, max_path=40), 200)
    lengths = solve(mazes).lengths
    assert lengths.min() >= 30
    assert lengths.max() <= 40
    assert mazes.generation.rejected_path > 0
    assert mazes.generation.acceptance == pytest.approx(200 / (200 + mazes.generation.rejected_path))


def test_the_number_of_shortest_paths_is_a_stratum():
    """Mazes with one, and with several, shortest paths can be asked for."""
    single = describe(generate(MazeSpec(9, percolation=0.3, max_shortest=1, start="any"), 200))
    several = describe(generate(MazeSpec(9, percolation=0.3, min_shortest=2, max_shortest=5, start="any"), 200))
    assert (single.n_shortest == 1).all()
    assert several.n_shortest.min() >= 2
    assert several.n_shortest.max() <= 5


def test_percolation_alone_joins_start_and_goal():
    """Without a tree the lattice falls apart; start and goal are drawn in one component, uniformly."""
    mazes = generate(MazeSpec(13, algorithm="percolation", percolation=0.5, start="any"), 300)
    assert (solve(mazes).lengths >= 1).all()
    edges = mazes.connections.sum() / 300 / 84
    assert not all(nx.is_connected(graph(connections)) for connections in mazes.connections)
    assert abs(edges - 0.5) < 0.05  # slightly above: an isolated start cannot have a goal
    assert mazes.generation.rejected_endpoints > 0
