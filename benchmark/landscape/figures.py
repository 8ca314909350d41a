"""Figures of a landscape, computed from its table alone, so that whoever reads it can compute them again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from extramaze.dynamics.limits import Limit
from extramaze.landscape.barriers import (
    Interval,
    Values,
    barrier,
    crossing,
    gap,
    interval,
    median_draws,
    medians,
    radius,
    spread,
)
from extramaze.schema.landscape import Figure, Kind, Setting
from extramaze.statistics import wilson

ALL = "all"
MAIN = "line"  # the path of the networks themselves, among controls


@dataclass(frozen=True, eq=False)
class Profile:
    """What was measured along one path: by cell, arrays (points, mazes)."""

    name: str
    places: np.ndarray
    """float64 (P,), in order."""
    wrong: dict[str, np.ndarray]
    """1 where the answer is not optimal."""
    loss: dict[str, Values]
    """Cross-entropy, a mean over open pixels."""
    unsettled: np.ndarray | None
    """1 where a watched maze does not come to rest, (P, W) over all watched cells; None where none is."""
    exponents: np.ndarray | None
    """Largest exponents of the watched mazes (P, W), NaN where not estimated."""


def profiles(table: pl.DataFrame) -> list[Profile]:
    """Return what a table of points holds, path by path in the order of its rows."""
    names = table["path"].unique(maintain_order=True).to_list()
    return [_profile(name, table.filter(pl.col("path") == name)) for name in names]


def _profile(name: str, rows: pl.DataFrame) -> Profile:
    places = rows.group_by("point", maintain_order=True).agg(pl.col("x").first()).sort("point")["x"].to_numpy()
    cells = rows["cell"].unique(maintain_order=True).to_list()
    apart = {cell: rows.filter(pl.col("cell") == cell).sort("point", "index") for cell in cells}
    seen = rows.filter(pl.col("limit").is_not_null()).sort("point", "cell", "index")
    count = len(places)
    return Profile(
        name=name,
        places=places,
        wrong={
            cell: 1.0 - part["optimal"].cast(pl.Float64).to_numpy().reshape(count, -1) for cell, part in apart.items()
        },
        loss={
            cell: Values(
                part["loss"].to_numpy().reshape(count, -1),
                part["pixels"].to_numpy().reshape(count, -1)[0].astype(float),
            )
            for cell, part in apart.items()
        },
        unsettled=(seen["limit"] != str(Limit.FIXED_POINT)).cast(pl.Float64).to_numpy().reshape(count, -1)
        if len(seen)
        else None,
        exponents=seen["exponent"].cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(count, -1)
        if len(seen)
        else None,
    )


def figures_of(kind: Kind, setting: Setting, table: pl.DataFrame) -> list[Figure]:
    """Compute all figures of a landscape from its table."""
    if kind == "convexity":
        return list(_curvature(table))
    if kind == "plane":
        return list(_plane(table))
    found = profiles(table)
    if kind == "direction":
        return [*(figure for one in found for figure in _values(one)), *_direction(found)]
    figures = [figure for one in found for figure in (*_values(one), *_path(one, setting.training))]
    return [*figures, *_determinism(found, setting.training)] if kind == "determinism" else figures


def _figure(path: str, measure: str, of: str, found: Interval | float | None) -> Figure:
    if not isinstance(found, Interval):
        return Figure(path=path, measure=measure, of=of, value=_number(found))
    return Figure(
        path=path, measure=measure, of=of, value=_number(found.value), low=_number(found.low), high=_number(found.high)
    )


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _quantities(one: Profile) -> Iterator[tuple[str, Values]]:
    """Yield what a path's barriers are of, lower being better: losses, errors, and shares that do not settle."""
    yield from ((f"loss {cell}", values) for cell, values in one.loss.items())
    yield from ((f"accuracy {cell}", Values.mean(values)) for cell, values in one.wrong.items())
    if one.unsettled is not None:
        yield "settled", Values.mean(one.unsettled)


