"""Which records may stand on one board, which of them are seeds of one row, and which a board leaves out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from extramaze.core.errors import InputError
from extramaze.core.names import folded
from extramaze.records import Record
from extramaze.schema.plan import ARITHMETIC
from extramaze.trust.names import claim_of
from extramaze.verification.verification import Verification


@dataclass(frozen=True, eq=False)
class Rows:
    """Records that may be compared, by the name of their row, each in the order of its seeds.

    left_out: one line for each record that has no row, with the reason.
    """

    by_name: dict[str, list[Record]]
    left_out: tuple[str, ...]


def comparable(records: Iterable[Record]) -> list[list[Record]]:
    """Group records by what may be compared: whole ones first, then by suite, mazes, contracts and arithmetic."""
    groups: dict[tuple, list[Record]] = defaultdict(list)
    for record in records:
        plan = record.summary.plan
        mazes = tuple(cell.mazes_sha256 for cell in record.summary.cells)
        versions = tuple(sorted(plan.contracts.items()))
        suite = (plan.part is not None, plan.suite.name, plan.suite_sha256, str(plan.part))
        arithmetic = tuple(getattr(plan, name) for name in ARITHMETIC)
        groups[(*suite, mazes, versions, *arithmetic)].append(record)
    return [groups[key] for key in sorted(groups)]


def rows_of(records: Iterable[Record], verified: Mapping[str, Verification] = MappingProxyType({})) -> Rows:
    """Gather records that may be compared into rows, and leave out those that take a name or a seed of another's.

    Of two records of one name and seed the one that was reproduced stands, else the first.
    """

    def unverified(record: Record) -> bool:
        found = verified.get(record.sha256)
        return found is None or not found.reproduced

    rows: dict[str, list[Record]] = {}
    left_out = []
    for record in sorted(records, key=unverified):
        name, problem = _row_for(record, rows)
        if problem is None:
            rows.setdefault(name, []).append(record)
        else:
            left_out.append(f"{place(record)}: left out: {problem}")
    for seeds in rows.values():
        seeds.sort(key=_seed)
    return Rows(rows, tuple(left_out))


def in_own_name(records: Iterable[Record]) -> list[Record]:
    """Return the records that stand in the row of the recipe that they state; not those retrained elsewhere."""
    claims = [(record, claim_of(record.summary.plan.solver, record.folder)) for record in records]
    return [r for r, claim in claims if claim.problem is None and claim.row == r.summary.plan.solver.recipe]


def place(record: Record) -> str:
    """Say which record it is: its folder, or its solver where it was not read from any."""
    return str(record.folder or record.summary.plan.solver.name)


def _row_for(record: Record, rows: Mapping[str, list[Record]]) -> tuple[str, str | None]:
    """Return the name of a record's row, and why it may not stand there beside the rows so far; None where it may."""
    solver = record.summary.plan.solver
    claim = claim_of(solver, record.folder)
    if claim.problem is not None:
        return claim.row, claim.problem
    twin = next((row for row in rows if row != claim.row and folded(row) == folded(claim.row)), None)
    if twin is not None:
        return claim.row, f"the name {claim.row} would be taken for {twin}, that of {place(rows[twin][0])}"
    for other in rows.get(claim.row, ()):
        theirs = other.summary.plan.solver
        if theirs.seed == solver.seed:
            seed = "a record" if solver.seed is None else f"seed {solver.seed}"
            return claim.row, f"{seed} of {claim.row} is there already, {place(other)}; keep one of them"
        if theirs.weights_sha256 == solver.weights_sha256:
            weights = "the weights" if solver.weights_sha256 else "no weights to tell it from those"
            return claim.row, f"seed {solver.seed} has {weights} of seed {theirs.seed}, {place(other)}"
    return claim.row, None


def _seed(record: Record) -> int:
    return record.summary.plan.solver.seed or 0


def seeds_by_recipe(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Gather records that may be compared by the recipe that they state, in the order of their seeds.

    Raises InputError where two records of one recipe are of the same seed or the same weights.
    """
    by_recipe: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_recipe[record.summary.plan.solver.recipe].append(record)
    for recipe, seeds in by_recipe.items():
        seeds.sort(key=_seed)
        solvers = [record.summary.plan.solver for record in seeds]
        for kind, values in (
            ("seed", [str(solver.seed) for solver in solvers]),
            ("weights", [solver.weights_sha256 or "none" for solver in solvers]),
        ):
            (value, count), *_ = Counter(values).most_common(1)
            if count > 1:
                places = map(place, seeds)
                both = " and ".join(place for place, found in zip(places, values, strict=True) if found == value)
                suite = seeds[0].summary.plan.suite.name
                raise InputError(f"{recipe} on {suite}: {both} have one {kind}, {value[:12]}; keep one of them")
    return dict(by_recipe)
