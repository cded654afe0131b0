"""Random programs that read and write Python state, in eager and with ``kn.jit``: the same bits, types, exceptions and state after each step.

``python test/python/state_fuzz.py --first-seed 0 --programs 1000`` runs a range of seeds in processes of their own and prints, for each
one that differs, the shortest text found that still does; ``python test/python/state_harness.py < text`` runs such a text again.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import state_harness

SETUP = '''import collections, dataclasses, math, types
k0, k1 = 2.0, 3
w = kn.asarray([1.0, 2.0])
table, d, log = [1.5, 2.0], {"a": 1.0, "b": 2.0}, []
class Config: pass
cfg = Config()
cfg.scale, cfg.step, cfg.w, cfg.items = 2.0, 0.5, kn.ones(2), [1.0]
settings = types.ModuleType("settings")
settings.k, settings.w = 1.5, kn.ones(2)
class Model:
    rate = 0.5
    def __init__(self, w): self.w, self.n = w, 1.0
    def __call__(self, v): return v * self.w + self.rate
    def method(self, v, j=1.0): return v * self.n + j
    def __mul__(self, v): return self.w * v * k0
    __rmul__ = __mul__
    def __len__(self): return len(table)
    def __bool__(self): return self.n > 0
    @property
    def double(self): return self.n * 2
    @staticmethod
    def static(v): return v + k1
    @classmethod
    def made(cls, v): return v * cls.rate
@dataclasses.dataclass
class D:
    a: object
    n: float = 1.0
    rate = 2.0
    def __call__(self, v): return v * self.a + k0
    def __add__(self, v): return self.a + v * self.n
    def __len__(self): return int(k1)
    def __float__(self): return float(k0) + self.n
    def __lt__(self, o): return self.n < o.n + k1
    def __iter__(self): return iter([self.a, k0])
    def __getitem__(self, i): return self.a * table[0]
    @property
    def double(self): return self.n * k0
    def method(self, v, j=1.0): return v * self.n + j
class P(collections.namedtuple("P", "a n")):
    rate = 1.0
    def __call__(self, v): return v * self.a * k0
    def __add__(self, v): return self.a - v
    @property
    def double(self): return self.n + k0
    def method(self, v, j=1.0): return v - self.n * j
m, o, p = Model(kn.ones(2)), D(kn.ones(2)), P(kn.ones(2), 2.0)
a0, a1 = kn.asarray([1.0, -2.0]), kn.asarray([0.5, 4.0])
lst = [kn.ones(2), 3.0]
def h0(v, j=1.5, *, q=0.5): return v * j + q
def h1(v): return h0(v, k0) - v
def h2(v, u=w): return v + u
def hn(t): return t * k0 + len(table)
def alt(v, j=1.5, *, q=0.5): return v - j * q
def altn(t): return t + k1
def make(c):
    def put(v):
        nonlocal c
        c = v
    def read(v): return v * c
    return read, put
hc, put = make(2.0)
class Layer:
    kind, bias = "layer", kn.asarray([0.5, 0.25])
    def __init__(self, w, n): self.w, self.n, self.seen = w, n, []
    def go(self, v): return v * self.w + self.n + self.bias
    @property
    def norm(self): return self.w * self.n
class Wide(Layer):
    def __init__(self, w, n): super().__init__(w, n); self.extra = n + 1
    def go(self, v): return super().go(v) - self.extra
class Slots:
    __slots__ = ("w", "n")
    def go(self, v): return v * self.w - self.n
class Net:
    def __init__(self): self.layers, self.by, self.rate = [Layer(kn.ones(2), 0.5), Wide(kn.asarray([2.0, 1.0]), 1.0)], {"a": Layer(kn.ones(2), 2.0)}, 0.25
    def run(self, v):
        for i, layer in enumerate(self.layers): v = layer.go(v) * (i + 1)
        return v
def counting(c):
    def bump(v):
        nonlocal c
        c += 1
        return v * c
    return bump
bump, ticks, tally, marks = counting(0), 0, {"a": 0, "b": 1.5}, [0, 2.0]
cfg.count, cfg.rate = 0, 1.0
class Clock:
    def __init__(self): self.at, self.step, self.seen = 0, 0.5, []
    def tick(self): self.at += 1; return self.at
    @property
    def time(self): return self.at * self.step
    def __len__(self): self.at += 1; return self.at
    def __call__(self, v): self.at = self.at + 1; return v * self.time
clock = Clock()
net, slots, inner = Net(), Slots(), Config()
slots.w, slots.n = kn.asarray([3.0, 1.0]), 0.5
inner.k, inner.w, inner.name = 1.5, kn.ones(2), "inner"
cfg.inner = inner
class Base:
    gain, shift = 1.5, 0.5
    def go(self, v): return v * self.gain + self.shift
class Derived(Base):
    def __mul__(self, v): return self.go(v) * self.gain
dv = Derived()
h = {"lr": 0.5, "n": 2, "b": (0.9, 0.99), "w": kn.ones(2), "in": {"k": 1.5, "l": [0.25, 3]}, "s": np.float32(0.5), "o": Config(), "p": P(0.5, 2)}
h["o"].k = 1.5
hj = jit(lambda v, j=1.5: v * j + 1)
def each(items):
    yield k0
    yield from items
class Own:
    def __iter__(self):
        for v in levels: yield v * 2
    def __len__(self): clock.seen.append(1); return len(levels)
own = Own()
rates, twins, levels = {"a": 0.5, "b": 2}, (0.5, 1.5), [1.5, 2.5]
params, ws, hist, which = {"w": kn.ones(2), "b": kn.asarray([0.5, -0.5]), 1: kn.ones(2)}, [kn.ones(2), kn.asarray([1.0, 3.0])], [], "w"
'''

# Numbers that the programs change themselves, and what is done with them.
COUNTED = {
    "whole value": "int(y[1])", "sum of values": "(float(y[0]) + y[1].item())", "compared value": "(1.0 if float(y[0]) > tally['b'] else 2.0)", "text of a value": "float(len(str(y[0].item())))", "least of a value": "min(float(x[0]), tally['b'])", "half of a value": "float(y.sum()) / 2",
    "value as a size": "float(len(range(int(y[0]) % 3)))", "value over a value": "float(y[0]) / float(y[1])", "value of a dtype": "kn.asarray([3], dtype='uint8').item()", "value of a bool": "(1.0 if (y > 0)[0].item() else 2.0)", "value in a list": "[float(v) for v in y][1]",
    "counter": "cfg.count", "counter in a dict": "tally['a']", "counter in a list": "marks[0]", "counter in a global": "ticks", "rate": "cfg.rate", "sum of counters": "(cfg.count + tally['a'])", "power of a counter": "2.0 ** cfg.count",
    "counter as a power": "(cfg.count % 4) ** 2", "least of a counter": "min(cfg.count, 3)", "most of a counter": "max(0.5, cfg.rate, tally['b'])", "text of a counter": "float(len(f'{cfg.count}'))", "text of a rate": "float(len(str(cfg.rate)))",
    "branch on a counter": "(1.0 if cfg.count % 2 else 0.5)", "truth of a counter": "(2.0 if cfg.count else 0.5)", "comparison of counters": "(1.0 if tally['a'] <= cfg.count < 4 else 2.0)", "float of a counter": "float(cfg.count)", "int of a rate": "int(cfg.rate * 4)",
    "rounded rate": "round(cfg.rate, 1)", "square root": "__import__('math').sqrt(cfg.count + 1)", "absolute": "abs(cfg.count - 3)", "quotient": "1 / (cfg.count + 1)", "division that fails": "1.0 / (cfg.count - 3)", "floor": "cfg.count // 2", "rest": "cfg.count % 3", "negative": "-cfg.count",
    "shifted": "(1 << (cfg.count % 8))", "bits": "(cfg.count & 3 | 1)", "length of a range": "float(len(range(cfg.count)))", "chosen": "table[cfg.count % 1]", "key": "{0: 1.0, 1: 2.0, 2: 0.5}[cfg.count % 3]", "tick": "clock.tick()", "time": "clock.time", "length that counts": "float(len(clock))",
    "sum of a list": "sum([cfg.count, 1.5])", "list": "[cfg.count, 2][0]", "type": "(1.0 if isinstance(cfg.count, int) else 2.0)", "exact type": "(1.0 if type(cfg.rate) is float else 2.0)", "bit length": "cfg.count.bit_length()", "getattr": "getattr(cfg, 'count')", "get": "tally.get('a', 0)",
    "sorted": "sorted([cfg.count, 2, 1])[1]", "key function": "max([1, 2], key=lambda v: v * cfg.count)", "helper": "hn(cfg.count)", "lambda": "(lambda v: v + 1)(cfg.count)", "unpacked": "[a + b for a, b in [(cfg.count, 1)]][0]", "made object": "Layer(0.5, cfg.count).norm", "not": "(not cfg.count)",
    "decimal": "float(cfg.count in (1, 2, 3))", "none": "(1.0 if cfg.count is None else 0.5)", "is an integer": "float(cfg.rate.is_integer())", "divmod": "divmod(cfg.count, 3)[1]", "generator": "sum(v for v in (cfg.count, 1))", "any": "float(any([cfg.count]))", "counter of an argument": "o.n", "sum of an argument's": "(o.n + cfg.count)", "branch on an argument's": "(1.0 if o.n > 2 else 0.5)", "text to number": "float('1' + str(cfg.count))",
}
COUNTED_ARRAYS = {
    "times a value": "{a} * float(y.sum())", "over a value": "{a} / float({a}.sum())", "less a value": "y[0].item() - {a}", "doubles beside a value": "kn.asarray([1.0, 2.0], dtype='float64') * float(y[0]) + {a}", "integers beside a value": "kn.asarray([1, 2]) * float(y[0]) + {a}", "to the power of a value": "{a} ** float(y[0])",
    "normed": "{a} * min(1.0, 2.0 / (float((y * y).sum()) + 1))",
    "power by a counter": "{a} ** (cfg.count % 3)", "power of a rate": "{a} ** cfg.rate", "counter as a base": "cfg.count ** {a}", "times a counter": "{a} * cfg.count", "counter minus": "cfg.count - {a}", "by a counter": "{a} / (cfg.count + 1)", "floor by a counter": "{a} // (cfg.count + 1)",
    "rest by a counter": "{a} % (cfg.rate + 1)", "compared with a counter": "kn.where({a} > cfg.count, {a}, x)", "counter beside integers": "(kn.asarray([1, 2]) * cfg.count + {a})", "counter beside bytes": "(kn.asarray([1, 2], dtype='uint8') + cfg.count) * {a}", "repeated": "sum([{a}] * (cfg.count % 3), {a})", "filled": "kn.full(2, cfg.count) + {a}",
    "closure that counts": "bump({a})", "object that counts": "clock({a})", "function of a counter": "kn.multiply({a}, cfg.count)", "made from counters": "kn.asarray([cfg.count, 1.0]) + {a}", "index by a counter": "{a}[cfg.count % 2] + {a}", "slice by a counter": "{a}[:cfg.count % 2 + 1].sum() + {a}", "chain": "({a} * cfg.rate + cfg.count) / (tally['a'] + 1)",
    "clipped by a counter": "kn.clip({a}, -cfg.count, cfg.count)", "chosen beside a rate": "kn.where({a} > cfg.count, cfg.rate, {a})", "the greater of a counter": "kn.maximum(cfg.count, {a})", "clipped by {n}": "kn.clip({a}, max={n})", "bias correction": "{a} / (1 - 0.9 ** (cfg.count + 1))", "times a field": "{a} * o.n", "decay of a field": "{a} / (2 - 0.9 ** o.n)", "array of an argument": "o.a * {a}", "method of a field": "o.method({a}, cfg.rate)", "plain": "{a} + {n}", "scaled": "{a} * {n}", "captured array": "w", "where": "kn.where({a} > {n}, {a}, x)", "mapped": "kn.vmap(lambda u: u * cfg.rate)({a})",
}
# Numbers in containers among the arguments, some of NumPy's, and in containers elsewhere; attributes of classes.
GIVEN = {
    "given entry": "h['lr']", "given whole number": "h['n']", "given pair": "h['b'][0]", "last of a given pair": "h['b'][-1]", "given in a dict": "h['in']['k']", "given in a list": "h['in']['l'][1]", "given field": "h['p'].n", "given attribute": "h['o'].k", "get of the given": "h.get('lr', 2.0)",
    "get of what is not given": "h.get('z', 0.5)", "given arguments": "(lambda a, b: a - b)(*h['b'])", "given names": "(lambda k, l: k)(**h['in'])", "sum of a given list": "sum(h['in']['l'])", "length of the given": "float(len(h))", "given or not": "(1.0 if 'lr' in h else 2.0)", "text of the given": "float(len(str(h['n'])))",
    "text of a given pair": "float(len(f\"{h['b']}\"))", "trips of the given": "float(len(range(int(h['n']) % 4)))", "branch on the given": "(1.0 if h['lr'] > 0.6 else h['n'])", "least of the given": "min(h['lr'], h['n'])", "through a given pair": "sum([v * 2 for v in h['b']])", "pairs of the given": "sum([v for k, v in h['in'].items() if k == 'k'])",
    "values of the given": "sum(h['in']['l'] + [v for v in h['p']])", "power of the given": "2.0 ** h['n']", "copy of the given": "dict(h)['lr']", "given pairs that are equal": "(1.0 if h['b'] == (0.9, 0.99) else 2.0)", "slice of a given list": "h['in']['l'][:1][0]", "spread": "[*h['b']][0]", "most of a given pair": "max(h['b'])",
    "given pair apart": "[a * 2 - b for a, b in [h['b']]][0]", "given number of numpy's": "float(h['s'])", "whole of numpy's": "int(h['s'] * 4)", "question about numpy's": "(1.0 if h['s'] > 0.6 else 0.5)", "numpy's item": "h['s'].item()", "rate of rates": "rates['a']", "pairs of rates": "sum([v * 2 for k, v in rates.items()])", "rates by key": "sum([rates[k] for k in rates])",
    "sum of rates": "sum(rates.values())", "most of rates": "max(rates.values())", "least of levels": "min(levels)", "most of twins": "max(twins)", "sum from a rate": "sum(levels, rates['a'])", "values of rates": "[v * 2 for v in rates.values()][-1]", "values beside levels": "sum([u * v for u, v in zip(rates.values(), levels)])",
    "numbered rates": "[i * v for i, v in enumerate(rates.values())][-1]", "rates in a list": "list(rates.values())[0]", "levels in a tuple": "sum(tuple(levels))", "levels in a list": "(lambda q: [q.append(0.5), q.reverse(), sum(q)][2])(list(levels))", "sum of pairs": "sum(v for k, v in rates.items())", "most by rates": "max(rates['a'], *levels)", "most given": "max(h['in']['l'])",
    "sum of the given values": "sum(h['in']['l'], h['lr'])", "sum of numbers": "sum([rates['a'], cfg.rate, 1])", "most of numbers": "max((levels[0], h['lr'], 0.5))", "values apart": "[a - b for a, b in [rates.values()]][0]", "text of values": "float(len(str(list(rates.values()))))", "first of values": "next(iter(rates.values()))", "in values": "(1.0 if 0.5 in rates.values() else 2.0)",
    "sorted values": "sorted(rates.values())[0]", "values when stored": "(lambda v: [setattr(cfg, 'rate', 2.0), sum(v), cfg.rate][1])(rates.values())", "inner jit": "hj(rates['a'], 1)", "equal values": "(1.0 if list(rates.values()) == [0.5, 2] else 2.0)",
    "sum one by one": "sum(v for v in levels)", "sum of products": "sum(u * v for u, v in zip(levels, rates.values()))", "most one by one": "max(v * 2 for v in levels)", "sorted levels": "sorted(levels)[0]", "sorted downwards": "sorted(levels, reverse=True)[-1]", "sorted one by one": "sorted(v + 1 for v in levels)[0]",
    "mapped levels": "list(map(lambda v: v * 2, levels))[0]", "sum over a map": "sum(map(lambda u, v: u - v, levels, twins))", "levels as floats": "sum(map(float, levels))", "map in a loop": "[v for v in map(lambda v: v + k0, levels)][-1]", "texts one by one": "float(len(list(map(str, (v for v in levels)))[0]))", "methods mapped": "list(map(m.method, levels))[0]",
    "reversed levels": "[v - 1 for v in reversed(levels)][0]", "any of levels": "(1.0 if any(levels) else 2.0)", "any one by one": "(1.0 if any(v - 1.5 for v in levels) else 2.0)", "all of rates": "(1.0 if all(rates.values()) else 0.5)", "copy of rates": "dict(rates)['b']", "rates and more": "{**rates, 'c': levels[0]}['a']", "one dict of two": "(rates | {'z': 1.0})['b']",
    "pairs in a dict": "dict(zip('ab', levels))['a']", "items in a dict": "dict(rates.items())['a']", "copied levels": "levels.copy()[-1]", "part of levels": "sum(levels[1:])", "levels by bounds": "sum(levels[cfg.count % 2:])", "level by a counter": "levels[cfg.count % 2]", "twin by a counter": "twins[cfg.count % 2]", "constant by a counter": "(0.5, 1.5, 2.5)[cfg.count % 3]",
    "levels and twins": "sum([*levels, *twins])", "spread levels": "(lambda a, b=1.0, *c: a - b)(*levels)", "spread rates": "(lambda **r: r['a'])(**rates)", "levels joined": "(levels + [0.5])[0]", "level in levels": "(1.0 if h['lr'] in levels else 2.0)", "exact sum": "math.fsum(levels)", "product of levels": "math.prod(levels)", "levels by a key": "max(levels, key=lambda v: -v)",
    "filtered levels": "sum(filter(lambda v: v > 1, levels))", "parts of a rate": "divmod(rates['a'], 0.75)[1]", "levels extended": "(lambda q: [q.extend(levels), sum(q)][1])([1.0])", "rest of levels": "[b for a, *b in [levels]][0][-1]", "all that is yielded": "[*(v for v in twins)][0]", "yielded": "sum(each(levels))", "most or another": "max(levels, default=0.0)", "an object's own": "sum([*own])",
    "twins apart": "[a - b for a, b in [twins]][0]", "one of twins": "twins[1]", "through levels": "sum([v * 2 for v in levels])", "sum of levels": "sum(levels)", "last of levels": "levels[-1]", "gain": "dv.gain", "gain of the class": "Derived.gain", "shift": "dv.shift", "gain of the base": "Base.gain",
}
GIVEN_ARRAYS = {
    "times the given": "{a} * h['lr']", "given array": "h['w'] * {a}", "by a number of numpy's": "{a} * h['s']", "number of numpy's first": "h['s'] - {a}", "arithmetic of numpy's": "{a} * (h['s'] * 0.5 + 1)", "the greater of numpy's": "kn.maximum({a}, h['s'])", "chosen beside numpy's": "kn.where({a} > h['s'], {a}, h['s'])", "power of numpy's": "{a} ** h['s']",
    "given twins": "(lambda t: t[0] * {a} + t[1])(h['b'])", "helper of the given": "(lambda g: h0({a}, g['lr'], q=g['n']))(h)", "integers beside numpy's": "kn.asarray([1, 2]) * h['s'] + {a}", "beside twins": "{a} * twins[0] + rates['b']", "went": "dv.go({a})", "times an object": "dv * {a}", "by levels": "sum([{a} * v for v in levels], {a})", "made of numpy's": "kn.asarray(h['s']) + {a}",
    "made of rates": "kn.asarray([rates['a'], h['lr']]) * {a}", "made of levels": "kn.asarray(levels[:2]) + {a}", "filled by a rate": "kn.full(2, rates['a']) + {a}", "filled like": "kn.full_like({a}, levels[0]) * {a}", "set at": "{a}.at[0].set(rates['a'])", "added at": "{a}.at[1].add(h['lr'])", "leaky by a rate": "kn.nn.leaky_relu({a}, rates['a'])", "each of levels": "[{a} * v for v in map(lambda v: v + 1, levels)][0]",
    "grad by a rate": "kn.grad(lambda u, r: (u * u * r).sum())({a}, rates['a'])", "value and grad by the given": "kn.value_and_grad(lambda u, r: (u * r).sum() + r)({a}, h['lr'])[1]", "value by a level": "{a} * kn.value_and_grad(lambda u, r: (u * r).sum() + r)({a}, levels[0])[0]", "grad by a named rate": "kn.grad(lambda u, r=1.0: (u * u).sum() * r)({a}, r=levels[0])",
    "grad by rates": "kn.grad(lambda u, p: (u * p['a']).sum() * p['b'])({a}, rates)", "grad of the second": "kn.grad(lambda r, u: (u * u * r).sum(), argnums=1)(rates['b'], {a})", "grad beside aux": "(lambda g: g[0] * g[1])(kn.grad(lambda u, r: ((u * u).sum() * r, r), has_aux=True)({a}, levels[0]))", "grad that branches": "kn.grad(lambda u, r: (u * u).sum() * (r if r > 0.6 else 2.0))({a}, rates['a'])",
    "grad of a grad": "kn.grad(lambda u, r: kn.grad(lambda t, q: (t * t * t * q).sum())(u, r).sum())({a}, levels[1])", "grad of a method": "kn.grad(lambda u, c: c(u, rates['a']).sum())({a}, h0)", "grad of a number": "{a} * kn.grad(lambda u, r: (u * r).sum(), argnums=1)({a}, rates['a'] + 0.5)", "jacobian by a rate": "kn.jacrev(lambda u, r: u * r)({a}, rates['a']).sum(0)",
    "mapped beside a rate": "kn.vmap(lambda u, r: u * r, in_axes=(0, None))({a}, rates['a'])", "mapped by a name": "kn.vmap(lambda u, r: u * r + r, in_axes=(0, None))({a}, h['lr'])", "mapped beside rates": "kn.vmap(lambda u, p: u * p['a'], in_axes=(0, None))({a}, rates)", "mapped and written": "(lambda g: g * 2)(kn.vmap(lambda u, r: [r.__iadd__(u), r][1], in_axes=(0, None))({a}, levels[0]))",
    "mapped grad": "kn.vmap(lambda u, r: kn.grad(lambda t, q: t * t * q)(u, r), in_axes=(0, None))({a}, rates['a'])", "made of a rate": "kn.asarray(rates['a']) * {a}", "made and written": "(lambda q: [q.__iadd__(1), q * {a}][1])(kn.asarray(levels[0])) + kn.asarray(levels[0])", "made in a dtype": "kn.asarray(rates['a'], dtype='float64') * {a}", "by the sum of rates": "{a} * sum(rates.values())", "by the most of levels": "{a} / (abs(max(levels)) + 1)",
    "steps by values": "sum([{a} * v for v in rates.values()], {a})", "sum of levels from an array": "sum(levels, {a})", "inner jit by a rate": "hj({a}, rates['a'])", "mapped result": "kn.vmap(lambda u: (u, rates['a']))({a})[1] + {a}",
    "steps by pairs": "sum([{a} * v for k, v in rates.items()], {a})", "filled with numpy's": "kn.full(2, h['s']) + {a}", "scaled": "{a} * {n}", "plain": "{a} + {n}",
}
GIVEN_EFFECTS = {
    "store to the given": "h['lr'] = h['lr'] * 0.5", "count the given": "h['n'] += 1", "store into a given dict": "h['in']['k'] = {n}", "append to a given list": "h['in']['l'].append({n})", "store into a given list": "h['in']['l'][0] = {n}", "attribute of the given": "h['o'].k = h['o'].k + 1", "store a number of numpy's": "cfg.rate = h['s'] * 2", "keep a number of numpy's": "hist.append(h['s'])",
    "shift of an object": "dv.shift += 1", "gain of an object": "dv.gain = {n}", "step of rates": "rates['a'] = rates['a'] * 0.5", "write argument": "x += h['lr']", "write item by a rate": "x[0] = rates['a']", "fill by a rate": "x.fill(levels[0])", "write by numpy's": "x *= h['s']",
}
GIVEN_MUTATIONS = {
    "set the given": "h['lr'] = {n}", "count of the given": "h['n'] = {i}", "new pair": "h['b'] = ({n}, {i})", "set in a given dict": "h['in']['k'] = {n}", "set in a given list": "h['in']['l'][1] = {n}", "another given": "h = dict(h, lr={n}, n={i})", "given is an array": "h['lr'] = kn.asarray({n})", "given is true": "h['lr'] = True", "given is whole": "h['lr'] = {i}",
    "number of numpy's": "h['s'] = np.float32({n})", "double of numpy's": "h['s'] = np.float64({n})", "integer of numpy's": "h['s'] = np.int64({i})", "number of Python's": "h['s'] = {n}", "order of the given": "h['lr'] = h.pop('lr')", "field of the given": "h['p'] = P({n}, {i})", "set an attribute of the given": "h['o'].k = {n}", "another object is given": "h['o'] = Config(); h['o'].k = {n}",
    "grow a given list": "h['in']['l'].append({n})", "shrink a given list": "del h['in']['l'][2:]", "set rates": "rates['a'] = {n}", "other rates": "rates = {{'a': {n}, 'b': {i}}}", "other twins": "twins = ({n}, {i})", "set levels": "levels[0] = {n}", "other levels": "levels = [{n}, 2.5]", "grow levels": "levels.append({n})", "shrink levels": "del levels[2:]",
    "gain of the base": "Base.gain = {n}", "gain of the class": "Derived.gain = {n}", "own gain": "dv.gain = {n}", "no own gain": "vars(dv).pop('gain', None)", "no gain of the class": "if 'gain' in vars(Derived): del Derived.gain", "gain that is computed": "Derived.gain = property(lambda self: self.shift * {n})", "shift of the base": "Base.shift = {n}", "other going": "Base.go = lambda self, v: v - self.gain * {n}",
    "shadowed going": "dv.go = lambda v: v * {n}", "no shadowed going": "vars(dv).pop('go', None)", "another object of the class": "dv = Derived()", "no shift": "vars(dv).pop('shift', None)",
}
COUNTS = {
    "count an attribute": "cfg.count += 1", "count in a dict": "tally['a'] += 1", "count in a list": "marks[0] += 1", "count in a global": "ticks += 1", "decay": "cfg.rate *= 0.5", "count by a number": "tally['b'] += {n}", "count anew": "cfg.count = cfg.count + 1", "dict anew": "tally['a'] = tally['a'] + 1",
    "store elsewhere": "inner.k = cfg.count", "store a sum": "marks[1] = marks[1] + cfg.rate", "keep": "hist.append(cfg.count)", "reset": "cfg.count = 0", "swap": "cfg.count, tally['a'] = tally['a'], cfg.count", "number of a value": "tally['b'] = float(y[0])", "running value": "tally['b'] += float(y[1])",
    "count and fail": "cfg.count += 1; kn.take(x, kn.asarray([0 if cfg.count < 4 else 9]))", "count and raise": "ticks += 1\nif ticks > 3: raise ValueError(str(ticks))", "count on a branch": "if cfg.count % 2 == 0: tally['a'] += 2", "count a field": "o.n += 1", "decay a field": "o.n *= 0.5", "step of an argument": "o.a = o.a - {n} * {a}", "write into a field": "o.a -= {a}", "value in a field": "o.n = float(y[0])",
    "count of a layer": "net.layers[0].n += 1", "count to infinity": "cfg.rate *= 1e200",
    "store to a new key": "tally['z'] = cfg.count", "count a class attribute": "m.n += 1", "store array": "cfg.w = {a}", "step": "cfg.w = cfg.w - {n} * {a}", "write argument": "x += cfg.count", "write item": "x[0] = cfg.count",
}
COUNT_MUTATIONS = {
    "set an argument's": "setattr(o, 'n', {n}) if type(o) is D else None", "new argument": "o = D(kn.asarray([{n}, 1.0]), {n})", "model as an argument": "o = m", "array in an argument": "setattr(o, 'a', kn.ones(2)) if type(o) is D else None",
    "set counter": "cfg.count = {i}", "counter is a float": "cfg.count = {n}", "counter is a bool": "cfg.count = True", "large counter": "cfg.count = 2 ** 70", "set tally": "tally['a'] = {i}", "set rate": "cfg.rate = {n}", "rate is nan": "cfg.rate = float('nan')", "set marks": "marks[0] = {i}", "set ticks": "ticks = {i}",
    "new tally": "tally = {{'a': {i}, 'b': {n}}}", "new clock": "clock = Clock()", "counter of a class": "cfg.__dict__.pop('rate', None); Config.rate = {n}", "clear hist": "hist.clear()", "counter is text": "cfg.count = '3'", "counter is an array": "cfg.count = kn.asarray({n})",
}
# Objects in the place of others of their class, and what is left of those that were there before.
NEW_MUTATIONS = {
    "another model": "m = Model(kn.asarray([{n}, 1.0]))", "another config": "old, cfg = cfg, Config(); vars(cfg).update(vars(old), scale={n}, items=[{n}, 1.0])", "another inner": "cfg.inner = inner = Config(); inner.k, inner.w, inner.name = {n}, a1, 'inner'", "another net": "net = Net()",
    "another list of layers": "net.layers = [Layer(kn.ones(2) * {n}, 1.0), Wide(kn.ones(2), {n})]", "another layer": "net.layers[0] = Layer(kn.asarray([{n}, 2.0]), {n})", "another list of arrays": "ws = [kn.ones(2) * {n}, kn.ones(2)]", "another table": "table = [{n}, 2.0]", "another dict": "params = {{'w': kn.ones(2) * {n}, 'b': x}}",
    "another clock": "clock = Clock()", "one layer twice": "net.layers[1] = net.layers[0]", "list of another": "cfg.items = table", "another closure": "hc, put = make({n})", "closure that counts anew": "bump = counting({i})", "rate of the class": "Model.rate = {n}",
}
NUMBERS = {
    "global": "k0", "global int": "k1", "attribute": "cfg.scale", "attribute named as an array's": "cfg.step", "class attribute": "Model.rate", "inherited attribute": "m.rate",
    "property": "m.double", "list item": "table[0]", "list length": "len(table)", "dict item": "d['a']", "dict order": "float(list(d).index('a'))", "module attribute": "settings.k",
    "default": "j", "kwdefault": "q", "number argument": "n", "static": "s", "static parts": "(s[0] if isinstance(s, tuple) else s)", "helper of numbers": "hn(2.0)", "field of an argument": "o.n",
    "property of an argument": "o.double", "class attribute of an argument": "o.rate", "length of an argument": "len(o)", "shape": "x.shape[0]", "value": "float(y[0])", "item": "y[1].item()",
    "nested attribute": "cfg.inner.k", "slot": "slots.n", "attribute of a layer": "net.layers[1].n", "default of getattr": "getattr(inner, 'missing', 2.0)", "hasattr": "(2.0 if hasattr(inner, 'k') else 1.0)",
    "isinstance": "(1.0 if isinstance(net.layers[0], Wide) else 0.5)", "length of a dict": "float(len(params))", "last item": "table[-1]", "membership": "(1.5 if 'w' in params else 2.0)", "get": "d.get('a', 0.5)",
    "text attribute": "float(len(inner.name))", "length of layers": "float(len(net.layers))", "sum of values": "sum(d.values())", "text of a class": "(1.0 if net.layers[0].kind == 'layer' else 3.0)",
    "nested list": "cfg.items[0]", "sum of a list": "sum(table)", "getattr": "getattr(cfg, 'scale')", "length of a list argument": "len(l)", "local": "t0", "constant": "0.5",
}
ARRAYS = {
    "captured array": "w", "module array": "settings.w", "object array": "cfg.w", "model array": "m.w", "field array": "o.a", "item of a list argument": "l[0]", "helper": "h0({a})",
    "helper with arguments": "h0({a}, {n}, q={n})", "helper of helpers": "h1({a})", "helper with an array default": "h2({a})", "closure helper": "hc({a})", "call of an object": "m({a})",
    "call of an argument": "o({a})", "operator of an object": "m * {a}", "operator of an argument": "o + {a}", "method": "m.method({a})", "method of an argument": "o.method({a}, {n})",
    "dict entry": "params['w'] * {a}", "computed key": "params[which] + {a}", "number as a key": "params[1] * {a}", "list entry": "ws[0] + {a}", "entry by a number": "ws[int(k1) % 2] * {a}", "last entry": "ws[-1] - {a}",
    "nested attribute": "cfg.inner.w * {a}", "slot": "slots.go({a})", "layers": "net.run({a})", "layer of a dict": "net.by['a'].go({a})", "property of a layer": "net.layers[0].norm + {a}", "class array": "Layer.bias * {a}",
    "sum of arrays": "sum(ws, {a})", "loop over items": "sum([v * {n} for v in params.values()], {a})", "zip": "[u * v for u, v in zip(ws, [{a}, x])][0]", "made object": "Layer({a}, {n}).go(x)", "local list": "(lambda q: [q.append({a}), q[0]][1])([])",
    "static method": "Model.static({a})", "class method": "m.made({a})", "comprehension": "[u * {n} for u in ({a}, x)][0]", "map": "list(map(h0, [{a}]))[0]", "lambda": "(lambda u: u + {n})({a})",
    "reversed view": "{a}[::-1]", "concat": "kn.concat([{a}[:1], {a}[1:]])", "where": "kn.where({a} > {n}, {a}, x)", "take": "kn.take({a}, kn.asarray([1, 0]))", "mask": "({a}[{a} > 100] + 0.0).sum() + {a}",
    "made from numbers": "kn.asarray([{n}, 1.0]) + {a}", "item of an argument": "o[0] + {a}", "sorted arguments": "sorted([o, o])[0].a * {a}", "plain": "{a} + {n}", "product": "{a} * {a}", "scaled": "{a} * {n}",
}
EFFECTS = {
    "append": "log.append({n})", "append array": "log.append({a})", "set item": "table[0] = {n}", "grow list": "table.append({n})", "set key": "d['a'] = {n}", "new key": "d['z'] = {n}", "set attribute": "cfg.scale = {n}",
    "set array attribute": "cfg.w = {a}", "count attribute": "m.n += 1", "set global": "k0 = {n}", "set array global": "w = {a}", "write argument": "x += {n}", "write item": "x[0] = {n}", "write captured": "w *= {n}",
    "write view": "x[1:] *= {n}", "write other": "y += x", "append to argument": "l.append({n})", "replace in argument": "l[0] = {a}", "pop of argument": "l.append(1.0); l.pop()", "set class attribute": "Model.rate = {n}",
    "store to a dict": "params['w'] = {a}", "store to a list": "ws[0] = {a}", "store to an attribute": "cfg.inner.w = {a} * {n}", "store a number to an attribute": "cfg.inner.k = {n}", "store to a slot": "slots.w = {a}",
    "step of a layer": "net.layers[0].w = net.layers[0].w - {n} * {a}", "write into a layer": "net.layers[1].w -= {a}", "store to a computed key": "params[which] = {a} + {n}", "append a sum": "hist.append({a}.sum())", "new key of params": "params['z'] = {a}",
    "count of a layer": "net.layers[0].n += 1", "keep in a layer": "net.layers[0].seen.append({n})", "delete a key": "params.pop('z', None)", "store twice": "inner.w = {a}; inner.w = inner.w * {n}", "store a text": "inner.name = 'other'",
    "set field": "o.extra = {n}", "print": "print('at', {n})", "print array": "print({a})", "print named": "print({n}, {a}, sep='/', end='!\\n')", "debug print": "kn.debug.print('{{0}} {{v}}', {n}, v={a})", "print a tuple": "print(({n}, ({a}, 'x')))", "set module attribute": "settings.k = {n}", "closure store": "put({n})", "setattr": "setattr(cfg, 'scale', {n})", "write in a helper's list": "cfg.items.append({n})",
}
MUTATIONS = {
    "set global": "k0 = {n}", "set global int": "k1 = {i}", "set attribute": "cfg.scale = {n}", "set step": "cfg.step = {n}", "set class attribute": "Model.rate = {n}", "set table": "table[0] = {n}", "grow table": "table.append({n})",
    "shrink table": "del table[1:]", "set dict": "d['a'] = {n}", "reorder dict": "d['a'] = d.pop('a')", "rebind dict": "d = {{'b': 1.0, 'a': {n}}}", "set module": "settings.k = {n}", "write captured": "w += {n}", "rebind captured": "w = kn.asarray([{n}, 1.0])",
    "rebind captured dtype": "w = kn.asarray([{i}, 1])", "captured view": "w = a0[::-1]", "captured alias": "w = a0", "set model": "m.n = {n}", "set model array": "m.w = kn.asarray([{n}, 2.0])", "set model number": "m.w = {n}", "set field": "setattr(o, 'n', {n}) if type(o) is D else None",
    "set inner": "inner.k = {n}", "set inner array": "inner.w = kn.asarray([{n}, 3.0])", "new inner": "cfg.inner = types.SimpleNamespace(k={n}, w=a1, name='x')", "set slot": "slots.n = {n}", "set layer": "net.layers[0].n = {n}", "set layer array": "net.layers[1].w = kn.asarray([{n}, 0.5])",
    "swap layers": "net.layers.reverse()", "grow layers": "net.layers.append(Layer(kn.ones(2), {n}))", "shrink layers": "del net.layers[2:]", "class of a layer": "net.layers[0].__class__ = Wide if type(net.layers[0]) is Layer and hasattr(net.layers[0], 'extra') else Layer",
    "replace go": "Layer.go = lambda self, v: v + self.w * {n}", "replace norm": "Layer.norm = property(lambda self: self.w - {n})", "class array": "Layer.bias = kn.asarray([{n}, 0.0])", "shadow a method": "net.layers[0].go = lambda v: v * {n}", "unshadow a method": "net.layers[0].__dict__.pop('go', None)",
    "shadow a class array": "net.layers[0].bias = kn.asarray([{n}, 1.0])", "set params": "params['w'] = kn.asarray([{n}, 1.0])", "reorder params": "params['w'] = params.pop('w')", "key of params": "params['y'] = kn.ones(2)", "drop a key": "params.pop('y', None)", "which": "which = 'b' if which == 'w' else 'w'",
    "set ws": "ws[0] = kn.asarray([{n}, 2.0])", "grow ws": "ws.append(kn.ones(2))", "shrink ws": "del ws[2:]", "alias in ws": "ws[0] = a0", "alias of inner": "inner.w = a0", "one array in two places": "inner.w = ws[0]", "dtype of inner": "inner.w = kn.asarray([{i}, 2])", "write inner": "inner.w += {n}",
    "clear hist": "hist.clear()", "text": "inner.name = inner.name + 'x'", "new net": "net = Net()",
    "defaults": "f0.__defaults__ = ({n},)", "kwdefaults": "f0.__kwdefaults__ = {{'q': {n}}}", "kwdefault item": "f0.__kwdefaults__['q'] = {n}", "helper defaults": "h0.__defaults__ = ({n},)", "helper kwdefaults": "h0.__kwdefaults__ = {{'q': {n}}}",
    "helper code": "h0.__code__, alt.__code__ = alt.__code__, h0.__code__", "number helper code": "hn.__code__, altn.__code__ = altn.__code__, hn.__code__", "rebind helper": "h1 = h0", "closure": "put({n})", "replace method": "Model.method = lambda self, v, j=1.0: v * {n}",
    "replace special": "Model.__call__ = lambda self, v: v + {n}", "replace special of an argument": "D.__call__ = lambda self, v: v - {n}", "new special": "D.__bool__ = lambda self: False", "replace property": "Model.double = property(lambda self: {n})", "class rate": "D.rate = {n}",
    "instance attribute": "m.rate = {n}", "write argument": "a0 += {n}", "empty log": "log.clear()", "list of the argument": "lst[1] = {n}", "grow argument": "lst.append({n})", "shadow builtin": "len = lambda v: 2", "unshadow builtin": "globals().pop('len', None)",
    "rebind object": "o = D(kn.asarray([{n}, 1.0]), {n})", "rebind config": "cfg = types.SimpleNamespace(scale={n}, step={n}, w=a1, items=[{n}])", "lists in config": "cfg.items[0] = {n}", "clear caches": "kn.clear_caches()",
}
# What programs do that read and store through objects, dicts and lists, and little else.
OBJECT_NUMBERS = ("attribute", "nested attribute", "slot", "attribute of a layer", "default of getattr", "hasattr", "isinstance", "length of a dict", "last item", "membership", "get", "text attribute", "length of layers", "sum of values", "dict item",
                  "list item", "list length", "constant", "global", "text of a class", "property", "class attribute", "inherited attribute", "module attribute", "nested list", "number argument")
OBJECT_ARRAYS = ("captured array", "object array", "model array", "call of an object", "method", "dict entry", "computed key", "number as a key", "list entry", "entry by a number", "last entry", "nested attribute", "slot", "layers", "layer of a dict", "property of a layer",
                 "class array", "sum of arrays", "loop over items", "zip", "made object", "local list", "plain", "product", "item of a list argument")
OBJECT_EFFECTS = ("write argument", "store to a dict", "store to a list", "store to an attribute", "store a number to an attribute", "store to a slot", "step of a layer", "write into a layer", "store to a computed key", "append a sum", "set key", "append", "set attribute",
                  "set array attribute", "new key of params", "count of a layer", "store twice", "store a text", "write captured", "set array global", "append to argument", "count attribute", "keep in a layer")
NUMBERS, ARRAYS, EFFECTS, MUTATIONS = ({**table, **{k: v for k, v in more.items() if k not in table}} for table, more in ((NUMBERS, {**COUNTED, **GIVEN}), (ARRAYS, {**COUNTED_ARRAYS, **GIVEN_ARRAYS}), (EFFECTS, {**COUNTS, **GIVEN_EFFECTS}), (MUTATIONS, {**COUNT_MUTATIONS, **NEW_MUTATIONS, **GIVEN_MUTATIONS})))
CONSTRUCTS = {"number " + k for k in NUMBERS} | {"array " + k for k in ARRAYS} | {"effect " + k for k in EFFECTS} | {"mutation " + k for k in MUTATIONS} | {
    "branch on a number", "branch on a value", "loop", "try", "raise", "bad index", "return array", "return value", "return item", "return twice", "return list", "return dict", "return dataclass", "return named tuple", "return nothing", "return argument", "return list argument", "return view",
    "static argument", "alias of arguments", "view argument", "dataclass argument", "named tuple argument", "object argument", "keyword call", "number type changes", "mode sync", "mode auto", "mode hop", "mode threads", "raises in eager",
    "variants that record", "variants that run native", "variants in eager"}


class Writer:
    """Writes one program; `counts` is shared between programs."""

    def __init__(self, seed, counts=None):
        self.random, self.counts = random.Random(seed), collections.Counter() if counts is None else counts
        self.names, self.made = ["x", "y"], 0
        self.mode = self.pick(["sync"] * 4 + ["auto"] * 3 + ["hop", "threads"])
        self.counts[f"mode {self.mode}"] += 1
        at = self.random.random()
        # programs without effects and odd reads are compiled more often
        self.risky, self.counts_up, self.anew, self.given = at < 0.42, 0.5 <= at < 0.64, 0.64 <= at < 0.76, 0.76 <= at < 0.95
        self.objects = 0.42 <= at < 0.5 or self.anew
        self.favourites = random.Random(seed).sample(list(GIVEN_MUTATIONS if self.given else NEW_MUTATIONS), 2)

    def pick(self, items):
        return self.random.choice(list(items))

    def draw(self, kind, table, few=()):
        key = self.pick([k for k in table if not few or k in few])
        self.counts[f"{kind} {key}"] += 1
        return table[key].format(n=self.literal(), i=self.random.randint(-3, 5), a="{a}") if kind == "mutation" else table[key]

    def literal(self):
        return self.pick(["0.5", "1.0", "2.0", "-1.0", "3", "1", "True", "0.25", "-0.0", "0.0", f"{self.random.randint(1, 99) / 16}"])

    def number(self):
        few = (*GIVEN, "constant") if self.given else () if self.risky else OBJECT_NUMBERS if self.objects else tuple(COUNTED) + ("constant", "global") if self.counts_up else ("global", "global int", "constant", "default", "kwdefault", "number argument", "static", "shape", "helper of numbers", "module attribute", "local")
        return self.draw("number", NUMBERS, few) if self.random.random() < 0.8 else self.literal()

    def array(self):
        return self.pick(self.names)

    def fill(self, text):
        while "{n}" in text or "{a}" in text:
            text = text.replace("{n}", f"{self.number()}", 1).replace("{a}", self.array(), 1)
        return text

    def bind(self):
        few = GIVEN_ARRAYS if self.given else () if self.risky else OBJECT_ARRAYS if self.objects else COUNTED_ARRAYS if self.counts_up else ("captured array", "helper", "helper with arguments", "helper of helpers", "closure helper", "comprehension", "lambda", "reversed view", "concat", "where", "plain", "product", "scaled", "module array")
        text = self.fill(self.draw("array", ARRAYS, few))
        name = f"v{self.made}"
        self.made += 1
        return name, f"{name} = {text}"

    def statement(self, depth=0):
        """Lines of one statement."""
        at = self.random.random()
        if at < 0.5 or depth > 1:
            name, text = self.bind()
            if depth == 0:
                self.names.append(name)
            return [text]
        if at < 0.72:
            few = GIVEN_EFFECTS if self.given else () if self.risky else OBJECT_EFFECTS if self.objects else COUNTS if self.counts_up else ("write argument", "write item", "write view", "write other", "write captured")
            return self.fill(self.draw("effect", EFFECTS, few)).split("\n")
        kind = self.pick(["branch on a number", "loop", "t"] + ["branch on a value", "try", "raise", "bad index"] * self.risky)
        inner = ["    " + line for line in self.statement(depth + 1)]
        if kind != "t":
            self.counts[kind] += 1
        return {"branch on a number": lambda: [f"if {self.number()} > 1:", *inner], "branch on a value": lambda: [f"if {self.array()}.sum() > {self.literal()}:", *inner],
                "loop": lambda: [f"for i in range({self.random.randint(1, 3)}):", *inner], "t": lambda: [f"t0 = {self.number()} + 1"],
                "try": lambda: ["try:", *inner, "    log.append(kn.ones(3)[int(x.shape[0])])", "except (IndexError, TypeError, AttributeError) as error:", "    log.append(type(error).__name__)"],
                "raise": lambda: [f"if {self.number()} > 2:", "    raise ValueError('as asked')"], "bad index": lambda: [f"kn.take(x, kn.asarray([0 if {self.number()} < 2 else 9]))"]}[kind]()

    def result(self):
        kind = self.pick(["array"] * 4 + ["value", "item", "twice", "list", "dict", "dataclass", "named tuple", "nothing", "argument", "list argument", "view"])
        self.counts[f"return {kind}"] += 1
        a, b = self.names[-1], self.array()
        return {"array": a, "value": f"{a}, float({b}.sum())", "item": f"{{'a': {a}, 'n': {b}[0].item(), 'm': float(y[0]) * 2}}", "twice": f"{a}, {a}", "list": f"[{a}, {b}, {self.number()}]", "dict": f"{{'z': {a}, 'a': {b}}}", "dataclass": f"D({a}, {self.number()})", "named tuple": f"P({a}, 1)", "nothing": "None",
                "argument": "x", "list argument": f"{a}, l", "view": f"{a}[:1], {a}"}[kind]

    def call(self):
        x, y = self.pick(["a0", "a1", "a0[::-1]", "kn.ones(2)"]), self.pick(["a0", "a1", "a1", "a0[:]", "a0[::-1]", "kn.ones(2)"])
        self.counts["alias of arguments"] += x[:2] == y[:2] and x != "kn.ones(2)"
        self.counts["view argument"] += "[" in x + y
        n = self.pick(["1", "1.0", "True", "0.0", "-0.0", "2", "2"])
        self.counts["number type changes"] += n in ("True", "1.0", "-0.0")
        o = self.pick(["o", "o", "o", "p", "m"] if self.risky else ["o", "o", "p"])
        self.counts[{"o": "dataclass argument", "p": "named tuple argument", "m": "object argument"}[o]] += 1
        s = ", " + self.pick(["2", "2", "2.0", "True", "(1,)", "(1.0,)"]) if self.random.random() < 0.4 else ""
        self.counts["static argument"] += bool(s)
        h = self.pick(["h", "h", "dict(h)", f"dict(h, lr={self.literal()})", f"{{**h, 'b': ({self.literal()}, {self.literal()}), 's': np.float64({self.literal()})}}"])
        rest = self.pick([f"{n}, lst, {o}, {h}{s}", f"{n}, [kn.ones(2)], {o}, {h}{s}", f"l=lst, n={n}, h={h}, o={o}{s and ', s=' + s[2:]}", f"o={o}, n={n}, l=lst, h={h}"])
        self.counts["keyword call"] += "=" in rest
        return f"f({x}, {y}, {rest})"

    def text(self):
        body = [f"t0 = {self.literal()}"]
        for _ in range(self.random.randint(1, 7)):
            body += self.statement()
        body.append("return " + self.result())
        stored = sorted({n for n in ("k0", "w", "ticks") for line in body if line.strip().startswith((f"{n} =", f"{n} *=", f"{n} +="))})
        lines = ([f"global {', '.join(stored)}"] if stored else []) + body
        setup = SETUP if self.risky else SETUP.replace("len(table)", "k1").replace("table[0]", "k0")  # lists that are read run in eager
        setup += "def f0(x, y, n, l, o, h, s=1.0, j=1.5, *, q=2.0):\n" + "".join(f"    {line}\n" for line in lines)
        setup = setup.replace("s=1.0, j=1.5, *", "s=1.0, *" if not any("j" in line for line in body) else "s=1.0, j=1.5, *")
        steps = [self.call()]
        for _ in range(self.random.randint(3, 9) + 8 * (self.anew or self.given)):
            mutates = self.random.random() < (0.2 if self.counts_up else 0.5)
            few = COUNT_MUTATIONS if self.counts_up else GIVEN_MUTATIONS if self.given and self.random.random() < 0.4 else self.favourites if (self.anew or self.given) and self.random.random() < 0.8 else ()
            steps.append(self.draw("mutation", MUTATIONS, few) if mutates else steps[0] if self.random.random() < 0.6 else self.call())
        return f"{setup}f = jit(f0, static_argnames='s')\n---\n" + "\n".join([*steps, steps[0]]) + "\n"


def write(seed, counts=None):
    """(text, mode) of a seed."""
    writer = Writer(seed, counts)
    return writer.text(), writer.mode


def fails(text, mode, limit=20):
    """Whether jit and eager differ on a text, or a fork of this process that tries it ends badly; a text that eager cannot set up fits."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            signal.alarm(limit)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            state_harness.run(text, state_harness.plain)
            code = 2
            state_harness.check(text, (mode,))
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    return not (os.WIFEXITED(status) and os.WEXITSTATUS(status) in (0, 3))


