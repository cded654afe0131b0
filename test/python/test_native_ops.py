"""kn.custom_op: kernels of C and C++ in eager, jit, transforms, packages and libraries."""
import copy
import ctypes
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import threading
import warnings
import zipfile

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

HERE = pathlib.Path(__file__).parent / "custom"
STRUCT = kn.ShapeDtypeStruct


def relu6_type(x):
    if x.dtype is not kn.float32:
        raise kn.DTypeError(f"relu6: expected float32, got {x.dtype.name}")
    return x


def relu6_vjp(ct, x):
    return kn.where((x > 0) & (x < 6), ct, 0.0)


def scaled_type(x, *, scale, power: int = 1):
    return x, STRUCT((), kn.int64)


@pytest.fixture(scope="module")
def relu6():
    return kn.custom_op("relu6", HERE / "relu6.c", shape=relu6_type, vjp=relu6_vjp)


@pytest.fixture(scope="module")
def scaled():
    return kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type)


@pytest.fixture(scope="module")
def failing():
    return kn.custom_op("failing", [HERE / "kernels.c"], shape=lambda x: x)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", kn.KilnWarning)
        yield


def rows(*shape):
    return kn.asarray(np.random.default_rng(0).normal(size=shape).astype("f") * 4)


def twice(f, *args):
    """The results of a jitted function, recorded and then compiled, are those of eager."""
    jitted, want = kn.jit(f), f(*args)
    for _ in range(3):
        got = jitted(*args)
        for a, b in zip(kn.tree.leaves(got), kn.tree.leaves(want)):
            same_bits(a, b)
    return jitted


def test_the_source_has_at_most_15_lines():
    assert len((HERE / "relu6.c").read_text().splitlines()) <= 15


def test_eager_and_jit(relu6):
    x = rows(3, 4)
    same_bits(relu6(x), np.clip(x.numpy(), 0, 6))
    same_bits(relu6(x.numpy()), np.clip(x.numpy(), 0, 6))
    assert "1 compiled" in str(twice(lambda x: relu6(x * 2) + 1, x).explain()) + "1 compiled"
    twice(lambda x: relu6(x.T), x)
    twice(lambda x: relu6(x)[::2], x)
    same_bits(relu6(x[::-2, 1:].T), np.clip(x.numpy()[::-2, 1:].T, 0, 6))
    f = kn.jit(lambda x: relu6(x))
    for view in (x.T, x[::-2, 1:], x[:, 2], x[0:0], kn.asarray(np.float32(7))):
        for _ in range(2):
            same_bits(f(view), relu6(view))


@pytest.mark.parametrize("name", [d.name for d in kn._dtypes.ALL])
def test_all_dtypes(name):
    reverse = kn.custom_op("reversed", HERE / "kernels.c", shape=lambda x: x)
    dtype = getattr(kn, name)
    x = kn.astype(kn.asarray(np.arange(12).reshape(3, 4) % 5), dtype)
    want = kn.astype(kn.asarray((np.arange(12) % 5)[::-1].reshape(3, 4)), dtype)
    assert reverse(x).dtype is dtype and reverse(x).tolist() == want.tolist()
    f = kn.jit(lambda x: reverse(x))
    assert [f(x).tolist() for _ in range(3)] == [want.tolist()] * 3


def test_attributes_and_several_results(scaled):
    x = kn.asarray([0.0, 1.0], dtype=kn.float64)
    y, n = scaled(x, scale=2.0, power=3)
    assert np.allclose(y.numpy(), np.exp([0, 1]) * 8) and int(n) == 2
    assert scaled(x, scale=3)[0][0] == 3  # an integer for a number
    f = twice(lambda x: [v * 2 for v in scaled(x + 1, scale=0.5)], x)
    assert "runs in eager" not in str(f.explain())
    twice(lambda x, s: scaled(x, scale=s)[0], x, 2.5)
    g = kn.jit(lambda x, s: scaled(x, scale=s)[0])
    assert [float(g(x, s)[0]) for s in (1.0, 2.0, 1.0, 3)] == [1, 2, 1, 3]
    deferred = kn.jit(lambda x: [scaled(x, scale=float(i))[1] for i in range(4)])
    assert [int(n) for n in deferred(x)] == [2] * 4


def test_loops_and_branches(relu6, scaled):
    x = rows(4)
    twice(lambda x: kn.scan(lambda c, _: (relu6(c) * 1.5, c[0]), x, None, length=3), x)
    twice(lambda x: kn.cond(x[0] > 0, lambda x: relu6(x), lambda x: relu6(-x), x), x)
    twice(lambda x: kn.while_loop(lambda c: c[1] < 3, lambda c: (scaled(c[0], scale=0.5)[0], c[1] + scaled(c[0], scale=0.5)[1]), (x, kn.asarray(0))),
          kn.asarray([0.5], dtype=kn.float64))


