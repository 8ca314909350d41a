import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from graphlib import TopologicalSorter

FOLDERS = {
    "benchmark": "extramaze",
    "mazes": "extramaze.mazes",
    "models": "extramaze.models",
    "results": "extramaze.results",
}


def test_every_sub_package_is_packaged(root):
    """A forgotten one imports in an editable install and is missing from the wheel."""
    listed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = []
    for folder, name in FOLDERS.items():
        for path in (root / folder).rglob("__init__.py"):
            found.append(".".join([name, *path.parent.relative_to(root / folder).parts]))
    assert sorted(listed) == sorted(found)


def test_everything_in_results_that_boards_read_is_packaged(root):
    """A pattern that is forgotten leaves records, or what badges rest on, out of the wheel."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    packaged = {
        path for pattern in settings["package-data"]["extramaze.results"] for path in root.glob(f"results/{pattern}")
    }
    there = {
        path
        for name in ("record.json", "mazes.parquet", "answers.npz")
        for path in root.glob(f"results/*-v[0-9]*/*/{name}")
    }
    there |= set(root.glob("results/verifications/**/*.json"))
    assert there
    assert there <= packaged


def test_the_version_is_stated_once_in_two_places(root):
    """Package metadata and ``extramaze.__version__`` agree."""
    from extramaze import __version__

    assert tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_tests_run_on_one_thread():
    """In every library that has threads of its own, here and in the processes that tests start."""
    import numba
    import polars
    import torch

    assert (torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS, polars.thread_pool_size()) == (1, 1, 1)
    assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "1"


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


NAMES = {  # what data needs of mazes and of dynamics: names, sizes and versions, and nothing that computes
    *("extramaze.mazes.description", "extramaze.mazes.pixels", "extramaze.mazes.scores", "extramaze.mazes.spec"),
    "extramaze.mazes.versions",
    "extramaze.dynamics.limits",
}


def test_dependencies_go_one_way(root):
    """Mazes know the ground floor alone, models mazes and data too; data knows names of what is computed."""
    for path in (root / "mazes").rglob("*.py"):
        ours = [name for name in imports(path) if name.startswith("extramaze")]
        assert all(name.startswith(("extramaze.core", "extramaze.mazes")) for name in ours), path
    for path in (root / "models").rglob("*.py"):
        ours = [name for name in imports(path) if name.startswith("extramaze")]
        rooms = ("extramaze.core", "extramaze.mazes", "extramaze.models", "extramaze.schema")
        assert all(name.startswith(rooms) for name in ours), path
    for path in (root / "benchmark" / "core").rglob("*.py"):
        assert all(name.startswith("extramaze.core") for name in imports(path) if name.startswith("extramaze")), path
    for path in (root / "benchmark" / "schema").rglob("*.py"):
        ours = {name for name in imports(path) if name.startswith("extramaze")}
        assert all(name.startswith(("extramaze.core", "extramaze.schema")) or name in NAMES for name in ours), path


def test_no_folder_of_the_benchmark_uses_another_that_uses_it(root):
    """Each folder can be read knowing only those before it."""
    uses = defaultdict(set)
    for path in (root / "benchmark").rglob("*.py"):
        folder, *inside = path.relative_to(root / "benchmark").with_suffix("").parts
        for name in imports(path):
            others = name.removeprefix("extramaze.").split(".")
            if inside and name.startswith("extramaze.") and others[0] not in (folder, "mazes", "models", "results"):
                uses[folder].add(others[0])
    assert {"cli", "evaluation", "records"} <= set(TopologicalSorter(uses).static_order())


READING = """
import sys
from extramaze.records import read_record
read_record(sys.argv[1])
print(*(name for name in ("torch", "numba", "matplotlib") if name in sys.modules))
"""


def test_a_record_is_read_without_torch(root):
    """Nor Numba: what is on disk is data, and whoever reads it need not wait for what computes."""
    record = root / "results" / "smoke-v1" / "dead-end-filling"
    done = subprocess.run([sys.executable, "-c", READING, str(record)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_importing_makes_no_file(tmp_path):
    """No folder for kernels, no lock, nothing in the home of whoever imports every part."""
    parts = "extramaze, extramaze.cli, extramaze.mazes.generation, extramaze.models, extramaze.scoring"
    named = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    elsewhere = {name: value for name, value in os.environ.items() if name not in named}
    home = elsewhere | {"HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", f"import {parts}"], env=home, check=True)
    assert list(tmp_path.iterdir()) == []


def test_the_readme_holds_both_commands(root):
    """The two set-up commands stand in the README as written, each a line of its own."""
    lines = (root / "README.md").read_text().splitlines()
    assert "pip install -c constraints.txt . && extramaze quickstart" in lines
    assert 'pip install -c constraints.txt -e ".[test]" && pytest' in lines


def test_pictures_and_files_of_the_readme_exist(root):
    """No link of the README points nowhere."""
    for target in re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text()):
        if not target.startswith("http"):
            assert (root / target).exists(), target


def test_the_readmes_examples_run(root, monkeypatch):
    """Every Python block of the README but the solver, which has a test of its own, runs as written, in a clone."""
    monkeypatch.chdir(root)
    blocks = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    examples = [block for block in blocks if not block.startswith("# my_solver.py")]
    assert len(examples) >= 2
    for block in examples:
        exec(block, {"__name__": "readme"})


def test_the_readmes_solver_runs(root, tmp_path):
    """The solver shown in the README loads and keeps the contract."""
    import torch

    from extramaze.mazes import MazeSpec, generate, raster
    from extramaze.models import load
    from extramaze.models.doctor import examine

    code = re.search(r"```python\n(# my_solver\.py.*?)```", (root / "README.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "my_solver.py").write_text(code)
    solver = load(f"{tmp_path / 'my_solver.py'}:make")
    images, _ = raster(generate(MazeSpec(9), 2))
    assert solver(torch.from_numpy(images).float(), 5).shape == (2, 2, 11, 11)
    assert examine(lambda: load(f"{tmp_path / 'my_solver.py'}:make")) == []
    assert len([line for line in code.splitlines() if line.strip()]) <= 25


def test_the_readmes_suite_is_one(root, tmp_path):
    """The suite shown in the README is read as written."""
    from extramaze.suites import load_suite

    text = re.search(r"```yaml\n(# rooms-v1\.yaml.*?)```", (root / "README.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "rooms-v1.yaml").write_text(text)
    assert [cell.name for cell in load_suite(str(tmp_path / "rooms-v1.yaml")).cells] == ["size-9", "braid-0.5"]


WRITERS = {  # functions and methods that change files, whoever has them
    *("write_text", "write_bytes", "touch", "mkdir", "makedirs", "rmdir", "removedirs", "unlink", "rename", "renames"),
    *("symlink_to", "hardlink_to", "rmtree", "fsync", "ftruncate", "mkdtemp", "mkstemp", "TemporaryDirectory"),
    *("NamedTemporaryFile", "TemporaryFile", "SummaryWriter", "savez", "savez_compressed", "savetxt", "savefig"),
    *("save_file", "tofile", "memmap", "write_parquet", "write_csv", "to_parquet", "to_csv"),
}
OF_MODULES = {  # and those that are such with some owners alone
    "os": {"open", "replace", "remove", "link", "symlink", "truncate"},
    "shutil": {"copy", "copy2", "copyfile", "copyfileobj", "copytree", "move", "make_archive", "unpack_archive"},
    "np": {"save"},
    "torch": {"save"},
}
ALLOWED = {  # by file: what it may call, and why
    "benchmark/evaluation/run_cost.py": {"write_text"},  # the system's counter of memory, which is no file
    "benchmark/records/parquet.py": {"open"},  # the null device
    "benchmark/core/compiled.py": {"mkdir", "rmtree"},  # the cache of kernels, which Numba writes
    "models/training/boards.py": {"SummaryWriter"},  # TensorBoard writes its own files
}


def writes(tree):
    """Yield the name of everything in a module that is called and may change a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            function = node.func
            owner = getattr(function.value, "id", "") if isinstance(function, ast.Attribute) else ""
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            in_memory = bool(given) and getattr(given[0], "id", "") == "buffer"
            if (
                (name in WRITERS and not in_memory)
                or name in OF_MODULES.get(owner, ())
                or (name == "open" and any(map(opens_to_write, given)))
                or (name == "replace" and len(given) == 1)  # a path's; a text's takes two
            ):
                yield name


