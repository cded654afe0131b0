"""Gradients of functions of matrices where ranks are not full and singular values repeat: against cofactors, differences and closed forms."""
import itertools

import numpy as np
import pytest

import kiln as kn
from kiln.testing import check_grads

rng = np.random.default_rng(0)
RANK_FOUR = rng.normal(size=(5, 4)) @ rng.normal(size=(4, 5))
SQUARE = [[[1.0, 2.0], [2.0, 4.0]], [[0.0, 1.0], [0.0, 2.0]], np.zeros((2, 2)), np.ones((3, 3)), np.zeros((3, 3)), np.eye(3), np.diag([1.0, 0.0, 2.0, 0.0]),
          np.diag([1e-30, 1.0, 1.0]), 1e-120 * np.eye(3), 1e120 * np.eye(3), np.outer(rng.normal(size=4), rng.normal(size=4)), RANK_FOUR, rng.normal(size=(4, 4)), [[3.0]], [[0.0]]]


def close(x, y, tolerance=1e-9, scale=None):
    scale = np.abs(y).max(initial=0) if scale is None else scale
    np.testing.assert_allclose(np.asarray(x), y, rtol=tolerance, atol=tolerance * scale)


def cofactors(a):
    n = len(a)
    minors = [[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)]
    return np.array(minors) * np.where(np.indices((n, n)).sum(0) % 2, -1, 1)


def second(a):
    """The second derivative of the determinant: its gradient is linear in each element."""
    result = np.zeros(a.shape * 2)
    for i, j in itertools.product(range(len(a)), repeat=2):
        one = np.zeros_like(a)
        one[i, j] = 1
        result[:, :, i, j] = (cofactors(a + one) - cofactors(a - one)) / 2
    return result


@pytest.mark.parametrize("a", SQUARE, ids=range(len(SQUARE)))
def test_determinants(a):
    a = np.asarray(a)
    x, t, det = kn.asarray(a), rng.normal(size=a.shape), kn.linalg.det
    want, scale = cofactors(a), np.linalg.norm(a) ** (len(a) - 1)
    close(kn.grad(det)(x), want, scale=scale)
    close(kn.jvp(det, (x,), (kn.asarray(t),))[1], np.sum(want * t), scale=scale)
    jitted = kn.jit(kn.grad(det), on_miss="raise")
    for _ in range(3):
        close(jitted(x), want, scale=scale)
    close(kn.vmap(kn.grad(det))(kn.stack([x, x + 1, kn.eye(len(a), dtype=kn.float64)]))[0], want, scale=scale)
    if 1e-100 < np.abs(a).max(initial=0) < 1e100:
        for of_second in (kn.hessian(det), kn.jacrev(kn.grad(det))):
            close(of_second(x), second(a), 1e-8, max(1, np.linalg.norm(a) ** max(len(a) - 2, 0)))


def test_determinants_of_complex_matrices():
    z = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    z[:, 2] = z[:, 0]
    close(kn.grad(lambda v: kn.real(kn.linalg.det(v)))(kn.asarray(z)), cofactors(z).conj())
    close(kn.jacfwd(kn.linalg.det)(kn.asarray(z)), cofactors(z))
    check_grads(kn.linalg.det, [kn.asarray(z)])


def test_determinants_of_others():
    assert kn.grad(kn.linalg.det)(kn.zeros((0, 0))).shape == (0, 0)
    batch = kn.asarray(np.stack([np.ones((2, 2)), np.eye(2), [[1, 2], [3, 4]]]))
    close(kn.grad(lambda v: kn.sum(kn.linalg.det(v)))(batch), np.stack([cofactors(a) for a in np.asarray(batch)]))
    close(kn.grad(lambda v: kn.linalg.det(v))(kn.ones((2, 2), dtype=kn.float32)), [[1, -1], [-1, 1]], 1e-6)
    with pytest.raises(ValueError, match="lu: "):
        kn.grad(lambda v: kn.linalg.det(v))(kn.ones((2, 3)))


MATRICES = [2 * np.eye(2), np.eye(3)[:, :2], np.eye(2, 4), np.linalg.qr(rng.normal(size=(4, 3)))[0], rng.normal(size=(4, 2)), rng.normal(size=(2, 5)), rng.normal(size=(2, 3, 4)),
            np.linalg.qr(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))[0], rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))]