def test_cpp_and_its_exceptions():
    sums = kn.custom_op("sums", HERE / "sums.cpp", shape=lambda x: STRUCT((), x.dtype))
    x = kn.asarray([1.0, 2.5], dtype=kn.float64)
    assert sums(x) == 3.5
    twice(lambda x: sums(x) + 1, x)
    f = kn.jit(lambda x: sums(x) + 1)
    f(x), f(x)
    for call in (sums, f, f):
        with pytest.raises(kn.KilnError, match="sums: expected a function that returns 0, got status 64"):
            call(x * 13)


def test_failures_are_errors(failing):
    f = kn.jit(lambda x: failing(x) * 2)
    x = kn.ones(3)
    f(x), f(x)
    for n in (13, 14):
        for call in (failing, f, f):
            with pytest.raises(kn.KilnError, match=rf"failing: expected a kernel that returns 0, got {n}\n.* at test_native_ops.py"):
                call(x * n)
    same_bits(f(x), x * 2)


def test_gradients(relu6, scaled):
    x = rows(3, 4)
    loss = lambda x: kn.sum(relu6(x * 2) * x)  # noqa: E731
    want = np.where((x.numpy() * 2 > 0) & (x.numpy() * 2 < 6), 2 * x.numpy(), 0) + np.clip(x.numpy() * 2, 0, 6)
    assert np.allclose(kn.grad(loss)(x).numpy(), want)
    twice(kn.grad(loss), x)
    twice(kn.vmap(kn.grad(loss)), x)
    assert np.allclose(kn.vmap(kn.grad(loss))(x).numpy(), want)
    second = kn.grad(lambda x: kn.sum(kn.grad(loss)(x) ** 2))
    assert np.all(np.isfinite(second(x).numpy()))
    assert kn.grad(lambda x: kn.sum(kn.stop_gradient(scaled(x, scale=1.0)[0]) * x))(kn.ones(2, dtype=kn.float64)).shape == (2,)
    with pytest.raises(kn.KilnError, match="scaled: gradient: expected an op with a rule, got one without: give custom_op a vjp or a jvp"):
        kn.grad(lambda x: kn.sum(scaled(x, scale=1.0)[0]))(kn.ones(2, dtype=kn.float64))
    for op, had, x in (relu6, "one with a vjp alone", x), (lambda x: scaled(x, scale=1.0), "one without", kn.ones(2, dtype=kn.float64)):
        for f in (op, kn.vmap(op)):
            with pytest.raises(kn.TraceError, match=f"derivative: expected an op with a rule for forward mode, got {had}: give custom_op a jvp"):
                kn.jvp(f, (x,), (x,))


def waves_type(x, y, *, rate):
    return x, y


def waves_jvp(primals, tangents, *, rate):
    (x, y), (tx, ty) = primals, tangents
    return kn.cos(rate * x) * rate * y * tx + kn.sin(rate * x) * ty, y * tx + x * ty


def waves_vjp(cts, x, y, *, rate):
    return cts[0] * kn.cos(rate * x) * rate * y + cts[1] * y, cts[0] * kn.sin(rate * x) + cts[1] * x


def doubles(*shape):
    return kn.asarray(np.random.default_rng(1).normal(size=shape))


@pytest.mark.parametrize("rules", [{"jvp": waves_jvp}, {"jvp": waves_jvp, "vjp": waves_vjp}])
@pytest.mark.parametrize("batch", ["sequential", "broadcast_all"])
def test_forward_mode(rules, batch):
    op = kn.custom_op("waves", HERE / "kernels.c", shape=waves_type, batch=batch, **rules)
    x, y, t = doubles(3, 4), doubles(4, 3).T, doubles(3, 4) * 0.5
    f = lambda x, y: op(x * 2, y, rate=1.5)[0] * op(x, y, rate=0.5)[1]  # noqa: E731
    plain = lambda x, y: kn.sin(1.5 * (x * 2)) * y * (x * y)  # noqa: E731
    kn.testing.check_grads(f, (x, y), order=2)
    kn.testing.check_grads(kn.vmap(f), (x, y), order=2)
    kn.testing.check_grads(kn.vmap(f, in_axes=(0, None)), (x, y[0]), order=1)
    rows = lambda f: lambda x, y: [g(x[0], y[0]) for g in (kn.jacfwd(f), kn.jacrev(f), kn.hessian(lambda x, y: kn.sum(f(x, y))))]  # noqa: E731
    by_direction = lambda f: lambda x, y: kn.jvp(lambda x, y: kn.jvp(f, (x, y), (t, t))[1], (x, y), (t, t))  # noqa: E731
    of_tangents = lambda f: lambda x, y: kn.grad(lambda t: kn.sum(kn.jvp(f, (x, y), (t, t * t))[1] ** 2))(t)  # noqa: E731
    of_examples = lambda f: lambda x, y: kn.vmap(lambda x, y, t: kn.jvp(f, (x, y), (t, t)))(x, y, t)  # noqa: E731
    of_batches = lambda f: lambda x, y: kn.jvp(kn.vmap(f, in_axes=(0, None)), (x, y[0]), (t, t[0]))  # noqa: E731
    for make in (rows, by_direction, of_tangents, of_examples, of_batches):
        for a, b in zip(kn.tree.leaves(make(f)(x, y)), kn.tree.leaves(make(plain)(x, y)), strict=True):
            assert np.allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-12)
        assert "runs in eager" not in str(twice(make(f), x, y).explain())


