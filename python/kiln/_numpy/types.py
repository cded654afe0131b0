"""NumPy's names of dtypes, kinds of them, settings, and the objects that are keys."""
import contextlib

import kiln as kn

from .. import _core, _repr
from .._arguments import as_array, choice
from .._dtypes import BY_NAME, DType
from .._errors import make

OBJECTS = ("int_ intp longlong long uint uintp ulonglong ulong byte short intc ubyte ushort uintc half single double csingle cdouble mgrid ogrid r_ c_ s_ index_exp "
           "may_share_memory").split()
int_ = intp = longlong = long = BY_NAME["int64"]
uint = uintp = ulonglong = ulong = BY_NAME["uint64"]
byte, short, intc, ubyte, ushort, uintc = (BY_NAME[n] for n in ("int8", "int16", "int32", "uint8", "uint16", "uint32"))
half, single, double = (BY_NAME[n] for n in ("float16", "float32", "float64"))
csingle, cdouble = BY_NAME["complex64"], BY_NAME["complex128"]


class _Kind(type):
    """Of classes that numbers without axes are instances of by their dtype, and dtypes subclasses of."""

    def __instancecheck__(cls, value):
        return getattr(value, "shape", None) == () and getattr(getattr(value, "dtype", None), "kind", "") in tuple(cls.kinds)

    def __subclasscheck__(cls, other):
        return other.kind in cls.kinds if isinstance(other, DType) else super().__subclasscheck__(other)


class generic(metaclass=_Kind):
    """The kind of all dtypes: ``issubdtype`` knows it and its children."""

    kinds = "biufc"


class number(generic):
    """The kind of numbers."""

    kinds = "iufc"


class integer(number):
    """The kind of integers."""

    kinds = "iu"


class signedinteger(integer):
    """The kind of signed integers."""

    kinds = "i"


class unsignedinteger(integer):
    """The kind of unsigned integers."""

    kinds = "u"


class inexact(number):
    """The kind of floats and complex numbers."""

    kinds = "fc"


class floating(inexact):
    """The kind of floats."""

    kinds = "f"


class complexfloating(inexact):
    """The kind of complex numbers."""

    kinds = "c"


def dtype(obj) -> DType:
    """The dtype of a name, a code of one letter, a type, or another library's dtype. Raises DTypeError for anything else."""
    return kn._types.dtype_of(float if obj is None else obj)


def issubdtype(arg1, arg2) -> bool:
    """Whether a dtype is another one, or of a kind."""
    if isinstance(arg1, type) and issubclass(arg1, generic):
        return isinstance(arg2, type) and issubclass(arg1, arg2)
    if isinstance(arg2, type) and issubclass(arg2, generic):
        return dtype(arg1).kind in arg2.kinds
    return dtype(arg1) is dtype(arg2)


def promote_types(type1, type2) -> DType:
    """The dtype that two convert to. Raises DTypeError where there is none."""
    return _core.promote(dtype(type1), dtype(type2))


def can_cast(from_, to, casting="safe") -> bool:
    """Whether a dtype (or an array's) converts to another one: always if ``"unsafe"``, to one that holds all its numbers if ``"safe"``, or also within
    a kind if ``"same_kind"``. Raises ValueError for another ``casting``."""
    choice("can_cast", "casting", casting, ("no", "equiv", "safe", "same_kind", "unsafe"))
    a, b = kn._types.dtype_of(from_), dtype(to)
    if casting in ("no", "equiv", "unsafe"):
        return casting == "unsafe" or a is b
    if casting == "same_kind" and "buifc".index(a.kind) <= "buifc".index(b.kind):
        return True
    try:
        return _core.promote(a, b) is b
    except TypeError:
        return False


def common_type(*arrays) -> DType:
    """The floating dtype that arrays convert to."""
    result = kn.result_type(*arrays)
    return result if result.kind in "fc" else double


class errstate(contextlib.ContextDecorator):
    """Does nothing: operations on floats give infinities and nan without a warning."""

    def __init__(self, **kwargs):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def seterr(all=None, divide=None, over=None, under=None, invalid=None):  # noqa: A002
    """Does nothing, and says that everything is ignored."""
    return geterr()


def geterr():
    """What happens on division by zero and so on: nothing."""
    return {"divide": "ignore", "over": "ignore", "under": "ignore", "invalid": "ignore"}


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, suppress=None, **others):
    """How arrays print: digits behind the point, from how many elements on parts are left out, and how many stand at each end."""
    for name, value in (("precision", precision), ("threshold", threshold), ("edgeitems", edgeitems)):
        if value is not None:
            _repr.options[name] = value


def get_printoptions():
    """The settings of ``set_printoptions``."""
    return {name: value for name, value in _repr.options.items() if name != "separator"}


@contextlib.contextmanager
def printoptions(**kwargs):
    """``set_printoptions`` within a block."""
    with _options():
        set_printoptions(**kwargs)
        yield


@contextlib.contextmanager
def _options():
    before = dict(_repr.options)
    try:
        yield
    finally:
        _repr.options.update(before)


