"""Arrays as sets: the different elements, and who is one of them."""
import typing

from . import _core
from ._arguments import as_array, cast, first_array, normalized_axis, ops
from ._core import Array
from ._creation import zeros
from ._dtypes import BY_NAME
from ._ordering import argsort, searched, sort
from ._ranges import arange
from ._shaping import moveaxis

_bool, _int64 = BY_NAME["bool"], BY_NAME["int64"]


class UniqueAll(typing.NamedTuple):
    """What ``unique_all`` gives."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(typing.NamedTuple):
    """What ``unique_counts`` gives."""

    values: Array
    counts: Array


class UniqueInverse(typing.NamedTuple):
    """What ``unique_inverse`` gives."""

    values: Array
    inverse_indices: Array


def _new(line):
    """Where an element of a sorted vector differs from the one before it."""
    return _core.concat((_core.full((1,), True, _bool, line.device), ops["not_equal"](line[1:], line[:-1])), 0)


def _starts(line, equal_nan=False):
    """Where the runs of equal elements of a sorted vector begin; nans are one run with ``equal_nan``."""
    if line.dtype.kind != "c":
        return _core.run_starts(line, equal_nan)
    return _core.nonzero(_new(line) if line.size else zeros((0,), dtype=_bool))  # where values are asked for at other sizes, it is here


def _lengths(starts, n):
    return starts if not n else _core.concat((starts[1:], _core.full((1,), n, _int64, starts.device)), 0) - starts


def unique_all(x, /) -> UniqueAll:
    """The different elements in order, where each is first, which of them each element is, and how often each occurs.

    Every nan is one.
    """
    x = as_array(x)
    flat = _core.reshape(x, (-1,))
    n = flat.size
    if not n:
        none = _core.nonzero(zeros((0,), dtype=_bool, device=x.device))
        return UniqueAll(flat, none, zeros(x.shape, dtype=_int64, device=x.device), zeros((0,), dtype=_int64, device=x.device))
    order = argsort(flat)
    line = _core.take(flat, order, 0)
    isnew = _new(line)
    starts = _core.nonzero(isnew)
    group = _core.along_axis("cumulative_sum", _core.astype(isnew, _int64), 0, False) - 1
    inverse = zeros((n,), dtype=_int64, device=x.device)
    inverse[order] = group
    return UniqueAll(_core.take(line, starts, 0), _core.take(order, starts, 0), _core.reshape(inverse, x.shape), _lengths(starts, n))


def unique_values(x, /) -> Array:
    """The different elements of ``x`` in order; every nan is one."""
    line = sort(as_array(x), None)
    return _core.take(line, _starts(line), 0)


def unique(x, /, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, sorted=True):  # noqa: A002
    """The different elements in order, or the different slices along ``axis``; behind them, in a tuple, what is asked for.

    These are where each is first, which of them each element is, and how often each occurs. Nans are one element, or each its
    own without ``equal_nan``.
    """
    x = as_array(x)
    if axis is None and not return_index and not return_inverse and x.dtype.kind != "c":
        line = sort(x, None)
        starts = _starts(line, equal_nan)
        values = _core.take(line, starts, 0)
        return (values, _lengths(starts, line.size)) if return_counts else values
    if axis is not None:
        found = _unique_slices(x, normalized_axis("unique", axis, x.ndim))
    else:
        found = unique_all(x)
        if equal_nan and x.dtype.kind in "fc" and x.size:
            found = _one_nan(found, x)
    parts = [found.values]
    parts += [part for wanted, part in ((return_index, found.indices), (return_inverse, found.inverse_indices), (return_counts, found.counts)) if wanted]
    return tuple(parts) if len(parts) > 1 else parts[0]


def _one_nan(found, x):
    """nans stand last: they become one."""
    isnan = ops["isnan"](found.values)
    nans = int(_core.reduce("sum", _core.astype(isnan, _int64), None, False).item())
    if nans < 2:
        return found
    n = found.values.size - nans + 1
    counts = _core.concat((found.counts[:n - 1], _core.reshape(_core.reduce("sum", found.counts[n - 1:], None, False), (1,))), 0)
    first = _core.reshape(_core.reduce("min", found.indices[n - 1:], None, False), (1,))
    return UniqueAll(found.values[:n], _core.concat((found.indices[:n - 1], first), 0), ops["minimum"](found.inverse_indices, n - 1), counts)


def _unique_slices(x, axis):
    """Slices in lexicographic order, by stable sorts of one column after the other."""
    n, moved = x.shape[axis], moveaxis(x, axis, 0)
    rows = _core.reshape(moved, (n, -1)) if x.size else _core.reshape(moved, (n, 0))
    if not n:
        none = zeros((0,), dtype=_int64, device=x.device)
        return UniqueAll(x, none, none, none)
    order = arange(n, device=x.device)
    for column in reversed(range(rows.shape[1])):
        order = _core.take(order, argsort(_core.take(rows[:, column], order, 0)), 0)
    line = _core.take(rows, order, 0)
    differs = _core.reduce("any", ops["not_equal"](line[1:], line[:-1]), 1, False)
    isnew = _core.concat((_core.full((1,), True, _bool, x.device), differs), 0)
    starts = _core.nonzero(isnew)
    inverse = zeros((n,), dtype=_int64, device=x.device)
    inverse[order] = _core.along_axis("cumulative_sum", _core.astype(isnew, _int64), 0, False) - 1
    first = _core.take(order, starts, 0)
    return UniqueAll(moveaxis(_core.take(moved, first, 0), 0, axis), first, inverse, _lengths(starts, n))


def unique_counts(x, /) -> UniqueCounts:
    """The different elements in order, and how often each occurs."""
    line = sort(as_array(x), None)
    starts = _starts(line)
    return UniqueCounts(_core.take(line, starts, 0), _lengths(starts, line.size))


def unique_inverse(x, /) -> UniqueInverse:
    """The different elements in order, and which of them each element of ``x`` is."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def isin(x, /, test_elements, assume_unique=False, invert=False, *, kind=None) -> Array:
    """Where an element of ``x`` is one of ``test_elements``: compared with each of a few, looked up among many."""
    x, values = _pair(x, test_elements)
    values = _core.reshape(values, (-1,))
    if not values.size:
        return _core.full(x.shape, bool(invert), _bool, x.device)
    if values.size <= (4 if values.dtype.kind in "biu" else 16):  # comparisons cost less than a search
        hit = ops["equal"](x, values[0])
        for i in range(1, values.size):
            hit = ops["bitwise_or"](hit, ops["equal"](x, values[i]))
    elif x.dtype.kind == "c" or values.dtype.kind == "c":
        hit = _core.reduce("any", ops["equal"](_core.reshape(x, (*x.shape, 1)), values), -1, False)
    else:
        common = searched(_core.promote(x.dtype, values.dtype))
        hit = _core.library("isin", (cast(x, common), cast(values, common)))
    return ops["logical_not"](hit) if invert else hit


