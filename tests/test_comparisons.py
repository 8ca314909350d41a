"""No test holds floating-point results to the last bit, but for those with a reason in exact_comparisons.txt."""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.exactness import exact_comparisons

HOW = "compare within a tolerance, or give the line and its reason in tests/exact_comparisons.txt"


@pytest.fixture(scope="module")
def found(root):
    """All comparisons that are found in tests, but for the samples here: by file and function, texts with lines."""
    comparisons, tests = defaultdict(dict), root / "tests"
    for path in sorted({*tests.rglob("*.py")} - {*(tests / "data").rglob("*.py"), Path(__file__)}):
        for one in exact_comparisons(path.read_text()):
            place = f"{path.relative_to(tests).as_posix()}::{one.function}".removesuffix("::")
            comparisons[place].setdefault(one.text, one.line)
    return comparisons


@pytest.fixture(scope="module")
def allowed(root):
    """The comparisons that may be exact: by file and function, the texts with their reasons."""
    comparisons, place = defaultdict(dict), ""
    for line in (root / "tests" / "exact_comparisons.txt").read_text().splitlines():
        if line.startswith(" "):
            text, _, reason = line.strip().rpartition("  # ")
            comparisons[place][text] = reason
        else:
            place = line
    return comparisons


def test_floating_point_results_are_compared_within_tolerances(found, allowed):
    """Another processor rounds otherwise: whatever is computed may differ there in its last bits."""
    new = [f"{place} ({line}): {t}" for place in found for t, line in found[place].items() if t not in allowed[place]]
    assert not new, "\n".join([HOW, *new])


def test_what_may_be_exact_is_there_and_has_a_reason(found, allowed):
    """A line that stands for nothing any more would let something else through."""
    assert all(reason for texts in allowed.values() for reason in texts.values())
    stale = [f"{place}: {text}" for place in allowed for text in allowed[place] if text not in found[place]]
    assert not stale, "\n".join(["no longer found; take out of tests/exact_comparisons.txt", *stale])


MAY_DIFFER = [
    "assert motion.logits.tolist() == [0.0, np.sqrt(2.0)]",
    "assert mean(values) == 0.3",
    "assert 0.1 + x == y",
    "assert -0.5 == slope(x)",
    "assert norm(x) == math.sqrt(2)",
    "assert area == math.pi * r",
    "assert total / len(values) == expected",
    "assert sum(values) / 3 == expected",
    "assert x.mean() == y",
    "assert x.sum().item() == 3",
    "assert x.tolist() == [1, 2]",
    "assert float(x) == y",
    "assert round(x, 3) == y",
    "assert rate in (0.1, 0.2)",
    "assert {loss(x) for x in xs} == {0.5}",
    "assert {'share': 0.25} == json.loads(text)",
    "assert Figure(0.5, 3) == found",
    "assert (n, found.value) == (3, 0.5)",
    "assert np.array_equal(ours, theirs)",
    "assert numpy.array_equal(*found)",
    "assert torch.equal(ours, theirs)",
    "assert ours.equal(theirs)",
    "assert (x == torch.sin(y)).all()",
    "assert all(map(np.array_equal, ours, theirs))",
    "np.testing.assert_array_equal(ours, theirs)",
    "torch.testing.assert_close(ours, theirs, rtol=0, atol=0)",
    "assert table.equals(other)",
    "assert '0.7071' in text",
    "assert f'{x.mean()}' == text",
    "assert str(x.mean()) == '0.5'",
    "assert a.numpy().tobytes() == b.numpy().tobytes()",
    "assert (ours == theirs).all()",
    "self.assertEqual(ours.mean(), theirs)",
    "x: float = np.exp(1)\nassert f(x) == x",
    "assert sha256(x.exp().numpy().tobytes()).hexdigest() == GOLDEN",
    "assert a.weights_sha256 == b.weights_sha256",
    "root = np.sqrt(2)\nassert x == root",
    "a, b = 1, np.exp(1)\nassert x == b",
    "for x, share in zip(xs, [0.1, 0.2]):\n    assert f(x) == share",
    "for x, share in {1: 0.1}.items():\n    assert f(x) == share",
    "seen = []\nseen.append(np.cos(x))\nassert seen == ours",
    "def plain(x):\n    return x.std()\nassert ours(x) == plain(x)",
    "@pytest.mark.parametrize('rate', [0.1, 0.2])\ndef test(rate):\n    assert f() == rate",
    "@pytest.mark.parametrize(('n', 'rate'), [(1, 0.1), (2, 0.2)])\ndef test(n, rate):\n    assert f(n) == rate",
    'CODE = """\nimport torch\nassert torch.equal(a, b)\n"""',
]
CANNOT = [
    "assert x == pytest.approx(0.3)",
    "assert (n, x) == (3, pytest.approx(0.5))",
    "assert [0.1, x] == pytest.approx([0.1, 0.2])",
    "assert x <= 0.3",
    "assert x != 0.3",
    "assert np.allclose(x, 0.3)",
    "torch.testing.assert_close(ours, theirs)",
    "torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)",
    "assert not torch.equal(ours, theirs)",
    "assert len(x) == 3",
    "assert x == 3",
    "assert report.period.tolist() == [2, 2]",
    "assert x.argmax().item() == 3",
    "assert x.shape == (2, 3)",
    "assert x.dtype == torch.float64",
    "assert (x > 0.5).tolist() == [True, False]",
    "assert math.floor(x) == math.comb(4, 2)",
    "assert np.array_equal(images, theirs)",
    "assert torch.equal(x.long(), theirs)",
    "assert np.array_equal(np.flatnonzero(x), rows)",
    "assert np.array_equal(x.astype(int), rows)",
    "assert tmp_path / 'a' == path",
    "assert folder / name in paths",
    "place = tmp_path / hostile(name)\nassert str(place) in text",
    "assert 'size-0.5' in names",
    "assert version == '1.2.3'",
    "assert x == float('inf')",
    "assert f'{x:.2f}' == text",
    "assert round(x) == 3",
    "norms = [float(n) for n in found]\nassert norms == sorted(norms)",
    "x = torch.zeros(3, dtype=torch.int64)\nassert x.tolist() == [0, 0, 0]",
    "assert 7 // 2 == 3",
    "assert (x > 0.5) == still",
    "assert (degrees == 1).all()",
    "assert (images == theirs).all()",
    "assert str(spec) == 'size=9'",
    "assert name == 'b'",
]


@pytest.mark.parametrize("source", MAY_DIFFER)
def test_what_may_differ_elsewhere_is_found(source):
    """Literals, functions, unpacked arrays, digests and renderings, also through names, loops and parameters."""
    assert len(exact_comparisons(source)) == 1


@pytest.mark.parametrize("source", CANNOT)
def test_what_cannot_differ_is_left_alone(source):
    """Tolerances, order, whole numbers, truths, text and paths."""
    assert exact_comparisons(source) == []


def test_a_comparison_is_named_by_its_function_and_line():
    """Also one of several lines, and one in a program that a test runs elsewhere."""
    source = 'def test():\n    assert f(\n        1.5\n    ) == 0.5\n    run("""\nx = 1\nassert f(x) == 0.25\n""")\n'
    assert [(e.function, e.line, e.text) for e in exact_comparisons(source)] == [
        ("test", 2, "f( 1.5 ) == 0.5"),
        ("test", 7, "f(x) == 0.25"),
    ]
