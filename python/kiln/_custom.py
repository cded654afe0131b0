"""``kn.custom_op``: kernels in C, C++ and CUDA as operations."""
import contextvars
import inspect
import math
import operator

from . import _core, _native
from ._creation import asarray
from ._core import Array
from ._errors import DTypeError, make
from ._gradients import _zeros_like
from ._op_rules import OpRule, Type, run_rule

_transposed = contextvars.ContextVar("transposed", default=())  # ops whose rule for forward mode is being run for reverse mode
_ops = {}  # by their names in programs: what a package is made with


def custom_op(name, sources, *, shape, vjp=None, jvp=None, batch="sequential", symbol=None, flags=(), launch=None):
    """An operation whose kernel is a function of C or C++, compiled against ``<kiln/op.h>`` by this call.

    What comes back is called with arrays, in eager, jitted functions and transforms, and exported with what uses it.

    Parameters
    ----------
    name : str
        A name of C in lower case.
    sources : path or list of paths
        Files of C or C++, which the machine's compiler (``$CC``, ``$CXX``, else ``cc`` and ``c++``) makes code of; or one object (``.o``). For arrays on a GPU, beside them or
        alone: one file of CUDA (``.cu``), which ``$NVCC``, else ``nvcc``, compiles, or of PTX (``.ptx``). Its kernel gets the operands, the results, how many elements
        the first result has, and the numbers.
    shape : function
        ``shape(x, y, *, alpha)`` says what results are, of operands with ``.shape`` and ``.dtype``: an operand or ``kn.ShapeDtypeStruct``, or a tuple
        of them for several results. Arguments after ``*`` are numbers, which the kernel gets as attributes in this order.
    vjp : function
        ``vjp(ct, x, y, *, alpha)``: gradients for the operands of a cotangent of the result (a tuple of them of several), one or a tuple; None is 0. With a
        parameter ``result`` after ``*``, it gets the result as well.
    jvp : function
        ``jvp(primals, tangents, *, alpha)``: the tangent of the result (a tuple of them of several) for tuples of the operands and of their tangents, in which it is linear;
        None is 0, and ``result`` is as in ``vjp``. Forward mode needs it; reverse mode is its transpose where there is no ``vjp``.
    batch : str or function
        How ``vmap`` runs it. ``"sequential"``: one example after another. ``"expand_dims"``: at once, as the kernel takes further axes in front; operands that have
        no axis of the batch get one of size 1; ``"broadcast_all"``: of its size. A function ``batch(size, is_batched, x, y, *, alpha)`` gives (result, whether it is batched).
    symbol : str
        The name of the function, where it is not ``name``.
    flags : sequence of str
        Further arguments of the compiler, like ``-march=native``.
    launch : function
        Of a kernel for GPUs: ``launch(x, y, *, alpha)`` gives (blocks, threads of a block), or these and the bytes of shared memory that the launch asks for. Without it
        each element of the first result has a thread, 256 a block.

    Raises
    ------
    CompileError
        Where there is no compiler, or it refuses the sources.
    ValueError
        For names, files and functions that do not fit.
    """
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii() or name != name.lower() or name.startswith("_"):
        raise make("ValueError", f"custom_op: name: expected a name of C in lower case, got {name!r}")
    return Op(name, _native.read(name, sources, [flags] if isinstance(flags, str) else flags), shape, vjp, jvp, batch, symbol or name, launch)


_SHAPE = ("launch_blocks", "launch_threads", "launch_shared")  # numbers of an op with a kernel for GPUs, behind its own
_FOR_ELEMENTS = (-1, 256, 0)  # as many blocks as elements need (lib/Core/NativeOps.h)


