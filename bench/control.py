"""Control flow and captured state: what questions, guards and captured names cost a warm call, and loops a first one."""
import statistics
import timeit

from measure import once, row

import kiln as kn

COUNT = 32


def _function(text, **names):
    """A jitted function of `x` with these lines as its body."""
    scope = {"kn": kn, **names}
    exec(compile("def f(x):\n" + "".join(f"    {line}\n" for line in text), "<control>", "exec"), scope)
    return kn.jit(scope["f"])


def _nanoseconds(functions, x, calls=2000, rounds=41):
    """Median time of a call of each, all in turns."""
    timers = [timeit.Timer("f(x)", globals={"f": f, "x": x}) for f in functions]
    for t in timers:
        t.timeit(200)
    times = [[t.timeit(calls) / calls * 1e9 for t in timers] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times)]


def _state():
    """Numbers that a call reads: each is a guard, or an input."""
    class Holder:
        pass
    holder, table = Holder(), {}
    for i in range(COUNT):
        setattr(holder, f"a{i}", float(i))
        table[f"k{i}"] = float(i)
    plain = _function(["return x + 1.0"])
    sums = [_function(["n = 0.0", *(f"n = n + {what.format(i=i)}" for i in range(COUNT)), "return x + n"], holder=holder, table=table, **{f"g{i}": float(i) for i in range(COUNT)})
            for what in ("g{i}", "table['k{i}']", "holder.a{i}")]
    base, *times = _nanoseconds([plain, *sums], kn.ones(10))
    for name, t, bar in zip(("a global", "an entry of a dict", "an attribute"), times, (15, 15, 35)):
        row(f"a guard on {name}, of {COUNT} in a call", (t - base) / COUNT, ("<=", bar), "ns")


def _branches():
    """Questions in a row, each of a value of its own, which code that is compiled as one answers by itself."""
    for count in (1, 8):
        asked = _function([line for i in range(count) for line in (f"x = x * 0.5 + {i}.0", "if x[0] > -1000.0: x = x + 1.0", "else: x = x - 1.0")] + ["return x"])
        straight = _function([line for i in range(count) for line in (f"x = x * 0.5 + {i}.0", "x = x + 1.0")] + ["return x"])
        x = kn.ones(10)
        for _ in range(300):  # a path that is taken often is compiled as one
            asked(x)
        with_, without = _nanoseconds([asked, straight], x)
        row(f"a branch on a value above its segments' time, {count} in a call", (with_ - without) / count, ("<=", 1000), "ns")


class _Model:
    def __init__(self):
        for i in range(20):
            setattr(self, f"w{i}", kn.full(8, i + 1.0))


def _methods():
    model, x = _Model(), kn.ones(8)
    scope = {}
    exec("def total(self, x):\n" + "".join(f"    x = x * self.w{i}\n" for i in range(20)) + "    return x", scope)
    _Model.total = kn.jit(scope["total"])
    weights = [getattr(model, f"w{i}") for i in range(20)]

    @kn.jit
    def kernel(x, *weights):
        for v in weights:
            x = x * v
        return x
    assert kernel(x, *weights).tolist() == model.total(x).tolist()
    timers = [timeit.Timer("f(x)", globals={"f": model.total, "x": x}), timeit.Timer("f(x, *w)", globals={"f": kernel, "x": x, "w": weights})]
    for t in timers:
        t.timeit(500)
    pairs = [[t.timeit(2000) / 2000 * 1e6 for t in timers] for _ in range(21)]
    method, plain = (statistics.median(p) for p in zip(*pairs))
    row("a method of 20 arrays in attributes, its kernel and all", method, ("<=", 3), "us", f"with the arrays as arguments {plain:.2f} us")


def _recording():
    """With the hook, which a function that reads an object has: what each further operation adds to a first call, beyond eager's time."""
    class Holder:
        w = kn.ones(10)
    holder, x, few, many = Holder(), kn.ones(10), 200, 1000

    def beyond(steps):
        def chain(x):
            for _ in range(steps):
                x = x + holder.w
            return x
        first, eager = (statistics.median(once(lambda: make(chain)(x)) for _ in range(21)) for make in (kn.jit, lambda f: f))
        return first - eager
    row("recording with the hook, an operation that reads an attribute", (beyond(many) - beyond(few)) / (many - few) * 1e9, ("<=", 1000), "ns")


def _trips():
    """Compile times of a loop that Python writes out, by its number of trips."""
    def compiled(trips):
        @kn.jit
        def f(x, a):
            for _ in range(trips):
                x = kn.sin(x) * a + 0.5
            return x
        f(kn.ones(1000), 0.25)
        return sum(s["milliseconds"] for e in f._entries() for s in e["steps"])

    few, many = (statistics.median(compiled(trips) for _ in range(5)) for trips in (10, 10_000))
    row("compiling a loop of 10,000 trips of three operations, of one of 10", many / few, ("<=", 2), "", f"{many:.1f} ms, {few:.1f} ms")


def control():
    print("control flow and state")
    _recording()
    kept = kn.config.cache
    kn.config.cache = False
    with kn.config.override(jit="sync"):
        _state()
        _branches()
        _methods()
        _trips()
    kn.config.cache = kept
