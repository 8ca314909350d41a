"""Published claims beside what records say: confirmed, refuted or not tested, each by a stated rule."""

from collections.abc import Sequence

from extramaze.core.progress import progress_bar
from extramaze.findings.cycles import cycles
from extramaze.findings.failures import failures
from extramaze.findings.filling import filling
from extramaze.findings.finding import Claim, Finding
from extramaze.findings.limit_sets import limit_sets
from extramaze.findings.markdown import document
from extramaze.findings.pools import Pool, make_pools
from extramaze.findings.retraining import retraining
from extramaze.findings.sizes import sizes
from extramaze.findings.spread import spread
from extramaze.findings.starts import starts
from extramaze.findings.verdicts import Verdict, Word
from extramaze.records import Record

FINDINGS = (sizes, starts, cycles, filling, retraining, limit_sets, failures, spread)

__all__ = ["Claim", "Finding", "Pool", "Verdict", "Word", "findings_of", "findings_text", "make_pools"]


def findings_of(pool: Pool) -> list[Finding]:
    """Return all findings on one suite's records, in order."""
    return [finding(pool) for finding in FINDINGS]


def findings_text(records: Sequence[Record], command: str, partial: bool = False, quiet: bool = True) -> str:
    """Write what records say as Markdown. partial: use parts of suites too. quiet: show no progress.

    Raises InputError without whole records.
    """
    pools = make_pools(records, partial)
    bar = progress_bar(pools, desc="judging claims", unit="suite", quiet=quiet, brief=True)
    return document(pools, [findings_of(pool) for pool in bar], command)
