"""``kn.export``: functions as files that run without them."""
import hashlib
import json
import os
import tempfile
import warnings

from . import _core, _native, exceptions
from ._c_names import c_name, unique
from ._errors import KilnWarning, make
from ._front import name_of
from ._recording import Recording

_NATIVE = {".so": "so", ".a": "archive", ".o": "obj", ".wasm": "so"}


def export(f, /, *args, to, name=None, entry="run", kwargs=None, dynamic=None, input_names=None, output_names=None, assume_sizes=False,
           examples=(), miss="error", header=None, project=None, target=None, cpu=None, weights=None):
    """Writes a function as a package: a file that ``kn.load`` runs without the function's source; or as a library for C.

    The function is recorded on arrays of the shapes and dtypes of ``args``; nothing is computed, unless it asks for values. Arrays that it reads by name or from attributes become
    weights of the package, numbers and other arguments are kept as they are. Arrays that it writes are changed by each call of the package, too. Numbers in its
    result that follow from sizes are computed by each call.

    Parameters
    ----------
    f : function, jitted function, method or callable object; or dict
        A dict of names to (function, arguments) pairs, or (function, arguments, keywords), makes a package of several entries, which share weights.
    *args, kwargs : arguments of a call
        Arrays of Kiln or NumPy, numbers, strings, None, or nestings of dicts, lists, tuples and named tuples.
    to : path
        ``*.kiln``: a package. The file is put in the place of an older one at once. ``*.so``, ``*.a``, ``*.o``: a native library, shared, static or one
        object, that needs nothing of Kiln (docs/libraries.md). ``*.wasm``: a module of WebAssembly that stands alone.
    name, entry : str
        Names of the package (the function's) and of its entry.
    dynamic : dict
        ``{"x": {0: "n"}}``, or ``{"x": {0: ("n", 1, 4096)}}`` with bounds: sizes that each call chooses, by name or position of the argument. The function is
        recorded at each combination of them, or where there are more than 4,096 at the edges and a sample; it may do otherwise at other sizes.
    input_names, output_names : list of str
        Names of the arrays among the arguments, in their order, and of those of the result.
    assume_sizes : bool
        Whether calls may have sizes within the bounds at which the function was not recorded.
    examples : list of tuples
        Further arguments, beside the same ``kwargs``, of the same dtypes and shapes, but for sizes that calls choose. Where the function asks for values (``if x > 0``, ``while error > tolerance``, ``int(n)``), it is
        run with copies of ``args`` and of each example, and told the other answers to questions for truth values; the package takes each way that was found, and repeats trips that values decide as often as
        they say. Nothing is done but computing.
    miss : str
        What a call does that would take another way: ``"error"`` raises TraceError with the line of the question, and writes nothing; with ``"forbid"``
        the export is refused unless there can be none.
    header : path
        Of a library: where its C header goes.
    project : path
        Of a library: a folder for a program that uses it, which ``cmake --build`` builds at once.
    target, cpu : str
        Of a library: the triple (``"aarch64-linux-gnu"``; default this machine), and its processors from the least to the best, with commas between
        (``"x86-64-v2,x86-64-v3"``): the best one that the machine has runs. ``"native"`` is this one. ``"nvptx64-nvidia-cuda"`` is a GPU, whose memory the functions
        take (``cpu="sm_90a"``). Of a package: the machine whose code it holds beside its
        programs, for ``kn.load(path, native=True)`` and the runtime alone (docs/runtime.md); ``target`` may be a list of triples. Without either it holds none.
    weights : str
        Of a library: ``"embed"``, ``"file"`` (``<stem>.safetensors`` beside it) or ``"caller"``, whose program gives them.

    Raises
    ------
    CompileError
        Where a library cannot hold what the function does, or cannot be made for the target.
    TraceError
        Where the function cannot be recorded: it asks for other values at some sizes than it does for any example, gives results of several structures, or does more than
        compute: it stores to what exists before the call, reads the clock, draws random numbers or prints. Nothing of that happens then.
    ValueError
        For names and files that cannot be.
    """
    path = os.fspath(to)
    suffix = os.path.splitext(path)[1]
    target = "wasm32-wasi" if suffix == ".wasm" and target is None else target
    native = {"header": header, "project": project, "target": target, "cpu": cpu, "weights": weights}
    if suffix not in (".kiln", *_NATIVE):
        raise make("ValueError", f"export: to: expected a file '*.kiln', '*.so', '*.a', '*.o' or '*.wasm', got '{path}'")
    if suffix == ".kiln" and (given := [n for n, v in native.items() if v is not None and n not in ("target", "cpu")]):
        raise make("ValueError", f"export: {given[0]}: expected it for a library alone, got one for the package '{path}'")
    if miss not in ("error", "forbid"):
        raise make("ValueError", f"export: miss: expected 'error' or 'forbid', got {miss!r}")
    if isinstance(f, dict) and examples:
        raise make("ValueError", "export: examples: expected them for one function, got a dict of entries")
    several = f if isinstance(f, dict) else {entry: (f, args, kwargs or {})}
    if isinstance(f, dict) and (args or kwargs):
        raise make("ValueError", "export: a dict of entries: expected their arguments in it, got others")
    is_for_device = suffix != ".kiln" and isinstance(target, str) and target.startswith("nvptx")
    package = Draft(name or c_name(os.path.splitext(os.path.basename(path))[0] if isinstance(f, dict) else name_of(f).rpartition(".")[2]), is_for_device)
    for called, what in several.items():
        if not isinstance(called, str) or not isinstance(what, tuple) or len(what) not in (2, 3):
            raise make("ValueError", f"export: entry {called!r}: expected a name and a tuple (function, arguments) or (function, arguments, keywords)")
        before = _native.is_for_device.set(is_for_device)
        try:
            package.add(called, *what, examples=examples, miss=miss, dynamic=dynamic, input_names=input_names, output_names=output_names, assume_sizes=assume_sizes)
        finally:
            _native.is_for_device.reset(before)
    if suffix == ".kiln" and (target is not None or cpu is not None):
        _write_with_code(package, path, target, cpu)
    elif suffix == ".kiln":
        package.write(path)
    else:
        _write_library(package, path, {**native, "emit": _NATIVE[suffix], "name": name})
    for note in package.notes:
        warnings.warn(note, KilnWarning, stacklevel=2)


