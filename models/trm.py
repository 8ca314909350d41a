"""TRM: a tiny recursive transformer, after the tiny recursion model.

Jolicoeur-Martineau, "Less is More: Recursive Reasoning with Tiny Networks" (arXiv 2510.04871), section 4: one network
of two blocks updates a latent z some times from image, answer and latent, and then the answer y from answer and latent.
Here one iteration is one such recursion, that is one step of the paper's deep supervision with T = 1; training puts a
loss after each (``gradient: deep-supervision`` in a recipe).

What differs on purpose: tokens are the open pixels alone, since walls show as what is missing between them; positions
are rotary (Su et al., arXiv 2104.09864) in two dimensions, half of each head's pairs turning with the row and half with
the column, so that one network runs at every size; the first y and z are learned; halting is left to the harness.
Blocks normalise after adding, by the root mean square (Zhang & Sennrich, arXiv 1910.07467), without gain or bias, and
gate their middle as SwiGLU does (Shazeer, arXiv 2002.05202).

The cost of an iteration grows with the square of the number of open pixels, by attention.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from extramaze.core.errors import InputError
from extramaze.models.contract import IterativeSolver, open_pixels
from extramaze.models.dt_net import IMAGE_CHANNELS
from extramaze.models.sizes import Blocks, Width

HEAD_WIDTH = 16  # four pairs turn with the row, four with the column
WIDEST_ANGLE, NARROWEST_ANGLE = 2.0, 0.1  # radians a pixel, of the fastest and the slowest pair
MIDDLE = 2  # times the width: the gated middle of a block
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))  # rows and columns away
LEANING = 2.0  # of a head towards its neighbour at first: its weight is about e² that of what lies next to it
Tokenwise = Annotated[Width, Field(multiple_of=HEAD_WIDTH)]


def normalised(tokens: Tensor) -> Tensor:
    """Divide each token by its root mean square: (…, width) → the same."""
    return functional.rms_norm(tokens, tokens.shape[-1:])


@dataclass(frozen=True, eq=False)
class Tokens:
    """Which pixels of B mazes are tokens, N of each at most.

    places: of each among the H · W pixels, int64 (B, N). real: bool (B, N), the others are filled up with walls.
    turns: cosines and sines (B, 1, N, HEAD_WIDTH / 2) of the angles by which its pairs are turned. mask: which may be
    looked at, bool (B, 1, 1, N); None where all may.
    """

    places: Tensor
    real: Tensor
    turns: tuple[Tensor, Tensor]
    mask: Tensor | None

    @classmethod
    def of(cls, x: Tensor) -> "Tokens":
        """Take the open pixels of images (B, 3, H, W), in the order of reading."""
        there = open_pixels(x).flatten(1)
        most = int(there.sum(dim=1).amax())
        places = there.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
        angles = _angles(places // x.shape[3], places % x.shape[3], x.dtype).unsqueeze(1)
        real = there.gather(1, places)
        return cls(places, real, (angles.cos(), angles.sin()), None if bool(real.all()) else real[:, None, None])

    def taken(self, pixels: Tensor) -> Tensor:
        """Take the tokens out of images (B, C, H, W) → (B, N, C)."""
        places = self.places.unsqueeze(2).expand(-1, -1, pixels.shape[1])
        return pixels.flatten(2).transpose(1, 2).gather(1, places)

    def put(self, tokens: Tensor, like: Tensor) -> Tensor:
        """Put tokens (B, N, C) back into images (B, C, H, W) of zeros."""
        tokens = (tokens * self.real.unsqueeze(2)).to(like.dtype)
        places = self.places.unsqueeze(2).expand_as(tokens)
        empty = tokens.new_zeros(len(tokens), like.shape[2] * like.shape[3], tokens.shape[2])
        return empty.scatter(1, places, tokens).reshape(len(tokens), *like.shape[2:], -1).permute(0, 3, 1, 2)


def _angles(rows: Tensor, columns: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the angles of pixels (B, N): (B, N, HEAD_WIDTH / 2), the first half by row, the others by column."""
    shares = torch.linspace(0, 1, HEAD_WIDTH // 4, device=rows.device, dtype=dtype)
    speeds = WIDEST_ANGLE * (NARROWEST_ANGLE / WIDEST_ANGLE) ** shares
    return torch.cat([rows.unsqueeze(2) * speeds, columns.unsqueeze(2) * speeds], dim=2)


def turned(heads: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Turn the pairs of queries or keys (…, N, HEAD_WIDTH), so that products depend on distances alone."""
    cosine, sine = turns
    first, second = heads.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


class Block(nn.Module):
    """Attention among all tokens, then a gated network on each: (B, N, width) → the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.attend = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width, bias=False)
        self.widen = nn.Linear(width, 2 * MIDDLE * width, bias=False)
        self.narrow = nn.Linear(MIDDLE * width, width, bias=False)
        self.begin()

    @torch.no_grad()
    def begin(self) -> None:
        """Draw weights that add nothing at first, and let each head look at one of the four neighbours.

        A bias of queries and keys is turned with the position, and so favours a distance.
        """
        for layer in (self.attend, self.widen):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        for layer in (self.join, self.narrow):
            nn.init.zeros_(layer.weight)
        neighbours = torch.tensor(NEIGHBOURS).repeat(-(-self.heads // len(NEIGHBOURS)), 1)[: self.heads]
        angles = -_angles(neighbours[:, :1], neighbours[:, 1:], torch.float32).squeeze(1)  # (heads, HEAD_WIDTH / 2)
        keys = torch.cat([angles.cos(), angles.sin()], dim=1)
        queries = torch.cat([torch.ones_like(angles), torch.zeros_like(angles)], dim=1)
        self.attend.bias.copy_(torch.cat([LEANING * queries, LEANING * keys, torch.zeros_like(keys)]).flatten())

    def forward(self, values: Tensor, tokens: Tokens) -> Tensor:
        """Add what attention and the gated network say, and normalise after each."""
        values = normalised(values + self.join(self.attention(values, tokens)))
        gate, value = self.widen(values).chunk(2, dim=-1)
        return normalised(values + self.narrow(functional.silu(gate) * value))

    def attention(self, values: Tensor, tokens: Tokens) -> Tensor:
        """Let every token look at all: (B, N, width) → the same."""
        split = self.attend(values).unflatten(-1, (3, self.heads, HEAD_WIDTH))  # (B, N, 3, heads, HEAD_WIDTH)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        query, key = turned(query, tokens.turns).to(value.dtype), turned(key, tokens.turns).to(value.dtype)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=tokens.mask)
        return seen.transpose(1, 2).flatten(2)


class TRM(IterativeSolver):
    """A tiny recursive transformer; the state is (B, 2 · width, H, W): answer, then latent, zero at walls.

    width: of a token, a multiple of HEAD_WIDTH. blocks: of the one network. updates: of the latent in an iteration.
    """

    def __init__(
        self, width: Annotated[Width, Field(multiple_of=HEAD_WIDTH)], blocks: Blocks = 2, updates: Blocks = 6
    ) -> None:
        super().__init__()
        if width < HEAD_WIDTH or width % HEAD_WIDTH:
            raise InputError(f"trm: width must be a multiple of {HEAD_WIDTH}, got {width}")
        self.updates = updates
        self.embedding = nn.Linear(IMAGE_CHANNELS, width)
        nn.init.normal_(self.embedding.weight)
        self.first = nn.Parameter(torch.randn(2 * width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.head = nn.Linear(width, 2)

    def initial_state(self, x: Tensor) -> Tensor:
        """Know nothing yet: the same learned answer and latent at every open pixel."""
        return self.first.to(x.dtype).view(1, -1, 1, 1) * open_pixels(x).unsqueeze(1)

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        """Update the latent ``updates`` times, then the answer once."""
        tokens = Tokens.of(x)
        image = self.embedding(tokens.taken(x))
        answer, latent = tokens.taken(state).chunk(2, dim=-1)
        for _ in range(self.updates):
            latent = self.passed(image + answer + latent, tokens)
        answer = self.passed(answer + latent, tokens)
        return tokens.put(torch.cat([answer, latent], dim=-1), state)

    def passed(self, values: Tensor, tokens: Tokens) -> Tensor:
        """Pass the one network."""
        for block in self.blocks:
            values = block(values, tokens)
        return values

    def readout(self, state: Tensor) -> Tensor:
        """Read the answer's channels: (B, 2 · width, H, W) → logits (B, 2, H, W)."""
        answer = state[:, : state.shape[1] // 2].permute(0, 2, 3, 1)
        return self.head(answer).permute(0, 3, 1, 2)
