"""The first command: shipped solvers and algorithms, evaluated live on a part of ``smoke-v1``."""

from pathlib import Path

from extramaze.board_text import board_table
from extramaze.evaluation import evaluate
from extramaze.leaderboard import boards
from extramaze.mazes.files import make_folder
from extramaze.models import load
from extramaze.models.devices import resolve_device
from extramaze.pictures import save_failures
from extramaze.plan import make_part
from extramaze.replay import failures
from extramaze.tables import limits_table

SUITE = "smoke-v1"
SOLVERS = ("dt-net-thin", "it-net-thin", "dead-end-filling", "wavefront")
PART = make_part(mazes=64, watched=4)
PICTURED = "dt-net-thin"
PICTURE = "failures.png"
DRAWINGS = 8


def quickstart(out: str | Path, device: str = "auto", quiet: bool = False) -> str:
    """Evaluate the shipped solvers on a part of smoke-v1, save a picture of failures in ``out``, return the report.

    Raises InputError where weights are missing or the folder cannot be written.
    """
    target = resolve_device(device)
    solvers = {name: load(name).to(target) for name in SOLVERS}
    folder = Path(out)
    make_folder(folder)
    records = {name: evaluate(solver, SUITE, device, part=PART, quiet=quiet) for name, solver in solvers.items()}
    (board,) = boards(records.values())
    order = [row.recipe for row in board.rows]
    ranked = sorted(records.values(), key=lambda record: order.index(record.summary.plan.solver.recipe))
    drawings = failures(solvers[PICTURED], records[PICTURED], DRAWINGS)
    path = folder / PICTURE
    save_failures(drawings, f"{records[PICTURED].summary.plan.solver.name}: answers that are not optimal", path)
    return "\n\n".join(
        [
            board_table(board),
            limits_table(ranked),
            f"picture of {len(drawings)} failed mazes: {path}",
        ]
    )
