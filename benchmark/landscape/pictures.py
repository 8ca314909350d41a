"""Landscapes drawn: profiles, trade-offs, planes, spectra, determinism, and the matrix of several lines' barriers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from extramaze.core.files import make_folder
from extramaze.dynamics.limits import Limit
from extramaze.landscape.barriers import Values, resamples
from extramaze.landscape.figures import MAIN, Profile, profiles
from extramaze.landscape.plane_picture import save_plane
from extramaze.landscape.record import Survey
from extramaze.models.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, new_figure, save_png
from extramaze.schema.landscape import Figure

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = "osD^vP*"
LIMITS = {
    Limit.FIXED_POINT: BLUE,
    Limit.CYCLE: GREEN,
    Limit.QUASIPERIODIC: ORANGE,
    Limit.CHAOTIC: VERMILION,
    Limit.DRIFTING: SKY,
    Limit.DIVERGED: BLACK,
    Limit.UNDECIDED: GREY,
}
LEAST_LOSS = 1e-8  # below which a loss is drawn as this


def draw(surveys: Sequence[Survey], folders: Sequence[Path]) -> list[Path]:
    """Draw each landscape into its folder; several lines also as one matrix, into the first's. Returns the files."""
    paths = []
    for survey, folder in zip(surveys, folders, strict=True):
        make_folder(folder)
        paths += _draw(survey, folder)
    lines = [survey for survey in surveys if survey.summary.kind in ("line", "curve")]
    if len(lines) > 1:
        paths.append(save_matrix(lines, folders[0] / "barriers.png"))
    return paths


def _draw(survey: Survey, folder: Path) -> list[Path]:
    kind = survey.summary.kind
    if kind == "plane":
        return [save_plane(survey, folder / "plane.png")]
    if kind == "convexity":
        return [save_spectrum(survey, folder / "spectrum.png")]
    found = profiles(survey.table)
    paths = [save_profile(survey, one, folder / f"profile-{one.name.replace(' ', '-')}.png") for one in found]
    paths += [save_trade_off(survey, found, folder / "trade-off.png")] if _two_cells(survey) else []
    return [*paths, save_determinism(survey, folder / "determinism.png")] if kind == "determinism" else paths


def _title(survey: Survey) -> str:
    return " · ".join(origin.name for origin in survey.summary.solvers)


def save_profile(survey: Survey, one: Profile, path: Path) -> Path:
    """Draw loss, accuracy with paired bands, and limits with exponents along a path, one above the other."""
    heights = [2.2, 2.2] + ([2.2] if one.exponents is not None else [])
    figure = new_figure(6.4, sum(heights) + 0.5)
    panels = figure.subplots(len(heights), sharex=True, squeeze=False)[:, 0]
    for number, (cell, values) in enumerate(one.loss.items()):
        colour = COLOURS[number % len(COLOURS)]
        panels[0].plot(one.places, np.maximum(values.along(), LEAST_LOSS), "-o", color=colour, ms=3, lw=1.2, label=cell)
    panels[0].set_yscale("log")
    panels[0].set_ylabel(f"cross-entropy after {survey.summary.setting.loss_iterations}", fontsize=8)
    for number, (cell, wrong) in enumerate(one.wrong.items()):
        _band(panels[1], one.places, wrong, COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)], cell)
    panels[1].yaxis.set_major_formatter(PercentFormatter(1.0))
    panels[1].set_ylim(-0.03, 1.03)
    panels[1].set_ylabel("optimal answers", fontsize=8)
    barriers = [f for f in survey.summary.figures if (f.path, f.measure) == (one.name, "barrier")]
    said = [f"{f.of.removeprefix('accuracy ')} {f.value:.0%}" for f in barriers if f.of.startswith("accuracy")]
    if said:
        panels[1].set_title(f"barriers of accuracy: {', '.join(said)}", fontsize=8)
    if one.exponents is not None:
        _limits(panels[2], survey, one)
    panels[-1].set_xlabel(_axis(survey), fontsize=8)
    panels[0].legend(fontsize=7, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.02), frameon=False)
    for panel in panels:
        panel.tick_params(labelsize=8)
    figure.suptitle(f"{_title(survey)} ({one.name})", fontsize=9)
    return save_png(figure, path)


