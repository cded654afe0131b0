"""What the analysis of a function's code watches, and what it refuses: everything that is not known."""
import importlib.util
import re
import sys
import warnings

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from kiln import _capture


SETUP = """
import collections, dataclasses, functools, itertools, math, operator
k = 2.0
def helper(x, j=1.0): return x * k + j
@dataclasses.dataclass
class D:
    a: object
    n: float = 1.0
    l: list = dataclasses.field(default_factory=list)
    def scaled(self, x): return x * self.a * self.n
    @property
    def double(self): return self.n * 2
class P(collections.namedtuple("P", "a b")):
    def total(self): return self.a + self.b
class Box:
    rate = 2.0
    def __init__(self, v): self.v = v
    def get(self, x): return x * self.v + self.rate
    def checked(self, x):
        if x.ndim != 1: raise ValueError(f"expected one axis, got {x.ndim} in {self}")
        return x * 2
class Sub(Box):
    def __init__(self, v): self.v, self.w = v * 2, v
class Heir(Box):
    def get(self, x): return super().get(x) + 1
    def both(self, x): return self.get(x) * super().get(x)
class Bad(ValueError):
    pass
class Loud:
    def __init__(self): print("made")
p = functools.partial(helper, j=2.0)
x = kn.asarray([1.0, 2.0])
d, b = D(x), Box(3.0)
def args(*a): return a
"""


