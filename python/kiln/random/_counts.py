"""More distributions of integers: methods of Generator. Rejections draw at most 24 candidates for each number."""
from .. import _core
from .._arguments import as_array, choice, ops, sizes
from .._dtypes import BY_NAME
from .._errors import make
from .._joining import stack
from ._continuous import ROUNDS, at_least, shape_of

METHODS = ("negative_binomial", "hypergeometric", "multinomial", "multivariate_hypergeometric", "zipf", "logseries")
_int64 = BY_NAME["int64"]
_where, _and = _core.where, ops["bitwise_and"]


def _parameter(self, p, where):
    return _core.broadcast_to(_core.astype(as_array(p, self.state), "float64"), where)


def _first_good(candidate, start):
    """The first of the candidates, pairs of numbers and whether they are taken, that is; ``start`` where none is."""
    result, open_ = start, None
    for _ in range(3 * ROUNDS):
        k, good = candidate()
        result = _where(good if open_ is None else _and(good, open_), k, result)
        open_ = ops["logical_not"](good) if open_ is None else _and(open_, ops["logical_not"](good))
    return result


def negative_binomial(self, n, p, size=None):
    """How many trials of probability ``p`` fail before ``n`` succeed, int64; ``n`` need not be whole: Poisson's numbers of a gamma number as mean.

    Raises ValueError for an ``n`` that is known and not above 0, and a ``p`` outside of (0, 1].
    """
    at_least("negative_binomial", "n", n, 0, True)
    at_least("negative_binomial", "p", p, 0, True, 1)
    where = shape_of(size, n, p)
    q = _parameter(self, p, where)
    return self.poisson(self.standard_gamma(n if isinstance(n, (int, float)) else as_array(n), where, "float64") * ((1.0 - q) / q))


def zipf(self, a, size=None):
    """Zipf's numbers, of the probability k^-a / zeta(a), int64: the rejection of L. Devroye, "Non-uniform random variate generation", 1986.

    Raises ValueError for an ``a`` that is known and not above 1.
    """
    at_least("zipf", "a", a, 1, True)
    where = shape_of(size, a)
    less = _parameter(self, a, where) - 1.0
    b = ops["exp2"](less)

    def candidate():
        u, v = 1.0 - self.random(where, "float64"), self.random(where, "float64")
        x = ops["floor"](ops["pow"](u, -1.0 / less))
        t = ops["pow"](1.0 / x + 1.0, less)
        return x, _and(ops["less"](x, 2.0**63), ops["less_equal"](v * x * ((t - 1.0) / (b - 1.0)), t / b))

    return _core.astype(_first_good(candidate, _core.full(where, 1.0, "float64", self.state.device)), _int64)


def logseries(self, p, size=None):
    """Numbers of the logarithmic series, of the probability -p^k / (k log(1 - p)), int64 (A. Kemp, "Efficient generation of logarithmically distributed
    pseudo-random variables", 1981). Raises ValueError for a ``p`` that is known and outside of [0, 1)."""
    at_least("logseries", "p", p, 0)
    if isinstance(p, (int, float)) and p >= 1:
        raise make("ValueError", f"logseries: p: expected one in [0, 1), got {p}")
    where = shape_of(size, p)
    q = _parameter(self, p, where)
    q = -ops["expm1"](ops["log1p"](-q) * (1.0 - self.random(where, "float64")))
    u = 1.0 - self.random(where, "float64")
    k = ops["floor"](ops["log"](u) / ops["log"](_where(ops["greater"](q, 0), q, 0.5))) + 1.0
    return _core.astype(ops["minimum"](_where(ops["greater"](q, 0), k, 1.0), 2.0**62), _int64)


def hypergeometric(self, ngood, nbad, nsample, size=None):
    """How many of ``nsample`` that are taken from ``ngood`` and ``nbad``, without putting them back, are good, int64.

    The rejection HRUA of E. Stadlober, "The ratio of uniforms approach for generating discrete random variates", 1990; up to ten one by one. Raises
    ValueError for counts that are known and negative, or more than there are.
    """
    for name, value in (("ngood", ngood), ("nbad", nbad), ("nsample", nsample)):
        at_least("hypergeometric", name, value, 0)
    if all(isinstance(v, int) for v in (ngood, nbad, nsample)) and nsample > ngood + nbad:
        raise make("ValueError", f"hypergeometric: nsample: expected at most {ngood + nbad}, got {nsample}")
    where = shape_of(size, ngood, nbad, nsample)
    return _taken(self, *(_parameter(self, v, where) for v in (ngood, nbad, nsample)), where)


def _taken(self, good, bad, sample, where):
    """``hypergeometric`` of arrays: of the smaller kind, in the smaller of the sample and what it leaves."""
    total, low = good + bad, ops["minimum"](good, bad)
    few = ops["minimum"](sample, total - sample)
    small = ops["less_equal"](few, 10.0)
    k = _where(small, _one_by_one(self, low, total, _where(small, few, 0.0), where), _hrua(self, _where(small, 20.0, low), _where(small, 40.0, total), _where(small, 20.0, few), where))
    k = _where(ops["greater"](good, bad), few - k, k)
    return _core.astype(_where(ops["less"](few, sample), good - k, k), _int64)