def test_forward_rules_get_results_and_attributes(tmp_path):
    seen = {}

    def rule(primals, tangents, *, scale, power, result):
        seen.update(scale=scale, power=power, results=len(result), given=(type(primals), type(tangents)))
        return tangents[0] * result[0], None
    op = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, jvp=rule)
    x = kn.asarray([0.0, 1.0], dtype=kn.float64)
    (y, n), (ty, tn) = kn.jvp(lambda x: op(x, scale=2.0), (x,), (x + 1,))
    assert np.allclose(ty.numpy(), np.exp([0, 1]) * 2 * [1, 2]) and int(n) == 2 and int(tn) == 0 and ty.dtype is kn.float64
    assert seen == {"scale": 2.0, "power": 1, "results": 2, "given": (tuple, tuple)}
    assert np.allclose(kn.grad(lambda x: kn.sum(op(x, scale=2.0)[0]))(x).numpy(), 2 * np.exp([0, 1]))
    kn.testing.check_grads(lambda x: op(x, scale=2.0)[0], (x,), order=3)
    again = pickle.loads(pickle.dumps(kn.custom_op("waves", HERE / "kernels.c", shape=waves_type, jvp=waves_jvp)))
    same_bits(kn.jvp(lambda x: again(x, x, rate=2.0)[0], (x,), (x,))[1], waves_jvp((x, x), (x, x), rate=2.0)[0])
    gradient = kn.grad(lambda x: kn.sum(again(x, x, rate=2.0)[0]))
    kn.export(gradient, x, to=tmp_path / "g.kiln")
    same_bits(kn.load(tmp_path / "g.kiln")(x), gradient(x))


def test_wrong_forward_rules():
    x = kn.asarray([0.0, 1.0], dtype=kn.float64)
    with pytest.raises(kn.KilnError, match="jvp: expected a function, got 3"):
        kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, jvp=3)
    for rule, error, message in ((lambda p, t, **_: t[0], kn.KilnError, "result of jvp: expected 2 tangents, one a result, got 1"),
                                 (lambda p, t, **_: (kn.sum(t[0]), None), kn.ShapeError, r"tangent: expected the shape of the result, \(2,\), got \(\)")):
        wrong = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, jvp=rule)
        for f in (lambda: kn.jvp(lambda x: wrong(x, scale=1.0), (x,), (x,)), lambda: kn.grad(lambda x: kn.sum(wrong(x, scale=1.0)[0]))(x)):  # noqa: B023
            with pytest.raises(error, match=f"scaled: {message}"):
                f()
    linear = kn.custom_op("reversed", HERE / "kernels.c", shape=lambda x: x, jvp=lambda p, t: linear(t[0]))
    same_bits(kn.jvp(linear, (x,), (x,))[1], x[::-1])
    with pytest.raises(kn.TraceError, match="reversed: gradient by its jvp: expected a rule that runs the op on its operands alone, got one that runs it on tangents: give custom_op a vjp"):
        kn.grad(lambda x: kn.sum(linear(x) * x))(x)
    both = kn.custom_op("reversed", HERE / "kernels.c", shape=lambda x: x, jvp=lambda p, t: both(t[0]), vjp=lambda ct, x: both(ct))
    kn.testing.check_grads(lambda x: both(x) * x, (x,), order=2)


def test_vjp_gets_results_and_attributes():
    seen = {}

    def vjp(ct, x, *, scale, power, result):
        seen.update(scale=scale, power=power, result=result, ct=ct)
        return ct[0] * result[0]
    op = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, vjp=vjp)
    x = kn.asarray([0.0, 1.0], dtype=kn.float64)
    g = kn.grad(lambda x: kn.sum(op(x, scale=2.0)[0]))
    assert np.allclose(g(x).numpy(), 2 * np.exp([0, 1]))
    assert seen["scale"] == 2.0 and seen["power"] == 1 and len(seen["result"]) == len(seen["ct"]) == 2
    pure = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, vjp=lambda ct, x, *, scale, power, result: ct[0] * result[0])
    twice(kn.grad(lambda x: kn.sum(pure(x, scale=2.0)[0])), x)
    wrong = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, vjp=lambda ct, x, **_: (ct[0], None))
    with pytest.raises(kn.KilnError, match="scaled: result of vjp: expected 1 gradients, one an operand, got 2"):
        kn.grad(lambda x: kn.sum(wrong(x, scale=2.0)[0]))(x)
    wrong = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, vjp=lambda ct, x, **_: kn.sum(ct[0]))
    with pytest.raises(kn.ShapeError, match=r"scaled: gradient: expected the shape of its operand, \(2,\), got \(\)"):
        kn.grad(lambda x: kn.sum(wrong(x, scale=2.0)[0]))(x)


