import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

import extramaze
from extramaze.blocks.answering import iterate
from extramaze.blocks.block import ladder, to_input
from extramaze.blocks.planning import make_plan
from extramaze.evaluation.evaluate import evaluate, without_place
from extramaze.evaluation.run_cost import RunCost
from extramaze.leaderboard.board import boards
from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.mazes.pixels import raster_side
from extramaze.models import IterativeSolver, load
from extramaze.models.contract import answer
from extramaze.models.ff_net import FFNet
from extramaze.models.pi_net import PINet
from extramaze.records.tallies import first_and_last
from extramaze.records.text import cell_table
from extramaze.schema.block_rule import block_size
from extramaze.schema.plan import make_part
from extramaze.schema.record import PER_MAZE
from extramaze.scoring import score
from extramaze.suites import load_suite
from extramaze.verification.validate import problems

pytestmark = pytest.mark.numeric


def numbers(record):
    """Everything in a record but when and how it was run."""
    return record.summary.model_dump(exclude={"run", "sha256"}), record.mazes.to_dict(as_series=False)


@pytest.mark.parametrize("called", ["bin/extramaze", "checkout/benchmark/__main__.py", "lib/extramaze/__main__.py"])
def test_a_record_states_the_command_that_made_it(tiny_suite, monkeypatch, called):
    """As the command, as a clone's module and as an installed one; a notebook's record states the function."""
    arguments = ["evaluate", "dead-end-filling", "--out", "/somewhere/private/r"]
    monkeypatch.setattr("sys.argv", [f"/somewhere/{called}", *arguments])
    record = evaluate(load("dead-end-filling"), tiny_suite, "cpu", part=make_part(1, 1), quiet=True)
    assert record.summary.run.command == "extramaze evaluate dead-end-filling --out r"
    monkeypatch.setattr("sys.argv", ["/somewhere/ipykernel_launcher.py"])
    record = evaluate(load("dead-end-filling"), tiny_suite, "cpu", part=make_part(1, 1), quiet=True)
    assert record.summary.run.command == "extramaze.evaluate"


def test_two_runs_give_the_same_numbers(tiny_suite, tiny_records):
    """To the last digit, per-maze rows included."""
    again = evaluate(load("dt-net-thin@0"), tiny_suite, "cpu", quiet=True)
    assert numbers(again) == numbers(tiny_records["dt-net-thin@0"])


def test_a_part_is_a_prefix_of_the_whole(tiny_suite, tiny_records):
    """The first mazes have the same rows however many are asked for, and the record says it is partial."""
    part = evaluate(load("dt-net-thin@0"), tiny_suite, "cpu", part=make_part(10, 3), quiet=True)
    assert str(part.summary.plan.part) == "at most 10 mazes per cell, 3 of them watched"
    whole = tiny_records["dt-net-thin@0"].mazes
    columns = list(PER_MAZE)
    unwatched = columns[columns.index("limit") :]
    for cell in ("easy", "cycles", "large"):
        ours, theirs = (m.filter(m["cell"] == cell).head(10) for m in (part.mazes, whole))
        assert ours.drop(unwatched).equals(theirs.drop(unwatched))
        assert ours.head(3).equals(theirs.head(3))


def test_scores_equal_a_plain_loop(tiny_records):
    """Accuracy, first and last right rung equal those of a loop over one batch that reads out at every rung."""
    record, solver = tiny_records["dead-end-filling"], load("dead-end-filling")
    for cell in record.summary.cells:
        mazes = generate(MazeSpec.parse(cell.spec), cell.n, split="test")
        assert cell.mazes_sha256 == mazes.digest()
        assert [rung.iterations for rung in cell.rungs][:3] == [2, 5, 20]
        images, targets = raster(mazes)
        x = torch.from_numpy(images).float()
        right = []
        for rung in cell.rungs:
            outcome = score(images, targets, answer(solver(x, rung.iterations), x))
            right.append(outcome.optimal)
            assert (rung.optimal.right, rung.valid.right, rung.exact.right) == tuple(
                int(s.sum()) for s in (outcome.optimal, outcome.valid, outcome.exact)
            )
        rows = record.mazes.filter(record.mazes["cell"] == cell.name)
        for i, row in enumerate(rows.iter_rows(named=True)):
            at = [rung.iterations for rung, ok in zip(cell.rungs, right, strict=True) if ok[i]]
            assert (row["first_right"], row["last_right"]) == (min(at, default=None), max(at, default=None))


