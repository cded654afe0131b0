"""Arrays as users hold them: making, views, writes, interop, text."""
import copy
import pickle

import numpy as np
import pytest

import kiln as kn


def test_making():
    assert kn.asarray([[1, 2], [3, 4]]).dtype == kn.int64
    assert kn.asarray([1.0, 2]).dtype == kn.float32
    assert kn.asarray([True, False]).dtype == kn.bool_
    assert kn.asarray(5).shape == () and kn.asarray([]).shape == (0,) and kn.asarray([[], []]).shape == (2, 0)
    assert kn.asarray([1, 2], dtype=kn.uint8).dtype == np.uint8
    assert kn.asarray([kn.asarray(1.5), 2]).tolist() == [1.5, 2]
    assert kn.zeros((2, 3)).tolist() == [[0, 0, 0], [0, 0, 0]] and kn.ones(2).tolist() == [1, 1]
    assert kn.full((2,), 7).dtype == kn.int64 and kn.full(2, kn.asarray([1.0, 2.0])).tolist() == [1, 2]
    assert kn.full((2,), True).dtype == kn.bool_ and kn.ones_like(kn.arange(3)).dtype == kn.int64
    assert kn.arange(5).tolist() == [0, 1, 2, 3, 4] and kn.arange(5, 1, -2).tolist() == [5, 3] and kn.arange(0.0, 1.0, 0.25).tolist() == [0, 0.25, 0.5, 0.75]
    assert kn.eye(2, 3, k=1).tolist() == [[0, 1, 0], [0, 0, 1]]


def test_numpy_memory_is_shared():
    n = np.arange(6, dtype=np.float32)
    x = kn.asarray(n)
    n[0] = 9
    assert x[0].item() == 9
    x += 1
    assert n[1] == 2
    assert kn.asarray(n, copy=True).numpy() is not n
    y = kn.zeros(3)
    view = y.numpy()
    y[1] = 4
    assert view[1] == 4
    z = kn.asarray(n[::-2])
    assert z.tolist() == n[::-2].tolist()
    read_only = np.arange(3)
    read_only.flags.writeable = False
    with pytest.raises(ValueError):
        kn.asarray(read_only)[0] = 1
    assert np.asarray(kn.arange(3)).tolist() == [0, 1, 2] and np.add(np.ones(3), 1).shape == (3,)


def test_operators_with_numpy_and_numbers():
    x, n = kn.asarray([1.0, 2.0]), np.array([10.0, 20.0], np.float32)
    assert isinstance(n + x, kn.Array) and (n + x).tolist() == [11, 22] and (x - n).tolist() == [-9, -18]
    assert (2 / x).tolist() == [2, 1] and (x * True).tolist() == [1, 2]
    assert (kn.arange(3) / 2).dtype == kn.float32 and (kn.arange(3) + 1.5).dtype == kn.float32
    assert (kn.asarray([1], dtype=kn.uint8) + 1).dtype == kn.uint8
    assert (kn.asarray([1], dtype=kn.int8) + kn.asarray([1], dtype=kn.uint8)).dtype == kn.int16
    assert (x + np.float64(1)).dtype == kn.float64, "NumPy scalars are strong"
    assert (~kn.asarray([True, False])).tolist() == [False, True] and (x == kn.asarray([1.0, 3.0])).tolist() == [True, False]


def test_views_alias():
    x = kn.zeros((3, 4))
    row = x[1]
    row += 5
    assert float(x[1, 0]) == 5
    x[:, 2] = 7
    assert row.tolist() == [5, 5, 7, 5]
    x.T[0, 0] = 1
    assert x[0, 0].item() == 1
    flat = x.reshape(-1)
    flat[-1] = 3
    assert x[2, 3].item() == 3
    x[...] = kn.arange(4)
    assert x.tolist() == [[0, 1, 2, 3]] * 3
    x[::2, ::-1] = kn.arange(4)
    assert x.tolist() == [[3, 2, 1, 0], [0, 1, 2, 3], [3, 2, 1, 0]]


def test_overlapping_writes_read_first():
    n, x = np.arange(10.0), kn.arange(10, dtype=kn.float64)
    n[1:] += n[:-1]
    x[1:] += x[:-1]
    assert x.tolist() == n.tolist()
    x[:] = x[::-1]
    assert x.tolist() == n[::-1].tolist()


def test_one_element_is_a_value():
    x = kn.asarray([1, 2, 3])
    x[0], x[2] = x[2], x[0]
    assert x.tolist() == [3, 2, 1]
    i = kn.asarray(1)
    assert [10, 20, 30][i] == 20 and f"{kn.asarray(1.5):.2f}" == "1.50" and round(kn.asarray(2.6)) == 3


@pytest.mark.parametrize("key", [0, -1, slice(None), slice(1, None, 2), slice(None, None, -1), slice(5, 1), (0, 1), (..., 0), (None, 1), (slice(1), ..., None),
                                 (1, slice(None), -1), ..., (), (slice(2, 0, -1), 0, slice(None, None, 3))])
def test_basic_indexing(key):
    n = np.arange(60).reshape(3, 4, 5)
    x = kn.asarray(n)
    assert x[key].tolist() == n[key].tolist() and x[key].shape == n[key].shape
    written, twin = kn.asarray(n, copy=True), n.copy()
    written[key] = 7
    twin[key] = 7
    assert written.tolist() == twin.tolist()


