"""A labelled zoo of maps with known limits, batched, of the size of real latents.

Each case moves a few numbers u by a known map; the state is a large mean plus u turned into 32×11×11 numbers by random
orthonormal columns. Exponents: Sprott, "Chaos and Time-Series Analysis" (2003), appendix A, unless exact.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from extramaze.dynamics import Limit

SHAPE = (32, 11, 11)
SIZE = 32 * 11 * 11
MEAN = 50.0


@dataclass(frozen=True)
class Case:
    """Maps that share a limit. build: (random, batch) → step on u (B, d), and u (B, d).

    period, exponent: None where not told. plain: u is the state, in which one number may be huge.
    limits: every verdict that counts as right; more than one where the case is undecidable.
    """

    name: str
    limits: tuple[Limit, ...]
    build: Callable
    period: int | None = None
    exponent: float | None = None
    burn_in: int = 400
    mean: float = MEAN
    plain: bool = False


QUICK = {name: getattr(torch.ops.aten, name).Scalar for name in ("add", "sub", "mul", "div")}


class QuickNumbers(TorchFunctionMode):
    """Arithmetic with numbers whose forward derivatives take 5 µs: torch treats numbers as tensors, which takes 300."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if len(args) == 2 and isinstance(args[1], (int, float)):
            func = QUICK.get(func.__name__, func)
        return func(*args, **(kwargs or {}))


def embed(step, u, random, mean=MEAN):
    """Turn a step on u (B, d) into one on states (B, 32, 11, 11), and u into states."""
    frame = torch.from_numpy(np.linalg.qr(random.normal(size=(SIZE, u.shape[1])))[0])

    def whole(state):
        with QuickNumbers():
            return (mean + step((state.flatten(1) - mean) @ frame) @ frame.T).unflatten(1, SHAPE)

    return whole, (mean + u @ frame.T).unflatten(1, SHAPE)


def tensor(values):
    return torch.from_numpy(np.asarray(values, dtype=np.float64))


def linear(matrices):
    """u ← A u, a matrix (B, d, d) each."""
    matrices = tensor(matrices)
    return lambda u: torch.einsum("bij,bj->bi", matrices, u)


def blocks(rates, angles):
    """Block-diagonal matrices that scale by rates (B, k) and turn by angles (B, k): (B, 2k, 2k)."""
    matrices = np.zeros((*rates.shape[:1], 2 * rates.shape[1], 2 * rates.shape[1]))
    for k in range(rates.shape[1]):
        c, s = rates[:, k] * np.cos(angles[:, k]), rates[:, k] * np.sin(angles[:, k])
        matrices[:, 2 * k, 2 * k], matrices[:, 2 * k, 2 * k + 1] = c, -s
        matrices[:, 2 * k + 1, 2 * k], matrices[:, 2 * k + 1, 2 * k + 1] = s, c
    return matrices


def contraction(low, high, sign=1.0, scale=30.0):
    def build(random, batch):
        rates = sign * random.uniform(low, high, (batch, 6))
        return (lambda u: tensor(rates) * u), tensor(scale * random.normal(size=(batch, 6)))

    return build


def spiral(low, high):
    def build(random, batch):
        matrices = blocks(random.uniform(low, high, (batch, 2)), random.uniform(0, np.pi, (batch, 2)))
        return linear(matrices), tensor(30 * random.normal(size=(batch, 4)))

    return build


def non_normal(low, high, coupling):
    def build(random, batch):
        upper = np.triu(random.normal(size=(batch, 8, 8)), 1) * coupling
        rates = random.uniform(low, high, (batch, 8)) * random.choice([-1, 1], (batch, 8))
        return linear(upper + np.eye(8) * rates[:, None, :]), tensor(30 * random.normal(size=(batch, 8)))

    return build


def cycle(period, scale=30.0, attracting=1.0):
    """Visit random points in turn, and approach each by a share of what is left."""

    def build(random, batch):
        turns = 2 * np.pi * np.arange(period) / period
        points = np.stack([np.cos(turns), np.sin(turns), *random.normal(size=(3, period))], axis=1)
        phase = random.integers(period, size=batch)
        here = tensor(scale * points[phase])
        points = tensor(scale * points)

        def step(u):
            distances = (u[:, None] - points[None]).square().sum(dim=2)
            nearest = distances.argmin(dim=1)
            after = points[(nearest + 1) % period]
            return after + (1 - attracting) * (u - points[nearest])

        return step, here * (1 + 1e-3 * (1 - attracting))

    return build


