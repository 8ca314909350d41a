import pytest
import torch
from torch import nn
from torch.nn import functional

from extramaze.mazes import InputError
from extramaze.models.published import read_published
from tests.models.test_solvers import image


class TheirBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.shortcut = nn.Sequential()

    def forward(self, state):
        return functional.relu(self.conv2(functional.relu(self.conv1(state))) + state)


class TheirNet(nn.Module):
    """A network whose state dictionary has the published layout, made here from the papers' description."""

    def __init__(self, width, blocks, recall, names):
        super().__init__()
        self.recall, self.names = recall, names
        bare = {"kernel_size": 3, "padding": 1, "bias": False}
        residual = [TheirBlock(width) for _ in range(blocks)]
        first = [nn.Conv2d(width + 3, width, **bare)] if recall else []
        body = [*first, nn.Sequential(*residual)] if names[1] == "recur_block" else [*first, *residual]
        parts = (
            nn.Sequential(nn.Conv2d(3, width, **bare), nn.ReLU()),
            nn.Sequential(*body),
            nn.Sequential(
                nn.Conv2d(width, 32, **bare),
                nn.ReLU(),
                nn.Conv2d(32, 8, **bare),
                nn.ReLU(),
                nn.Conv2d(8, 2, **bare),
            ),
        )
        for name, part in zip(names, parts, strict=True):
            self.add_module(name, part)

    def forward(self, x, iterations):
        projection, body, head = (getattr(self, name) for name in self.names)
        state = projection(x)
        for _ in range(iterations):
            state = body(torch.cat([state, x], 1) if self.recall else state)
        return head(state)


DEEP_THINKING = ("projection", "recur_block", "head")
IT_NET = ("input_to_latent_layer", "latent_forward_layer", "latent_to_output_layer")


@pytest.mark.parametrize(
    ("blocks", "recall", "names", "prefix"),
    [(2, True, DEEP_THINKING, ""), (2, False, DEEP_THINKING, "module."), (4, True, IT_NET, "")],
)
def test_published_state_dictionaries_are_read(blocks, recall, names, prefix):
    """Width, blocks and recall are found from the names, and the network computes what theirs does."""
    torch.manual_seed(0)
    theirs = TheirNet(6, blocks, recall, names)
    ours = read_published({prefix + name: value for name, value in theirs.state_dict().items()})
    assert (ours.width, len(ours.blocks), ours.recall is not None) == (6, blocks, recall)
    x = image(dtype=torch.float32)
    assert torch.allclose(ours(x, 5), theirs(x, 5), atol=1e-6)


def test_other_state_dictionaries_are_refused():
    """A foreign name, a missing tensor, and a wrong shape are each named."""
    state = TheirNet(4, 1, True, DEEP_THINKING).state_dict()
    with pytest.raises(InputError, match=r"encoder\.weight.*none of the known layouts"):
        read_published(state | {"encoder.weight": torch.zeros(1)})
    with pytest.raises(InputError, match=r"blocks\.0\.second\.weight.*found none"):
        read_published({name: value for name, value in state.items() if "conv2" not in name})
    with pytest.raises(InputError, match=r"head\.0\.weight.*\(32, 4, 3, 3\), found \(16, 4, 3, 3\)"):
        read_published(state | {"head.0.weight": torch.zeros(16, 4, 3, 3)})
    with pytest.raises(InputError, match="no projection"):
        read_published({})
