"""Measure the points of a landscape one by one: each is kept when it is done, and a stopped run goes on."""

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from extramaze.core.errors import InputError
from extramaze.core.files import hold, is_free, make_folder, read_bytes, remove_temporary, write_atomically
from extramaze.core.folders import part_of, remove_folder, write_folder
from extramaze.core.json_files import load_json
from extramaze.core.paths import real
from extramaze.core.progress import progress_bar
from extramaze.landscape.meter import Meter
from extramaze.landscape.record import Survey, read_landscape, seal
from extramaze.models.blending.weights import Weights
from extramaze.schema.landscape import LANDSCAPE_SCHEMA, POINTS, SUMMARY, Kind, Place, Setting
from extramaze.schema.solver import Origin

PLAN = "plan.json"
PACKAGES = ("extramaze", "torch", "numpy", "numba", "scipy", "polars")


@dataclass(frozen=True)
class Plan:
    """Everything that decides a landscape, settled before anything is computed."""

    kind: Kind
    solvers: tuple[Origin, ...]
    setting: Setting
    places: tuple[Place, ...] = ()
    marks: tuple[Place, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return it as ``landscape.json`` states it."""
        return {
            "schema": LANDSCAPE_SCHEMA,
            "kind": self.kind,
            "solvers": [origin.model_dump() for origin in self.solvers],
            "options": dict(self.options),
            "setting": self.setting.model_dump(mode="json"),
            "places": [place.model_dump() for place in self.places],
            "marks": [place.model_dump() for place in self.marks],
        }

    def digest(self) -> str:
        """Return the sha256 of what decides its numbers, the machine's packages among it."""
        stated = json.dumps([self.content(), versions()], sort_keys=True)
        return hashlib.sha256(stated.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute."""
    return {name: version(name) for name in PACKAGES}


@dataclass(frozen=True, eq=False)
class Workshop:
    """The hidden folder beside a landscape's in which its parts are kept until it is whole."""

    folder: Path
    plan: Plan

    def kept(self, name: str) -> bytes | None:
        """Return a part that is done; None where it is not, or is damaged."""
        path = self.folder / name
        if not path.exists():
            return None
        content = read_bytes(path)
        digest, body = content[:64], content[64:]
        return body if hashlib.sha256(self._stated(name) + body).hexdigest().encode() == digest else None

    def keep(self, name: str, body: bytes) -> None:
        """Keep a part that is done, with what tells whether it is whole and belongs here."""
        write_atomically(self.folder / name, hashlib.sha256(self._stated(name) + body).hexdigest().encode() + body)

    def frame(self, name: str, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """Return a table that is done, or make and keep it."""
        body = self.kept(name)
        if body is not None:
            return pl.read_parquet(io.BytesIO(body))
        began = time.perf_counter()
        table = make()
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        self.keep(name, buffer.getvalue())
        self.add_seconds(time.perf_counter() - began)
        return table

    def content(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return bytes that are done, or make and keep them."""
        body = self.kept(name)
        if body is None:
            began = time.perf_counter()
            body = make()
            self.keep(name, body)
            self.add_seconds(time.perf_counter() - began)
        return body

    def seconds(self) -> float:
        """Return how long all runs have computed."""
        return float(load_json(read_bytes(self.folder / PLAN), PLAN)["seconds"])

    def add_seconds(self, seconds: float) -> None:
        """Count time that was computed."""
        write_plan(self.folder, self.plan, self.seconds() + seconds)

    def _stated(self, name: str) -> bytes:
        return f"{self.plan.digest()} {name} ".encode()


def write_plan(folder: Path, plan: Plan, seconds: float) -> None:
    """Note which plan a folder is for, and how long it was worked on."""
    write_atomically(folder / PLAN, json.dumps({"plan": plan.digest(), "seconds": seconds}).encode())


@contextmanager
def workshop(plan: Plan, out: Path) -> Iterator[Workshop]:
    """Open the folder in which a landscape is prepared. Raises InputError where another one is, or was begun."""
    part = part_of(out)
    make_folder(real(out).parent)
    with hold(out):
        if not (is_free(out) or (out / SUMMARY).exists()):
            raise InputError(f"{out} exists and holds something else; choose another --out")
        make_folder(part)
        remove_temporary(part)
        if (part / PLAN).exists():
            begun = load_json(read_bytes(part / PLAN), PLAN)
            if begun.get("plan") != plan.digest():
                raise InputError(
                    f"{out}: another landscape was begun there; give the command that began it, choose another "
                    f"--out, or delete {part}"
                )
        else:
            write_plan(part, plan, 0.0)
        yield Workshop(part, plan)


def finished(plan: Plan, out: Path) -> Survey | None:
    """Return the landscape that a folder holds already. Raises InputError where it is another one."""
    if not (out / SUMMARY).exists():
        return None
    found = read_landscape(out)
    ours, theirs = plan.content(), found.summary.model_dump(mode="json", by_alias=True)
    differs = [key for key, value in json.loads(json.dumps(ours)).items() if theirs[key] != value]
    if differs:
        raise InputError(f"{out} holds another landscape (it differs in: {', '.join(differs)}); choose another --out")
    return found


def conclude(shop: Workshop, out: Path, table: pl.DataFrame, command: str, bend: bytes | None = None) -> Survey:
    """Seal a landscape whose parts are all done, write it, and remove its parts."""
    run = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(shop.seconds(), 3),
        "command": command,
        "versions": versions(),
    }
    survey = seal({**shop.plan.content(), "run": run}, table, bend)
    write_folder(out, survey.contents())
    remove_folder(shop.folder)
    return survey


def measure_places(
    shop: Workshop, meter: Meter, places: Sequence[Place], weights_at: Callable[[Place], Weights], quiet: bool
) -> pl.DataFrame:
    """Measure places one after the other, and return their table in order."""
    tables = []
    for number, place in enumerate(progress_bar(places, desc=shop.plan.kind, unit=" points", quiet=quiet)):
        tables.append(shop.frame(f"point-{number:04}", lambda place=place: _rows(meter, place, weights_at(place))))  # type: ignore[misc]
    return pl.concat(tables)


def _rows(meter: Meter, place: Place, weights: Weights) -> pl.DataFrame:
    where = {"path": place.path, "point": place.point, "x": place.x, "y": place.y}
    return (
        meter.measure(weights)
        .with_columns(pl.lit(value, dtype=POINTS[name]).alias(name) for name, value in where.items())
        .select(list(POINTS))
    )
