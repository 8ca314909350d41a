"""One training run, on mazes generated ahead of the step that needs them.

A run is a function of (recipe, seed, initial weights) on one machine with one number of threads and processes: step t
trains on mazes of its own indices at a depth of its own draw, and draws whatever else is random from a generator seeded
by (seed, t). There is no random state to carry over, so a run that was stopped and resumed ends with the same weights
as one that was not (shown on a CPU). Only a budget in seconds makes a run depend on the machine's speed.
"""

import copy
import math
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import torch

from extramaze.core.errors import InputError, TrainingDiverged
from extramaze.core.files import remove_file, write_atomically
from extramaze.core.progress import progress_bar
from extramaze.mazes.streams import ahead
from extramaze.models.calling import blame
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import describe_device, has_fast_bf16
from extramaze.models.foreign.origin import files_sha256
from extramaze.models.states import one_tensor
from extramaze.models.training.boards import Board, Subject, open_boards
from extramaze.models.training.checkpoint import CHECKPOINT, Place, Progress, load_checkpoint, save_checkpoint
from extramaze.models.training.data import Batch, Supply, validation_blocks
from extramaze.models.training.distributed import Processes
from extramaze.models.training.learning_curve import PICTURE, save_learning_curve
from extramaze.models.training.log import BEGUN, DIVERGED, ENDED, RESUMED, VALIDATED, TrainingLog
from extramaze.models.training.optimise import MovingAverage, clip, learning_rate, make_optimizer, set_rate
from extramaze.models.training.outside import code_of
from extramaze.models.training.recipe import Recipe
from extramaze.models.training.shared_loss import SharedLoss
from extramaze.models.training.start import Start
from extramaze.models.training.trained import read_solver
from extramaze.models.training.validation import MEASURE_BATCH, Right, count_right, first_of_last
from extramaze.models.weight_files import write_weights
from extramaze.schema.solver import GOOD_ACCURACY
from extramaze.schema.training import RESULT, WEIGHTS, Ended, TrainingResult

SLOW_BF16 = "this processor has no bf16 instructions: a recipe with training.bf16: false is many times faster here"
SAVE_SECONDS = 20.0  # between checkpoints, where validations are farther apart


