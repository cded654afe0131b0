"""Arguments: what is told apart, what is changed inside, and what special methods of containers do; jit against eager."""
from state_harness import cases

KEYS = {
    "numbers by type and bits": """
f = jit(lambda x, k: x / k)
g = jit(lambda x, k: (x * k, k, type(k).__name__))
i = kn.asarray([1, 2])
---
f(x, 0.0)
f(x, -0.0)
g(i, 1)
g(i, True)
g(i, 1.0)
g(i, 1 + 0j)
g(i, 2**70)
g(x, 2**70)
g(x, float("nan"))
g(x, float("nan"))
g(i, 1)
g(i, False)
""",
    "scalars of NumPy": """
f = jit(lambda x, k: x * k)
g = jit(lambda k: type(k).__name__)
---
f(x, np.float32(1))
f(x, np.float64(1))
f(x, np.float64(2))
f(x, np.int64(1))
f(x, np.bool_(True))
f(kn.asarray([1]), np.float32(1))
g(np.float32(1))
""",
    "the order of a dict": """
@jit
def f(d):
    y = kn.zeros(())
    for k, v in d.items():
        y = y * 10 + v
    return y, list(d), {k: v * 2 for k, v in d.items()}
one, two = kn.asarray(1.0), kn.asarray(2.0)
---
f({"a": one, "b": two})
f({"b": two, "a": one})
f({"b": two, "a": one})
f({"a": one, "b": two})
list(f({"b": one, "a": two})[2])
""",
    "the order of a nested dict": """
@jit
def f(d): return [k for k in d["in"]], sum(d["in"].values())
one, two = kn.asarray(1.0), kn.asarray(2.0)
---
f({"in": {"a": one, "b": two}})
f({"in": {"b": two, "a": one}})
""",
    "keys of dicts": """
nan = float("nan")
@jit
def f(d): return [(k, type(k).__name__) for k in d], sum(d.values())
---
f({1: x})
f({1.0: x})
f({True: x})
f({-0.0: x})
f({0.0: x})
f({nan: x})
f({nan: x})
f({(1, 2): x})
f({(1.0, 2): x})
f({1: x, "a": x})
f({None: x})
f({kn.float32: x})
""",
    "keys with effects": """
log = []
class Key:
    def __init__(self, v): self.v = v
    def __hash__(self): return 1
    def __eq__(self, other):
        log.append("eq")
        return isinstance(other, Key)
a, b = Key(1.0), Key(2.0)
f = jit(lambda d: [v * k.v for k, v in d.items()])
da, db = {a: x}, {b: x}
---
log.clear(); f(da)
log.clear(); f(db)
log.clear(); f(da)
log.clear(); f(db)
""",
    "strings and None": """
f = jit(lambda x, s: (x * 2, s) if s else (x, s))
---
f(x, "a")
f(x, "b")
f(x, None)
f(x, "")
f(x, "".join(["a"]))
""",
    "kinds of containers": """
import collections
f = jit(lambda t: (type(t).__name__, t[0] * 2))
P = collections.namedtuple("P", "a b")
Q = collections.namedtuple("P", "a b")
---
f((x, x))
f([x, x])
f(P(x, x))
f(Q(x, x))
f([x])
f((x, x))
""",
    "other arguments": """
import enum, collections, fractions, decimal, datetime
class Color(enum.Enum): RED = 1
class Number(enum.IntEnum): ONE = 1
class I(int): pass
class F(float): pass
class S(str): pass
class L(list): pass
class D(dict): pass
class T(tuple): pass
f = jit(lambda x, o: (x * 2, o, type(o).__name__))
---
f(x, Color.RED)
f(x, Color.RED)
f(x, Number.ONE)
f(x, b"bytes")
f(x, bytearray(b"bytes"))
f(x, I(3))
f(x, I(4))
f(x, F(3))
f(x, S("a"))
f(x, S("b"))
f(x, L([x]))
f(x, D(a=x))
f(x, T((x,)))
f(x, collections.OrderedDict(a=x))
f(x, collections.defaultdict(list, a=x))
f(x, collections.deque([x]))
f(x, collections.Counter("aab"))
f(x, {1, 2})
f(x, frozenset([1]))
f(x, range(3))
f(x, slice(1, 2))
f(x, fractions.Fraction(1, 2))
f(x, decimal.Decimal(1))
f(x, datetime.date(2020, 1, 1))
f(x, len)
f(x, int)
f(x, kn.float32)
f(x, kn.exp)
f(x, Ellipsis)
f(x, NotImplemented)
f(x, object)
f(x, 1 + 2j)
f(x, np.bool_(True))
f(x, np.float64(2))
f(x, {"a": Color.RED})
f(x, [b"a", Color.RED, {3}])
""",
    "subclasses that act": """
log = []
class L(list):
    def __getitem__(self, i):
        log.append(i)
        return list.__getitem__(self, i) * 2
    def __len__(self): return 7
    def __iter__(self): return iter([3.0])
class D(dict):
    def __getitem__(self, k): return x * 5
    def keys(self): return ["z"]
class N(float):
    def __mul__(self, other): return other * 9
    __rmul__ = __mul__
l, d, n = L([x, x]), D(a=x), N(1)
f = jit(lambda x, l: l[0] * len(l) + sum(l))
g = jit(lambda x, d: d["a"] * 1)
h = jit(lambda x, n: n * x)
---
f(x, l)
f(x, l)
g(x, d)
g(x, d)
h(x, n)
h(x, n)
""",
    "iterators": """
f = jit(lambda it: [v * 2 for v in it])
---
f(iter([x, x]))
f(iter([x]))
f(v for v in [x, x])
f(zip([x], [x]))
it = iter([x, x + 1])
[v * 2 for v in [next(it)]]
f(it)
f(it)
""",
    "functions as arguments": """
k = 2.0
def scale(x): return x * k
def make(k): return lambda x: x * k
f = jit(lambda x, h: h(x))
---
f(x, scale)
f(x, scale)
k = 3.0
f(x, scale)
f(x, make(2.0))
f(x, make(3.0))
f(x, kn.exp)
f(x, len)
""",
    "objects as arguments": """
class Model:
    def __init__(self, w): self.w = w
    def __call__(self, x): return x * self.w
m = Model(kn.ones(2))
f = jit(lambda m, x: m(x) + m.w)
---
f(m, x)
f(m, x)
m.w = kn.asarray([3.0, 4.0])
f(m, x)
m.w += 1
f(m, x)
m.w = 2.0
f(m, x)
""",
    "methods": """
class Model:
    k = 2.0
    def __init__(self, w): self.w = w
    @jit
    def scaled(self, x): return x * self.w * self.k
    @staticmethod
    @jit
    def stat(x): return x + 1
    @classmethod
    @jit
    def clsm(cls, x): return x * cls.k
m, n = Model(kn.ones(2)), Model(3.0)
bound = jit(m.scaled)
---
m.scaled(x)
m.scaled(x)
n.scaled(x)
bound(x)
Model.stat(x)
m.stat(x)
Model.clsm(x)
Model.k = 5.0
m.scaled(x)
n.scaled(x)
bound(x)
Model.clsm(x)
m.k = 7.0
m.scaled(x)
bound(x)
m.w = 2.0
m.scaled(x)
bound(x)
""",
    "keywords in any order": """
f = jit(lambda x, a, b=2, *, c=3: x * a + b * c)
---
f(x, 1)
f(x, a=1)
f(a=1, x=x)
f(x, 1, 2)
f(x, 1, b=2, c=3)
f(c=3, b=2, a=1, x=x)
f(x)
f(x, 1, z=3)
f(x, 1, 2, 3)
f(x, 1, a=2)
f()
""",
    "variadic arguments": """
f = jit(lambda *a, **k: (sum(a), sorted(k), [v * 2 for v in k.values()]))
---
f(x)
f(x, x)
f(x, b=x, a=x)
f(x, a=x, b=x)
f()
""",
}

