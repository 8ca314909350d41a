"""The commands that make a finding's records: train, evaluate, findings."""

import re
from collections.abc import Sequence

from extramaze.findings.pools import Entrant, Pool
from extramaze.models.loading import ALGORITHMS
from extramaze.models.recipe import recipe_names

_TUNED = re.compile(r"^(.+)-tuned-\w+$")


def commands(pools: Sequence[Pool], recipes: Sequence[Sequence[str]]) -> str:
    """Write the shell commands for these recipes of each pool, with the seeds that its records have."""
    lines = []
    for pool, names in zip(pools, recipes, strict=True):
        used = [entrant for name in names if (entrant := pool.get(name))]
        lines += _evaluations(pool.suite.name, used)
    return "\n".join([*lines, "extramaze findings records --out FINDINGS.md"])


def _evaluations(suite: str, entrants: Sequence[Entrant]) -> list[str]:
    shipped, known = recipe_names(), [entrant for entrant in entrants if entrant.recipe in ALGORITHMS]
    lines = [f"extramaze evaluate {e.recipe} --suite {suite} --out records/{suite}/{e.recipe}" for e in known]
    alike: dict[tuple[tuple[int, ...], str], list[Entrant]] = {}
    for entrant in entrants:
        if entrant.recipe in shipped:
            tuned = _TUNED.match(entrant.recipe)
            alike.setdefault((entrant.seeds, tuned[1] if tuned else ""), []).append(entrant)
        elif entrant not in known:
            lines.append(f"# {entrant.recipe} is no shipped recipe: extramaze evaluate SOLVER --suite {suite}")
    for (seeds, base), group in sorted(alike.items(), key=lambda item: item[0][1]):
        begin = f" --init-from {base}@$seed" if base else ""
        noise = " --noise-floor" if any(r.summary.noise for entrant in group for r in entrant.records) else ""
        lines += [
            f"for recipe in {' '.join(e.recipe for e in group)}; do for seed in {' '.join(map(str, seeds))}; do",
            f"  extramaze train --recipe $recipe --seed $seed{begin} --out runs/$recipe-$seed",
            f"  extramaze evaluate runs/$recipe-$seed --suite {suite}{noise} --out records/{suite}/$recipe@$seed",
            "done; done",
        ]
    return lines
