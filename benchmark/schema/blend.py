"""What a blend is: which solvers' weights, by which method, with which coefficients, and how those were chosen.

``blend.json`` in a blend's folder holds these facts; sentences about them are made where they are shown.
"""

import hashlib
import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from extramaze.core.checked import Count, Digest, OneLine, Positive, Strict
from extramaze.core.display import NAME_PATTERN
from extramaze.schema.solver import Blended, Origin

FACTS = "blend.json"  # in a blend's folder
BLEND_SCHEMA = "extramaze-blend-1"
MAX_PARENTS = 64
Method = Literal["line", "soup", "slerp", "task", "ties", "dare", "fisher", "ensemble"]
Combination = Literal["logits", "probabilities", "votes"]
CONVEX = ("line", "soup", "fisher")  # methods whose coefficients sum to 1
BASED = ("task", "ties", "dare")  # methods that add differences from a base
ELEMENTWISE = ("line", "soup", "task", "ties", "dare", "ensemble")  # without alignment: the same bits on every machine
BY_HAND = "by hand"
Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Architecture = dict[OneLine, str | int | float | bool]


class Ingredient(Strict):
    """A solver whose weights went into a blend."""

    name: Name
    """As its card says it, ``dt-net-thin@0``."""
    weights_sha256: Digest
    """Of its weights file."""
    coefficient: Number | None = None
    """Its share, or the multiple of its difference from the base; None where the method has none for each parent."""
    training_mazes: Count | None = None
    """Mazes that it was trained on, those of the solver it began with included; None where that is not known."""
    architecture: Architecture | None = None
    """How to build it, where that is not how the blend is built: members of an ensemble."""


class Candidate(Strict):
    """Coefficients that were tried, one a parent."""

    coefficients: tuple[Number, ...]
    """One a parent, in the order of the parents."""
    score: float = Field(ge=0, le=1)
    """Share of mazes answered without a wrong pixel, the mean over the specifications."""


class Choice(Strict):
    """How coefficients were chosen by trying; never on mazes that results are reported on."""

    specs: tuple[OneLine, ...] = Field(min_length=1)
    """Specifications of the mazes that the candidates answered."""
    split: Literal["val"]
    """The split of these mazes; test is for what is reported."""
    count: Positive
    """Mazes of each specification."""
    iterations: Positive
    """After how many iterations the answers were read."""
    candidates: tuple[Candidate, ...] = Field(min_length=1)
    """All that were tried, in the order in which they were."""

    def best(self) -> Candidate:
        """Return the first of the candidates with the highest score."""
        return max(self.candidates, key=lambda candidate: candidate.score)


class Aligned(Strict):
    """How well one parent was brought to the first one's order and scale of units; ``computed_sha256`` has the maps."""

    parent: int = Field(ge=0, lt=MAX_PARENTS)
    """Which one, counted from 0."""
    restarts: Positive
    """Orders from which the search for the best one began."""
    cosine: float = Field(ge=-1.000001, le=1.000001)
    """Of the angle between the two balanced networks afterwards."""


