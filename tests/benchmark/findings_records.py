"""Records whose every answer is chosen: any solver on a shipped suite, cut to few mazes, without running one.

They are for reading in memory: of what a summary draws from the rows, only what findings look at is filled in.
"""

import re
from functools import cache
from hashlib import sha256

import numpy as np
import polars as pl
import torch

from extramaze.blocks.planning import make_plan
from extramaze.findings import findings_of, make_pools
from extramaze.mazes.description import COUNTS
from extramaze.mazes.scores import KINDS
from extramaze.models import load
from extramaze.records import Record
from extramaze.records.tallies import tally_limits
from extramaze.schema.plan import make_part
from extramaze.schema.record import PER_MAZE, CellResult, Rung, RunInfo, Tally
from extramaze.schema.solver import Accuracy, Origin, Trained, TrainedOn
from extramaze.suites import load_suite

MOST = 128  # mazes a cell
RUN = RunInfo(finished="2026-01-01T00:00:00", seconds=1.0, command="", peak_memory_bytes=None)
NOTHING = Tally(right=0, share=0, low=0, high=0)
PERIODS = {"fixed point": 1, "cycle": 2}


def digest(text):
    """Return a sha256 that a text alone decides."""
    return sha256(text.encode()).hexdigest()


@cache
def base_plan(suite, part):
    """Plan a shipped suite with few mazes a cell."""
    whole = load_suite(suite)
    cells = tuple(cell.model_copy(update={"count": min(cell.count, MOST)}) for cell in whole.cells)
    fewer = whole.model_copy(update={"cells": cells})
    chosen = make_part(*part) if part else None
    plan = make_plan(
        load("dt-net-thin@0"), fewer.model_copy(update={"scale": 1}), chosen, "float32", torch.device("cpu")
    )
    return plan.model_copy(update={"suite": fewer, "suite_sha256": fewer.digest()})


def chosen_record(
    recipe,
    seed,
    right,
    suite="laptop-v1",
    part=None,
    noise=(),
    trained=True,
    mark=None,
    mode="free-running",
    by_cell=lambda cell: {},
    **rows,
):
    """Make a record: ``right`` gives a cell's share of optimal answers at the last rung, half of it before.

    mark: the share of training-like mazes that training fell short with. rows: see ``chosen_rows``; by_cell: those
    of a cell alone.
    """
    plan = base_plan(suite, part)
    identity = {"name": f"{recipe}@{seed}" if trained else recipe, "recipe": recipe, "seed": seed if trained else None}
    identity |= {"weights_sha256": digest(f"{recipe}{seed}") if trained else None, "parameters": 100 * trained}
    reached = Accuracy(mazes=100, exact=mark, optimal=mark) if mark else None
    begun = re.fullmatch(r"(.+)-tuned-.*", recipe)
    on = TrainedOn(specs=("size=9,percolation=0.1",) if re.search("-(p|tuned-)", recipe) else ("size=9",), mazes=1)
    origin = Origin(name=begun[1], weights_sha256=digest(begun[1])) if begun else None
    identity |= {"notes": (), "provenance": Trained(on=on, begun_with=origin, accuracy=reached) if trained else None}
    plan = plan.model_copy(update={"solver": plan.solver.model_copy(update=identity), "mode": mode})
    tables = [
        chosen_rows(cell, planned, right(cell.name), np.random.default_rng([seed, number]), **rows | by_cell(cell.name))
        for number, (cell, planned) in enumerate(plan.pairs())
    ]
    mazes = pl.concat(tables)
    results = [_result(*pair, table) for pair, table in zip(plan.pairs(), tables, strict=True)]
    limits = [tally_limits(mazes, planned.name, plan.suite) for planned in plan.cells if planned.watched]
    return Record.seal(plan, results, limits, mazes, RUN, noise)


def _result(cell, planned, rows):
    n, right = planned.mazes, int(rows["optimal"].list.last().sum())
    tally = Tally(right=right, share=right / n, low=0, high=1)
    rungs = tuple(Rung(iterations=rung, **dict.fromkeys(KINDS, tally)) for rung in planned.rungs)
    drawn = dict.fromkeys(("rejected_split", "rejected_endpoints", "rejected_path"), 0)
    return CellResult(
        **{"name": cell.name, "axis": cell.axis, "spec": cell.spec, "n": n, "drawn": n, "layouts": n, **drawn},
        mazes_sha256=digest(f"{n} mazes of {cell.name}"),
        acceptance=1.0,
        means={},
        rungs=rungs,
        median_first_right=None,
        failures={},
        overthought=NOTHING,
        as_dead_end_filling=NOTHING,
        mean_evaluations=None,
        batch=1,
    )


