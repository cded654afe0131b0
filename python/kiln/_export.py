"""``kn.export``: functions as files that run without them."""
import hashlib
import inspect
import json
import os
import re
import tempfile
import warnings

from . import _core, _sizes, arange, copy, exceptions, remainder, take, zeros
from ._creation import asarray
from ._errors import KilnWarning, make
from ._front import Bound, check_callable, name_of
from ._jit import jit
from ._paths import Paths, Results, numbers_in
from ._result_numbers import ResultNumbers, Varies
from ._signature import encode, is_array, is_namedtuple, text_of
from ._weights import names_of
from .tree import flatten_node

_NATIVE = {".so": "so", ".a": "archive", ".o": "obj", ".wasm": "so"}
# Words of C and C++ that are names in Python.
_RESERVED = set("""alignas alignof asm auto bitand bitor bool case catch char compl complex const constexpr const_cast decltype default delete do double
dynamic_cast enum explicit export extern false float friend goto inline int long mutable namespace new noexcept nullptr operator private protected public
register reinterpret_cast requires restrict short signed sizeof static static_assert static_cast struct switch template this throw true typedef typeid
typename typeof union unsigned using virtual void volatile wchar_t xor""".split())


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
        (``"x86-64-v2,x86-64-v3"``): the best one that the machine has runs. ``"native"`` is this one. Of a package: the machine whose code it holds beside its
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
    package = Draft(name or _c_name(os.path.splitext(os.path.basename(path))[0] if isinstance(f, dict) else name_of(f).rpartition(".")[2]))
    for called, what in several.items():
        if not isinstance(called, str) or not isinstance(what, tuple) or len(what) not in (2, 3):
            raise make("ValueError", f"export: entry {called!r}: expected a name and a tuple (function, arguments) or (function, arguments, keywords)")
        package.add(called, *what, examples=examples, miss=miss, dynamic=dynamic, input_names=input_names, output_names=output_names, assume_sizes=assume_sizes)
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


def _c_name(text):
    """A name of C that is like a text."""
    text = re.sub(r"\W", "_", text.replace("<lambda>", "run"), flags=re.ASCII).strip("_") or "x"
    return "_" + text if text[0].isdigit() else text + "_" * (text in _RESERVED)


def _unique(names, taken=()):
    """The names with numbers behind those that are there already."""
    result, seen = [], set(taken)
    for name in names:
        number, new = 1, name
        while new in seen:
            number += 1
            new = f"{name}_{number}"
        seen.add(new)
        result.append(new)
    return result


class Draft:
    """A package that is being made."""

    def __init__(self, name):
        self.name, self.entries, self.programs = name, [], {}
        self.ops = []  # whose code goes with it
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
        self.weight_names += _unique([name or f"weight{len(self.contents)}"], self.weight_names)
        return number

    def add(self, entry, function, args, kwargs=None, **options):
        """Records a function as an entry."""
        for variant in _Recording(self, entry, function, tuple(args), dict(kwargs or {}), **options).variants():
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
            self.ops, self.files = packed(sorted(names))
        _core.write_package(self.manifest(), self.programs, self.weights, path, self.files)


class _Argument:
    """An array among the arguments."""

    def __init__(self, value, path):
        value = value if isinstance(value, _core.Array) else asarray(value)
        self.path, self.shape, self.dtype = path, tuple(value.shape), value.dtype
        self.axes = {}  # axis -> number of its dimension


