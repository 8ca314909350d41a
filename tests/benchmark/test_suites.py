import pytest

from extramaze.mazes import InputError
from extramaze.suites import load_suite, suite_names
from tests.benchmark.conftest import TINY

GOLDEN_DIGESTS = {"smoke-v1": "5d761aa419053db8af1d3d561f77a537b1c2713ddfff137f117dc65bfc5455a5"}


@pytest.mark.parametrize("name", suite_names())
def test_shipped_suites_are_frozen(name):
    """A suite's content never changes under its name."""
    assert load_suite(name).digest() == GOLDEN_DIGESTS[name]


def test_the_digest_is_of_the_content(tmp_path):
    """Comments, order of keys and spelled-out defaults do not count; a count does."""
    digests = []
    for text in (
        TINY,
        "# a comment\n" + TINY.replace("spec: size=5", "spec: 'size=5,start=deadend'"),
        TINY.replace("33", "34"),
    ):
        (tmp_path / "suite.yaml").write_text(text)
        digests.append(load_suite(str(tmp_path / "suite.yaml")).digest())
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        ("size=5", "size=6", ["cells.0.spec", "odd integer"]),
        ("count: 40", "cuont: 40", ["cells.0.cuont", "cells.0.count"]),
        ("[2, 5, 20]", "[5, 2]", ["iterations must rise"]),
        ("name: large", "name: easy", ["two cells have the same name"]),
        ("[cycles, large]", "[cycles, lrage]", ["cells that do not exist: lrage"]),
        ("split: test", "split: train", ["split"]),
        ("name: tiny-v1", "name: tiny", ["name"]),
        ("name: tiny-v1", "name: smoke-v1", ["shipped suite's"]),
        ("cells:", "cells: [", ["not readable as YAML"]),
        (TINY, "", ["file"]),
    ],
)
def test_a_wrong_suite_names_the_key(tmp_path, old, new, problems):
    """Every problem of a suite is listed, each with its key."""
    path = tmp_path / "suite.yaml"
    path.write_text(TINY.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_suite(str(path))
    for problem in problems:
        assert problem in str(caught.value)


def test_an_unknown_suite_gets_a_suggestion():
    """A typing error is answered with the nearest name."""
    with pytest.raises(InputError, match="unknown suite 'smok-v1'; did you mean smoke-v1"):
        load_suite("smok-v1")
