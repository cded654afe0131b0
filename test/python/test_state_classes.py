"""Special methods of dataclasses, named tuples, registered classes and static callables are the program's too; jit against eager."""
from state_harness import cases

_DATACLASS = """
import dataclasses, random
k = 2.0
log = []
@dataclasses.dataclass
class L:
    w: object
    n: int = 1
    def __call__(self, x): log.append("call"); return x * self.w * k
    def __len__(self): log.append("len"); return int(k)
    def __bool__(self): log.append("bool"); return k < 3
    def __lt__(self, other): log.append("lt"); return k < 3
    def __float__(self): log.append("float"); return k
    def __index__(self): log.append("index"); return int(k) - 2
    def __iter__(self): log.append("iter"); return iter([k, self.w])
    def __enter__(self): log.append("enter"); return self
    def __exit__(self, *a): log.append("exit")
    def __iadd__(self, o): log.append("iadd"); self.w = self.w + o * k; return self
    def __add__(self, o): return self.w + o * k
    def __radd__(self, o): return self.w + o * k
    def __matmul__(self, o): return o * k
    def __neg__(self): return self.w * -k
    def __getitem__(self, i): return self.w[i] * k
    def __contains__(self, v): return v < k
    def __eq__(self, o): log.append("eq"); return k < 3
    def __hash__(self): return int(k)
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        log.append(name); return k
    @property
    def scaled(self): log.append("scaled"); return self.w * k
    def method(self, x): return x * k + self.n
    @staticmethod
    def static(x): return x * k
    @classmethod
    def made(cls, w): return cls(w * k)
l = L(kn.asarray([3.0, 4.0]))
"""

_USES = {
    "calls": "l(x)", "operators": "l + x + (-l)[0] + l @ x", "reflected operators": "x + l", "len": "x * len(l)", "bool": "x if l else -x",
    "comparisons": "x if l < l else -x", "sort": "sorted([l, l])[0].w * x", "min": "min(l, l).w", "float": "x * float(l)", "index": "x[l] + [5, 6][l]",
    "iteration": "[v * x for v in l]", "unpacking": "(lambda a, b: b * a)(*l)", "containment": "x * (1 in l)", "equality": "x * (l == l)", "hash": "x * hash(l)",
    "properties": "l.scaled * x", "missing attributes": "l.missing * x", "methods": "l.method(x)", "static methods": "l.static(x)", "class methods": "l.made(x).w + type(l).static(x)",
    "set members": "x * len({l, l})", "sums": "sum([l], x)", "map": "list(map(l, [x]))", "filter": "len(list(filter(l.method, []))) * x", "getattr": "getattr(l, 'scaled') * x",
    "range": "[x * i for i in range(l)]", "slices": "x[l:]", "formatting": "(f'{l.n}', x * 1)", "items": "l[0] * x", "isinstance": "x if isinstance(l, L) else -x",
}

CLASSES = {f"{name} of a dataclass argument": f"""{_DATACLASS}
f = jit(lambda l, x: {use})
---
f(l, x)
f(l, x)
k = 3.0
f(l, x)
k = 2.0
f(l, x)
""" for name, use in _USES.items()}

CLASSES |= {f"{name} of a static object": f"""{_DATACLASS}
f = jit(lambda l, x: {_USES[name]}, static_argnums=0)
---
f(l, x)
f(l, x)
k = 3.0
f(l, x)
l.n = 7
f(l, x)
""" for name in ("calls", "operators", "len", "bool", "iteration", "properties", "methods", "formatting", "map", "index")}

