"""Files below a megabyte, made to cost their reader much: refused or read at a bounded cost, in a bounded message.

Texts are of 100 kB; ``EXTRAMAZE_FUZZ=10 pytest tests/benchmark/test_hostile_files.py`` makes them ten times as long.
"""

import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from extramaze.comparing.baselines import History
from extramaze.core.checked import check_data, parse_json, try_data
from extramaze.core.errors import MAX_CHARACTERS, MAX_LINES, InputError
from extramaze.core.json_files import load_json
from extramaze.core.yaml_files import load_yaml
from extramaze.models.training.recipe import Recipe
from extramaze.schema.card import Card
from extramaze.schema.record import Summary
from extramaze.suites import Suite

MEGABYTE = 1_000_000
SIZE = min(MEGABYTE - 1_000, 100_000 * int(os.environ.get("EXTRAMAZE_FUZZ", "1")))  # of a text, or nearly
JSON_MODELS = (Summary, Card)
YAML_MODELS = (Suite, Recipe)
ITEMS = ("0", "{}", '{"rungs":[{},{}]}')
LISTS = ("cells", "plan.suite.cells", "cells.0.rungs")


def filled(before, item, after="", between=","):
    """Repeat an item until a text has its size."""
    count = (SIZE - len(before) - len(after)) // (len(item) + len(between))
    return before + between.join([item] * count) + after


def numbered(before, item, after=""):
    """Repeat an item, with its number in place of #, until a text has its size."""
    return before + "".join(item.replace("#", f"{i:05}") for i in range(SIZE // (len(item) + 9))) + after


def within(path, text):
    """Put JSON at a path of keys and numbers in lists."""
    for part in reversed(path.split(".")):
        text = f"[{text}]" if part.isdigit() else f'{{"{part}":{text}}}'
    return text


def json_shapes():
    """Yield names and texts of hostile JSON."""
    half = SIZE // 2 - 10
    yield "deep lists", "[" * SIZE
    yield "deep and closed", "[" * half + "]" * half
    yield "deep objects", filled("", '{"a"', between=":")
    yield "a long text", json.dumps({"name": "x" * half, "cell": "y"})
    yield "a long key", json.dumps({"x" * half: 1})
    yield "a long number", '{"index":' + "9" * half + "}"
    yield "a long fraction", '{"seconds":0.' + "1" * half + "}"
    yield "a large exponent", '{"seconds":1e' + "9" * half + "}"
    yield "many keys", numbered("{", '"k#":0,', '"a":0}')
    yield "one key over and over", filled("{", '"a":1', "}")
    yield "escapes", filled('{"name":"', "\\u0041", '"}', "")
    yield "halves of characters", filled('{"name":"', "\\ud800", '"}', "")
    yield "blanks", " " * SIZE
    yield "lists in lists", filled("[", "[[[[[[[[0]]]]]]]]", "]")
    for path in LISTS:
        for item in ITEMS:
            yield f"{path} of {item}", within(path, filled("[", item, "]", ",  "))
    for key in ("files", "packages", "versions"):
        yield f"{key} of many", numbered(f'{{"{key}":{{', '"#":{},', '"a":0}}')


def yaml_shapes():
    """Yield names and texts of hostile YAML."""
    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))
    yield "aliases of aliases", f"l0: &l0 [x]\n{levels}"
    yield "merges", numbered("a: &a {x: 1}\n", "b#:\n  <<: *a\n")
    yield "block lists", filled("", "-", between=" ")
    yield "indentation", "".join(" " * i + "a:\n" for i in range(400))
    yield "documents", filled("", "---", between="\n")
    yield "tags", filled("", "a: !!int x", between="\n")
    yield "anchors", numbered("", "k#: &a# 1\n")
    yield "comments", filled("", "# x", between="\n")
    yield "questions", filled("", "?", between=" ")
    yield "a long plain text", filled("name: ", "x", between=" ")
    yield "quotes", filled('name: "', "\\n", '"', "")
    yield "flow of words", filled("cells: [", "a", "]")
    yield "flow of maps", filled("cells: [", "{}", "]")
    yield "deep flow", "[" * SIZE
    yield "deep flow maps", filled("", "{a", between=": ")
    yield "base 60", filled("count: ", "1", between=":")
    yield "a large integer", "count: " + "9" * (SIZE - 10)
    yield "directives", filled("", "%TAG ! tag:x", between="\n")
    yield "many keys", numbered("", "k#: 0\n")
    yield "one key over and over", filled("", "a: 1", between="\n")


def attempts(kind):
    """Yield names and calls that read one hostile file each, or check what was read of it against a model."""
    for name, text in json_shapes() if kind == "json" else yaml_shapes():
        assert len(text) <= MEGABYTE, name
        load = load_json if kind == "json" else lambda content, origin: load_yaml(content.decode(), origin)
        content = []
        yield name, lambda load=load, text=text, content=content: content.append(load(text.encode(), "a file"))
        for model in (JSON_MODELS if kind == "json" else YAML_MODELS) if content else ():
            yield f"{name} as {model.__name__}", lambda m=model, c=content[0]: check_data(m, c, "a file")


