"""Attributes of classes that are read through objects: where they change with the calls, what a class has is looked up name by name."""
import pytest

import kiln as kn
from conftest import frames_of
from state_harness import cases

SETUP = """
class Base:
    scale, bias, kind = 1.5, kn.asarray([0.5, 0.25]), "base"
    def go(self, v): return v * self.scale + self.bias
    def __mul__(self, v): return self.go(v) * 2
    def __len__(self): return 3
    @property
    def twice(self): return self.scale * 2
    @staticmethod
    def static(v): return v + 1
    @classmethod
    def made(cls, v): return v * cls.scale
class Derived(Base):
    def __init__(self, n=1.0): self.n = n
    def step(self, v):
        self.n += 1
        return self.go(v) * self.n
class Slots(Base):
    __slots__ = ("n",)
    def __init__(self): self.n = 2.0
class Describes:
    def __get__(self, o, kind): return 7.0
class Sets(Describes):
    def __set__(self, o, v): o.__dict__["hidden"] = v
o, s = Derived(), Slots()
@jit
def f(x, c=None):
    c = c or o
    return c.go(x), c * x
@jit
def whole(x): return x * o.scale, x * s.scale * s.n, o.twice, o.static(x), o.made(x), len(o), o.kind
@jit
def given(x, c): return c.go(x) * c.n + c.twice
@jit
def made(x): return Derived(x.shape[0]).go(x) + Derived(2.0).scale
@jit
def stored(x):
    o.scale = o.scale * 2
    return x * o.scale
@jit
def stepped(x): return o.step(x)
"""
CHANGES = {
    "a number": ("Base.scale = {i} + 0.5",) * 9, "of the class itself": ("Derived.scale = {i} + 0.5",) * 9, "an array": ("Base.bias = kn.asarray([{i}.0, 1.0])",) * 9, "a number that was an array": ("Base.bias = {i}", "Base.bias = kn.asarray([{i}.0, 1.0])") * 4, "a text": ("Base.kind = 'k' * {i}",) * 9,
    "shadowed": ("Base.scale = {i}", "Base.scale = {i}", "Base.scale = {i}", "o.scale = {i}", "Base.scale = {i}", "del o.scale", "o.scale = 3.0", "Derived.scale = {i}", "del Derived.scale", "del o.scale", "Base.scale = {i}"),
    "the same number of both": ("Base.scale = {i}",) * 4 + ("o.scale = Base.scale", "Base.scale = {i} + 0.5", "Base.scale = {i} + 0.5", "del o.scale", "Base.scale = {i}"), "deleted": ("Base.scale = {i}",) * 5 + ("del Base.scale", "Base.scale = {i}", "del Base.scale", "o.scale = 2.0", "Base.scale = {i}"),
    "a method": ("Base.scale = {i}",) * 5 + ("Base.go = lambda self, v: v - self.scale", "Base.scale = {i}", "Derived.go = lambda self, v: v + self.scale", "Base.scale = {i}", "del Derived.go", "o.go = lambda v: v * 3", "Base.scale = {i}", "del o.go"),
    "a property": ("Base.scale = {i}",) * 5 + ("Derived.scale = property(lambda self: self.n)", "o.n += 1", "Base.scale = {i}", "del Derived.scale", "Base.twice = property(lambda self: self.scale * 3)", "Base.scale = {i}", "Base.twice = 2.0", "o.twice = 3.0"),
    "a descriptor": ("Base.scale = {i}",) * 5 + ("Base.scale = Describes()", "o.scale = 2.0", "Base.scale = Sets()", "Base.scale = {i}", "vars(o).pop('scale', None)", "Base.scale = {i}"),
    "static methods": ("Base.scale = {i}",) * 5 + ("Base.static = staticmethod(lambda v: v + 2)", "o.static = lambda v: v + 3", "Base.scale = {i}", "del o.static", "Base.made = classmethod(lambda cls, v: v - cls.scale)", "Base.scale = {i}", "o.made = lambda v: v"),
    "__getattr__": ("Base.scale = {i}",) * 5 + ("Base.__getattr__ = lambda self, name: 5.0", "del Base.scale", "del Base.__getattr__", "Base.scale = {i}"), "__getattribute__": ("Base.scale = {i}",) * 5 + ("Base.__getattribute__ = lambda self, name: 5.0 if name == 'scale' else object.__getattribute__(self, name)", "del Base.__getattribute__", "Base.scale = {i}"),
    "__setattr__": ("Base.scale = {i}",) * 5 + ("Base.__setattr__ = lambda self, name, v: object.__setattr__(self, name, v * 2)", "o.n = 1.0", "del Base.__setattr__", "o.n = 2.0"), "special methods": ("Base.scale = {i}",) * 5 + ("Base.__mul__ = lambda self, v: v", "Base.scale = {i}", "Base.__bool__ = lambda self: False", "Base.__len__ = lambda self: 0", "Base.scale = {i}", "del Base.__bool__"),
    "another class": ("Base.scale = {i}",) * 5 + ("class Other(Derived): scale = 9.0", "o.__class__ = Other", "Base.scale = {i}", "Other.scale = {i}", "o.__class__ = Derived", "o = Derived(3.0)", "Base.scale = {i}"),
    "other bases": ("Base.scale = {i}",) * 5 + ("class Root(Base): scale = 11.0", "Derived.__bases__ = (Root,)", "Base.scale = {i}", "Root.scale = {i}"), "one by another": ("Base.scale = {i}", "o.n = {i}") * 6, "other attributes": ("Base.other = {i}",) * 9 + ("Base.scale = {i}",) * 4,
}
CALLS = {"read": "f(x)", "all that there is": "whole(x)", "of an argument": "f(x, o)", "of an argument with others": "given(x, o)", "of an object that is made": "made(x)", "stored by the call": "stored(x)", "beside a store": "stepped(x)"}
test_as_in_eager = cases({f"{change}, {call}": SETUP + "---\n" + "".join(f"{text}\n{CALLS[call]}\n{CALLS[call]}\n" for text in ("x + 0", *(step.format(i=i) for i, step in enumerate(steps))))
                          for change, steps in CHANGES.items() for call in CALLS})


