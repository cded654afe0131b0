"""Functions of the namespace that are compositions, against NumPy's: the same text over both, in eager and under jit."""
import copy
import itertools
import pickle

import numpy
import pytest
from scipy import special

import kiln as kn
from conftest import same_bits, to_numpy

# Over x (4, 5) floats, n (6,) integers, b (4, 5) bools, z (3,) complex numbers; a text, and what NumPy says where it spells it otherwise.
ROWS = [
    "np.flip(x)", "np.flip(x, axis=0)", "np.roll(x, 3)", "np.roll(x, (1, -2), axis=(0, 1))", "np.roll(n, -8)", "np.rot90(x)", "np.rot90(x, 2)", "np.rot90(x, 3)", "np.tile(x, 2)", "np.tile(n, (2, 3))",
    "np.tile(n, 0)", "np.repeat(x, 3)", "np.repeat(x, 2, axis=1)", "np.repeat(n, np.asarray([1, 0, 2, 1, 1, 3]))", "np.pad(x, 1)", "np.pad(x, ((1, 2), (0, 3)), constant_values=7)",
    "np.pad(n, 2, 'edge')", "np.pad(n, 4, 'reflect')", "np.pad(n, 8, 'symmetric')", "np.pad(n, 7, 'wrap')", "np.swapaxes(x, 0, 1)", "np.moveaxis(x, 0, -1)", "np.squeeze(x[None])",
    "np.expand_dims(x, (0, 2))", "np.stack([x, x * 2], axis=1)", "np.vstack([n, n])", "np.hstack([n, n])", "np.hstack([x, x])", "np.concatenate([x, x], axis=1)", "np.split(n, 3)[1]",
    "np.split(n, [1, 4])[1]", "np.unstack(x)[2]", "np.diag(n)", "np.diag(x, 1)", "np.diag(n, -2)", "np.diagonal(x, offset=1)", "np.trace(x)", "np.tril(x)", "np.triu(x, k=1)",
    "np.tril(x, k=-1)", "np.meshgrid(n, z)[1]", "np.meshgrid(n, z, indexing='ij')[0]", "np.broadcast_arrays(x, x[0])[1]", "np.eye(3, 4, k=1, dtype=np.float32)", "np.atleast_2d(n)",
    "np.prod(x + 0.5, axis=1)", "np.prod(z)", "np.prod(n)", "np.any(b)", "np.any(b, axis=0)", "np.all(b, axis=1)", "np.count_nonzero(b)", "np.count_nonzero(n, axis=0)", "np.cumsum(x)",
    "np.cumsum(x, axis=1)", "np.cumsum(z)", "np.cumprod(x + 0.5, axis=0)", "np.cumprod(z)", "np.cumulative_sum(n, include_initial=True)", "np.diff(x)", "np.diff(x, axis=0, n=2)",
    "np.diff(n, prepend=0)", "np.clip(x, 2, 9)", "np.clip(n, None, 3)", "np.clip(n, 2, None)", "np.median(x)", "np.median(x, axis=0)", "np.quantile(x, 0.3, axis=1)", "np.percentile(x, 75)",
    "np.average(x, axis=0)", "np.average(n * 1.0, weights=np.asarray([1.0, 2, 3, 4, 5, 6]))", "np.mean(x, axis=(0, 1))", "np.var(x, axis=0)", "np.std(x)", "np.var(z)", "np.mean(z)",
    "np.sort(n)", "np.sort(x[::-1], axis=0)", "np.argsort(n, stable=True)", "np.argsort(x * np.asarray([1, -1, 1, -1, 1]), axis=-1)", "np.sort(b, axis=0)", "np.nonzero(b)[1]", "np.flatnonzero(b)", "np.argwhere(b)",
    "np.searchsorted(np.sort(n), np.asarray([0, 3, 9]))", "np.searchsorted(np.sort(n), 3, side='right')", "np.take(x, np.asarray([0, 3]), axis=1)", "np.take_along_axis(x, np.argsort(x, axis=1), axis=1)",
    "np.sort(np.unique_values(n))", "np.unique_counts(n).counts", "np.unique_inverse(n).inverse_indices", "np.unique_all(n).indices", "np.isin(n, np.asarray([3, 5]))", "np.isin(n, np.asarray([3]), invert=True)",
    "np.where(b, x, -x)", "np.where(b)[0]", "np.unravel_index(n, (4, 3))[1]", "np.tensordot(x, x.T, axes=1)", "np.tensordot(x, x, axes=2)", "np.tensordot(x, x, axes=((0,), (0,)))",
    "np.vecdot(x, x)", "np.vecdot(z, z)", "np.outer(n, z)", "np.dot(x, x.T)", "np.matmul(z, z)", "np.outer(z, z) @ z", "np.isclose(x, x + 1e-7)", "np.nan_to_num(x / (x - 3))", "np.angle(z)",
    "np.linspace(0, 1, 5, dtype=np.float32)", "np.linspace(2, 3, 4, endpoint=False, dtype=np.float32)", "np.arange(2, 11, 3)", "np.arange(5, 0, -2)", "np.full_like(x, 3)", "np.empty_like(x) * 0",
    "np.real(z) + np.imag(z)", "np.conj(z)", "np.abs(z)", "np.sqrt(z)", "np.log(z)", "np.exp(z) * np.tanh(z)", "z ** 2", "z ** 0.5", "z / (z + 1)", "2 ** n", "n ** 3", "(-7) // n", "n % -4", "divmod(n, 4)[1]",
    "n << 2", "n >> 1", "x // 0.3", "x % 0.7", "-x % 0.7", "np.fmod(-x, 0.7)", "x ** 3", "x ** -1.0", "2.5 ** x", "np.power(x, 2)", "np.rot90(x, axes=(1, 0))",
]
DATA_DEPENDENT = ("nonzero", "where(b)", "unique", "argwhere", "flatnonzero")


