"""Compiled products of sizes around those of their tiles have the bits of eager ones, whose tiles are others."""
import numpy as np
import pytest

import kiln as kn

ROWS, COLUMNS, DEPTHS = (7, 100, 131, 144, 250), (1, 33, 130), (5, 500)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("m", ROWS)
def test_bits(m, dtype):
    random = np.random.default_rng(m)
    product = kn.jit(lambda x, y: x @ y, dynamic=False)
    chained = kn.jit(lambda x, y, b: kn.maximum(x @ y + b, 0), dynamic=False)
    for n in COLUMNS:
        for k in DEPTHS:
            a, b, c = (random.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n), n))
            x, y, z = kn.asarray(a), kn.asarray(b), kn.asarray(c)
            eager = np.asarray(x @ y)
            np.testing.assert_allclose(eager, a.astype(np.float64) @ b, rtol=0, atol=k * np.finfo(dtype).eps * float((abs(a) @ abs(b)).max()))
            assert np.asarray(product(x, y)).tobytes() == eager.tobytes()
            assert np.asarray(chained(x, y, z)).tobytes() == np.asarray(kn.maximum(x @ y + z, 0)).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("m", [64, 100, 131, 250])
def test_bits_of_products_of_an_array_by_itself(m, dtype):
    random = np.random.default_rng(m)
    for shape in ((m, 40), (m, 700), (3, m, 50)):
        a = (random.standard_normal(shape) * 10).astype(dtype)
        x, y = kn.asarray(a), kn.asarray(a, copy=True)
        for function in (lambda x, y: x @ y.mT, lambda x, y: kn.maximum(x @ y.mT, 1) * 2, lambda x, y: x.mT @ y + kn.arange(y.shape[-1])):
            halved = kn.jit(lambda x: function(x, x), dynamic=False)
            assert np.asarray(halved(x)).tobytes() == np.asarray(function(x, y)).tobytes()
        upper = np.asarray(kn.jit(lambda x: x @ x.mT, dynamic=False)(x))
        assert upper.tobytes() == np.ascontiguousarray(np.swapaxes(upper, -1, -2)).tobytes()
    assert "symmetric = true" in kn.jit(lambda x: x @ x.T).lower(kn.ones((m, 40))).ir("schedule")
