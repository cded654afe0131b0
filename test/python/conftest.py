import numpy as np
import pytest

import kiln as kn

DTYPES = [t for t in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def same_bits(x, y):
    """Equal shapes, dtypes and bits; nans compare equal."""
    x, y = np.asarray(x.numpy() if isinstance(x, kn.Array) else x), np.asarray(y.numpy() if isinstance(y, kn.Array) else y)
    assert x.shape == y.shape and x.dtype == y.dtype, f"{x.dtype}{x.shape} against {y.dtype}{y.shape}"
    if x.dtype.kind == "f":
        bits = np.uint32 if x.dtype == np.float32 else np.uint64
        equal = (np.ascontiguousarray(x).view(bits) == np.ascontiguousarray(y).view(bits)) | (np.isnan(x) & np.isnan(y))
        assert equal.all(), f"{(~equal).sum()} of {x.size} differ, first at {np.argwhere(~equal)[0]}: {x[~equal][0]!r} against {y[~equal][0]!r}"
    else:
        np.testing.assert_array_equal(x, y)
