"""Functions with control flow on values, as people write them, and inputs for each: see test_control_flow.py.

``PROGRAMS`` maps names to (function, inputs): `inputs` takes a NumPy generator and gives the arguments of one call.
"""
import numpy as np

import kiln as kn

PROGRAMS = {}
RAISES = set()  # programs that end in an exception on some inputs: those calls enter Python


def program(inputs, raises=False):
    def add(function):
        PROGRAMS[function.__name__] = function, inputs
        if raises:
            RAISES.add(function.__name__)
        return function
    return add


def vector(n=5, scale=1.0):
    return lambda rng: (kn.asarray((rng.normal(size=n) * scale).astype("f4")),)


def number(low, high, dtype="f4"):
    return lambda rng: (kn.asarray(np.asarray(rng.uniform(low, high), dtype)),)


def integer(low, high):
    return lambda rng: (kn.asarray(int(rng.integers(low, high))),)


def matrix(n=4):
    return lambda rng: (kn.asarray(rng.normal(size=(n, n)).astype("f4")),)


# Roots and minima


@program(number(0.5, 50))
def newton(a):
    x = a * 0.5 + 0.5
    while kn.abs(x * x - a) > 1e-4 * a:
        x = 0.5 * (x + a / x)
    return x


@program(number(0.5, 50))
def newton_with_count(a):
    x, n = a * 0.5 + 0.5, 0
    while True:
        step = (x * x - a) / (2 * x)
        x = x - step
        n += 1
        if kn.abs(step) < 1e-4 or n >= 8:
            break
    return x, n


@program(number(0.1, 8))
def bisection(target):
    low, high = kn.zeros_like(target), kn.full_like(target, 3.0)
    for _ in range(12):
        middle = 0.5 * (low + high)
        if middle * middle < target:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@program(vector(3))
def line_search(x):
    def loss(v):
        return kn.sum(v * v + kn.cos(v))

    gradient = 2 * x - kn.sin(x)
    t, start = 1.0, loss(x)
    while loss(x - t * gradient) > start - 0.3 * t * kn.sum(gradient * gradient) and t > 1e-3:
        t *= 0.5
    return x - t * gradient, t


@program(vector(3, 2.0))
def descent_with_early_stopping(x):
    best, bad = kn.sum(x * x), 0
    for epoch in range(30):
        x = x - 0.2 * kn.tanh(x)
        loss = kn.sum(x * x)
        if loss < 0.9 * best:
            best, bad = loss, 0
        else:
            bad += 1
            if bad == 3:
                break
    return x, best, epoch


@program(number(-3, 3))
def golden_section(shift):
    a, b, ratio = shift * 0 - 4, shift * 0 + 4, 0.618034
    while b - a > 0.5:
        c, d = b - ratio * (b - a), a + ratio * (b - a)
        if (c - shift) ** 2 < (d - shift) ** 2:
            b = d
        else:
            a = c
    return (a + b) / 2


# Integers


@program(integer(1, 60))
def collatz(n):
    steps = 0
    while n != 1 and steps < 40:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return n, steps


@program(lambda rng: (kn.asarray(int(rng.integers(1, 40))), kn.asarray(int(rng.integers(1, 40)))))
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


@program(integer(0, 200))
def digits(n):
    found = []
    while n > 0:
        found.append(n % 10)
        n = n // 10
    return found


@program(integer(2, 50))
def is_prime(n):
    k = 2
    while k * k <= n:
        if n % k == 0:
            return False, k
        k += 1
    return True, int(n)


@program(integer(0, 12))
def fibonacci(n):
    a, b = 0, 1
    for _ in range(int(n)):
        a, b = b, a + b
    return a


@program(integer(0, 7))
def power_by_squaring(n):
    result, base = kn.asarray(1.0), kn.asarray(1.5)
    while n > 0:
        if n % 2:
            result = result * base
        base, n = base * base, n // 2
    return result


# Linear algebra