def array2string(a, max_line_width=None, precision=None, suppress_small=None, separator=" ", prefix="", *, threshold=None, edgeitems=None, **others) -> str:
    """The text of an array, with digits behind the point and what stands between elements; ``prefix`` is the text before it, which later lines keep clear of."""
    with _options():
        set_printoptions(precision, threshold, edgeitems)
        _repr.options["separator"] = separator
        return str(as_array(a)).replace("\n", "\n" + " " * len(prefix))


def array_repr(arr, max_line_width=None, precision=None, suppress_small=None) -> str:
    """The text of an array, as ``repr``, with digits behind the point."""
    with printoptions(precision=precision):
        return repr(as_array(arr))


def array_str(a, max_line_width=None, precision=None, suppress_small=None) -> str:
    """The text of an array, as ``str``, with digits behind the point."""
    with printoptions(precision=precision):
        return str(as_array(a))


class _Grid:
    """``mgrid`` and ``ogrid``: coordinates by slices; a complex step counts points."""

    def __init__(self, sparse):
        self._sparse = sparse

    def __getitem__(self, key):
        several = isinstance(key, tuple)
        lines = [_line(k) for k in (key if several else (key,))]
        if not several:
            return lines[0]
        n = len(lines)
        dtype = kn.result_type(*lines)
        grids = [kn.reshape(kn.astype(line, dtype), tuple(-1 if i == j else 1 for j in range(n))) for i, line in enumerate(lines)]
        return tuple(grids) if self._sparse else kn.stack(kn.broadcast_arrays(*grids))


def _line(key):
    start, stop, step = key.start or 0, key.stop, 1 if key.step is None else key.step
    if isinstance(step, complex):
        return kn.linspace(start, stop, int(abs(step)))
    return kn.arange(start, stop, step)


class _Joiner:
    """``r_`` and ``c_``: arrays, numbers and slices joined."""

    def __init__(self, columns):
        self._columns = columns

    def __getitem__(self, key):
        parts = [_line(k) if isinstance(k, slice) else kn.atleast_1d(as_array(k)) for k in (key if isinstance(key, tuple) else (key,))]
        return kn.column_stack(parts) if self._columns else kn.concat(parts)


class _Key:
    """``s_`` and ``index_exp``: the key itself."""

    def __init__(self, always):
        self._always = always

    def __getitem__(self, key):
        return (key,) if self._always and not isinstance(key, tuple) else key


mgrid, ogrid, r_, c_, s_, index_exp = _Grid(False), _Grid(True), _Joiner(False), _Joiner(True), _Key(False), _Key(True)


def ndim(a) -> int:
    """How many axes an array has."""
    return as_array(a).ndim


def shape(a) -> tuple[int, ...]:
    """The sizes of an array."""
    return as_array(a).shape


def size(a, axis=None) -> int:
    """How many elements an array has, in all or along an axis."""
    a = as_array(a)
    return a.size if axis is None else a.shape[axis]


def isscalar(element) -> bool:
    """Whether a value is a Python number or text."""
    return isinstance(element, (int, float, complex, str, bytes)) or type(element).__module__ == "numpy" and not hasattr(element, "__setitem__")


def iterable(y) -> bool:
    """Whether a value can be iterated over."""
    try:
        iter(y)
    except TypeError:
        return False
    return True


def iscomplexobj(x) -> bool:
    """Whether the dtype is complex."""
    return as_array(x).dtype.kind == "c"


def isrealobj(x) -> bool:
    """Whether the dtype is not complex."""
    return as_array(x).dtype.kind != "c"


def array_equiv(a1, a2) -> bool:
    """Whether arrays are equal after broadcasting."""
    try:
        a1, a2 = kn.broadcast_arrays(a1, a2)
    except kn.ShapeError:
        return False
    return kn.array_equal(a1, a2)


def shares_memory(a, b) -> bool:
    """Whether two arrays have memory in common."""
    return _core.shares_memory(as_array(a), as_array(b))


may_share_memory = shares_memory


def require(a, dtype=None, requirements=None):
    """An array of a dtype; every array of Kiln meets the requirements that NumPy has."""
    return kn.asarray(a, dtype)


def ascontiguousarray(a, dtype=None):
    """An array whose memory is in row-major order."""
    return kn.reshape(_core.copy(kn.asarray(a, dtype)), kn.asarray(a, dtype).shape or (1,))


def frombuffer(buffer, dtype=float, count=-1, offset=0):
    """A copy of numbers from bytes. Raises ValueError where there are not so many."""
    t = globals()["dtype"](dtype)
    data = bytes(buffer)[offset:]
    n = len(data) // t.itemsize if count < 0 else count
    if n * t.itemsize > len(data):
        raise make("ValueError", f"frombuffer: count: expected at most {len(data) // t.itemsize}, got {n}")
    return _core.from_bytes(data[:n * t.itemsize], (n,), t.name)


def fromiter(iter, dtype, count=-1):  # noqa: A002
    """A vector of the elements of an iterable."""
    values = list(iter)
    return kn.asarray(values if count < 0 else values[:count], dtype)


def fromfunction(function, shape, *, dtype=float, **kwargs):
    """The value of a function of the positions along each axis."""
    return function(*kn.indices(shape, dtype=globals()["dtype"](dtype)), **kwargs)
