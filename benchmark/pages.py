"""Write anew what is told of the shipped records: ``python -m extramaze.pages``, in a clone, after adding one.

LEADERBOARD.md, SOLVERS.md, FINDINGS.md and pictures/ in results/, and the board in README.md; a test holds their
texts to the records. ``--quickstart`` runs that command too, for the README's first block and picture.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import extramaze.results
from extramaze.core.files import read_bytes, write_alone
from extramaze.findings import findings_text
from extramaze.leaderboard.board import Board, boards
from extramaze.leaderboard.picture import picture_names, save_boards
from extramaze.leaderboard.sources import shipped_records, shipped_verified
from extramaze.leaderboard.text import board_name, board_table
from extramaze.listings import solver_table
from extramaze.models.shipped import shipped_results
from extramaze.quickstart import PICTURE
from extramaze.records import Record

RESULTS = Path(extramaze.results.__file__).parent
README = RESULTS.parent / "README.md"
WIDTH = 120  # characters of a line in README.md
COMMAND = "python -m extramaze.pages"


def pages(records: Sequence[Record]) -> dict[Path, str]:
    """Return every page of the shipped records and its text, README.md with the present board."""
    found = boards(records, shipped_verified())
    first = next(board for board in found if (board.suite, board.mode) == ("smoke-v1", "free-running"))
    solvers = solver_table(shipped_results(), markdown=True)
    return {
        RESULTS / "LEADERBOARD.md": f"<!-- {COMMAND} -->\n\n# Leaderboard\n\n{_all_boards(found)}\n",
        RESULTS / "SOLVERS.md": f"<!-- {COMMAND} -->\n\n# Shipped solvers\n\n{solvers}\n",
        RESULTS / "FINDINGS.md": findings_text(records, "extramaze findings"),
        README: with_block(README.read_text(), "## The board", board_table(first, width=WIDTH)),
    }


def with_block(text: str, after: str, content: str) -> str:
    """Put content into the first fenced block after some words."""
    block = rf"({re.escape(after)}.*?\n```\n).*?(\n```\n)"
    text, found = re.subn(block, lambda block: f"{block[1]}{content}{block[2]}", text, count=1, flags=re.DOTALL)
    if not found:
        raise ValueError(f"no fenced block follows {after!r}")
    return text


def _all_boards(found: Sequence[Board]) -> str:
    """Write all boards, below links to their pictures."""
    named = zip(found, picture_names(found), strict=True)
    links = ",\n".join(f"[{board_name(board)}](pictures/{name})" for board, name in named)
    return "\n\n".join([f"Drawn along every axis: {links}.", *(board_table(board, markdown=True) for board in found)])


def _quickstart() -> None:
    """Run quickstart, and put what it prints and draws into README.md."""
    folder = README.parent
    printed = subprocess.run(["extramaze", "quickstart"], cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    text = with_block(README.read_text(), "evaluates the shipped solvers live", printed.stdout.strip("\n"))
    write_alone(README, text.encode())
    write_alone(RESULTS / "pictures" / PICTURE, read_bytes(folder / "runs" / "quickstart" / PICTURE))


def main() -> int:
    """Write the pages and pictures; exit code 2 where there is no clone to write them in."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quickstart", action="store_true", help="run quickstart too, for README.md: a minute")
    wanted = parser.parse_args()
    if not README.exists():
        print(f"error: {README} does not exist: run this in a clone, installed with pip install -e", file=sys.stderr)
        return 2
    if wanted.quickstart:
        _quickstart()
    records = shipped_records()
    for path, text in pages(records).items():
        write_alone(path, text.encode())
        print(path.relative_to(README.parent))
    for path in save_boards(records, RESULTS / "pictures"):
        print(path.relative_to(README.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
