"""Distributions of integers, orders and choices: methods of Generator."""
import builtins
import math

from .. import _core
from .._arguments import as_array, normalized_axis, ops, sizes, whole_number
from .._dtypes import BY_NAME, iinfo
from .._errors import make
from .._ordering import argsort, sort
from ..composed import draws
from ._continuous import ROUNDS, at_least, shape_of

METHODS = ("integers", "permutation", "permuted", "shuffle", "choice", "categorical", "poisson", "binomial", "geometric", "bytes")
_int64, _uint64 = BY_NAME["int64"], BY_NAME["uint64"]


def _high(a, b):
    """The high half of the product of two uint64."""
    low = 0xffffffff
    a0, a1, b0, b1 = a & low, a >> 32, b & low, b >> 32
    middle = a1 * b0 + (a0 * b0 >> 32)
    return a1 * b1 + (middle >> 32) + (a0 * b1 + (middle & low) >> 32)


def integers(self, low, high=None, size=None, dtype="int64", endpoint=False):
    """Integers from ``low`` to before ``high`` (to ``high`` itself with ``endpoint``); from 0 to before ``low`` if there is one.

    By a product with 64 random bits; ranges above 2^32 draw again (D. Lemire, "Fast random integer generation in an interval", 2019).
    Raises ValueError for a range that is known and empty or beyond the dtype, DTypeError for a dtype of other numbers.
    """
    low, high = (0, low) if high is None else (low, high)
    if not endpoint and (dtype == "int64" or dtype is _int64):
        few = _core.draw_few(self.state, draws.BELOW, size, None, low, high)
        if few is not None:
            return few
    where = shape_of(size, low, high)
    known = isinstance(low, int) and isinstance(high, int)
    if known:
        count = high - low + endpoint
        if count < 1:
            raise make("ValueError", f"integers: high: expected one above {low}, got {high}")
        _check_range(low, high + endpoint - 1, dtype)
        if count >= 2**64:
            return _core.astype(_core.bitcast(self.bits(where), _int64), dtype)
        if count <= 2**32:
            return self.draw(draws.below, where, 1, count, low, dtype)
        n = _core.full((), count, _uint64, self.state.device)
    else:
        n = _core.astype(_core.astype(as_array(high, self.state), _int64) - as_array(low, self.state) + int(endpoint), _uint64)
    word = self.bits(where)
    result = _high(word, n)
    least = (ops["bitwise_invert"](n) + 1) % n  # 2^64 mod n
    open_ = ops["less"](word * n, least)
    for _ in range(ROUNDS):
        word = self.bits(where)
        result = _core.where(open_, _high(word, n), result)
        open_ = ops["bitwise_and"](open_, ops["less"](word * n, least))
    if known and low >= 2**63:
        return _core.astype(result + low, dtype)
    return _core.astype(_core.bitcast(result, _int64) + (low if known else as_array(low, self.state)), dtype)


def _check_range(least, most, dtype):
    dtype = _core.to_dtype(dtype)
    if dtype.kind not in "iub":
        raise make("DTypeError", f"integers: dtype: expected one of integers or bool, got {dtype}")
    ends = (0, 1) if dtype.kind == "b" else (iinfo(dtype).min, iinfo(dtype).max)
    if least < ends[0] or most > ends[1]:
        raise make("ValueError", f"integers: range: expected one in [{ends[0]}, {ends[1]}] of {dtype}, got [{least}, {most}]")


def _order(self, n):
    """The numbers below ``n`` in the order of random words; many of them stand in the last bits of theirs, which are sorted quicker."""
    if n <= 1024:
        return argsort(self.bits((n,)))
    below = _core.full((), 2**(n - 1).bit_length() - 1, _uint64, self.state.device)
    return draws.numbers_of(sort(self.draw(draws.numbered, (n,), 1, below)), below)


def permutation(self, x, axis=0):
    """The integers below ``x`` in random order, or the slices of an array along an axis: the order of random words."""
    n = whole_number(x)
    if n is not None:
        return _order(self, n)
    x = as_array(x)
    axis = normalized_axis("permutation", axis, x.ndim)
    return _core.take(x, _order(self, x.shape[axis]), axis)


def permuted(self, x, axis=None, out=None):
    """Each vector along an axis in a random order of its own; the flattened array if None."""
    from .._selection import take_along_axis
    x = as_array(x)
    if axis is None:
        result = _core.reshape(permutation(self, _core.reshape(x, (-1,))), x.shape)
    else:
        result = take_along_axis(x, argsort(self.bits(x.shape), axis), axis)
    if out is None:
        return result
    out[...] = result
    return out


def shuffle(self, x, axis=0):
    """Puts the slices of an array along an axis in random order, in place."""
    if isinstance(x, list):
        x[:] = [x[i] for i in _order(self, len(x)).tolist()]
        return
    x[...] = permutation(self, x, axis)


