"""A solver's identity: every file its code is made of, by content; what cannot be covered is named."""

import sys
from hashlib import sha256

import pytest
from safetensors.torch import save_file

from extramaze.blocks.identity import refuse_other_solver, solver_info
from extramaze.evaluation.evaluate import evaluate, make_evaluation
from extramaze.mazes import InputError
from extramaze.models import load
from extramaze.models.wavefront import Wavefront
from extramaze.schema.solver import differences

SOLVER = """
from pathlib import Path
from extramaze.models.wavefront import Wavefront
HERE = Path(__file__).parent
{top}
class Mine(Wavefront):
    def initial_state(self, x):
        {late}
        return super().initial_state(x)
def make():
    return Mine()
"""


@pytest.fixture
def place(tmp_path):
    """A folder with files that a solver may use, and one beside it."""
    folder, other = tmp_path / "mine", tmp_path / "other"
    for inside in (folder / "parts", folder / ".hidden", other):
        inside.mkdir(parents=True)
    for name in ("helper.py", "unused.py", "parts/__init__.py", "parts/inner.py", "parts/unused.py"):
        (folder / name).write_text("NUMBER = 1\n")
    for name in ("data.json", "parts/table.csv", ".hidden/cache.json"):
        (folder / name).write_text("1")
    (folder / "parts" / "outer.py").write_text("from . import inner\n")
    (other / "data.json").write_text("1")
    (other / "elsewhere.py").write_text("NUMBER = 1\n")
    return folder


def write(folder, top="", late="pass"):
    """Write a solver; return what it is loaded by."""
    (folder / "solver.py").write_text(SOLVER.format(top=top, late=late))
    return f"{folder / 'solver.py'}:make"


def info(target):
    return solver_info(load(target))


CODE = {  # what a solver's text uses, and the files that are covered besides its own
    "import helper": ["helper.py"],
    "from parts import inner": ["parts/__init__.py", "parts/inner.py"],
    "import parts.outer": ["parts/__init__.py", "parts/inner.py", "parts/outer.py"],
    "import importlib; importlib.import_module('helper')": ["helper.py"],
    "exec((HERE / 'helper.py').read_text())": ["helper.py"],
    "import runpy; runpy.run_path(str(HERE / 'helper.py'))": ["helper.py"],
    "from importlib import util; util.spec_from_file_location('h', HERE / 'helper.py').loader.get_code('h')": [
        "helper.py"
    ],
    "with open(HERE / 'data.json') as file: file.read()": ["data.json"],
    "import numpy; numpy.loadtxt(HERE / 'parts' / 'table.csv')": ["parts/table.csv"],
    "import os; os.close(os.open(HERE / 'data.json', os.O_RDONLY))": ["data.json"],
    "if __name__ == '__main__': import unused": [],
    "import sys, yaml, networkx, extramaze.models": [],
}


@pytest.mark.parametrize("text", CODE)
def test_files_that_are_loaded_or_opened_are_covered(place, text):
    """By their names below the solver's folder, and no other; a change of any makes another solver."""
    target = write(place, text)
    before = info(target)
    assert list(before.files) == sorted(["solver.py", *CODE[text]])
    assert all(before.files[name] == sha256((place / name).read_bytes()).hexdigest() for name in before.files)
    for name in before.files:
        kept = (place / name).read_text()
        (place / name).write_text("2" if name.endswith(("json", "csv")) else kept.replace("1", "2") + "# changed\n")
        changed = info(target)
        assert changed.code_sha256 != before.code_sha256
        assert differences(changed, before)[-1] == f"files: {name} changed"
        (place / name).write_text(kept)
    assert info(target) == before


@pytest.mark.parametrize("text", [text for text in CODE if "import" in text and "runpy" not in text and "." in text])
def test_imports_inside_a_step_are_covered_too(place, text):
    """They are read off the text, wherever they stand."""
    if "json" not in text and "numpy" not in text and "util" not in text and "os." not in text:
        assert list(info(write(place, late=text)).files) == sorted(["solver.py", *CODE[text]])


def test_the_hash_of_a_file_alone_is_that_files(place):
    """As records of before state it; of more files it is that of sha256sum's lines, by name."""
    target = write(place)
    assert info(target).code_sha256 == sha256((place / "solver.py").read_bytes()).hexdigest()
    found = info(write(place, "import helper"))
    lines = "".join(f"{found.files[name]}  {name}\n" for name in ("helper.py", "solver.py"))
    assert found.code_sha256 == sha256(lines.encode()).hexdigest()


