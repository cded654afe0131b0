"""Differences along grids, convolutions of vectors, and windows."""
import math

from .. import _core
from .._arguments import as_array, as_tuple, choice, floating, normalized_axes, ops
from .._core import Array
from .._errors import make
from .._fused import fused
from .._ranges import arange, counted
from .._shaping import moveaxis


@fused
def gradient(x, *spacing, axis=None, edge_order=1):
    """Central differences along each axis (or those of ``axis``), one-sided at the ends: an array, or a list of one an axis.

    ``spacing`` is one distance, one an axis, or the coordinates along them. Raises ValueError for too few elements along an axis or
    for as many spacings as nothing asks for.
    """
    x = floating(x)
    axes = normalized_axes("gradient", axis, x.ndim)
    if len(spacing) not in (0, 1, len(axes)):
        raise make("ValueError", f"gradient: spacing: expected none, 1 or {len(axes)}, got {len(spacing)}")
    choice("gradient", "edge_order", edge_order, (1, 2))
    steps = list(spacing) * len(axes) if len(spacing) == 1 else list(spacing) or [1.0] * len(axes)
    results = [_gradient(x, a, h, edge_order) for a, h in zip(axes, steps)]
    return results[0] if len(results) == 1 else results


def _gradient(x, axis, h, edge_order):
    n = x.shape[axis]
    if n < edge_order + 1:
        raise make("ValueError", f"gradient: size of axis {axis}: expected at least {edge_order + 1}, got {n}")
    x = moveaxis(x, axis, -1)
    h = as_array(h) if not isinstance(h, (int, float)) else h
    if isinstance(h, Array) and h.ndim:
        if h.shape != (n,):
            raise make("ShapeError", f"gradient: coordinates: expected {n} of them, got {h.shape}")
        d = _core.astype(h, x.dtype)
        d = d[1:] - d[:-1]
        a, b = d[:-1], d[1:]
        middle = x[..., :-2] * (-b / (a * (a + b))) + x[..., 1:-1] * ((b - a) / (a * b)) + x[..., 2:] * (a / (b * (a + b)))
        ends = [(d[0:1], d[1:2]), (d[n - 2:n - 1], d[n - 3:n - 2])] if n > 2 else [(d[0:1], d[0:1])] * 2
    else:
        middle = (x[..., 2:] - x[..., :-2]) / (2.0 * h)
        ends = [(h, h)] * 2
    if edge_order == 1:
        first, last = (x[..., 1:2] - x[..., :1]) / ends[0][0], (x[..., n - 1:] - x[..., n - 2:n - 1]) / ends[1][0]
    else:
        first = _second(x[..., 0:1], x[..., 1:2], x[..., 2:3], *ends[0])
        last = -_second(x[..., n - 1:], x[..., n - 2:n - 1], x[..., n - 3:n - 2], *ends[1])
    return moveaxis(_core.concat((first, middle, last), x.ndim - 1), -1, axis)


def _second(x0, x1, x2, a, b):
    """The one-sided difference of second order over steps ``a``, then ``b``."""
    return x0 * (-(2.0 * a + b) / (a * (a + b))) + x1 * ((a + b) / (a * b)) - x2 * (a / (b * (a + b)))


def ediff1d(x, /, to_end=None, to_begin=None) -> Array:
    """Differences of neighbours of the flattened array, between ``to_begin`` and ``to_end``."""
    x = _core.reshape(as_array(x), (-1,))
    ends = [None if e is None else _core.astype(_core.reshape(as_array(e), (-1,)), x.dtype) for e in (to_begin, to_end)]
    parts = [p for p in (ends[0], x[1:] - x[:-1], ends[1]) if p is not None]
    return _core.concat(tuple(parts), 0) if len(parts) > 1 else parts[0]


@fused
def convolve(x, y, /, mode="full") -> Array:
    """Convolution of two vectors: where they overlap at all ("full"), as long as the longer one ("same"), or where they overlap fully ("valid").

    Complex numbers by their parts. Raises ShapeError unless both are vectors that are not empty, ValueError for another mode.
    """
    x, y = _vector(x, y), _vector(y, x)
    if x.ndim != 1 or y.ndim != 1 or not x.size or not y.size:
        raise make("ShapeError", f"convolve: operands: expected two vectors that are not empty, got {x.shape} and {y.shape}")
    choice("convolve", "mode", mode, ("full", "same", "valid"))
    return _moved(x, y[::-1], mode) if y.size <= x.size else _moved(y, x[::-1], mode)


def _vector(x, beside):
    """A vector, of one element for a number, which is on the device of the other operand."""
    made = as_array(x)
    made = _core.reshape(made, (1,)) if not made.ndim else made
    return made if isinstance(x, Array) or not isinstance(beside, Array) else made.to_device(beside.device)


