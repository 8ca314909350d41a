"""Pictures of what iterates did. Plain data in, axes filled."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from extramaze.dynamics.limits import Limit
from extramaze.models.figures import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, new_figure, save_png
from extramaze.records.text import odds_text
from extramaze.schema.record import LimitOdds

COLOURS = {
    Limit.FIXED_POINT: GREEN,
    Limit.CYCLE: BLUE,
    Limit.QUASIPERIODIC: SKY,
    Limit.CHAOTIC: VERMILION,
    Limit.DRIFTING: ORANGE,
    Limit.DIVERGED: BLACK,
    Limit.UNDECIDED: GREY,
}
MARKERS = dict(zip(Limit, "osD^v*x", strict=True))
RIGHT, WRONG = GREEN, VERMILION
TITLE, LABEL = 66, 58  # letters of a line as wide as a picture
LEAST = 1e-18  # what is exactly 0 is drawn here on logarithmic axes


def save(draw: Callable[[Axes], None], path: Path, heading: str) -> None:
    """Save one picture as PNG: ``draw`` fills its axes. heading: whose it is."""
    figure = new_figure(5.0, 3.8)
    figure.suptitle(fill(heading, LABEL), fontsize=9, fontweight="bold")
    axes = figure.subplots()
    draw(axes)
    axes.set_title("\n".join(fill(line, TITLE) for line in axes.get_title().splitlines()), fontsize=9)
    axes.set_xlabel(fill(axes.get_xlabel(), LABEL))
    save_png(figure, path)


def draw_residuals(axes: Axes, limits: Sequence[Limit], residuals: np.ndarray) -> None:
    """Draw the length of the last step of each trajectory, (B,), by its limit; what was not finite is left out."""
    kinds = [limit for limit in Limit if limit in limits]
    for row, kind in enumerate(kinds):
        chosen = residuals[[limit == kind for limit in limits]]
        chosen = chosen[np.isfinite(chosen)].clip(LEAST)
        height = row + 0.25 * np.sin(2.4 * np.arange(len(chosen)))  # spread out, the same each time
        axes.scatter(chosen, height, s=14, color=COLOURS[kind], marker=MARKERS[kind], alpha=0.8)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    if high < 100 * low:  # a decade or two at least, so that the axis has ticks to read
        axes.set_xlim(low / 10, high * 10)
    axes.set_title("what still moves at the end of the window", fontsize=9)
    axes.set_yticks(range(len(kinds)), [f"{kind} ({limits.count(kind)})" for kind in kinds])
    axes.set_xlabel(f"length of the last step (largest difference){_zeros(residuals)}")


def _zeros(values: np.ndarray) -> str:
    """Say where what does not move at all is drawn on a logarithmic axis."""
    return f"; 0 at {LEAST:g}" if (values < LEAST).any() else ""


def draw_limit_by_correct(axes: Axes, counts: Mapping[Limit, tuple[int, int]], odds: Sequence[LimitOdds] = ()) -> None:
    """Draw the limit × correct table, limit → (right, wrong), as bars with counts and odds of being right."""
    kinds = [limit for limit in Limit if sum(counts.get(limit, (0, 0)))]
    said = {found.limit: f"; odds {odds_text(found)}" for found in odds if found.informative}
    for row, kind in enumerate(kinds):
        right, wrong = counts[kind]
        axes.barh(row, right, height=0.5, color=RIGHT, label="right" if row == 0 else None)
        axes.barh(
            row,
            wrong,
            left=right,
            height=0.5,
            color=WRONG,
            hatch="//",
            edgecolor="white",
            label="wrong" if row == 0 else None,
        )
        text = f"{right} right, {wrong} wrong{said.get(kind, '')}"
        axes.annotate(text, (0, row - 0.25), (4, 2), textcoords="offset points", va="bottom", fontsize=8)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_ylim(-0.8, len(kinds) + 0.1)  # room for the legend below the bars
    axes.invert_yaxis()
    axes.set_xlabel("trajectories")
    axes.set_title("limit × correct; odds of being right with the limit, within cells", fontsize=9)
    if kinds:
        axes.legend(fontsize=8, loc="lower right", ncols=2)


def draw_projection(axes: Axes, frames: np.ndarray, first: int = 0, title: str = "") -> None:
    """Draw frames (N, D) on their two principal axes, coloured by iteration; ``first`` is the first one's number."""
    centred = frames - frames[0]
    centred = centred - centred.mean(axis=0)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    points = vectors[:, -2:] * np.sqrt(values[-2:].clip(0))
    x, y = points[:, 1], points[:, 0]
    axes.plot(x, y, color="#bbbbbb", linewidth=0.4, zorder=1)
    dots = axes.scatter(x, y, c=first + np.arange(len(frames)), cmap="cividis", s=12, zorder=2)
    axes.figure.colorbar(dots, ax=axes, label="iteration")
    share = values[-2:].sum() / values.sum() if values.sum() > 0 else 1.0
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("first principal axis")
    axes.set_ylabel("second principal axis")
    axes.set_title("\n".join(filter(None, (title, f"{share:.0%} of the motion"))), fontsize=9)


def draw_persistence(axes: Axes, diagrams: tuple[np.ndarray, np.ndarray], title: str = "") -> None:
    """Draw the births and deaths of H0 and H1, (n, 2) each; a feature that never dies lies on the upper line."""
    axes.set_title(title, fontsize=9)
    finite = [diagram[np.isfinite(diagram[:, 1])] for diagram in diagrams]
    top = 1.1 * max((float(diagram.max()) for diagram in finite if len(diagram)), default=1.0)
    axes.plot([0, top], [0, top], color="#bbbbbb", linewidth=0.8)
    axes.axhline(top, color="#bbbbbb", linewidth=0.8, linestyle="--")
    for diagram, colour, marker, label in zip(diagrams, (BLUE, VERMILION), "o^", ("pieces", "loops"), strict=True):
        deaths = np.where(np.isfinite(diagram[:, 1]), diagram[:, 1], top)
        axes.scatter(diagram[:, 0], deaths, s=18, color=colour, marker=marker, label=label, alpha=0.8, clip_on=False)
    axes.set_xlabel("birth")
    axes.set_ylabel("death (dashed: never)")
    axes.legend(fontsize=8, loc="lower right")


def draw_amplitudes(axes: Axes, limits: Sequence[Limit], latent: np.ndarray, logits: np.ndarray) -> None:
    """Draw motion through the readout against motion in the latent space, (B,) each, by limit."""
    for kind in [limit for limit in Limit if limit in limits]:
        chosen = [limit == kind for limit in limits]
        x, y = latent[chosen].clip(LEAST), logits[chosen].clip(LEAST)
        axes.scatter(x, y, s=18, color=COLOURS[kind], marker=MARKERS[kind], label=kind, alpha=0.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.axline((1e-6, 1e-6), (1.0, 1.0), color="#bbbbbb", linewidth=0.8, zorder=0)
    axes.set_xlabel(f"amplitude in the latent space (root mean square){_zeros(np.minimum(latent, logits))}")
    axes.set_ylabel("amplitude of the logits")
    axes.set_title("motion of states and of what is read off them; the line: as large", fontsize=9)
    axes.legend(fontsize=8)
