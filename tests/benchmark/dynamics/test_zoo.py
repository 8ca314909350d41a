from collections import Counter

import numpy as np
import pytest
import torch

from extramaze.dynamics import Limit, largest_exponent, observe

from .zoo import CASES, DRIFT, QUASI, embed

WINDOW = 128
SETTLED = {Limit.FIXED_POINT}


def instances(case, count, seed=0):
    random = np.random.default_rng([seed, *case.name.encode()])
    built = case.build(random, count)
    return built if case.plain else embed(*built, random, case.mean)


@pytest.fixture(scope="module")
def verdicts(request):
    """Reports of every case of the zoo."""
    count, seed = (request.config.getoption(name) for name in ("zoo", "zoo_seed"))
    reports = {}
    for case in CASES:
        step, state = instances(case, count, seed)
        reports[case.name] = observe(step, state, case.burn_in, WINDOW)
    return reports


def wrong(case, report):
    right = [limit in case.limits for limit in report.limit]
    if case.period is not None:
        right = [ok and period == case.period for ok, period in zip(right, report.period.tolist(), strict=True)]
    return [index for index, ok in enumerate(right) if not ok]


def test_at_least_99_percent_of_the_zoo_are_told_right(verdicts):
    """Limits and periods of maps with known behaviour are told, undecided counting as wrong."""
    seen = sum(len(report.limit) for report in verdicts.values())
    mistakes = {}
    for case in CASES:
        for index in wrong(case, verdicts[case.name]):
            report = verdicts[case.name]
            mistakes[case.name, index] = f"{report.limit[index]} {report.period[index]}: {report.sentence(index)}"
    assert len(mistakes) <= 0.01 * seen, mistakes


def test_nothing_that_moves_is_called_a_fixed_point(verdicts):
    """Not one map that has not settled is told to have."""
    named = Counter()
    for case in CASES:
        if Limit.FIXED_POINT not in case.limits:
            named[case.name] += verdicts[case.name].limit.count(Limit.FIXED_POINT)
    assert not +named


LOOPS = [case for case in CASES if case.limits in (QUASI, DRIFT)]


@pytest.mark.parametrize("case", LOOPS, ids=lambda case: case.name)
def test_more_evidence_tells_loops_from_drift_as_well(case):
    """With paper-v1's window of 400, in which a loop may look straight at some lag, the verdict is the same."""
    step, state = instances(case, 2)
    report = observe(step, state, case.burn_in, 400, exponent_steps=500)
    assert not wrong(case, report), [report.sentence(index) for index in range(2)]


@pytest.mark.parametrize("case", [c for c in CASES if c.exponent is not None], ids=lambda case: case.name)
def test_exponents_are_the_published_ones(case):
    """Within two standard errors of the mean over trajectories, and the single errors are honest in size."""
    step, state = instances(case, 8, seed=1)
    with torch.no_grad():
        for _ in range(case.burn_in):
            state = step(state)
    found = largest_exponent(step, state, steps=1500)
    assert found.forward
    pooled = np.sqrt((found.error**2).sum()) / len(found.error)
    assert abs(found.value.mean() - case.exponent) <= 2 * pooled
    assert (np.abs(found.value - case.exponent) <= 2 * found.error).mean() >= 0.75
