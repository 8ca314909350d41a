import os
import random
import shutil
import subprocess
import sys
import time

import pytest

from extramaze.blocks.store import BlockStore
from extramaze.cli import run
from extramaze.core.files import make_folder
from extramaze.evaluation import shards
from extramaze.evaluation.evaluate import make_evaluation
from extramaze.evaluation.shards import gather, run_together
from extramaze.evaluation.tasks import Shard
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.records import read_record
from tests.benchmark.test_evaluation import numbers

COMMAND = [sys.executable, "-m", "extramaze", "evaluate", "dt-net-thin@0", "--device", "cpu", "--quiet"]


def make_shards(name, suite, count, folder):
    evaluation = make_evaluation(load(name), suite, "cpu")
    folders = [folder / f"{index}-{count}" for index in range(1, count + 1)]
    for index, out in enumerate(folders, start=1):
        evaluation.run_shard(Shard(index=index, count=count), out, quiet=True)
    return folders


def test_gathering_killed_between_its_two_files_can_be_repeated(tiny_suite, tiny_records, tmp_path):
    """The rows alone, without their summary, are what it writes over."""
    (tmp_path / "record").mkdir()
    (tmp_path / "record" / "mazes.parquet").write_bytes(b"half")
    record = gather(make_shards("dead-end-filling", tiny_suite, 2, tmp_path), tmp_path / "record")
    assert record.table == tiny_records["dead-end-filling"].table


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_any_number_of_shards_gives_the_same_record(tiny_suite, tiny_records, tmp_path, count):
    """Rows, scores and limits of a gathered record are those of one process, more shards than blocks included."""
    folders = make_shards("dead-end-filling", tiny_suite, count, tmp_path)
    record = gather(folders[::-1], tmp_path / "record")
    assert numbers(record) == numbers(tiny_records["dead-end-filling"]) == numbers(read_record(tmp_path / "record"))
    assert record.table == tiny_records["dead-end-filling"].table


def test_gathering_refuses_what_is_not_whole(tiny_suite, tmp_path):
    """Overlaps, gaps, mixtures, unfinished shards and other folders are refused by name."""
    ours = make_shards("dead-end-filling", tiny_suite, 3, tmp_path / "ours")
    others = make_shards("wavefront", tiny_suite, 3, tmp_path / "others")
    halves = make_shards("dead-end-filling", tiny_suite, 2, tmp_path / "halves")
    copy = shutil.copytree(ours[0], tmp_path / "copy")
    for folders, problem in (
        ([ours[0], ours[2]], "missing: shard 2/3"),
        ([*ours, copy], r"copy and .*1-3 are both shard 1/3"),
        ([*ours[:2], others[2]], r"3-3 is of another evaluation .*differs in: solver"),
        ([ours[0], halves[1]], r"2-2 is shard 2/2, .*1-3 is one of 3"),
        ([tmp_path], "holds no shard"),
        ([], "no folders"),
    ):
        with pytest.raises(InputError, match=problem):
            gather(folders, tmp_path / "record")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is not empty; choose another --out"):
        gather(ours, tmp_path / "file")
    block, other = sorted((ours[1] / "blocks").iterdir())[:2]
    shutil.copy(other, block)  # another block under its name is none
    with pytest.raises(InputError, match=f"2-3 lacks the block {block.stem}"):
        gather(ours, tmp_path / "record")
    assert not (tmp_path / "record").exists()


def test_a_folder_keeps_to_its_shard(tiny_suite, tmp_path):
    """A shard's folder is not gone on with as another, nor as a whole evaluation."""
    evaluation = make_evaluation(load("dead-end-filling"), tiny_suite, "cpu")
    evaluation.run_shard(Shard.parse("1/2"), tmp_path / "r", quiet=True)
    with pytest.raises(InputError, match="holds shard 1/2 of this evaluation, not 2/2"):
        evaluation.run_shard(Shard.parse("2/2"), tmp_path / "r", quiet=True)
    with pytest.raises(InputError, match="holds shard 1/2 of this evaluation, not 1/1"):
        evaluation.run(tmp_path / "r", quiet=True)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", "1/2/3"])
def test_a_shard_is_written_i_of_k(text):
    """Anything but i/k with i from 1 to k is refused."""
    with pytest.raises(InputError, match="i/k"):
        Shard.parse(text)


@pytest.mark.slow
def test_processes_killed_at_random_moments_redo_at_most_a_block(tiny_suite, tmp_path):
    """Two shards, killed soon after a block, end with one process's record; no block is computed twice."""
    moments, environment = random.Random(0), {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*COMMAND, "--suite", tiny_suite, "--out", tmp_path / "whole"], env=environment, check=True)
    folders = [tmp_path / "one", tmp_path / "two"]
    for index, out in enumerate(folders, start=1):
        command = [*COMMAND, "--suite", tiny_suite, "--out", out, "--shard", f"{index}/2"]
        for kill in (True, False) if index == 2 else (True, True, False):
            done = {path: path.stat().st_mtime_ns for path in out.glob("blocks/*.npz")}
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            while kill and process.poll() is None and len(list(out.glob("blocks/*.npz"))) <= len(done):
                time.sleep(0.01)
            if kill:
                time.sleep(moments.uniform(0, 0.05))
                process.kill()
            assert process.wait() == 0 or kill
            assert all(path.stat().st_mtime_ns == moment for path, moment in done.items())
            assert len(list(out.glob("blocks/*.npz"))) > 0
    assert numbers(gather(folders, tmp_path / "record")) == numbers(read_record(tmp_path / "whole"))


