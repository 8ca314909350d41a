import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from extramaze.costs import FLOPS_PER_PIXEL, Cost, cell_cost, suite_cost, within_budget
from extramaze.mazes import InputError, generate
from extramaze.models.dt_net import DTNet
from extramaze.suites import cell_mazes, choose_cells, load_suite, suite_names
from tests.benchmark.conftest import TINY

GOLDEN_DIGESTS = {
    "laptop-v1": "e0194c8d20deb9867f51ceec032bfc44279ed92dc2b3cba0ee49dfc79d30bf22",
    "limits-v1": "121c1a3562799556420a22e6b039f21a97c95a18da12f8020d0b7228524d21f2",
    "paper-v1": "06379c63483027baae526382a666285059e9429e8cbff265a356315a0751433b",
    "smoke-e2h-v1": "826c75b11298f09c88c1cf05dd7574a1de2951a4354a8b463e64260446a06e7a",
    "smoke-v1": "5d761aa419053db8af1d3d561f77a537b1c2713ddfff137f117dc65bfc5455a5",
}


@pytest.mark.parametrize("name", suite_names())
def test_shipped_suites_are_frozen(name):
    """A suite's content never changes under its name."""
    assert load_suite(name).digest() == GOLDEN_DIGESTS[name]


def test_the_digest_is_of_the_content(tmp_path):
    """Comments, order of keys and spelled-out defaults do not count; a count does."""
    digests = []
    for text in (
        TINY,
        "# a comment\n" + TINY.replace("spec: size=5", "spec: 'size=5,start=deadend'"),
        TINY.replace("33", "34"),
    ):
        (tmp_path / "suite.yaml").write_text(text)
        digests.append(load_suite(str(tmp_path / "suite.yaml")).digest())
    assert digests[0] == digests[1] != digests[2]


