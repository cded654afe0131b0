"""NumPy's files: .npy and .npz, as NumPy's format documentation describes them, and text."""
import ast
import io
import os
import zipfile

import kiln as kn

from .. import _core
from .._arguments import as_array
from .._errors import make
from . import types

_MAGIC = b"\x93NUMPY"
_CODES = {t.name: t.str for t in kn._dtypes.ALL if hasattr(t, "str")}
_NAMES = {code: name for name, code in _CODES.items()}


def _bytes_of(x):
    x = as_array(x)
    if x.dtype.name not in _CODES:
        raise make("DTypeError", f"save: dtype: expected one that NumPy's files have, got {x.dtype}")
    header = repr({"descr": _CODES[x.dtype.name], "fortran_order": False, "shape": x.shape}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return _MAGIC + b"\x01\x00" + len(header).to_bytes(2, "little") + header + _core.to_bytes(_core.copy(x))


def _array_of(data, name):
    if data[:6] != _MAGIC or len(data) < 10:
        raise make("PackageError", f"load: {name}: expected an .npy or .npz file, got another one")
    wide = data[6] > 1
    start = 12 if wide else 10
    end = start + int.from_bytes(data[8:start], "little")
    try:
        header = ast.literal_eval(data[start:end].decode("latin1"))
        code, shape, by_columns = header["descr"], tuple(header["shape"]), header["fortran_order"]
        dtype = _NAMES[code.replace("=", "<") if isinstance(code, str) else code]
    except (ValueError, SyntaxError, KeyError, TypeError):
        raise make("DTypeError", f"load: {name}: expected numbers in the order of this machine, got the header {data[start:end].strip()[:80]!r}") from None
    n = kn._dtypes.BY_NAME[dtype].itemsize
    for size in shape:
        n *= size
    if len(data) - end < n:
        raise make("PackageError", f"load: {name}: expected {n} bytes of elements, got {len(data) - end}")
    x = _core.from_bytes(data[end:end + n], tuple(reversed(shape)) if by_columns else shape, dtype)
    return _core.copy(kn.transpose(x)) if by_columns else x


def _written(file, data):
    if hasattr(file, "write"):
        file.write(data)
    else:
        with open(file, "wb") as f:
            f.write(data)


def _path(file, ending):
    return file if hasattr(file, "write") or os.fspath(file).endswith(ending) else os.fspath(file) + ending


def save(file, arr, allow_pickle=False, fix_imports=None):
    """Writes an array into an .npy file, a path or an open file. Raises DTypeError for dtypes that NumPy lacks."""
    _written(_path(file, ".npy"), _bytes_of(arr))


def _zipped(file, args, named, how):
    arrays = {**{f"arr_{i}": a for i, a in enumerate(args)}, **named}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, a in arrays.items():
            archive.writestr(name + ".npy", _bytes_of(a))
    _written(_path(file, ".npz"), buffer.getvalue())


def savez(file, *args, **kwds):
    """Writes arrays into an .npz file, those without a name as arr_0, arr_1, ...."""
    _zipped(file, args, kwds, zipfile.ZIP_STORED)


def savez_compressed(file, *args, **kwds):
    """``savez``, compressed."""
    _zipped(file, args, kwds, zipfile.ZIP_DEFLATED)


class NpzFile(dict):
    """The arrays of an .npz file by their names."""

    @property
    def files(self):
        return list(self)

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def load(file, mmap_mode=None, allow_pickle=False, fix_imports=True, encoding="ASCII"):
    """The array of an .npy file, or those of an .npz file by name.

    Raises PackageError for another or a broken file, DTypeError for elements that are no numbers of this machine's order; pickles are
    never read.
    """
    if hasattr(file, "read"):
        data, name = file.read(), getattr(file, "name", "the file")
    else:
        name = os.path.basename(os.fspath(file))
        with open(file, "rb") as f:
            data = f.read()
    if data[:4] != b"PK\x03\x04":
        return _array_of(data, name)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return NpzFile({n.removesuffix(".npy"): _array_of(archive.read(n), n) for n in archive.namelist()})


def _lines(file):
    if hasattr(file, "read"):
        return file.read().splitlines()
    if isinstance(file, (list, tuple)):
        return list(file)
    with open(file) as f:
        return f.read().splitlines()


def _fields(line, delimiter, usecols):
    fields = [f.strip() for f in line.split(delimiter)]
    return fields if usecols is None else [fields[c] for c in ((usecols,) if isinstance(usecols, int) else usecols)]


def _kept(lines, comments, skiprows, max_rows):
    """Lines without comments, those with nothing else left out."""
    marks = () if comments is None else (comments,) if isinstance(comments, str) else tuple(comments)
    rows = []
    for line in lines[skiprows:]:
        line = line.decode() if isinstance(line, bytes) else line
        for mark in marks:
            line = line.split(mark)[0]
        if line.strip() and (max_rows is None or len(rows) < max_rows):
            rows.append(line.strip())
    return rows


def _reader(dtype, converters, usecols):
    """What makes a number of the text in a column."""
    kind = types.dtype(dtype).kind
    plain = {"i": _whole, "u": _whole, "b": lambda t: bool(_whole(t)), "c": lambda t: complex(t.replace("i", "j"))}.get(kind, float)
    if callable(converters):
        return lambda column, text: converters(text)
    named = {} if converters is None else {(k if usecols is None or isinstance(usecols, int) else list(usecols).index(k)): f for k, f in converters.items()}
    return lambda column, text: named[column](text) if column in named else plain(text)


def _whole(text):
    try:
        return int(text)
    except ValueError:
        return int(float(text))


def _table(rows, dtype, unpack, ndmin):
    """Rows as an array without axes of size 1, and its columns if they are to be unpacked."""
    wide = {"c": "complex128", "i": "int64", "u": "uint64", "b": "bool"}.get(types.dtype(dtype).kind, "float64")
    x = kn.astype(kn.asarray(rows, dtype=wide) if rows else kn.zeros((0,), wide), types.dtype(dtype))
    if x.ndim == 2 and 1 in x.shape and ndmin < 2:
        x = kn.squeeze(x, tuple(i for i, n in enumerate(x.shape) if n == 1))
        x = kn.atleast_1d(x) if ndmin == 1 else x
    return tuple(kn.unstack(x.T)) if unpack and x.ndim == 2 else x


def loadtxt(fname, dtype=float, comments="#", delimiter=None, converters=None, skiprows=0, usecols=None, unpack=False, ndmin=0, encoding=None, max_rows=None):
    """Numbers from lines of text: a row each; ``converters``, one or by columns, make them of texts.

    Raises ValueError for what is no number, ShapeError for rows of different lengths.
    """
    rows, number = [], _reader(dtype, converters, usecols)
    for line in _kept(_lines(fname), comments, skiprows, max_rows):
        try:
            rows.append([number(c, f) for c, f in enumerate(_fields(line, delimiter, usecols))])
        except ValueError:
            raise make("ValueError", f"loadtxt: line: expected numbers, got {line[:60]!r}") from None
    return _table(rows, dtype, unpack, ndmin)


def genfromtxt(fname, dtype=float, comments="#", delimiter=None, skip_header=0, skip_footer=0, converters=None, missing_values=None, filling_values=None, usecols=None,
               names=None, unpack=False, ndmin=0, encoding=None, max_rows=None, invalid_raise=True):
    """``loadtxt`` where entries may be missing or no numbers: they are nan, or -1 of integers, or ``filling_values``. A row of ``names`` is left out.

    Raises ValueError for rows of another length than the first, which are left out without ``invalid_raise``, and for ``dtype`` None.
    """
    if dtype is None:
        raise make("ValueError", "genfromtxt: dtype: expected one, got None: arrays hold elements of one dtype")
    lines = _kept(_lines(fname), comments, skip_header, None)
    lines = lines[1:] if names is True else lines
    lines = lines[:len(lines) - skip_footer][:max_rows]
    kind, number = types.dtype(dtype).kind, _reader(dtype, converters, usecols)
    missing = {"", *((missing_values,) if isinstance(missing_values, str) else missing_values or ())}
    filling = (-1 if kind in "iu" else False if kind == "b" else float("nan")) if filling_values is None else filling_values

    def read(column, text):
        if text in missing:
            return filling
        try:
            return number(column, text)
        except ValueError:
            return filling

    rows = [[read(c, f) for c, f in enumerate(_fields(line, delimiter, usecols))] for line in lines]
    length = len(rows[0]) if rows else 0
    wrong = [i for i, row in enumerate(rows) if len(row) != length]
    if wrong and invalid_raise:
        raise make("ValueError", f"genfromtxt: line {wrong[0] + 1}: expected {length} columns, got {len(rows[wrong[0]])}")
    return _table([row for row in rows if len(row) == length], dtype, unpack, ndmin)


def savetxt(fname, X, fmt="%.18e", delimiter=" ", newline="\n", header="", footer="", comments="# ", encoding=None):  # noqa: N803
    """Writes a vector or a matrix as text, a row a line. Raises ShapeError for more axes."""
    x = as_array(X)
    if x.ndim > 2:
        raise make("ShapeError", f"savetxt: rank: expected at most 2, got {x.ndim}")
    rows = x.tolist() if x.ndim == 2 else [[v] for v in kn.reshape(x, (-1,)).tolist()]
    lines = [delimiter.join(fmt % v for v in row) for row in rows]
    lines = ([comments + header] if header else []) + lines + ([comments + footer] if footer else [])
    text = newline.join(lines) + newline
    if hasattr(fname, "write"):
        fname.write(text)
    else:
        with open(fname, "w") as f:
            f.write(text)
