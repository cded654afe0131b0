"""``kn.testing``: whether the ways to run a function agree, and derivatives and batches with what they stand for."""
import json
import tempfile

from . import _core
from ._config import config
from ._errors import line_of, make
from ._jit import jit
from ._checks import check_grads, check_vmap  # noqa: F401
from .tree import flatten, unflatten


def _bits(x):
    """The bits of an array as bytes, all nans as one."""
    import kiln as kn

    parts = [x.real, x.imag] if kn.isdtype(x.dtype, "complex floating") else [x]
    if kn.isdtype(x.dtype, ("real floating", "complex floating")):
        parts = [kn.where(kn.isnan(p), kn.asarray(float("nan"), dtype=p.dtype), p) for p in parts]
    return b"".join(bytes(_core.to_bytes(p)) for p in parts)


def _difference(expected, found, what):
    """Where the leaves of a result differ from those expected; None where they do not."""
    import kiln as kn

    (leaves, shape), (others, other_shape) = flatten(expected), flatten(found)
    if shape != other_shape or len(leaves) != len(others):
        return f"{what}: expected a result like {shape}, got {other_shape}"
    for i, (x, y) in enumerate(zip(leaves, others)):
        if not isinstance(x, kn.Array):
            if type(x) is not type(y) or x != y and not (x != x and y != y):
                return f"{what}: leaf {i}: expected {x!r}, got {y!r}"
        elif not isinstance(y, kn.Array) or x.dtype is not y.dtype or x.shape != y.shape:
            return f"{what}: leaf {i}: expected {x.dtype}{list(x.shape)}, got {getattr(y, 'dtype', type(y).__name__)}{list(getattr(y, 'shape', ()))}"
        elif _bits(x) != _bits(y):
            return f"{what}: leaf {i}: {_first(x, y)}"
    return None


def _first(x, y):
    import kiln as kn

    flat, other = kn.reshape(x, (-1,)), kn.reshape(y, (-1,))
    for i in range(flat.shape[0]):
        if _bits(flat[i]) != _bits(other[i]):
            return f"expected {flat[i].item()!r} at element {i}, got {other[i].item()!r}"
    return "they differ"


def _fresh(tree):
    """The arguments with arrays of their own, as functions may write into them."""
    import kiln as kn

    leaves, shape = flatten(tree)
    return unflatten(shape, [kn.copy(x) if isinstance(x, kn.Array) else x for x in leaves])


def _first_operation(jitted, arguments):
    """The first recorded operation whose value is not the reference interpreter's when all before it is compiled: its name and line."""
    import kiln as kn

    explanation = jitted.explain()
    program, places, device = explanation._sources[-1]
    inputs = tuple(x for x in flatten(arguments)[0] if isinstance(x, kn.Array))
    named = sorted((slot, name) for kernel in json.loads(_core.print_ir(program, "fusion", device)) for name, slot in kernel["ops"] if slot >= 0)
    for slot, name in named:
        until = _core.program_until(program, slot)
        expected, found = _core.interpret(until, inputs), _core.run_program(until, inputs)
        if _difference(expected, found, name):
            code, instruction = places[slot] or (None, 0)
            return f"the first operation that differs is {name}" + (f" ({code.co_filename}:{line_of(code, instruction)})" if code else "")
    return "no operation differs by itself"


def assert_same_bits(f, *args, **kwargs):
    """Checks that a function gives the same bits in every way that it can run.

    These are: eager; recorded, and run operation by operation; compiled; read back from a disk cache; for any size; with one thread and
    with two; in the reference interpreter. Each run has arrays of its own, and what it writes into its arguments is compared as well.

    Parameters
    ----------
    f : function
        As written, or jitted.
    *args, **kwargs
        Its arguments: arrays, numbers, strings, None, or nestings of them.

    Raises
    ------
    AssertionError
        Where two ways differ: which, in which result, at which element.
    TraceError
        Where the function runs in eager under jit, so that there is nothing to compare.
    """
    function = getattr(f, "__wrapped__", f)

    def run(call):
        own_args, own_kwargs = _fresh((args, kwargs))
        result = call(*own_args, **own_kwargs)
        return _fresh((result, own_args, own_kwargs))

    expected = run(function)
    threads = _core.get_num_threads()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, config.override(jit="sync", cache=True, cache_dir=folder):
        ways = [("operation by operation", jit(function, on_miss="raise", dynamic=False), "replay"), ("compiled", jit(function, on_miss="raise", dynamic=False), "call"),
                ("from the cache", jit(function, on_miss="raise", dynamic=False), "call"), ("for any size", jit(function, on_miss="raise", dynamic=True), "call")]
        for what, jitted, how in ways:
            for count in (1, max(2, threads)):
                config.num_threads = count
                found = run(jitted if how == "call" else lambda *a, **k: jitted._replay(a, k))  # noqa: B023
                different = _difference(expected, found, f"{what}, {count} threads")
                if different:
                    where = _first_operation(ways[1][1], (args, kwargs)) if what != "operation by operation" else "its code agrees"
                    raise AssertionError(f"{getattr(function, '__qualname__', function)}: {different}; {where}")
        if ways[2][1].stats.compiles:
            raise make("KilnError", "assert_same_bits: expected code in the cache after it was compiled, got none")
