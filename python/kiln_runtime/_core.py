"""The functions of include/kiln/runtime.h, with the names by which ``_load.py`` knows those of Kiln's own module."""
import ctypes
import os

import numpy as np

from ._errors import _CLASSES, PackageError, make

Array = np.ndarray
_ABI, _TEXT, _RANK = 3, 1024, 32
_KINDS = {1: "ShapeError", 2: "DTypeError", 4: "TraceError", 5: "PackageError", 7: "IndexError", 9: "ValueError", 11: "MemoryError", 12: "LinAlgError"}
_CODES = {"i": 0, "u": 1, "f": 2, "c": 5, "b": 6}


def _folder():
    return os.path.dirname(os.path.abspath(__file__))


def library_folder():
    """The folder of ``libkiln_runtime.so.0``."""
    return os.path.join(_folder(), "lib")


def include_folder():
    return os.path.join(_folder(), "include")


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("device_number", ctypes.c_int32), ("rank", ctypes.c_int32), ("code", ctypes.c_uint8),
                ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64)]


def _open():
    path = os.path.join(library_folder(), "libkiln_runtime.so.0")
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise PackageError(f"kiln_runtime: expected its library, got {error}") from None
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    library.kiln_runtime_machine.restype = library.kiln_package_manifest.restype = text
    library.kiln_runtime_set_threads.argtypes = [ctypes.c_int32, text, size]
    library.kiln_package_open.argtypes = [text, ctypes.c_int32, pointer, text, size]
    library.kiln_package_close.argtypes = library.kiln_package_manifest.argtypes = [pointer]
    library.kiln_package_close.restype = None
    library.kiln_package_weight.argtypes = [pointer, size, pointer, pointer, text, size]
    library.kiln_package_result.argtypes = [pointer, text, pointer, size, size, pointer, pointer, pointer, text, size]
    library.kiln_package_run.argtypes = [pointer, text, pointer, size, pointer, size, text, size]
    if library.kiln_runtime_abi() != _ABI:
        raise PackageError(f"kiln_runtime: expected a library with version {_ABI} of its ABI, got {library.kiln_runtime_abi()} in {path}")
    return library


_library = _open()


def _call(function, *arguments):
    text = ctypes.create_string_buffer(_TEXT)
    status = function(*arguments, text, _TEXT)
    if status:
        message = text.value.decode(errors="replace")
        raise make(_KINDS[status], message) if status in _KINDS else _CLASSES["PackageError"](message)


def machine():
    """The machine whose code runs here: ``x86_64-linux-gnu``."""
    return _library.kiln_runtime_machine().decode()


def set_num_threads(count):
    """How many threads a loop is shared between at most; 0: as many as the machine has. Results are the same bits."""
    _call(_library.kiln_runtime_set_threads, int(count))


def numpy_dtype(name):
    """NumPy's dtype of a name in a manifest."""
    try:
        return np.dtype(name)
    except TypeError:
        try:
            import ml_dtypes
            return np.dtype(getattr(ml_dtypes, name))
        except ImportError:
            raise make("DTypeError", f"{name}: expected the package ml_dtypes, as NumPy has no such dtype, got none") from None


def _element(dtype):
    return {"bfloat16": (4, 16), "float8_e4m3fn": (10, 8), "float8_e5m2": (12, 8)}.get(dtype.name) or (_CODES.get(dtype.kind, 255), 8 * dtype.itemsize)


def _dtype(code, bits):
    names = {(4, 16): "bfloat16", (10, 8): "float8_e4m3fn", (12, 8): "float8_e5m2", (6, 8): "bool"}
    return numpy_dtype(names.get((code, bits)) or {0: "int", 1: "uint", 2: "float", 5: "complex"}[code] + str(bits))


class _Tensors:
    """Arrays as the library takes them; it keeps what they point to."""

    def __init__(self, arrays):
        self.shapes = [(ctypes.c_int64 * _RANK)(*a.shape) for a in arrays]
        self.tensors = [_Tensor(a.ctypes.data, 1, 0, a.ndim, *_element(a.dtype), 1, ctypes.addressof(s), None, 0) for a, s in zip(arrays, self.shapes)]
        self.pointers = (ctypes.c_void_p * max(len(arrays), 1))(*map(ctypes.addressof, self.tensors))
        self.count = len(arrays)


