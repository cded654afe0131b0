"""Derivatives and batches of every op, by rows from the op records: finite differences in both modes, one mode against the other, the
conventions at edges, and a batch against a loop."""
import numpy as np
import pytest

import rules
from rules import OPS, Drawn, calls_of, draw

DIFFERENTIABLE = [name for name, o in OPS.items() if o["isDifferentiable"]]
STEP = 2e-4


def inexact(op):
    return [t for t in rules.TESTED[OPS[op]["dtypes"]] if np.dtype(t).kind in "fc"]


def rows(ops, dtypes):
    for op in ops:
        for number, call in enumerate(calls_of(op)):
            is_real = any(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in call[0])  # what the record writes out
            for dtype in dtypes(op):
                if not is_real or np.dtype(dtype).kind == "f":
                    yield pytest.param(op, call, dtype, id=f"{op}-{number}-{dtype}")


def differences(op, point, words, direction):
    """The derivative in a direction, of the fourth order; and of the second, which shows where that is none."""
    def at(step):
        return rules.run(op, [x if t is None else (x + step * t).astype(x.dtype) for x, t in zip(point, direction)], words)

    near, far = (at(STEP) - at(-STEP)) / (2 * STEP), (at(2 * STEP) - at(-2 * STEP)) / (4 * STEP)
    return (4 * near - far) / 3, near


def inner(x, y):
    return float(sum(np.vdot(a, b).real for a, b in zip(x, y) if a is not None and b is not None))


def without_phases(op, point, words, result, change):
    """A change of vectors without what turns them by a phase, which LAPACK chooses."""
    if op not in ("eigh", "eig", "svd") or not words[-1] or change.dtype.kind != "c":
        return change
    change, (m, n) = change.copy(), point[0].shape[-2:]
    k = min(m, n)
    sizes = [(k, m, k)] if op != "svd" else [(k, m, k), (k + m * k, k, n)]

    def matrix(x, start, r, c):
        return x[..., start:start + r * c].reshape(*x.shape[:-1], r, c)

    start, r, c = sizes[-1]
    turned, still = matrix(change, start, r, c), matrix(result, start, r, c)
    if op == "svd":
        phase = -1j * np.sum(turned * still.conj(), axis=-1).imag  # of rows of the adjoint
        turned += phase[..., :, None] * still
        u, by = matrix(result, *sizes[0]), matrix(change, *sizes[0])
        by -= phase[..., None, :] * u
        change[..., sizes[0][0]:sizes[0][0] + m * k] = by.reshape(*by.shape[:-2], -1)
    else:
        turned -= still * (1j * np.sum(still.conj() * turned, axis=-2).imag)[..., None, :]
    change[..., start:start + r * c] = turned.reshape(*turned.shape[:-2], -1)
    return change


@pytest.mark.parametrize("op, call, dtype", rows(DIFFERENTIABLE, inexact))
def test_derivatives(op, call, dtype):
    rng = np.random.default_rng(0)
    operands, words = call
    drawn_again = 0
    while True:
        point = [draw(op, x, i, rng, dtype) for i, x in enumerate(operands)]
        direction = [o.direction(rng, p.dtype) if isinstance(o, Drawn) and p.dtype.kind in "fc" else None for o, p in zip(operands, point)]
        want, rough = differences(op, point, words, direction)
        if want.dtype.itemsize <= 8 or np.abs(want - rough).max(initial=0) <= 1e-3 * (1 + np.abs(want).max(initial=0)):
            break
        drawn_again += 1  # a kink or a pole within the steps
        assert drawn_again < 20
    result = rules.run(op, point, words)
    single = result.dtype in (np.float32, np.complex64)
    tolerance = 2e-3 if single else 2e-8
    got = rules.jvp(op, point, words, direction)
    if got is None:
        got = np.zeros_like(want)
    want, seen = (without_phases(op, point, words, result, x) for x in (want, got))
    scale = 1 + np.abs(want).max(initial=0)
    np.testing.assert_allclose(seen, want, rtol=tolerance, atol=tolerance * scale)
    # Each operand alone, and the other mode.
    cotangent = np.asarray(Drawn(*result.shape).direction(rng, result.dtype))
    gradients = rules.vjp(op, point, words, cotangent)
    for x, t, gradient in zip(point, direction, gradients):
        if gradient is not None:
            assert gradient.shape == x.shape and gradient.dtype == x.dtype
        assert t is not None or gradient is None
    left, right = inner([cotangent], [got]), inner(gradients, direction)
    assert abs(left - right) <= (1e-5 if single else 1e-10) * (np.abs(cotangent).sum() * scale + 1)
    moving = [i for i, t in enumerate(direction) if t is not None]
    if len(moving) > 1:
        parts = [rules.jvp(op, point, words, [t if i == j else None for j, t in enumerate(direction)]) for i in moving]
        total = sum(p for p in parts if p is not None)
        np.testing.assert_allclose(total, got, rtol=1e-5 if single else 1e-10, atol=(1e-5 if single else 1e-10) * scale)
        for i in moving:
            only = rules.vjp(op, point, words, cotangent, [i == j for j in range(len(point))])
            assert all(g is None for j, g in enumerate(only) if j != i)
            np.testing.assert_array_equal(only[i], gradients[i])