CHANGED = {
    "an item of a list is replaced": """
@jit
def f(l):
    l[0] = 3
    return l[1] * 2
---
l = [x + 1, x + 2]
f(l)
f(l)
f([x + 1, x + 2])
""",
    "a list is popped": """
@jit
def f(l):
    l.pop(0)
    return l[0] * 2
---
f([x + 1, x + 2])
f([x + 1, x + 2])
l = [x + 1, x + 2, x + 3]
f(l)
f(l)
f(l)
""",
    "an item of a list is deleted": """
@jit
def f(l):
    del l[0]
    return l[0] * 2
---
f([x + 1, x + 2])
f([x + 1, x + 2])
""",
    "a list is cleared": """
@jit
def f(l):
    y = l[0] * 2
    l.clear()
    return y
---
f([x + 1, x + 2])
f([x + 1, x + 2])
l = [x + 0]; f(l); l
""",
    "a key of a dict is popped": """
@jit
def f(d): return d.pop("a") * 2 + d["b"]
---
f({"a": x + 1, "b": x + 2})
f({"a": x + 1, "b": x + 2})
d = {"a": x + 1, "b": x + 2}
f(d)
f(d)
""",
    "a dict gets a key and changes its size": """
@jit
def f(d):
    d["c"] = 1
    d.setdefault("d", []).append(2)
    return d["a"] * 2
---
d = {"a": x + 1}
f(d)
f(d)
f({"a": x})
""",
    "a changed list while it is written": """
@jit
def f(l):
    a = l.pop()
    a += 1
    l.append(a * 2)
    return a
---
l = [x + 0, x + 1]
f(l)
f(l)
f(l)
""",
    "a view of an argument is kept in a list argument": """
@jit
def f(x, l):
    v = x[:]
    l.append(v)
    return v * 2
@jit
def g(v, o): return (v + o) * v
l = []
---
f(x, l)
g(l[0], kn.ones(2))
f(x, l)
g(l[-1], kn.ones(2))
x += 1
g(l[0], kn.ones(2))
g(l[0], l[1])
""",
    "a list that holds itself": """
l = [x]
l.append(l)
f = jit(lambda l: l[0] * 2)
---
f(l)
f(l)
f([x, [x]])
""",
    "a dict that holds itself": """
d = {"x": x}
d["d"] = d
f = jit(lambda d: d["d"]["x"] * 2)
---
f(d)
f(d)
""",
    "deep nesting": """
def deep(n):
    l = [x]
    for _ in range(n): l = [l]
    return l
@jit
def f(l):
    while isinstance(l[0], list): l = l[0]
    return l[0] * 2
---
f(deep(10))
f(deep(10))
f(deep(50000))
f(deep(50000))
""",
    "one list given twice": """
@jit
def f(a, b):
    a.append(1)
    return x * len(b)
l = []
---
f(l, l)
f(l, l)
f([], [])
""",
    "one list given twice and read": """
f = jit(lambda a, b: (a is b, a[0] * 2))
l = [x]
---
f(l, l)
f(l, [x])
f(l, l)
""",
    "one list with arrays of NumPy given twice": """
@jit
def f(a, b):
    a.append(1)
    return a is b, len(b), kn.asarray(b[0]) * 2
l = [np.ones(2)]
g = jit(lambda d, e: (d is e, kn.asarray(e["k"]) * 2))
d = {"k": np.ones(3)}
---
f(l, l)
f([np.ones(2)], [np.ones(2)])
g(d, d)
g(d, dict(d))
""",
    "attributes that are arrays are replaced": """
import dataclasses
@dataclasses.dataclass
class State:
    w: object
    n: int = 0
s = State(kn.ones(2))
@jit
def f(s, x):
    s.w = s.w + x
    s.n += 1
    return s.w.sum()
---
f(s, x)
f(s, x)
s.w = kn.zeros(2)
f(s, x)
""",
    "changed inside by the caller between": """
f = jit(lambda l, d: l[0] * len(l) + d["k"])
l, d = [x + 0], {"k": 1.0}
---
f(l, d)
l.append(2)
f(l, d)
d["k"] = 2.0
f(l, d)
l[0] = x + 5
f(l, d)
l[1] = "text"
f(l, d)
""",
}