def block(lines, at, size):
    """The end of `size` lines, or of the one line with what is indented below it."""
    end = at + size
    while size == 1 and end < len(lines) and lines[end].startswith(lines[at][:len(lines[at]) - len(lines[at].lstrip())] + " "):
        end += 1
    return end


def shrink(text, mode, seconds=60):
    """The text with lines taken away as long as it still differs."""
    stop, lines = time.monotonic() + seconds, text.splitlines()
    for size in (8, 4, 1, 1):
        at = 0
        while at < len(lines) and time.monotonic() < stop:
            fewer = lines[:at] + lines[block(lines, at, size):]
            if "---" in fewer and fails("\n".join(fewer) + "\n", mode):
                lines = fewer
            else:
                at += size
    return "\n".join(lines) + "\n"


def run_here(first, count):
    """Runs seeds in this process; prints a line of JSON before and after each."""
    for seed in range(first, first + count):
        counts, scopes = collections.Counter(), []
        text, mode = write(seed, counts)
        print(json.dumps({"seed": seed}), flush=True)
        try:
            counts["raises in eager"] += any("raises" in line for step in state_harness.check(text, (mode,), scopes) for line in step[:1])
            wrong = None
            variants = [v for scope in scopes for v in scope["f"].explain().variants]
            counts["variants that record"] += sum(not v["eager"] for v in variants)
            counts["variants that run native"] += sum(v["state"] == "ready" and v["hits"] > 0 for v in variants)
            counts["variants in eager"] += sum(bool(v["eager"]) for v in variants)
        except AssertionError as error:
            wrong = str(error).split("\nimport ")[0]
        print(json.dumps({"done": seed, "counts": counts, "wrong": wrong}), flush=True)


