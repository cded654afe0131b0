"""More programs of control_flow.py: solvers, games, text-like work on integers, trees and queues."""
import math

import numpy as np

import kiln as kn
from control_flow import integer, matrix, number, program, vector


@program(lambda rng: (kn.asarray((np.eye(4) * 4 + rng.normal(size=(4, 4)) * 0.3).astype("f4")), kn.asarray(rng.normal(size=4).astype("f4")), 0.05), raises=True)
def solve(A, b, tol):
    A = A @ A.T
    x = kn.zeros_like(b); r = b - A @ x; p = r; n = 0  # noqa: E702
    while kn.sqrt(r @ r) > tol:
        Ap = A @ p; a = (r @ r) / (p @ Ap)  # noqa: E702
        x += a * p; r2 = r - a * Ap  # noqa: E702
        p = r2 + ((r2 @ r2) / (r @ r)) * p; r = r2; n += 1  # noqa: E702
        if n > 1000: raise RuntimeError("no convergence")  # noqa: E701
    return x, n


@program(lambda rng: (kn.asarray(rng.normal(size=(3, 3)).astype("f4")), kn.asarray(rng.normal(size=3).astype("f4")), kn.zeros(3), int(rng.integers(0, 5))))
def rnn(W, b, h, T):
    for _ in range(T):
        h = kn.tanh(W @ h + b)
    return h


@program(number(-4, 4))
def secant(a):
    x0, x1 = a, a + 1
    for _ in range(6):
        f0, f1 = x0 * x0 - 2, x1 * x1 - 2
        if kn.abs(f1 - f0) < 1e-6:
            return x1
        x0, x1 = x1, x1 - f1 * (x1 - x0) / (f1 - f0)
    return x1


@program(vector(2, 2.0))
def nelder_mead_step(x):
    points = [x, x + 1, x - kn.asarray([1.0, 0.5])]
    values = [kn.sum(p * p) for p in points]
    worst = 0
    for i in (1, 2):
        if values[i] > values[worst]:
            worst = i
    rest = [p for i, p in enumerate(points) if i != worst]
    center = (rest[0] + rest[1]) / 2
    reflected = center + (center - points[worst])
    return reflected if kn.sum(reflected * reflected) < values[worst] else (center + points[worst]) / 2


@program(vector(3, 3.0))
def trust_region(x):
    radius = 1.0
    for _ in range(4):
        step = -0.5 * x
        length = kn.sqrt(kn.sum(step * step))
        if length > radius:
            step = step * (radius / length)
        gain = kn.sum(x * x) - kn.sum((x + step) ** 2)
        if gain > 0.5:
            x, radius = x + step, radius * 2
        elif gain > 0:
            x = x + step
        else:
            radius *= 0.25
    return x, radius


@program(vector(4))
def simulated_annealing(x):
    noise = kn.asarray([0.3, -0.6, 0.2, 0.9])
    temperature, energy = 1.0, kn.sum(x * x)
    for i in range(4):
        candidate = x + temperature * kn.roll(noise, i)
        after = kn.sum(candidate * candidate)
        if after < energy or kn.exp((energy - after) / temperature) > 0.6:
            x, energy = candidate, after
        temperature *= 0.7
    return x, energy


@program(number(0, 6))
def exponential_series(x):
    term, total, n = kn.ones_like(x), kn.ones_like(x), 0
    while kn.abs(term) > 1e-3 * kn.abs(total):
        n += 1
        term = term * x / n
        total = total + term
    return total, n


@program(number(1, 9))
def arithmetic_geometric_mean(a):
    b = kn.ones_like(a)
    while kn.abs(a - b) > 1e-4:
        a, b = (a + b) / 2, kn.sqrt(a * b)
    return a


@program(number(0.01, 0.99))
def continued_fraction(x):
    terms = []
    while x > 1e-2 and len(terms) < 5:
        x = 1 / x
        terms.append(int(x))
        x = x - kn.floor(x)
    return terms


@program(integer(1, 400))
def binary_text(n):
    text = ""
    while n:
        text = str(int(n % 2)) + text
        n = n // 2
    return text


@program(integer(2, 200))
def prime_factors(n):
    found, k = [], 2
    while n > 1:
        while n % k == 0:
            found.append(k)
            n = n // k
        k += 1
    return found


@program(lambda rng: (kn.asarray(rng.integers(0, 5, size=6)),))
def histogram_by_hand(x):
    counts = {}
    for v in x.tolist():
        counts[v] = counts.get(v, 0) + 1
    return sorted(counts.items())


@program(lambda rng: (kn.asarray(rng.integers(0, 3, size=5)),))
def balanced(x):
    depth = 0
    for v in x:
        if v == 1:
            depth += 1
        elif v == 2:
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


@program(lambda rng: (kn.asarray(rng.integers(0, 4, size=6)),))
def longest_increasing_run(x):
    best = run = 1
    for i in range(1, x.shape[0]):
        run = run + 1 if x[i] > x[i - 1] else 1
        best = max(best, run)
    return best


@program(lambda rng: (kn.asarray(rng.integers(-3, 4, size=6)),))
def largest_sum_of_a_part(x):
    best, here = x[0], x[0]
    for v in x[1:]:
        here = v if here < 0 else here + v
        if here > best:
            best = here
    return best


