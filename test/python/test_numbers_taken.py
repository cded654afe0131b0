"""What C takes of lists, dicts, iterators and generators of numbers, while the list changes between calls and in them: eager's results."""
from state_harness import cases

MUTATIONS = ["l[0] = 0.5", "l[1] = 3.25", "l[0] = 7", "l.append(2.5)", "l[0] = 1.5", "l[0] = float('nan')", "l[1] = True", "l[0] = 2", "l[1] = 2.0", "l.reverse()", "del l[2:]", "l[0] = -1.5", "l[0] = 10**20", "l[0] = kn.asarray(2.0)", "l[0] = 0.75", "l[0], l[1] = 4.0, 4", "l[0] = 1e308", "l.clear()", "l.extend([1.0, 2.0])", "l[0] = 3.5", "l[0] = 4.5", "l[0] = 5.5", "l[0] = np.float32(2.5)", "l[0] = 6.5"]
EXPRESSIONS = {
    "nested sums": "x * sum(sum(u * v for v in l) for u in l)",
    "sum start": "x * sum((v for v in l), l[0] if l else 0.0)",
    "sum of sums": "x * sum([sum(l), sum(v for v in l)])",
    "sorted all": "x * sorted(l)[0], sorted(l), sorted(l, reverse=True), sorted(v for v in l)",
    "max gen": "x * max(v for v in l), min(v * 1 for v in l)",
    "any effects": "(lambda: [x * any(log.append(v) or v > 1 for v in l), len(log)])()",
    "all effects": "(lambda: [x * all(log.append(v) or v < 4 for v in l), len(log)])()",
    "list result": "list(l), tuple(l), l[:], [*l], l + l, list(map(lambda v: v, l)), list(reversed(l))",
    "dict result": "dict(zip(range(9), l)), dict(enumerate(l)), {**dict(zip('abc', l))}",
    "zip short": "[x * u * v for u, v in zip(l, [1.0, 2.0, 3.0])]",
    "enumerate start": "[x * v + i for i, v in enumerate(l, 1)]",
    "table": "x * l[at.n % len(l)]",
    "table neg": "x * l[-(at.n % len(l)) - 1]",
    "table bool": "x * l[at.n > 2]",
    "slice": "x * sum(l[at.n % 2:]), l[:at.n % 3], l[at.n % 2::2]",
    "star": "(lambda a, *b: x * a + sum(b))(*l)",
    "star kw": "(lambda **k: x * sum(k.values()))(**dict(zip('abc', l)))",
    "join": "x * len(','.join(str(v) for v in l)), ','.join(map(str, l))",
    "map two": "list(map(lambda u, v: u * v, l, reversed(l)))",
    "map default": "list(map(lambda u, k=2.0: u * k, l))",
    "map varargs": "list(map(lambda *a: sum(a), l, l))",
    "map closure cell": "[g() for g in map(lambda v: (lambda: v * 2), l)]",
    "map of map": "sum(map(lambda v: v + 1, map(lambda v: v * 2, l)))",
    "map zip": "list(map(lambda p: p[0] * p[1], zip(l, l)))",
    "map method": "list(map(at.scale, l))",
    "map in zip": "[x * a * b for a, b in zip(map(lambda v: v + 1, l), l)]",
    "map None raise": "[v for v in map(lambda v: 1 / (v - 7), l)]",
    "filter": "list(filter(lambda v: v > 1, l))",
    "reduce": "functools.reduce(lambda a, v: a * 0.5 + v, l, 1.0) * x",
    "accumulate": "list(itertools.accumulate(l))",
    "divmod": "[divmod(v, 0.75) for v in l]",
    "math": "math.fsum(l) * x, math.prod(l) * x, math.hypot(*l) * x",
    "in": "x * (l[0] in l), 2.0 in l, (4 in l) + 0",
    "index count": "l.index(l[-1]), l.count(2.0), l == [1.0, 2.0], l < [2.0]",
    "asarray": "kn.asarray(l) * 2, kn.asarray([l, l]).sum()",
    "full": "kn.full((2,), l[0]), kn.full_like(x, l[-1]), kn.full(2, l[0], dtype='int64')",
    "at": "x.at[0].set(l[0]), x.at[1].add(l[-1])",
    "where": "kn.where(x > l[0], l[0], l[-1])",
    "yield from": "sum(yf(l)), [*yf(l)], max(yf(l))",
    "gen raise": "gr(l)",
    "gen return early": "next(v for v in l if v > 1)",
    "unpack": "up(l)",
    "walk and store": "ws(l, x)",
    "append while": "aw(l, x)",
    "min key": "min(l, key=lambda v: -v), max(l, key=abs), sorted(l, key=lambda v: -v)[0], min(l, default=1), max([], default=l[0])",
    "starred assign": "(lambda: [b for a, *b in [l]])()",
    "tuple plus": "(l[0],) + tuple(l), (l[0], 1) * 2",
    "list mul": "[l[0]] * 2, l * 2",
    "extend": "ex(l)",
    "comp cond": "[v for v in l if v > 1], {i: v for i, v in enumerate(l) if v < 3}",
    "deque": "collections.deque(l, maxlen=2), collections.deque((v for v in l), maxlen=1)",
    "write": "wr(x + 0, l)",
    "copy lists": "l.copy(), list(l.copy())[0] * x, copy.copy(l), copy.deepcopy(l)",
    "sum arrays mix": "sum(x * v for v in l), sum([x * l[0], l[-1]])",
    "round": "[round(v, 1) for v in l], list(map(round, l)), list(map(float, l)), list(map(abs, l))",
    "min of pairs": "min(zip(l, l)), sorted(zip(l, range(9)))[0], max(enumerate(l))",
    "any direct": "any(l), all(l), any(v for v in l), all(map(lambda v: v - 2, l)), not any(l[1:])",
    "return gen": "tuple(v * 2 for v in l)",
    "chained": "max(min(v, 3.0) for v in l) * x, sum(1 for v in l if v > 1)",
    "dict ops": "dd(l, x)",
}
SETUP = '''
import functools, itertools, math, collections, copy
l, log = [1.0, 2.0], []
class At:
    n = 0
    def scale(self, v): return v * 2 + self.n
at = At()
def yf(q):
    yield 1.0
    yield from q
    return (yield from (v * 2 for v in q))
def gr(q):
    def g():
        for v in q:
            if v == 7: raise ValueError("seven")
            yield v
    try: return sum(g())
    except ValueError as e: return str(e)
def up(q):
    try:
        a, b = (v for v in q)
        return a - b
    except ValueError as e: return str(e)
def ws(q, x):
    r = []
    for v in map(lambda v: v * 2, q):
        r.append(x * v)
        q[-1] = 9.0
    q[-1] = 1.25
    return r
def aw(q, x):
    n = 0
    for v in reversed(q):
        log.append(v); n += 1
    return x * sum(log[-n:]) if n else x
def ex(q):
    r = [1]
    r.extend(q); r += q; r += (v for v in q); r.extend(v * 2 for v in q)
    return r, sum(r)
def wr(y, q):
    y[0] = q[0]; y[:] += q[-1]; y[1:] = q[0]; y.fill(q[0]) if q[0] > 5 else None
    return y
def dd(q, x):
    d = dict(enumerate(q)); e = {**d, 9: 1.0}; d.update(e); d |= {8: q[0]}
    return d, x * sum(d.values()), d | e, [*d.items()][0], max(d, key=d.get)
@jit
def f(x):
    at.n += 1
    return EXPR
'''
STEPS = "f(x)\nf(x)\n" + "".join(f"{change}\nf(x)\n" for change in MUTATIONS)
test_what_is_taken = cases({name: SETUP.replace("EXPR", text) + "---\n" + STEPS for name, text in EXPRESSIONS.items()})
