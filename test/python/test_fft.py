"""kn.fft against NumPy, over axes, sizes, norms and dtypes, in eager and under jit."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits, to_numpy

CALLS = [
    "fft(z)", "fft(z, n=4)", "fft(z, n=9)", "fft(z, axis=0)", "ifft(z)", "ifft(z, n=5, axis=1)", "fft(x)", "ifft(x, axis=-2)", "fftn(z)", "ifftn(z)", "fftn(z, axes=(0, 2))", "fftn(z, s=(3, 8), axes=(1, 2))",
    "fft2(z)", "ifft2(z)", "rfft(x)", "rfft(x, n=4)", "rfft(x, n=11, axis=1)", "irfft(z)", "irfft(z, n=7)", "irfft(z, n=6, axis=0)", "rfftn(x)", "rfftn(x, s=(2, 6), axes=(0, 1))", "irfftn(z)",
    "irfftn(z, s=(4, 7), axes=(0, 2))", "rfft2(x)", "irfft2(z)", "hfft(z)", "hfft(z, n=9)", "ihfft(x)", "ihfft(x, n=4, axis=1)", "fftshift(x)", "fftshift(x, axes=1)", "ifftshift(x, axes=(0, 2))", "rfftn(x, axes=(1,))",
]


def scope(np_, dtype):
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 3, 7)).astype(dtype), (rng.normal(size=(2, 3, 5)) + 1j * rng.normal(size=(2, 3, 5))).astype("complex64" if dtype == "float32" else "complex128")
    return {"fft": np_.fft, "x": np_.asarray(x), "z": np_.asarray(z)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", CALLS)
def test_transform(call, dtype):
    for norm in (None, "ortho", "forward") if "shift" not in call else (None,):
        text = f"fft.{call}" if norm is None else f"fft.{call[:-1]}, norm={norm!r})"
        want, ours = eval(text, scope(np, dtype)), scope(kn, dtype)
        got = eval(text, ours)
        assert got.dtype.name == want.dtype.name
        assert got.shape == want.shape
        np.testing.assert_allclose(to_numpy(got), want, rtol=1e-5 if dtype == "float32" else 1e-12, atol=2e-5 if dtype == "float32" else 1e-12)
        jitted = kn.jit(eval(f"lambda x, z: {text}", {"fft": kn.fft}))
        same_bits(jitted(ours["x"], ours["z"]), got)
        assert not jitted.explain().variants[0]["eager"]
        same_bits(jitted(kn.asarray(to_numpy(ours["x"]).T.copy()).T, ours["z"][::-1][::-1]), got)


def test_sizes():
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 16, 97, 360, 1009, 4096):
        x = rng.normal(size=n)
        np.testing.assert_allclose(kn.fft.irfft(kn.fft.rfft(kn.asarray(x)), n=n).numpy(), x, atol=1e-12)
        np.testing.assert_allclose(kn.fft.fft(kn.asarray(x)).numpy(), np.fft.fft(x), atol=1e-10)
    assert kn.fft.fft(kn.zeros((0, 3))).shape == (0, 3)


def test_frequencies():
    for n in (1, 2, 7, 8):
        for ours, want in ((kn.fft.fftfreq, np.fft.fftfreq), (kn.fft.rfftfreq, np.fft.rfftfreq)):
            got = ours(n, d=0.25, dtype=kn.float64)
            np.testing.assert_array_equal(got.numpy(), want(n, 0.25))
            assert ours(n).dtype is kn.get_default_dtype()


def test_narrow_and_integer_operands():
    x = [1, 2, 4, 8]
    wanted = np.fft.fft(x)
    for dtype in ("float16", "bfloat16", "int32", "bool"):
        got = kn.fft.fft(kn.asarray(x, dtype=dtype))
        assert got.dtype.kind == "c"
        if dtype != "bool":
            np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-5)


@pytest.mark.parametrize("text, kind, message", [
    ("kn.fft.fft(kn.ones(3), n=0)", ValueError, "points: expected at least 1, got 0"), ("kn.fft.fft(kn.ones(3), axis=1)", kn.AxisError, "axis"), ("kn.fft.fft(kn.ones(3), norm='half')", ValueError, "norm"),
    ("kn.fft.rfft(kn.ones(3, dtype=kn.complex64))", kn.DTypeError, "real"), ("kn.fft.irfft(kn.ones(1))", ValueError, "points"), ("kn.fft.fftn(kn.ones((2, 2)), s=(2,), axes=(0, 1))", ValueError, "one size for each"),
    ("kn.fft.fftn(kn.ones((2, 2)), axes=(0, 0))", kn.AxisError, "named once"), ("kn.fft.fftfreq(0)", ValueError, "n: expected at least 1"), ("kn.fft.rfftfreq(4, device='gpu')", kn.DeviceError, "cpu"),
    ("kn.fft.fft(kn.zeros((2, 0)))", ValueError, "at least 1"), ("kn.fft.fft(kn.asarray(1.0))", kn.AxisError, "axis"),
])
def test_errors(text, kind, message):
    with pytest.raises(kind, match=message):
        eval(text, {"kn": kn})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_line_alone_has_the_bits_of_one_of_several(dtype, rng):
    for n in (1, 2, 3, 8, 15, 74, 97, 1000):
        x = kn.asarray(rng.normal(size=(3, n)).astype(dtype))
        for norm in ("backward", "ortho"):
            y = kn.fft.rfft(x, norm=norm)
            for i in range(3):
                same_bits(kn.fft.rfft(x[i], norm=norm), y[i])
                same_bits(kn.fft.rfft(kn.stack([x[i], x[0]], 1)[:, 0], norm=norm), y[i])
                same_bits(kn.fft.irfft(y[i], n=n, norm=norm), kn.fft.irfft(y, n=n, norm=norm)[i])
                same_bits(kn.fft.irfft(y[i:i + 1, :, None], n=n, axis=1, norm=norm), kn.fft.irfft(y, n=n, norm=norm)[i][None, :, None])


@pytest.mark.parametrize("name", "fft ifft fftn ifftn fft2 ifft2 rfft irfft rfftn irfftn rfft2 irfft2 hfft ihfft".split())
def test_results_go_into_out(name, rng):
    x = kn.asarray(rng.normal(size=(4, 6)))
    x = x if name in ("rfft", "rfftn", "rfft2", "ihfft") else x + 1j
    f = getattr(kn.fft, name)
    want = f(x)
    out = kn.zeros_like(want)
    assert f(x, out=out) is out
    same_bits(out, want)
    mine = np.zeros(want.shape, want.numpy().dtype)
    assert f(x, norm="ortho", out=mine) is mine
    np.testing.assert_array_equal(mine, f(x, norm="ortho").numpy())
    with pytest.raises(kn.ShapeError, match=f"{name}: out: expected an array of shape"):
        f(x, out=kn.zeros(3, dtype=want.dtype))
    with pytest.raises(kn.DTypeError, match=f"{name}: out: expected a dtype that {want.dtype} converts to, got int64"):
        f(x, out=kn.zeros(want.shape, dtype=kn.int64))
