"""Whatever is put in: one clear line and the right exit code; never a traceback, never a changed file.

Some two thousand cases, the same ones each time. ``EXTRAMAZE_FUZZ=10 pytest tests/benchmark/test_fuzz.py`` draws ten
times as many, other ones each time.
"""

import contextlib
import copy
import hashlib
import io
import json
import os
import shutil

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extramaze.cli import run
from extramaze.comparing.baselines import init_baseline
from extramaze.core.checked import parse_yaml
from extramaze.core.sealed import content_sha256
from extramaze.mazes import InputError, MazeSpec
from extramaze.models.training.recipe import Recipe, parse_recipe
from extramaze.records import read_record
from extramaze.schema.card import Statement
from extramaze.suites import Suite
from tests.benchmark.conftest import CARD, TINY
from tests.benchmark.test_verification import made
from tests.models.test_train import TINY as TINY_RECIPE

TIMES = int(os.environ.get("EXTRAMAZE_FUZZ", "1"))


def cases(count):
    """Settings for so many cases."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count * TIMES, deadline=None, derandomize=TIMES == 1, suppress_health_check=checks)


ODD = [0, -1, 1, 2, 10**9, 10**40, -(10**40), 0.5, 1e308, -0.0, float("inf"), float("nan"), True, None, "", "x" * 2000]
ODD += ["\x00", "\ud800", "../..", "/etc/passwd", "size=9", "1", "é\u202e", [], {}, [[]], {"": {}}]
JUNK = st.recursive(
    st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(content, path=()):
    """List the paths to every value of nested data."""
    yield path
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def mutated(draw, content):
    """Put junk in place of up to three values, or take them away."""
    content = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in places(content) if path] or [()]))
        if not path:
            return copy.deepcopy(draw(JUNK))
        parent = content
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.integers(0, 4)):
            parent[path[-1]] = copy.deepcopy(draw(JUNK))  # what is drawn may be drawn again
        else:
            del parent[path[-1]]
    return content


def garbled(draw, content):
    """Change, cut out or double a few bytes."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(0, 6))
        middle = draw(st.sampled_from([b"", content[at : at + 3 * length]]) | st.binary(max_size=6))
        content = content[:at] + middle + content[at + length :]
    return content


FIELDS = ("size", "algorithm", "percolation", "start", "goal", "cycles", "braid", "min_path", "max_shortest", "sise")
VALUES = ("9", "3", "4095", "8", "-1", "0.1", "1e-3", "nan", "inf", "dfs", "wilson", "any", "deadend", "4", "", "٣")
SPECS = st.text(max_size=30) | st.lists(
    st.tuples(st.sampled_from(FIELDS), st.sampled_from(["=", "=", "=", "", "=="]), st.sampled_from(VALUES)).map(
        "".join
    ),
    max_size=5,
).map(lambda parts: ",".join(["size=9", *parts]))


@given(text=SPECS)
@cases(1000)
def test_specifications(text):
    """A specification is refused in a sentence, or is one whose canonical text gives it back."""
    try:
        spec = MazeSpec.parse(text)
    except InputError:
        return
    assert MazeSpec.parse(str(spec)) == spec


@pytest.mark.parametrize(("model", "text"), [(Suite, TINY), (Recipe, TINY_RECIPE), (Statement, CARD)])
@given(data=st.data())
@cases(250)
def test_suites_and_recipes(model, text, data):
    """YAML with junk in it is refused in a sentence, or is what it is again when written out and read."""
    if data.draw(st.booleans()):
        text = garbled(data.draw, text.encode()).decode(errors="replace")
    else:
        text = yaml.safe_dump(mutated(data.draw, yaml.safe_load(text)), allow_unicode=True)
    try:
        found = parse_recipe(text, "fuzz") if model is Recipe else parse_yaml(model, text, "fuzz")
    except InputError:
        return
    assert parse_yaml(model, found.model_dump_json(), "again") == found


@pytest.fixture(scope="module")
def place(tiny_records, tmp_path_factory):
    """A folder with a record to be spoilt, a sound one, a baseline, and a file in the way."""
    folder = tmp_path_factory.mktemp("fuzz")
    tiny_records["dt-net-thin@0"].write(folder / "spoilt")
    tiny_records["dt-net-thin@0"].write(folder / "sound")
    tiny_records["dt-net-thin@1"].write(folder / "other")
    init_baseline(folder / "baseline", tiny_records["dt-net-thin@0"])
    (folder / "file").write_text("in the way")
    (folder / "broken.yaml").write_text("name: [")
    return folder


VERIFIED = "verifications/small-v1/borrowed@0.json"


