"""Code of custom ops: sources that the machine's compiler makes shared objects and objects of, kept by their contents."""
import contextlib
import contextvars
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from . import _core
from ._config import config
from ._errors import CompileError, make
from ._versions import get_include

_CXX = (".cc", ".cpp", ".cxx", ".C")
_GPU = (".cu", ".ptx")
_FLAGS = ("-O3", "-ffp-contract=off", "-fPIC")
_GPU_FLAGS = ("-O3", "-fmad=false", "-arch=compute_80")
is_for_device = contextvars.ContextVar("is_for_device", default=False)  # what is recorded is run on a GPU alone, wherever its arrays are now
TRIPLE = f"{os.uname().machine}-linux-gnu"


class Code:
    """What an op's code is made of: texts by their names, or one object; and flags. ``digest`` tells one code from another."""

    def __init__(self, op, files, sources, flags, prebuilt=None):
        self.op, self.files, self.sources, self.flags, self.prebuilt = op, files, tuple(sources), tuple(flags), prebuilt
        self.host = tuple(n for n in self.sources if not n.endswith(_GPU))
        self.gpu = next((n for n in self.sources if n.endswith(_GPU)), None)
        self.runs_on_host = bool(self.host) or prebuilt is not None
        self.key = self._hash({n: files[n] for n in sources})  # that the compiler has seen
        self.digest = self._hash(files)  # with the headers of its own

    def _hash(self, files):
        parts = ["kiln op 1", *self.flags, *self.sources, "", *(x for n in sorted(files) for x in (n, files[n])), self.prebuilt or b""]
        hashed = hashlib.sha256()
        for part in parts:
            part = part if isinstance(part, bytes) else part.encode()
            hashed.update(len(part).to_bytes(8, "little") + part)
        return hashed.hexdigest()[:16]

    def digest_of(self, symbol):
        """What tells one function from another."""
        return hashlib.sha256(f"{self.digest} {symbol}".encode()).hexdigest()[:16]

    def __reduce__(self):
        return Code, (self.op, self.files, self.sources, self.flags, self.prebuilt)


def _compiler(op, name):
    """The command that compiles a source."""
    variable, usual, package, instead = ("NVCC", "nvcc", "NVIDIA's CUDA toolkit", "PTX (.ptx)") if name.endswith(".cu") else \
        ("CXX" if name.endswith(_CXX) else "CC", "c++" if name.endswith(_CXX) else "cc", "apt install build-essential", "an object")
    command = os.environ.get(variable, usual).split()
    if not command or not shutil.which(command[0]):
        raise make("CompileError", f"custom_op '{op}': compiler: expected '{' '.join(command) or usual}' on this machine to compile '{name}', got none: install one ({package}), "
                   f"name it in ${variable}, or give {instead} that was compiled elsewhere")
    return command


def _flags(code, name):
    """Those of a source; the op's own are of C and C++ where there is any."""
    return (*_GPU_FLAGS, *(() if code.host else code.flags)) if name.endswith(".cu") else (*_FLAGS, *code.flags)


def can_build(code):
    """Whether there is a compiler for all sources."""
    try:
        return bool([_compiler(code.op, name) for name in code.sources if not name.endswith(".ptx")])
    except CompileError:
        return False


def _run(op, command, what):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise make("CompileError", f"custom_op '{op}': {what}: expected it to compile, got\n{done.stderr.strip()}")
    return done.stdout


def read(op, sources, flags):
    """The code of files: C and C++ sources, one of CUDA (``.cu``) or PTX (``.ptx``) beside them or alone, or one object (``.o``)."""
    paths = [pathlib.Path(p) for p in ([sources] if isinstance(sources, (str, os.PathLike)) else sources)]
    if not paths:
        raise make("ValueError", f"custom_op '{op}': sources: expected at least one file, got none")
    contents = {}
    for path in paths:
        if not path.is_file():
            raise make("ValueError", f"custom_op '{op}': sources: expected files, got '{path}'")
        if path.suffix not in (".c", ".o", *_CXX, *_GPU):
            raise make("ValueError", f"custom_op '{op}': sources: expected files of C (.c), of C++ ({', '.join(_CXX)}), of a GPU ({', '.join(_GPU)}), or an object (.o), got '{path}'")
        if path.name in contents:
            raise make("ValueError", f"custom_op '{op}': sources: expected names that differ, got '{path.name}' twice")
        contents[path.name] = path.read_bytes()
    if len(of_gpu := [p.name for p in paths if p.suffix in _GPU]) > 1:
        raise make("ValueError", f"custom_op '{op}': sources: expected one file for GPUs, got '{of_gpu[0]}' and '{of_gpu[1]}'")
    if any(p.suffix == ".o" for p in paths):
        if len(paths) > 1:
            raise make("ValueError", f"custom_op '{op}': sources: expected one object, or sources alone, got {len(paths)} files")
        return Code(op, {}, (), (), contents[paths[0].name])
    code = Code(op, contents, contents, flags)
    return Code(op, {**contents, **_headers(code, paths)}, code.sources, code.flags)