class BlendFacts(Strict):
    """Everything that makes a blend again from its parents."""

    schema_: Literal["extramaze-blend-1"] = Field(alias="schema")
    """The version of these facts."""
    name: Name
    """The blend's name, without its seed."""
    seed: int = Field(ge=0, le=255)
    """Which of the blends of this name; what DARE drops depends on it."""
    method: Method
    """How weights are combined."""
    parents: tuple[Ingredient, ...] = Field(min_length=1, max_length=MAX_PARENTS)
    """The solvers that are combined."""
    base: Ingredient | None = None
    """The solver from which differences are taken, where the method takes any."""
    combination: Combination | None = None
    """What an ensemble averages; votes are averaged as shares."""
    density: float | None = Field(default=None, gt=0, le=1)
    """Share of each difference that TIES keeps, the largest in size."""
    drop: float | None = Field(default=None, ge=0, lt=1)
    """Probability with which DARE drops a number of a difference."""
    strength: Number | None = None
    """The multiple of TIES' merged difference."""
    at: Number | None = None
    """Where between two parents SLERP stands: 0 the first, 1 the second."""
    angle: float | None = Field(default=None, gt=0, lt=math.pi)
    """Between the two parents of SLERP, in radians."""
    fisher_mazes: Positive | None = None
    """Mazes over which Fisher information was averaged, for each parent."""
    aligned: tuple[Aligned, ...] = ()
    """The parents that were aligned to the first."""
    computed_sha256: Digest | None = None
    """Of ``computed.safetensors``: what was computed once, Fisher information and alignments; None for nothing."""
    weights_sha256: Digest
    """Of ``weights.safetensors``."""
    architecture: Architecture | None
    """How to build the solver; None for an ensemble, whose members say it."""
    scale: Literal[1, 2]
    """The raster that the parents were made for."""
    trained_on: tuple[OneLine, ...]
    """Specifications of the mazes that the parents were trained on."""
    training_mazes: Count | None
    """The blend's budget: the sum of its parents'; None where one is not known."""
    chosen_on: Choice | Literal["by hand"]
    """What the coefficients were chosen on."""
    versions: dict[OneLine, OneLine]
    """Of the packages that made it."""
    sha256: str = ""
    """Of all the rest."""

    @model_validator(mode="after")
    def _consistent(self) -> "BlendFacts":
        problems = [problem for problem in self._problems() if problem]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> list[str]:
        coefficients = [parent.coefficient for parent in self.parents]
        known = [value for value in coefficients if value is not None]
        has_one_each = self.method not in ("ties", "ensemble")
        mazes = [parent.training_mazes for parent in self.parents]
        budget = None if None in mazes else sum(count or 0 for count in mazes)
        chosen = self.chosen_on.best().coefficients if isinstance(self.chosen_on, Choice) else tuple(known)
        return [
            "coefficient: one for each parent, or none" if 0 < len(known) < len(coefficients) else "",
            f"coefficient: {self.method} has one for each parent" if has_one_each and not known else "",
            f"coefficient: {self.method} has none" if known and not has_one_each else "",
            f"coefficients of a {self.method} sum to 1, these to {sum(known):.6g}"
            if self.method in CONVEX and known and not math.isclose(sum(known), 1, abs_tol=1e-9)
            else "",
            f"base: {self.method} needs one, and no other method has one"
            if (self.base is None) == (self.method in BASED)
            else "",
            *(
                f"{name}: goes with {method}, and {method} with it"
                for name, method in OPTIONS.items()
                if (getattr(self, name) is None) == (self.method == method)
            ),
            f"training_mazes: {self.training_mazes}, and its parents' make {budget}"
            if budget != self.training_mazes
            else "",
            f"chosen_on: its best candidate is {list(chosen)}, the coefficients are {known}"
            if self.method in ("line", "soup") and list(chosen) != known
            else "",
        ]

    def digest(self) -> str:
        """Return the sha256 of all but the stated one."""
        return hashlib.sha256(self.model_dump_json(by_alias=True, exclude={"sha256"}).encode()).hexdigest()

    def sealed(self) -> "BlendFacts":
        """Return the same facts with their sha256."""
        return self.model_copy(update={"sha256": self.digest()})

    def provenance(self) -> Blended:
        """Return what records state of it."""
        chosen = self.chosen_on
        how = BY_HAND if isinstance(chosen, str) else f"val: {'; '.join(chosen.specs)}"[:500]
        based = () if self.base is None else (self.base,)
        origins = tuple(Origin(name=p.name, weights_sha256=p.weights_sha256) for p in (*self.parents, *based))
        return Blended(method=self.method, parents=origins, chosen_on=how)

    def sentence(self) -> str:
        """Say what the blend is made of, on one line of at most 500 characters."""
        named = [
            f"{parent.coefficient:g} × {parent.name}" if parent.coefficient is not None else parent.name
            for parent in self.parents
        ]
        few = named if len(named) <= 4 else [*named[:3], f"{len(named) - 3} more"]
        how = {"ensemble": f"an ensemble by {self.combination} of", "line": "a blend:"}.get(
            self.method, f"a blend ({self.method}):"
        )
        base = "" if self.base is None else f"{self.base.name} and differences from it, "
        by_hand = self.method != "ensemble" and self.chosen_on == BY_HAND
        return f"{how} {base}{' + '.join(few)}{'; chosen by hand' if by_hand else ''}"


OPTIONS = {  # fields that one method has and needs
    "combination": "ensemble",
    "density": "ties",
    "strength": "ties",
    "drop": "dare",
    "at": "slerp",
    "angle": "slerp",
    "fisher_mazes": "fisher",
}
