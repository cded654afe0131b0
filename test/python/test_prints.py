"""What jitted functions print: on every call, with its values, in order, from compiled code."""
import contextlib

import pytest

import kiln as kn
from state_harness import cases


PRINTS = {
    "numbers, texts and arrays": """
class S: n, rate = 0, 0.5
s = S()
@jit
def f(x):
    s.n += 1
    s.rate *= 0.9
    y = x * s.n
    print("call", s.n, s.rate, y, None, True, 2j)
    return y
---
f(x)
f(x)
f(x * 2)
f(kn.ones(3))
""",
    "an array that is written later": """
@jit
def f(x):
    y = x * 2
    print(y, x)
    y[0] = 7
    x += 1
    print(y, x, x[1:], x[::-1], y[0])
    return y
---
f(x)
f(x)
f(x)
""",
    "on one way": """
@jit
def f(x):
    if kn.sum(x) > 4: print("large", kn.sum(x))
    else: print("small", sep="", end="")
    return x + 1
---
f(x)
f(x * 3)
f(x * 4)
f(x)
f(x * 5)
""",
    "in a loop, a helper and a method": """
log = []
class M:
    def __init__(self): self.w = kn.ones(2)
    def go(self, v): print("go", v.shape, self.w); return v * self.w
m = M()
def helper(v, k): print(k, v, sep="=", end=";\\n"); log.append(k); return v * 2
@jit
def f(x):
    for k in range(3): x = helper(x, k)
    return m.go(x)
---
f(x)
f(x)
f(x * 2)
""",
    "tuples and named arguments": """
@jit
def f(x, k):
    print((k, (x, "a")), x.shape, x.dtype.name, sep="/", flush=False, file=None)
    print(end="")
    print()
    return x
---
f(x, 1)
f(x, 2)
f(x, 1)
f(kn.ones(3), 1)
""",
    "a format": """
class S: n = 0
s = S()
@jit
def f(x):
    s.n += 1
    kn.debug.print("step {}: {s:.3f} {x}", s.n, s=kn.sum(x), x=x)
    x[0] = 9
    kn.debug.print("{0} {0}", x)
    return x * 2
---
f(x)
f(x + 1)
f(x + 2)
f(x + 3)
""",
    "before an error": """
@jit
def f(x, i):
    print("before", x)
    y = kn.take(x, i)
    print("after", y)
    return y
---
f(x, kn.asarray([0]))
f(x, kn.asarray([1]))
f(x, kn.asarray([7]))
f(x, kn.asarray([1]))
""",
    "a value that Python formats": """
@jit
def f(x):
    print(f"sum {float(kn.sum(x)):.2f}")
    return x * 2
---
f(x)
f(x * 1.5)
f(x * 2.5)
f(x * 3.5)
f(x * 4.5)
f(x * 5.5)
f(x * 6.5)
""",
    "a format that does not fit": """
@jit
def f(x):
    kn.debug.print("{a}", b=x)
    return x
---
f(x)
f(x)
""",
    "an object with a text of its own": """
class T:
    n = 0
    def __str__(self): T.n += 1; return str(T.n)
t = T()
@jit
def f(x): print(t, x); return x
---
f(x)
f(x)
""",
    "a file": """
import io
shown = io.StringIO()
@jit
def f(x): print(x, file=shown); print("out", x); return x + 1
---
f(x)
f(x * 2)
shown.getvalue()
""",
    "in an except clause": """
@jit
def f(x, i):
    try: y = kn.take(x, i)
    except IndexError: print("outside", x); y = x
    print("then", y)
    return y
---
f(x, kn.asarray([1]))
f(x, kn.asarray([7]))
f(x, kn.asarray([1]))
f(x * 2, kn.asarray([7]))
""",
    "print that is another function": """
shown = []
@jit
def f(x): print(x); return x + 1
---
f(x)
print = lambda *a: shown.append(len(a))
f(x)
f(x)
""",
    "gradients": """
def loss(w):
    kn.debug.print("w {}", w)
    return kn.sum(w * w)
@jit
def f(x): return kn.grad(loss)(x)
---
f(x)
f(x * 2)
""",
}
test_prints = cases(PRINTS)


def test_prints_come_from_compiled_code(capsys):
    """No call after the first enters the function, and output that fails is the error of the call."""
    f = kn.jit(lambda x: print("x is", x) or x * 2)
    with kn.config.override(jit="sync"):
        for k in range(3):
            f(kn.ones(2) * k)
    assert capsys.readouterr().out == "x is [0., 0.]\nx is [1., 1.]\nx is [2., 2.]\n"
    assert f.stats.tier == 1 and not f.explain().variants[0]["eager"]

    class Full:
        def write(self, text):
            raise OSError("no space left")

    with contextlib.redirect_stdout(Full()), pytest.raises(OSError, match="no space left"):
        f(kn.ones(2))
    assert f(kn.ones(2)).tolist() == [2, 2]