@program(matrix(3))
def power_iteration(a):
    a = a @ a.T
    v = kn.ones(3)
    last = kn.asarray(0.0)
    for trip in range(12):
        w = a @ v
        size = kn.sqrt(kn.sum(w * w))
        v = w / size
        if kn.abs(size - last) < 1e-2 * size:
            break
        last = size
    return v, size, trip


@program(lambda rng: (kn.asarray((rng.normal(size=(4, 4)) * 0.3).astype("f4")), kn.asarray(rng.normal(size=4).astype("f4"))))
def conjugate_gradient(m, b):
    a = m @ m.T + kn.eye(4)
    x = kn.zeros(4)
    r = b - a @ x
    p, rs, n = r, kn.sum(r * r), 0
    while kn.sqrt(rs) > 1e-3 and n < 10:
        ap = a @ p
        alpha = rs / kn.sum(p * ap)
        x = x + alpha * p
        r = r - alpha * ap
        new = kn.sum(r * r)
        p, rs, n = r + (new / rs) * p, new, n + 1
    return x, n


@program(matrix(4))
def jacobi_until_converged(m):
    a = m * 0.2 + 3 * kn.eye(4)
    b, x = kn.sum(m, axis=1), kn.zeros(4)
    diagonal = kn.diagonal(a)
    while kn.max(kn.abs(b - a @ x)) > 1e-2:
        x = (b - a @ x + diagonal * x) / diagonal
    return x


@program(matrix(3))
def pivoted_elimination(a):
    a = kn.copy(a)
    for k in range(2):
        pivot = int(kn.argmax(kn.abs(a[k:, k]))) + k
        if pivot != k:
            row = kn.copy(a[k])
            a[k] = a[pivot]
            a[pivot] = row
        for i in range(k + 1, 3):
            a[i] = a[i] - a[i, k] / a[k, k] * a[k]
    return a


@program(matrix(3))
def scaled_until_small(a):
    doublings = 0
    while kn.max(kn.abs(a)) > 0.5:
        a, doublings = a / 2, doublings + 1
    for _ in range(doublings):
        a = a @ a
    return a


# Training


@program(vector(6, 3.0))
def clip_by_norm(g):
    norm = kn.sqrt(kn.sum(g * g))
    if norm > 4:
        g = g * (4 / norm)
    return g


@program(lambda rng: (kn.asarray(rng.normal(size=4).astype("f4")), kn.asarray((rng.normal(size=4) * 10 ** rng.integers(0, 40)).astype("f4")), kn.asarray(8.0)))
def loss_scaling(w, g, scale):
    if not kn.all(kn.isfinite(g)):
        return w, scale * 0.5
    w = w - 0.1 * g / scale
    if scale < 16:
        scale = scale * 2
    return w, scale


@program(lambda rng: (kn.asarray(rng.normal(size=4).astype("f4")), kn.asarray(rng.normal(size=4).astype("f4")), int(rng.integers(0, 3))))
def schedule(w, g, step):
    rate = 0.1 if step < 1 else 0.01
    if kn.sum(g * g) > 3 and step != 2:
        rate *= 0.5
    return w - rate * g


@program(lambda rng: (kn.asarray(rng.normal(size=(6, 2)).astype("f4")), kn.asarray(rng.normal(size=2).astype("f4"))))
def perceptron(x, w):
    for i in range(6):
        if kn.sum(x[i] * w) < 0:
            w = w + x[i]
    return w


@program(lambda rng: ({"w": kn.asarray(rng.normal(size=3).astype("f4")), "b": kn.asarray(rng.normal(size=3).astype("f4"))}, kn.asarray(rng.normal(size=3).astype("f4"))))
def step_in_place(parameters, x):
    error = x * parameters["w"] + parameters["b"]
    parameters["w"] -= 0.1 * error * x
    if kn.sum(error) > 0:
        parameters["b"] -= 0.1 * error
    return kn.sum(error * error)


# Sequences