@pytest.mark.parametrize("op, call, dtype", rows(DIFFERENTIABLE, inexact))
def test_second_derivatives(op, call, dtype):
    rng = np.random.default_rng(2)
    operands, words = call
    point = [draw(op, x, i, rng, dtype) for i, x in enumerate(operands)]
    direction = [o.direction(rng, p.dtype) if isinstance(o, Drawn) and p.dtype.kind in "fc" else None for o, p in zip(operands, point)]
    result = rules.run(op, point, words)
    cotangent = np.asarray(Drawn(*result.shape).direction(rng, result.dtype))
    if op == "eig" or op in ("eigh", "svd") and dtype == "complex128":  # a loss that no phase is in
        cotangent[..., point[0].shape[-1] if op != "svd" else min(point[0].shape[-2:]):] = 0

    def gradients(step):
        moved = [x if t is None else (x + step * t).astype(x.dtype) for x, t in zip(point, direction)]
        return rules._rule("vjp", op, moved, words, given=[cotangent])

    got = rules.second(op, point, words, cotangent, direction)
    parts = [gradients(h) for h in (STEP, -STEP, 2 * STEP, -2 * STEP)]
    for seen, a, b, c, d in zip(got, *parts):
        if a is None:
            assert seen is None
            continue
        want = (4 * (a - b) / (2 * STEP) - (c - d) / (4 * STEP)) / 3
        tolerance = 5e-3 if result.dtype.itemsize * (2 if result.dtype.kind == "f" else 1) <= 8 else 1e-7
        np.testing.assert_allclose(np.zeros_like(want) if seen is None else seen, want, rtol=tolerance, atol=tolerance * (1 + np.abs(want).max(initial=0)))


@pytest.mark.parametrize("op, edge", [pytest.param(n, e, id=f"{n}-{e}") for n, o in OPS.items() for e in o["edges"]])
def test_conventions_at_edges(op, edge):
    call = eval(f"dict({edge})", rules.NAMES)
    names, want = OPS[op]["operands"], {}
    is_complex = any(isinstance(v, complex) for v in call.values())
    for name in names:
        if f"d{name}" in call:
            want[name] = np.asarray(call[f"d{name}"], complex if is_complex else float)
    point = [np.asarray(call[n], "int64" if n == "indices" else complex if is_complex else float) for n in names]
    words = rules.words_of(op, call)
    result = rules.run(op, point, words)
    one = np.ones_like(result)
    gradients = rules.vjp(op, point, words, one)
    for name, gradient in zip(names, gradients):
        if name in want:
            expected = want[name]
            np.testing.assert_allclose(np.zeros_like(expected) if gradient is None else gradient, expected, rtol=1e-14, err_msg=f"d{name}")
    if all(w.ndim == 0 for w in want.values()):
        for i, name in enumerate(names):
            if name in want:
                moved = rules.jvp(op, point, words, [np.ones_like(p) if i == j else None for j, p in enumerate(point)])
                expected = want[name] if np.iscomplexobj(result) else want[name].real
                np.testing.assert_allclose(np.zeros_like(result) if moved is None else moved, expected, rtol=1e-14, err_msg=f"t{name}")
    if OPS[op]["singular"]:
        for gradient in rules.vjp(op, point, words, 0 * one):
            assert gradient is None or (gradient == 0).all(), "a cotangent of 0 stays 0"


