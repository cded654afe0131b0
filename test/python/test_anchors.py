"""Objects that a name, a cell, an attribute or an item has anew: after two of them, what is read of one is found from its place."""
import gc
import weakref

import kiln as kn
from conftest import frames_of
from state_harness import cases

MODEL = """
class Layer:
    def __init__(self, k): self.w, self.b, self.on = kn.ones(2) * k, 0.5, True
    def __call__(self, v): return v * self.w + self.b
class Model:
    rate = 0.5
    def __init__(self, k=1.0):
        self.layer, self.w, self.n, self.layers, self.names = Layer(k), kn.ones(2) + k, 0, [Layer(k), Layer(k + 1)], {'a': kn.ones(2) * k}
    def go(self, v): return self.layer(v) * self.w * self.rate
class Other(Model):
    def go(self, v): return self.layer(v) - self.w
m = Model()
ms, table = [Model(), Model()], {'m': Model()}
class Holder: pass
holder = Holder()
holder.m = Model()
"""
READ = MODEL + """
@jit
def f(v):
    return m.go(v) + m.layers[0].w * len(m.layers)
"""
STEP = MODEL + """
@jit
def step(v):
    m.n += 1
    m.w = m.w - v * m.layer.b / m.n
    m.layers[1].w = m.layers[1].w * 0.5
    m.names['a'] = m.w * 2
    return m.go(v)
"""
TWO = MODEL + """
o, p, q, r = Model(1), Model(2), Model(3), Model(4)
a, b = o, p
@jit
def both(v):
    a.n += 1
    b.n *= 2
    a.w = b.w + v * a.n
    b.layer.w = a.layer.w + b.n
    return a.w * b.n - b.layer.w, a.n
"""
CLOSURE = """
def make(k, w=None):
    n = 0
    def inner(v, c=2.0):
        nonlocal n
        n += 1
        return v * k * c + (w if w is not None else n)
    return inner
g = make(1.0)
@jit
def f(v):
    return g(v) - 1
"""
NEW = "".join(f"m = Model({k})\nf(x)\n" for k in range(1, 9))
test_as_in_eager = cases({
    "a new model in a global": READ + "---\nf(x)\n" + NEW + "m.w = m.w * 3\nf(x)\nm.layer = Layer(7)\nf(x)\nm.layer.b = 2\nf(x)\ndel m.layer.b\nf(x)\nm = Model()\nf(x)\n",
    "stores to it": STEP + "---\nstep(x)\n" + "".join(f"m = Model({k})\n" + "step(x)\n" * 3 for k in range(7)),
    "another class between": READ + "---\n" + "".join(f"m = {'Other' if k % 3 == 2 else 'Model'}({k})\nf(x)\n" for k in range(12)),
    "a class that changes": READ + "---\n" + NEW + "Model.rate = 2.0\nf(x)\nm = Model(3)\nf(x)\nModel.go = lambda self, v: v - self.w\nf(x)\nm = Model(4)\nf(x)\nModel.w = property(lambda self: x * 5)\nf(x)\nm.__class__ = Other\nf(x)\n",
    "in a closure": MODEL + "def outer():\n    m = Model()\n    def put(k):\n        nonlocal m\n        m = Model(k)\n    @jit\n    def f(v):\n        m.n += 1\n        return m.go(v) * m.n\n    return put, f\nput, f = outer()\n---\n"
    + "".join(f"put({k})\nf(x)\nf(x)\n" for k in range(8)),
    "in a list": MODEL + "@jit\ndef f(v):\n    ms[1].n += 1\n    return ms[0].go(v) * ms[1].n + ms[1].w\n---\n" + "".join(f"ms[{k % 2}] = Model({k})\nf(x)\nf(x)\n" for k in range(8)) + "ms[0] = ms[1]\nf(x)\nf(x)\nms = [Model(9), Model(8)]\nf(x)\nf(x)\n",
    "in a dict": MODEL + "@jit\ndef f(v):\n    table['m'].n += 1\n    return table['m'].go(v) * table['m'].n\n---\n" + "".join(f"table['m'] = Model({k})\nf(x)\nf(x)\n" for k in range(8)) + "".join(f"table = {{'m': Model({k})}}\nf(x)\n" for k in range(6)) + "table.pop('m')\nf(x)\n",
    "in an attribute": MODEL + "@jit\ndef f(v):\n    holder.m.n += 1\n    return holder.m.go(v) * holder.m.n\n---\n" + "".join(f"holder.m = Model({k})\nf(x)\nf(x)\n" for k in range(8)) + "holder.m = None\nf(x)\ndel holder.m\nf(x)\n",
    "lists of arrays": "ws = [kn.ones(2)]\n@jit\ndef f(v):\n    for w in ws:\n        v = v * w + len(ws)\n    ws[0] = ws[0] + v\n    return v\n---\n" + "".join(f"ws = [kn.ones(2) * {k}] * {1 + k // 6} + [x]\nf(x)\nf(x)\n" for k in range(10)) + "ws = (x, x)\nf(x)\nws = [x, 1.5]\nf(x)\nws = []\nf(x)\n",
    "tuples of arrays": "ws = (kn.ones(2), 2, (kn.ones(2),))\n@jit\ndef f(v):\n    return v * ws[0] + ws[1] + ws[2][0], len(ws)\n---\n" + "".join(f"ws = (kn.ones(2) * {k}, {k // 3}, (x * {k},))\nf(x)\nf(x)\n" for k in range(9)) + "ws = (x, x, (x,))\nf(x)\nws = (x,)\nf(x)\n",
    "dicts of arrays": "ps = {'a': kn.ones(2), 'b': {'c': kn.ones(2), 'n': 1}}\n@jit\ndef f(v):\n    s = v\n    for k, p in ps.items():\n        s = s + (p['c'] * p['n'] if k == 'b' else p)\n    ps['a'] = s * 2\n    return s\n---\n"
    + "".join(f"ps = {{'a': kn.ones(2) * {k}, 'b': {{'c': x * {k}, 'n': {k}}}}}\nf(x)\nf(x)\n" for k in range(9)) + "ps = {'b': {'c': x, 'n': 1}, 'a': x}\nf(x)\nps['z'] = x\nf(x)\n",
    "frozen dataclasses": "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass Options:\n    rate: float = 1.0\n    n: int = 2\n    w: object = None\no = Options()\n@jit\ndef f(v):\n    for _ in range(o.n):\n        v = v * o.rate\n    return v + (o.w if o.w is not None else 0)\n---\n"
    + "".join(f"o = Options({k}.5, {1 + k % 2}, {'x * %d' % k if k % 3 else None})\nf(x)\nf(x)\n" for k in range(12)),
    "one object in two names": TWO + "---\n" + "both(x)\na, b = p, q\nboth(x)\na, b = q, o\nboth(x)\na, b = o, r\nboth(x)\n" + "a, b = r, r\nboth(x)\na, b = o, o\nboth(x)\na, b = p, p\nboth(x)\na, b = q, q\nboth(x)\n" + "a, b = b, p\nboth(x)\na, b = p, a\nboth(x)\na = b\nboth(x)\n" * 2,
    "parts that are shared": TWO + "---\n" + "both(x)\na, b = Model(1), Model(2)\nboth(x)\n" * 5 + "a.layer = b.layer\nboth(x)\n" * 2 + "a, b = Model(1), Model(2)\nboth(x)\nb.layer = a.layer\nboth(x)\nb.layer = Layer(3)\nboth(x)\n",
    "beside an argument": MODEL + "@jit\ndef f(o, v):\n    m.n += 1\n    o.n += 2\n    return m.w * o.n * v + m.n, o.w\n---\n" + "".join(f"m = Model({k})\nf(ms[0], x)\nf(ms[0], x)\n" for k in range(6)) + "f(m, x)\nms[0] = m\nf(ms[0], x)\nf(m, x)\nm = ms[1]\nf(ms[0], x)\nf(ms[1], x)\n",
    "beside a list that is given": "ws = [kn.ones(2)]\n@jit\ndef f(l, v):\n    ws[0] = ws[0] * 2 + l[0]\n    l[0] = l[0] + v\n    return ws[0] - l[0]\nl = [kn.ones(2)]\n---\n" + "".join(f"ws = [kn.ones(2) * {k}]\nf(l, x)\nf(l, x)\n" for k in range(6)) + "f(ws, x)\nws = l\nf(l, x)\nf(ws, x)\nws = [x]\nf(l, x)\n",
    "beside one by name": TWO + "@jit\ndef f(v):\n    m.n += 1\n    o.n += 1\n    return m.w * o.n - o.w * m.n\n---\n" + "".join(f"m = Model({k})\nf(x)\n" for k in range(6)) + "m = o\nf(x)\nf(x)\nm = p\nf(x)\nf(x)\no = p\nf(x)\n",
    "in a tuple by name": TWO + "pair = (o, p)\n@jit\ndef f(v):\n    m.n += 1\n    pair[0].n += 1\n    return m.w * pair[0].n - m.n * pair[1].w\n---\n" + "".join(f"m = Model({k})\nf(x)\n" for k in range(6)) + "m = o\nf(x)\nf(x)\nm = p\nf(x)\npair = (m, m)\nf(x)\n",
    "of a class": TWO + "Holder.m = o\n@jit\ndef f(v):\n    m.n += 1\n    return m.w * Holder.m.n - m.n * Holder.m.w\n---\n" + "".join(f"m = Model({k})\nf(x)\n" for k in range(5)) + "m = o\nf(x)\nf(x)\nHolder.m = m = p\nf(x)\nm = q\nf(x)\n" + "".join(f"Holder.m = m = Model({k})\nf(x)\nm = o\nf(x)\n" for k in range(5)),
    "is it": TWO + "@jit\ndef f(v):\n    return v * (2 if a is b else 3) + (1 if a == o else 0) + (4 if m is None else 5)\n---\n" + "".join(f"a, b, m = Model({k}), Model(2), Model()\nf(x)\n" for k in range(6)) + "b = a\nf(x)\na = o\nf(x)\nb = o\nf(x)\nm = None\nf(x)\n",
    "methods that are held": MODEL + "go = m.go\n@jit\ndef f(v):\n    m.n += 1\n    return go(v) + m.w * m.n\n---\n" + "".join(f"m = Model({k})\nf(x)\n" for k in range(5)) + "go = m.go\nf(x)\nm = Model(3)\nf(x)\n" * 4,
    "arrays that are shared": TWO + "@jit\ndef f(v):\n    a.w += v\n    b.w *= 2\n    return a.w - b.w\n---\n" + "".join(f"a, b = Model({k}), Model(2)\nf(x)\n" for k in range(5)) + "a.w = b.w\nf(x)\na = Model(1)\nf(x)\na.w = x\nf(x)\na.w = b.w[::-1]\nf(x)\n",
    "it loses what it had": STEP + "---\n" + "".join(f"m = Model({k})\nstep(x)\n" for k in range(6)) + "del m.n\nstep(x)\nm.n = 1.5\nstep(x)\nm.n = x\nstep(x)\nm.w = 2\nstep(x)\ndel m.layers[1]\nstep(x)\nm = None\nstep(x)\nm = Model(2)\nstep(x)\n",
    "errors": MODEL + "@jit\ndef f(v):\n    m.n += 1\n    m.w = m.w * 2\n    if m.n % 2:\n        raise ValueError(m.n)\n    return m.w * v\n---\n" + "".join(f"m = Model({k})\nf(x)\nf(x)\nf(x)\n" for k in range(7)),
    "values of arrays decide": MODEL + "@jit\ndef f(v):\n    m.n += 1\n    if m.w.sum() > 8:\n        m.layer.w = m.layer.w * 2\n        return m.layer.w * v * m.n\n    m.w = m.w + 1\n    return m.w * v + m.layers[1].b\n---\n" + "".join(f"m = Model({k})\nf(x)\nf(x)\nf(x)\n" for k in range(7)),
    "a loop that values decide": MODEL + "@jit\ndef f(v):\n    while m.w.sum() < 40:\n        m.w = m.w * m.layer.w + 1\n        m.n += 1\n    return m.w * v * m.n\n---\n" + "".join(f"m = Model({k + 1})\nf(x)\n" for k in range(9)),
    "a class's numbers": "class Cfg:\n    lr, n, w, name = 0.5, 2, kn.ones(2), 'a'\n    def scale(v): return v * 2\n@jit\ndef f(v):\n    return Cfg.scale(v) * Cfg.lr + Cfg.w * Cfg.n\n---\n" + "".join(f"Cfg.lr = 1 / {k + 1}\nf(x)\nf(x)\n" for k in range(9))
    + "Cfg.lr = 2\nf(x)\nCfg.w = x\nf(x)\nCfg.n = 5\nf(x)\nCfg.other = 1\nf(x)\nCfg.scale = lambda v: v - 1\nf(x)\nCfg.lr = x\nf(x)\nCfg.lr = property(lambda self: 3)\nf(x)\nCfg.lr = True\nf(x)\ndel Cfg.lr\nf(x)\nCfg.lr = 0.25\nf(x)\n",
    "a class's numbers by its bases": "class Base:\n    lr = 0.5\nclass Cfg(Base):\n    w = kn.ones(2)\n@jit\ndef f(v):\n    return v * Cfg.lr + Cfg.w\n---\n" + "".join(f"Base.lr = 1 / {k + 1}\nf(x)\nf(x)\n" for k in range(6)) + "Cfg.lr = 7.0\nf(x)\ndel Cfg.lr\nf(x)\nNew = type('New', (Base,), {'lr': 9.0})\nCfg.__bases__ = (New,)\nf(x)\n",
    "a class's objects": MODEL + "class Cfg:\n    m = Model()\n@jit\ndef f(v):\n    Cfg.m.n += 1\n    return Cfg.m.go(v) * Cfg.m.n\n---\n" + "".join(f"Cfg.m = Model({k})\nf(x)\nf(x)\n" for k in range(7)) + "Model.__get__ = lambda self, o, t: ms[0]\nf(x)\n",
    "new closures": CLOSURE + "---\n" + "".join(f"g = make({k}.5)\nf(x)\nf(x)\n" for k in range(8)) + "g.__defaults__ = (3.0,)\nf(x)\ng = make(1.0, x)\nf(x)\ng = make(2.0, x * 2)\nf(x)\ng = lambda v: v\nf(x)\n",
    "closures over one cell": CLOSURE + "def pair(k):\n    def up(v):\n        nonlocal k\n        k += 1\n        return v * k\n    def down(v):\n        nonlocal k\n        k -= 2\n        return v + k\n    return up, down\nup, down = pair(1)\n@jit\ndef both(v):\n    return up(v) - down(v)\n---\n"
    + "".join(f"up, down = pair({k})\nboth(x)\nboth(x)\n" for k in range(7)) + "up = pair(3)[0]\nboth(x)\nboth(x)\n" * 4 + "up, down = pair(5)\nboth(x)\n",
    "closures of other code": CLOSURE + "def make2(k):\n    def inner(v):\n        return v - k\n    return inner\n---\n" + "".join(f"g = {'make2' if k % 3 == 1 else 'make'}({k})\nf(x)\n" for k in range(9)) + "g.__code__ = (lambda v: v * 9).__code__\nf(x)\n",
})