def test_shipped_solvers_have_no_files():
    """Their version says what they are."""
    found = solver_info(load("dt-net-thin"))
    assert (found.code_sha256, found.files) == (None, {})


def test_records_of_before_are_still_the_solvers(place):
    """They hashed the class's file and the factory's."""
    (place / "base.py").write_text(SOLVER.format(top="", late="pass"))
    (place / "solver.py").write_text("from base import make\n")
    solver = load(f"{place / 'solver.py'}:make")
    former = sha256((place / "base.py").read_bytes() + (place / "solver.py").read_bytes()).hexdigest()
    stated = solver_info(solver).model_copy(update={"files": {}, "code_sha256": former})
    refuse_other_solver(solver, stated)
    with pytest.raises(InputError, match="code_sha256"):
        refuse_other_solver(solver, stated.model_copy(update={"code_sha256": "0" * 64}))


UNCOVERED = {  # while loading, and what is named
    "(HERE.parent / 'other' / 'data.json').read_text()": "other/data.json",
    "import sys; sys.path.append(str(HERE.parent / 'other')); import elsewhere": "other/elsewhere.py",
    "(HERE / '.hidden' / 'cache.json').read_text()": ".hidden/cache.json",
    "(HERE / 'count').write_text('1'); (HERE / 'count').read_text()": "count (it is written, too)",
}


@pytest.mark.parametrize("text", UNCOVERED)
def test_what_cannot_be_covered_is_named(place, text, capfd):
    """Once on standard error, and it is no part of the identity."""
    target = write(place, text)
    assert [list(info(target).files) for _ in range(2)] == [["solver.py"]] * 2
    said = [line for line in capfd.readouterr().err.splitlines() if "not covered: " in line]
    assert len(said) == 1
    assert UNCOVERED[text] in said[0]


LATER = {
    "(HERE / 'data.json').read_text()": "data.json",
    "exec((HERE / 'helper.py').read_text())": "helper.py",
    "__import__('help' + 'er')": "helper.py",
    "import importlib; importlib.import_module('help' + 'er')": "helper.py",
    "(HERE.parent / 'other' / 'data.json').read_text()": "other/data.json",
}


@pytest.mark.parametrize("text", LATER)
def test_what_is_opened_during_an_evaluation_is_named(place, text, capfd, tiny_suite):
    """Once for a whole evaluation: nobody could know of it before."""
    evaluate(load(write(place, late=text)), tiny_suite, "cpu", quiet=True)
    said = [line for line in capfd.readouterr().err.splitlines() if "not covered: " in line]
    assert len(said) == 1
    assert LATER[text] in said[0]


def test_what_was_loaded_counts_and_not_what_lies_there_now(place, tiny_suite):
    """A file that its own import rewrites is known by what was executed; an edit before a late import is refused."""
    text = "import helper"
    (place / "helper.py").write_text("from pathlib import Path\nPath(__file__).write_text('NUMBER = 2')\n")
    executed = sha256((place / "helper.py").read_bytes()).hexdigest()
    assert info(write(place, text)).files["helper.py"] == executed
    solver = load(write(place, late=text))
    (place / "helper.py").write_text("NUMBER = 3\n")
    with pytest.raises(InputError, match=r"helper\.py changed since the solver was loaded"):
        evaluate(solver, tiny_suite, "cpu", quiet=True)
    reading = "(HERE / 'data.json').read_text()"
    solver = load(write(place, reading, reading))
    (place / "data.json").write_text("23")
    with pytest.raises(InputError, match=r"data\.json changed since the solver was loaded"):
        evaluate(solver, tiny_suite, "cpu", quiet=True)