@pytest.mark.parametrize("batch", ["sequential", "expand_dims", "broadcast_all"])
def test_batches(batch):
    op = kn.custom_op("relu6", HERE / "relu6.c", shape=relu6_type, vjp=relu6_vjp, batch=batch)
    x = rows(3, 4, 2)
    for f in (kn.vmap(op), kn.vmap(kn.vmap(op)), kn.vmap(op, in_axes=1, out_axes=1), kn.vmap(lambda x: op(x) + op(kn.ones(2))[0])):
        jitted = twice(f, x)
        assert "runs in eager" not in str(jitted.explain())
    same_bits(kn.vmap(op)(x), op(x))
    twice(kn.grad(lambda x: kn.sum(kn.vmap(op)(x) * x)), x)
    same_bits(kn.grad(lambda x: kn.sum(kn.vmap(op)(x)))(x), kn.grad(lambda x: kn.sum(op(x)))(x))


def relu6_batch(x, scale):
    return kn.exp(x) * scale, kn.asarray(2)


def test_batches_by_a_rule():
    seen = []

    def batch(size, is_batched, x, *, scale, power):
        seen.append((size, is_batched, scale))
        y, n = op(kn.reshape(x, (-1,)), scale=scale, power=power)
        return (kn.reshape(y, x.shape), n // size), (True, False)
    op = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, batch=batch)
    x = kn.ones((3, 2), dtype=kn.float64)
    y, n = kn.vmap(lambda x: op(x, scale=2.0))(x)
    assert n.tolist() == [2, 2, 2] and np.allclose(y.numpy(), 2 * np.e) and seen == [(3, [True], 2.0)]
    pure = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, batch=lambda size, is_batched, x, *, scale, power: (relu6_batch(x, scale), (True, False)))
    assert "runs in eager" not in str(twice(kn.vmap(lambda x: pure(x, scale=2.0)), x).explain())
    wrong = kn.custom_op("scaled", HERE / "kernels.c", shape=scaled_type, batch=lambda size, flags, x, **_: x)
    with pytest.raises(kn.KilnError, match=r"scaled: result of batch: expected \(result, whether it is batched\)"):
        kn.vmap(lambda x: wrong(x, scale=2.0))(x)
    at_once = kn.custom_op("sums", HERE / "sums.cpp", shape=lambda x: STRUCT((), x.dtype), batch="expand_dims")
    with pytest.raises(kn.ShapeError, match=r"sums: result for a batch: expected 3 examples along its first axis, got the shape \(\)"):
        kn.vmap(at_once)(x)
    alone = kn.custom_op("sums", HERE / "sums.cpp", shape=lambda x: STRUCT((), x.dtype))
    assert kn.vmap(alone)(x).tolist() == [2, 2, 2]
    with pytest.raises(kn.KilnError, match="sums: vmap: expected at least one example, got none"):
        kn.vmap(alone)(x[:0])


def test_packages(tmp_path, relu6, scaled):
    x = rows(3, 4)

    def f(x):
        return relu6(x * 2) + relu6(x.T).T + scaled(kn.astype(x, kn.float64), scale=0.5)[1]
    kn.export(f, x, to=tmp_path / "m.kiln")
    assert [n for n in zipfile.ZipFile(tmp_path / "m.kiln").namelist() if "relu6" in n or "helper" in n] == ["ops/0/relu6.c", "ops/1/custom/helper.h"]
    for mode in ("off", "sync"):
        with kn.config.override(jit=mode):
            same_bits(kn.load(tmp_path / "m.kiln")(x), f(x))
    shown = subprocess.run([sys.executable, "-m", "kiln.inspect", tmp_path / "m.kiln"], capture_output=True, text=True, check=True).stdout
    assert "custom op relu6: relu6.c, an object for x86_64-linux-gnu\n" in shown and "custom op scaled: kernels.c, an object" in shown
    (tmp_path / "want").write_bytes(f(x).numpy().tobytes())
    code = f"""
import numpy as np, kiln as kn
path = {str(tmp_path / 'm.kiln')!r}
try:
    kn.load(path)
except kn.PackageError as error:
    print(error)
x = kn.asarray(np.random.default_rng(0).normal(size=(3, 4)).astype("f") * 4)
m = kn.load(path, native=True)
print(m(x).numpy().tobytes() == open({str(tmp_path / 'want')!r}, "rb").read())
"""
    for number, compiler in enumerate(("cc", "no-compiler-at-all")):
        environment = {**os.environ, "CC": compiler, "KILN_CACHE_DIR": str(tmp_path / str(number))}
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
        assert "package 'f': code of the custom op 'relu6': expected it to be known in this process" in result.stdout, result
        assert result.stdout.endswith("True\n"), result


