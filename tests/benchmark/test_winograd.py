"""Winograd's convolutions beside torch's own, in both precisions."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from extramaze.blocks.winograd import (
    FEW,
    MOST_CHANNELS,
    SHARED,
    as_many_threads,
    compile_ahead,
    convolution,
    transformed,
)

pytestmark = pytest.mark.numeric

SHAPES = [(1, 1, 1), (3, 5, 4), (2, 11, 11), (1, 3, 90), (7, 38, 2), (1, 67, 67)]
NEAR = {np.float32: 1e-4, np.float64: 1e-12}


def drawn(shape, channels, kind, seed=0):
    random = np.random.default_rng(seed)
    states, others = (random.standard_normal((*shape, channels)).astype(kind) for _ in range(2))
    weight = random.standard_normal((channels, channels, 3, 3)) / (3 * channels**0.5)
    return states, weight.astype(kind), others


def convolved(states, weight, others, rectify, shared=SHARED):
    results = np.full_like(states, np.nan)
    with as_many_threads():
        convolution(states.shape[-1])(states, transformed(weight), others, rectify, results, shared)
    return results


def direct(states, weight, others, rectify):
    x = torch.from_numpy(states).double().permute(0, 3, 1, 2)
    sums = functional.conv2d(x, torch.from_numpy(weight).double(), padding=1).permute(0, 2, 3, 1).numpy() + others
    return np.maximum(sums, 0) if rectify else sums


@pytest.mark.parametrize("kind", NEAR)
@pytest.mark.parametrize(("shape", "channels"), [*((shape, 32) for shape in SHAPES), ((1, 7, 5), 5)])
def test_sums_are_those_of_the_direct_convolution(shape, channels, kind):
    """Every shape, also one pixel and lines longer than a strip; with and without rectifier; in many or few parts."""
    arrays = drawn(shape, channels, kind)
    for rectify in (False, True):
        for shared in (SHARED, FEW):
            found = convolved(*arrays, rectify, shared)
            assert found.dtype == kind
            np.testing.assert_allclose(found, direct(*arrays, rectify), atol=NEAR[kind])


@pytest.mark.slow  # to compile; of 32 channels a strip is of several tiles, and of 5 of one
def test_the_widest_network_is_served():
    """MOST_CHANNELS channels, of which one tile makes a strip."""
    arrays = drawn((1, 5, 9), MOST_CHANNELS, np.float32)
    np.testing.assert_allclose(convolved(*arrays, True), direct(*arrays, True), atol=NEAR[np.float32])


def test_a_kernel_of_one_returns_the_image():
    """The identity: the middle weight alone, between equal channels."""
    states, weight, others = drawn((2, 11, 13), 5, np.float64)
    weight[:] = np.eye(5)[:, :, None, None] * np.eye(3)[1][:, None] * np.eye(3)[1]
    np.testing.assert_allclose(convolved(states, weight, np.zeros_like(others), False), states, atol=1e-14)


ON_THREADS = """
import numba, numpy, torch
from tests.benchmark.test_winograd import convolved, drawn
arrays = drawn((9, 19, 19), 32, numpy.float32)
before, found = [array.copy() for array in arrays], []
assert numba.config.NUMBA_NUM_THREADS == 2
for threads in (1, 2):
    torch.set_num_threads(threads)
    found.append(convolved(*arrays, True))
assert numpy.array_equal(*found)
assert all(map(numpy.array_equal, arrays, before))
"""


def test_bits_do_not_depend_on_threads(root, monkeypatch):
    """One thread and two, however many cores there are, give the same bits, and arguments stay as they were."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    done = subprocess.run([sys.executable, "-c", ON_THREADS], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr


def test_what_is_not_finite_stays_so():
    """A NaN or an infinity is never rectified to zero."""
    for number in (np.nan, np.inf):
        states, weight, others = drawn((1, 9, 9), 5, np.float32)
        states[0, 4, 4, 0] = number
        assert not np.isfinite(convolved(states, weight, others, False)[0, 3:6, 3:6]).any()
        assert np.isnan(convolved(states, weight, others, True)[0, 3:6, 3:6]).any()


def test_nothing_to_convolve():
    """An empty batch stays one."""
    assert convolved(*drawn((0, 9, 9), 5, np.float32), True).shape == (0, 9, 9, 5)


@pytest.mark.parametrize("threads", [1, 2])
def test_torch_keeps_its_threads(threads, monkeypatch):
    """Numba's threads, when they start, do not change how many torch has."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    code = f"""
import torch
from extramaze.blocks.acceleration import make_step
from extramaze.models.dt_net import DTNet
torch.set_num_threads({threads})
x, solver = torch.ones(1, 3, 11, 11), DTNet(5, blocks=1)
with torch.inference_mode():
    make_step(solver, x, "winograd")(solver.initial_state(x))
assert torch.get_num_threads() == {threads}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


TWO_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
import numba, torch
from extramaze.blocks.acceleration import make_step
from extramaze.models.dt_net import DTNet
x, solver = torch.ones(4, 3, 11, 11), DTNet(5, blocks=1)

def run(_):
    with torch.inference_mode():
        step, state = make_step(solver, x, "winograd"), solver.initial_state(x)
        for _ in range(50):
            state = step(state)
        return state

with ThreadPoolExecutor(4) as pool:
    states = list(pool.map(run, range(8)))
assert numba.threading_layer() == "workqueue" and all(torch.equal(state, states[0]) for state in states)
"""


def test_evaluations_may_run_side_by_side(monkeypatch):
    """Also where numba has none but its simplest threads, which end the process when two callers meet."""
    monkeypatch.setenv("NUMBA_THREADING_LAYER", "workqueue")
    done = subprocess.run([sys.executable, "-c", TWO_AT_ONCE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


AHEAD = """
import numpy
from tests.benchmark.test_winograd import convolved, drawn
from extramaze.blocks.winograd import compile_ahead, convolution
assert compile_ahead(5).wait() == 0
for kind in (numpy.float32, numpy.float64):
    convolved(*drawn((1, 4, 4), 5, kind), True)
stats = convolution(5).stats
assert sum(stats.cache_hits.values()) == 2 and not stats.cache_misses, stats
assert compile_ahead(5) is None
"""


@pytest.mark.slow
def test_convolutions_are_compiled_ahead_once(root, tmp_path, monkeypatch):
    """In a process of its own, for both precisions; what it kept is used, and nothing is begun where it is there."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", AHEAD], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr


def test_nothing_is_compiled_ahead_where_nothing_can_be_kept(monkeypatch):
    """A process would compile for itself alone."""
    monkeypatch.setattr("extramaze.blocks.winograd.folder_of_kernels", lambda: None)
    assert compile_ahead(5) is None
