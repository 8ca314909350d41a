"""A process that has imported everything and forks: each child runs one command, and may be stopped at an operation.

An operation is what changes a folder: a file opened for writing, rename, replace, remove, mkdir, rmdir and fsync below
the working directory. A request is a line of JSON on standard input, the answer a line on standard output.
"""

import errno
import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PLACES = {"open": (0,), "os.rename": (0, 1), "os.remove": (0,), "os.mkdir": (0,), "os.rmdir": (0,)}
NOT_OURS = 70  # exit code of a command that ended by an exception
ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


class Stopper:
    """Counts the operations below a folder, and stops the process before the one of a number.

    at: from 1; 0: never; one more than there are: ``kill`` ends the process once the command is done. how: ``kill``,
    ``full`` (the operation fails, for one reason after another), ``interrupt`` or ``terminate``.
    """

    def __init__(self, folder: Path, at: int, how: str) -> None:
        self.folder, self.at, self.how, self.count = folder, at, how, 0

    def seen(self, event: str, arguments: tuple) -> None:
        """Take part in what the interpreter tells of itself."""
        if event not in PLACES or (event == "open" and not self._writes(arguments)):
            return
        paths = [arguments[place] for place in PLACES[event]]
        dir_fd = arguments[-1] if event in ("os.remove", "os.rmdir") else -1
        if any(self._is_below(path, dir_fd) for path in paths):
            self.operation()

    def operation(self) -> None:
        """Count one, and stop here if it is the one."""
        self.count += 1
        if self.count != self.at:
            return
        if self.how == "kill":
            os._exit(137)
        if self.how == "full":
            number = ERRORS[self.at % len(ERRORS)]
            raise OSError(number, os.strerror(number))
        os.kill(os.getpid(), signal.SIGINT if self.how == "interrupt" else signal.SIGTERM)

    @staticmethod
    def _writes(arguments: tuple) -> bool:
        _, mode, flags = arguments
        return any(sign in mode for sign in "wax+") if isinstance(mode, str) else bool((flags or 0) & WRITING)

    def _is_below(self, path: object, dir_fd: int) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        base = _path_of(dir_fd) if isinstance(dir_fd, int) and dir_fd >= 0 else Path.cwd()
        return (base / os.fsdecode(path)).is_relative_to(self.folder)

    def wrap(self, fsync: Callable[[int], None]) -> Callable[[int], None]:
        """Return fsync, counted: the interpreter does not tell of it."""

        def counted(descriptor: int) -> None:
            if _path_of(descriptor).is_relative_to(self.folder):
                self.operation()
            fsync(descriptor)

        return counted


def _path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def run_child(request: dict) -> None:
    """Run a command and end: with its exit code, and the number of operations in a file."""
    os.chdir(request["folder"])
    sink = io.FileIO(request["output"], "w")
    for stream in (1, 2):
        os.dup2(sink.fileno(), stream)
    stopper = Stopper(Path.cwd(), request["at"], request["how"])
    os.fsync = stopper.wrap(os.fsync)
    sys.addaudithook(stopper.seen)
    from extramaze import cli

    sys.argv = ["extramaze", *request["command"]]
    try:
        cli.main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        code = NOT_OURS
    sys.stdout.flush()
    sys.stderr.flush()
    Path(request["output"] + ".count").write_text(str(stopper.count))
    os._exit(137 if stopper.count < stopper.at and stopper.how == "kill" else code)


SUITE = """
name: tiny-v1
scale: 1
split: test
iterations: [2, 5]
cells:
  - {name: easy, axis: in-distribution, spec: size=5, count: 4}
limits: {burn_in: 4, window: 6, count: 2, cells: [easy]}
"""


def import_everything() -> None:
    """Import all modules and load kernels, in this thread: a fork would lose others.

    The check of a contract and the drawing of pictures, which take seconds and write nothing, are left out.
    """
    import extramaze

    for module in pkgutil.walk_packages(extramaze.__path__, "extramaze."):
        if not module.name.endswith(("__main__", "pytest_plugin")) and ".template" not in module.name:
            importlib.import_module(module.name)
    import torch
    from matplotlib.figure import Figure

    from extramaze.blocks.store import BlockStore
    from extramaze.core.checked import parse_yaml
    from extramaze.evaluation.evaluate import make_evaluation
    from extramaze.evaluation.tabulate import describe, generate, layout_hashes
    from extramaze.evaluation.tasks import tasks
    from extramaze.models import load
    from extramaze.submission import submit
    from extramaze.suites import Suite

    torch.set_num_threads(1)
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])  # imports for seconds the first time
    submit.examine = lambda make: []
    Figure.savefig = lambda figure, file, **_: file.write(b"a picture")
    evaluation = make_evaluation(load("wavefront"), parse_yaml(Suite, SUITE, "suite"), "cpu")
    worker = evaluation.worker(BlockStore(None))
    for task in tasks(evaluation.plan):
        worker._compute(task)
    mazes = generate(task.cell.maze_spec, 2, split="test")
    describe(mazes), layout_hashes(mazes.connections)


def main() -> None:
    """Answer requests until there are no more."""
    import_everything()
    gc.freeze()  # children do not copy what they only look through
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run_child(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
