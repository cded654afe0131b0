"""Runs rules of the op records by the library test/plugin/TestRules.cpp, over NumPy arrays: what the tests of rules share."""
import ctypes
import json
import pathlib

import numpy as np

import kiln as kn

BUILD = pathlib.Path(kn._core.__file__).parents[2]
OPS = {o["name"]: o for o in json.loads((BUILD / "gen/python/_ops.json").read_text())}
# By the numbers of lib/Core/Types.h. NumPy lacks bfloat16: such arrays are Bfloat16 on their way in, and float32 on their way out.
DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"]


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64))]


LIBRARY = ctypes.CDLL(str(BUILD / "lib/libkiln_test_rules.so"))
LIBRARY.kiln_test_rule.restype = LIBRARY.kiln_test_tensors.restype = ctypes.c_void_p
LIBRARY.kiln_test_error.restype = ctypes.c_char_p
LIBRARY.kiln_test_count.restype = ctypes.c_int64


def _longs(values):
    return (ctypes.c_int64 * max(len(values), 1))(*values)


class Bfloat16(np.ndarray):
    """The bits of bfloat16, as uint16."""

    @staticmethod
    def of(x):
        """The nearest of float values."""
        bits = np.asarray(x, np.float32, copy=True, order="C").view(np.uint32)
        return ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype(np.uint16).view(Bfloat16)

    def wide(self):
        return (np.asarray(self).astype(np.uint32) << 16).view(np.float32)


def _tensor(x):
    if x is None:
        return Tensor()
    return Tensor(x.ctypes.data, DTYPES.index("bfloat16" if isinstance(x, Bfloat16) else x.dtype.name), x.ndim, _longs(x.shape), _longs([1] * x.ndim))


def _array(t):
    if not t.data:
        return None
    shape = t.shape[:t.rank]
    is_bfloat16 = DTYPES[t.dtype] == "bfloat16"
    x = np.empty(shape, "uint16" if is_bfloat16 else DTYPES[t.dtype])
    ctypes.memmove(x.ctypes.data, t.data, x.nbytes)
    return x.view(Bfloat16).wide() if is_bfloat16 else x


def words_of(op, call):
    """The words of a call: its attributes and what the result says."""
    words = []
    for name, kind in OPS[op]["attributes"]:
        words += [call[name]] if kind in "in" else [len(call[name]), *call[name]]
    for name in OPS[op]["resultWords"]:
        words += [DTYPES.index(call["dtype"])] if name == "dtype" else [len(call["shape"]), *call["shape"]]
    return words


def _rule(what, op, operands, words, given=(), flags=None, size=0, recorded=False):
    keep = [x if x is None or isinstance(x, Bfloat16) else np.require(x, requirements="C") for x in (*operands, *given)]
    tensors = [_tensor(x) for x in keep]
    first, rest = (Tensor * max(len(operands), 1))(*tensors[:len(operands)]), (Tensor * max(len(given), 1))(*tensors[len(operands):])
    results = ctypes.c_void_p(LIBRARY.kiln_test_rule(
        what.encode(), op.encode(), len(operands), first, len(given), rest, bytes(flags or [1] * len(operands)), ctypes.c_int64(size),
        _longs(words), ctypes.c_int64(len(words)), int(recorded)))
    try:
        error = LIBRARY.kiln_test_error(results).decode()
        if error:
            raise ValueError(error)
        count = LIBRARY.kiln_test_count(results)
        found = ctypes.cast(LIBRARY.kiln_test_tensors(results), ctypes.POINTER(Tensor))
        return [_array(found[i]) for i in range(count)]
    finally:
        LIBRARY.kiln_test_free(results)


def both(what, op, operands, words, **more):
    """A rule in eager, and the same bits where it is recorded and then run."""
    results = _rule(what, op, operands, words, **more)
    again = _rule(what, op, operands, words, recorded=True, **more)
    assert [x is None for x in results] == [x is None for x in again]
    for x, y in zip(results, again):
        if x is not None:
            same = (x == y) | (np.isnan(x) & np.isnan(y)) if x.dtype.kind in "fc" else x == y
            assert x.dtype == y.dtype and x.shape == y.shape and same.all(), f"{op}: recorded {y}, eager {x}"
    return results