@program(lambda rng: (kn.asarray(rng.normal(size=(6, 3)).astype("f4")), kn.asarray(int(rng.integers(0, 7)))))
def rnn_with_length(xs, length):
    h = kn.zeros(3)
    for t in range(int(length)):
        h = kn.tanh(xs[t] + 0.5 * h)
    return h


@program(lambda rng: (kn.asarray(rng.normal(size=(6, 6)).astype("f4")), kn.asarray(int(rng.integers(0, 6)))))
def greedy_decoding(logits, token):
    tokens = []
    for _ in range(5):
        token = kn.argmax(logits[token])
        tokens.append(int(token))
        if token == 0:
            break
    return tokens


@program(lambda rng: (kn.asarray(rng.normal(size=(3, 3)).astype("f4")),))
def beam_search(scores):
    beams = [((), kn.asarray(0.0))]
    for _ in range(2):
        candidates = [(path + (j,), score + scores[path[-1] if path else 0, j]) for path, score in beams for j in range(3)]
        candidates.sort(key=lambda c: float(c[1]), reverse=True)
        beams = candidates[:2]
    return [path for path, _ in beams], beams[0][1]


@program(lambda rng: (kn.asarray(rng.integers(0, 3, size=6)),))
def run_lengths(x):
    runs, last = [], None
    for i in range(6):
        value = int(x[i])
        if value == last:
            runs[-1] += 1
        else:
            runs.append(1)
            last = value
    return runs


@program(lambda rng: (kn.asarray(rng.integers(0, 3, size=5)), kn.asarray(rng.integers(0, 3, size=5))))
def edit_prefix(a, b):
    same = 0
    while same < 5 and a[same] == b[same]:
        same += 1
    return same, a[same:], b[:same]