def subsets(n):
    return [[bool(bits >> i & 1) for i in range(n)] for bits in range(1, 1 << n)] if n < 4 else [[True] * n]


@pytest.mark.parametrize("op, call, dtype", rows([n for n, o in OPS.items() if o["batching"] != "none"], lambda op: rules.TESTED[OPS[op]["dtypes"]]))
def test_a_batch_is_a_loop(op, call, dtype):
    rng = np.random.default_rng(1)
    operands, words = call
    size = 3
    for batched in subsets(len(operands)):
        lanes = []
        once = [draw(op, o, i, rng, dtype) for i, o in enumerate(operands)]
        for lane in range(size):
            lanes.append([one if not b else draw(op, o, i, rng, dtype) if isinstance(o, Drawn) else np.roll(one, lane)
                          for i, (o, b, one) in enumerate(zip(operands, batched, once))])
        together = [np.stack([lane[i] for lane in lanes]) if b else once[i] for i, b in enumerate(batched)]
        got = rules.batch(op, together, words, batched, size)
        want = np.stack([rules.run(op, lane, words) for lane in lanes])
        assert got.shape == want.shape and got.dtype == want.dtype
        if op == "dot_general" and want.dtype.kind == "f":
            sums = np.stack([rules.run(op, [np.abs(x) for x in lane], words) for lane in lanes])
            assert (np.abs(got - want) <= 8 * np.finfo(want.dtype).eps * sums).all()
        else:
            same = (got == want) | (np.isnan(got) & np.isnan(want)) if want.dtype.kind in "fc" else got == want
            assert same.all(), f"batched {batched}: {got} against {want}"


def test_gradients_that_do_not_flow():
    x = np.array([1.5, 2.5])
    assert rules.vjp("floor", [x], [], x) == [None] and rules.jvp("floor", [x], [], [x]) is None
    assert rules.vjp("multiply", [x, x], [], x, wanted=[False, False]) == [None, None]
    i = np.array([1, 2])
    assert rules.vjp("multiply", [i, i], [], i) == [None, None]
    assert rules.vjp("cast", [i], [rules.DTYPES.index("float64")], x) == [None]


def test_rules_that_have_no_derivative_say_so():
    x = np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(ValueError, match="svd: gradient: expected as many vectors as values, or a square matrix, got all vectors of"):
        rules.vjp("svd", [x], [2], np.ones(3 + 16 + 9))
    with pytest.raises(ValueError, match="qr: gradient: expected as many columns of Q as the matrix has, got a square Q of"):
        rules.vjp("qr", [x], [1], np.ones(16 + 12))
    with pytest.raises(ValueError, match="add: rank of an operand in a batch: expected at most 31, got 32"):
        rules._rule("batch", "add", [np.ones([1] * 32)] * 2, [], flags=[1, 1], size=1)


