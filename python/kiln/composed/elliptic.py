"""Elliptic integrals in B. Carlson's symmetric forms ("Numerical computation of real or complex elliptic integrals", 1995), and Jacobi's functions by the
arithmetic-geometric mean (J. Landen). Computed in float64."""
import math

from .. import _core
from .._arguments import ops
from .._core import Array
from .elementwise import _both
from .gammas import in_double
from .integrals import ellipe, ellipk

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_and, _or = ops["bitwise_and"], ops["bitwise_or"]
_ROUNDS = 18
_PI_REST = 1.2246467991473532e-16  # what math.pi lacks


def _rf(x, y, z):
    for _ in range(_ROUNDS):
        a, b, c = ops["sqrt"](x), ops["sqrt"](y), ops["sqrt"](z)
        step = a * b + a * c + b * c
        x, y, z = (x + step) * 0.25, (y + step) * 0.25, (z + step) * 0.25
    mean = (x + y + z) * (1 / 3)
    p, q = 1.0 - x / mean, 1.0 - y / mean
    r = -(p + q)
    e2, e3 = p * q - r * r, p * q * r
    return (1.0 - e2 * 0.1 + e3 * (1 / 14) + e2 * e2 * (1 / 24) - e2 * e3 * (3 / 44)) / ops["sqrt"](mean)


def _rd(x, y, z):
    total, power = 0.0, 1.0
    for _ in range(_ROUNDS):
        a, b, c = ops["sqrt"](x), ops["sqrt"](y), ops["sqrt"](z)
        step = a * b + a * c + b * c
        total = total + power / (c * (z + step))
        x, y, z, power = (x + step) * 0.25, (y + step) * 0.25, (z + step) * 0.25, power * 0.25
    mean = (x + y + z * 3.0) * 0.2
    p, q = 1.0 - x / mean, 1.0 - y / mean
    r = (p + q) * (-1 / 3)
    e2, e3, e4, e5 = p * q - r * r * 6.0, (p * q * 3.0 - r * r * 8.0) * r, (p * q - r * r) * r * r * 3.0, p * q * r * r * r
    series = 1.0 - e2 * (3 / 14) + e3 * (1 / 6) + e2 * e2 * (9 / 88) - e4 * (3 / 22) - e2 * e3 * (9 / 52) + e5 * (3 / 26)
    return total * 3.0 + series * power / (mean * ops["sqrt"](mean))


def _checked(result, x, y, z, ends):
    """nan of negative numbers, and what is at 0 and infinity."""
    least, most = ops["minimum"](ops["minimum"](x, y), z), ops["maximum"](ops["maximum"](x, y), z)
    result = _where(ends, _INF, _where(ops["equal"](most, _INF), 0.0, result))
    return _where(_or(ops["less"](least, 0), ops["isnan"](x + y + z)), _NAN, result)


@in_double
def elliprf(x, y, z, /) -> Array:
    """Carlson's symmetric elliptic integral of the first kind, within 8 units in the last place; inf where two are 0, nan where one is negative."""
    zeros = _or(_or(ops["equal"](x + y, 0), ops["equal"](x + z, 0)), ops["equal"](y + z, 0))
    return _checked(_rf(*(_where(ops["less"](v, _INF), v, 1.0) for v in (x, y, z))), x, y, z, zeros)


@in_double
def elliprd(x, y, z, /) -> Array:
    """Carlson's symmetric elliptic integral of the second kind, as ``elliprf``; inf where ``z`` is 0, or both others are."""
    zeros = _or(ops["equal"](x + y, 0), ops["equal"](z, 0))
    return _checked(_rd(*(_where(ops["less"](v, _INF), v, 1.0) for v in (x, y, z))), x, y, z, zeros)


def _reduced(phi):
    """How often pi is in an angle, and what is left, from -pi / 2 to pi / 2."""
    n = ops["round"](phi * (1 / math.pi))
    return n, (phi - n * math.pi) - n * _PI_REST


def _parts(phi, m):
    """Of an angle: its sine, the squares of its cosine and of the root of 1 - m sin^2."""
    s, c = ops["sin"](phi), ops["cos"](phi)
    square = c * c
    return s, c, square, _where(ops["greater"](m, 0.5), square + (1.0 - m) * (s * s), 1.0 - m * (s * s))


def _with_turns(phi, m, inside, complete):
    good = _and(ops["less"](ops["abs"](phi), _INF), _and(ops["less_equal"](m, 1.0), ops["greater"](m, -_INF)))
    angle, k = _where(good, phi, 0.0), _where(good, m, 0.0)
    n, rest = _reduced(angle)
    result = inside(rest, k) + _where(ops["equal"](n, 0), 0.0, n * 2.0 * complete(k))
    edge = _where(_and(ops["equal"](m, -_INF), ops["less"](ops["abs"](phi), _INF)), _where(ops["equal"](phi, 0), 0.0, complete(m) * phi), phi)
    return _where(good, result, _where(_or(ops["greater"](m, 1.0), ops["isnan"](phi + m)), _NAN, edge))


@in_double
def ellipkinc(phi, m, /) -> Array:
    """The incomplete elliptic integral of the first kind of the angle ``phi`` and the parameter ``m``, within 16 units in the last place; nan for ``m`` above 1."""
    def inside(phi, m):
        s, _, c, d = _parts(phi, m)
        return s * _rf(c, d, _core.full((), 1.0, s.dtype))

    return _with_turns(phi, m, inside, ellipk)


@in_double
def ellipeinc(phi, m, /) -> Array:
    """The incomplete elliptic integral of the second kind, as ``ellipkinc``, within 32 units in the last place."""
    def inside(phi, m):
        s, root, c, d = _parts(phi, m)
        one, above = _core.full((), 1.0, s.dtype), ops["greater"](m, 0)  # of m above 0 in terms that are all positive
        first, second = s * _rf(c, d, one), s * s * s * _rd(c, _where(above, 1.0, d), _where(above, d, 1.0)) * (1 / 3)
        return _where(above, (1.0 - m) * (first + m * second) + m * s * root / ops["sqrt"](d), first - m * second)

    return _with_turns(phi, m, inside, ellipe)


@in_double
def _amplitude(u, m):
    good = _and(ops["greater_equal"](m, 0), ops["less"](m, 1.0))
    k = _where(good, m, 0.0)
    a, b, scale, ratios = 1.0, ops["sqrt"](1.0 - k), 1.0, []
    for _ in range(10):
        c = (a - b) * 0.5
        a, b, scale = (a + b) * 0.5, ops["sqrt"](a * b), scale * 2.0
        ratios.append(c / a)
    angle = a * u * scale
    for ratio in ratios[::-1]:
        angle = (angle + ops["asin"](ratio * ops["sin"](angle))) * 0.5
    return _where(good, angle, _where(ops["equal"](m, 1.0), ops["atan"](ops["sinh"](u)), _NAN))


def ellipj(u, m, /) -> tuple[Array, Array, Array, Array]:
    """Jacobi's elliptic functions sn, cn and dn of ``u`` and the parameter ``m`` from 0 to 1, and the amplitude; nan outside.

    Within 16 units in the last place of max(1, |u|).
    """
    u, m = _both(u, m)
    angle = _amplitude(u, m)
    s, c = ops["sin"](angle), ops["cos"](angle)
    return s, c, ops["sqrt"](c * c + (1.0 - m) * (s * s)), angle