@program(lambda rng: (kn.asarray(np.sort(rng.normal(size=8)).astype("f4")), kn.asarray(np.float32(rng.normal()))))
def binary_search(table, key):
    low, high = 0, 8
    while low < high:
        middle = (low + high) // 2
        if table[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@program(lambda rng: (kn.asarray(rng.normal(size=5).astype("f4")),))
def bubble_sort(x):
    x = kn.copy(x)
    for i in range(3):
        for j in range(4 - i):
            if x[j] > x[j + 1]:
                held = kn.copy(x[j])
                x[j] = x[j + 1]
                x[j + 1] = held
    return x


# Simulations


@program(number(-2, 2))
def adaptive_ode_step(y):
    t, h = 0.0, 0.5
    while t < 1.0:
        whole = y + h * kn.sin(y)
        half = y + h / 2 * kn.sin(y)
        half = half + h / 2 * kn.sin(half)
        error = kn.abs(whole - half)
        if error > 0.02:
            h *= 0.5
            continue
        y, t = half, t + h
        if error < 0.005:
            h *= 2
    return y, t


@program(lambda rng: (kn.asarray(rng.random((5, 5)) < 0.35),))
def life_until_stable(board):
    for generation in range(6):
        cells = kn.astype(board, kn.int32)
        near = sum(kn.roll(kn.roll(cells, i, axis=0), j, axis=1) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
        after = (near == 3) | (board & (near == 2))
        if kn.all(after == board):
            break
        board = after
    return board, generation


@program(lambda rng: (kn.asarray(rng.normal(size=(8, 2)).astype("f4")),))
def k_means_until_converged(points):
    centers = kn.copy(points[:2])
    last = None
    for trip in range(8):
        distances = kn.sum((points[:, None] - centers[None]) ** 2, axis=2)
        nearest = kn.argmin(distances, axis=1)
        if last is not None and kn.all(nearest == last):
            break
        last = nearest
        for k in range(2):
            members = kn.astype(nearest == k, kn.float32)
            count = kn.sum(members)
            if count > 0:
                centers[k] = kn.sum(points * members[:, None], axis=0) / count
    return centers, nearest, trip


@program(lambda rng: (kn.asarray(rng.normal(size=2).astype("f4")),))
def mandelbrot(c):
    re, im = c[0], c[1]
    x, y = kn.zeros_like(re), kn.zeros_like(im)
    for n in range(15):
        if x * x + y * y > 4:
            return n
        x, y = x * x - y * y + re, 2 * x * y + im
    return 15


@program(number(0.1, 3))
def bouncing_ball(height):
    speed, bounces = kn.zeros_like(height), 0
    for _ in range(12):
        speed = speed - 0.5
        height = height + 0.3 * speed
        if height < 0:
            height, speed, bounces = -height, -0.8 * speed, bounces + 1
    return height, speed, bounces


# Choices


@program(vector())
def sign_of_sum(x):
    if kn.sum(x) > 0:
        return x + 1
    return x - 1


@program(vector())
def three_ways(x):
    m = kn.mean(x)
    if m > 0.3:
        y = x * 2
    elif m > -0.3:
        y = x * 3
    else:
        y = -x
    return y + m


@program(lambda rng: (kn.asarray(rng.normal(size=(3, 4)).astype("f4")), kn.asarray(rng.normal(size=(3, 4, 4)).astype("f4"))))
def mixture_of_experts(x, experts):
    rows = []
    for i in range(3):
        rows.append(x[i] @ experts[int(kn.argmax(x[i, :3]))])
    return kn.stack(rows)


@program(integer(-2, 5))
def matched(n):
    match int(n):
        case 0:
            return "none"
        case 1 | 2:
            return "few", n
        case k if k < 0:
            return -n
    return n * 2


@program(vector(3))
def chained_comparison(x):
    m = kn.max(x)
    return x if 0 < m < 1 else m


@program(vector(3))
def and_or_not(x):
    if (x[0] > 0 and x[1] > 0) or not x[2] > 0:
        return x * 2
    return x[0] or x[1]


@program(vector(3))
def any_and_all(x):
    if any(v > 1 for v in x):
        return "large"
    return "positive" if all(v > 0 for v in x) else x


@program(vector(4))
def maximum_by_hand(x):
    best, at = x[0], 0
    for i in range(1, 4):
        if x[i] > best:
            best, at = x[i], i
    return best, at


@program(vector(4))
def python_min_max(x):
    return min(x[0], x[1]), max(x[2], x[3]), sorted([x[0], x[3]], key=lambda v: v)


@program(integer(0, 5))
def array_as_size(n):
    return kn.ones(int(n)) * 2, kn.arange(10)[: int(n)], [1, 2, 3, 4, 5, 6][n]


@program(integer(1, 4))
def array_in_range(n):
    total = kn.asarray(0)
    for i in range(n):
        total = total + i * n
    return total


@program(lambda rng: (kn.asarray(np.float32(rng.integers(0, 3))), kn.asarray(np.float64(rng.integers(0, 3)))))
def numbers_of_arrays(x, y):
    return float(x) + 0.5, int(y), y.item() * 2, bool(x), complex(x), f"{x:.1f}"


@program(lambda rng: (kn.asarray(rng.integers(0, 2, size=3)),))
def as_list(x):
    return x.tolist(), sum(x.tolist()), [v + 1 for v in x.tolist() if v]


@program(lambda rng: (kn.asarray(np.float32([rng.normal(), np.nan, np.inf, -0.0, 0.0][rng.integers(0, 5)])),))
def special_values(x):
    if x != x:
        return "nan"
    if x > 1e30:
        return x
    return 1 / x if x else x


# Effects, errors, views


@program(vector(4), raises=True)
def checked(x):
    assert kn.all(kn.isfinite(x)), "finite"
    if kn.sum(x) > 1.5:
        raise ValueError("too large")
    return kn.sqrt(kn.abs(x))


@program(vector(4))
def caught(x):
    try:
        if x[0] > 0:
            raise KeyError("positive")
        y = x * 2
    except KeyError:
        y = x * 3
    else:
        y = y + 1
    finally:
        y = y * 0.5
    return y


@program(vector(4))
def writes_before_and_after(x):
    x += 1
    if kn.sum(x) > 4:
        x[1:] *= 2
        y = kn.sum(x)
    else:
        y = x[0] * 1
        x[0] = 7
    return y


@program(vector(6))
def views_across_a_cut(x):
    y = x * 2
    head, tail = y[:3], y[3:]
    turned = y.reshape(2, 3).T
    if head[0] > 0:
        head += 1
        y[5] = 9
    else:
        tail[0] = -1
    return head, tail, turned, kn.sum(y)


@program(vector(6))
def views_of_arguments_across_a_cut(x):
    rows = x.reshape(2, 3)
    row = rows[1]
    if x[0] > 0:
        row += 5
    if row[0] > 3:
        rows[0] = row * 2
        return row
    return rows


@program(lambda rng: (kn.asarray(rng.normal(size=3).astype("f4")), kn.asarray(rng.normal(size=3).astype("f4"))))
def swapped(x, y):
    if x[0] > y[0]:
        held = kn.copy(x)
        x[:] = y
        y[:] = held
    if y[1] > 0:
        y[:] = x
    return x[0] - y[0]


@program(vector(3))
def written_twice(x):
    before = kn.copy(x)
    x[:] = 0
    if before[0] > 0:
        x[:] = before
    x += before
    return before


@program(vector(3))
def returns_an_argument(x):
    if x[0] > 0:
        return x
    return {"x": x, "view": x[1:], "twice": [x, x]}


@program(vector(3))
def the_same_array_twice(x):
    y = x + 1
    if y[0] > 1:
        return y, y, y[1:]
    return [y, (y,)]


@program(lambda rng: (kn.asarray(rng.normal(size=(2, 3)).astype("f4")),))
def strided(x):
    t = x.T
    if t[0, 1] > 0:
        t = t[::2]
    return kn.sum(t, axis=0), t * 2


# Functions


@program(integer(0, 6))
def factorial(n):
    def recursive(k):
        return 1 if k <= 1 else k * recursive(k - 1)
    return recursive(n)


@kn.jit
def _inner(x):
    return x * 2 if kn.sum(x) > 0 else x * 3


@program(vector(3))
def nested_jit(x):
    y = _inner(x)
    return _inner(y - 1) if y[0] > 0 else y


def _powers(x):
    value = x
    while True:
        yield value
        value = value * x


@program(number(0.5, 3))
def generator(x):
    for n, value in enumerate(_powers(x)):
        if value > 5 or n == 6:
            return value, n


@program(vector(3))
def closure_counter(x):
    seen = {"n": 0}

    def positive(v):
        seen["n"] += 1
        return bool(v > 0)

    kept = [v for v in x if positive(v)]
    return kept, seen["n"]


@program(lambda rng: (kn.asarray(rng.normal(size=4).astype("f4")), int(rng.integers(0, 3)), ["a", "b"][rng.integers(0, 2)]))
def keyed_and_guarded(x, k, name):
    for _ in range(k):
        if kn.sum(x) > 0:
            x = x - 1
        elif name == "a":
            x = x + 1
    return x


@program(lambda rng: (kn.asarray(rng.normal(size=4).astype("f4")),))
def unused_branch_value(x):
    y = kn.exp(x)
    z = kn.sum(y)
    if x[0] > 0:
        return x * 1
    return z


@program(lambda rng: (kn.asarray(bool(rng.integers(0, 2))), kn.asarray(rng.normal(size=2).astype("f4"))))
def asks_for_an_argument(flag, x):
    if flag:
        return x
    return x * 2 if flag else x * 3


# Sizes that follow from values


@program(vector(6))
def positive_ones(x):
    y = x[x > 0]
    return y * 2, kn.sum(y), y.shape[0]


@program(lambda rng: (kn.asarray(rng.integers(0, 3, size=5)),))
def distinct(x):
    return kn.unique_values(x), kn.nonzero(x)[0] + 1


@program(vector(5))
def until_none_is_large(x):
    trips = 0
    while kn.count_nonzero(x > 0.5):
        x = x[x < kn.max(x)]
        trips += 1
    return x, trips
