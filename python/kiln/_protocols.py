"""NumPy's functions on Kiln arrays: through NumPy's two protocols they are Kiln's functions of the name, and results stay Kiln arrays."""
import functools

from ._arguments import store
from ._core import Array
from ._errors import make


def _found(name, path=()):
    """What kiln.numpy calls ``name``, without the default dtype that importing it sets."""
    import kiln

    from . import _numpy
    if not path and name in _numpy.NAMES:
        return _numpy.NAMES[name]
    space = kiln
    for part in path:
        space = getattr(space, part, None)
    return getattr(space, name, None)


_called = functools.lru_cache(512)(_found)  # a call of a ufunc needs no more than its name


def twin_of(function):
    """What a function or ufunc of NumPy is with Kiln arrays; None where Kiln has none."""
    path = [p for p in (getattr(function, "__module__", None) or "").split(".")[1:] if p in ("linalg", "fft")]
    return _found(function.__name__, path)


def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):  # noqa: N807
    """A NumPy ufunc, or a method of one, with a Kiln array among its operands or as its output."""
    if method == "__call__" and not kwargs:
        function = _called(ufunc.__name__)
        return _unknown(ufunc, inputs) if function is None else function(*inputs)
    function = _found(ufunc.__name__)
    function = function if method == "__call__" or function is None else getattr(function, method, None)
    if function is None:
        return _unknown(ufunc, inputs)
    out = kwargs.pop("out", None)
    if out is None:
        return function(*inputs, **kwargs)
    result = function(*inputs, **kwargs)
    out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if isinstance(out, tuple):
        return tuple(r if o is None else _written(ufunc.__name__, r, o) for r, o in zip(result, out))
    return _written(ufunc.__name__, result, out)


def _unknown(function, inputs):
    """Raises DTypeError for a function that Kiln lacks, unless the class of another operand may know it."""
    if any(hasattr(type(x), "__array_ufunc__") and type(x) is not Array and type(x).__module__ != "numpy" for x in inputs):
        return NotImplemented
    raise make("DTypeError", f"{getattr(function, '__module__', None) or 'ufunc'}.{function.__name__}: expected NumPy arrays, or a function that Kiln has, got a Kiln array "
                             "(np.asarray(x) shows its memory as a NumPy array)")


def _written(name, result, out):
    if isinstance(out, Array):
        return store(name, result, out)
    out[...] = result.numpy()  # a NumPy array that a Kiln one is added to in place
    return out


def __array_function__(self, function, types, args, kwargs):  # noqa: N807
    """A NumPy function with a Kiln array among its arguments. Raises DTypeError for one that Kiln lacks: nothing is computed by NumPy unseen."""
    ours = twin_of(function)
    if ours is None:
        return _unknown(function, ())
    if function.__name__ == "broadcast_arrays" and any(_is_object(a) for a in args):
        return function(*(a.numpy() if isinstance(a, Array) else a for a in args), **kwargs)
    return ours(*args, **kwargs)


def _is_object(value):
    """Whether only NumPy has an array of a value: None, texts, and arrays of them."""
    return value is None or isinstance(value, str) or getattr(getattr(value, "dtype", None), "kind", "f") not in "biufc"


Array.__array_ufunc__, Array.__array_function__ = __array_ufunc__, __array_function__
