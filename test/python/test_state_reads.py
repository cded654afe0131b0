"""What a function reads besides its arguments is never stale: jit against eager, with state that changes between the calls."""
from state_harness import cases

READS = {
    "a global number": """
k = 2.0
@jit
def f(x): return x * k
---
f(x)
f(x)
k = 3.0
f(x)
k = 3
f(x)
k = True
f(x)
del k
f(x)
k = 2.0
f(x)
""",
    "a closure variable": """
def make():
    k = 2.0
    def put(v):
        nonlocal k
        k = v
    return jit(lambda x: x * k), put
f, put = make()
---
f(x)
f(x)
put(3.0)
f(x)
put(np.float32(2))
f(x)
put([1.0])
f(x)
put(2.0)
f(x)
""",
    "an attribute of an object": """
class Config: pass
cfg = Config()
cfg.scale = 2.0
@jit
def f(x): return x * cfg.scale
---
f(x)
f(x)
cfg.scale = 3.0
f(x)
del cfg.scale
f(x)
cfg = Config()
cfg.scale = 5.0
f(x)
""",
    "an attribute named like one of arrays": """
class Config: pass
cfg = Config()
cfg.step, cfg.shape, cfg.real, cfg.imag, cfg.count, cfg.start = 1.0, 2.0, 3.0, 4.0, 5.0, 6.0
@jit
def f(x, cfg): return x * cfg.step + cfg.shape * cfg.real - cfg.imag * cfg.count + cfg.start
g = jit(lambda x, c: x * c.step, static_argnums=1)
---
f(x, cfg)
g(x, cfg)
cfg.step = 10.0
f(x, cfg)
g(x, cfg)
cfg.real = 7.0
f(x, cfg)
cfg.start = -1.0
f(x, cfg)
g(x, range(0, 9, 4))
g(x, range(0, 9, 3))
""",
    "a captured list": """
table = [1.0, 2.0]
@jit
def f(x): return x * table[0] + len(table)
---
f(x)
f(x)
table[0] = 4.0
f(x)
table.append(1)
f(x)
table = [7.0]
f(x)
""",
    "a captured dict": """
table = {"a": 1.0}
@jit
def f(x): return x * table["a"] + len(table)
---
f(x)
table["a"] = 2.0
f(x)
table["b"] = 2.0
f(x)
del table["a"]
f(x)
""",
    "a captured tuple of lists": """
table = ([1.0],)
@jit
def f(x): return x * table[0][0]
---
f(x)
f(x)
table[0][0] = 4.0
f(x)
""",
    "a captured array": """
w = kn.asarray([1.0, 2.0])
@jit
def f(x): return x * w
---
f(x)
f(x)
w += 1
f(x)
w = kn.asarray([5.0, 6.0])
f(x)
w = kn.asarray([[5.0, 6.0]])
f(x)
w = kn.asarray([5, 6])
f(x)
w = np.asarray([5.0, 6.0])
f(x)
w = 3
f(x)
w = x
f(x)
""",
    "two captured views of one array": """
base = kn.asarray([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
a, b = base[0:2], base[0:2]
@jit
def f(x):
    a[:] = a * 2
    return a + b * x
---
f(x)
f(x)
b = base[1:3]
f(x)
f(x)
b = base[4:6]
f(x)
b = kn.asarray([1.0, 1.0])
f(x)
b = a
f(x)
""",
    "a NumPy array that aliases a captured one": """
n = np.ones(2, np.float32)
w = kn.asarray(n)
@jit
def f(y):
    w[:] = w + 1
    return kn.asarray(y) * 1
---
f(x)
f(n)
f(n)
f(x)
""",
    "the default dtype": """
# not threads
import kiln
@jit
def f(x): return kn.arange(2) / 2 + x.astype(kn.get_default_dtype())
---
f(x)
f(x)
kn.set_default_dtype(kn.float64)
f(x)
kn.set_default_dtype(kn.float32)
f(x)
""",
    "the number of threads": """
# not threads
@jit
def f(x): return x * kn.get_num_threads()
---
f(x)
f(x)
before = kn.get_num_threads()
kn.set_num_threads(before + 1)
f(x)
kn.set_num_threads(before)
f(x)
""",
    "a setting": """
# not threads
@jit
def f(x): return x * kn.config.cache_limit
---
f(x)
f(x)
before = kn.config.cache_limit
kn.config.cache_limit = before + 1
f(x)
kn.config.cache_limit = before
f(x)
""",
    "an attribute of a module": """
import types
settings = types.ModuleType("settings")
settings.k = 2.0
settings.nested = types.SimpleNamespace(k=1.0)
@jit
def f(x): return x * settings.k
g = jit(lambda x: x * settings.nested.k)
---
f(x)
f(x)
settings.k = 3.0
f(x)
g(x)
settings.nested.k = 4.0
g(x)
settings = types.SimpleNamespace(k=9.0)
f(x)
""",
    "a lazy attribute of a module": """
import types
lazy = types.ModuleType("lazy")
counter = [0]
def found(name):
    counter[0] += 1
    return float(counter[0])
lazy.__getattr__ = found
@jit
def f(x): return x * lazy.k
---
f(x)
f(x)
f(x)
lazy.k = 9.0
f(x)
""",
    "defaults": """
def f(x, k=2.0, *, j=1.0): return x * k + j
g = jit(f)
---
g(x)
g(x)
f.__defaults__ = (3.0,)
g(x)
f.__kwdefaults__ = {"j": 5.0}
g(x)
f.__kwdefaults__["j"] = 6.0
g(x)
f.__defaults__ = None
g(x)
f.__defaults__ = (kn.asarray([1.0, 2.0]),)
g(x)
g(x, 2.0)
""",
    "defaults that are arrays or lists": """
w = kn.ones(2)
log = []
def f(x, w=w, log=log):
    log.append(len(log))
    return x * w
def h(x, w=w): return x * w
f, h = jit(f), jit(h)
---
f(x)
f(x)
h(x)
w += 1
f(x)
h(x)
h(x)
""",
    "the defaults of a helper": """
def helper(x, k=2.0, *, j=1.0): return x * k + j
@jit
def f(x): return helper(x)
---
f(x)
f(x)
helper.__defaults__ = (3.0,)
f(x)
helper.__kwdefaults__ = {"j": 5.0}
f(x)
helper.__kwdefaults__["j"] = 6.0
f(x)
""",
    "the code of a function": """
def f(x): return x * 2
def other(x): return x * 3
g = jit(f)
---
g(x)
g(x)
f.__code__ = other.__code__
g(x)
g(x)
""",
    "the code of a helper": """
def helper(x): return x * 2
def other(x): return x * 3
@jit
def f(x): return helper(x)
---
f(x)
f(x)
helper.__code__ = other.__code__
f(x)
f(x)
""",
    "the code of a helper of a helper": """
def inner(x): return x * 2
def helper(x): return inner(x) + 1
def other(x): return inner(x) + 2
@jit
def f(x): return [helper(v) for v in (x, x)][0]
---
f(x)
f(x)
helper.__code__ = other.__code__
f(x)
inner.__code__ = (lambda x: x * 5).__code__
f(x)
""",
    "a helper in a closure and its own closure": """
def make():
    k = 2.0
    def helper(x): return x * k
    def put(v):
        nonlocal k
        k = v
    return jit(lambda x: helper(x)), put
f, put = make()
---
f(x)
f(x)
put(3.0)
f(x)
""",
    "a builtin that a global comes to shadow": """
@jit
def f(x): return x * max(1, 2)
---
f(x)
f(x)
max = lambda a, b: 7
f(x)
del max
f(x)
""",
    "an attribute of a function": """
def helper(x): return x * helper.k
helper.k = 2.0
@jit
def f(x): return helper(x)
---
f(x)
helper.k = 3.0
f(x)
f(x)
""",
    "a namespace asked of an array": """
@jit
def f(x):
    xp = x.__array_namespace__()
    return xp.sin(x) + xp.pi
---
f(x)
f(x)
f(x)
""",
    "a namespace as an argument": """
@jit
def f(x, xp): return xp.exp(x)
---
f(x, kn)
f(x, kn)
f(kn.ones((2, 2)), kn.linalg)
""",
    "random numbers and clocks of Python": """
import random, time
@jit
def f(x): return x * random.random()
@jit
def g(x): return (time.perf_counter_ns(), x)[1]
---
random.seed(1)
f(x)
f(x)
f(x)
g(x)
""",
    "a global read under exec": """
k = 2.0
@jit
def f(x): return eval("k") * x + len(globals()) * 0 + len(vars()) * 0
---
f(x)
f(x)
k = 3.0
f(x)
""",
    "getattr with a name made at run time": """
class Config: pass
cfg = Config()
cfg.a = 2.0
@jit
def f(x): return x * getattr(cfg, "".join(["a"]))
---
f(x)
f(x)
cfg.a = 3.0
f(x)
""",
    "a setting of NumPy and the environment": """
import os
@jit
def f(x): return x * int(os.environ.get("KILN_TEST_PROBE", "1"))
---
f(x)
f(x)
os.environ["KILN_TEST_PROBE"] = "4"
f(x)
del os.environ["KILN_TEST_PROBE"]
f(x)
""",
}

