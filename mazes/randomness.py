"""Addressed random numbers: Philox 4×32-10, a counter-based generator.

Every word is a pure function of its address and its position, so any maze can be drawn alone, in any order and on any
number of workers. Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011),
section 3; checked against their published known answers.
"""

import hashlib

import numpy as np

from extramaze.core.compiled import compiled
from extramaze.mazes.spec import MazeSpec
from extramaze.mazes.versions import GENERATOR_VERSION

# Streams keep the parts of one maze independent: adding a part never shifts the words of another.
TREE, PERCOLATION, ENDPOINTS, CYCLES, BRAID = 0, 1, 2, 3, 4

_U32, _MASK = np.uint64(32), np.uint64(0xFFFFFFFF)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_ROUNDS = 10


def stream_key(spec: MazeSpec, split: str | None) -> np.ndarray:
    """Return the two 32-bit key words, uint64 (2,), that address the mazes of one specification and split."""
    text = f"extramaze generator {GENERATOR_VERSION}\n{spec}\n{split or 'unsplit'}"
    return np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], dtype="<u4").astype(np.uint64)


@compiled
def address(key, stream, index, attempt):
    """Name one stream of one attempt at one maze: a tuple of five words."""
    return key[0], key[1], np.uint64(stream), np.uint64(index), np.uint64(attempt)


@compiled
def philox(k0, k1, c0, c1, c2, c3):
    """Return the four 32-bit words, as uint64, of one key and counter."""
    for _ in range(_ROUNDS):
        p0 = _MULTIPLIER_0 * c0
        p1 = _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (p1 >> _U32) ^ c1 ^ k0, p1 & _MASK, (p0 >> _U32) ^ c3 ^ k1, p0 & _MASK
        k0 = (k0 + _WEYL_0) & _MASK
        k1 = (k1 + _WEYL_1) & _MASK
    return c0, c1, c2, c3


@compiled
def word(at, position):
    """Return the uniform 32-bit word at a position of an address, as uint64."""
    c0, c1, c2, c3 = philox(at[0], at[1], np.uint64(position >> 2), at[2], at[3], at[4])
    lane = position & 3
    if lane < 2:
        return c0 if lane == 0 else c1
    return c2 if lane == 2 else c3


@compiled
def below(at, position, bound):
    """Draw an exactly uniform integer in [0, bound), bound < 2³²; return it and the position after it.

    Multiply and reject: Lemire, arXiv 1805.10941.
    """
    limit = np.uint64(bound)
    product = word(at, position) * limit
    position += 1
    if product & _MASK < limit:
        threshold = ((_MASK - limit) + np.uint64(1)) % limit
        while product & _MASK < threshold:
            product = word(at, position) * limit
            position += 1
    return np.int64(product >> _U32), position