class Model:
    def __init__(self, k):
        self.w, self.parts, self.n = kn.ones(3) * k, [kn.ones(3) * k, kn.ones(3)], 0


def check_shared(f, plain, renew, most=6, rounds=60):
    """Each object once: few recordings, none in eager, and then no Python."""
    v = kn.ones(3)
    for k in range(rounds):
        renew(k)
        assert f(v).tolist() == plain(v).tolist()
    assert f.stats.misses <= most, f.explain()
    assert not any(entry["eager"] for entry in f.explain().variants)
    assert plain.__name__ not in frames_of(lambda: [f(v) for _ in range(3)])


def test_later_objects_enter_no_python():
    model = None

    def step(v):
        s = model.w * v
        for p in model.parts:
            s = s + p
        return s

    def renew(k):
        nonlocal model
        model = Model(k)
    check_shared(kn.jit(step), step, renew)


def test_lists_and_dicts_too():
    lists, table = [kn.ones(3)], {}

    def step(v):
        return lists[0] * v + table["a"]["b"] * len(lists)

    def renew(k):
        nonlocal lists
        lists, table["a"] = [kn.ones(3) * k], {"b": kn.ones(3) + k, "n": k}
    check_shared(kn.jit(step), step, renew)


def test_numbers_of_objects_too():
    model = None

    def step(v):
        return model.w * v * model.n

    def renew(k):
        nonlocal model
        model = Model(k)
        model.n = k / 4
    check_shared(kn.jit(step), step, renew)


def test_numbers_of_a_class():
    class Config:
        rate, size = 0.5, 3

    def step(v):
        return v * Config.rate + Config.size

    def renew(k):
        Config.rate = 1 / (k + 1)
        Config.other = k
    check_shared(kn.jit(step), step, renew)


def test_closures():
    def make(k, w):
        return lambda v: v * k + w
    scale = None

    def step(v):
        return scale(v) * 2

    def renew(k):
        nonlocal scale
        scale = make(k / 2, kn.ones(3) * k)
    check_shared(kn.jit(step), step, renew, most=8)


def test_objects_are_not_kept():
    model = Model(0)

    @kn.jit
    def step(v):
        model.n += 1
        return model.w * v * model.n
    gone = []
    for k in range(12):
        model = Model(k)
        for _ in range(2):
            step(kn.ones(3))
        assert model.n == 2
        gone.append(weakref.ref(model))
    model = None
    gc.collect()
    assert all(o() is None for o in gone)
