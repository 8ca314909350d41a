"""Answers that were made elsewhere: by a language model, another framework, or code that cannot be shared.

A file of answers is an ``.npz`` archive or ``.jsonl`` lines. In an archive the array named like a cell holds its masks,
(N, H, W) of 0 and 1 at the suite's scale, for mazes 0 … N − 1, or for those listed in ``CELL.index``. A line is
``{"cell": "size-9", "index": 0, "answer": "#####…"}`` with the characters ``# SGo`` of the thin image, row by row, line
ends ignored. Every maze of every cell needs an answer; one that cannot be read (null, another length, other characters)
is kept, as one that predicts nothing, and counted. Nothing is masked: an answer through a wall is wrong. Its path alone
is scored; an answer that draws other walls, or another start or goal, than its question has is counted too.
"""

import hashlib
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from extramaze.core.archives import check_archive
from extramaze.core.errors import InputError, unknown_name
from extramaze.core.files import read_bytes
from extramaze.core.signatures import HEAD, NPZ, kind_of, why_unreadable
from extramaze.evaluation.answer_lines import answer_lines, drawn_otherwise, read_mask, refuse_other_question
from extramaze.mazes import generate, to_tokens
from extramaze.mazes.pixels import raster_shape
from extramaze.schema.suite import Suite

MAX_BYTES = 2**30
INDEX = ".index"
MOST_BYTES_A_PIXEL, SLACK_BYTES = 16, 2**20  # of an archive's masks: twice float64's, the indices among them


@dataclass(frozen=True, eq=False)
class AnswerFile:
    """Answers to the mazes of some cells.

    masks: by cell, uint8 (N, H, W) at the suite's scale. notes: how many answers could not be read, or draw another
    question, with one of each. sha256: of the file they came from.
    """

    masks: dict[str, np.ndarray]
    notes: tuple[str, ...]
    sha256: str


def read_answers(path: str | Path, suite: Suite, counts: dict[str, int]) -> AnswerFile:
    """Read answers to the first ``counts[cell]`` mazes of each cell of a suite.

    Raises InputError for an unreadable file, a cell the suite does not have, masks of another shape or with values
    other than 0 and 1, an index twice or too large, a question beside an answer that is another maze, and mazes without
    an answer.
    """
    path = Path(path)
    content = read_bytes(path, MAX_BYTES)
    book = _Book(path, suite, counts)
    if path.suffix == ".npz":
        _read_archive(book, content)
    elif path.suffix == ".jsonl":
        if suite.scale != 1:
            raise InputError(f"{path}: strings are of the thin image, and {suite.name} has scale 2; give masks as .npz")
        _read_lines(book, content)
    else:
        raise InputError(f"{path}: expected masks in an .npz archive, or strings in .jsonl lines")
    return AnswerFile(book.finish(), book.notes(), hashlib.sha256(content).hexdigest())