@pytest.mark.parametrize("reads", ["o.scale", "o.go(1)", "made().scale", "given.scale", "given.go(1)", "type(o).scale", "(o * 1)", "o.twice"])
def test_later_calls_enter_no_python(reads):
    scope = {"kn": kn}
    exec("class Base:\n    scale = 1.0\n    def go(self, v): return v * self.scale\n    __mul__ = go\n    twice = property(lambda self: self.scale * 2)\nclass C(Base):\n    def __init__(self): self.n = 1.0\n"
         f"o, made = C(), C\ndef f(x, given): return x * {reads}", scope)
    f, x, given = kn.jit(scope["f"]), kn.ones(2), scope["C"]()
    for k in range(100):
        scope["Base"].scale = k + 0.5
        assert f(x, given).tolist() == scope["f"](x, given).tolist()
    assert not any(v["eager"] for v in f.explain().variants) and f.stats.misses <= 9
    assert "f" not in frames_of(lambda: [f(x, given) for _ in range(10)])


def test_a_hierarchy_of_layers():
    """A switch of a class, and counters of its objects, at once."""
    class Layer:
        training, rate = True, 0.5

        def __init__(self, w):
            self.w, self.steps = w, 0

        def __call__(self, x):
            self.steps += 1
            return x * self.w * (self.rate if self.training else 1.0)
    layers = [Layer(kn.ones(2) * k) for k in (1, 2, 3)]

    def run(x):
        for layer in layers:
            x = layer(x)
        return x
    f, x = kn.jit(run), kn.ones(2)
    for k in range(60):
        Layer.training, Layer.rate = k % 3 > 0, 0.5 + k
        assert f(x).tolist() == [6 * (0.5 + k) ** 3 if k % 3 else 6.0] * 2 and [layer.steps for layer in layers] == [k + 1] * 3
    assert f.stats.misses <= 12 and not any(v["eager"] for v in f.explain().variants)
