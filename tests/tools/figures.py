"""Export every figure that an installed extramaze gives, as JSON: run by the interpreter that has it installed.

``python figures.py RECORDS OUT``, in an empty folder. RECORDS: a folder as results/ is. What is read is what lasts from
version to version: exit codes, JSON on standard output, files that commands write; Python names, which move, only where
no command says the same. Numbers that differ from run to run (seconds, memory) are left out.
"""

import argparse
import hashlib
import io
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

SMOKE, E2H, LAPTOP, LIMITS = (f"results/{name}" for name in ("smoke-v1", "smoke-e2h-v1", "laptop-v1", "limits-v1"))
VERIFIED = "results/verifications"
BASELINE = "results/baselines/smoke-v1/dt-net-thin"
VOLATILE = {"finished", "seconds", "command", "peak_memory_bytes", "sha256", "table_sha256", "extramaze", "packages"}
OPTIONAL = {
    "--ranking": 1,
    "--verifications": 1,
}  # options that not every version has, which then does what they ask for: values after each

RECIPE = """
name: tiny
paper: none
architecture: {builder: dt_net, width: 4, blocks: 1}
data: {spec: "size=5", scale: 1}
training: {gradient: progressive, steps: 4, batch: 8, learning_rate: 0.01, weight_decay: 0, warmup_steps: 1,
           max_iterations: 4, gradient_steps: 2, clip_norm: 1.0, bf16: false}
validation: {every: 4, count: 16, final_count: 32, iterations: 4}
"""
BROKEN = """
from extramaze.models import IterativeSolver

class Broken(IterativeSolver):
    def initial_state(self, x): return x
    def step(self, state, x): return state
    def readout(self, state): return state[:, :1]
"""
GIVEN = {"tiny.yaml": RECIPE, "broken.py": BROKEN}

COMMANDS = (  # in this order, in one folder
    f"leaderboard {SMOKE} --format json --verifications {VERIFIED}",
    f"leaderboard results --format json --verifications {VERIFIED}",
    f"leaderboard results --format json --verifications {VERIFIED} --ranking 1",
    f"leaderboard {E2H} --format markdown",
    "leaderboard nowhere",
    "findings results --out findings.md",
    "findings nowhere",
    f"compare {SMOKE}/dt-net-thin@0 {SMOKE}/dt-net-thin@1 --json",
    f"compare {SMOKE}/dt-net-thin@0 {SMOKE}/it-net-thin@0 --json",
    f"compare {SMOKE}/wavefront {SMOKE}/wall-follower --json",
    f"compare {SMOKE}/pi-net-thin@0 {SMOKE}/pi-net-thin@0-own --json",
    f"compare {E2H}/dt-net-e2h@0 {E2H}/it-net-e2h@0 --json",
    f"compare {LAPTOP}/dt-net-thin@0 {LAPTOP}/dt-net-thin-p10@0 --json",
    f"compare {LIMITS}/dt-net-thin@0 {LIMITS}/dt-net-thin@4 --json",
    f"compare {SMOKE}/wavefront {LAPTOP}/wavefront --json",
    f"compare {SMOKE}/wavefront nowhere",
    f"check {SMOKE}/dt-net-thin@0 --baseline {BASELINE} --json",
    f"check {SMOKE}/dt-net-thin@1 --baseline {BASELINE} --json --strict",
    f"check {SMOKE}/dt-net-thin-p50@0 --baseline {BASELINE} --json",
    f"check {LAPTOP}/dt-net-thin@0 --baseline {BASELINE} --json",
    f"check {SMOKE}/dt-net-thin@0 --baseline nowhere --json",
    f"validate {SMOKE}/wavefront --json",
    f"validate {SMOKE}/dt-net-thin@0 {SMOKE}/pi-net-thin@0-own --json",
    f"validate {E2H}/it-net-e2h@0 --json",
    "validate nowhere --json",
    f"verify {SMOKE}/dead-end-filling --mazes 29 --seed 1 --out verified --device cpu",
    "generate size=9 --count 8 --split test --out nine.jsonl",
    "generate size=13,algorithm=wilson,percolation=0.1,start=any --count 4 --out wilson.jsonl",
    "generate size=11,algorithm=kruskal,cycles=4 --count 4 --split val --first 3 --out kruskal.jsonl",
    "generate --size 9 --width 15 --algorithm prim --braid 0.5 --count 4 --out prim.jsonl",
    "generate --suite smoke-v1 --cell size-9 --count 16 --out questions.jsonl",
    "generate size=8",
    "ls suites --verbose",
    "ls recipes",
    "ls solvers --verbose",
    "evaluate --predictions answers.jsonl --name nobody --cells size-9 --limit 16 --json --out runs/nobody",
    "evaluate dead-end-filling --limit 16 --json --device cpu --out runs/filling",
    "evaluate dt-net-thin --cells size-9,percolation-0.3 --limit 4 --json --device cpu --out runs/dt-net",
    "evaluate it-net-e2h --suite smoke-e2h-v1 --cells size-9 --limit 2 --json --device cpu --out runs/it-net",
    "evaluate pi-net-thin --mode own --cells size-9 --limit 2 --json --device cpu --out runs/pi-net",
    "evaluate broken.py:Broken --limit 1 --device cpu --out runs/broken",
    "evaluate dt-net-thinn",
    "doctor broken.py:Broken",
    "train --recipe tiny.yaml --out runs/tiny --device cpu --quiet",
    "evaluate runs/tiny --cells size-9 --limit 4 --json --device cpu --out runs/tiny-evaluated",
    "gather nowhere --out runs/gathered",
    "rewatch nowhere",
    "submit new mine",
    "plot nowhere",
)
WRITTEN = {  # files that commands write and that are figures
    "findings.md": lambda path: lines_of(path.read_text()),
    "*.jsonl": lambda path: hashlib.sha256(path.read_bytes()).hexdigest(),
    "verified/**/*.json": lambda path: settled(json.loads(path.read_text())),
    "runs/tiny/*.safetensors": lambda path: hashlib.sha256(path.read_bytes()).hexdigest(),
}