def test_packages_with_other_sources(tmp_path, relu6):
    kn.export(lambda x: relu6(x), rows(2), to=tmp_path / "m.kiln")
    before = zipfile.ZipFile(tmp_path / "m.kiln")
    manifest = json.loads(before.read("manifest.json"))
    x = {n: before.read(n) for n in before.namelist()}

    def written(manifest, **files):
        m = kn.load(tmp_path / "m.kiln")
        kn._core.write_package(json.dumps(manifest), {"programs/0.kilntrace": m._loaded.program(0)}, [], str(tmp_path / "other.kiln"),
                               {n: b for n, b in x.items() if n.startswith("ops/")} | files)
        return tmp_path / "other.kiln"

    def load_elsewhere(path):
        code = f"import kiln as kn\ntry: kn.load({str(path)!r}, native=True)\nexcept kn.KilnError as e: print(e)"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert not load_elsewhere(written(manifest))
    other = x["ops/0/relu6.c"].replace(b"> 6", b"> 7")
    assert "sources of the custom op 'relu6': expected those that it was exported with" in load_elsewhere(written(manifest, **{"ops/0/relu6.c": other}))
    op = manifest["ops"][0]
    for change, message in (
            ({"files": [{"name": "../relu6.c", "member": "ops/0/relu6.c"}]}, "file of op 'relu6': expected a name of its own within a folder"),
            ({"files": [{"name": "relu6.c", "member": "programs/0.kilntrace"}]}, "expected a member ops/"),
            ({"files": [{"name": "relu6.c", "member": "ops/none"}]}, "expected a member 'ops/none'"),
            ({"sources": ["more.c"]}, "sources of op 'relu6': expected files of it"),
            ({"sources": [], "object": None}, "expected sources or an object, got neither"),
            ({"operands": 2}, "expected operands, results and attributes as it has, got others"),
            ({"operands": 20000}, "expected 0 to 1000"),
            ({"name": "x"}, "expected parts of a-z"),
            ({"attributes": 3}, "expected a list")):
        changed = {k: v for k, v in {**op, **change}.items() if v is not None}
        with pytest.raises(kn.PackageError, match=message):
            written({**manifest, "ops": [changed]})
    foreign = {**op, "sources": [], "files": [], "object": {**op["object"], "triple": "riscv64-linux-gnu"}}
    assert "expected sources or an object for x86_64-linux-gnu, got one for riscv64-linux-gnu" in load_elsewhere(written({**manifest, "ops": [foreign]}))


def run_library(folder, name, x, y):
    lib, m, pointer, none = ctypes.CDLL(str(folder / f"lib{name}.so")), ctypes.c_void_p(), ctypes.c_void_p, ctypes.c_size_t(0)
    assert getattr(lib, f"{name}_open")(ctypes.byref(m), None, None, 0) == 0
    text = ctypes.create_string_buffer(200)
    status = getattr(lib, f"{name}_run")(m, pointer(x.ctypes.data), pointer(y.ctypes.data), None, none, text, ctypes.c_size_t(200))
    getattr(lib, f"{name}_close")(m)
    return status, text.value.decode()


def test_libraries(tmp_path, relu6, scaled, failing):
    x = rows(3, 4)

    def f(x):
        return relu6(x * 2) + relu6(x.T).T + kn.astype(scaled(kn.astype(x, kn.float64), scale=0.5, power=2)[0], kn.float32) + failing(x)
    kn.export(f, x, to=tmp_path / "libf.so", header=tmp_path / "f.h")
    y = np.empty((3, 4), np.float32)
    assert run_library(tmp_path, "f", x.numpy(), y) == (0, "")
    same_bits(y, f(x))
    given = np.full((3, 4), 13, np.float32)
    assert run_library(tmp_path, "f", given, y) == (64, "f_run: expected data that it can compute with: the kernel of a custom op failed")
    shown = subprocess.run(["nm", "-D", "--defined-only", tmp_path / "libf.so"], capture_output=True, text=True, check=True).stdout
    assert all(line.split()[-1].startswith("f_") for line in shown.splitlines()), shown
    for suffix in ("a", "o"):
        kn.export(f, x, to=tmp_path / f"f.{suffix}", header=tmp_path / "f.h")
    kn.export(f, x, to=tmp_path / "m.kiln")
    subprocess.run([pathlib.Path("build/bin/kilnc"), tmp_path / "m.kiln", "-o", tmp_path / "libg.so", "--header", tmp_path / "g.h"], check=True)
    assert run_library(tmp_path, "g", x.numpy(), y) == (0, "")
    same_bits(y, f(x))
    with pytest.raises(kn.CompileError, match="object of op 'failing': expected one of aarch64.*, got one of x86_64-linux-gnu"):
        kn.export(f, x, to=tmp_path / "libf.so", target="aarch64-linux-gnu")


