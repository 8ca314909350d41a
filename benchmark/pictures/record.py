"""Every picture of a record, in one folder."""

from collections.abc import Iterator
from pathlib import Path

from extramaze.blocks.identity import refuse_other_solver
from extramaze.core.files import hold, make_folder
from extramaze.core.progress import progress_bar
from extramaze.models.contract import IterativeSolver
from extramaze.pictures.accuracy import plane_of, save_difficulty, save_iterations, save_plane
from extramaze.pictures.answers import EACH_KIND, failures_by_kind, refuse_made_elsewhere, save_strip
from extramaze.pictures.mazes import save_rows
from extramaze.pictures.trajectories import plot_dynamics
from extramaze.records import Record

FORM = "{desc}: {n_fmt} done, {elapsed}"  # how many there will be is not known


def plot_record(record: Record, out: Path, solver: IterativeSolver | None = None, quiet: bool = True) -> list[Path]:
    """Draw a record into a folder and return the PNGs; with its solver also a maze being solved and iterates,
    and with its solver or kept answers the failures.

    quiet: show no progress. Raises InputError where the solver is not the record's.
    """
    if solver is not None:
        refuse_made_elsewhere(record)
        refuse_other_solver(solver, record.summary.plan.solver)
    make_folder(out)
    pictures = _pictures(record, out, solver)
    with hold(out):
        return list(progress_bar(pictures, desc="drawing", bar_format=FORM, quiet=quiet, brief=True))


def _pictures(record: Record, out: Path, solver: IterativeSolver | None) -> Iterator[Path]:
    """Draw one picture after another."""
    yield save_difficulty(record, out / "difficulty.png")
    if any(len(cell.rungs) > 1 for cell in record.summary.cells):  # one point is no curve
        yield save_iterations(record, out / "iterations.png")
    if len(plane_of(record)[0]) > 1 and len(plane_of(record)[1]) > 1:
        yield save_plane(record, out / "plane.png")
    if solver is not None or record.answers is not None:
        drawings = failures_by_kind(record, solver)
        if drawings:
            heading = f"{record.summary.plan.solver.name}: up to {EACH_KIND} failures of each kind"
            yield save_rows(drawings, heading, out / "failures.png")
    if solver is not None:
        yield save_strip(solver, record, out / "solving.png")
    yield from plot_dynamics(record, out, solver)
