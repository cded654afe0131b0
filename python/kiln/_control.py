"""Control flow that is one operation: ``cond``, ``switch``, ``while_loop``, ``fori_loop``, ``scan`` and ``associative_scan``.

A body is recorded once, as a program of its own: arrays that it reads from outside become operands. One that asks for a value (``if``
on an array, ``int()``, ``print``) cannot be recorded, and the form then runs it as Python does.
"""
import builtins

from . import _core, tree
from ._arguments import as_array
from ._creation import copy, empty, zeros
from ._dtypes import BY_NAME
from ._errors import Leave, make
from ._joining import concat

_bool, _int64 = BY_NAME["bool"], BY_NAME["int64"]
_NUMBERS = (bool, int, float, complex)
_MOST_ATTEMPTS = 4  # at the dtypes of Python numbers


# Values and their places

def _paths(definition, path=""):
    """Where the leaves of a tree are: ``[0]['x']``."""
    if definition.kind is None:
        return [path]
    keys = definition.data if definition.kind is dict else range(len(definition.children))
    names = getattr(definition.kind, "_fields", None)
    parts = [f".{names[i]}" if names else f"[{key!r}]" for i, key in enumerate(keys)]
    return [p for part, child in zip(parts, definition.children) for p in _paths(child, path + part)]


def _fits(value, dtype):
    """Whether a Python number may take a dtype without changing its kind."""
    kinds = {bool: "buifc", int: "uifc", float: "fc", complex: "c"}[type(value)]
    return dtype.kind in kinds or dtype.name == "bfloat16" and "f" in kinds


def _to_array(leaf, dtype=None):
    """A leaf as an array; a Python number takes `dtype` where it may."""
    if type(leaf) in _NUMBERS:
        return _core.asarray(leaf, dtype if dtype is not None and _fits(leaf, dtype) else None, None)
    return as_array(leaf)


def _text(dtype, shape):
    return f"{dtype.name}[{', '.join(map(str, shape))}]"


def _check_type(form, what, expected, got):
    """Throws where a (dtype, shape) is another than expected."""
    if expected == got:
        return
    kind, way = ("ShapeError", "") if expected[0] == got[0] else ("DTypeError", ": convert it with kn.astype")
    raise make(kind, f"{form}: {what}: expected {_text(*expected)}, got {_text(*got)}{way}")


def _check_structure(form, what, expected, got):
    if expected != got:
        raise make("ValueError", f"{form}: structure of {what}: expected {expected}, got {got}")


def _look_for_nans():
    """Leaves a recording where each operation of a body is to be looked at."""
    if _core.is_debugging_nans():
        raise Leave


def _check_callable(form, **functions):
    for name, function in functions.items():
        if not callable(function):
            raise make("ValueError", f"{form}: {name}: expected a function, got {type(function).__name__}")


def _type_of(array):
    return array.dtype, array.shape


# Bodies

class _Body:
    """A function of leaves that was recorded: what it gives."""

    def __init__(self, function, definition, examples, expected=()):
        self.definition, self.weak = None, ()

        def flat(*leaves):
            given, self.definition = tree.flatten(function(*tree.unflatten(definition, leaves)))
            self.weak = [type(leaf) in _NUMBERS for leaf in given]
            wanted = [*expected, *[None] * len(given)]
            return tuple(_to_array(leaf, dtype) for leaf, dtype in zip(given, wanted))

        self.body = _core.record_body(flat, tuple(examples))
        self.types = self.body.types


def _record_carried(form, what, function, definition, values, weak, extra=()):
    """The body that gives the carried `values` of the next trip, behind which it takes `extra`; and the values, in its dtypes.

    A Python number that is carried takes the dtype that the body gives it; any other value keeps its type.
    """
    arguments = tree.structure(((*[0] * len(values),), (*[0] * len(extra),)))
    packed = lambda carried, more: function(tree.unflatten(definition, carried), more)  # noqa: E731
    for _ in range(_MOST_ATTEMPTS):
        body = _Body(packed, arguments, (*values, *extra), [v.dtype for v in values])
        carried = body.definition if what == "the carried values" else body.definition.children[0] if body.definition.children else None
        _check_structure(form, what, definition, carried)
        changed = False
        for i, (value, (dtype, shape)) in enumerate(zip(values, body.types)):
            if weak[i] and dtype != value.dtype and shape == value.shape and _widens(value.dtype, dtype):
                values[i], changed = _core.astype(value, dtype), True
        if not changed:
            break
    for path, value, type_ in zip(_paths(definition), values, body.types):
        _check_type(form, f"carried value{path and ' ' + path}", _type_of(value), type_)
    return body, values


def _widens(dtype, other):
    order = "buifc"
    return order.find(dtype.kind) <= order.find(other.kind)


