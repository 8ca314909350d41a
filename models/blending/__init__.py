"""Blends: solvers made of the weights, or the answers, of trained ones, without training."""
