"""Numbers in containers: among the arguments, where those that change are inputs as plain arguments are, and by name. Also numbers of NumPy's."""
import collections
import dataclasses

import numpy as np
import pytest

import kiln as kn
from conftest import frames_of
from state_harness import cases

SETUP = """
import collections, dataclasses, types
class O:
    def __init__(self, k): self.k = k
P = collections.namedtuple("P", "a k")
@dataclasses.dataclass
class D:
    w: object
    k: float = 1.0
    def scaled(self, v): return v * self.w * self.k
@dataclasses.dataclass(frozen=True)
class F:
    k: float = 1.0
def helper(v, k, n=1, *, lr=1.0): return v * k - lr + n
"""
NUMBERS = ["0.5", "0.25", "0.1", "-0.0", "3", "4", "7", "True", "float('nan')", "0.3", "2**70", "kn.asarray(0.5)", "1.5", "2.5"]
# How a container is made of a number, and the number read from it again.
MADE = {
    "an entry": ("{{'k': {n}, 'z': 1}}", "c['k']"), "get": ("{{'k': {n}}}", "c.get('k', 2)"), "an item": ("[1, {n}]", "c[1]"), "the last item": ("({n},)", "c[-1]"), "a field": ("P(x, {n})", "c.k"), "a field by number": ("P(x, {n})", "c[1]"), "an attribute": ("O({n})", "c.k"),
    "a dataclass": ("D(x, {n})", "c.k"), "a frozen one": ("F({n})", "c.k"), "getattr": ("D(x, {n})", "getattr(c, 'k')"), "nested": ("{{'a': [({n}, 1)], 'b': {n}}}", "(c['a'][0][0] + c['b'])"), "apart": ("(1, {n})", "[b for a, b in [c]][0]"), "through": ("({n}, 1)", "[v for v in c][0]"),
    "through a list": ("[{n}, 1]", "[v for v in c][0]"), "pairs": ("{{'k': {n}}}", "[v for k, v in c.items()][0]"), "pairs whole": ("{{'k': {n}}}", "[p for p in c.items()][0][1]"), "values": ("{{'k': {n}}}", "list(c.values())[0]"), "a key that is a number": ("{{1: {n}, True: {n}}}", "c[1.0]"), "a slice": ("[{n}, 1]", "c[:1][0]"),
    "spread": ("({n}, 1)", "[*c][0]"), "spread into a call": ("({n}, 1)", "(lambda a, b: a)(*c)"), "names of a call": ("{{'k': {n}}}", "(lambda k: k)(**c)"), "merged": ("{{'k': {n}}}", "{{**c, 'z': 1}}['k']"), "a copy": ("{{'k': {n}}}", "c.copy()['k']"), "another list": ("[{n}]", "list(c)[0]"), "put together": ("[{n}]", "(c + [1])[0]"),
    "enumerated": ("[{n}]", "[v for i, v in enumerate(c)][0]"), "zipped": ("[{n}]", "[v for v, i in zip(c, [1])][0]"), "replaced": ("P(x, {n})", "c._replace(a=1).k"), "the rest": ("({n}, 1, 2)", "(lambda a, *b: b)(*c)[0] + c[0]"), "an iterator": ("[{n}, 1]", "next(iter(c))"), "reversed": ("[1, {n}]", "[v for v in reversed(c)][0]"),
    "yielded": ("[{n}, 1]", "[v for v in (lambda: (yield from c))()][0]"), "a key function": ("[{n}, 1.0]", "sorted(c, key=lambda v: (v != v, v))[0]"),
}
USES = {"beside an array": "x * {k}", "decides": "x if {k} > 0.3 else x - 1", "given back": "(x, {k}, [{k} + 1])", "shown": "(x, f'{{{k}}}')", "an index": "x[{k}:] if isinstance({k}, int) else x"}
test_as_in_eager = cases({f"{made}, {use}": f"{SETUP}@jit\ndef f(x, c):\n    return {text.format(k=read.replace('{{', '{').replace('}}', '}') if use != 'shown' else read.replace('{{', '{').replace('}}', '}').replace(chr(39), chr(34)))}\n---\n"
                          + "".join(f"f(x, {container.format(n=n)})\n" for n in NUMBERS)
                          for made, (container, read) in MADE.items() for use, text in USES.items() if use != "shown" or "'" not in read.replace("'k'", "")})
