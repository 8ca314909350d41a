"""The verb that trains."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extramaze.cli.app import Device, Quiet, app, print
from extramaze.core.errors import InputError

if TYPE_CHECKING:
    from extramaze.schema.training import TrainingResult

WHY = {"steps": "", "accuracy": " (stopped early: accurate enough)", "seconds": " (stopped: out of time)"}


@app.command()
def train(
    recipe: Annotated[str, typer.Option(help="A shipped recipe (extramaze ls recipes) or a YAML file.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the solver; what is there already is resumed. Seeds: OUT/SEED each.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="0 to 255. Default: 0.")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="0-4", help="Several, one after another; also 0,2,7.")] = None,
    init_from: Annotated[
        str | None, typer.Option(metavar="SOLVER", help="Begin with a trained solver's weights: a name or a folder.")
    ] = None,
    fast_dev_run: Annotated[
        bool,
        typer.Option("--fast-dev-run", help="Three steps and one validation, to see that it runs; keeps nothing."),
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's files into the folder.")
    ] = False,
    wandb: Annotated[
        bool, typer.Option("--wandb", help="Show it on Weights & Biases; WANDB_MODE=offline keeps it in the folder.")
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a solver from a recipe. Stopped and started again, it goes on from its last checkpoint.

    A recipe's architecture may be one's own: builder: my_net.py:Net. On several devices: torchrun --nproc-per-node K
    -m extramaze train …
    """
    from extramaze.models.training.distributed import is_leading
    from extramaze.models.training.train import read_seeds, rehearse, train_seeds
    from extramaze.models.training.train import train as run_training

    if seed is not None and seeds is not None:
        raise InputError("--seed trains one, --seeds several; give one of them")
    if fast_dev_run:
        if seeds is not None or init_from is not None or tensorboard or wandb:
            raise InputError("--fast-dev-run keeps nothing and begins afresh; give it --recipe and --seed alone")
        found = rehearse(recipe, seed or 0, device, quiet)
        if is_leading():
            print(f"{found.recipe}: {found.steps} steps, a validation and the solver's folder work; nothing was kept")
        return
    if out is None:
        raise InputError("--out says into which folder the solver goes; give one")
    options = {"device": device, "quiet": quiet, "init_from": init_from, "tensorboard": tensorboard, "wandb": wandb}
    if seeds is not None:
        results = train_seeds(recipe, read_seeds(seeds), out, **options)
        folders = [out / str(result.seed) for result in results]
    else:
        results, folders = [run_training(recipe, seed or 0, out, device, quiet, init_from, tensorboard, wandb)], [out]
    if is_leading():
        print("\n".join(_said(result, folder) for result, folder in zip(results, folders, strict=True)))


def _said(result: "TrainingResult", folder: Path) -> str:
    return (
        f"{result.recipe} seed {result.seed}: {result.validation_accuracy:.2%} of {result.validation_count} fresh "
        f"mazes after {result.mazes:,} training mazes and {result.wall_seconds:.0f} s{WHY[result.stopped]}\n"
        f"evaluate it: extramaze evaluate {folder}"
    )
