"""Packages of released formats are read for ever, with the results of the functions that they were made of, and are written again to the same bytes.

A package of a new format is added to test/golden beside the others, which are never replaced.
"""
import json
import pathlib

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


@pytest.mark.parametrize("name", ["model.kiln", "ways.kiln"])
def test_it_is_written_again_to_the_same_bytes(tmp_path, name):
    m = kn.load(FOLDER / name)
    programs = {e["program"]: m._loaded.program(i) for i, e in enumerate(m._manifest["entries"])}
    _core.write_package(json.dumps(m._manifest), programs, list(m.weights.values()), str(tmp_path / name))
    assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