def run_range(first, count, on_wrong=lambda seed, why: None, chunk=50):
    """(counts of constructs, {seed: what differs}) of a range of seeds, run in processes of at most `chunk` programs."""
    counts, wrong, at = collections.Counter(), {}, first
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(pathlib.Path(state_harness.kn.__file__).parents[1]), os.environ.get("PYTHONPATH")]))}
    while at < first + count:
        size, current = min(chunk, first + count - at), at
        try:
            done = subprocess.run([sys.executable, __file__, "--here", "--first-seed", str(at), "--programs", str(size)], capture_output=True, text=True, env=environment, timeout=30 + 5 * size)
            output, ended = done.stdout, f"ends with {done.returncode}: {done.stderr[-2000:]}"
        except subprocess.TimeoutExpired as error:
            output, ended = (error.stdout or b"").decode(), "hangs"
        at = current + size
        for line in output.splitlines():
            report = json.loads(line) if line.startswith('{"') else {}
            if "seed" in report:
                current = report["seed"]
            elif "done" in report:
                counts.update(report["counts"])
                current = None
                if report["wrong"]:
                    wrong[report["done"]] = report["wrong"]
                    on_wrong(report["done"], report["wrong"])
        if current is not None:  # it did not come back from this one
            wrong[current], at = ended, current + 1
            write(current, counts)
            on_wrong(current, ended)
    return counts, wrong