def scope(np):
    x = numpy.arange(20, dtype="f").reshape(4, 5) / 4
    n, b, z = numpy.array([3, 1, 4, 1, 5, 9]), (x * 7).astype(int) % 3 == 0, numpy.array([1 + 2j, -0.5 + 1j, 3 - 1j]).astype("complex64")
    return {"np": np, **{k: np.asarray(v) for k, v in (("x", x), ("n", n), ("b", b), ("z", z))}}


@pytest.mark.parametrize("text", ROWS)
def test_function(text):
    with numpy.errstate(all="ignore"):
        want = numpy.asarray(eval(text, scope(numpy)))
    ours = scope(kn)
    got = eval(text, ours)
    assert got.shape == want.shape and got.dtype.kind == want.dtype.kind, f"{got.dtype}{got.shape} against {want.dtype}{want.shape}"
    numpy.testing.assert_allclose(to_numpy(got), want, rtol=2e-5, atol=1e-5)
    program = eval(f"lambda x, n, b, z: {text}", {"np": kn})
    jitted = kn.jit(program)
    same_bits(jitted(*(ours[k] for k in "xnbz")), got)
    why = jitted.explain().variants[0]["eager"]
    assert not why or any(w in text for w in DATA_DEPENDENT) or "asked for" in why or "list" in why, why


def test_special_functions():
    x = numpy.linspace(-3, 3, 41).astype("f")
    for ours, want in ((kn.sigmoid, special.expit), (kn.softplus, lambda v: numpy.logaddexp(v, 0)), (kn.gelu, lambda v: v * special.ndtr(v)), (kn.silu, lambda v: v * special.expit(v)),
                       (kn.relu, lambda v: numpy.maximum(v, 0)), (kn.softmax, special.softmax)):
        numpy.testing.assert_allclose(ours(kn.asarray(x)).numpy(), want(x.astype("d")), rtol=1e-5, atol=1e-6)
    numpy.testing.assert_allclose(kn.logsumexp(kn.asarray(x)).item(), special.logsumexp(x), rtol=1e-6)


def test_ops_without_a_twin():
    x = numpy.array([1.0, -2.0, 0.0, numpy.inf], "f")
    numpy.testing.assert_array_equal(kn.nextafter(kn.asarray(x), 0.5).numpy(), numpy.nextafter(x, numpy.float32(0.5)))
    assert kn.nextafter(kn.asarray([1.0], dtype=kn.bfloat16), 2.0).tolist() == [1.0078125]
    assert kn.bitwise_count(kn.asarray([7, -8, 0])).tolist() == [3, 1, 0]
    assert kn.complex(kn.asarray([1.0, 2.0]), 3.0).tolist() == [1 + 3j, 2 + 3j]
    full = 2**64 - 1  # the vectors of the published implementation
    bits = kn.random_bits(kn.asarray([0, full], dtype=kn.uint64), kn.asarray([0, full], dtype=kn.uint64)).tolist()
    assert bits == [0x99BA4EFE6B200159, 0xBB002BE71CB996FC]
    assert kn.positive(kn.asarray([2])).tolist() == [2] and kn.fmod(kn.asarray([7, -7]), 0).tolist() == [0, 0]