def _values(one: Profile) -> Iterator[Figure]:
    """Yield every quantity at every place; of accuracy and what settles the share itself, not what is missing."""
    for name, values in _quantities(one):
        along = values.along()
        shown = along if name.startswith("loss") else 1 - along
        yield from (
            _figure(one.name, f"at {place:g}", name, float(value))
            for place, value in zip(one.places, shown, strict=True)
        )
    if one.exponents is not None:
        for place, middle in zip(one.places, medians(one.exponents), strict=True):
            yield _figure(one.name, f"at {place:g}", "exponent", middle)
            grows = Interval(*(float(np.exp(end)) for end in (middle.value, middle.low, middle.high)))
            yield _figure(one.name, f"at {place:g}", "spectral radius", grows)


def _path(one: Profile, training: str) -> Iterator[Figure]:
    """Yield barriers, gaps, radii, means along the path, and where the exponent crosses 0."""
    inside = (one.places >= 0) & (one.places <= 1)
    if len(one.places) < 3 or not {0.0, 1.0} <= set(one.places.tolist()):
        return
    places = one.places[inside]

    def within(values: Values) -> Values:
        return Values(values.sums[inside], values.weights)

    for name, values in _quantities(one):
        yield _figure(one.name, "barrier", name, barrier(within(values), places))
        mean = float(np.trapezoid(within(values).along(), places))
        yield _figure(one.name, "mean along", name, mean if name.startswith("loss") else 1 - mean)
    base = within(Values.mean(one.wrong[training]))
    for cell, wrong in one.wrong.items():
        values = within(Values.mean(wrong))
        if cell != training:
            yield _figure(one.name, "gap", f"accuracy {cell}", gap(values, base, places))
        yield _figure(one.name, "radius", f"accuracy {cell}", interval(_radius_at(places), values))
        back = Values(values.sums[::-1], values.weights)
        mirrored = 1 - places[::-1]
        yield _figure(one.name, "radius from the end", f"accuracy {cell}", interval(_radius_at(mirrored), back))
    if one.exponents is not None:
        yield _figure(one.name, "crossing", "exponent", crossing(places, medians(one.exponents[inside])))
        yield from _valley(one, inside)


