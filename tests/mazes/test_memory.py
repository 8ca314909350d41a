"""Peak memory, of processes of their own."""

import subprocess
import sys

import pytest

PEAK = """
import re
from pathlib import Path

import numpy as np

from extramaze.mazes import MazeSpec, describe, generate, raster, solve, stream

def status(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text()).group(1)) / 1024

def peak(run):
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts again from here
    size = run()
    return (status("VmHWM") - before) / (size / 2**20)

def arrays(*found):
    return sum(array.nbytes for array in found)

small = generate(MazeSpec(59), 300)
raster(small, 2), solve(small), describe(small), list(stream(MazeSpec(59), 300, block=100))  # compile
"""
RUNS = {
    "generate": """
def run():
    mazes = generate(MazeSpec(59), 40_000)
    return arrays(mazes.connections, mazes.start, mazes.goal)
print(peak(run))
""",
    "raster": """
mazes = generate(MazeSpec(59), 2000)
print(peak(lambda: arrays(*raster(mazes, 2))))
""",
    "solve": """
mazes = generate(MazeSpec(59), 40_000)
def run():
    paths = solve(mazes)
    return arrays(paths.cells, paths.offsets)
print(peak(run))
""",
    "stream": """
def run():
    blocks = stream(MazeSpec(59), 100_000, block=10_000)
    sizes = [arrays(mazes.connections, mazes.start, mazes.goal) for mazes in blocks]
    return sizes[0] * 2  # the block that is held, and the one that takes its place
print(peak(run))
""",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("name", RUNS)
def test_peak_memory_stays_within_one_and_a_half_times_what_is_returned(name):
    """Scratch is small beside the arrays returned; a stream of ten blocks never holds more than two."""
    result = subprocess.run([sys.executable, "-c", PEAK + RUNS[name]], capture_output=True, text=True, check=True)
    ratio = float(result.stdout)
    assert 0.5 < ratio <= 1.5