class Op:
    """An operation that ``kn.custom_op`` made."""

    def __init__(self, name, code, shape, vjp, jvp, batch, symbol, launch=None):
        self.__name__ = self.__qualname__ = name
        self._code, self._shape, self._vjp, self._jvp, self._batch, self._symbol = code, shape, vjp, jvp, batch, symbol
        self._launch = launch
        if launch is not None and (not callable(launch) or not code.gpu):
            raise make("ValueError", f"custom_op '{name}': launch: expected a function, of an op with a kernel for GPUs, got {launch!r}")
        if not callable(shape):
            raise make("ValueError", f"custom_op '{name}': shape: expected a function, got {type(shape).__name__}")
        for what, rule in (("vjp", vjp), ("jvp", jvp), ("batch", batch)):
            if rule is not None and not callable(rule) and not (what == "batch" and rule in ("sequential", "expand_dims", "broadcast_all")):
                raise make("ValueError", f"custom_op '{name}': {what}: expected a function{' or sequential, expand_dims or broadcast_all' * (what == 'batch')}, got {rule!r}")
        parameters = inspect.signature(shape).parameters.values()
        self._attributes = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self._defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}
        if any(p.kind is p.VAR_KEYWORD for p in parameters) or "result" in self._attributes:
            raise make("ValueError", f"custom_op '{name}': shape: expected operands, then numbers by names behind * (not 'result'), got {inspect.signature(shape)}")
        self._asking = [rule for rule in (vjp, jvp) if rule is not None and "result" in inspect.signature(rule).parameters]  # for results
        self._forms = {}  # (operands, results) -> the name in programs
        self.__doc__ = f"{name}{inspect.signature(shape)}: an operation of {', '.join(code.sources) or 'an object'}."
        if code.runs_on_host:
            _native.build(code)
        if code.gpu:
            self._parameters = _native.parameters_of(code, symbol)

    functions = ("_shape", "_vjp", "_jvp", "_batch", "_launch")  # of Python, that calls of it may run

    def __call__(self, *operands, **attributes):
        numbers = self._numbers(attributes)
        arrays = [x if type(x) is Array else asarray(x) for x in operands]
        return run_rule(_CustomRule(self, numbers), arrays)

    def _numbers(self, given):
        """All attributes as integers and floats, in their order."""
        name = self.__name__
        if unknown := [n for n in given if n not in self._attributes]:
            raise make("ValueError", f"{name}: arguments: expected {', '.join(self._attributes) or 'none by name'}, got '{unknown[0]}'")
        numbers = {}
        for key in self._attributes:
            if key not in given and key not in self._defaults:
                raise make("ValueError", f"{name}: {key}: expected a number, got none")
            value = given[key] if key in given else self._defaults[key]
            try:
                numbers[key] = float(value) if isinstance(value, float) else operator.index(value)
            except (TypeError, DTypeError):
                numbers[key] = None
            if type(numbers[key]) is not float and (numbers[key] is None or not -2**63 <= numbers[key] < 2**63):
                raise make("DTypeError", f"{name}: {key}: expected an integer of 64 bits or a float, got {value!r}")
        return numbers

    def _types(self, arrays, numbers):
        """The types of the results, and whether there are several."""
        try:
            found = self._shape(*(Type(x.shape, x.dtype) for x in arrays), **numbers)
        except TypeError as error:
            try:
                inspect.signature(self._shape).bind(*arrays, **numbers)
            except TypeError:
                raise make("ValueError", f"{self.__name__}: operands: expected those of {inspect.signature(self._shape)}, got {len(arrays)}") from None
            raise error
        several = isinstance(found, (tuple, list)) and not hasattr(found, "dtype")
        types = list(found) if several else [found]
        if not types or not all(hasattr(t, "shape") and hasattr(t, "dtype") for t in types):
            raise make("ValueError", f"{self.__name__}: result of shape: expected an operand, kn.ShapeDtypeStruct or a tuple of them, got {found!r}")
        return types, several

    def _all_attributes(self):
        return [*self._attributes, *(_SHAPE if self._code.gpu else ())]

    def _words(self, arrays, types, numbers):
        """All numbers of a call in programs: the op's own, and how its kernel for GPUs is launched."""
        if not self._code.gpu:
            return tuple(numbers.values())
        if not self._launch:
            return (*numbers.values(), *_FOR_ELEMENTS)
        shape = self._launch(*(Type(x.shape, x.dtype) for x in arrays), **numbers)
        shape = (*shape, 0) if isinstance(shape, (tuple, list)) and len(shape) == 2 else shape
        most = (2**31 - 1, 1024, 227 << 10)
        if not isinstance(shape, (tuple, list)) or len(shape) != 3 or not all(isinstance(n, int) and 0 <= n <= m for n, m in zip(shape, most)) or not shape[1]:
            raise make("ValueError", f"{self.__name__}: launch: expected blocks, threads up to 1024 and bytes of shared memory up to {most[2]}, got {shape!r}")
        return (*numbers.values(), *(shape if math.prod(types[0].shape) else (0, 1, 0)))

    def _check_parameters(self, operands, results):
        """Parameters that PTX tells are of 64 bits, as many as the kernel gets."""
        wanted = operands + results + 1 + len(self._attributes)
        if self._parameters is not None and (len(self._parameters) != wanted or any(p[1:] != "64" for p in self._parameters)):
            raise make("ValueError", f"{self.__name__}: parameters of '{self._symbol}' in '{self._code.gpu}': expected {operands} operands, {results} results, a count and "
                       f"{len(self._attributes)} numbers, of 64 bits each, got ({', '.join(self._parameters)})")

    def _form(self, operands, results):
        """The name in programs, which the number of operands and results is part of."""
        form = self._forms.get((operands, results))
        if form is None:
            if self._code.gpu:
                self._check_parameters(operands, results)
            form = f"{self.__name__}.h{self._code.digest_of(self._symbol)}_{operands}_{results}"
            is_known = _core.declare_op(form, self.__name__, operands, results, self._all_attributes())
            if self._code.runs_on_host and not is_known:
                _core.define_op(form, str(_native.build(self._code)[1]), self._symbol)
            if self._code.gpu:
                _core.define_kernel(form, _native.build_kernel(self._code), self._symbol)
            _ops[form] = self
            self._forms[operands, results] = form
        return form

    def __reduce__(self):
        return Op, (self.__name__, self._code, self._shape, self._vjp, self._jvp, self._batch, self._symbol, self._launch)

    def __repr__(self):
        return f"<custom op {self.__name__}{inspect.signature(self._shape)}>"


