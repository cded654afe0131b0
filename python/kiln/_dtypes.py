"""Dtypes: singletons that compare equal to NumPy's."""
from . import _core


class DType:
    """The type of an array's elements. Equal to the NumPy dtype of the same name."""

    __slots__ = ("name", "itemsize", "kind", "__weakref__")

    def __init__(self, name, itemsize, kind):
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


def _kind(name, is_float, is_signed):
    return "b" if name == "bool" else "f" if is_float else "i" if is_signed else "u"


ALL = tuple(DType(name, size, _kind(name, is_float, is_signed)) for name, size, is_float, is_signed in _core.dtype_names())
BY_NAME = {t.name: t for t in ALL}


def _named(name):
    return BY_NAME[name]


class finfo:
    """Limits of a floating dtype: ``bits``, ``eps``, ``max``, ``min``, ``smallest_normal``, ``dtype``."""

    def __init__(self, dtype):
        dtype = getattr(dtype, "dtype", dtype)
        limits = {"float32": (32, 2.0**-23, (2 - 2.0**-23) * 2.0**127, 2.0**-126), "float64": (64, 2.0**-52, (2 - 2.0**-52) * 2.0**1023, 2.0**-1022)}
        if str(dtype) not in limits:
            from ._errors import make
            raise make("DTypeError", f"finfo: dtype: expected float32 or float64, got {dtype}")
        self.bits, self.eps, self.max, self.smallest_normal = limits[str(dtype)]
        self.min, self.dtype = -self.max, BY_NAME[str(dtype)]


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
