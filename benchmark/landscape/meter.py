"""One point of a landscape: weights put into a network that is there already, and what it then does on fixed mazes.

Answers are those of an evaluation, bit for bit: the same blocks, the same way of stepping, the same rung. The loss is
read off the same trajectory: the cross-entropy of the training loss after a fixed number of plain iterations, a
function of the weights alone (the training loss itself draws its depth, and cuts its gradient).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from extramaze.blocks.acceleration import choose_iteration, make_step
from extramaze.blocks.block import draw_block, to_input
from extramaze.dynamics import observe
from extramaze.mazes.pixels import raster_shape
from extramaze.models.blending.weights import Weights, rounded
from extramaze.models.calling import begin, first_step, in_precision, read_answer, read_logits
from extramaze.models.contract import IterativeSolver, open_pixels
from extramaze.models.devices import reference_arithmetic
from extramaze.models.states import inner
from extramaze.schema.block_rule import LIMIT_BLOCK, block_size
from extramaze.schema.landscape import POINTS, Setting
from extramaze.schema.suite import Cell
from extramaze.scoring import score

SETTLED_EVERY = 16  # steps between checks whether the whole block has come to rest


@dataclass(frozen=True, eq=False)
class Drawn:
    """B mazes of a cell from an index on, of which ``kept`` count; the others fill the block."""

    cell: Cell
    first: int
    kept: int
    images: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, eq=False)
class Meter:
    """Measures networks of one architecture on the mazes of one setting, which are drawn once."""

    solver: IterativeSolver
    setting: Setting
    device: torch.device

    @cached_property
    def answering(self) -> IterativeSolver:
        """The network whose weights are swapped."""
        return in_precision(self.solver, torch.float32, self.device)

    @cached_property
    def exact(self) -> IterativeSolver:
        """The same in float64, for iterates."""
        return in_precision(self.solver, torch.float64, self.device)

    @cached_property
    def blocks(self) -> list[Drawn]:
        """The mazes to answer, block by block as an evaluation has them."""
        return list(self._drawn())

    @cached_property
    def watched(self) -> list[Drawn]:
        """The mazes to follow."""
        return list(self._seen())

    def _drawn(self) -> Iterator[Drawn]:
        suite = self.setting.suite
        for cell in suite.cells:
            height, width = raster_shape(cell.maze_spec.shape, suite.scale)
            size = block_size(height * width, self.device.type, cell.count)
            count = min(cell.count, self.setting.mazes)
            for block in range(-(-count // size)):
                _, images, targets = draw_block(suite, cell, block, size)
                yield Drawn(cell, block * size, min(size, count - block * size), images, targets)

    def _seen(self) -> Iterator[Drawn]:
        suite, watch = self.setting.suite, self.setting.watch
        for cell in suite.cells if watch is not None else ():
            count = min(watch.count, cell.count) if watch is not None and cell.name in watch.cells else 0
            for block in range(-(-count // LIMIT_BLOCK)):
                _, images, targets = draw_block(suite, cell, block, LIMIT_BLOCK)
                kept = min(LIMIT_BLOCK, count - block * LIMIT_BLOCK)
                yield Drawn(cell, block * LIMIT_BLOCK, kept, images, targets)

    def measure(self, weights: Weights) -> pl.DataFrame:
        """Return a row a maze, the columns of POINTS but for the point's place."""
        tensors = rounded(weights, self.solver.state_dict())
        fill_in(self.answering, tensors)
        with reference_arithmetic():
            rows = pl.concat([self._answer(drawn) for drawn in self.blocks])
        seen = self._follow_all(tensors)
        watched = {name: POINTS[name] for name in ("limit", "limit_right", "exponent", "exponent_error")}
        if seen is None:
            return rows.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in watched.items())
        return rows.join(seen, on=("cell", "index"), how="left", maintain_order="left")

    def _answer(self, drawn: Drawn) -> pl.DataFrame:
        x = to_input(drawn.images, self.device, torch.float32)
        logits, answer = self._iterate(x)
        targets = torch.from_numpy(drawn.targets).to(self.device).long()
        open_ones = open_pixels(x)
        losses = functional.cross_entropy(logits.double(), targets, reduction="none") * open_ones
        kept = slice(drawn.kept)
        return pl.DataFrame(
            {
                "cell": [drawn.cell.name] * drawn.kept,
                "index": np.arange(drawn.first, drawn.first + drawn.kept),
                "optimal": score(drawn.images, drawn.targets, answer).optimal[kept],
                "loss": _finite(losses.sum(dim=(1, 2)).cpu().numpy()[kept]),
                "pixels": open_ones.sum(dim=(1, 2)).cpu().numpy()[kept],
            },
            schema_overrides={name: POINTS[name] for name in ("cell", "index", "optimal", "loss", "pixels")},
        )

    def _iterate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits at the loss's iteration and the answer at the last rung."""
        solver, last, read = self.answering, self.setting.suite.iterations[-1], self.setting.loss_iterations
        state = first_step(solver, begin(solver, x), x)
        step = make_step(solver, x, choose_iteration(solver, x.device))
        logits, answer, settled = None, None, False
        for done in range(1, max(last, read) + 1):
            if done > 1 and not settled:
                new = step(state)
                settled = done % SETTLED_EVERY == 0 and torch.equal(new, state)
                state = new
            if done == read:
                logits = read_logits(solver, state, x)
            if done == last:
                answer = read_answer(solver, state, x)
        assert logits is not None
        assert answer is not None
        return logits, answer

    def _follow_all(self, tensors: Mapping[str, Tensor]) -> pl.DataFrame | None:
        if not self.watched:
            return None
        fill_in(self.exact, {name: value.double() for name, value in tensors.items()})
        with reference_arithmetic():
            return pl.concat([self._follow(drawn) for drawn in self.watched])

    def _follow(self, drawn: Drawn) -> pl.DataFrame:
        watch, solver = self.setting.watch, self.exact
        assert watch is not None
        with torch.inference_mode(False), torch.no_grad():  # tangents need tensors that may carry them
            x = to_input(drawn.images, self.device, torch.float64)
            step = make_step(solver, x, choose_iteration(solver, x.device), few=True)
            report = observe(
                step, begin(solver, x), watch.burn_in, watch.window, exponent_steps=watch.pursuit, lyapunov=True
            )
        right = score(drawn.images, drawn.targets, read_answer(solver, report.final, x)).optimal
        kept = slice(drawn.kept)
        names = ("cell", "index", "limit", "limit_right", "exponent", "exponent_error")
        return pl.DataFrame(
            {
                "cell": [drawn.cell.name] * drawn.kept,
                "index": np.arange(drawn.first, drawn.first + drawn.kept),
                "limit": [str(limit) for limit in report.limit][kept],
                "limit_right": right[kept],
                "exponent": _finite(report.lyapunov[kept]),
                "exponent_error": _finite(report.lyapunov_error[kept]),
            },
            schema_overrides={name: POINTS[name] for name in names},
        )


def fill_in(solver: IterativeSolver, tensors: Mapping[str, Tensor]) -> None:
    """Put weights into a network that is there already, in evaluation mode, whose buffers then follow from them."""
    inner(solver).load_state_dict(dict(tensors))
    solver.eval()


LARGEST = 1e30  # stands for a loss beyond every bound, of which no mean could be taken


def _finite(values: np.ndarray) -> np.ndarray:
    """Return values for a table: NaN stays what it is, infinities become the largest that are kept."""
    return np.clip(values, -LARGEST, LARGEST)