def rotation(angles, scale=30.0, radii=1):
    """Turn k planes by angles (B, k)."""

    def build(random, batch):
        drawn = angles(random, batch)
        sizes = scale * random.uniform(0.7, 1.4, drawn.shape).repeat(2, axis=1)
        turned = random.uniform(0, 2 * np.pi, drawn.shape)
        start = np.stack([np.cos(turned), np.sin(turned)], axis=2).reshape(batch, -1)
        return linear(blocks(np.ones_like(drawn), drawn)), tensor(sizes * start)

    return build


def badly_approximable(random, batch, planes=1):
    """Angles whose share of a turn has a continued fraction with partial quotients 1 to 4: (B, k)."""
    share = random.uniform(0.3, 0.7, (batch, planes))
    for _ in range(40):
        share = 1 / (random.integers(1, 5, (batch, planes)) + share)
    return 2 * np.pi * share


def golden(random, batch):
    return np.full((batch, 1), np.pi * (3 - np.sqrt(5)))


def near_a_seventh(random, batch):
    """A seventh of a turn and a little more: seven arcs that close into a loop slowly, looked at every seventh step."""
    return np.full((batch, 1), 2 * np.pi * (1 / 7 + 0.0004 * np.sqrt(2)))


def breathing(depth):
    """A badly approximable rotation whose radius swings by a share, with an incommensurate frequency of its own."""

    def build(random, batch):
        angles = badly_approximable(random, batch, 2)
        turn = linear(blocks(np.ones_like(angles), angles))

        def show(u):
            return torch.cat([u[:, :2] * (1 + depth * u[:, 2:3]), u[:, 2:]], dim=1)

        def hide(u):
            return torch.cat([u[:, :2] / (1 + depth * u[:, 2:3]), u[:, 2:]], dim=1)

        phases = random.uniform(0, 2 * np.pi, (batch, 2))
        start = tensor(np.stack([np.cos(phases), np.sin(phases)], axis=2).reshape(batch, 4))
        return (lambda u: 30 * show(turn(hide(u / 30)))), 30 * show(start)

    return build


def turn_over(period):
    def angles(random, batch):
        coprime = [m for m in range(1, period) if np.gcd(m, period) == 1]
        return 2 * np.pi * random.choice(coprime, (batch, 1)) / period

    return angles


def scalar(function, low, high, scale=30.0):
    """A map of an interval, in the first number; ``scale`` stretches it."""

    def build(random, batch):
        return lambda u: scale * function(u / scale), tensor(scale * random.uniform(low, high, (batch, 1)))

    return build


def planar(function, x, y, spread=0.05, scale=30.0):
    """A map of the plane from a start near (x, y)."""

    def build(random, batch):
        def step(u):
            return scale * torch.stack(function(*(u / scale).unbind(dim=1)), dim=1)

        return step, tensor(scale * (np.array([x, y]) + spread * random.uniform(-1, 1, (batch, 2))))

    return build


def logistic(r):
    return lambda x: r * x * (1 - x)


def coupled_logistic(r, coupling, count=4):
    """Globally coupled logistic maps (Kaneko, Physica D 41, 1990). In step their exponent is the single map's."""

    def build(random, batch):
        def step(u):
            moved = r * u / 30 * (1 - u / 30)
            return 30 * ((1 - coupling) * moved + coupling * moved.mean(dim=1, keepdim=True))

        return step, tensor(30 * random.uniform(0.2, 0.8, (batch, count)))

    return build


def drift(speed, wobble=0.0):
    def build(random, batch):
        way = random.normal(size=(batch, 4)) * speed
        side = np.zeros(4)
        side[0] = wobble

        def step(u):
            flipped = torch.cat([-u[:, :1], u[:, 1:]], dim=1)
            return flipped + tensor(way) * tensor(np.array([0.0, 1, 1, 1]))

        return step, tensor(random.normal(size=(batch, 4)) + side)

    return build


def growth(low, high):
    def build(random, batch):
        rates = random.uniform(low, high, (batch, 1)) * random.choice([-1, 1], (batch, 1))
        return (lambda u: tensor(rates) * u), tensor(30 * random.normal(size=(batch, 4)))

    return build


