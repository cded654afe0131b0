"""State behind names: attributes, entries, classes, closures and defaults that are found while a call is recorded; jit against eager."""
import os
import subprocess
import sys

import pytest

import kiln as kn
from conftest import frames_of
from state_harness import cases

MODEL = """
class Model:
    rate = 0.5
    def __init__(self, n=2): self.w, self.lr, self.count = kn.ones(n), 0.1, 0
    def loss(self, x): return ((x * self.w) ** 2).sum()
    @property
    def scaled(self): return self.w * self.rate
    def step(self, x):
        g = 2 * x * x * self.w
        self.w = self.w - self.lr * g
        return self.loss(x)
    def inplace(self, x):
        self.w -= self.lr * x
        return self.scaled.sum()
    def counted(self, x):
        self.count += 1
        return x * self.count
model = Model()
"""

READS = {
    "a gradient of a function that reads an object": MODEL + """
@jit
def f(x):
    loss, g = kn.value_and_grad(lambda w: ((x * w) ** 2).sum() * model.rate)(model.w)
    model.w -= model.lr * g
    return loss
---
f(x)
f(x)
model.lr = 0.5
f(x)
model.w = model.w * 3
Model.rate = 0.25
f(x)
f(x)
""",
    "a loop over a function that reads an object": MODEL + """
d = {"b": kn.ones(2)}
f = jit(lambda x, n: kn.fori_loop(0, n, lambda i, a: a * model.lr + d["b"], x))
g = jit(lambda x: kn.vmap(lambda r: r * model.lr + model.w[0])(x))
---
f(x, 3)
f(x, 3)
model.lr = 0.5
f(x, 4)
d["b"] = d["b"] + 1
f(x, 4)
g(x)
model.w[0] = 7.0
g(x)
""",
    "attributes of a captured object": MODEL + """
f = jit(lambda x: x * model.lr + model.w)
---
f(x)
f(x)
model.lr = 0.5
f(x)
model.w = model.w * 3
f(x)
model.w += 1
f(x)
model.w = kn.ones(2).astype(kn.float64)
f(x)
model = Model()
f(x)
del model.lr
f(x)
model.lr = 1
f(x)
""",
    "properties and class attributes": MODEL + """
f = jit(lambda x: model.scaled + x * model.rate)
---
f(x)
f(x)
Model.rate = 0.25
f(x)
model.rate = 4.0
f(x)
Model.scaled = property(lambda self: self.w * 100)
f(x)
Model.scaled = 7.0
f(x)
model.__class__ = type("Other", (Model,), {"rate": 9.0})
f(x)
""",
    "methods that are replaced and shadowed": MODEL + """
f = jit(lambda x: model.loss(x))
---
f(x)
f(x)
model.loss = lambda x: x * 5
f(x)
del model.loss
f(x)
Model.loss = lambda self, x: x - 1
f(x)
Model.loss.__code__ = (lambda self, x: x - 2).__code__
f(x)
Model.loss.__defaults__ = (1, 2)
f(x)
""",
    "entries of dicts": """
params = {"w": kn.ones(2), "b": 0.5, 3: kn.asarray([1.0, 2.0])}
which = "w"
f = jit(lambda x: x * params[which] + params["b"])
g = jit(lambda x: sum([v * x for v in params.values()], x) + len(params))
h = jit(lambda x: x * params.get("missing", 2.0) if "z" in params else x * params[3])
---
f(x), g(x), h(x)
f(x), g(x), h(x)
params["w"] = kn.asarray([5.0, 6.0])
f(x), g(x), h(x)
which = 3
f(x), g(x), h(x)
params["b"] = True
f(x), g(x), h(x)
params["z"] = 1.5
f(x), g(x), h(x)
params["missing"] = 9.0
f(x), g(x), h(x)
params["w"] = params.pop("w")
f(x), g(x), h(x)
params = dict(params)
f(x), g(x), h(x)
del params[3]
f(x), g(x), h(x)
""",
    "lists that are read, grow and shrink": """
layers = [kn.ones(2), kn.asarray([2.0, 3.0])]
@jit
def f(x):
    for i, w in enumerate(layers): x = x * w + i
    return x
g = jit(lambda x: x * layers[-1] + layers[0] * len(layers))
---
f(x), g(x)
f(x), g(x)
layers.append(kn.asarray([0.5, 0.5]))
f(x), g(x)
layers[0] = kn.asarray([7.0, 7.0])
f(x), g(x)
layers[1] += 1
f(x), g(x)
del layers[0]
f(x), g(x)
layers.reverse()
f(x), g(x)
layers[0] = 3.0
f(x), g(x)
""",
    "keys that are equal and not the same": """
d = {1: 2.0, "a": 3.0}
name = "a"
@jit
def f(x):
    d[True] = 4.0
    k = "".join([name])
    d[k] = d[k] + 0.0
    return x * d[1.0] + d[name]
---
f(x)
f(x)
d["a"] = 5.0
f(x)
d[1] = 0.0
f(x)
""",
    "absent attributes and keys": MODEL + """
d = {}
@jit
def f(x):
    try: x = x + d["k"]
    except KeyError: x = x * 2
    return x + getattr(model, "extra", 10.0) + (1.0 if hasattr(model, "more") else 0.0)
---
f(x)
f(x)
d["k"] = 1.0
f(x)
model.extra = 2.0
f(x)
model.more = None
f(x)
del d["k"], model.extra
f(x)
""",
    "closures and defaults with objects": MODEL + """
def make(m, k):
    def f(x, scale=[2.0], *, extra={"k": 1.0}): return m.loss(x) * scale[0] + extra["k"] + k[0]
    return f
keep = [1.0]
inner = make(model, keep)
f = jit(inner)
---
f(x)
f(x)
inner.__defaults__[0][0] = 3.0
f(x)
inner.__kwdefaults__["extra"]["k"] = 5.0
f(x)
keep[0] = 9.0
f(x)
model.w = model.w * 2
f(x)
""",
    "slots, and objects in objects": """
class Slots:
    __slots__ = ("w", "inner")
class Box: pass
s = Slots()
s.w, s.inner = kn.ones(2), Box()
s.inner.k, s.inner.deep = 2.0, [Box()]
s.inner.deep[0].v = kn.asarray([1.0, 3.0])
f = jit(lambda x: x * s.w * s.inner.k + s.inner.deep[0].v)
---
f(x)
f(x)
s.inner.k = 3.0
f(x)
s.inner.deep[0].v = x * 2
f(x)
s.inner.deep.insert(0, s.inner)
f(x)
s.inner.v = 1.0
f(x)
del s.w
f(x)
""",
    "made in the call": """
class Layer:
    bias = kn.asarray([0.5, 0.5])
    def __init__(self, w, **more): self.w, self.more = w, more
    def go(self, x): return x * self.w + self.bias + self.more["k"]
class Wide(Layer):
    def __init__(self, w): super().__init__(w, k=2.0); self.all = [w]
    def go(self, x): self.all.append(x); return super().go(x) * len(self.all)
@jit
def f(x):
    layers = [Layer(x, k=1.0), Wide(x + 1)]
    for l in layers: x = l.go(x)
    layers[0].w = x
    return x + layers[0].w
---
f(x)
f(x)
Layer.bias = Layer.bias + 1
f(x)
Layer.__init__ = lambda self, w, **more: (setattr(self, "w", w * 2), setattr(self, "more", more)) and None
f(x)
""",
    "one object as an argument and by name": MODEL + """
f = jit(lambda m, x: m.w * x + model.w)
other = Model()
---
f(other, x)
f(other, x)
f(model, x)
model.w = model.w * 3
f(model, x)
f(other, x)
""",
    "a weak reference sees an object die": MODEL + """
import weakref, gc
f = jit(lambda x: x * model.w)
---
f(x)
f(x)
r = weakref.ref(model)
model = Model()
(gc.collect() >= 0, r() is None)
f(x)
""",
}

