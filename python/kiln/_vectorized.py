"""Functions of numbers, or of parts of arrays, as functions of arrays that broadcast."""
import functools
import re

from . import _core
from ._arguments import as_array
from ._choosing import ndindex
from ._creation import asarray, zeros
from ._errors import make
from ._shaping import broadcast_shapes
from ._types import dtype_of

_CODES = {"d": "float64", "f": "float32", "i": "int32", "l": "int64", "q": "int64", "?": "bool", "D": "complex128"}
_CORE = r"\((?:\w+(?:,\w+)*)?\)"


def vectorize(pyfunc=None, otypes=None, *, excluded=None, signature=None, doc=None):
    """A function of numbers as one of arrays that broadcast: it is called for each element. What broadcasts is better written with arrays.

    ``excluded`` are the positions and names of what is passed on as it is. With a ``signature`` like "(n),(n)->()" the function takes and gives arrays with
    these axes, and is called for each position of the others. Without a function, a decorator. Raises ValueError for another ``signature``, and where the
    axes, or the number of arguments or results, are others than it says.
    """
    if pyfunc is None:
        return functools.partial(vectorize, otypes=otypes, excluded=excluded, signature=signature, doc=doc)
    left_out = frozenset(excluded or ())
    cores = None if signature is None else _parsed(signature)

    def vectorized(*args, **kwargs):
        places = [k for k in (*range(len(args)), *kwargs) if k not in left_out]
        given = [as_array(args[k] if isinstance(k, int) else kwargs[k]) for k in places]

        def call(*values):
            found = dict(zip(places, values))
            return pyfunc(*(found.get(i, a) for i, a in enumerate(args)), **{k: found.get(k, v) for k, v in kwargs.items()})

        types = None if otypes is None else [_type_of(t) for t in otypes]
        return _of_numbers(call, given, types) if cores is None else _of_parts(call, given, types, cores)

    vectorized.__name__ = getattr(pyfunc, "__name__", "vectorized")
    vectorized.__doc__ = doc or pyfunc.__doc__
    return vectorized


def _type_of(t):
    return _CODES.get(t, t) if isinstance(t, str) else t


def _parsed(signature):
    """The names of the axes of the operands, and of the results."""
    text = signature.replace(" ", "")
    if not re.fullmatch(f"(?:{_CORE}(?:,{_CORE})*)?->{_CORE}(?:,{_CORE})*", text):
        raise make("ValueError", f"vectorize: signature: expected one like '(n),(n)->()', got {signature!r}")
    return [[re.findall(r"\w+", core) for core in re.findall(_CORE, side)] for side in text.split("->")]


def _of_numbers(call, arrays, types):
    shape = broadcast_shapes(*(a.shape for a in arrays))
    columns = [_core.reshape(_core.broadcast_to(a, shape), (-1,)).tolist() for a in arrays]
    results = [call(*row) for row in zip(*columns)]
    several = bool(results) and isinstance(results[0], tuple)
    parts = list(zip(*results)) if several else [results]
    found = tuple(_core.reshape(asarray(list(p), t), shape) for p, t in zip(parts, types or [None] * len(parts)))
    return found if several else found[0]


def _note(sizes, names, shape, what):
    """Takes up the sizes of axes, which are the same wherever a name stands."""
    for name, size in zip(names, shape):
        if sizes.setdefault(name, size) != size:
            raise make("ValueError", f"vectorize: size of axis {name!r} of {what}: expected {sizes[name]}, got {size}")


def _of_parts(call, arrays, types, cores):
    operands, results = cores
    if len(arrays) != len(operands):
        raise make("ValueError", f"vectorize: arguments: expected {len(operands)}, as the signature says, got {len(arrays)}")
    sizes, loops = {}, []
    for k, (a, names) in enumerate(zip(arrays, operands)):
        if a.ndim < len(names):
            raise make("ValueError", f"vectorize: rank of operand {k}: expected at least {len(names)}, got {a.ndim}")
        loops.append(a.shape[:a.ndim - len(names)])
        _note(sizes, names, a.shape[a.ndim - len(names):], f"operand {k}")
    shape = broadcast_shapes(*loops)
    wide = [_core.broadcast_to(a, (*shape, *(sizes[n] for n in names))) for a, names in zip(arrays, operands)]
    columns = [[] for _ in results]
    for at in ndindex(*shape):
        parts = [a[at] if names else a[at].item() for a, names in zip(wide, operands)]
        found = call(*parts)
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(results):
            raise make("ValueError", f"vectorize: results: expected {len(results)}, as the signature says, got {len(found)}")
        for k, (column, value, names) in enumerate(zip(columns, found, results)):
            value = as_array(value)
            if value.ndim != len(names):
                raise make("ValueError", f"vectorize: rank of result {k}: expected {len(names)}, got {value.ndim}")
            _note(sizes, names, value.shape, f"result {k}")
            column.append(value)
    return _joined(columns, shape, sizes, types, results)


def _joined(columns, shape, sizes, types, results):
    found = []
    for column, names, t in zip(columns, results, types or [None] * len(results)):
        if not column and (t is None or any(n not in sizes for n in names)):
            raise make("ValueError", "vectorize: operands: expected at least one position, or 'otypes' and sizes that operands have, got none")
        whole = (*shape, *(sizes[n] for n in names))
        joined = _core.reshape(_core.concat(tuple(_core.reshape(v, (1, *v.shape)) for v in column), 0), whole) if column else zeros(whole, dtype=t)
        found.append(joined if t is None else _core.astype(joined, dtype_of(t)))
    return tuple(found) if len(found) > 1 else found[0]
