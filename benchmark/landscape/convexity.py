"""Convexity around a network: its Hessian's spectrum, and whether the middle of two points lies below their mean."""

from collections.abc import Iterator, Sequence
from pathlib import Path as Folder

import numpy as np
import polars as pl
import torch

from extramaze.core.errors import InputError
from extramaze.landscape import curvature
from extramaze.landscape.curvature import Objective
from extramaze.landscape.measures import Asked, origins
from extramaze.landscape.meter import Meter, fill_in
from extramaze.landscape.paths import random_direction
from extramaze.landscape.record import Survey
from extramaze.landscape.survey import Plan, conclude, finished, workshop
from extramaze.mazes import generate, raster
from extramaze.models.blending.alignment import balanced
from extramaze.models.blending.sources import Source, read_sources
from extramaze.models.blending.weights import Weights, combined, rounded
from extramaze.models.calling import in_precision
from extramaze.models.devices import resolve_device
from extramaze.models.symmetry import symmetry_of
from extramaze.schema.landscape import CURVATURE, Setting

PAIR, KEEP = 60, 61  # the first numbers of the keys of directions
RADII = (0.05, 0.1, 0.2)
DIRECTIONS = 4
REACHES = (0.025, 0.05, 0.1, 0.2, 0.4)
Row = tuple[str, int, float | None, float, float | None, float | None]


def convexity(
    networks: Sequence[str],
    out: Folder,
    top: int = 2,
    probes: int = 16,
    pairs: int = 64,
    mazes: int = 32,
    per_maze: int = 8,
    seed: int = 0,
    asked: Asked = Asked(),
) -> Survey:
    """Measure curvature at the first network, balanced where its class declares a symmetry.

    top: largest eigenvalues. probes: of the trace and the density. pairs: in each of three balls about the network, of
    radii that are shares of its filters' lengths; pairs of all given networks besides. mazes: of the val split of the
    training cell, over which the loss is averaged; per_maze: of how many the largest eigenvalue is found alone.
    Raises InputError for what does not fit.
    """
    for name, value, least in (
        ("--top", top, 1),
        ("--trace", probes, 0),
        ("--pairs", pairs, 0),
        ("--mazes", mazes, 1),
        ("--per-maze", per_maze, 0),
    ):
        if value < least:
            raise InputError(f"{name} must be at least {least}, got {value}")
    sources = read_sources(list(networks))
    setting = asked.setting(sources[0])
    if sources[0].solver.single_pass and setting.loss_iterations != 1:
        raise InputError("a network that passes once has its loss after 1 iteration")
    options = {
        "top": top,
        "probes": probes,
        "pairs": pairs,
        "hessian mazes": mazes,
        "per maze": per_maze,
        "seed": seed,
        "balanced": sources[0].solver.symmetry() is not None,
    }
    plan = Plan("convexity", origins(sources), setting, options=options)
    done = finished(plan, out)
    if done is not None:
        return done
    work = _Work(sources, setting, options, resolve_device(asked.device))
    asked.say(f"about {8 * top + 10 + probes + 3 * pairs // 4} Hessian products and {9 * pairs} losses")
    with workshop(plan, out) as shop:
        parts = [
            shop.frame(name, lambda make=make: _frame(make()))  # type: ignore[misc]
            for name, make in (
                ("spectrum", work.spectrum),
                ("mazes", work.mazes),
                ("density", work.density),
                ("pairs", work.pairs),
                ("kept", work.kept),
            )
        ]
        return conclude(shop, out, pl.concat(parts), asked.command)


def _frame(rows: Iterator[Row]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=CURVATURE, orient="row")


