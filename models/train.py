"""Train a solver from a recipe, on mazes generated as they are needed.

A run is a function of (recipe, seed) on one machine: step t trains on mazes of its own indices at a depth of its own
draw, so a run that was stopped and resumed ends with the same weights as one that was not (shown on a CPU).
"""

import json
import math
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.mazes.errors import TrainingDiverged
from extramaze.mazes.files import (
    LOCK,
    hold,
    is_temporary,
    make_folder,
    read_bytes,
    remove_temporary,
    write_atomically,
)
from extramaze.models.checkpoint import (
    CHECKPOINT,
    GOOD_ACCURACY,
    LOG,
    RECIPE,
    RESULT,
    TrainingResult,
    load_checkpoint,
    read_solver,
    save_checkpoint,
    write_weights,
)
from extramaze.models.contract import IterativeSolver, answer
from extramaze.models.devices import describe_device, deterministic, reference_arithmetic, resolve_device
from extramaze.models.gradients import training_loss
from extramaze.models.recipe import INDICES_PER_SEED, Data, Recipe, Training, parse_recipe, recipe_text

MAX_SEED = 255
MEASURE_BATCH = 256


def train(recipe: str, seed: int, out: str | Path, device: str = "auto", quiet: bool = False) -> TrainingResult:
    """Train the solver of a recipe (a shipped name or a YAML file) into the folder ``out``, resuming what is there.

    Raises InputError for a bad recipe or seed, or a folder that holds something else; TrainingDiverged where the loss
    is no longer a number.
    """
    text = recipe_text(recipe)
    parsed = parse_recipe(text, recipe)
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed must be from 0 to {MAX_SEED}, got {seed}")
    target, folder = resolve_device(device), Path(out)
    _claim(folder, text, seed)
    if (folder / RESULT).exists():
        (folder / CHECKPOINT).unlink(missing_ok=True)
        return read_solver(folder)[2]
    with hold(folder), deterministic():
        remove_temporary(folder)
        return _Run(parsed, seed, folder, target, quiet).finish()


def _claim(folder: Path, text: str, seed: int) -> None:
    """Make the folder, or see that it holds this very run."""
    path = folder / RECIPE
    header = f"# seed {seed}\n"
    if path.exists():
        if read_bytes(path) != (header + text).encode():
            raise InputError(f"{folder} holds another recipe or seed; choose another --out, or delete it")
        return
    foreign = folder.is_dir() and not all(p.name == LOCK or is_temporary(p) for p in folder.iterdir())
    if foreign or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder} exists and holds no training run; choose another --out")
    make_folder(folder)
    write_atomically(path, (header + text).encode())


