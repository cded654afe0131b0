"""Python's library inside of jitted functions: containers of collections, copies, dataclasses, exceptions with constructors, wrappers, generators that are
sent values. jit against eager, and that what is known is compiled."""
import sys
import warnings

import numpy as np
import pytest

import kiln as kn
import library_fuzz
import state_harness
from conftest import same_bits
from state_harness import cases

CASES = {
    "a factory for what is missing": """
import collections
log, calls = collections.defaultdict(list, a=[1.0]), []
def made(): calls.append(1); return [0.5]
@jit
def f(x, key, kind):
    d = collections.defaultdict(made if kind else list)
    for i in range(3): d[i % 2].append(x * i)
    log[key].append(kn.sum(x))
    return sum(d[0]) + len(d), d.get(5), 5 in d
---
f(x, "a", False)
f(x * 2, "a", False)
f(x, "b", False)
f(x, "b", True)
f(x, "a", True)
log.default_factory = None
f(x, "c", False)
f(x, "a", False)
""",
    "queues": """
import collections
class Box: pass
box = Box(); box.tail, box.q = collections.deque(maxlen=2), collections.deque([kn.ones(2), 2.0])
@jit
def f(x, n):
    q = collections.deque((x * i for i in range(n)), maxlen=3)
    q.appendleft(x - 1); q.rotate(1); q[0] = x * 4
    box.tail.append(kn.max(x))
    while len(q) > 1: x = x + q.popleft() * 0.5
    return x, len(q), box.q[0] * box.q[1]
---
f(x, 3)
f(x * 2, 3)
box.q[1] = 3.0
f(x, 3)
box.q.append(1)
f(x, 4)
box.tail = [1.0]
f(x, 3)
box.q.popleft()
f(x, 3)
f(x, 3)
""",
    "copies are new, and what was copied stays": """
import copy
class Own:
    def __init__(self, v): self.v = v
    def __copy__(self): return Own(self.v + 1)
class Plain:
    def __init__(self, v): self.v, self.items = v, [v, (v, 2)]
own, plain, table = Own(kn.ones(2)), Plain(kn.ones(2)), {"a": [kn.ones(2)], 1: {2: 3.0}}
@jit
def f(x):
    a, b, c, d = copy.copy(own), copy.deepcopy(plain), copy.deepcopy(table), copy.copy(table)
    b.items[0] += x
    b.items.append(x)
    c["a"][0] *= 2
    d["new"] = x
    return a.v + b.items[0] - b.v + c["a"][0] + c[1][2], len(b.items), d["a"][0] + d["new"]
---
f(x)
f(x * 2)
table[1][2] = 4.0
f(x)
plain.items.append(5)
f(x)
plain.other = 1
f(x)
plain.v[0] = 7
f(x)
Own.__copy__ = lambda self: Own(self.v * 9)
f(x)
Plain.__deepcopy__ = lambda self, memo: Plain(self.v * 3)
f(x)
f(x)
""",
    "fields are replaced": """
import dataclasses
@dataclasses.dataclass(frozen=True)
class State:
    w: object
    step: int = 0
    rate: float = dataclasses.field(default=0.5, repr=False)
state = State(kn.ones(2))
@jit
def f(s, x):
    t = dataclasses.replace(s, w=s.w - s.rate * x, step=s.step + 1)
    u = dataclasses.replace(state, rate=t.rate * 2)
    names = [f.name for f in dataclasses.fields(u)]
    d = dataclasses.asdict(t)
    return t, u.w * u.rate * len(names), d["step"], d["w"] * 2
---
f(state, x)
f(State(kn.ones(2), 3), x)
state = State(kn.zeros(2), 1, 2.0)
f(state, x)
f(state, x * 2)
State.__init__ = lambda self, w, step, rate: [object.__setattr__(self, n, v) for n, v in (("w", w * 2), ("step", step), ("rate", rate))] and None
f(state, x)
f(state, x)
""",
    "exceptions with constructors": """
limit = 2.0
class Bad(ValueError):
    def __init__(self, code, value):
        super().__init__(f"code {code}", value)
        self.code, self.value = code, value
    def twice(self): return self.value * 2
class Worse(Bad):
    def __init__(self, value): Bad.__init__(self, 7, value); self.more = limit
@jit
def f(x, n):
    try:
        if kn.sum(x) > 3: raise Worse(x)
        if n: raise Bad(n, x * 2)
        x = x + 1
    except Worse as e: x = e.twice() + e.more + len(e.args)
    except Bad as e: x = e.value * e.code
    if kn.sum(x) > 40: raise Bad(9, limit)
    return x
---
f(x, 0)
f(x * 2, 0)
f(-x, 4)
limit = 3.0
f(x * 2, 0)
f(x * 30, 0)
Bad.twice = lambda self: self.value * 3
f(x * 2, 0)
f(x, 1)
f(x, 1)
""",
    "wrappers and generators": """
import contextlib, functools
def scale(v, k, *, s=1.0): return v * k + s
double = functools.partial(scale, k=2.0)
@functools.lru_cache
def table(n): return n * 2.0
@jit
def f(x):
    @functools.lru_cache(None)
    def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
    @contextlib.contextmanager
    def scope(v):
        seen.append(1)
        try: yield v * 2
        finally: seen.append(2)
    def running():
        total = 0
        while True: total = total + (yield total)
    seen, g = [], running()
    next(g)
    with scope(x) as y: z = g.send(y) + g.send(x)
    return z * fib(9) + double(x, s=0.5) + functools.partial(double, s=2.0)(x), seen
@jit
def kept(x): return x * table(3)
---
f(x)
f(x * 2)
double = functools.partial(scale, k=3.0)
f(x)
scale.__kwdefaults__ = {"s": 5.0}
f(x)
kept(x)
table.cache_clear()
kept(x)
""",
}

