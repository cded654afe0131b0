"""numpy.polynomial: the class Polynomial and the functions of power series, by coefficients from the lowest on; points and weights of quadratures."""
import sys

import kiln as kn

from .. import _core
from .._arguments import as_array, floating, integer
from .._errors import make


def _series(c):
    return kn.atleast_1d(floating(as_array(c)))


def polyval(x, c, tensor=True):
    """The series with coefficients ``c``, the lowest first, at ``x``; several columns of ``c`` stand before the axes of ``x`` with ``tensor``."""
    c, x = _series(c), as_array(x)
    if c.ndim == 1:
        return kn.polyval(kn.flip(c, 0), x)
    c = _core.reshape(c, (*c.shape, *(1,) * x.ndim)) if tensor else c
    total = c[-1] + x * 0
    for k in range(c.shape[0] - 2, -1, -1):
        total = total * x + c[k]
    return total


def polyfromroots(roots):
    """Coefficients of the series with these roots, whose highest coefficient is 1."""
    return kn.flip(kn.poly(as_array(roots)), 0)


def polyroots(c):
    """The roots of a series, sorted; complex, as ``kn.roots``."""
    return kn.sort(kn.roots(kn.flip(_series(c), 0)))


def polyfit(x, y, deg, rcond=None, full=False, w=None):
    """Coefficients of the series of degree ``deg``, or of the degrees in a list, whose squared distances to the points, weighed by ``w``, are least."""
    if full:
        raise make("DTypeError", "polyfit: full: expected False, got True: linalg.lstsq of polyvander gives residuals and rank")
    if isinstance(deg, int):
        return kn.flip(kn.polyfit(x, y, deg, rcond, w=w), 0)
    x, y, degrees = floating(x), floating(y), sorted(integer("polyfit", "deg", d) for d in deg)
    columns = kn.stack([x**d for d in degrees], axis=1)
    factors = kn.ones_like(x) if w is None else floating(w)
    scale = kn.sqrt(kn.sum((columns * factors[:, None]) ** 2, axis=0))
    solved = kn.linalg.lstsq(columns * factors[:, None] / scale, y * factors if y.ndim == 1 else y * factors[:, None])[0]
    result = kn.zeros((degrees[-1] + 1, *y.shape[1:]), dtype=solved.dtype)
    result[kn.asarray(degrees)] = solved / (scale if y.ndim == 1 else scale[:, None])
    return result


def polyvander(x, deg):
    """Powers of ``x`` from 0 to ``deg`` along a new last axis."""
    x = floating(x)
    return kn.stack([x**d for d in range(deg + 1)], axis=-1)


def polyadd(c1, c2):
    """Coefficients of the sum."""
    return polytrim(kn.flip(kn.polyadd(kn.flip(_series(c1), 0), kn.flip(_series(c2), 0)), 0))


def polysub(c1, c2):
    """Coefficients of the difference."""
    return polyadd(c1, -_series(c2))


def polymul(c1, c2):
    """Coefficients of the product."""
    return polytrim(kn.convolve(_series(c1), _series(c2)))


def polydiv(c1, c2):
    """Coefficients of the quotient and the rest. Raises ZeroDivisionError for a divisor of 0."""
    c1, c2 = _series(c1), polytrim(c2)
    if not kn.any(c2 != 0):
        raise ZeroDivisionError("polydiv: divisor: expected one that is not 0, got 0")
    from .functions import polydiv as divided
    if c1.size < c2.size:
        return c1[:1] * 0, c1
    quotient, rest = divided(kn.flip(c1, 0), kn.flip(c2, 0))
    return kn.flip(quotient, 0), polytrim(kn.flip(rest, 0))


def polypow(c, pow):  # noqa: A002
    """Coefficients of a whole power."""
    result = kn.ones(1, dtype=_series(c).dtype)
    for _ in range(integer("polypow", "pow", pow)):
        result = polymul(result, c)
    return result


def polyder(c, m=1, scl=1, axis=0):
    """Coefficients of the derivative of order ``m``, each times ``scl``."""
    c = kn.moveaxis(_series(c), axis, 0)
    for _ in range(m):
        n = c.shape[0]
        steps = _core.reshape(kn.arange(1, n, dtype=c.dtype), (-1,) + (1,) * (c.ndim - 1))
        c = c[1:] * steps * scl if n > 1 else c[:1] * 0
    return kn.moveaxis(c, 0, axis)