def settled(value: Any) -> Any:
    """Leave out, of JSON, what differs from run to run."""
    if isinstance(value, dict):
        return {key: settled(each) for key, each in value.items() if key not in VOLATILE}
    return [settled(each) for each in value] if isinstance(value, list) else value


def lines_of(text: str) -> dict[str, dict[str, str]]:
    """Return lines by the heading above them and by how they begin, numbers left out: so that these may differ."""
    found: dict[str, dict[str, str]] = {}
    heading, seen = "", Counter[tuple[str, str]]()
    for line in filter(None, (" ".join(words.split()) for words in text.splitlines())):
        if line.startswith("#"):
            heading = line.strip("# ")
            continue
        begins = re.sub(r"\d[\d.,]*", "#", line)[:80]
        seen[heading, begins] += 1
        times = seen[heading, begins]
        found.setdefault(heading, {})[begins if times == 1 else f"{begins} ({times})"] = line
    return found


def run(command: str) -> tuple[int, str]:
    """Run a command of the installed extramaze, in this folder; return its exit code and what it says."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(io.StringIO()):
        try:
            code = first_of("extramaze.cli:run")(command.split())
        except SystemExit as ended:
            code = ended.code
    return int(code or 0), said.getvalue()


def outcome(command: str) -> dict[str, Any]:
    """Run a command; return its exit code and what it says in JSON, or of what ``ls`` lists in lines."""
    for option, values in OPTIONAL.items():
        if option in command and option not in run(f"{command.split()[0]} --help")[1]:
            command = re.sub(rf" {option}( \S+){{{values}}}", "", command)
    code, said = run(command)
    try:
        said = settled(json.loads(said))
    except ValueError:
        said = lines_of(said) if command.startswith("ls ") else None
    return {"exit": code} | ({} if said is None else {"says": said})


def outcomes() -> dict[str, Any]:
    """Run all commands, each with the files it wrote that are figures."""
    found = {}
    for command in COMMANDS:
        print(command, file=sys.stderr, flush=True)
        before = set(written())
        found[command] = outcome(command)
        files = {str(path): read(path) for path, read in written().items() if path not in before}
        found[command] |= {"files": files} if files else {}
        if "questions.jsonl" in command:
            answer_nothing()
    return found


def written() -> dict[Path, Any]:
    """Return the files that are figures, each with its reader."""
    return {path: read for pattern, read in WRITTEN.items() for path in sorted(Path().glob(pattern))}


def answer_nothing() -> None:
    """Write answers without any path, to the questions that were drawn."""
    asked = map(json.loads, Path("questions.jsonl").read_text().splitlines())
    answers = ({"cell": one["cell"], "index": one["index"], "answer": one["maze"]} for one in asked)
    Path("answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))


def first_of(*places: str) -> Any:
    """Return the first of some names, ``module:name`` each, that this version has."""
    for place in places:
        module, name = place.split(":")
        try:
            return getattr(import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"none of {', '.join(places)}")


def records(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every record as this version reads it: what its summary states, and a sha256 a column of its rows."""
    read = first_of("extramaze.records:read_record", "extramaze.records.record:read_record")
    for path in sorted(folder.rglob("record.json")):
        name = str(path.parent.relative_to(folder))
        print(name, file=sys.stderr, flush=True)
        try:
            record = read(path.parent)
        except Exception as problem:
            yield name, {"refused": type(problem).__name__}
            continue
        summary = record.summary.model_dump(mode="json", by_alias=True)
        stated = {key: settled(summary[key]) for key in ("cells", "limits", "odds", "noise")}
        yield name, {**stated, "solver": summary["plan"]["solver"], "rows": columns(record.mazes)}


