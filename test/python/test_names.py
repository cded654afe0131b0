"""NumPy's names and forms: each row is one expression, evaluated over NumPy and over Kiln, in eager and under jit, for several dtypes."""
import importlib
import inspect

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

# `n` is the namespace; x (4, 5), y (5, 6), s (3, 3), v (12,), w (12,), k (5,) are floats or integers; i are small integers, b bools.
ROWS = """
n.sum(x, 0); n.sum(x, axis=(0, 1), keepdims=True); n.sum(x, 1, initial=3); n.sum(x, where=x > 0); n.prod(v[:5], 0); n.max(x, 1); n.min(x, -1, keepdims=True); n.max(x, initial=100)
n.max(x, 1, where=x > 1, initial=-9); n.mean(x, 0); n.mean(x, where=x > 0); n.std(x, 1); n.std(x, ddof=1); n.var(x, 0, ddof=2); n.var(x, where=x > 0); n.argmax(x, 1); n.argmin(x, 0, keepdims=True); n.any(x > 3, 0)
n.all(b); n.ptp(x, 1); n.cumsum(x, 1); n.cumprod(v[:6]); n.diff(x, 1, 0); n.diff(v, n=2, prepend=0); n.clip(x, -1, 2); n.round(x * 1.5, 1); n.around(v * 3.25, 1); n.median(x, (0, 1)); n.median(x, 0); n.average(x, 1)
n.percentile(v, [5, 50, 95]); n.quantile(x, 0.3, 1); n.quantile(x, [0.1, 0.9], axis=(0, 1), keepdims=True); n.quantile(v, 0.4, method="lower"); n.quantile(v, 0.4, method="higher"); n.quantile(v, 0.37, method="midpoint")
n.quantile(v, 0.4, method="nearest"); n.quantile(v, [0.1, 0.4, 0.75], method="hazen"); n.quantile(v, [0.1, 0.4, 0.75], method="weibull"); n.quantile(v, [0.1, 0.25, 0.75], method="inverted_cdf")
n.quantile(v, [0.1, 0.25, 0.75], method="averaged_inverted_cdf"); n.quantile(v, [0.1, 0.25, 0.75], method="closest_observation"); n.quantile(v, [0.1, 0.25, 0.75], method="median_unbiased")
n.quantile(v, [0.1, 0.25, 0.75], method="normal_unbiased"); n.quantile(v, [0.1, 0.25, 0.75], method="interpolated_inverted_cdf"); n.cov(x); n.cov(x, rowvar=False); n.cov(v, w); n.cov(x, bias=True); n.corrcoef(x); n.corrcoef(v, w)
n.cov(v, w, fweights=i); n.cov(v, w, aweights=i)
n.stack([x, x], 1); n.stack((v, w)); n.concatenate([x, x], 1); n.concatenate((x, x), axis=None); n.vstack([v, w]); n.hstack([x, x]); n.dstack([v, w]); n.column_stack([v, w]); n.append(v, w); n.append(x, x, 0)
n.array_split(v, 5)[1]; n.array_split(v, 5)[4]; n.split(v, 3)[1]; n.split(v, [2, 5])[2]; n.hsplit(x, [2])[1]; n.vsplit(x, 2)[0]; n.dsplit(n.dstack([v, w]), 2)[1]; n.block([[s, s], [s, s]]); n.repeat(x, 2, 1); n.repeat(v, 3)
n.repeat(x, [1, 0, 2, 3], 0); n.tile(v, 2); n.tile(x, (2, 1, 2)); n.tile(s, (2, 2)); n.insert(v, 3, 7); n.insert(v, [1, 4], [7, 8]); n.insert(x, 1, 5, axis=0); n.delete(v, 3); n.delete(x, [0, 2], 1); n.delete(v, slice(2, 9, 3)); n.resize(v, (5, 7))
n.flip(x, 0); n.fliplr(x); n.flipud(x); n.roll(x, 2); n.roll(x, (1, 2), (0, 1)); n.rot90(x); n.rollaxis(n.dstack([s, s]), 2); n.moveaxis(n.dstack([s, s]), 0, -1); n.swapaxes(x, 0, 1); n.atleast_3d(x); n.expand_dims(x, (0, 2)); n.ravel(x, order="F")
n.reshape(x, (2, 10), order="F"); n.squeeze(x[None]); n.transpose(x); n.broadcast_to(v, (2, 12)); n.pad(x, 1); n.pad(v, (2, 3), "constant", constant_values=(4, 6)); n.pad(x, ((1, 2), (0, 3)), "edge"); n.pad(v, 5, "reflect"); n.pad(v, 30, "reflect")
n.pad(x, 2, "symmetric"); n.pad(v, 30, "symmetric"); n.pad(x, (1, 3), "wrap"); n.pad(v, 20, "wrap"); n.pad(x, 2, "maximum"); n.pad(x, 2, "minimum"); n.pad(v * 1.0, 3, "mean"); n.pad(v * 1.0, 2, "median"); n.pad(v * 1.0, 4, "linear_ramp", end_values=(1, 2))
n.pad(v, 4, "reflect", reflect_type="odd"); n.pad(x, 1, "maximum", stat_length=2); n.trim_zeros(i)
n.diag(v, 1); n.diag(x); n.diagflat(s); n.trace(s); n.trace(x, 1); n.tril(x, 1); n.triu(x, -1); n.tri(3, 4, 1); n.eye(3, 4, 1); n.identity(3); n.vander(v[:4]); n.vander(v[:4], 3, increasing=True); n.tril_indices(4)[1]; n.triu_indices(3, 1, 5)[0]
n.diag_indices(3)[0]; n.indices((2, 3)); n.meshgrid(v, w)[0]; n.meshgrid(v, w, indexing="ij")[1]; n.meshgrid(v, w, sparse=True)[1]
n.sort(x, 0); n.sort(x, axis=None); n.argsort(v, kind="stable"); n.partition(v, 4)[4]; n.lexsort((i, v)); n.searchsorted(n.sort(v), w); n.searchsorted(n.sort(v), w, "right"); n.digitize(v, n.sort(w)); n.digitize(v, n.sort(w)[::-1], True)
n.unique(i); n.unique(i, return_counts=True)[1]; n.unique(i, return_inverse=True)[1]; n.unique(i, return_index=True)[1]; n.unique(n.stack([i % 2, i % 3]), axis=1); n.intersect1d(i, i[:4]); n.union1d(i, v); n.setdiff1d(v, i); n.setxor1d(i, i[:3])
n.isin(i, [1, 2]); n.isin(v, w); n.isin(i, 3, invert=True)
n.where(i, v, w); n.where(v > 0, v, 0); n.take(x, [0, 2], 1); n.take(v, 30, mode="wrap"); n.take(v, [-5, 30], mode="clip"); n.take_along_axis(x, n.argsort(x, 1), 1); n.compress(b, v); n.compress([True, False, True], x, 0); n.extract(b, v)
n.select([v > 1, v > 0], [v, w], -1); n.choose(i % 2, [v, w]); n.piecewise(v, [v > 0], [lambda t: t * 2, 1]); x[n.ix_([0, 2], [1, 3])]; n.apply_along_axis(lambda t: t[0] + t[-1], 1, x); n.argwhere(x > 0); n.nonzero(v)[0]; n.flatnonzero(v > 0)
n.count_nonzero(x > 0, 1); n.unravel_index(7, (3, 4))[0]
n.inner(v, w); n.inner(x, x); n.kron(x, s); n.kron(v, w); n.vdot(x, x); n.outer(v, w); n.dot(x, y); n.tensordot(x, y, 1); n.cross(s, s[::-1]); n.einsum("ij,jk", x, y); n.einsum("ij->j", x); n.einsum("ii->i", s); n.einsum("ij,jk,kl->il", x, y, y.T)
n.einsum("i,j->ij", v, w); n.einsum("...j,j", x, k); n.einsum("ij,ij->", x, x); n.einsum(x, [0, 1], y, [1, 2]); n.vecdot(x, x)
n.histogram(v, 4)[0]; n.histogram(v, 4)[1]; n.histogram(v, [-2, 0, 3])[0]; n.histogram(v, 3, (-1, 2))[0]; n.histogram(v, 4, weights=w)[0]; n.histogram(v, 4, density=True)[0]; n.bincount(i); n.bincount(i, v); n.bincount(i, minlength=20); n.histogram2d(v, w, 3)[0]
n.interp(v, [-1.0, 0.0, 2.0], [3.0, 4.0, 1.0]); n.interp(v, [-1.0, 0.0, 2.0], [3.0, 4.0, 1.0], left=9, right=8); n.interp(v, [0.0, 1.0, 2.0], [3.0, 4.0, 1.0], period=3); n.trapezoid(x); n.trapezoid(v, n.cumsum(n.abs(w) + 1)); n.trapezoid(x, dx=0.5, axis=0)
n.gradient(v * 1.0); n.gradient(x * 1.0)[1]; n.gradient(v * 1.0, 0.5, edge_order=2); n.gradient(v * 1.0, n.cumsum(n.abs(w) + 1)); n.ediff1d(x); n.convolve(v, w[:4]); n.convolve(v, w[:4], "same"); n.convolve(v, w[:4], "valid"); n.correlate(v, w[:5])
n.correlate(v, w[:4], "full"); n.correlate(v[:3], w, "same"); n.polyval([2, -1, 3], v); n.polyfit(v * 1.0, w * 1.0, 2); n.polymul([1, 2], [3, 4, 5]); n.polyadd([1, 2], [3, 4, 5]); n.polysub([1, 2], [3, 4, 5]); n.polyder([3, 2, 1]); n.polyint([3, 2, 1])
n.sort(n.roots([1.0, -6.0, 11.0, -6.0]).real); n.poly([1.0, 2.0, 3.0]); n.unwrap(v * 3.0); n.hanning(7); n.hamming(7); n.blackman(7); n.bartlett(7); n.linspace(0, 1, 5, False); n.linspace(v, w, 4); n.logspace(0, 2, 5); n.geomspace(1, 256, 9); n.linspace(2, 3, 5, retstep=True)[0]
n.nansum(q, 0); n.nanprod(q[0]); n.nanmax(q, 1); n.nanmin(q, 0); n.nanmean(q, 1); n.nanvar(q, 0); n.nanstd(q); n.nanmedian(q, 0); n.nanmedian(q); n.nanpercentile(q, [20, 60], axis=1); n.nanquantile(q, 0.4); n.nanargmax(q, 1); n.nanargmin(q, 0); n.nancumsum(q, 1); n.nancumprod(q[1])
n.cbrt(v); n.sinc(v); n.heaviside(v, 0.5); n.fmax(q, 0.0); n.fmin(q, q[::-1]); n.gcd(i, 6); n.lcm(i, 4); n.logaddexp2(v * 1.0, w * 1.0); n.divmod(v, 3)[0]; n.divmod(v, 3)[1]; n.modf(v * 1.5)[0]; n.modf(v * 1.5)[1]; n.float_power(n.abs(v), 2.5)
n.deg2rad(v); n.rad2deg(v); n.degrees(v); n.radians(v); n.fabs(v); n.frexp(v * 1.0)[0]; n.frexp(v * 1.0)[1]; n.ldexp(v * 1.0, i); n.spacing(v * 1.0); n.angle(v + 1j * w); n.angle(v + 1j, deg=True); n.isposinf(q); n.isneginf(q); n.iscomplex(v + 1j); n.nan_to_num(q, nan=3.0)
n.full((2, 3), 7); n.full(3, v[:3]); n.zeros_like(x); n.ones_like(x, shape=(2,)); n.full_like(x, 3); n.array([1, 2, 3], ndmin=2); n.array([[1.5, 2], [3, 4]]); n.asarray([x[0], x[1]]); n.apply_over_axes(n.sum, x, [0, 1])
x.sum(0); x.max(1); x.mean(axis=0, keepdims=True); x.std(ddof=1); x.argsort(1, kind="stable"); x.repeat(2, 0); x.take([0, 1], 0); (x * 1.5).round(1); x.cumsum(1); x.cumprod(0); x.diagonal(); x.trace(); x.swapaxes(0, 1); x.clip(0, 1); x.ravel(); x.flatten(); x.all(); x.prod(1); x.var(0)
"""
EXPRESSIONS = [e.strip() for line in ROWS.strip().splitlines() for e in line.split("; ")]
# Results whose size depends on values: under jit the function runs in eager, which is not counted here.
SIZED_BY_VALUES = ("unique", "nonzero", "argwhere", "compress", "extract", "trim_zeros", "roots", "1d(", "bincount(i", "repeat(x, [1", "repeat(v, [", "histogram2d", "poly")


