"""Distributions of real numbers that are made of others: methods of Generator."""
import math

from .. import _core
from .._arguments import as_array, ops
from . import _generator
from ._continuous import at_least, of, shape_of
from ._counts import _first_good

METHODS = ("vonmises", "noncentral_chisquare", "noncentral_f")
_where, _and = _core.where, ops["bitwise_and"]


def vonmises(self, mu, kappa, size=None, dtype=None):
    """Angles in [-pi, pi] of von Mises' distribution around ``mu``: the rejection of D. Best and N. Fisher, "Efficient simulation of the von Mises
    distribution", 1979, of at most 24 candidates; beyond a ``kappa`` of 10^6 normal numbers, which are alike. Computed in float64.

    Raises ValueError for a ``kappa`` that is known and negative.
    """
    at_least("vonmises", "kappa", kappa, 0)
    where = shape_of(size, mu, kappa)
    mu, k = (_core.broadcast_to(_core.astype(as_array(v, self.state), "float64"), where) for v in (mu, kappa))
    small, large = ops["less"](k, 1e-6), ops["greater"](k, 1e6)
    c = _where(small, 1e-6, _where(large, 1e6, k))
    r = ops["sqrt"](c * c * 4.0 + 1.0) + 1.0
    rho = (r - ops["sqrt"](r * 2.0)) / (c * 2.0)
    s = (rho * rho + 1.0) / (rho * 2.0)

    def candidate():
        z, v = ops["cos"](self.random(where, "float64") * math.pi), 1.0 - self.random(where, "float64")
        w = (s * z + 1.0) / (s + z)
        y = c * (s - w)
        good = ops["bitwise_or"](ops["greater"](y * (2.0 - y) - v, 0), ops["greater_equal"](ops["log"](y / v) + 1.0 - y, 0))
        return w, good

    w = _first_good(candidate, _core.full(where, 1.0, "float64", self.state.device))
    angle = ops["acos"](ops["minimum"](ops["maximum"](w, -1.0), 1.0))
    u = self.random(where, "float64") * 2.0 - 1.0
    angle = _where(ops["less"](u, 0), -angle, angle)
    angle = _where(small, u * math.pi, _where(large, self.standard_normal(where, "float64") / ops["sqrt"](_where(large, k, 1.0)), angle))
    turned = ops["remainder"](angle + mu + math.pi, 2 * math.pi) - math.pi
    return _core.astype(turned, _generator._dtype(dtype))


def noncentral_chisquare(self, df, nonc, size=None, dtype=None):
    """Sums of the squares of ``df`` normal numbers whose means have ``nonc`` as the sum of their squares: chi-square numbers of a Poisson number of degrees of
    freedom. Raises ValueError for a ``df`` that is known and not above 0, and a negative ``nonc``."""
    at_least("noncentral_chisquare", "df", df, 0, True)
    at_least("noncentral_chisquare", "nonc", nonc, 0)
    where = shape_of(size, df, nonc)
    half = nonc / 2 if isinstance(nonc, (int, float)) else as_array(nonc) / 2
    more = _core.astype(self.poisson(half, where), "float64")
    return _core.astype(self.standard_gamma(more + (df / 2 if isinstance(df, (int, float)) else as_array(df) / 2), where, "float64") * 2.0, _generator._dtype(dtype))


def noncentral_f(self, dfnum, dfden, nonc, size=None, dtype=None):
    """Quotients of a ``noncentral_chisquare`` number and a chi-square one, each over its degrees of freedom. Raises ValueError as those."""
    where = shape_of(size, dfnum, dfden, nonc)
    x, y = self.noncentral_chisquare(dfnum, nonc, where, dtype), self.chisquare(dfden, where, dtype)
    return (x / of(dfnum, x.dtype)) / (y / of(dfden, x.dtype))
