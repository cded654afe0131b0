"""LU factors with row exchanges by hand, and what they are good for: solutions, determinants, inverses, refinement, condition."""
import kiln.numpy as np


def matrix(n):
    i, j = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    return 1 / (i + j + 1.0) + np.eye(n) * 0.1 + np.where((i + 2 * j) % 5 == 0, 1.0, 0.0)


def factor(a):
    lu, n = a.copy(), a.shape[0]
    order, sign = np.arange(n), 1
    for k in range(n - 1):
        pivot = k + int(np.argmax(np.abs(lu[k:, k])))
        if pivot != k:
            lu[[k, pivot]] = lu[[pivot, k]]
            order[[k, pivot]] = order[[pivot, k]]
            sign = -sign
        lu[k + 1:, k] /= lu[k, k]
        lu[k + 1:, k + 1:] -= np.outer(lu[k + 1:, k], lu[k, k + 1:])
    return lu, order, sign


def forward(lu, b):
    x = b.copy()
    for i in range(1, lu.shape[0]):
        x[i] -= lu[i, :i] @ x[:i]
    return x


def backward(lu, b):
    x = b.copy()
    for i in range(lu.shape[0] - 1, -1, -1):
        x[i] = (x[i] - lu[i, i + 1:] @ x[i + 1:]) / lu[i, i]
    return x


def solve(lu, order, b):
    return backward(lu, forward(lu, b[order]))


def refined(a, lu, order, b):
    x = solve(lu, order, b)
    for _ in range(2):
        x = x + solve(lu, order, b - a @ x)
    return x


def inverse(lu, order):
    n = lu.shape[0]
    return np.stack([solve(lu, order, column) for column in np.eye(n)], axis=1)


def main():
    a = matrix(8)
    lu, order, sign = factor(a)
    lower, upper = np.tril(lu, -1) + np.eye(8), np.triu(lu)
    b = np.cos(np.arange(8.0))
    x = refined(a, lu, order, b)
    inv = inverse(lu, order)
    determinant = sign * np.prod(np.diag(lu))
    condition = np.abs(a).sum(axis=1).max() * np.abs(inv).sum(axis=1).max()
    checks = [np.abs(lower @ upper - a[order]).max(), np.abs(a @ x - b).max(), np.abs(inv @ a - np.eye(8)).max()]
    assert all(float(c) < 1e-12 for c in checks)
    return [lower, upper, order, x, inv, determinant, condition, determinant / np.linalg.det(a), np.linalg.solve(a, b) - x + 1]