def test_shapes():
    x = kn.arange(24).reshape(2, 3, 4)
    n = np.arange(24).reshape(2, 3, 4)
    assert x.T.shape == (4, 3, 2) and x.mT.tolist() == n.swapaxes(1, 2).tolist()
    assert kn.permute_dims(x, (2, 0, 1)).tolist() == n.transpose(2, 0, 1).tolist()
    assert kn.reshape(x.T, (6, 4)).tolist() == n.T.reshape(6, 4).tolist()
    assert kn.broadcast_to(kn.arange(3), (2, 3)).tolist() == [[0, 1, 2]] * 2
    assert kn.expand_dims(kn.arange(3), axis=-1).shape == (3, 1) and kn.squeeze(kn.ones((1, 3, 1))).shape == (3,)
    assert kn.zeros((0, 3)).reshape(3, 0).shape == (3, 0) and x.reshape(-1, 6).shape == (4, 6)
    assert [v.tolist() for v in kn.arange(4).reshape(2, 2)] == [[0, 1], [2, 3]] and len(x) == 2


def test_copies():
    x = kn.arange(3)
    for y in (copy.copy(x), copy.deepcopy(x), x.copy(), pickle.loads(pickle.dumps(x)), kn.asarray(x, copy=True)):
        y[0] = 9
        assert x[0].item() == 0 and y.tolist() == [9, 1, 2]
    assert pickle.loads(pickle.dumps(kn.zeros((0, 2)))).shape == (0, 2)
    assert pickle.loads(pickle.dumps(kn.float32)) is kn.float32


def test_text():
    assert repr(kn.asarray([1.0, 0.1])) == "kiln.Array([ 1., 0.1], dtype=float32)"
    assert repr(kn.asarray([[1, 20], [3, 4]])) == "kiln.Array([[ 1, 20],\n            [ 3,  4]], dtype=int64)"
    assert repr(kn.zeros((0, 2))) == "kiln.Array([], shape=(0, 2), dtype=float32)"
    assert str(kn.asarray(2.5)) == "2.5" and "..." in repr(kn.arange(2000)) and str(kn.asarray([True])) == "[True]"


def test_statistics_match_numpy(rng):
    n = rng.normal(size=(6, 50)).astype("f")
    x = kn.asarray(n)
    for axis in (None, 0, 1, -1):
        np.testing.assert_allclose(kn.mean(x, axis=axis).numpy(), n.mean(axis=axis), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(kn.var(x, axis=axis).numpy(), n.var(axis=axis), rtol=1e-5)
        np.testing.assert_allclose(x.std(axis=axis).numpy(), n.std(axis=axis), rtol=1e-5)
    np.testing.assert_allclose(kn.sum(kn.softmax(x), axis=1).numpy(), np.ones(6), rtol=1e-6)
    np.testing.assert_allclose(kn.logsumexp(x).numpy(), np.log(np.exp(n).sum(1)), rtol=1e-5)
    assert kn.any(x > 100).item() is False and kn.all(x < 100).item() is True and kn.allclose(x, n) and kn.array_equal(x, x)


def test_assigned_numbers_are_total():
    x = kn.arange(3, dtype=kn.int8)
    x[0], x[1], x[2] = 1e9, float("nan"), -2.7
    assert x.tolist() == [127, 0, -2]


def test_powers_and_clip():
    n = np.linspace(-3, 3, 7).astype(np.float32)
    x = kn.asarray(n)
    for k in (0, 1, 2, 3, 5, 8):
        np.testing.assert_allclose((x ** k).numpy(), n ** k, rtol=1e-6)
    assert (x ** 2).tolist() == (n * n).tolist() and (kn.asarray([4.0]) ** -2).tolist() == [0.0625] and (kn.asarray([9.0]) ** 0.5).tolist() == [3]
    assert kn.clip(x, -1, 2).tolist() == np.clip(n, -1, 2).tolist() and kn.clip(x, max=0).max().item() == 0
    assert (x ** 1)[0].item() == -3 and not kn._core.shares_memory(x ** 1, x)


def test_memory_without_strides():
    """The buffer protocol leaves them out of row-major memory."""
    import ctypes
    assert kn.asarray((ctypes.c_int * 3)(1, 2, 3)).tolist() == [1, 2, 3] and kn.asarray(((ctypes.c_double * 2) * 3)()).shape == (3, 2)
    for value in (np.datetime64("2020"), np.timedelta64(1, "s"), [np.timedelta64(1, "s")]):
        with pytest.raises(kn.DTypeError, match="asarray: element: expected a number, got numpy"):
            kn.asarray(value)


@pytest.mark.parametrize("first", [[], [1], [np.float32(1)]])
def test_lists_that_hold_themselves(first):
    first.append(first)
    with pytest.raises(kn.ShapeError, match="asarray: rank: expected at most 32, got a deeper sequence"):
        kn.asarray(first)


def test_elements_are_keys():
    x = kn.asarray([1.5, 2.5, 1.5], dtype=kn.float64)
    assert {x[0]: 1}[1.5] == 1 and {2.5: 7}[x[1]] == 7 and hash(x[0]) == hash(1.5) and len({hash(v) for v in x}) == 2
    assert kn.jit(lambda v, table={1.5: 3}: table[v[0]] + v)(x).tolist() == [4.5, 5.5, 4.5]
    with pytest.raises(TypeError, match="unhashable type: 'kiln.Array'"):
        hash(x)


def test_several_sizes_are_one_tuple():
    with pytest.raises(kn.DTypeError, match=r"got 3 \(several sizes are one tuple\)"):
        kn.ones(2, 3)
    with pytest.raises(ValueError, match="where: arguments: expected a condition alone, or with both x and y, got one of them"):
        kn.where(kn.ones(2) > 0, 1)
    assert kn.round(kn.asarray([1.25, -3.0]), 400).tolist() == [1.25, -3]
