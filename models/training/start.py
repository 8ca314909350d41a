"""How a training run begins: in a folder of its own, with fresh weights or with those of a trained solver."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from extramaze.core.errors import InputError
from extramaze.core.files import is_free, make_folder, read_bytes, write_atomically
from extramaze.core.line_ends import CHANGED_ENDS, differs_in_line_ends
from extramaze.core.words import counted
from extramaze.core.yaml_files import MAX_YAML
from extramaze.models.contract import card_of
from extramaze.models.loading import load
from extramaze.models.training.recipe import Recipe
from extramaze.models.training.trained import RECIPE
from extramaze.models.weight_files import misfits


@dataclass(frozen=True)
class Start:
    """The weights that a run begins with. name: the solver's. sha256: of its weights file."""

    name: str
    sha256: str
    weights: dict[str, Tensor]


def read_start(target: str, recipe: Recipe) -> Start:
    """Load a trained solver to go on from. Raises InputError where the recipe builds another architecture."""
    solver = load(target)
    weights = {name: value.contiguous() for name, value in solver.state_dict().items()}
    recipe.architecture.check_size(sum(value.nbytes for value in weights.values()), f"--init-from {target}")
    wrong = misfits(recipe.architecture.build().state_dict(), weights)
    if wrong:
        raise InputError(
            f"--init-from {target}: {counted(len(wrong), 'tensor')} unlike the architecture of recipe {recipe.name}, "
            f"first {wrong[0]}"
        )
    card = card_of(solver)
    return Start(card.name, card.weights_sha256 or hashlib.sha256(save(weights)).hexdigest(), weights)


def claim(folder: Path, text: str, seed: int, start: Start | None) -> None:
    """Make the folder, or see that it holds this very run. Raises InputError."""
    path = folder / RECIPE
    header = f"# seed {seed}\n" + ("" if start is None else f"# init-from {start.name} {start.sha256}\n")
    if path.exists():
        found = read_bytes(path, MAX_YAML)
        if differs_in_line_ends(found, (header + text).encode()):
            raise InputError(f"{path}: {CHANGED_ENDS}")
        if found != (header + text).encode():
            raise InputError(f"{folder} holds another recipe or seed (or start); choose another --out, or delete it")
        return
    if not is_free(folder):
        raise InputError(f"{folder} exists and holds no training run; choose another --out")
    make_folder(folder)
    write_atomically(path, (header + text).encode())
