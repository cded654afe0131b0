"""Dtypes: singletons that compare equal to NumPy's."""
from . import _core


class DType:
    """The type of an array's elements. Equal to the NumPy dtype of the same name."""

    __slots__ = ("name", "itemsize", "kind", "__weakref__")

    name: str
    itemsize: int
    kind: str

    def __init__(self, name: str, itemsize: int, kind: str) -> None:
        self.name, self.itemsize, self.kind = name, itemsize, kind

    def __repr__(self):
        return f"kiln.{self.name}"

    def __str__(self):
        return self.name

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        if isinstance(other, DType):
            return self is other
        name = other if isinstance(other, str) else getattr(other, "name", None) or getattr(other, "__name__", None)
        return name == self.name

    def __reduce__(self):
        return _named, (self.name,)


ALL = tuple(DType(*row) for row in _core.dtype_names())
BY_NAME = {t.name: t for t in ALL}


def _named(name):
    return BY_NAME[name]


# bits of the mantissa, largest and smallest exponent of normal numbers
_FLOATS = {"float16": (10, 15, -14), "bfloat16": (7, 127, -126), "float32": (23, 127, -126), "float64": (52, 1023, -1022)}
_PARTS = {"complex64": "float32", "complex128": "float64"}


class finfo:
    """Limits of a floating dtype (of its parts, if complex): ``bits``, ``eps``, ``max``, ``min``, ``smallest_normal``, ``dtype``.

    Raises DTypeError for other dtypes.
    """

    def __init__(self, dtype):
        name = str(getattr(dtype, "dtype", getattr(dtype, "name", getattr(dtype, "__name__", dtype))))
        name = _PARTS.get(name, name)
        if name not in _FLOATS:
            from ._errors import make
            raise make("DTypeError", f"finfo: dtype: expected a floating dtype, got {dtype}")
        mantissa, high, low = _FLOATS[name]
        self.dtype = BY_NAME[name]
        self.bits, self.eps = 8 * self.dtype.itemsize, 2.0**-mantissa
        self.max, self.smallest_normal = (2 - 2.0**-mantissa) * 2.0**high, 2.0**low
        self.min = -self.max


class iinfo:
    """Limits of an integer dtype: ``bits``, ``max``, ``min``, ``dtype``."""

    def __init__(self, dtype):
        dtype = BY_NAME.get(str(getattr(dtype, "dtype", dtype)))
        if dtype is None or dtype.kind not in "iu":
            from ._errors import make
            raise make("DTypeError", f"iinfo: dtype: expected an integer dtype, got {dtype}")
        self.bits, self.dtype = 8 * dtype.itemsize, dtype
        self.min = -(1 << (self.bits - 1)) if dtype.kind == "i" else 0
        self.max = (1 << (self.bits - (dtype.kind == "i"))) - 1