def choice(self, a, size=None, replace=True, p=None, axis=0, shuffle=True):
    """Elements of ``a`` along an axis, or integers below it; with probabilities ``p``; each at most once unless ``replace``.

    Without ``replace``, the largest of random numbers to the power 1 / p are taken (P. Efraimidis and P. Spirakis, 2006). Raises
    ValueError where there are not enough, and, where values are not recorded, for ``p`` that are no probabilities.
    """
    n = whole_number(a)
    a = as_array(a, self.state) if n is None else n
    n = a.shape[axis] if n is None else n
    shape = sizes("random", size)
    count = math.prod(shape)
    p = None if p is None else _probabilities(p, n, 0 if replace else count, self.state)
    if not n and count:
        raise make("ValueError", "choice: a: expected at least one element, got none")
    if replace:
        at = self.integers(0, n, shape) if p is None else categorical(self, p=p, size=shape)
    else:
        if count > n:
            raise make("ValueError", f"choice: size: expected at most {n} without replacement, got {count}")
        if p is None:
            at = _order(self, n)[:count]
        else:
            at = argsort(self.standard_exponential((n,), "float64") / p)[:count]
        at = _core.reshape(at, shape)
    return at if isinstance(a, int) else _core.take(a, at, axis)


def _probabilities(p, n, least, beside):
    """``p`` in float64, checked where its values are at hand; at least ``least`` of them are not 0."""
    narrow = getattr(getattr(p, "dtype", None), "itemsize", 8) < 8
    p = _core.astype(as_array(p, beside), "float64")
    if p.shape != (n,):
        raise make("ShapeError", f"choice: p: expected {n} probabilities, got the shape {p.shape}")
    if not _core.is_at_hand():
        return p
    values = p.tolist()
    total, some = math.fsum(values), builtins.sum(v != 0 for v in values)
    if not builtins.all(v >= 0 for v in values) or abs(total - 1) > (1e-3 if narrow else 1e-7):
        raise make("ValueError", f"choice: p: expected probabilities of at least 0 and the sum 1, got the sum {total:g}")
    if some < least:
        raise make("ValueError", f"choice: size: expected at most {some}, of which p is not 0, without replacement, got {least}")
    return p


def categorical(self, logits=None, size=None, *, p=None):
    """Positions along the last axis by their probabilities ``p``, or by their logarithms up to a constant.

    The largest of the logarithms with Gumbel numbers added, or for a vector ``p`` by its running sums.
    """
    if p is not None:
        from .._ordering import searchsorted
        p = _core.astype(as_array(p, self.state), "float64")
        if p.ndim != 1:
            return categorical(self, ops["log"](p), size)
        sums = _core.along_axis("cumulative_sum", p, 0, False)
        u = self.random(size, "float64") * sums[p.size - 1]
        return ops["minimum"](searchsorted(sums, u, "right"), p.size - 1)
    logits = as_array(logits)
    shape = logits.shape[:-1] if size is None else sizes("random", size)
    noise = self.gumbel(size=(*shape, logits.shape[-1]), dtype=logits.dtype if logits.dtype.name in ("float32", "float64") else None)
    return _core.reduce("argmax", logits + noise, -1, False)


def poisson(self, lam=1.0, size=None):
    """Poisson's numbers of mean ``lam``, int64: by the distribution function below 10, from there on by the rejection PTRS of W. Hörmann,
    "The transformed rejection method for generating Poisson random variables", 1993, of at most 24 candidates."""
    where = shape_of(size, lam)
    if isinstance(lam, (int, float)):  # known: one way is enough
        if not lam >= 0:
            raise make("ValueError", f"poisson: lam: expected at least 0, got {lam}")
        mean = _core.full((), lam, "float64", self.state.device)
        return _core.astype(_below(self, mean, where) if lam < 10 else _ptrs(self, mean, where), _int64)
    lam = _core.broadcast_to(_core.astype(as_array(lam, self.state), "float64"), where)
    small = ops["less"](lam, 10.0)
    low, high = _below(self, _core.where(small, lam, 0.0), where), _ptrs(self, _core.where(small, 10.0, lam), where)
    return _core.astype(_core.where(small, low, high), _int64)


_MOST = 48  # of a Poisson number of mean 10, or a binomial one: more come less than once in 10^17


def _below(self, mean, where):
    """How many values of the distribution function a uniform number reaches."""
    term, u = ops["exp"](-mean), self.random(where, "float64")
    total, result = term, 0.0
    for k in range(1, _MOST):
        result = _core.astype(ops["greater_equal"](u, total), "float64") + result
        term = term * mean / float(k)
        total = total + term
    return result


