"""Gradients of every function that names.txt calls: forward mode against differences, reverse against forward mode."""
import re

import numpy as np
import pytest

import kiln as kn
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
