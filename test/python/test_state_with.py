"""`with`, enumerations and abstract classes inside of jitted functions; jit against eager."""
import pytest

import kiln as kn
from state_harness import cases

CASES = {
    "a block is entered and left": """
log = []
class Scope:
    def __init__(self, n, swallows=False): self.n, self.swallows = n, swallows
    def __enter__(self):
        self.n += 1
        return self.n
    def __exit__(self, kind, error, trace):
        self.n *= 2
        return self.swallows
@jit
def f(x, limit):
    s = Scope(1)
    with s as n, Scope(5) as m:
        x = x * n + m
        if x.sum() > limit: return x, s.n
    return -x, s.n
---
f(x, 10)
f(x, 10)
f(x, 100)
f(x * 20, 100)
f(x, 10)
""",
    "an error leaves a block": """
class Scope:
    def __init__(self, swallows): self.swallows, self.left = swallows, []
    def __enter__(self): return self
    def __exit__(self, kind, error, trace):
        self.left.append(kind is None)
        return self.swallows and kind is ValueError
@jit
def f(x, swallows):
    with Scope(swallows) as s:
        x = x + 1
        if x.sum() > 6: raise ValueError("large")
        if x.sum() < 0: raise KeyError("small")
        x = x * 2
    return x, s.left
---
f(x, True)
f(x, True)
f(x * 3, True)
f(x * 3, False)
f(-x * 3, True)
f(x, False)
f(x * 3, True)
""",
    "an error in entering and in leaving": """
class Scope:
    def __init__(self, fails): self.fails = fails
    def __enter__(self):
        if self.fails == 1: raise ValueError("in")
    def __exit__(self, *error):
        if self.fails == 2: raise KeyError("out")
@jit
def f(x, fails):
    with Scope(fails): x = x * 2
    return x
---
f(x, 0)
f(x, 1)
f(x, 2)
f(x, 0)
f(x, 2)
f(x, 1)
""",
    "a manager from around": """
class Scope:
    depth = 1
    def __init__(self): self.count, self.w = 0, kn.ones(2)
    def __enter__(self):
        self.count += 1
        return self.w
    def __exit__(self, *error): self.w = self.w + 1
scope = Scope()
@jit
def f(x):
    with scope as w: x = x * w + scope.depth
    return x
---
f(x)
f(x)
f(x)
scope.count
scope.w = x
f(x)
Scope.depth = 4
f(x)
def leave(self, *error): self.w = self.w * 10
Scope.__exit__ = leave
f(x)
f(x)
Scope.__enter__ = lambda self: 3
f(x)
scope = Scope()
f(x)
f(x)
""",
    "no manager": """
class Half:
    def __enter__(self): return self
@jit
def f(x, m):
    with m: return x
---
f(x, 3)
f(x, Half())
f(x, 3)
""",
    "managers of generators": """
import contextlib
scale = 2.0
@contextlib.contextmanager
def scaled(x, by):
    "Says what it does."
    yield x * by * scale
log = []
@contextlib.contextmanager
def logged(name):
    log.append(name)
    try: yield
    finally: log.append("-" + name)
@jit
def f(x):
    with logged("a"), scaled(x, 3) as y, contextlib.nullcontext(5) as five:
        return y + five
---
f(x)
f(x)
scale = 7.0
f(x)
log
scaled.__doc__
""",
    "a manager of a generator and an error": """
import contextlib
@contextlib.contextmanager
def guarded(log):
    try: yield
    except ValueError: log.append("caught")
@jit
def f(x):
    log = []
    with guarded(log):
        if x.sum() > 10: raise ValueError("large")
        log.append("fine")
    return x, log
---
f(x)
f(x)
f(x * 5)
f(x)
f(x * 5)
""",
    "NumPy's errstate": """
from kiln._numpy.types import errstate
@jit
def f(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = x / (x - 1)
    with errstate(all="ignore"):
        return y + kn.log(x - 2)
---
f(x)
f(x)
f(x * 2)
""",
    "loops of blocks": """
class Scope:
    def __init__(self, n): self.n = n
    def __enter__(self): return self
    def __exit__(self, *error): self.n = self.n + 1
@jit
def f(x, most):
    s = Scope(0)
    while x.sum() < most:
        with s: x = x * 1.5
    return x, s.n
---
f(x, 10)
f(x, 100)
f(x, 1000)
f(x, 5000)
f(x, 10)
""",
    "members of an enumeration": """
import enum
class Mode(enum.Enum):
    PLAIN = 1
    SCALED = "s"
    PAIR = (2, 3)
    def gain(self): return 10 if self is Mode.SCALED else 1
    @property
    def label(self): return self.name.lower()
mode, table = Mode.PLAIN, {"m": Mode.PAIR}
@jit
def f(x, m=None):
    m = m or mode
    if m is Mode.PLAIN: return x + m.value
    if m == Mode.SCALED: return x * m.gain(), m.label
    if m != Mode.PLAIN and table["m"] is m and m in (Mode.PAIR, Mode.PLAIN): return x * m.value[0] - m.value[1], f"{m.name}"
    return x
---
f(x)
f(x)
mode = Mode.SCALED
f(x)
f(x)
mode = Mode.PAIR
f(x)
table["m"] = Mode.PLAIN
f(x)
f(x, Mode.PLAIN)
f(x, Mode.SCALED)
Mode.gain = lambda self: 7
f(x, Mode.SCALED)
Mode.EXTRA = 5
mode = Mode.PLAIN
f(x)
""",
    "an enumeration with operators of its own": """
import enum
class Order(enum.IntEnum):
    LOW = 1
    HIGH = 2
class Bits(enum.Flag):
    A = 1
    B = 2
class Odd(enum.Enum):
    A = 1
    def __eq__(self, other): return True
    def __hash__(self): return 3
    def __bool__(self): return False
order, bits, odd = Order.HIGH, Bits.A | Bits.B, Odd.A
@jit
def f(x):
    if order > Order.LOW: x = x * 2
    if bits & Bits.B: x = x + 1
    if odd == 5: x = x - 3
    if odd: x = x * 100
    return x * order
---
f(x)
f(x)
order, bits = Order.LOW, Bits.A
f(x)
f(x)
""",
    "abstract classes": """
import abc
class Layer(abc.ABC):
    def __init__(self, n): self.n = n
    @abc.abstractmethod
    def run(self, x): ...
class Scale(Layer):
    def run(self, x): return x * self.n
class Nothing(Layer):
    pass
layers = [Scale(2), Scale(3)]
@jit
def f(x, extra):
    for l in layers: x = l.run(x)
    if extra: x = Scale(extra).run(x)
    if extra == 5: Nothing(1)
    return x, isinstance(layers[0], Scale), type(layers[1]).__name__, Scale.__qualname__
---
f(x, 0)
f(x, 0)
layers[0].n = 7
f(x, 4)
layers.append(Scale(2))
f(x, 4)
f(x, 5)
Scale.run = lambda self, x: x - self.n
f(x, 0)
Scale.__name__ = "Renamed"
f(x, 0)
""",
    "constructors up to object's": """
class Base:
    def __init__(self, n):
        super().__init__()
        self.n = n
class Part(Base):
    def __init__(self, n, w):
        super().__init__(n)
        self.w = w
@jit
def f(x, most):
    p = Part(2, x)
    while p.w.sum() < most: p.w = p.w * p.n
    return p.w, p.n
---
f(x, 10)
f(x, 10)
f(x, 100)
f(x, 1000)
f(x, 50)
""",
    "whether a dict has a key": """
table, seen = {"a": lambda v: v * 2, "n": 3, "w": kn.ones(2)}, {}
@jit
def f(x, key):
    if key not in table: return x
    if key in seen: x = x + 1
    seen[key] = 1
    return table[key](x) if key == "a" else x * table[key]
---
f(x, "a")
f(x, "a")
f(x, "b")
table["b"] = 5
f(x, "b")
table["a"] = lambda v: v * 7
f(x, "a")
table["n"] = 4
f(x, "w")
del table["b"]
f(x, "b")
f(x, "n")
seen.clear()
f(x, "n")
""",
    "isinstance of an abstract class": """
import abc
class Shape(abc.ABC):
    pass
class Box:
    w = 2
box = Box()
@jit
def f(x): return x * 2 if isinstance(box, Shape) else x + box.w
---
f(x)
f(x)
_ = Shape.register(Box)
f(x)
f(x)
""",
    "attributes are deleted": """
class Holder: pass
kept = Holder()
kept.a = 1
@jit
def f(x, which):
    h = Holder()
    h.a, h.b = x, 2
    del h.a
    if which: del kept.a
    return hasattr(h, "a"), h.b * x
---
f(x, False)
f(x, False)
f(x, True)
f(x, True)
hasattr(kept, "a")
""",
    "what functions are called": """
def g(v):
    "Doubles."
    return v * 2
@jit
def f(x): return g(x), g.__name__, g.__doc__, g.__qualname__
---
f(x)
f(x)
g.__name__ = "h"
f(x)
g.__doc__ = None
f(x)
g.__qualname__ = "q.h"
f(x)
""",
}

test_state_with = cases(CASES)


@pytest.mark.parametrize("name, ends", [("a block is entered and left", {"return"}), ("managers of generators", {"return"}), ("NumPy's errstate", {"return"}), ("members of an enumeration", {"return"})])
def test_blocks_are_compiled(name, ends):
    """None of these runs in eager: the last function of each has paths that return."""
    scope = {"kn": kn, "np": __import__("numpy"), "jit": kn.jit, "x": kn.asarray([1.0, 2.0]), "__name__": "<state>"}
    setup, steps = CASES[name].split("---\n")
    exec(setup, scope)
    with kn.config.override(jit="sync"):
        exec(steps.splitlines()[0], scope)
        exec(steps.splitlines()[0], scope)
    variants = scope["f"].explain().variants
    assert not any(v["eager"] for v in variants)
    assert {n["ends"] for v in variants for n in v["nodes"]} - {"guard"} == ends and scope["f"].stats.hits == 1