def run(expression, arguments, **options):
    """The jitted function over an expression in x and o, called twice with `arguments` in the setup's scope, and eager's result."""
    scope = {"kn": kn, "np": np, "__name__": "scope"}
    exec(SETUP + f"f = lambda x, o=None: {expression}", scope)
    f = kn.jit(scope["f"], **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = eval(f"args({arguments})", scope)
        got = [f(*given) for _ in range(2)][1]
    return f, got, scope["f"](*given)


def why(f):
    return f.explain().variants[-1]["eager"]


RECORDS = {
    "names": "helper(x) * k", "builtins": "sum([x, x]) + len([1]) + max(1, 2)", "math": "x * math.pi + math.sqrt(4)", "isinstance of arrays": "x * 2 if isinstance(x, kn.Array) else -x",
    "isinstance of numbers": "x * isinstance(k, (int, float))", "a partial": "p(x)", "partial and reduce": "functools.reduce(operator.add, [x, x]) + functools.partial(helper, j=3.0)(x)",
    "products of lists": "[x * i * j for i, j in itertools.product([1, 2], [3])]", "dtypes": "kn.astype(x, kn.float64)", "dtypes of NumPy": "x.astype(np.float64) + kn.zeros(2, dtype=np.float32)",
    "a scalar type of NumPy": "x * float(np.float32(2))", "linalg and fft": "kn.linalg.vector_norm(x) + kn.fft.rfft(x).real", "lambdas": "(lambda y: y + k)(x)", "generators": "sum(x * i for i in range(3))",
    "a lambda with a key": "x * sorted([1, 2], key=lambda i: -i)[0]", "text": "x * len(f'{k} {k:.2f}')", "exceptions": "x * len([e for e in (ValueError('a'),)])", "operators": "operator.mul(x, 2) @ x", "an exception of a plain class": "x * 2 if k else Bad('no')",
}
RECORDS_WITH = {
    "a namespace of an array": ("(lambda xp: xp.sin(x) + xp.pi)(x.__array_namespace__())", "x"), "a namespace as an argument": ("o.exp(x)", "x, kn"), "linalg as an argument": ("o.vector_norm(x)", "x, kn.linalg"),
    "a dtype": ("kn.astype(x, o)", "x, kn.int32"), "a function": ("o(x)", "x, helper"), "a lambda": ("o(x)", "x, (lambda v: v * k)"), "a function of Kiln": ("o(x)", "x, kn.exp"), "a builtin": ("x * o(-1)", "x, abs"),
    "a dataclass": ("o.scaled(x) * o.double", "x, d"), "a plain object": ("o.get(x) * o.v", "x, b"), "a subclass": ("o.get(x) * o.w", "x, Sub(2.0)"), "a named tuple": ("o.total() * x", "x, P(x, 1.0)"),
    "an object that is made": ("Sub(k).get(x)", "x"), "a dataclass that is made": ("D(x, 3.0).scaled(x)", "x"), "a named tuple that is made": ("P(x, 1.0).total()", "x"), "a class attribute": ("x * Box.rate", "x"),
    "a static partial": ("o(x)", "x, p"), "an inherited method": ("o.both(x)", "x, Heir(2.0)"), "text in an error": ("o.checked(x)", "x, b"), "a class asked for": ("x * isinstance(o, Loud) + isinstance(o, (Box, D))", "x, b"),
}
REFUSES = {
    "print": ("print(x) or x", "calls 'print'"), "open": ("x * len(open.__name__)", "calls 'open'"), "getattr": ("x * getattr(d, 'n')", "calls 'getattr'"), "globals": ("x * len(globals())", "calls 'globals'"),
    "id": ("x * (id(k) > 0)", "calls 'id'"), "type": ("type(x)", "calls 'type'"), "eval": ("x * eval('k')", "calls 'eval'"), "an object by name": ("x * b.v", "reads 'b', a Box that may change unseen"),
    "a list by name": ("x * [].__len__() + l0[0]", "reads 'l0'"), "a module": ("(lambda m: x)(math)", "uses the module 'math' as a value"), "a setting": ("x * kn.get_num_threads()", "get_num_threads'"),
    "kn.config": ("x * kn.config.cache_limit", "reads 'kn.config'"), "globals of a function": ("x * helper.__globals__['k']", "attribute of the function 'helper'"), "frames": ("x * (lambda g: g.gi_frame is None)(i for i in ())", "attribute 'gi_frame'"),
    "__dict__": ("x * len(x.__class__.__dict__)", "attribute '__dict__'"), "subclasses": ("x * len((1).__class__.__subclasses__())", "attribute '__subclasses__'"), "caches": ("kn.clear_caches() or x", "'kn.clear_caches'"),
    "random": ("x * __import__('random').random()", "calls '__import__'"), "NumPy's functions": ("x * float(np.arange(2)[1])", "calls 'np.arange'"), "memory": ("x * kn.memory_stats().in_use", "memory_stats"),
    "objects that print": ("x * (Loud() is None)", "calls 'print'"), "addresses in text": ("x * len(str(Box(1.0)))", "whose text is their address"), "an address in text": ("x * len(f'{Box(1.0)}')", "whose text is their address"),
    "an unknown attribute": ("x.surprise", "attribute 'surprise'"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_records(name):
    f, got, want = run(RECORDS[name], "x")
    assert not why(f) and f.stats.hits == 1, why(f)
    assert [kn.array_equal(a, b) for a, b in (zip(got, want) if isinstance(got, list) else [(got, want)])], name


@pytest.mark.parametrize("name", RECORDS_WITH)
def test_records_with_other_values(name):
    f, got, want = run(*RECORDS_WITH[name], static_argnames="o" if "static" in name else ())
    assert not why(f) and f.stats.hits == 1, why(f)
    assert kn.array_equal(got, want)


@pytest.mark.parametrize("name", REFUSES)
def test_refuses(name):
    expression, text = REFUSES[name]
    scope = {"kn": kn, "np": np, "__name__": "scope"}
    exec(SETUP + f"l0 = [1.0]\nf = lambda x: {expression}", scope)
    places, found, _ = _capture.analyze(scope["f"], [])
    assert not places and found and text in found, found


STATEMENTS = {
    "global g; g = x": "writes a global", "o.value = x": "writes the attribute 'value'", "del o.value": "deletes an attribute", "import math": "imports a module", "from math import pi": "imports a module",
    "class C: pass": "defines a class", "helper.k = 1": "attribute of the function 'helper'|writes the attribute", "c += 1": "writes 'c' of an enclosing function",
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_refuses_statements(statement):
    scope = {"kn": kn, "__name__": "scope"}
    exec(SETUP + f"def make():\n    c = 1\n    def f(x, o=None):\n        {'nonlocal c; ' if statement == 'c += 1' else ''}{statement}\n        return x * c if c else x\n    return f\n", scope)
    found = _capture.analyze(scope["make"](), [])[1]
    assert found and re.search(STATEMENTS[statement], found), found


def test_instructions_that_are_not_known_are_refused(monkeypatch):
    f = lambda x: x + 1  # noqa: E731
    assert _capture.analyze(f, [])[1] is None
    monkeypatch.setattr(_capture, "KNOWN", _capture.KNOWN - {"BINARY_OP"})
    assert "uses the instruction BINARY_OP, which is not known" in _capture.analyze(f, [])[1]


def test_asynchronous_code_is_refused():
    async def work(x):
        return [v async for v in x]
    assert "instruction" in _capture.analyze(work, [])[1] or "awaits" in _capture.analyze(work, [])[1]


def test_helpers_of_installed_libraries_are_analyzed(tmp_path):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "some_library.py").write_text("rate = 2.0\nlog = []\ndef scale(x): return x * rate\ndef noisy(x):\n    log.sort()\n    return x\n")
    spec = importlib.util.spec_from_file_location("some_library", folder / "some_library.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    f = kn.jit(lambda x: module.scale(x))
    assert f(kn.ones(1)).item() == 2 and f(kn.ones(1)).item() == 2 and not why(f)
    module.rate = 3.0
    assert f(kn.ones(1)).item() == 3

    @kn.jit
    def g(x):
        return module.noisy(x)
    with pytest.warns(kn.KilnWarning, match=r"test_capture.py:\d+: leads to some_library.py:5: changes a list that exists before the call"):
        g(kn.ones(1))


def test_builtins_are_known_by_identity():
    class Liar:
        def __hash__(self):
            return hash(abs)

        def __eq__(self, other):
            return True

        def __call__(self, x):
            return x
    assert "not known" in _capture.analyze(lambda x, f=None: liar(x), [])[1] if (liar := Liar()) else None


def test_functions_and_classes_are_places():
    def helper(x, k=1.0, *, j=2.0):
        return x * k + j

    class Box:
        rate = 2.0

    places, found, _ = _capture.analyze(lambda x: helper(x) * Box.rate, [])
    assert found is None and {(helper, "__code__"), (helper, "__defaults__"), (helper, "__kwdefaults__"), (Box, None)} <= {p for p in places if isinstance(p[0], (type(helper), type))}
    assert any(container is helper.__kwdefaults__ and key == "j" for container, key in places)


def test_all_functions_of_kiln_are_known_to_compute_or_not():
    """A new module of Kiln is entered in one list or the other: here."""
    more = {"jit", "clear_caches", "disable_jit", "memory_stats", "show_versions", "get_include", "config", "testing", "set_default_dtype", "set_num_threads", "get_num_threads", "cache", "tree", "device", "devices", "default_device", "set_default_device", "custom_vjp", "custom_jvp", "custom_op", "pure_callback", "checkpoint", "export", "load", "save", "savez", "get_printoptions", "set_printoptions", "printoptions"}
    unknown = []
    for name in dir(kn):
        value = getattr(kn, name)
        if name[0] == "_" or name in more or not callable(value) or isinstance(value, type(kn.exp)):
            continue
        if isinstance(value, (type, type(run))) and not _capture.computes(value) and not issubclass(value if isinstance(value, type) else int, BaseException):
            unknown.append(name)
    assert not unknown, unknown


def test_code_without_end_is_refused():
    scope = {"kn": kn, "f0": lambda x: x}
    for i in range(1, 400):
        exec(f"def f{i}(x): return f{i - 1}(x)", scope)
    assert re.search("too many functions|too deep", _capture.analyze(scope["f399"], [])[1])
    assert sys.getrecursionlimit() >= 1000


def test_generators_that_native_code_goes_on_with():
    """In functions that are reached by a value, so that they are looked at as they run."""
    def unpacked(n, x):
        a, b = (x[k] for k in range(2))
        return n.exp(a) + b

    def summed(n, x):
        return sum(n.exp(x[k]) * k for k in range(3))

    def largest(n, x):
        return max(float(k) for k in range(3)) * n.exp(x)

    def mapped(n, x):
        return dict((k, n.exp(x[k])) for k in range(2))[1] + tuple(x[k] for k in range(2))[0]

    names, x = type("Names", (), {"exp": staticmethod(kn.exp)})(), kn.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    for f in (unpacked, summed, largest, mapped):
        jitted = kn.jit(lambda x, f=f: f(names, x), on_miss="raise")
        for _ in range(3):
            same_bits(jitted(x), f(names, x))


def test_dtypes_are_given_to_functions_that_are_values():
    names, x = type("Names", (), {"eye": lambda self, k: kn.eye(k, dtype=kn.float64), "zeros": staticmethod(lambda k: kn.zeros(k, dtype=kn.int32))})(), kn.ones(3)
    f = kn.jit(lambda x: names.eye(3) @ kn.astype(x, kn.float64) + names.zeros(3), on_miss="raise")
    for _ in range(3):
        assert f(x).tolist() == [1, 1, 1] and f(x).dtype is kn.float64
