"""Finished blocks on disk, so that a killed evaluation goes on where it stopped."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from extramaze.blocks import Block, BlockLimits, BlockScores, read_block, save_block
from extramaze.mazes import InputError
from extramaze.mazes.files import make_folder, write_atomically
from extramaze.records import Plan

PLAN, BLOCKS = "plan.json", "blocks"


def refuse_other(folder: Path, found: Plan, plan: Plan) -> None:
    """Raise InputError, naming what differs, unless the plan found in a folder is this one."""
    if found != plan:
        ours, theirs = plan.model_dump(), found.model_dump()
        differs = ", ".join(key for key in ours if ours[key] != theirs[key])
        raise InputError(f"{folder} holds another evaluation (it differs in: {differs}); choose another --out")


@dataclass(frozen=True)
class BlockStore:
    """Finished blocks on disk; with no folder it keeps nothing."""

    folder: Path | None

    @classmethod
    def open(cls, out: Path | None, plan: Plan) -> "BlockStore":
        """Make ``out`` ready for a plan's blocks, or see that it holds this very plan's."""
        if out is None:
            return cls(None)
        path = out / PLAN
        if path.exists():
            try:
                found = Plan.model_validate_json(path.read_bytes())
            except ValueError as problem:
                raise InputError(f"{path}: not readable; choose another --out, or delete {out}") from problem
            refuse_other(out, found, plan)
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(f"{out} exists and holds no evaluation; choose another --out")
        make_folder(out / BLOCKS)
        write_atomically(path, (plan.model_dump_json(indent=1) + "\n").encode())
        return cls(out / BLOCKS)

    def read(self, kind: type[Block], name: str) -> Block | None:
        """Return a finished block, if there is one."""
        path = self._path(name)
        return read_block(kind, path) if path is not None and path.exists() else None

    def save(self, name: str, block: BlockScores | BlockLimits) -> None:
        """Keep a finished block."""
        path = self._path(name)
        if path is not None:
            save_block(path, block)

    def clear(self) -> None:
        """Delete the blocks, once the record holds what was in them."""
        if self.folder is not None:
            shutil.rmtree(self.folder)
            (self.folder.parent / PLAN).unlink()

    def _path(self, name: str) -> Path | None:
        return self.folder / f"{name}.npz" if self.folder is not None else None
