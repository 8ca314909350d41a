"""Addressed random numbers: Philox 4×32-10, a counter-based generator.

Every word is a pure function of (key, block, stream, index, attempt), so any maze can be drawn alone, in any order and
on any number of workers. Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC
2011), section 3; checked against their published known answers.
"""

import hashlib

import numba
import numpy as np

from extramaze.mazes.spec import MazeSpec

GENERATOR_VERSION = 1

# Streams keep the parts of one maze independent: adding a part never shifts the words of another.
TREE, PERCOLATION, ENDPOINTS = 0, 1, 2

U32 = np.uint64(32)
MASK = np.uint64(0xFFFFFFFF)
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
ROUNDS = 10

# A generator is one array of 11 words: key (2), counter (4), output (4), and how many outputs are used.
KEY, COUNTER, OUTPUT, USED, WORDS = 0, 2, 6, 10, 11


def stream_key(spec: MazeSpec, split: str | None) -> np.ndarray:
    """Return the two 32-bit key words, uint64 (2,), that address the mazes of one specification and split."""
    text = f"extramaze generator {GENERATOR_VERSION}\n{spec}\n{split or 'unsplit'}"
    return np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], dtype="<u4").astype(np.uint64)


@numba.njit(cache=True, nogil=True)
def open_stream(rng, key, stream, index, attempt):
    """Point ``rng``, uint64 (WORDS,), at the first word of one stream of one attempt at one maze."""
    rng[KEY], rng[KEY + 1] = key[0], key[1]
    rng[COUNTER] = 0
    rng[COUNTER + 1] = stream
    rng[COUNTER + 2] = index
    rng[COUNTER + 3] = attempt
    rng[USED] = 4


@numba.njit(cache=True, nogil=True)
def _refill(rng):
    c0, c1, c2, c3 = rng[COUNTER], rng[COUNTER + 1], rng[COUNTER + 2], rng[COUNTER + 3]
    k0, k1 = rng[KEY], rng[KEY + 1]
    for _ in range(ROUNDS):
        p0 = MULTIPLIER_0 * c0
        p1 = MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (p1 >> U32) ^ c1 ^ k0, p1 & MASK, (p0 >> U32) ^ c3 ^ k1, p0 & MASK
        k0 = (k0 + WEYL_0) & MASK
        k1 = (k1 + WEYL_1) & MASK
    rng[OUTPUT], rng[OUTPUT + 1], rng[OUTPUT + 2], rng[OUTPUT + 3] = c0, c1, c2, c3
    rng[COUNTER] += np.uint64(1)
    rng[USED] = 0


@numba.njit(cache=True, nogil=True)
def next_word(rng):
    """Return the next uniform 32-bit word, as uint64."""
    if rng[USED] == 4:
        _refill(rng)
    used = np.int64(rng[USED])
    rng[USED] = used + 1
    return rng[OUTPUT + used]


@numba.njit(cache=True, nogil=True)
def below(rng, bound):
    """Return an exactly uniform integer in [0, bound), bound < 2³². Multiply and reject (Lemire, arXiv 1805.10941)."""
    limit = np.uint64(bound)
    product = next_word(rng) * limit
    if product & MASK < limit:
        threshold = ((MASK - limit) + np.uint64(1)) % limit
        while product & MASK < threshold:
            product = next_word(rng) * limit
    return np.int64(product >> U32)
