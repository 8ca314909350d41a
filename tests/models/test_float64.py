import copy

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad

from extramaze.dynamics.lyapunov import largest_exponent
from extramaze.models import float64 as module
from extramaze.models import load
from extramaze.models.float64 import ShiftedConvolution, fast_float64


@pytest.mark.parametrize("kernel", [1, 3, 5, (3, 1)])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("chunk", [50, 2**20])
def test_shifted_products_are_the_convolution(kernel, bias, chunk, monkeypatch):
    """Equal to rounding, for any odd kernel, however the products are cut."""
    monkeypatch.setattr(module, "CHUNK_NUMBERS", chunk)
    plain = nn.Conv2d(5, 7, kernel, padding="same", bias=bias).double()
    fast = fast_float64(plain)
    x = torch.randn(3, 5, 6, 4, dtype=torch.float64)
    assert isinstance(fast, ShiftedConvolution)
    with torch.no_grad():
        assert torch.allclose(fast(x), plain(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("options", [{"stride": 2}, {"padding": 0}, {"dilation": 2}, {"groups": 2}])
def test_other_convolutions_are_left_alone(options):
    """What the shifts do not compute is only converted."""
    assert type(fast_float64(nn.Conv2d(4, 4, 3, **{"padding": 1, **options}))) is nn.Conv2d


def test_a_solver_keeps_its_answers_and_its_derivative():
    """A DT-Net's states agree to rounding after 20 steps, and so do its forward derivatives."""
    solver = load("dt-net-thin@0")
    plain, fast = copy.deepcopy(solver).double(), fast_float64(solver)
    x = (torch.rand(2, 3, 11, 11, generator=torch.Generator().manual_seed(0)) > 0.5).double()
    with torch.inference_mode():
        one, two = plain.initial_state(x), fast.initial_state(x)
        for _ in range(20):
            one, two = plain.step(one, x), fast.step(two, x)
    assert torch.allclose(one, two, rtol=1e-9, atol=1e-9)
    found = largest_exponent(lambda z: fast.step(z, x), one.clone(), steps=20)
    expected = largest_exponent(lambda z: plain.step(z, x), one.clone(), steps=20)
    assert found.forward
    assert found.value == pytest.approx(expected.value, rel=1e-6)
    with torch.no_grad(), forward_ad.dual_level():
        assert forward_ad.unpack_dual(fast.step(forward_ad.make_dual(one.clone(), one.clone()), x)).tangent is not None
