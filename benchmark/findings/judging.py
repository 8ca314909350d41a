"""From records to a verdict: what must be there, and what a marked seed may not decide."""

from collections.abc import Callable, Mapping, Sized
from dataclasses import replace

from extramaze.findings.entrants import OWN_INFERENCE, Entrant
from extramaze.findings.pools import Pool
from extramaze.findings.verdicts import Verdict, Word, not_tested, undecided


def judge(entrants: Mapping[str, Entrant | None], needed: Sized, missing: str, rule: Callable[..., Verdict]) -> Verdict:
    """Apply a rule to entrants, in their order; not tested where one has no record, or nothing needed was run.

    A refutation that rests on a marked seed of a plain recipe is held back: what looks like a failure to extrapolate
    may be training that fell short. (A retrained recipe's mark is of its own mazes, not of trees.)
    """
    absent = [name for name, entrant in entrants.items() if entrant is None]
    if absent:
        return not_tested(f"no record of {', '.join(absent)}")
    if not len(needed):
        return not_tested(missing)
    found = [entrant for entrant in entrants.values() if entrant is not None]
    verdict = rule(*found)
    marked = [entrant for entrant in found if entrant.marks and not entrant.retrained]
    if verdict.word == Word.REFUTED and marked:
        return undecided("it rests on marked seeds: " + "; ".join(map(marks_said, marked)), verdict)
    return verdict


def judge_answers(pool: Pool, family: str, needed: Sized, missing: str, rule: Callable[[Entrant], Verdict]) -> Verdict:
    """Judge a family's accuracy by the inference that it is published with, and state the plain iteration's beside it.

    Not tested where that is its own, and only the plain iteration was run.
    """
    entrant, free = pool.answering(family), pool.named(family)
    if family == OWN_INFERENCE and entrant is not None and not entrant.own:
        return not_tested(f"{entrant.recipe} was run by the plain iteration, and the claim is of its own inference")
    verdict = judge({family: entrant}, needed, missing, rule)
    if verdict.figure is None or entrant is free or free is None:
        return verdict
    beside = rule(free).figure
    return replace(verdict, why=f"{verdict.why}; by the plain iteration {beside}") if beside else verdict


def marks_said(entrant: Entrant) -> str:
    """Say which seeds of a recipe are marked, and what they reached."""
    return f"{entrant.recipe} " + ", ".join(f"@{seed} ({share})" for seed, share in entrant.marks.items())
