"""NumPy's functions on arrays of Kiln, and named tuples, inside of jitted functions; jit against eager."""
import pytest

import kiln as kn
from state_harness import cases

CASES = {
    "ufuncs and functions": """
@jit
def f(x):
    y = np.sin(x) + np.sqrt(np.abs(x)) * np.pi
    if np.max(y) > 4: y = np.minimum(y, 2)
    return np.concatenate([x, y]), np.where(y > 1, y, 0), np.dot(x, y), np.linalg.norm(x), np.mean(y), np.zeros_like(x), np.stack((x, y)), np.fft.fft(x)
---
f(x)
f(x)
f(x * 3)
f(-x)
""",
    "of numbers": """
d = 16
@jit
def f(x, n): return x / np.sqrt(d) + np.log(n) * np.maximum(d, n)
---
f(x, 2.0)
f(x, 2.0)
f(x, 3.0)
d = 25
f(x, 3.0)
""",
    "with outputs": """
@jit
def f(x):
    z = np.zeros_like(x)
    np.add(x, 1, out=z)
    return z, np.add(x, 1, dtype=kn.float64)
---
f(x)
f(x)
""",
    "what NumPy computes alone": """
w = np.arange(2.0)
@jit
def f(x): return x + np.arange(2), np.add(w, 1), x * w
---
f(x)
f(x)
w += 1
f(x)
""",
    "what Kiln lacks": """
@jit
def f(x): return np.busday_count(x, x) if x[0] > 5 else np.sum(x)
---
f(x)
f(x * 9)
f(x)
""",
    "masks that NumPy writes": """
@jit
def f(x):
    m = x > 0
    before = x[m]
    np.from_dlpack(m)[0] ^= True
    return before, x[m], before + x[x > 0]
---
f(x)
f(x)
f(x * 3)
f(-x)
f(x)
""",
    "named tuples": """
import collections, typing
P = collections.namedtuple("P", "x v", defaults=(2.0,))
class State(typing.NamedTuple):
    w: object
    step: int = 0
    @property
    def next(self): return State(self.w * rate, self.step + 1)
    def norm(self): return kn.sqrt((self.w ** 2).sum())
rate, kept = 0.5, P(kn.ones(2), 3.0)
@jit
def f(s):
    p = P(s.w)
    while s.norm() > 1: s = s.next
    a, b = kept
    return s, p.v, p.v == 2.0, P(*kept).x, kept.v * a, len(s), s._fields[1]
---
f(State(x))
f(State(x))
f(State(x * 7))
rate = 0.25
f(State(x * 7))
kept = P(x, 1.0)
f(State(x, 5))
State.norm = lambda self: self.w[0]
f(State(x * 3, 5))
P.__new__.__defaults__ = (9.0,)
f(State(x, 5))
""",
    "named tuples with code of their own": """
import collections
class Q(collections.namedtuple("Q", "a")):
    def __new__(cls, a): return super().__new__(cls, a * scale)
class R(collections.namedtuple("R", "a")):
    def __len__(self): return scale
scale = 3
@jit
def f(x): return Q(x).a, len(R(x)), R(x) + (1,)
---
f(x)
f(x)
scale = 5
f(x)
""",
    "replaced": """
import collections
P = collections.namedtuple("P", "x v")
@jit
def f(p): return p._replace(x=p.x * 2), p._asdict(), P._make([p.v, p.x])
---
f(P(x, 2))
f(P(x, 2))
f(P(x * 2, 3))
""",
}

test_state_numpy = cases(CASES)


@pytest.mark.parametrize("name", ["ufuncs and functions", "of numbers", "named tuples"])
def test_these_are_compiled(name):
    scope = {"kn": kn, "np": __import__("numpy"), "jit": kn.jit, "x": kn.asarray([1.0, 2.0]), "__name__": "<state>"}
    setup, steps = CASES[name].split("---\n")
    exec(setup, scope)
    with kn.config.override(jit="sync"):
        for _ in range(2):
            exec(steps.splitlines()[0], scope)
    variants = scope["f"].explain().variants
    assert not any(v["eager"] for v in variants) and {n["ends"] for v in variants for n in v["nodes"]} <= {"guard", "return"}
    assert scope["f"].stats.hits == 1
