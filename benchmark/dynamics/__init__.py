"""What the iterates of a map did: settled, cycled, wandered, or neither with the evidence at hand; for any map.

``observe`` runs the map and reports a limit a trajectory, with its evidence. ``largest_exponent``, ``spectral_radius``,
``betti_numbers``, ``asymptotic_alignment`` and ``watch_motion`` measure one thing each.
"""

from extramaze.dynamics.alignment import Alignment, asymptotic_alignment, path_independence
from extramaze.dynamics.estimate import Estimate, estimate
from extramaze.dynamics.limits import DYNAMICS_VERSION, Limit, LimitReport
from extramaze.dynamics.lyapunov import Exponent, largest_exponent, spectral_radius
from extramaze.dynamics.motion import Motion, watch_motion
from extramaze.dynamics.observe import observe
from extramaze.dynamics.study import STUDY_FLOAT32, study_float32
from extramaze.dynamics.topology import RELATIVE, BettiRule, betti_numbers, persistence, study_rule

__all__ = [
    "DYNAMICS_VERSION",
    "RELATIVE",
    "STUDY_FLOAT32",
    "Alignment",
    "BettiRule",
    "Estimate",
    "Exponent",
    "Limit",
    "LimitReport",
    "Motion",
    "asymptotic_alignment",
    "betti_numbers",
    "estimate",
    "largest_exponent",
    "observe",
    "path_independence",
    "persistence",
    "spectral_radius",
    "study_float32",
    "study_rule",
    "watch_motion",
]