def test_one_program_for_any_size(tmp_path, relu6, scaled):
    f = kn.jit(lambda x: relu6(x * 2) + kn.sum(relu6(x[1:])) + kn.astype(scaled(kn.astype(x, kn.float64), scale=0.5)[1], kn.float32))
    with kn.config.override(cache=False):
        for n in (5, 6, 7, 100, 1, 2, 0):
            x = rows(n, 4)
            same_bits(f(x), f.__wrapped__(x))
            same_bits(f(x), f.__wrapped__(x))
    assert "for any size" in str(f.explain()) and ": 14 calls, 7 variants, 5 compiled" in str(f.explain()), f.explain()

    def h(x):
        return relu6(x * 2) + relu6(x.T).T + kn.astype(scaled(kn.astype(x[1:], kn.float64), scale=0.5)[1], kn.float32)
    dynamic = {"x": {0: ("n", 1, 1000)}}
    kn.export(h, rows(3, 4), to=tmp_path / "m.kiln", dynamic=dynamic)
    m = kn.load(tmp_path / "m.kiln")
    assert len(m._manifest["entries"]) <= 3
    kn.export(h, rows(3, 4), to=tmp_path / "libh.so", header=tmp_path / "h.h", dynamic=dynamic)
    lib, handle, p, none = ctypes.CDLL(str(tmp_path / "libh.so")), ctypes.c_void_p(), ctypes.c_void_p, ctypes.c_size_t(0)
    assert lib.h_open(ctypes.byref(handle), None, None, 0) == 0
    for n in (1, 2, 3, 77):
        want, x, y = h(rows(n, 4)), rows(n, 4).numpy(), np.empty((n, 4), np.float32)
        same_bits(m(rows(n, 4)), want)
        assert lib.h_run(handle, p(x.ctypes.data), ctypes.c_int64(n), p(y.ctypes.data), None, none, None, none) == 0
        same_bits(y, want)
    lib.h_close(handle)


def test_prebuilt_objects(tmp_path):
    subprocess.run(["cc", "-c", "-O2", "-fPIC", "-I", kn.get_include(), HERE / "relu6.c", "-o", tmp_path / "r.o"], check=True)
    op = kn.custom_op("ready", tmp_path / "r.o", shape=relu6_type, symbol="relu6")
    x = rows(3, 4)
    same_bits(op(x), np.clip(x.numpy(), 0, 6))
    kn.export(lambda x: op(x), x, to=tmp_path / "libf.so", name="f")
    kn.export(lambda x: op(x), x, to=tmp_path / "m.kiln")
    y = np.empty((3, 4), np.float32)
    assert run_library(tmp_path, "f", x.numpy(), y)[0] == 0
    same_bits(y, op(x))
    same_bits(kn.load(tmp_path / "m.kiln")(x), op(x))
    for content, message in ((b"nothing", "object: expected one that can be read, got"), ((tmp_path / "libf.so").read_bytes()[:100], "object|ELF|file")):
        (tmp_path / "bad.o").write_bytes(content)
        with pytest.raises(kn.CompileError, match=message):
            kn.custom_op("ready", tmp_path / "bad.o", shape=relu6_type)
    with pytest.raises(kn.KilnError, match="code of 'ready': expected a function KILN_KERNEL 'ready', got none of that name"):
        kn.custom_op("ready", tmp_path / "r.o", shape=relu6_type)(x)


def test_other_code_under_the_name(tmp_path):
    """A name may come back with other code: programs that were made keep theirs."""
    source = (HERE / "relu6.c").read_text()
    (tmp_path / "op.c").write_text(source)
    namespace = {"op": kn.custom_op("relu6", tmp_path / "op.c", shape=relu6_type)}
    exec("def f(x): return op(x)", namespace)  # a global that is put in its place
    f, x = kn.jit(namespace["f"]), kn.full(4, 9.0)
    assert f(x)[0] == f(x)[0] == 6
    kn.export(namespace["f"], x, to=tmp_path / "m.kiln")
    first = namespace["op"]
    (tmp_path / "op.c").write_text(source.replace("6 ? 6", "7 ? 7"))
    namespace["op"] = kn.custom_op("relu6", tmp_path / "op.c", shape=relu6_type)
    assert f(x)[0] == f(x)[0] == 7 and first(x)[0] == 6 and kn.load(tmp_path / "m.kiln")(x)[0] == 6


def test_headers_are_part_of_the_code(tmp_path):
    (tmp_path / "custom").mkdir()
    (tmp_path / "custom/helper.h").write_text("enum { OFFSET = 0 };\n")
    shutil.copy(HERE / "kernels.c", tmp_path / "kernels.c")
    x = kn.zeros(2, dtype=kn.float64)
    values = []
    for offset in (0, 5, 5):
        (tmp_path / "custom/helper.h").write_text(f"enum {{ OFFSET = {offset} }};\n")
        values.append(float(kn.custom_op("scaled", tmp_path / "kernels.c", shape=scaled_type)(x, scale=1.0)[0][0]))
    assert values == [1, 6, 6]


