"""How a training run begins: in a folder of its own, with fresh weights or with those of a trained solver."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.core.files import is_free, make_folder, read_bytes, write_atomically
from extramaze.core.line_ends import CHANGED_ENDS, differs_in_line_ends
from extramaze.core.words import counted
from extramaze.core.yaml_files import MAX_YAML
from extramaze.models.calling import begin, calling, next_state, read_logits
from extramaze.models.contract import IterativeSolver, card_of
from extramaze.models.loading import load
from extramaze.models.operations import comb
from extramaze.models.states import one_tensor
from extramaze.models.training.checkpoint import CHECKPOINT
from extramaze.models.training.optimise import PROBE_SIDE
from extramaze.models.training.outside import KEPT, NO_CODE, Code, code_of, keep_code, refuse_changed_code
from extramaze.models.training.recipe import Recipe, pass_problems
from extramaze.models.weight_files import misfits, weight_bytes
from extramaze.schema.training import RECIPE, RESULT


@dataclass(frozen=True)
class Start:
    """The weights that a run begins with. name: the solver's. sha256: of its weights file."""

    name: str
    sha256: str
    weights: dict[str, Tensor]


def read_start(target: str, recipe: Recipe, make: Callable[[], IterativeSolver]) -> Start:
    """Load a trained solver to go on from. Raises InputError where the recipe builds another architecture."""
    solver = load(target)
    weights = {name: value.contiguous() for name, value in solver.state_dict().items()}
    recipe.architecture.check_size(sum(value.nbytes for value in weights.values()), f"--init-from {target}")
    wrong = misfits(make().state_dict(), weights)
    if wrong:
        raise InputError(
            f"--init-from {target}: {counted(len(wrong), 'tensor')} unlike the architecture of recipe {recipe.name}, "
            f"first {wrong[0]}"
        )
    card = card_of(solver)
    return Start(card.name, card.weights_sha256 or hashlib.sha256(save(weights)).hexdigest(), weights)


def sample(make: Callable[[], IterativeSolver], recipe: Recipe) -> Code:
    """Build an architecture from outside once, before anything is written, and see that it can be trained.

    Returns its code. Raises InputError where it breaks the contract at its first step, or where nothing can be learned.
    """
    side = PROBE_SIDE[recipe.data.scale]
    x = comb(side, side).repeat(2, 1, 1, 1)
    with torch.random.fork_rng(devices=[]):
        solver = make()
        ours = one_tensor(solver)
        with torch.no_grad(), calling(solver):
            state = begin(ours, x)
            read_logits(ours, next_state(ours, state, x), x)
    try:
        weight_bytes(solver)
    except (RuntimeError, ValueError) as problem:
        said = " ".join(str(problem).split())
        raise InputError(
            f"{type(solver).__name__}: its weights cannot be written as safetensors: {said[:300]}"
        ) from problem
    if not any(parameter.requires_grad for parameter in solver.parameters()):
        raise InputError(f"architecture {recipe.architecture.builder!r}: it has no parameters to train")
    problems = pass_problems(recipe.training, recipe.architecture.builder) if solver.single_pass else []
    if problems:
        raise InputError(f"recipe {recipe.name}: training: {'; '.join(problems)}")
    return code_of(solver)


def claim(folder: Path, text: str, seed: int, start: Start | None, code: Code = NO_CODE) -> None:
    """Make the folder, or see that it holds this very run. Raises InputError. code: of an architecture from outside."""
    path = folder / RECIPE
    header = f"# seed {seed}\n" + ("" if start is None else f"# init-from {start.name} {start.sha256}\n")
    if path.exists():
        found = read_bytes(path, MAX_YAML)
        if differs_in_line_ends(found, (header + text).encode()):
            raise InputError(f"{path}: {CHANGED_ENDS}")
        if found != (header + text).encode():
            raise InputError(f"{folder} holds another recipe or seed (or start); choose another --out, or delete it")
        begun = any((folder / name).exists() for name in (KEPT, CHECKPOINT, RESULT))
        (refuse_changed_code if begun else keep_code)(code, folder)
        return
    if not is_free(folder):
        raise InputError(f"{folder} exists and holds no training run; choose another --out")
    make_folder(folder)
    write_atomically(path, (header + text).encode())
    keep_code(code, folder)
