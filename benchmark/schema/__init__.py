"""Everything that is written to disk, as data: suites, plans, solvers, records, cards, verifications.

What is here can be read and checked without torch or Numba; computing it is other rooms' work.
"""