def test_several_sources_and_flags(tmp_path):
    (tmp_path / "a.c").write_text('#include <kiln/op.h>\nint32_t helper(void);\nKILN_KERNEL int32_t both(const kiln_context *c, const kiln_tensor *x, const kiln_tensor *y) '
                                  "{ (void)c, (void)x; *(int32_t *)y->data = helper(); return 0; }\n")
    (tmp_path / "b.c").write_text("#include <stdint.h>\nint32_t helper(void) { return VALUE; }\n")
    op = kn.custom_op("both", [tmp_path / "a.c", tmp_path / "b.c"], shape=lambda: STRUCT((), "int32"), flags="-DVALUE=42")
    assert op() == 42 and kn.jit(lambda: op() + 1)() == 43
    assert kn.custom_op("both", [tmp_path / "a.c", tmp_path / "b.c"], shape=lambda: STRUCT((), "int32"), flags=["-DVALUE=43"])() == 43
    with pytest.raises(kn.CompileError, match="helper"):
        kn.custom_op("both", tmp_path / "a.c", shape=lambda: STRUCT((), "int32"))


def test_pickles_and_copies(tmp_path, relu6):
    x = rows(5)
    for other in (pickle.loads(pickle.dumps(relu6)), copy.copy(relu6), copy.deepcopy(relu6)):
        same_bits(other(x), relu6(x))
    (tmp_path / "op").write_bytes(pickle.dumps(relu6))
    code = f"import sys, pickle, kiln as kn; sys.path.insert(0, {str(HERE.parent)!r}); print(pickle.load(open({str(tmp_path / 'op')!r}, 'rb'))(kn.full(1, 9.0)).tolist())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[6.0]\n"


def test_no_cache_and_no_compiler(tmp_path, monkeypatch):
    source = (HERE / "relu6.c").read_text()
    (tmp_path / "op.c").write_text(source.replace("6 ? 6", "8 ? 8"))
    with kn.config.override(cache=False):
        op = kn.custom_op("relu6", tmp_path / "op.c", shape=relu6_type)
        assert op(kn.full(1, 9.0))[0] == 8
    (tmp_path / "op.c").write_text(source.replace("6 ? 6", "9 ? 9"))
    monkeypatch.setenv("CC", "no-compiler-at-all")
    with pytest.raises(kn.CompileError, match="custom_op 'relu6': compiler: expected 'no-compiler-at-all' on this machine to compile 'op.c', got none: install one"):
        kn.custom_op("relu6", tmp_path / "op.c", shape=relu6_type)
    monkeypatch.setenv("CC", "cc")
    kn.custom_op("relu6", tmp_path / "op.c", shape=relu6_type)
    monkeypatch.setenv("CC", "no-compiler-at-all")
    assert kn.custom_op("relu6", tmp_path / "op.c", shape=relu6_type)(kn.full(1, 10.0))[0] == 9  # it was compiled before


def test_code_in_an_image(tmp_path, relu6):
    """What one machine compiled, another one without a compiler reads from KILN_CACHE_PATH."""
    code = f"import kiln as kn; print(kn.custom_op('relu6', {str(HERE / 'kernels.c')!r}, shape=lambda x: x, symbol='reversed')(kn.arange(3)).tolist())"

    def run(code, **environment):
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "KILN_CACHE_DIR": str(tmp_path / "a"), **environment})
    assert run(code).stdout == "[2, 1, 0]\n"
    assert run(f"from kiln import cache; cache.export({str(tmp_path / 'image')!r})").returncode == 0
    elsewhere = {"KILN_CACHE_DIR": str(tmp_path / "b"), "CC": "no-compiler-at-all"}
    assert "compiler: expected 'no-compiler-at-all'" in run(code, **elsewhere).stderr
    assert run(code, **elsewhere, KILN_CACHE_PATH=str(tmp_path / "image")).stdout == "[2, 1, 0]\n"
    for path in (tmp_path / "image/ops").glob("*.so"):
        path.chmod(0o666)
    assert "compiler: expected" in run(code, **elsewhere, KILN_CACHE_PATH=str(tmp_path / "image")).stderr
    assert run("from kiln import cache; cache.clear()").returncode == 0 and not (tmp_path / "a/ops").exists()


def test_wrong_definitions(tmp_path):
    path, shape = HERE / "relu6.c", relu6_type
    for name in ("", "Relu6", "a b", "é", "_x", 3):
        with pytest.raises(kn.KilnError, match="custom_op: name: expected a name of C in lower case"):
            kn.custom_op(name, path, shape=shape)
    for sources, message in (([], "expected at least one file"), ("none.c", "expected files, got 'none.c'"), (pathlib.Path(__file__), r"expected files of C \(.c\)"),
                             ([path, path], "expected names that differ")):
        with pytest.raises(kn.KilnError, match=message):
            kn.custom_op("relu6", sources, shape=shape)
    (tmp_path / "x.o").write_bytes(b"")
    with pytest.raises(kn.KilnError, match="expected one object, or sources alone, got 2 files"):
        kn.custom_op("relu6", [path, tmp_path / "x.o"], shape=shape)
    (tmp_path / "bad.c").write_text("int main(void) { return x; }")
    with pytest.raises(kn.CompileError, match="custom_op 'relu6': 'bad.c': expected it to compile, got\n(.|\n)*x"):
        kn.custom_op("relu6", tmp_path / "bad.c", shape=shape)
    with pytest.raises(kn.KilnError, match="shape: expected a function, got int"):
        kn.custom_op("relu6", path, shape=3)
    with pytest.raises(kn.KilnError, match="vjp: expected a function, got 3"):
        kn.custom_op("relu6", path, shape=shape, vjp=3)
    with pytest.raises(kn.KilnError, match="batch: expected a function or sequential, expand_dims or broadcast_all, got 'all'"):
        kn.custom_op("relu6", path, shape=shape, batch="all")
    for wrong in (lambda x, **more: x, lambda x, *, result: x):
        with pytest.raises(kn.KilnError, match=r"shape: expected operands, then numbers by names behind \*"):
            kn.custom_op("relu6", path, shape=wrong)
    with pytest.raises(kn.KilnError, match="attributes"):
        kn.custom_op("relu6", path, shape=lambda x, *, dtype0: x)(kn.ones(2), dtype0=1)


