"""Errors and debuggers in jitted functions: tracebacks show the program's frames alone, and pdb stops where the program says so."""
import os
import subprocess
import sys
import traceback

import pytest

import kiln as kn


def helper(x, n):
    if n == 0:
        raise ValueError("deep")
    return helper(x * 2, n - 1)


def second_trip(x):
    for i in range(3):
        x = x.reshape(7) if i == 1 else x * 2
    return x


def asserted(x):
    assert kn.all(x > 1), "too small"
    return x


def called_back(x):
    def callback(v):
        raise KeyError("in the callback")
    return kn.pure_callback(callback, x, x) + 1


def generated(x):
    def items():
        yield x
        raise ValueError("at its end")
    return sum(t for t in items())


def differentiated(x):
    return kn.grad(lambda v: kn.sum(v.reshape(5)))(x)


def mapped(x):
    return kn.vmap(lambda row: row.reshape(9))(x)


def scanned(x):
    return kn.scan(lambda c, a: (c + a.reshape(9), None), kn.zeros(1), x)


def singular(x):
    return kn.linalg.inv(x * 0)


def chained(x):
    try:
        return x.nothing
    except AttributeError as error:
        raise RuntimeError("no weights") from error


def index_outside(x):
    return kn.take(x, kn.asarray(9), axis=0) + x[kn.asarray(7)]


@pytest.mark.parametrize("function, names", [
    (lambda x: helper(x, 2), ["<lambda>", "helper", "helper", "helper"]), (second_trip, ["second_trip"]), (asserted, ["asserted"]), (called_back, ["called_back", "callback"]),
    (generated, ["generated", "<genexpr>", "items"]), (differentiated, ["differentiated", "<lambda>"]), (mapped, ["mapped", "<lambda>"]), (scanned, ["scanned", "<lambda>"]),
    (singular, ["singular"]), (chained, ["chained"]), (index_outside, ["index_outside"])])
def test_tracebacks_show_the_program(function, names):
    jitted = kn.jit(function)
    for _ in range(3):  # recorded, then a known path that raises
        with pytest.raises(Exception) as caught:
            jitted(kn.ones((2, 2)))
        frames = traceback.extract_tb(caught.value.__traceback__)
        assert [f.name for f in frames][1:] == names and {f.filename for f in frames} == {__file__}


PROGRAM = """
import kiln as kn
@kn.jit
def f(x, w):
    h = x @ w
    breakpoint()
    h = h + 1
    z = kn.sum(h)
    return z
x = kn.ones((2, 2))
for i in range(3):
    print("result", f(x, x))
"""


@pytest.mark.filterwarnings("ignore")
def test_breakpoint_stops_behind_itself_also_while_a_call_is_recorded(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    env = {**os.environ, "PYTHONPATH": os.path.dirname(kn.__path__[0])}
    out = subprocess.run([sys.executable, path], input="p h.tolist()\nn\np h.tolist()\nn\np z.item()\nc\n" * 3, capture_output=True, text=True, env=env, timeout=120)
    assert out.stdout.count("-> h = h + 1\n(Pdb) [[2.0, 2.0], [2.0, 2.0]]") == 3 and out.stdout.count("(Pdb) [[3.0, 3.0], [3.0, 3.0]]") == 3, out.stdout + out.stderr
    assert out.stdout.count("(Pdb) 12.0") == 3 and out.stdout.count("result 12") == 3 and "unknown debugging event" not in out.stdout