def test_integer_division_is_total():
    low = -128
    a, d = kn.asarray([low, 5, low], dtype=kn.int8), kn.asarray([-1, 0, 0], dtype=kn.int8)
    assert (a // d).tolist() == [low, 0, 0] and (a % d).tolist() == [0, 0, 0]
    assert (a << 9).tolist() == [0, 0, 0] and (a >> 9).tolist() == [-1, 0, -1]
    assert kn.pow(kn.asarray([0, 1, -1, 2]), kn.asarray([-1, -1, -3, -1])).tolist() == [0, 1, -1, 0]


def test_updates_give_changed_copies():
    x = kn.zeros(4)
    i = kn.asarray([1, 1, 3])
    assert x.at[i].add(1).tolist() == [0, 2, 0, 1] and x.at[1:3].set(5).tolist() == [0, 5, 5, 0]
    assert x.at[i].max(2).tolist() == [0, 2, 0, 2] and x.at[i].min(-1).tolist() == [0, -1, 0, -1] and (x + 1).at[i].multiply(3).tolist() == [1, 9, 1, 3]
    assert x.at[1].add(7).tolist() == [0, 7, 0, 0] and x.at[i].get().tolist() == [0, 0, 0] and x.tolist() == [0] * 4
    same_bits(kn.jit(lambda a, k: a.at[k].add(1))(x, i), x.at[i].add(1))
    half = kn.astype(x, kn.float16)
    assert half.at[i].add(0.5).tolist() == [0, 1, 0, 0.5]


@pytest.mark.parametrize("shape, window, how", [
    ((2, 7, 3), (3, 3, 4), {}), ((1, 8, 2), (3, 2, 2), {"strides": 2, "padding": 1}), ((1, 9, 4), (3, 2, 6), {"groups": 2, "dilation": 2}), ((2, 5, 6, 3), (3, 2, 3, 5), {"padding": ((1, 1), (0, 1))}),
    ((1, 4, 5, 3, 2), (2, 2, 2, 2, 3), {"strides": (1, 2, 1)})])
def test_convolution(shape, window, how, rng):
    x, w = rng.normal(size=shape).astype("f"), rng.normal(size=window).astype("f")
    got = kn.convolution(kn.asarray(x), kn.asarray(w), **how)
    spatial = len(shape) - 2

    def each(v):
        return v if isinstance(v, tuple) else (v,) * spatial

    strides, dilation, groups = each(how.get("strides", 1)), each(how.get("dilation", 1)), how.get("groups", 1)
    pads = [(p, p) if isinstance(p, int) else p for p in each(how.get("padding", 0))]
    padded = numpy.pad(x.astype("d"), [(0, 0), *pads, (0, 0)])
    want = numpy.zeros(got.shape)
    channels, filters = window[-2], window[-1] // groups
    for o in numpy.ndindex(got.shape[1:-1]):
        for t in numpy.ndindex(window[:spatial]):
            at = padded[(slice(None), *(a * s + b * d for a, s, b, d in zip(o, strides, t, dilation)))]
            for g in range(groups):
                want[(slice(None), *o, slice(g * filters, (g + 1) * filters))] += at[:, g * channels:(g + 1) * channels] @ w[t][:, g * filters:(g + 1) * filters]
    numpy.testing.assert_allclose(got.numpy(), want, rtol=1e-4, atol=1e-5)
    jitted = kn.jit(eval(f"lambda a, b: kn.convolution(a, b, **{how!r})", {"kn": kn}))
    same_bits(jitted(kn.asarray(x), kn.asarray(w)), got)
    assert not jitted.explain().variants[0]["eager"]


@pytest.mark.parametrize("dtype", [t.name for t in kn._dtypes.ALL])
def test_every_dtype_travels(dtype):
    """Lists, text, pickles, copies, DLPack and bytes."""
    x = kn.asarray([0, 1, 1], dtype=dtype)
    assert x.tolist() == [0, 1, 1] and dtype in repr(x) and kn.isdtype(x.dtype, x.dtype) and str(x.dtype) == dtype
    for other in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x), kn.from_dlpack(x), kn.asarray(x, copy=True), x[:], x.reshape(3)):
        same_bits(other, x)
    capsule = x.__dlpack__(max_version=(1, 0))
    assert "dltensor_versioned" in repr(capsule)
    assert kn.asarray([], dtype=dtype).shape == (0,) and kn.zeros((2, 0), dtype=dtype).tolist() == [[], []]
    x[1:] = x[:1]
    assert x.tolist() == [0, 0, 0] and x.itemsize * 3 == x.nbytes and f"<small>3, {dtype}</small>" in x._repr_html_()


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_dtypes_that_numpy_knows_through_ml_dtypes(name, rng, monkeypatch):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    theirs = getattr(ml_dtypes, name)
    x = (rng.normal(size=20000) * 10.0 ** rng.integers(-8, 8, 20000)).astype("f")
    x[:5] = 0, -0.0, numpy.inf, -numpy.inf, numpy.nan
    want = x.astype(theirs)
    got = kn.astype(kn.asarray(x), name)
    bits = f"u{want.itemsize}"
    assert got.numpy().dtype == theirs and numpy.asarray(got).dtype == theirs and kn.asarray(want).dtype == name and getattr(kn, name) == theirs
    nan = numpy.isnan(want.astype("f"))
    numpy.testing.assert_array_equal(got.numpy().view(bits)[~nan], want.view(bits)[~nan])
    assert numpy.isnan(got.numpy()[nan].astype("f")).all()
    shared = kn.asarray(want)
    shared[0] = 1
    assert want[0] == 1 and kn.astype(shared, kn.float32).tolist()[0] == 1
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    with pytest.raises(kn.DTypeError, match="numpy: dtype: expected one that NumPy has, got"):
        got.numpy()