class _Run:
    """One training run: its solver, optimiser and progress."""

    def __init__(self, recipe: Recipe, seed: int, folder: Path, device: torch.device, quiet: bool) -> None:
        self.recipe, self.seed, self.folder, self.device, self.quiet = recipe, seed, folder, device, quiet
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            solver = recipe.architecture.build()
        self.solver: IterativeSolver = solver.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        training = recipe.training
        self.optimizer = torch.optim.AdamW(
            self.solver.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        place = describe_device(device)
        self.progress: dict[str, Any] = {"step": 0, "seconds": 0.0, "device": place, "log": []}
        if (folder / CHECKPOINT).exists():
            self.progress = load_checkpoint(folder, self.solver, self.optimizer)
            if self.progress["device"] != place:
                was = self.progress["device"]
                raise InputError(f"{folder} was begun on {was}, this is {place}; go on there, or choose another --out")

    def finish(self) -> TrainingResult:
        """Train to the recipe's last step, validate, and write the solver."""
        recipe, progress = self.recipe, self.progress
        steps, batch = recipe.training.steps, recipe.training.batch
        bar = tqdm(
            total=steps * batch,
            initial=progress["step"] * batch,
            unit=" mazes",
            unit_scale=True,
            disable=self.quiet,
            desc=f"{recipe.name} seed {self.seed}",
        )
        with bar:
            while progress["step"] < steps:
                began = time.perf_counter()
                loss = 0.0
                until = min(progress["step"] + recipe.validation.every, steps)
                for step in range(progress["step"], until):
                    loss = self.step(step)
                    bar.update(batch)
                    bar.set_postfix(loss=f"{loss:.4f}", val=self.last_accuracy())
                progress["step"] = until
                self.checkpoint(loss, time.perf_counter() - began)
                bar.set_postfix(loss=f"{loss:.4f}", val=self.last_accuracy())
        return self.write_result()

    def step(self, step: int) -> float:
        """Make one optimiser step; return the loss."""
        training = self.recipe.training
        first = self.seed * INDICES_PER_SEED + step * training.batch
        x, targets = _batch(self.recipe.data, "train", first, training.batch, self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(training, step)
        self.solver.train()
        loss = training_loss(self.solver, x, targets, training, self.seed, step)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingDiverged(
                f"the loss is {value} at step {step} (seed {self.seed}); the last good checkpoint is in {self.folder}; "
                "lower the learning rate or the clip norm in a new recipe"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.solver.parameters(), training.clip_norm)
        self.optimizer.step()
        return value

    def last_accuracy(self) -> str:
        """Return the last validation accuracy, for the progress bar."""
        log = self.progress["log"]
        return f"{log[-1]['validation_accuracy']:.1%}" if log else "–"

    def checkpoint(self, loss: float, seconds: float) -> None:
        """Validate, then write the log and everything needed to go on from here."""
        progress, validation = self.progress, self.recipe.validation
        began = time.perf_counter()
        accuracy = self.validate(validation.count)
        progress["seconds"] += seconds + time.perf_counter() - began
        progress["log"].append(
            {
                "step": progress["step"],
                "mazes": progress["step"] * self.recipe.training.batch,
                "loss": round(loss, 6),
                "validation_accuracy": round(accuracy, 6),
                "learning_rate": learning_rate(self.recipe.training, progress["step"] - 1),
                "seconds": round(progress["seconds"], 1),
            }
        )
        save_checkpoint(self.folder, self.solver, self.optimizer, progress)
        self.write_log()

    def write_log(self) -> None:
        """Write the log, a line of JSON for each validation."""
        lines = (json.dumps(entry) + "\n" for entry in self.progress["log"])
        write_atomically(self.folder / LOG, "".join(lines).encode())

    def validate(self, count: int) -> float:
        """Return the share of ``count`` fresh mazes of the val split answered without one wrong pixel."""
        self.solver.eval()
        right = 0
        with reference_arithmetic():
            for first in range(0, count, MEASURE_BATCH):
                size = min(MEASURE_BATCH, count - first)
                x, targets = _batch(self.recipe.data, "val", first, size, self.device)
                predicted = answer(self.solver(x, self.recipe.validation.iterations), x)
                right += int((predicted == targets.bool()).flatten(1).all(dim=1).sum())
        return right / count

    def write_result(self) -> TrainingResult:
        """Write the finished solver and remove the checkpoint."""
        self.write_log()
        recipe = self.recipe
        accuracy = self.validate(recipe.validation.final_count)
        result = TrainingResult(
            recipe=recipe.name,
            seed=self.seed,
            steps=recipe.training.steps,
            mazes=recipe.training.steps * recipe.training.batch,
            validation_accuracy=accuracy,
            validation_count=recipe.validation.final_count,
            reached_99=accuracy >= GOOD_ACCURACY,
            weights_sha256=write_weights(self.folder, self.solver),
            wall_seconds=round(self.progress["seconds"], 1),
            machine=describe_device(self.device),
            versions={name: version(name) for name in ("extramaze", "torch", "numpy", "numba")},
        )
        write_atomically(self.folder / RESULT, (result.model_dump_json(indent=2) + "\n").encode())
        (self.folder / CHECKPOINT).unlink(missing_ok=True)
        return result


def learning_rate(training: Training, step: int) -> float:
    """Return the rate of a step: linear warm-up, then a half cosine down to zero."""
    if step < training.warmup_steps:
        return training.learning_rate * (step + 1) / training.warmup_steps
    done = (step - training.warmup_steps) / max(1, training.steps - training.warmup_steps)
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def _batch(data: Data, split: str, first: int, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    images, targets = raster(generate(MazeSpec.parse(data.spec), count, split=split, first=first), data.scale)
    x = torch.from_numpy(images).to(device).float().contiguous(memory_format=torch.channels_last)
    return x, torch.from_numpy(targets).to(device).long()
