"""A solver and its files in a folder of their own: as it is submitted, and as it is verified.

What is evaluated is the copy, so that a submission cannot lean on a file that is not part of it.
"""

import contextlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import packages_distributions, version
from pathlib import Path

import torch

from extramaze.core.errors import InputError
from extramaze.core.files import read_bytes, read_inside, write_atomically
from extramaze.core.yaml_files import MAX_YAML
from extramaze.models import IterativeSolver, load
from extramaze.models.contract import card_of
from extramaze.models.loading import ALGORITHMS, load_folder, plugin_solvers
from extramaze.models.shipped import recipe_names, shipped_solvers
from extramaze.models.training.log import LOG
from extramaze.models.training.outside import KEPT
from extramaze.models.training.recipe import parse_recipe
from extramaze.models.training.trained import read_result
from extramaze.models.weight_files import PICKLED, fill, weight_bytes
from extramaze.records import FILES, MAX_BYTES
from extramaze.schema.card import CARD, VERIFICATION, Card, Source
from extramaze.schema.training import MAX_WEIGHTS, RECIPE, RESULT, WEIGHTS
from extramaze.submission.members import is_member_name, read_member, write_member

MAX_CODE = MAX_BYTES  # of a solver's file, as validate reads it
NOT_CODE = (*FILES, CARD, VERIFICATION)  # what else lies in the folder
READ_THEM = (
    "read_weights(solver, Path(__file__).with_name('weights.safetensors')), with "
    "from extramaze.models import read_weights"
)


@dataclass(frozen=True, eq=False)
class Staged:
    """A solver whose files, ``names``, lie in ``place``."""

    place: Path
    source: Source
    names: tuple[str, ...]

    def load(self) -> IterativeSolver:
        """Build the solver; runs its code."""
        return load_source(self.source, self.place)


def load_source(source: Source, place: Path) -> IterativeSolver:
    """Build a solver from the files in ``place``; where its weights lie there, they are the ones it has."""
    if source.kind == "trained":
        return load_folder(place).eval()
    if source.kind == "shipped" and source.target not in shipped_solvers():
        raise InputError(f"{source.target} does not come with extramaze, as the card says it does")
    solver = load(str(place / source.target) if source.kind == "file" else source.target)
    if (place / WEIGHTS).exists():
        fill(solver, read_bytes(place / WEIGHTS, MAX_WEIGHTS), WEIGHTS)
    return solver


def unpack(folder: Path, card: Card, place: Path) -> None:
    """Copy the files that a card lists to ``place``. Raises InputError for a link, and for other bytes than listed."""
    for name, entry in card.files.items():
        content = read_member(folder, name, entry.bytes)
        if sha256(content).hexdigest() != entry.sha256:
            raise InputError(f"{folder / name} changed while it was read; verify again")
        write_member(place, name, content)


def stage(target: str, place: Path) -> Staged:
    """Copy what makes a solver into the empty folder ``place``. Raises InputError.

    A file is copied with the files that its solver is known by (``extramaze.models.foreign.origin``), in their
    sub-folders, and with the weights that it has; reading those copies must give the same solver. A trained folder is
    copied; of a package's solver only the weights are.
    """
    source = find_source(target)
    if source.kind == "trained":
        names = [name for name in (RECIPE, RESULT, WEIGHTS, LOG) if (Path(target) / name).exists()]
        for name in names:
            write_atomically(place / name, read_inside(Path(target), name, MAX_WEIGHTS))
        names += _copy_kept(Path(target), place)
        load_folder(place)
        return Staged(place, source, tuple(names))
    solver = load(target)
    names = []
    _refuse_shipped_name(solver, source)
    if source.kind in ("file", "installed") and solver.state_dict():
        names.append(WEIGHTS)
        write_atomically(place / WEIGHTS, _exported(solver))
    if source.kind == "file":
        path = Path(target.rpartition(":")[0])
        names += _copy_code(solver, place, names)
        _compare(solver, place / source.target, path)
    return Staged(place, source, tuple(names))