def _given(tree_):
    """(arrays, structure, which leaves were Python numbers) of what a form is given."""
    leaves, definition = tree.flatten(tree_)
    return [_to_array(leaf) for leaf in leaves], definition, [type(leaf) in _NUMBERS for leaf in leaves]


def _again(form, definition, before, result):
    """The carried values that a body run by Python gave, of the types of those before."""
    leaves, found = tree.flatten(result)
    _check_structure(form, "the carried values", definition, found)
    arrays = [_to_array(leaf, value.dtype) for leaf, value in zip(leaves, before)]
    for path, value, array in zip(_paths(definition), before, arrays):
        _check_type(form, f"carried value{path and ' ' + path}", _type_of(value), _type_of(array))
    return arrays


# Branches

def cond(pred, true_fun, false_fun, *operands):
    """``true_fun(*operands)`` where ``pred`` holds, else ``false_fun(*operands)``; under jit one operation, which runs one of them.

    ``pred`` is a bool, a number or an array of rank 0. Operands and results are arrays, numbers and trees of them; both functions give
    the same structure and types. The signature is that of ``jax.lax.cond``.

    Raises DTypeError, ShapeError or ValueError where the results differ, and ShapeError for a ``pred`` of another rank.
    """
    _check_callable("cond", true_fun=true_fun, false_fun=false_fun)
    number = as_array(pred)
    if number.shape != ():
        raise make("ShapeError", f"cond: pred: expected a bool of rank 0, got {_text(number.dtype, number.shape)}")
    return _branch("cond", _core.astype(number, _bool), (false_fun, true_fun), operands, lambda n: bool(pred if isinstance(pred, _NUMBERS) else n))


def switch(index, branches, *operands):
    """``branches[index](*operands)``, the index moved into the range of branches; under jit one operation, which runs one of them.

    The signature is that of ``jax.lax.switch``; branches are as the functions of ``cond``.

    Raises ValueError without branches, DTypeError for an index that is no integer.
    """
    branches = tuple(branches)
    if not branches:
        raise make("ValueError", "switch: branches: expected at least one, got none")
    _check_callable("switch", **{f"branches[{i}]": b for i, b in enumerate(branches)})
    number = as_array(index)
    if number.shape != () or number.dtype.kind not in "ui":
        raise make("DTypeError", f"switch: index: expected an integer of rank 0, got {_text(number.dtype, number.shape)}")
    if number.dtype.name == "uint64":  # the largest ones are above int64
        number = _core.where(number > 2**62, 2**62, number)
    last = len(branches) - 1
    return _branch("switch", _core.astype(number, _int64), branches, operands, lambda n: builtins.min(builtins.max(int(index if type(index) is int else n), 0), last))


def _branch(form, number, functions, operands, place):
    values, definition, _ = _given(operands)
    try:
        _look_for_nans()
        if (_core.innermost() or ["body"])[0] != "body":
            raise Leave("a gradient or a batch follows the branch that is taken")
        bodies = _agreeing(form, functions, definition, values)
    except Leave:
        return tree.map(_to_array, functions[place(number)](*tree.unflatten(definition, [copy(v) for v in values])))
    if not bodies[0].types:
        return tree.unflatten(bodies[0].definition, [])
    return tree.unflatten(bodies[0].definition, _core.branch(tuple(b.body for b in bodies), (number, *values)))


def _agreeing(form, functions, definition, values):
    """Bodies that give the same types; Python numbers among their results take the dtypes of the others."""
    bodies = [_Body(f, definition, values) for f in functions]
    for i, body in enumerate(bodies[1:], 1):
        _check_structure(form, f"the result of function {i}", bodies[0].definition, body.definition)
    expected = []
    for i in range(len(bodies[0].types)):
        strong = [b.types[i][0] for b in bodies if not b.weak[i]]
        expected.append(strong[0] if strong else builtins.max((b.types[i][0] for b in bodies), key=lambda d: "buifc".find(d.kind)))
    for k, (f, body) in enumerate(zip(functions, bodies)):
        if any(weak and type_[0] != dtype for weak, type_, dtype in zip(body.weak, body.types, expected)):
            bodies[k] = _Body(f, definition, values, expected)
    for k, body in enumerate(bodies[1:], 1):
        for path, first, other in zip(_paths(bodies[0].definition), bodies[0].types, body.types):
            _check_type(form, f"result{path and ' ' + path} of function {k}", first, other)
    return bodies


# Loops

