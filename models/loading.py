"""Find a solver by what people write: a shipped name, a plugin's, a factory, or a folder with a trained one."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.resources import as_file, files
from pathlib import Path

from extramaze.core.errors import InputError, unknown_name
from extramaze.models.blending.folder import is_blend, read_blend
from extramaze.models.contract import IterativeSolver, SolverCard
from extramaze.models.dead_end_filling import DeadEndFilling
from extramaze.models.foreign.factory import Factory
from extramaze.models.plugins import Plugin, find_plugin, plugins
from extramaze.models.shipped import recipe_names, shipped_seeds
from extramaze.models.training.trained import provenance_of, read_solver
from extramaze.models.wall_follower import WallFollower
from extramaze.models.wavefront import Wavefront

MAX_TARGET = 1000  # characters of what a solver is found by
ALGORITHMS: dict[str, Callable[[], IterativeSolver]] = {
    "dead-end-filling": DeadEndFilling,
    "wall-follower": WallFollower,
    "wavefront": Wavefront,
}


def plugin_solvers() -> list[Plugin]:
    """List the solvers that installed packages announce, importing none."""
    return plugins(_own_names())


def plugin_fault(plugin: Plugin) -> str | None:
    """Load a plugin's solver, which runs its code; say what is wrong with it, None where nothing is."""
    try:
        _load_plugin(plugin)
    except InputError as problem:
        return str(problem)
    return None


def load(target: str | Path) -> IterativeSolver:
    """Load a solver, in evaluation mode, with its card.

    target: a shipped recipe (``dt-net-thin``: its lowest shipped seed; ``dt-net-thin@3``: that one), an algorithm
        (``wavefront``), a plugin's name, ``package.module:factory``, ``path/to/file.py:factory``, or a folder that
        ``extramaze train`` wrote, as a Path always is. A factory takes no arguments and returns an IterativeSolver;
        loading a plugin's, or a factory, runs its code.

    Raises InputError, also for a name that two packages, or one and extramaze, claim.
    """
    if isinstance(target, Path):
        return load_folder(target)
    if not isinstance(target, str):
        raise InputError(f"a solver is named by text or a folder's path, got {type(target).__name__}")
    if "\0" in target or len(target) > MAX_TARGET:
        raise InputError(
            f"a solver is named in at most {MAX_TARGET} characters, none of them NUL, got {target[:40]!r}…"
        )
    name, at, seed = target.partition("@")
    plugin = find_plugin(target, _own_names())
    if plugin is not None:
        solver = _load_plugin(plugin)
    elif target in ALGORITHMS:
        solver = ALGORITHMS[target]().eval()
    elif name in shipped_names():
        solver = _load_shipped(name, seed if at else None)
    elif ":" in target:
        solver = _load_factory(target)
    elif target and _found(Path(target).is_dir, target):
        solver = load_folder(Path(target))
    elif target.endswith(".py"):
        raise InputError(f"solver {target!r}: name the function that makes the solver, {target}:make")
    else:
        others = [plugin.name for plugin in plugin_solvers() if plugin.problem is None]
        raise unknown_name("solver", target, [*ALGORITHMS, *shipped_seeds(), *others])
    return solver


def _found(is_there: Callable[[], bool], target: str) -> bool:
    """Look for a target's file or folder. Raises InputError where the system cannot: for a name that is too long."""
    try:
        return is_there()
    except OSError as problem:
        raise InputError(f"solver {target!r}: no file or folder to look into: {problem.strerror}") from problem


def shipped_names() -> list[str]:
    """List the names that shipped networks have, or would have with weights: of recipes and of blends."""
    return sorted({*recipe_names(), *shipped_seeds()})


def _own_names() -> list[str]:
    return [*ALGORITHMS, *shipped_names()]


def _load_plugin(plugin: Plugin) -> IterativeSolver:
    """Load what a distribution announces; it is blamed for whatever fails."""
    try:
        return _load_factory(plugin.target)
    except InputError as problem:
        raise InputError(f"plugin {plugin.name} of {plugin.distribution}: {problem}") from problem


def load_folder(folder: Path) -> IterativeSolver:
    """Load a trained solver's folder (recipe.yaml, training.json, weights.safetensors), or a blend's (blend.json)."""
    if is_blend(folder):
        return read_blend(folder)[0]
    solver, recipe, result = read_solver(folder)
    solver.card = SolverCard(
        name=f"{recipe.name}@{result.seed}",
        recipe=recipe.name,
        seed=result.seed,
        scale=recipe.data.scale,
        weights_sha256=result.weights_sha256,
        provenance=provenance_of(recipe, result),
    )
    return solver.eval()


def _load_shipped(name: str, seed: str | None) -> IterativeSolver:
    with _shipped_folder(name, seed) as folder:
        return load_folder(folder)


def _shipped_folder(name: str, seed: str | None) -> AbstractContextManager[Path]:
    """Open the folder of a shipped seed, of the lowest where none is given. Raises InputError where there is none."""
    seeds = shipped_seeds().get(name, [])
    if not seeds:
        raise InputError(
            f"no weights are shipped for {name}; train them: extramaze train --recipe {name} --out runs/{name}-0"
        )
    if seed is not None and seed not in map(str, seeds):
        raise InputError(f"no shipped seed {seed!r} of {name}; shipped: {', '.join(map(str, seeds))}")
    return as_file(files("extramaze.models") / "weights" / name / (seed or str(seeds[0])))


def weights_folder(target: str | Path) -> AbstractContextManager[Path]:
    """Open the folder that holds a solver's weights and says how they were made: a shipped name's, or a folder.

    Raises InputError for whatever else ``load`` takes: an algorithm has no weights, and a factory tells no recipe.
    """
    name, at, seed = str(target).partition("@")
    if isinstance(target, str) and name in shipped_names():
        return _shipped_folder(name, seed if at else None)
    if "\0" not in str(target) and str(target) and _found(Path(target).is_dir, str(target)):
        return nullcontext(Path(target))
    if target in ALGORITHMS:
        raise InputError(f"{target} is an algorithm and has no weights; name a trained network")
    if ":" in str(target) or find_plugin(str(target), _own_names()) is not None:
        raise InputError(
            f"{target}: how a solver of one's own code was built is not known; give a shipped name with weights, or a "
            "folder that extramaze train or blend wrote"
        )
    raise unknown_name("solver with weights", target, shipped_seeds())


def _load_factory(target: str) -> IterativeSolver:
    """Run ``module:factory`` or ``file.py:factory``; any failure of the foreign code is one InputError."""
    source, _, attribute = target.rpartition(":")
    if source.endswith(".py") and not _found(Path(source).is_file, target):
        raise InputError(f"solver {target!r}: there is no file {source}")
    return Factory.find(source, attribute, f"solver {target!r}")()
