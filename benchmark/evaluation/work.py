"""The work of an evaluation: its blocks computed, or read back from disk, with a bar for what is left."""

from dataclasses import dataclass

import torch

from extramaze.blocks.answering import answer_block, score_answers
from extramaze.blocks.block import BlockScores
from extramaze.blocks.store import BlockStore
from extramaze.blocks.watching import BlockLimits, watch_block
from extramaze.core.forks import begin_threads
from extramaze.core.progress import progress_bar
from extramaze.costs import cell_cost
from extramaze.evaluation.tabulate import CellTable, tabulate
from extramaze.evaluation.tasks import Shard, Task, tasks
from extramaze.models.calling import calling
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import reference_arithmetic
from extramaze.schema.plan import Plan


@dataclass(frozen=True)
class Worker:
    """Computes, or reads back, the blocks of one evaluation. starts: whether watched mazes start elsewhere too."""

    solver: IterativeSolver
    plan: Plan
    device: torch.device
    store: BlockStore
    starts: bool = True

    def run(self, shard: Shard, quiet: bool) -> dict[str, BlockScores | BlockLimits]:
        """Compute the blocks of a shard and return them by name."""
        return self.compute([task for task in tasks(self.plan) if shard.takes(task.number)], quiet)

    def compute(self, chosen: list[Task], quiet: bool) -> dict[str, BlockScores | BlockLimits]:
        """Compute some of the plan's blocks and return them by name. Two bars count the work and the cell's blocks."""
        begin_threads("evaluating")
        by_cell = {cell.name: [task for task in chosen if task.cell == cell] for cell, _ in self.plan.pairs()}
        shares = {name: self._share(found) for name, found in by_cell.items()}
        total = sum(shares.values()) or 1.0
        done: dict[str, BlockScores | BlockLimits] = {}
        form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
        with (
            reference_arithmetic(self.plan.tf32),
            progress_bar(total=total, desc=self.plan.solver.name, bar_format=form, quiet=quiet) as all_bar,
        ):
            for name, found in by_cell.items():
                for task in progress_bar(
                    found, desc=name, unit="block", leave=False, position=1, quiet=quiet, inner=True
                ):
                    done[task.name] = self._compute(task)
                    all_bar.update(min(shares[name] / len(found), total - all_bar.n))  # sums of shares round
        return done

    def _share(self, found: list[Task]) -> float:
        """Estimate a cell's minutes, for the time left."""
        if not found:
            return 0.0
        planned = found[0].planned
        return cell_cost(self.plan.suite, found[0].cell, planned.mazes, planned.watched).minutes

    def _compute(self, task: Task) -> BlockScores | BlockLimits:
        found = self.store.read_either(task.name, task.watched)
        if found is None:
            with calling(self.solver, self.plan.solver.name):
                found = self._watch(task) if task.watched else self._score(task)
            self.store.save(task.name, found)
        return found

    def _score(self, task: Task) -> BlockScores:
        return score_answers(answer_block(self.solver, self.plan, task.cell, task.planned, task.block, self.device))

    def _watch(self, task: Task) -> BlockLimits:
        size = self.plan.limit_block
        return watch_block(self.solver, self.plan.suite, task.cell, task.block, size, self.device, self.starts)


def tabulate_all(plan: Plan, blocks: dict[str, BlockScores | BlockLimits]) -> list[CellTable]:
    """Tabulate every cell of a plan from its blocks by name."""
    tables, every = [], tasks(plan)
    for cell, planned in plan.pairs():
        found = [blocks[task.name] for task in every if task.cell == cell]
        scores = [block for block in found if isinstance(block, BlockScores)]
        watched = [block for block in found if isinstance(block, BlockLimits)]
        tables.append(tabulate(plan.suite, cell, planned, scores, watched))
    return tables
