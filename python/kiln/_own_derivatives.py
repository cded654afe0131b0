"""Functions with derivatives of their own: ``custom_vjp`` and ``custom_jvp``.

Each call is asked of the innermost of the modes that carry derivatives or a batch, as an operation is: a tape notes it as one, tangents go
through its rule, a batch runs it and its rules for all examples.
"""
import functools
import inspect

from . import _core, tree
from ._batches import run
from ._core import Array
from ._errors import TraceError, make
from ._front import name_of
from ._gradients import _arrays, _Call, _check, _zeros_like
from ._reductions import sum  # noqa: A004
from ._shaping import broadcast_to
from ._streams import Drawn, alike


class _Rule:
    """A function over lists of arrays; ``forward``, ``backward`` and ``jvp`` are its derivative."""

    def forward(self, arrays):
        """The results, which modes around may carry further, and what ``backward`` needs of the call."""
        return _apply(self, arrays), arrays

    def batched(self, is_batched, size, numbers):
        """The rule of the same call for all examples."""
        return _Batched(self, is_batched, size, numbers)

    reads_names, may_close = True, False  # arrays of modes around it; and knows what to make of them

    def rewind(self):
        """The call starts once more."""

    def close(self, captured):
        """Takes arrays that the function reads by name as further operands. Raises TraceError where their gradients could not be told."""
        raise make("TraceError", f"{self}: arrays of a gradient or a batch around it: expected them as arguments, got one of {captured[0].dtype}{captured[0].shape} that it reads by name")


class _Batched(_Rule):
    """The rule for all examples; arrays that are not batched have the sum of their gradients."""

    def __init__(self, rule, is_batched, size, numbers):
        self.rule, self.is_batched, self.size, self.numbers = rule, is_batched, size, numbers

    def rewind(self):
        self.rule.rewind()

    def close(self, captured):
        self.rule.close(captured)
        self.is_batched = [*self.is_batched, *[False] * len(captured)]

    reads_names, may_close = property(lambda self: self.rule.reads_names), property(lambda self: self.rule.may_close)

    def _all(self, function, arrays, is_batched):
        results, differ = run(function, arrays, is_batched, self.size, numbers=self.numbers)
        return [x if d else broadcast_to(x, (self.size, *x.shape)) for x, d in zip(results, differ)]

    def primal(self, arrays):
        return self._all(self.rule.primal, arrays, self.is_batched)

    def forward(self, arrays):
        def both(arrays):
            results, residuals = self.rule.forward(arrays)
            self.count = len(results)
            return results + residuals

        found = self._all(both, arrays, self.is_batched)
        return found[:self.count], found[self.count:]

    def backward(self, residuals, cotangents):
        n = len(residuals)
        found = self._all(lambda given: self.rule.backward(given[:n], given[n:]), residuals + cotangents, [True] * (n + len(cotangents)))
        return [g if b else sum(g, axis=0) for g, b in zip(found, self.is_batched)]

    def jvp(self, arrays, tangents):
        n = len(arrays)

        def both(given):
            results, changes = self.rule.jvp(given[:n], given[n:])
            self.count = len(results)
            return results + changes

        found = self._all(both, arrays + tangents, self.is_batched * 2)
        return found[:self.count], found[self.count:]


def _apply(rule, arrays):
    """The results of a rule over arrays of any mode."""
    innermost = _core.innermost()
    if innermost is None:
        return rule.primal(arrays)
    try:
        return _apply_in(innermost, rule, arrays)
    except TraceError:  # an array of the mode has no value below it
        rule.rewind()
        captured = _captured(rule, arrays) if rule.reads_names else []
        if not captured:
            raise
        rule.close(captured)
    return _apply_in(innermost, rule, arrays + captured)


def _captured(rule, arrays):
    """The arrays of the innermost mode that a rule reads by name."""
    with Drawn() as drawn:
        found = _core.captured(rule.primal, arrays)
    drawn.rewind()
    return found


def _closed(rule, arrays):
    """The arrays for a rule that is called where others stand for arrays that it may read by name."""
    captured, others, met = _core.substitutes()
    if not rule.reads_names:
        return arrays
    if not rule.may_close:
        with Drawn() as drawn:
            rule.primal(arrays)
        drawn.rewind()
        if _core.substitutes()[2] == met:
            return arrays
    rule.close(captured)
    return arrays + others


