"""Loops whose trips have other sizes, as slices that grow: rolled too, with the bits of eager."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from test_rolled import checked, loops


def prefixes(x, y):
    for i in range(1, x.shape[0]):
        y[i] += x[:i] @ y[:i] / i
    return y


def forward(L, b):
    x = kn.zeros_like(b)
    for i in range(x.shape[0]):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x


def cholesky(A):
    if A.shape[0]:
        A[0, 0] = kn.sqrt(A[0, 0])
    for i in range(1, A.shape[0]):
        for j in range(i):
            A[i, j] -= kn.dot(A[i, :j], A[j, :j])
            A[i, j] /= A[j, j]
        A[i, i] -= kn.dot(A[i, :i], A[i, :i])
        A[i, i] = kn.sqrt(A[i, i])
    return A


def lu(A):
    for i in range(A.shape[0]):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[:j, j]
            A[i, j] /= A[j, j]
        for j in range(i, A.shape[0]):
            A[i, j] -= A[i, :i] @ A[:i, j]
    return A


def backward(U, y):
    x = kn.zeros_like(y)
    for i in range(y.shape[0] - 1, -1, -1):
        x[i] = (y[i] - U[i, i + 1:] @ x[i + 1:]) / U[i, i]
    return x


def triangles(A, x):
    """Parts of two sizes, which change what they are read from."""
    for i in range(2, A.shape[0]):
        A[:i, i:] *= 0.5
        A[i:, :i] += kn.sin(x[:i]) * A[0, :i]
        x[:i] = x[:i] * 0.75 + kn.sum(A[i:, :i], axis=0)
    return A, x


def durbin(r):
    y = kn.zeros_like(r)
    if not r.shape[0]:
        return y
    alpha, beta = -r[0], kn.asarray(1.0)
    y[0] = -r[0]
    for k in range(1, r.shape[0]):
        beta = beta * (1.0 - alpha * alpha)
        alpha = -(r[k] + kn.flip(r[:k], axis=0) @ y[:k]) / beta
        y[:k] += alpha * kn.flip(y[:k], axis=0)
        y[k] = alpha
    return y


def symmetric(rng, n):
    a = rng.random((n, n))
    return a @ a.T + n * np.eye(n)


def arguments(f, rng, n):
    if f is prefixes:
        return [kn.asarray(rng.random(n)), kn.asarray(rng.random(n))]
    if f in (cholesky, lu):
        return [kn.asarray(symmetric(rng, n))]
    if f is durbin:
        return [kn.asarray(rng.random(n) * 0.1)]
    return [kn.asarray(symmetric(rng, n)), kn.asarray(rng.random(n))]


ALL = [prefixes, forward, backward, cholesky, lu, triangles, durbin]


@pytest.mark.parametrize("f", ALL, ids=lambda f: f.__name__)
def test_sizes_from_none_on_have_the_bits_of_eager(rng, f):
    """As the interpreter runs them, while there is no code."""
    jitted = kn.jit(f)
    for n in range(41):
        mine, theirs = arguments(f, np.random.default_rng(n), n), arguments(f, np.random.default_rng(n), n)
        for x, y in zip(kn.tree.leaves([f(*mine), mine]), kn.tree.leaves([jitted(*theirs), theirs])):
            same_bits(x, y)


@pytest.mark.parametrize("n", [33, 70])
@pytest.mark.parametrize("f", ALL, ids=lambda f: f.__name__)
def test_code_has_the_bits_of_eager(rng, monkeypatch, f, n):
    monkeypatch.setattr(kn.config, "jit", "sync")
    jitted = checked(f, *arguments(f, rng, n))
    assert any(not loop["why"] for loop in loops(jitted))
