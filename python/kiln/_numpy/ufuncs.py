"""NumPy's ufuncs: elementwise functions with ``out``, ``where`` and ``dtype``, and the methods reduce, accumulate, outer, at and reduceat.

They are native where they are an operation and a call is plain: ``call`` below takes the others.
"""
import kiln as kn

from .. import _core
from .._arguments import as_array, floating, normalized_axis, store
from .._core import Array
from .._creation import asarray
from .._errors import make

_NUMBERS = (bool, int, float, complex)
_REDUCTIONS = {"add": kn.sum, "multiply": kn.prod, "maximum": kn.max, "minimum": kn.min, "logical_and": kn.all, "logical_or": kn.any}
_SCANS = {"add": kn.cumulative_sum, "multiply": kn.cumulative_prod, "maximum": kn.cumulative_max, "minimum": kn.cumulative_min}
_UPDATES = {"add": "add", "multiply": "multiply", "maximum": "max", "minimum": "min"}
_IDENTITIES = {"add": 0, "multiply": 1, "logical_and": True, "logical_or": False, "logical_xor": False, "bitwise_and": -1, "bitwise_or": 0, "bitwise_xor": 0,
               "gcd": 0, "hypot": 0, "logaddexp": float("-inf")}


def _operand(value, dtype):
    if dtype is not None:
        return asarray(value, dtype)
    return value if isinstance(value, (Array, *_NUMBERS)) else as_array(value)


def _output(out, results):
    return (out,) * results if not isinstance(out, tuple) else out


def _masked(result, where, out):
    """Where the mask does not hold, ``out`` stays; without one, zeros stand there."""
    where = _core.astype(as_array(where), "bool")
    return _core.where(where, result, _core.full((), 0, result.dtype) if out is None else _core.astype(out, result.dtype))


def ufunc(name, function, operands, results=1):
    """The ufunc of a function of ``operands`` arrays."""
    def call(*args, out=None, where=True, dtype=None, casting="same_kind", order="K", subok=True):
        if operands < len(args) <= operands + results and out is None:
            args, out = args[:operands], args[operands] if results == 1 else args[operands:]
        if len(args) != operands:
            raise make("DTypeError", f"{name}: arguments: expected {operands} arrays, got {len(args)}")
        args = [_operand(a, dtype) for a in args]
        result = function(*args) if any(isinstance(a, Array) for a in args) else function(*(as_array(a) for a in args))
        if out is None and where is True:
            return result
        parts, outs = (result if isinstance(result, tuple) else (result,)), _output(out, results)
        parts = tuple(r if where is True else _masked(r, where, o) for r, o in zip(parts, outs))
        parts = tuple(r if o is None else store(name, r, o) for r, o in zip(parts, outs))
        return parts if results > 1 else parts[0]

    call.__name__ = call.__qualname__ = name
    attributes = {"__name__": name, "__doc__": f"{function.__doc__}\n\nAs NumPy's ufunc of the name: with ``out``, ``where`` and ``dtype``.",
                  "nin": operands, "nout": results, "nargs": operands + results, "identity": _IDENTITIES.get(name)}
    made = _core.ufunc(function, call, attributes)
    if operands == 2 and results == 1:
        attributes |= _methods(made, name)
    return made


