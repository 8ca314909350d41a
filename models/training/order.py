"""What is to be trained: a recipe's text, its content, and where its architecture is found."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from extramaze.core.yaml_files import load_yaml
from extramaze.models.training.outside import Home
from extramaze.models.training.recipe import Recipe, parse_recipe, recipe_text

FAST_STEPS = 3
FAST_MAZES = 32  # of its one validation


@dataclass(frozen=True)
class Order:
    """A recipe to be trained. text: as it lies in the trained folder. home: its folder."""

    text: str
    recipe: Recipe
    home: Home

    @classmethod
    def read(cls, recipe: str | Path) -> "Order":
        """Read a shipped recipe or a file. Raises InputError."""
        text = recipe_text(str(recipe))
        return cls(text, parse_recipe(text, str(recipe)), Home(Path(recipe).parent))

    @property
    def content(self) -> dict[str, Any]:
        """The recipe as it was written."""
        return load_yaml(self.text, self.recipe.name)

    def changed(self, content: dict[str, Any]) -> "Order":
        """Return an order of another content and the same home. Raises InputError where it is no recipe."""
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        return replace(self, text=text, recipe=parse_recipe(text, str(content.get("name"))))

    def fast(self) -> "Order":
        """Return an order of FAST_STEPS steps with one validation, to see that everything runs."""
        training, validation = self.content["training"], self.content["validation"]
        training = {key: value for key, value in training.items() if key not in ("mazes", "seconds", "backprop_steps")}
        training |= {"steps": FAST_STEPS, "warmup_steps": min(training["warmup_steps"], FAST_STEPS)}
        few = {"every": FAST_STEPS, "count": FAST_MAZES, "final_count": FAST_MAZES}
        kept = {key: value for key, value in validation.items() if key != "stop_at"}
        return self.changed(self.content | {"training": training, "validation": kept | few})