def test_what_limits_look_at_counts_only_where_it_is_said(tmp_path):
    """Iterates of float64 and no further rule are what a suite had before it could say so; others change its digest."""
    digests = []
    for limits in ("", "dtype: float64, rules: [], ", "dtype: float32, rules: [study-float32-v1], "):
        (tmp_path / "suite.yaml").write_text(TINY.replace("limits: {", f"limits: {{{limits}"))
        suite = load_suite(str(tmp_path / "suite.yaml"))
        digests.append(suite.digest())
        assert ("dtype" in suite.model_dump()["limits"]) == ("float32" in limits)
        assert type(suite).model_validate_json(suite.model_dump_json()) == suite
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        ("size=5", "size=6", ["cells.0.spec", "odd integer"]),
        ("count: 40", "cuont: 40", ["cells.0.cuont", "cells.0.count"]),
        ("[2, 5, 20]", "[5, 2]", ["iterations must rise"]),
        ("name: large", "name: easy", ["two cells have the same name"]),
        ("[cycles, large]", "[cycles, lrage]", ["cells that do not exist: lrage"]),
        ("split: test", "split: train", ["split"]),
        ("name: tiny-v1", "name: tiny", ["name: expected a name that ends in its version"]),
        ("name: tiny-v1", "name: smoke-v1", ["shipped suite's"]),
        ("limits: {", "limits: {dtype: float32, ", ["limits", "give dtype: float32 and rules: [study-float32-v1]"]),
        ("limits: {", "limits: {rules: [study-float32-v1], ", ["limits", "together, or neither"]),
        ("limits: {", "limits: {dtype: float32, rules: [study-float32], ", ["limits.rules.0"]),
        ("cells:", "cells: [", ["not readable as YAML"]),
        (TINY, "", ["file"]),
    ],
)
def test_a_wrong_suite_names_the_key(tmp_path, old, new, problems):
    """Every problem of a suite is listed, each with its key."""
    path = tmp_path / "suite.yaml"
    path.write_text(TINY.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_suite(str(path))
    for problem in problems:
        assert problem in str(caught.value)


def test_an_unknown_suite_gets_a_suggestion():
    """A typing error is answered with the nearest name."""
    with pytest.raises(InputError, match="unknown suite 'smok-v1'; did you mean smoke-v1"):
        load_suite("smok-v1")


@pytest.mark.parametrize("name", suite_names())
def test_every_cell_can_be_drawn(name):
    """No cell of a shipped suite asks for mazes that are not there."""
    suite = load_suite(name)
    for cell in suite.cells:
        assert len(generate(cell.maze_spec, 2, split=suite.split)) == 2


def test_the_cost_of_an_iteration_is_counted():
    """A width-32 DT-Net's step takes the stated operations a pixel, counted by torch, to 1 %."""
    solver, x = DTNet(32), torch.zeros(1, 3, 9, 9)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        solver.step(torch.zeros(1, 32, 9, 9), x)
    assert counter.get_total_flops() / 81 == pytest.approx(FLOPS_PER_PIXEL, rel=0.01)


def test_laptop_v1_keeps_to_its_budget():
    """At most 100 TFLOP and 10 minutes; every cell of size 9 has at least 1,000 mazes."""
    suite = load_suite("laptop-v1")
    cost = suite_cost(suite)
    assert cost.tflop <= 100
    assert cost.minutes <= 10
    assert all(cell.count >= 1000 for cell in suite.cells if cell.maze_spec.size == 9)


def test_costs_by_hand():
    """Pixels of the suite's own raster times iterations; float64 is so much slower as is measured."""
    suite = load_suite("smoke-e2h-v1")
    cell = next(cell for cell in suite.cells if cell.spec == "size=9")
    work = (2 * 9 + 6) ** 2 * FLOPS_PER_PIXEL * suite.iterations[-1] / 1e12
    assert cell_cost(suite, cell, mazes=1, watched=0).ladder == pytest.approx(work)
    assert Cost(3.0, 0.1).minutes == pytest.approx((3e12 / 300e9 + 0.1e12 / 10e9) / 60)


def test_what_is_not_watched_costs_nothing():
    """None: as many as the suite watches; 0: none."""
    suite = load_suite("smoke-v1")
    cell = next(cell for cell in suite.cells if cell.name in suite.limits.cells)
    all_of_it, none = cell_cost(suite, cell), cell_cost(suite, cell, watched=0)
    assert all_of_it.watched > none.watched == 0
    assert all_of_it.ladder == none.ladder
    assert cell_cost(suite, cell, mazes=0).tflop == 0


@pytest.mark.parametrize("budget", ["20TFLOP", "1.5 TFLOP", "0.5min"])
def test_a_budget_is_kept_and_used(budget):
    """One more maze a cell would cost more than was given."""
    suite = load_suite("laptop-v1")
    mazes = within_budget(suite, suite.cells, budget)
    unit = "minutes" if "min" in budget else "tflop"
    amount = float(budget.removesuffix("min").removesuffix("TFLOP"))
    costs = [getattr(suite_cost(suite, None, count), unit) for count in (mazes, mazes + 1)]
    assert costs[0] <= amount < costs[1]


@pytest.mark.parametrize("budget", ["20", "-1TFLOP", "nanmin", "infTFLOP", "xmin", "0.000001TFLOP"])
def test_a_budget_without_sense_is_refused(budget):
    """A unit is needed, and a positive number that pays for something."""
    suite = load_suite("smoke-v1")
    with pytest.raises(InputError, match="budget"):
        within_budget(suite, suite.cells, budget)


def test_cells_are_chosen_by_name():
    """In the suite's order; a wrong name gets a suggestion; a cell's mazes are those that are evaluated."""
    suite = load_suite("smoke-v1")
    assert [cell.name for cell in choose_cells(suite, ("start-any", "size-9"))] == ["size-9", "start-any"]
    with pytest.raises(InputError, match="did you mean size-9"):
        choose_cells(suite, ("size9",))
    assert cell_mazes("smoke-v1", "size-9").digest() == generate(suite.cells[0].maze_spec, 256, split="test").digest()