def opens_to_write(argument):
    mode = argument.value if isinstance(argument, ast.Constant) else None
    return isinstance(mode, str) and len(mode) <= 3 and set(mode) <= set("rwaxbt+") and bool(set(mode) & set("wax+"))


def test_files_are_written_by_the_ground_floor_alone(root):
    """Its writers are whole or not at all and swept after a kill; whoever opens a file elsewhere is neither."""
    found = {}
    for path in [
        *(root / "benchmark").rglob("*.py"),
        *(root / "mazes").rglob("*.py"),
        *(root / "models").rglob("*.py"),
    ]:
        place = path.relative_to(root).as_posix()
        if not place.startswith(("benchmark/core/", "benchmark/submission/template/")):
            found[place] = set(writes(ast.parse(path.read_text()))) - ALLOWED.get(place, set())
    assert {place: names for place, names in found.items() if names} == {}
    assert all((root / place).exists() for place in ALLOWED)


def test_a_writer_is_told_from_a_reader():
    """The search finds what it is to find, and what only looks like it passes."""
    writing = (
        "open(p, 'w') p.open('ab') open(p, mode='r+') os.open(p, os.O_RDONLY) os.replace(a, b) p.replace(q) p.unlink()"
    )
    writing += " shutil.copy(a, b) np.save(p, a) figure.savefig(p) frame.write_parquet(p) np.savez(p, a=a)"
    for text in writing.replace(", ", ",").split():
        assert list(writes(ast.parse(text))), text
    for text in ("open(p)", "p.open('rb')", "s.replace('a', 'b')", "l.remove(x)", "figure.savefig(buffer)", "d.copy()"):
        assert not list(writes(ast.parse(text))), text