class _Book:
    """Collects answers by cell and index, and sees that each is given once."""

    def __init__(self, path: Path, suite: Suite, counts: dict[str, int]) -> None:
        self.path, self.suite, self.counts = path, suite, counts
        self.cells = {cell.name: cell for cell in suite.cells}
        self.shapes = {name: raster_shape(cell.maze_spec.shape, suite.scale) for name, cell in self.cells.items()}
        self.masks = {cell: np.zeros((count, *self.shapes[cell]), np.uint8) for cell, count in counts.items()}
        self.given = {cell: np.zeros(count, bool) for cell, count in counts.items()}
        self.drawn: dict[str, list[str]] = {}
        self.unreadable: list[str] = []
        self.other_questions: list[str] = []

    def check_cell(self, cell: str, where: object) -> None:
        """Raise InputError for a cell that is not the suite's."""
        if cell not in self.shapes:
            raise InputError(f"{where}: {unknown_name('cell', cell, self.shapes)}")

    def wants(self, cell: str, index: int, where: object) -> bool:
        """Whether this answer is asked for. Raises InputError for a maze that the cell has not, or has twice."""
        self.check_cell(cell, where)
        if index >= self.cells[cell].count:
            last = self.cells[cell].count - 1
            raise InputError(f"{where}: an answer for maze {index} of {cell}, whose mazes are 0 to {last}")
        if index >= self.counts.get(cell, 0):
            return False
        if self.given[cell][index]:
            raise InputError(f"{where}: two answers for maze {index} of {cell}; keep one")
        self.given[cell][index] = True
        return True

    def question(self, cell: str, index: int) -> str:
        """Return a maze as the string that a sequence model is given."""
        if cell not in self.drawn:
            spec, count = self.cells[cell].maze_spec, self.counts[cell]
            self.drawn[cell] = to_tokens(generate(spec, count, split=self.suite.split))
        return self.drawn[cell][index]

    def notes(self) -> tuple[str, ...]:
        """Say how many answers could not be read, or draw another question than theirs."""
        told = {
            "could not be read and count as empty": self.unreadable,
            "draw another maze than their question, and their paths are scored on the question": self.other_questions,
        }
        count = sum(self.counts.values())
        return tuple(
            f"{len(found)} of {count} answers {what}, such as {found[0]}" for what, found in told.items() if found
        )

    def finish(self) -> dict[str, np.ndarray]:
        """Return the masks. Raises InputError where a maze has none."""
        for cell, given in self.given.items():
            if not given.all():
                missing = int((~given).sum())
                raise InputError(
                    f"{self.path}: {missing} of {len(given)} mazes of {cell} have no answer, first maze "
                    f"{int(given.argmin())}; answer every maze, or evaluate a part (--cells, --limit)"
                )
        return self.masks


def _read_archive(book: _Book, content: bytes) -> None:
    if (kind := kind_of(content[:HEAD])) != NPZ:
        raise InputError(f"{book.path}: not a readable archive (.npz) but {kind}")
    pixels = sum(cell.count * math.prod(book.shapes[name]) for name, cell in book.cells.items())
    check_archive(content, str(book.path), SLACK_BYTES + MOST_BYTES_A_PIXEL * pixels)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
            names = list(file.files)
    except Exception as problem:  # zipfile, zlib and numpy each have their own for a damaged archive
        raise InputError(f"{book.path}: not a readable archive: {why_unreadable(problem)}") from problem
    if len(names) > len(arrays):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{book.path}: two arrays called {twice}; keep one")
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise InputError(f"{book.path}: {name} is no array; write the archive with numpy.savez")
        if name.endswith(INDEX) and name.removesuffix(INDEX) not in arrays:
            raise InputError(f"{book.path}: {name} stands alone; give the masks as {name.removesuffix(INDEX)}")
    for cell in (name for name in arrays if not name.endswith(INDEX)):
        book.check_cell(cell, book.path)
        masks = arrays[cell]
        fits = masks.shape[1:] == book.shapes[cell] and masks.dtype.kind in "biuf"
        if not fits or not np.isin(masks, (0, 1)).all():
            height, width = book.shapes[cell]
            found = f"{masks.shape} of {masks.dtype}"
            raise InputError(f"{book.path}: {cell} must be (N, {height}, {width}) of 0 and 1, got {found}")
        indices = arrays.get(cell + INDEX, np.arange(len(masks)))
        if indices.shape != (len(masks),) or not np.issubdtype(indices.dtype, np.integer) or (indices < 0).any():
            raise InputError(f"{book.path}: {cell}{INDEX} must hold {len(masks)} maze indices from 0")
        for index, mask in zip(indices.tolist(), masks, strict=True):
            if book.wants(cell, index, book.path):
                book.masks[cell][index] = mask


def _read_lines(book: _Book, content: bytes) -> None:
    for where, line in answer_lines(book.path, content):
        if not book.wants(line.cell, line.index, where):
            continue
        height, width = book.shapes[line.cell]
        question, name = book.question(line.cell, line.index), f"{line.cell} #{line.index}"
        refuse_other_question(line, question, width, where)
        mask = read_mask(line.answer, height, width)
        if isinstance(mask, str):
            book.unreadable.append(f"{name}: {mask}")
            continue
        book.masks[line.cell][line.index] = mask
        otherwise = drawn_otherwise(line.answer or "", question)
        if otherwise:
            book.other_questions.append(f"{name}: other {', '.join(otherwise)}")
