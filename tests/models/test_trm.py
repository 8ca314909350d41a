"""The recursive transformer: tokens, positions, and what an iteration is."""

import pytest
import torch

from extramaze.mazes import InputError, MazeSpec, generate, raster
from extramaze.models.trm import HEAD_WIDTH, NEIGHBOURS, TRM, Tokens, turned

pytestmark = pytest.mark.numeric


def images(spec, count):
    """Mazes in float64."""
    drawn, _ = raster(generate(spec, count), 1)
    return torch.from_numpy(drawn).double()


def stirred(width=32):
    """A network whose blocks add something, in float64."""
    torch.manual_seed(0)
    solver = TRM(width).double().eval()
    for block in solver.blocks:
        for layer in (block.join, block.narrow):
            torch.nn.init.normal_(layer.weight, std=0.2)
    return solver


def test_tokens_are_the_open_pixels():
    """Taken out and put back, pixels are as they were where it is open and zero at walls."""
    x = images(MazeSpec(7, percolation=0.2), 3)
    tokens = Tokens.of(x)
    values = torch.randn(3, 5, *x.shape[2:], dtype=torch.float64)
    back = tokens.put(tokens.taken(values), values)
    assert torch.equal(back, values * (x.amax(dim=1, keepdim=True) > 0))
    assert tokens.real.sum(dim=1).tolist() == x.amax(dim=1).flatten(1).sum(dim=1).int().tolist()


def test_a_maze_does_not_see_those_beside_it():
    """Mazes of other numbers of open pixels change nothing, to rounding."""
    solver, x = stirred(), images(MazeSpec(7, percolation=0.3), 4)
    assert len(set(x.amax(dim=1).flatten(1).sum(dim=1).tolist())) > 1
    together = solver(x, 2)
    alone = torch.cat([solver(maze[None], 2) for maze in x])
    assert torch.allclose(together, alone, atol=1e-10)


def test_only_distances_matter():
    """A maze in a larger image, moved by some pixels, is answered the same."""
    solver, x = stirred(), images(MazeSpec(5), 2)
    moved = torch.nn.functional.pad(x, (6, 2, 4, 8))
    side = x.shape[2]
    assert torch.allclose(solver(moved, 2)[:, :, 4 : 4 + side, 6 : 6 + side], solver(x, 2), atol=1e-9)


def test_an_iteration_is_six_updates_of_the_latent_and_one_of_the_answer(monkeypatch):
    """The one network is passed seven times; only the last makes the answer, which the image does not enter."""
    solver, x = stirred(), images(MazeSpec(5), 1)
    plain, seen = TRM.passed, []

    def passed(self, values, tokens):
        seen.append(values)
        return plain(self, values, tokens)

    monkeypatch.setattr(TRM, "passed", passed)
    state = solver.initial_state(x)
    new = solver.step(state, x)
    tokens = Tokens.of(x)
    (answer, _), (after, latent) = (tokens.taken(one).chunk(2, dim=-1) for one in (state, new))
    assert len(seen) == 7
    assert torch.allclose(seen[-1], answer + latent)
    assert torch.allclose(after, plain(solver, answer + latent, tokens))


def test_heads_begin_by_looking_at_their_neighbours():
    """Before anything is learned, a head's largest weight by position alone lies on its neighbour."""
    solver = TRM(64)
    x = torch.ones(1, 3, 7, 7)
    tokens = Tokens.of(x)
    queries, keys, _ = solver.blocks[0].attend.bias.detach().view(3, len(NEIGHBOURS), 1, HEAD_WIDTH)
    weights = turned(queries, tokens.turns) @ turned(keys, tokens.turns).transpose(-1, -2)
    middle = 3 * 7 + 3
    looked_at = [divmod(int(head[middle].argmax()), 7) for head in weights[0]]
    assert [(row - 3, column - 3) for row, column in looked_at] == list(NEIGHBOURS)


def test_an_untrained_block_adds_nothing():
    """It normalises alone, so that many in a row pass gradients on."""
    block = TRM(32).blocks[0]
    values = torch.randn(2, 49, 32)
    tokens = Tokens.of(images(MazeSpec(9), 2).float())
    assert torch.allclose(block(values, tokens), torch.nn.functional.rms_norm(values, (32,)), atol=1e-5)


@pytest.mark.parametrize("width", [8, 24, 0])
def test_widths_are_of_whole_heads(width):
    """Other widths are refused."""
    with pytest.raises(InputError, match="multiple of 16"):
        TRM(width)
