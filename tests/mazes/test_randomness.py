import numpy as np
import pytest
from scipy.stats import chisquare

from extramaze.mazes import MazeSpec
from extramaze.mazes.randomness import COUNTER, KEY, USED, WORDS, below, next_word, open_stream, stream_key

# Random123's published known answers for philox4x32-10: counter, key, output.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "output"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, output):
    """The generator is Philox 4x32-10 as published."""
    rng = np.zeros(WORDS, np.uint64)
    rng[KEY : KEY + 2], rng[COUNTER : COUNTER + 4], rng[USED] = key, counter, 4
    assert tuple(int(next_word(rng)) for _ in range(4)) == output


def test_keys_are_frozen():
    """The key of a specification and split is the start of a sha256, the same for ever."""
    assert stream_key(MazeSpec(9), "train").tolist() == KEY_9_TRAIN
    assert stream_key(MazeSpec(9, percolation=0.1), None).tolist() == KEY_9_P1_UNSPLIT


def _stream(stream=0, index=0, attempt=0):
    rng = np.zeros(WORDS, np.uint64)
    open_stream(rng, np.array([1, 2], np.uint64), stream, index, attempt)
    return rng


def test_below_is_uniform():
    """Bounded integers are uniform (chi-square at 1e-4), for a bound that does not divide 2**32."""
    rng = _stream()
    draws = np.array([below(rng, 7) for _ in range(20_000)])
    assert chisquare(np.bincount(draws, minlength=7)).pvalue > 1e-4


def test_streams_differ():
    """Stream, index and attempt each address words of their own."""
    firsts = {int(next_word(_stream(*address))) for address in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]}
    assert len(firsts) == 4


KEY_9_TRAIN = [1202344550, 2993361504]
KEY_9_P1_UNSPLIT = [2438981344, 520059241]
