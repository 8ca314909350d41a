"""Make a submission: one folder with a solver, its card and its record, ready for a pull request."""

import platform
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from extramaze.blocks.plan import PLAN, SHARD
from extramaze.blocks.store import BLOCKS
from extramaze.evaluation.evaluate import make_evaluation
from extramaze.mazes import InputError
from extramaze.mazes.files import LOCK, hold, is_temporary, read_bytes, write_atomically
from extramaze.models.checkpoint import RECIPE, RESULT, TrainingResult
from extramaze.models.contract_checks import SIZES, Breach
from extramaze.models.doctor import examine
from extramaze.models.loading import shipped_solvers
from extramaze.models.recipe import Recipe, parse_recipe
from extramaze.models.schema import differing, parse_json
from extramaze.models.weight_files import MAX_WEIGHTS
from extramaze.records import SUMMARY, TABLE
from extramaze.records.schema import Summary
from extramaze.submission.card import CARD, VERIFICATION, Card, Entry, Statement, Training, Who, read_card
from extramaze.submission.overlap import find_overlap
from extramaze.submission.staging import Staged, stage
from extramaze.suites import Suite

SUBMISSIONS = Path("submissions")
KEPT = f"keeps the contract on mazes of size {', '.join(map(str, sorted(SIZES)))}"
OURS = {SUMMARY, TABLE, CARD, VERIFICATION, PLAN, BLOCKS, SHARD, LOCK}


class BrokenContract(Exception):
    """The solver does not keep the contract; ``breaches`` say where."""

    def __init__(self, breaches: list[Breach]) -> None:
        super().__init__(f"{len(breaches)} parts of the contract are broken")
        self.breaches = breaches


def submit(
    target: str,
    statement: Statement,
    suite: Suite,
    out: Path | None = None,
    device: str = "auto",
    training_mazes: Sequence[Path] = (),
    quiet: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, Card]:
    """Check a solver, evaluate it on a whole suite, and write its submission; return the folder and the card.

    target: anything that ``extramaze.models.load`` takes. out: default submissions/SUITE/SOLVER. Killed and called
    again, it goes on; called once more, it finds everything done. say: called with a line before each long part.
    Raises BrokenContract, and InputError for a solver, statement or folder that cannot be used.
    """
    with TemporaryDirectory(prefix="extramaze-") as place:
        staged = stage(target, Path(place))
        training, start = _training(statement, staged)
        evaluation = make_evaluation(staged.load(), suite, device)
        name = evaluation.plan.solver.name
        folder = out or SUBMISSIONS / suite.name / name
        _refuse_foreign(folder, staged)
        overlap = find_overlap(suite, statement, training, training_mazes, start)
        say(f"{name}: checking the contract")
        breaches = examine(staged.load)
        if breaches:
            raise BrokenContract(breaches)
        say(f"{name}: evaluating on {suite.name}, into {folder}")
        record = evaluation.run(folder, quiet)
        card = Card.seal(
            statement=statement,
            training=training,
            solver=who(record.summary),
            source=staged.source,
            overlap=overlap,
            doctor=KEPT,
            device=record.summary.plan.device,
            system=f"{platform.system()} {platform.machine()}",
            packages=record.summary.plan.packages,
            files=_entries(staged, folder),
            record_sha256=record.summary.sha256,
        )
        with hold(folder):
            _finish(folder, staged, card)
    return folder, card


def who(summary: Summary) -> Who:
    """Return what a card says of the solver of a record."""
    solver = summary.plan.solver
    return Who(name=solver.name, recipe=solver.recipe, seed=solver.seed, parameters=solver.parameters)


def _training(statement: Statement, staged: Staged) -> tuple[Training, str | None]:
    """Return what the solver was trained on, and the solver it began with where that one's training is not known."""
    if staged.source.kind != "trained":
        if statement.training is None:
            raise InputError("card: training: say what the solver was trained on: specs, split and number of mazes")
        return statement.training, None
    recipe, result = read_training(staged.place)
    found = training_of(recipe, result)
    if statement.training is not None and statement.training != found:
        raise InputError(
            f"card: training: {statement.training} is not what {RECIPE} and {RESULT} say, {found}; leave training out"
        )
    return found, unknown_start(result)


def read_training(folder: Path) -> tuple[Recipe, TrainingResult]:
    """Read the recipe and the result of a trained folder. Raises InputError."""
    recipe = parse_recipe(read_bytes(folder / RECIPE).decode(errors="replace"), RECIPE)
    return recipe, parse_json(TrainingResult, read_bytes(folder / RESULT), RESULT)


def training_of(recipe: Recipe, result: TrainingResult) -> Training:
    """Say what a recipe trained on: mazes of the split train, by construction of the trainer."""
    return Training(specs=tuple(str(spec) for spec, _ in recipe.data.parts), split="train", mazes=result.mazes)


def unknown_start(result: TrainingResult) -> str | None:
    """Return the name of the solver that a training began with, where it is not one of extramaze's."""
    return None if result.init_from is None or result.init_from in shipped_solvers() else result.init_from


def _refuse_foreign(folder: Path, staged: Staged) -> None:
    """Raise InputError where a folder holds what is no part of this submission, before anything is changed there."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another --out")
    for path in sorted(folder.iterdir()):
        if path.name in staged.names:
            if read_bytes(path, MAX_WEIGHTS) != (staged.place / path.name).read_bytes():
                raise InputError(f"{folder} holds another {path.name}; choose another --out")
        elif path.name not in OURS and not is_temporary(path):
            raise InputError(f"{folder} holds {path.name}, which is no part of a submission; choose another --out")


def _entries(staged: Staged, folder: Path) -> dict[str, Entry]:
    contents = {name: (staged.place / name).read_bytes() for name in staged.names}
    contents |= {name: (folder / name).read_bytes() for name in (SUMMARY, TABLE)}
    return {n: Entry(bytes=len(c), sha256=sha256(c).hexdigest()) for n, c in sorted(contents.items())}


def _finish(folder: Path, staged: Staged, card: Card) -> None:
    """Write the solver's files and, last, the card; or see that the very same are there."""
    if (folder / CARD).exists():
        found = read_card(folder)
        if found != card:
            differs = ", ".join(key for key in differing(card, found) if key != "sha256")
            raise InputError(f"{folder} holds another submission (it differs in: {differs}); choose another --out")
        return
    for name in staged.names:
        write_atomically(folder / name, (staged.place / name).read_bytes())
    card.write(folder)
