"""Shards of one evaluation, computed anywhere, and gathered into the record that one process would have written."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from extramaze.blocks.block import BlockScores
from extramaze.blocks.store import BLOCKS, BlockStore, refuse_other
from extramaze.blocks.watching import BlockLimits
from extramaze.core.checked import differing, parse_json
from extramaze.core.errors import InputError
from extramaze.core.files import hold, is_free, make_folder, read_bytes, remove_temporary
from extramaze.core.folders import remove_folder
from extramaze.evaluation.evaluate import Evaluation, assemble
from extramaze.evaluation.run_cost import RunCost
from extramaze.evaluation.tasks import Shard, Task, tasks
from extramaze.records import FILES, SUMMARY, Record, read_record, settle_files
from extramaze.schema.plan import PLAN, Plan, shard_of

POLL_SECONDS = 0.2


def gather(folders: Sequence[str | Path], out: str | Path) -> Record:
    """Gather the shards of one evaluation into the folder ``out``; the same record for any number of shards.

    Where the folder holds that record already, it is returned. Raises InputError, naming folders and blocks, for shards
    of different evaluations or different counts, a shard given twice, one that is missing, or one that is not finished.
    """
    target = Path(out)
    _refuse_used(target)
    record = read_shards(folders)
    make_folder(target)
    with hold(target):
        _refuse_used(target)  # by somebody else, meanwhile
        remove_temporary(target)
        if (target / SUMMARY).exists():
            return _gathered(target, record.summary.plan)
        record.write(target)
    return record


def _gathered(target: Path, plan: Plan) -> Record:
    """Return the record that a folder holds. Raises InputError where it is of another plan."""
    found = read_record(target)
    if found.summary.plan != plan:
        raise InputError(f"{target} is not empty; choose another --out")
    settle_files(target)
    return found


def _refuse_used(target: Path) -> None:
    """Raise InputError for a folder that holds more than a gathering leaves, killed or not."""
    if not is_free(target, *FILES):
        raise InputError(f"{target} is not empty; choose another --out")


def read_shards(folders: Sequence[str | Path]) -> Record:
    """Put the record together that ``gather`` writes. Raises InputError as it does."""
    cost = RunCost(None)
    shards = [(Path(folder), *_read_shard(Path(folder))) for folder in folders]
    if not shards:
        raise InputError("no folders to gather; name those that extramaze evaluate --shard wrote")
    first, plan, _ = shards[0]
    for folder, other, _ in shards[1:]:
        if other != plan:
            differs = ", ".join(differing(plan, other))
            raise InputError(f"{folder} is of another evaluation than {first} (it differs in: {differs})")
    _refuse_wrong_set([(folder, shard) for folder, _, shard in shards])
    stores = {shard.index - 1: BlockStore.of(folder, plan) for folder, _, shard in shards}
    blocks = {task.name: _read_block(stores[task.number % len(shards)], task) for task in tasks(plan)}
    return assemble(plan, blocks, cost)


def _read_shard(folder: Path) -> tuple[Plan, Shard]:
    text = shard_of(folder)
    if text is None or not (folder / PLAN).exists():
        raise InputError(f"{folder} holds no shard; make one with extramaze evaluate --shard 1/2 --out {folder}")
    return parse_json(Plan, read_bytes(folder / PLAN), str(folder / PLAN)), Shard.parse(text)


def _refuse_wrong_set(shards: list[tuple[Path, Shard]]) -> None:
    """Raise InputError unless the shards are 1/k … k/k, once each."""
    count = shards[0][1].count
    seen: dict[int, Path] = {}
    for folder, shard in shards:
        if shard.count != count:
            raise InputError(f"{folder} is shard {shard}, {shards[0][0]} is one of {count}; gather shards of one cut")
        if shard.index in seen:
            raise InputError(f"{folder} and {seen[shard.index]} are both shard {shard}; keep one of them")
        seen[shard.index] = folder
    missing = [f"{index}/{count}" for index in range(1, count + 1) if index not in seen]
    if missing:
        raise InputError(f"missing: shard {', '.join(missing)}; give all the folders")


def _read_block(store: BlockStore, task: Task) -> BlockScores | BlockLimits:
    found = store.read_either(task.name, task.watched)
    if found is None:
        raise InputError(f"{store.out} lacks the block {task.name}; run its shard again, it goes on where it was")
    return found


def torchrun_shard() -> Shard | None:
    """Return this process's shard under ``torchrun``; None where it is alone."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    return Shard(index=int(os.environ["RANK"]) + 1, count=count) if count > 1 else None


def run_together(evaluation: Evaluation, shard: Shard, out: Path, quiet: bool) -> Record:
    """Run one process's shard under ``torchrun``; the first process gathers, and all return the record.

    torchrun ends every process where one fails, so waiting for the others' blocks ends too. Once there is a record,
    each process deletes its shard.
    """
    folders = [out / f"shard-{index}-of-{shard.count}" for index in range(1, shard.count + 1)]
    if not (out / SUMMARY).exists():
        evaluation.run_shard(shard, folders[shard.index - 1], quiet or shard.index > 1)
        if shard.index == 1:
            _wait_for(evaluation.plan, folders)
            record = read_shards(folders)
            with hold(out):
                if not (out / SUMMARY).exists():  # nobody else has just written one
                    remove_temporary(out)
                    record.write(out)
    while not (out / SUMMARY).exists():
        time.sleep(POLL_SECONDS)
    record = read_record(out)
    refuse_other(out, record.summary.plan, evaluation.plan)
    remove_folder(folders[shard.index - 1])
    return record


def _wait_for(plan: Plan, folders: list[Path]) -> None:
    for task in tasks(plan):
        path = folders[task.number % len(folders)] / BLOCKS / f"{task.name}.npz"
        while not path.exists():
            time.sleep(POLL_SECONDS)
