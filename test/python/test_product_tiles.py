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


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("m", [9, 13, 16, 31, 48])
def test_bits_of_few_rows(m, dtype):
    """The right operand is packed by the tiles that read it first, and threads share its columns."""
    random = np.random.default_rng(m)
    product, chained = kn.jit(lambda x, y: x @ y, dynamic=False), kn.jit(lambda x, y, b: kn.maximum(x @ y + b, 0), dynamic=False)
    for k, n in ((784, 512), (401, 700), (193, 1030), (5, 3000), (1, 40000)):
        x, y, z = (kn.asarray(random.standard_normal(shape).astype(dtype)) for shape in ((m, k), (k, n + 3), n))
        for right in (y[:, :n], kn.copy(y[:, 3:])):
            eager = np.asarray(x @ right)
            rows = np.concatenate([np.asarray(x[i:i + 4] @ right) for i in range(0, m, 4)])
            assert np.asarray(product(x, right)).tobytes() == eager.tobytes() == rows.tobytes()
            assert np.asarray(chained(x, right, z)).tobytes() == np.asarray(kn.maximum(x @ right + z, 0)).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 15, 16, 17])
def test_bits_of_few_columns(n, dtype):
    random = np.random.default_rng(n)
    for m in (17, 59, 60, 61, 500):
        for k in (1, 2, 7, 512, 513):
            a, b = ((random.standard_normal(shape) * 10).astype(dtype) for shape in ((m, 2 * k), (k, n + 1)))
            for x, y in ((kn.asarray(a)[:, :k], kn.asarray(b)[:, :n]), (kn.asarray(a[:, :k].copy()), kn.asarray(b[:, :n].copy()))):
                eager, wide = x @ y, kn.copy(x) @ kn.concat([y, kn.ones((k, 40), dtype=y.dtype)], 1)
                if n > 1:
                    assert np.asarray(eager).tobytes() == np.asarray(kn.copy(wide[:, :n])).tobytes()
                assert np.asarray(kn.jit(lambda x, y: x @ y, dynamic=False)(x, y)).tobytes() == np.asarray(eager).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bits_of_short_rows(dtype):
    """Some rows at a time: the order of the sum of each is that of docs/numerics.md."""
    random = np.random.default_rng(0)
    for n in range(1, 34):
        for rows in (1, 3, 4, 7, 8, 9, 16, 23):
            a = random.standard_normal((rows, n + 3)).astype(dtype)
            a[0] = -0.0
            for x in (a[:, :n], a[:, :n].copy()):
                for v in (np.ascontiguousarray(x[-1]), abs(x[-1])):
                    lanes = np.full((rows, 64 if n > 32 else 32), -0.0, dtype)
                    lanes[:, :n] = x * v
                    while lanes.shape[1] > 1:
                        lanes = lanes[:, :lanes.shape[1] // 2] + lanes[:, lanes.shape[1] // 2:]
                    m, w = kn.asarray(a)[:, :n] if x.strides[0] > n * x.itemsize else kn.asarray(x), kn.asarray(v)
                    for got in (kn.inner(m, w), kn.vecdot(m, w), kn.vecdot(m, kn.copy(kn.broadcast_to(w, m.shape)))) if n <= 32 else ():
                        assert np.asarray(got).tobytes() == lanes[:, 0].tobytes()
                    assert np.asarray(kn.jit(lambda m, w: m @ w, dynamic=False)(m, w)).tobytes() == np.asarray(m @ w).tobytes()
    m, w = kn.asarray(random.standard_normal((100003, 10)).astype(dtype)), kn.asarray(random.standard_normal(10).astype(dtype))
    assert np.asarray(m @ w)[-5:].tobytes() == np.asarray(m[-20:] @ w)[-5:].tobytes()


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.complex64])
@pytest.mark.parametrize("m, k, n", [(2, 2, 2), (3, 3, 3), (4, 4, 4), (4, 3, 4), (1, 5, 1), (16, 16, 16), (33, 32, 40), (0, 3, 2), (3, 0, 2)])
def test_many_small_products_are_those_of_each(m, k, n, dtype):
    random = np.random.default_rng(m * 100 + n)
    draw = lambda *shape: random.integers(-9, 9, shape).astype(dtype) if dtype == np.int32 else random.standard_normal(shape).astype(dtype)
    x, y = kn.asarray(draw(2, 5, m, k)), kn.asarray(draw(2, 5, k, n))
    wide, turned = kn.asarray(draw(2, 5, m, 2 * k)), kn.asarray(draw(2, 5, n, k))
    pairs = {"plain": (x, y), "one for all": (x, y[:1, :1]), "of parts": (wide[..., :k], y), "apart": (wide[..., ::2], y), "turned": (x, kn.matrix_transpose(turned)),
             "every second": (x[:, ::2], y[:, ::2]), "backwards": (x[:, ::-1], y), "axes in turn": (kn.swapaxes(x, 0, 1), kn.swapaxes(y, 0, 1))}
    for name, (a, b) in pairs.items():
        product = a @ b
        b = kn.broadcast_to(b, (*a.shape[:2], *b.shape[2:]))
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                assert np.asarray(product[i, j]).tobytes() == np.asarray(kn.copy(a[i, j]) @ kn.copy(b[i, j])).tobytes(), name
        assert np.asarray(kn.jit(lambda a, b: a @ b)(a, b)).tobytes() == np.asarray(product).tobytes(), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bits_of_shared_tiles(dtype):
    """Products of one program call the code of their tiles: whole ones, of operands as they lie, turned, in batches and in several blocks."""
    random = np.random.default_rng(0)
    x, y, z, u, batch = (kn.asarray(random.standard_normal(shape).astype(dtype)) for shape in ((96, 192), (192, 64), (96, 64), (24, 2048), (4, 96, 192)))
    products = [lambda x, y, z, u, v: x @ y, lambda x, y, z, u, v: x.T @ z, lambda x, y, z, u, v: kn.maximum(z @ y.T, 0), lambda x, y, z, u, v: y.T @ y,
                lambda x, y, z, u, v: v @ y, lambda x, y, z, u, v: kn.tanh(u[:, :192] @ y), lambda x, y, z, u, v: v.swapaxes(1, 2) @ v, lambda x, y, z, u, v: u @ u.T,
                lambda x, y, z, u, v: x[:, ::2] @ y[:96], lambda x, y, z, u, v: (z[:, :9] @ y[:9]) + z]
    arguments = (x, y, z, u, batch)
    together = kn.jit(lambda *a: [f(*a) for f in products], dynamic=False)
    for _ in range(2):  # the first call is the recorded one
        for f, found in zip(products, together(*arguments)):
            assert np.asarray(found).tobytes() == np.asarray(f(*arguments)).tobytes() == np.asarray(kn.jit(f, dynamic=False)(*arguments)).tobytes()
