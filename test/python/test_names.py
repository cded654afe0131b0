"""NumPy's names and forms: each expression of names.txt is evaluated over NumPy and over Kiln, in eager and under jit, for several dtypes."""
import importlib
import inspect
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

# In names.txt `n` is the namespace; x (4, 5), y (5, 6), s (3, 3), v (12,), w (12,), k (5,) are floats or integers; i are small integers, b bools.
EXPRESSIONS = [e for line in (pathlib.Path(__file__).parent / "names.txt").read_text().splitlines() for e in line.split("; ")]
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


def test_namespaces_hold_nothing_else():
    for module in (kn.fft, kn.special, kn.linalg):
        assert {n for n in dir(module) if not n.startswith("_") and not inspect.ismodule(getattr(module, n))} == {n for n in module.__all__ if not inspect.ismodule(getattr(module, n))}


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
    with pytest.raises(kn.DTypeError, match="numpy.datetime_as_string: expected NumPy arrays, or a function that Kiln has"):  # nothing is computed by NumPy unseen
        np.datetime_as_string(x)
    from scipy import special
    with pytest.raises(kn.DTypeError, match="jv: expected NumPy arrays, or a function that Kiln has, got a Kiln array"):
        special.jv(1, x)
    row, nothing = np.broadcast_arrays(x[0], None)  # as matplotlib's bars
    assert row.tolist() == a[0].tolist() and nothing.dtype == object


def test_nothing_is_computed_by_numpy():
    """Every row of names.txt in a process that cannot import NumPy or SciPy."""
    program = f"""
import sys
sys.modules["numpy"] = sys.modules["scipy"] = None
import kiln as kn
import kiln.numpy
kn._core.set_default_dtype(kn.float64)
g = kn.random.default_rng(0)
x, y, s, v, w, k, q = (g.normal(size=shape) for shape in ((4, 5), (5, 6), (3, 3), 12, 12, 5, (4, 5)))
i, b = g.integers(0, 5, 12), g.random(12) < 0.5
q[0, 1] = kn.nan
rows = [r for line in open({str(pathlib.Path(__file__).parent / "names.txt")!r}).read().splitlines() for r in line.split("; ")]
for row in rows:
    for n in (kn, kiln.numpy):
        eval(row)
for name in kn.random.__all__ + kn.special.__all__:
    assert callable(getattr(kn.random, name, None) or getattr(kn.special, name))
print(len(rows))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0 and int(run.stdout) == len(EXPRESSIONS), run.stderr


def test_elementwise_functions_take_numpys_forms():
    x = kn.asarray([1.0, 2.0, 3.0])
    out = kn.zeros(3)
    assert kn.exp([0, 0]).tolist() == [1, 1] and kn.add([1, 2], 1).tolist() == [2, 3] and kn.sin(x, out=out) is out and kn.multiply(x, x, x) is x
    assert x.tolist() == [1, 4, 9] and kn.add(x, 1, where=[True, False, True]).tolist() == [2, 0, 10] and kn.multiply(x, 2, dtype=kn.float64).dtype is kn.float64
    same_bits(kn.jit(lambda a: kn.add(a, [1, 2, 3]))(x), x + kn.asarray([1, 2, 3]))
    for call, message in ((lambda: kn.add(x), "add: arguments: expected 2 arrays, got 1"), (lambda: kn.exp(x, foo=1), "exp: arguments: expected out, where, dtype, .* by name, got 'foo'"),
                          (lambda: kn.exp("text"), "exp: operand: expected an array or a number, got str"), (lambda: kn.add(x, None), "add: operand: expected an array or a number, got NoneType")):
        with pytest.raises(kn.DTypeError, match=message):
            call()
