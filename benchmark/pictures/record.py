"""Every picture of a record, in one folder."""

from pathlib import Path

from extramaze.blocks.identity import refuse_other_solver
from extramaze.core.files import make_folder
from extramaze.models.contract import IterativeSolver
from extramaze.pictures.accuracy import plane_of, save_difficulty, save_iterations, save_plane
from extramaze.pictures.answers import EACH_KIND, failures_by_kind, save_strip
from extramaze.pictures.mazes import save_rows
from extramaze.pictures.trajectories import plot_dynamics
from extramaze.records import Record


def plot_record(record: Record, out: Path, solver: IterativeSolver | None = None) -> list[Path]:
    """Draw a record into a folder and return the PNGs; with its solver also failures, a maze being solved, iterates.

    Raises InputError where the solver is not the record's.
    """
    if solver is not None:
        refuse_other_solver(solver, record.summary.plan.solver)
    make_folder(out)
    drawn = [save_difficulty(record, out / "difficulty.png"), save_iterations(record, out / "iterations.png")]
    if len(plane_of(record)[0]) > 1 and len(plane_of(record)[1]) > 1:
        drawn.append(save_plane(record, out / "plane.png"))
    if solver is not None:
        drawings = failures_by_kind(solver, record)
        if drawings:
            name = record.summary.plan.solver.name
            drawn.append(out / "failures.png")
            save_rows(drawings, f"{name}: up to {EACH_KIND} failures of each kind", drawn[-1])
        drawn.append(save_strip(solver, record, out / "solving.png"))
    return [*drawn, *plot_dynamics(record, out, solver)]