def _methods(call, name):
    """The methods of a ufunc of two arrays, by name."""
    def reduce(x, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True):
        """The function between all elements along an axis."""
        x = as_array(x)
        if name in ("add", "multiply"):
            return _REDUCTIONS[name](x, axis, dtype, out, keepdims, initial, where)
        if name in ("maximum", "minimum"):
            return _REDUCTIONS[name](x, axis, out, keepdims, initial, where)
        if name in _REDUCTIONS:
            return _REDUCTIONS[name](x, axis, out, keepdims, where)
        result = _folded(call, name, x if dtype is None else _core.astype(x, dtype), axis, keepdims, initial, where)
        return result if out is None else store(name, result, out)

    def accumulate(x, axis=0, dtype=None, out=None):
        """The function between all elements up to each along an axis."""
        x = as_array(x)
        if name in _SCANS:
            result = _SCANS[name](x, axis=axis) if name in ("maximum", "minimum") else _SCANS[name](x, axis=axis, dtype=dtype)
        else:
            parts = list(kn.unstack(x, axis=axis))
            for i in range(1, len(parts)):
                parts[i] = call(parts[i - 1], parts[i])
            result = kn.stack(parts, axis=axis)
        return result if out is None else store(name, result, out)

    def outer(x, y, **kwargs):
        """The function of every element of one array with every element of the other."""
        x, y = as_array(x), as_array(y)
        return call(_core.reshape(x, x.shape + (1,) * y.ndim), y, **kwargs)

    def at(x, positions, y=None):
        """Changes ``x`` in place at positions; each of several for one place counts."""
        key = tuple(p if isinstance(p, (int, slice)) else as_array(p) for p in positions) if isinstance(positions, tuple) else positions
        key = key if isinstance(key, (tuple, int, slice, Array)) else as_array(key)
        y = y if isinstance(y, _NUMBERS) else as_array(y)
        if name in _UPDATES:
            x[...] = getattr(x.at[key], _UPDATES[name])(y)
        elif name == "subtract":
            x[...] = x.at[key].add(-y)
        else:
            _one_by_one(call, x, key, y)

    def reduceat(x, positions, axis=0, dtype=None, out=None):
        """``reduce`` of the slices between positions; the element itself where the next position is not larger."""
        x = as_array(x)
        axis = normalized_axis(name, axis, x.ndim)
        cuts = [int(p) for p in as_array(positions).tolist()]
        parts, head = [], (slice(None),) * axis
        for i, low in enumerate(cuts):
            high = cuts[i + 1] if i + 1 < len(cuts) else x.shape[axis]
            parts.append(x[(*head, low)] if high <= low else reduce(x[(*head, slice(low, high))], axis, dtype))
        result = kn.stack(parts, axis=axis)
        return result if out is None else store(name, result, out)

    methods = {method.__name__: method for method in (reduce, accumulate, outer, at, reduceat)}
    for method in methods.values():
        method.__qualname__ = f"{name}.{method.__name__}"
    return methods


def _folded(call, name, x, axis, keepdims, initial, where):
    from .._arguments import merged
    rest, shape, kept = merged(name, x, axis)
    identity = _IDENTITIES.get(name)
    if where is not True:
        if identity is None:
            raise make("ValueError", f"{name}.reduce: where: expected a function with an identity")
        mask = _core.broadcast_to(as_array(where), x.shape)
        rest = _core.where(merged(name, mask, axis)[0], rest, identity)
    n = rest.shape[-1]
    result = initial
    for i in range(n):
        result = rest[..., i] if result is None else call(result, rest[..., i])
    if result is None:
        if identity is None:
            raise make("ValueError", f"{name}.reduce: size: expected at least one element, got none")
        result = _core.full(shape, identity, x.dtype)
    return _core.reshape(result, kept if keepdims else shape)


def _one_by_one(call, x, key, y):
    """For functions that no scatter has: the places one after the other."""
    places = kn.reshape(kn.arange(x.size), x.shape)[key]
    shape, flat = places.shape, kn.reshape(x, (-1,))
    y = None if y is None else kn.reshape(_core.broadcast_to(as_array(y), shape), (-1,))
    for i, place in enumerate(kn.reshape(places, (-1,)).tolist()):
        flat[place] = call(flat[place], y[i])
    if not _core.shares_memory(flat, x):
        x[...] = kn.reshape(flat, x.shape)


def _rint(x, /):
    """Nearest whole number, halves to the even one; of integers in the default dtype."""
    return kn.round(floating(x))


def _reciprocal(x, /):
    """One over each element; of integers the whole part, and 0 of 0."""
    return _core.where(kn.abs(x) == 1, x, 0) if x.dtype.kind in "iu" else kn.reciprocal(x)


_ONE = ("abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh bitwise_count bitwise_invert invert cbrt ceil conj conjugate cos "
        "cosh deg2rad degrees exp exp2 expm1 fabs floor isfinite isinf isnan log log10 log1p log2 logical_not negative positive rad2deg radians sign "
        "signbit sin sinh spacing sqrt square tan tanh trunc").split()
_TWO = ("add arctan2 atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal float_power floor_divide fmax fmin fmod gcd "
        "greater greater_equal heaviside hypot lcm ldexp less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum mod multiply "
        "nextafter not_equal pow power remainder subtract vecdot").split()
ALL = {n: ufunc(n, getattr(kn, n), 1) for n in _ONE}
ALL |= {n: ufunc(n, getattr(kn, n), 2) for n in _TWO}
ALL |= {"divmod": ufunc("divmod", kn.divmod, 2, 2), "modf": ufunc("modf", kn.modf, 1, 2), "frexp": ufunc("frexp", kn.frexp, 1, 2)}
ALL |= {"rint": ufunc("rint", _rint, 1), "reciprocal": ufunc("reciprocal", _reciprocal, 1), "true_divide": ALL["divide"], "left_shift": ALL["bitwise_left_shift"],
        "right_shift": ALL["bitwise_right_shift"], "bitwise_not": ALL["bitwise_invert"]}
