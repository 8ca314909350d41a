import numpy as np
import pytest

from extramaze.mazes import InputError, MazeSpec, describe, generate, path_strata


def test_strata_cover_all_lengths_once_and_hold_their_share():
    """The bounds follow one another without gap or overlap, and each stratum has about its quantile's share."""
    spec = MazeSpec(21, percolation=0.05)
    strata = path_strata(spec, (0.25, 0.5, 0.75))
    assert [s.min_path for s in strata] == [1, *(s.max_path + 1 for s in strata[:-1])]
    assert strata[-1].max_path == 0
    lengths = describe(generate(spec, 4000, first=50_000)).path_length
    shares = [((lengths >= s.min_path) & (lengths <= (s.max_path or 10**9))).mean() for s in strata]
    assert np.allclose(shares, 0.25, atol=0.06)
    for stratum in strata:
        found = describe(generate(stratum, 100, split="test")).path_length
        assert found.min() >= stratum.min_path
        assert stratum.max_path == 0 or found.max() <= stratum.max_path


def test_strata_are_specifications_with_whole_numbers():
    """What is returned is frozen text that gives the same mazes ever after."""
    assert [str(s) for s in path_strata(MazeSpec(9), (0.5,))] == ["size=9,max_path=9", "size=9,min_path=10"]


@pytest.mark.parametrize(
    ("spec", "quantiles", "problem"),
    [
        (MazeSpec(9), (), "quantiles must rise"),
        (MazeSpec(9), (0.5, 0.5), "quantiles must rise"),
        (MazeSpec(9), (0.5, 1.0), "quantiles must rise"),
        (MazeSpec(9, max_path=10), (0.5,), "bounds its paths already"),
        (MazeSpec(3), (0.25, 0.5, 0.75), "fall on path lengths"),
    ],
)
def test_strata_that_cannot_be(spec, quantiles, problem):
    """Quantiles that do not rise, bounded paths and too few lengths are one clear error."""
    with pytest.raises(InputError, match=problem):
        path_strata(spec, quantiles, split=None, count=500)
    with pytest.raises(InputError, match="3 mazes cannot be cut at 3 quantiles"):
        path_strata(MazeSpec(9), count=3)
