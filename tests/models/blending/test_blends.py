import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load as parse_tensors
from safetensors.torch import save

from extramaze.core.errors import InputError
from extramaze.mazes import MazeSpec, generate, raster
from extramaze.models import load
from extramaze.models.blending.blend import Request, make_blend
from extramaze.models.blending.folder import read_blend, read_facts
from extramaze.models.blending.remake import remake
from extramaze.models.shipped import training_mazes
from extramaze.schema.blend import BlendFacts

BASE, TUNED, LESS, OTHER = "dt-net-thin@0", "dt-net-thin-tuned-10k@0", "dt-net-thin-tuned-1k@0", "dt-net-thin@1"
REQUESTS = {
    "line": Request("line", (BASE, TUNED), "wise", at=0.75),
    "soup": Request("soup", (TUNED, LESS), "wise", coefficients=(0.25, 0.75)),
    "slerp": Request("slerp", (BASE, TUNED), "wise", at=0.3),
    "task": Request("task", (TUNED, LESS), "wise", base=BASE, coefficients=(0.5, 0.25)),
    "ties": Request("ties", (TUNED, LESS), "wise", base=BASE, density=0.2, strength=0.75),
    "dare": Request("dare", (TUNED, LESS), "wise", base=BASE, drop=0.5, coefficients=(0.5, 0.5)),
    "fisher": Request("fisher", (BASE, TUNED), "wise", fisher_mazes=1),
    "ensemble": Request("ensemble", (BASE, "it-net-thin@1"), "wise", combination="votes"),
    "aligned": Request("line", (BASE, OTHER), "wise", at=0.5, align=True, restarts=3),
}
ELEMENTWISE = ("line", "soup", "task", "ties", "dare")


def image(count=3, size=9):
    return torch.from_numpy(raster(generate(MazeSpec(size), count, split="val"), 1)[0]).float()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A blend of every method."""
    place = tmp_path_factory.mktemp("blends")
    for name, request in REQUESTS.items():
        make_blend(request).write(place / name)
    return place


@pytest.mark.parametrize("name", REQUESTS)
def test_a_blend_is_a_solver(folders, name):
    """It loads with a card of its own, answers mazes, and says what it is made of."""
    solver = load(folders / name)
    assert (solver.card.name, solver.card.recipe, solver.card.scale) == ("wise@0", "wise", 1)
    assert (
        solver.card.weights_sha256 == hashlib.sha256((folders / name / "weights.safetensors").read_bytes()).hexdigest()
    )
    assert "dt-net-thin" in solver.card.notes[0]
    assert solver.card.provenance.method == REQUESTS[name].method
    assert solver.card.provenance.chosen_on == "by hand"
    with torch.inference_mode():
        assert solver(image(), 3).shape == (3, 2, 11, 11)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_stored_blend_is_made_again(folders, name):
    """Of its parents, bit for bit from what was computed once."""
    assert remake(folders / name) == remake(folders / name, [folders])
    assert remake(folders / name).problems == ()
    assert remake(folders / name).missing == ()


def test_threads_change_no_bit(folders):
    """Another process with other threads writes the same weights, by every method of single numbers."""
    code = (
        "from extramaze.models.blending.blend import Request, make_blend\n"
        f"for request in {[REQUESTS[name] for name in ELEMENTWISE]!r}:\n"
        "    print(make_blend(request).facts.weights_sha256)"
    )
    threads = {f"{library}_NUM_THREADS": "8" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    made = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **threads}, capture_output=True, text=True, check=True
    )
    assert made.stdout.split() == [read_facts(folders / name).weights_sha256 for name in ELEMENTWISE]


def test_the_golden_blend(folders):
    """Three quarters of the way from dt-net-thin@0 to dt-net-thin-tuned-10k@0, on every machine."""
    golden = "22144b64671e502435bb335b1387975de9bdc1f33623a978f2a72a4a54e7d0d1"
    assert read_facts(folders / "line").weights_sha256 == golden


def test_the_budget_is_the_sum_of_the_parents(folders):
    """Of the mazes they were trained on, those of what they began with included."""
    facts = read_facts(folders / "soup")
    known = training_mazes()
    assert facts.training_mazes == sum(known[parent.weights_sha256] for parent in facts.parents)
    assert facts.chosen_on == "by hand"


def reseal(folder, **changes):
    """Alter what a blend states, and state the sha256 of that."""
    path = folder / "blend.json"
    content = {**json.loads(path.read_text()), **changes}
    facts = BlendFacts.model_validate_json(json.dumps(content)).sealed()
    path.write_text(facts.model_dump_json(by_alias=True, indent=1) + "\n")


def copied(folders, name, tmp_path):
    return Path(shutil.copytree(folders / name, tmp_path / name))


def test_an_altered_statement_is_refused(folders, tmp_path):
    """It states its own sha256."""
    folder = copied(folders, "task", tmp_path)
    text = (folder / "blend.json").read_text()
    (folder / "blend.json").write_text(text.replace('"coefficient": 0.25', '"coefficient": 0.5'))
    with pytest.raises(InputError, match="altered"):
        load(folder)


@pytest.mark.parametrize(
    ("name", "number"), [("line", 0), ("soup", 1), ("task", 1), ("dare", 0), ("slerp", 1), ("aligned", 1)]
)
def test_a_forged_coefficient_is_named(folders, tmp_path, name, number):
    """With the number that the weights really have, also where the forger states a sha256 that fits."""
    folder = copied(folders, name, tmp_path)
    facts = read_facts(folder)
    parents = [parent.model_dump() for parent in facts.parents]
    true = parents[number]["coefficient"]
    parents[number]["coefficient"] = true + 0.125
    if name in ("line", "soup", "aligned"):
        parents[1 - number]["coefficient"] -= 0.125
    reseal(folder, parents=parents)
    problems = [line for line in remake(folder).problems if line.startswith("coefficient")]
    assert any(
        parents[number]["name"] in line and f"{true + 0.125:.6g} stated" in line and f" {true:.6g}" in line
        for line in problems
    )


def test_a_forged_strength_is_named(folders, tmp_path):
    """TIES' multiple, found from the weights."""
    folder = copied(folders, "ties", tmp_path)
    reseal(folder, strength=1.0)
    (problem,) = remake(folder).problems
    assert problem.startswith("strength: 1 stated, the weights have 0.75")


