"""Distributions of real numbers: methods of Generator. Parameters may be arrays, which broadcast with ``size``."""
import math

from .. import _core
from .._arguments import as_array, choice, ops, sizes, store
from .._dtypes import BY_NAME
from .._errors import make
from ..composed.normal import log_ndtr, ndtri_of_log
from ..composed import draws
from ..composed.special import sigmoid
from ..composed.statistics import softmax
from . import _generator

_float32 = BY_NAME["float32"]
METHODS = ("uniform", "standard_normal", "normal", "lognormal", "standard_exponential", "exponential", "standard_gamma", "gamma", "beta", "chisquare", "f",
           "standard_t", "cauchy", "standard_cauchy", "laplace", "logistic", "gumbel", "rayleigh", "weibull", "pareto", "power", "triangular", "wald",
           "truncated_normal", "multivariate_normal", "dirichlet")
ROUNDS = 8  # of a rejection, each of which fails for less than one in ten numbers


def shape_of(size, *parameters):
    """The shape of a draw: ``size``, or that of the parameters."""
    shape = ()
    for p in parameters:
        if type(p) is not float and not isinstance(p, (int, float)):
            shape = _core.broadcast_shapes(shape, as_array(p).shape)
    if size is None:
        return shape
    size = sizes("random", size)
    if shape and _core.broadcast_shapes(size, shape) != size:
        raise make("ShapeError", f"random: size: expected one that parameters of shape {shape} broadcast to, got {size}")
    return size


def at_least(op, name, value, least, is_above=False, most=math.inf):
    """Raises ValueError for a Python number below ``least``, or not above it, or above ``most``; arrays are not looked at."""
    if isinstance(value, (int, float)) and not (least < value <= most if is_above else least <= value <= most):
        limit = f"one above {least}" if is_above else f"at least {least}"
        raise make("ValueError", f"{op}: {name}: expected {limit}{'' if most == math.inf else f' and at most {most}'}, got {value}")


def of(p, dtype):
    """A parameter in the dtype of the draw; Python numbers as they are."""
    return float(p) if isinstance(p, (int, float)) else _core.astype(as_array(p), dtype)


def _open(self, shape, dtype):
    """Numbers in (0, 1]."""
    return 1.0 - self.random(shape, dtype)


def uniform(self, low=0.0, high=1.0, size=None, dtype=None):
    """Numbers in [low, high)."""
    if type(low) in (int, float) and type(high) in (int, float):
        few = _core.draw_few(self.state, draws.UNIT, size, dtype, float(high) - float(low), low)
        if few is not None:
            return few
    x = self.random(shape_of(size, low, high), dtype)
    low, high = of(low, x.dtype), of(high, x.dtype)
    return x * (high - low) + low


def standard_normal(self, size=None, dtype=None, out=None):
    """Normal numbers of mean 0 and variance 1: G. Box and M. Muller's transformation. Into ``out`` where that is given."""
    if out is not None:
        return store("standard_normal", standard_normal(self, out.shape, dtype or out.dtype), out)
    few = _core.draw_few(self.state, draws.NORMAL, size, dtype)
    if few is not None:
        return few
    dtype = _generator._dtype(dtype)
    return self.draw(draws.normal, size, 1 if dtype is _float32 else 2, dtype)


def normal(self, loc=0.0, scale=1.0, size=None, dtype=None):
    """Normal numbers of mean ``loc`` and standard deviation ``scale``."""
    few = _core.draw_few(self.state, draws.NORMAL, size, dtype, scale, loc)
    if few is not None:
        return few
    at_least("normal", "scale", scale, 0)
    x = self.standard_normal(shape_of(size, loc, scale), dtype)
    return _scaled(x, scale) + of(loc, x.dtype)


def _scaled(x, scale):
    return x if type(scale) in (int, float) and scale == 1 else x * of(scale, x.dtype)


def lognormal(self, mean=0.0, sigma=1.0, size=None, dtype=None):
    """Exponentials of normal numbers."""
    at_least("lognormal", "sigma", sigma, 0)
    return ops["exp"](self.normal(mean, sigma, size, dtype))


def standard_exponential(self, size=None, dtype=None, method="zig", out=None):
    """Exponential numbers of mean 1, whatever the ``method``. Into ``out`` where that is given."""
    if out is not None:
        return store("standard_exponential", standard_exponential(self, out.shape, dtype or out.dtype), out)
    few = _core.draw_few(self.state, draws.EXPONENTIAL, size, dtype)
    if few is not None:
        return few
    return self.draw(draws.exponential, size, 1, _generator._dtype(dtype))


