"""Confirmed, refuted, undecided or not tested: computed from a figure's interval and a bound, never typed.

A claim is confirmed where the whole interval lies on its side of the bound, and refuted where all of it lies on the
other. Nothing is decided by one seed of a trained solver, by an interval on both sides, or by a difference that is no
larger than what rounding alone turns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from scipy.special import betaincinv

from extramaze.findings.errors import best, worst
from extramaze.findings.figures import Figure, number

LEAST_SEEDS = 2
DOUBT = 0.05  # of each bound on the share of all seeds


class Word(StrEnum):
    """What became of a claim; undecided: there is evidence, and it does not decide."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    NOT_TESTED = "not tested"


@dataclass(frozen=True)
class Verdict:
    """A word and its reason.

    figure: what it rests on; None where there is no evidence at all. asked: of the figure. doubt: why it does not
    decide, where that cannot be seen from the two. p: of the word, as its intervals give it; 1 where nothing is
    decided. parts: the verdicts that it is joined of, where each is to be shown, by what each is of.
    """

    word: Word
    why: str
    figure: Figure | None = None
    asked: str = ""
    doubt: str = ""
    p: float = 1.0
    parts: tuple[tuple[str, "Verdict"], ...] = ()


def not_tested(why: str) -> Verdict:
    """Say why there is no evidence."""
    return Verdict(Word.NOT_TESTED, why)


def undecided(doubt: str, verdict: Verdict) -> Verdict:
    """Say why a verdict's evidence does not decide after all."""
    return replace(verdict, word=Word.UNDECIDED, why=f"{doubt}; {verdict.why}", doubt=doubt, p=1.0)


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
    side = f"{'above' if sign > 0 else 'below'} {limit}"
    asked = f"{'odds ' * (figure.unit == 'odds')}{side}"
    if figure.seeds and figure.seeds < LEAST_SEEDS:
        return undecided("one seed decides nothing", Verdict(Word.UNDECIDED, said, figure, asked))
    measured = Verdict(Word.UNDECIDED, said + _seeds(figure, bound, sign), figure, asked)
    if figure.noise is not None and bound < abs(figure.value) <= figure.noise:
        return undecided(f"rounding alone turns {number(figure.noise, 'share')} of such mazes", measured)
    if min(sign * (figure.low - bound), sign * (figure.high - bound)) > 0:
        why = f"{measured.why}; the whole interval lies {side}"
        return replace(measured, word=Word.CONFIRMED, why=why, p=figure.p(bound))
    if max(sign * (figure.low - bound), sign * (figure.high - bound)) <= 0:
        against = "at most" if sign > 0 else "at least"
        why = f"{measured.why}; the whole interval is {against} {limit}"
        return replace(measured, word=Word.REFUTED, why=why, p=figure.p(bound))
    return replace(undecided(f"the interval lies on both sides of {limit}", measured), doubt="")


def _seeds(figure: Figure, bound: float, sign: int) -> str:
    """Say how many seeds meet the claim on their own, and what that says of all seeds (exact binomial, one-sided).

    A seed with a range meets it where all of the range does, and might where a part does.
    """
    count = len(figure.each)
    met = sum(min(sign * (low - bound), sign * (high - bound)) > 0 for low, high in figure.each)
    may = sum(max(sign * (low - bound), sign * (high - bound)) > 0 for low, high in figure.each)
    if count < LEAST_SEEDS:
        return ""
    low, high = share_of_seeds(met, count)[0], share_of_seeds(may, count)[1]
    if met == count:
        return f"; {'both' if count == 2 else f'all {count}'} seeds meet it (of all seeds: at least {low:.0%})"
    if may == 0:
        return f"; none of {count} seeds meets it (of all seeds: at most {high:.0%})"
    some = str(met) if met == may else f"{met} to {may}"
    return f"; {some} of {count} seeds meet{'s' * (some == '1')} it (of all seeds: {low:.0%} to {high:.0%})"


def share_of_seeds(met: int, count: int) -> tuple[float, float]:
    """Bound the share of all seeds that would meet a claim that ``met`` of ``count`` did: each bound at 95 %.

    Clopper & Pearson (Biometrika 26, 1934); all of S seeds give at least .05^(1/S).
    """
    low = float(betaincinv(met, count - met + 1, DOUBT)) if met else 0.0
    high = float(betaincinv(met + 1, count - met, 1 - DOUBT)) if met < count else 1.0
    return low, high


def every(*verdicts: Verdict) -> Verdict:
    """Join verdicts that must all be confirmed: one refuted refutes, else the first that is open leaves it open."""
    if not verdicts:
        return not_tested("nothing to judge in these records")
    refuted = refutation(verdicts)
    if refuted is not None:
        return refuted
    for verdict in verdicts:
        if verdict.word != Word.CONFIRMED:
            return verdict
    return replace(verdicts[0], why="; ".join(verdict.why for verdict in verdicts), p=worst([v.p for v in verdicts]))


def refutation(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Return the first refuted one, with the p-value of "any of these may refute"; None where none is."""
    refuted = next((verdict for verdict in verdicts if verdict.word == Word.REFUTED), None)
    if refuted is None:
        return None
    return replace(refuted, p=best([v.p if v.word == Word.REFUTED else 1.0 for v in verdicts]))


def every_part(parts: Mapping[str, Verdict]) -> Verdict:
    """Join verdicts on several sizes or cells, each of which is shown, and all of which must be confirmed."""
    joined = every(*parts.values())
    if not parts:
        return joined
    said = ", ".join(f"{label} {verdict.word}" for label, verdict in parts.items())
    return replace(joined, why=said, parts=tuple(parts.items()))


def agree(first: Verdict, second: Verdict, otherwise: str) -> Verdict:
    """Return the verdict that two ways of counting share; where they differ it is open, and ``otherwise`` says why."""
    if first.word == second.word:
        return replace(first, p=worst([first.p, second.p]))
    return undecided(f"{otherwise} ({first.word} one way, {second.word} the other)", first)