class TrainingRun:
    """One training run: its solver, optimiser and progress."""

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        folder: Path,
        processes: Processes,
        quiet: bool,
        start: Start | None = None,
        boards: Sequence[str] = (),
        make: Callable[[], IterativeSolver] | None = None,
    ) -> None:
        self.recipe, self.seed, self.folder, self.processes, self.quiet = recipe, seed, folder, processes, quiet
        self.make, self.start, self.device = make or recipe.architecture.maker(), start, processes.device
        bf16 = recipe.training.bf16 and not (recipe.training.bf16_only_where_fast and not has_fast_bf16(self.device))
        self.training = recipe.training.model_copy(update={"bf16": bf16})
        self.layout = torch.channels_last if self.training.channels_last else torch.contiguous_format
        self.solver = self.build()
        self.optimizer = make_optimizer(self.solver, self.training, recipe.data.scale)
        self.average = None if self.training.ema is None else MovingAverage(self.solver, self.training.ema)
        self.supply = Supply(recipe.data, seed, self.training.batch, processes.rank, processes.count)
        self.place = Place(
            device=describe_device(self.device),
            threads=torch.get_num_threads(),
            processes=processes.count,
            code=files_sha256(code_of(self.solver).digests),
        )
        self.progress = self.resumed() or Progress(place=self.place)
        self.log = TrainingLog(folder, list(self.progress.log), processes.leads, self.boards(boards))
        event = RESUMED if self.progress.resumed else BEGUN
        self.log.add(
            event, self.progress.step, **self.place.model_dump(exclude_none=True), bf16=bf16, versions=_versions()
        )
        self.losses = list(self.progress.losses)
        self.loss = SharedLoss(self.compiled(), self.training, seed, processes)
        self.origin = time.perf_counter() - self.progress.seconds

    def boards(self, names: Sequence[str]) -> list[Board]:
        """Open boards, in the process that writes, where the last one left off."""
        subject = Subject(f"{self.recipe.name}@{self.seed}", self.recipe.model_dump(mode="json"))
        step = next((entry["step"] for entry in reversed(self.progress.log)), 0)
        return open_boards(names if self.processes.leads else (), self.folder, step, subject)

    def build(self) -> IterativeSolver:
        """Build the solver with the seed's weights, or those it begins with."""
        torch.manual_seed(self.seed)
        solver: IterativeSolver = self.make()
        if self.start is not None:
            solver.load_state_dict(self.start.weights)
        return solver.to(self.device).to(memory_format=self.layout)  # type: ignore[call-overload]

    def compiled(self) -> IterativeSolver:
        """Return the solver that is trained: a twin with the same parameters and a compiled step, where asked for."""
        if not self.training.compile:
            return one_tensor(self.solver)
        twin = copy.copy(self.solver)
        setattr(twin, "step", torch.compile(self.solver.step))  # noqa: B010
        return one_tensor(twin)

    def resumed(self) -> Progress | None:
        """Go on from the folder's checkpoint, if there is one. Raises InputError where it was begun elsewhere."""
        if not (self.folder / CHECKPOINT).exists():
            return None
        average = None if self.average is None else self.average.solver
        progress = load_checkpoint(self.folder, self.solver, self.optimizer, average)
        for key, here in self.place:
            was = getattr(progress.place, key)
            if was != here and key == "code":
                raise InputError(f"{self.folder} was begun with other code of the architecture; choose another --out")
            if was != here:
                raise InputError(
                    f"{self.folder} was begun on {was} ({key}), this is {here}: the weights would not be the same; "
                    "go on there (OMP_NUM_THREADS sets the threads), or choose another --out"
                )
        return progress.model_copy(update={"resumed": progress.resumed + 1})

    def finish(self) -> TrainingResult:
        """Train to the end of the budget, validate, and write the solver."""
        first, training = self.progress.step, self.training
        steps = range(first, first if self.progress.stopped else training.total_steps)
        bar = progress_bar(
            total=training.total_steps * training.batch,
            initial=first * training.batch,
            unit=" mazes",
            unit_scale=True,
            quiet=self.quiet,
            desc=f"{self.recipe.name} seed {self.seed}",
        )
        with bar, closing(ahead(self.supply, steps)) as batches:
            if training.bf16 and not self.quiet and not has_fast_bf16(self.device):
                bar.write(SLOW_BF16, file=sys.stderr)
            for step, batch in zip(steps, batches, strict=False):
                loss = self.step(step, batch)
                self.losses.append(loss)
                bar.update(training.batch)
                late = training.seconds is not None and self.processes.any(self.elapsed() >= training.seconds)
                if late or (step + 1) % self.recipe.validation.every == 0 or step + 1 == training.total_steps:
                    self.checkpoint(step + 1, late)
                elif self.elapsed() - self.progress.seconds >= SAVE_SECONDS:
                    self.save(step + 1)
                bar.set_postfix(loss=f"{loss:.4f}", val=self.log.last_accuracy)
                if self.progress.stopped:
                    break
        return self.write_result()

    def elapsed(self) -> float:
        """Return the seconds of this run, those before it was resumed included."""
        return time.perf_counter() - self.origin

    def step(self, step: int, batch: Batch) -> float:
        """Make one optimiser step; return the loss over all processes."""
        set_rate(self.optimizer, learning_rate(self.training, step))
        loss, norm = self.backward(step, batch)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            self.diverged(step, loss, norm)
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.solver, step)
        return loss

    def backward(self, step: int, batch: Batch) -> tuple[float, float]:
        """Set the gradients of the global batch, clipped; return the loss and the norm that they had."""
        self.solver.train()
        self.optimizer.zero_grad(set_to_none=True)
        with blame(self.solver):
            loss = self.loss.backward(batch, self.layout, step)
        return loss, clip(list(self.solver.parameters()), self.training.clip_norm)

    def diverged(self, step: int, loss: float, norm: float) -> None:
        """Say what happened where the loss is no longer a number, and stop."""
        self.log.add(DIVERGED, step, loss=str(loss), gradient_norm=str(norm))
        self.log.write()
        what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's norm is {norm}"
        good = f"the last good checkpoint, of step {self.progress.step}, is in" if self.progress.step else "see"
        raise TrainingDiverged(
            f"{what} at step {step} (seed {self.seed}); {good} {self.folder}; lower the learning rate or the clip norm "
            "in a new recipe"
        )

    def checkpoint(self, step: int, late: bool) -> None:
        """Validate, decide whether to stop, and write the log and everything needed to go on from here."""
        validation = self.recipe.validation
        accuracy = self.validate(validation.count, 0).exact / validation.count
        good = validation.stop_at is not None and accuracy >= validation.stop_at
        self.log.add(
            VALIDATED,
            step,
            mazes=step * self.training.batch,
            loss=round(self.losses[-1], 6),
            mean_loss=round(sum(self.losses) / len(self.losses), 6),
            validation_accuracy=round(accuracy, 6),
            learning_rate=learning_rate(self.training, step - 1),
            seconds=round(self.elapsed(), 1),
        )
        self.losses = []
        self.save(step, "accuracy" if good else "seconds" if late else None)
        self.log.write()

    def save(self, step: int, stopped: Ended | None = None) -> None:
        """Write everything needed to go on from here."""
        self.progress = Progress(
            place=self.place,
            step=step,
            seconds=self.elapsed(),
            stopped=stopped,
            resumed=self.progress.resumed,
            losses=tuple(self.losses),
            log=tuple(self.log.entries),
        )
        if self.processes.leads:
            average = None if self.average is None else self.average.solver
            save_checkpoint(self.folder, self.solver, self.optimizer, self.progress, average)

    def validate(self, count: int, first: int) -> Right:
        """Count right answers to ``count`` mazes of the val split, from index ``first`` on."""
        recipe, solver = self.recipe, self.shipped
        blocks = validation_blocks(recipe.data, count, first, MEASURE_BATCH)
        mine = blocks[self.processes.rank :: self.processes.count]
        with blame(self.solver):
            right = count_right(solver, mine, recipe.data.scale, recipe.validation.iterations, self.device, self.layout)
        return Right(*(int(self.processes.total(count)) for count in (right.exact, right.optimal)))

    @property
    def shipped(self) -> IterativeSolver:
        """The solver that is validated and written: the average of the weights where one is kept."""
        return self.solver if self.average is None else self.average.solver

    def write_result(self) -> TrainingResult:
        """Write the finished solver and remove the checkpoint; every process returns the result."""
        recipe, progress, validation = self.recipe, self.progress, self.recipe.validation
        right = self.validate(validation.final_count, first_of_last(validation))
        accuracy, optimal = right.exact / validation.final_count, right.optimal / validation.final_count
        stopped = progress.stopped or "steps"
        self.log.add(
            ENDED, progress.step, stopped=stopped, final_accuracy=round(accuracy, 6), final_optimal=round(optimal, 6)
        )
        if self.processes.leads:
            self.log.write()
            title = f"{recipe.name} seed {self.seed}"
            save_learning_curve(self.log.validations, title, self.folder / PICTURE)
            result = TrainingResult(
                recipe=recipe.name,
                seed=self.seed,
                steps=progress.step,
                mazes=progress.step * self.training.batch,
                validation_accuracy=accuracy,
                validation_count=validation.final_count,
                validation_optimal=optimal,
                reached_99=optimal >= GOOD_ACCURACY,
                weights_sha256=write_weights(self.shipped, self.folder / WEIGHTS),
                wall_seconds=round(progress.seconds, 1),
                machine=self.place.device,
                versions=_versions(),
                stopped=stopped,
                threads=self.place.threads,
                processes=self.place.processes,
                bf16=self.training.bf16,
                init_from=None if self.start is None else self.start.name,
                initial_weights_sha256=None if self.start is None else self.start.sha256,
                resumed=progress.resumed,
                code=dict(code_of(self.solver).digests),
            )
            write_atomically(self.folder / RESULT, (result.model_dump_json(indent=2) + "\n").encode())
            remove_file(self.folder / CHECKPOINT)
        self.processes.total(0)
        return read_solver(self.folder)[2]


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("extramaze", "torch", "numpy", "numba")}
