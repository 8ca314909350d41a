"""What the iterates of a map did: settled, cycled, wandered, or neither with the evidence at hand; for any map.

``observe`` runs the map and reports a limit a trajectory, with its evidence. ``largest_exponent``, ``spectral_radius``,
``betti_numbers``, ``asymptotic_alignment`` and ``watch_motion`` measure one thing each.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