def operands(dtype):
    rng = np.random.default_rng(3)

    def make(*shape):
        return rng.normal(size=shape).astype(dtype) * 2 if np.dtype(dtype).kind == "f" else rng.integers(-4, 5, shape).astype(dtype)

    q = rng.normal(size=(4, 5)).astype(dtype if np.dtype(dtype).kind == "f" else "float32")
    q[rng.random(q.shape) < 0.2] = np.nan
    return {"x": make(4, 5), "y": make(5, 6), "s": make(3, 3), "v": make(12), "w": make(12), "k": make(5), "q": q, "i": rng.integers(0, 5, 12), "b": rng.random(12) < 0.5}


@pytest.fixture(params=["float32", "float64", "int32"])
def space(request):
    """The operands of a dtype for both libraries; the default dtype follows float64 for it."""
    before = kn.get_default_dtype()
    if request.param != "float32":
        kn.set_default_dtype(kn.float64)
    theirs = operands(request.param)
    yield request.param, theirs, {name: kn.asarray(a) for name, a in theirs.items()}
    kn.set_default_dtype(before)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_numpy(expression, space):
    dtype, theirs, ours = space
    with np.errstate(all="ignore"):
        want = np.asarray(eval(expression, {"n": np, **theirs}))
    scope = {"n": kn}
    names = [name for name in ours if name != "n"]
    exec(f"def f({', '.join(names)}):\n    return {expression}", scope)
    got = scope["f"](**ours)
    got = kn.asarray(got) if not isinstance(got, kn.Array) else got
    assert got.shape == want.shape, (got.shape, want.shape)
    stays = want.dtype.kind == "f" or "quantile" not in expression  # quantiles of integers are floating here
    assert np.dtype(got.dtype.name).kind == want.dtype.kind or not stays, (got.dtype, want.dtype)
    rtol = 3e-5 if dtype == "float32" or got.dtype.name == "float32" else 1e-11
    scale = np.abs(np.nan_to_num(want.astype("c16") if want.dtype.kind == "c" else want.astype("f8"))).max(initial=1)
    np.testing.assert_allclose(got.numpy().astype(want.dtype), want, rtol=rtol, atol=rtol * scale)
    if "lambda" not in expression and not any(part in expression for part in SIZED_BY_VALUES):
        same_bits(kn.jit(scope["f"])(**ours), got)


