import itertools

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.scoring import score
from extramaze.statistics import wilson
from tests.benchmark.plain_scoring import failure_one, score_one

SPECS = [MazeSpec(9), MazeSpec(9, percolation=0.15, start="any"), MazeSpec(7, percolation=0.6, start="any")]


def adversarial(images, targets, random):
    """Make many predictions a maze: right, nearly right, degenerate and random ones."""
    open_pixels = images.max(axis=1)
    other = np.roll(targets, 1, axis=0)
    for name, prediction in {
        "stored path": targets,
        "empty": np.zeros_like(targets),
        "everything": np.ones_like(targets),
        "all open pixels": open_pixels,
        "another maze's path": other,
        "mirrored": targets[:, ::-1],
        "turned": np.swapaxes(targets, 1, 2),
        "complement": 1 - targets,
    }.items():
        yield name, prediction
    for count in (1, 2, 4):
        flipped = targets.copy()
        for maze in flipped:
            cells = random.integers(0, maze.shape[0], (count, 2))
            maze[cells[:, 0], cells[:, 1]] ^= 1
        yield f"{count} pixels flipped", flipped
    for channel, name in ((0, "start"), (1, "goal")):
        yield f"{name} missing", targets & images[:, channel]
    yield "open pixels flipped", np.where(random.random(targets.shape) < 0.05, open_pixels - targets, targets)
    side = targets.shape[-1] if targets.shape[-1] % 2 else targets.shape[-1] // 2 - 1
    tiles = random.random((len(targets), side, side)) < 0.05
    if side != targets.shape[-1]:
        tiles = np.pad(tiles.repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (1, 1), (1, 1)))
    yield "open tiles flipped", np.where(tiles, open_pixels - targets, targets)
    filled = open_pixels.copy()
    for _ in range(60):  # dead ends filled without sparing the end points, on pixels
        around = sum(np.roll(filled, shift, axis) for shift in (1, -1) for axis in (1, 2))
        filled = filled * (around > 1)
    yield "cycles alone", filled
    yield "cycles and path", np.maximum(filled, targets)


def other_ways(images, targets):
    """Find the longest detours: for each maze a simple path that is no shortest one, where networkx has one."""
    import networkx as nx

    from tests.benchmark.plain_scoring import pixel_graph, tiles

    made = np.zeros_like(targets)
    for image, prediction in zip(images, made, strict=True):
        scale = 1 if image.shape[-1] % 2 else 2
        red, green, blue = (tiles(channel, scale) for channel in image)
        ends = [tuple(np.argwhere(a & ~b)[0].tolist()) for a, b in ((green, red), (red, green))]
        paths = nx.all_simple_paths(pixel_graph(red | green | blue), *ends)
        longest = max((path for path, _ in zip(paths, range(200), strict=False)), key=len)
        for i, j in longest:
            prediction[
                scale * i + scale - 1 : scale * i + 2 * scale - 1, scale * j + scale - 1 : scale * j + 2 * scale - 1
            ] = 1
    return made


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_scorer_equals_a_plain_one(spec, scale):
    """On right, adversarial, degenerate and random predictions, every score equals a set-and-graph reference's."""
    random = np.random.default_rng(0)
    images, targets = raster(generate(spec, 25), scale)
    seen, met = np.zeros(3, int), set()
    cases = [*adversarial(images, targets, random), ("another way", other_ways(images, targets))]
    for name, predictions in cases:
        outcome = score(images, targets, predictions)
        expected = [score_one(*case) for case in zip(images, targets, predictions, strict=True)]
        found = np.stack([outcome.exact, outcome.valid, outcome.optimal], axis=1)
        assert found.tolist() == [list(e) for e in expected], name
        kinds = [failure_one(*case) for case in zip(images, targets, predictions, strict=True)]
        assert outcome.failure.tolist() == kinds, name
        met |= set(kinds)
        seen += found.sum(axis=0)
        assert (~outcome.exact | outcome.optimal).all()
        assert (~outcome.optimal | outcome.valid).all()
    assert seen[1] >= seen[2] >= seen[0] >= 25
    expected = {"none", "empty", "wall pixels", "endpoint missing", "broken path", "extra branch"}
    if spec.percolation > 0.1:
        assert seen[1] > seen[2]  # detours were valid and not optimal
        expected |= {"longer way", "loop kept"}
    assert met == expected | ({"partial tiles"} if scale == 2 else set())