class LoadedPackage:
    """An opened package."""

    def __init__(self, path, verifies):
        self._package = ctypes.c_void_p()
        _call(_library.kiln_package_open, os.fsencode(path), bool(verifies), ctypes.byref(self._package))

    def __del__(self):
        if self._package:
            _library.kiln_package_close(self._package)

    def manifest(self):
        return _library.kiln_package_manifest(self._package).decode()

    def weight(self, number):
        """A read-only array of the mapped file."""
        tensor, shape = _Tensor(), (ctypes.c_int64 * _RANK)()
        _call(_library.kiln_package_weight, self._package, number, ctypes.byref(tensor), shape)
        dtype, sizes = _dtype(tensor.code, tensor.bits), tuple(shape[:tensor.rank])
        count = int(np.prod(sizes, dtype=np.int64))
        memory = (ctypes.c_uint8 * (count * dtype.itemsize)).from_address(tensor.data) if count else b""
        memory._owner = self if count else None  # the file stays mapped
        array = np.frombuffer(memory, dtype, count).reshape(sizes)
        array.flags.writeable = False
        return array

    def function(self, entry):
        return _Function(self, entry)


class _Function:
    """An entry, which takes the list of its arguments and gives that of its results."""

    def __init__(self, loaded, entry):
        import json
        self._loaded, self._entry, self.calls = loaded, entry.encode(), 0
        *_, last = (e for e in json.loads(loaded.manifest())["entries"] if e["name"] == entry)
        inputs, outputs = last["inputs"], last["outputs"]
        self._names = [i["name"] for i in inputs if i["role"] in ("argument", "number")]
        self._dtypes = [i["dtype"] for i in inputs if i["role"] in ("argument", "number")]
        self._written = {o["name"] for o in outputs if "writes" in o}

    def stats(self):
        return self.calls, 0, 0

    def _check(self, arrays):
        for name, dtype, array in zip(self._names, self._dtypes, arrays):
            if array.dtype.name != dtype:
                raise make("DTypeError", f"{self._entry.decode()}: dtype of '{name}': expected {dtype}, got {array.dtype.name}")
            if name in self._written and not array.flags.writeable:
                raise make("ValueError", f"{self._entry.decode()}: argument '{name}': expected an array that may be written, as it is, got a read-only one")

    def __call__(self, arrays):
        self.calls += 1
        self._check(arrays)
        whole = [np.require(a, requirements=["C", "A"]) for a in arrays]  # row-major and aligned
        arguments, results = _Tensors(whole), []
        count = ctypes.c_size_t()
        ask = (_library.kiln_package_result, self._loaded._package, self._entry, arguments.pointers, arguments.count)
        _call(*ask, 0, ctypes.byref(count), None, None)
        for i in range(count.value):
            tensor, shape = _Tensor(), (ctypes.c_int64 * _RANK)()
            _call(*ask, i, None, ctypes.byref(tensor), shape)
            results.append(np.empty(tuple(shape[:tensor.rank]), _dtype(tensor.code, tensor.bits)))
        made = _Tensors(results)
        _call(_library.kiln_package_run, self._loaded._package, self._entry, arguments.pointers, arguments.count, made.pointers, made.count)
        results = [r if r.shape == tuple(s[:r.ndim]) else _shortened(r, tuple(s[:r.ndim])) for r, s in zip(results, made.shapes)]
        for name, given, used in zip(self._names, arrays, whole):
            if name in self._written and used is not given:
                given[...] = used
        return results


def _shortened(array, shape):
    """The elements of a result whose size values decided, which lie at the beginning of the memory for it."""
    return array.reshape(-1)[:int(np.prod(shape, dtype=np.int64))].reshape(shape).copy()


def load_package(path, verifies, native):
    return LoadedPackage(path, verifies)