class _CustomRule(OpRule):
    """A call of an op."""

    def __init__(self, op, numbers):
        self.op, self.numbers, self.name, self.method = op, numbers, op.__name__, op._batch

    def apply(self, arrays):
        types, self.several = self.op._types(arrays, self.numbers)
        form = self.op._form(len(arrays), len(types))
        if not self.op._code.runs_on_host and all(x.device == "cpu" for x in arrays) and not _native.is_for_device.get():
            raise make("DeviceError", f"{self.name}: operands: expected arrays on a GPU, as the op has a kernel for GPUs alone, got arrays on the CPU: x.to_device('cuda')")
        return _core.apply_custom(form, arrays, [(t.dtype, tuple(t.shape)) for t in types], self.op._words(arrays, types, self.numbers))

    def batched_by_rule(self, size, is_batched, arrays):
        return self.op._batch(size, list(is_batched), *arrays, **self.numbers)

    def gradients(self, arrays, results, cotangents):
        if self.op._vjp is not None:
            return self.op._vjp(tuple(cotangents) if self.several else cotangents[0], *arrays, **self._given(self.op._vjp, results))
        if self.op._jvp is None:
            raise make("ValueError", f"{self.name}: gradient: expected an op with a rule, got one without: give custom_op a vjp or a jvp")
        return self._transpose(arrays, results, cotangents)

    def jvp(self, arrays, tangents):
        if self.op._jvp is None:
            had = "got one with a vjp alone" if self.op._vjp else "got one without"
            raise make("TraceError", f"{self.name}: derivative: expected an op with a rule for forward mode, {had}: give custom_op a jvp")
        return super().jvp(arrays, tangents)

    def tangents(self, arrays, results, tangents):
        return self.op._jvp(tuple(arrays), tuple(tangents), **self._given(self.op._jvp, results))

    def _transpose(self, arrays, results, cotangents):
        """Gradients by the rule for forward mode, which is linear in the tangents."""
        if self.op in _transposed.get():
            raise make("TraceError", f"{self.name}: gradient by its jvp: expected a rule that runs the op on its operands alone, got one that runs it on tangents: give custom_op a vjp")
        before = _transposed.set((*_transposed.get(), self.op))
        try:
            return _core.vjp(lambda tangents: self.changes(arrays, results, tangents), [_zeros_like(x) for x in arrays])[1](cotangents)
        finally:
            _transposed.reset(before)

    def _given(self, rule, results):
        """What a rule gets by name."""
        result = tuple(results) if self.several else results[0]
        return {**self.numbers, **({"result": result} if rule in self.op._asking else {})}