test_changes = cases({
    "in place": SETUP + "c = {'lr': 0.5, 'n': 0}\n@jit\ndef f(x, c):\n    c['n'] += 1\n    c['lr'] *= 0.5\n    return x * c['lr'] + c['n']\n---\n" + "f(x, c)\n" * 6 + "c['lr'] = 4\n" + "f(x, c)\n" * 3,
    "of a list": SETUP + "c = [0.5, 0]\n@jit\ndef f(x, c):\n    c[1] += 1\n    a, b = c\n    return x * a + b + c[-1]\n---\n" + "f(x, c)\n" * 6 + "c.append(1)\n" + "f(x, c)\n",
    "of an object in a list": SETUP + "c = [O(1.5)]\n@jit\ndef f(x, c):\n    c[0].k *= 2\n    return x * c[0].k\n---\n" + "f(x, c)\n" * 6,
    "one container twice": SETUP + "c, d = {'k': 0.5}, {'k': 1.5}\n@jit\ndef f(x, a, b):\n    a['k'] += 1\n    return x * a['k'] - b['k']\n---\n" + "f(x, c, c)\nf(x, c, d)\nf(x, d, c)\n" * 5,
    "grown and gone through": SETUP + "c = [0.5, 1]\n@jit\ndef f(x, c):\n    c.append(2)\n    return x * sum([v * 2 for v in c]) + c[-1]\n---\n" + "f(x, c)\nc[0] += 1\n" * 6,
    "given back": SETUP + "c = [0.5, (1, 2)]\n@jit\ndef f(x, c):\n    return x * c[0], c, c[1]\n---\n" + "f(x, c)\nc[0] += 1\nc[1] = (c[0], 3)\n" * 6,
    "with arrays of NumPy": SETUP + "c = {'k': 0.5, 'w': np.ones(2, np.float32)}\n@jit\ndef f(x, c):\n    c['k'] += 1\n    return x * c['w'] * c['k']\n---\n" + "f(x, c)\n" * 6,
    "a tuple with arrays of NumPy": SETUP + "@jit\ndef f(x, c):\n    return x * c[0] * c[1], c[1]\n---\n" + "".join(f"f(x, (np.ones(2, np.float32), {n}))\n" for n in NUMBERS[:7]),
    "a call in a call": SETUP + "@jit\ndef inner(x, c): return x * c['k']\n@jit\ndef f(x, c): return inner(x, c) + inner(x, {'k': c['k'] + 1})\n---\n" + "".join(f"f(x, {{'k': {n}}})\ninner(x, {{'k': {n}}})\n" for n in NUMBERS[:8]),
    "gradients": SETUP + "@jit\ndef f(x, c):\n    return kn.grad(lambda w, c: ((w * c['k']) ** 2).sum())(x, c)\n---\n" + "".join(f"f(x, {{'k': {n}}})\n" for n in NUMBERS[:8]),
    "errors": SETUP + "@jit\ndef f(x, c):\n    c['t'] += 1\n    if c['k'] > 0.4: raise ValueError(str(c['k']))\n    return x * (1 / c['k'])\n---\n" + "".join(f"f(x, {{'k': {n}, 't': 0}})\n" for n in ("0.1", "0.5", "0.2", "0.3", "0", "0.25", "0.75", "0.0")),
    "*args and **kwargs": SETUP + "@jit\ndef f(x, *a, **k):\n    return x * a[0] + sum(a) * k['lr']\n---\n" + "".join(f"f(x, {i}.5, {i}, lr={i}.25)\nf(x, {i}.5, lr={i}.25, z=1)\n" for i in range(6)),
    "kinds by turns": SETUP + "@jit\ndef f(x, c): return x * c['k']\n---\n" + "".join(f"f(x, {{'k': {n}}})\n" for n in ("1", "0.5", "np.float32(0.5)", "2", "0.25", "np.float32(0.25)", "3", "0.125", "np.float64(0.1)", "np.float32(0.1)", "np.float64(0.2)", "np.float64(0.3)", "True", "np.True_")),
    "a namespace": SETUP + "@jit\ndef f(x, c):\n    c.n += 1\n    return x * c.k + c.n, c\n---\n" + "".join(f"f(x, types.SimpleNamespace(k={n}, n=1))\n" for n in NUMBERS[:8]),
    "zipped": SETUP + "@jit\ndef f(x, ws, cs):\n    for i, (w, c) in enumerate(zip(ws, cs)): x = x + w * c * i\n    return sum([w * c for w, c in zip(ws, cs)], x)\n---\n" + "".join(f"f(x, [x, x * 2], [{n}, 2])\nf(x, [x, x * 2], (1, {n}))\n" for n in NUMBERS),
    "many numbers": SETUP + "@jit\ndef f(x, c): return x * c[3] + c[299] + kn.asarray(c[:100]).sum()\n---\n" + "".join(f"f(x, [{i} + 0.5 * v for v in range(300)])\n" for i in range(6)),
})
test_by_name = cases({
    "a dict that is replaced": "c = {'k': 0.5, 'n': 1}\n@jit\ndef f(x): return x * c['k'] + c['n']\n---\n" + "f(x)\nc = {'k': c['k'] * 2, 'n': c['n'] + 1}\n" * 9,
    "a tuple that is replaced": "c = (0.5, 1)\n@jit\ndef f(x): return x * c[0] + c[1]\n---\n" + "f(x)\nc = (c[0] * 2, c[1] + 1)\n" * 9,
    "unpacked": "c = (0.5, 1)\n@jit\ndef f(x):\n    a, b = c\n    return x * a + b\n---\n" + "f(x)\nc = (c[0] * 2, c[1] + 1)\n" * 9,
    "a list gone through": "c = [0.5, 1]\n@jit\ndef f(x):\n    for v in c: x = x * v\n    return x, len(c)\n---\n" + "f(x)\nc[1] += 1\n" * 9 + "c.append(2)\nf(x)\n" * 3,
    "a list gone through and grown": "c = [0.5]\n@jit\ndef f(x):\n    for v in c: x = x * v\n    c.append(3.0)\n    return x\n---\n" + "f(x)\n" * 6,
    "pairs": "c = {'a': 0.5, 'b': 2}\n@jit\ndef f(x):\n    for k, v in c.items(): x = x * v + len(k)\n    return x, [p for p in c.items()]\n---\n" + "f(x)\nc['a'] += 1\n" * 9 + "c['z'] = c.pop('a')\nf(x)\n" * 3,
    "pairs of numbers alone": "c = {'a': 0.5, 'b': 2}\n@jit\ndef f(x):\n    for k, v in c.items(): x = x * v\n    return x\n---\n" + "f(x)\nc['a'] += 1\n" * 9,
    "keys": "c = {'a': 0.5, 'b': 2}\n@jit\ndef f(x):\n    for k in c: x = x * c[k]\n    for k in c.keys(): x = x + c[k]\n    return x\n---\n" + "f(x)\nc['b'] += 1\n" * 9,
    "given back": "c = (0.5, [1, 2])\n@jit\ndef f(x):\n    a, b = c\n    return x * a, c[0], b[0]\n---\n" + "f(x)\nc = (c[0] * 2, [3, c[0]])\n" * 9,
    "a tuple that is shown": "c = (0.5, 1)\n@jit\ndef f(x):\n    a, b = c\n    return x * a, str(c)\n---\n" + "f(x)\nc = (c[0] * 2, 1)\n" * 9,
    "looked at as a whole": "c = [0.5, 1]\n@jit\ndef f(x):\n    a, b = c\n    return x * a * max(c), str(c)\n---\n" + "f(x)\nc[0] += 1\n" * 9,
    "zipped": "c, d = [0.5, 1], (2, 3)\n@jit\ndef f(x):\n    for v, w in zip(c, d): x = x * v + w\n    for i, (v, w) in enumerate(zip(c, d)): x = x * v - w * i\n    return x, [p for p in enumerate(c)], list(zip(c, d)), dict(zip('ab', c))\n---\n" + "f(x)\nc[1] += 1\nd = (d[0] * 2, 3)\n" * 9,
    "zipped numbers alone": "c, d = [0.5, 1], (2, 3)\n@jit\ndef f(x):\n    for v, w in zip(c, d): x = x * v + w\n    for i, (v, w) in enumerate(zip(c, d), 1): x = x * v - w * i\n    for i, v in enumerate(c): x = x + v\n    return x\n---\n" + "f(x)\nc[1] += 1\nd = (d[0] * 2, 3)\n" * 9 + "c.append(1)\nf(x)\n" * 2,
    "an iterator that others go on with": "c = [0.5, 1, 3]\n@jit\ndef f(x):\n    i = zip(c, c)\n    for v, w in i:\n        x = x * v\n        break\n    return x, list(i), [*enumerate(c)], [a for a, b in sorted(zip(c, c))]\n---\n" + "f(x)\nc[0] += 1\n" * 9,
    "pairs through a generator": "c = {'a': 0.5, 'b': 2}\n@jit\ndef f(x):\n    return x * sum(v for k, v in c.items()) + max(c.items())[1] + max((p for p in zip(c, c.values())), key=lambda p: p[1])[1]\n---\n" + "f(x)\nc['a'] += 1\n" * 9,
    "a namespace": "import types\nc = types.SimpleNamespace(k=0.5, n=1, w=kn.ones(2))\n@jit\ndef f(x):\n    c.n += 1\n    return x * c.k * c.w + c.n\n---\n" + "f(x)\nc.k += 1\n" * 6 + "c = types.SimpleNamespace(k=0.5, n=1, w=kn.ones(2))\nf(x)\n" * 5 + "del c.k\nf(x)\n",
    "namespaces that are compared": "import types\nc = types.SimpleNamespace(k=0.5)\n@jit\ndef f(x):\n    return x * (1 if c == types.SimpleNamespace(k=1.5) else 2), str(c)\n---\n" + "f(x)\nc.k += 1\n" * 4,
    "attributes of a namespace as a whole": "import types\nc = types.SimpleNamespace(k=0.5)\n@jit\ndef f(x):\n    return x * c.__dict__['k'] + len(vars(c))\n---\n" + "f(x)\nc.k += 1\n" * 4,
    "in a loop": "c = [0.5, 1]\n@jit\ndef f(x):\n    while x.sum() < 100:\n        for v in c: x = x * (v + 1)\n    return x\n---\n" + "f(x)\nc[0] += 1\n" * 9,
})
SCALARS = {
    "beside an array": "x * s + s", "first": "s - x", "a power": "x ** s", "arithmetic": "x * (s * 0.5 + 1)", "of both": "x * (s * s)", "a question": "x if s > 0.6 else x * 2", "truth": "x if s else x * 2", "a float of it": "x * float(s)", "an integer of it": "x[:int(s)]", "item": "x * s.item()", "given back": "(x, s, [s * 2])", "its type": "(x, s.dtype.name, type(s).__name__)",
    "an array of it": "kn.asarray(s) + x", "filled": "kn.full(2, s)", "chosen": "kn.where(x > s, x, s)", "limits": "kn.clip(x, -s, s)", "greater": "kn.maximum(x, s)", "integers": "kn.asarray([1, 2]) * s", "halves": "kn.asarray([1, 2], dtype='float16') * s", "doubles": "kn.asarray([1.0, 2.0], dtype='float64') * s", "bytes": "kn.asarray([1, 2], dtype='uint8') + s",
    "a root": "x * __import__('math').sqrt(abs(s))", "NumPy's root": "x * np.sqrt(s * s)", "a division": "x * (1 / s)", "without warnings": "quiet(x, s)", "text": "(x, f'{s}')", "a comparison": "(x, s == 0.5)", "a key": "x * {1: 2.0}.get(s, 3.0)", "in an array": "kn.asarray([s, 1.0]) * x", "stored": "(setattr(o, 'k', s * 2), x * o.k)[1]", "kept": "(kept.append(s), x)[1]",
}
DTYPES = {"float64": ("0.5", "0.25", "0.1", "-0.0", "nan", "2", "3"), "float32": ("0.5", "0.25", "0.1", "0.0", "inf", "2", "3"), "float16": ("0.5", "0.25", "2"), "int64": ("1", "2", "3", "0", "-1", "5"), "int8": ("1", "2", "3", "-128"), "uint8": ("1", "2", "3", "255"), "bool_": ("1", "0", "1"), "longdouble": ("0.5", "0.25", "0.1")}
test_numbers_of_numpy = cases({f"{name}, {dtype}": f"{SETUP}o, kept = O(1.0), []\ndef quiet(x, s):\n    with np.errstate(all='ignore'):\n        return x * (1 / s)\n@jit\ndef f(x, s): return {text}\n---\n"
                               + "".join(f"f(x, np.{dtype}('{n}'))\n" if dtype in ("float64", "float32", "float16", "longdouble") else f"f(x, np.{dtype}({n}))\n" for n in numbers)
                               for name, text in SCALARS.items() for dtype, numbers in DTYPES.items()})