def _radius_at(places: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: radius(values, places)


def _valley(one: Profile, inside: np.ndarray) -> Iterator[Figure]:
    """Yield how far the lowest median exponent between the ends lies below the lower of the ends'."""
    assert one.exponents is not None
    values, drawn = median_draws(one.exponents[inside])
    below = [np.minimum(rows[0], rows[-1]) - rows[1:-1].min(axis=0) for rows in (values[:, None], drawn)]
    yield _figure(one.name, "valley", "exponent", spread(float(below[0][0]), below[1]))


def _determinism(found: Sequence[Profile], training: str) -> Iterator[Figure]:
    """Yield the least step from which on every pair's barrier of accuracy stays below 2 points, by cell."""
    for one in found:
        for cell, wrong in one.wrong.items():
            same = Values.mean(np.stack([wrong[0] == wrong[-1]]))
            yield _figure(one.name, "agreement", f"accuracy {cell}", interval(lambda values: values[..., 0], same))
    steps = [int(one.name.removeprefix("step ")) for one in found]
    cells = [*found[0].wrong]
    for cell in sorted(cells, key=lambda name: name != training):
        high = [barrier(Values.mean(one.wrong[cell]), one.places).high for one in found]
        joined = None
        for step, end in sorted(zip(steps, high, strict=True), reverse=True):
            if end > 0.02:
                break
            joined = step
        yield _figure(ALL, "joined from step", f"accuracy {cell}", joined)


def _direction(found: Sequence[Profile]) -> Iterator[Figure]:
    """Yield effects of a direction at 1 against 0, those of controls, and whether the dose counts monotonically."""
    main = next(one for one in found if one.name == MAIN)
    for cell in main.wrong:
        effects = {one.name: _effect(one, cell) for one in found}
        for name, effect in effects.items():
            yield _figure(name, "effect", f"accuracy {cell}", effect)
        controls = [effect.value for name, effect in effects.items() if name != MAIN]
        if controls:
            own, mean = effects[MAIN], float(np.mean(controls))
            less = Interval(own.value - mean, own.low - mean, own.high - mean)
            yield _figure(MAIN, "directedness", f"accuracy {cell}", less)
        along = 1 - Values.mean(main.wrong[cell]).along()
        rank = 0.0 if np.ptp(along) == 0 else float(spearmanr(main.places, along).statistic)
        yield _figure(MAIN, "monotony", f"accuracy {cell}", rank)
    for one in found:
        for cell, values in one.loss.items():
            yield _figure(one.name, "largest rise", f"loss {cell}", largest_rise(values.along()))


def _effect(one: Profile, cell: str) -> Interval:
    """Return the accuracy at 1 less that at 0, paired."""
    at = [int(np.flatnonzero(one.places == place)[0]) for place in (0.0, 1.0)]
    return interval(lambda values: values[..., at[0]] - values[..., at[1]], Values.mean(one.wrong[cell]))


def largest_rise(values: np.ndarray) -> float:
    """Return the least Δ ≥ 0 such that no later value exceeds an earlier one by more (Lucas et al., 2104.11044)."""
    return float(max(0.0, (values - np.minimum.accumulate(values)).max()))


def _plane(table: pl.DataFrame) -> Iterator[Figure]:
    for keys, rows in table.group_by("x", "y", "cell", maintain_order=True):
        at, cell = f"at {keys[0]:g},{keys[1]:g}", keys[2]
        yield _figure(MAIN, at, f"loss {cell}", float(rows["loss"].to_numpy().sum() / rows["pixels"].to_numpy().sum()))
        yield _figure(MAIN, at, f"accuracy {cell}", float(rows["optimal"].cast(pl.Float64).to_numpy().mean()))
        seen = rows.filter(pl.col("limit").is_not_null())
        if len(seen):
            rest = (seen["limit"] == str(Limit.FIXED_POINT)).cast(pl.Float64).to_numpy().mean()
            yield _figure(MAIN, at, f"settled {cell}", float(rest))


def _curvature(table: pl.DataFrame) -> Iterator[Figure]:
    """Yield eigenvalues, the trace with its error, shares of convex pairs, and radii within which accuracy is kept."""
    values = {what: rows["value"].to_numpy() for (what,), rows in table.group_by("what", maintain_order=True)}
    largest, smallest = values.get("largest", np.zeros(0)), values.get("smallest", np.zeros(0))
    for number, value in enumerate(sorted(largest, reverse=True), start=1):
        yield _figure(MAIN, f"largest eigenvalue {number}", "loss", float(value))
    if len(smallest):
        yield _figure(MAIN, "smallest eigenvalue", "loss", float(smallest.min()))
        share = abs(min(0.0, smallest.min())) / largest.max() if largest.max() > 0 else None
        yield _figure(MAIN, "negative share", "loss", share)
    if (shares := values.get("gradient share")) is not None:
        yield _figure(MAIN, f"gradient in the top {len(largest)}", "loss", float(shares[0]))
    if (probes := values.get("trace")) is not None:
        error = probes.std(ddof=1) / np.sqrt(len(probes)) if len(probes) > 1 else np.nan
        mean = float(probes.mean())
        yield _figure(MAIN, "trace", "loss", Interval(mean, mean - 1.96 * error, mean + 1.96 * error))
    if (mazes := values.get("maze")) is not None:
        yield _figure(MAIN, "largest eigenvalue, median maze", "loss", float(np.median(mazes)))
        yield _figure(MAIN, "largest eigenvalue, 95th percentile", "loss", float(np.quantile(mazes, 0.95)))
    pairs = table.filter(pl.col("what").is_in(["pair", "trained pair"]))
    for (what, size), rows in pairs.group_by("what", "radius", maintain_order=True):
        below = rows["value"].to_numpy() <= (rows["first"].to_numpy() + rows["second"].to_numpy()) / 2
        right, count = int(below.sum()), len(below)
        where = "trained pairs" if what == "trained pair" else f"within {size:g}"
        yield _figure(MAIN, f"convex midpoints {where}", "loss", Interval(right / count, *wilson(right, count)))
    kept = table.filter(pl.col("what") == "kept")
    if len(kept):
        reach = kept.group_by("number").agg(pl.col("radius").filter(pl.col("value") >= 0.95).max().fill_null(0.0))
        yield _figure(MAIN, "radius of 95 % accuracy", "accuracy", float(np.median(reach["radius"].to_numpy())))
