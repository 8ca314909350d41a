import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from extramaze.blocks.block import BlockScores
from extramaze.blocks.store import BlockStore
from extramaze.core.files import hold
from extramaze.evaluation.evaluate import evaluate
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.records import read_record
from extramaze.schema.plan import make_part
from tests.benchmark.test_evaluation import numbers


def flawless_block(count):
    """Scores of a block on which everything is right."""
    right, ones = np.ones((3, count), bool), np.ones(count, bool)
    failure, answer = np.array(["none"] * count), np.zeros((count, 16), np.uint8)
    return BlockScores(right, right, right, failure, ones, np.full(count, 20), np.array([count]), answer)


@pytest.mark.parametrize("damage", [b"", b"junk", None])
def test_a_damaged_block_is_computed_again(tiny_suite, tiny_records, tmp_path, damage):
    """Blocks cut short or altered do not stop a resumed run, nor reach its record."""
    plan = tiny_records["dt-net-thin@0"].summary.plan
    store = BlockStore.open(tmp_path / "r", plan)
    store.save("cycles-scores-0", flawless_block(64))
    path = tmp_path / "r" / "blocks" / "cycles-scores-0.npz"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage is None else damage)
    record = evaluate(load("dt-net-thin@0"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    assert numbers(record) == numbers(tiny_records["dt-net-thin@0"])


def test_a_block_of_another_evaluation_is_computed_again(tiny_suite, tiny_records, tmp_path):
    """A block's file states its plan and name: copied from elsewhere it does not reach the record."""
    ours, other = (tiny_records[name].summary.plan for name in ("dt-net-thin@0", "dt-net-thin@1"))
    store = BlockStore.open(tmp_path / "r", ours)
    BlockStore.open(tmp_path / "other", other).save("cycles-scores-0", flawless_block(64))
    store.save("cycles-scores-1", flawless_block(64))
    blocks = tmp_path / "r" / "blocks"
    shutil.copy(tmp_path / "other" / "blocks" / "cycles-scores-0.npz", blocks)
    (blocks / "cycles-scores-1.npz").rename(blocks / "large-scores-0.npz")
    record = evaluate(load("dt-net-thin@0"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    assert numbers(record) == numbers(tiny_records["dt-net-thin@0"])


def test_a_block_that_unpacks_to_more_than_any_is_none(tiny_records, tmp_path):
    """It is not unpacked, though it states what it is: it is computed again."""
    store = BlockStore.open(tmp_path / "r", tiny_records["dt-net-thin@0"].summary.plan)
    store.save("cycles-scores-0", flawless_block(64))
    path = tmp_path / "r" / "blocks" / "cycles-scores-0.npz"
    arrays = dict(np.load(path))
    assert store.read(BlockScores, "cycles-scores-0") is not None
    np.savez_compressed(path, **arrays | {"exact": np.zeros(2**26, bool)})
    assert store.read(BlockScores, "cycles-scores-0") is None


def test_two_processes_do_not_share_a_folder(tiny_suite, tmp_path):
    """A folder in use is refused while it is."""
    (tmp_path / "r").mkdir()
    with hold(tmp_path / "r"), pytest.raises(InputError, match="in use by another process"):
        evaluate(load("wavefront"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    evaluate(load("wavefront"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["answers.npz", "mazes.parquet", "record.json"]


def test_a_folder_is_let_go_of_after_a_failure(tmp_path):
    """What fails while it holds a folder leaves no lock behind."""
    with pytest.raises(ZeroDivisionError), hold(tmp_path):
        1 / 0  # noqa: B018
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_start_leaves_is_no_obstacle(tiny_suite, tmp_path):
    """Half-written files of ours do not make a folder somebody else's, and are removed."""
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".plan.json.12345678.tmp").write_text("{")
    evaluate(load("wavefront"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["answers.npz", "mazes.parquet", "record.json"]


def test_killed_and_started_again(tiny_suite, tiny_records, tmp_path):
    """A real process killed between blocks and started again gives the record of an uninterrupted run."""
    out = tmp_path / "record"
    script = (
        "import sys, time, extramaze.evaluation.work as e\nfrom extramaze.evaluation.evaluate import evaluate\n"
        "plain = e.answer_block\n"
        "e.answer_block = lambda *a: (time.sleep(0.3), plain(*a))[1]\n"
        "from extramaze.models import load\n"
        "evaluate(load('dt-net-thin@0'), sys.argv[1], 'cpu', sys.argv[2], quiet=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, tiny_suite, str(out)], env=os.environ)
    deadline = time.monotonic() + 120
    while not list(out.glob("blocks/cycles-scores-0.npz")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "record.json").exists()
    done = {path.name: path.stat().st_mtime_ns for path in out.glob("blocks/*.npz")}

    import extramaze.evaluation.work as module

    computed = []
    plain = module.answer_block
    try:
        module.answer_block = lambda *a: (computed.append(f"{a[2].name}-scores-{a[4]}.npz"), plain(*a))[1]
        resumed = evaluate(load("dt-net-thin@0"), tiny_suite, "cpu", out, quiet=True)
    finally:
        module.answer_block = plain
    assert done
    assert not set(computed) & set(done)
    assert numbers(resumed) == numbers(tiny_records["dt-net-thin@0"]) == numbers(read_record(out))
    assert sorted(path.name for path in out.iterdir()) == ["answers.npz", "mazes.parquet", "record.json"]


def test_a_finished_record_is_returned_and_another_refused(tiny_suite, tmp_path):
    """Evaluating into a folder twice computes once; another solver's record in it is left alone."""
    first = evaluate(load("wavefront"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    assert evaluate(load("wavefront"), tiny_suite, "cpu", tmp_path / "r", quiet=True).summary == first.summary
    before = (tmp_path / "r" / "record.json").read_bytes()
    with pytest.raises(InputError, match=r"another evaluation .*differs in: solver"):
        evaluate(load("dead-end-filling"), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    with pytest.raises(InputError, match="differs in: part, cells"):
        evaluate(load("wavefront"), tiny_suite, "cpu", tmp_path / "r", part=make_part(3, 3), quiet=True)
    assert (tmp_path / "r" / "record.json").read_bytes() == before


def test_folders_of_others_are_refused(tiny_suite, tmp_path):
    """A folder with anything else in it is not written to, and a lock in it is not taken."""
    (tmp_path / ".lock").write_text("theirs")
    with pytest.raises(InputError, match="holds no evaluation"):
        evaluate(load("wavefront"), tiny_suite, "cpu", tmp_path, quiet=True)
    assert (tmp_path / ".lock").read_text() == "theirs"