def test_another_shortest_path_is_optimal_and_not_exact():
    """Any shortest path counts as optimal; only the stored one is exact."""
    mazes = generate(MazeSpec(9, percolation=0.8, start="any"), 200)
    images, targets = raster(mazes)
    turned_images, turned_targets = np.swapaxes(images, 2, 3), np.swapaxes(targets, 1, 2)
    own = score(turned_images, turned_targets, turned_targets)
    assert own.exact.all()
    import networkx as nx

    from tests.mazes.plain import graph

    differs = 0
    for i in range(30):
        start, goal = tuple(mazes.start[i].tolist()), tuple(mazes.goal[i].tolist())
        path = list(nx.all_shortest_paths(graph(mazes.connections[i]), start, goal))[-1]
        prediction = np.zeros_like(targets[i])
        for a, b in itertools.pairwise(path):
            prediction[2 * a[0] + 1, 2 * a[1] + 1] = prediction[2 * b[0] + 1, 2 * b[1] + 1] = 1
            prediction[a[0] + b[0] + 1, a[1] + b[1] + 1] = 1
        outcome = score(images[i : i + 1], targets[i : i + 1], prediction[None])
        assert outcome.optimal.all()
        differs += not outcome.exact[0]
    assert differs > 0


@pytest.mark.parametrize("kind", [np.bool_, np.int64, np.uint8, torch.bool, torch.int64])
def test_arrays_and_tensors_of_any_integer_type_score_alike(kind):
    """Predictions may be bool or integers, arrays or tensors."""
    images, targets = raster(generate(MazeSpec(9), 5))
    predictions = torch.from_numpy(targets).to(kind) if isinstance(kind, torch.dtype) else targets.astype(kind)
    assert score(images, targets, predictions).exact.all()
    assert score(torch.from_numpy(images).float(), torch.from_numpy(targets), predictions).exact.all()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda i, t, p: (i, t, p.astype(float)), "argmax"),
        (lambda i, t, p: (i, t, p * 2), "only 0 and 1"),
        (lambda i, t, p: (i, t, p[:, 1:]), "shape"),
        (lambda i, t, p: (i[:, :2], t, p), r"\(B, 3, H, W\)"),
        (lambda i, t, p: (i, t, p[0]), "3 dimensions"),
        (lambda i, t, p: (np.ones_like(i), t, p), "no single start"),
        (lambda i, t, p: (i, np.zeros_like(t), p), "target is no path"),
        (lambda i, t, p: (i * (1 - t[:, None] * (i.sum(axis=1, keepdims=True) == 3)), t, p), "target is no path"),
    ],
)
def test_bad_input_is_refused(change, problem):
    """Shapes, types and values that cannot be scored give one sentence."""
    images, targets = raster(generate(MazeSpec(9), 3))
    with pytest.raises(InputError, match=problem):
        score(*change(images, targets, targets))


@pytest.mark.numeric
@pytest.mark.parametrize(("right", "count"), [(0, 1), (1, 1), (0, 10), (7, 10), (256, 256), (180, 256)])
def test_wilson_is_that_of_scipy(right, count):
    """To rounding; scipy's computes a p-value beside it that takes 200 times as long."""
    expected = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert wilson(right, count) == pytest.approx((expected.low, expected.high), rel=1e-12)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(("size", "width"), [(5, 13), (13, 5)])
def test_rectangles_are_scored_as_by_the_plain_one(size, width, scale):
    """Rows are not taken for columns: right, nearly right and turned answers on mazes higher than wide, and wider."""
    images, targets = raster(generate(MazeSpec(size, width=width, percolation=0.3, start="any"), 25), scale)
    for said in (targets, images.max(axis=1), np.roll(targets, 1, axis=0), targets[:, ::-1, ::-1]):
        outcome, cases = score(images, targets, said), list(zip(images, targets, said, strict=True))
        found = np.stack([outcome.exact, outcome.valid, outcome.optimal], axis=1)
        assert found.tolist() == [list(score_one(*case)) for case in cases]
        assert outcome.failure.tolist() == [failure_one(*case) for case in cases]