@pytest.mark.parametrize("a", MATRICES, ids=range(len(MATRICES)))
def test_inverses_of_any_matrix(a):
    x = kn.asarray(a)
    check_grads(kn.linalg.pinv, [x])
    check_grads(lambda v: kn.linalg.pinv(v, rtol=1e-3), [x], order=1)
    check_grads(lambda v, r: kn.linalg.pinv(v, rtol=kn.stop_gradient(r)), [x, kn.asarray(1e-3)], order=1)
    if a.ndim == 2:
        check_grads(lambda v: kn.linalg.lstsq(v, v[:, 0] * 2 + kn.arange(a.shape[0]))[0], [x])
        jitted = kn.jit(kn.grad(lambda v: kn.sum(kn.abs(kn.linalg.pinv(v)) ** 2)), on_miss="raise")
        for _ in range(3):
            close(jitted(x), kn.grad(lambda v: kn.sum(kn.abs(kn.linalg.pinv(v)) ** 2))(x))


def test_inverses_in_closed_form():
    close(kn.grad(lambda v: kn.sum(kn.linalg.pinv(v)))(kn.asarray(2 * np.eye(2))), -0.25 * np.ones((2, 2)))
    close(kn.grad(lambda v: kn.sum(kn.linalg.lstsq(v, kn.asarray([1.0, 2.0, 3.0]))[0]))(kn.asarray(np.eye(3)[:, :2])), [[-1, -2], [-1, -2], [3, 3]])
    low = kn.asarray(np.outer([1.0, 2.0, 3.0], [1.0, 1.0]))  # of rank 1, and stays so along itself
    close(kn.jvp(kn.linalg.pinv, (low,), (low,))[1], -np.linalg.pinv(np.asarray(low)))
    two = kn.stack([low, low + kn.eye(3, 2, dtype=kn.float64)])
    close(kn.vmap(kn.grad(lambda v: kn.sum(kn.linalg.pinv(v) ** 2)))(two)[1], kn.grad(lambda v: kn.sum(kn.linalg.pinv(v) ** 2))(two[1]))


@pytest.mark.parametrize("a", [m for m in MATRICES if m.ndim == 2], ids=lambda a: f"{a.shape}{a.dtype.kind}")
def test_polar_factors(a):
    """They are of all matrices of full rank, also of those whose singular values repeat."""
    def polar(v):
        u, _, vh = kn.linalg.svd(v, full_matrices=False)
        return u @ vh

    check_grads(polar, [kn.asarray(a)], order=1)
    if a.shape[0] >= a.shape[1]:
        w = kn.asarray(rng.normal(size=a.shape))
        by_root = kn.grad(lambda v: kn.real(kn.sum(w * polar(v))))(kn.asarray(a))
        s = np.linalg.svd(a)[1]
        if np.allclose(s, s[0]):  # near c Q it is V -> V - Q (V^H Q - Q^H V) / 2 ..., by hand
            q, by = a / s[0], np.asarray(w)
            close(by_root, (by - q @ (q.conj().T @ by + by.conj().T @ q) / 2) / s[0])


def test_values_and_spaces_of_repeated_values():
    x = kn.asarray(np.diag([1.0, 1.0, 3.0]))
    close(kn.grad(lambda v: kn.sum(kn.linalg.eigvalsh(v) ** 3))(x), np.diag([3.0, 3.0, 27.0]))

    def projector(v):  # onto the whole space of a value
        vectors = kn.linalg.eigh(v)[1][:, :2]
        return vectors @ vectors.T

    check_grads(lambda v: projector(v + v.T), [x], order=1)
    check_grads(kn.linalg.matrix_exp, [x])


def test_roots_of_sums():
    zero = kn.zeros(2, dtype=kn.float64)
    for f in (kn.std, kn.linalg.norm, lambda v: kn.linalg.norm(v, ord=3), lambda v: kn.linalg.vector_norm(v, ord=1.5)):
        assert kn.grad(f)(zero).tolist() == [0, 0] and kn.hessian(f)(zero).tolist() == [[0, 0], [0, 0]]
        check_grads(f, [kn.asarray([1.0, 2.5])])
    assert kn.grad(lambda v: kn.linalg.norm(v, ord=3))(kn.asarray([0.0, 2.0])).tolist() == pytest.approx([0, 1])