def exponential(self, scale=1.0, size=None, dtype=None):
    """Exponential numbers of mean ``scale``."""
    few = _core.draw_few(self.state, draws.EXPONENTIAL, size, dtype, scale)
    if few is not None:
        return few
    at_least("exponential", "scale", scale, 0)
    return _scaled(self.standard_exponential(shape_of(size, scale), dtype), scale)


def standard_gamma(self, shape, size=None, dtype=None, out=None):
    """Gamma numbers of a ``shape`` and scale 1: the rejection of G. Marsaglia and W. Tsang, "A simple method for generating gamma variables", 2000.

    At most eight candidates are drawn for each number, all of which are refused less than once in 10^10.
    """
    at_least("standard_gamma", "shape", shape, 0)
    if out is not None:
        return store("standard_gamma", standard_gamma(self, shape, out.shape, dtype or out.dtype), out)
    result, u, a, small = _candidates(self, shape, shape_of(size, shape), dtype)
    if isinstance(shape, (int, float)) and shape >= 1:
        return result
    result = _core.where(small, result * ops["pow"](u, 1.0 / _core.where(small, a, 1.0)), result)
    return _core.where(ops["equal"](a, 0), 0.0, result)


def _log_gamma(self, shape, where, dtype):
    """Logarithms of gamma numbers, also where those are too small for their dtype."""
    result, u, a, small = _candidates(self, shape, where, dtype)
    more = ops["log"](u) / _core.where(ops["greater"](a, 0), a, 1.0)
    return ops["log"](result) + _core.where(ops["equal"](a, 0), -math.inf, _core.where(small, more, 0.0))


def _candidates(self, shape, where, dtype):
    """Gamma numbers of a shape, or of one more below 1; a number in (0, 1] that brings those back; the shapes, and which are below 1."""
    u = _open(self, where, dtype)
    dtype = u.dtype
    a = _core.full((), shape, dtype, u.device) if isinstance(shape, (int, float)) else _core.broadcast_to(of(shape, dtype), where)
    small = ops["less"](a, 1)
    d = _core.where(small, a + 1, a) - 1 / 3
    c = 1.0 / ops["sqrt"](d * 9.0)
    result, open_ = d, None
    for _ in range(ROUNDS):
        x, v = self.standard_normal(where, dtype), _open(self, where, dtype)
        t = x * c + 1
        cube = t * t * t
        safe = _core.where(ops["greater"](cube, 0), cube, 1.0)
        good = ops["less"](ops["log"](v), x * x * 0.5 + d - d * safe + d * ops["log"](safe))
        good = ops["bitwise_and"](good, ops["greater"](t, 0))
        result = _core.where(good if open_ is None else ops["bitwise_and"](good, open_), d * cube, result)
        open_ = ops["logical_not"](good) if open_ is None else ops["bitwise_and"](open_, ops["logical_not"](good))
    return result, u, a, small


def gamma(self, shape, scale=1.0, size=None, dtype=None):
    """Gamma numbers of a ``shape`` and a ``scale``."""
    at_least("gamma", "shape", shape, 0)
    at_least("gamma", "scale", scale, 0)
    x = self.standard_gamma(shape, shape_of(size, shape, scale), dtype)
    return x * of(scale, x.dtype)


def beta(self, a, b, size=None, dtype=None):
    """Beta numbers: a gamma number over the sum of two, through their logarithms where a parameter may be below 1."""
    at_least("beta", "a", a, 0, True)
    at_least("beta", "b", b, 0, True)
    where = shape_of(size, a, b)
    if not all(isinstance(p, (int, float)) and p >= 1 for p in (a, b)):
        return sigmoid(_log_gamma(self, a, where, dtype) - _log_gamma(self, b, where, dtype))
    x, y = self.standard_gamma(a, where, dtype), self.standard_gamma(b, where, dtype)
    return x / (x + y)


def chisquare(self, df, size=None, dtype=None):
    """Sums of the squares of ``df`` normal numbers."""
    at_least("chisquare", "df", df, 0, True)
    df = df / 2 if isinstance(df, (int, float)) else as_array(df) / 2
    return self.standard_gamma(df, size, dtype) * 2.0