class _Recording:
    """An entry: its arguments, and the function recorded at some sizes."""

    def __init__(self, draft, entry, function, args, kwargs, examples, miss, dynamic, input_names, output_names, assume_sizes):
        check_callable(function)
        self.draft, self.entry, self.output_names = draft, entry, output_names
        self.jitted = function if isinstance(function, (_core.JitFunction, Bound)) else jit(function)
        self.core, self.prefix, self.keywords = (self.jitted, (), {}) if isinstance(self.jitted, _core.JitFunction) else (self.jitted.func, self.jitted.args, self.jitted.keywords)
        self.signature = inspect.signature(function)
        try:
            self.bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise make("ValueError", f"export: arguments of '{entry}': expected those of {name_of(function)}{self.signature}: {error}") from None
        self.arguments, self.values = [], dict(self.bound.arguments)
        self.miss = miss
        self.parameters = [[n, self.signature.parameters[n].kind.name, encode(v, (n,), self._leaf)] for n, v in self.bound.arguments.items()]
        self.names = self._input_names(input_names)
        self.sizes = _sizes.Dimensions(dynamic, self.arguments, self.names, list(self.bound.arguments), assume_sizes)
        self.examples = [self._values(self.bound), *(self._example(e, kwargs) for e in examples)]
        self.existing, self.numbers = _core.Existing(), ResultNumbers()
        self.ways = None  # the answers of each example, which are given at other sizes, too
        self.asked, self.have_asked = [], set()  # questions that programs at other sizes have, and whether some have any
        self.scout = None  # what is known of the ways of calls that are run; False: none are

    def _leaf(self, value, path):
        if is_array(value):
            self.arguments.append(_Argument(value, path))
            return ["array", len(self.arguments) - 1]
        if flatten_node(value) is not None:
            raise make("TraceError", f"export: argument {text_of(path)}: expected arrays, plain values, or dicts, lists and tuples of them, got a {type(value).__name__}")
        return ["fixed", type(value).__name__]

    def _input_names(self, given):
        if given is None:
            return _unique(["_".join(_c_name(str(k)).strip("_") for k in a.path) if len(a.path) > 1 else _c_name(str(a.path[0])) for a in self.arguments])
        if len(given) != len(self.arguments):
            raise make("ValueError", f"export: input_names: expected {len(self.arguments)}, one an array among the arguments, got {len(given)}")
        return list(given)

    def _call(self, sizes):
        """(arguments, keywords) of the call at some sizes, and its placeholders."""
        made = []
        for argument in self.arguments:
            shape = tuple(sizes[argument.axes[i]] if i in argument.axes else n for i, n in enumerate(argument.shape))
            made.append(_core.placeholder(shape, argument.dtype))
        return (*self._call_with(made), made)

    def _call_with(self, arrays):
        """(arguments, keywords) of the call with other arrays."""
        following = iter(arrays)

        def filled(value):
            if is_array(value):
                return next(following)
            if is_namedtuple(value):
                return type(value)(*map(filled, value))
            if type(value) in (list, tuple):
                return type(value)(map(filled, value))
            return {k: filled(v) for k, v in value.items()} if type(value) is dict and all(isinstance(k, str) for k in value) else value

        bound = inspect.BoundArguments(self.signature, {n: filled(v) for n, v in self.bound.arguments.items()})
        return bound.args, bound.kwargs

    def _values(self, bound):
        """The arrays of a call."""
        arrays = []
        for name, value in bound.arguments.items():
            encode(value, (name,), lambda v, path: arrays.append(v if isinstance(v, _core.Array) else asarray(v)) if is_array(v) else None)
        return arrays

    def _example(self, args, kwargs):
        """Those of an example, which are as those of the call are, with its keywords."""
        if not isinstance(args, tuple):
            raise make("ValueError", f"export: examples: expected tuples of arguments, got a {type(args).__name__}")
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise make("ValueError", f"export: examples: expected arguments of {name_of(self.jitted)}{self.signature}: {error}") from None
        if self._form(bound) != self._form(self.bound):
            raise make("ValueError", f"export: examples: expected arguments like those of the call, of the same shapes, dtypes and plain values, got {self._form(bound)} for {self._form(self.bound)}")
        values = self._values(bound)
        self.sizes.of(self.arguments, values)  # within their bounds
        return values

    def _form(self, bound):
        """What calls and examples have in common: structures, plain values, dtypes and those of the sizes that calls do not choose."""
        arguments = iter(self.arguments)

        def leaf(value, path):
            if not is_array(value):
                return ["fixed"]
            axes = getattr(next(arguments, None), "axes", ())
            return ["array", [None if i in axes else n for i, n in enumerate(value.shape)], asarray(value).dtype.name]
        return [[n, encode(v, (n,), leaf)] for n, v in bound.arguments.items()]

    def _path(self, sizes, given):
        """A recording at some sizes, for the values of an example or with the answers of another recording: what ``Paths.add`` takes, and its answers; None where
        it asks for something else."""
        args, kwargs, made = self._call(sizes)
        flatten, result, outputs = self._flattened()
        found = self.core._export_path((*self.prefix, *args), {**self.keywords, **kwargs}, (flatten, self.existing, tuple(made), given))
        if found is None:
            return None
        types = [(a.dtype.name, tuple(a.shape)) for a, _ in outputs]
        *recorded, answers = found
        return (*recorded, {id(a): i for i, a in enumerate(made)}, (result[0], types, [list(map(str, path)) for _, path in outputs])), answers, made

    def _recordings(self, sizes):
        """The ways at some sizes: of the examples, each with its values where the sizes are its own, else with the answers that it had."""
        if not sizes:
            return [self._path(sizes, tuple(values)) for values in self.examples]
        if self.ways is None:
            self.ways = []
            for values in self.examples:
                answers = self._path(self.sizes.of(self.arguments, values), tuple(values))[1]
                self.ways += [answers] if answers not in self.ways else []
        found = [self._path(sizes, answers) for answers in self.ways]
        if all(f is None for f in found):
            raise make("TraceError", f"export: '{self.entry}' asks for other values at {self.sizes.text(sizes)} than it does for any example: expected an example of these sizes, or fewer sizes (dynamic=)")
        return [f for f in found if f]

    def _ways_at(self, sizes, numbers):
        """The ways of some examples, and those behind other answers, with loops in the place of trips that values decide: what ``Paths.add_tree`` takes. Without numbers:
        those that were found so far, at other sizes. None where the function does what is not known to only compute."""
        known = []

        def again(number):
            made = [self._resized(a, argument, sizes) for a, argument in zip(self.examples[number], self.arguments)]
            args, kwargs = self._call_with(made)
            return (*self.prefix, *args), {**self.keywords, **kwargs}, made

        def taken(value, is_example):
            outputs, numbers = [], numbers_in(value)
            tree = encode(value, ("result",), lambda v, path: _output(v, path, outputs, self.entry))
            types = [(a.dtype.name, tuple(a.shape)) for a, _ in outputs]
            if is_example or not known:
                known[:] = [tree, types]
            else:
                Results(self.entry, [known[0], tree], [known[1], types])  # a way that no example takes is to have a result like theirs
            return (tree, types, [list(map(str, path)) for _, path in outputs], [path for path, _ in numbers]), [a for a, _ in outputs], [n for _, n in numbers]

        found = self.core._export_ways(again, numbers, taken, self.scout or None)
        if found is None:
            return None
        (nodes, arrays, made), self.scout = found
        return nodes, arrays, {id(a): i for i, a in enumerate(made)}

    @staticmethod
    def _resized(array, argument, sizes):
        """A copy of an array of an example, at other sizes."""
        array = copy(array)
        for axis, place in argument.axes.items() if sizes else ():
            size = array.shape[axis]
            if size != sizes[place]:
                array = take(array, remainder(arange(sizes[place]), size), axis=axis) if size else zeros((*array.shape[:axis], sizes[place], *array.shape[axis + 1:]), dtype=array.dtype)
        return array

    def _looped(self, sizes):
        """The ways at the first sizes, as ``_ways_at`` gives them; None where recordings without values are to say them."""
        if self.scout is False:
            return None
        alike, found = {}, None
        for number, values in enumerate(self.examples):
            alike.setdefault(tuple(self.sizes.of(self.arguments, values)), []).append(number)
        for numbers in alike.values():
            found = self._ways_at((), numbers)
            if found is None:
                self.scout = False
                return None
        return self._ways_at(sizes, None) or self._give_up_looping() if sizes else found

    def _give_up_looping(self):
        self.scout = False
        raise Varies

    def _joined(self, sizes, looped):
        """The function without its questions, as the examples answer them, and how its result is put together."""
        paths = Paths(self.entry, len(self.arguments))
        if looped:
            paths.add_tree(*looped)
        for recording, _, _ in [] if looped else self._recordings(sizes):
            paths.add(*recording)
        if self.miss == "forbid" and paths.open_questions():
            raise make("TraceError", f"export: '{self.entry}': expected examples of every way, got none with another answer to: " + "; ".join(paths.open_questions()))
        return paths, *paths.join(self.numbers.forms)

    def _flattened(self, sizes=None):
        """A function that takes a result apart, and where it leaves the structure and the arrays, each with its path. With ``sizes`` numbers that follow from
        them are among the arrays."""
        result, outputs = [], []

        def flatten(value):
            result[:] = [encode(value, ("result",), lambda v, path: _output(v, path, outputs, self.entry))]
            if sizes:
                result[0], found = self.numbers.taken(result[0], len(outputs), sizes)
                outputs.extend(found)
            return [*(a for a, _ in outputs), *([zeros((), dtype="int64")] if sizes and self.asked else [])]

        return flatten, result, outputs

    def record(self, sizes):
        """The words of the program at some sizes, and what else must be the same where one program does: as JSON."""
        flatten, result, outputs = self._flattened(sizes)
        args, kwargs, made = self._call(sizes)
        recorded, questions = None, []
        looped = self._ways_at(sizes, None) if self.scout else None
        if not self.ways and not looped:  # else it asks for values
            try:
                recorded = self.core._export((*self.prefix, *args), {**self.keywords, **kwargs}, (flatten, self.existing))
            except exceptions.TraceError:
                if self.scout:
                    self._give_up_looping()
        if recorded:
            words, arrays, written, routines = recorded
            questions = self._questions([])
            self.draft.routines = routines | self.draft.routines
            result, paths = result[0], [list(map(str, path)) for _, path in outputs]
        else:  # it asks for values, which are those of examples
            joined, result, paths = self._joined(sizes, looped or self._looped(sizes))
            self.numbers.note(result)
            questions = self._questions(joined.questions if joined.may_miss else [])
            if joined.open_questions() and len(self.examples) == 1:
                self._note(f"export: '{self.entry}' is exported for the way that these arguments take; calls that are told otherwise are errors, at "
                           f"{'; '.join(dict.fromkeys(questions))}: examples= names more ways")
            args, _, made = self._call(sizes)
            keep = slice(None) if questions else slice(-1)
            state = {id(p): (p, a) for a in joined.state for p in [_core.placeholder(a.shape, a.dtype)]}
            words, arrays, written, _ = jit(lambda *given: joined.run(given)[keep])._export((*made, *(p for p, _ in state.values())), {}, (lambda results: results, self.existing))
            arrays = [state[id(a)][1] if id(a) in state else a for a in arrays]
        places = {id(a): i for i, a in enumerate(made)}
        inputs = [places.get(id(a), -1) for a in arrays]  # the number of an argument
        captured = [a for a in arrays if id(a) not in places]
        names = names_of(captured, self.core.__wrapped__, self.prefix, self.values)
        weights = [self.draft.weight(a, n) for a, n in zip(captured, names)]
        return words, json.dumps([result, inputs[:len(arrays) - len(weights)], weights, list(written), paths, questions])

    def _questions(self, questions):
        """Those of the program at some sizes. One without has an output for them as well, where programs at other sizes have some."""
        self.have_asked.add(bool(questions))
        if len(self.have_asked) == 2 and not self.asked:
            self.asked = questions or ["another size"]
            raise Varies
        return questions or self.asked

    def _note(self, text):
        if text not in self.draft.notes:
            self.draft.notes.append(text)

    def variants(self):
        """The entry as the manifest has it, once for each of its programs, with its ``words``."""
        try:
            while True:
                try:
                    return self._alike([self._variant(v) for v in self.sizes.variants(self.record, self.entry)])
                except Varies:
                    pass
        except exceptions.TraceError as error:
            if self.scout and self.sizes.dimensions and "programs over the sizes" in str(error):
                self.scout, self.numbers = False, ResultNumbers()
                return self.variants()
            if not self.numbers.others or "programs over the sizes" not in str(error):
                raise
            raise make("TraceError", f"export: {self.numbers.text()} of '{self.entry}': expected what is the same at all sizes, is one of few, or a number that follows from "
                                     "them (by +, *, //, and / of two such), got another one at more sizes than a package has programs: declare fewer sizes") from None
        finally:
            self.existing.forget()

    def _alike(self, variants):
        """The variants, which all give arrays of the same names, dtypes and axes."""
        def text(variant):
            outputs = [f"{o['name']} {o['dtype']} of {len(o['shape'])} axes" for o in variant["outputs"]]
            return ", ".join(outputs) or "no arrays"

        first = variants[0]
        if other := next((v for v in variants if text(v) != text(first)), None):
            at = [self.sizes.text([low for low, _ in v["checked"][0]]) for v in (first, other)]
            raise make("TraceError", f"export: result of '{self.entry}': expected the same arrays at all sizes, got {text(first)} at {at[0]} and {text(other)} at {at[1]}")
        return variants

    def _variant(self, found):
        result, arguments, weights, written, paths, questions = json.loads(found.tag)
        input_types, output_types = _core.program_types(found.words)
        dimensions = self.sizes.named()
        taken = [d["name"] for d in dimensions]
        names = _unique([self.names[i] for i in arguments], taken)
        names += _unique([_c_name(self.draft.weight_names[w]) for w in weights], taken + names)
        names += _unique(["size"] * len(found.numbers), taken + names)
        inputs = []
        for i, (input_name, (dtype, _)) in enumerate(zip(names, input_types)):
            made = {"name": input_name, "dtype": dtype}
            if i < len(arguments):
                argument = self.arguments[arguments[i]]
                is_number = not argument.shape and i not in written
                made |= {"role": "number"} if is_number else {"role": "argument", "shape": self.sizes.shape_of(argument)}
            elif i < len(arguments) + len(weights):
                weight = weights[i - len(arguments)]
                made |= {"role": "weight", "weight": self.draft.weight_names[weight]}
                if i in written:
                    made |= {"role": "argument", "shape": list(self.draft.weights[weight].shape), "initial": made.pop("weight")}
            else:
                made |= {"role": "size", "number": found.numbers[i - len(arguments) - len(weights)]}
            inputs.append(made)
        outputs = []
        output_names = _unique([*self._output_names(paths), *(["miss"] if questions else [])], taken + names)
        for i, (dtype, shape) in enumerate(output_types):
            sizes = [found.symbols[s[0]] if isinstance(s, tuple) else s for s in shape]
            is_written = i < len(written)
            made = {"name": names[written[i]] if is_written else output_names[i - len(written)], "dtype": dtype, "shape": sizes}
            outputs.append({**made, "writes": names[written[i]]} if is_written else made)
        signature = {"parameters": self._renumbered(arguments), "result": result}
        return {"words": found.words, "inputs": inputs, "outputs": outputs, "dimensions": dimensions, "symbols": found.symbols, "checked": found.checked,
                "assumed": found.assumed, "signature": signature, **({"misses": questions} if questions else {})}

    def _renumbered(self, arguments):
        """The parameters, whose arrays are numbered as the inputs are."""
        place = {argument: i for i, argument in enumerate(arguments)}

        def renumbered(tree):
            kind, *rest = tree
            if kind == "array":
                return ["array", place[rest[0]]]
            if kind == "dict":
                return ["dict", [[k, renumbered(item)] for k, item in rest[0]]]
            return [kind, *rest[:-1], [renumbered(item) for item in rest[-1]]] if kind in ("list", "tuple", "namedtuple") else tree
        return [[n, kind, renumbered(tree)] for n, kind, tree in self.parameters]

    def _output_names(self, paths):
        if self.output_names is None:
            return [f"out{i}" if len(path) < 2 or path[-1].isdigit() else "_".join(map(_c_name, path[1:])) for i, path in enumerate(paths)]
        if len(self.output_names) != len(paths):
            raise make("ValueError", f"export: output_names: expected {len(paths)}, one an array of the result of '{self.entry}', got {len(self.output_names)}")
        return list(self.output_names)


def _output(value, path, outputs, entry):
    """An array of the result."""
    if not isinstance(value, _core.Array):
        raise make("TraceError", f"export: result of '{entry}': expected arrays, plain values, or dicts, lists and tuples of them, got a {type(value).__name__} at {text_of(path)}")
    for number, (known, _) in enumerate(outputs):
        if known is value:
            return ["array", number]
    outputs.append((value, path))
    return ["array", len(outputs) - 1]
