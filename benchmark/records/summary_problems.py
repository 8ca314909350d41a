"""What can be wrong with a record's summary by itself: versions, plan, and numbers that do not add up."""

from collections.abc import Iterator

import numpy as np

from extramaze.alike import alike
from extramaze.mazes.pixels import raster_shape
from extramaze.mazes.scores import KINDS
from extramaze.records.tallies import tally
from extramaze.schema.block_rule import BLOCK_PIXELS, LIMIT_BLOCK, block_size
from extramaze.schema.plan import CONTRACTS, CellPlan, Plan, how_many
from extramaze.schema.record import CellResult, Summary
from extramaze.schema.suite import Cell, load_suite, suite_names

ONCE = (1,)  # the rungs of what answers in one pass, or elsewhere


def summary_problems(summary: Summary) -> Iterator[str]:
    """Name everything in a summary that cannot be, or is of a version not known here."""
    plan = summary.plan
    yield from _version_problems(plan.contracts)
    if plan.suite.digest() != plan.suite_sha256:
        yield "plan.suite_sha256: the suite is not the one whose sha256 is stated"
    if plan.suite.name in suite_names() and plan.suite.digest() != load_suite(plan.suite.name).digest():
        yield f"plan.suite: it is called {plan.suite.name} and is not the shipped suite of that name"
    if plan.limit_block != LIMIT_BLOCK:
        yield f"plan.limit_block: {plan.limit_block} mazes are watched together; the block rule gives {LIMIT_BLOCK}"
    if not 0 <= summary.run.seconds < np.inf:
        yield f"run.seconds: {summary.run.seconds} is no duration"
    yield from arithmetic_problems(plan)
    misplaced = list(outline_problems(summary))
    yield from misplaced
    if misplaced:
        return
    cells = [cell for cell, _ in plan.pairs()]
    for cell, expected, result in zip(cells, plan.cells, summary.cells, strict=True):
        yield from (f"{cell.name}: {wrong}" for wrong in _plan_problems(summary, cell, expected))
        yield from (f"{cell.name}: {wrong}" for wrong in _cell_problems(expected, result))


def outline_problems(summary: Summary) -> Iterator[str]:
    """Name what keeps suite, plan and results from being about the same cells, before anything is said of these."""
    plan = summary.plan
    chosen = plan.part.cells if plan.part else ()
    cells = [cell for cell in plan.suite.cells if not chosen or cell.name in chosen]
    if [planned.name for planned in plan.cells] != [cell.name for cell in cells]:
        yield "plan.cells: they are not the suite's"
    elif [(planned.name, planned.mazes) for planned in plan.cells] != [(cell.name, cell.n) for cell in summary.cells]:
        yield "cells: they are not the plan's"
    else:
        for cell, result in zip(cells, summary.cells, strict=True):
            stated, known = (result.axis, result.spec), (cell.axis, cell.spec)
            if stated != known:
                yield f"{cell.name}: axis and specification {', '.join(stated)} are not the suite's {', '.join(known)}"


def arithmetic_problems(plan: Plan) -> Iterator[str]:
    """Name arithmetic that the device does not have."""
    if plan.tf32 and (plan.device.startswith("cpu") or plan.mode == "predictions"):
        yield f"plan.tf32: it is a GPU's rounding, and the device is {plan.device!r}"


def _version_problems(contracts: dict[str, int]) -> Iterator[str]:
    for name in sorted(CONTRACTS.keys() | contracts.keys()):
        stated, known = contracts.get(name), CONTRACTS.get(name)
        if known is None or stated is None or not 1 <= stated <= known:
            yield f"plan.contracts.{name}: version {stated} is not known here; known: {known and f'1 to {known}'}"


def _plan_problems(summary: Summary, cell: Cell, plan: CellPlan) -> Iterator[str]:
    mazes, watched = how_many(summary.plan.suite, summary.plan.part, cell)
    possible = (watched, 0) if plan.rungs == ONCE else (watched,)
    if plan.mazes != mazes or plan.watched not in possible:
        yield f"planned are {plan.mazes} mazes, {plan.watched} watched; the suite has {mazes}, {watched} watched"
    height, width = raster_shape(cell.maze_spec.shape, summary.plan.suite.scale)
    sizes = {block_size(height * width, device, cell.count) for device in BLOCK_PIXELS}
    if summary.plan.mode != "predictions" and plan.block not in sizes:
        yield f"blocks of {plan.block} mazes; the block rule gives {' or '.join(map(str, sorted(sizes)))}"
    ladder = summary.plan.suite.iterations
    rising = all(a < b for a, b in zip(plan.rungs, plan.rungs[1:], strict=False))
    if plan.rungs != ONCE and (plan.rungs[: len(ladder)] != ladder or len(plan.rungs) > len(ladder) + 1 or not rising):
        yield f"rungs {list(plan.rungs)} are neither one pass nor the suite's {list(ladder)}, with at most one beyond"


def _cell_problems(plan: CellPlan, result: CellResult) -> Iterator[str]:
    if tuple(rung.iterations for rung in result.rungs) != plan.rungs:
        yield "its rungs are not the plan's"
    for rung in result.rungs:
        exact, valid, right = (getattr(rung, kind).right for kind in ("exact", "valid", "optimal"))
        if not exact <= right <= valid <= result.n:
            yield f"@{rung.iterations}: exact {exact} ≤ optimal {right} ≤ valid {valid} ≤ {result.n} does not hold"
        for kind in KINDS:
            stated = getattr(rung, kind)
            if stated.right <= result.n and not alike(stated, tally(stated.right, result.n)):
                yield f"@{rung.iterations}: {kind}: share and interval are not those of {stated.right} of {result.n}"
    wrong = result.n - result.rungs[-1].optimal.right
    if sum(result.failures.values()) != wrong or min(result.failures.values(), default=1) < 1:
        yield f"its failures add up to {sum(result.failures.values())}; {wrong} mazes are wrong at the last rung"
    rejected = result.rejected_split + result.rejected_endpoints + result.rejected_path
    if result.drawn != result.n + rejected:
        yield f"drawn {result.drawn} is not the {result.n} kept and the {rejected} rejected"
    kept = result.drawn - result.rejected_split
    if kept < 1 or not np.isclose(result.acceptance, result.n / kept, rtol=1e-12):
        yield f"acceptance {result.acceptance} is not that of {result.n} mazes in {kept} attempts of the split"
    if result.batch > plan.block:
        yield f"batch {result.batch}: more than a block, of {plan.block}, are never computed together"
    if result.layouts > result.n:
        yield f"{result.layouts} layouts of {result.n} mazes"
