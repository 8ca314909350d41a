"""The verb that makes solvers of trained solvers' weights: a command for each method."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from extramaze.cli.app import ExitCode, Json, Quiet, Verb, app, print, show
from extramaze.core.paths import real

if TYPE_CHECKING:
    from extramaze.schema.blend import BlendFacts, Method

blending = typer.Typer(
    name="blend",
    help="Make a solver of trained solvers' weights, without training. "
    "The folder it writes is a solver like any other: evaluate it, go on training from it (train --init-from), submit "
    "it. Which method? Two networks, one fine-tuned from the other: line. Several fine-tuned from one base: soup, or "
    "ties where they disagree. Only a part of what fine-tuning changed: task. Networks trained apart, or of different "
    "kinds: ensemble; averages of their weights seldom solve anything. Layers with gains of their own (PI-Net's) are "
    "blended as they are stored, gains and directions apart.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(blending)

Parents = Annotated[
    list[str],
    typer.Argument(metavar="PARENTS...", help="Shipped names with weights, or folders that train or blend wrote."),
]
Out = Annotated[Path, typer.Option(help="Folder for the blend.")]
Name = Annotated[
    str | None,
    typer.Option(help="The blend's name on boards. Default: that of the folder --out without a number."),
]
Seed = Annotated[
    int | None, typer.Option(help="Which of the blends of this name. Default: the seed that all parents share, or 0.")
]
Align = Annotated[
    bool,
    typer.Option("--align", help="First bring all parents to the units' order and scale of the first, or of the base."),
]
Restarts = Annotated[int, typer.Option(help="With --align: orders from which the search begins.")]
Base = Annotated[str, typer.Option(metavar="SOLVER", help="What the parents were trained from.")]
On = Annotated[
    list[str] | None,
    typer.Option(
        "--on", metavar="SPEC", help="Mazes to choose on. Repeatable. Default: what the parents were trained on."
    ),
]
Split = Annotated[str, typer.Option(help="Of the mazes to choose on; val alone is allowed.")]
CountOf = Annotated[int, typer.Option("--count", help="Mazes of each specification to choose on.")]
Iterations = Annotated[
    int | None, typer.Option(help="Read answers after so many. Default: what the parents were validated after.")
]
Numbers = Annotated[
    str | None, typer.Option(metavar="C,C,...", help="One a parent, commas between. Default: equal ones.")
]


def _floats(text: str | None) -> tuple[float, ...] | None:
    from extramaze.core.errors import InputError

    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as problem:
        raise InputError(f"--coefficients are numbers with commas between, 0.25,0.75; got {text!r}") from problem


def _make(
    method: "Method", parents: list[str], out: Path, name: str | None, quiet: bool, as_json: bool, **options: Any
) -> None:
    from extramaze.models.blending.blend import make_blend
    from extramaze.models.blending.request import Request

    request = Request(method, tuple(parents), name or re.sub(r"-\d+$", "", real(out).name), **options)
    blend = make_blend(request, lambda line: None if quiet and "note" not in line else typer.echo(line, err=True))
    blend.write(out)
    _report(blend.facts, out, as_json)


def _report(facts: "BlendFacts", out: Path, as_json: bool) -> None:
    from extramaze.core.display import shown

    if as_json:
        print(facts.model_dump_json(by_alias=True, indent=1))
        return
    mazes = "an unknown number of" if facts.training_mazes is None else f"{facts.training_mazes:,}"
    lines = [f"{facts.name}@{facts.seed}: {facts.sentence()}"]
    lines += [
        f"{facts.parents[found.parent].name} aligned: cosine {found.cosine:.3f} to the first" for found in facts.aligned
    ]
    lines.append(f"budget: {mazes} training mazes, the sum of its parents'; weights {facts.weights_sha256[:12]}…")
    lines.append(f"evaluate it: extramaze evaluate {shown(out)}")
    show(lines)


@blending.command(cls=Verb)
def line(
    parents: Parents,
    out: Out,
    at: Annotated[
        str, typer.Option(metavar="T", help="0: the first parent, 1: the second; best: chosen on val.")
    ] = "0.5",
    align: Align = False,
    restarts: Restarts = 12,
    on: On = None,
    split: Split = "val",
    count: CountOf = 256,
    iterations: Iterations = None,
    name: Name = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """(1 − t) A + t B: a point of the line between two networks.

    Between a network and one fine-tuned from it the inside of the line often keeps what each of its ends has
    (Wortsman et al., arXiv 2109.01903). Values beyond 0 and 1 go on along the line.

    extramaze blend line dt-net-thin@0 dt-net-thin-tuned-10k@0 --at 0.75 --out runs/wise-0

    extramaze blend line dt-net-thin@0 dt-net-thin-tuned-10k@0 --at best --on size=17 --on size=13 --out runs/wise-0
    """
    from extramaze.core.errors import InputError

    try:
        place = None if at == "best" else float(at)
    except ValueError as problem:
        raise InputError(
            f"--at is a number, 0 for the first parent, 1 for the second, or best; got {at!r}"
        ) from problem
    chosen = {"specs": tuple(on or ()), "split": split, "count": count, "iterations": iterations}
    _make(
        "line", parents, out, name, quiet, as_json,
        at=place, best=place is None, align=align, restarts=restarts, seed=seed, **chosen,
    )  # fmt: skip


@blending.command(cls=Verb)
def soup(
    parents: Parents,
    out: Out,
    coefficients: Numbers = None,
    greedy: Annotated[
        bool,
        typer.Option("--greedy", help="Add parents, the best first, where the soup is no worse on val."),
    ] = False,
    align: Align = False,
    restarts: Restarts = 12,
    on: On = None,
    split: Split = "val",
    count: CountOf = 256,
    iterations: Iterations = None,
    name: Name = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Σ cᵢ θᵢ, Σ cᵢ = 1: the mean of several networks fine-tuned from one base (Wortsman et al., arXiv 2203.05482).

    extramaze blend soup dt-net-thin-tuned-1k@0 dt-net-thin-tuned-10k@0 --greedy --out runs/soup-0
    """
    from extramaze.core.errors import InputError

    if greedy and coefficients is not None:
        raise InputError("--greedy chooses the coefficients; leave out --coefficients")
    chosen = {"specs": tuple(on or ()), "split": split, "count": count, "iterations": iterations}
    _make(
        "soup", parents, out, name, quiet, as_json,
        coefficients=_floats(coefficients), best=greedy, align=align, restarts=restarts, seed=seed, **chosen,
    )  # fmt: skip