STORES = {
    "a step of a method": MODEL + """
f = jit(model.step)
---
f(x * 0.1), model.w
f(x * 0.1), model.w
f(x * 0.1), model.w
model.lr = 0.5
f(x * 0.1), model.w
model.w = kn.ones(2)
f(x * 0.1), model.w
""",
    "a step of a captured object": MODEL + """
@jit
def f(x): return model.step(x) + model.inplace(x)
---
f(x * 0.1), model.w
f(x * 0.1), model.w
before = model.w
f(x * 0.1), model.w, before, before is model.w
model = Model()
f(x * 0.1), model.w
""",
    "a step of an argument": MODEL + """
f = jit(lambda m, x: m.step(x))
other = Model()
---
f(model, x * 0.1), model.w, other.w
f(other, x * 0.1), model.w, other.w
f(model, x * 0.1), model.w, other.w
""",
    "a store to one that is also given": MODEL + """
@jit
def f(m, x):
    model.w = model.w + x
    return m.w * 2
other = Model()
---
f(other, x), model.w
f(other, x), model.w
f(model, x), model.w
f(model, x), model.w
f(other, x), model.w
""",
    "a counter": MODEL + """
f = jit(model.counted)
---
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
f(x), model.count
""",
    "dicts, lists and globals": """
state, items, total, last = {"a": kn.ones(2)}, [kn.ones(2), 1.0], kn.zeros(2), None
@jit
def f(x):
    global total, last
    total = total + x
    last = 1.5
    state["a"] = state["a"] * 2
    state["new"] = x.sum()
    items[1] = x
    items[0] = items[1] + 1
    return total * state["a"]
---
f(x), list(state)
f(x), list(state)
f(x + 1), list(state)
del state["new"]
f(x), list(state)
total = 1.0
f(x), list(state)
""",
    "a list that grows": """
hist = []
@jit
def f(x):
    hist.append(x.sum())
    hist.append(len("ab"))
    return x * 2
---
f(x), list(hist)
f(x), list(hist)
f(x * 3), list(hist)
hist.clear()
f(x), list(hist)
""",
    "a list that grows and is read": """
hist = []
@jit
def f(x):
    n = len(hist)
    hist.append(x * n)
    return sum(hist, x)
---
f(x), list(hist)
f(x), list(hist)
f(x), list(hist)
""",
    "a list that grows from nothing and is read": """
hist = []
@jit
def f(x):
    hist.append(x.sum())
    hist.append(x * 2)
    return x * hist[0] + hist[1] + hist[-1]
---
f(x), list(hist)
f(x + 1), list(hist)
f(x + 1), list(hist)
hist.clear()
f(x * 3), list(hist)
""",
    "objects that stores drop": """
class Box: pass
box = Box()
def fill():
    box.inner = Box()
    box.inner.w = kn.ones(2)
fill()
@jit
def f(x):
    y = box.inner.w * 2
    box.inner = x
    made = [[x, y], [y, x], {"a": y}]
    return made[0][0] + made[1][0] * made[2]["a"]
---
f(x)
fill()
f(x + 1)
fill()
box.inner.w = x
f(x + 2), box.inner
""",
    "stores and a branch on a value": MODEL + """
@jit
def f(x):
    if x.sum() > 0:
        model.w = model.w + x
        return model.w
    model.lr = 0.9
    return x * model.lr
---
f(x), model.w, model.lr
f(-x), model.w, model.lr
f(x), model.w, model.lr
f(-x), model.w, model.lr
f(x), model.w, model.lr
model.w = kn.ones(2)
f(x), model.w, model.lr
""",
    "a store and an error": MODEL + """
@jit
def f(x, i):
    model.w = model.w + 1
    return kn.take(x, i) * model.w
---
f(x, kn.asarray([0, 1])), model.w
f(x, kn.asarray([0, 1])), model.w
f(x, kn.asarray([0, 7])), model.w
model.w
f(x, kn.asarray([1, 0])), model.w
""",
    "a closure variable": """
def make():
    k = kn.ones(2)
    def f(x):
        nonlocal k
        k = k + x
        return k * 2
    def get(): return k
    return f, get
inner, get = make()
f = jit(inner)
---
f(x), get()
f(x), get()
f(x), get()
""",
    "a property with a setter": """
class A:
    def __init__(self): self._v = kn.ones(2)
    @property
    def v(self): return self._v
    @v.setter
    def v(self, new): self._v = new * 2
a = A()
@jit
def f(x):
    a.v = a.v + x
    return a.v
---
f(x), a.v
f(x), a.v
A.v = property(lambda self: self._v - 1, lambda self, new: None)
f(x), a.v
""",
    "one array in two places": MODEL + """
other = Model()
other.w = model.w
@jit
def f(x):
    model.w += x
    other.w = other.w + model.w
    return other.w
---
f(x), model.w, other.w
f(x), model.w, other.w
other.w = model.w
f(x), model.w, other.w
""",
    "what cannot be stored runs in eager": MODEL + """
log = []
@jit
def f(x):
    model.pair = (x, 1)
    log.sort()
    del model.pair
    return x
---
f(x)
f(x)
""",
}

