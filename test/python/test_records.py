"""The op records: complete, and the only place that names an op."""
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from scipy import special

import kiln as kn

ROOT = pathlib.Path(__file__).parents[2]
GEN = pathlib.Path(kn._core.__file__).parents[2] / "gen"
OPS = json.loads((GEN / "python/_ops.json").read_text())
RECORDS = json.loads((GEN / "records.json").read_text())


# Rules that many ops share: their errors are tested once.
SHARED_RULES = {"inferElementwise", "inferComparison", "inferReduction", "inferArgReduction", "inferScan", "inferSort", "inferScatter", "inferReal"}


def opgen(records, tmp_path):
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records))
    return subprocess.run([sys.executable, ROOT / "tools/kiln-opgen", path, tmp_path / "out"], capture_output=True, text=True)


@pytest.mark.parametrize("op", OPS, ids=lambda o: o["name"])
def test_every_op_is_complete(op):
    assert op["summary"].endswith("."), f"{op['place']}: the summary of '{op['name']}' is no sentence"
    file = ROOT / "test/exec" / f"{op['name']}.mlir"
    assert file.exists(), f"{op['place']}: '{op['name']}' has no exec test: tools/new-exec-test writes a first one"
    text = file.read_text()
    assert f"kiln.{op['name']} " in text and "--target=both" in text, f"{file}: expected both targets to run kiln.{op['name']}"
    refused = "\n".join(p.read_text() for p in [*(ROOT / "test/dialects").glob("*.mlir"), ROOT / "test/python/test_errors.py"])
    assert op["infer"] in SHARED_RULES or re.search(rf"\b{op['name']}\b", refused), f"{op['place']}: no negative test names '{op['name']}'"
    if op["numpy"]:
        scipy = op["numpy"].startswith("special.")
        assert hasattr(special if scipy else np, op["numpy"].removeprefix("special.")), f"{op['place']}: there is no '{op['numpy']}'"
    elif op["ufunc"]:
        by_hand = "\n".join(p.read_text() for p in (ROOT / "test/python").glob("test_*.py"))
        assert f"kn.{op['name']}(" in by_hand, f"{op['place']}: '{op['name']}' has no NumPy twin, and no test of its own"
    if op["ufunc"]:
        assert kn._core.op_functions[op["name"]].__doc__.startswith(op["name"])


@pytest.mark.parametrize("op", OPS, ids=lambda o: o["name"])
def test_examples_run(op):
    result = eval(op["example"], {"kn": kn, "np": np})
    assert isinstance(result, kn.Array)


@pytest.mark.parametrize("field, value, sentence", [
    ("summary", "", "has no summary"), ("example", None, "has no example"), ("kind", "loop", "has kind 'loop'"), ("infer", None, "names no inference rule"),
    ("gradient", None, "decides nothing about its gradient"), ("scalar", "", "has no scalar lowering")])
def test_incomplete_records_are_refused(tmp_path, field, value, sentence):
    records = json.loads(json.dumps(RECORDS))
    records["Kiln_AddOp"][field] = value
    result = opgen(records, tmp_path)
    assert result.returncode == 1 and sentence in result.stderr and "Arithmetic.td:" in result.stderr  # negative


def test_gradient_rules_name_ops(tmp_path):
    records = json.loads(json.dumps(RECORDS))
    gradient = records["Kiln_MultiplyOp"]["gradient"]["def"]
    records[gradient]["vjp"][0]["args"][0][0] = "multiplly"
    result = opgen(records, tmp_path)
    assert result.returncode == 1 and "names 'multiplly', which is no op" in result.stderr  # negative


def test_no_list_of_op_names_outside_the_records():
    """No source file but those of the frontend's own functions names more than a few ops as text."""
    names = {o["name"] for o in OPS}
    for folder in ("lib", "frontend", "passes", "codegen", "python/core"):
        for path in (ROOT / folder).rglob("*.cpp"):
            if path.name == "module.cpp":  # names the functions that it defines
                continue
            found = {m for m in re.findall(r'"(\w+)"', path.read_text()) if m in names}
            assert len(found) <= 4, f"{path} names the ops {sorted(found)}"


def test_no_numpy_inside():
    """A call into NumPy from Kiln's own code is a defect; conversion to NumPy arrays is all it is for."""
    for path in (ROOT / "python/kiln").rglob("*.py"):
        uses = set(re.findall(r"\bnp\.(\w+)", path.read_text()))
        assert uses <= {"asarray", "array"}, f"{path} uses NumPy's {sorted(uses)}"
