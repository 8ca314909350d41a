"""Records whose every answer is chosen: any solver on a shipped suite, without running one."""

import numpy as np
import polars as pl

from extramaze.mazes.describe import COUNTS
from extramaze.models import load
from extramaze.plan import make_part, make_plan
from extramaze.record_schema import PER_MAZE, CellResult, Run
from extramaze.records import Record
from extramaze.suites import load_suite
from extramaze.tallies import tally_answers, tally_limits, tally_rungs


def chosen_record(
    recipe,
    seed,
    right,
    suite="laptop-v1",
    limit=lambda cell, right: "fixed point",
    betti=(1, 0),
    study_betti=(1, 0),
    filling=0.0,
    harder_when_long=False,
    noise=(),
    part=None,
    cells=(),
    trained=True,
):
    """Make a whole record: ``right`` gives a cell's share of optimal answers at the last rung, half of it before.

    limit: of a watched maze, from its cell and whether it is right. filling: the share of the wrong answers that are
    dead-end filling's. harder_when_long: wrong answers are those with the longest paths.
    """
    import torch

    loaded = load_suite(suite)
    if loaded.scale != 1:
        loaded = loaded.model_copy(update={"scale": 1})
    chosen = make_part(*part, cells) if part else None
    plan = make_plan(load("dt-net-thin@0"), loaded, chosen, "float32", torch.device("cpu"))
    identity = {"name": f"{recipe}@{seed}" if trained else recipe, "recipe": recipe, "seed": seed if trained else None}
    identity |= {"weights_sha256": f"{recipe}{seed}" if trained else None, "parameters": 100 * trained}
    plan = plan.model_copy(update={"solver": plan.solver.model_copy(update=identity)})
    if load_suite(suite).scale != 1:
        whole = load_suite(suite)
        plan = plan.model_copy(update={"suite": whole, "suite_sha256": whole.digest()})
    tables, results = [], []
    for number, (cell, planned) in enumerate(plan.pairs()):
        random = np.random.default_rng([seed, number])
        rows = _rows(cell, planned, right(cell.name), random, filling, harder_when_long, limit, betti, study_betti)
        tables.append(rows)
        results.append(
            CellResult(
                name=cell.name,
                axis=cell.axis,
                spec=cell.spec,
                n=planned.mazes,
                mazes_sha256=f"mazes of {cell.name}, {planned.mazes}",
                drawn=planned.mazes,
                rejected_split=0,
                rejected_endpoints=0,
                rejected_path=0,
                acceptance=1.0,
                layouts=planned.mazes,
                rungs=tally_rungs(rows, planned.rungs),
                batch=planned.block,
                **tally_answers(rows, retire=False),
            )
        )
    mazes = pl.concat(tables)
    limits = [tally_limits(mazes, planned.name, plan.suite) for planned in plan.cells if planned.watched]
    run = Run(finished="2026-01-01T00:00:00", seconds=1.0, command="", peak_memory_bytes=None)
    return Record.seal(plan, results, limits, mazes, run, noise)


def _rows(cell, planned, share, random, filling, harder_when_long, limit, betti, study_betti):
    n, rungs = planned.mazes, len(planned.rungs)
    length = random.integers(1, cell.maze_spec.size * 2, n)
    order = np.argsort(np.argsort(length, kind="stable")) if harder_when_long else random.permutation(n)
    last = order < round(share * n)
    early = last & (np.arange(n) % 2 == 0)
    optimal = np.stack([*([early] * (rungs - 1)), last], axis=1)
    wrong = np.flatnonzero(~last)
    alike = np.zeros(n, bool)
    alike[wrong[: round(filling * len(wrong))]] = True
    found = np.where(early, planned.rungs[0], np.where(last, planned.rungs[-1], 0))
    watched = [index < planned.watched for index in range(n)]
    columns = {
        **{name: [1] * n for name in COUNTS},
        "cell": [cell.name] * n,
        "index": list(range(n)),
        "path_length": length.tolist(),
        "tortuosity": [1.0] * n,
        **{kind: optimal.tolist() for kind in ("exact", "valid", "optimal")},
        "first_right": [int(f) or None for f in found],
        "last_right": [planned.rungs[-1] if right else None for right in last],
        "failure": [None if right else "broken path" for right in last],
        "as_dead_end_filling": (alike | last).tolist(),
        "evaluations": [planned.rungs[-1]] * n,
        "limit": [limit(cell.name, bool(r)) if w else None for w, r in zip(watched, last, strict=True)],
    }
    kinds = columns["limit"]
    period = {"fixed point": 1, "cycle": 2}
    columns["period"] = [None if k is None else period.get(k, 0) for k in kinds]
    columns["limit_right"] = [bool(r) if w else None for w, r in zip(watched, last, strict=True)]
    for name, value in (("residual", 0.0), ("latent_motion", 0.5), ("logit_motion", 0.5), ("alignment", 0.9)):
        columns[name] = [value if w else None for w in watched]
    columns["flipping"] = [None if k is None else float(k == "cycle") for k in kinds]
    columns["depends"] = [False if w else None for w in watched]
    columns["betti"] = [list(betti) if w else None for w in watched]
    columns["study_betti"] = [list(study_betti) if w else None for w in watched]
    return pl.DataFrame({name: columns.get(name, [None] * n) for name in PER_MAZE}, schema=PER_MAZE)
