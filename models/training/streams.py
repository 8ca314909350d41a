"""The random streams of a training run: the first number of each key, before the seed and the step or epoch."""

DEPTHS = 1  # iterations without and with a gradient
STATES = 2  # kinds and values of initial states; with a last 1: perturbations that measure the contraction
MIXTURE = 10  # specifications of a step's mazes
ORDER = 11  # of a finite training set, each epoch
NOISE = 12  # what seeds torch at each step
