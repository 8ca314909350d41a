"""What comes with extramaze, by name: algorithms, recipes, trained seeds and how they were trained. Data alone."""

from functools import cache
from importlib.resources import files

from extramaze.core.checked import parse_json, yaml_names
from extramaze.schema.blend import FACTS, BlendFacts
from extramaze.schema.training import RESULT, TrainingResult

ALGORITHM_NAMES = ("dead-end-filling", "wall-follower", "wavefront")
RECIPES = files("extramaze.models") / "recipes"


def recipe_names() -> list[str]:
    """List the shipped recipes."""
    return yaml_names(RECIPES)


def shipped_seeds() -> dict[str, list[int]]:
    """Return the seeds shipped with weights, by recipe."""
    root = files("extramaze.models") / "weights"
    if not root.is_dir():
        return {}
    seeds = {
        recipe.name: sorted(int(seed.name) for seed in recipe.iterdir() if seed.name.isdigit())
        for recipe in root.iterdir()
        if recipe.is_dir()
    }
    return {name: found for name, found in sorted(seeds.items()) if found}


def shipped_solvers() -> list[str]:
    """List the solvers that come with extramaze: algorithms, and every seed with weights."""
    return [*ALGORITHM_NAMES, *(f"{name}@{seed}" for name, seeds in shipped_seeds().items() for seed in seeds)]


def shipped_results() -> list[TrainingResult]:
    """Return how each shipped seed was trained, recipe by recipe."""
    root = files("extramaze.models") / "weights"
    return [
        parse_json(TrainingResult, (root / name / str(seed) / RESULT).read_bytes(), f"{name}@{seed}: {RESULT}")
        for name, seeds in shipped_seeds().items()
        for seed in seeds
        if (root / name / str(seed) / RESULT).is_file()
    ]


def shipped_blends() -> list[BlendFacts]:
    """Return what each shipped blend is made of."""
    root = files("extramaze.models") / "weights"
    return [
        parse_json(BlendFacts, (root / name / str(seed) / FACTS).read_bytes(), f"{name}@{seed}: {FACTS}")
        for name, seeds in shipped_seeds().items()
        for seed in seeds
        if (root / name / str(seed) / FACTS).is_file()
    ]


@cache
def training_mazes() -> dict[str, int]:
    """Return how many mazes each shipped seed was trained on, by its weights' sha256.

    A fine-tuned one counts those of the seed that it began with too; one that began with unknown weights is left out.
    """
    results = {result.weights_sha256: result for result in shipped_results()}
    counts: dict[str, int] = {}
    for digest, result in results.items():
        chain = [result]
        while (begun := chain[-1].initial_weights_sha256) in results:
            chain.append(results[begun])
        if begun is None:
            counts[digest] = sum(one.mazes for one in chain)
    blended = {facts.weights_sha256: facts.training_mazes for facts in shipped_blends()}
    return counts | {digest: mazes for digest, mazes in blended.items() if mazes is not None}