def test_a_stopped_evaluation_is_not_continued_by_an_edited_solver(place, tiny_suite, tmp_path, monkeypatch):
    """The file is named; after the edit is undone the run goes on."""
    from extramaze.evaluation.work import Worker

    target, plain, left = write(place, "import parts.outer"), Worker._compute, [2]

    def dying(worker, task):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return plain(worker, task)

    monkeypatch.setattr(Worker, "_compute", dying)
    with pytest.raises(KeyboardInterrupt):
        evaluate(load(target), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    monkeypatch.setattr(Worker, "_compute", plain)
    (place / "parts" / "inner.py").write_text("NUMBER = 2\n")
    with pytest.raises(InputError, match=r"differs in: solver: .*parts/inner\.py changed"):
        evaluate(load(target), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    (place / "parts" / "inner.py").write_text("NUMBER = 1\n")
    evaluate(load(target), tiny_suite, "cpu", tmp_path / "r", quiet=True)
    (place / "parts" / "inner.py").write_text("NUMBER = 2\n")
    with pytest.raises(InputError, match=r"parts/inner\.py changed"):
        evaluate(load(target), tiny_suite, "cpu", tmp_path / "r", quiet=True)


def test_weights_are_no_part_of_the_code(place):
    """A file that holds the solver's tensors and nothing else is stated by their digest; any other is covered."""
    from extramaze.models.dt_net import DTNet

    text = "from extramaze.models import read_weights\nfrom extramaze.models.dt_net import DTNet\n" + SOLVER
    solver = DTNet(width=4, blocks=1)
    save_file(dict(solver.state_dict()), place / "w.safetensors")
    (place / "solver.py").write_text(
        text.format(top="", late="pass").replace(
            "return Mine()", "net = DTNet(width=4, blocks=1); read_weights(net, HERE / 'w.safetensors'); return net"
        )
    )
    assert list(info(f"{place / 'solver.py'}:make").files) == ["solver.py"]
    half = {name: value.half() for name, value in solver.state_dict().items()}
    save_file(half, place / "w.safetensors")
    assert list(info(f"{place / 'solver.py'}:make").files) == ["solver.py", "w.safetensors"]


def test_a_package_is_covered_below_its_folder(place, monkeypatch):
    """``package.module:make``: by names that begin with the package's."""
    (place / "parts" / "net.py").write_text(SOLVER.format(top="from . import outer\nimport helper", late="pass"))
    monkeypatch.chdir(place)
    names = ["__init__.py", "inner.py", "net.py", "outer.py"]
    assert list(info("parts.net:make").files) == [f"parts/{name}" for name in names]
    (place / "parts" / "__init__.py").unlink()
    assert list(info("parts.net:make").files) == [f"parts/{name}" for name in names[1:]]


def test_an_installed_package_is_covered_alike_each_time(place, monkeypatch):
    """Python imports it once in a process; what it opened then is remembered."""
    site = place.rename(place.with_name("site-packages"))
    top = "from . import outer\n(HERE / 'table.csv').read_text()\n__import__('parts.' + 'middle')"
    (site / "parts" / "net.py").write_text(SOLVER.format(top=top, late="from parts import unused"))
    (site / "parts" / "middle.py").write_text("")
    monkeypatch.syspath_prepend(site)
    found = [info("parts.net:make") for _ in range(2)]
    imported = [name for name in sys.modules if name.partition(".")[0] == "parts"]
    for name in imported:
        del sys.modules[name]
    names = ["__init__.py", "inner.py", "middle.py", "net.py", "outer.py", "table.csv", "unused.py"]
    assert [list(each.files) for each in found] == [[f"parts/{name}" for name in names]] * 2
    assert "parts.net" in imported


def test_a_solver_that_was_not_loaded_is_known_by_its_file_and_what_it_imports(place, monkeypatch):
    """As a script hands it over."""
    write(place, "import helper")
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "helper", raising=False)
    import solver

    try:
        assert list(solver_info(solver.Mine()).files) == ["helper.py", "solver.py"]
    finally:
        del sys.modules["solver"], sys.modules["helper"]


def test_awkward_names_are_stated_readably(place):
    """No sign of a file's name breaks the record."""
    (place / "a\nb\u3000\udcff.json").write_text("1")
    target = write(place, "for path in HERE.glob('a*'): path.read_text()")
    plan = make_evaluation(load(target), device="cpu").plan
    assert list(plan.solver.files) == ["a\\nb\\u3000\\udcff.json", "solver.py"]
    assert plan.model_dump_json()


def test_a_class_of_a_library_is_stated_by_its_module(place, monkeypatch):
    """Its file lies elsewhere, and decides what the solver does."""
    (place / "solver.py").write_text("from extramaze.models.wavefront import Wavefront as make\n")
    assert list(info(f"{place / 'solver.py'}:make").files) == ["solver.py"]
    assert type(load(f"{place / 'solver.py'}:make")) is Wavefront