def random_convolution(rng):
    spatial, groups = rng.integers(1, 3), rng.integers(1, 3)
    window, dilation = rng.integers(1, 4, spatial), rng.integers(1, 3, spatial)
    low, high, strides = rng.integers(0, 4, spatial), rng.integers(0, 4, spatial), rng.integers(1, 4, spatial)
    sizes = np.maximum(rng.integers(1, 8, spatial), (window - 1) * dilation + 1 - low - high)
    channels, filters = groups * rng.integers(1, 3, 2)
    call = {"strides": strides, "low": low, "high": high, "dilation": dilation, "groups": groups}
    return [Drawn(rng.integers(1, 3), *sizes, channels), Drawn(*window, channels // groups, filters)], call


def random_product(rng):
    letters, k = "abcde", int(rng.integers(1, 5))
    batch, mine, others = (int(rng.integers(0, most)) for most in (3, 3, 3))
    sizes = {c: int(rng.integers(1, 4)) for c in letters + "vwxyz"}
    shared = list(letters[:batch])
    sides = [shared + list(letters[batch:batch + mine]) + ["k"], shared + list("vwxyz"[:others]) + ["k"]]
    for side in sides:
        rng.shuffle(side)
    call = {"x_batch": [sides[0].index(c) for c in shared], "y_batch": [sides[1].index(c) for c in shared], "x_axis": sides[0].index("k"), "y_axis": sides[1].index("k")}
    return [Drawn(*(k if c == "k" else sizes[c] for c in side)) for side in sides], call


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("op, make", [("convolution", random_convolution), ("dot_general", random_product)])
def test_products_of_any_form(op, make, seed):
    operands, call = make(np.random.default_rng(seed))
    words = [int(w) for w in rules.words_of(op, call)]
    test_derivatives(op, (operands, words), "float64")
    test_a_batch_is_a_loop(op, (operands, words), "float64")


def narrowed(x, dtype):
    """Floating operands in a narrower dtype."""
    if x is None or x.dtype.kind not in "fc":
        return x
    return rules.Bfloat16.of(x) if dtype == "bfloat16" else x.astype(dtype)


NARROW = {"float32": ("float64", 2e-5), "float16": ("float64", 2e-2), "bfloat16": ("float64", 0.16), "complex64": ("complex128", 5e-5)}


@pytest.mark.parametrize("narrow", NARROW)
@pytest.mark.parametrize("op", [o for o in DIFFERENTIABLE if OPS[o]["derivatives"]])
def test_narrow_dtypes(op, narrow):
    """Derivatives in float32, float16, bfloat16 and complex64, of both modes, against those in float64 and complex128."""
    rng, (wide, tolerance) = np.random.default_rng(3), NARROW[narrow]
    for operands, words in calls_of(op) if wide in inexact(op) else []:
        point = [draw(op, x, i, rng, wide) for i, x in enumerate(operands)]
        low = [narrowed(p, narrow) for p in point]
        point = [p if p.dtype.kind not in "fc" else (x.wide() if narrow == "bfloat16" else x).astype(wide) for p, x in zip(point, low)]
        tangents = [np.ones_like(p) if isinstance(o, Drawn) and p.dtype.kind in "fc" else None for o, p in zip(operands, point)]
        one = np.ones_like(rules.run(op, point, words))
        pairs = [*zip(rules.vjp(op, low, words, narrowed(one, narrow)), rules.vjp(op, point, words, one)),
                 (rules.jvp(op, low, words, [narrowed(t, narrow) for t in tangents]), rules.jvp(op, point, words, tangents))]
        for got, want in pairs:
            if got is None:
                assert want is None
                continue
            assert got.dtype == ("float32" if narrow == "bfloat16" else narrow)
            assert (np.abs(got - want) <= tolerance * (np.abs(want) + 1)).all(), (got, want)


@pytest.mark.parametrize("op, call, dtype", rows(DIFFERENTIABLE, inexact))
def test_derivatives_of_a_batch_are_those_of_a_loop(op, call, dtype):
    rng, (operands, words), size = np.random.default_rng(4), call, 3
    lanes = [[draw(op, o, i, rng, dtype) for i, o in enumerate(operands)] for _ in range(size)]
    moving = [isinstance(o, Drawn) and p.dtype.kind in "fc" for o, p in zip(operands, lanes[0])]
    result = rules.run(op, lanes[0], words)
    cotangents = [np.asarray(Drawn(*result.shape).direction(rng, result.dtype)) for _ in lanes]
    tangents = [[o.direction(rng, p.dtype) if m else None for o, p, m in zip(operands, lane, moving)] for lane in lanes]

    def stacked(parts):
        return [None if x[0] is None else np.stack(x) for x in zip(*parts)]

    together = stacked(lanes)
    pairs = [*zip(rules.rows("vjp", op, together, words, [np.stack(cotangents)]), stacked([rules.vjp(op, lane, words, c) for lane, c in zip(lanes, cotangents)])),
             (rules.rows("jvp", op, together, words, stacked(tangents))[0], stacked([[rules.jvp(op, lane, words, t)] for lane, t in zip(lanes, tangents)])[0])]
    for got, want in pairs:
        if want is None:
            assert got is None
            continue
        got = np.broadcast_to(got, want.shape)  # what is one for all examples has no axis
        assert got.dtype == want.dtype
        single = want.dtype in (np.float32, np.complex64)
        np.testing.assert_allclose(got, want, rtol=1e-5 if single else 1e-12, atol=(1e-5 if single else 1e-12) * (1 + np.abs(want).max(initial=0)))
