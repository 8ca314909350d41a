"""Make a submission: one folder with a solver, its card and its record, ready for a pull request."""

import platform
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from extramaze.blocks.store import BLOCKS
from extramaze.core.checked import differing
from extramaze.core.errors import InputError
from extramaze.core.files import LOCK, hold, is_temporary, is_unfinished
from extramaze.core.folders import part_of, settle
from extramaze.core.line_ends import ATTRIBUTES, CHANGED_ENDS, KEEP_THEM, differs_in_line_ends, keep_line_ends
from extramaze.core.locks import scratch
from extramaze.core.words import counted
from extramaze.evaluation.evaluate import make_evaluation
from extramaze.models.contract import SolverCard, card_of
from extramaze.models.contract_checks import Breach
from extramaze.models.doctor import examine
from extramaze.models.training.trained import trained_on
from extramaze.records import ANSWERS, FILES, SUMMARY, TABLE, Record
from extramaze.schema.card import CARD, Card, FileEntry, Overlap, Statement, TrainedOn, read_card
from extramaze.schema.plan import PLAN, SHARD
from extramaze.schema.suite import Suite
from extramaze.schema.training import MAX_WEIGHTS, RECIPE, RESULT, WEIGHTS
from extramaze.submission.members import read_member, strangers, write_member
from extramaze.submission.overlap import find_overlap
from extramaze.submission.staging import Staged, stage
from extramaze.submission.training import KEPT, read_training, solver_of, unknown_start
from extramaze.trust.names import claim_of

SUBMISSIONS = Path("submissions")
OURS = {*FILES, CARD, PLAN, BLOCKS, SHARD, LOCK}


class BrokenContract(Exception):
    """The solver does not keep the contract; ``breaches`` say where."""

    def __init__(self, breaches: list[Breach]) -> None:
        super().__init__(f"{counted(len(breaches), 'part')} of the contract broken")
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

    target: anything that ``extramaze.models.load`` takes. out: default submissions/SUITE/SOLVER; it appears once it is
    whole. Killed and called again, it goes on; called once more, it finds everything done. say: called with a line
    before each long part. Raises BrokenContract, and InputError for a solver, statement or folder that cannot be used.
    """
    with scratch() as copies:
        staged = stage(target, copies)
        training, start = _training(statement, staged)
        evaluation = make_evaluation(staged.load(), suite, device)
        name = evaluation.plan.solver.name
        taken = claim_of(evaluation.plan.solver, staged.place).problem
        if taken is not None and staged.source.kind != "shipped":
            raise InputError(taken)
        folder = out or SUBMISSIONS / suite.name / name
        _refuse_sibling(folder, staged, card_of(evaluation.solver))
        overlap = find_overlap(suite, statement, training, training_mazes, start)
        with hold(folder):
            place = folder if folder.exists() else part_of(folder)
            _refuse_foreign(place, staged)
            say(f"{name}: checking the contract")
            breaches = examine(staged.load)
            if breaches:
                raise BrokenContract(breaches)
            say(f"{name}: evaluating on {suite.name}, into {folder}")
            card = _seal(staged, statement, training, overlap, evaluation.run_held(place, quiet), place)
            _finish(place, staged, card)
            if place != folder:
                settle(place, folder)
    return folder, card


def _seal(
    staged: Staged, statement: Statement, training: TrainedOn, overlap: Overlap, record: Record, place: Path
) -> Card:
    """Make the card of a record in ``place`` and of the files beside it."""
    return Card.seal(
        statement=statement,
        training=training,
        solver=solver_of(record.summary),
        source=staged.source,
        overlap=overlap,
        doctor=KEPT,
        device=record.summary.plan.device,
        system=f"{platform.system()} {platform.machine()}",
        packages=record.summary.plan.packages,
        files=_entries(staged, place),
        record_sha256=record.sha256,
    )


def _training(statement: Statement, staged: Staged) -> tuple[TrainedOn, str | None]:
    """Return what the solver was trained on, and the solver it began with where that one's training is not known."""
    if staged.source.kind != "trained":
        if statement.training is None:
            raise InputError("card: training: say what the solver was trained on: specs, split and number of mazes")
        return statement.training, None
    recipe, result = read_training(staged.place)
    found = trained_on(recipe, result)
    if statement.training is not None and statement.training != found:
        raise InputError(
            f"card: training: {statement.training} is not what {RECIPE} and {RESULT} say, {found}; leave training out"
        )
    return found, unknown_start(result)


def _refuse_foreign(folder: Path, staged: Staged) -> None:
    """Raise InputError where a folder holds what is no part of this submission, before anything is changed there."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another --out")
    ours = {name: (staged.place / name).read_bytes() for name in staged.names} | {ATTRIBUTES: KEEP_THEM}
    for name, content in ours.items():
        found = read_member(folder, name, MAX_WEIGHTS) if (folder / name).exists() else content
        if differs_in_line_ends(found, content):
            raise InputError(f"{folder / name}: {CHANGED_ENDS}")
        if found != content:
            raise InputError(f"{folder} holds another {name}; choose another --out")
    for name in strangers(folder, {*ours, *OURS}):
        if not is_temporary(folder / name):
            raise InputError(f"{folder} holds {name}, which is no part of a submission; choose another --out")


def _refuse_sibling(folder: Path, staged: Staged, ours: SolverCard) -> None:
    """Raise InputError where another seed beside this submission has the very same weights."""
    if WEIGHTS not in staged.names:
        return
    weights = sha256((staged.place / WEIGHTS).read_bytes()).hexdigest()
    for path in sorted(folder.parent.glob(f"*/{CARD}")):
        if is_unfinished(path.parent):
            continue
        other = read_card(path.parent)
        same = other.solver.recipe == ours.recipe and WEIGHTS in other.files and other.files[WEIGHTS].sha256 == weights
        if same and other.solver.seed != ours.seed:
            raise InputError(
                f"{ours.name} has the weights of {path.parent}; train seed {ours.seed} before it is submitted"
            )


def _entries(staged: Staged, folder: Path) -> dict[str, FileEntry]:
    contents = {name: (staged.place / name).read_bytes() for name in staged.names}
    contents |= {name: (folder / name).read_bytes() for name in (TABLE, ANSWERS, SUMMARY) if (folder / name).exists()}
    return {n: FileEntry(bytes=len(c), sha256=sha256(c).hexdigest()) for n, c in sorted(contents.items())}


def _finish(folder: Path, staged: Staged, card: Card) -> None:
    """Write the solver's files and, last, the card; or see that the very same are there."""
    if (folder / CARD).exists():
        found = read_card(folder)
        if found != card:
            differs = ", ".join(key for key in differing(card, found) if key != "sha256")
            raise InputError(f"{folder} holds another submission (it differs in: {differs}); choose another --out")
        return
    for name in staged.names:
        write_member(folder, name, (staged.place / name).read_bytes())
    keep_line_ends(folder)
    card.write(folder)