def while_loop(cond_fun, body_fun, init_val):
    """``val = init_val; while cond_fun(val): val = body_fun(val)``, and ``val``; under jit one operation, compiled as a loop.

    ``init_val`` is an array, a number or a tree of them. Each trip gives the same structure and types; a Python number that is carried
    becomes an array of rank 0. The signature is that of ``jax.lax.while_loop``.

    Raises DTypeError, ShapeError or ValueError, with the place in the tree, where a carried value changes its type, and for a condition that
    is no bool of rank 0.
    """
    _check_callable("while_loop", cond_fun=cond_fun, body_fun=body_fun)
    values, definition, weak = _given(init_val)
    if not values:
        raise make("ValueError", "while_loop: init_val: expected at least one value, got none")
    try:
        _look_for_nans()
        body, values = _record_carried("while_loop", "the carried values", lambda val, _: body_fun(val), definition, values, weak)
        condition = _Body(lambda *val: cond_fun(tree.unflatten(definition, val)), tree.structure((*[0] * len(values),)), values)
        if len(condition.types) != 1:
            raise make("ValueError", f"while_loop: result of cond_fun: expected one bool, got {condition.definition}")
        _check_type("while_loop", "result of cond_fun", (_bool, ()), condition.types[0])
        return tree.unflatten(definition, _core.loop(condition.body, body.body, tuple(values)))
    except Leave:
        return _python_while(cond_fun, body_fun, [copy(v) for v in values], definition)


def _python_while(cond_fun, body_fun, values, definition):
    while bool(cond_fun(tree.unflatten(definition, values))):
        values = _again("while_loop", definition, values, body_fun(tree.unflatten(definition, values)))
    return tree.unflatten(definition, values)


def fori_loop(lower, upper, body_fun, init_val, *, unroll=None):
    """``for i in range(lower, upper): val = body_fun(i, val)``, and ``val``; under jit one operation, compiled as a loop.

    ``lower`` and ``upper`` are integers or integer arrays of rank 0; ``i`` is an array of rank 0. ``unroll`` is accepted as in
    ``jax.lax.fori_loop`` and changes nothing. Carried values are as in ``while_loop``, and raise the same errors.
    """
    _check_callable("fori_loop", body_fun=body_fun)
    bounds = as_array(lower), as_array(upper)
    for name, bound in zip(("lower", "upper"), bounds):
        if bound.shape != () or bound.dtype.kind not in "ui":
            raise make("DTypeError", f"fori_loop: {name}: expected an integer of rank 0, got {_text(bound.dtype, bound.shape)}")
    first, end = (_core.astype(b, _int64) for b in bounds)
    values, definition, weak = _given(init_val)
    if not values:
        return init_val
    try:
        _look_for_nans()
        body, values = _record_carried("fori_loop", "the carried values", lambda val, more: body_fun(more[0], val), definition, values, weak, (first,))
        return tree.unflatten(definition, _count("fori_loop", first, end, body, values)[1:])
    except Leave:
        values = [copy(v) for v in values]
        for i in range(*(b if type(b) is int else int(a) for b, a in zip((lower, upper), (first, end)))):
            values = _again("fori_loop", definition, values, body_fun(_core.asarray(i, _int64, None), tree.unflatten(definition, values)))
        return tree.unflatten(definition, values)


def _count(form, first, end, body, values):
    """The loop over i from `first` to before `end` of a body that takes the values and i."""
    def step(i, *carried):
        return (i + 1, *_core.inline_body(body.body, (*carried, i)))

    def goes_on(i, *carried):
        return (i < end,)

    start = (first, *values)
    return _core.loop(_core.record_body(goes_on, start), _core.record_body(step, start), start)


def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """Runs ``carry, y = f(carry, x)`` over the first axis of ``xs``: the last carry, and all ``y`` along a new first axis.

    ``xs`` is an array or a tree of them with one size of the first axis, or None with ``length``; ``reverse`` goes from the end.
    ``unroll`` is accepted as in ``jax.lax.scan`` and changes nothing. Under jit one operation, compiled as a loop; what ``f`` gives has
    the same types for each x.

    Raises ValueError without any length or with two, ShapeError for an ``x`` without axes, and the errors of ``while_loop``.
    """
    _check_callable("scan", f=f)
    carried, definition, weak = _given(init)
    parts, parts_definition, _ = _given(xs)
    n = _scan_length(parts, length)
    examples = [empty(x.shape[1:], dtype=x.dtype) for x in parts]
    take = lambda more: tree.unflatten(parts_definition, more)  # noqa: E731
    try:
        if n:
            _look_for_nans()
        body, carried = _record_carried("scan", "the carry", lambda carry, more: _pair(f(carry, take(more))), definition, carried, weak, examples)
        return _recorded_scan(body, carried, definition, parts, n, reverse)
    except Leave:
        return _python_scan(f, [copy(v) for v in carried], definition, parts, take, n, reverse)


