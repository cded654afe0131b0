"""kn.linalg against NumPy: values, shapes and dtypes, over stacks, layouts and dtypes, in eager and under jit."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits, to_numpy
from kiln import linalg

WIDE = ["float32", "float64", "complex64", "complex128"]
TOLERANCE = {"float32": 2e-4, "complex64": 2e-4, "float64": 1e-11, "complex128": 1e-11, "float16": 2e-2, "bfloat16": 1e-1, "int32": 2e-4}


def matrix(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype.startswith("complex") else 0)
    return (x * 4).astype(dtype) if dtype == "int32" else x.astype(dtype)


def positive(shape, dtype):
    x = matrix(shape, dtype)
    return (x @ x.conj().swapaxes(-1, -2) + 4 * np.eye(shape[-1])).astype(dtype)


def close(got, want, dtype):
    want = np.asarray(want)
    assert got.shape == want.shape, f"{got.shape} against {want.shape}"
    np.testing.assert_allclose(to_numpy(got), want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * max(1, abs(want).max(initial=0)))


def everywhere(function, *inputs):
    """The results in eager, after checking that strided operands and jit give the same bits."""
    arrays = [kn.asarray(x) for x in inputs]
    results = function(*arrays)
    strided = [kn.asarray(np.repeat(np.asarray(x).swapaxes(-1, -2) if x.ndim > 1 else x, 2, axis=-1))[..., ::2] for x in inputs]
    jitted = kn.jit(function)
    for variant in (function(*[x.mT if x.ndim > 1 else x for x in strided]), jitted(*arrays), jitted(*[x.mT if x.ndim > 1 else x for x in strided])):
        for a, b in zip(variant if isinstance(variant, tuple) else (variant,), results if isinstance(results, tuple) else (results,)):
            same_bits(a, b)
    assert not any(v["eager"] for v in jitted.explain().variants)
    return results


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 4, 4), (2, 1, 5, 5), (0, 3, 3), (0, 0)])
class TestSquare:
    def test_cholesky(self, shape, dtype):
        x = positive(shape, dtype)
        lower = everywhere(linalg.cholesky, x)
        close(lower, np.linalg.cholesky(x), dtype)
        upper = everywhere(lambda x: linalg.cholesky(x, upper=True), x)
        close(upper, np.linalg.cholesky(x).conj().swapaxes(-1, -2), dtype)

    def test_solve_and_inv(self, shape, dtype):
        a, b = positive(shape, dtype), matrix((*shape[:-1], 2), dtype)
        close(everywhere(linalg.solve, a, b), np.linalg.solve(a, b), dtype)
        close(everywhere(linalg.inv, a), np.linalg.inv(a), dtype)
        v = matrix(shape[-1:], dtype)
        close(everywhere(linalg.solve, a, v), np.linalg.solve(a, np.broadcast_to(v[:, None], (*shape[:-1], 1)))[..., 0], dtype)

    def test_determinants(self, shape, dtype):
        x = matrix(shape, dtype)
        close(everywhere(linalg.det, x), np.linalg.det(x), dtype)
        got, want = everywhere(linalg.slogdet, x), np.linalg.slogdet(x)
        close(got.sign, want.sign, dtype)
        close(got.logabsdet, want.logabsdet, dtype)
        assert got.logabsdet.dtype.kind == "f"

    def test_eigh(self, shape, dtype):
        x = positive(shape, dtype)
        values, vectors = everywhere(linalg.eigh, x)
        close(values, np.linalg.eigvalsh(x), dtype)
        close(vectors @ (kn.expand_dims(values, axis=-2) * vectors).conj().mT, x, dtype)
        same_bits(everywhere(lambda x: linalg.eigvalsh(x, "U"), x).dtype.name, values.dtype.name)
        close(linalg.eigh(kn.asarray(np.triu(x)), "U").eigenvalues, values, dtype)

    def test_eig(self, shape, dtype):
        x = matrix(shape, dtype)
        values, vectors = everywhere(linalg.eig, x)
        assert values.dtype.kind == vectors.dtype.kind == "c"
        close(kn.asarray(x) @ vectors, to_numpy(kn.expand_dims(values, axis=-2) * vectors), dtype)
        close(kn.sort(linalg.eigvals(kn.asarray(x)).real), np.sort(np.linalg.eigvals(x).real), dtype)

    def test_power(self, shape, dtype):
        x = positive(shape, dtype) / 4
        for n in (-2, 0, 1, 2, 5):
            close(linalg.matrix_power(kn.asarray(x), n), np.linalg.matrix_power(x, n), dtype)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (5, 3), (2, 4, 2), (0, 2, 3), (3, 0), (0, 3)])
class TestAny:
    def test_qr(self, shape, dtype):
        x = matrix(shape, dtype)
        for mode in ("reduced", "complete"):
            q, r = everywhere(lambda x: tuple(linalg.qr(x, mode)), x)
            want = np.linalg.qr(x, mode)
            close(q, want.Q, dtype)
            close(r, want.R, dtype)

    def test_svd(self, shape, dtype):
        x = matrix(shape, dtype)
        for full in (True, False):
            u, s, vh = everywhere(lambda x: tuple(linalg.svd(x, full)), x)
            want = np.linalg.svd(x, full)
            close(s, want.S, dtype)
            assert u.shape == want.U.shape and vh.shape == want.Vh.shape and s.dtype.kind == "f"
            k = s.shape[-1]
            close((u[..., :k] * kn.expand_dims(s, axis=-2)) @ vh[..., :k, :], x, dtype)
            close(u.conj().mT @ u, np.broadcast_to(np.eye(u.shape[-1]), (*shape[:-2], u.shape[-1], u.shape[-1])), dtype)
        close(everywhere(linalg.svdvals, x), np.linalg.svd(x, compute_uv=False), dtype)

    def test_ranks_and_inverses(self, shape, dtype):
        x = matrix(shape, dtype)
        close(everywhere(linalg.pinv, x), np.linalg.pinv(x) if 0 not in shape[-2:] else np.zeros(shape[::-1]), dtype)
        want = np.linalg.matrix_rank(x) if 0 not in shape[-2:] else np.zeros(shape[:-2], int)
        np.testing.assert_array_equal(to_numpy(everywhere(linalg.matrix_rank, x)), want)

    def test_norms(self, shape, dtype):
        x = matrix(shape, dtype)
        for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
            if 0 in shape[-2:] and order not in ("fro", "nuc"):
                continue
            close(everywhere(lambda x: linalg.matrix_norm(x, ord=order), x), np.linalg.norm(x, order, axis=(-2, -1)), dtype)
            close(linalg.matrix_norm(kn.asarray(x), ord=order, keepdims=True), np.linalg.norm(x, order, axis=(-2, -1), keepdims=True), dtype)
        for order in (0, 1, 2, 3, 0.5, -1, np.inf, -np.inf):
            if 0 in shape and order in (np.inf, -np.inf):
                continue
            close(everywhere(lambda x: linalg.vector_norm(x, axis=-1, ord=order), x), np.linalg.norm(x, order, axis=-1), dtype)
        close(linalg.norm(kn.asarray(x)), np.linalg.norm(x), dtype)
        close(linalg.norm(kn.asarray(x), axis=(0, 1), keepdims=True), np.linalg.norm(x, axis=(0, 1), keepdims=True), dtype)


def test_narrow_and_integer_operands():
    for dtype in ("float16", "bfloat16", "int32"):
        x = positive((3, 3), "float64")
        a = kn.astype(kn.asarray(x), dtype)
        floats = to_numpy(kn.astype(a, "float64"))
        result = linalg.inv(a)
        assert result.dtype.name == (dtype if dtype != "int32" else kn.get_default_dtype().name)
        close(kn.astype(result, "float64"), np.linalg.inv(floats), dtype)


def test_products_of_many():
    xs = [matrix(s, "float64", i) for i, s in enumerate([(4,), (4, 9), (9, 2), (2, 7), (7,)])]
    close(everywhere(lambda *a: linalg.multi_dot(a), *xs), np.linalg.multi_dot(xs), "float64")
    close(linalg.multi_dot(xs[1:3]), xs[1] @ xs[2], "float64")
    for shape, axis in (((3,), -1), ((4, 3), -1), ((3, 4), 0), ((2, 3, 5), 1)):
        x, y = matrix(shape, "float64"), matrix(shape, "float64", 1)
        close(everywhere(lambda x, y: linalg.cross(x, y, axis=axis), x, y), np.cross(x, y, axis=axis), "float64")
    x, y = matrix((4, 1, 3), "complex64"), matrix((5, 3), "complex64", 1)
    close(linalg.cross(kn.asarray(x), kn.asarray(y)), np.cross(x, y), "complex64")


def test_least_squares():
    for shape, columns in (((6, 3), 2), ((3, 6), 2), ((5, 2), None)):
        a, b = matrix(shape, "float64"), matrix((shape[0],) if columns is None else (shape[0], columns), "float64", 1)
        for got, want in zip(linalg.lstsq(kn.asarray(a), kn.asarray(b)), np.linalg.lstsq(a, b)):
            close(got, want, "float64")
    close(linalg.cond(kn.asarray(a)), np.linalg.cond(a), "float64")
    square = positive((3, 3), "float64")
    for p in (None, 1, "fro", -2, np.inf):
        close(linalg.cond(kn.asarray(square), p), np.linalg.cond(square, p), "float64")


SINGULAR = [[1.0, 2.0], [2.0, 4.0]]


@pytest.mark.parametrize("text, kind, message", [
    ("linalg.solve(kn.zeros((2, 2)), kn.ones(2))", linalg.LinAlgError, "full rank"), ("linalg.inv(kn.zeros((2, 2)))", linalg.LinAlgError, "singular"),
    ("linalg.cholesky(kn.asarray([[1.0, 2.0], [2.0, 1.0]]))", linalg.LinAlgError, "positive definite"),
    ("linalg.svd(kn.full((3, 3), float('nan')))", linalg.LinAlgError, "converges"), ("linalg.eig(kn.full((3, 3), float('nan')))", linalg.LinAlgError, "converges"),
    ("linalg.det(kn.zeros((2, 3)))", kn.ShapeError, "square"), ("linalg.qr(kn.zeros(3))", kn.ShapeError, "at least 2"), ("linalg.qr(kn.eye(2), 'raw')", ValueError, "'reduced', 'complete' or 'r'"),
    ("linalg.eigh(kn.eye(2), 'X')", ValueError, "UPLO"), ("linalg.solve(kn.eye(2), kn.ones(3))", kn.ShapeError, "2 rows"), ("linalg.matrix_power(kn.zeros((2, 3)), 2)", kn.ShapeError, "square"),
    ("linalg.matrix_norm(kn.eye(2), ord=3)", ValueError, "ord"), ("linalg.matrix_norm(kn.ones(2))", kn.ShapeError, "at least 2"), ("linalg.norm(kn.ones((2, 2, 2)), ord=2)", ValueError, "one or two"),
    ("linalg.cross(kn.ones(2), kn.ones(2))", kn.ShapeError, "expected 3, got 2"), ("linalg.multi_dot([kn.eye(2)])", ValueError, "at least 2"),
    ("linalg.lstsq(kn.eye(2), kn.ones(3))", kn.ShapeError, "2 rows"), ("linalg.svdvals(kn.zeros((2, 2), dtype=kn.float8_e5m2))", kn.DTypeError, "float32"),
])
def test_errors(text, kind, message):
    def run():
        return eval(text, {"kn": kn, "linalg": linalg})
    with pytest.raises(kind, match=message):
        run()
    with pytest.raises(kind, match=message):
        kn.jit(run)()


def test_errors_under_jit_name_the_line():
    @kn.jit
    def f(x):
        y = x * 2
        return linalg.inv(y)  # here
    f(kn.eye(2))
    with pytest.raises(linalg.LinAlgError, match="# here"):
        f(kn.asarray(SINGULAR))
    np.testing.assert_array_equal(f(kn.eye(2)).numpy(), np.eye(2) / 2)


def test_a_missing_lapack_says_so(tmp_path):
    import os
    import subprocess
    import sys
    text = "import kiln as kn\ntry: kn.linalg.inv(kn.eye(2))\nexcept kn.PackageError as error: print(error)"
    out = subprocess.run([sys.executable, "-c", text], env={**os.environ, "KILN_LAPACK": str(tmp_path / "none.so")}, capture_output=True, text=True)
    assert "expected LAPACK: install the package scipy-openblas32" in out.stdout, out.stderr


def test_systems_and_functions_of_matrices(rng):
    import scipy.linalg
    a, b = rng.normal(size=(5, 5)) + 3 * np.eye(5), rng.normal(size=(5, 2))
    p, low, up = kn.jit(lambda v: tuple(kn.linalg.lu(v)))(kn.asarray(a))
    np.testing.assert_allclose((p @ low @ up).numpy(), a, rtol=1e-12)
    for ours, theirs in zip(kn.linalg.lu(kn.asarray(a[::-1].copy())), scipy.linalg.lu(a[::-1])):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-12)
    for how in ({}, {"lower": True}, {"trans": True}, {"unit_diagonal": True}):
        want = scipy.linalg.solve_triangular(a, b, lower=how.get("lower", False), trans=how.get("trans", False), unit_diagonal=how.get("unit_diagonal", False))
        np.testing.assert_allclose(kn.linalg.solve_triangular(kn.asarray(a), kn.asarray(b), **how).numpy(), want, rtol=1e-10)
    for scale in (0.01, 1, 30):
        np.testing.assert_allclose(kn.linalg.matrix_exp(kn.asarray(a * scale)).numpy(), scipy.linalg.expm(a * scale), rtol=1e-10 * max(scale, 1))
    t = rng.normal(size=(2, 3, 6))
    np.testing.assert_allclose(kn.linalg.tensorinv(kn.asarray(t)).numpy(), np.linalg.tensorinv(t), rtol=1e-9)
    np.testing.assert_allclose(kn.linalg.tensorsolve(kn.asarray(t), kn.asarray(t[:, :, 0])).numpy(), np.linalg.tensorsolve(t, t[:, :, 0]), atol=1e-10)
    np.testing.assert_allclose(kn.linalg.qr(kn.asarray(a), "r").numpy(), np.linalg.qr(a, "r"), rtol=1e-12)
    x = kn.linalg.lstsq(kn.asarray(rng.normal(size=(4, 6, 3))), kn.asarray(rng.normal(size=(4, 6, 2))))
    assert x[0].shape == (4, 3, 2) and x[1].shape == (4, 2)
    for call, message in ((lambda: kn.linalg.lu(kn.ones((2, 3))), "lu: operand 0: expected square matrices"), (lambda: kn.linalg.tensorinv(kn.ones((2, 3))), "tensorinv: shape: expected as many"),
                          (lambda: kn.linalg.tensorinv(kn.ones((2, 2)), 0), "tensorinv: ind: expected at least 1"), (lambda: kn.linalg.tensorsolve(kn.ones((2, 3)), kn.ones(2)), "tensorsolve: shapes: expected")):
        with pytest.raises(ValueError, match=message):
            call()