def _apply_in(innermost, rule, arrays):
    kind, size, numbers = innermost
    if kind == "captures":
        if not size:
            return rule.primal(arrays)  # which arrays are read is all that is asked
        arrays = _closed(rule, arrays)
    below, is_active, tangents = _core.lowered(arrays)
    if not any(is_active):
        with Drawn() as drawn:
            results = _core.below(lambda: _apply(rule, below))
        if kind != "batch" or not drawn:
            return _core.lift(results, [], False)
        drawn.rewind()  # each example draws other numbers
    if kind == "batch":
        return _core.lift(_core.below(lambda: _apply(rule.batched(is_active, size, numbers), below)), [], True)
    if kind == "tangents":
        results, changes = _core.below(lambda: rule.jvp(below, [_zeros_like(x) if t is None else t for x, t in zip(below, tangents)]))
        return _core.lift(results, changes, False)
    level = _core.level_of(None) - 1
    results, residuals = _core.below(lambda: rule.forward(below))

    def backward(cotangents):
        given = [_zeros_like(x) if ct is None else ct for x, ct in zip(results, cotangents)]
        return alike(level, _core.level_of(None), lambda: rule.backward(residuals, given))

    return _core.lift_results(arrays, results, backward)


def _positional(function, args, kwargs):
    return inspect.signature(function).bind(*args, **kwargs).args if kwargs else args


class _OfTrees(_Rule):
    """A rule of a function of trees; plain values of its residuals are kept aside."""

    def __init__(self, op, function, args):
        leaves, self.structure = tree.flatten(tuple(args))
        self.op, self.arrays, self.call = op, _arrays(op, "arguments", leaves), _Call(op, function, self.structure, False)

    def primal(self, arrays):
        return self.call(arrays)

    def __str__(self):
        return f"{self.op}: '{name_of(self.call.function)}'"

    def run(self):
        return self.call.rebuild(_apply(self, self.arrays))[0]

    def result_leaves(self, what, value):
        """Leaves of a value of the structure of the result. Raises ValueError for another."""
        leaves, structure = tree.flatten(value)
        if structure != self.expected:
            raise make("ValueError", f"{self.op}: structure of {what}: expected {self.expected}, got {structure}")
        return _arrays(self.op, what, leaves)


