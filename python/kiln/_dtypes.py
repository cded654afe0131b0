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
        return name == self.name or (isinstance(other, (str, type)) and name not in BY_NAME and find(other) is self)

    def __instancecheck__(self, value):
        """As of NumPy's scalar types: whether a value without axes has this dtype."""
        return getattr(value, "shape", None) == () and getattr(value, "dtype", None) == self

    def __reduce__(self):
        return _named, (self.name,)

    def __call__(self, value=0):
        """``value`` as an array of this dtype, as NumPy's scalar types are called."""
        from ._creation import asarray
        return _core.astype(asarray(value), self)

    @property
    def type(self):
        """What makes a number of this dtype when it is called: itself."""
        return self

    @property
    def char(self) -> str:
        """NumPy's letter. Raises AttributeError for dtypes that NumPy lacks, as ``num`` and ``str`` do."""
        return self._code()[0]

    @property
    def num(self) -> int:
        """NumPy's number."""
        return self._code()[1]

    @property
    def byteorder(self) -> str:
        """That of this machine, or "|" where there is none."""
        return "|" if self.itemsize == 1 else "="

    @property
    def str(self) -> str:
        """NumPy's text of the order of bytes, the kind and the size."""
        self._code()
        return f"{'|' if self.itemsize == 1 else '<'}{self.kind}{self.itemsize}"

    def _code(self):
        if self.name not in _CODES:
            raise AttributeError(f"dtype: expected one that NumPy has, got {self.name}")
        return _CODES[self.name]

    @property
    def dtype(self):
        """NumPy's dtype of the name, which NumPy asks for where it is given one of Kiln's."""
        import numpy
        try:
            return numpy.dtype(self.name)
        except TypeError:
            raise AttributeError(f"dtype: NumPy has none of the name {self.name}") from None


# NumPy's letter and number.
_CODES = {"bool": ("?", 0), "int8": ("b", 1), "uint8": ("B", 2), "int16": ("h", 3), "uint16": ("H", 4), "int32": ("i", 5), "uint32": ("I", 6), "int64": ("l", 7),
          "uint64": ("L", 8), "float32": ("f", 11), "float64": ("d", 12), "complex64": ("F", 14), "complex128": ("D", 15), "float16": ("e", 23)}
ALL = tuple(DType(*row) for row in _core.dtype_names())
BY_NAME = {t.name: t for t in ALL}


def _named(name):
    return BY_NAME[name]


# bits of the mantissa, largest and smallest exponent of normal numbers
_FLOATS = {"float16": (10, 15, -14), "bfloat16": (7, 127, -126), "float32": (23, 127, -126), "float64": (52, 1023, -1022)}
_PARTS = {"complex64": "float32", "complex128": "float64"}


def find(dtype):
    """The dtype of a name, code or type, of a dtype of NumPy, of what has one or of a number; None for anything else."""
    from ._errors import DTypeError
    if isinstance(dtype, DType):
        return dtype
    if not isinstance(dtype, (str, type)):
        dtype = type(dtype) if isinstance(dtype, (int, float, complex)) and not hasattr(dtype, "dtype") else getattr(dtype, "dtype", dtype)
    try:
        return _core.to_dtype(dtype)
    except DTypeError:
        return None


class finfo:
    """Limits of a floating dtype (of its parts, if complex): ``bits``, ``eps``, ``max``, ``min``, ``smallest_normal``, ``tiny``,
    ``smallest_subnormal``, ``resolution``, ``nmant``, ``maxexp``, ``minexp``, ``precision``, ``dtype``.

    Raises DTypeError for other dtypes.
    """

    def __init__(self, dtype):
        name = getattr(find(dtype), "name", None)
        name = _PARTS.get(name, name)
        if name not in _FLOATS:
            from ._errors import make
            raise make("DTypeError", f"finfo: dtype: expected a floating dtype, got {dtype}")
        mantissa, high, low = _FLOATS[name]
        self.dtype = BY_NAME[name]
        self.bits, self.eps = 8 * self.dtype.itemsize, 2.0**-mantissa
        self.max, self.smallest_normal = (2 - 2.0**-mantissa) * 2.0**high, 2.0**low
        self.min, self.tiny, self.smallest_subnormal = -self.max, self.smallest_normal, 2.0**(low - mantissa)
        self.nmant, self.maxexp, self.minexp, self.epsneg = mantissa, high + 1, low, self.eps / 2
        self.precision = int(mantissa * 0.30102999566398)
        self.resolution = 10.0**-self.precision

    def __repr__(self):
        return f"finfo({self.dtype}: eps {self.eps:.3g}, max {self.max:.3g}, smallest_normal {self.smallest_normal:.3g})"


class iinfo:
    """Limits of an integer dtype: ``bits``, ``max``, ``min``, ``dtype``."""

    def __init__(self, dtype):
        given, dtype = dtype, find(dtype)
        if dtype is None or dtype.kind not in "iu":
            from ._errors import make
            raise make("DTypeError", f"iinfo: dtype: expected an integer dtype, got {given}")
        self.bits, self.dtype = 8 * dtype.itemsize, dtype
        self.min = -(1 << (self.bits - 1)) if dtype.kind == "i" else 0
        self.max = (1 << (self.bits - (dtype.kind == "i"))) - 1

    def __repr__(self):
        return f"iinfo({self.dtype}: min {self.min}, max {self.max})"