MEASURE = """
import json, resource, sys
from tests.benchmark import test_hostile_files as hostile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
name, seconds = hostile.measure(sys.argv[1])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"name": name, "seconds": seconds, "kilobytes": after - before}))
"""


def measure(kind):
    """Read every hostile file; return the one that took longest, with its CPU seconds.

    Each is refused, by its reader or by every model; messages are bounded.
    """
    worst = ("", 0.0)
    for name, read in attempts(kind):
        before = time.process_time()
        if " as " in name:
            refused(read, name)
        else:
            with contextlib.suppress(InputError):  # bounded by its construction
                read()
        worst = max(worst, (name, time.process_time() - before), key=lambda found: found[1])
    return worst


def refused(read, name):
    """Read a hostile file, which is refused in a message of a bounded size."""
    with pytest.raises(InputError) as caught:
        read()
    message = str(caught.value)
    assert len(message) <= MAX_CHARACTERS, name
    assert len(message.splitlines()) <= MAX_LINES, name
    return message


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_hostile_texts_are_refused_within_bounds(kind, root):
    """In bounded messages, half a gigabyte and seconds, however many problems a file has."""
    command = [sys.executable, "-c", MEASURE, kind]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=root, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["kilobytes"] < 500_000, found
    assert found["seconds"] < 10, found  # below two on an idle machine; without bounds, minutes


def test_many_problems_are_counted():
    """Of more problems than a message holds, the first are named and the rest are counted."""
    text = json.dumps({f"k{i}": 0 for i in range(500)}).encode()
    message = refused(lambda: parse_json(History, text, "baseline.json"), "many")
    assert message.startswith("baseline.json: schema: missing, and needed; entries: missing, and needed; k0: ")
    assert message.endswith("and 490 more")


