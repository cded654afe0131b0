"""Views alias and writes happen, as in NumPy: the same programs over NumPy, in eager and under jit."""
import numpy
import pytest

import kiln as kn
from conftest import same_bits

# Programs over x (4, 5), y (4, 5), v (5,), i (positions) and m (a mask), whose results and arguments are compared.
VIEWS = ["x[1]", "x[1:3]", "x[::2]", "x[::-1]", "x[:, 1]", "x[:, ::-2]", "x[1:, 2:4]", "x.T", "x.T[1:3]", "x[None][0]", "x[1:][::-1].T", "x[..., 0]",
         "x[-1, 1:4]", "x[2:0:-1, ::3]"]
WRITES = ["a[...] = 7", "a += 1", "a *= a", "a[0] = 5", "a[...] = a + y[0, 0]", "a -= x[0, 0]", "b = a; b += 2; a *= 3"]
PROGRAMS = [f"a = {view}; {write}; return a, x" for view in VIEWS for write in WRITES]

PROGRAMS += [
    # chains of views
    "row = x[2]; row *= 2; return x", "a = x[1:]; b = a[1:]; c = b[:, 1:]; c[...] = 0; return a, b", "a = x.T; b = a[1:3]; b += 10; return a",
    "a = np.reshape(x, (-1,)); a[3:8] = 1; return x", "a = np.reshape(x, (2, 10)); a[1] = a[0]; return x", "a = x[:2]; b = np.reshape(a, (10,)); b[::2] = 9; return a",
    "a = np.expand_dims(x, axis=0); a[0, 1] = 4; return x", "a = np.squeeze(x[1:2]); a[2] = 6; return x", "a = np.transpose(x)[::-1]; a[0] = 3; return x",
    "a = x[::2][::-1]; a[0] += 100; return x", "a = x[1:4, 1:4]; d = a.T; d[0, 1] = 50; return x, a", "a = x[None, :, None]; a[0, 2, 0] = 8; return x",
    "a = np.moveaxis(x, 0, 1); a[2] = 1; return x", "a = np.squeeze(x[:, 1:2]); a[0] = 9; return x", "a = np.expand_dims(x.T, axis=0); a[0, 0, 0] = 7; return x",
    "a = np.expand_dims(x[::2, ::-1], axis=1); a[1, 0, 0] = 5; return x", "a = np.squeeze(x.T[None, :, None]); a[3, 2] = 8; return x", "a = np.flip(x, axis=1); a[:, 0] = 2; return x",
    # overlapping reads and writes
    "x[1:] = x[:-1]; return x", "x[:-1] = x[1:]; return x", "x[1:] += x[:-1]; return x", "x[:, 1:] = x[:, :-1]; return x", "x[::-1] = x; return x",
    "x[...] = x[::-1]; return x", "x[:2], x[2:] = x[2:] + 0, x[:2] + 0; return x", "x[0] = x[:, 0][:4].sum(); return x", "v[1:] = v[:-1] * 2; return v",
    "v[::2] = v[1::2][0]; return v", "x[:4, :4] = x[:4, :4].T; return x", "x[:4, :4] += x[:4, :4].T; return x", "x[1:3] = x[0:2] + x[2:4]; return x",
    "a = x[0]; x[0] = x[1]; x[1] = a; return x", "a = x[0] + 0; x[0] = x[1]; x[1] = a; return x",
    # several arrays
    "x[0] = y[1]; y[1] = 0; return x, y", "a = x; a[0] = 1; return a, x", "a = x + 0; a[0] = 1; return a, x", "x[...] = y; y[0] = 9; return x",
    "x[:, 0] = v[:4]; v[...] = 0; return x", "a = x[0]; b = y[0]; a[...] = b; b[...] = 1; return x, y", "y = x; y[0, 0] = 42; return x",
    "x += y; y -= x; return x, y", "x, y = y, x; x[0] = 1; return x, y", "a = [x[0], x[1]]; a[0] += 1; a[1] *= 2; return x",
    "for r in x: r += 1\n    return x", "for k in range(4): x[k, k] = k\n    return x", "for k in range(3): x[k + 1] += x[k]\n    return x",
    # elements are values
    "x[0, 0], x[1, 1] = x[1, 1], x[0, 0]; return x", "v[0], v[4] = v[4], v[0]; return v", "a = x[0, 0]; x[0, 0] = 5; return a", "a = v[1]; v[1] = a * 2; return a, v",
    "a = x[1, 2]; a += 1; return a, x", "for k in range(4): v[k], v[k + 1] = v[k + 1], v[k]\n    return v",
    # integers in keys
    "x[-1] = 1; return x", "x[-1, -1] = 1; return x[-1]", "x[0, 1:3] = x[1, 1:3]; return x", "x[..., -1] = 0; return x", "a = x[2, ...]; a[0] = 1; return x",
    "x[1:2, 0] = 3; return x", "x[()] = 3; return x", "x[:] = 4; return x", "x[3:1] = 9; return x", "x[0:0] = 1; return x", "x[::3, ::3] += 1; return x",
    # values that repeat
    "x[...] = v; return x", "x[:, :1] = 2; return x", "x[1:3] = v[None]; return x", "x += v; return x", "x[:, 1:3] = y[:, :1]; return x", "x[0] = [1, 2, 3, 4, 5]; return x",
    "x[:, 0] = [[1, 2, 3, 4]][0]; return x", "x[1:3, 1:3] = [[1, 2], [3, 4]]; return x",
    # masks
    "x[m] = 0; return x", "x[m] += 1; return x", "x[x > 5] = 5; return x", "x[~m] = y[~m]; return x", "x[m, 0] = 1; return x", "x[m] = v; return x", "a = x[1:]; a[m[1:]] = 3; return x",
    "x[x > y] *= 2; return x", "return x[m]", "return x[x > 3]", "return x[m, 1:3]", "return x[:, v > 1]", "x[:, v > 1] = 0; return x", "b = x > 3; b[0] = True; return b",
    "x[m[:, None] & (v > 1)[None]] = 8; return x", "x.T[v > 1] = 6; return x", "x[m] = x[m][::-1]; return x", "return x[np.asarray(True)], x[np.asarray(False)]",
    # positions
    "return x[i]", "return x[i, i]", "return x[:, i]", "return x[i][:, i]", "return x[i, 0]", "return x[0, i]", "return x[i, 1:3]", "return x[i, None]", "return x[None, i]",
    "return x[i[:, None], i]", "return x[1:][i[:2]]", "return v[i[:, None] + 0]", "return x[-i]", "x[i] = 1; return x", "x[i] = x[i][::-1]; return x", "x[:, i] = 7; return x",
    "x[i, i] += 1; return x", "x[i, 0] = v[:3]; return x", "x[i[:, None], i] = 5; return x", "x.T[i] = 3; return x", "a = x[1:]; a[i[:2]] = 2; return x",
    "x[[0, 2], [1, 3]] = 9; return x", "x[[]] = 1; return x[[]]", "a = x[i]; a[...] = 0; return a, x", "x[::2][[0, 1]] = 4; return x", "v[i] = v[i] * 2; return v",
    "return x[i, :, None]", "return np.expand_dims(x, axis=0)[0, i, 1:2]", "return np.expand_dims(x, axis=0)[:, i, i]", "b = np.stack([x, y]); return b[1, :, i], b[i[1:2], 0, 1:], b[0, i]",
    "b = np.stack([x, y]); b[0, :, i] = 1; return b", "b = np.stack([x, y]); b[:, i, 1:3] = -1; return b", "b = np.stack([x, y]); return b[:, m], b[0, m, 1]",
    # reads after writes
    "a = x[1]; s = a + 0; x[1] = 3; return a, s", "a = x[0]; b = a * 2; a += 1; return b, x", "a = x.T; x[0, 3] = 9; return a + 0", "a = x[1:]; x[...] = 0; return a",
    "a = x[::2]; x += 1; b = a * 2; x += 1; return a, b", "a = np.reshape(x, (20,)); x[1] = 5; return a[5:8] + 0", "s = x.sum(); x[...] = 0; return s, x.sum()",
    "a = x[:, 1]; x[1] = a[1]; return a", "c = x + 0; x[0] = 1; return c - x", "a = x[1:3]; b = x[2:4]; a[...] = 1; b += 5; return a, b, x",
    # results that are views
    "return x[1:3]", "return x.T, x[0]", "a = x + 1; return a[0], a[1:]", "a = y * 2; b = a.T; b[0] = 0; return a, b", "a = x + 0; return a, a", "return x, x[2]",
]


