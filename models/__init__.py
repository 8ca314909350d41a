"""Solvers: the contract they keep, recurrent and implicit networks, algorithms, training and weights."""

from extramaze.core.plugins import unreadable_left_out

with unreadable_left_out():
    from extramaze.models.contract import Inference, IterativeSolver, SolverCard, answer
    from extramaze.models.loading import load
    from extramaze.models.published import read_published
    from extramaze.models.training.from_python import train
    from extramaze.models.weight_files import read_weights, write_weights

__all__ = [
    "Inference",
    "IterativeSolver",
    "SolverCard",
    "answer",
    "load",
    "read_published",
    "read_weights",
    "train",
    "write_weights",
]
