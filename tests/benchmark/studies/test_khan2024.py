import dataclasses
import math
import re

import pytest

from extramaze.models.shipped import shipped_seeds
from extramaze.studies.khan2024 import rules
from extramaze.studies.khan2024.rules import PAIRS, PLACES, RULES, SEEDS, TUNED_SEEDS
from extramaze.suites import load_suite


def test_every_claim_has_a_rule():
    """From (a) to (h), each once, and the ten pairs of five seeds."""
    assert sorted({rule.id.partition("-")[0] for rule in RULES}) == list("abcdefgh")
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert len(PAIRS) == 10
    assert list(PLACES) == sorted({*PLACES, 0.0, 0.5, 1.0})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_bounds_are_numbers_that_the_sentences_say(rule):
    """Each rule can be confirmed and refuted, by finite bounds; nothing of it is left empty."""
    assert all(getattr(rule, field.name) for field in dataclasses.fields(rule))
    assert all(math.isfinite(bound) for bound in rule.bounds.values())
    words = {"half": 0.5, "½": 0.5, "no": 0, "9 of 10": 0.9, "5 of 10": 0.5}
    text = f"{rule.measured} {rule.confirmed} {rule.refuted}"
    said = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)}
    said |= {value for word, value in words.items() if word in text}
    assert set(map(float, rule.bounds.values())) <= said


def test_the_networks_are_shipped():
    """Every seed that a rule speaks of, but for the runs that are still to be trained."""
    shipped = shipped_seeds()
    assert set(SEEDS) <= set(shipped["dt-net-thin"])
    for recipe in ("p01", "tuned-100", "tuned-1k", "tuned-10k"):
        assert set(TUNED_SEEDS) <= set(shipped[f"dt-net-thin-{recipe}"])
    assert {rules.TRAINING, rules.SIZE, rules.CYCLES} <= {cell.name for cell in load_suite("smoke-v1").cells}