def packed(names, is_for_device):
    """(what the manifest says of ops, their files by member) of those with these names in programs; for a device, or for the CPU."""
    entries, files = [], {}
    for name in names:
        if name.startswith("python."):
            raise make("TraceError", "export: expected operations that need no Python, got a pure_callback")
    for number, name in enumerate(n for n in names if n in _ops):
        op, code = _ops[name], _ops[name]._code
        if not code.runs_on_host and not is_for_device:
            raise make("CompileError", f"export: expected operations of the CPU, got the custom op '{op.__name__}', which has a kernel for GPUs alone")
        members = {n: f"ops/{number}/files/{n}" if n == "kernel.ptx" else f"ops/{number}/{n}" for n in sorted(code.files)}
        files |= {members[n]: code.files[n] for n in members}
        compiled = {}
        if code.runs_on_host:
            files[member := f"ops/{number}/{_native.TRIPLE}.o"] = _native.build(code)[0].read_bytes()
            compiled["object"] = {"member": member, "triple": _native.TRIPLE}
        if code.gpu:
            files[member := f"ops/{number}/kernel.ptx"] = _native.build_kernel(code)
            compiled["kernel"] = member
        operands, results = map(int, name.split("_")[-2:])
        entries.append({"name": name, "title": op.__name__, "symbol": op._symbol, "operands": operands, "results": results, "attributes": op._all_attributes(),
                        "sources": code.sources, "flags": code.flags, "files": [{"name": n, "member": m} for n, m in members.items()],
                        **compiled})
    return entries, files


def unpack(manifest, file, native):
    """Makes the ops of a package known, whose members ``file`` reads."""
    for op in manifest["ops"]:
        if _core.declare_op(op["name"], op["title"], op["operands"], op["results"], op["attributes"]):
            continue
        if not native:
            raise make("PackageError", f"package '{manifest['name']}': code of the custom op '{op['title']}': expected it to be known in this process (kn.custom_op with the same sources), or "
                       "native=True to run what the package has, got neither")
        code = _native.Code(op["title"], {f["name"]: file(f["member"]) for f in op["files"]}, op["sources"], op["flags"])
        if op["sources"] and not op["name"].partition(".")[2].startswith(f"h{code.digest_of(op['symbol'])}_"):
            raise make("PackageError", f"package '{manifest['name']}': sources of the custom op '{op['title']}': expected those that it was exported with, got others")
        has_object = "object" in op and op["object"]["triple"] == _native.TRIPLE
        if has_object and not _native.can_build(code):
            code = _native.Code(op["title"], {}, (), (), file(op["object"]["member"]))
        elif not op["sources"]:
            raise make("PackageError", f"package '{manifest['name']}': code of the custom op '{op['title']}': expected sources or an object for {_native.TRIPLE}, got one for {op['object']['triple']}")
        _core.define_op(op["name"], str(_native.build(code)[1]), op["symbol"])