def _headers(code, paths):
    """Headers that the sources include and that are not the system's or Kiln's, by the names that they are included by."""
    places, name = [str(p.resolve().parent) for p in paths], f"{code.key}.headers.json"
    for folder in _folders():
        with contextlib.suppress(OSError, ValueError, KeyError):
            known = json.loads((folder / name).read_text())
            found = {n: pathlib.Path(p).read_bytes() for n, p in known["headers"].items()}
            if known["places"] == places and {n: hashlib.sha256(b).hexdigest() for n, b in found.items()} == known["hashes"]:
                return found
    headers, own = {}, os.path.join(get_include(), "")
    for path in paths:
        if path.suffix == ".ptx":
            continue
        rule = _run(code.op, [*_compiler(code.op, path.name), *_flags(code, path.name), "-I", own, "-MM", "-MT", "x", str(path)], f"'{path}'")
        for header in rule.partition(":")[2].replace("\\\n", " ").replace("\\ ", "\0").split()[1:]:
            header = pathlib.Path(header.replace("\0", " "))
            if not str(header).startswith(own) and header.resolve() != path.resolve():
                inside = os.path.relpath(header.resolve(), path.resolve().parent)
                headers[header.name if inside.startswith("..") else inside] = header.resolve()
    found = {n: p.read_bytes() for n, p in headers.items()}
    if config.cache:
        _keep(_folder() / name, json.dumps({"places": places, "headers": {n: str(p) for n, p in headers.items()},
                                "hashes": {n: hashlib.sha256(b).hexdigest() for n, b in found.items()}}).encode())
    return found


def _folder():
    path = pathlib.Path(config.cache_dir) / "ops"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _folders():
    """Where code is kept: in the folder of the cache, and those that are read."""
    return [_folder(), *(pathlib.Path(p) / "ops" for p in config.cache_path)] if config.cache else []


def _keep(path, content):
    """Writes a file at once: other processes see all of it or none."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        os.fchmod(file.fileno(), 0o644)  # for other users of a folder that is exported; this one is private
    os.replace(file.name, path)


def _is_trusted(path):
    """Whether a file is there, and nobody writes it but the user and root."""
    try:
        state = path.stat()
    except OSError:
        return False
    return state.st_uid in (0, os.getuid()) and not state.st_mode & 0o022


_temporary = []  # folders of this process, where nothing is kept


def build(code):
    """(object, shared object) of a code, as paths: made by the compiler unless they are kept."""
    return _kept([f"{code.digest}-{TRIPLE}.o", f"{code.digest}-{TRIPLE}.so"], code, _compile)


def build_kernel(code):
    """What a GPU's driver loads of a code, as bytes: PTX, which ``.cu`` is compiled to unless that is kept."""
    if code.gpu.endswith(".ptx"):
        return code.files[code.gpu]
    return _kept([f"{code.digest}.ptx"], code, _compile_kernel)[0].read_bytes()


def _kept(names, code, compile):
    """Files by their names, in a folder of the cache: ``compile`` gives their contents where they are not there."""
    if config.cache:
        folder = _folder()
    else:
        _temporary.append(tempfile.TemporaryDirectory())
        folder = pathlib.Path(_temporary[-1].name)
    for path in _folders()[1:]:
        found = [path / n for n in names]
        if all(map(_is_trusted, found)):
            return tuple(found)
    made = tuple(folder / n for n in names)
    if not all(p.exists() for p in made):
        with tempfile.TemporaryDirectory() as work:
            for path, content in zip(made, compile(code, pathlib.Path(work))):
                _keep(path, content)
    return made


def _write(code, work):
    for name, content in code.files.items():
        path = work / "sources" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _compile_kernel(code, work):
    """The bytes of the PTX."""
    _write(code, work)
    _run(code.op, [*_compiler(code.op, code.gpu), *_flags(code, code.gpu), "-I", get_include(), "-I", str(work / "sources"), "-ptx", str(work / "sources" / code.gpu), "-o", str(work / "all.ptx")],
         f"'{code.gpu}'")
    return [(work / "all.ptx").read_bytes()]


def parameters_of(code, symbol):
    """The types of the parameters of a kernel in PTX, as PTX names them; None for code that is no text. Raises ValueError where there is no such kernel."""
    ptx = build_kernel(code)
    if b"\0" in ptx.rstrip(b"\0"):
        return None
    entries = dict(re.findall(r"\.entry\s+([\w$]+)\s*(?:\(([^)]*)\))?", re.sub(r"//.*|/\*[\s\S]*?\*/", "", ptx.decode(errors="replace"))))
    if symbol not in entries:
        hint = ' (extern "C" __global__)' if code.gpu.endswith(".cu") else ""
        raise make("ValueError", f"custom_op '{code.op}': code of '{code.gpu}': expected a kernel '{symbol}'{hint}, got {', '.join(sorted(entries)) or 'none'}")
    return [re.search(r"\.param\s+(?:\.align\s+\d+\s+)?\.(\w+)[^\[]*(\[)?", p).expand(r"\1\2") for p in entries[symbol].split(",") if p.strip()]


def _compile(code, work):
    """The bytes of (object, shared object)."""
    _write(code, work)
    objects = []
    for number, name in enumerate(code.host):
        objects.append(str(work / f"{number}.o"))
        _run(code.op, [*_compiler(code.op, name), *_flags(code, name), "-I", get_include(), "-I", str(work / "sources"), "-c", str(work / "sources" / name), "-o", objects[-1]], f"'{name}'")
    whole, shared = str(work / "all.o"), str(work / "all.so")
    if code.prebuilt is not None:
        pathlib.Path(whole).write_bytes(code.prebuilt)
    elif len(objects) == 1:
        whole = objects[0]
    else:
        _run(code.op, [*_compiler(code.op, code.host[0]), "-nostdlib", "-r", "-o", whole, *objects], "the object of all sources")
    _core.link_object(whole, shared)
    return pathlib.Path(whole).read_bytes(), pathlib.Path(shared).read_bytes()