def test_first_and_last_right_rungs():
    """First and last, not best: a maze right in between is wrong at the end."""
    right = np.array([[0, 1, 0], [0, 0, 0], [1, 1, 1], [1, 0, 1]], bool)
    first, last = first_and_last(right, np.array([10, 30, 100]))
    assert first.tolist() == [30, 0, 10, 10]
    assert last.tolist() == [30, 0, 100, 100]


def test_limits_and_correctness_are_of_one_trajectory(tiny_records):
    """The limit table counts every watched maze once; right is the float64 trajectory's own end, by the plain loop."""
    record = tiny_records["dt-net-thin@0"]
    plan = record.summary.plan.suite.limits
    specs = {cell.name: cell.spec for cell in record.summary.cells}
    assert [(limit.cell, limit.n) for limit in record.summary.limits] == [("cycles", 6), ("large", 6)]
    for limit in record.summary.limits:
        rows = record.mazes.filter(record.mazes["cell"] == limit.cell).head(6)
        assert rows["limit"].null_count() == 0
        images, targets = raster(generate(MazeSpec.parse(specs[limit.cell]), 6, split="test"))
        solver, x = load("dt-net-thin@0").double(), torch.from_numpy(images).double()
        with torch.inference_mode():
            said = answer(solver(x, plan.burn_in + plan.window), x)
        assert rows["limit_right"].to_list() == score(images, targets, said).optimal.tolist()
        for count in limit.counts:
            chosen = rows.filter(rows["limit"] == count.limit)
            assert (count.right, count.wrong) == (chosen["limit_right"].sum(), (~chosen["limit_right"]).sum())
        assert sum(count.right + count.wrong for count in limit.counts) == 6


@pytest.mark.parametrize(("side", "cpu"), [(11, 64), (15, 32), (19, 16), (35, 4), (67, 1), (124, 1)])
def test_the_block_rule_is_frozen(side, cpu):
    """The largest power of two with at most 2**13 pixels on a CPU, however few mazes a cell has."""
    assert block_size(side * side, "cpu", 1000) == cpu
    assert block_size(side * side, "cpu", 1) == cpu


def test_a_gpus_block_holds_no_more_than_its_cell():
    """The largest power of two with at most 2**17 pixels, or the next one from the cell's mazes where that is less."""
    assert block_size(11 * 11, "cuda", 1024) == 1024
    assert block_size(11 * 11, "cuda", 1025) == 1024
    assert block_size(11 * 11, "cuda", 200) == 256
    assert block_size(124 * 124, "cuda", 100) == 8
    assert block_size(124 * 124, "cuda", 1) == 1


def test_algorithms_get_their_own_budget():
    """A solver that states a larger budget has one more rung; others have the suite's."""
    suite = load_suite("smoke-v1")
    assert ladder(suite, load("dt-net-thin"), 19, 19) == (10, 30, 100, 300)
    assert ladder(suite, load("wavefront"), 19, 19) == (10, 30, 100, 300, 324)
    assert ladder(suite, load("wavefront"), 11, 11) == (10, 30, 100, 300)


class Counting(IterativeSolver):
    """Counts up to a limit and then rests; notes how often it was called."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def initial_state(self, x):
        return torch.zeros_like(x[:, :2])

    def step(self, state, x):
        self.calls += 1
        return (state + 1).clamp(max=20)

    def readout(self, state):
        return state


class Learned(Counting):
    """States a budget of its own, and has a weight."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def step_budget(self, height, width):
        return 1000