def test_a_record_of_another_evaluation_is_not_returned(tiny_suite, tiny_records, tmp_path):
    """Under torchrun too, a finished record in the folder is returned only where it is this evaluation's."""
    tiny_records["dt-net-thin@0"].write(tmp_path / "r")
    ours, other = (make_evaluation(load(name), tiny_suite, "cpu") for name in ("dt-net-thin@0", "dt-net-thin@1"))
    shard = Shard(index=1, count=2)
    assert numbers(run_together(ours, shard, tmp_path / "r", True)) == numbers(tiny_records["dt-net-thin@0"])
    with pytest.raises(InputError, match="another evaluation"):
        run_together(other, shard, tmp_path / "r", True)


@pytest.fixture
def meanwhile(tiny_records, tmp_path, monkeypatch):
    """Another solver's record is written into ``r`` while shards are being read."""
    plain = shards.read_shards
    monkeypatch.setattr(
        shards, "read_shards", lambda folders: (tiny_records["dt-net-thin@0"].write(tmp_path / "r"), plain(folders))[1]
    )
    yield
    assert read_record(tmp_path / "r").table == tiny_records["dt-net-thin@0"].table


@pytest.mark.usefixtures("meanwhile")
def test_gathering_keeps_a_record_written_meanwhile(tiny_suite, tmp_path):
    """Its folder is looked into once more, inside the lock."""
    folders = make_shards("dead-end-filling", tiny_suite, 2, tmp_path)
    with pytest.raises(InputError, match="is not empty"):
        gather(folders, tmp_path / "r")


@pytest.mark.usefixtures("meanwhile")
def test_torchrun_keeps_a_record_written_meanwhile(tiny_suite, tmp_path):
    """The first process, which gathers, refuses it as all of them do."""
    evaluation = make_evaluation(load("dead-end-filling"), tiny_suite, "cpu")
    one, two = (Shard(index=index, count=2) for index in (1, 2))
    evaluation.run_shard(two, tmp_path / "r" / "shard-2-of-2", quiet=True)
    with pytest.raises(InputError, match="holds another evaluation"):
        run_together(evaluation, one, tmp_path / "r", True)


@pytest.mark.parametrize("finished", [True, False])
def test_two_solvers_started_at_once_in_one_folder(finished, tiny_suite, tiny_records, tmp_path, monkeypatch):
    """Who comes second finds the record, or the plan, of the first inside the lock: it is refused, nothing is lost."""
    folder, first = tmp_path / "r", make_evaluation(load("dead-end-filling"), tiny_suite, "cpu")

    def meanwhile(path):
        monkeypatch.undo()
        make_folder(path)
        if finished:
            first.run(folder, quiet=True)
        else:
            BlockStore.open(folder, first.plan)

    monkeypatch.setattr("extramaze.evaluation.evaluate.make_folder", meanwhile)
    with pytest.raises(InputError, match=r"holds another evaluation .*solver"):
        make_evaluation(load("wavefront"), tiny_suite, "cpu").run(folder, quiet=True)
    assert first.run(folder, quiet=True).table == tiny_records["dead-end-filling"].table


def test_a_shard_is_not_shared_out_again(tiny_suite, monkeypatch, capsys):
    """torchrun gives each process its own; one named besides would be run by all of them."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert run(["evaluate", "wavefront", "--suite", tiny_suite, "--device", "cpu", "--shard", "1/2"]) == 2
    assert "torchrun gives each process its shard; leave out --shard 1/2" in capsys.readouterr().err


def test_processes_of_torchrun_share_the_work(tiny_suite, tiny_records, tmp_path):
    """The first puts the shards together once all are there: the record that one process leaves, and nothing else."""
    evaluation = make_evaluation(load("dead-end-filling"), tiny_suite, "cpu")
    one, two = (Shard(index=index, count=2) for index in (1, 2))
    evaluation.run_shard(two, tmp_path / "r" / "shard-2-of-2", quiet=True)
    for shard in (one, two):
        record = run_together(evaluation, shard, tmp_path / "r", True)
        assert numbers(record) == numbers(tiny_records["dead-end-filling"])
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["answers.npz", "mazes.parquet", "record.json"]


@pytest.mark.slow
def test_torchrun_shares_the_work(tiny_suite, tmp_path):
    """Two processes under torchrun leave the record that one leaves, and nothing else."""
    arguments = ["evaluate", "dt-net-thin@0", "--device", "cpu", "--quiet", "--suite", tiny_suite, "--out"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    together, alone = tmp_path / "together", tmp_path / "alone"
    subprocess.run([*launcher, "-m", "extramaze", *arguments, together], env=environment, check=True)
    subprocess.run([sys.executable, "-m", "extramaze", *arguments, alone], env=environment, check=True)
    assert numbers(read_record(together)) == numbers(read_record(alone))
    assert sorted(path.name for path in together.iterdir()) == sorted(path.name for path in alone.iterdir())
