import numpy as np
import pytest
import torch

from extramaze.acceleration import AUDITED, audited, choose_iteration, iterate_retiring, make_step
from extramaze.answering import first_step, iterate
from extramaze.blocks import to_input
from extramaze.evaluation import evaluate
from extramaze.filling import filled
from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.models import IterativeSolver, load
from extramaze.models.dt_net import DTNet, dt_net
from extramaze.models.pi_net import pi_net
from extramaze.plan import make_part
from extramaze.statistics import share_at_most

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def images(size, count, **spec):
    drawn, _ = raster(generate(MazeSpec(size, **spec), count, split="test"))
    return to_input(drawn, CPU, torch.float32)


FUSED = {"dt-net": lambda: load("dt-net-thin@0"), "it-net": lambda: load("it-net-thin@0"), "pi-net": lambda: pi_net(8)}


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize(("size", "count"), [(9, 64), (13, 5), (21, 1)])
def test_the_fused_iteration_is_the_plain_one(name, size, count):
    """Three fused steps equal three plain ones to rounding, for every size and batch, and change neither argument."""
    solver, x = FUSED[name](), images(size, count)
    assert choose_iteration(solver, CPU, "float32") == "fused"
    step, state = make_step(solver, x, "fused"), solver.initial_state(x)
    plain = state
    before, image = state.clone(), x.clone()
    for _ in range(3):
        plain, state = solver.step(plain, x), step(state)
    torch.testing.assert_close(state, plain, rtol=1e-4, atol=1e-4 * float(plain.abs().max()))
    assert torch.equal(before, solver.initial_state(x))
    assert torch.equal(image, x)


def test_early_answers_do_not_depend_on_the_iteration():
    """Before rounding has had time to grow, fused and plain iterations answer the same on every maze."""
    solver, x = load("dt-net-thin@0"), images(9, 64)
    for ours, plain in zip(iterate(solver, x, (5, 20), "fused"), iterate(solver, x, (5, 20)), strict=True):
        assert torch.equal(ours, plain)


def test_only_what_is_known_is_fused():
    """Other solvers, changed steps, float64 and GPUs take the plain iteration."""
    changed = type("Changed", (DTNet,), {"step": lambda self, state, x: state + 1})
    assert choose_iteration(load("dt-net-thin"), CPU, "float32") == "fused"
    assert choose_iteration(load("dt-net-thin"), CPU, "float64") == "plain"
    assert choose_iteration(load("dt-net-thin"), torch.device("cuda"), "float32") == "plain"
    assert choose_iteration(load("wavefront"), CPU, "float32") == "plain"
    assert choose_iteration(changed(4), CPU, "float32") == "plain"
    assert choose_iteration(dt_net(4, recall=False), CPU, "float32") == "plain"


def test_the_audited_tenth_is_addressed():
    """Whether a maze is audited depends on its specification and index alone, and a tenth are."""
    whole = audited("size=9 test", 0, 20_000)
    assert np.array_equal(whole[300:400], audited("size=9 test", 300, 100))
    assert abs(whole.mean() - AUDITED) < 0.01
    assert not np.array_equal(whole[:400], audited("size=11 test", 0, 400))


class Turning(IterativeSolver):
    """The state counts steps; a pixel is on the path until a step that differs from maze to maze."""

    def __init__(self, late):
        super().__init__()
        self.late = late

    def initial_state(self, x):
        return torch.stack([torch.zeros_like(x[:, 0]), self.late[:, None, None].expand_as(x[:, 0])], dim=1)

    def step(self, state, x):
        return torch.stack([state[:, 0] + 1, state[:, 1]], dim=1)

    def readout(self, state):
        on = (state[:, 0] < state[:, 1]).float()
        return torch.stack([1 - on, on], dim=1)


def retire(solver, x, rungs, keep):
    state = first_step(solver, solver.initial_state(x), x)
    return iterate_retiring(solver, x, state, 1, rungs, "plain", torch.from_numpy(keep))


