"""Numbers among the arguments: after two others, calls with any number are one program, where it is used beside arrays, in arithmetic and in questions."""
import pytest

import kiln as kn
from conftest import frames_of
from state_harness import cases

_before = kn.get_default_dtype()
import kiln.numpy  # noqa: E402, F401 (which sets it)

kn._core.set_default_dtype(_before)

CASES = {
    "a rate": ("x * lr - lr / 2", ["0.5", "0.25", "0.1", "0.05", "-0.0", "1e300", "float('nan')", "0.3"]),
    "a step": ("x / (lr + 1)", ["1", "2", "3", "4", "2**40", "-1", "5"]),
    "both kinds": ("x * lr", ["1", "0.5", "2", "0.25", "3", "0.125", "4", "True", "1.0", "False"]),
    "a question": ("x * lr if lr > 0.3 else x - lr", ["0.5", "0.25", "0.1", "0.75", "0.3", "0.31"]),
    "several questions": ("x * 2 if lr % 3 == 0 else x * lr if lr < 4 else x", ["1", "2", "3", "4", "5", "6", "7", "9"]),
    "a size": ("x[:lr] * 2", ["1", "2", "3", "1", "2", "0", "3"]),
    "trips": ("sum((x * i for i in range(lr)), x)", ["1", "2", "3", "4", "2", "5"]),
    "a power": ("x ** lr", ["2", "3", "0.5", "-1", "1.5", "2", "4"]),
    "a text": ("(x, f'{lr}', str(lr))", ["1", "2", "0.5", "3", "1.0"]),
    "a result": ("(x, lr, [lr, {'a': lr + 1}])", ["1", "2", "3", "0.5", "1.5", "2.5", "True"]),
    "a key": ("x * {1: 2, 2: 3}.get(lr, 9)", ["1", "2", "3", "4", "1"]),
    "a quotient that fails": ("x * (1 / lr)", ["1", "2", "3", "4", "0", "5", "0.0"]),
    "a quotient that is not used": ("(1 / lr, x)[1]", ["1", "2", "3", "4", "0", "5"]),
    "an integer of it": ("x * int(lr * 10)", ["0.1", "0.2", "0.3", "0.4", "float('inf')", "0.5"]),
    "a store": ("setattr(o, 'n', lr) or x", ["1", "2", "3", "4"]),
    "too large an integer": ("x * lr", ["1", "2", "3", "2**70", "4"]),
    "an argument of a helper": ("helper(x, lr, k=lr)", ["1.5", "2.5", "3.5", "4.5", "5.5"]),
    "an argument of a function": ("kn.where(x > lr, x, lr)", ["1.5", "2.5", "0.5", "4.5", "5.5", "float('nan')", "3", "True", "2"]),
    "limits": ("kn.clip(x, -lr, lr)", ["0.5", "0.25", "1.5", "0.75", "-1.0", "2", "1", "3", "None"]),
    "limits by name": ("kn.clip(x, min=None, max=lr)", ["0.5", "0.25", "1.5", "0.75", "0", "1", "2"]),
    "an operation": ("kn.maximum(lr, x) + kn.hypot(x, lr)", ["0.5", "0.25", "1.5", "0.75", "2", "1", "3"]),
    "an operation that takes powers": ("kn.power(x, lr)", ["0.5", "2.0", "1.5", "-1.0", "2", "3", "0"]),
    "an operation on numbers alone": ("x + kn.maximum(lr, 1)", ["0.5", "2.0", "1.5", "3.0", "4.0"]),
    "an operation on a number that it does not take": ("kn.where(x > 1, x, lr)", ["0.5", "2**70", "1.5", "2**65", "3"]),
    "a ufunc": ("maximum(x, lr, out=None) + add(lr, x)", ["0.5", "2.0", "1.5", "3.0", "4.0"]),
    "identity": ("x if lr is None else x * 2", ["1", "2", "3", "None", "4"]),
}
SETUP = """
from kiln.numpy import maximum, add
class O: n = 0
o = O()
def helper(v, j, *, k=1.0): return v * j - k
"""
test_as_in_eager = cases({name: f"{SETUP}@jit\ndef f(x, lr):\n    return {body}\n---\n" + "".join(f"f(x, {n})\n" for n in (*numbers, *numbers[::-1]))
                          for name, (body, numbers) in CASES.items()})
test_by_name = cases({name: f"{SETUP}@jit\ndef f(x, a=1, *, lr=0.5):\n    return {body}\n---\nf(x)\n" + "".join(f"f(x, lr={n})\nf(x, 2)\n" for n in numbers)
                      for name, (body, numbers) in CASES.items() if name in ("a rate", "a question", "a size", "a result")})
test_two = cases({"two numbers": f"@jit\ndef f(x, a, b):\n    return x * a + b if a < b else x - a\n---\n" + "".join(
    f"f(x, {a}, {b})\n" for a, b in ((1, 2), (2, 1), (3, 5), (0.5, 2), (0.25, 7), (4, 0.5), (5, 5), (6, 7)))})
test_among_others = cases({f"{signature}, {calls[0]}": f"@jit\ndef f({signature}):\n    return (x + sum(a)) * lr - sum(k.values())\n---\n" + "".join(
    f"f({call.format(*pair)})\n" for pair in ((3, 2), (3, 5), (4, 5), (5, 4), (2, 3), (0.5, 2), (0.25, 0.5), (2, 0.25)) for call in calls)
    for signature, calls in (("x, *a, lr=1.0, **k", ("x, {}, lr={}", "x, {}, {}", "x, 1, {}, lr={}", "x, lr={}, z={}", "x, {}, z={}")),
                             ("x, /, *a, lr, **k", ("x, {}, lr={}", "x, {}, {}, lr=1", "x, lr={}, z={}")),
                             ("x, y=1, *a, lr=2, **k", ("x, {}, {}", "x, 1, {}, lr={}", "x, y={}, z={}")))})


@pytest.mark.parametrize("body, most", [("x * lr", 3), ("x * (lr * 0.5) + lr", 3), ("x - lr if lr > 50 else x + lr", 4), ("kn.where(x > lr, x, lr)", 3),
                                        ("kn.clip(x, -lr, lr)", 3), ("kn.clip(x, max=lr)", 3), ("kn.maximum(x, lr * 2)", 3)])
def test_later_calls_enter_no_python(body, most):
    scope = {"kn": kn}
    exec(f"def f(x, lr):\n    return {body}\n", scope)
    f, x = kn.jit(scope["f"]), kn.ones(3)
    numbers = [float(k) + 0.5 for k in range(100)]
    for k in numbers:
        f(x, k)
    assert f.stats.misses == most and "f" not in frames_of(lambda: [f(x, k + 0.25) for k in numbers])
    assert not any(v["eager"] for v in f.explain().variants)


def test_static_numbers_stay():
    f = kn.jit(lambda x, n: x * n, static_argnames="n")
    for k in range(6):
        assert f(kn.ones(2), k).tolist() == [k, k]
    assert len(f.explain().variants) == 6


def test_a_program_that_was_there_is_used():
    """What was recorded for the first numbers runs for them later on."""
    f, x = kn.jit(lambda x, n: x * n), kn.ones(2)
    for k in (1, 2, 3, 4):
        f(x, k)
    misses = f.stats.misses
    for k in (2, 1, 3, 1, 2):
        assert f(x, k).tolist() == [k, k]
    assert f.stats.misses == misses
