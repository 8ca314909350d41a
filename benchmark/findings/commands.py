"""The commands that make the records: train, evaluate, findings."""

from collections.abc import Sequence

from extramaze.findings.entrants import Entrant
from extramaze.findings.pools import Pool
from extramaze.findings.variants import begins_with
from extramaze.models.shipped import ALGORITHM_NAMES, recipe_names


def commands(pools: Sequence[Pool]) -> str:
    """Write the shell commands for the records of each pool, with the seeds that it has."""
    lines = []
    for pool in pools:
        lines += _evaluations(pool.suite.name, (*pool.entrants, *pool.own))
    return "\n".join([*lines, "extramaze findings records --out FINDINGS.md"])


def _evaluations(suite: str, entrants: Sequence[Entrant]) -> list[str]:
    shipped, known = recipe_names(), [entrant for entrant in entrants if entrant.recipe in ALGORITHM_NAMES]
    lines = [f"extramaze evaluate {e.recipe} --suite {suite} --out records/{suite}/{e.recipe}" for e in known]
    alike: dict[tuple[tuple[int, ...], str, bool, bool], list[Entrant]] = {}
    for entrant in entrants:
        if entrant.recipe in shipped:
            noise = any(record.summary.noise for record in entrant.records)
            base = begins_with(entrant.records[0].summary.plan.solver) or ""
            alike.setdefault((entrant.seeds, base, entrant.own, noise), []).append(entrant)
        elif entrant not in known:
            lines.append(f"# {entrant.recipe} is no shipped recipe: extramaze evaluate SOLVER --suite {suite}")
    for (seeds, base, own, noise), group in sorted(alike.items(), key=lambda item: item[0][1:]):
        lines += _group(suite, seeds, base, own, noise, group)
    return lines


def _group(
    suite: str, seeds: tuple[int, ...], base: str, own: bool, noise: bool, group: Sequence[Entrant]
) -> list[str]:
    """Write the loop over recipes that begin alike; runs of a solver's own inference take the weights as trained."""
    begin = f" --init-from {base}@$seed" if base else ""
    floor = " --noise-floor" if noise else ""
    mode, suffix = (" --mode own", "-own") if own else ("", "")
    train = f"  extramaze train --recipe $recipe --seed $seed{begin} --out runs/$recipe-$seed"
    out = f"records/{suite}/$recipe@$seed{suffix}"
    return [
        f"for recipe in {' '.join(e.recipe for e in group)}; do for seed in {' '.join(map(str, seeds))}; do",
        *([] if own else [train]),
        f"  extramaze evaluate runs/$recipe-$seed --suite {suite}{mode}{floor} --out {out}",
        "done; done",
    ]