def columns(rows: Any) -> dict[str, str]:
    """Return a sha256 of each column of a polars frame."""
    return {name: hashlib.sha256(repr(rows[name].to_list()).encode()).hexdigest() for name in sorted(rows.columns)}


def solvers() -> dict[str, Any]:
    """Return what identifies each shipped solver, of its lowest seed."""
    load = first_of("extramaze.models:load")
    known = first_of("extramaze.models.loading:shipped_seeds")()
    identity = first_of(
        "extramaze.blocks.identity:solver_info",
        "extramaze.engine.identity:solver_info",
        "extramaze.models.identity:solver_info",
        "extramaze.schema.identity:solver_info",
    )
    return {recipe: identity(load(recipe)).model_dump(mode="json") for recipe in sorted(known)}


def maps() -> dict[str, Any]:
    """Return the limits of some maps that are known, as ``observe`` tells them."""
    import torch

    observe = first_of("extramaze.dynamics:observe")
    angle = torch.tensor(2.399963, dtype=torch.float64)
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    known = {
        "logistic 3.9": lambda z: 3.9 * z * (1 - z),
        "logistic 3.2": lambda z: 3.2 * z * (1 - z),
        "logistic 2.5": lambda z: 2.5 * z * (1 - z),
        "rotation": lambda z: z @ turn.T,
        "doubling": lambda z: 2 * z,
    }
    start = torch.tensor([[0.3, 0.4], [0.45, 0.2]], dtype=torch.float64)
    found = {name: observe(step, start.clone(), burn_in=600, window=128) for name, step in known.items()}
    return {
        name: {"limit": [str(limit) for limit in report.limit], "period": [int(period) for period in report.period]}
        for name, report in found.items()
    }


def gather_verifications() -> None:
    """Copy verifications that lie beside their records, as they once did, to where they are believed today."""
    for path in Path("results").glob("*/*/verification.json"):
        place = Path(VERIFIED, path.parts[1], f"{path.parts[2]}.json")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy(path, place)


def main() -> None:
    """Export figures, of records in a folder, to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    shutil.copytree(given.records, "results")
    gather_verifications()
    for name, content in GIVEN.items():
        Path(name).write_text(content)
    found = {
        "records": dict(records(Path("results"))),
        "commands": outcomes(),
        "solvers": solvers(),
        "maps": maps(),
    }
    given.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