def _pair(x, values):
    """Both as arrays; a Python number in the dtype of an array that holds it."""
    beside = first_array(x, values)
    return as_array(_beside(x, values), beside), as_array(_beside(values, x), beside)


def _beside(number, other):
    """A Python integer in the dtype of an array of integers that holds it; anything else as it is."""
    if type(number) is not int or not isinstance(other, Array) or other.dtype.kind not in "iu":
        return number
    from ._ordering import _fits
    return _core.full((), number, other.dtype, other.device) if _fits(number, other.dtype) else number


def _sets(x, y, assume_unique):
    x, y = _core.reshape(as_array(x), (-1,)), _core.reshape(as_array(y), (-1,))
    return (x, y) if assume_unique else (unique_values(x), unique_values(y))


def intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    """The different elements that are in both, in order; with ``return_indices`` also where each is first in ``ar1`` and in ``ar2``."""
    if return_indices:
        first, second = unique_all(ar1), unique_all(ar2)
        in_x, in_y = _core.nonzero(isin(first.values, second.values)), _core.nonzero(isin(second.values, first.values))
        return _core.take(first.values, in_x, 0), _core.take(first.indices, in_x, 0), _core.take(second.indices, in_y, 0)
    x, y = _sets(ar1, ar2, assume_unique)
    return sort(_core.take(x, _core.nonzero(isin(x, y)), 0))


def union1d(ar1, ar2) -> Array:
    """The different elements that are in one of both, in order."""
    return unique_values(_core.concat((_core.reshape(as_array(ar1), (-1,)), _core.reshape(as_array(ar2), (-1,))), 0))


def setdiff1d(ar1, ar2, assume_unique=False) -> Array:
    """The different elements of ``ar1`` that are not in ``ar2``, in order (in that of ``ar1`` with ``assume_unique``)."""
    x, y = _sets(ar1, ar2, assume_unique)
    return _core.take(x, _core.nonzero(isin(x, y, invert=True)), 0)


def setxor1d(ar1, ar2, assume_unique=False) -> Array:
    """The different elements that are in just one of both, in order."""
    x, y = _sets(ar1, ar2, assume_unique)
    parts = (_core.take(a, _core.nonzero(isin(a, b, invert=True)), 0) for a, b in ((x, y), (y, x)))
    return sort(_core.concat(tuple(parts), 0))
