"""Results: types, identity, aliasing, and what cannot be rebuilt; jit against eager."""
from state_harness import cases

RESULTS = {
    "one array twice": """
f = jit(lambda x: (lambda y: (y, y, [y]))(x * 2))
---
f(x)
f(x)
a, b, c = f(x)
a += 1
b.tolist(), a is b, b is c[0]
""",
    "arguments as they are": """
f = jit(lambda x, l, d: (x, l, d))
l, d = [x], {"a": 1}
---
f(x, l, d)
f(x, l, d)
r = f(x, l, d)
r[0] is x, r[1] is l, r[2] is d
""",
    "an item of a list argument": """
f = jit(lambda l: (l[0], l[1]))
l = [[x], (x, 1)]
---
f(l)
r = f(l)
r[0] is l[0], r[1] is l[1]
""",
    "views of one another": """
@jit
def f(x):
    y = x * 2
    return y, y[:1], y[::-1], y
---
f(x)
f(x)
a, b, c, d = f(x)
a[0] = 99.0
b.tolist(), c.tolist(), d.tolist()
""",
    "views of an argument": """
f = jit(lambda x: (x[:1], x[::-1], x.T, x[0]))
---
f(x)
f(x)
a, b, c, d = f(x)
a[0] = 99.0
x.tolist(), b.tolist(), c.tolist(), d.tolist()
""",
    "views of a strided argument": """
w = kn.arange(6).astype(kn.float32)
f = jit(lambda x: x[1:])
---
f(w[::2])
r = f(w[::2])
r[0] = 50.0
w.tolist()
""",
    "a view written and returned": """
@jit
def f(x):
    v = x[:1]
    v += 1
    return v, x
---
f(x)
f(x)
a, b = f(x)
a[0] = 7.0
x.tolist(), b is x
""",
    "an argument bound in place and returned": """
@jit
def f(x):
    y = x
    y += 1
    return y
---
f(x) is x
f(x) is x
x.tolist()
""",
    "new lists at each call": """
f = jit(lambda x: ([], {}, [x, [1]]))
---
f(x)
r = f(x)
r[0].append(1); r[1]["a"] = 2; r[2][1].append(3)
f(x)
""",
    "a captured list": """
l = [1]
f = jit(lambda x: (x * 2, l))
---
f(x)
f(x)[1] is l
l.append(2)
f(x)
""",
    "a captured array": """
w = kn.ones(2)
f = jit(lambda x: (x * 2, w, w[:1]))
---
f(x)
f(x)[1] is w
f(x)[2].tolist()
w += 1
f(x)
""",
    "a default": """
def f(x, l=[]): return x * 2, l
f = jit(f)
---
f(x)
f(x)[1].append(1)
f(x)
""",
    "other objects": """
import collections, enum
class Color(enum.Enum): RED = 1
class Box: pass
box = Box()
@jit
def f(x, which):
    return [None, {1, 2}, kn.float32, lambda: 1, Color.RED, b"a", bytearray(b"a"), range(3), slice(1), len, Ellipsis, frozenset([1]),
            collections.OrderedDict(a=x), collections.defaultdict(list, a=x * 2), collections.deque([x * 2]), object, x.shape, x.dtype, iter([1]),
            (x * i for i in range(2)), {x * 1}, {"a": {3}}, [box], 1j, 2**100, "text", NotImplemented, collections.namedtuple("P", "a")(x * 2), x.sum, x.at, type(x)][which]
---
[f(x, i) for i in range(16)]
[f(x, i) for i in range(16)]
[f(x, i) for i in range(16, 31)]
[f(x, i) for i in range(16, 31)]
f(x, 22)[0] is box
""",
    "subclasses": """
class L(list): pass
class D(dict): pass
class T(tuple): pass
class I(int): pass
class S(str): pass
@jit
def f(x, which): return [L([x * 2]), D(a=x * 2), T([x * 2]), I(3), S("a")][which]
---
[f(x, i) for i in range(5)]
[f(x, i) for i in range(5)]
""",
    "a list that holds itself": """
@jit
def f(x):
    l = [x * 2]
    l.append(l)
    return l
---
f(x)
f(x)
""",
    "one list twice": """
@jit
def f(x):
    l = [x * 2]
    return l, l
---
f(x)
r = f(x)
r[0] is r[1]
""",
    "deep nesting": """
@jit
def f(x, n):
    l = [x * 2]
    for _ in range(n): l = [l]
    return l
def depth(l):
    n = 0
    while isinstance(l, list): l, n = l[0], n + 1
    return n
---
depth(f(x, 10))
depth(f(x, 50000))
depth(f(x, 50000))
""",
    "scalars": """
f = jit(lambda x: (1, True, 1.0, -0.0, None, "a", 1 + 0j, x.ndim, x.size, x.shape[0] / 2))
---
f(x)
f(x)
""",
    "keys of result dicts": """
f = jit(lambda x, b: {"z": x * 2, "a": x, 3: 1} if b else {"a": x, "z": x * 2})
---
list(f(x, True))
list(f(x, False))
list(f(x, True))
list(f(x, False))
""",
    "dtypes and shapes": """
f = jit(lambda x, t: (x.astype(t), x.astype(t).dtype is t, x[None].shape))
---
f(x, kn.float64)
f(x, kn.int8)
f(x, kn.float64)
f(x, kn.bool)
""",
    "NumPy results": """
f = jit(lambda x: x.numpy() * 2)
g = jit(lambda x: np.float32(3) * x)
h = jit(lambda x: x * np.float32(3))
i = jit(lambda x: x.astype(np.float32).sum() if False else kn.zeros(2, dtype=np.float64))
---
f(x)
f(x)
h(x)
h(x)
i(x)
i(x)
""",
    "sizes and counts of data": """
f = jit(lambda x: kn.nonzero(x > 1))
g = jit(lambda x: kn.unique_values(x))
---
f(x)
f(x)
x[0] = 5.0
f(x)
g(x)
g(x)
x[1] = 5.0
g(x)
""",
}

test_results = cases(RESULTS, apart=["a list that holds itself", "deep nesting"])
