"""The verb that trains."""

from pathlib import Path
from typing import Annotated

import typer

from extramaze.cli.app import Device, Quiet, app, print


@app.command()
def train(
    recipe: Annotated[str, typer.Option(help="A shipped recipe (extramaze ls recipes) or a YAML file.")],
    out: Annotated[Path, typer.Option(help="Folder for the solver; what is there already is resumed.")],
    seed: Annotated[int, typer.Option(help="0 to 255.")] = 0,
    init_from: Annotated[
        str | None, typer.Option(metavar="SOLVER", help="Begin with a trained solver's weights: a name or a folder.")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's files into the folder.")
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a solver from a recipe. Stopped and started again, it goes on from its last checkpoint.

    On several devices: torchrun --nproc-per-node K -m extramaze train …
    """
    from extramaze.models.training.distributed import is_leading
    from extramaze.models.training.train import train as run_training

    result = run_training(recipe, seed, out, device, quiet, init_from, tensorboard)
    if not is_leading():
        return
    why = {"steps": "", "accuracy": " (stopped early: accurate enough)", "seconds": " (stopped: out of time)"}
    print(
        f"{result.recipe} seed {result.seed}: {result.validation_accuracy:.2%} of {result.validation_count} fresh "
        f"mazes after {result.mazes:,} training mazes and {result.wall_seconds:.0f} s{why[result.stopped]}\n"
        f"evaluate it: extramaze evaluate {out}"
    )
