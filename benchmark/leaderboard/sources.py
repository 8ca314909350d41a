"""Where a board's records, and what came out when they were run again, are read from: folders, and the package."""

from collections.abc import Callable, Collection, Iterable
from importlib.resources import as_file, files
from pathlib import Path

from extramaze.comparing.baselines import is_baseline_copy
from extramaze.core.errors import InputError
from extramaze.core.folders import find_below
from extramaze.core.paths import real
from extramaze.core.progress import progress_bar
from extramaze.records import SUMMARY, Record, read_record
from extramaze.verification.verification import VERIFICATIONS, Verification, read_verifications, refuse_own_word


def find_records(
    folders: Iterable[Path], quiet: bool = True, refused: Callable[[InputError], object] | None = None
) -> list[Record]:
    """Read every record in or below the folders, copies kept by baselines left out.

    It is enough that their very files were checked before. quiet: show no progress. refused: called with the problem of
    each record that cannot be read, which is left out; None for none to be. A record's own folder that was named is
    never left out.

    Raises InputError for a folder without any record, and where none can be read.
    """
    places: dict[Path, Path] = {}
    named = list(folders)
    for folder in named:
        found = _summaries(folder)
        if not found:
            raise InputError(f"no record ({SUMMARY}) in or below {folder}; make one with extramaze evaluate")
        places |= {real(path): path.parent for path in found}
    strict = named if refused else list(places.values())
    records, problems = _read(list(places.values()), strict, quiet)
    for problem in problems:
        if refused:
            refused(problem)
    return records


def find_verified(folders: Iterable[Path] = ()) -> dict[str, Verification]:
    """Read the sound verifications that come with the package, and those in folders of them, by their records' sha256.

    No others are ever believed. Raises InputError for what is no folder, or lies within a record's own.
    """
    given = list(folders)
    for folder in given:
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder of verifications; extramaze verify ROW --out FOLDER writes one")
        refuse_own_word(folder)
    with as_file(files("extramaze.results") / VERIFICATIONS) as shipped:
        return read_verifications(Path(shipped), *given)


def shipped_records(quiet: bool = True) -> list[Record]:
    """Read the records that come with the package. quiet: show no progress."""
    with as_file(files("extramaze.results")) as folder:
        places = [path.parent for path in _summaries(Path(folder))]
        return _read(places, places, quiet)[0]


def shipped_verified() -> dict[str, Verification]:
    """Read the verifications that come with the package."""
    return find_verified()


def read_given(folder: Path) -> Record:
    """Read a record; of one that comes with the package it is enough that its very files were checked before."""
    with as_file(files("extramaze.results")) as shipped:
        return read_record(folder, checked_once=real(folder).is_relative_to(real(shipped)))


def _read(places: Collection[Path], strict: Collection[Path], quiet: bool) -> tuple[list[Record], list[InputError]]:
    """Return the records, and what is wrong with those that cannot be read; of the strict ones all can."""
    records, problems = [], []
    for place in progress_bar(places, desc="reading records", unit="record", quiet=quiet, brief=True):
        try:
            records.append(read_record(place, checked_once=True))
        except InputError as problem:
            if place in strict:
                raise
            problems.append(problem)
    if problems and not records:
        raise problems[0]
    return records, problems


def _summaries(folder: Path) -> list[Path]:
    return [path for path in find_below(folder, SUMMARY) if not is_baseline_copy(path.parent)]