@program(lambda rng: (kn.asarray(rng.random((4, 4)) < 0.6),))
def flood_fill(grid):
    reached = kn.zeros_like(grid)
    reached[0, 0] = grid[0, 0]
    for steps in range(8):
        grown = reached | kn.roll(reached, 1, axis=0) | kn.roll(reached, 1, axis=1)
        grown = grown & grid
        if kn.all(grown == reached):
            return reached, steps
        reached = grown
    return reached, 8


@program(lambda rng: (kn.asarray(rng.integers(1, 9, size=(4, 4)).astype("f4")),))
def shortest_paths(d):
    d = kn.copy(d)
    for k in range(4):
        through = d[:, k:k + 1] + d[k:k + 1, :]
        if kn.any(through < d):
            d = kn.minimum(d, through)
    return d


@program(lambda rng: (kn.asarray(rng.random((4, 4)) < 0.4),))
def breadth_first(adjacent):
    queue, seen = [0], {0}
    while queue:
        node = queue.pop(0)
        for other in range(4):
            if other not in seen and adjacent[node, other]:
                seen.add(other)
                queue.append(other)
    return sorted(seen)


@program(lambda rng: (kn.asarray(rng.integers(0, 3, size=(3, 3))),))
def winner(board):
    for player in (1, 2):
        own = board == player
        if kn.any(kn.all(own, axis=0)) or kn.any(kn.all(own, axis=1)) or kn.all(kn.diagonal(own)):
            return player
    return None if kn.all(board > 0) else 0


@program(lambda rng: (kn.asarray(rng.normal(size=(3, 2)).astype("f4")), kn.asarray(rng.normal(size=2).astype("f4"))))
def decision_tree(split, x):
    node = 0
    while node < 3:
        node = 2 * node + (1 if x[0] < split[node, 0] else 2)
    return node, x * node


@program(lambda rng: (kn.asarray(rng.normal(size=(4, 3)).astype("f4")), kn.asarray(int(rng.integers(0, 3)))))
def label_or_default(scores, default):
    labels = []
    for row in scores:
        best = kn.argmax(row)
        labels.append(int(best if row[best] > 0.5 else default))
    return labels


@program(vector(4))
def softmax_or_sparse(x):
    p = kn.softmax(x)
    if kn.max(p) > 0.6:
        p = kn.where(p == kn.max(p), 1.0, 0.0)
    return p / kn.sum(p)


@program(vector(6))
def outliers_removed(x):
    for _ in range(3):
        center, spread = kn.mean(x), kn.std(x)
        keep = kn.abs(x - center) <= 1.2 * spread
        if kn.all(keep):
            break
        x = x[keep]
    return x, x.shape


@program(vector(5))
def quantized(x):
    bits, error = 1, kn.asarray(1.0)
    while error > 0.05 and bits < 8:
        levels = 2**bits
        error = kn.max(kn.abs(kn.round(x * levels) / levels - x))
        bits += 1
    return bits, error


@program(lambda rng: (kn.asarray(rng.normal(size=4).astype("f4")), kn.asarray(rng.normal(size=4).astype("f4")), kn.asarray(int(rng.integers(0, 4)))))
def momentum_with_restarts(w, v, step):
    g = 2 * w
    v = 0.9 * v - 0.1 * g
    if step % 3 == 0 or kn.sum(v * g) > 0:
        v = kn.zeros_like(v)
    return w + v, v, step + 1


@program(lambda rng: (kn.asarray(rng.normal(size=3).astype("f4")), [None, "relu", "tanh"][rng.integers(0, 3)], bool(rng.integers(0, 2))))
def layer(x, activation, residual):
    y = x * 2 - 1
    if activation == "relu":
        y = kn.maximum(y, 0)
    elif activation is not None:
        y = kn.tanh(y)
    if residual and kn.any(y != 0):
        y = y + x
    return y


@program(lambda rng: ([kn.asarray(rng.normal(size=2).astype("f4")) for _ in range(3)],))
def first_positive(arrays):
    for i, a in enumerate(arrays):
        if kn.all(a > 0):
            break
    else:
        return None
    return i, a


@program(vector(3))
def with_default(x):
    value = next((v for v in x if v > 0.5), None)
    return x if value is None else value * x


@program(matrix(3))
def triangular_or_not(a):
    below = kn.tril(a, -1)
    if not kn.any(kn.abs(below) > 1.5):
        a = a - below
    return kn.prod(kn.diagonal(a)) if kn.all(kn.tril(a, -1) == 0) else kn.linalg.det(a)


@program(integer(0, 9))
def python_math(n):
    k = int(n)
    return math.sqrt(k) * kn.ones(2) if k > 4 else kn.full(math.factorial(k) % 5 + 1, math.pi)


@program(lambda rng: (kn.asarray(rng.integers(0, 3, size=2)), kn.asarray(rng.normal(size=(3, 3)).astype("f4"))))
def indexed_by_values(at, table):
    i, j = at
    row = table[i]
    if row[j] > 0:
        row = row[: int(j) + 1]
    return row, table[int(i), int(j)]


@program(vector(3))
def exceptions_of_operations(x):
    try:
        if x[0] > 0:
            return kn.concat([x, kn.ones((2, 2))])
        y = x.reshape(2, 2)
    except (kn.ShapeError, ValueError):
        y = x + 1
    return y


@program(number(-1, 1))
def while_else(x):
    n = 0
    while n < 4:
        x = x * 2
        if x > 3:
            break
        n += 1
    else:
        x = -x
    return x, n
