"""One thread for all that tests do: they are small, and the threads of several workers would fight over cores.

Set here, before conftest imports torch, numpy and numba, which read these names once, when they load. What a user's
cache says of records that were checked before, tests neither believe nor change.
"""

import os

LIBRARIES = ("OMP", "MKL", "OPENBLAS", "NUMBA")
os.environ.update(
    {f"{library}_NUM_THREADS": "1" for library in LIBRARIES}, POLARS_MAX_THREADS="1", EXTRAMAZE_CACHE="off"
)