def _recorded_scan(body, carried, definition, parts, n, reverse):
    count = len(carried)
    buffers = [zeros((n, *shape), dtype=dtype) for dtype, shape in body.types[count:]]
    outputs = body.definition.children[1]
    if not n or not (carried or buffers):
        return tree.unflatten(definition, carried), tree.unflatten(outputs, buffers)
    end = _core.asarray(n, _int64, None)

    def step(i, *values):
        at = n - 1 - i if reverse else i
        rows = [_core.reshape(_core.dynamic_slice(x, _start(at, x), (1, *x.shape[1:])), x.shape[1:]) for x in parts]
        given = _core.inline_body(body.body, (*values[:count], *rows))
        stacked = [_core.dynamic_update(b, _core.reshape(y, (1, *y.shape)), _start(at, b)) for b, y in zip(values[count:], given[count:])]
        return (i + 1, *given[:count], *stacked)

    def goes_on(i, *values):
        return (i < end,)

    start = (_core.asarray(0, _int64, None), *carried, *buffers)
    last = _core.loop(_core.record_body(goes_on, start), _core.record_body(step, start), start)
    return tree.unflatten(definition, last[1:1 + count]), tree.unflatten(outputs, last[1 + count:])


def _start(at, array):
    """Where row `at` of an array starts."""
    row = _core.reshape(at, (1,))
    return row if array.ndim == 1 else concat([row, zeros((array.ndim - 1,), dtype=_int64)])


def _pair(result):
    if not isinstance(result, tuple) or len(result) != 2:
        raise make("ValueError", f"scan: result of f: expected a tuple (carry, y), got {type(result).__name__}")
    return result


def _scan_length(parts, length):
    """How many rows there are."""
    for x in parts:
        if x.ndim == 0:
            raise make("ShapeError", f"scan: xs: expected arrays with a first axis, got {_text(x.dtype, x.shape)}")
    sizes = {x.shape[0] for x in parts} | (set() if length is None else {int(length)})
    if len(sizes) != 1 or builtins.min(sizes) < 0:
        raise make("ValueError", f"scan: length: expected one of at least 0 for all xs, got {', '.join(map(str, sorted(sizes))) or 'none'}")
    return sizes.pop()


def _python_scan(f, carried, definition, parts, take, n, reverse):
    rows, outputs = [None] * n, None
    for i in reversed(range(n)) if reverse else range(n):
        carry, y = _pair(f(tree.unflatten(definition, carried), take([x[i] for x in parts])))
        carried = _again("scan", definition, carried, carry)
        leaves, outputs = tree.flatten(y)
        rows[i] = [_to_array(leaf) for leaf in leaves]
    if not n:
        raise make("TraceError", "scan: f: expected a function that records, as there is nothing to run it on, got one that asks for a value")
    stacked = [concat([_core.reshape(r[k], (1, *r[k].shape)) for r in rows]) for k in range(len(rows[0]))]
    return tree.unflatten(definition, carried), tree.unflatten(outputs, stacked)


def associative_scan(fn, elems, reverse=False, axis=0):
    """All partial results of an associative ``fn(a, b)`` over an axis, in a logarithmic number of steps.

    ``elems`` is an array or a tree of them with one size of the axis; ``fn`` takes and gives such trees, elementwise along the axis. The
    signature is that of ``jax.lax.associative_scan``, and so is the order in which partial results are joined.

    Raises ValueError for axes of different sizes.
    """
    _check_callable("associative_scan", fn=fn)
    parts, definition, _ = _given(elems)
    sizes = sorted({x.shape[axis] for x in parts if x.ndim})
    if len(sizes) != 1 or builtins.any(x.ndim == 0 for x in parts):
        raise make("ValueError", f"associative_scan: elems: expected arrays with one size of axis {axis}, got {', '.join(map(str, sizes)) or 'none'}")

    def rows(arrays, *range_):
        return [x[(slice(None),) * (axis % x.ndim) + (slice(*range_),)] for x in arrays]

    def join(a, b):
        leaves, found = tree.flatten(fn(tree.unflatten(definition, a), tree.unflatten(definition, b)))
        _check_structure("associative_scan", "the result of fn", definition, found)
        return [as_array(leaf) for leaf in leaves]

    def mixed(even, odd, like):
        result = empty(like.shape, dtype=even.dtype)
        for k, part in enumerate((even, odd)):
            result[(slice(None),) * (axis % like.ndim) + (slice(k, None, 2),)] = part
        return result

    def partial(arrays, n):
        if n < 2:
            return arrays
        odd = partial(join(rows(arrays, 0, n - 1, 2), rows(arrays, 1, None, 2)), n // 2)
        even = join(rows(odd, 0, (n - 1) // 2), rows(arrays, 2, None, 2)) if n > 2 else []
        even = [concat([first, *more], axis=axis % first.ndim) for first, *more in zip(rows(arrays, 0, 1), *([even] if even else []))]
        return [mixed(e, o, x) for e, o, x in zip(even, odd, arrays)]

    if reverse:
        parts = rows(parts, None, None, -1)
    result = partial(parts, sizes[0])
    return tree.unflatten(definition, rows(result, None, None, -1) if reverse else result)