FOREIGN = {
    "code that is asked for nothing": MODEL + """
import random, time
f = jit(lambda x: x * (random.random() < 2) * model.lr)
g = jit(lambda x: x * (time.time() > 0) * model.lr)
---
f(x), g(x)
f(x), g(x)
""",
    "special methods": """
log = []
class V:
    def __init__(self, k): self.k = k
    def __add__(self, o): log.append(1.0); return o * self.k
    __radd__ = __add__
    def __bool__(self): return self.k > 1
    def __len__(self): return 2
    def __getitem__(self, i): return self.k * i
    def __call__(self, x): return x * self.k
    def __eq__(self, o): return True
    def __iter__(self): return iter([self.k, 1.0])
    def __contains__(self, o): return self.k == o
v = V(2.0)
f = jit(lambda x: (v + x) + (x + 1) * v[3] + v(x) + (1.0 if v else 2.0) + sum([i * x for i in v], x) + (5.0 if 2.0 in v else 0.0) + (v == 3) + len(v))
---
f(x)
f(x)
v.k = 1.0
f(x)
V.__add__ = lambda self, o: o * 100
f(x)
V.__len__ = lambda self: 7
f(x)
del V.__bool__
f(x)
""",
    "generators and comprehensions over state": MODEL + """
models = [Model(), Model()]
def weights():
    for m in models: yield m.w
f = jit(lambda x: sum(weights(), x) + sum(m.lr for m in models) + max(m.lr for m in models))
---
f(x)
f(x)
models[1].lr = 5.0
f(x)
models.append(Model())
f(x)
""",
    "which object a number is": MODEL + """
model.a = 1000.5
model.b = model.a
f = jit(lambda x: x * (1 if model.a is model.b else 2))
---
f(x)
f(x)
model.b = float("1000.5")
f(x)
""",
}