def test_retirement_is_audited():
    """A maze that changes after it seemed settled disagrees where it was kept on, and keeps its answer elsewhere."""
    x, late = torch.ones(4, 3, 5, 5), torch.tensor([5.0, 5.0, 300.0, 300.0])
    keep = np.array([True, False, True, False])
    found = retire(Turning(late), x, (3, 10, 100, 1000), keep)
    plain = iterate(Turning(late), x, (3, 10, 100, 1000))
    for ours, theirs in zip(found.answers[:3], plain[:3], strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(found.answers[3][:3], plain[3][:3])
    assert found.answers[3][3].all()
    assert found.disagrees.tolist() == [False, False, True, False]


def test_everything_kept_on_is_the_plain_iteration():
    """With all mazes audited retirement changes no answer."""
    solver, x = load("dead-end-filling"), images(9, 32, percolation=0.1)
    found = retire(solver, x, (10, 200), np.ones(32, bool))
    assert all(torch.equal(a, b) for a, b in zip(found.answers, iterate(solver, x, (10, 200)), strict=True))
    assert not found.disagrees.any()


def test_a_record_states_its_audit(tiny_suite, tiny_records):
    """With --retire the record counts audited mazes by cell; without it there is nothing to count."""
    record = evaluate(load("dt-net-thin@0"), tiny_suite, "cpu", quiet=True, retire=True)
    for cell in record.summary.cells:
        chosen = audited(f"{cell.spec} test", 0, cell.n)
        rows = record.mazes.filter(record.mazes["cell"] == cell.name)
        assert rows["audit_agrees"].is_not_null().to_list() == chosen.tolist()
        assert cell.audit.audited == chosen.sum()
        assert cell.audit.high == share_at_most(cell.audit.disagree, cell.audit.audited)
    assert all(cell.audit is None for cell in tiny_records["dt-net-thin@0"].summary.cells)


def test_the_upper_bound_is_clopper_and_pearsons():
    """With none of n the bound solves (1 − p)ⁿ = 0.05; with all of n, or none looked at, it is 1."""
    assert (1 - share_at_most(0, 30)) ** 30 == pytest.approx(0.05)
    assert share_at_most(7, 7) == share_at_most(0, 0) == 1


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("spec", ["size=9", "size=13,percolation=0.15,start=any", "size=9,braid=1,start=any"])
def test_filling_is_the_iterating_solvers(scale, spec):
    """The kernel leaves what the iterating dead-end filling leaves in the end, on every raster."""
    drawn, _ = raster(generate(MazeSpec.parse(spec), 40), scale)
    x, solver = torch.from_numpy(drawn).float(), load("dead-end-filling")
    state = solver.initial_state(x)
    for _ in range(solver.step_budget(*x.shape[2:])):
        state = solver.step(state, x)
    assert np.array_equal(filled(drawn), state[:, 0].numpy() > 0)


def test_overthinking_is_right_once_and_wrong_at_last(tiny_records):
    """The count is of rows right at some rung and not at the last."""
    record = tiny_records["dt-net-thin@1"]
    for cell in record.summary.cells:
        rows = record.mazes.filter(record.mazes["cell"] == cell.name)["optimal"].to_list()
        assert cell.overthought.right == sum(any(right) and not right[-1] for right in rows)


class Halting(Turning):
    """Has an inference of its own: the plain iteration with its own accounting."""

    def own_inference(self, x, budget):
        from types import SimpleNamespace

        state = self.initial_state(x)
        for _ in range(min(budget, 4)):
            state = self.step(state, x)
        return SimpleNamespace(state=state, evaluations=torch.full((len(x),), min(budget, 4) + self.extra))


def test_own_inference_is_counted_and_bounded(tiny_suite):
    """A solver's own inference is a mode of its own; it states its evaluations and may not exceed the budget."""
    solver = Halting(torch.tensor([2.0]))
    solver.extra = 0
    record = evaluate(solver, tiny_suite, "cpu", part=make_part(2, 2), quiet=True, mode="own")
    assert record.summary.plan.mode == "own"
    assert set(record.mazes["evaluations"]) == {4}
    solver.extra = 1000
    with pytest.raises(InputError, match="evaluations of 2 allowed"):
        evaluate(solver, tiny_suite, "cpu", part=make_part(2, 2), quiet=True, mode="own")
    with pytest.raises(InputError, match="no inference of its own"):
        evaluate(load("wavefront"), tiny_suite, "cpu", quiet=True, mode="own")


def test_memory_that_does_not_suffice_halves_the_batch(tiny_suite, tiny_records):
    """Where more than eight mazes do not fit, blocks are cut, the record says to what, and an algorithm's rows stay."""
    from extramaze.models.dead_end_filling import DeadEndFilling

    class Small(DeadEndFilling):
        def step(self, state, x):
            if x.dtype == torch.float32 and len(x) > 8:
                raise torch.OutOfMemoryError("too many")
            return super().step(state, x)

    record = evaluate(Small(), tiny_suite, "cpu", quiet=True)
    assert {cell.batch for cell in record.summary.cells} == {8}
    assert record.mazes.equals(tiny_records["dead-end-filling"].mazes)