def _ptrs(self, lam, where):
    b = ops["sqrt"](lam) * 2.53 + 0.931
    a = b * 0.02483 - 0.059
    inverse, vr, log = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2.0), ops["log"](lam)
    result, open_ = lam, None
    for _ in range(3 * ROUNDS):
        u, v = self.random(where, "float64") - 0.5, 1.0 - self.random(where, "float64")
        us = 0.5 - ops["abs"](u)
        k = ops["floor"]((a * 2.0 / us + b) * u + lam + 0.43)
        quick = ops["bitwise_and"](ops["greater_equal"](us, 0.07), ops["less_equal"](v, vr))
        left = ops["log"](v) + ops["log"](inverse) - ops["log"](a / (us * us) + b)
        good = ops["bitwise_or"](quick, ops["less_equal"](left, k * log - lam - ops["lgamma"](k + 1.0)))
        good = ops["bitwise_and"](good, ops["greater_equal"](k, 0.0))
        result = _core.where(good if open_ is None else ops["bitwise_and"](good, open_), k, result)
        open_ = ops["logical_not"](good) if open_ is None else ops["bitwise_and"](open_, ops["logical_not"](good))
    return result


def binomial(self, n, p, size=None):
    """How many of ``n`` trials of probability ``p`` succeed, int64: by the distribution function where ``n min(p, 1 - p)`` is below 10, from there
    on by the rejection BTRS of W. Hörmann, "The generation of binomial random variates", 1993, of at most 24 candidates."""
    where = shape_of(size, n, p)
    if isinstance(n, int) and isinstance(p, (int, float)):
        if n < 0 or not 0 <= p <= 1:
            raise make("ValueError", f"binomial: parameters: expected n of at least 0 and p in [0, 1], got {n} and {p}")
        q = builtins.min(p, 1 - p)
        count, chance = (_core.full((), v, "float64", self.state.device) for v in (n, q))
        k = (_counted if n * q < 10 else _btrs)(self, count, chance, where)
        return _core.astype(count - k if p > 0.5 else k, _int64)
    n, p = (_core.broadcast_to(_core.astype(as_array(v, self.state), "float64"), where) for v in (n, p))
    flipped = ops["greater"](p, 0.5)
    q = _core.where(flipped, 1.0 - p, p)
    small = ops["less"](n * q, 10.0)
    low = _counted(self, _core.where(small, n, 0.0), q, where)
    high = _btrs(self, _core.where(small, 40.0, n), _core.where(small, 0.5, q), where)
    k = _core.where(small, low, high)
    return _core.astype(_core.where(flipped, n - k, k), _int64)


def _counted(self, n, p, where):
    term = ops["exp"](n * ops["log1p"](-p))
    u, odds, total, result = self.random(where, "float64"), p / (1.0 - p), term, 0.0
    for k in range(1, _MOST):
        result = _core.astype(ops["greater_equal"](u, total), "float64") + result
        term = term * (n - float(k - 1)) / float(k) * odds
        total = total + term
    return ops["minimum"](result, n)


def _btrs(self, n, p, where):
    spq = ops["sqrt"](n * p * (1.0 - p))
    b = spq * 2.53 + 1.15
    a, c = b * 0.0248 - 0.0873 + p * 0.01, n * p + 0.5
    vr, alpha, odds, m = 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spq, ops["log"](p / (1.0 - p)), ops["floor"]((n + 1.0) * p)
    h = ops["lgamma"](m + 1.0) + ops["lgamma"](n - m + 1.0)
    result, open_ = m, None
    for _ in range(3 * ROUNDS):
        u, v = self.random(where, "float64") - 0.5, 1.0 - self.random(where, "float64")
        us = 0.5 - ops["abs"](u)
        k = ops["floor"]((a * 2.0 / us + b) * u + c)
        inside = ops["bitwise_and"](ops["greater_equal"](k, 0.0), ops["less_equal"](k, n))
        quick = ops["bitwise_and"](ops["greater_equal"](us, 0.07), ops["less_equal"](v, vr))
        safe = _core.where(inside, k, m)
        bound = h - ops["lgamma"](safe + 1.0) - ops["lgamma"](n - safe + 1.0) + (safe - m) * odds
        good = ops["bitwise_or"](quick, ops["less_equal"](ops["log"](v * alpha / (a / (us * us) + b)), bound))
        good = ops["bitwise_and"](good, inside)
        result = _core.where(good if open_ is None else ops["bitwise_and"](good, open_), k, result)
        open_ = ops["logical_not"](good) if open_ is None else ops["bitwise_and"](open_, ops["logical_not"](good))
    return result


def geometric(self, p, size=None):
    """How many trials of probability ``p`` the first success takes, int64. Raises ValueError for a ``p`` that is known and outside of (0, 1]."""
    at_least("geometric", "p", p, 0, True, 1)
    u = 1.0 - self.random(shape_of(size, p), "float64")
    k = ops["ceil"](ops["log"](u) / ops["log1p"](-_core.astype(as_array(p, self.state), "float64")))
    return _core.astype(ops["maximum"](k, 1.0), _int64)


def bytes(self, length):  # noqa: A001
    """Random bytes."""
    return _core.to_bytes(_core.copy(self.bits((-(-length // 8),))))[:length]