def late_nan(random, batch):
    """A countdown in one number that turns another into no number, from within the window on."""
    counts = random.integers(401, 520, batch)

    def step(u):
        broken = torch.where(u[:, 0] < 1.5, torch.nan, 0.5 * u[:, 1])
        return torch.stack([u[:, 0] - 1, broken], dim=1)

    return step, tensor(np.stack([counts, np.ones(batch)], axis=1))


def standard_torus(random, batch):
    """A nonlinear circle map that is invertible, of badly approximable rotation: conjugate to a turn."""
    angles = tensor(badly_approximable(random, batch))[:, 0]
    bend = tensor(random.uniform(0.1, 0.3, batch))

    def step(u):
        x, y = u[:, 0] / 30, u[:, 1] / 30
        phase = torch.atan2(y, x)
        straight = phase
        for _ in range(30):
            straight = phase - bend * torch.sin(straight)
        moved = straight + angles
        bent = moved + bend * torch.sin(moved)
        return 30 * torch.stack([torch.cos(bent), torch.sin(bent)], dim=1)

    start = random.uniform(0, 2 * np.pi, batch)
    return step, tensor(30 * np.stack([np.cos(start), np.sin(start)], axis=1))


def lorenz(dt):
    """One Runge–Kutta step of Lorenz's flow (J. Atmos. Sci. 20, 1963), whose exponent is 0.906 a unit of time."""

    def flow(u):
        x, y, z = u.unbind(dim=1)
        return torch.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], dim=1)

    def build(random, batch):
        def step(u):
            a = flow(u)
            b = flow(u + dt / 2 * a)
            c = flow(u + dt / 2 * b)
            return u + dt / 6 * (a + 2 * b + 2 * c + flow(u + dt * c))

        return step, tensor(random.normal([1.0, 1.0, 20.0], size=(batch, 3)))

    return build


