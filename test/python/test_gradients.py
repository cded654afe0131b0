"""kn.grad and its kin: compositions with one another, with jit, control flow, views and writes; errors."""
import numpy as np
import pytest
from scipy import optimize, special

import kiln as kn
from conftest import same_bits


def numbers(*shape, seed=0):
    return kn.asarray(np.random.default_rng(seed).normal(size=shape))


def approx(x, y, tolerance=1e-9):
    np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=tolerance, atol=tolerance)


def numeric(f, x):
    """The gradient of a function of one array of float64, by SciPy."""
    x = np.asarray(x)
    return optimize.approx_fprime(x.ravel(), lambda v: float(f(kn.asarray(v.reshape(x.shape), copy=True))), 1e-7).reshape(x.shape)


def network(params, x):
    h = kn.tanh(x @ params["w"][0] + params["b"])
    return kn.mean(kn.square(h @ params["w"][1]))


PARAMS = {"w": [numbers(3, 5), numbers(5, 2, seed=1)], "b": numbers(5, seed=2)}


def loops(x):
    total = kn.zeros((), dtype=x.dtype)
    for i in range(x.shape[0]):
        total += x[i] * x[i - 1] if float(x[i]) > 0 else kn.exp(x[i])
    return total


def writes(x):
    y = kn.zeros((2, *x.shape), dtype=x.dtype)
    y[0] = x * x
    row = y[1]
    row[::2] = x[::2] * 3
    row *= kn.sum(x)
    y.T[0, 0] = x[1]
    return kn.sum(y * y[::-1])


def writes_into_argument(x):
    before = kn.sum(x * x)
    x *= 2
    x[0] = x[1] * x[2]
    return before + kn.sum(kn.sin(x))


def selects(x):
    return kn.sum(kn.where(x > 0, kn.sqrt(x), 0) + kn.max(x) * x[kn.asarray([0, 0, 2])][1] + kn.sort(x) * kn.arange(x.shape[0]))


def decomposes(x):
    a = kn.outer(x, x) + 3 * kn.eye(x.shape[0], dtype=x.dtype)
    return kn.linalg.slogdet(a).logabsdet + kn.sum(kn.linalg.solve(a, x)) + kn.sum(kn.linalg.cholesky(a)) + kn.sum(kn.linalg.eigvalsh(a)[-1])