test_reads = cases(READS)
test_stores = cases(STORES)
test_foreign = cases(FOREIGN)


def variants(f):
    return f.explain().to_dict()["variants"]


def test_a_training_step_compiles_once():
    class Model:
        def __init__(self):
            self.w, self.b, self.lr = kn.ones(3), kn.zeros(()), 0.1

        def forward(self, x):
            return (x * self.w).sum() + self.b

    model = Model()

    @kn.jit
    def step(x, y):
        error = model.forward(x) - y
        model.w = model.w - model.lr * error * x
        model.b -= model.lr * error
        return error * error

    losses = [step(kn.asarray([1.0, 2.0, 3.0]), kn.asarray(1.0)).item() for _ in range(40)]
    assert losses[-1] < 1e-6 < losses[0]
    assert step.stats.misses == 1 and step.stats.hits == 39 and len(variants(step)) == 1 and not variants(step)[0]["eager"]


def test_a_known_call_runs_no_python():
    class Box:
        pass

    box = Box()
    box.w, box.layers, box.k = kn.ones(2), [kn.ones(2)], 2.0

    @kn.jit
    def f(x):
        return x * box.w * box.k + box.layers[0]

    x = kn.ones(2)
    f(x), f(x)
    assert frames_of(lambda: f(x)) == []


