"""Packages: what kn.export writes, kn.load runs with the bits of the function, and says what is wrong where it cannot."""
import collections
import json
import os
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

Pair = collections.namedtuple("Pair", "low high")
W = kn.asarray(np.arange(12, dtype="f").reshape(4, 3))


@pytest.fixture(params=["off", "sync"])
def jit(request):
    """By the interpreter, and by compiled code."""
    with kn.config.override(jit=request.param):
        yield request.param


def make(shape, seed=0):
    return kn.asarray(np.random.default_rng(seed).normal(size=shape).astype("f"))


def exported(tmp_path, f, *args, **options):
    kn.export(f, *args, to=tmp_path / "m.kiln", **options)
    return kn.load(tmp_path / "m.kiln")


def manifest_of(path):
    return json.loads(zipfile.ZipFile(path).read("manifest.json"))


def test_a_function_and_what_it_reads(tmp_path, jit):
    b = make(3, 1)

    def layer(x):
        return kn.tanh(x @ W + b)
    x = make((2, 4))
    m = exported(tmp_path, layer, x)
    same_bits(m(x), layer(x))
    same_bits(m(x.numpy()), layer(x))
    assert list(m.weights) == ["W", "b"] or list(m.weights) == ["b", "W"]
    same_bits(m.weights["W"], W)
    assert str(m.signature) == "(x)" and m.name == "layer" and list(m.entries) == ["run"]
    assert repr(m) == "<package 'layer', 2 weights of 60 bytes>\n  <entry run(x): x float32[2, 4] -> out0 float32[2, 3]>"


def test_trees_of_arguments_and_results(tmp_path, jit):
    def f(batch, pair, scale=2.0, *rest, mode="sum", **more):
        y = batch["x"] * scale + pair.low
        return {"y": y, "parts": (pair.high, [y, rest[0]]), "pair": Pair(y, more["z"]), "mode": mode, "n": 3, "none": None, "inf": float("inf"), "i": 1j}
    args = ({"x": make(3), "k": "text"}, Pair(make(3, 1), make(3, 2)), 3.0, make(3, 3))
    m = exported(tmp_path, f, *args, kwargs={"z": make(3, 4)})
    got, want = m(*args, z=make(3, 4)), f(*args, z=make(3, 4))
    assert kn.tree.structure({**got, "pair": 0}) == kn.tree.structure({**want, "pair": 0}) and got["pair"]._fields == Pair._fields
    for a, b in zip(kn.tree.leaves(got), kn.tree.leaves(want)):
        same_bits(a, b) if isinstance(b, kn.Array) else None
        assert isinstance(b, kn.Array) or a == b
    inputs = manifest_of(tmp_path / "m.kiln")["entries"][0]["inputs"]
    assert [i["name"] for i in inputs] == ["batch_x", "pair_low", "pair_high", "rest_0", "more_z"]
    outputs = manifest_of(tmp_path / "m.kiln")["entries"][0]["outputs"]
    assert [o["name"] for o in outputs] == ["y", "out1", "out2", "pair_high_2"]
    with pytest.raises(ValueError, match=r"argument batch\['k'\]: expected 'text', as when the package was made, got 'other'"):
        m({"x": make(3), "k": "other"}, *args[1:], z=make(3))
    with pytest.raises(ValueError, match="argument batch: expected a dict of 'x', 'k', got one of 'x'"):
        m({"x": make(3)}, *args[1:], z=make(3))
    with pytest.raises(ValueError, match="argument pair: expected a namedtuple of 2, got a list"):
        m(args[0], [1, 2], *args[2:], z=make(3))
    with pytest.raises(ValueError, match="argument scale: expected 3.0, as when the package was made, got 4.0"):
        m(*args[:2], 4.0, args[3], z=make(3))
    with pytest.raises(TypeError, match="run: .*the signature is"):
        m()


class Model:
    def __init__(self):
        self.layers = [{"weight": make((4, 3), 1)}, {"weight": make((3, 2), 2)}]
        self.count = kn.zeros((), dtype=kn.int32)
        self.unused = make(5)

    def __call__(self, x):
        for layer in self.layers:
            x = kn.tanh(x @ layer["weight"])
        self.count[...] += 1
        return x

    def first(self, x):
        return x @ self.layers[0]["weight"]


