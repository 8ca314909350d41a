"""Mazes of a record answered once more, as the evaluation did, to be drawn."""

import copy
from collections.abc import Mapping

import torch

from extramaze.answering import answer_block
from extramaze.models.contract import IterativeSolver
from extramaze.models.devices import reference_arithmetic
from extramaze.pictures import Drawing
from extramaze.records import Place, Record
from extramaze.work import way_of


def draw_answers(solver: IterativeSolver, record: Record, titles: Mapping[Place, str]) -> dict[Place, Drawing]:
    """Return the answers at the last rung of the mazes that have a title. Each block is computed once."""
    plan = record.summary.plan
    ours, device = in_precision_of(solver, record)
    drawings = {}
    for cell, planned in plan.pairs():
        indices = [index for name, index in titles if name == cell.name]
        for block in sorted({index // planned.block for index in indices}):
            with reference_arithmetic():
                found = answer_block(ours, plan.suite, cell, planned, block, device, way_of(plan))
            for index in indices:
                if index // planned.block == block:
                    at = index % planned.block
                    said = found.answers.rungs[-1][at].cpu().numpy()
                    title = titles[cell.name, index]
                    drawings[cell.name, index] = Drawing(found.images[at], title, found.targets[at], said)
    return drawings


def in_precision_of(solver: IterativeSolver, record: Record) -> tuple[IterativeSolver, torch.device]:
    """Return a copy of a solver in a record's precision, and the device it is on."""
    ours = copy.deepcopy(solver).to(getattr(torch, record.summary.plan.dtype)).eval()
    return ours, next((parameter.device for parameter in ours.parameters()), torch.device("cpu"))
