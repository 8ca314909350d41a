"""What a forked process may do, seen from outside: each ends by itself, waiting for no thread that is not there."""

import json
import subprocess
import sys

import pytest

SECONDS = 240  # far more than it takes on a busy machine
CHILDREN = """
import json, os, sys, tempfile
from pathlib import Path
import torch
from extramaze import evaluate
from extramaze.core.errors import InputError
from extramaze.mazes import MazeSpec, generate
from extramaze.models import load
from extramaze.models.doctor import examine
from extramaze.models.training.train import train
from extramaze.records import read_record

record, suite = sys.argv[1:]
works = {
    "read": lambda: read_record(record),
    "evaluate": lambda: evaluate(load("wavefront"), suite, "cpu", quiet=True),
    "examine": lambda: examine(lambda: load("wavefront")),
    "train": lambda: train("dt-net-thin", 0, Path(tempfile.mkdtemp()) / "run", "cpu", quiet=True),
    "generate": lambda: generate(MazeSpec(9), 200),
}

def forked(name):
    place = Path(tempfile.mkdtemp()) / "said"
    if not (child := os.fork()):
        try:
            works[name]()
            place.write_text("done")
        except InputError as problem:
            place.write_text(str(problem))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return place.read_text()

said = {}
torch.set_num_threads(2)
torch.nn.functional.conv2d(torch.ones(8, 32, 64, 64), torch.ones(32, 32, 3, 3))
said["before"] = {name: forked(name) for name in ("read", "evaluate", "generate")}
works["evaluate"]()
said["after"] = {name: forked(name) for name in works}
print(json.dumps(said))
"""
THREADS = """
import os, sys, threading
from extramaze.records import read_record
children = []
def read():
    for _ in range(20):
        read_record(sys.argv[1])
def fork():
    for _ in range(10):
        child = os.fork()
        if not child:
            os._exit(not os.path.samestat(os.fstat(2), first))
        children.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
first = os.fstat(2)
threads = [threading.Thread(target=call) for call in (read, read, fork)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert os.path.samestat(os.fstat(2), first)
assert children == [0] * 10, children
"""


def python(code, *arguments):
    """Run a program that must end by itself; return what it printed."""
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def record(tiny_records, tmp_path_factory):
    """The folder of a record."""
    folder = tmp_path_factory.mktemp("record")
    tiny_records["dead-end-filling"].write(folder)
    return folder


def test_a_forked_process_works_or_says_why_not(record, tiny_suite):
    """Before any threads were begun it does everything, torch's own used or not; afterwards it refuses at once."""
    said = json.loads(python(CHILDREN, record, tiny_suite))
    assert set(said["before"].values()) == {"done"}
    assert said["after"].pop("generate") == "done"
    for sentence in said["after"].values():
        assert "this process was forked from one that had read records, evaluated or trained" in sentence
        assert "multiprocessing.get_context('spawn')" in sentence


def test_reading_in_threads_leaves_the_error_stream_open(record):
    """Two threads read records while a third forks: the stream is the same in the process and in each child."""
    python(THREADS, record)