def test_a_solver_with_weights_cannot_extend_its_budget():
    """The suite's last rung ranks, whatever a learned solver states."""
    assert ladder(load_suite("smoke-v1"), Learned(), 11, 11) == (10, 30, 100, 300)


def kept_in(solver, state):
    """Write a state into a tensor that a solver keeps: the first step is pure, the second returns its argument."""
    if not hasattr(solver, "kept"):
        solver.kept = torch.empty_like(state)
    return solver.kept.copy_(state)


def impure(**methods):
    """Make a solver with some methods replaced."""
    return type("Impure", (Counting,), methods)()


@pytest.mark.parametrize(
    ("solver", "problem"),
    [
        (impure(step=lambda self, s, x: s.add_(1)), "changed its arguments"),
        (impure(step=lambda self, s, x: kept_in(self, s + 1)), "returned its argument's own storage"),
        (impure(step=lambda self, s, x: (s.add_(1), s + 1)[1]), "changed its arguments"),
        (impure(step=lambda self, s, x: (x.zero_(), s + 1)[1]), "changed its arguments"),
        (impure(step=lambda self, s, x: (s, s)), "step must return a tensor"),
        (impure(initial_state=lambda self, x: None), "initial_state must return a tensor"),
        (impure(initial_state=lambda self, x: x[:1, :2]), "first dimension is the batch"),
        (impure(readout=lambda self, s: s[:1]), r"readout must return logits \(B, 2, H, W\), got"),
        (impure(readout=lambda self, s: s[:, :1]), r"readout must return logits \(B, 2, H, W\), got"),
        (
            impure(readout=lambda self, s: s.mean(dim=(2, 3), keepdim=True)),
            r"readout must return logits \(B, 2, H, W\), got",
        ),
        (impure(step_budget=lambda self, h, w: 7.5), "step_budget must be None or"),
        (impure(step=lambda self, s, x: 1 / 0), "its code failed: ZeroDivisionError"),
        (impure(step=lambda self, s, x: exit(0)), "its code failed: SystemExit"),
    ],
)
def test_a_solver_that_breaks_the_contract_is_named(tiny_suite, solver, problem):
    """Impure steps, wrong shapes and failing code end the evaluation with one sentence, before anything is scored."""
    with pytest.raises(InputError, match=problem):
        evaluate(solver, tiny_suite, "cpu", quiet=True)


def test_scalar_buffers_are_hashed():
    """A solver with batch normalisation, whose counter is a scalar, can be evaluated and identified."""
    solver = Counting()
    solver.norm = torch.nn.BatchNorm2d(2)
    assert (
        len(make_plan(solver, load_suite("smoke-v1"), None, "float32", torch.device("cpu")).solver.weights_sha256) == 64
    )


