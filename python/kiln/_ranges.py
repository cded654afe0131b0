"""Arrays of numbers in steps, and grids of them."""
import builtins
import cmath
import math

from . import _core
from ._arguments import as_array, integer, on_device, ops
from ._core import Array
from ._creation import with_number
from ._dtypes import BY_NAME
from ._errors import make
from ._fused import LEAST, fused
from ._shaping import moveaxis

int32, int64, uint64, float64 = (BY_NAME[name] for name in ("int32", "int64", "uint64", "float64"))


def arange(start, stop=None, step=1, dtype=None, *, device=None) -> Array:
    """Numbers from ``start`` (0 if one argument) to before ``stop``, ``step`` apart.

    Raises ValueError for a step of 0.
    """
    if stop is None and type(step) is int and step == 1 and dtype is None and device is None and (line := _core.count(start)) is not None:
        return line
    if stop is None:
        start, stop = 0, start
    if type(start) is type(stop) is type(step) is int and step == 1 and (dtype is None or getattr(dtype, "kind", "") in ("i", "f")):
        return arange_in(dtype or int64, stop - start if stop > start else 0, start, 1, device)
    if step == 0:
        raise make("ValueError", "arange: step: expected a number other than 0, got 0")
    whole = isinstance(start, int) and isinstance(stop, int) and isinstance(step, int)
    n = builtins.max(0, -((start - stop) // step) if whole else math.ceil((stop - start) / step))
    dtype = dtype if dtype is None else _core.to_dtype(dtype)
    if dtype is None:
        return arange_in(int64 if whole else _core.default_dtype(), n, start, step, device)
    if not whole and getattr(dtype, "kind", "f") in "iu":
        start, step = int(start), int(step)
    if dtype == uint64 or getattr(dtype, "kind", "f") == "u" and (start < 0 or step < 0):
        return _core.astype(arange_in(int64, n, start, step, device), dtype)
    if getattr(dtype, "kind", "") == "c" or dtype in ("complex64", "complex128"):
        return _core.astype(arange_in(BY_NAME["float64"], n, start, step, device), dtype)
    return arange_in(dtype, n, start, step, device)


def arange_in(dtype, n, start, step, device=None) -> Array:
    """``start + i * step`` for i below ``n``, computed in ``dtype``."""
    line = counted(n, dtype, device)
    if step != 1:
        line = line * step
    return line + start if start != 0 else line


def counted(n, dtype, device=None) -> Array:
    """0, 1, ... n - 1 in a dtype; long floating ones by way of int32, which is quicker."""
    if 1024 < n < 2**31 and dtype in ("float32", "float64"):
        return _core.astype(_core.iota((n,), int32, 0, device), dtype)
    return _core.iota((n,), dtype, 0, device)


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    """``num`` numbers from ``start`` to ``stop``, evenly spaced; without ``stop`` itself where ``endpoint`` is False.

    Limits may be arrays, whose axes then follow ``axis``; the step comes as well with ``retstep``. Computed in float64.
    """
    if device is not None:
        with on_device(device):
            return linspace(start, stop, num, endpoint, retstep, dtype, axis)
    num = integer("linspace", "num", num)
    if num < 0:
        raise make("ValueError", f"linspace: num: expected at least 0, got {num}")
    steps = builtins.max(num - 1 if endpoint else num, 1)
    plain = isinstance(start, (int, float)) and isinstance(stop, (int, float))
    if plain and num >= LEAST:
        result = _spaced_numbers(float(start), float(stop), num, steps, endpoint, dtype or _core.default_dtype())
        return result if not retstep else (result, (stop - start) / steps)
    if plain:
        first, last = float(start), float(stop)
        line = counted(num, float64) * ((last - first) / steps)
        line = line + first if first or last <= 0 else line  # which also makes 0 of -0
        if endpoint and num > 1:
            line[num - 1] = last
        target = dtype or _core.default_dtype()
    else:
        line, target = _line_of_arrays(start, stop, num, steps, endpoint, axis), dtype
        target = target or _line_dtype(start, stop)
    if _is_whole(target):
        line = ops["floor"](line)
    result = _core.astype(line, target)
    if not retstep:
        return result
    return result, ((stop - start) / steps if num > (1 if endpoint else 0) else float("nan"))


def _is_whole(dtype):
    return _core.to_dtype(dtype).kind in "iu"


def _spaced_numbers(first, last, num, steps, endpoint, dtype):
    """Many numbers from ``first`` on, and ``last`` where that is the end, in one pass."""
    step, end, at = (_core.full((), v, float64) for v in ((last - first) / steps, last, num - 1 if endpoint and num > 1 else -1))
    return _spaced(_core.broadcast_to(_core.full((), first, float64), (num,)), step, end, at, _is_whole(dtype), dtype)


@fused
def _spaced(firsts, step, end, at, is_whole, dtype):
    """``first`` and its steps in float64, ``end`` at a position."""
    i = _core.iota(firsts.shape, float64, 0)
    line = _core.where(i == at, end, i * step + firsts)
    return _core.astype(ops["floor"](line) if is_whole else line, dtype)


def _line_dtype(start, stop):
    """The floating dtype of limits that are arrays or complex numbers."""
    dtype = _core.default_dtype()
    arrays = [v.dtype for v in (start, stop) if isinstance(v, Array) and v.dtype.kind in "fc"]
    dtype = arrays[0] if arrays else dtype
    for t in arrays[1:]:
        dtype = _core.promote(dtype, t)
    return with_number(dtype, 1j) if isinstance(start, complex) or isinstance(stop, complex) else dtype


def _line_of_arrays(start, stop, num, steps, endpoint, axis):
    first, last = as_array(start), as_array(stop)
    wide = BY_NAME["complex128"] if "c" in (first.dtype.kind, last.dtype.kind) else float64
    first, last = _core.astype(first, wide), _core.astype(last, wide)
    rank = builtins.max(first.ndim, last.ndim)
    step = (last - first) / steps
    i = _core.reshape(counted(num, float64, step.device), (num,) + (1,) * rank)
    line = i * step + first
    if endpoint and num > 1:
        line[num - 1] = last
    return moveaxis(line, 0, axis) if axis and rank else line


def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0) -> Array:
    """``base`` to the powers of ``linspace``. Computed in float64."""
    powers = linspace(start, stop, num, endpoint, dtype=float64, axis=axis)
    if isinstance(base, (int, float)) and base == 10:
        result = ops["pow"](10.0, powers)
    else:
        result = ops["pow"](base if isinstance(base, (int, float)) else _core.astype(as_array(base), float64), powers)
    return _core.astype(result, dtype or _core.default_dtype())


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0) -> Array:
    """``num`` numbers from ``start`` to ``stop`` whose quotients are equal. Computed in float64.

    Complex limits lie on a spiral; limits may be arrays of real numbers, whose axes then follow ``axis``. Raises ValueError for a limit of 0, or real
    limits of different signs, where they are numbers.
    """
    if any(getattr(v, "ndim", 0) or isinstance(v, (list, tuple)) for v in (start, stop)):
        return _geometric(as_array(start), as_array(stop), num, endpoint, dtype, axis)
    if isinstance(start, complex) or isinstance(stop, complex):
        return _spiral(complex(start), complex(stop), integer("geomspace", "num", num), endpoint, dtype)
    first, last = float(start), float(stop)
    if first * last <= 0:
        raise make("ValueError", f"geomspace: limits: expected two of one sign, not 0, got {start} and {stop}")
    sign = 1.0 if first > 0 else -1.0
    line = ops["pow"](10.0, linspace(math.log10(abs(first)), math.log10(abs(last)), num, endpoint, dtype=float64)) * sign
    if num:
        line[0] = first
    if num > 1 and endpoint:
        line[num - 1] = last
    return _core.astype(line, dtype or _core.default_dtype())