test_library_as_in_eager = cases(CASES)


@pytest.mark.parametrize("number", range(len(library_fuzz.STATEMENTS)))
def test_each_statement_as_in_eager_and_compiled(number):
    statement = library_fuzz.STATEMENTS[number]
    text, scopes = library_fuzz.alone(statement), []
    state_harness.check(text, ("auto",), scopes)
    reasons = library_fuzz.reasons(scopes[0]["f"].explain().variants)
    if "asdict" in statement and sys.version_info >= (3, 12):
        return  # looks classes up in a set of builtin ones, and runs in eager
    assert bool(reasons) == any(statement.startswith(s) for s in ("class C", "{v} = {v} + kn.asarray(np")), reasons


def test_random_programs_as_in_eager():
    found = [library_fuzz.check(seed) for seed in range(60)]
    assert sum(not reasons for reasons in found) > 40


def test_what_stays_in_eager_says_why():
    import functools

    @functools.lru_cache
    def table(n):
        return n * 2.0

    def of_numpy(x):
        return kn.asarray(np.asarray(x)) + 1

    for function, why in ((lambda x: x * table(2), "functools.lru_cache"), (of_numpy, "NumPy's 'asarray'")):
        with pytest.warns(kn.KilnWarning, match=why):
            jitted = kn.jit(function)
            for _ in range(3):
                same_bits(jitted(kn.ones(3)), function(kn.ones(3)))


@pytest.mark.parametrize("mode", ["auto", "sync"])
def test_what_python_drives_repeats_arrays_whose_memory_is_numpys(mode, rng):
    def f(w, x):
        outer = w[:, None] * x[None, :] + w
        return outer * float(repr(float(kn.sum(w)))), outer
    with kn.config.override(jit=mode), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jitted = kn.jit(f)
        for _ in range(12):
            w, x = kn.asarray(rng.standard_normal(6)), kn.asarray(rng.standard_normal(6))
            for got, want in zip(jitted(w, x), f(w, x)):
                same_bits(got, want)
    assert "python" in {node["ends"] for v in jitted.explain().variants for node in v["nodes"]}
