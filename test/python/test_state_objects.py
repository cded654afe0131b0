"""Plain objects, their classes, constructors and helpers that change between calls; jit against eager."""
from state_harness import cases

OBJECTS = {
    "the class of an object": """
class A:
    def go(self, x): return x * 2
class B:
    def go(self, x): return x * 3
a = A()
f = jit(lambda a, x: a.go(x))
---
f(a, x)
f(a, x)
a.__class__ = B
f(a, x)
B.go = A.go
f(a, x)
""",
    "a base class": """
class Base:
    k = 2.0
    def go(self, x): return x * self.k
class A(Base):
    def go(self, x): return super().go(x) + 1
a = A()
f = jit(lambda a, x: a.go(x))
---
f(a, x)
f(a, x)
Base.k = 3.0
f(a, x)
Base.go = lambda self, x: x * 100
f(a, x)
A.__bases__ = (type("Other", (), {"go": lambda self, x: x * 7}),)
f(a, x)
a.k = 1.0
f(a, x)
""",
    "slots": """
class A:
    __slots__ = ("w", "n")
    def go(self, x): return x * self.w + self.n
a = A()
a.w, a.n = kn.ones(2), 1.0
f = jit(lambda a, x: a.go(x))
g = jit(lambda a: a)
---
f(a, x)
f(a, x)
a.n = 2.0
f(a, x)
del a.n
f(a, x)
a.n = 3
f(a, x)
g(a) is a
g(a) is a
""",
    "objects that know their parents": """
class Node:
    def __init__(self, v, parent=None): self.v, self.parent, self.children = v, parent, []
    def go(self, x): return x * self.v + (self.parent.v if self.parent else 0)
root = Node(2.0)
leaf = Node(3.0, root)
root.children.append(leaf)
f = jit(lambda n, x: n.go(x))
---
f(root, x)
f(leaf, x)
f(leaf, x)
root.v = 5.0
f(leaf, x)
""",
    "one object in two places": """
class Box:
    def __init__(self, v): self.v = v
a, b = Box(kn.ones(2)), Box(kn.ones(2))
f = jit(lambda l: (l[0] is l[1], l[0].v + l[1].v))
g = jit(lambda a, b: (a is b, a.v is b.v, a.v * 2))
---
f([a, a])
f([a, b])
f([a, a])
g(a, b)
b.v = a.v
g(a, b)
g(a, a)
""",
    "an object whose array is an argument too": """
class Box:
    def __init__(self, v): self.v = v
a = Box(x)
@jit
def f(a, x):
    x += 1
    return a.v * 2
---
f(a, x)
f(a, x)
a.v = kn.ones(2)
f(a, x)
a.v = x[::-1]
f(a, x)
""",
    "methods that set attributes": """
class Counter:
    def __init__(self): self.n, self.w = 0, kn.zeros(2)
    def step(self, x):
        self.n += 1
        self.w = self.w + x
        return self.w * self.n
c = Counter()
f = jit(lambda c, x: c.step(x))
---
f(c, x)
f(c, x)
c.n = 10
f(c, x)
f(Counter(), x)
""",
    "objects that are made and kept": """
kept = []
class Box:
    def __init__(self, v): self.v = v; self.twice = v * 2
@jit
def f(x):
    b = Box(x)
    kept.append(b)
    return b
@jit
def g(x): return [Box(x), Box(1)]
---
f(x)
f(x)
f(x) is kept[-1]
g(x)
r = g(x)
r[0].v is x
""",
    "constructors that keep and count": """
count = [0]
class Box:
    made = 0
    def __init__(self, v):
        count[0] += 1
        type(self).made += 1
        self.v = v
f = jit(lambda x: Box(x).v * Box.made)
---
f(x)
f(x)
f(x)
""",
    "constructors that call methods": """
k = 2.0
class Box:
    def __init__(self, v):
        self.v = v
        self.setup(k)
    def setup(self, n): self.n = n
    def go(self): return self.v * self.n
f = jit(lambda x: Box(x).go())
---
f(x)
f(x)
k = 3.0
f(x)
Box.setup = lambda self, n: setattr(self, "n", n * 10)
f(x)
""",
    "decorated helpers": """
import functools
k = 2.0
def twice(f):
    @functools.wraps(f)
    def inner(*a, **kw): return f(f(*a, **kw), **kw)
    return inner
@twice
def helper(x): return x * k
@functools.lru_cache
def cached(n): return n * k
@functools.singledispatch
def chosen(x): return x * k
f = jit(lambda x: helper(x) + cached(2))
g = jit(lambda x: chosen(x))
---
f(x)
g(x)
k = 3.0
f(x)
g(x)
helper.__wrapped__.__code__ = (lambda x: x * 50).__code__
f(x)
""",
    "partial objects by name": """
import functools
def helper(x, j=1.0, k=1.0): return x * j + k
p = functools.partial(helper, j=2.0)
f = jit(lambda x: p(x))
---
f(x)
f(x)
p.keywords["j"] = 3.0
f(x)
p.keywords["k"] = 4.0
f(x)
del p.keywords["j"]
f(x)
""",
    "partial objects that are set anew": """
import functools
def helper(x, j=1.0, k=1.0): return x * j + k
p = functools.partial(helper, j=2.0)
f = jit(lambda x: p(x))
---
f(x)
f(x)
p.__setstate__((helper, (), {"j": 7.0}, {}))
f(x)
p.__setstate__((lambda x: x, (), {}, {}))
f(x)
""",
    "builtins that are replaced": """
# not threads
import builtins
@jit
def f(x): return x * divmod(7, 3)[0] * max(1, 2)
before = builtins.divmod
---
f(x)
f(x)
builtins.divmod = lambda a, b: (5, 5)
f(x)
builtins.divmod = before
f(x)
""",
    "functions of Kiln that are replaced": """
# not threads
@jit
def f(x): return kn.exp(x * 0) + kn.linalg.vector_norm(x)
before = kn.exp, kn.linalg.vector_norm
---
f(x)
f(x)
kn.exp = lambda v: v + 100
f(x)
kn.exp = before[0]
kn.linalg.vector_norm = lambda v: 1000.0
f(x)
kn.linalg.vector_norm = before[1]
f(x)
""",
    "context variables and thread locals": """
# not hop
import contextvars, threading
c = contextvars.ContextVar("c", default=2.0)
local = threading.local()
f = jit(lambda x: x * c.get())
def g_(x): return x * getattr(local, "k", 1.0)
g = jit(g_)
---
f(x)
g(x)
c.set(3.0); f(x)
local.k = 5.0; g(x)
""",
    "operators by name": """
import operator
class Box: pass
b = Box()
b.v = 2.0
f = jit(lambda x, b: x * operator.attrgetter("v")(b) + operator.methodcaller("sum")(x))
---
f(x, b)
f(x, b)
b.v = 3.0
f(x, b)
""",
    "weak references and finalizers of arguments": """
import weakref
class Box:
    def __init__(self, v): self.v = v
b = Box(kn.ones(2))
r = weakref.ref(b)
f = jit(lambda b, x: b.v * x)
---
f(b, x)
f(b, x)
del b; r() is None
""",
    "text of objects": """
class Box:
    def __init__(self, v): self.v = v
class Named(Box):
    def __repr__(self): return f"Named({self.v})"
f = jit(lambda x, b: (x * 2, f"{b}"))
g = jit(lambda x, b: (x * 2, repr(b) == repr(b)))
---
f(x, Named(1))
f(x, Named(1))
f(x, Named(2))
g(x, Box(1))
g(x, Box(1))
""",
    "sets and dicts of objects": """
class Key:
    def __init__(self, v): self.v = v
    def __hash__(self): return int(self.v)
    def __eq__(self, o): return self.v == o.v
f = jit(lambda x, a, b: x * len({a, b}) + {a: 1.0, b: 2.0}[a])
---
f(x, Key(1), Key(2))
f(x, Key(1), Key(2))
f(x, Key(1), Key(1))
Key.__eq__ = lambda self, o: False
f(x, Key(1), Key(1))
""",
}

test_objects = cases(OBJECTS)