def test_models_are_objects(tmp_path, jit):
    model, x = Model(), make((2, 4))
    m = exported(tmp_path, model, x)
    assert list(m.weights) == ["layers.0.weight", "layers.1.weight", "count"] and int(model.count) == 0
    same_bits(m(x), model(x))
    m(x)
    assert int(m.state["count"]) == 2 and int(model.count) == 1
    same_bits(exported(tmp_path, model.first, x)(x), model.first(x))
    same_bits(exported(tmp_path, lambda model, x: model.first(x), model, x, name="other")(x=x), model.first(x))


def test_entries_share_weights(tmp_path, jit):
    model, x = Model(), make((2, 4))
    m = exported(tmp_path, {"prefill": (model, (x,)), "decode": (Model.first, (model, x)), "keyword": (lambda *, y: y + 1, (), {"y": x})}, name="llm")
    assert list(m.weights) == ["layers.0.weight", "layers.1.weight", "count"] and list(m.entries) == ["prefill", "decode", "keyword"]
    same_bits(m["prefill"](x), model(x))
    same_bits(m.decode(x=x), model.first(x))
    same_bits(m.keyword(y=x), x + 1)
    assert "decode" in dir(m)
    with pytest.raises(ValueError, match="a call: expected one entry, got prefill, decode, keyword"):
        m(x)
    with pytest.raises(KeyError, match="expected one of prefill, decode, keyword, got 'walk'"):
        m["walk"]
    with pytest.raises(AttributeError, match="no entry or attribute 'walk'"):
        m.walk