def test_every_public_function_is_documented():
    before = kn.get_default_dtype()
    spaces = importlib.import_module("kiln.numpy")
    kn._core.set_default_dtype(before)
    for module in (spaces, kn, kn.random, kn.special, kn.linalg, kn.fft):
        for name in dir(module):
            value = getattr(module, name)
            if not name.startswith("_") and callable(value) and not inspect.ismodule(value) and not isinstance(value, kn.DType):
                assert value.__doc__, f"{module.__name__}.{name}"


def test_results_are_written_into_out():
    x = kn.asarray([[3.0, 1.0], [2.0, 5.0]])
    out = kn.zeros(2)
    for function in (kn.sum, kn.prod, kn.max, kn.min, kn.mean, kn.std, kn.var, kn.median):
        assert function(x, 0, out=out) is out
        same_bits(out, function(x, 0))
    assert kn.matmul(x, x, out=(wide := kn.zeros((2, 2)))) is wide and wide.tolist() == (x @ x).tolist()
    step = kn.jit(lambda a, o: kn.sum(a, 1, out=o))
    step(x, out)
    assert out.tolist() == [4, 7]
    with pytest.raises(kn.ShapeError, match=r"sum: out: expected an array of shape \(2,\), got \(3,\)"):
        kn.sum(x, 0, out=kn.zeros(3))
    with pytest.raises(kn.DTypeError, match="sum: out: expected a dtype that float32 converts to, got int64"):
        kn.sum(x, 0, out=kn.zeros(2, kn.int64))
    with pytest.raises(kn.DTypeError, match="sum: out: expected an array, got list"):
        kn.sum(x, 0, out=[0, 0])