def _axis(survey: Survey) -> str:
    names = [origin.name for origin in survey.summary.solvers]
    if survey.summary.kind == "direction":
        return f"dose: multiples of {names[1]} − {names[0]}"
    return "0 and 1: the two children" if survey.summary.kind == "determinism" else f"0: {names[0]}   1: {names[-1]}"


def _band(panel: Axes, places: np.ndarray, wrong: np.ndarray, colour: str, marker: str, label: str) -> None:
    right = 1 - wrong
    drawn = Values.mean(right).resampled(resamples(right.shape[1]))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    panel.plot(places, right.mean(axis=1), "-", marker=marker, color=colour, ms=3.5, lw=1.2, label=label)
    panel.fill_between(places, low, high, color=colour, alpha=0.15, lw=0)


def _limits(panel: Axes, survey: Survey, one: Profile) -> None:
    """Draw limits as stacked bars and the median exponent as a line with its own axis."""
    rows = survey.table.filter((pl.col("path") == one.name) & pl.col("limit").is_not_null())
    width = 0.7 * float(np.diff(one.places).min())
    bottom = np.zeros(len(one.places))
    for limit, colour in LIMITS.items():
        counts = [((rows["point"] == point) & (rows["limit"] == str(limit))).sum() for point in range(len(one.places))]
        shares = np.array(counts) / max(1, one.exponents.shape[1] if one.exponents is not None else 1)
        if shares.any():
            panel.bar(one.places, shares, width, bottom, color=colour, alpha=0.55, label=str(limit))
            bottom += shares
    panel.set_ylabel("limits", fontsize=8)
    panel.yaxis.set_major_formatter(PercentFormatter(1.0))
    other = panel.twinx()
    middles = [f for f in survey.summary.figures if (f.path, f.of) == (one.name, "exponent") and f.measure[:3] == "at "]
    ends = np.array([[np.nan if x is None else x for x in (f.value, f.low, f.high)] for f in middles])
    other.plot(one.places, ends[:, 0], "-k", lw=1.4)
    other.fill_between(one.places, ends[:, 1], ends[:, 2], color=BLACK, alpha=0.12, lw=0)
    other.axhline(0, color=GREY, lw=0.8, ls=":")
    other.set_ylabel("median exponent, nats a step", fontsize=8)
    other.tick_params(labelsize=8)
    panel.legend(fontsize=7, loc="lower center", ncols=4)