@pytest.fixture(scope="module")
def sealed(submitted, tmp_path_factory):
    """A submission, and its verification among others."""
    folder = tmp_path_factory.mktemp("sealed")
    shutil.copytree(submitted, folder / "submission")
    made(record_sha256=read_record(submitted).summary.sha256).write(folder / VERIFIED)
    return folder


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def call(arguments, folder):
    """Run a command in a folder: its exit code, which is none of a fault, and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    said = err.getvalue()
    assert code in (0, 1, 2, 3, 4), (arguments, code, said)
    assert "Traceback" not in said
    if code == 2:
        assert said.startswith("error: "), (arguments, said)
        assert len(said.strip().splitlines()) == 1, (arguments, said)
        assert out.getvalue() == "", arguments
    return code


READERS = (
    ["validate", "spoilt"],
    ["leaderboard", "spoilt", "other"],
    ["compare", "spoilt", "sound"],
    ["check", "spoilt", "--baseline", "baseline"],
)


def read_all(place):
    """Give a record to every verb that reads one, which changes nothing; say whether validate finds it sound."""
    before = snapshot(place)
    codes = [call(arguments, place) for arguments in READERS]
    assert snapshot(place) == before
    assert codes[0] in (0, 1)
    return codes[0] == 0


def unbound(content):
    """What a summary states that neither its rows nor the mazes bear out: who, where, when, at what cost."""
    stated = json.loads(content)
    plan = {**stated["plan"], "solver": None, "device": None, "packages": None}
    cells = [{**cell, "batch": None, "means": None} for cell in stated["cells"]]
    return {**stated, "plan": plan, "cells": cells, "run": None, "noise": None, "sha256": None}


def spoilt(draw, content):
    """Put junk into sealed JSON, under a digest stated anew, or garble its bytes."""
    if not draw(st.integers(0, 3)):
        return garbled(draw, content)
    changed = mutated(draw, json.loads(content))
    if isinstance(changed, dict):
        changed["sha256"] = content_sha256(changed)
    return (json.dumps(changed, indent=1) + "\n").encode()


@given(data=st.data())
@cases(30)
def test_summaries(place, data):
    """Junk in a record.json, under a digest stated anew, is found or refused by every verb that reads records."""
    path = place / "spoilt" / "record.json"
    content = path.read_bytes()
    try:
        path.write_bytes(spoilt(data.draw, content))
        sound = read_all(place)
        assert sound or path.read_bytes() != content
        assert not sound or unbound(path.read_bytes()) == unbound(content)
    finally:
        path.write_bytes(content)


@given(data=st.data())
@cases(20)
def test_tables(place, data):
    """Garbled Parquet, under digests stated anew, is found or refused by every verb that reads records."""
    summary, table = (place / "spoilt" / name for name in ("record.json", "mazes.parquet"))
    contents = summary.read_bytes(), table.read_bytes()
    try:
        garbage = garbled(data.draw, contents[1])
        stated = json.loads(contents[0])
        stated["table_sha256"] = hashlib.sha256(garbage).hexdigest()
        stated["sha256"] = content_sha256(stated)
        summary.write_text(json.dumps(stated, indent=1) + "\n")
        table.write_bytes(garbage)
        sound = read_all(place)
        assert sound or garbage != contents[1]
        assert not sound or read_record(place / "spoilt").mazes.equals(read_record(place / "sound").mazes)
    finally:
        summary.write_bytes(contents[0])
        table.write_bytes(contents[1])


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("submission/card.json", ("schema", "solver", "files", "record_sha256", "device", "packages", "doctor")),
        (VERIFIED, ("schema", "record_sha256", "mazes")),
    ],
)
@given(data=st.data())
@cases(24)
def test_cards_and_verifications(sealed, name, bound, data):
    """Junk in a sealed file, under a digest stated anew, is found by validate, or is in no place that others bind."""
    path = sealed / name
    content = path.read_bytes()
    try:
        path.write_bytes(spoilt(data.draw, content))
        before = snapshot(sealed)
        if call(["validate", "submission", "verifications"], sealed) == 0:
            ours, theirs = json.loads(path.read_bytes()), json.loads(content)
            assert all(ours.get(key) == theirs.get(key) for key in bound)
        assert call(["leaderboard", "submission", "--verifications", "verifications"], sealed) == 0
        assert snapshot(sealed) == before
    finally:
        path.write_bytes(content)


@given(data=st.data())
@cases(40)
def test_baselines(place, data):
    """Junk in a baseline.json is refused, or is still the baseline."""
    path = place / "baseline" / "baseline.json"
    content = path.read_bytes()
    try:
        if data.draw(st.booleans()):
            path.write_bytes(garbled(data.draw, content))
        else:
            path.write_text(json.dumps(mutated(data.draw, json.loads(content))))
        before = snapshot(place)
        assert call(["check", "sound", "--baseline", "baseline"], place) in (0, 2)
        assert snapshot(place) == before
    finally:
        path.write_bytes(content)


WORDS = ["sound", "other", "baseline", "file", "nowhere", "file/below", "broken.yaml", "table", "json", "solvers"]
WORDS += ["size=9", "size=8", "size=3,start=any", "test", "sealed", "3", "0", "-1", "1e9", "nan", "", "--", "é", "\x00"]
OPTIONS = ["--count", "--split", "--first", "--format", "--json", "--baseline", "--margin", "--strict", "--init"]
OPTIONS += ["--accept", "--help", "--junit", "--markdown", "--convergence-margin", "--limit", "--suite", "--out"]
NAMES = st.text(st.characters(exclude_characters="/.~"), max_size=6)  # none leads out of the folder: / has many files
READING = ["generate", "leaderboard", "ls", "compare", "check", "validate"]
RUNNING = ["evaluate", "train", "quickstart", "submit", "verify"]  # never to start, by an option that does not exist


@given(
    verb=st.sampled_from([*READING, *RUNNING, "leaderbord", ""]),
    rest=st.lists(st.sampled_from(WORDS) | st.sampled_from(OPTIONS) | NAMES, max_size=6),
)
@cases(120)
def test_command_lines(place, verb, rest):
    """Any words after any verb: done, or refused in one line; a refusal changes nothing, and no file is overwritten."""
    before = snapshot(place)
    code = call([verb, *(["--no-such-option"] if verb in RUNNING else []), *rest], place)
    after = snapshot(place)
    new = after.keys() - before.keys()
    assert {path: after[path] for path in before} == before, (verb, rest)
    assert not new or code != 2, (verb, rest, new)
    for name in {path.relative_to(place).parts[0] for path in new}:
        path = place / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