@blending.command(cls=Verb)
def slerp(
    parents: Parents,
    out: Out,
    at: Annotated[float, typer.Option(metavar="T", help="0 is the first parent, 1 the second.")] = 0.5,
    align: Align = False,
    restarts: Restarts = 12,
    name: Name = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """sin((1 − t) Ω) / sin Ω · A + sin(t Ω) / sin Ω · B: a point of the arc between two networks, Ω apart.

    All weights count as one vector. Unlike a line the arc keeps the length of the weights (Shoemake, SIGGRAPH 1985).

    extramaze blend slerp dt-net-thin@0 dt-net-thin-tuned-10k@0 --at 0.5 --out runs/arc-0
    """
    _make("slerp", parents, out, name, quiet, as_json, at=at, align=align, restarts=restarts, seed=seed)


@blending.command(cls=Verb)
def task(
    parents: Parents,
    out: Out,
    base: Base,
    coefficients: Numbers = None,
    align: Align = False,
    restarts: Restarts = 12,
    name: Name = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """θ₀ + Σ cᵢ (θᵢ − θ₀): a base with what training made of it, in any amounts (Ilharco et al., arXiv 2212.04089).

    A negative coefficient takes away. Coefficients whose sum is far above 1 can make an iteration blow up.

    extramaze blend task dt-net-thin-tuned-1k@0 --base dt-net-thin@0 --coefficients 0.4 --out runs/part-0
    """
    _make(
        "task", parents, out, name, quiet, as_json,
        base=base, coefficients=_floats(coefficients), align=align, restarts=restarts, seed=seed,
    )  # fmt: skip


@blending.command(cls=Verb)
def ties(
    parents: Parents,
    out: Out,
    base: Base,
    density: Annotated[float, typer.Option(help="Share of each difference that is kept, the largest in size.")] = 0.2,
    strength: Annotated[float, typer.Option(help="Multiple of the merged difference.")] = 1.0,
    align: Align = False,
    restarts: Restarts = 12,
    name: Name = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """θ₀ + λ · merged differences: TIES, trim, elect a sign, merge what agrees (Yadav et al., arXiv 2306.01708).

    Of each difference from the base only the largest numbers are kept. Where those of several parents have different
    signs, the sign of their sum wins, and the mean is taken of the ones that have it.

    extramaze blend ties dt-net-thin-tuned-1k@0 dt-net-thin-tuned-10k@0 --base dt-net-thin@0 --out runs/ties-0
    """
    _make(
        "ties", parents, out, name, quiet, as_json,
        base=base, density=density, strength=strength, align=align, restarts=restarts, seed=seed,
    )  # fmt: skip


@blending.command(cls=Verb)
def dare(
    parents: Parents,
    out: Out,
    base: Base,
    drop: Annotated[float, typer.Option(help="Probability with which a number of a difference is dropped.")] = 0.5,
    coefficients: Numbers = None,
    align: Align = False,
    restarts: Restarts = 12,
    name: Name = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """θ₀ + Σ cᵢ m ⊙ (θᵢ − θ₀) / (1 − p): DARE, drop and rescale (Yu et al., arXiv 2311.03099).

    Each number of a difference is dropped with probability p, drawn from --seed, and the rest made larger by as much,
    so that the mean over draws is task arithmetic.

    extramaze blend dare dt-net-thin-tuned-1k@0 --base dt-net-thin@0 --drop 0.5 --out runs/dare-0
    """
    _make(
        "dare", parents, out, name, quiet, as_json,
        base=base, drop=drop, coefficients=_floats(coefficients), align=align, restarts=restarts, seed=seed,
    )  # fmt: skip


@blending.command(cls=Verb)
def fisher(
    parents: Parents,
    out: Out,
    coefficients: Numbers = None,
    mazes: Annotated[int, typer.Option(help="Mazes of its own training for each parent's information.")] = 16,
    align: Align = False,
    restarts: Restarts = 12,
    name: Name = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Σ cᵢ Fᵢ θᵢ / Σ cᵢ Fᵢ: weights from whom they matter to (Matena & Raffel, arXiv 2111.09832).

    Fᵢ is the diagonal of a parent's Fisher information, computed once and kept in the folder.

    extramaze blend fisher dt-net-thin@0 dt-net-thin-tuned-10k@0 --out runs/fisher-0
    """
    _make(
        "fisher", parents, out, name, quiet, as_json,
        coefficients=_floats(coefficients), fisher_mazes=mazes, align=align, restarts=restarts, seed=seed,
    )  # fmt: skip


@blending.command(cls=Verb)
def ensemble(
    parents: Parents,
    out: Out,
    by: Annotated[
        Literal["logits", "probabilities", "votes"], typer.Option(help="What is averaged; votes as log of their share.")
    ] = "logits",
    name: Name = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Let several networks, also of different kinds, iterate side by side, and average their answers.

    Costs what all members cost together.

    extramaze blend ensemble dt-net-thin@0 dt-net-thin@1 dt-net-thin@2 --by votes --out runs/three-0
    """
    _make("ensemble", parents, out, name, quiet, as_json, combination=by, seed=seed)


@blending.command(cls=Verb)
def check(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders that extramaze blend wrote.")],
    parents: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Look in or below it for parents that are not shipped. Repeatable."),
    ] = None,
) -> int:
    """Make stored blends again from their parents, and name what does not follow from them.

    Weights must follow bit for bit from parents and coefficients; angles, Fisher information and alignments are
    computed again and may differ by 1e-6. Exits 1 where something does not follow, and 2 where a parent is not at hand.

    extramaze blend check runs/wise-0 --parents runs
    """
    from extramaze.core.display import shown
    from extramaze.core.errors import InputError
    from extramaze.models.blending.remake import remake

    failed, absent = False, []
    for folder in folders:
        found = remake(folder, parents or ())
        failed |= bool(found.problems)
        absent += [f"{shown(folder)}: {name}" for name in found.missing]
        said = found.problems or (() if found.missing else ("follows from its parents",))
        show(f"{shown(folder)}: {line}" for line in said)
    if absent and not failed:
        raise InputError(f"not made again, parents are not at hand: {'; '.join(absent)}; say where, --parents FOLDER")
    return ExitCode.FAILED if failed else ExitCode.DONE
