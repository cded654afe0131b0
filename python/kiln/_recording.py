"""A function that is exported, recorded at the sizes that calls may choose."""
import inspect
import json

from . import _core, _sizes, exceptions, zeros
from ._c_names import c_name, unique
from ._creation import asarray
from ._errors import make
from ._front import Bound, check_callable, name_of
from ._jit import jit
from ._result_numbers import ResultNumbers, Varies
from ._signature import encode, is_array, is_namedtuple, output_of, text_of
from ._stages import Stages, Unsuited
from ._ways import Ways
from ._weights import names_of
from .tree import flatten_node


class _Argument:
    """An array among the arguments."""

    def __init__(self, value, path):
        value = value if isinstance(value, _core.Array) else asarray(value)
        self.path, self.shape, self.dtype = path, tuple(value.shape), value.dtype
        self.axes = {}  # axis -> number of its dimension


class Recording(Ways):
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
        self.asked, self.have_asked = {}, {}  # questions that programs at other sizes have, and whether some have any, by stage
        self.stages = None  # of a function whose values decide sizes; False: it is none, or does not run in stages
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
            return unique(["_".join(c_name(str(k)).strip("_") for k in a.path) if len(a.path) > 1 else c_name(str(a.path[0])) for a in self.arguments])
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

    def _flattened(self, sizes=None):
        """A function that takes a result apart, and where it leaves the structure and the arrays, each with its path. With ``sizes`` numbers that follow from
        them are among the arrays."""
        result, outputs = [], []

        def flatten(value):
            result[:] = [encode(value, ("result",), lambda v, path: output_of(v, path, outputs, self.entry))]
            if sizes:
                result[0], found = self.numbers.taken(result[0], len(outputs), sizes)
                outputs.extend(found)
            return [*(a for a, _ in outputs), *([zeros((), dtype="int64")] if sizes and self.asked.get(None) else [])]

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
                if self.stages is None:
                    self.stages = Stages.of(self) or False
                if self.stages:
                    raise Varies from None
        if recorded:
            words, arrays, written, routines = recorded
            questions = self._questions([])
            self.draft.routines = routines | self.draft.routines
            result, paths = result[0], [list(map(str, path)) for _, path in outputs]
        else:  # it asks for values, which are those of examples
            joined, result, paths = self._joined(sizes, looped or self._looped(sizes))
            self.numbers.note(result)
            questions = self._questions(joined.questions if joined.may_miss else [])
            args, _, made = self._call(sizes)
            keep = slice(None) if questions else slice(-1)
            state = {id(p): (p, a) for a in joined.state for p in [_core.placeholder(a.shape, a.dtype)]}
            words, arrays, written, _ = jit(lambda *given: joined.run(given)[keep])._export((*made, *(p for p, _ in state.values())), {}, (lambda results: results, self.existing))
            arrays = [state[id(a)][1] if id(a) in state else a for a in arrays]
        return words, self.tag(arrays, made, (), result, list(written), paths, questions)

    def tag(self, arrays, made, kept, *others):
        """What fills the inputs of a program, each as its role and its number among the ``made``, the ``kept`` or the weights, and ``others``: as JSON."""
        places = {id(a): ["argument", i] for i, a in enumerate(made)} | {id(a): ["kept", i] for i, a in enumerate(kept)}
        captured = [a for a in arrays if id(a) not in places]
        names = iter(names_of(captured, self.core.__wrapped__, self.prefix, self.values))
        return json.dumps([[places.get(id(a)) or ["weight", self.draft.weight(a, next(names))] for a in arrays], *others])

    def _note(self, text):
        if text not in self.draft.notes:
            self.draft.notes.append(text)

    def variants(self):
        """The entry as the manifest has it, once for each of its programs, with its ``words``."""
        try:
            while True:
                try:
                    if self.stages:
                        return self.stages.entries()
                    return self.alike([self._variant(v) for v in self.sizes.variants(self.record, self.entry)])
                except Unsuited:
                    self.stages, self.numbers, self.asked, self.have_asked = False, ResultNumbers(), {}, {}
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

    def alike(self, variants):
        """The variants, which all give arrays of the same names, dtypes and axes."""
        def text(variant):
            outputs = [f"{o['name']} {o['dtype']} of {len(o['shape'])} axes" for o in variant["outputs"]]
            return ", ".join(outputs) or "no arrays"

        first = variants[0]
        if other := next((v for v in variants if text(v) != text(first)), None):
            at = [self.sizes.text([low for low, _ in v["checked"][0]]) for v in (first, other)]
            raise make("TraceError", f"export: result of '{self.entry}': expected the same arrays at all sizes, got {text(first)} at {at[0]} and {text(other)} at {at[1]}")
        return variants

    def _variant(self, found, stage=None):
        sources, result, written, paths, questions = json.loads(found.tag)
        input_types, output_types = _core.program_types(found.words)
        dimensions = [*self.sizes.named(), *(stage.dimensions if stage else [])]
        taken = [d["name"] for d in dimensions] + (stage.names if stage else [])
        names = unique([self.names[i] for role, i in sources if role == "argument"], taken)
        names += [stage.kept_name(i) for role, i in sources if role == "kept"]
        names += unique([c_name(self.draft.weight_names[w]) for role, w in sources if role == "weight"], taken + names)
        names += unique(["size"] * len(found.numbers), taken + names)
        sources += [["size", number] for number in found.numbers]
        inputs = [{"name": n, "dtype": dtype, **self._source(role, number, i in written)}
                  for i, (n, (dtype, _), (role, number)) in enumerate(zip(names, input_types, sources))]
        outputs = []
        own = stage.output_names(len(output_types) - bool(questions)) if stage and result is None else unique(self._output_names(paths), taken + names)
        output_names = own + unique(["miss"] if questions else [], taken + names + own)
        for i, (dtype, shape) in enumerate(output_types):
            sizes = [found.symbols[s[0]] if isinstance(s, tuple) else s for s in shape]
            is_written = i < len(written)
            made = {"name": names[written[i]] if is_written else output_names[i - len(written)], "dtype": dtype, "shape": sizes}
            outputs.append({**made, "writes": names[written[i]]} if is_written else made)
        arguments = [i for role, i in sources if role == "argument"]
        signature = {"parameters": self._renumbered(arguments), "result": result} if result else None
        return {"words": found.words, "inputs": inputs, "outputs": outputs, "dimensions": dimensions, "symbols": found.symbols, "checked": found.checked,
                "assumed": found.assumed, "signature": signature, **({"misses": questions} if questions else {})}

    def _source(self, role, number, is_written):
        """What the manifest says of an input."""
        if role == "argument":
            argument = self.arguments[number]
            return {"role": "argument", "shape": self.sizes.shape_of(argument)} if argument.shape or is_written else {"role": "number"}
        if role == "size":
            return {"role": "size", "number": number}
        if role == "kept":
            return {"role": "kept"}
        name = self.draft.weight_names[number]
        return {"role": "argument", "shape": list(self.draft.weights[number].shape), "initial": name} if is_written else {"role": "weight", "weight": name}

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
            return [f"out{i}" if len(path) < 2 or path[-1].isdigit() else "_".join(map(c_name, path[1:])) for i, path in enumerate(paths)]
        if len(self.output_names) != len(paths):
            raise make("ValueError", f"export: output_names: expected {len(paths)}, one an array of the result of '{self.entry}', got {len(self.output_names)}")
        return list(self.output_names)