def test_arguments_that_are_written(tmp_path, jit):
    def update(cache, row):
        cache[1:2] = row
        return cache.sum()
    m = exported(tmp_path, update, kn.zeros((3, 2)), kn.ones((1, 2)))
    cache, theirs = kn.zeros((3, 2)), np.zeros((3, 2), "f")
    assert m(cache, kn.ones((1, 2))) == 2 and cache.tolist() == [[0, 0], [1, 1], [0, 0]]
    assert m(theirs, kn.ones((1, 2))) == 2 and theirs.tolist() == cache.tolist()
    whole = kn.zeros((2, 3))
    m(whole.T, kn.ones((1, 2)))
    assert whole.tolist() == [[0, 1, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match="argument 'cache': expected memory of its own, as it is written, got some that 'row' shares"):
        m(whole.T, whole[:, :1].T)
    with pytest.raises(ValueError, match="an array that may be written, as it is, got a read-only one"):
        m(kn.broadcast_to(kn.ones((1, 2)), (3, 2)), kn.ones((1, 2)))
    entry = manifest_of(tmp_path / "m.kiln")["entries"][0]
    assert [o.get("writes") for o in entry["outputs"]] == ["cache", None]


def test_dtypes_and_layouts(tmp_path, jit):
    names = ["bool", "int8", "uint64", "float16", "bfloat16", "float64", "complex64", "complex128"]
    weights = [kn.astype(kn.asarray([[1, 0, 3], [0, 5, 6]]), getattr(kn, n)) for n in names]
    strided = make((4, 6))[::2, 1::2].T

    def f(x):
        return [w[0] if w.dtype == kn.bool else w[0] + w[1] for w in weights] + [strided * x]
    m = exported(tmp_path, f, make(()))
    for a, b in zip(m(2.0), f(2.0)):
        same_bits(a, b)
    assert manifest_of(tmp_path / "m.kiln")["entries"][0]["inputs"][0]["role"] == "number"
    from safetensors import deserialize
    stored = dict(deserialize(zipfile.ZipFile(tmp_path / "m.kiln").read("weights.safetensors")))
    assert stored["weights.4"]["dtype"] == "BF16" and stored["weights.7"]["shape"] == [2, 3, 2]
    np.testing.assert_array_equal(np.frombuffer(stored["weights.7"]["data"], "complex128").reshape(2, 3), weights[7].numpy())
    np.testing.assert_array_equal(np.frombuffer(stored["strided"]["data"], "f").reshape(strided.shape), strided.numpy())


def test_static_arguments_are_kept(tmp_path, jit):
    f = kn.jit(lambda x, n: x * n, static_argnames="n")
    m = exported(tmp_path, f, make(3), 4)
    same_bits(m(make(3)), make(3) * 4)
    same_bits(m(make(3), n=4), make(3) * 4)
    assert str(m.signature) == "(x, n=4)"


def test_errors_of_calls(tmp_path, jit):
    m = exported(tmp_path, lambda x, i: x[i] @ W, make((2, 4)), kn.asarray([0, 1]), dynamic={"x": {0: ("n", 1, 50)}})
    i = kn.asarray([0, 0])
    with pytest.raises(kn.DTypeError, match="dtype of 'x': expected float32, got float64"):
        m(np.zeros((2, 4)), i)
    with pytest.raises(kn.ShapeError, match=r"axes of 'x': expected 2, got shape \(4,\)"):
        m(make(4), i)
    with pytest.raises(kn.ShapeError, match="axis 1 of 'x': expected 4, got 5"):
        m(make((2, 5)), i)
    with pytest.raises(kn.ShapeError, match="size of n: expected from 1 to 50, got 51"):
        m(make((51, 4)), i)


def test_what_operations_refuse_is_said(tmp_path, jit):
    m = exported(tmp_path, kn.linalg.cholesky, kn.eye(2))
    same_bits(m(kn.eye(2)), kn.eye(2))
    with pytest.raises(kn.linalg.LinAlgError):
        m(-kn.eye(2))


def test_functions_that_cannot_be_exported(tmp_path):
    def branches(x):
        if int(x.sum()) in (1, 3):
            return x
        return -x

    def remembers(x):
        Model.last = x * 2
        return x
    x = make(3)
    with pytest.warns(kn.KilnWarning, match=r"calls that are told otherwise are errors, at test_packages.py:\d+: the value of an array is asked for"):
        kn.export(branches, x, to=tmp_path / "m.kiln", dynamic={"x": {0: ("n", 1, 9)}})
    (tmp_path / "m.kiln").unlink()
    with pytest.raises(kn.TraceError, match=r"test_packages.py:\d+: sets 'last' of the class Model: keep it in an array that is written in place"):
        exported(tmp_path, remembers, x)
    with pytest.raises(kn.TraceError, match="result of 'run': expected arrays, plain values.*, got a set at result"):
        exported(tmp_path, lambda x: {1, 2}, x)
    with pytest.raises(kn.TraceError, match="expected a function"):
        exported(tmp_path, 3, x)
    with pytest.raises(ValueError, match="arguments of 'run': expected those of .*: missing a required argument: 'x'"):
        exported(tmp_path, branches)
    with pytest.raises(ValueError, match=r"to: expected a file '\*.kiln'"):
        kn.export(branches, x, to="m.onnx")
    with pytest.raises(ValueError, match="expected their arguments in it"):
        kn.export({"a": (branches, (x,))}, x, to="m.kiln")
    with pytest.raises(ValueError, match=r"entry 'a': expected a name and a tuple"):
        kn.export({"a": branches}, to="m.kiln")
    with pytest.raises(ValueError, match="input_names: expected 1, .*, got 2"):
        exported(tmp_path, lambda x: x, x, input_names=["a", "b"])
    with pytest.raises(ValueError, match="output_names: expected 1, .*, got 0"):
        exported(tmp_path, lambda x: x, x, output_names=[])
    with pytest.raises(kn.PackageError, match="expected a name of letters, digits and _, got 'a b'"):
        exported(tmp_path, lambda x: x, x, input_names=["a b"])
    assert os.listdir(tmp_path) == []


def test_names(tmp_path):
    def f(double, größe):
        return {"int": double, "out": größe}
    m = exported(tmp_path, f, make(3), make(3))
    entry = manifest_of(tmp_path / "m.kiln")["entries"][0]
    assert [i["name"] for i in entry["inputs"]] == ["double_", "gr__e"] and [o["name"] for o in entry["outputs"]] == ["int_", "out"]
    same_bits(m(double=make(3), größe=make(3, 1))["out"], make(3, 1))
    m = exported(tmp_path, f, make(3), make(3), input_names=["a", "b"], output_names=["c", "d"], name="g", entry="go")
    assert m.name == "g" and "go(double, größe): a float32[3], b float32[3] -> c float32[3], d" in repr(m)


@pytest.mark.parametrize("path, value", [
    ((), None), ((), {}), (("parameters",), []), (("parameters", 0, 1), "KING"), (("parameters", 0, 2), ["array", 7]), (("parameters", 0, 2), ["array", "0"]), (("parameters", 0, 2), []),
    (("parameters", 0, 2), ["list", 5]), (("parameters", 0, 0), "a b"), (("parameters", 0), 5), (("result",), ["array", 1]), (("result",), ["array", -1]), (("result",), ["number", "x"]),
    (("result",), ["value", []]), (("result",), ["namedtuple", "P", ["a"], []]), (("result",), ["namedtuple", "a b", ["a"], [["array", 0]]]), (("result",), ["dict", [["array", 0]]]), (("result",), ["code", "x"])])
def test_signatures_that_are_none_are_refused(tmp_path, path, value):
    from kiln import _core
    m = exported(tmp_path, lambda x: x * 2, make(3))
    manifest = manifest_of(tmp_path / "m.kiln")
    place, last = manifest["entries"][0], "signature"
    for key in path:
        place, last = place[last], key
    place[last] = value
    _core.write_package(json.dumps(manifest), {"programs/0.kilntrace": m._loaded.program(0)}, [], str(tmp_path / "m.kiln"))
    with pytest.raises(kn.PackageError, match="signature of 'run': expected one of its arguments and results"):
        kn.load(tmp_path / "m.kiln")


@pytest.mark.parametrize("damage", [b"", b"PK" * 40, None])
def test_other_files_are_refused(tmp_path, damage):
    path = tmp_path / "m.kiln"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(kn.PackageError, match="package: "):
        kn.load(path)


def test_the_same_bytes_from_anywhere(tmp_path):
    """In another process, another folder, under another seed of hashes."""
    script = "import kiln as kn, sys\nw = kn.arange(6, dtype=kn.float32)\nkn.export(lambda x, y: {'b': x * w, 'a': y}, w, w, to=sys.argv[1], dynamic={'x': {0: ('n', 1, 9)}, 'y': {0: 'm'}} if 0 else None)"
    files = []
    for seed, folder in (("1", "/"), ("2", str(tmp_path))):
        path = tmp_path / f"{seed}.kiln"
        subprocess.run([sys.executable, "-c", script, str(path)], check=True, cwd=folder, env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.path.dirname(os.path.dirname(kn.__file__))})
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_a_file_that_is_loaded_may_be_exported_anew(tmp_path):
    m = exported(tmp_path, lambda x: x @ W, make((2, 4)))
    kn.export(lambda x: x - 1, make(3), to=tmp_path / "m.kiln")
    same_bits(m(make((2, 4))), make((2, 4)) @ W)
    same_bits(kn.load(tmp_path / "m.kiln")(make(3)), make(3) - 1)


