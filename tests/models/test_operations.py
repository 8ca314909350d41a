"""Operations of an iteration: what is counted equals what is written down by hand."""

import pytest
import torch

from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.mazes.pixels import raster_shape
from extramaze.models import IterativeSolver, load
from extramaze.models.dt_net import DTNet
from extramaze.models.operations import comb, operations
from extramaze.models.trm import TRM
from tests import solver_zoo

pytestmark = pytest.mark.numeric


def test_a_dt_nets_are_those_of_its_convolutions():
    """Two for each weight and pixel of the recall and the four convolutions of two blocks."""
    assert operations(DTNet(32), (11, 11)) == 11 * 11 * 2 * 9 * (35 * 32 + 4 * 32 * 32)
    assert operations(DTNet(8, blocks=1, recall=False), (24, 16)) == 24 * 16 * 2 * 9 * 2 * 8 * 8


@pytest.mark.parametrize("side", [11, 13])
def test_a_transformers_grow_with_the_square_of_its_tokens(side):
    """Seven passes of each block: its products a token, attention's a pair of tokens; and the image is embedded."""
    cells = (side - 1) // 2
    tokens = 2 * cells**2 - 1
    block = tokens * (3 + 1 + 4 + 2) * 32 * 32 + 2 * tokens**2 * 32
    assert operations(TRM(32, blocks=2), (side, side)) == 2 * (7 * 2 * block + tokens * 3 * 32)


@pytest.mark.parametrize("scale", [1, 2])
def test_a_comb_has_the_pixels_of_a_tree(scale):
    """Every spanning tree of a lattice has as many open pixels, and so has the comb, in each raster."""
    spec = MazeSpec(7)
    images, _ = raster(generate(spec, 3), scale)
    drawn = comb(*raster_shape(spec.shape, scale))
    assert drawn.shape[2:] == images.shape[2:]
    opened = {int(image.max(axis=0).sum()) for image in images}
    assert opened == {int(drawn.amax(dim=1).sum())}
    assert {tuple(pixel) for pixel in drawn[0].flatten(1).T.tolist()} == {
        tuple(pixel) for image in images for pixel in image.reshape(3, -1).T.astype(float).tolist()
    }


@pytest.mark.parametrize("shape", [(4, 4), (11, 12), (14, 14), (3, 3), (12, 14), (11, 6)])
def test_other_sides_are_refused(shape):
    """Sides that no raster has."""
    with pytest.raises(InputError, match="sides are"):
        operations(DTNet(4), shape)


def test_algorithms_make_none():
    """What moves whole numbers about multiplies nothing."""
    assert operations(load("dead-end-filling"), (11, 11)) == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", solver_zoo.KEPT, ids=lambda kind: kind.__name__)
def test_every_solver_that_runs_can_be_counted(kind):
    """Of whatever precision, state and layers; and it is left as it was."""
    solver = kind()
    before = {name: value.clone() for name, value in solver.state_dict().items()}
    assert operations(solver, (11, 11)) >= 0
    assert all(torch.equal(value, before[name]) for name, value in solver.state_dict().items())


def test_code_that_fails_is_blamed():
    """A step that fails is one line with the solver's name."""

    class Failing(IterativeSolver):
        def initial_state(self, x):
            return x

        def step(self, state, x):
            raise ZeroDivisionError("by nothing")

        def readout(self, state):
            return state[:, :2]

    with pytest.raises(InputError, match="solver Failing: its code failed: ZeroDivisionError"):
        operations(Failing(), (11, 11))


def test_it_agrees_with_torchs_counter():
    """The sum is that of ``FlopCounterMode``."""
    from torch.utils.flop_counter import FlopCounterMode

    solver, x = load("dt-l-kernel-thin"), comb(11, 11)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        solver.step(solver.initial_state(x), x)
    with torch.no_grad(), FlopCounterMode(display=False) as first:
        solver.initial_state(x)
    assert operations(solver, (11, 11)) == counter.get_total_flops() - first.get_total_flops()