def _two_cells(survey: Survey) -> tuple[str, str] | None:
    """Return the hardest cell of size and the middle one of cycles; None where the setting has not both."""
    cells = survey.summary.setting.suite.cells
    sizes, cycles = ([cell.name for cell in cells if cell.axis == axis] for axis in ("size", "cycles"))
    return (sizes[-1], cycles[len(cycles) // 2]) if sizes and cycles else None


def save_trade_off(survey: Survey, found: Sequence[Profile], path: Path) -> Path:
    """Draw accuracy of size against accuracy of cycles, a dot a place of each path, the networks named."""
    chosen = _two_cells(survey)
    assert chosen is not None
    figure = new_figure(5, 4.4)
    panel = figure.subplots()
    ends = [origin.name for origin in survey.summary.solvers]
    for number, one in enumerate(found):
        across, up = (1 - one.wrong[cell].mean(axis=1) for cell in chosen)
        colour = COLOURS[number % len(COLOURS)] if one.name != MAIN else BLACK
        panel.plot(across, up, "-", marker=MARKERS[number % len(MARKERS)], color=colour, ms=4, lw=0.8, label=one.name)
        for place, x, y in zip(one.places, across, up, strict=True):
            if number == 0:
                panel.annotate(
                    {0.0: ends[0], 1.0: ends[-1]}.get(place, f"{place:g}"),
                    (x, y),
                    fontsize=6,
                    xytext=(3, 3),
                    textcoords="offset points",
                )
    for axis, cell in zip((panel.xaxis, panel.yaxis), chosen, strict=True):
        axis.set_major_formatter(PercentFormatter(1.0))
        axis.set_label_text(f"optimal on {cell}", fontsize=8)
    panel.tick_params(labelsize=8)
    panel.legend(fontsize=7)
    figure.suptitle(_title(survey), fontsize=9)
    return save_png(figure, path)


def save_spectrum(survey: Survey, path: Path) -> Path:
    """Draw the density of the Hessian's spectrum, each place widened, with the ends that were found."""
    table = survey.table
    rows = table.filter(pl.col("what") == "density")
    ends = table.filter(pl.col("what").is_in(["largest", "smallest"]))["value"].to_numpy()
    figure = new_figure(6, 3.4)
    panel = figure.subplots()
    if len(rows):
        places, weights = rows["value"].to_numpy(), rows["first"].to_numpy()
        low, high = min(places.min(), *ends), max(places.max(), *ends)
        width = 0.01 * (high - low) or 1.0
        line = np.linspace(low - 5 * width, high + 5 * width, 1200)
        bells = np.exp(-0.5 * ((line[:, None] - places) / width) ** 2) / (width * np.sqrt(2 * np.pi))
        panel.semilogy(line, np.maximum(bells @ weights, 1e-12), color=BLUE, lw=1.2)
        panel.set_ylim(bottom=max(1e-10, float((bells @ weights).max()) * 1e-8))
    for value in ends:
        panel.axvline(value, color=VERMILION, lw=0.9, ls="--")
    panel.set_xlabel("eigenvalue of the loss's Hessian, balanced weights; dashed: the ends that were found", fontsize=8)
    panel.set_ylabel("density", fontsize=8)
    panel.tick_params(labelsize=8)
    figure.suptitle(_title(survey), fontsize=9)
    return save_png(figure, path)


def save_determinism(survey: Survey, path: Path) -> Path:
    """Draw the barrier between children against the step at which they were spawned, a line a cell."""
    found: dict[str, list[Figure]] = {}
    for figure in survey.summary.figures:
        if figure.measure == "barrier" and figure.of.startswith("accuracy"):
            found.setdefault(figure.of.removeprefix("accuracy "), []).append(figure)
    sheet = new_figure(5.6, 3.6)
    panel = sheet.subplots()
    for number, (cell, figures) in enumerate(found.items()):
        steps = [int(one.path.removeprefix("step ").partition(" ")[0]) for one in figures]
        middle, low, high = (
            np.array([getattr(one, end) or 0.0 for one in figures]) for end in ("value", "low", "high")
        )
        around = np.abs(np.stack([middle - low, high - middle]))
        panel.errorbar(
            steps, middle, around, fmt=f"-{MARKERS[number % len(MARKERS)]}", color=COLOURS[number % len(COLOURS)],
            ms=4, capsize=2, lw=1.2, label=cell,
        )  # fmt: skip
    panel.axhline(0.02, color=GREY, ls=":", lw=1)
    panel.yaxis.set_major_formatter(PercentFormatter(1.0))
    panel.set_xlabel("step at which the children were spawned; dotted: below it they count as joined", fontsize=8)
    panel.set_ylabel("barrier of accuracy between them", fontsize=8)
    panel.tick_params(labelsize=8)
    panel.legend(fontsize=7)
    sheet.suptitle(_title(survey), fontsize=9)
    return save_png(sheet, path)


def save_matrix(lines: Sequence[Survey], path: Path) -> Path:
    """Draw the barriers of several lines: of accuracy on the training cell above the diagonal, of loss below."""
    names = list(dict.fromkeys(origin.name for survey in lines for origin in survey.summary.solvers))
    table, texts = np.full((len(names), len(names)), np.nan), {}
    for survey in lines:
        first, second = sorted(names.index(origin.name) for origin in survey.summary.solvers[:2])
        by_name = {
            f.of: f.value for f in survey.summary.figures if f.measure == "barrier" and f.path in (MAIN, "curve")
        }
        training = survey.summary.setting.training
        for at, name, form in (
            ((first, second), f"accuracy {training}", "{:.0%}"),
            ((second, first), f"loss {training}", "{:.2f}"),
        ):
            value = by_name.get(name)
            if value is not None:
                table[at], texts[at] = value, form.format(value)
    figure = new_figure(1.8 + 0.75 * len(names), 1.6 + 0.6 * len(names))
    panel = figure.subplots()
    panel.set_facecolor("#eeeeee")
    shades = panel.imshow(table, cmap="cividis", vmin=0, vmax=1)
    for (row, column), text in texts.items():
        panel.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            fontsize=8,
            color="white" if table[row, column] < 0.6 else BLACK,
        )
    panel.set_xticks(range(len(names)), names, fontsize=7, rotation=45, ha="right")
    panel.set_yticks(range(len(names)), names, fontsize=7)
    figure.colorbar(shades, ax=panel)
    panel.set_title("above: barrier of accuracy on the training cell; below: of loss, nats", fontsize=8)
    return save_png(figure, path)
