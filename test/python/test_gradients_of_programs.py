"""Random programs under gradients and batches: the values are eager's to the bit, reverse mode is the transpose of forward mode, and a batch is a loop.

``KILN_SEEDS=2000`` runs as many; ``KILN_FIRST_SEED`` moves the range.
"""
import os
import re

import numpy as np
import pytest

import kiln as kn
import programs
from conftest import same_bits

SEEDS, FIRST = int(os.environ.get("KILN_SEEDS", "120")), int(os.environ.get("KILN_FIRST_SEED", "0"))
CHUNK = 20


def written(seed, monkeypatch):
    """A program, its text, and two sets of inputs without edge values."""
    monkeypatch.setattr(programs, "NUMERIC", ["float64", "float64", "float64", "complex128", "int64"])
    rng = np.random.default_rng(seed)
    writer = programs.Writer(rng)
    text = writer.text(int(rng.integers(4, 14)))
    scope = {"kn": kn}
    exec(text, scope)

    def drawn():
        for name in writer.inputs:
            shape, dtype = writer.vars[name]
            x = rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype == "complex128" else 0)
            yield kn.asarray(np.asarray(x if dtype != "int64" else rng.integers(-4, 5, shape)).astype(dtype))

    return text, scope["program"], list(drawn()), list(drawn())


def inner(x, y):
    return float(sum(np.vdot(a.numpy(), b.numpy()).real for a, b in zip(x, y) if a.dtype.kind in "fc"))


def finite(arrays):
    return all(np.isfinite(a.numpy()).all() for a in arrays if a.dtype.kind in "fc")


def check(text, program, point, direction):
    eager = program(*map(kn.copy, point))
    try:
        results, changes = kn.jvp(program, tuple(map(kn.copy, point)), tuple(direction))
    except ValueError as error:  # the matrices that have no derivative
        is_without = re.match("(svd|qr): gradient: expected as many", str(error)) or "qr" in text and "solve: expected matrices of full rank" in str(error)
        assert is_without, error
        return
    again, back = kn.vjp(program, *map(kn.copy, point))
    for a, b, c in zip(eager, results, again):
        same_bits(b, a)
        same_bits(c, a)
    cotangents = [kn.cos(kn.real(r)) if r.dtype.kind in "fc" else r for r in results]
    gradients = back([kn.astype(ct, r.dtype) for ct, r in zip(cotangents, results)])
    for x, g in zip(point, gradients):
        assert g.shape == x.shape and g.dtype is x.dtype
    is_smooth = not re.search(r"linalg\.(qr|svd|eig)", text)  # matrices here have equal values and less than full rank: without a derivative
    if is_smooth and finite([*results, *changes, *gradients]):
        forward, reverse = inner(cotangents, changes), inner(gradients, direction)
        size = sum(np.abs(ct.numpy() * t.numpy()).sum() for ct, t in zip(cotangents, changes) if t.dtype.kind in "fc")
        size += sum(np.abs(g.numpy() * t.numpy()).sum() for g, t in zip(gradients, direction) if t.dtype.kind in "fc")
        assert abs(forward - reverse) <= 1e-9 * (1 + size), (forward, reverse)
    if "@" in text or any(word in text for word in ("outer", "fft", "linalg")):
        return  # products have the order of the product that they become; a shape without elements has no transform
    try:
        together = kn.vmap(program)(*(kn.stack([x, y]) for x, y in zip(point, direction)))
    except kn.ShapeError as error:  # masks select numbers of elements
        assert "vmap: shape of a result" in str(error)
        return
    other = program(*map(kn.copy, direction))
    for both, x, y in zip(together, eager, other):
        same_bits(both, kn.stack([x, y]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, CHUNK))
def test_random_programs(first, monkeypatch):
    for seed in range(first, first + CHUNK):
        text, program, point, direction = written(seed, monkeypatch)
        try:
            check(text, program, point, direction)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}\n{text}") from error
