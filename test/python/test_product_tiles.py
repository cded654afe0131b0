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