def test_changed_code_is_another_evaluation(tiny_suite, tmp_path):
    """A plugin's source is part of the plan: its record is not returned for other code of the same name."""
    code = "from extramaze.models.wavefront import Wavefront\nclass Mine(Wavefront):\n    pass\n"
    path = tmp_path / "mine.py"
    for text, refused in ((code, False), (code, False), (code + "# changed\n", True)):
        path.write_text(text)
        if refused:
            with pytest.raises(InputError, match="differs in: solver"):
                evaluate(load(f"{path}:Mine"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
        else:
            evaluate(load(f"{path}:Mine"), tiny_suite, "cpu", tmp_path / "r", quiet=True)


def test_a_factory_that_changes_a_shipped_solver_is_other_code(tiny_suite, tmp_path):
    """What it returns is of extramaze's own class; its file is part of the plan, and blamed for what fails."""
    text = (
        "import types\nfrom extramaze.models.wavefront import Wavefront\ndef make():\n    solver = Wavefront()\n"
        "    solver.readout = types.MethodType(lambda self, state: {}, solver)\n    return solver\n"
    )
    path = tmp_path / "patched.py"
    path.write_text(text.format("0 * Wavefront.readout(self, state)"))
    record = evaluate(load(f"{path}:make"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    assert record.summary.plan.solver.code_sha256 == sha256(path.read_bytes()).hexdigest()
    path.write_text(text.format("Wavefront.readout(self, state)"))
    with pytest.raises(InputError, match="differs in: solver"):
        evaluate(load(f"{path}:make"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    path.write_text(text.format("1 / 0"))
    with pytest.raises(InputError, match="its code failed: ZeroDivisionError"):
        evaluate(load(f"{path}:make"), tiny_suite, "cpu", quiet=True)
    assert load("extramaze.models.wavefront:Wavefront").factory_file is None


def test_a_class_typed_into_an_interpreter_has_no_code_to_hash():
    """It is evaluated all the same, and its record says that no file stands for it."""
    code = (
        "from extramaze.evaluation.evaluate import make_evaluation\nfrom extramaze.models.wavefront import Wavefront\n"
        "class Mine(Wavefront):\n    pass\nprint(make_evaluation(Mine(), device='cpu').plan.solver.code_sha256)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "None"


def test_what_is_no_solver_is_named(tmp_path):
    """A name instead of a solver, and paths where names are usual."""
    with pytest.raises(InputError, match=r"expected an IterativeSolver, got str; load it first: "):
        evaluate("dt-net-thin")
    with pytest.raises(InputError, match="named by text or a folder's path, got int"):
        load(3)
    (tmp_path / "s.yaml").write_text("name: [")
    with pytest.raises(InputError, match=r"s.yaml"):
        evaluate(load("wavefront"), tmp_path / "s.yaml")
    with pytest.raises(InputError, match=r"recipe.yaml"):
        load(tmp_path / "nothing")


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is the process's, not the run's")
def test_memory_is_this_runs_own():
    """What the process held before, and let go, is not stated as what the run took; gathering takes none."""
    size = 2**28
    del_me = torch.ones(size // 4)
    assert RunCost(torch.device("cpu")).memory > del_me.numel() * 4
    high = RunCost(torch.device("cpu")).memory
    del del_me
    cost = RunCost(torch.device("cpu"))
    assert cost.memory < high - size // 2
    again = torch.ones(size // 4)
    assert cost.memory > high - size // 2
    assert again.numel()
    assert RunCost(None).memory is None


def test_autocast_and_tf32_around_an_evaluation_do_not_reach_it(tiny_suite, tiny_records):
    """Evaluated inside bf16 autocast the numbers are the same, and the surroundings are left as they were."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.deterministic
    with torch.autocast("cpu", torch.bfloat16):
        record = evaluate(load("dt-net-thin@0"), tiny_suite, "cpu", quiet=True)
        assert torch.is_autocast_enabled("cpu")
    assert numbers(record) == numbers(tiny_records["dt-net-thin@0"])
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.deterministic) == before


def test_a_block_at_rest_is_not_iterated_further():
    """Where a step returns the same bits for the whole block the rest of the ladder costs nothing, and is the same."""
    x = torch.ones(2, 3, 5, 5)
    solver = Counting()
    answers = iterate(solver, x, (5, 30, 1000))
    assert solver.calls < 64
    plain = [answer(Counting()(x, rung), x) for rung in (5, 30, 1000)]
    assert all(torch.equal(a, b) for a, b in zip(answers, plain, strict=True))


def test_a_solver_of_another_raster_is_refused(tmp_path, tiny_suite):
    """A solver trained on thin rasters is not evaluated on a suite of the other."""
    from pathlib import Path

    path = tmp_path / "double.yaml"
    path.write_text(Path(tiny_suite).read_text().replace("scale: 1", "scale: 2").replace("tiny", "double"))
    with pytest.raises(InputError, match="rasters of scale 1, the suite double-v1 has scale 2"):
        evaluate(load("dt-net-thin"), str(path), "cpu")
    record = evaluate(load("wavefront"), str(path), "cpu", quiet=True)
    assert all(cell.rungs[-1].optimal.share == 1 for cell in record.summary.cells)


def test_the_solver_is_left_as_it_was(tiny_suite):
    """Evaluation works on a copy: type, device and mode of the caller's solver stay."""
    solver = load("dt-net-thin").train()
    evaluate(solver, tiny_suite, "cpu", part=make_part(2, 2), dtype="float64", quiet=True)
    assert solver.training
    assert next(solver.parameters()).dtype == torch.float32


def test_evaluate_is_at_the_top():
    """``from extramaze import evaluate`` is the function."""
    assert extramaze.evaluate is evaluate


def test_smoke_v1_takes_a_known_amount_of_work():
    """94 kFLOP a pixel and iteration for a width-32 DT-Net: at most 10 TFLOP, half a minute at 300 GFLOP/s."""
    suite = load_suite("smoke-v1")
    pixels = sum(cell.count * raster_side(cell.maze_spec.size, 1) ** 2 for cell in suite.cells)
    assert pixels * suite.iterations[-1] * 94e3 < 10e12


def test_inputs_are_laid_out_for_their_precision():
    """Channels last in float32, contiguous in float64; the values are the image's."""
    images, _ = raster(generate(MazeSpec(9), 2))
    single, double = (to_input(images, torch.device("cpu"), t) for t in (torch.float32, torch.float64))
    assert single.is_contiguous(memory_format=torch.channels_last)
    assert double.is_contiguous()
    assert np.array_equal(single.numpy(), images)


def test_a_network_that_passes_once_has_one_rung_and_no_limits(tiny_suite, tiny_records, tmp_path):
    """It is evaluated once, validated, and ranked on the board of those that iterate."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        solver = FFNet(width=4, blocks=1)
    record = evaluate(solver, tiny_suite, "cpu", tmp_path / "record", quiet=True)
    assert [len(cell.rungs) for cell in record.summary.cells] == [1, 1, 1]
    assert record.summary.limits == ()
    assert {cell.mean_evaluations for cell in record.summary.cells} == {1.0}
    assert problems(tmp_path / "record") == []
    (board,) = boards([record, tiny_records["dead-end-filling"]])
    assert {row.recipe for row in board.rows} == {"FFNet", "dead-end-filling"}


def test_its_own_inference_is_run_under_the_same_budget(tiny_suite, tmp_path):
    """PI-Net's root finder uses at most the rung's evaluations of its step; others have no inference of their own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        solver = PINet(width=4, blocks=1)
    record = evaluate(solver, tiny_suite, "cpu", tmp_path / "record", quiet=True, mode="own")
    assert record.mazes["evaluations"].max() <= 20
    assert record.summary.plan.mode == "own"
    assert problems(tmp_path / "record") == []
    with pytest.raises(InputError, match="no inference of its own"):
        evaluate(load("dt-net-thin"), tiny_suite, "cpu", quiet=True, mode="own")


def test_a_records_command_tells_no_place(tmp_path, monkeypatch):
    """Paths from the root are written relative to where the command ran, or as a name; all else as given."""
    monkeypatch.chdir(tmp_path)
    assert without_place(str(tmp_path / "a" / "r")) == "a/r"
    assert without_place(f"--out={tmp_path / 'r'}") == "--out=r"
    assert without_place("/home/someone/solver.py:make") == "solver.py:make"
    for given in ("dt-net-thin@0", "--suite", "runs/r", "--cells=size-9,size-13", "size=9"):
        assert without_place(given) == given


def test_the_table_of_a_record_is_its_figures(tiny_records):
    """What evaluate prints: accuracy at every rung, the last one's interval, and the columns beside it."""
    record = tiny_records["dt-net-thin@0"]
    lines = [re.split(r"\s{2,}", line.strip()) for line in cell_table(record).splitlines()[3:6]]
    for line, cell in zip(lines, record.summary.cells, strict=True):
        last = cell.rungs[-1]
        beside = (last.valid.share, last.exact.share, cell.overthought.share, cell.as_dead_end_filling.share)
        assert line == [
            cell.name,
            str(cell.n),
            *(f"{rung.optimal.share:.1%}" for rung in cell.rungs),
            f"{last.optimal.low:.1%} to {last.optimal.high:.1%}",
            *(f"{share:.1%}" for share in (*beside, cell.acceptance)),
        ]