def f(self, dfnum, dfden, size=None, dtype=None):
    """Quotients of two chi-square numbers, each over its degrees of freedom."""
    at_least("f", "dfnum", dfnum, 0, True)
    at_least("f", "dfden", dfden, 0, True)
    where = shape_of(size, dfnum, dfden)
    x, y = self.chisquare(dfnum, where, dtype), self.chisquare(dfden, where, dtype)
    return (x / of(dfnum, x.dtype)) / (y / of(dfden, x.dtype))


def standard_t(self, df, size=None, dtype=None):
    """Student's t with ``df`` degrees of freedom."""
    at_least("standard_t", "df", df, 0, True)
    where = shape_of(size, df)
    x = self.standard_normal(where, dtype)
    return x / ops["sqrt"](self.chisquare(df, where, x.dtype) / of(df, x.dtype))


def cauchy(self, loc=0.0, scale=1.0, size=None, dtype=None):
    """Cauchy's distribution: the tangent of a uniform angle."""
    x = ops["tan"]((self.random(shape_of(size, loc, scale), dtype) - 0.5) * math.pi)
    return x * of(scale, x.dtype) + of(loc, x.dtype)


def standard_cauchy(self, size=None, dtype=None):
    """``cauchy`` around 0 with scale 1."""
    return self.cauchy(0.0, 1.0, size, dtype)


def laplace(self, loc=0.0, scale=1.0, size=None, dtype=None):
    """Laplace's distribution: exponential on both sides."""
    at_least("laplace", "scale", scale, 0)
    where = shape_of(size, loc, scale)
    x = self.standard_exponential(where, dtype)
    sign = _core.where(ops["less"](self.random(where, x.dtype), 0.5), -1.0, 1.0)
    return x * sign * of(scale, x.dtype) + of(loc, x.dtype)


def logistic(self, loc=0.0, scale=1.0, size=None, dtype=None):
    """The logistic distribution: the logarithm of u / (1 - u)."""
    at_least("logistic", "scale", scale, 0)
    u = _inner(self, shape_of(size, loc, scale), dtype)
    return (ops["log"](u) - ops["log1p"](-u)) * of(scale, u.dtype) + of(loc, u.dtype)


def _inner(self, shape, dtype):
    """Numbers in (0, 1): the middles of the intervals of the bits."""
    u = self.random(shape, dtype)
    return u + (2.0**-25 if u.dtype.name == "float32" else 2.0**-54)


def gumbel(self, loc=0.0, scale=1.0, size=None, dtype=None):
    """Gumbel's distribution of largest values."""
    at_least("gumbel", "scale", scale, 0)
    x = -ops["log"](-ops["log"](_inner(self, shape_of(size, loc, scale), dtype)))
    return x * of(scale, x.dtype) + of(loc, x.dtype)


def rayleigh(self, scale=1.0, size=None, dtype=None):
    """Lengths of vectors of two normal numbers."""
    at_least("rayleigh", "scale", scale, 0)
    x = ops["sqrt"](self.standard_exponential(shape_of(size, scale), dtype) * 2.0)
    return x * of(scale, x.dtype)


def weibull(self, a, size=None, dtype=None):
    """Weibull's distribution of shape ``a``."""
    at_least("weibull", "a", a, 0)
    x = self.standard_exponential(shape_of(size, a), dtype)
    a = of(a, x.dtype)
    if isinstance(a, float):
        return ops["pow"](x, 1.0 / a) if a else x * 0.0
    return _core.where(ops["equal"](a, 0), 0.0, ops["pow"](x, 1.0 / a))


def pareto(self, a, size=None, dtype=None):
    """Pareto's distribution of shape ``a``, from 0 on."""
    at_least("pareto", "a", a, 0, True)
    x = self.standard_exponential(shape_of(size, a), dtype)
    return ops["expm1"](x / of(a, x.dtype))


def power(self, a, size=None, dtype=None):
    """The distribution in [0, 1] whose density is ``a x^(a-1)``."""
    at_least("power", "a", a, 0, True)
    u = _open(self, shape_of(size, a), dtype)
    return ops["pow"](u, 1.0 / of(a, u.dtype))