def archive(arrays, method=zipfile.ZIP_DEFLATED):
    """Write an archive of arrays: name → (shape, dtype, bytes of content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, (shape, dtype, size) in arrays.items():
            header = io.BytesIO()
            np.lib.format.write_array_header_1_0(header, {"descr": dtype, "fortran_order": False, "shape": shape})
            file.writestr(f"{name}.npy", header.getvalue() + bytes(size))
    return buffer.getvalue()


CELLS = {"start": ((1, 2), "<i4", 8), "goal": ((1, 2), "<i4", 8)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (archive({"connections": ((10**6, 2, 10, 10), "|b1", 2 * 10**8), **CELLS}), "more than 64 times as many"),
        (archive({"connections": ((10**6 + 1, 2, 2, 2), "|b1", 100), **CELLS}), "1,000,001 mazes; at most 1,000,000"),
        (archive({"connections": ((10**12, 2, 2, 2), "|b1", 100), **CELLS}), "at most 1,000,000 are read"),
        (
            archive({"connections": ((9, 2, 3, 3), "|b1", 162), **CELLS}, zipfile.ZIP_LZMA),
            "NumPy's archives are not",
        ),
        (archive({"connections": ((9, 2, 2**40, 3), "|b1", 162), **CELLS}), "not an archive of mazes"),
        (archive({}), "not an archive of mazes"),
        (b"PK\x03\x04" + bytes(100), "not a readable archive"),
    ],
)
def test_archives_are_bounded_before_they_are_unpacked(content, said, tmp_path):
    """By the sizes, the shapes and the method that their own headers state."""
    from extramaze.mazes import read_npz

    assert len(content) < MEGABYTE
    (tmp_path / "mazes.npz").write_bytes(content)
    assert said in refused(lambda: read_npz(tmp_path / "mazes.npz"), said)


def test_a_lying_archive_unpacks_no_more_than_it_states(tmp_path):
    """Sizes stated too small end the reading; nothing is believed beyond them."""
    from extramaze.mazes import read_npz

    content = archive({"connections": ((1000, 2, 100, 100), "|b1", 2 * 10**7), **CELLS})
    stated = struct.pack("<I", 2 * 10**7 + 128)
    assert content.count(stated) >= 1
    (tmp_path / "mazes.npz").write_bytes(content.replace(stated, struct.pack("<I", 1000)))
    refused(lambda: read_npz(tmp_path / "mazes.npz"), "a lie")


def test_what_compresses_well_is_read(tmp_path):
    """Small archives may unpack to much more than their size: mazes that are all the same."""
    from extramaze.mazes import MazeSpec, generate, read_npz, write_npz

    mazes = generate(MazeSpec(9), 1)[np.zeros(20_000, int)]
    write_npz(mazes, tmp_path / "mazes.npz")
    assert (tmp_path / "mazes.npz").stat().st_size * 100 < mazes.connections.nbytes
    assert len(read_npz(tmp_path / "mazes.npz")) == 20_000


def test_a_recipe_larger_than_its_weights_is_not_built(root, tmp_path, monkeypatch):
    """It is refused by the size of the file, whatever the file holds."""
    import shutil

    from extramaze.models import load
    from extramaze.models.training import architectures
    from extramaze.verification.validate import problems

    folder = tmp_path / "trained"
    shutil.copytree(root / "models" / "weights" / "dt-net-thin" / "0", folder)
    recipe = (folder / "recipe.yaml").read_text()
    (folder / "recipe.yaml").write_text(recipe.replace("width: 32, blocks: 2", "width: 1024, blocks: 32"))
    built = []
    monkeypatch.setitem(architectures.BUILDERS, "dt_net", lambda **keys: built.append(keys))
    with pytest.raises(InputError, match=r"weights of another architecture: .* at least 603,979,776"):
        load(folder)
    assert any("weights of another architecture" in line for line in problems(folder))
    assert built == []


@pytest.mark.parametrize("model", [*JSON_MODELS, *YAML_MODELS])
def test_a_long_list_is_left_at_its_first_wrong_item(model):
    """Of lists within lists too: to collect every problem of a megabyte takes gigabytes."""
    for key in model.model_fields:
        content = {key: [{}] * 20_000, "more": [{key: [{}] * 20_000}] * 2}
        _, problems = try_data(model, content)
        assert 0 < len(problems) <= 13
        assert not any(line.startswith("and ") and "," in line for line in problems), problems[-1]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' * 2 + b'"b":1}', "given twice"),
        (b"{" + b",".join(b'"%d":{}' % i for i in range(100_001)) + b"}", "at most 100,000"),
        (b'{"a":' + b"[" * 10_000, "nested more than 32 deep"),
    ],
)
def test_headers_of_weights_are_read_strictly(header, said):
    """Names given twice, more tensors than a solver has, and lists without an end are refused."""
    from extramaze.models.weight_files import read_tensors

    header = header.replace(b'},{"a"', b'},"a"')
    content = struct.pack("<Q", len(header)) + header + bytes(8)
    assert said in refused(lambda: read_tensors(content, "weights.safetensors"), said)


@pytest.mark.parametrize(("rows", "width", "said"), [(10**6, 1, "cannot hold as many"), (2000, 9000, "values, in")])
def test_tables_that_are_small_and_large_at_once_are_refused(rows, width, said):
    """Run lengths stand for millions of values in a few bytes."""
    import polars as pl

    from extramaze.records.parquet import open_table

    row = [True] if width == 1 else [[True] * width]
    column = pl.Series(row).new_from_index(0, rows)
    buffer = io.BytesIO()
    pl.DataFrame(dict.fromkeys(("a", "b", "c"), column)).write_parquet(buffer, statistics=False)
    assert len(buffer.getvalue()) < MEGABYTE
    assert said in refused(lambda: open_table(buffer.getvalue(), rows, width), said)


@pytest.mark.parametrize("place", ["pipe", "device", "folder", "circle", "long", "deep", "nul"])
def test_what_is_no_file_is_refused(place, tmp_path):
    """Nothing is waited for, and no path is too odd to be named."""
    from extramaze.suites import load_suite

    path = tmp_path / "odd-v1.yaml"
    if place == "pipe":
        os.mkfifo(path)
    elif place == "device":
        path.symlink_to("/dev/zero")
    elif place == "folder":
        path.mkdir()
    elif place == "circle":
        path.symlink_to(path)
    odd = {"long": "x" * 5000 + ".yaml", "deep": "x/" * 5000 + "x.yaml", "nul": "a\0b.yaml"}
    refused(lambda: load_suite(odd.get(place, str(path))), place)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: x".encode("utf-16"), "UTF-16"),
        (b"<!DOCTYPE html><html>404</html>", "no text of ours, but a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "no text of ours, but a Git LFS pointer"),
        (b"\x1f\x8b\x08\x00", "no text of ours, but compressed by gzip"),
        ("name: x".encode("utf-8-sig"), "byte order mark"),
        ("name: x".encode("utf-32"), "UTF-32"),
        (b"name: tiny-v1\nscale: \xff\n", "line 2 is not UTF-8"),
        (b"name: a\0b", "NUL"),
        (b"", "empty"),
        (b" \n", "empty"),
    ],
)
def test_other_encodings_are_named(content, said, tmp_path):
    """Of YAML and JSON alike."""
    from extramaze.suites import load_suite

    (tmp_path / "a-v1.yaml").write_bytes(content)
    assert said in refused(lambda: load_suite(tmp_path / "a-v1.yaml"), said)
    assert said in refused(lambda: parse_json(History, content, "baseline.json"), said)