def _write_with_code(package, path, target, cpu):
    """A package with code for one or more machines."""
    targets = [target] if target is None or isinstance(target, str) else list(target)
    if not targets or cpu is not None and len(targets) > 1:
        raise make("ValueError", f"export: target: expected one triple or more, and one alone beside cpu, got {targets!r}")
    with tempfile.TemporaryDirectory() as folder:
        package.write(kept := os.path.join(folder, "package.kiln"))
        for i, triple in enumerate(targets):
            options = {"emit": "package", **({"target": triple} if triple else {}), **({"cpu": cpu} if cpu else {})}
            _core.make_library(kept, path if i == len(targets) - 1 else kept, options)


def _write_library(package, path, options):
    """Compiles a package to a library."""
    options = {n: os.fspath(v) for n, v in options.items() if v is not None}
    with tempfile.TemporaryDirectory() as folder:
        package.write(kept := os.path.join(folder, "package.kiln"))
        if "project" in options and "header" not in options:
            os.makedirs(options["project"], exist_ok=True)
            stem = os.path.splitext(os.path.basename(path))[0]
            options["header"] = os.path.join(options["project"], options.get("name", stem.removeprefix("lib")) + ".h")
        try:
            _core.make_library(kept, path, options)
        except exceptions.CompileError as error:
            refused = next((n for n in package.routines if str(error).partition("\n")[0].endswith(f"'kiln.{n}'")), None)
            if refused is None:
                raise
            raise make("CompileError", package.routines[refused] + str(error).partition("\n")[0]) from None


class Draft:
    """A package that is being made."""

    def __init__(self, name, is_for_device=False):
        self.name, self.entries, self.programs = name, [], {}
        self.ops = []  # whose code goes with it
        self.is_for_device = is_for_device
        self.notes = []  # what whoever exports is to know
        self.weights, self.weight_names, self.numbers = [], [], {}  # arrays, their names, their numbers by what they show
        self.contents = {}  # numbers of those that are made anew by each recording
        self.routines = {}  # operations that call routines, which libraries may lack, and where the first of each is

    def weight(self, array, name):
        """The number of an array among the weights. Those without a name are told apart by their contents."""
        key = _core.memory_key(array)
        if key in self.numbers:
            return self.numbers[key]
        content = None if name else (array.dtype.name, array.shape, hashlib.sha256(_core.to_bytes(array)).digest())
        if content in self.contents:
            return self.contents[content]
        number = self.numbers[key] = len(self.weights)
        if content:
            self.contents[content] = number
        self.weights.append(array)
        self.weight_names += unique([name or f"weight{len(self.contents)}"], self.weight_names)
        return number

    def add(self, entry, function, args, kwargs=None, **options):
        """Records a function as an entry."""
        for variant in Recording(self, entry, function, tuple(args), dict(kwargs or {}), **options).variants():
            member = f"programs/{len(self.entries)}.kilntrace"
            self.programs[member] = variant.pop("words")
            self.entries.append({**variant, "name": entry, "program": member})

    def manifest(self):
        """The manifest, as JSON (docs/formats/package.md)."""
        weights = [{"name": n, "dtype": w.dtype.name, "shape": list(w.shape)} for n, w in zip(self.weight_names, self.weights)]
        return json.dumps({"format": [2, 0], "name": self.name, "entries": self.entries, "weights": weights, **({"ops": self.ops} if self.ops else {})})

    def write(self, path):
        self.files = {}
        names = set().union(*map(_core.custom_names, self.programs.values()))
        if names:
            from ._custom import packed
            self.ops, self.files = packed(sorted(names), self.is_for_device)
        _core.write_package(self.manifest(), self.programs, self.weights, path, self.files)