CLASSES |= {
    "with and in-place operators of a dataclass": _DATACLASS + """
@jit
def f(l, x):
    with l as m:
        l += x
    return l.w * 1
---
f(l, x)
f(l, x)
k = 3.0
f(l, x)
""",
    "a method that is replaced": _DATACLASS + """
f = jit(lambda l, x: l.method(x) + l(x))
---
f(l, x)
f(l, x)
L.__call__ = lambda self, x: x * 10
f(l, x)
L.method = lambda self, x: x * 20
f(l, x)
L.method.__code__ = (lambda self, x: x * 30).__code__
f(l, x)
l.method = lambda x: x * 40
f(l, x)
""",
    "a class attribute of a dataclass": """
import dataclasses, typing
@dataclasses.dataclass
class L:
    w: object
    k: typing.ClassVar[float] = 2.0
    other: "typing.ClassVar[float]" = 1.0
class M(L): pass
l, m = L(kn.ones(2)), M(kn.ones(2))
f = jit(lambda l, x: l.w * x * l.k + l.other)
---
f(l, x)
f(l, x)
f(m, x)
L.k = 3.0
f(l, x)
f(m, x)
M.k = 4.0
f(m, x)
L.other = 9.0
f(l, x)
""",
    "a default factory": """
import dataclasses
count = [0]
def number():
    count[0] += 1
    return float(count[0])
@dataclasses.dataclass
class L:
    w: object
    n: float = dataclasses.field(default_factory=number)
@jit
def f(x):
    l = L(x)
    return l.w * l.n
@jit
def g(x): return L(x)
---
f(x)
f(x)
g(x)
g(x)
""",
    "what a dataclass does once made": """
import dataclasses
log = []
@dataclasses.dataclass
class L:
    w: object
    n: int = 0
    def __post_init__(self):
        log.append("made")
        self.n += 1
        self.w = self.w * 2
@jit
def f(x): return L(x)
@jit
def g(l): return l
@jit
def h(l): return l.w + l.n
---
f(x)
f(x)
l = L(x)
g(l)
g(l)
h(l)
h(l)
""",
    "a dataclass with fields outside init": """
import dataclasses
@dataclasses.dataclass
class L:
    w: object
    n: object = dataclasses.field(init=False, default=3)
    s: dataclasses.InitVar = 2
    def __post_init__(self, s): self.n = s
@jit
def f(x): return L(x * 2, 5)
@jit
def g(l): return l.w * l.n
@jit
def h(l):
    l.n = 4
    return l
---
f(x)
f(x)
g(L(x, 7))
g(L(x, 7))
h(L(x, 7))
h(L(x, 7))
""",
    "a dataclass with its own init": """
import dataclasses
@dataclasses.dataclass(init=False)
class L:
    w: object
    def __init__(self, a, b): self.w = a * b
f = jit(lambda x: L(x, 2.0))
g = jit(lambda l: (l, l.w * 2))
---
f(x)
f(x)
g(L(x, 3.0))
g(L(x, 3.0))
""",
    "a frozen dataclass, slots and keywords alone": """
import dataclasses
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class L:
    w: object
    n: int = 3
@jit
def f(l, x): return dataclasses.replace(l, w=l.w * x)
@jit
def g(l, x): return L(w=l.w * x, n=l.n)
@jit
def h(l, x):
    l.n = 4
    return x
---
f(L(w=x), x)
f(L(w=x), x)
g(L(w=x), x)
g(L(w=x), x)
h(L(w=x), x)
h(L(w=x), x)
""",
    "a dataclass with further attributes": """
import dataclasses
@dataclasses.dataclass
class L:
    w: object
l = L(kn.ones(2))
l.extra = 2.0
f = jit(lambda l, x: l.w * l.extra * x)
g = jit(lambda l: l)
---
f(l, x)
f(l, x)
l.extra = 3.0
f(l, x)
g(l)
g(l)
g(l) is l
""",
    "dataclasses in dataclasses with defaults": """
import dataclasses
@dataclasses.dataclass
class A:
    w: object = 1.0
@dataclasses.dataclass
class B:
    a: A = dataclasses.field(default_factory=A)
    l: list = dataclasses.field(default_factory=list)
@jit
def f(b, x):
    b.l.append(1)
    return x * b.a.w + len(b.l)
b = B()
---
f(b, x)
f(b, x)
b.a.w = kn.ones(2)
f(b, x)
""",
    "named tuples with methods": """
import collections, typing
k = 2.0
class P(typing.NamedTuple):
    a: object
    b: object = 1.0
    def scaled(self): return self.a * k
    def __add__(self, o): return self.a + o * k
    def __len__(self): return 7
    @property
    def total(self): return self.a + self.b * k
f = jit(lambda p, x: (p.scaled(), p + x, len(p), p.total))
---
f(P(x), x)
f(P(x), x)
k = 3.0
f(P(x), x)
P.__add__ = lambda self, o: o * 9
f(P(x), x)
P.scaled = lambda self: self.a * 100
f(P(x), x)
""",
    "named tuples with their own new": """
import collections
log = []
class P(collections.namedtuple("P", "a b")):
    def __new__(cls, a, b=2.0):
        log.append("new")
        return super().__new__(cls, a, b)
f = jit(lambda x: P(x * 2))
g = jit(lambda p: p)
h = jit(lambda p: P(p.a * 2, p.b))
---
f(x)
f(x)
p = P(x)
g(p)
g(p)
h(p)
h(p)
f(x)._replace(a=1)
""",
    "tuples with further attributes": """
import collections
class P(collections.namedtuple("P", "a")): pass
p = P(x)
p.step, p.extra = 2.0, 1.0
f = jit(lambda p, x: x * p.step)
g = jit(lambda p, x: x * p.extra)
h = jit(lambda p: p)
---
f(p, x)
g(p, x)
p.step, p.extra = 3.0, 5.0
f(p, x)
g(p, x)
h(p)
vars(h(p))
""",
    "tuples of a class of their own": """
class T(tuple):
    k = 2.0
    def __getitem__(self, i): return tuple.__getitem__(self, i) * self.k
f = jit(lambda t: (t[0], type(t).__name__))
g = jit(lambda x: T((x, x)))
---
f(T((x, x)))
f(T((x, x)))
T.k = 3.0
f(T((x, x)))
g(x)
g(x)
""",
    "a registered class": """
k, log = 2.0, []
class R:
    def __init__(self, w, n): self.w, self.n = w, n
    def __call__(self, x): log.append("call"); return x * self.w * k * self.n
def flat(r): log.append("flat"); return (r.w,), r.n
def unflat(n, children): log.append("unflat"); return R(children[0], n)
kn.tree.register_pytree_node(R, flat, unflat)
r = R(kn.ones(2), 3)
f = jit(lambda r, x: r(x))
g = jit(lambda r, x: R(r.w * x, r.n))
---
f(r, x); log.clear()
f(r, x); log.clear()
k = 5.0
f(r, x); log.clear()
r.n = 4
f(r, x); log.clear()
r.n = 4.0
f(r, x); log.clear()
r.w = kn.asarray([5.0, 6.0])
f(r, x); log.clear()
g(r, x); log.clear()
g(r, x); log.clear()
R.__call__ = lambda self, x: x
f(r, x); log.clear()
""",
    "a registered class that hides state": """
class R:
    def __init__(self, w): self.w, self.hidden = w, 2.0
kn.tree.register_pytree_node(R, lambda r: ((r.w,), None), lambda n, c: R(c[0]))
r = R(kn.ones(2))
f = jit(lambda r, x: r.w * r.hidden * x)
g = jit(lambda r: r)
---
f(r, x)
f(r, x)
r.hidden = 3.0
f(r, x)
g(r) is r
g(r) is r
""",
    "an unflatten that raises": """
class R:
    def __init__(self, w): self.w = w
def unflat(n, children): raise ValueError("not to be made")
kn.tree.register_pytree_node(R, lambda r: ((r.w,), None), unflat)
f = jit(lambda x: R(x * 2))
g = jit(lambda x: (1, R(x * 2)))
h = jit(lambda x: [R(x * 2)])
i = jit(lambda x: {"a": R(x * 2)})
---
f(x)
f(x)
g(x)
g(x)
h(x)
h(x)
i(x)
i(x)
""",
    "a flatten that raises": """
class R:
    def __init__(self, w): self.w = w
def flat(r): raise KeyError("not to be taken apart")
kn.tree.register_pytree_node(R, flat, lambda n, c: R(c[0]))
f = jit(lambda r, x: r.w * x)
g = jit(lambda x: R(x))
---
f(R(x), x)
f(R(x), x)
g(x)
g(x)
""",
    "a class that is called": """
class Box:
    count = 0
    def __init__(self, v):
        Box.count += 1
        self.v = v
f = jit(lambda x: Box(x).v * Box.count)
---
f(x)
f(x)
Box.count
""",
    "metaclasses and descriptors": """
k = 2.0
class Meta(type):
    @property
    def scale(cls): return k
    def __call__(cls, v): return v * k
    def __getitem__(cls, i): return k
class C(metaclass=Meta): pass
class D:
    def __get__(self, o, t): return k
class E: d = D()
f = jit(lambda x: x * C.scale + C(x) + C[0])
g = jit(lambda x, e: x * e.d, static_argnums=1)
e = E()
---
f(x)
g(x, e)
k = 3.0
f(x)
g(x, e)
""",
    "enumerations": """
import enum
class Mode(enum.Enum):
    A = 2.0
    B = 3.0
    @property
    def scale(self): return self.value * k
k = 1.0
f = jit(lambda x, m: x * m.value + (m is Mode.A), static_argnums=1)
g = jit(lambda x: x * Mode.A.value)
h = jit(lambda x, m: x * m.scale, static_argnums=1)
---
f(x, Mode.A)
f(x, Mode.B)
g(x)
g(x)
h(x, Mode.A)
k = 2.0
h(x, Mode.A)
""",
    "exceptions of a class of their own": """
log = []
class Bad(Exception):
    def __init__(self, v): log.append("bad"); super().__init__(v)
@jit
def f(x, n):
    try:
        if n: raise Bad(n)
    except Bad: return x * 2
    return x + 1
---
f(x, 0)
f(x, 1)
f(x, 1)
f(x, 0)
""",
}

test_classes = cases(CLASSES, apart=["an unflatten that raises"])