def _geometric(start, stop, num, endpoint, dtype, axis):
    """Of arrays: the ends are exact."""
    start, stop = (_core.astype(v, float64) for v in (start, stop))
    logs = linspace(ops["log10"](ops["abs"](start)), ops["log10"](ops["abs"](stop)), num, endpoint, dtype=float64)
    line = ops["pow"](10.0, logs) * _core.where(ops["less"](start, 0), -1.0, 1.0)
    shape = line.shape[1:]
    if num:
        line[0] = _core.broadcast_to(start, shape)
    if num > 1 and endpoint:
        line[num - 1] = _core.broadcast_to(stop, shape)
    return _core.astype(moveaxis(line, 0, axis), dtype or _core.default_dtype())


def _spiral(start, stop, num, endpoint, dtype):
    if not start or not stop:
        raise make("ValueError", f"geomspace: limits: expected numbers other than 0, got {start} and {stop}")
    steps = _core.astype(counted(num, float64) / float(builtins.max(num - 1 if endpoint else num, 1)), "complex128")
    line = ops["exp"](steps * cmath.log(stop / start)) * start
    if num:
        line[0] = start
    if num > 1 and endpoint:
        line[num - 1] = stop
    return _core.astype(line, dtype or ("complex128" if _core.default_dtype().name == "float64" else "complex64"))


def meshgrid(*arrays, copy=True, sparse=False, indexing="xy") -> tuple[Array, ...]:
    """Coordinates of a grid from one vector an axis: a tuple; with "xy" the first two axes are swapped, as NumPy does.

    ``sparse`` leaves the other axes at size 1; without ``copy`` the results are views that cannot be written. Raises ValueError for another ``indexing``.
    """
    if indexing not in ("xy", "ij"):
        raise make("ValueError", f"meshgrid: indexing: expected 'xy' or 'ij', got {indexing!r}")
    arrays = [as_array(a) for a in arrays]
    n = len(arrays)
    order = list(range(n))
    if indexing == "xy" and n > 1:
        order[:2] = 1, 0
    shape = tuple(arrays[i].size for i in order)
    grids = []
    for i, a in enumerate(arrays):
        unit = [1] * n
        unit[order.index(i)] = a.size
        grid = _core.reshape(a, tuple(unit))
        grid = grid if sparse else _core.broadcast_to(grid, shape)
        grids.append(_core.copy(grid) if copy else grid)
    return tuple(grids)