test_numbers_of_numpy_elsewhere = cases({name: f"{SETUP}{setup}\n@jit\ndef f(x): return x * {read} + ({read} * 2)\n---\n" + "".join(f"f(x)\n{store.format(n=n)}\n" for n in ("np.float64(0.1)", "np.float64(0.2)", "np.float64(0.3)", "np.float64(0.4)", "np.float32(0.5)", "np.float32(0.6)", "0.7", "np.int64(3)"))
                                         for name, (setup, read, store) in {"a global": ("s = np.float64(0.5)", "s", "s = {n}"), "an attribute": ("o = O(np.float64(0.5))", "o.k", "o.k = {n}"), "an entry": ("d = {'k': 1.0}", "d['k']", "d['k'] = {n}"), "an item": ("d = [1.0]", "d[0]", "d[0] = {n}")}.items()})

Pair = collections.namedtuple("Pair", "w lr")


@dataclasses.dataclass
class State:
    w: object
    lr: float


class Plain:
    def __init__(self, w, lr):
        self.w, self.lr = w, lr


def _through(c):
    x = 0.0
    for i, (w, lr) in enumerate(zip(*c)):
        x = x + w * lr
    return x


FORMS = {"zipped": (lambda w, lr: ([w, w], (lr, 2)), _through), "dict": (lambda w, lr: {"w": w, "lr": lr}, lambda c: c["w"] * c["lr"]), "list": (lambda w, lr: [w, lr], lambda c: c[0] * c[1]), "tuple": (lambda w, lr: (w, (lr, 2)), lambda c: c[0] * c[1][0]), "namedtuple": (Pair, lambda c: c.w * c.lr), "dataclass": (State, lambda c: c.w * c.lr), "object": (Plain, lambda c: c.w * c.lr),
         "unpacked": (lambda w, lr: (w, lr), lambda c: (lambda w, lr: w * lr)(c[0], c[1]))}