def run(op, operands, words):
    return _rule("run", op, operands, words)[0]


def vjp(op, operands, words, cotangent, wanted=None):
    return both("vjp", op, operands, words, given=[cotangent], flags=wanted)


def jvp(op, operands, words, tangents):
    return both("jvp", op, operands, words, given=tangents)[0]


def second(op, operands, words, cotangent, tangents):
    """How the gradients change when the operands do."""
    return both("second", op, operands, words, given=[cotangent, *tangents])


def rows(what, op, operands, words, given):
    """A derivative for a batch of calls: operands and what is given have its axis first."""
    return both(f"rows of {what}", op, operands, words, given=given, size=next(len(x) for x in operands))


def batch(op, operands, words, batched, size):
    return both("batch", op, operands, words, flags=batched, size=size)[0]


#===-- calls from the records ------------------------------------------------------------------------------------------===

# What an op of a set of dtypes (enum Accepts) is tested in.
TESTED = {
    **dict.fromkeys(("any", "all", "numeric"), ["float64", "complex128", "int32"]), **dict.fromkeys(("floating", "inexact"), ["float64", "complex128"]),
    **dict.fromkeys(("real", "ordered", "wide"), ["float64", "int32"]), **dict.fromkeys(("realFloating", "realInexact"), ["float64"]), "complex": ["complex128"],
    **dict.fromkeys(("integral", "integer"), ["int32"]), "boolean": ["bool"], "int64": ["int64"], "uint64": ["uint64"],
}


class Drawn:
    """An operand that is drawn: of a shape, from a domain."""

    def __init__(self, *shape):
        self.shape = shape

    def point(self, rng, dtype, domain):
        return self.direction(rng, dtype, domain)

    def direction(self, rng, dtype, domain=(-1, 1)):
        low, high = domain
        kind = np.dtype(dtype).kind
        if kind == "b":
            return np.asarray(rng.integers(0, 2, self.shape), bool)
        if kind in "iu":
            return np.asarray(rng.integers(max(low, 0) if kind == "u" else low, high + 1, self.shape), dtype)
        edge = 0.05 * (high - low)
        x = np.asarray(rng.uniform(low + edge, high - edge, self.shape))
        return (0.5 * x + 1j * rng.uniform(-2, 2, self.shape) if kind == "c" else x).astype(dtype)


class Hermitian(Drawn):
    def direction(self, rng, dtype, domain=(-1, 1)):
        x = super().direction(rng, dtype, domain)
        return x + x.conj().swapaxes(-1, -2)


class PositiveDefinite(Hermitian):
    def point(self, rng, dtype, domain):
        x = super().point(rng, dtype, domain)
        return x @ x + np.eye(x.shape[-1], dtype=x.dtype)


NAMES = {"inf": np.inf, "nan": np.nan, "Hermitian": Hermitian, "PositiveDefinite": PositiveDefinite, "drawn": Drawn}


def calls_of(op):
    """The calls of an op in its record: operands that are Drawn or arrays, and all by name."""
    record = OPS[op]
    texts = record["samples"] or [", ".join(f"{name}=(7,)" for name in record["operands"])]
    for text in texts:
        call = eval(f"dict({text})", NAMES)
        operands = []
        for name in record["operands"]:
            given = call[name] if record["arity"] >= 0 else None
            parts = call[name] if record["arity"] < 0 else [given]
            operands += [Drawn(*p) if isinstance(p, tuple) else p if isinstance(p, Drawn) else np.asarray(p) for p in parts]
        yield operands, words_of(op, call)


def draw(op, operand, place, rng, dtype):
    """An operand of a call; the condition of select has a dtype of its own."""
    if not isinstance(operand, Drawn):
        return operand
    is_condition = OPS[op]["infer"] == "inferSelect" and place == 0
    return operand.point(rng, "bool" if is_condition else dtype, OPS[op]["domain"])