class _Custom:
    """A function with a derivative of its own; ``nondiff_argnums`` are arguments that are no arrays of it."""

    def __init__(self, fun, nondiff_argnums=()):
        _check(type(self).__name__, fun)
        self.fun, self.nondiff_argnums = fun, (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
        functools.update_wrapper(self, fun)

    def _split(self, args):
        """The function of the other arguments, those, and the plain ones."""
        chosen = [n % len(args) for n in self.nondiff_argnums]
        plain, rest = [args[n] for n in chosen], [a for i, a in enumerate(args) if i not in chosen]

        def whole(function):
            def call(*some):
                some = iter(some)
                return function(*(args[i] if i in chosen else next(some) for i in range(len(args))))
            call.__qualname__ = name_of(function)  # errors tell of it
            return call

        return whole, rest, plain


class _CustomVjp(_OfTrees):
    def forward(self, arrays):
        result = self.fwd(*tree.unflatten(self.structure, arrays))
        if not isinstance(result, tuple) or len(result) != 2:
            raise make("TraceError", f"custom_vjp: result of the forward rule: expected (result, residuals), got {type(result).__name__}")
        leaves, self.call.result = tree.flatten(result[0])
        results = _arrays("custom_vjp", "result", leaves)
        self.call.count, self.call.plain = len(results), []
        others, self.residuals = tree.flatten(result[1])
        self.kept = [None if isinstance(x, Array) else x for x in others]
        return results, [x for x in others if isinstance(x, Array)]

    def backward(self, residuals, cotangents):
        rest = iter(residuals)
        given = tree.unflatten(self.residuals, [next(rest) if x is None else x for x in self.kept])
        gradients = self.bwd(*self.plain, given, tree.unflatten(self.call.result, cotangents))
        if not isinstance(gradients, tuple) or len(gradients) != self.structure_of_arguments:
            raise make("ValueError", f"custom_vjp: result of the backward rule: expected a tuple of {self.structure_of_arguments} gradients, got {gradients!r}")
        found = []
        for gradient, argument in zip(gradients, tree.unflatten(self.structure, self.arrays)):
            expected = tree.leaves(argument)
            leaves = [None] * len(expected) if gradient is None else tree.leaves(gradient)
            if len(leaves) != len(expected):
                raise make("ValueError", f"custom_vjp: result of the backward rule: expected gradients like {tree.structure(argument)}, got {tree.structure(gradient)}")
            found += [_zeros_like(x) if g is None else g for x, g in zip(expected, leaves)]
        return [g if g.dtype is x.dtype else _core.astype(g, x.dtype) for g, x in zip(_arrays("custom_vjp", "gradients", found), self.arrays)]

    def jvp(self, arrays, tangents):
        raise make("TraceError", f"custom_vjp: derivative of '{name_of(self.call.function)}': expected reverse mode (kn.grad, kn.vjp), got forward mode: custom_jvp has both")


class custom_vjp(_Custom):
    """A function whose reverse derivative is given: ``f.defvjp(fwd, bwd)``.

    ``fwd(*args)`` gives (result, residuals), ``bwd(residuals, cotangent)`` a tuple of gradients, one for each argument; None is 0. Arguments at
    ``nondiff_argnums`` come first in ``bwd``. Raises TraceError where no rule was given, or in forward mode.
    """

    functions = ("fun", "_fwd", "_bwd")  # that calls may run

    def defvjp(self, fwd, bwd):
        """Gives the rules."""
        self._fwd, self._bwd = fwd, bwd

    def __call__(self, *args, **kwargs):
        if not hasattr(self, "_fwd"):
            raise make("TraceError", f"custom_vjp: '{name_of(self.fun)}': expected rules, got none (f.defvjp(fwd, bwd))")
        whole, rest, plain = self._split(_positional(self.fun, args, kwargs))
        rule = _CustomVjp("custom_vjp", whole(self.fun), rest)
        rule.fwd, rule.bwd, rule.plain, rule.structure_of_arguments = whole(self._fwd), self._bwd, plain, len(rest)
        return rule.run()


class _CustomJvp(_OfTrees):
    def jvp(self, arrays, tangents):
        result = self.rule(*self.plain, tree.unflatten(self.structure, arrays), tree.unflatten(self.structure, tangents))
        if not isinstance(result, tuple) or len(result) != 2:
            raise make("TraceError", f"custom_jvp: result of the rule: expected (result, tangent), got {type(result).__name__}")
        leaves, self.expected = tree.flatten(result[0])
        self.call.result, self.call.count, self.call.plain = self.expected, len(leaves), []
        results, changes = _arrays("custom_jvp", "result", leaves), self.result_leaves("the tangent", result[1])
        return results, [t if t.dtype is x.dtype else _core.astype(t, x.dtype) for t, x in zip(changes, results)]

    def backward(self, residuals, cotangents):
        results, pullback = _core.vjp(lambda tangents: self.jvp(residuals, tangents)[1], [_zeros_like(x) for x in residuals])
        return pullback(cotangents)


class custom_jvp(_Custom):
    """A function whose derivative is given: ``f.defjvp(rule)``; reverse mode is its transpose.

    ``rule(primals, tangents)`` gives (result, tangent of it), linear in the tangents. Arguments at ``nondiff_argnums`` come first. Raises TraceError where no
    rule was given.
    """

    functions = ("fun", "_rule")  # that calls may run

    def defjvp(self, rule):
        """Gives the rule, and returns it: a decorator."""
        self._rule = rule
        return rule

    def defjvps(self, *rules):
        """Gives a rule for each argument, whose tangents add up: ``rule(tangent, result, *args)``, or None for a derivative of 0.

        Raises ValueError with ``nondiff_argnums``, and at a call for another number of arguments.
        """
        if self.nondiff_argnums:
            raise make("ValueError", f"custom_jvp: '{name_of(self.fun)}': defjvps: expected a function without nondiff_argnums, got {self.nondiff_argnums}: give a rule for all by defjvp")

        def whole(primals, tangents):
            if len(primals) != len(rules):
                raise make("ValueError", f"custom_jvp: '{name_of(self.fun)}': defjvps: expected a rule or None for each of {len(primals)} arguments, got {len(rules)}")
            result = self(*primals)
            total = tree.map(_zeros_like, result)
            for rule, tangent in zip(rules, tangents):
                if rule is not None:
                    total = tree.map(lambda a, b: a + b, total, rule(tangent, result, *primals))
            return result, total

        self._rule = whole

    def __call__(self, *args, **kwargs):
        if not hasattr(self, "_rule"):
            raise make("TraceError", f"custom_jvp: '{name_of(self.fun)}': expected a rule, got none (f.defjvp(rule))")
        whole, rest, plain = self._split(_positional(self.fun, args, kwargs))
        rule = _CustomJvp("custom_jvp", whole(self.fun), rest)
        rule.rule, rule.plain = self._rule, plain
        return rule.run()