def polyint(c, m=1, k=(), lbnd=0, scl=1, axis=0):
    """Coefficients of the integral of order ``m``, each times ``scl``, which has the value ``k`` at ``lbnd``."""
    c = kn.moveaxis(_series(c), axis, 0)
    k = list(k) if isinstance(k, (list, tuple)) else [k]
    k += [0] * (m - len(k))
    for i in range(m):
        steps = _core.reshape(kn.arange(1, c.shape[0] + 1, dtype=c.dtype), (-1,) + (1,) * (c.ndim - 1))
        c = kn.concatenate((c[:1] * 0, c * scl / steps))
        c[0] += k[i] - polyval(lbnd, c)
    return kn.moveaxis(c, 0, axis)


def polytrim(c, tol=0):
    """``c`` without the highest coefficients that are at most ``tol``; one is left. Looks at values."""
    c = _series(c)
    kept = kn.nonzero(kn.abs(c) > tol)[0]
    return c[:int(kept[-1]) + 1] if kept.size else c[:1] * 0


def leggauss(deg):
    """Points and weights of the quadrature of C. Gauss and A. Legendre, exact for polynomials up to degree 2 ``deg`` - 1 over [-1, 1]."""
    n = _positive("leggauss", deg)
    k = kn.arange(1, n, dtype=kn.float64)
    beside = kn.diag(k / kn.sqrt(4 * k * k - 1), 1) if n > 1 else kn.zeros((1, 1), dtype=kn.float64)
    x = kn.linalg.eigvalsh(beside + beside.T)
    p, slope = _legendre(n, x)
    x = x - p / slope  # one step of Newton's method
    x = (x - kn.flip(x, 0)) / 2
    _, slope = _legendre(n, x)
    w = 2 / ((1 - x * x) * slope * slope)
    return x, w * (2 / kn.sum(w))


def _legendre(n, x):
    before, this = kn.ones_like(x), x
    for k in range(1, n):
        before, this = this, ((2 * k + 1) * x * this - k * before) / (k + 1)
    return this, n * (before - x * this) / (1 - x * x)


def chebgauss(deg):
    """Points and weights of the quadrature with the weight 1 / sqrt(1 - x^2)."""
    n = _positive("chebgauss", deg)
    return kn.cos(kn.pi * kn.arange(1, 2 * n, 2, dtype=kn.float64) / (2 * n)), kn.full(n, kn.pi / n, dtype=kn.float64)


def hermgauss(deg):
    """Points and weights of the quadrature with the weight exp(-x^2), from the eigenvectors of its matrix of recurrence (G. Golub and J. Welsch, 1969)."""
    n = _positive("hermgauss", deg)
    beside = kn.diag(kn.sqrt(kn.arange(1, n, dtype=kn.float64) / 2), 1) if n > 1 else kn.zeros((1, 1), dtype=kn.float64)
    x, v = kn.linalg.eigh(beside + beside.T)
    return (x - kn.flip(x, 0)) / 2, v[0] ** 2 * kn.pi**0.5


def _positive(op, deg):
    n = integer(op, "deg", deg)
    if n < 1:
        raise make("ValueError", f"{op}: deg: expected at least 1, got {n}")
    return n


def _clenshaw(x, c, step, end):
    """Clenshaw's recurrence: ``step(k, x, b1, b2)`` is what number k adds."""
    c, x = _series(c), as_array(x)
    b1 = b2 = x * 0.0
    for k in range(c.shape[0] - 1, 0, -1):
        b1, b2 = c[k] + step(k, x, b1, b2), b1
    return c[0] + end(x, b1, b2)


def chebval(x, c):
    """The series of Chebyshev's polynomials with coefficients ``c`` at ``x``."""
    return _clenshaw(x, c, lambda k, x, b1, b2: 2 * x * b1 - b2, lambda x, b1, b2: x * b1 - b2)