def triangular(self, left, mode, right, size=None, dtype=None):
    """The triangular distribution between ``left`` and ``right`` with its peak at ``mode``."""
    at_least("triangular", "mode", mode, left if isinstance(left, (int, float)) else -math.inf)
    at_least("triangular", "right", right, mode if isinstance(mode, (int, float)) else -math.inf)
    u = self.random(shape_of(size, left, mode, right), dtype)
    a, c, b = of(left, u.dtype), of(mode, u.dtype), of(right, u.dtype)
    below, above = ops["sqrt"](u * ((b - a) * (c - a))) + a, b - ops["sqrt"]((1.0 - u) * ((b - a) * (b - c)))
    return _core.where(ops["less"](u * (b - a), c - a), below, above)


def wald(self, mean, scale, size=None, dtype=None):
    """Wald's distribution, the inverse Gaussian one: the method of J. Michael and others, 1976."""
    at_least("wald", "mean", mean, 0, True)
    at_least("wald", "scale", scale, 0, True)
    where = shape_of(size, mean, scale)
    y = self.standard_normal(where, dtype)
    m, s = of(mean, y.dtype), of(scale, y.dtype)
    y = y * y * m
    x = m + (m * (y - ops["sqrt"](y * (s * 4.0) + y * y))) / (s * 2.0)
    return _core.where(ops["less_equal"](self.random(where, y.dtype) * (x + m), m), x, m * m / x)


def truncated_normal(self, low, high, loc=0.0, scale=1.0, size=None, dtype=None):
    """Normal numbers between ``low`` and ``high``: through the inverse of the logarithm of the distribution function, in float64.

    Limits above the mean are mirrored, so that both tails are exact.
    """
    where = shape_of(size, low, high, loc, scale)
    u = self.random(where, "float64")
    low, high, m, s = (_core.full((), v, u.dtype, u.device) if isinstance(v, (int, float)) else of(v, u.dtype) for v in (low, high, loc, scale))
    a, b = (low - m) / s, (high - m) / s
    flipped = ops["greater"](a, 0)
    below, above = log_ndtr(_core.where(flipped, -b, a)), log_ndtr(_core.where(flipped, -a, b))
    p = above + ops["log"](u + (1.0 - u) * ops["exp"](below - above))
    x = ndtri_of_log(p)
    x = _core.where(flipped, -x, x) * s + m
    return _core.astype(ops["minimum"](ops["maximum"](x, low), high), _generator._dtype(dtype))


def multivariate_normal(self, mean, cov, size=None, check_valid="warn", tol=1e-8, *, method="svd", dtype=None):
    """Normal vectors of a mean and a covariance matrix, which is taken apart by "svd", "eigh" or "cholesky".

    With ``check_valid="raise"`` a matrix that is not positive within ``tol`` is a ValueError. Raises ShapeError where sizes do not fit, ValueError for
    another method.
    """
    from ..linalg import cholesky, eigh, eigvalsh, svd
    choice("multivariate_normal", "check_valid", check_valid, ("warn", "raise", "ignore"))
    mean, cov = as_array(mean), as_array(cov)
    if mean.ndim != 1 or cov.shape != (mean.size, mean.size):
        raise make("ShapeError", f"multivariate_normal: parameters: expected a vector and a matrix of its size, got {mean.shape} and {cov.shape}")
    x = self.standard_normal((*sizes("random", size), mean.size), dtype)
    c = _core.astype(cov, x.dtype)
    if check_valid == "raise" and mean.size and float(eigvalsh(c)[0]) < -tol:
        raise make("ValueError", f"multivariate_normal: cov: expected a positive matrix, got the eigenvalue {float(eigvalsh(c)[0]):g}")
    if method == "cholesky":
        root = cholesky(c).mT
    elif method == "eigh":
        values, vectors = eigh(c)
        root = (vectors * ops["sqrt"](ops["maximum"](values, 0.0))).mT
    elif method == "svd":
        _, values, right = svd(c)
        root = right * _core.reshape(ops["sqrt"](values), (-1, 1))
    else:
        raise make("ValueError", f"multivariate_normal: method: expected 'svd', 'eigh' or 'cholesky', got {method!r}")
    return _core.matmul(x, root) + _core.astype(mean, x.dtype)


def dirichlet(self, alpha, size=None, dtype=None):
    """Vectors of gamma numbers over their sums, through their logarithms."""
    alpha = as_array(alpha)
    return softmax(_log_gamma(self, alpha, (*sizes("random", size), *alpha.shape), dtype))