@pytest.mark.parametrize("change", [
    lambda n, x: n.fill_diagonal(x, 7), lambda n, x: n.put(x, [0, 5], [8, 9]), lambda n, x: n.put(x, [30], 1, mode="wrap"), lambda n, x: n.putmask(x, x > 0, [1, 2, 3]),
    lambda n, x: n.place(x, x > 0, [5, 6]), lambda n, x: n.copyto(x, 3, where=x < 0), lambda n, x: n.put_along_axis(x, n.argmax(x, 1, keepdims=True), 99, 1),
    lambda n, x: x.sort(0), lambda n, x: x.fill(4), lambda n, x: x.partition(2)])
def test_changes_in_place(change, rng):
    theirs = rng.normal(size=(4, 5))
    ours = kn.asarray(theirs, copy=True)
    change(np, theirs)
    change(kn, ours)
    if change.__code__.co_names[-1] == "partition":
        theirs.sort(), ours.sort()
    np.testing.assert_array_equal(ours.numpy(), theirs)


def test_the_largest_elements(rng):
    x = rng.normal(size=(3, 7))
    values, at = kn.top_k(kn.asarray(x), 3)
    np.testing.assert_array_equal(values.numpy(), -np.sort(-x, 1)[:, :3])
    np.testing.assert_array_equal(np.take_along_axis(x, at.numpy(), 1), values.numpy())
    assert kn.top_k(kn.asarray([3, 1, 2]), 2, largest=False)[0].tolist() == [1, 2]