def test_another_density_is_noticed(folders, tmp_path):
    """No strength makes up for it."""
    folder = copied(folders, "ties", tmp_path)
    reseal(folder, density=0.5)
    assert "no coefficients" in remake(folder).problems[0]


def test_altered_weights_are_noticed(folders, tmp_path):
    """Also where what is stated of them is altered along."""
    folder = copied(folders, "soup", tmp_path)
    path = folder / "weights.safetensors"
    tensors = parse_tensors(path.read_bytes())
    tensors["projection.weight"][0, 0, 0, 0] += 1e-3
    path.write_bytes(save(tensors))
    assert "sha256" in remake(folder).problems[0]
    reseal(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert remake(folder).problems


def test_a_forged_alignment_is_named(folders, tmp_path):
    """Another order of units fits worse than stated; what is no order is named as such."""
    folder = copied(folders, "aligned", tmp_path)
    path = folder / "computed.safetensors"
    tensors = parse_tensors(path.read_bytes())
    order = tensors["alignment.1.permutation.stream"]
    tensors["alignment.1.permutation.stream"] = order.roll(1)
    path.write_bytes(save(tensors))
    reseal(folder, computed_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert any("alignment of dt-net-thin@1: cosine" in line for line in remake(folder).problems)
    tensors["alignment.1.permutation.stream"] = torch.zeros_like(order)
    path.write_bytes(save(tensors))
    reseal(folder, computed_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert any("no permutation" in line for line in remake(folder).problems)


def test_forged_information_is_named(folders, tmp_path):
    """Fisher information is computed again."""
    folder = copied(folders, "fisher", tmp_path)
    path = folder / "computed.safetensors"
    tensors = parse_tensors(path.read_bytes())
    tensors["fisher.0.recall.weight"] *= 1.001
    path.write_bytes(save(tensors))
    reseal(folder, computed_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert any("Fisher information of dt-net-thin@0: recall.weight" in line for line in remake(folder).problems)


def test_a_member_that_is_another_is_named(folders, tmp_path):
    """An ensemble's weights are its members'."""
    folder = copied(folders, "ensemble", tmp_path)
    path = folder / "weights.safetensors"
    tensors = parse_tensors(path.read_bytes())
    tensors["members.1.head.0.weight"] *= 2
    path.write_bytes(save(tensors))
    reseal(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert remake(folder).problems == ("members.1: not the weights of it-net-thin@1, first head.0.weight",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"training_mazes": 5}, "training_mazes"),
        ({"method": "soup", "parents": []}, "parents"),
        ({"chosen_on": {"specs": ["size=9"], "split": "test", "count": 1, "iterations": 1, "candidates": []}}, "val"),
        ({"base": None}, "base"),
        ({"density": 0.5}, "density"),
    ],
)
def test_contradictions_are_named(folders, tmp_path, change, said):
    """A statement that cannot be is refused with its key, whatever sha256 it states."""
    folder = copied(folders, "task", tmp_path)
    path = folder / "blend.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=said):
        read_blend(folder)


def test_blends_of_blends_keep_the_family(folders, tmp_path):
    """A blend's parent may be a blend, by name and sha256; made again where it is at hand, and missing where not."""
    make_blend(Request("line", (str(folders / "line"), LESS), "again", at=0.5)).write(tmp_path / "again")
    facts = read_facts(tmp_path / "again")
    assert facts.parents[0].name == "wise@0"
    assert facts.parents[0].training_mazes == read_facts(folders / "line").training_mazes
    assert facts.trained_on == ("size=9", "size=9,percolation=0.1,start=any")
    assert remake(tmp_path / "again").missing == ("wise@0",)
    assert remake(tmp_path / "again", [folders]).problems == ()


def test_coefficients_chosen_on_val(tmp_path):
    """All candidates are stated, the best of them is taken, and the first of equal ones."""
    request = Request("line", (BASE, TUNED), "chosen", best=True, specs=("size=5",), count=4, iterations=3)
    said = []
    blend = make_blend(request, said.append)
    choice = blend.facts.chosen_on
    assert (choice.split, choice.count, choice.specs) == ("val", 4, ("size=5",))
    assert len(choice.candidates) == len([line for line in said if line.startswith("at ")]) == 21
    best = max(candidate.score for candidate in choice.candidates)
    first = next(candidate for candidate in choice.candidates if candidate.score == best)
    assert tuple(parent.coefficient for parent in blend.facts.parents) == first.coefficients


def test_a_greedy_soup_is_no_worse_than_its_best_parent():
    """On the mazes it was chosen on, by construction."""
    request = Request("soup", (TUNED, LESS, BASE), "greedy", best=True, specs=("size=9",), count=8, iterations=20)
    choice = make_blend(request).facts.chosen_on
    alone = [one.score for one in choice.candidates if max(one.coefficients) == 1]
    assert choice.best().score >= max(alone)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("line", (BASE,), "x"), "2 parents or more"),
        (Request("line", (BASE, TUNED, LESS), "x"), "needs 2, got 3"),
        (Request("slerp", (BASE, TUNED, LESS), "x"), "needs 2"),
        (Request("soup", (BASE, TUNED), "x", coefficients=(0.5,)), "1 coefficients for 2 parents"),
        (Request("soup", (BASE, TUNED), "x", coefficients=(0.5, 0.6)), "sum to 1"),
        (Request("soup", (BASE, TUNED), "x", coefficients=(float("nan"), 0.6)), "finite"),
        (Request("line", (BASE, TUNED), "x", at=float("inf")), "finite"),
        (Request("task", (TUNED,), "x"), "--base"),
        (Request("line", (BASE, TUNED), "x", base=LESS), "leave out --base"),
        (Request("task", (TUNED, BASE), "x", base=BASE), "the base and one of the parents"),
        (Request("ties", (TUNED,), "x", base=BASE, density=0.0, strength=1.0), "--density"),
        (Request("dare", (TUNED,), "x", base=BASE, drop=1.0), "--drop"),
        (Request("line", (BASE, "it-net-thin@0"), "x"), "4 tensors differ, first blocks.2.first.weight"),
        (Request("line", (BASE, "dt-net-e2h@0"), "x"), "raster"),
        (Request("ensemble", (BASE, "dt-net-e2h@0"), "x", combination="votes"), "raster"),
        (Request("line", (BASE, "wavefront"), "x"), "an algorithm and has no weights"),
        (Request("line", (BASE, "my.py:make"), "x"), "how a solver of one's own code was built"),
        (Request("line", (BASE, "dt-net-thn"), "x"), "did you mean dt-net-thin"),
        (Request("lin", (BASE, TUNED), "x"), "did you mean line"),
        (Request("line", (BASE, TUNED), "dt-net-thin"), "comes with extramaze"),
        (Request("line", (BASE, TUNED), "No Name"), "small letters"),
        (Request("line", (BASE, TUNED), "x", seed=256), "--seed"),
        (Request("line", (BASE, TUNED), "x", best=True, split="test"), "val split alone"),
        (Request("line", (BASE, TUNED), "x", best=True, count=0), "--count"),
    ],
)
def test_what_does_not_go_together_is_refused(request_, said):
    """With one sentence, before anything is computed."""
    with pytest.raises(InputError, match=said):
        make_blend(request_)


