"""Random programs of what people use of Python's library and classes inside of jitted functions: containers of `collections`, dataclasses, copies, exceptions
with constructors, generators, managers, numbers of arrays. jit against eager: the same bits, types, exceptions and state after each step.

``library_fuzz.py --first-seed N --programs COUNT``; test_state_library.py runs a few."""
import argparse
import collections
import random
import sys

import state_harness

SETUP = '''import collections, contextlib, copy, dataclasses, functools, math
from collections import Counter, defaultdict, deque
rate, seen, best, count = 0.5, [], math.inf, 0
@dataclasses.dataclass
class P:
    a: object
    n: float = 1.0
    hist: list = dataclasses.field(default_factory=list)
    def norm(self): return kn.sum(self.a * self.a) * self.n
@dataclasses.dataclass(frozen=True)
class Fixed:
    a: object
    k: int = 2
class Bad(ValueError):
    def __init__(self, code, value):
        super().__init__(f"code {code}")
        self.code, self.value = code, value
class Worse(Bad):
    def __init__(self, value): super().__init__(7, value); self.more = rate
class Box:
    def __init__(self): self.best, self.bad, self.rate, self.log, self.stats, self.tail = math.inf, 0, 0.5, [], defaultdict(list, loss=[]), deque(maxlen=3)
@contextlib.contextmanager
def scope(v, out):
    out.append(1.0)
    try: yield v * 2
    finally: out.append(v)
box, p0, q0 = Box(), P(kn.asarray([1.0, -1.0]), 0.5), Fixed(kn.asarray([0.5, 2.0]))
table = {"w": [kn.ones(2), 2.0], "k": (1, 2)}
def gen(v):
    t = v
    while True:
        y = yield t
        if y is None: return
        t = t + y
'''

