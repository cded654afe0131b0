"""The defined results: accuracy of the math functions, orders of accumulation, the same bits on every path."""
import math

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

FUNCTIONS = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "sqrt": np.sqrt}


def every_float32(step):
    return np.arange(0, 2**32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_within_4_ulp_of_the_whole_range(name):
    x = every_float32(4099)
    with np.errstate(all="ignore"):
        want = FUNCTIONS[name](x.astype(np.float64))
    got = getattr(kn, name)(kn.asarray(x)).numpy().astype(np.float64)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    rounded = want.astype(np.float32).astype(np.float64)
    ok = np.isfinite(rounded) & ~np.isnan(want)
    np.testing.assert_array_equal(got[np.isinf(rounded)], rounded[np.isinf(rounded)])
    ulp = np.abs(got[ok] - want[ok]) / np.spacing(np.abs(want[ok]).astype(np.float32)).astype(np.float64)
    assert ulp.max() <= 4, (ulp.max(), x[ok][ulp.argmax()])
    zero = (got == 0) & (want == 0)
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_within_4_ulp(name, rng):
    x = np.concatenate([rng.normal(size=20000), rng.uniform(-700, 700, 20000), 10.0 ** rng.uniform(-300, 300, 5000), -(10.0 ** rng.uniform(-300, 300, 5000)),
                        np.arange(-50, 50) * (math.pi / 2), [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e308, 2.0**20, 2.0**1000]])
    with np.errstate(all="ignore"):
        want = FUNCTIONS[name](x)  # NumPy's own error is below one unit
    got = getattr(kn, name)(kn.asarray(x)).numpy()
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    ok = np.isfinite(want)
    np.testing.assert_array_equal(got[~ok & ~np.isnan(want)], want[~ok & ~np.isnan(want)])
    ulp = np.abs(got[ok] - want[ok]) / np.spacing(np.abs(want[ok]))
    assert ulp.max() <= 5, (ulp.max(), x[ok][ulp.argmax()])


def test_vector_and_scalar_form_have_the_same_bits(rng):
    x = np.concatenate([rng.uniform(-100, 100, 200), [1e30, -1e30, 3e38, 1e-40, 88.7, -103.5]]).astype(np.float32)
    for name in FUNCTIONS:
        whole = getattr(kn, name)(kn.asarray(np.abs(x) if name in ("log", "sqrt") else x))
        one = kn.stack([getattr(kn, name)(kn.asarray(abs(v) if name in ("log", "sqrt") else v, dtype=kn.float32)) for v in x.tolist()])
        same_bits(whole, one)


def pairwise(parts):
    while len(parts) > 1:
        parts = [parts[i] + parts[i + 1] if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
    return parts[0]


def sum_of_row(x):
    """The order of the numerics page: 32 lanes, blocks of 8,192, halving tree, blocks pairwise."""
    parts = []
    for start in range(0, len(x), 8192):
        lanes = np.full(32, -0.0, x.dtype)
        for k, v in enumerate(x[start:start + 8192]):
            lanes[k % 32] += v
        while len(lanes) > 1:
            lanes = lanes[:len(lanes) // 2] + lanes[len(lanes) // 2:]
        parts.append(lanes[0])
    return pairwise(parts)


def sum_of_columns(x):
    parts = []
    for start in range(0, len(x), 1024):
        total = np.full(x.shape[1], -0.0, x.dtype)
        for row in x[start:start + 1024]:
            total = total + row
        parts.append(total)
    return pairwise(parts)


@pytest.mark.parametrize("n", [1, 5, 31, 32, 33, 100, 8192, 8193, 30000, 57345])
def test_order_of_row_sums(n, rng):
    x = (rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3, n)).astype(np.float32)
    want = sum_of_row(x)
    same_bits(kn.sum(kn.asarray(x)), want)
    same_bits(kn.jit(lambda a: kn.sum(a))(kn.asarray(x)), want)
    same_bits(kn.jit(lambda a: kn.sum(a * 1.0, axis=1))(kn.asarray(np.stack([x, x]))), np.array([want, want]))


@pytest.mark.parametrize("shape", [(1, 3), (7, 40), (1024, 5), (1025, 33), (3000, 4)])
def test_order_of_column_sums(shape, rng):
    x = rng.normal(size=shape).astype(np.float32)
    want = sum_of_columns(x)
    same_bits(kn.sum(kn.asarray(x), axis=0), want)
    same_bits(kn.jit(lambda a: kn.sum(a, axis=0))(kn.asarray(x)), want)
    same_bits(kn.sum(kn.asarray(np.asfortranarray(x)), axis=0), want)


@pytest.mark.parametrize("m, n, k", [(3, 5, 7), (13, 17, 1000), (100, 33, 390)])
def test_order_of_products(m, n, k, rng):
    x, y = rng.normal(size=(m, k)).astype(np.float32), rng.normal(size=(k, n)).astype(np.float32)
    want = np.zeros((m, n), np.float32)
    for q in range(k):  # a fused multiply-add: the product of floats is exact in double
        want = (x[:, q:q + 1].astype(np.float64) * y[q].astype(np.float64) + want.astype(np.float64)).astype(np.float32)
    got = kn.asarray(x) @ kn.asarray(y)
    assert (got.numpy() != want).mean() < 1e-3, "double rounding apart"
    jitted = kn.jit(lambda a, b: a @ b)
    same_bits(jitted(kn.asarray(x), kn.asarray(y)), got)
    same_bits(jitted(kn.asarray(np.asfortranarray(x)), kn.asarray(np.ascontiguousarray(y.T)).T), got)
    same_bits(kn.concat([kn.asarray(x)[i:i + 1] @ kn.asarray(y) for i in range(m)], axis=0), got)


def random_program(rng):
    """A function of two arrays made of ops that fit together, and its text."""
    lines, names, shapes = [], ["x", "y"], {"x": (6, 37), "y": (6, 37)}
    unary = ["kn.exp(-kn.abs({}))", "kn.tanh({})", "-{}", "{} * 0.5", "kn.sqrt(kn.abs({}))", "kn.sin({})", "kn.astype(kn.astype({}, kn.int32), kn.float32)", "kn.log(kn.abs({}) + 1)", "kn.floor({} * 3)", "kn.sign({})", "kn.square({})", "kn.round({})"]
    binary = ["{} + {}", "{} - {}", "{} * {}", "kn.maximum({}, {})", "kn.where({} > 0, {}, 1.0)", "{} / (kn.abs({}) + 1)", "kn.where(kn.isfinite({}), {}, 0.5)", "kn.astype(kn.logical_and({}, {}), kn.float32)"]
    for i in range(rng.integers(3, 12)):
        name, a = f"v{i}", names[rng.integers(len(names))]
        same = [n for n in names if shapes[n] == shapes[a]]
        b, shape, kind = same[rng.integers(len(same))], shapes[a], rng.integers(10)
        if kind < 3:
            text = unary[rng.integers(len(unary))].format(a)
        elif kind < 6:
            text = binary[rng.integers(len(binary))].format(a, b)
        elif kind == 6 and len(shape) == 2:
            axis = int(rng.integers(2))
            text, shape = f"kn.{['sum', 'max', 'min', 'mean'][rng.integers(4)]}({a}, axis={axis}, keepdims=True) + {a}", shape
        elif kind == 7 and len(shape) == 2:
            text, shape = f"{a}.T", shape[::-1]
        elif kind == 8 and len(shape) == 2 and shape[0] > 1:
            text, shape = f"{a}[1:, ::2]", (shape[0] - 1, (shape[1] + 1) // 2)
        elif kind == 9 and len(shape) == 2:
            text, shape = f"{a} @ {a}.T", (shape[0], shape[0])
        else:
            text, shape = f"kn.sum({a})", ()
            if len(shapes[a]) == 0:
                text = f"{a} * 2"
        lines.append(f"    {name} = {text}")
        names.append(name)
        shapes[name] = shape
    results = [names[-1], names[rng.integers(2, len(names))]]
    return "def program(x, y):\n" + "\n".join(lines) + f"\n    return {', '.join(results)}\n"


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_have_the_same_bits(seed):
    rng = np.random.default_rng(seed)
    text = random_program(rng)
    scope = {"kn": kn}
    exec(text, scope)  # jit never needs source text
    x, y = (kn.asarray(rng.normal(size=(6, 37)).astype("f")) for _ in range(2))
    jitted = kn.jit(scope["program"])
    with np.errstate(all="ignore"):
        for got, want in zip(jitted(x, y), scope["program"](x, y)):
            try:
                same_bits(got, want)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{text}")
    assert not jitted.explain().variants[0]["eager"]


@pytest.mark.parametrize("shape, window, filters, how", [
    ((2, 9, 3), (3,), 5, {}), ((1, 12, 13, 4), (3, 3), 40, {"padding": 1}), ((1, 11, 10, 6), (3, 2), 12, {"strides": 2, "groups": 3, "padding": ((2, 1), (0, 1))}),
    ((1, 9, 9, 2), (3, 3), 3, {"dilation": 2, "padding": 2}), ((2, 5, 6, 4, 2), (2, 3, 2), 33, {"strides": (1, 2, 1)}), ((1, 7, 7, 256), (3, 3), 72, {"padding": 1}), ((1, 6, 6, 512), (1, 1), 144, {"strides": 2}),
    ((1, 4, 300, 1), (1, 5), 64, {}), ((1, 3, 3, 600), (3, 3), 20, {"padding": 1, "groups": 2})])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_convolutions(shape, window, filters, how, dtype, rng):
    groups = how.get("groups", 1)
    x = kn.astype(kn.asarray(rng.normal(size=shape) * 4), dtype)
    w = kn.astype(kn.asarray(rng.normal(size=(*window, shape[-1] // groups, filters)) * 4), dtype)
    program, fused = (kn.jit(eval(f"lambda x, w: kn.convolution({a}, {b}, **{how!r})", {"kn": kn})) for a, b in (("x", "w"), ("kn.maximum(x, 0)", "w * 2")))
    want = kn.convolution(x, w, **how)
    same_bits(program(x, w), want)
    turned = kn.asarray(x.numpy().T.copy()).T  # the channels far apart
    same_bits(program(turned, w), want)
    same_bits(fused(x, w), kn.convolution(kn.maximum(x, 0), w * 2, **how))
    if x.size * w.size < 2e6:
        same_bits(kn._core.interpret(program.lower(x, w)._words, (x, w))[0], want)


def test_a_tail_of_one_narrow_element(rng):
    """A masked store of one lane that also truncates: LLVM 22 by itself writes the lanes behind it as well."""
    x = kn.asarray(rng.integers(1, 12, 33).astype(np.uint32))
    wide = kn.zeros(99, dtype=kn.uint32)
    wide[::3] = x
    program = kn.jit(lambda x: [kn.astype(kn.outer(x, x), kn.int8), kn.any(kn.outer(x, x), axis=0)])
    for got in (program(x), program(wide[::3])):
        same_bits(got[0], kn.astype(kn.outer(x, x), kn.int8))
        same_bits(got[1], kn.any(kn.outer(x, x), axis=0))


@pytest.mark.parametrize("n", [3, 11, 16, 100])
def test_choices_between_bits(n, rng):
    """LLVM 22 makes one instruction of a choice between a number and its size with another sign, and it is a wrong one."""
    x, y = (kn.asarray(rng.normal(size=n).astype("f") * 2) for _ in range(2))
    for program in (lambda x, y: kn.where(kn.abs(x) < 1, kn.bitcast(x, kn.int32), kn.bitcast(kn.copysign(y, x), kn.int32)),
                    lambda x, y: kn.where(kn.abs(x) < 1, x, kn.copysign(y, x)), lambda x, y: kn.sinh(kn.astype(x, kn.bfloat16))):
        same_bits(kn.jit(program)(x, y), program(x, y))


def _edges(dtype, rng):
    """Numbers of every binade and their neighbours, random bits, and what is special."""
    info = np.finfo(dtype)
    binades = (2.0 ** np.arange(-1080, 1025)).astype(dtype)
    random = rng.integers(0, 2 ** (8 * info.dtype.itemsize), 5000, dtype=f"uint{8 * info.dtype.itemsize}").view(dtype)
    special = np.array([0, -0.0, np.inf, -np.inf, np.nan, info.max, -info.max, info.tiny, -info.smallest_subnormal, info.tiny * 1.5], dtype)
    return np.concatenate([special, random, binades, np.nextafter(binades, np.zeros(1, dtype))])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_parts_of_numbers(dtype, rng):
    x = _edges(dtype, rng)
    expected, exponents = np.frexp(x)
    for f in (kn.frexp, kn.jit(kn.frexp)):
        mantissa, exponent = (a.numpy() for a in f(kn.asarray(x)))
        np.testing.assert_array_equal(mantissa, expected)
        np.testing.assert_array_equal(np.signbit(mantissa), np.signbit(x))
        np.testing.assert_array_equal(exponent, np.where(np.isfinite(x), exponents, 0))
        assert mantissa.dtype == dtype and exponent.dtype == "int32"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("whole", ["int8", "uint16", "int32", "int64"])
def test_products_with_powers_of_two_are_rounded_once(dtype, whole, rng):
    info = np.iinfo(whole)
    near = [e for e in (*range(-300, 300), *range(-2300, 2300, 7), -1022, -1023, 1023, 1024, -1074, -1075, 2097, 2098, -2**31, 2**31 - 1, -2**62, 2**62) if info.min <= e <= info.max]
    x, e = rng.choice(_edges(dtype, rng), 20000), rng.choice(np.array(near, whole), 20000)
    small = np.clip(e.astype("float64"), -3000, 3000).astype("i4")
    expected = np.ldexp(x.astype("float64"), small).astype(dtype) if dtype != "float64" else np.ldexp(x, small)  # of the others, no product leaves float64 but to 0 and inf
    for f in (kn.ldexp, kn.jit(kn.ldexp)):
        result = f(kn.asarray(x), kn.asarray(e)).numpy()
        np.testing.assert_array_equal(result, expected)
        np.testing.assert_array_equal(np.signbit(result), np.signbit(x))
        assert result.dtype == dtype


@pytest.mark.parametrize("shapes", [((0,), (0, 3)), ((0,), (2, 0, 3)), ((3, 0), (0,)), ((0,), (0,)), ((2, 0), (0, 3)), ((2, 3, 0), (2, 0, 4))])
def test_products_of_nothing_are_zero(shapes):
    """Of the sign of a sum of nothing, whatever the ranks."""
    for dtype in ("float32", "float64", "float16", "int32", "complex64"):
        x, y = (kn.zeros(s, dtype=dtype) for s in shapes)
        want = np.zeros(shapes[0], dtype) @ np.zeros(shapes[1], dtype)
        assert np.asarray(x @ y).tobytes() == want.tobytes()
        same_bits(kn.jit(lambda a, b: a @ b)(x, y), x @ y)
