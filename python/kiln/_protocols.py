"""NumPy's functions on Kiln arrays: through NumPy's two protocols they are Kiln's functions of the name, and results stay Kiln arrays."""
from ._arguments import store
from ._core import Array


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


def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):  # noqa: N807
    """A NumPy ufunc, or a method of one, with a Kiln array among its operands or as its output."""
    function = _found(ufunc.__name__)
    function = function if method == "__call__" or function is None else getattr(function, method, None)
    if function is None:
        return NotImplemented
    out = kwargs.pop("out", None)
    if out is None:
        return function(*inputs, **kwargs)
    result = function(*inputs, **kwargs)
    out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if isinstance(out, tuple):
        return tuple(r if o is None else _written(ufunc.__name__, r, o) for r, o in zip(result, out))
    return _written(ufunc.__name__, result, out)


def _written(name, result, out):
    if isinstance(out, Array):
        return store(name, result, out)
    out[...] = result.numpy()  # a NumPy array that a Kiln one is added to in place
    return out


def __array_function__(self, function, types, args, kwargs):  # noqa: N807
    """A NumPy function with a Kiln array among its arguments. One that Kiln lacks, or that is given None for an array, stays NumPy's: it gets
    NumPy arrays over the same memory, and gives what it gives."""
    path = [p for p in function.__module__.split(".")[1:] if p in ("linalg", "fft")]
    ours = _found(function.__name__, path)
    if ours is None or any(a is None for a in args):
        return function(*_as_numpy(args), **_as_numpy(kwargs))
    return ours(*args, **kwargs)


def _as_numpy(value):
    if isinstance(value, Array):
        return value.numpy()
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_as_numpy(v) for v in value)
    return {k: _as_numpy(v) for k, v in value.items()} if isinstance(value, dict) else value


Array.__array_ufunc__, Array.__array_function__ = __array_ufunc__, __array_function__
