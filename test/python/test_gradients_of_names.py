"""Gradients of every function that names.txt calls: forward mode against differences, reverse against forward mode."""
import os
import re

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from test_names import EXPRESSIONS, operands

THEIRS = operands("float64")
FLOATS = [name for name, a in THEIRS.items() if a.dtype.kind == "f"]


@pytest.fixture(autouse=True)
def doubles():
    before = kn.get_default_dtype()
    kn.set_default_dtype(kn.float64)
    yield
    kn.set_default_dtype(before)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", [e for e in EXPRESSIONS if re.search(rf"\b({'|'.join(FLOATS)})\b", e)])
def test_gradient(expression):
    used = [name for name in FLOATS if re.search(rf"\b{name}\b", expression)]
    scope = {"n": kn}
    exec(f"def f({', '.join(THEIRS)}):\n    return {expression}", scope)

    def f(*arrays):
        return scope["f"](**{**{name: kn.asarray(a, copy=True) for name, a in THEIRS.items()}, **dict(zip(used, arrays))})

    rng = np.random.default_rng(0)
    point, direction = [THEIRS[name] for name in used], [rng.normal(size=THEIRS[name].shape) for name in used]
    arrays = tuple(kn.asarray(p, copy=True) for p in point)
    plain = f(*arrays)
    if not isinstance(plain, kn.Array) or plain.dtype.kind not in "fc":
        return  # positions, counts and truth values
    result, change = kn.jvp(f, arrays, tuple(kn.asarray(t) for t in direction))
    np.testing.assert_array_equal(result.numpy(), plain.numpy())
    low, high = (np.asarray(f(*(kn.asarray(p + h * t) for p, t in zip(point, direction)))) for h in (-1e-6, 1e-6))
    want, there = (high - low) / 2e-6, ~np.isnan(plain.numpy())
    scale = 1 + np.abs(want[there]).max(initial=0)
    np.testing.assert_allclose(change.numpy()[there], want[there], atol=1e-5 * scale, rtol=0)
    if there.all():
        cotangent = rng.normal(size=result.shape) + (1j * rng.normal(size=result.shape) if result.dtype.kind == "c" else 0)
        gradients = kn.vjp(f, *arrays)[1](kn.asarray(cotangent))
        forward, reverse = np.vdot(cotangent, change.numpy()).real, sum(np.vdot(g.numpy(), t) for g, t in zip(gradients, direction))
        assert abs(forward - reverse) <= 1e-9 * (1 + np.abs(cotangent).sum() * scale)


OF_FLOATS = [e for e in EXPRESSIONS if re.search(rf"\b({'|'.join(FLOATS)})\b", e)]
NARROW = {"float32": 1e-3, "float16": 0.1, "bfloat16": 0.5}  # of the largest derivative: many are sums of rounded terms
SAMPLED = 1 if os.environ.get("KILN_SOAK", "0") != "0" else 12


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("expression", [e for e in OF_FLOATS[::SAMPLED] if "frexp" not in e])  # which says that it takes no bfloat16
def test_gradient_of_narrow_numbers(expression, dtype):
    """Both modes in a narrow dtype against float64 at the same point, under jit to the bit, and in a batch."""
    used = [name for name in FLOATS if re.search(rf"\b{name}\b", expression)]
    scope = {"n": kn}
    exec(f"def f({', '.join(THEIRS)}):\n    return {expression}", scope)
    others = {name: kn.asarray(a, copy=True) for name, a in THEIRS.items() if name not in FLOATS}

    def f(*arrays):
        return scope["f"](**{**dict.fromkeys(THEIRS), **others, **dict(zip(used, arrays))})

    def derivatives(*arrays):
        result, back = kn.vjp(f, *arrays)
        return back(kn.ones_like(result)), kn.jvp(f, arrays, tuple(kn.ones_like(x) for x in arrays))[1]

    low = tuple(kn.asarray(THEIRS[name], copy=True).astype(dtype) for name in used)
    high = tuple(x.astype("float64") for x in low)
    plain = f(*high)
    if not isinstance(plain, kn.Array) or plain.dtype.kind not in "fc":
        return  # positions, counts and truth values
    gradients, change = derivatives(*low)
    wanted, along = derivatives(*high)
    for got, want in (*zip(gradients, wanted), (change, along)):
        got, want = (np.asarray(x.astype("complex128" if x.dtype.kind == "c" else "float64")) for x in (got, want))
        there = ~np.isnan(want) & np.isfinite(want)
        assert got.shape == want.shape
        assert (np.abs(got - want)[there] <= NARROW[dtype] * (1 + np.abs(want[there]).max(initial=0))).all(), (got, want)
    assert all(g.dtype.name == dtype for g in gradients)
    for x, y in zip(kn.tree.leaves(kn.jit(derivatives)(*low)), kn.tree.leaves((gradients, change))):
        same_bits(x, y)
    together = kn.vmap(derivatives)(*(kn.stack([x, x * 0.5]) for x in low))
    for x, y in zip(kn.tree.leaves(together), kn.tree.leaves((gradients, change))):
        got, want = (np.asarray(v.astype("complex128" if v.dtype.kind == "c" else "float64")) for v in (x[0], y))
        there = np.isfinite(want)
        assert (np.abs(got - want)[there] <= NARROW[dtype] * (1 + np.abs(want[there]).max(initial=0))).all(), (got, want)