@pytest.mark.parametrize("kind", [float, np.float32, np.float64, np.int16, lambda v: int(v * 16)])
@pytest.mark.parametrize("form", list(FORMS))
def test_one_program(form, kind):
    make, use = FORMS[form]
    f, w = kn.jit(use), kn.ones(3)
    for k in range(1000):
        lr = kind(1 + k / 16)
        assert f(make(w, lr)).tolist() == use(make(w, lr)).tolist()
    assert f.stats.misses == 3 and not any(v["eager"] for v in f.explain().variants)
    given = [make(w, kind(k)) for k in range(10)]
    assert "<lambda>" not in frames_of(lambda: [f(c) for c in given])


def test_numbers_that_decide_are_not_asked_for_again():
    """A fact is part of the key for ever, and the numbers beside it are inputs still."""
    f, x = kn.jit(lambda x, c: x[:c["n"]] * c["lr"]), kn.ones(4)
    for k in range(60):
        assert f(x, {"n": 1 + k % 3, "lr": 0.5 + k}).tolist() == [0.5 + k] * (1 + k % 3)
    assert f.stats.misses <= 12


def test_a_tuple_by_name_that_is_given_back():
    scope = {"c": (0.5, 1)}
    exec("def f(x):\n    a, b = c\n    return x * a, c, [p for p in {'k': a}.items()]", scope)
    f = kn.jit(scope["f"])
    for k in range(12):
        scope["c"] = (0.5 + k, 1)
        first, given, pairs = f(kn.ones(2))
        assert first.tolist() == [0.5 + k] * 2 and given == scope["c"] and pairs == [("k", 0.5 + k)]


def test_negative_integers_of_numpy_are_constants():
    for kind in (np.int8, np.int16, np.int32, np.int64):
        f = kn.jit(lambda x, n=kind(-3): x * n + kn.maximum(x, n))  # noqa: B023
        assert f(kn.asarray([1, 2], dtype=kn.int64)).tolist() == [-2, -4]
