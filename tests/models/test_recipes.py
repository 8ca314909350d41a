import pytest
import torch
import yaml

from extramaze.models import load
from extramaze.models.doctor import examine
from extramaze.models.shipped import recipe_names
from extramaze.models.training.recipe import parse_recipe, recipe_text
from extramaze.models.training.train import train
from extramaze.models.weight_files import misfits

SMALL = {
    "training": {"steps": 3, "batch": 2, "warmup_steps": 0},
    "validation": {"every": 3, "count": 2, "final_count": 2},
}
TRAINABLE = ("dt-net", "dt-net-no-recall", "it-net", "pi-net", "dt-l", "ff-net", "plain-cnn")


def test_every_solver_has_both_rasters():
    """Each trainable solver has a recipe on the thin raster and one on the easy-to-hard raster."""
    for solver in TRAINABLE:
        for ending, scale in (("thin", 1), ("e2h", 2)):
            assert parse_recipe(recipe_text(f"{solver}-{ending}"), "").data.scale == scale


@pytest.mark.parametrize("name", recipe_names())
def test_every_architecture_has_names_and_shapes_without_memory(name):
    """Built on the device meta, as validation does: the tensors of one built with memory."""
    architecture = parse_recipe(recipe_text(name), "").architecture
    with torch.device("meta"):
        bare = architecture.build().state_dict()
    assert misfits(architecture.build().state_dict(), bare) == []


def by_kind():
    """Every recipe; slow are those that train a network of one kind by means that another was trained by."""
    seen = set()
    for name in recipe_names():
        recipe = yaml.safe_load(recipe_text(name))
        kind = (tuple(sorted(recipe["architecture"])), recipe["architecture"]["builder"], *sorted(recipe["training"]))
        kind += (recipe["training"]["gradient"], *recipe["data"])
        yield pytest.param(name, marks=pytest.mark.slow if kind in seen else [])
        seen.add(kind)


@pytest.mark.parametrize("name", list(by_kind()))
def test_every_recipe_trains(name, tmp_path):
    """Made small, each shipped recipe takes steps of every kind it names; the solver loads and keeps the contract."""
    content = yaml.safe_load(recipe_text(name))
    content["name"] = f"small-{name}"
    content["architecture"]["width"] = 16 if name.startswith("trm") else 4  # of whole heads
    for part, keys in SMALL.items():
        content[part] |= keys
    if "backprop_steps" in content["training"]:
        content["training"]["backprop_steps"] = 1
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(content))
    result = train(str(path), 0, tmp_path / "run", device="cpu", quiet=True)
    assert result.steps == 3
    trained = load(str(tmp_path / "run"))
    torch.manual_seed(0)
    fresh = parse_recipe(path.read_text(), "").architecture.build()
    weights = dict(fresh.named_parameters())
    moved = {n for n, parameter in trained.named_parameters() if not torch.equal(parameter, weights[n])}
    assert "head.0.weight" in moved or any(n.startswith(("layers", "head.weight")) for n in moved)
    assert examine(lambda: load(str(tmp_path / "run"))) == []
