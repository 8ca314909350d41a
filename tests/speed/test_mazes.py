"""Generation against maze-dataset 1.4.2 (``pip install -e ".[maze-dataset]"``), and against itself at other sizes."""

import time

import numpy as np
import pytest

from extramaze.mazes import MazeSpec, generate, raster
from extramaze.mazes.generation import _generate_block, _rules
from extramaze.mazes.randomness import stream_key


def maze_dataset(algorithm, size, count):
    """Return a function that generates, solves and draws mazes of maze-dataset at scale 2, one after another."""
    rasterized = pytest.importorskip("maze_dataset.dataset.rasterized", reason="needs pip install -e '.[maze-dataset]'")
    generators = pytest.importorskip("maze_dataset.generation").LatticeMazeGenerators
    maker = {"dfs": generators.gen_dfs, "wilson": generators.gen_wilson}[algorithm]

    def run():
        config = rasterized.RasterizedMazeDatasetConfig(
            name="speed", grid_n=(size + 1) // 2, n_mazes=count, maze_ctor=maker, endpoints_as_open=True
        )
        made = rasterized.RasterizedMazeDataset.from_config_augmented(
            config, load_local=False, save_local=False, gen_parallel=False
        )
        return made.get_batch(None)

    return run


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("algorithm", "size", "count", "theirs"), [("dfs", 59, 4000, 20), ("wilson", 33, 8000, 10)])
def test_a_thousand_times_faster_than_maze_dataset(versus, algorithm, size, count, theirs):
    """Generation, solution and easy-to-hard raster, one process on all cores: at least 1,000 times."""
    spec = MazeSpec(size, algorithm=algorithm, start="any")

    def ours():
        return raster(generate(spec, count), scale=2)

    assert versus(ours, maze_dataset(algorithm, size, theirs), count, theirs) >= 1000


def seconds_a_cell(size):
    """Return the least time for one cell of DFS mazes, on one core, of about two million cells."""
    spec = MazeSpec(size)
    cells = np.prod(spec.shape)
    count = max(1, int(2e6 // cells))
    generate(spec, count, workers=1)
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        generate(spec, count, workers=1)
        best = min(best, time.perf_counter() - began)
    return best / count / cells


def test_the_cost_of_a_cell_is_flat(benchmark):
    """From n = 9 to 999 a cell of a DFS maze costs the same within a factor of two."""
    costs = benchmark.pedantic(lambda: {n: seconds_a_cell(n) for n in (9, 21, 59, 199, 499, 999)}, rounds=1)
    benchmark.extra_info["nanoseconds a cell"] = {n: round(1e9 * cost, 1) for n, cost in costs.items()}
    print(benchmark.extra_info)
    assert max(costs.values()) <= 2 * min(costs.values())


def test_little_python(versus):
    """``generate`` takes at most a tenth longer than its kernel alone, at n = 9 for 100,000 mazes on one core."""
    spec, count = MazeSpec(9), 100_000
    rows, columns = spec.shape
    arrays = np.zeros((count, 2, rows, columns), bool), *(np.empty((count, 2), np.int32) for _ in range(2))
    key, rules = stream_key(spec, None), _rules(spec, None)
    ratio = versus(
        lambda: generate(spec, count, workers=1), lambda: _generate_block(0, count, key, 0, rules, *arrays), rounds=20
    )
    assert ratio >= 1 / 1.1