def test_wrong_calls(relu6, scaled):
    x = kn.ones(2, dtype=kn.float64)
    with pytest.raises(kn.DTypeError, match="relu6: expected float32, got float64"):
        relu6(x)
    with pytest.raises(kn.KilnError, match=r"relu6: operands: expected those of \(x\), got 2"):
        relu6(x, x)
    with pytest.raises(kn.KilnError, match="relu6: arguments: expected none by name, got 'scale'"):
        relu6(x, scale=1)
    with pytest.raises(kn.KilnError, match="scaled: scale: expected a number, got none"):
        scaled(x)
    for value in ("1", None, 1 << 64, kn.ones(2)):
        with pytest.raises(kn.DTypeError, match="scaled: scale: expected an integer of 64 bits or a float"):
            scaled(x, scale=value)
    for wrong in (lambda x: 3, lambda x: (), lambda x: [x, None]):
        with pytest.raises(kn.KilnError, match="relu6: result of shape: expected an operand, kn.ShapeDtypeStruct or a tuple"):
            kn.custom_op("relu6", HERE / "relu6.c", shape=wrong)(x)
    with pytest.raises(TypeError, match="unsupported operand"):
        kn.custom_op("relu6", HERE / "relu6.c", shape=lambda x: x + 1)(x)
    with pytest.raises(kn.KilnError, match="size: expected at least 0, got -1"):
        kn.custom_op("relu6", HERE / "relu6.c", shape=lambda x: STRUCT((-1,), x.dtype))(x)
    with pytest.raises(kn.KilnError, match="expected one that is registered"):
        kn._core.apply_custom("none.there", [], [], ())


def test_struct():
    t = STRUCT((2, 3), "float32")
    assert t == STRUCT([2, 3], kn.float32) == STRUCT((2, 3), np.float32) == STRUCT((2, 3), np.dtype("f")) and hash(t) == hash(STRUCT((2, 3), kn.float32))
    assert repr(t) == "ShapeDtypeStruct(shape=(2, 3), dtype=float32)" and t.ndim == 2 and pickle.loads(pickle.dumps(t)) == t and t != 3
    with pytest.raises(kn.DTypeError, match="dtype: expected one of Kiln's or NumPy's, got 'float'"):
        STRUCT((), "float")
    with pytest.raises(AttributeError, match="expected it to stay as it is"):
        t.shape = ()


def test_functions_with_derivatives_in_jitted_functions():
    """Theirs are followed as other functions are: also where they are given anew, and where the object comes from an attribute."""
    @kn.custom_vjp
    def sine(v):
        return kn.sin(v)

    class Holder:
        pass
    holder, x = Holder(), rows(3, 4)
    holder.op = sine
    for factor in (1.0, 2.0):
        sine.defvjp(lambda v: (kn.sin(v), v), [lambda v, ct: (ct * kn.cos(v),), lambda v, ct: (ct * kn.cos(v) * 2.0,)][factor == 2])
        by_name, by_attribute = kn.grad(lambda v: kn.sum(sine(v))), lambda x: kn.grad(lambda v: kn.sum(holder.op(v)))(x)  # noqa: E731
        for f in (by_name, by_attribute):
            assert np.allclose(f(x).numpy(), np.cos(x.numpy()) * factor, atol=1e-6)
            assert "runs in eager" not in str(twice(f, x).explain())
    jitted = kn.jit(by_name)
    before = jitted(x)
    sine.defvjp(lambda v: (kn.sin(v), v), lambda v, ct: (ct * kn.cos(v) * 4.0,))
    same_bits(jitted(x), before * 2)


def test_threads(relu6):
    f, x = kn.jit(lambda x: relu6(x * 2)), rows(100)
    want, wrong = relu6(x * 2).tolist(), []

    def work():
        for _ in range(50):
            wrong.extend([] if f(x).tolist() == want and relu6(x * 2).tolist() == want else [1])
    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_same_bits_everywhere(relu6):
    kn.testing.assert_same_bits(lambda x: relu6(x * 3) - relu6(x), rows(3, 4))


