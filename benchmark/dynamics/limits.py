"""The limits a trajectory can have, by name, and what the rules that tell them are called."""

from enum import StrEnum

DYNAMICS_VERSION = 6
MEANS = 20  # of a trajectory, whose means give an exponent's standard error: it needs as many steps
STUDY_FLOAT32 = "study-float32-v1"  # the procedure of arXiv 2410.03020, by which Betti numbers may be counted too


class Limit(StrEnum):
    """How the iterates ended up within the window."""

    FIXED_POINT = "fixed point"
    CYCLE = "cycle"
    QUASIPERIODIC = "quasi-periodic"
    CHAOTIC = "chaotic"
    DRIFTING = "drifting"
    DIVERGED = "diverged"
    UNDECIDED = "undecided"

    @property
    def sentence(self) -> str:
        """Say what the verdict means."""
        return _SENTENCES[self]


_SENTENCES = {
    Limit.FIXED_POINT: "The state did not move within the window, or came to rest in it, to within its rounding.",
    Limit.CYCLE: "The state moved, and returned to within rounding after every period.",
    Limit.QUASIPERIODIC: "The state came back ever closer and never returned; its largest exponent is 0 within error.",
    Limit.CHAOTIC: "The state moved without returning; its largest exponent is positive beyond error.",
    Limit.DRIFTING: "The state still went straight on, or its motion still died out, without returning.",
    Limit.DIVERGED: "The state was no longer finite, or its magnitude grew geometrically to the end.",
    Limit.UNDECIDED: "The state moved, and the evidence at hand fits none of the limits.",
}
