"""Train a solver from a recipe: the one entry point, for one process or several."""

import re
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

import torch

from extramaze.core.errors import InputError, TrainingDiverged
from extramaze.core.files import hold, remove_file, remove_temporary
from extramaze.core.forks import begin_threads
from extramaze.core.locks import scratch
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import deterministic, tensor_float
from extramaze.models.training.boards import TENSORBOARD, WANDB, check_boards
from extramaze.models.training.checkpoint import CHECKPOINT
from extramaze.models.training.distributed import Processes, join
from extramaze.models.training.order import Order
from extramaze.models.training.outside import NO_CODE
from extramaze.models.training.recipe import Recipe
from extramaze.models.training.run import TrainingRun
from extramaze.models.training.start import Start, claim, read_start, sample
from extramaze.models.training.trained import read_solver
from extramaze.schema.training import RESULT, TrainingResult

MAX_SEED = 255


def train(
    recipe: str | Path,
    seed: int,
    out: str | Path,
    device: str = "auto",
    quiet: bool = False,
    init_from: str | None = None,
    tensorboard: bool = False,
    wandb: bool = False,
) -> TrainingResult:
    """Train the solver of a recipe (a shipped name or a YAML file) into the folder ``out``, resuming what is there.

    init_from: begin with the weights of a trained solver (any target of ``extramaze.models.load``). tensorboard, wandb:
    show its validations there too. Started by torchrun, several processes share each step's mazes, and rank 0 alone
    writes.

    Raises InputError for a bad recipe or seed, weights that do not fit, or a folder that holds something else;
    TrainingDiverged where the loss or its gradient is no longer a number.
    """
    boards = [name for name, wanted in ((TENSORBOARD, tensorboard), (WANDB, wandb)) if wanted]
    return carry_out(Order.read(recipe), seed, Path(out), device, quiet, init_from, boards)


def train_seeds(recipe: str | Path, seeds: Sequence[int], out: str | Path, **options: object) -> list[TrainingResult]:
    """Train several seeds of a recipe one after another, each into the folder ``out/SEED``; options are ``train``'s.

    Where one diverges, the others are trained all the same, and its TrainingDiverged is raised at the end.
    """
    results, diverged = [], []
    for seed in seeds:
        try:
            results.append(train(recipe, seed, Path(out) / str(seed), **options))  # type: ignore[arg-type]
        except TrainingDiverged as problem:
            diverged.append(problem)
    if diverged:
        raise diverged[0]
    return results


def read_seeds(text: str) -> list[int]:
    """Read ``0-4``, ``0,2`` or ``0-2,7`` as seeds, each once, in order. Raises InputError."""
    parts = [re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", part.strip()) for part in text.split(",")]
    seeds = [seed for part in parts if part for seed in range(int(part[1]), int(part[2] or part[1]) + 1)]
    if not all(parts) or not seeds or len(seeds) != len(set(seeds)) or max(seeds) > MAX_SEED:
        raise InputError(f"--seeds must be seeds from 0 to {MAX_SEED}, each once, such as 0-4 or 0,2,7; got {text!r}")
    return sorted(seeds)


def rehearse(recipe: str | Path, seed: int, device: str = "auto", quiet: bool = False) -> TrainingResult:
    """Train a recipe for three steps with one validation and load the solver, all in a folder that is removed."""
    with scratch() as place:
        return carry_out(Order.read(recipe).fast(), seed, place / "out", device, quiet)


def carry_out(
    order: Order,
    seed: int,
    folder: Path,
    device: str = "auto",
    quiet: bool = False,
    init_from: str | Start | None = None,
    boards: Sequence[str] = (),
) -> TrainingResult:
    """Train what is ordered into a folder, as ``train`` does."""
    begin_threads("training")
    recipe = order.recipe
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed must be from 0 to {MAX_SEED}, got {seed}")
    check_boards(boards)
    make = recipe.architecture.maker(order.home)
    code = sample(make, recipe) if recipe.architecture.from_outside else NO_CODE
    start = read_start(init_from, recipe, make) if isinstance(init_from, str) else init_from
    with join(device) as processes:
        check_shares(recipe, processes)
        with hold(folder) if processes.leads else nullcontext():
            if processes.leads:
                claim(folder, order.text, seed, start, code)
                remove_temporary(folder)
            if processes.any(processes.leads and (folder / RESULT).exists()):
                if processes.leads:
                    remove_file(folder / CHECKPOINT)
                return read_solver(folder)[2]
            return _finish(recipe, seed, folder, processes, quiet or not processes.leads, start, boards, make)


def _finish(
    recipe: Recipe,
    seed: int,
    folder: Path,
    processes: Processes,
    quiet: bool,
    start: Start | None,
    boards: Sequence[str],
    make: Callable[[], IterativeSolver],
) -> TrainingResult:
    """Train to the end, in a folder that is held. Whatever holds on to the group of processes is gone on return."""
    devices = [processes.device] if processes.device.type == "cuda" else []
    with deterministic(), tensor_float(False), torch.random.fork_rng(devices=devices):
        run = TrainingRun(recipe, seed, folder, processes, quiet, start, boards, make)
        with closing(run.log):
            return run.finish()


def check_shares(recipe: Recipe, processes: Processes) -> None:
    """Raise InputError where a recipe cannot be trained by so many processes."""
    batch, count = recipe.training.batch, processes.count
    if batch % count:
        raise InputError(f"training.batch: {batch} is not a multiple of {count} processes; change one of them")
    if count > 1 and recipe.training.contraction is not None:
        raise InputError("training.contraction measures the mazes of one process; train in one, or leave it out")
