"""Objects among the arguments, of methods as well: one that comes back with other numbers in it is watched as if it were read by name."""
import gc
import weakref

import pytest

import kiln as kn
from conftest import frames_of
from state_harness import cases

OPTIMIZER = """
class Adam:
    def __init__(self, n=3):
        self.w, self.m, self.v, self.t, self.rate = kn.ones(n), kn.zeros(n), kn.zeros(n), 0, 0.1
    @jit
    def step(self, g):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g * g
        self.w = self.w - self.rate * (self.m / (1 - 0.9 ** self.t)) / (kn.sqrt(self.v / (1 - 0.999 ** self.t)) + 1e-8)
        return self.w
    @jit
    def reset(self):
        self.t = 0
        return self.w * 1
o, p = Adam(), Adam()
"""
STOPPING = """
class Stop:
    def __init__(self):
        self.best, self.bad, self.w = 1e9, 0, kn.ones(4)
    @jit
    def update(self, v):
        loss = float(kn.sum((v - self.w) ** 2))
        if loss < self.best:
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        self.w = self.w * 0.9 + v * 0.1
        return self.bad > 3
s = Stop()
"""
NESTED = """
class Part:
    rate = 0.5
    def __init__(self): self.n = 0
class Whole:
    def __init__(self): self.part, self.w, self.log = Part(), kn.ones(3), []
@jit
def train(o, v):
    o.part.n += 1
    o.w = o.w - o.part.rate * v * o.part.n
    return kn.sum(o.w), o
o, p = Whole(), Whole()
"""
test_as_in_eager = cases({
    "counters": OPTIMIZER + "---\n" + "o.step(x)\n" * 6 + "o.reset()\n" + "o.step(x * 2)\n" * 3,
    "a rate that is set": OPTIMIZER + "---\n" + "".join(f"o.step(x); setattr(o, 'rate', 0.1 / {k + 1})\n" for k in range(8)),
    "two objects in turn": OPTIMIZER + "---\n" + "o.step(x)\np.step(x * 3)\n" * 6,
    "an array of another size": OPTIMIZER + "---\n" + "o.step(x)\n" * 3 + "o.__init__(5)\n" + "o.step(kn.ones(5))\n" * 3 + "o.__init__()\n" + "o.step(x)\n" * 2,
    "an attribute goes and comes": OPTIMIZER + "---\n" + "o.step(x)\n" * 3 + "del o.rate\no.step(x)\nsetattr(o, 'rate', 2)\no.step(x)\nsetattr(o, 'rate', x * 2)\no.step(x)\n"
    + "setattr(o, 'rate', True)\no.step(x)\n",
    "another class": OPTIMIZER + "class Other(Adam):\n    pass\n---\n" + "o.step(x)\n" * 4 + "setattr(o, '__class__', Other)\n" + "o.step(x)\n" * 3
    + "setattr(Adam, 'm', 3)\no.step(x)\nOther.step = lambda self, g: g\no.step(x)\n",
    "early stopping": STOPPING + "---\n" + "".join(f"s.update(x.reshape(-1)[:1] * {k} + kn.zeros(4))\n" for k in (3, 2, 1, 1, 1.5, 4, 2, 8, 9, 1, 1, 1)),
    "objects in objects": NESTED + "---\n" + "train(o, x)\n" * 5 + "setattr(o.part, 'rate', 0.25)\ntrain(o, x)\nsetattr(o, 'part', p.part)\n" + "train(o, x)\ntrain(p, x)\n" * 3
    + "setattr(Part, 'rate', 0.125)\ntrain(p, x)\n",
    "one object twice": NESTED + "@jit\ndef both(a, b, v):\n    a.part.n += 1\n    b.part.n *= 2\n    a.w = b.w + v * a.part.n\n    return a.w - b.part.n\n---\n"
    + "both(o, o, x)\n" * 4 + "both(o, p, x)\n" * 4 + "both(p, o, x)\nboth(p, p, x)\n" * 2,
    "beside a part of it": NESTED + "@jit\ndef both(a, b, v):\n    b.n += 1\n    return a.w * v * a.part.n * b.n\n---\n"
    + "both(o, o.part, x)\n" * 5 + "both(o, p.part, x)\nboth(p, o.part, x)\n" * 2,
    "by name as well": NESTED + "@jit\ndef read(a, v):\n    o.part.n += 1\n    return a.w * v * a.part.n\n---\n" + "read(o, x)\n" * 5 + "read(p, x)\nread(o, x)\n" * 3,
    "a list in it that grows": NESTED + "@jit\ndef note(a, v):\n    a.part.n += 1\n    a.log.append(v * a.part.n)\n    return v + 1\n---\n" + "note(o, x)\n" * 6,
    "slots": "class Slots:\n    __slots__ = 'n', 'w'\n    def __init__(self): self.n, self.w = 0, kn.ones(3)\n@jit\ndef f(o, v):\n    o.n += 1\n    return o.w * v * o.n\no = Slots()\n---\n"
    + "f(o, x)\n" * 6,
    "errors": NESTED + "@jit\ndef fails(a, v):\n    a.part.n += 1\n    if a.part.n % 3 == 0:\n        raise ValueError(a.part.n)\n    return v * a.part.n\n---\n" + "fails(o, x)\n" * 8,
    "frozen": "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass Options:\n    rate: float = 1.0\n    n: int = 2\n@jit\ndef f(o, v):\n    return v * o.rate + o.n\n---\n"
    + "".join(f"f(Options({k}.5, {k}), x)\n" for k in (1, 2, 3, 1, 4)),
})


class Counter:
    def __init__(self):
        self.n, self.w, self.rate = 0, kn.ones(3), 0.5

    def step(self, v):
        self.n += 1
        self.w = self.w + v * self.rate / self.n
        return self.w


def jitted_counter():
    return type("Counter", (Counter,), {"step": kn.jit(Counter.step)})


@pytest.mark.parametrize("changes", [("n",), ("n", "rate")])
def test_later_calls_enter_no_python(changes):
    made, v = jitted_counter(), kn.ones(3)
    c, e = made(), Counter()

    def steps(count):
        for k in range(count):
            if "rate" in changes:
                c.rate = e.rate = 1 / (k + 2)
            assert c.step(v).tolist() == e.step(v).tolist() and c.n == e.n
    steps(100)
    assert made.step.stats.misses <= 5 and not any(entry["eager"] for entry in made.step.explain().variants)
    assert "step" not in frames_of(lambda: [c.step(v) for _ in range(100)])


def test_many_objects_share_programs():
    """More than a few objects that each come back are taken apart again: what they hold says which program runs."""
    made, v = jitted_counter(), kn.ones(3)
    several, plain = [made() for _ in range(30)], [Counter() for _ in range(30)]
    for _ in range(10):
        for c, e in zip(several, plain):
            assert c.step(v).tolist() == e.step(v).tolist()
    assert made.step.stats.misses <= 24


def test_objects_are_not_kept():
    made, v = jitted_counter(), kn.ones(3)
    c = made()
    for _ in range(5):
        c.step(v)
    gone = weakref.ref(c)
    del c
    gc.collect()
    assert gone() is None
    for _ in range(5):
        c = made()
        for _ in range(3):
            c.step(v)
        assert c.n == 3


def test_a_new_object_at_an_old_address():
    f = kn.jit(lambda o, v: v * o.n)

    class Box:
        pass
    for k in range(40):
        box = Box()
        for n in (k, k + 0.5, k + 1):
            box.n = n
            assert f(box, kn.ones(2)).tolist() == [n, n]
        del box