def missing(counts, least):
    """Constructs that were drawn less often."""
    return {c: counts[c] for c in sorted(CONSTRUCTS) if counts[c] < least}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--shrink", type=int, default=3, help="how many failures are made short")
    parser.add_argument("--here", action="store_true", help="in this process, with reports as JSON")
    parser.add_argument("--show", type=int, help="print the program of a seed")
    options = parser.parse_args()
    if options.show is not None:
        return print(write(options.show)[0]) or 0
    if options.here:
        return run_here(options.first_seed, options.programs) or 0
    rest = [options.shrink]

    def on_wrong(seed, why):
        print(f"== seed {seed}: {why}", flush=True)
        rest[0] -= 1
        if rest[0] >= 0:
            text, mode = write(seed)
            print(f"-- shortest text, mode {mode}:\n{shrink(text, mode)}", flush=True)
    counts, wrong = run_range(options.first_seed, options.programs, on_wrong)
    print("\n".join(f"{counts[c]:6d}  {c}" for c in sorted(CONSTRUCTS)))
    few = missing(counts, max(1, options.programs // 200))
    print(f"seeds {options.first_seed} to {options.first_seed + options.programs - 1}: {len(wrong)} differ" + (f"; drawn too seldom: {few}" if few else ""))
    return bool(wrong or few)


if __name__ == "__main__":
    sys.exit(main())