def chosen_rows(
    cell,
    planned,
    share,
    random,
    limit=lambda right: "fixed point",
    betti=(1, 0),
    study_betti=(1, 0),
    filling=0.0,
    hard_when=None,
    motion=0.5,
    depends=False,
    stored=lambda cell: 1.0,
    held=False,
    spoilt=False,
):
    """Make a cell's rows, with a share of optimal answers.

    limit: of a watched maze, from whether it is right. filling: the share of the wrong answers that are dead-end
    filling's; right ones are where there are no cycles. hard_when: the wrong ones have the "long" or the "short" paths.
    held: every rung is as the last one; else half of that. spoilt: every maze is right at all before. motion: of the
    latent state off fixed points. stored: from a cell, the share of its optimal ones that are exact.
    Percolated mazes have 0 to 3 cycles, in turn; starts anywhere have degree 1 to 3, in turn.
    """
    n, last_rung, spec = planned.mazes, planned.rungs[-1], cell.maze_spec
    cycles = np.arange(n) % 4 if spec.percolation else np.full(n, spec.cycles)
    length = random.integers(1, spec.size * 2, n)
    rank = np.argsort(np.argsort(length, kind="stable"))
    order = {None: random.permutation(n), "long": rank, "short": n - 1 - rank}[hard_when]
    last = order < round(share * n)
    early = np.ones(n, bool) if spoilt else last & (held | (np.arange(n) % 2 == 0))
    alike = last & (cycles == 0)
    wrong = np.flatnonzero(~last)
    alike[wrong[: round(filling * len(wrong))]] = True
    exact = last & (order < round(share * stored(cell.name) * n))
    seen = np.arange(n) < planned.watched
    limits = [limit(bool(r)) if w else None for r, w in zip(last, seen, strict=True)]
    plain = {
        "cell": [cell.name] * n,
        "index": np.arange(n),
        **{name: np.ones(n, int) for name in COUNTS},
        "path_length": length,
        "cycles": cycles,
        "start_degree": {"deadend": np.ones(n, int), "any": 1 + np.arange(n) % 3}.get(
            spec.start, np.full(n, spec.start)
        ),
        "failure": [None if r else "loop kept" for r in last],
        "first_right": [planned.rungs[0] if e else last_rung if r else None for e, r in zip(early, last, strict=True)],
        "as_dead_end_filling": alike,
        "limit": limits,
        "period": [None if kind is None else PERIODS.get(kind, 0) for kind in limits],
        "limit_right": [bool(r) if w else None for r, w in zip(last, seen, strict=True)],
        "flipping": [None if kind is None else float(kind == "cycle") for kind in limits],
        "latent_motion": [None if kind is None else 1e-15 if kind == "fixed point" else motion for kind in limits],
        **{name: [0.5 if w else None for w in seen] for name in ("logit_motion", "alignment")},
        "depends": [depends if w else None for w in seen],
    }
    before = len(planned.rungs) - 1
    lists = {
        "optimal": pl.concat_list([pl.Series(early)] * before + [pl.Series(last)]),
        "valid": pl.concat_list([pl.Series(early)] * before + [pl.Series(last)]),
        "exact": pl.concat_list([pl.Series(early & exact)] * before + [pl.Series(exact)]),
        "betti": pl.Series([betti if w else None for w in seen], dtype=pl.List(pl.Int32)),
        "study_betti": pl.Series([study_betti if w else None for w in seen], dtype=pl.List(pl.Int32)),
    }
    frame = pl.DataFrame(plain).with_columns(**lists)
    missing = [pl.lit(None).alias(name) for name in PER_MAZE if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in PER_MAZE.items())


SEEDS = (0, 1)
CYCLE, CHAOS, OPEN = (lambda _, kind=kind: kind for kind in ("cycle", "chaotic", "undecided"))


def published(cell):
    """Accuracy by cell in a world where the study's claims hold."""
    degrees = {"start-2": 0.8, "start-3": 0.6, "start-4": 0.4, "start-any": 0.7}
    if cell.startswith("cycles-"):
        return 0.9 ** int(cell.removeprefix("cycles-"))
    return degrees.get(cell, 0.2 if "percolation" in cell else 1.0)


def seeds_of(recipe, right, seeds=SEEDS, **rows):
    return [chosen_record(recipe, seed, right, **rows) for seed in seeds]


def some(recipe, shares, rest=1.0, cells=(), count=16, **rows):
    """Records of some cells only, with a share of right answers each (by name, or by its first word).

    count: of watched mazes a cell.
    """
    suite = load_suite(rows.get("suite", "laptop-v1"))
    names = cells or tuple(c.name for c in suite.cells if c.name in shares or c.name.split("-")[0] in shares)
    return seeds_of(
        recipe, lambda cell: shares.get(cell, shares.get(cell.split("-")[0], rest)), part=(128, count, names), **rows
    )


def dt(shares, rest=1.0, **rows):
    return some("dt-net-thin", shares, rest, **rows)


def pi(shares, **rows):
    return some("pi-net-thin", shares, **rows)


def on_trees(suite="laptop-v1", **rows):
    """A DT-Net that is right on the watched trees."""
    recipe, cells = (
        ("dt-net-e2h", ("size-9", "size-19")) if suite == "paper-v1" else ("dt-net-thin", ("size-9", "size-13"))
    )
    return some(recipe, {}, cells=cells, suite=suite, **rows)


def watched(recipe="dt-net-thin", share=0.5, **rows):
    return some(recipe, {}, share, cells=load_suite("laptop-v1").limits.cells, **rows)


def retrained(family, shares, cells="size"):
    """A plain recipe (key "") and its variants, with a share of right answers on some cells; 9×9 trees are right."""
    return [
        r for variant, share in shares.items() for r in some(f"{family}-thin{variant}", {"size-9": 1.0, cells: share})
    ]


def verdict(text, records):
    """Judge the one claim that says so."""
    (pool,) = make_pools(records, partial=True)
    (found,) = [claim for finding in findings_of(pool) for claim in finding.claims if text in claim.text]
    return found.verdict


def mixed_limits(recipe, suite, limits):
    """Two seeds that are right on sizes 9 and 19, each cell with rows of its own: ``limits`` gives them by cell."""
    part = (128, 16, ("size-9", "size-19"))
    return [chosen_record(recipe, seed, lambda cell: 1.0, suite=suite, part=part, by_cell=limits) for seed in SEEDS]
