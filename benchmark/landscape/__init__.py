"""Loss landscapes of solvers that iterate: loss, accuracy and limits along lines, curves and planes of weights."""