def _one_by_one(self, low, total, few, where):
    taken = _core.full(where, 0.0, "float64", self.state.device)
    for i in range(10):
        hit = _and(ops["less"](float(i), few), ops["less"](self.random(where, "float64") * (total - float(i)), low - taken))
        taken = taken + _core.astype(hit, "float64")
    return taken


def _hrua(self, low, total, few, where):
    high, p = total - low, low / total
    mean = few * p
    deviation = ops["sqrt"](mean * (1.0 - p) * (total - few) / (total - 1.0) + 0.5)
    h = deviation * 1.7155277699214135 + 0.8989161620588988  # 2 sqrt(2 / e), 3 - 2 sqrt(3 / e)
    most = ops["minimum"](ops["minimum"](few, low) + 1.0, ops["floor"](mean + 0.5 + deviation * 16.0))

    def logs(k):
        return ops["lgamma"](k + 1.0) + ops["lgamma"](low - k + 1.0) + ops["lgamma"](few - k + 1.0) + ops["lgamma"](high - few + k + 1.0)

    mode = ops["floor"]((few + 1.0) * (low + 1.0) / (total + 2.0))
    top = logs(mode)

    def candidate():
        u, v = 1.0 - self.random(where, "float64"), self.random(where, "float64")
        x = mean + 0.5 + h * (v - 0.5) / u
        inside = _and(ops["greater_equal"](x, 0.0), ops["less"](x, most))
        k = ops["floor"](_where(inside, x, mode))
        return k, _and(inside, ops["less_equal"](ops["log"](u) * 2.0, top - logs(k)))

    return _first_good(candidate, mode)


def multinomial(self, n, pvals, size=None):
    """How often each of the outcomes comes in ``n`` trials, int64, along the last axis of ``pvals``, their probabilities: binomial numbers of what is left.

    The last probability is what the others leave. Raises ValueError for probabilities that are known and below 0, or above 1 in their sum.
    """
    p = _core.astype(as_array(pvals, self.state), "float64")
    if not p.ndim or not p.shape[-1]:
        raise make("ShapeError", f"multinomial: pvals: expected at least one probability, got the shape {p.shape}")
    sums = _core.along_axis("cumulative_sum", p, p.ndim - 1, False)
    if _core.is_at_hand() and (float(_core.reduce("min", _core.reshape(p, (-1,)), 0, False)) < 0 or p.shape[-1] > 1 and float(_core.reduce("max", _core.reshape(sums[..., -2], (-1,)), 0, False)) > 1 + 1e-12):
        raise make("ValueError", "multinomial: pvals: expected probabilities of at least 0, whose sum without the last is at most 1")
    where = _core.broadcast_shapes(p.shape[:-1], () if isinstance(n, int) else as_array(n).shape)
    if size is not None:
        where = _core.broadcast_shapes(sizes("multinomial", size), where)
    left, counts = _core.broadcast_to(_core.astype(as_array(n, self.state), _int64), where), []
    for j in range(p.shape[-1] - 1):
        rest = 1.0 - (sums[..., j - 1] if j else 0.0)
        share = ops["minimum"](ops["maximum"](p[..., j] / _where(ops["greater"](rest, 0), rest, 1.0), 0.0), 1.0)
        counts.append(self.binomial(left, share, where))
        left = left - counts[-1]
    return stack([*counts, left], axis=-1)


def multivariate_hypergeometric(self, colors, nsample, size=None, method="marginals"):
    """How many of each colour are among ``nsample`` that are taken, without putting them back, from ``colors`` of each, int64: ``hypergeometric`` numbers of
    what is left, whatever the ``method``. Raises ValueError for another method, and for more than there are where that is known."""
    choice("multivariate_hypergeometric", "method", method, ("marginals", "count"))
    colors = _core.astype(as_array(colors, self.state), "float64")
    if colors.ndim != 1:
        raise make("ShapeError", f"multivariate_hypergeometric: colors: expected a vector, got the shape {colors.shape}")
    at_least("multivariate_hypergeometric", "nsample", nsample, 0)
    total = _core.reduce("sum", colors, 0, False)
    if _core.is_at_hand() and isinstance(nsample, int) and nsample > float(total):
        raise make("ValueError", f"multivariate_hypergeometric: nsample: expected at most {int(float(total))}, got {nsample}")
    where = sizes("multivariate_hypergeometric", size)
    left, rest, counts = _parameter(self, nsample, where), total, []
    for j in range(colors.size):
        rest = rest - colors[j]
        counts.append(_taken(self, *(_core.broadcast_to(v, where) for v in (colors[j], rest)), left, where))
        left = left - _core.astype(counts[-1], "float64")
    return stack(counts, axis=-1) if counts else _core.full((*where, 0), 0, _int64)