def test_dlpack_shares_memory():
    a = numpy.arange(6, dtype="f").reshape(2, 3)
    x = kn.from_dlpack(a)
    x[0] = 9
    assert a[0].tolist() == [9, 9, 9]
    b = numpy.from_dlpack(x.T)
    b[0, 1] = 5
    assert x.tolist()[1][0] == 5 and kn.from_dlpack(a, copy=True) is not x
    y = kn.from_dlpack(a, copy=True)
    y[...] = 0
    assert a[0, 0] == 9


def test_numbers_and_dtypes():
    assert kn.result_type(kn.int8, 3.0) is kn.float32 and kn.result_type(kn.float16, kn.bfloat16) is kn.float32 and kn.result_type(kn.float64, 1j) is kn.complex128
    assert kn.can_cast(kn.int8, kn.int16) and not kn.can_cast(kn.float64, kn.float32) and kn.can_cast(kn.uint8, kn.int16) and kn.can_cast(kn.int64, kn.float32)
    assert kn.isdtype(kn.bfloat16, "real floating") and kn.isdtype(kn.uint8, ("bool", "integral")) and not kn.isdtype(kn.complex64, "real floating")
    assert (kn.asarray([1], dtype=kn.int32) + 1j).dtype is kn.complex64 and (kn.asarray([1.0], dtype=kn.float16) * 2.0).dtype is kn.float16
    assert kn.asarray(2**63).dtype is kn.uint64 and complex(kn.asarray(1 + 2j)) == 1 + 2j and kn.finfo(kn.bfloat16).eps == 2**-7 and kn.finfo(kn.complex64).bits == 32
    info = kn.__array_namespace_info__()
    assert info.default_device() == "cpu" and info.devices() == ("cpu",) and info.default_dtypes()["indexing"] is kn.int64 and "int8" in info.dtypes(kind="integral")
    assert info.capabilities()["boolean indexing"] and kn.zeros(2).__array_namespace__() is kn


@pytest.mark.parametrize("n", [0, 1, 7, 31, 32, 33, 64, 100, 255, 256, 1000, 70_001])
@pytest.mark.parametrize("density", [0, 0.002, 0.2, 0.9, 1])
def test_positions_of_masks(n, density, rng):
    """Blocks without, with some, and full of true elements; the last one whole, or not."""
    mask, x = rng.random(n) < density, rng.standard_normal(n)
    m, v = kn.asarray(mask), kn.asarray(x)
    same_bits(kn.nonzero(m)[0], numpy.nonzero(mask)[0])
    same_bits(v[m], x[mask])
    runs = mask & (numpy.arange(n) % 97 < 40)  # true ones beside each other
    same_bits(v[kn.asarray(runs)], x[runs])
    v[m] = kn.asarray(x[mask] * 2)
    x[mask] = x[mask] * 2
    same_bits(v, x)