ARRAYS = {
    "one array given twice and written": """
@jit
def f(a, b):
    a += b
    b *= 2
    return a * 1
---
f(x, x)
f(x, x)
f(x, x + 0)
y = x + 0
f(x, y)
f(y, x)
""",
    "the same elements in one object and in two": """
f = jit(lambda a, b: b)
g = jit(lambda a, b: (a is b, a * 2))
y = x[:]
---
f(x, x) is x
f(x, y) is y
f(x, x) is x
g(x, y)
g(x, x)
g(x, y)
""",
    "overlapping arguments": """
w = kn.arange(6).astype(kn.float32)
@jit
def f(a, b):
    a += 1
    b *= 2
    return a + b
---
f(w[:4], w[2:])
f(w[:4], w[2:])
f(w[:3], w[3:])
f(w[::2], w[1::2])
f(w[:3], w[:3])
f(w[:3], w[2::-1])
f(w[:3], w[3:])
""",
    "overlapping arguments that are read": """
w = kn.arange(6).astype(kn.float32)
f = jit(lambda a, b: a * 2 + b)
---
f(w[:4], w[2:])
f(w[:4], w[2:])
f(w[:3], w[3:])
f(kn.reshape(w, (2, 3)), kn.reshape(w, (2, 3)))
f(kn.reshape(w, (2, 3)).T, kn.reshape(w, (3, 2)))
""",
    "a broadcast argument that is written": """
@jit
def f(a):
    a += 1
    return a * 2
---
f(kn.ones((3, 2)))
f(kn.broadcast_to(kn.ones(2), (3, 2)))
f(kn.broadcast_to(kn.ones(2), (3, 2)))
f(kn.ones((3, 2)))
""",
    "parts of a complex number": """
f = jit(lambda z, r: z * 2 + r)
---
z = kn.asarray(1 + 2j)
f(z, z.real)
f(z, z.real)
f(z, z.imag)
w = kn.asarray([1 + 2j, 3 + 4j])
f(w, w.real)
f(w, w.imag)
""",
    "writes into parts of a complex array": """
@jit
def f(z):
    z.real += 1
    z.imag[:] = z.real * 2
    return z * 1
z = kn.asarray([1 + 2j, 3 + 4j])
---
f(z)
f(z)
""",
    "layouts": """
f = jit(lambda a: a * 2 + a.sum(axis=0))
g = jit(lambda a: a.T)
w = kn.arange(6).astype(kn.float32).reshape(2, 3)
---
f(w)
f(w.T)
f(w[:, ::2])
f(w[::-1])
f(kn.broadcast_to(w[0], (2, 3)))
f(w)
g(w)
g(w.T)
g(w[:, ::2])
""",
    "read-only NumPy memory": """
n = np.ones(2, np.float32)
@jit
def f(a):
    a = kn.asarray(a)
    a += 1
    return a * 2
@jit
def g(a): return kn.asarray(a) * 2
---
f(n)
f(n)
n.flags.writeable = False
f(n)
g(n)
g(n)
n.flags.writeable = True
f(n)
""",
    "NumPy arrays inside containers": """
n = np.ones(2, np.float32)
f = jit(lambda l: kn.asarray(l[0]) * 2)
g = jit(lambda d: (kn.asarray(d["n"]) * 2, d["n"].shape))
---
f([n])
f([n])
n += 1
f([n])
f([x])
g({"n": n})
g({"n": x})
g({"n": n})
""",
    "bool arrays": """
f = jit(lambda x, m: kn.where(m, x, 0))
g = jit(lambda x, m: x[m])
m = kn.asarray([True, False])
---
f(x, m)
f(x, m)
g(x, m)
m[1] = True
g(x, m)
f(x, m)
""",
    "masks that are written through": """
@jit
def f(x):
    x[x > 1] *= 2
    return x.sum()
---
f(x)
f(x)
f(x)
""",
    "arrays of recorded values": """
@jit
def f(x):
    a, b = x[0] * 2, x[1] + 1
    return kn.array([a, b, 3.0])
---
f(x)
f(x)
x += 1
f(x)
""",
    "sizes that change": """
@jit
def f(x): return x * x.shape[0] + len(x)
---
f(kn.ones(2))
f(kn.ones(3))
f(kn.ones(4))
f(kn.ones(1))
f(kn.ones(0))
f(kn.ones((2, 2)))
f(kn.ones(()))
""",
    "other memory in a cell": """
import threading
@jit
def f(x):
    x += 1
    return x * 1
y = x[:]
---
f(x)
f(y)
f(x)
y.tolist()
z = np.asarray(x)
f(x)
z.tolist()
""",
}

test_keys = cases(KEYS)
CRASHES = ["an item of a list is replaced", "a list is popped", "an item of a list is deleted", "a list is cleared", "a key of a dict is popped",
           "a changed list while it is written", "a list that holds itself", "a dict that holds itself", "deep nesting",
           "a dict gets a key and changes its size"]
test_changed = cases(CHANGED, apart=CRASHES)
test_arrays = cases(ARRAYS)