def arguments(np):
    x = numpy.arange(20, dtype="f").reshape(4, 5)
    y = numpy.sqrt(x[::-1] + 2).astype("f")
    v = numpy.linspace(0, 4, 5).astype("f")
    return [np.asarray(a.copy()) for a in (x, y, v, numpy.array([2, 0, 3]), numpy.array([True, False, True, False]))]


def compile_program(body, np):
    scope = {"np": np}
    exec("def program(x, y, v, i, m):\n    " + body.replace("; return", "\n    return") + "\n", scope)
    return scope["program"]


def flat(result):
    return [numpy.asarray(r) for r in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("body", PROGRAMS)
def test_views(body):
    want_args = arguments(numpy)
    want = flat(compile_program(body, numpy)(*want_args))
    program = compile_program(body, kn)
    jitted = kn.jit(program)
    for call in (program, jitted, jitted):  # the second jitted call runs what the first recorded
        args = arguments(kn)
        got = flat(call(*args))
        assert len(got) == len(want)
        for g, w in zip(got + flat(tuple(args)), want + flat(tuple(want_args))):
            numpy.testing.assert_allclose(g, w, rtol=1e-6, err_msg=body)
            assert g.shape == w.shape and g.dtype == w.dtype, body
    why = jitted.explain().variants[0]["eager"]
    assert not why or "depends on values" in why, f"{body}: {why}"


def test_there_are_enough_programs():
    assert len(set(PROGRAMS)) >= 150


def test_writes_reach_captured_arrays_and_numpy_arguments():
    state, shared = kn.zeros((3, 3)), numpy.zeros((3, 3), "f")

    @kn.jit
    def step(x):
        row = state[1]
        row += x[0, 0] + 1
        x[:, 1] = row
        return row

    for k in range(3):
        step(shared)
        assert state.tolist()[1] == [k + 1.0] * 3 and shared[:, 1].tolist() == [k + 1.0] * 3
    assert not step.explain().variants[0]["eager"]


def test_writes_of_parts_of_complex_numbers():
    def program(z):
        re = z[1:].real
        re += 1
        return z

    z = numpy.array([1 + 2j, 3 - 1j, 0j]).astype("complex64")
    want = z.copy()
    want[1:].real += 1
    for call in (program, kn.jit(program)):
        numpy.testing.assert_array_equal(call(kn.asarray(z.copy())).numpy(), want)
    a = kn.asarray(z.copy())
    a.imag = 5
    assert a.tolist() == [1 + 5j, 3 + 5j, 5j]


def test_recorded_writes_share_one_array():
    def program(x):
        y = x * 1
        for i in range(20):
            y[i] = y[i] * 2 + y[(i + 7) % 20, 0]
            y[:, i % 3] += y[3, i % 3]
        y[1:] = y[:-1]
        return y

    x = kn.asarray(numpy.arange(20.0 * 30).reshape(20, 30))
    jitted = kn.jit(program)
    same_bits(jitted(x), program(x))
    assert jitted.stats.workspace_bytes < 5 * x.nbytes


def test_elements_with_an_ellipsis_are_views():
    """As in NumPy: `x[i, j]` is a value, `x[i, j, ...]` the element itself."""
    def write(x):
        value, element = x[0, 1], x[0, 1, ...]
        element += 5
        x[-1, ...][1, ...][...] = 9
        return value, element

    x = kn.zeros((2, 3))
    value, element = write(x)
    assert value.item() == 0 and element.shape == () and x.tolist() == [[0, 5, 0], [0, 9, 0]]
    y = kn.zeros((2, 3))
    value, element = kn.jit(write)(y)
    assert value.item() == 0 and element.item() == 5 and y.tolist() == x.tolist()
    assert kn.asarray([1, 2])[(1, ...)].item() == 2 and kn.asarray(3.0)[...].item() == 3