def test_what_changes_with_every_call_ends_in_eager():
    class Box:
        n = 0

    box = Box()

    @kn.jit
    def f(x):
        box.n += 1
        return x * len(range(box.n))

    for i in range(30):
        assert f(kn.ones(1)).item() == i + 1
    assert len(variants(f)) <= 10 and any("changes with its calls" in v["eager"] for v in variants(f))


@pytest.mark.parametrize("malloc", ["", "debug"])
def test_references_and_memory(malloc):
    """Many recordings leave neither references nor memory behind, also with a collector that runs inside."""
    program = """
import gc, sys, json
import kiln as kn
class Box: pass
box = Box()
box.inner, box.items, box.w = Box(), [Box(), Box()], kn.ones(2)
box.inner.k = 1.0
def f(x):
    if len(box.items) > 1: gc.isenabled
    y = x * box.inner.k + box.w
    made = [y, {"a": box.items}, (box.inner, 1)]
    for b in made[1]["a"]: y = y + 1.0
    box.w = y
    box.last = y.sum()
    return y
def record():
    kn.jit(f)(kn.ones(2))
def counts():
    gc.collect()
    return [sys.getrefcount(o) for o in (box, box.inner, box.items, *box.items, Box, f, f.__code__)]
gc.set_threshold(5)
for _ in range(30): record()
before, objects = counts(), len(gc.get_objects())
for _ in range(300): record()
after = counts()
assert before == after, (before, after)
assert len(gc.get_objects()) < objects + 100
g = kn.jit(f)
for _ in range(300): g(kn.ones(2))
del g
assert counts() == before
"""
    env = {**os.environ, "PYTHONPATH": os.path.dirname(kn.__path__[0]), **({"PYTHONMALLOC": malloc} if malloc else {})}
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, env=env, timeout=120)


def test_eight_threads():
    program = """
import threading
import kiln as kn
class Model:
    def __init__(self): self.w, self.k = kn.ones(2), 1.0
shared = Model()
@kn.jit
def read(x): return x * shared.w * shared.k
@kn.jit
def step(m, x):
    m.w = m.w + x
    return m.w * m.k
wrong = []
def work(i):
    mine, x = Model(), kn.ones(2)
    for n in range(200):
        mine.k = float(n % 3)
        if step(mine, x).tolist() != [(n + 2.0) * (n % 3)] * 2: wrong.append((i, n))
        if read(x).tolist() != [1.0, 1.0]: wrong.append((i, n, "read"))
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert not wrong, wrong[:5]
"""
    env = {**os.environ, "PYTHONPATH": os.path.dirname(kn.__path__[0])}
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, env=env, timeout=120)


def test_a_training_step_by_an_object_is_one_program():
    scope = {"kn": kn, "jit": kn.jit}
    exec(MODEL, scope)
    model = scope["model"]

    @kn.jit
    def step(x, y):
        loss, g = kn.value_and_grad(lambda w: kn.mean((x * w - y) ** 2))(model.w)
        model.w -= model.lr * g
        return loss

    x, y = kn.asarray([1.0, 2.0]), kn.asarray([3.0, -4.0])
    losses = [float(step(x, y)) for _ in range(100)]
    assert losses[-1] < 1e-4 * losses[0] and step.stats.segments == 1 and step.stats.misses == 1