def test_odd_parents_are_pointed_out():
    """The same weights twice, and networks trained apart, are allowed and seldom meant."""
    said = []
    make_blend(Request("soup", (BASE, BASE, OTHER), "x"), said.append)
    assert "the same weights twice: dt-net-thin@0" in said[0]
    assert "share no weights" in said[1]
    said.clear()
    make_blend(REQUESTS["line"], said.append)
    make_blend(REQUESTS["ensemble"], said.append)
    assert said == []


def test_a_folder_in_use_is_kept(folders, tmp_path):
    """Nothing is written over another blend; the same one again changes nothing."""
    folder = copied(folders, "line", tmp_path)
    make_blend(REQUESTS["line"]).write(folder)
    with pytest.raises(InputError, match="choose another --out"):
        make_blend(REQUESTS["soup"]).write(folder)


def test_weights_without_their_facts_are_no_blend(folders, tmp_path):
    """Facts are written last, so a killed blend is none."""
    folder = copied(folders, "line", tmp_path)
    (folder / "blend.json").unlink()
    with pytest.raises(InputError):
        load(folder)


def test_a_blend_is_trained_further(folders):
    """A recipe of its architecture begins with its weights, and states whose they were; an ensemble's fit no recipe."""
    from extramaze.models.training.order import Order
    from extramaze.models.training.start import read_start

    order = Order.read("dt-net-thin-tuned-1k")
    make = order.recipe.architecture.maker(order.home)
    start = read_start(str(folders / "line"), order.recipe, make)
    assert (start.name, start.sha256) == ("wise@0", read_facts(folders / "line").weights_sha256)
    assert start.weights.keys() == load(BASE).state_dict().keys()
    with pytest.raises(InputError, match="unlike the architecture"):
        read_start(str(folders / "ensemble"), order.recipe, make)


def test_contraction_survives_any_blend():
    """DT-L's kernels are divided by their bounds after they were blended: two states still come closer."""
    from extramaze.models.blending.weights import rounded, weights_of
    from extramaze.models.dt_l import DTL

    nets = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        nets.append(DTL(width=6))
    weights = [weights_of(net.state_dict()) for net in nets]
    blended = {name: 3 * weights[0][name] - 2 * weights[1][name] for name in weights[0]}
    nets[0].load_state_dict(rounded(blended, nets[0].state_dict()))
    solver, x = nets[0].double().eval(), image(1).double()
    one, other = (torch.from_numpy(np.random.default_rng(seed).normal(size=(1, 6, 11, 11))) for seed in (2, 3))
    with torch.inference_mode():
        apart = (solver.step(one, x) - solver.step(other, x)).norm() / (one - other).norm()
    assert apart <= 0.99 + 1e-9