STATEMENTS = [
    "p = dataclasses.replace(p, a={v} * {c})",
    "p = dataclasses.replace(p0, n={c}); {v} = {v} + p.norm()",
    "q = dataclasses.replace(q, a={v}, k=q.k + 1); {v} = q.a * q.k",
    "d = dataclasses.asdict(P({v}, {c})); {v} = d['a'] + d['n']",
    "{v} = {v} + sum(f.name != 'hist' for f in dataclasses.fields(p))",
    "d = defaultdict(list)\nfor i in range(3): d[i % 2].append({v} * i)\n{v} = {w} + sum(d[0]) - len(d)",
    "d = defaultdict(int)\nfor i in range(4): d['ab'[i % 2]] += i\n{v} = {v} * d['a'] + d['c']",
    "d = defaultdict(lambda: {w} * {c}); d[1] += 1; {v} = {v} - d[1] + d[2]",
    "d = defaultdict(lambda: defaultdict(float)); d['a']['b'] += {c}; {v} = {v} * d['a']['b']",
    "c = Counter(int(e > 0) for e in {v}); {v} = {v} * c[1] + c[0] - c[5]",
    "c = Counter('abca'); c['b'] += 2; c.update('bd'); {v} = {v} + c['b'] * len(c) + c.most_common(1)[0][1]",
    "s = deque(maxlen=2)\nfor i in range(3): s.append({v} * i)\n{v} = sum(s) + len(s)",
    "s = deque([{v}, {w}]); s.rotate(1); s.appendleft({w} * 2); {v} = s.popleft() + s[0] - s.pop(); s.extend([1, 2]); {v} = {v} + len(s)",
    "s = deque([{v}])\nwhile s:\n    e = s.popleft()\n    if kn.sum(e) > {c}: s.append(e * 0.5 - 0.25)\n    {w} = {w} + e * 0.125",
    "e = copy.copy({{'a': [{v}]}}); e['b'] = {w}; e['a'].append(1); {v} = e['a'][0] + e['b'] * len(e['a'])",
    "e = copy.copy(p0); e.n = {c}; {v} = {v} + e.norm() + p0.n",
    "e = copy.deepcopy({{'a': [{v}, ({c}, {w})]}}); e['a'][0] += 1; {v} = e['a'][0] + {v} * e['a'][1][0]",
    "e = copy.deepcopy(table); e['w'][0] += {c}; {v} = {v} + e['w'][0] + table['w'][0] * e['w'][1]",
    "e = copy.deepcopy(P({v}, 2.0, [{w}])); e.hist[0] *= 2; e.hist.append(e.a); {v} = e.norm() + sum(e.hist) + {w}",
    "e = [{v}]; e = copy.deepcopy([e, e]); e[0].append(1.0); {v} = e[1][0] + len(e[1])",
    "try:\n    if kn.sum({v}) > {c}: raise Bad(3, {w})\n    {v} = {v} + 1\nexcept Bad as e: {v} = e.value * e.code + rate",
    "try:\n    if kn.sum({v}) > {c}: raise Worse({w})\n    {v} = {v} - 1\nexcept ValueError as e: {v} = e.value * e.code + e.more",
    "try:\n    if kn.sum({v}) < {c}: raise Worse({v})\nexcept Bad as e: {v} = {v} * len(e.args) + len(str(e))",
    "if kn.sum({v}) > 40: raise Bad(4, 1.0)",
    "r = float(kn.sum({v} * {v}))\nif math.sqrt(r) > {c}: {v} = {v} * 0.5",
    "r = float(kn.sum({v} * {v})) ** 0.5\n{w} = {w} + (1 if r < {c} else 2)",
    "r = float(kn.max({v}))\nif math.exp(min(r, 1.0)) > 1 + {c}: {v} = {v} - 1",
    "r = float(kn.sum({v})) / float(kn.sum({w}))\nif abs(r) > {c}: {v} = {v} * 0.5",
    "{v} = {v} - {w} * (float(kn.sum({v})) / float(kn.sum({w} * {w})))",
    "r, t = float(kn.sum({w} * {w})), float(kn.sum({v})); {v} = {v} * (t / (r + 1)); box.rate = t / (1 + r)",
    "r = float(kn.sum({v}))\nif r < box.best: box.best = r; box.bad = 0\nelse: box.bad += 1",
    "r = math.log1p(abs(float({v}[0]))); {v} = {v} * (r if r < 1 else 1 / r)",
    "g = gen({v}); next(g); g.send(1.0); {v} = g.send({w})",
    "with scope({v}, out) as e: {v} = e + 1",
    "@contextlib.contextmanager\ndef inner(k):\n    out.append(k)\n    try: yield {v} * k\n    finally: out.append(2)\nwith inner({c}) as e: {w} = e + len(out)",
    "@functools.lru_cache(None)\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\n{v} = {v} + fib(8) * {c}",
    "@functools.lru_cache\ndef part(n): return {w} * n\n{v} = part(1) + part(2) * part(1)",
    "class C:\n    k = {c}\n    def __init__(s, v): s.v = v\n    def __add__(s, o): return C(s.v + o.v * s.k)\n    @property\n    def half(s): return s.v / 2\n{v} = (C({v}) + C({w})).half",
    "{v} = {v} + kn.asarray(np.asarray({w}))",
    "box.log.append(float(kn.sum({v})))", "box.stats['loss'].append(kn.sum({v}))", "box.tail.append(kn.max({w}))", "box.stats[kind].append({c})", "{v} = {v} + len(box.tail) + len(box.log)",
    "{v} = {v} + (box.tail[-1] if box.tail else 0)", "count = count + 1; {v} = {v} * 0.5 + count",
]

CHANGES = ["p0.n = {c}", "p0 = P(kn.ones(2), {c})", "q0 = Fixed(kn.ones(2), {k})", "table['w'][1] = {c}", "table['w'][0][:] = {c}", "table['z'] = [1.0]", "rate = {c}", "box = Box()", "box.best = {c}",
           "P.norm = lambda self: kn.sum(self.a) * self.n", "Bad.__init__ = lambda self, code, value: setattr(self, 'code', code + 1) or setattr(self, 'value', value) or setattr(self, 'more', 1)",
           "box.stats['x'] = []", "box.tail.clear()", "box.tail = deque([kn.ones(())], maxlen=2)", "box.stats.default_factory = list", "P.__copy__ = lambda self: P(self.a, 9.0)",
           "P.__deepcopy__ = lambda self, memo: P(self.a * 3, 2.0)", "p0.extra = 1"]