def _moved(x, w, mode):
    """Sums of products of ``w`` with a window of ``x``, which is not shorter."""
    more = 0 if mode == "valid" else w.size - 1
    return _slid(x, w, more - more // 2 if mode == "same" else more, more // 2 if mode == "same" else more)


_FEW, _SMALL = 64, 4096


def _shifted(x, w, low, high, dtype):
    """One term after the other: products of a weight with all elements that it meets."""
    x, w = _core.astype(x, dtype), _core.astype(w, dtype)
    if low or high:
        before = _core.full((low,), 0, dtype, x.device)
        x = _core.concat((before, x, before if high == low else _core.full((high,), 0, dtype, x.device)), 0)
    m = w.size
    n = x.size - m + 1
    if x.size * m <= _SMALL:  # all products at once
        products = x * _core.reshape(w, (m, 1))
        total = products[0, 0:n]
        for k in range(1, m):
            total = total + products[k, k:k + n]
        return total if m > 1 else _core.copy(total)
    total = x[0:n] * w[0]
    for k in range(1, m):
        total = total + x[k:k + n] * w[k]
    return total


def _slid(x, w, low, high):
    """Sums of products of ``w`` with the window at each position of ``x``."""
    if "c" in (x.dtype.kind, w.dtype.kind):
        a, b = ops["real"](x), ops["imag"](x)
        c, d = ops["real"](w), ops["imag"](w)
        return ops["complex"](_slid(a, c, low, high) - _slid(b, d, low, high), _slid(a, d, low, high) + _slid(b, c, low, high))
    dtype = _core.promote(x.dtype, w.dtype)
    if w.size <= _FEW and dtype.kind != "b" and dtype.itemsize > 2:
        return _shifted(x, w, low, high, dtype)
    wide = _core.astype(x, dtype if dtype.kind != "b" else "int64"), _core.astype(w, dtype if dtype.kind != "b" else "int64")
    result = _core.convolution(_core.reshape(wide[0], (1, -1, 1)), _core.reshape(wide[1], (-1, 1, 1)), (1,), (low,), (high,), (1,), 1)
    result = _core.reshape(result, (-1,))
    return result if dtype.kind != "b" else _core.astype(result, dtype)


@fused
def correlate(x, y, /, mode="valid") -> Array:
    """Sums of products of ``x`` with the conjugate of ``y`` moved along it, in the modes of ``convolve``."""
    x, y = as_array(x), as_array(y)
    if y.size > x.size:  # as NumPy has it: mirrored
        swapped = correlate(y, x, mode)[::-1]
        return ops["conj"](swapped) if swapped.dtype.kind == "c" else swapped
    y = ops["conj"](y) if y.dtype.kind == "c" else y
    if x.ndim != 1 or y.ndim != 1 or not y.size or mode not in ("full", "same", "valid"):
        return convolve(x, y, mode)  # which says what is wrong
    return _moved(x, y, mode)


def sliding_window_view(x, window_shape, axis=None) -> Array:
    """The windows of ``x`` at every position: axes of the windows behind those of ``x``, a copy.

    Raises ShapeError for windows that are longer than their axes, or as many sizes as axes are not given.
    """
    x, window = as_array(x), as_tuple(window_shape)
    axes = list(range(x.ndim)) if axis is None else [a % x.ndim for a in as_tuple(axis)]
    if len(window) != len(axes):
        raise make("ShapeError", f"sliding_window_view: window_shape: expected {len(axes)} sizes, got {len(window)}")
    for a, w in zip(axes, window):
        n = x.shape[a]
        if not 0 <= w <= n:
            raise make("ShapeError", f"sliding_window_view: window_shape: expected at most {n} along axis {a}, got {w}")
        at = _core.reshape(arange(n - w + 1, device=x.device), (-1, 1)) + arange(w, device=x.device)
        x = moveaxis(_core.take(x, at, a), a + 1, -1)
    return x


def _window(n, *coefficients):
    """A sum of cosines over ``n`` points; one point is 1."""
    if n < 1:
        return _core.full((0,), 0, _core.default_dtype())
    if n == 1:
        return _core.full((1,), 1, _core.default_dtype())
    turn = counted(n, "float64") * (2 * math.pi / (n - 1))
    total = _core.full((n,), coefficients[0], "float64")
    for k, c in enumerate(coefficients[1:], 1):
        total = total + ops["cos"](turn * float(k)) * c
    return _core.astype(total, _core.default_dtype())


def hanning(M) -> Array:  # noqa: N803
    """Hann's window of ``M`` points."""
    return _window(M, 0.5, -0.5)


def hamming(M) -> Array:  # noqa: N803
    """Hamming's window of ``M`` points."""
    return _window(M, 0.54, -0.46)


def blackman(M) -> Array:  # noqa: N803
    """Blackman's window of ``M`` points."""
    return _window(M, 0.42, -0.5, 0.08)


def bartlett(M) -> Array:  # noqa: N803
    """The triangular window of ``M`` points, 0 at its ends."""
    if M < 2:
        return _window(M)
    i = counted(M, "float64") * (2.0 / (M - 1))
    return _core.astype(ops["minimum"](i, 2.0 - i), _core.default_dtype())
