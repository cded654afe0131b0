"""``kn.jit(fast_math=True)``: close to eager, edge values where eager has them, and only where it was asked for."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from test_parity import UFUNCS, operand


def softmax(x):
    e = kn.exp(x - kn.max(x, axis=-1, keepdims=True))
    return e / kn.sum(e, axis=-1, keepdims=True)


def layernorm(x):
    d = x - kn.mean(x, axis=-1, keepdims=True)
    return d / kn.sqrt(kn.mean(d * d, axis=-1, keepdims=True) + 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "bfloat16"])
@pytest.mark.parametrize("f", [softmax, layernorm, lambda x: ((x * 0.5 + 1) * x - 2) / 3])
def test_programs_are_close(f, dtype):
    rng = np.random.default_rng(0)
    if f is softmax and dtype == "complex64":
        pytest.skip("complex numbers have no greatest")
    for shape in ((5, 7), (64, 100), (3, 1), (0, 4), (2, 3, 33)):
        x = kn.astype(kn.asarray(rng.normal(size=shape)), dtype)
        want, got = f(x), kn.jit(f, fast_math=True)(x)
        tolerance = {"float32": 1e-5, "complex64": 1e-5, "float64": 1e-13, "bfloat16": 2e-2}[dtype]
        np.testing.assert_allclose(np.asarray(got, complex), np.asarray(want, complex), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("op", UFUNCS, ids=lambda op: op["name"])
def test_each_operation_alone_keeps_its_bits(op):
    """What LLVM may do is between operations: one by itself, and whatever is inside it, stays."""
    rng = np.random.default_rng(1)
    accepted = kn._core.op_dtypes(op["name"])
    dtype = next(t for t in ("float32", "int32", "bool", "complex64") if t in accepted)
    args = [kn.asarray(operand(rng, op, dtype, (130,))) for _ in op["operands"]]
    f = getattr(kn, op["name"])
    same_bits(kn.jit(f, fast_math=True)(*args), f(*args))


def test_inf_and_nan_stay():
    x = kn.asarray(np.array([1.0, -0.0, np.inf, -np.inf, np.nan, 0.0], np.float32))
    got = kn.jit(lambda x: (x * 2 + 1, x / 4, x - x * 1), fast_math=True)(x)
    np.testing.assert_array_equal(np.isnan(np.asarray(got[0])), np.isnan(np.asarray(x)))
    np.testing.assert_array_equal(np.asarray(got[1]), np.asarray(x) / 4)
    np.testing.assert_array_equal(np.isnan(np.asarray(got[2])), ~np.isfinite(np.asarray(x)))


def test_the_ir_says_so_and_code_is_apart():
    x = kn.ones((8, 8))
    fast, exact = kn.jit(softmax, fast_math=True), kn.jit(softmax)
    text = fast.lower(x).ir("kernels")
    assert "kiln.fast_math" in text and text.count("kiln.divide") == 1 and "kiln.multiply" in text
    assert "kiln.fast_math" not in exact.lower(x).ir("kernels") and "kiln.multiply" not in exact.lower(x).ir("kernels")
    assert fast.lower(x)._words != exact.lower(x)._words
    assert kn._core.unpack_program(fast.lower(x).to_bytes()) == fast.lower(x)._words
    same_bits(exact(x), softmax(x))
    # a loop's body as well
    loop = kn.jit(lambda x: kn.fori_loop(0, 3, lambda i, x: x * 0.5 + 1, x), fast_math=True)
    assert loop.lower(x).ir("kiln").count("kiln.fast_math") == 1 + loop.lower(x).ir("kiln").count("func.func private")
    assert kn.allclose(loop(x), kn.fori_loop(0, 3, lambda i, x: x * 0.5 + 1, x))


def test_contraction():
    x = kn.ones(1000)
    f = lambda x, y: x * y + x
    assert "fmadd" in kn.jit(f, fast_math=True).lower(x, x).ir("asm") and "fmadd" not in kn.jit(f).lower(x, x).ir("asm")


def test_other_values_are_refused():
    with pytest.raises(ValueError, match="fast_math: expected a bool, got 1"):
        kn.jit(softmax, fast_math=1)
