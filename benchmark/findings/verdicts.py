"""Confirmed, refuted or not tested: computed from a figure's interval and a bound, never typed.

A claim is confirmed where the whole interval lies on its side of the bound, and refuted where all of it lies on the
other. Nothing is decided by one seed of a trained solver, by an interval on both sides, or by a difference that is no
larger than what rounding alone turns.
"""

from dataclasses import dataclass
from enum import StrEnum

from extramaze.findings.figures import Figure, number

LEAST_SEEDS = 2
UNDECIDED = "undecided by these records"


class Word(StrEnum):
    """What became of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    NOT_TESTED = "not tested"


@dataclass(frozen=True)
class Verdict:
    """A word and its reason, with the figure in it."""

    word: Word
    why: str


def not_tested(why: str) -> Verdict:
    """Say why there is no verdict."""
    return Verdict(Word.NOT_TESTED, why)


def above(figure: Figure | None, bound: float, what: str) -> Verdict:
    """Judge "``what`` is more than ``bound``"; no figure: nothing was measured."""
    return _judge(figure, bound, what, 1)


def below(figure: Figure | None, bound: float, what: str) -> Verdict:
    """Judge "``what`` is less than ``bound``"."""
    return _judge(figure, bound, what, -1)


def _judge(figure: Figure | None, bound: float, what: str, sign: int) -> Verdict:
    if figure is None:
        return not_tested(f"{what}: nothing to count in these records")
    said, limit = f"{what}: {figure}", number(bound, figure.unit)
    if figure.seeds and figure.seeds < LEAST_SEEDS:
        return not_tested(f"{UNDECIDED}, one seed decides nothing; {said}")
    if figure.noise is not None and bound < abs(figure.value) <= figure.noise:
        noise = number(figure.noise, "share")
        return not_tested(f"{UNDECIDED}, rounding alone turns {noise} of such mazes; {said}")
    if min(sign * (figure.low - bound), sign * (figure.high - bound)) > 0:
        return Verdict(Word.CONFIRMED, f"{said}, all {'above' if sign > 0 else 'below'} {limit}")
    if max(sign * (figure.low - bound), sign * (figure.high - bound)) <= 0:
        return Verdict(Word.REFUTED, f"{said}, all {'at most' if sign > 0 else 'at least'} {limit}")
    return not_tested(f"{UNDECIDED}, the interval lies on both sides of {limit}; {said}")


def every(*verdicts: Verdict) -> Verdict:
    """Join verdicts that must all be confirmed: one refuted refutes, else one not tested leaves it open."""
    for word in (Word.REFUTED, Word.NOT_TESTED):
        found = [verdict for verdict in verdicts if verdict.word == word]
        if found:
            return found[0]
    if not verdicts:
        return not_tested("nothing to judge in these records")
    return Verdict(Word.CONFIRMED, "; ".join(verdict.why for verdict in verdicts))