STATICS = {
    "a static function that reads a global": """
k = 2.0
def helper(x): return x * k
@jit
def id_(x): return x
f = jit(lambda x, h: h(x), static_argnums=1)
---
f(x, helper)
f(x, helper)
k = 3.0
f(x, helper)
helper.__code__ = (lambda x: x + 1).__code__
f(x, helper)
""",
    "a static partial": """
import functools
k = 2.0
def helper(x, j): return x * k + j
p = functools.partial(helper, j=1.0)
f = jit(lambda x, h: h(x), static_argnums=1)
---
f(x, p)
f(x, p)
k = 3.0
f(x, p)
p.keywords["j"] = 5.0
f(x, p)
""",
    "a static object with an operator": """
k = 2.0
class Scale:
    def __rmul__(self, x): return x * k
    __array_ufunc__ = None
s = Scale()
f = jit(lambda x, s: s.__rmul__(x), static_argnums=1)
g = jit(lambda x, s: 2.0 * s, static_argnums=1)
---
f(x, s)
g(x, s)
f(x, s)
g(x, s)
k = 3.0
f(x, s)
g(x, s)
""",
    "a static callable that reads random": """
import random
class Noise:
    def __call__(self, x): return x * random.random()
n = Noise()
f = jit(lambda x, n: n(x), static_argnums=1)
---
random.seed(0)
f(x, n)
f(x, n)
f(x, n)
""",
    "a static class": """
class Settings:
    k = 2.0
f = jit(lambda x, c: x * c.k, static_argnums=1)
---
f(x, Settings)
f(x, Settings)
Settings.k = 3.0
f(x, Settings)
""",
    "static numbers of other types": """
f = jit(lambda x, t: x * t[0] / 2, static_argnums=1)
g = jit(lambda x, k: kn.ones(2) / k + kn.asarray([1, 2]) * k, static_argnums=1)
---
f(kn.asarray([1, 2]), (1,))
f(kn.asarray([1, 2]), (1.0,))
f(kn.asarray([1, 2]), (True,))
f(kn.asarray([1, 2]), (1,))
g(x, 0.0)
g(x, -0.0)
g(x, 1)
g(x, True)
g(x, 1.0)
g(x, np.float32(1))
g(x, frozenset([1]))
""",
    "static keys of dicts and nested": """
f = jit(lambda x, t: x * t[1][0][0], static_argnums=1)
---
f(x, (0, ((-0.0,), 1)))
f(x, (0, ((0.0,), 1)))
f(x, (0, ((0,), 1)))
f(x, (0, ((False,), 1)))
""",
    "a static object whose equality has effects": """
log = []
class Key:
    def __init__(self, v): self.v = v
    def __hash__(self): return 1
    def __eq__(self, other):
        log.append("eq")
        return True
a, b = Key(1.0), Key(2.0)
f = jit(lambda x, k: x * k.v, static_argnums=1)
---
f(x, a)
f(x, b)
f(x, a)
f(x, b)
""",
    "a static object whose equality raises": """
class Key:
    def __init__(self, v): self.v = v
    def __hash__(self): return 1
    def __eq__(self, other): raise KeyboardInterrupt
a, b = Key(1.0), Key(2.0)
f = jit(lambda x, k: x * k.v, static_argnums=1)
---
f(x, a)
f(x, b)
f(x, a)
""",
    "a static mode in a string": """
f = jit(lambda x, mode: x * 2 if mode == "double" else x, static_argnames="mode")
---
f(x, "double")
f(x, mode="double")
f(x, mode="none")
f(x, "".join(["dou", "ble"]))
""",
    "a static dtype and a static shape": """
f = jit(lambda x, t, s: kn.reshape(kn.astype(x, t), s), static_argnums=(1, 2))
---
f(x, kn.float64, (2, 1))
f(x, kn.int32, (1, 2))
f(x, kn.int32, (2, -1))
f(x, np.float64, (2,))
f(x, "float64", (2,))
f(x, kn.float64, (2, 1))
""",
}

test_reads = cases(READS)
test_statics = cases(STATICS)
