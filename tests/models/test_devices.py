import pytest
import torch

from extramaze.models.devices import reference_arithmetic, tensor_float

MATMUL, CUDNN = torch.backends.cuda.matmul, torch.backends.cudnn


def settings():
    """Return TF32's settings, older and newer ones; reading any of them must not fail."""
    newer = (MATMUL.fp32_precision, CUDNN.conv.fp32_precision, CUDNN.rnn.fp32_precision)
    return MATMUL.allow_tf32, CUDNN.allow_tf32, torch.get_float32_matmul_precision(), newer


@pytest.mark.parametrize("on", [False, True])
def test_tf32_is_as_asked_and_every_setting_can_be_read(on):
    """Inside, torch's older and newer settings agree; afterwards all are as they were."""
    before = settings()
    with tensor_float(on):
        assert settings()[:2] == (on, on)
        with CUDNN.flags(enabled=True):
            pass
    assert settings() == before
    with reference_arithmetic(on):
        assert settings()[:2] == (on, on)
    assert settings() == before


def test_settings_of_the_newer_kind_are_put_back():
    """Whoever set precision by the newer settings alone finds them again."""
    before = CUDNN.conv.fp32_precision
    CUDNN.conv.fp32_precision = "ieee"
    try:
        with tensor_float(True):
            assert CUDNN.conv.fp32_precision == "tf32"
        assert CUDNN.conv.fp32_precision == "ieee"
    finally:
        CUDNN.conv.fp32_precision = before
