"""The namespace with every function under ``kn.jit``: what tools/conformance gives to array-api-tests as the module."""
import inspect
import types

import kiln as kn

# They answer about dtypes and devices, or take memory of others: nothing to record.
_PLAIN = {"__array_namespace_info__", "can_cast", "finfo", "iinfo", "isdtype", "result_type", "broadcast_shapes", "from_dlpack", "asarray"}
_jitted = {}


def _is_array(value):
    return isinstance(value, kn.Array) or isinstance(value, (list, tuple)) and any(_is_array(v) for v in value)


def _static(value):
    return tuple(_static(v) for v in value) if isinstance(value, list) else value


def jitted(function):
    """A function whose arrays are arguments of a recording, and whose other arguments are static."""
    def call(*args, **kwargs):
        args = tuple(a if _is_array(a) else _static(a) for a in args)
        numbers = tuple(i for i, a in enumerate(args) if not _is_array(a))
        names = tuple(sorted(k for k, v in kwargs.items() if not _is_array(v)))
        key = (function, numbers, names)
        if key not in _jitted:
            _jitted[key] = kn.jit(function, static_argnums=numbers, static_argnames=names)
        return _jitted[key](*args, **{k: v if _is_array(v) else _static(v) for k, v in kwargs.items()})
    call.__name__ = getattr(function, "__name__", "call")
    call.__signature__ = inspect.signature(function)
    call.__doc__ = function.__doc__
    return call


def namespace(module):
    """A module with the functions of another under ``jitted``."""
    result = types.ModuleType(module.__name__ + ".jitted")
    for name in dir(module):
        value = getattr(module, name)
        if isinstance(value, types.ModuleType):
            if name in ("linalg", "fft"):
                setattr(result, name, namespace(value))
        elif name in _PLAIN or isinstance(value, type) or not callable(value) or isinstance(value, kn.DType):
            setattr(result, name, value)
        else:
            setattr(result, name, jitted(value))
    return result


xp = namespace(kn)
xp.__array_api_version__ = kn.__array_api_version__