class _Work:
    """The parts of a measurement of convexity, each on its own."""

    def __init__(self, sources: Sequence[Source], setting: Setting, options: dict, device: torch.device) -> None:
        self.sources, self.setting, self.options, self.device = sources, setting, options, device
        self.weights = sources[0].weights
        if options["balanced"]:
            self.weights = balanced(symmetry_of(sources[0].solver, sources[0].scale), self.weights)
        self.solver = in_precision(sources[0].solver, torch.float32, device)
        self.put(self.weights)
        cell = next(cell for cell in setting.suite.cells if cell.name == setting.training)
        images, targets = raster(generate(cell.maze_spec, options["hessian mazes"], split="val"), setting.suite.scale)
        self.x = torch.from_numpy(images).to(device).float()
        self.targets = torch.from_numpy(targets).to(device).long()
        self.count = sum(value.numel() for value in self.solver.parameters())

    def put(self, weights: Weights) -> None:
        fill_in(self.solver, rounded(weights, self.sources[0].state))

    def objective(self, rows: slice = slice(None)) -> Objective:
        return Objective.of(self.solver, self.x[rows], self.targets[rows], self.setting.loss_iterations)

    def spectrum(self) -> Iterator[Row]:
        """Yield the ends of the spectrum, traces, and the share of the gradient that lies in the top."""
        objective, seed = self.objective(), self.options["seed"]
        product = objective.product()
        values, vectors = curvature.eigenpairs(product, self.count, self.options["top"], seed=seed)
        yield from (("largest", number, None, float(value), None, None) for number, value in enumerate(values))
        smallest, _ = curvature.eigenpairs(product, self.count, 1, largest=False, seed=seed)
        yield "smallest", 0, None, float(smallest[0]), None, None
        yield "gradient share", 0, None, curvature.gradient_share(objective.gradient(), vectors), None, None
        probes = curvature.trace_probes(product, self.count, self.options["probes"], seed)
        yield from (("trace", number, None, float(value), None, None) for number, value in enumerate(probes))

    def mazes(self) -> Iterator[Row]:
        """Yield each maze's own largest eigenvalue: a few that are near instability can own the mean's spectrum."""
        for number in range(min(self.options["per maze"], len(self.x))):
            product = self.objective(slice(number, number + 1)).product()
            values, _ = curvature.eigenpairs(product, self.count, 1, seed=self.options["seed"])
            yield "maze", number, None, float(values[0]), None, None

    def density(self) -> Iterator[Row]:
        """Yield the spectrum's density, places with weights."""
        if not self.options["probes"]:
            return
        product = self.objective().product()
        places, weights = curvature.density(product, self.count, 1, self.options["seed"])
        yield from (
            ("density", number, None, float(place), float(weight), None)
            for number, (place, weight) in enumerate(zip(places, weights, strict=True))
        )

    def loss(self, weights: Weights) -> float:
        self.put(weights)
        return self.objective().value()

    def pairs(self) -> Iterator[Row]:
        """Yield the losses at two points and in their middle, in balls about the network and between the networks."""
        for size in RADII:
            for number in range(self.options["pairs"]):
                ends = [self._near(size, (PAIR, self.options["seed"], number, end)) for end in (0, 1)]
                yield self._pair("pair", number, size, *ends)
        number = 0
        for at, one in enumerate(self.sources):
            for other in self.sources[at + 1 :]:
                yield self._pair("trained pair", number, None, one.weights, other.weights)
                number += 1
        self.put(self.weights)

    def _near(self, size: float, key: Sequence[int]) -> Weights:
        """Draw a point of a ball whose radius is a share of every filter's length: evenly along the way out."""
        far = size * float(np.random.default_rng([*key, 1]).random())
        return combined((1.0, far), (self.weights, random_direction(self.weights, key)))

    def _pair(self, what: str, number: int, size: float | None, one: Weights, other: Weights) -> Row:
        middle = combined((0.5, 0.5), (one, other))
        return what, number, size, self.loss(middle), self.loss(one), self.loss(other)

    def kept(self) -> Iterator[Row]:
        """Yield the accuracy of the training cell at distances along random directions, as a share of the network's."""
        training = tuple(cell for cell in self.setting.suite.cells if cell.name == self.setting.training)
        suite = self.setting.suite.model_copy(update={"cells": training})
        meter = Meter(
            self.sources[0].solver, self.setting.model_copy(update={"suite": suite, "watch": None}), self.device
        )

        def accuracy(weights: Weights) -> float:
            return float(meter.measure(weights)["optimal"].cast(pl.Float64).to_numpy().mean())

        own = accuracy(self.weights)
        for number in range(DIRECTIONS):
            towards = random_direction(self.weights, (KEEP, self.options["seed"], number))
            for size in REACHES:
                share = accuracy(combined((1.0, size), (self.weights, towards))) / own if own else 0.0
                yield "kept", number, size, share, None, None
                if share < 0.95:
                    break
