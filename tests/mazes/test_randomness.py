import numpy as np
import pytest
from scipy.stats import chisquare

from extramaze.mazes import MazeSpec
from extramaze.mazes.randomness import address, below, philox, stream_key, word

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
    assert philox(*(np.uint64(w) for w in (*key, *counter))) == output


def test_keys_are_frozen():
    """The key of a specification and split is the start of a sha256, the same for ever."""
    assert stream_key(MazeSpec(9), "train").tolist() == KEY_9_TRAIN
    assert stream_key(MazeSpec(9, percolation=0.1), None).tolist() == KEY_9_P1_UNSPLIT


def _address(stream=0, index=0, attempt=0):
    return tuple(np.uint64(w) for w in address(np.array([1, 2], np.uint64), stream, index, attempt))


def test_words_are_the_lanes_of_consecutive_blocks():
    """Word i of an address is lane i mod 4 of the block whose counter is (i div 4, stream, index, attempt)."""
    blocks = [philox(*(np.uint64(w) for w in (1, 2, block, 7, 8, 9))) for block in range(3)]
    assert [word(_address(7, 8, 9), i) for i in range(12)] == [w for block in blocks for w in block]


def test_below_is_uniform():
    """Bounded integers are uniform (chi-square at 1e-4), for a bound that does not divide 2**32."""
    draws = np.array([below(_address(), i, 7)[0] for i in range(20_000)])
    assert chisquare(np.bincount(draws, minlength=7)).pvalue > 1e-4


def test_below_rejects_what_would_bias():
    """Just above half the range every second word is rejected, and the position moves on past it."""
    values = [below(_address(), 64 * i, 2**31 + 1) for i in range(500)]
    assert all(0 <= value <= 2**31 for value, _ in values)
    assert 1.8 < np.mean([after - 64 * i for i, (_, after) in enumerate(values)]) < 2.2


def test_streams_differ():
    """Stream, index and attempt each address words of their own."""
    assert len({int(word(_address(*at), 0)) for at in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]}) == 4


KEY_9_TRAIN = [1202344550, 2993361504]
KEY_9_P1_UNSPLIT = [2438981344, 520059241]
