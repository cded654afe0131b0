"""Packages of released formats are read for ever, with the results of the functions that they were made of, and are written again to the same bytes.

A package of a new format is added to test/golden beside the others, which are never replaced.
"""
import ctypes
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from kiln import _core

FOLDER = pathlib.Path(__file__).parents[1] / "golden"


def model(x, scale):
    """What test/golden/model.kiln was made of, format 1.0: a method whose object counts its calls, with x["x"] of n rows, 1 to 300."""
    weight = kn.asarray(np.arange(12, dtype="f").reshape(4, 3) / 8)
    phase = kn.asarray(np.asarray([1 + 2j, 3 - 1j, 0.5j], "complex64"))
    y = kn.maximum(x, 0) if x.shape[0] > 100 else x
    return {"y": (y @ weight) * scale + x.shape[0], "part": y[: x.shape[0] // 3], "phase": phase * 2, "kind": "model"}


@pytest.mark.parametrize("jit", ["off", "sync"])
def test_a_model_of_format_1(jit):
    m = kn.load(FOLDER / "model.kiln", verify=True)
    sizes = [1, 2, 3, 5, 6, 100, 101, 300]
    with kn.config.override(jit=jit):
        for n in sizes:
            x = kn.asarray(np.random.default_rng(n).normal(size=(n, 4)).astype("f"))
            got, want = m({"x": x}, 2.5), model(x, kn.asarray(2.5))
            assert list(got) == list(want) and got["kind"] == "model"
            for name in ("y", "part", "phase"):
                same_bits(got[name], want[name])
    assert int(m.state["calls"]) == len(sizes)


SCALE = kn.asarray(np.asarray([0.5, 0.25, 0.5], "f"))


def shrink(x, seen):
    """What test/golden/ways.kiln was made of, format 2.0: the ways of [3, 1, -0.5], [0.5, 0.1, 0] and [-9, 2, 1]."""
    trips = 0
    while kn.max(kn.abs(x)) > 1:
        x = x * SCALE
        trips += 1
    seen[...] = x
    return {"sum": kn.sum(x) if kn.sum(x) > 0 else -kn.sum(x), "trips": trips}


@pytest.mark.parametrize("jit", ["off", "sync"])
def test_the_ways_of_format_2(jit):
    m = kn.load(FOLDER / "ways.kiln", verify=True)
    with kn.config.override(jit=jit):
        for values in ([3, 1, -0.5], [0.5, 0.1, 0], [-9, 2, 1], [2.5, 3, 0], [-40, 0, 0]):
            x, got, want = kn.asarray(np.asarray(values, "f")), kn.ones(3), kn.ones(3)
            try:
                found = m(x, got)
            except kn.TraceError as error:
                assert "another answer at test_golden_packages.py:" in str(error) and got.tolist() == [1, 1, 1] and values[0] == -40
                continue
            expected = shrink(x, want)
            same_bits(found["sum"], expected["sum"])
            same_bits(got, want)
            assert found["trips"] == expected["trips"] and type(found["trips"]) is int and values[0] != -40


def chosen(x, least):
    """What test/golden/counts.kiln was made of, format 3.0: rows x (n, 3) of n = 0 to 12, whose values decide two sizes; ``least`` is an array of rank 0."""
    y = x * SCALE
    rows = y[y[:, 0] >= least]
    flat = rows[rows < 1]
    return {"rows": rows, "flat": flat, "half": rows.shape[0] // 2, "sum": kn.sum(flat)}


@pytest.mark.parametrize("jit", ["off", "sync"])
def test_the_counts_of_format_3(jit):
    m = kn.load(FOLDER / "counts.kiln", verify=True)
    with kn.config.override(jit=jit):
        for n in range(13):
            for least in (-9, 0, 9):
                x = kn.asarray(np.round(np.random.default_rng(n).normal(size=(n, 3)) * 8).astype("f") / 4)
                got, want = m(x, least), chosen(x, kn.asarray(np.float32(least)))
                assert list(got) == list(want) and got["half"] == want["half"]
                for name in ("rows", "flat", "sum"):
                    same_bits(got[name], want[name])


WEIGHT = np.arange(9, dtype="f").reshape(3, 3) / 4


def limited(x):
    """What test/golden/ops.kiln was made of, format 2.0, at n = 1 to 64 rows, with ``limits(x, scale, most=, offset=)`` for ``ndarray.clip``: a custom op whose source has a header,
    with numbers, and results of two dtypes."""
    y, scale = x @ WEIGHT, np.float32(0.5)
    low, many = y.clip(-1.5, 1.5) * scale, (np.abs(y) > 1.5).sum() + 7
    high = x.T.clip(-0.25, 0.25) * np.float32(x.shape[0])
    return {"low": low, "count": many, "high": high[:, ::-1]}


def rows(n):
    return np.round(np.random.default_rng(n).normal(size=(n, 3)) * 64).astype("f") / 64  # products and sums of which are exact


@pytest.mark.parametrize("jit", ["off", "sync"])
def test_custom_ops_of_format_2(jit):
    m = kn.load(FOLDER / "ops.kiln", native=True, verify=True)
    with kn.config.override(jit=jit):
        for n in (1, 2, 3, 17, 64):
            got, want = m(kn.asarray(rows(n))), limited(rows(n))
            assert list(got) == list(want) and int(got["count"]) == want["count"] and got["count"].dtype is kn.int64
            for name in ("low", "high"):
                same_bits(got[name], want[name])


@pytest.mark.parametrize("compiler", ["cc", "no-compiler-at-all"])
def test_custom_ops_of_format_2_in_a_process_of_their_own(tmp_path, compiler):
    """Their code runs where that is asked for: compiled from the sources, or the object where there is no compiler."""
    if compiler != "cc" and os.uname().machine != "x86_64":
        pytest.skip("the object is for x86_64")
    (tmp_path / "x").write_bytes(rows(5).tobytes())
    code = f"""
import numpy as np, kiln as kn
try:
    kn.load({str(FOLDER / "ops.kiln")!r})
except kn.PackageError as error:
    assert "code of the custom op 'limits': expected it to be known in this process" in str(error), error
    m = kn.load({str(FOLDER / "ops.kiln")!r}, native=True)
    found = m(kn.asarray(np.fromfile({str(tmp_path / "x")!r}, "f").reshape(5, 3)))
    open({str(tmp_path / "y")!r}, "wb").write(found["low"].numpy().tobytes() + found["high"].numpy().tobytes())
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "CC": compiler, "KILN_CACHE_DIR": str(tmp_path / "cache")})
    want = limited(rows(5))
    assert (tmp_path / "y").read_bytes() == want["low"].tobytes() + want["high"].tobytes()


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the object is for x86_64")
def test_custom_ops_of_format_2_as_a_library(tmp_path):
    _core.make_library(str(FOLDER / "ops.kiln"), str(tmp_path / "libops.so"), {"emit": "so", "header": str(tmp_path / "ops.h")})
    lib, m, x = ctypes.CDLL(str(tmp_path / "libops.so")), ctypes.c_void_p(), rows(6)
    results = {"low": np.empty((6, 3), "f"), "count": np.empty((), "int64"), "high": np.empty((3, 6), "f")}
    assert lib.ops_open(ctypes.byref(m), None, None, 0) == 0
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (x, *results.values())]
    assert lib.ops_run(m, pointers[0], ctypes.c_int64(6), *pointers[1:], None, ctypes.c_size_t(0), None, ctypes.c_size_t(0)) == 0
    lib.ops_close(m)
    for name, want in limited(x).items():
        assert results[name].tobytes() == np.ascontiguousarray(want).tobytes()


@pytest.mark.parametrize("name", ["model.kiln", "ops.kiln", "ways.kiln"])
def test_it_is_written_again_to_the_same_bytes(tmp_path, name):
    m = kn.load(FOLDER / name, native=None)
    programs = {e["program"]: m._loaded.program(i) for i, e in enumerate(m._manifest["entries"])}
    members = [f["member"] for op in m._manifest.get("ops", ()) for f in (*op["files"], op["object"])]
    _core.write_package(json.dumps(m._manifest), programs, list(m.weights.values()), str(tmp_path / name), {n: m._loaded.file(n) for n in members})
    assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
