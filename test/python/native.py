"""Libraries that Kiln has made, called without it: from ctypes by their own signature, and from C programs."""
import ctypes
import json
import pathlib
import platform
import shutil
import subprocess

import numpy as np
import pytest

C_TYPES = {"bool": ctypes.c_uint8, "int8": ctypes.c_int8, "int16": ctypes.c_int16, "int32": ctypes.c_int32, "int64": ctypes.c_int64, "uint8": ctypes.c_uint8,
           "uint16": ctypes.c_uint16, "uint32": ctypes.c_uint32, "uint64": ctypes.c_uint64, "float32": ctypes.c_float, "float64": ctypes.c_double}


class Failure(Exception):
    """A status that is not 0."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Library:
    """A library by its path."""

    def __init__(self, path, weights=None, weights_path=None, parallel_for=None, threads=0):
        self.dll = ctypes.CDLL(str(path))
        self.name = pathlib.Path(path).stem.removeprefix("lib")
        getattr(self.dll, self.name + "_signature").restype = ctypes.c_char_p
        getattr(self.dll, self.name + "_status_text").restype = ctypes.c_char_p
        self.signature = json.loads(getattr(self.dll, self.name + "_signature")())
        self.functions = {f["name"]: f for f in self.signature["functions"]}
        self.handle = ctypes.c_void_p()
        self.options = self._options(weights, weights_path, parallel_for, threads)
        self.check(self._call("open", ctypes.byref(self.handle), ctypes.byref(self.options)))

    def _options(self, weights, path, parallel_for, threads):
        class Options(ctypes.Structure):
            _fields_ = [("bytes", ctypes.c_size_t), ("weights", ctypes.c_void_p), ("weights_path", ctypes.c_char_p), ("parallel_for", ctypes.c_void_p), ("threads", ctypes.c_int64), ("none", ctypes.c_void_p)]
        self.weights = weights and self._pointers(weights)
        return Options(ctypes.sizeof(Options), ctypes.cast(self.weights, ctypes.c_void_p) if weights else None, path and str(path).encode(),
                       ctypes.cast(parallel_for, ctypes.c_void_p) if parallel_for else None, threads)

    @staticmethod
    def _pointers(arrays):
        return (ctypes.c_void_p * len(arrays))(*[a if a is None else a.ctypes.data for a in arrays])

    def _call(self, function, *arguments, behind=()):
        self.text = ctypes.create_string_buffer(400)
        return getattr(self.dll, f"{self.name}_{function}")(*arguments, self.text, ctypes.c_size_t(len(self.text)), *behind)

    def _behind(self):
        """Arguments of functions behind all others."""
        return []

    def check(self, status):
        if status:
            raise Failure(status, self.text.value.decode())

    def close(self):
        getattr(self.dll, self.name + "_close")(self.handle)
        self.handle = ctypes.c_void_p()

    def set_weights(self, arrays):
        self.weights = self._pointers(arrays)
        self.check(self._call("set_weights", self.handle, self.weights))

    def weights_now(self, dtype, *sizes):
        """The weights that calls use, as arrays of one dtype."""
        pointers = (ctypes.c_void_p * len(sizes))()
        self.check(self._call("get_weights", self.handle, pointers))
        return [np.ctypeslib.as_array(ctypes.cast(p, ctypes.POINTER(C_TYPES[np.dtype(dtype).name])), (n,)) for p, n in zip(pointers, sizes)]

    def workspace_size(self, entry="run", *sizes):
        function = getattr(self.dll, f"{self.name}_{entry}_workspace_size")
        function.restype = ctypes.c_int64
        return function(self.handle, *[ctypes.c_int64(s) for s in sizes])

    def raw(self, entry, values, sizes=(), workspace=None, workspace_bytes=0, **rooms):
        """A call with all arguments, arrays or addresses; numbers by their dtype. ``rooms``: how many elements there is room for, by the names of results whose size
        values decide; ``found`` has what the library told of these."""
        arguments = self.functions[entry]["arguments"]
        given = [C_TYPES[a["dtype"]](v) if a["use"] == "value" else ctypes.c_void_p(v.ctypes.data if isinstance(v, np.ndarray) else v)
                 for a, v in zip(arguments, values, strict=True)]
        count = sum(a["use"] != "out" for a in arguments)
        results, self.found = [], {}
        for a, pointer, value in zip(arguments[count:], given[count:], values[count:]):
            results.append(pointer)
            if "capacity" in a:
                results.append(ctypes.c_int64(rooms.get(a["name"], value.size if isinstance(value, np.ndarray) else 0)))
                self.found |= {name: ctypes.c_int64(-1) for name in a["found"]}
                results += [ctypes.byref(self.found[name]) for name in a["found"]]
        self.check(self._call(entry, self.handle, *given[:count], *[ctypes.c_int64(s) for s in sizes], *results, ctypes.c_void_p(workspace),
                              ctypes.c_size_t(workspace_bytes), behind=self._behind()))

    def _sizes(self, function, given):
        """All sizes by name, those that values decide at the most that they are; and those that a call gives, in order."""
        named, wanted = dict(given), []
        for d in function["sizes"]:
            if "bound" in d:  # values decide it
                named[d["name"]] = self._evaluate(d["bound"], named)
            else:
                wanted.append(given[d["name"]])
        return named, wanted

    def __call__(self, *values, entry="run", **sizes):
        """The results of a call with arrays; what is in/out is changed."""
        function = self.functions[entry]
        named, wanted = self._sizes(function, sizes)
        outputs, arguments = [], [a for a in function["arguments"] if a["use"] == "out"]
        for a in arguments:
            shapes = [[self._evaluate(s, named) for s in shape] for shape in a["shapes"]]
            outputs.append(np.empty([max(axis) for axis in zip(*shapes)], a["dtype"]))
        self.raw(entry, [*values, *outputs], wanted)
        found = {n: v.value for n, v in self.found.items()}
        outputs = [self._shortened(o, a, found) if "capacity" in a else o for o, a in zip(outputs, arguments)]
        return outputs[0] if len(outputs) == 1 else outputs

    def _shortened(self, output, argument, found):
        """A vector, or rows of one size, as long as the library says; those that share a size have the name of the first."""
        rows = found[argument["found"][0]] if argument["found"] else next(iter(found.values()))
        return output.reshape(-1)[:rows * int(np.prod(output.shape[1:]))].reshape(rows, *output.shape[1:])

    @staticmethod
    def _evaluate(size, sizes):
        return eval(size, {"max": max, "min": min}, sizes) if isinstance(size, str) else size


def undefined(path):
    """Symbols that a shared object takes from others."""
    nm = shutil.which("llvm-nm-22") or shutil.which("nm")
    out = subprocess.run([nm, "-D", "-u", path], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()}


def lapack(folder):
    """A liblapack.so.3 in a folder that has the LAPACK of scipy-openblas32, which Kiln itself calls, under LAPACK's own names."""
    openblas = pytest.importorskip("scipy_openblas32")
    jump = {"x86_64": "jmp", "aarch64": "b", "riscv64": "tail"}[platform.machine()]
    names = [f"{letter}{name}_" for letter in "sdcz" for name in ("potrf", "getrf", "gesv", "geqrf", "geev", "gesdd", "ungqr" if letter in "cz" else "orgqr", "heevd" if letter in "cz" else "syevd")]
    source, library = folder / "lapack.c", folder / "liblapack.so.3"
    source.write_text("".join(f'__asm__(".globl {n}\\n.type {n}, @function\\n{n}: {jump} scipy_{n}@PLT");\n' for n in names).replace("@PLT" if jump != "jmp" else "\0", ""))
    compile_c(source, library, "-shared", "-fPIC", "-Wl,-soname,liblapack.so.3", f"-L{openblas.get_lib_dir()}", "-lscipy_openblas", f"-Wl,-rpath,{openblas.get_lib_dir()}", standard="-std=gnu11")
    return library


def compile_c(source, out, *options, compiler="clang-22", standard="-std=c99"):
    """A program from C or C++ without a warning."""
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    command = [compiler, standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-g", str(source), "-o", str(out), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out