def ellipse(random, batch):
    """A turn of a plane, stretched tenfold in one direction, that takes 5,000 steps."""
    angle, stretch = 2 * np.pi / 5000, np.diag([1.0, 10.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    phases = random.uniform(0, 2 * np.pi, batch)
    start = np.stack([np.cos(phases), 10 * np.sin(phases)], axis=1)
    return linear(np.broadcast_to(stretch @ turn @ np.linalg.inv(stretch), (batch, 2, 2)).copy()), tensor(start)


def noise(rate, draw=torch.Tensor.normal_, colour=0.0):
    """A contraction that is shaken: u ← rate·u + n, where n ← colour·n + white noise is a part of the state."""

    def build(random, batch):
        source = torch.Generator().manual_seed(int(random.integers(2**31)))

        def step(u):
            white = draw(torch.empty(len(u), 3, dtype=torch.float64), generator=source)
            shaken = colour * u[:, 3:] + white
            return torch.cat([rate * u[:, :3] + shaken, shaken], dim=1)

        return step, tensor(random.normal(size=(batch, 6)))

    return build


def shaken_rotation(angle, pull, size=1e-3):
    """A loop that pulls, with white noise on it."""

    def build(random, batch):
        source = torch.Generator().manual_seed(int(random.integers(2**31)))
        turn = linear(blocks(np.ones((batch, 1)), np.full((batch, 1), angle)))

        def step(u):
            turned = turn(u)
            radius = torch.linalg.vector_norm(turned, dim=1, keepdim=True)
            white = torch.randn(u.shape, generator=source, dtype=torch.float64)
            return turned * (1 - pull * (1 - 1 / radius)) + size * white

        phases = random.uniform(0, 2 * np.pi, batch)
        return step, tensor(np.stack([np.cos(phases), np.sin(phases)], axis=1))

    return build


def beside(large, build):
    """A map beside one number that is large and stays."""

    def joined(random, batch):
        step, u = build(random, batch)
        return lambda z: torch.cat([z[:, :1], step(z[:, 1:])], dim=1), torch.cat(
            [torch.full((batch, 1), large).double(), u], dim=1
        )

    return joined


def fed(large):
    """A contraction whose numbers are all fed by one that is large: its rounding is theirs, and no motion."""

    def build(random, batch):
        matrix = random.normal(size=(6, 6))
        matrix = tensor(0.9 * matrix / np.abs(np.linalg.eigvals(matrix)).max())
        point = tensor(np.concatenate([[large], random.normal(size=5)]))
        offset = point - matrix @ point
        return (lambda z: z @ matrix.T + offset), point + tensor(random.normal(size=(batch, 6)))

    return build


def last_bit(large):
    """A large number that flickers in its last bit, which feeds another."""

    def build(random, batch):
        above = float(np.nextafter(large, np.inf))

        def step(z):
            flicker = torch.where(z[:, 0] == large, above, large)
            return torch.stack([flicker, 0.5 * z[:, 1] + (z[:, 0] - large)], dim=1)

        return step, tensor(np.stack([np.full(batch, large), random.normal(size=batch)], axis=1))

    return build


def passage(random, batch):
    """A narrow passage, half of it passed (Pomeau & Manneville, Commun. Math. Phys. 74, 1980): ever faster."""

    def step(u):
        return torch.where(u > 0.5, -0.5, u + 1e-8 + 0.02 * u**2)

    return step, tensor(random.uniform(0.01, 0.03, (batch, 1)))


def steady_angle(angle):
    return lambda random, batch: np.full((batch, 1), angle)


FIXED, CYCLE, QUASI, CHAOS = (Limit.FIXED_POINT,), (Limit.CYCLE,), (Limit.QUASIPERIODIC,), (Limit.CHAOTIC,)
DRIFT, DIVERGED = (Limit.DRIFTING,), (Limit.DIVERGED,)
# Where period doubling ends the orbit comes back ever closer, with exponent 0, and fills no curve (Feigenbaum, 1978).
UNDECIDABLE = (Limit.UNDECIDED, Limit.QUASIPERIODIC)
SLOW_ORBIT = (Limit.UNDECIDED, Limit.DRIFTING)  # within 600 of its 5,000 steps it goes one way
OPEN, LOOP = (Limit.UNDECIDED,), (Limit.UNDECIDED, Limit.QUASIPERIODIC)  # a loop near a cycle nearly returns
WEAK_CHAOS = (Limit.UNDECIDED, Limit.CHAOTIC)  # within 600 steps a nudge grows no more than by a power of time
HENON = (lambda x, y: (1 - 1.4 * x**2 + y, 0.3 * x), 0.1, 0.1)
CASES = (
    Case("contraction", FIXED, contraction(0.1, 0.9), 1),
    Case("alternating contraction", FIXED, contraction(0.1, 0.9, -1.0), 1),
    Case("spiral", FIXED, spiral(0.3, 0.9), 1),
    Case("non-normal contraction", FIXED, non_normal(0.3, 0.7, 3.0), 1),
    Case("slow contraction", DRIFT, contraction(0.9990, 0.9999)),
    Case("very slow contraction", DRIFT, contraction(1 - 1e-4, 1 - 1e-5)),
    Case("slow alternating contraction", DRIFT, contraction(0.999, 0.9999, -1.0)),
    Case("slow spiral", DRIFT, spiral(0.9990, 0.9999)),
    Case("transient longer than the burn-in", DRIFT, contraction(0.95, 0.96), burn_in=60),
    Case("approach to a cycle", DRIFT, cycle(5, attracting=0.02, scale=30.0), burn_in=100),
    *(Case(f"cycle of {k}", CYCLE, cycle(k, attracting=0.5), k) for k in (2, 3, 5, 8, 16, 33, 64)),
    *(Case(f"tiny cycle of {k}", CYCLE, cycle(k, 1e-6, 1.0), k) for k in (2, 7)),
    *(Case(f"rotation over {k}", CYCLE, rotation(turn_over(k)), k) for k in (2, 3, 7, 12, 50, 64, 97)),
    Case("rotation", QUASI, rotation(badly_approximable), 0),
    Case("golden rotation", QUASI, rotation(golden), 0),
    Case("tiny golden rotation", QUASI, rotation(golden, scale=1e-3), 0),
    Case("rotation near a seventh", QUASI, rotation(near_a_seventh), 0),
    Case("breathing rotation", QUASI, breathing(0.3), 0),
    Case("bent rotation", QUASI, standard_torus, 0),
    Case("torus", QUASI, rotation(lambda random, batch: badly_approximable(random, batch, 2)), 0),
    Case("logistic 4", CHAOS, scalar(logistic(3.99999), 0.2, 0.8), 0, None),
    Case("logistic 3.9", CHAOS, scalar(logistic(3.9), 0.2, 0.8), 0),
    Case("logistic 2.8", FIXED, scalar(logistic(2.8), 0.2, 0.8), 1),
    Case("logistic 3.2", CYCLE, scalar(logistic(3.2), 0.2, 0.8), 2),
    Case("logistic 3.5", CYCLE, scalar(logistic(3.5), 0.2, 0.8), 4),
    Case("logistic 3.83", CYCLE, scalar(logistic(3.83), 0.2, 0.8), 3, burn_in=1500),
    Case("cubic", CHAOS, scalar(lambda x: 3 * x - 4 * x**3, 0.1, 0.9), 0, float(np.log(3))),
    Case("logistic, end of the doublings", UNDECIDABLE, scalar(logistic(3.5699456718695445), 0.2, 0.8), 0),
    Case("Hénon", CHAOS, planar(*HENON), 0, 0.41922),
    Case("Hénon, periodic", CYCLE, planar(lambda x, y: (1 - 0.8 * x**2 + y, 0.3 * x), 0.1, 0.1), 2),
    Case("Lozi", CHAOS, planar(lambda x, y: (1 - 1.7 * x.abs() + 0.5 * y, x), -0.1, 0.1), 0, 0.47023),
    Case("Holmes cubic", CHAOS, planar(lambda x, y: (y, -0.2 * x + 2.77 * y - y**3), 1.6, 0.0, 0.02), 0, 0.59458),
    Case("delayed logistic", CHAOS, planar(lambda x, y: (2.27 * x * (1 - y), x), 0.9, 0.9, 0.005), 0, 0.18312),
    Case("Tinkerbell", CHAOS, planar(
        lambda x, y: (x**2 - y**2 + 0.9 * x - 0.6 * y, 2 * x * y + 2 * x + 0.5 * y), -0.72, -0.64, 1e-3), 0, 0.18997),
    Case("coupled maps, chaotic", CHAOS, coupled_logistic(3.9, 0.6), 0),
    Case("coupled maps, periodic", CYCLE, coupled_logistic(3.2, 0.6), 2),
    Case("logistic 4 about 0", CHAOS, scalar(logistic(3.99999), 0.2, 0.8), 0, mean=0.0),
    Case("Hénon about 0", CHAOS, planar(*HENON), 0, mean=0.0),
    Case("Lorenz", CHAOS, lorenz(0.1), 0, mean=0.0),
    Case("Lorenz, slowly", WEAK_CHAOS, lorenz(0.01), 0, mean=0.0),
    Case("slow ellipse", SLOW_ORBIT, ellipse, 0, mean=0.0),
    Case("steady drift", DRIFT, drift(1e-3)),
    Case("steady drift, fast", DRIFT, drift(1.0), mean=0.0),
    Case("drift that alternates", DRIFT, drift(1e-2, wobble=5.0)),
    Case("growth", DIVERGED, growth(1.02, 3.0)),
    Case("slow growth", DIVERGED, growth(1.003, 1.01), burn_in=4000),
    Case("late NaN", DIVERGED, late_nan),
    Case("noise", OPEN, noise(0.5)),
    Case("noise of long memory", OPEN, noise(0.999)),
    Case("noise of a colour", OPEN, noise(0.9, colour=0.97)),
    Case("noise of heavy tails", OPEN, noise(0.5, draw=torch.Tensor.cauchy_)),
    Case("noise on a slow loop", OPEN, shaken_rotation(0.005, 0.02)),
    Case("slow rotation", OPEN, rotation(steady_angle(1e-3))),
    Case("very slow rotation", OPEN, rotation(steady_angle(1e-5))),
    Case("slow rotation that alternates", LOOP, rotation(steady_angle(np.pi + 1e-3))),
    Case("half a narrow passage", OPEN, passage, mean=0.0),
    Case("cycle of 2 beside 1e12", CYCLE, beside(1e12, cycle(2, 0.1)), 2, plain=True),
    Case("cycle of 3 beside 1e14", CYCLE, beside(1e14, cycle(3, 0.1)), 3, plain=True),
    Case("golden rotation beside 1e12", QUASI, beside(1e12, rotation(golden, scale=0.1)), 0, plain=True),
    Case("slow contraction beside 1e12", DRIFT, beside(1e12, contraction(1 - 1e-4, 1 - 1e-5, scale=0.1)), plain=True),
    Case("contraction beside 1e12", FIXED, beside(1e12, contraction(0.1, 0.9)), 1, plain=True),
    Case("contraction fed by 1e12", FIXED, fed(1e12), 1, plain=True),
    Case("contraction fed by 1e6", FIXED, fed(1e6), 1, plain=True),
    Case("last bit of 1e12", FIXED, last_bit(1e12), 1, plain=True),
)  # fmt: skip