def legval(x, c):
    """The series of Legendre's polynomials with coefficients ``c`` at ``x``."""
    return _clenshaw(x, c, lambda k, x, b1, b2: (2 * k + 1) / (k + 1) * x * b1 - (k + 1) / (k + 2) * b2, lambda x, b1, b2: x * b1 - b2 / 2)


def hermval(x, c):
    """The series of Hermite's polynomials (of physics) with coefficients ``c`` at ``x``."""
    return _clenshaw(x, c, lambda k, x, b1, b2: 2 * x * b1 - 2 * (k + 1) * b2, lambda x, b1, b2: 2 * x * b1 - 2 * b2)


def lagval(x, c):
    """The series of Laguerre's polynomials with coefficients ``c`` at ``x``."""
    return _clenshaw(x, c, lambda k, x, b1, b2: (2 * k + 1 - x) / (k + 1) * b1 - (k + 1) / (k + 2) * b2, lambda x, b1, b2: (1 - x) * b1 - b2 / 2)


class Polynomial:
    """A power series in a variable that maps ``domain`` to ``window``, both [-1, 1] unless given; ``coef`` has its coefficients, the lowest first."""

    __array_ufunc__ = None
    __array_priority__ = 1000

    def __init__(self, coef, domain=None, window=None, symbol="x"):
        self.coef = _series(coef)
        if self.coef.ndim != 1 or not self.coef.size:
            raise make("ShapeError", f"Polynomial: coef: expected a vector of at least one, got the shape {self.coef.shape}")
        self.domain, self.window = (kn.asarray([-1.0, 1.0], dtype=kn.float64) if v is None else floating(v) for v in (domain, window))
        self.symbol = symbol

    def _like(self, coef):
        return Polynomial(coef, self.domain, self.window, self.symbol)

    def mapparms(self):
        """The offset and the scale that bring the domain to the window."""
        (a, b), (c, d) = self.domain.tolist(), self.window.tolist()
        return (b * c - a * d) / (b - a), (d - c) / (b - a)

    def __call__(self, arg):
        offset, scale = self.mapparms()
        return polyval(as_array(arg) * scale + offset if (offset, scale) != (0, 1) else arg, self.coef)

    def __repr__(self):
        return f"Polynomial({self.coef.tolist()}, domain={self.domain.tolist()}, window={self.window.tolist()}, symbol={self.symbol!r})"

    def __len__(self):
        return self.coef.size

    def __iter__(self):
        return iter(self.coef)

    def __eq__(self, other):
        return (isinstance(other, Polynomial) and self.coef.shape == other.coef.shape and bool(kn.all(self.coef == other.coef))
                and self.domain.tolist() == other.domain.tolist() and self.window.tolist() == other.window.tolist())

    __hash__ = None

    def _other(self, other):
        if not isinstance(other, Polynomial):
            return other
        if self.domain.tolist() != other.domain.tolist() or self.window.tolist() != other.window.tolist():
            raise make("DTypeError", "Polynomial: operands: expected the same domain and window")
        return other.coef

    def __neg__(self):
        return self._like(-self.coef)

    def __pos__(self):
        return self

    def __add__(self, other):
        return self._like(polyadd(self.coef, self._other(other)))

    __radd__ = __add__

    def __sub__(self, other):
        return self._like(polysub(self.coef, self._other(other)))

    def __rsub__(self, other):
        return self._like(polysub(other, self.coef))

    def __mul__(self, other):
        return self._like(polymul(self.coef, self._other(other)))

    __rmul__ = __mul__

    def __truediv__(self, other):
        if isinstance(other, Polynomial) or getattr(other, "ndim", 0):
            raise make("DTypeError", f"Polynomial: divisor: expected a number, got {type(other).__name__}: // and % divide by polynomials")
        return self._like(self.coef / other)

    def __divmod__(self, other):
        quotient, rest = polydiv(self.coef, self._other(other))
        return self._like(quotient), self._like(rest)

    def __floordiv__(self, other):
        return divmod(self, other)[0]

    def __mod__(self, other):
        return divmod(self, other)[1]

    def __pow__(self, other):
        return self._like(polypow(self.coef, other))

    def copy(self):
        """A copy."""
        return self._like(kn.copy(self.coef))

    def degree(self):
        """One less than the number of coefficients."""
        return self.coef.size - 1

    def cutdeg(self, deg):
        """Without the coefficients above degree ``deg``."""
        return self._like(self.coef[:deg + 1])

    def truncate(self, size):
        """Without the coefficients behind the first ``size``."""
        return self._like(self.coef[:size])

    def trim(self, tol=0):
        """Without the highest coefficients that are at most ``tol``."""
        return self._like(polytrim(self.coef, tol))

    def _scaled(self, offset, scale):
        """Coefficients of the series in the variable itself, ``offset + scale x`` put in."""
        total, power, line = self.coef[:1], kn.asarray([1.0], dtype=self.coef.dtype), kn.asarray([offset, scale], dtype=self.coef.dtype)
        for k in range(1, self.coef.size):
            power = kn.convolve(power, line)
            total = polyadd(total, power * self.coef[k])
        return total

    def convert(self, domain=None, kind=None, window=None):
        """The same function with another domain and window. Raises DTypeError for another kind of series."""
        if kind not in (None, Polynomial):
            raise make("DTypeError", f"Polynomial.convert: kind: expected Polynomial, got {kind!r}")
        result = Polynomial(self.coef, domain, window, self.symbol)
        (o1, s1), (o2, s2) = self.mapparms(), result.mapparms()
        result.coef = self._scaled(o1 - s1 * o2 / s2, s1 / s2)
        return result

    def deriv(self, m=1):
        """The derivative of order ``m``."""
        return self._like(polyder(self.coef, m, self.mapparms()[1]))

    def integ(self, m=1, k=(), lbnd=None):
        """The integral of order ``m``, with the values ``k`` at ``lbnd``."""
        offset, scale = self.mapparms()
        return self._like(polyint(self.coef, m, k, 0 if lbnd is None else offset + scale * lbnd, 1 / scale))

    def roots(self):
        """The roots, complex and sorted."""
        offset, scale = self.mapparms()
        return (polyroots(self.coef) - offset) / scale

    def linspace(self, n=100, domain=None):
        """``n`` points of the domain, and the values there."""
        low, high = (self.domain if domain is None else floating(domain)).tolist()
        x = kn.linspace(low, high, n)
        return x, self(x)

    @classmethod
    def fit(cls, x, y, deg, domain=None, rcond=None, full=False, w=None, window=None, symbol="x"):
        """The series of least squares, with the least domain of the points unless given."""
        x = floating(x)
        if domain is None:
            low, high = float(kn.min(x)), float(kn.max(x))
            domain = [low, high] if low != high else [low - 1, high + 1]
        found = cls([0.0], domain, window, symbol)
        offset, scale = found.mapparms()
        found.coef = polyfit(x * scale + offset, y, deg, rcond, full, w)
        return found

    @classmethod
    def fromroots(cls, roots, domain=None, window=None, symbol="x"):
        """The series with these roots, with the least domain of them if ``domain`` is an empty list."""
        found = cls([0.0], domain, window, symbol)
        offset, scale = found.mapparms()
        roots = floating(roots)
        found.coef = polyfromroots(roots * scale + offset) * (1 / scale) ** roots.size
        return found

    @classmethod
    def basis(cls, deg, domain=None, window=None, symbol="x"):
        """The power of degree ``deg``."""
        return cls([0.0] * deg + [1.0], domain, window, symbol)

    @classmethod
    def identity(cls, domain=None, window=None, symbol="x"):
        """The series x."""
        found = cls([0.0], domain, window, symbol)
        offset, scale = found.mapparms()
        found.coef = kn.asarray([-offset / scale, 1 / scale], dtype=kn.float64)
        return found


class _Kind:
    """A module of numpy.polynomial, with the functions of it that are there."""

    def __init__(self, **functions):
        self.__dict__.update(functions)


polynomial = sys.modules[__name__]  # numpy.polynomial.polynomial has the functions, numpy.polynomial the classes
chebyshev, legendre, hermite, laguerre = _Kind(chebval=chebval, chebgauss=chebgauss), _Kind(legval=legval, leggauss=leggauss), _Kind(hermval=hermval, hermgauss=hermgauss), _Kind(lagval=lagval)