@pytest.mark.parametrize("step", [1, 2, 5])
def test_products_with_strided_vectors(step, rng):
    """The bits of a vector that lies in one piece."""
    a = kn.asarray(rng.standard_normal((37, 45)))
    column, row = a[::step, 3], a[2, ::step]
    same_bits(column @ a[::step, 3:], (column * 1) @ (a[::step, 3:] * 1))
    same_bits(a[:, ::step] @ row, (a[:, ::step] * 1) @ (row * 1))
    same_bits(row @ a.T[::step], (row * 1) @ (a.T[::step] * 1))


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint16", "float16", "float32", "float64", "complex64", "complex128"])
def test_choices_between_numbers_rows_and_arrays(dtype, rng):
    """One value for all elements, one a row, one an element, on either side."""
    for shape in ((1,), (7,), (1000,), (3, 5), (40, 33), (5, 1), (2, 3, 17)):
        m, x, y = rng.random(shape) < 0.4, (rng.standard_normal(shape) * 9).astype(dtype), (rng.standard_normal(shape) * 9).astype(dtype)
        one, row = x.reshape(-1)[0].reshape(()), x[..., :1]
        for a, b in ((one, y), (x, one), (one, one), (row, y), (x, row), (row, row), (x, y), (x[..., ::-1], one), (one, y[..., ::-1])):
            same_bits(kn.where(*(kn.asarray(v) for v in (m, a, b))), numpy.where(m, a, b))
        z = kn.asarray(x)
        z = z * 1 if dtype != "bool" else z | False
        z[kn.asarray(m)] = kn.asarray(one)
        x = x.copy()
        x[m] = one
        same_bits(z, x)


def test_masks_without_axes_that_select_nothing():
    x = kn.asarray(3.0)
    x[kn.asarray(False)] = kn.zeros((0,))
    assert x.item() == 3
    with pytest.raises(kn.ShapeError, match="assignment: shape of the value: expected one that repeats to"):
        x[kn.asarray(True)] = kn.zeros((0,))


@pytest.mark.parametrize("n, m, k", itertools.product((0, 1, 3, 4), (None, 0, 2, 5), (-5, -1, 0, 2, 5)))
def test_positions_of_triangles(n, m, k):
    for name in ("tril_indices", "triu_indices"):
        for result, expected in zip(getattr(kn, name)(n, k, m), getattr(numpy, name)(n, k, m)):
            assert result.dtype == kn.int64
            numpy.testing.assert_array_equal(result.numpy(), expected)


@pytest.mark.parametrize("n", [10, 3000])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint16"])
def test_positions_in_shapes(n, dtype, rng):
    at, shape = rng.integers(0, 6000, n).astype(dtype), (20, 300)
    for f in (kn.unravel_index, kn.jit(kn.unravel_index, static_argnums=1)):
        for result, expected in zip(f(kn.asarray(at), shape), numpy.unravel_index(at, shape)):
            assert result.dtype == kn.int64
            numpy.testing.assert_array_equal(result.numpy(), expected)
    for wrong in (6000, *([-1] if dtype != "uint16" else [])):
        at[n // 2] = wrong
        with pytest.raises(kn.IndexError, match="expected one in"):
            kn.unravel_index(kn.asarray(at), shape)


@pytest.mark.parametrize("n", [3, 100])
def test_blocks_of_many_elements(n, rng):
    a, b, c = (rng.normal(size=s).astype("f") for s in ((n, n), (n, 2 * n), (2, 3 * n)))
    for f in (kn.block, kn.jit(kn.block)):
        numpy.testing.assert_array_equal(f([[kn.asarray(a), kn.asarray(b)], [kn.asarray(c)]]).numpy(), numpy.block([[a, b], [c]]))
    with pytest.raises(kn.ShapeError, match="concat: shapes of operands differ"):
        kn.block([[kn.asarray(a), kn.asarray(c)]])


@pytest.mark.parametrize("n", [0, 1, 5, 2000])
def test_lines_of_numbers_are_those_of_their_formula(n):
    for dtype in ("float32", "float64"):
        i = numpy.arange(n).astype(dtype)
        same_bits(kn.arange(n, dtype=getattr(kn, dtype)), i)
        same_bits(kn.arange(3, 3 + n, dtype=getattr(kn, dtype)), i + numpy.array(3, dtype))
    for first, last in ((0.0, 1.0), (0.0, -1.0), (0.0, -0.0), (2.5, -3.5)):
        expected = numpy.arange(n) * ((last - first) / max(n - 1, 1)) + first
        expected[n - 1:] = last if n > 1 else expected[n - 1:]
        same_bits(kn.linspace(first, last, n, dtype=kn.float64), expected)