def find_source(target: str) -> Source:
    """Say where a solver's code is. Raises InputError for a module that no installed package holds."""
    name = target.partition("@")[0]
    if target in ALGORITHMS or name in recipe_names():
        return Source(kind="shipped", target=card_of(load(target)).name, distribution=None)
    for plugin in plugin_solvers():
        if plugin.name == target:
            return Source(kind="installed", target=target, distribution=plugin.distribution)
    place, colon, factory = target.rpartition(":")
    if colon and place.endswith(".py"):
        stated = f"{Path(place).name}:{factory}"
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*\.py:\w+", stated):
            raise InputError(f"{target}: a submitted file is named by letters, digits, _ and -; rename it")
        return Source(kind="file", target=stated, distribution=None)
    if colon:
        found = packages_distributions().get(place.partition(".")[0])
        if not found:
            raise InputError(
                f"{target}: {place} is in no installed package, so nobody else could load it; install the package "
                "(pip install .), or submit a single file.py:factory"
            )
        return Source(kind="installed", target=target, distribution=f"{found[0]} {version(found[0])}")
    if Path(target).is_dir():
        return Source(kind="trained", target=".", distribution=None)
    load(target)  # says what is wrong with the name
    raise InputError(f"{target} cannot be submitted; give file.py:factory, module:factory or a trained folder")


def needs_trust(source: Source, folder: Path) -> bool:
    """Whether building the solver runs code that does not come with extramaze. folder: with its recipe, if any."""
    if source.kind == "trained":
        return parse_recipe(read_inside(folder, RECIPE, MAX_YAML), RECIPE).architecture.from_outside
    return source.kind != "shipped"


def shipped_source(name: str) -> Source | None:
    """Return where the solver of a record without a card comes from: with extramaze; None where it does not."""
    return Source(kind="shipped", target=name, distribution=None) if name in shipped_solvers() else None


def _exported(solver: IterativeSolver) -> bytes:
    try:
        return weight_bytes(solver)
    except (RuntimeError, ValueError) as problem:
        text = " ".join(str(problem).split())
        raise InputError(f"the solver's weights cannot be written as safetensors: {text[:300]}") from problem


def _copy_code(solver: IterativeSolver, place: Path, taken: Collection[str]) -> list[str]:
    """Copy the files of a solver's code but those whose names are taken; return their names. Raises InputError."""
    origin = solver.origin
    if origin is None:
        return []
    names = sorted(origin.paths.keys() - set(taken))
    for name in names:
        if not is_member_name(name) or name in NOT_CODE:
            raise InputError(f"the solver's file {name} cannot be submitted under this name; use letters, digits, ._-")
        if Path(name).suffix.lower() in PICKLED:
            raise InputError(f"the solver opens {name}, a pickle, which could run code; {READ_THEM}")
        content = read_bytes(origin.paths[name], MAX_CODE)
        if sha256(content).hexdigest() != origin.files[name]:
            raise InputError(f"{name} changed while the solver was loaded; submit again")
        write_member(place, name, content)
    return names


def _copy_kept(folder: Path, place: Path) -> list[str]:
    """Copy the files that a trained folder keeps of an architecture from outside; return their names."""
    if not (folder / KEPT).is_dir():
        return []
    names = [f"{KEPT}/{name}" for name in sorted(read_result(place).code) if (folder / KEPT / name).is_file()]
    for name in names:
        if not is_member_name(name):
            raise InputError(f"the architecture's file {name} cannot be submitted under this name; use letters, digits")
        write_member(place, name, read_member(folder, name, MAX_CODE))
    return names


def _compare(solver: IterativeSolver, copy: Path, path: Path) -> None:
    """Raise InputError unless the copied file, by itself and beside the exported weights, gives the same solver."""
    try:
        with contextlib.chdir(copy.parent), torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch.initial_seed() + 1)  # what is drawn at random is not read from a file
            alone = load(str(copy))
    except InputError as problem:
        raise InputError(
            f"{path} does not load from a folder of its own: {problem}. What it imports and opens lies beside it or "
            f"below, and its weights are read from beside it: {READ_THEM}"
        ) from problem
    ours, theirs = solver.state_dict(), alone.state_dict()
    same = ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    if not same:
        raise InputError(
            f"{path} gives other weights from a folder of its own; it must read the exported ones from beside itself: "
            f"{READ_THEM}"
        )


def _refuse_shipped_name(solver: IterativeSolver, source: Source) -> None:
    recipe = card_of(solver).recipe
    if source.kind != "shipped" and recipe in (*ALGORITHMS, *recipe_names()):
        raise InputError(f"the solver's card says recipe {recipe!r}, which is extramaze's own; give it another name")
