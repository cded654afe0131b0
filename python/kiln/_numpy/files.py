"""NumPy's files: .npy and .npz, as NumPy's format documentation describes them, and text."""
import ast
import io
import os
import zipfile

import kiln as kn

from .. import _core
from .._arguments import as_array
from .._errors import make

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


def loadtxt(fname, dtype=float, comments="#", delimiter=None, converters=None, skiprows=0, usecols=None, unpack=False, ndmin=0, encoding=None, max_rows=None):
    """Numbers from lines of text: a row each. Raises ValueError for what is no number, ShapeError for rows of different lengths."""
    rows = []
    for line in _lines(fname)[skiprows:]:
        line = line.decode() if isinstance(line, bytes) else line
        line = line.split(comments)[0].strip() if comments else line.strip()
        if line and (max_rows is None or len(rows) < max_rows):
            fields = line.split(delimiter)
            fields = fields if usecols is None else [fields[c] for c in ((usecols,) if isinstance(usecols, int) else usecols)]
            try:
                rows.append([float(f) for f in fields])
            except ValueError:
                raise make("ValueError", f"loadtxt: line: expected numbers, got {line[:60]!r}") from None
    x = kn.asarray(rows, dtype=kn.float64) if rows else kn.zeros((0,), kn.float64)
    x = kn.astype(x, dtype)
    if x.ndim == 2 and 1 in x.shape and ndmin < 2:
        x = kn.squeeze(x, tuple(i for i, n in enumerate(x.shape) if n == 1))
        x = kn.atleast_1d(x) if ndmin == 1 else x
    return tuple(kn.unstack(x.T)) if unpack and x.ndim == 2 else x


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
