"""Functions of dtypes."""
from . import _core
from ._arguments import check_device, placed
from ._core import Array
from ._creation import with_number
from ._dtypes import ALL, BY_NAME, DType, finfo, iinfo  # noqa: F401
from ._errors import make

_KINDS = {"bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": "f",
          "complex floating": "c", "numeric": "iufc"}


def dtype_of(value) -> DType:
    """The dtype that a name, type, NumPy dtype or array stands for. Raises DTypeError for anything else."""
    return value if isinstance(value, DType) else value.dtype if isinstance(value, Array) else _core.to_dtype(value)


def astype(x, dtype, /, *, copy=True, device=None) -> Array:
    """``x`` converted to ``dtype``: floats to integers saturate, nan becomes 0.

    Raises DTypeError for complex numbers to real ones: ``kn.real`` and ``kn.imag`` give their parts.
    """
    check_device(device)
    target, given = dtype if type(dtype) is DType else dtype_of(dtype), x.dtype if isinstance(x, Array) else None
    if given and given.kind == "c" and target.kind not in "cb":
        raise make("DTypeError", f"astype: dtype: expected a complex one or bool (kn.real and kn.imag give the parts), got {target}")
    return placed(_core.copy(x) if copy and given is target else _core.astype(x, target), device)


def bitcast(x, dtype, /) -> Array:
    """The same bits under another dtype of the same size. Raises DTypeError where the sizes differ."""
    return _core.bitcast(x, dtype)


def isdtype(dtype, kind) -> bool:
    """Whether a dtype is of a kind of the array API ("bool", "integral", ...), a dtype, or one of a tuple of them.

    Raises ValueError for a kind that does not exist.
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise make("ValueError", f"isdtype: kind: expected one of {', '.join(_KINDS)}, got {kind!r}")
        return dtype_of(dtype).kind in _KINDS[kind]
    return dtype_of(dtype) == dtype_of(kind)


def can_cast(from_, to, /) -> bool:
    """Whether a dtype (or an array's) converts to another by promotion alone."""
    a, b = dtype_of(from_), dtype_of(to)
    order = "biufc"
    if a.kind in "iu" and b.kind in "fc":
        return True
    if order.index(a.kind) > order.index(b.kind) and not (a.kind == "u" and b.kind == "i"):
        return False
    try:
        return _core.promote(a, b) is b
    except TypeError:
        return False


def result_type(*values) -> DType:
    """The dtype that an operation over arrays, dtypes and Python numbers runs in.

    Raises DTypeError where there is none, ValueError without a dtype or an array.
    """
    if len(values) < 3 and all([type(v) is Array for v in values]) and values and values[0].dtype is values[-1].dtype:
        return values[0].dtype
    numbers = [v for v in values if isinstance(v, (bool, int, float, complex)) and not isinstance(v, type)]
    types = [dtype_of(v) for v in values if not any(v is n for n in numbers)]
    if not types:
        raise make("ValueError", "result_type: values: expected at least one array or dtype, got none")
    result = types[0]
    for t in types[1:]:
        result = _core.promote(result, t)
    for number in numbers:
        result = with_number(result, number)
    return result


def set_default_dtype(dtype) -> None:
    """The dtype of arrays made from Python floats, float32 at first. Raises DTypeError unless it is float32 or float64."""
    global _chosen
    _core.set_default_dtype(dtype)
    _chosen = True


_chosen = False


def default_is_chosen() -> bool:
    """Whether the program has set a default dtype."""
    return _chosen


def get_num_threads() -> int:
    """How many threads a loop is shared between at most."""
    return _core.get_num_threads()


def set_num_threads(count: int):
    """Sets how many threads a loop is shared between at most; 0 for as many as the machine has. Results do not depend on it.

    The environment variable ``KILN_NUM_THREADS`` sets it at the start. Raises ValueError for a negative number.
    """
    _core.set_num_threads(count)


def get_default_dtype() -> DType:
    """The dtype of arrays made from Python floats."""
    return _core.default_dtype()


class _Info:
    """What ``__array_namespace_info__`` gives: capabilities, devices and dtypes."""

    def capabilities(self):
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 16}

    def default_device(self):
        return _core.default_device()

    def devices(self):
        return tuple(_core.devices())

    def default_dtypes(self, *, device=None):
        real = _core.default_dtype()
        return {"real floating": real, "complex floating": BY_NAME["complex128" if real.name == "float64" else "complex64"],
                "integral": BY_NAME["int64"], "indexing": BY_NAME["int64"]}

    def dtypes(self, *, device=None, kind=None):
        standard = [t for t in ALL if t.name not in ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")]
        return {t.name: t for t in standard if kind is None or isdtype(t, kind)}


def __array_namespace_info__():  # noqa: N807
    """Capabilities, devices and dtypes, as the array API says."""
    return _Info()
