"""Answers that were made elsewhere: by a language model, another framework, or code that cannot be shared.

A file of answers is an ``.npz`` archive or ``.jsonl`` lines. In an archive the array named like a cell holds its masks,
(N, H, W) of 0 and 1 at the suite's scale, for mazes 0 … N − 1, or for those listed in ``CELL.index``. A line is
``{"cell": "size-9", "index": 0, "answer": "#####…"}`` with the characters ``# SGo`` of the thin image, row by row, line
ends ignored. Every maze of every cell needs an answer; one that cannot be read (null, another length, other characters)
is kept, as one that predicts nothing, and counted. Nothing is masked: an answer through a wall is wrong.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from extramaze.core.checked import Strict, parse_json
from extramaze.core.errors import InputError, unknown_name
from extramaze.core.files import read_bytes
from extramaze.mazes import answers_from_tokens
from extramaze.mazes.raster import raster_shape
from extramaze.mazes.tokens import CHARSET
from extramaze.suites import Suite

MAX_BYTES = 2**30
INDEX = ".index"


class AnswerLine(Strict):
    """One answer of a ``.jsonl`` file. width, maze: of the question, which may stand beside it, and are not read."""

    cell: str
    index: int = Field(ge=0)
    answer: str | None
    width: int | None = None
    maze: str | None = None


@dataclass(frozen=True, eq=False)
class AnswerFile:
    """Answers to the mazes of some cells.

    masks: by cell, uint8 (N, H, W) at the suite's scale. unreadable: how many answers could not be read; example: one
    of these, and why. sha256: of the file they came from.
    """

    masks: dict[str, np.ndarray]
    unreadable: int
    example: str
    sha256: str


def read_answers(path: str | Path, suite: Suite, counts: dict[str, int]) -> AnswerFile:
    """Read answers to the first ``counts[cell]`` mazes of each cell of a suite.

    Raises InputError for an unreadable file, a cell the suite does not have, masks of another shape or with values
    other than 0 and 1, an index twice or too large, and mazes without an answer.
    """
    path = Path(path)
    content = read_bytes(path, MAX_BYTES)
    shapes = {cell.name: raster_shape(cell.maze_spec.shape, suite.scale) for cell in suite.cells}
    book = _Book(path, shapes, {cell.name: cell.count for cell in suite.cells}, counts)
    if path.suffix == ".npz":
        _read_archive(book, content)
    elif path.suffix == ".jsonl":
        if suite.scale != 1:
            raise InputError(f"{path}: strings are of the thin image, and {suite.name} has scale 2; give masks as .npz")
        _read_lines(book, content)
    else:
        raise InputError(f"{path}: expected masks in an .npz archive, or strings in .jsonl lines")
    return AnswerFile(book.finish(), book.unreadable, book.example, hashlib.sha256(content).hexdigest())


class _Book:
    """Collects answers by cell and index, and sees that each is given once."""

    def __init__(
        self, path: Path, shapes: dict[str, tuple[int, int]], there_are: dict[str, int], counts: dict[str, int]
    ) -> None:
        self.path, self.shapes, self.there_are, self.counts = path, shapes, there_are, counts
        self.masks = {cell: np.zeros((count, *shapes[cell]), np.uint8) for cell, count in counts.items()}
        self.given = {cell: np.zeros(count, bool) for cell, count in counts.items()}
        self.unreadable, self.example = 0, ""

    def check_cell(self, cell: str) -> None:
        """Raise InputError for a cell that is not the suite's."""
        if cell not in self.shapes:
            raise InputError(f"{self.path}: {unknown_name('cell', cell, self.shapes)}")

    def put(self, cell: str, index: int, mask: np.ndarray | str) -> None:
        """Enter an answer, or why it could not be read; answers beyond what is asked for are left out."""
        self.check_cell(cell)
        if index >= self.there_are[cell]:
            last = self.there_are[cell] - 1
            raise InputError(f"{self.path}: an answer for maze {index} of {cell}, whose mazes are 0 to {last}")
        if index >= self.counts.get(cell, 0):
            return
        if self.given[cell][index]:
            raise InputError(f"{self.path}: two answers for maze {index} of {cell}; keep one")
        self.given[cell][index] = True
        if isinstance(mask, str):
            self.unreadable += 1
            self.example = self.example or f"{cell} #{index}: {mask}"
        else:
            self.masks[cell][index] = mask

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
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
            names = list(file.files)
    except Exception as problem:  # zipfile, zlib and numpy each have their own for a damaged archive
        raise InputError(f"{book.path}: not a readable archive: {type(problem).__name__}: {problem}") from problem
    if len(names) > len(arrays):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{book.path}: two arrays called {twice}; keep one")
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise InputError(f"{book.path}: {name} is no array; write the archive with numpy.savez")
        if name.endswith(INDEX) and name.removesuffix(INDEX) not in arrays:
            raise InputError(f"{book.path}: {name} stands alone; give the masks as {name.removesuffix(INDEX)}")
    for cell in (name for name in arrays if not name.endswith(INDEX)):
        book.check_cell(cell)
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
            book.put(cell, index, mask)


def _read_lines(book: _Book, content: bytes) -> None:
    for line in _lines(book.path, content):
        book.check_cell(line.cell)
        book.put(line.cell, line.index, _read_mask(line.answer, *book.shapes[line.cell]))


def _read_mask(answer: str | None, height: int, width: int) -> np.ndarray | str:
    """Return the mask of an answer, (height, width), or say why there is none."""
    if answer is None:
        return "null"
    text = "".join(answer.splitlines())
    strange = sorted(set(text) - set(CHARSET))
    if strange:
        return f"{strange[0]!r} in it; only {CHARSET!r} and line ends are read, and o marks the path"
    if max(text.count("S"), text.count("G")) > 1:
        return "more than one S or G; the path is marked with o"
    if len(text) != height * width:
        return f"{len(text)} characters, not {height} × {width}"
    return answers_from_tokens([text], width)[0]


def _lines(path: Path, content: bytes) -> Iterator[AnswerLine]:
    for number, text in enumerate(content.splitlines(), start=1):
        if text.strip():
            yield parse_json(AnswerLine, text, f"{path} line {number}")
