"""Finished blocks on disk, so that a killed evaluation goes on where it stopped."""

import hashlib
import io
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from extramaze.blocks.block import BlockScores
from extramaze.blocks.watching import BlockLimits
from extramaze.core.archives import check_archive
from extramaze.core.checked import differing, parse_json
from extramaze.core.errors import InputError
from extramaze.core.files import is_free, make_folder, read_bytes, remove_file, remove_temporary, write_atomically
from extramaze.core.folders import remove_folder
from extramaze.schema.plan import PLAN, SHARD, Plan, shard_of
from extramaze.schema.solver import differences

BLOCKS = "blocks"
MAX_BLOCK = 2**28  # bytes of a block: three scores of 2¹⁷ mazes at 300 rungs are half as many
Block = TypeVar("Block", BlockScores, BlockLimits)


def refuse_other(folder: Path, found: Plan, plan: Plan) -> None:
    """Raise InputError, naming what differs, unless the plan found in a folder is this one."""
    if found != plan:
        differs = ", ".join(differing(plan, found))
        solver = f": {'; '.join(differences(plan.solver, found.solver))}" if plan.solver != found.solver else ""
        raise InputError(f"{folder} holds another evaluation (it differs in: {differs}{solver}); choose another --out")


def refuse_foreign(folder: Path) -> None:
    """Raise InputError for a folder of somebody else: one with files in it, and no evaluation begun."""
    if folder.is_dir() and not (is_free(folder, SHARD) or (folder / PLAN).exists()):
        raise InputError(f"{folder} exists and holds no evaluation; choose another --out")


@dataclass(frozen=True)
class BlockStore:
    """Finished blocks of one plan on disk; with no folder it keeps nothing.

    plan: the plan's sha256, which every block states with its own name, so that none is taken for another.
    """

    out: Path | None
    plan: str = ""

    @classmethod
    def of(cls, out: Path, plan: Plan) -> "BlockStore":
        """Return the store of a plan's blocks in a folder that has been made ready."""
        return cls(out, hashlib.sha256(plan.model_dump_json().encode()).hexdigest())

    @classmethod
    def open(cls, out: Path, plan: Plan, shard: str = "1/1") -> "BlockStore":
        """Make ``out`` ready for the blocks of a plan, or of a shard of it, or see that it holds these very ones.

        Only for the process that holds the folder. Raises InputError where it holds anything else.
        """
        path = out / PLAN
        if path.exists():
            refuse_other(out, parse_json(Plan, read_bytes(path), str(path)), plan)
            found = shard_of(out)
            if found != shard:
                raise InputError(f"{out} holds shard {found} of this evaluation, not {shard}; choose another --out")
        else:
            refuse_foreign(out)
            make_folder(out)
            write_atomically(out / SHARD, f"{shard}\n".encode())
            write_atomically(path, (plan.model_dump_json(indent=1) + "\n").encode())
        make_folder(out / BLOCKS)
        return cls.of(out, plan)

    def tidy(self) -> None:
        """Remove what a killed run left half-written; only for the process that holds the folder."""
        if self.out is not None:
            remove_temporary(self.out)

    def read(self, kind: type[Block], name: str) -> Block | None:
        """Return a finished block; None where there is none, or a damaged or foreign one: it is then computed again."""
        path = self._path(name)
        if path is None or not path.exists():
            return None
        try:
            return read_block(kind, path, self._stated(name))
        except Exception:  # zipfile, zlib and numpy each have their own for a damaged archive
            return None

    def read_either(self, name: str, watched: bool) -> BlockScores | BlockLimits | None:
        """Return a finished block of watched mazes, or of scores; None as ``read`` does."""
        return self.read(BlockLimits, name) if watched else self.read(BlockScores, name)

    def save(self, name: str, block: BlockScores | BlockLimits) -> None:
        """Keep a finished block."""
        path = self._path(name)
        if path is not None:
            save_block(path, block, self._stated(name))

    def clear(self) -> None:
        """Delete blocks and plan, once a record holds what was in them."""
        if self.out is not None:
            remove_folder(self.out / BLOCKS)
            remove_file(self.out / PLAN)
            remove_file(self.out / SHARD)

    def _stated(self, name: str) -> str:
        return f"{self.plan} {name}"

    def _path(self, name: str) -> Path | None:
        return self.out / BLOCKS / f"{name}.npz" if self.out is not None else None


def save_block(path: Path, block: BlockScores | BlockLimits, stated: str) -> None:
    """Write a finished block, atomically, with a statement of what it is."""
    buffer = io.BytesIO()
    np.savez(buffer, stated=np.array(stated), **{field.name: getattr(block, field.name) for field in fields(block)})
    write_atomically(path, buffer.getvalue())


def read_block(kind: type[Block], path: Path, stated: str) -> Block:
    """Read a finished block. Raises ValueError, KeyError or OSError for a damaged, oversized or other one."""
    raw = read_bytes(path, MAX_BLOCK)
    check_archive(raw, str(path), MAX_BLOCK)
    with np.load(io.BytesIO(raw), allow_pickle=False) as content:
        if str(content["stated"]) != stated:
            raise ValueError(f"{path} is the block {content['stated']}, not {stated}")
        return kind(**{field.name: content[field.name] for field in fields(kind)})
