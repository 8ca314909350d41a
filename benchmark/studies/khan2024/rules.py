"""The rules by which eight claims are judged, as data that was settled before anything was measured.

Figures of a first look, on 48 to 96 mazes a point, suggested the claims; none of those mazes' counts enters a verdict.
Each rule names what is measured, on how many networks, and the bounds at which a claim is confirmed or refuted; between
the two it stays open. Intervals are paired bootstraps over mazes, 95 %, 2,000 resamples. Accuracy is the share of
optimal answers after 100 iterations; points are hundredths of it. The lowest and highest ends of intervals count, never
their middles, unless a rule says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SEEDS = (0, 1, 2, 3, 4)
PAIRS = tuple((a, b) for a in SEEDS for b in SEEDS if a < b)
TUNED_SEEDS = (0, 1, 2)
PLACES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
INSIDE = (0.0, 0.25, 0.5, 0.75, 1.0)
DOSES = (-0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
STEPS = (0, 50, 150, 350)  # of the 700 that dt-net-thin-fast trains
PARENTS = (0, 1, 2, 3, 4, 5)  # seeds of the runs that children are spawned from
MAZES = {9: 256, 13: 256, 17: 64, 33: 64}  # a cell, by size
ITERATIONS = 100
WATCHED = 64  # mazes a cell whose iterates are followed
BURN_IN, WINDOW, PURSUIT = 400, 64, 200
TRAINING, SIZE, CYCLES = "size-9", "size-17", "percolation-0.1"  # cells of smoke-v1


@dataclass(frozen=True)
class Rule:
    """One claim, and what decides it."""

    id: str
    """A letter, with a word where a claim has several parts."""
    sentence: str
    """The claim, as findings state it."""
    source: str
    """Where it comes from, or what comes nearest to it."""
    measured: str
    """What is measured, on which networks."""
    of: int
    """Networks, pairs or lines that are counted."""
    confirmed: str
    """When the claim is confirmed, in the words of the bounds."""
    refuted: str
    """When it is refuted."""
    bounds: Mapping[str, float]
    """The numbers in these sentences, by name."""


LINES = "lines between dt-net-thin@a and dt-net-thin@b, all ten pairs of five seeds, at PLACES"
RULES = (
    Rule(
        id="a-raw",
        sentence="The training loss does not see the barrier to extrapolation between networks trained apart.",
        source="extends Juneja et al. (arXiv 2205.12411) and Lubana et al. (arXiv 2211.08422) to solvers that iterate",
        measured=f"{LINES}: accuracy on the training cell and on size-17 against the straight line between the ends",
        of=10,
        confirmed="in at least 8 of 10 pairs some point has training accuracy at most 2 points below the line (highest "
        "end of the drop's interval) and size-17 more than 5 points below it (lowest end)",
        refuted="in at most 2 of 10 pairs there is such a point",
        bounds={"training_points": 2.0, "size_points": 5.0, "confirmed_pairs": 8, "refuted_pairs": 2},
    ),
    Rule(
        id="a-aligned",
        sentence="Nor does it after the networks' units are aligned.",
        source="alignment as in Ainsworth et al. (arXiv 2209.04836), with scales",
        measured=f"{LINES}, the second network aligned to the first; the cell is size-17 or percolation-0.1",
        of=10,
        confirmed="in at least 8 of 10 pairs some point has training accuracy at most 2 points below the line and "
        "size-17 or percolation-0.1 more than 5 points below it",
        refuted="in at most 2 of 10 pairs there is such a point",
        bounds={"training_points": 2.0, "other_points": 5.0, "confirmed_pairs": 8, "refuted_pairs": 2},
    ),
    Rule(
        id="b",
        sentence="Where the loss has a barrier the largest Lyapunov exponent has a valley: merged networks contract.",
        source="none found; the nearest is Huang et al. (arXiv 2410.03972), on separate solutions",
        measured=f"{LINES}, raw and aligned: the median exponent of the watched training mazes at 0, ½ and 1; a pair "
        "counts where the barrier of the training loss is above 0.1 nats (lowest end)",
        of=20,
        confirmed="in at least 9 of 10 pairs that count, raw and aligned alike, the median at ½ (highest end) lies "
        "below the medians at both ends (lowest ends); at least 8 pairs count",
        refuted="in at most 5 of 10 pairs that count it does, raw or aligned",
        bounds={"barrier_nats": 0.1, "confirmed_share": 0.9, "refuted_share": 0.5, "least_pairs": 8},
    ),
    Rule(
        id="c",
        sentence="Moving towards a network that solves cycles first un-solves them, while cross-entropy improves.",
        source="none found",
        measured="lines from dt-net-thin@s to dt-net-thin-p01@s, three seeds, at PLACES: accuracy and cross-entropy on "
        "percolation-0.1 at 0.1 against 0",
        of=3,
        confirmed="for all 3 seeds accuracy at 0.1 is at least 5 points lower than at 0 (lowest end of the drop), "
        "though at 1 it is higher than at 0, and cross-entropy is lower (highest end of its difference below 0)",
        refuted="for at most 1 of 3 seeds it is so",
        bounds={"drop_points": 5.0, "confirmed_seeds": 3, "refuted_seeds": 1},
    ),
    Rule(
        id="d",
        sentence="Within one basin more of the iterates settle in the middle than at the ends.",
        source="none found",
        measured="lines from dt-net-thin@s to dt-net-thin-tuned-{100,1k,10k}@s, three seeds, at INSIDE: share of "
        "watched mazes that settle, at ½ less the mean of the ends, pooled over a seed's three lines",
        of=3,
        confirmed="for all 3 seeds the difference is above 0 (lowest end)",
        refuted="for no seed is it above 0 (middle)",
        bounds={"confirmed_seeds": 3, "refuted_seeds": 0, "difference": 0.0},
    ),
    Rule(
        id="e",
        sentence="What fine-tuning on cycles changes has nothing in common between networks of different seeds.",
        source="task vectors of Ilharco et al. (arXiv 2212.04089); re-basing as in Rinaldi et al. (arXiv 2505.22697)",
        measured="cosines of task vectors dt-net-thin-tuned-{100,1k,10k}@s − dt-net-thin@s between the three seeds, "
        "nine pairs, raw and aligned; and percolation-0.1 at the base of one seed with another's vector added, aligned",
        of=9,
        confirmed="all cosines are at most 0.05 in size, and no added vector gains more than 5 points (highest end)",
        refuted="some cosine is above 0.1, or some added vector gains more than 5 points (lowest end)",
        bounds={"confirmed_cosine": 0.05, "refuted_cosine": 0.1, "gain_points": 5.0},
    ),
    Rule(
        id="f",
        sentence="Ensembling cures errors of size and not those of cycles.",
        source="ensembling as the survey's first family of merges",
        measured="ensembles of all five seeds of dt-net-thin and of their ten pairs, by logits, probabilities and "
        "votes (votes of five only), on sizes 17 and 33 and percolation-0.1, against the mean of the members",
        of=3,
        confirmed="for all 3 ways of averaging five seeds, errors on size 33 fall to at most half the members' mean "
        "(highest end of the ratio at most ½) and accuracy on percolation-0.1 gains at most 5 points (highest end)",
        refuted="for all 3 ways errors on size 33 stay above half (lowest end), or cycles gain more than 5 points "
        "(lowest end)",
        bounds={"error_ratio": 0.5, "gain_points": 5.0, "ways": 3},
    ),
    Rule(
        id="g-tuned",
        sentence="Blended with its base, a fine-tuned network extrapolates better than it did, at no cost of training.",
        source="Wortsman et al. (arXiv 2109.01903), for shifts of distribution",
        measured="smoke-v1's score of the line dt-net-thin@s to dt-net-thin-tuned-10k@s at the place that is best on "
        "val (sizes 9, 17 and percolation 0.1, evenly), less the fine-tuned network's, mean of three seeds",
        of=3,
        confirmed="the mean difference is above 0 (lowest end, seeds fixed)",
        refuted="it is below 0 (highest end)",
        bounds={"difference_points": 0.0},
    ),
    Rule(
        id="g-trained",
        sentence="It reaches what training with 1 % of cycles from scratch reaches.",
        source="none found",
        measured="the same blend's score less that of dt-net-thin-p01@s, mean of three seeds",
        of=3,
        confirmed="the mean difference is above −2 points (lowest end)",
        refuted="it is below −2 points (highest end)",
        bounds={"margin_points": 2.0},
    ),
    Rule(
        id="h",
        sentence="Extrapolation is decided later in training than the basin.",
        source="spawning of Frankle et al. (arXiv 1912.05671)",
        measured="pairs of children of six runs of dt-net-thin-fast, spawned at STEPS: the least step from which on "
        "the barrier of accuracy between them is at most 2 points (highest end), for the training cell and size-17; "
        "none of them counts as later than all",
        of=6,
        confirmed="for at least 5 of 6 runs that step is later for size-17 than for the training cell",
        refuted="for at most 1 of 6 runs it is",
        bounds={"barrier_points": 2.0, "confirmed_runs": 5, "refuted_runs": 1},
    ),
)