def test_weights_are_read_only(tmp_path):
    m = exported(tmp_path, lambda x: x @ W, make((2, 4)))
    with pytest.raises(ValueError, match="read-only"):
        m.weights["W"][0] = 1


def test_inspect(tmp_path, capsys):
    from kiln.inspect import main, size_text
    model = Model()
    kn.export({"run": (model, (make((2, 4)),))}, to=tmp_path / "m.kiln", dynamic={"x": {0: ("n", 1, 9)}})
    assert main([str(tmp_path / "m.kiln")]) == 0
    text = capsys.readouterr().out
    for part in ("package m, format 1.0", "entry run(x)", "n            size from 1 to 9", "x            argument float32[n, 4]", "count        argument int32[], written, starts as weight 'count'",
                 "program for n 1 (checked)", "program for n 2 to 9 (checked)", "out0         result float32[n, 2]", "weight layers.0.weight: float32[4, 3], 48 bytes"):
        assert part in text, text
    assert main([str(tmp_path / "m.kiln"), "--manifest"]) == 0 and json.loads(capsys.readouterr().out)["name"] == "m"
    assert main([str(tmp_path / "m.kiln"), "--ir"]) == 0 and "kiln.dot_general" in capsys.readouterr().out
    assert main([str(tmp_path / "none.kiln")]) == 1 and "No such file" in capsys.readouterr().err  # negative
    assert size_text(["n", -1, "+", 3, "//", 5, "max()"]) == "max((n - 1) // 3, 5)"
    data = bytearray((tmp_path / "m.kiln").read_bytes())
    data[data.index(model.layers[0]["weight"].numpy().tobytes())] ^= 1
    (tmp_path / "m.kiln").write_bytes(data)
    assert main([str(tmp_path / "m.kiln")]) == 1 and "'weights.safetensors' as they were written" in capsys.readouterr().err  # negative


def test_weights_are_mapped_and_not_read(tmp_path):
    """Neither time nor memory of loading grows with the weights."""
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    times = {}
    for megabytes in (1, 128):
        w = kn.zeros((megabytes << 18,))
        kn.export(lambda x: x * w[:4], make(4), to=tmp_path / "m.kiln")
        rounds = []
        for _ in range(5):
            before, start = resident(), time.perf_counter()
            m = kn.load(tmp_path / "m.kiln")
            rounds.append((time.perf_counter() - start, resident() - before))
        assert m.weights["w"].nbytes == megabytes << 20 and min(r[1] for r in rounds) < 1 << 20
        times[megabytes] = min(r[0] for r in rounds)
    assert times[128] < times[1] + 0.005
