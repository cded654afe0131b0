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


def dag(kind, *args):
    """A DAG as TableGen prints it; names that begin with $ are variables."""
    return {"kind": "dag", "operator": {"def": kind}, "args": [[None, a[1:]] if isinstance(a, str) and a[0] == "$" else [a, None] for a in args]}


CT, ONE = dag("same", "$ct"), dag("number", "1")


def nested(depth):
    """An op of an op, and so on."""
    return dag("op", "add", "$y", nested(depth - 1)) if depth else "$y"


@pytest.mark.parametrize("rule, sentence", [
    (dag("op", "multiplly", "$ct", "$y"), "names 'multiplly', which is no op"),
    (dag("op", "multiply", "$ct", "$z"), "names $z: expected $ct, $result or an operand of ['x', 'y']"),
    (dag("op", "multiply", "$x", "$y"), "without $ct: write (nothing)"),
    (dag("op", "multiply", "$ct"), "with 1 operands of 'multiply', which has 2"),
    (dag("op", "multiply", "$ct", "$ct"), "is not linear in $ct: it stands in operand 0 of 'multiply'"),
    (dag("op", "add", "$ct", "$y"), "is not linear in $ct: it stands in operand 0 of 'add'"),
    (dag("op", "divide", "$y", "$ct"), "is not linear in $ct: it stands in operand 1 of 'divide'"),
    (dag("op", "abs", "$ct"), "is not linear in $ct: it stands in operand 0 of 'abs'"),
    (dag("op", "sum", "$ct"), "names 'sum', which is not elementwise"),
    (dag("op", "select", dag("op", "greater", "$x", "$y"), "$ct", ONE), "is not linear in $ct"),
    (dag("op", "select", dag("op", "greater", "$x", "$y"), "$ct", dag("number", "0")), "with 'greater' over c64 for operands of c64, which it does not accept"),
    (dag("op", "select", "$x", "$ct", dag("number", "0")), "with a condition of f16 for operands of f16"),
    (dag("op", "select", dag("op", "equal", ONE, ONE), "$ct", dag("number", "0")), "with 'equal' over numbers alone"),
    (dag("op", "select", dag("op", "equal", "$x", dag("op", "isnan", "$x")), "$ct", dag("number", "0")), "with 'equal' over ['bool', 'f16'] for operands of f16"),
    (dag("op", "multiply", "$ct", dag("number", "two")), "with the number ['two'], which is none"),
    (dag("op", "multiply", "$ct", dag("nothing")), "with (nothing) inside"), (dag("op", "$ct"), "with an op of another form"), (dag("same", "$x"), "with (same), which is none of"),
    (dag("op", "multiply", "$ct", nested(16)), "has a gradient rule of 17 ops and 0 numbers: at most 16 and 8 have room"),
    (None, "has 1 gradient rules, and 2 operands")])
def test_gradient_rules_that_are_wrong_are_refused(tmp_path, rule, sentence):
    records = json.loads(json.dumps(RECORDS))
    gradient = records[records["Kiln_MultiplyOp"]["gradient"]["def"]]
    gradient["derivatives"] = [rule, CT] if rule else [CT]
    result = opgen(records, tmp_path)
    assert result.returncode == 1 and sentence in result.stderr and "Arithmetic.td:" in result.stderr, result.stderr  # negative


def test_decisions_about_rules_are_checked(tmp_path):
    def refused(change):
        records = json.loads(json.dumps(RECORDS))
        change(records)
        result = opgen(records, tmp_path)
        assert result.returncode == 1 and ".td:" in result.stderr
        return result.stderr

    def field(op, name, value):
        return lambda records: records[op].update({name: value})

    def inside(op, decision, name, value):
        return lambda records: records[records[op][decision]["def"]].update({name: value})

    assert "op 'sum' decides nothing about batches" in refused(field("Kiln_SumOp", "batching", None))  # negative
    assert "shifts 'axis' in a batch, which is no attribute: expected one of ['axes'" in refused(inside("Kiln_SumOp", "batching", "axes", ["axis"]))  # negative
    assert "op 'slice' is linear in 'y', which is no operand: expected one of ['x']" in refused(inside("Kiln_SliceOp", "gradient", "linear", ["y"]))  # negative
    assert "op 'sum' has no samples" in refused(field("Kiln_SumOp", "samples", []))  # negative
    other = refused(lambda records: records["Kiln_AbsOp"].update(gradient=records["Kiln_NegativeOp"]["gradient"]))
    assert "op 'abs' has gradient rules, and a result that is not of its operands' shape and dtype" in other  # negative


def test_no_list_of_op_names_outside_the_records():
    """No source file but those of the frontend's own functions names more than a few ops as text."""
    names = {o["name"] for o in OPS}
    for folder in ("lib", "frontend", "passes", "codegen", "python/core", "python/jit"):
        for path in (ROOT / folder).rglob("*.cpp"):
            if path.name in ("module.cpp", "calls.cpp"):  # name the functions that they define
                continue
            found = {m for m in re.findall(r'"(\w+)"', path.read_text()) if m in names}
            assert len(found) <= 4, f"{path} names the ops {sorted(found)}"


def test_calls_into_numpy_are_seen():
    """By the plugin with which tools/conformance runs the suite of the array API."""
    sys.path.insert(0, str(ROOT / "test/conformance"))
    try:
        from no_numpy import Calls
    finally:
        sys.path.pop(0)
    x = np.arange(3)
    for module, expected in (("kiln.elsewhere", {"numpy.sort", "numpy.sum"}), ("elsewhere", set())):
        scope = {"__name__": module, "np": np, "x": x}
        exec("def f():\n    np.sort(x), x.sum(), np.asarray(x)", scope)
        with Calls() as found:
            scope["f"]()
        assert {name for name in found if name in ("numpy.sort", "numpy.sum")} == expected


def test_no_numpy_inside():
    """A call into NumPy from Kiln's own code is a defect; conversion to NumPy arrays is all it is for."""
    for path in (ROOT / "python/kiln").rglob("*.py"):
        uses = set(re.findall(r"\bnp\.(\w+)", path.read_text()))
        assert uses <= {"asarray", "array"}, f"{path} uses NumPy's {sorted(uses)}"
