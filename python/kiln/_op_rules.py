"""What transforms make of operations from outside: custom ops and callbacks."""
from . import _core
from ._core import Array
from ._creation import asarray
from ._dtypes import BY_NAME
from ._errors import make
from ._gradients import _zeros_like
from ._joining import stack
from ._own_derivatives import _apply, _Batched, _Rule
from ._reductions import sum  # noqa: A004
from ._shaping import broadcast_to, expand_dims


class ShapeDtypeStruct:
    """The shape and dtype of an array, without the array: what results of callbacks and custom ops are told by."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape, dtype):
        object.__setattr__(self, "shape", (int(shape),) if hasattr(shape, "__index__") else tuple(int(n) for n in shape))
        object.__setattr__(self, "dtype", _dtype(dtype))

    def __setattr__(self, name, value):
        raise AttributeError("ShapeDtypeStruct: expected it to stay as it is, got a new attribute")

    def __reduce__(self):
        return ShapeDtypeStruct, (self.shape, self.dtype)

    ndim = property(lambda self: len(self.shape))

    def __eq__(self, other):
        return isinstance(other, ShapeDtypeStruct) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self):
        return hash((self.shape, self.dtype))

    def __repr__(self):
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype.name})"


Type = ShapeDtypeStruct


def _dtype(given):
    """A dtype of Kiln, of one or of NumPy's."""
    found = given if type(given) is type(BY_NAME["bool"]) else BY_NAME.get(getattr(given, "name", None) or getattr(given, "__name__", None) or str(given))
    if found is None:
        raise make("DTypeError", f"ShapeDtypeStruct: dtype: expected one of Kiln's or NumPy's, got {given!r}")
    return found


class OpRule(_Rule):
    """A call of an operation. Subclasses have ``name``, ``method`` of a batch, ``apply``, and ``gradients`` and ``tangents`` where there are derivatives; ``several`` says whether the result is a tuple."""

    several, reads_names = False, False

    def primal(self, arrays):
        return self.apply(arrays)

    def forward(self, arrays):
        results = _apply(self, arrays)
        return results, arrays + results

    def backward(self, residuals, cotangents):
        count = len(residuals) - len(cotangents)
        arrays, results = residuals[:count], residuals[count:]
        found = self.gradients(arrays, results, cotangents)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) != len(arrays):
            raise make("ValueError", f"{self.name}: result of vjp: expected {len(arrays)} gradients, one an operand, got {len(found)}")
        return [_zeros_like(x) if g is None else self._gradient(x, g) for x, g in zip(arrays, found)]

    def _gradient(self, x, g):
        return self._like(x, g, "gradient: expected the shape of its operand")

    def _like(self, x, g, what):
        g = g if type(g) is Array else asarray(g)
        if g.shape != x.shape:
            raise make("ShapeError", f"{self.name}: {what}, {x.shape}, got {g.shape}")
        return g if g.dtype is x.dtype else _core.astype(g, x.dtype)

    def jvp(self, arrays, tangents):
        results = _apply(self, arrays)
        return results, self.changes(arrays, results, tangents)

    def changes(self, arrays, results, tangents):
        """The tangents of results."""
        found = self.tangents(arrays, results, tangents)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) != len(results):
            raise make("ValueError", f"{self.name}: result of jvp: expected {len(results)} tangents, one a result, got {len(found)}")
        return [_zeros_like(y) if t is None else self._like(y, t, "tangent: expected the shape of the result") for y, t in zip(results, found)]

    def enlarged(self, size):
        """The same for several examples at once, along a new first axis."""
        return self

    def batched(self, is_batched, size, numbers):
        return _BatchedOp(self, list(is_batched), size, numbers)


class _BatchedOp(_Batched):
    """The call for all examples."""

    def primal(self, arrays):
        method, rule = self.rule.method, self.rule
        if callable(method):
            return self._by_rule(arrays)
        if method == "sequential":
            return self._one_by_one(arrays)
        if method in ("expand_dims", "broadcast_all"):
            results = _apply(rule.enlarged(self.size), [self._spread(x, b, method) for x, b in zip(arrays, self.is_batched)])
            return [self._checked(x) for x in results]
        raise make("ValueError", f"{rule.name}: vmap: expected a method for batches (sequential, expand_dims or broadcast_all), got {method!r}")

    def _spread(self, x, batched, method):
        if batched:
            return x
        return expand_dims(x, 0) if method == "expand_dims" else broadcast_to(x, (self.size, *x.shape))

    def _checked(self, x):
        if not x.ndim or x.shape[0] != self.size:
            raise make("ShapeError", f"{self.rule.name}: result for a batch: expected {self.size} examples along its first axis, got the shape {x.shape}")
        return x

    def _one_by_one(self, arrays):
        if not self.size:
            raise make("ValueError", f"{self.rule.name}: vmap: expected at least one example, got none")
        found = [_apply(self.rule, [x[i] if b else x for x, b in zip(arrays, self.is_batched)]) for i in range(self.size)]
        return [stack(results) for results in zip(*found)]

    def _by_rule(self, arrays):
        given = self.rule.batched_by_rule(self.size, self.is_batched, arrays)
        if not isinstance(given, tuple) or len(given) != 2:
            raise make("ValueError", f"{self.rule.name}: result of batch: expected (result, whether it is batched), got {given!r}")
        results, flags = given
        self.rule.several = isinstance(results, (tuple, list))
        results = list(results) if self.rule.several else [results]
        flags = list(flags) if isinstance(flags, (tuple, list)) else [flags] * len(results)
        return [self._checked(x) if b else broadcast_to(x, (self.size, *x.shape)) for x, b in zip(results, flags)]

    def forward(self, arrays):
        results = _apply(self, arrays)
        return results, arrays + results

    def backward(self, residuals, cotangents):
        n = len(residuals)
        flags = self.is_batched + [True] * (n - len(self.is_batched) + len(cotangents))
        found = self._all(lambda given: self.rule.backward(given[:n], given[n:]), residuals + cotangents, flags)
        return [g if batched else sum(g, axis=0) for g, batched in zip(found, self.is_batched)]


def run_rule(rule, arrays):
    """The result of a call."""
    results = _apply(rule, arrays)
    return tuple(results) if rule.several else results[0]
