import os
import sys

os.environ.setdefault("KILN_JIT", "sync")  # tests of the compiler wait for its code; test_tiers.py is about the others

import numpy as np  # noqa: E402
import pytest  # noqa: E402

import kiln as kn  # noqa: E402

kn.config.jit = os.environ["KILN_JIT"]  # pytest's settings have imported it before

DTYPES = [t for t in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def to_numpy(x):
    """A NumPy array of the same values; dtypes that NumPy lacks become float32, exactly."""
    if isinstance(x, kn.Array):
        return (kn.astype(x, kn.float32) if x.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2") else x).numpy()
    return np.asarray(x)


def frames_of(call):
    """Names of the functions of Python that a call enters, but for its own."""
    seen = []
    sys.setprofile(lambda frame, event, arg: seen.append(frame.f_code.co_name) if event == "call" and frame.f_code is not call.__code__ else None)
    try:
        call()
    finally:
        sys.setprofile(None)
    return seen


def same_bits(x, y):
    """Equal shapes, dtypes and bits; nans compare equal."""
    if isinstance(x, kn.Array) and isinstance(y, kn.Array):
        assert x.dtype is y.dtype, f"{x.dtype} against {y.dtype}"
    x, y = to_numpy(x), to_numpy(y)
    assert x.shape == y.shape and x.dtype == y.dtype, f"{x.dtype}{x.shape} against {y.dtype}{y.shape}"
    if x.dtype.kind == "c":
        same_bits(x.real, y.real)
        same_bits(x.imag, y.imag)
    elif x.dtype.kind == "f":
        bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[x.itemsize]
        equal = (np.ascontiguousarray(x).view(bits) == np.ascontiguousarray(y).view(bits)) | (np.isnan(x) & np.isnan(y))
        x, y, equal = np.atleast_1d(x), np.atleast_1d(y), np.atleast_1d(equal)
        assert equal.all(), f"{(~equal).sum()} of {x.size} differ, first at {np.argwhere(~equal)[0]}: {x[~equal][0]!r} against {y[~equal][0]!r}"
    else:
        np.testing.assert_array_equal(x, y)
