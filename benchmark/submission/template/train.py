"""Train my-net: python train.py, or python train.py STEPS. Writes weights.safetensors beside this file.

1000 steps take a minute or two on two cores; about half of fresh 9×9 mazes are then solved.
"""

import sys
from itertools import islice

import torch
from solver import SEED, WEIGHTS, Solver
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from extramaze.mazes import MazeSpec
from extramaze.mazes.datasets import GeneratedMazes
from extramaze.models import write_weights

SPEC, SPLIT = MazeSpec(size=9), "train"  # state both in card.yaml, and the number of mazes
STEPS, BATCH = 1000, 64
MOST_ITERATIONS = 20  # each batch runs for a random number of them, of which the last few learn
LEARNING = 5


def train(steps: int = STEPS, seed: int = SEED) -> Solver:
    """Train on fresh mazes; no layout of the train split occurs in any test."""
    torch.manual_seed(seed)
    solver = Solver()
    optimizer = torch.optim.AdamW(solver.parameters(), lr=0.003)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.003, total_steps=max(steps, 2))
    batches = GeneratedMazes(SPEC, BATCH, split=SPLIT, seed=seed)
    with tqdm(islice(batches, steps), total=steps) as bar:
        for images, targets in bar:
            before = int(torch.randint(MOST_ITERATIONS - LEARNING + 1, ()))
            with torch.no_grad():
                state = solver.initial_state(images)
                for _ in range(before):
                    state = solver.step(state, images)
            if not before:
                state = solver.initial_state(images)
            for _ in range(LEARNING):
                state = solver.step(state, images)
            loss = cross_entropy(solver.readout(state), targets)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(solver.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            bar.set_postfix(loss=f"{loss.item():.4f}")
    return solver


if __name__ == "__main__":
    steps = int(sys.argv[1]) if sys.argv[1:] else STEPS
    digest = write_weights(train(steps), WEIGHTS)
    print(f"{WEIGHTS}: sha256 {digest}\ncard.yaml: training: mazes: {steps * BATCH}")
