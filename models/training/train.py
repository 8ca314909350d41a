"""Train a solver from a recipe: the one entry point, for one process or several."""

from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import torch

from extramaze.core.errors import InputError
from extramaze.core.files import hold, remove_file, remove_temporary
from extramaze.core.forks import begin_threads
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import deterministic, tensor_float
from extramaze.models.training.checkpoint import CHECKPOINT
from extramaze.models.training.distributed import Processes, join
from extramaze.models.training.log import check_tensorboard
from extramaze.models.training.outside import NO_CODE, Home
from extramaze.models.training.recipe import Recipe, parse_recipe, recipe_text
from extramaze.models.training.run import TrainingRun
from extramaze.models.training.start import Start, claim, read_start, sample
from extramaze.models.training.trained import RESULT, TrainingResult, read_solver

MAX_SEED = 255


def train(
    recipe: str,
    seed: int,
    out: str | Path,
    device: str = "auto",
    quiet: bool = False,
    init_from: str | None = None,
    tensorboard: bool = False,
) -> TrainingResult:
    """Train the solver of a recipe (a shipped name or a YAML file) into the folder ``out``, resuming what is there.

    init_from: begin with the weights of a trained solver (any target of ``extramaze.models.load``). tensorboard: write
    its files too. Started by torchrun, several processes share each step's mazes, and rank 0 alone writes.

    Raises InputError for a bad recipe or seed, weights that do not fit, or a folder that holds something else;
    TrainingDiverged where the loss or its gradient is no longer a number.
    """
    begin_threads("training")
    text = recipe_text(recipe)
    parsed = parse_recipe(text, recipe)
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed must be from 0 to {MAX_SEED}, got {seed}")
    if tensorboard:
        check_tensorboard()
    make = parsed.architecture.maker(Home(Path(recipe).parent))
    code = sample(make, parsed) if parsed.architecture.from_outside else NO_CODE
    start = None if init_from is None else read_start(init_from, parsed, make)
    folder = Path(out)
    with join(device) as processes:
        check_shares(parsed, processes)
        with hold(folder) if processes.leads else nullcontext():
            if processes.leads:
                claim(folder, text, seed, start, code)
                remove_temporary(folder)
            if processes.any(processes.leads and (folder / RESULT).exists()):
                if processes.leads:
                    remove_file(folder / CHECKPOINT)
                return read_solver(folder)[2]
            return _finish(parsed, seed, folder, processes, quiet or not processes.leads, start, tensorboard, make)


def _finish(
    recipe: Recipe,
    seed: int,
    folder: Path,
    processes: Processes,
    quiet: bool,
    start: Start | None,
    tensorboard: bool,
    make: Callable[[], IterativeSolver],
) -> TrainingResult:
    """Train to the end, in a folder that is held. Whatever holds on to the group of processes is gone on return."""
    devices = [processes.device] if processes.device.type == "cuda" else []
    with deterministic(), tensor_float(False), torch.random.fork_rng(devices=devices):
        run = TrainingRun(recipe, seed, folder, processes, quiet, start, tensorboard, make)
        with closing(run.log):
            return run.finish()


def check_shares(recipe: Recipe, processes: Processes) -> None:
    """Raise InputError where a recipe cannot be trained by so many processes."""
    batch, count = recipe.training.batch, processes.count
    if batch % count:
        raise InputError(f"training.batch: {batch} is not a multiple of {count} processes; change one of them")
    if count > 1 and recipe.training.contraction is not None:
        raise InputError("training.contraction measures the mazes of one process; train in one, or leave it out")