def test_scans_of_logarithms(rng):
    x = rng.normal(size=(2, 50)) * 10
    np.testing.assert_allclose(kn.logcumsumexp(kn.asarray(x)).numpy(), np.logaddexp.accumulate(x, 1), rtol=1e-13)
    np.testing.assert_allclose(kn.log_softmax(kn.asarray(x)).numpy(), x - np.log(np.exp(x).sum(1, keepdims=True)), rtol=1e-12)


@pytest.mark.parametrize("formula, shapes", [
    ("ab,bc,cd,de->ae", [(3, 4), (4, 5), (5, 2), (2, 6)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("abc,cd,be->ade", [(2, 3, 4), (4, 5), (3, 6)]), ("a,ab,abc->abc", [(2,), (2, 3), (2, 3, 4)]),
    ("iij,jk->ik", [(3, 3, 4), (4, 5)]), ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]), ("ab,ab,ab->", [(3, 4)] * 3), ("ij,kl,mn->", [(2, 3), (3, 2), (2, 2)]), ("ab->ba", [(1, 3)])])
def test_sums_of_products(formula, shapes, rng):
    arrays = [rng.normal(size=s) for s in shapes]
    want = np.einsum(formula, *arrays)
    for optimize in (True, False, "greedy"):
        got = kn.einsum(formula, *map(kn.asarray, arrays), optimize=optimize)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)
    from kiln import _einsum
    sizes = {c: n for term, s in zip(formula.split("->")[0].replace("...", "").split(","), shapes) for c, n in zip(term, s[-len(term):])}
    terms = tuple(formula.split("->")[0].replace("...", "").split(","))
    for search in (_einsum._best, _einsum._greedy):  # without opt_einsum
        assert len(search(terms, formula.split("->")[1].replace("...", ""), sizes)) == len(terms) - 1


def test_arrays_of_other_libraries_and_of_mixed_sequences():
    class Protocol:
        __array_interface__ = np.arange(3).__array_interface__
        keep = np.arange(3)

    class Converts:
        def __array__(self, dtype=None, copy=None):
            return np.ones(2)

    assert kn.asarray(Converts()).tolist() == [1, 1] and kn.asarray(range(3)).tolist() == [0, 1, 2]
    assert kn.asarray([np.int32(1), np.int32(2)]).dtype is kn.int32 and kn.asarray([np.float64(1)]).dtype is kn.float64
    assert kn.asarray([kn.asarray(1, dtype=kn.int16)] * 2).dtype is kn.int16 and kn.asarray([kn.ones(2), [3, 4]]).tolist() == [[1, 1], [3, 4]]
    assert kn.asarray([1.7, 2.0], dtype=kn.int64).tolist() == [1, 2] and kn.asarray([range(2), range(2)]).shape == (2, 2)
    assert kn.float32(3).dtype is kn.float32 and np.dtype(kn.float32) == np.float32 and np.zeros(2, dtype=kn.int8).dtype == np.int8


def test_numpy_functions_give_kiln_arrays(rng):
    x = kn.asarray(rng.normal(size=(3, 4)))
    a = x.numpy()
    for f in (np.sin, np.negative, np.sum, np.mean, np.std, np.cumsum, np.transpose, lambda v: np.add(v, a), lambda v: np.concatenate([v, a]), lambda v: np.where(v > 0, v, a),
              lambda v: np.linalg.norm(v), lambda v: np.fft.fft(v), lambda v: a + v, lambda v: v + a, lambda v: np.add.reduce(v), lambda v: np.float64(2) * v, lambda v: np.max(v, axis=1)):
        got, want = f(x), f(a)
        assert isinstance(got, kn.Array)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)
    a2 = a.copy()
    a2 += x
    np.testing.assert_array_equal(a2, a + a)
    with pytest.raises(TypeError):
        np.busday_count(x, x)
