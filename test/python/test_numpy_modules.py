"""kiln.numpy's polynomial, testing, emath and lib, older classes, text files with gaps, weights of quantiles: against NumPy."""
import io

import numpy
import pytest

import kiln as kn
from test_numpy_namespace import np  # noqa: F401, the namespace, for every test


def plain(value):
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if hasattr(value, "coeffs"):
        return numpy.asarray(value.coeffs)
    if hasattr(value, "domain"):
        return [plain(value.coef), plain(value.domain), plain(value.window)]
    return value if value is None or isinstance(value, (int, float, str)) else numpy.asarray(value)


def same(ours, theirs):
    ours, theirs = plain(ours), plain(theirs)
    if isinstance(ours, list) and not isinstance(theirs, list):
        theirs = list(theirs)  # columns
    if isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            same(a, b)
    elif isinstance(theirs, numpy.ndarray):
        ours = numpy.asarray(ours)
        assert ours.shape == theirs.shape, (ours, theirs)
        numpy.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    else:
        assert ours == theirs or theirs != theirs


X, Y = numpy.linspace(0, 4, 15), numpy.cos(numpy.linspace(0, 4, 15))
ROWS = """P([1, 2, 3])(2.5); P([1, 2, 3])(n.asarray(X)); P([1, 2, 3]) + P([0, 1]); P([1, 2]) - 3; 3 - P([1, 2]); P([1, 2]) * P([1, -1, 2]); 2 * P([1, 2]); P([1, 2]) / 4; P([1, 2, 3, 4]) // P([1, 1]); P([1, 2, 3, 4]) % P([1, 1]); P([1, 2]) ** 3
divmod(P([1, 2, 3]), P([0, 1])); -P([1, 2]); P([1, 2, 3]).deriv(); P([1, 2, 3, 4]).deriv(2); P([1, 2, 3]).integ(); P([1, 2, 3]).integ(2, [1, 2], 0.5); P([1, 2, 3], [0, 4]).integ(lbnd=1); P([1, 2, 3], [0, 4]).deriv(); P([6, -5, 1]).roots()
P([6, -5, 1], [0, 4]).roots(); P.fit(X, Y, 3); P.fit(X, Y, 4).convert(); P.fit(X, Y, 2, w=X); P.fit(X, Y, 3, domain=[-1, 1]); P.fit(X, Y, [0, 2]); P.fromroots([1, 2, 3]); P.basis(3); P.identity([0, 3]); P([1, 2, 0, 0]).trim()
P([1, 2, 3]).cutdeg(1); P([1, 2, 3]).truncate(2); P([1, 2, 3]).degree(); len(P([1, 2])); P([1, 2, 3]).linspace(5); P([1, 2, 3], [0, 4]).mapparms(); P.fit(X, Y, 5)(X); P([1, 2]) == P([1, 2]); P([1, 2]) == P([1, 3])
n.polynomial.polynomial.polyval(X, [1, 2, 3]); n.polynomial.polynomial.polyval(X[:3], n.asarray([[1.0, 2], [3, 4], [5, 6]])); n.polynomial.polynomial.polyfit(X, Y, 3); n.polynomial.polynomial.polyroots([6, -5, 1]); n.polynomial.polynomial.polyfromroots([1, 2])
n.polynomial.polynomial.polyvander(X, 3); n.polynomial.polynomial.polyder([1, 2, 3, 4], 2); n.polynomial.polynomial.polyint([1, 2, 3], 1, 2, 0.5); n.polynomial.polynomial.polymul([1, 2], [3, 4]); n.polynomial.polynomial.polydiv([1, 2, 3], [1, 1]); n.polynomial.polynomial.polypow([1, 2], 3)
n.polynomial.chebyshev.chebval(X / 4, [1, 2, 3, 4]); n.polynomial.legendre.legval(X / 4, [1, 2, 3, 4]); n.polynomial.hermite.hermval(X / 4, [1, 2, 3, 4]); n.polynomial.laguerre.lagval(X / 4, [1, 2, 3, 4]); n.polynomial.legendre.leggauss(1); n.polynomial.legendre.leggauss(7)
n.polynomial.legendre.leggauss(40); n.polynomial.hermite.hermgauss(9); n.polynomial.chebyshev.chebgauss(5); n.poly1d([1, 2, 3])(2); n.poly1d([1, 2, 3])(n.asarray(X)); n.poly1d([0, 0, 1, 2]); n.poly1d([1, 2], True); n.poly1d([1, 2]) * n.poly1d([1, 3]); n.poly1d([1, 2]) + 1; 3 - n.poly1d([1, 2])
n.poly1d([1, 2]) ** 2; n.poly1d([1, 5, 6]) / n.poly1d([1, 2]); n.poly1d([1, 5, 6]) / 2; n.poly1d([1, 5, 6]).deriv(); n.poly1d([1, 5, 6]).integ(); n.poly1d([1, 5, 6]).r; n.poly1d([1, 5, 6]).o; n.poly1d([1, 5, 6])[2]; n.poly1d([1, 0, 1])(n.poly1d([1, 1])); n.poly1d([1, 2]) == n.poly1d([1, 2])
n.emath.sqrt([-4.0, 9.0]); n.emath.sqrt([4.0]); n.emath.log(-1.0); n.emath.log2([-8.0, 2]); n.emath.log10(-100.0); n.emath.logn(2, [-4, 8]); n.emath.power([-8.0, 2], 0.5); n.emath.arccos(2.0); n.emath.arcsin([0.5, 3.0]); n.emath.arctanh(2.0)
n.lib.stride_tricks.sliding_window_view(n.asarray(X), 4); [float(v) for v in n.nditer(n.asarray(X[:3]))]; [(float(a), int(b)) for a, b in n.nditer([n.asarray(X[:2]), n.asarray([[1], [2]])])]
n.quantile(Y, [0.0, 0.3, 0.5, 1.0], weights=X, method="inverted_cdf"); n.quantile(Y.reshape(3, 5), 0.4, axis=1, weights=[1, 0, 2, 3, 1], method="inverted_cdf"); n.percentile(Y.reshape(3, 5), [20, 70], axis=0, weights=X.reshape(3, 5) + 1, method="inverted_cdf", keepdims=True)
n.nanquantile([1.0, n.nan, 3, 2], 0.5, weights=[1, 9, 1, 3], method="inverted_cdf"); n.nanpercentile([1.0, n.nan, 3, 2], [10, 99], weights=[0, 9, 1, 3], method="inverted_cdf"); n.quantile([1.0, n.nan, 3], 0.5, weights=[1, 1, 1], method="inverted_cdf")
n.polyfit(X, Y, 2, cov=True); n.polyfit(X, Y, 2, cov="unscaled"); n.polyfit(X, Y, 2, full=True)[:4]; n.polyfit(X, n.stack([Y, X], 1), 2, cov=True)[1]
n.partition(n.asarray([3, 1, 2]), kth=1, kind="introselect")[1]; n.select(condlist=[n.asarray([True, False])], choicelist=[n.asarray([1, 2])], default=9); n.geomspace([1.0, 2.0], [8.0, -2.0][:1] + [32.0], 4); n.geomspace(n.asarray([1.0, 2.0]), 8.0, 3, axis=1)
n.nanmean(n.asarray([[1.0, n.nan], [3, 4]]), axis=0, where=n.asarray([[True, True], [False, True]])); n.nanvar(n.asarray([1.0, n.nan, 5]), where=n.asarray([True, True, True])); n.nanstd(n.asarray([1.0, n.nan, 5, 7]), ddof=1, mean=n.asarray([4.0])); n.intersect1d(ar1=[1, 2], ar2=[2, 3])
n.setdiff1d([1, 2, 3], ar2=[2]); n.union1d([1, 2], ar2=[5]); n.setxor1d(ar1=[1, 2], ar2=[2, 5]); [0] * n.asarray([2, 1]).max(); n.asarray([2, 1])[0] * [1, 2]; (7,) * n.asarray([2, 1]).sum()
n.genfromtxt(["1,2,3", "4,,6"], delimiter=","); n.genfromtxt(["a b", "1 2", "3 x"], skip_header=1); n.genfromtxt(["1 2 # c", "", "3 4"], dtype=int, usecols=1); n.genfromtxt(["1;2", "3;?"], delimiter=";", missing_values="?", filling_values=7.5); n.genfromtxt(["a,b", "1,2"], delimiter=",", skip_header=1, unpack=True)
n.loadtxt(["1,2", "3,4"], delimiter=",", converters={0: lambda s: float(s) * 2}); n.loadtxt(["1 2", "3 4"], dtype=int, unpack=True); n.loadtxt(["1+2j", "3"], dtype=complex); n.loadtxt(["12345678901234567"], dtype=int); n.loadtxt(["% 1", "2 3"], comments="%", ndmin=2); n.loadtxt(["0x10 1"], converters=lambda s: float(int(s, 0)))"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ROWS.replace("\n", "; ").split("; "))
def test_as_numpy(row, np):
    scope = [{"n": n, "P": n.polynomial.Polynomial, "X": n.asarray(X) if n is np else X, "Y": n.asarray(Y) if n is np else Y} for n in (np, numpy)]
    ours, theirs = (eval(row, s) for s in scope)
    if ".roots()" in row or ".r" in row[-3:] or "polyroots" in row:
        theirs = numpy.asarray(theirs).astype(complex)
    same(ours, theirs)


def test_paths_of_modules():
    from kiln.numpy.fft import rfft
    from kiln.numpy.lib.stride_tricks import sliding_window_view
    from kiln.numpy.linalg import norm
    from kiln.numpy.polynomial import Polynomial
    from kiln.numpy.polynomial.polynomial import polyval
    from kiln.numpy.random import default_rng
    from kiln.numpy.testing import assert_allclose
    import kiln.numpy.linalg as la
    assert la.norm is norm and polyval(2.0, [1, 2]).item() == 5 and Polynomial([1, 2])(2).item() == 5 and all(map(callable, (rfft, sliding_window_view, default_rng, assert_allclose)))


def test_elements_may_be_written(np):
    a = np.zeros((2, 3))
    for x in np.nditer(a, op_flags=["readwrite"]):
        x[...] = x + 2
    assert a.tolist() == [[2] * 3] * 2
    it, seen = np.nditer(np.arange(4).reshape(2, 2), flags=["multi_index"]), []
    while not it.finished:
        seen.append((it.multi_index, int(it[0])))
        it.iternext()
    assert seen == [((0, 0), 0), ((0, 1), 1), ((1, 0), 2), ((1, 1), 3)] and it.itersize == 4
    with np.nditer([np.arange(3), None][:1], flags=["c_index"]) as it:
        assert [it.index for _ in it] == [0, 1, 2]
    assert [x for x in np.nditer(np.zeros((0, 2)), flags=["zerosize_ok"])] == []
    p = np.poly1d([1, 2])
    p[3] = 5
    assert p.c.tolist() == [5, 0, 1, 2] and len(p) == 3 and p[7] == 0


def test_assertions(np):
    t, a = np.testing, np.asarray([1.0, 2.0, np.nan])
    t.assert_array_equal(a, a)
    t.assert_allclose(a, [1.0, 2.0 + 1e-9, np.nan])
    t.assert_equal({"a": [1, a]}, {"a": [1, a]})
    t.assert_equal("x", "x")
    t.assert_almost_equal(1.0, 1.0 + 1e-8)
    t.assert_array_almost_equal(a, a + 1e-7)
    t.assert_approx_equal(1.0, 1.0 + 1e-8)
    t.assert_array_less([1, 2], 3)
    t.assert_array_max_ulp(np.asarray(1.0), np.asarray(1.0 + 2**-52))
    t.assert_(True)
    t.assert_raises(ValueError, int, "x")
    with t.assert_raises(ZeroDivisionError):
        1 // 0
    with t.assert_raises_regex(ValueError, "invalid literal"):
        int("x")
    for call, message in ((lambda: t.assert_array_equal(a, a + 1), "Mismatched elements: 2 / 3"), (lambda: t.assert_array_equal([1, 2], [1, 2, 3]), r"shapes \(2,\), \(3,\) mismatch"),
                          (lambda: t.assert_allclose([1.0], [1.1]), "Not equal to tolerance rtol=1e-07"), (lambda: t.assert_equal([1, 2], [1, 3]), "item=1"), (lambda: t.assert_array_less(3, [1, 5]), "not strictly ordered"),
                          (lambda: t.assert_array_equal(np.ones(2), np.ones(2, "f4"), strict=True), "dtypes float64, float32 mismatch"), (lambda: t.assert_raises(ValueError, int, "1"), "got no error"),
                          (lambda: t.assert_raises_regex(ValueError, "else", int, "x"), "expected a message like 'else'"), (lambda: t.assert_equal({"a": 1}, {"b": 1, "c": 2}), "Items are not equal"), (lambda: t.assert_(False, "no"), "no")):
        with pytest.raises(AssertionError, match=message):
            call()


def test_files_of_text(np, tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,\n5,6\n# end\n")
    got = np.genfromtxt(tmp_path / "t.csv", delimiter=",", names=True)
    same(got, numpy.array([[1, 2], [3, numpy.nan], [5, 6]]))
    same(np.genfromtxt(io.StringIO("1 2\n3 4\n5 6"), skip_footer=1, max_rows=1), numpy.array([1.0, 2]))
    same(np.genfromtxt(["1 2", "3", "5 6"], invalid_raise=False), numpy.array([[1.0, 2], [5, 6]]))


def test_written_by_name(np):
    a = np.zeros((2, 2))
    np.fill_diagonal(a, val=3)
    np.put(a, ind=[1], v=[7])
    np.place(a, a == 0, vals=[5])
    assert a.tolist() == [[3, 7], [5, 3]]
    g, out = np.random.default_rng(0), np.zeros(5)
    assert g.standard_normal(out=out) is out and out.any() and g.standard_exponential(out=out) is out and (g.standard_gamma(2.0, out=out) > 0).all() and len(g.spawn(n_children=2)) == 2
    assert g.multivariate_normal([0.0, 0], np.eye(2), check_valid="raise").shape == (2,)
    with pytest.raises(ValueError, match="multivariate_normal: cov: expected a positive matrix, got the eigenvalue -1"):
        g.multivariate_normal([0.0, 0], np.asarray([[1.0, 0], [0, -1.0]]), check_valid="raise")
    with pytest.raises(ValueError, match="multivariate_normal: check_valid: expected 'warn' or 'raise' or 'ignore', got 'no'"):
        g.multivariate_normal([0.0, 0], np.eye(2), check_valid="no")
    repeat = kn.jit(lambda x: [0.5] * x.max())
    assert repeat(np.asarray([1, 3])) == [0.5] * 3 and repeat(np.asarray([1, 2])) == [0.5] * 2


@pytest.mark.parametrize("call, error, message", [
    (lambda n: n.quantile([1.0, 2], 0.5, weights=[1, 1]), ValueError, "quantile: method: expected 'inverted_cdf' with weights, got 'linear'"), (lambda n: n.quantile([1.0, 2], 0.5, weights=[1, 1, 1], method="inverted_cdf"), kn.ShapeError, r"quantile: weights: expected the shape \(2,\)"),
    (lambda n: n.genfromtxt(["1 2", "3"]), ValueError, "genfromtxt: line 2: expected 2 columns, got 1"), (lambda n: n.genfromtxt(["1"], dtype=None), ValueError, "genfromtxt: dtype: expected one, got None"), (lambda n: n.loadtxt(["1 x"]), ValueError, "loadtxt: line: expected numbers, got '1 x'"),
    (lambda n: n.nditer(n.ones(2), flags=["external_loop"]), ValueError, "nditer: flags: expected among"), (lambda n: n.poly1d([1, 2]) ** 0.5, ValueError, "poly1d: power: expected a whole number"), (lambda n: n.poly1d([1]).__setitem__(-1, 2), ValueError, "poly1d: power: expected at least 0, got -1"),
    (lambda n: n.polynomial.Polynomial([[1]]), kn.ShapeError, r"Polynomial: coef: expected a vector of at least one, got the shape \(1, 1\)"), (lambda n: n.polynomial.Polynomial([1]) / n.polynomial.Polynomial([1]), kn.DTypeError, "Polynomial: divisor: expected a number, got Polynomial"),
    (lambda n: n.polynomial.Polynomial([1]) + n.polynomial.Polynomial([1], [0, 1]), kn.DTypeError, "Polynomial: operands: expected the same domain and window"), (lambda n: n.polynomial.Polynomial([1]).convert(kind=int), kn.DTypeError, "Polynomial.convert: kind: expected Polynomial"),
    (lambda n: n.polynomial.legendre.leggauss(0), ValueError, "leggauss: deg: expected at least 1, got 0"), (lambda n: n.polynomial.polynomial.polydiv([1], [0]), ZeroDivisionError, "polydiv: divisor: expected one that is not 0"), (lambda n: n.polynomial.polynomial.polyfit([1], [1], 0, full=True), kn.DTypeError, "polyfit: full: expected False"),
    (lambda n: n.polyfit([1.0, 2], [1.0, 2], 1, cov=True), ValueError, "polyfit: points: expected more than 2 for a scaled covariance, got 2")])
def test_errors(call, error, message, np):
    with pytest.raises(error, match=message):
        call(np)
