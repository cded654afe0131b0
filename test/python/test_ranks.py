"""Arrays of many axes: up to 32, as tensor networks and circuits of qubits have them, in eager and compiled, against NumPy."""
import pickle

import numpy as np
import pytest

import kiln as kn

RANKS = (9, 16, 32)


def shape_of(rank):
    return (2,) * min(rank, 11) + (1,) * (rank - 11)


OPERATIONS = {
    "elementwise": lambda xp, x, y: x + 2 * y,
    "transposed": lambda xp, x, y: xp.transpose(x) + xp.transpose(y),
    "reversed": lambda xp, x, y: x[::-1] * y[:, ::-1],
    "sum of all": lambda xp, x, y: xp.sum(x),
    "sum of some": lambda xp, x, y: xp.sum(x, axis=(0, 3, 8)),
    "max": lambda xp, x, y: xp.max(x, axis=4, keepdims=True),
    "argmax": lambda xp, x, y: xp.argmax(x, axis=7),
    "cumulative": lambda xp, x, y: xp.cumsum(x, axis=2),
    "sort": lambda xp, x, y: xp.sort(x, axis=5),
    "concat": lambda xp, x, y: xp.concatenate([x, y], axis=6),
    "take": lambda xp, x, y: xp.take(x, xp.asarray([1, 0, 0]), axis=1),
    "roll": lambda xp, x, y: xp.roll(x, 1, axis=3),
    "view": lambda xp, x, y: x[0, 1, ..., 0],
    "flat": lambda xp, x, y: xp.reshape(x, (-1,)),
    "mask": lambda xp, x, y: x[x > 0],
    "where": lambda xp, x, y: xp.where(x > 0, x, y),
    "contraction": lambda xp, x, y: xp.tensordot(x, xp.asarray([[1.0, 2.0], [3.0, 4.0]]), axes=((4,), (0,))),
    "two axes": lambda xp, x, y: xp.tensordot(x, xp.ones((2, 2)), axes=((1, 5), (0, 1))),
}


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_on_many_axes(name, rank, rng):
    function = OPERATIONS[name]
    x, y = (rng.standard_normal(shape_of(rank)) for _ in range(2))
    a, b = kn.asarray(x), kn.asarray(y)
    want = function(np, x, y)
    with kn.config.override(jit="sync"):
        for got in (function(kn, a, b), kn.jit(lambda a, b: function(kn, a, b))(a, b)):
            assert got.shape == want.shape and np.allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("rank", RANKS)
def test_writes_gradients_and_exchange_of_many_axes(rank, rng):
    x = rng.standard_normal(shape_of(rank))
    a = kn.asarray(x.copy())
    a[(0,) * (rank - 1)] = 5
    x[(0,) * (rank - 1)] = 5
    a[:, 1] *= 2
    x[:, 1] *= 2
    assert np.array_equal(a, x)
    assert np.allclose(kn.grad(lambda v: kn.sum(kn.exp(v) * v))(a), np.exp(x) * (1 + x))
    assert np.array_equal(kn.from_dlpack(np.asarray(a)), x) and np.array_equal(pickle.loads(pickle.dumps(a)), x)
    if rank < 32:  # a batch has an axis more
        assert np.allclose(kn.vmap(lambda v: kn.sum(v, axis=3))(a), np.sum(x, axis=4))
    else:
        with pytest.raises(kn.ShapeError, match="rank: expected at most 32, got 33"):
            kn.vmap(lambda v: v + 1, in_axes=None, axis_size=2)(a)


def test_arrays_of_few_axes_take_all_shapes(rng):
    x = rng.standard_normal((2, 3, 4))
    for shape in ((1,) * 29 + (2, 3, 4), (2,) + (1,) * 15 + (3,) + (1,) * 14 + (4,), (2, 2) + (1,) * 28 + (3, 2)):
        for f in (kn.reshape, kn.jit(kn.reshape, static_argnums=1)):
            y = f(kn.asarray(x), shape)
            assert y.shape == shape and np.array_equal(y.numpy(), x.reshape(shape)) and np.array_equal(kn.reshape(y, x.shape).numpy(), x)
    assert kn.asarray(x.reshape(shape)).strides == x.reshape(shape).strides and kn.asarray(x)[(None,) * 29].ndim == 32
    with pytest.raises(kn.ShapeError, match="reshape: rank: expected at most 32, got 33"):
        kn.reshape(kn.asarray(x), (1,) * 30 + (2, 3, 4))


def test_packages_have_arrays_of_many_axes(tmp_path, rng):
    w = kn.asarray(rng.standard_normal(shape_of(32)).astype("float32"))
    x = kn.ones(shape_of(32))
    kn.export(lambda x: x * w, x, to=tmp_path / "m.kiln")
    assert np.array_equal(kn.load(tmp_path / "m.kiln")(x), np.asarray(w))


def test_a_gate_on_a_qubit(rng):
    qubits = 12
    state = kn.zeros((2,) * qubits, dtype=kn.complex128)
    state[(0,) * qubits] = 1
    hadamard = kn.asarray(np.array([[1, 1], [1, -1]]) / np.sqrt(2), dtype=kn.complex128)
    for qubit in range(qubits):
        state = kn.moveaxis(kn.tensordot(hadamard, state, axes=((1,), (qubit,))), 0, qubit)
    assert np.allclose(state, 2.0 ** (-qubits / 2))