def transforms_signals(x):
    return kn.sum(kn.abs(kn.fft.rfft(x)) * kn.abs(kn.fft.fft(kn.complex(x, x * x)))[: x.shape[0] // 2 + 1])


PROGRAMS = [loops, writes, writes_into_argument, selects, decomposes, transforms_signals]


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(f):
    x = numbers(6)
    kept = np.array(x)
    gradient = kn.grad(f)(x)
    np.testing.assert_array_equal(np.asarray(x), kept)  # writes into arguments stay inside
    approx(gradient, numeric(f, x), 2e-6)
    direction = numbers(6, seed=3)
    value, change = kn.jvp(f, (x,), (direction,))
    approx(value, f(kn.asarray(kept.copy())), 1e-12)
    approx(change, kn.sum(gradient * direction), 1e-10)
    same_bits(kn.jit(kn.grad(f))(x), gradient)


@pytest.mark.parametrize("f", PROGRAMS[1:], ids=lambda f: f.__name__)
def test_second_derivatives(f):
    x = numbers(5)
    hessian = kn.hessian(f)(x)
    approx(hessian, hessian.T, 1e-9)
    rows = [numeric(lambda v, i=i: kn.grad(f)(v)[i], x) for i in range(5)]
    approx(hessian, rows, 5e-5)
    approx(kn.jacrev(kn.grad(f))(x), hessian, 1e-9)
    direction = numbers(5, seed=4)
    approx(kn.jvp(kn.grad(f), (x,), (direction,))[1], hessian @ direction, 1e-9)
    approx(kn.grad(lambda v: kn.sum(kn.grad(f)(v) * direction))(x), hessian @ direction, 1e-9)


@pytest.mark.parametrize("g, slope", [(lambda x: x / 3, 1 / 3), (lambda x: kn.log(x + 1), 1), (lambda x: kn.sqrt(x + 1) - 1, 0.5), (kn.asin, 1), (kn.atanh, 1), (lambda x: (x + 1) ** 1.5 - 1, 1.5), (kn.log1p, 1)])
def test_second_derivatives_where_the_first_is_zero(g, slope):
    """A cotangent that happens to be 0 has a derivative of its own."""
    f, x = lambda x: (g(x) ** 2).sum() / 2, kn.asarray([0.0, 0.25], dtype=kn.float64)
    for hessian in (kn.hessian(f), kn.jit(kn.hessian(f)), kn.jacrev(kn.grad(f)), kn.jacfwd(kn.jacfwd(f))):
        assert hessian(x)[0].tolist() == pytest.approx([slope**2, 0])


def test_trees_of_arguments_and_results():
    x = numbers(7, 3)
    (value, aux), gradients = kn.value_and_grad(lambda p, x: (network(p, x), {"name": "loss", "h": x + 1}), has_aux=True)(PARAMS, x)
    assert aux["name"] == "loss" and aux["h"].shape == x.shape and value.shape == ()
    assert kn.tree.structure(gradients) == kn.tree.structure(PARAMS)
    approx(gradients["b"], numeric(lambda b: network({**PARAMS, "b": b}, x), PARAMS["b"]), 1e-6)
    by_x, by_params = kn.grad(network, argnums=(1, 0))(PARAMS, x)
    approx(by_x, numeric(lambda v: network(PARAMS, v), x), 1e-6)
    approx(by_params["w"][1], gradients["w"][1], 1e-14)
    out, back = kn.vjp(lambda p: {"s": kn.sum(p["b"]), "t": (p["b"] * 2, 3)}, PARAMS)
    (g,) = back({"s": kn.ones((), dtype=kn.float64), "t": (kn.ones(5, dtype=kn.float64), 0)})
    approx(g["b"], np.full(5, 3.0))
    approx(g["w"][0], np.zeros((3, 5)))
    assert int(out["t"][1]) == 3


def test_compositions():
    x = numbers(4)
    approx(kn.grad(kn.grad(kn.grad(kn.sin)))(x[0]), -kn.cos(x[0]))
    approx(kn.vmap(kn.grad(kn.sin))(x), kn.cos(x))
    approx(kn.grad(lambda v: kn.sum(kn.vmap(lambda e: e * kn.sum(v))(v)))(x), 2 * kn.sum(x) * np.ones(4))
    # A gradient inside a function that is differentiated, whose arrays meet those of the outer one.
    approx(kn.grad(lambda a: a * kn.grad(lambda b: a * b * b)(a))(x[0]), 6 * x[0] ** 2)
    approx(kn.jacfwd(kn.jacfwd(lambda v: kn.sum(v ** 3)))(x), np.diag(6 * np.asarray(x)), 1e-12)
    approx(kn.grad(kn.jit(lambda v: kn.sum(v * v)))(x), 2 * x)
    approx(kn.grad(lambda v: kn.sum(kn.stop_gradient(v) * v))(x), x)
    approx(kn.jvp(lambda v: kn.stop_gradient(v) * v, (x,), (kn.ones_like(x),))[1], x)
    approx(kn.vmap(kn.stop_gradient)(x), x)
    value, push = kn.linearize(kn.sin, x)
    approx(push(x), kn.cos(x) * x)


def test_captured_arrays_are_constants():
    x = numbers(3)
    approx(kn.grad(lambda y: kn.sum(x * y))(x), x)
    scale = kn.asarray(np.ones(3))

    def f(y):
        result = kn.sum(scale * y)
        scale[...] = 5.0  # the gradient is that of the call
        return result

    approx(kn.grad(f)(x), np.ones(3))
    assert scale.tolist() == [5, 5, 5]


def test_values_go_to_python():
    def f(x):
        mask = x > float(kn.median(x))
        kept = x[mask] * len(x.tolist())
        return kn.sum(kept) if bool(kn.all(kept == kept)) else kn.sum(x)

    x = numbers(5)
    approx(kn.grad(f)(x), 5 * (np.asarray(x) > np.median(np.asarray(x))))


def test_memory_of_what_no_gradient_reads_is_given_back():
    x = kn.zeros(1 << 17, dtype=kn.float64)
    seen = []

    def f(x):
        before = kn._core.memory_stats()[0]
        for _ in range(30):
            x = (x + 1.0) * 2.0 - x
        seen.append(kn._core.memory_stats()[0] - before)
        return kn.sum(x)

    kn.grad(f)(x)
    assert seen[0] < 6 << 20  # of 90 arrays of 1 MiB


def test_results_are_arrays_of_their_own():
    x = numbers(3)
    y, back = kn.vjp(lambda v: v * v, x)
    y[...] = 0
    (g,) = back(kn.ones_like(x))
    approx(g, 2 * x)
    a, b = kn.grad(lambda p, q: kn.sum(p + q), argnums=(0, 1))(x, x)
    a[0] = 7
    approx(b, np.ones(3))
    same, back = kn.vjp(lambda v: v, x)
    same[0] = 9
    assert float(x[0]) != 9
    (twice,), (again,) = back(x), back(x)
    twice[0] = 3
    approx(again, x)


def test_complex_numbers():
    z = numbers(3) + 1j * numbers(3, seed=1)
    approx(kn.grad(lambda v: kn.sum(kn.abs(v) ** 2))(z), 2 * z, 1e-12)  # uphill, as in PyTorch
    approx(kn.grad(lambda v: kn.sum(kn.real(v * (1 + 2j))))(z), np.full(3, 1 - 2j))
    approx(kn.grad(lambda v: kn.sum(kn.real(kn.exp(v * 1j))))(kn.real(z)), -np.sin(np.asarray(kn.real(z))))
    assert kn.grad(lambda v: kn.sum(kn.real(kn.exp(v * 1j))))(kn.real(z)).dtype is kn.float64


def test_batches():
    x, y = numbers(5, 3), numbers(3, 5, seed=1)
    dot = kn.vmap(lambda a, b: kn.sum(a * b), in_axes=(0, 1))
    same_bits(dot(x, y), kn.stack([kn.sum(x[i] * y[:, i]) for i in range(5)]))
    nested = kn.vmap(kn.vmap(lambda a: kn.cumsum(a * 2), in_axes=1), out_axes=-1)
    same_bits(nested(kn.reshape(x, (5, 3, 1))), kn.stack([kn.stack([kn.cumsum(x[i] * 2)]) for i in range(5)], axis=-1))
    tree = kn.vmap(lambda d: {"a": d["p"] + d["q"], "b": kn.zeros(2)}, in_axes=({"p": 0, "q": None},))({"p": x, "q": y[:, 0]})
    approx(tree["a"], x + y[:, 0])
    assert tree["b"].shape == (5, 2)
    constant, own = kn.vmap(lambda a: (kn.asarray(3.0), a), out_axes=(None, 0))(x)
    assert constant.shape == () and own.shape == (5, 3)
    assert kn.vmap(lambda: kn.ones(2), axis_size=4)().shape == (4, 2)
    each = kn.vmap(kn.grad(network), in_axes=(None, 0))(PARAMS, x)  # gradients by example
    for i in range(5):
        approx(each["w"][0][i], kn.grad(network)(PARAMS, x[i])["w"][0], 1e-12)
    same_bits(kn.jit(dot)(x, y), dot(x, y))

    def fills(a):
        out = kn.zeros(4, dtype=a.dtype)
        out[1:] = a
        out[0] = a[-1]
        return out

    same_bits(kn.vmap(fills)(x), kn.stack([fills(r) for r in x]))
    taken = kn.vmap(lambda a, i: a[i])(x, kn.asarray([0, 2, 1, -1, 0]))
    same_bits(taken, kn.stack([x[i, j] for i, j in enumerate([0, 2, 1, -1, 0])]))


def test_one_unit_under_jit():
    x, labels = numbers(8, 3), numbers(8, 2, seed=5)

    def loss(p, x, y):
        return kn.mean(kn.square(kn.tanh(x @ p["w"][0] + p["b"]) @ p["w"][1] - y))

    @kn.jit(on_miss="raise")
    def step(p, x, y):
        value, g = kn.value_and_grad(loss)(p, x, y)
        return value, kn.tree.map(lambda a, b: a - 0.1 * b, p, g)

    value, g = kn.value_and_grad(loss)(PARAMS, x, labels)
    for _ in range(3):
        got, moved = step(PARAMS, x, labels)
        same_bits(got, value)
        same_bits(moved["w"][0], PARAMS["w"][0] - 0.1 * g["w"][0])
    assert step.stats.segments == 1


def test_special_functions_against_scipy():
    x = np.linspace(0.3, 9, 50)
    approx(kn.vmap(kn.grad(kn.grad(kn.lgamma)))(kn.asarray(x)), special.polygamma(1, x), 1e-13)
    approx(kn.vmap(kn.grad(kn.grad(kn.grad(kn.lgamma))))(kn.asarray(x)), special.polygamma(2, x), 1e-10)
    low = -x + 0.05
    approx(kn.vmap(kn.grad(kn.digamma))(kn.asarray(low)), np.pi ** 2 / np.sin(np.pi * low) ** 2 - special.polygamma(1, 1 - low), 1e-10)


@pytest.mark.parametrize("call, error, message", [
    (lambda x: kn.grad(3), kn.TraceError, "grad: expected a function, got int"),
    (lambda x: kn.grad(kn.sin)(x), kn.ShapeError, r"grad: result of 'sin': expected an array of shape \(\), got \(3,\)"),
    (lambda x: kn.grad(lambda v: kn.sum(v) * 1j)(x), kn.DTypeError, "expected a real floating dtype, got complex128"),
    (lambda x: kn.grad(kn.sum)(kn.arange(3)), kn.DTypeError, "grad: dtype of an argument: expected a floating one, got int64"),
    (lambda x: kn.grad(lambda v: kn.sum(kn.astype(v, kn.float32)))(kn.astype(x, kn.float8_e4m3fn)), kn.DTypeError, "grad: dtype of an argument: expected one that is computed with, got float8"),
    (lambda x: kn.grad(kn.sum, argnums=2)(x), ValueError, "grad: argnums: expected positions among 1 arguments, got 2"),
    (lambda x: kn.grad(lambda v: kn.sum(v), has_aux=True)(x), kn.TraceError, r"grad: result with has_aux: expected \(result, aux\), got Array"),
    (lambda x: kn.grad(lambda v: float(kn.sum(v)))(x), kn.TraceError, r"grad: result of '.*': expected an array, got float, which no derivative reaches: float\(\), .item\(\), math"),
    (lambda x: kn.vmap(kn.grad(lambda v: v.item()))(x), kn.TraceError, "expected an array, got float"),
    (lambda x: kn.grad(lambda v: (kn.sum(v).item(), v), has_aux=True)(x), kn.TraceError, "expected an array, got float"),
    (lambda x: kn.vjp(lambda v: "text", x), kn.TraceError, "vjp: result: expected trees of arrays and numbers, got str"),
    (lambda x: kn.vjp(kn.sin, x)[1](kn.ones(2)), kn.ShapeError, r"vjp: shape of a cotangent: expected \(3,\), got \(2,\)"),
    (lambda x: kn.vjp(kn.sin, x)[1]((x, x)), ValueError, "vjp: structure of the cotangent: expected"),
    (lambda x: kn.jvp(kn.sin, (x,), (x, x)), ValueError, "jvp: structure of the tangents: expected"),
    (lambda x: kn.jvp(kn.sin, (x,), (kn.ones(2),)), kn.ShapeError, r"jvp: shape of a tangent: expected \(3,\), got \(2,\)"),
    (lambda x: kn.vmap(kn.sin, in_axes=(0, 0))(x), ValueError, r"vmap: in_axes: expected 1 of them, got \(0, 0\)"),
    (lambda x: kn.vmap(kn.sin, in_axes=1)(x), kn.exceptions.AxisError, r"vmap: in_axes: expected an axis of \(3,\), got 1"),
    (lambda x: kn.vmap(kn.add)(x, kn.ones(2)), ValueError, r"vmap: sizes of the batch: expected one, got \[2, 3\]"),
    (lambda x: kn.vmap(lambda: 1)(), ValueError, "vmap: sizes of the batch: expected one, got no axis and no axis_size"),
    (lambda x: kn.vmap(kn.sin, in_axes="x")(x), ValueError, "vmap: in_axes: expected ints and None"),
    (lambda x: kn.vmap(kn.sin, out_axes=None)(x), ValueError, "vmap: out_axes: expected an axis for a result that differs along the batch"),
    (lambda x: kn.grad(lambda v: kn.sum(kn.asarray(np.sin(v.numpy()))))(x), kn.TraceError, r"an array that a gradient or a batch follows \(tolist")],
    ids=lambda v: v if isinstance(v, str) else "")
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(numbers(3))


def test_arrays_from_outside_are_not_written():
    outside = kn.zeros(3, dtype=kn.float64)

    def f(x):
        outside[0] = x[0]
        return kn.sum(outside)

    with pytest.raises(kn.TraceError, match="expected an array made inside the function that is differentiated or batched, got one from outside"):
        kn.grad(f)(numbers(3))

    def of_product(x, w):
        def product(y):
            result = kn.sum(y * y * w)
            w[0] = 3.0
            return result
        return kn.grad(product)(x)

    with pytest.raises(kn.TraceError, match="expected an array that the gradient does not need, got one from outside of the function"):
        kn.vmap(of_product, in_axes=(0, None))(numbers(2, 3), kn.ones(3, dtype=kn.float64))


@kn.custom_vjp
def clipped(x, w):
    return {"y": kn.sin(x) * w}


clipped.defvjp(lambda x, w: (clipped(x, w), (kn.cos(x), w)), lambda res, ct: (kn.clip(ct["y"] * res[0] * res[1], -0.1, 0.1), None))


@kn.custom_jvp
def stable(x):
    return kn.log(1 + kn.exp(x))


stable.defjvp(lambda primals, tangents: (stable(*primals), tangents[0] * kn.sigmoid(primals[0])))


def test_custom_vjp():
    x, w = numbers(4), numbers(4, seed=1)
    want = np.clip(np.cos(x) * np.asarray(w), -0.1, 0.1)
    gx, gw = kn.grad(lambda x, w: kn.sum(clipped(x, w)["y"]), argnums=(0, 1))(x, w)
    approx(gx, want)
    approx(gw, np.zeros(4))
    approx(clipped(x, w)["y"], kn.sin(x) * w)
    approx(kn.vmap(kn.grad(lambda x, w: clipped(x, w)["y"]))(x, w), want)
    approx(kn.grad(lambda x: kn.sum(kn.vmap(clipped)(x, w)["y"]))(x), want)
    approx(kn.grad(lambda c: kn.sum(kn.vmap(clipped, in_axes=(None, 0))(c, w)["y"]))(x[0]), np.sum(np.clip(np.cos(x[0]) * np.asarray(w), -0.1, 0.1)))
    same_bits(kn.jit(kn.grad(lambda x: kn.sum(clipped(x, w)["y"])))(x), gx)
    approx(kn.grad(lambda x: kn.sum(kn.grad(lambda y: kn.sum(clipped(y, w)["y"]))(x)))(0 * x + 1.4), np.where(np.abs(np.cos(1.4) * np.asarray(w)) < 0.1, -np.sin(1.4) * np.asarray(w), 0))

    @kn.custom_vjp
    def scaled(x, n):
        return x * n

    scaled.defvjp(lambda x, n: (x * n, None), lambda res, ct: (ct * 7, ct))
    power = kn.custom_vjp(lambda n, x: x ** n, nondiff_argnums=0)
    power.defvjp(lambda n, x: (x ** n, x), lambda n, x, ct: (ct * n * 10,))
    approx(kn.grad(lambda v: power(3, v))(x[0]), 30)
    assert float(kn.grad(lambda v: scaled(v, n=kn.asarray(2.0)))(x[0])) == 7


def test_custom_jvp():
    x = numbers(4) * 100
    want = np.where(np.asarray(x) > 0, 1.0, 0.0)
    approx(kn.grad(lambda v: kn.sum(stable(v)))(x), special.expit(np.asarray(x)))
    approx(kn.jvp(stable, (x,), (kn.ones_like(x),))[1], special.expit(np.asarray(x)))
    approx(kn.vmap(kn.grad(stable))(x), special.expit(np.asarray(x)))
    approx(kn.grad(lambda v: kn.sum(kn.vmap(stable)(v)))(x), special.expit(np.asarray(x)))
    approx(kn.grad(kn.grad(stable))(x[0] / 100), float(special.expit(float(x[0]) / 100) * special.expit(-float(x[0]) / 100)))
    approx(kn.hessian(lambda v: kn.sum(stable(v)))(x * 0), np.eye(4) / 4)
    assert want.shape == (4,)
    product = kn.custom_jvp(lambda x, y: kn.sin(x) * y)
    product.defjvp(lambda p, t: (product(*p), kn.cos(p[0]) * p[1] * t[0] + kn.sin(p[0]) * t[1]))
    for f in (product, lambda x, y: product(x * 2, y)):  # the second argument has no tangent
        approx(kn.jacfwd(f)(x, x + 1), kn.jacrev(f)(x, x + 1))


def test_checkpoint_runs_again():
    x, calls = numbers(4), []

    def f(v):
        calls.append(1)
        return kn.sin(v) * v

    g = kn.checkpoint(f)
    plain = kn.grad(lambda v: kn.sum(f(f(v))))(x)
    calls.clear()
    same_bits(kn.grad(lambda v: kn.sum(g(g(v))))(x), plain)
    assert len(calls) == 4
    approx(kn.hessian(lambda v: kn.sum(g(v)))(x), kn.hessian(lambda v: kn.sum(f(v)))(x))
    approx(kn.vmap(kn.grad(g))(x), kn.vmap(kn.grad(f))(x))
    approx(kn.grad(lambda v: kn.sum(kn.vmap(g)(v)))(x), plain * 0 + kn.vmap(kn.grad(f))(x))


@pytest.mark.parametrize("make, error, message", [
    (lambda f, x: kn.custom_vjp(f)(x), kn.TraceError, "custom_vjp: '.*': expected rules, got none"),
    (lambda f, x: kn.custom_jvp(f)(x), kn.TraceError, "custom_jvp: '.*': expected a rule, got none"),
    (lambda f, x: kn.jvp(lambda v: clipped(v, v), (x,), (x,)), kn.TraceError, "expected reverse mode .*, got forward mode: custom_jvp has both"),
    (lambda f, x: own(f, lambda x: x, None, x), kn.TraceError, r"custom_vjp: result of the forward rule: expected \(result, residuals\), got Array"),
    (lambda f, x: own(f, lambda x: (f(x), x), lambda r, ct: ct, x), ValueError, "custom_vjp: result of the backward rule: expected a tuple of 1 gradients"),
    (lambda f, x: own(f, lambda x: (f(x), x), lambda r, ct: ((ct, ct),), x), ValueError, "custom_vjp: result of the backward rule: expected gradients like"),
    (lambda f, x: ruled(f, lambda p, t: t[0], x), kn.TraceError, r"custom_jvp: result of the rule: expected \(result, tangent\), got Array"),
    (lambda f, x: ruled(f, lambda p, t: (p[0], t), x), ValueError, "custom_jvp: structure of the tangent: expected"),
    (lambda f, x: kn.checkpoint(3), kn.TraceError, "checkpoint: expected a function, got int")])
def test_errors_of_own_derivatives(make, error, message):
    with pytest.raises(error, match=message):
        make(kn.sin, numbers(3))


def own(f, fwd, bwd, x):
    g = kn.custom_vjp(f)
    g.defvjp(fwd, bwd)
    return kn.grad(lambda v: kn.sum(g(v)))(x)


def ruled(f, rule, x):
    g = kn.custom_jvp(f)
    g.defjvp(rule)
    return kn.grad(lambda v: kn.sum(g(v)))(x)


@pytest.mark.parametrize("f, x, gradient", [
    (kn.linalg.norm, [0.0, 0.0], [0, 0]), (kn.linalg.norm, [3.0, 4.0], [0.6, 0.8]), (kn.linalg.norm, [[0.0, 0.0], [0.0, 0.0]], [[0, 0], [0, 0]]),
    (lambda v: kn.sum(kn.sigmoid(v)), [0.0, 1e4, -1e4], [0.25, 0, 0]), (lambda v: kn.sum(kn.silu(v)), [0.0], [0.5]), (lambda v: kn.sum(kn.softplus(v)), [0.0, 1e4], [0.5, 1]),
    (lambda v: kn.sum(kn.where(v > 0, kn.sqrt(v), 0)), [0.0, 4.0, -1.0], [0, 0.25, 0]), (lambda v: kn.sum(kn.where(v != 0, kn.sin(v) / v, 1)), [0.0], [0]),
    (lambda v: kn.sum(kn.where(v > 0, kn.log(v), 0) + kn.where(v > 0, v ** 0.5, 0)), [0.0, 1.0], [0, 1.5]), (lambda v: kn.max(v), [1.0, 1.0, 0.0], [0.5, 0.5, 0]),
    (lambda v: kn.sum(kn.relu(v)), [0.0, -0.0, 2.0, -1.0], [0, 0, 1, 0]), (lambda v: kn.sum(kn.nn.relu6(v)), [0.0, 6.0, 2.0, 7.0], [0, 0, 1, 0]),
    (lambda v: kn.sum(kn.nn.hardtanh(v)), [1.0, -1.0, 0.5], [0, 0, 1]), (lambda v: kn.sum(kn.nn.elu(v)), [0.0, -0.0, 2.0, -1.0], [1, 1, 1, np.exp(-1)]),
    (lambda v: kn.sum(kn.nn.celu(v, 2.0)), [0.0, -2.0], [1, np.exp(-1)]), (lambda v: kn.sum(kn.nn.selu(v)), [0.0], [1.7580993408473766]),
    (lambda v: kn.sum(kn.clip(v, 0.0, 1.0)), [0.0, 0.5, 1.0, 2.0], [0.5, 1, 0.5, 0]), (kn.logsumexp, [-np.inf, 0.0], [0, 1]), (lambda v: kn.sum(kn.softmax(v) * kn.arange(2)), [5.0, 5.0], [-0.25, 0.25]),
    (lambda v: kn.sum(v ** 2), [0.0], [0]), (lambda v: kn.sum(v ** 0), [0.0], [0]), (lambda v: kn.prod(v), [0.0, 2.0, 3.0], [6, 0, 0]), (lambda v: kn.sum(kn.abs(v)), [0.0], [0]),
    (lambda v: kn.sum(kn.frexp(v)[0]), [3.0, 0.0], [0.25, 1])])
def test_conventions(f, x, gradient):
    x = kn.asarray(np.array(x))
    approx(kn.grad(f)(x), gradient, 1e-14)
    approx(kn.jvp(f, (x,), (kn.ones_like(x),))[1], np.sum(gradient), 1e-14)


def loss_of(n, p, x):
    return kn.sum(n.tanh(x @ p["w"] + p["b"][0]))


def test_jitted_gradients_of_functions_that_are_values():
    """Models by objects, defaults and closures: the containers that a transform puts together were made in the call."""
    class Names:
        tanh = staticmethod(kn.tanh)

    names, x, p = Names(), numbers(3, 4), {"w": numbers(4, 2), "b": [numbers(2)]}
    for f in (lambda p, x: loss_of(names, p, x), lambda p, x, m=loss_of: m(kn, p, x), lambda p, x: (lambda q: loss_of(names, q, x))(p)):
        want = kn.value_and_grad(f)(p, x)
        jitted = kn.jit(kn.value_and_grad(f), on_miss="raise")
        for _ in range(3):
            got = jitted(p, x)
            for a, b in zip(kn.tree.leaves(got), kn.tree.leaves(want)):
                same_bits(a, b)
    changed = {"w": p["w"] * 2, "b": [p["b"][0] + 1]}
    for a, b in zip(kn.tree.leaves(jitted(changed, x)), kn.tree.leaves(kn.value_and_grad(f)(changed, x))):
        same_bits(a, b)


@pytest.mark.parametrize("f, at", [(kn.erfinv, 1.0), (kn.reciprocal, 0.0), (kn.lgamma, 0.0), (kn.digamma, 0.0), (kn.digamma, -2.0), (kn.sqrt, 0.0), (kn.log, 0.0), (kn.asin, 1.0),
                                   (kn.acosh, 1.0), (kn.atanh, 1.0), (kn.cbrt, 0.0), (lambda v: 1 / v, 0.0), (lambda v: v ** -0.5, 0.0), (lambda v: v ** 0.5, 0.0)])
def test_what_is_not_chosen_has_no_nan_of_any_order(f, at):
    x = kn.asarray(np.array([at, 2.5 if f is kn.acosh else 0.5]))

    def total(v):
        return kn.sum(kn.where(v == at, 0.0, f(v)))

    for g in (total, lambda v: kn.sum(kn.sin(kn.grad(total)(v))), lambda v: kn.sum(kn.jvp(total, (v,), ((v - at) * v * v,))[1])):
        found = kn.grad(g)(x)
        assert found[0] == 0 and kn.isfinite(found[1]) and found[1] != 0
        same_bits(kn.jit(kn.grad(g))(x), found)
    for hessian in (kn.hessian(total)(x), kn.jacrev(kn.jacrev(total))(x), kn.vmap(kn.hessian(total))(kn.stack([x, x]))[1]):
        assert kn.all(hessian[0] == 0) and hessian[1, 0] == 0
        approx(hessian[1, 1], kn.jacfwd(kn.grad(lambda v: f(v)))(x[1]))


def test_jacobians_of_complex_numbers():
    z, r = kn.asarray(np.array([1 + 2j, 3 - 1j])), kn.asarray(np.array([1.0, 2.0]))
    for jacobian in (kn.jacfwd, kn.jacrev):
        approx(jacobian(lambda v: v * v)(z), np.diag(2 * np.asarray(z)))  # the derivative of a holomorphic function
        approx(jacobian(lambda v: kn.exp(1j * v) * v[0])(r), np.diag(1j * np.exp(1j * np.asarray(r))) + np.outer(np.exp(1j * np.asarray(r)), [1, 0]))
        approx(jacobian(lambda v: kn.sum(kn.abs(v) ** 2))(z), kn.grad(lambda v: kn.sum(kn.abs(v) ** 2))(z))
        mixed = jacobian(lambda p: {"a": p["z"] * p["r"], "b": kn.real(p["z"] * 1j)})({"z": z, "r": r})
        approx(mixed["a"]["z"], np.diag(np.asarray(r)))
        approx(mixed["a"]["r"], np.diag(np.asarray(z)))
        approx(mixed["b"]["z"], -1j * np.eye(2))
        assert mixed["b"]["r"].dtype is kn.float64 and not kn.any(mixed["b"]["r"])


def test_own_derivatives_of_values_inside_of_gradients():
    soft = kn.custom_jvp(lambda x: kn.log(1 + kn.exp(x)))
    soft.defjvp(lambda primals, tangents: (soft(*primals), tangents[0] * kn.sigmoid(primals[0])))
    assert kn.grad(lambda x: kn.value_and_grad(soft)(x)[0])(kn.asarray(1000.0)) == 1
    assert kn.jvp(lambda x: kn.vjp(soft, x)[0], (kn.asarray(1000.0),), (kn.asarray(1.0),))[1] == 1


def test_errors_of_own_derivatives_name_the_function():
    @kn.custom_vjp
    def mine(x):
        return x

    mine.defvjp(lambda x: (x, None), lambda _, ct: (ct,))
    with pytest.raises(kn.TraceError, match="custom_vjp: derivative of '.*mine'"):
        kn.jvp(mine, (kn.ones(2),), (kn.ones(2),))
