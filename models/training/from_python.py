"""Train from Python: a recipe, a class of one's own, or a solver as it is."""

import hashlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from safetensors.torch import save

from extramaze.core.errors import InputError
from extramaze.core.names import taken_for
from extramaze.models.contract import IterativeSolver, card_of
from extramaze.models.foreign.libraries import OURS, is_installed
from extramaze.models.shipped import recipe_names
from extramaze.models.training.architectures import BUILDERS
from extramaze.models.training.boards import TENSORBOARD, WANDB
from extramaze.models.training.order import Order
from extramaze.models.training.outside import Home
from extramaze.models.training.start import Start
from extramaze.models.training.train import carry_out
from extramaze.models.weight_files import misfits, read_weights
from extramaze.schema.training import WEIGHTS, TrainingResult

PLAIN = (bool, int, float, str, list, tuple, dict)
NO_PAPER = "none"
Changes: TypeAlias = Mapping[str, Mapping[str, Any] | None]  # of a recipe, by its parts


def train(
    solver_or_recipe: str | Path | type[IterativeSolver] | IterativeSolver,
    out: str | Path,
    seed: int = 0,
    *,
    like: str | Path = "dt-net-thin",
    name: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    validation: Mapping[str, Any] | None = None,
    device: str = "auto",
    quiet: bool = False,
    init_from: str | None = None,
    tensorboard: bool = False,
    wandb: bool = False,
) -> TrainingResult:
    """Train into the folder ``out``, resuming what is there; ``extramaze.models.load(out)`` gives the solver.

    solver_or_recipe: a shipped recipe's name or a YAML file; a class, which begins with the seed's weights; or a
        solver, which begins with its own and has the trained ones afterwards. A class lies in a file or a package.
    like: the recipe whose data, training and validation a class or a solver is trained by.
    name: of the recipe that is written; default the class's. arguments: of the class's constructor, as far as the
        solver does not hold them as attributes of the same names.
    data, training, validation: keys that take the place of the recipe's; one that is None is left out.
    device, quiet, init_from, tensorboard, wandb: as ``extramaze train`` has them.

    Raises InputError for what cannot be trained, TrainingDiverged where the loss is no longer a number.
    """
    boards = [board for board, wanted in ((TENSORBOARD, tensorboard), (WANDB, wandb)) if wanted]
    changes = {"data": data, "training": training, "validation": validation}
    if isinstance(solver_or_recipe, str | Path):
        if arguments is not None:
            raise InputError("arguments belong to a class or a solver; a recipe states those of its architecture")
        order = _of_recipe(solver_or_recipe, name, changes)
        return carry_out(order, seed, Path(out), device, quiet, init_from, boards)
    solver = None if isinstance(solver_or_recipe, type) else solver_or_recipe
    kind = solver_or_recipe if isinstance(solver_or_recipe, type) else type(solver_or_recipe)
    if not issubclass(kind, IterativeSolver):
        raise InputError(f"expected a recipe, an IterativeSolver or a class of them, got {kind.__name__}")
    if solver is not None and init_from is not None:
        raise InputError("a solver begins with its own weights; leave init_from out, or give its class")
    order = _of_class(kind, _arguments(kind, solver, arguments or {}), like, name, changes)
    start = init_from if solver is None else _start(solver, order)
    result = carry_out(order, seed, Path(out), device, quiet, start, boards)
    if solver is not None:
        read_weights(solver, Path(out) / WEIGHTS)
        solver.eval()
    return result


def _of_recipe(recipe: str | Path, name: str | None, changes: Changes) -> Order:
    """Order a recipe, under another name where it is changed. Raises InputError."""
    order = Order.read(recipe)
    if name is None and not any(changes.values()):
        return order
    return _named(order, _merged(order.content, changes) | {"name": name or order.recipe.name})


def _of_class(
    kind: type[IterativeSolver], arguments: Mapping[str, Any], like: str | Path, name: str | None, changes: Changes
) -> Order:
    """Order a class by another recipe's data, training and validation. Raises InputError."""
    builder, folder = _builder(kind)
    order = Order.read(like)
    own = {"name": name or _kebab(kind.__name__), "paper": NO_PAPER, "architecture": {"builder": builder, **arguments}}
    return _named(replace(order, home=Home(folder)), _merged(order.content, changes) | own)


def _named(order: Order, content: dict[str, Any]) -> Order:
    """Change an order. Raises InputError where the name is a shipped recipe's, or like one."""
    changed = order.changed(content)
    own = taken_for(changed.recipe.name, recipe_names())
    if own is not None:
        raise InputError(f"this is another recipe than the shipped {own}; give it a name of its own: name=…")
    return changed


def _merged(content: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Put keys in the place of a recipe's, part by part."""
    merged = dict(content)
    for part, keys in changes.items():
        both = {**content[part], **(keys or {})}
        merged[part] = {key: value for key, value in both.items() if value is not None}
    return merged


def _builder(kind: type[IterativeSolver]) -> tuple[str, Path]:
    """Return how a recipe names a class, and the folder from which. Raises InputError where it lies in no file."""
    own = [builder for builder, made in BUILDERS.items() if made is kind]
    if own:
        return own[0], Path()
    try:
        path = Path(inspect.getfile(kind)).absolute()
    except (OSError, TypeError):
        path = Path()
    if not path.is_file() or kind.__module__ == "__main__":  # a script would train again as its class is looked for
        raise InputError(f"{kind.__name__} lies in no file of its own, for a folder to keep; import it from one")
    if is_installed(path) or kind.__module__.partition(".")[0] == OURS:
        return f"{kind.__module__}:{kind.__qualname__}", Path()
    return f"{path.name}:{kind.__qualname__}", path.parent


def _arguments(kind: type[IterativeSolver], solver: IterativeSolver | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a constructor: those that are given, and those that a solver holds by their names."""
    names = [name for name in inspect.signature(kind).parameters if name not in given]
    held = {name: getattr(solver, name) for name in names if isinstance(getattr(solver, name, None), PLAIN)}
    return {**held, **given}


def _start(solver: IterativeSolver, order: Order) -> Start:
    """Begin with a solver's own weights. Raises InputError where the arguments do not make such a one."""
    weights = {name: value.detach().cpu().contiguous() for name, value in solver.state_dict().items()}
    wrong = misfits(order.recipe.architecture.build(order.home).state_dict(), weights)
    if wrong:
        raise InputError(
            f"{type(solver).__name__}: with {order.recipe.architecture.arguments} another network is built, first "
            f"{wrong[0]}; say with which arguments this one was: arguments={{…}}"
        )
    return Start(card_of(solver).name, hashlib.sha256(save(weights)).hexdigest(), weights)


def _kebab(name: str) -> str:
    """Write a class's name as a recipe's: ``ConvGRU`` → ``conv-gru``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).replace("_", "-").lower()