def statement(r):
    v, w = r.choice("xy"), r.choice("xy")
    text = r.choice(STATEMENTS).format(v=v, w=w, c=r.choice([0.5, -0.25, 1.0, 1.5, 0.0]))
    return text


def source(seed, statements=None):
    r = random.Random(seed)
    lines = []
    for _ in range(statements or r.choice([1, 1, 2, 2, 3, 4])):
        text = statement(r)
        if r.random() < 0.15:
            text = "for _ in range(3):\n" + _indented(text)
        elif r.random() < 0.15:
            text = f"if kn.sum({r.choice('xy')}) > {r.choice([-1.0, 0.5, 3.0])}:\n" + _indented(text)
        lines.append(text)
    body = "\n".join(lines)
    stored = [n for n in ("count",) if f"{n} = {n}" in body]
    names = "".join(f"    global {n}\n" for n in stored)
    steps = []
    for _ in range(r.choice([4, 6, 9])):
        if steps and r.random() < 0.3:
            steps.append(r.choice(CHANGES).format(c=r.choice([0.5, 2.0, -1.0]), k=r.randrange(4)))
        steps.append(f"f(x * {r.choice([1, 1, 1, 0.5, -1.0, 3.0])}, kn.asarray([{r.choice([1.0, 1.0, 0.0, 2.0])}, {r.choice([0.5, 0.5, -1.0, 0.0])}]), '{r.choice(['loss', 'loss', 'new'])}')")
        if r.random() < 0.5:
            steps.append(steps[-1])
    return f"{SETUP}@jit\ndef f(x, y, kind):\n{names}    p, q, out = p0, q0, []\n{_indented(body)}\n    return x, y, out\n---\n" + "\n".join(steps) + "\n"


def _indented(text):
    return "\n".join("    " + line for line in text.split("\n"))


def alone(statement):
    """A program of one statement, with paths that are met again."""
    body = _indented(statement.format(v="x", w="y", c=0.5))
    calls = "\n".join(f"f(x * {a}, kn.asarray([1.0, {b}]), 'loss')" for a, b in [(1, 0.5), (2, 0.5), (0.5, -0.5)] * 3)
    return f"{SETUP}@jit\ndef f(x, y, kind):\n    {'global count' if 'count = ' in statement else 'pass'}\n    p, q, out = p0, q0, []\n{body}\n    return x, y, out\n---\n{calls}\n"


def check(seed):
    """Whether a program's calls ended in compiled code alone: none but those that raise run Python."""
    text, scopes = source(seed), []
    state_harness.check(text, ("sync", "auto", "hop") if seed % 4 == 0 else ("auto",), scopes)
    variants = scopes[0]["f"].explain().variants
    return reasons(variants)


def reasons(variants):
    """Why calls of these variants run Python: those that end in an error are not counted."""
    found = {v["eager"] for v in variants if v["eager"]}
    found |= {n["ends"] for v in variants for n in v["nodes"] if ("eager" in n["ends"] or "ython" in n["ends"]) and "raises an error" not in n["ends"]}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--reasons", action="store_true", help="show why programs are not compiled as a whole")
    options = parser.parse_args()
    wrong, compiled, why = 0, 0, collections.Counter()
    for seed in range(options.first_seed, options.first_seed + options.programs):
        try:
            found = check(seed)
            compiled += not found
            why.update({w[w.find(": ") + 2:] for w in found})
        except AssertionError as error:
            wrong += 1
            print(f"seed {seed}: {error}", flush=True)
    if options.reasons:
        for text, times in why.most_common():
            print(times, text)
    print(f"{options.programs} programs, {compiled} compiled as a whole, {wrong} wrong")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
