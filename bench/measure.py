"""How `make bench` measures: everything of a comparison in turns, medians of ratios within rounds."""
import os
import statistics
import time

ROWS = []
THREADS = int(os.environ.get("KILN_BENCH_THREADS", "1"))


def row(name, value, bar=None, unit="", against=""):
    """Prints and keeps a figure; `bar` is ("<=" or ">=", number)."""
    ok = None if bar is None else (value <= bar[1] if bar[0] == "<=" else value >= bar[1])
    ROWS.append({"name": name, "value": value, "bar": None if bar is None else f"{bar[0]} {bar[1]}", "met": ok, "unit": unit, "against": against})
    print(f"  {name:<62} {value:9.3f}{unit:<3} {'' if bar is None else f'bar {bar[0]} {bar[1]}':<14} {'' if ok is None else 'met' if ok else 'MISSED':<7}{against}", flush=True)


def once(run, times=1):
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def turn(run, times):
    """Of several threads: those of OpenMP wait in a loop for some milliseconds behind a call, on the processor that the next needs."""
    if THREADS > 1:
        time.sleep(0.01)
        run()
    return once(run, times)


def rounds_of(functions, rounds, times):
    for f in functions.values():
        f(), f()
    return [{name: turn(f, times) for name, f in functions.items()} for _ in range(rounds)]


def function_of(text, names):
    """A function of what a text of the eager benchmarks uses, and its arguments."""
    try:
        code, start = compile(text, "text", "eval"), "return "
    except SyntaxError:
        code, start = compile(text, "text", "exec"), ""
    used = [name for name in names if name != "np" and name in code.co_names]
    scope = {"np": names["np"]}
    exec(f"def f({', '.join(used)}):\n    {start}{text}", scope)
    return scope["f"], [names[name] for name in used]


def ratio(kiln, peer, rounds=15, times=1):
    """Median over rounds of peer's time over Kiln's."""
    return statistics.median(r["peer"] / r["kiln"] for r in rounds_of({"kiln": kiln, "peer": peer}, rounds, times))


def peers(name, kiln, others, bar=None, rounds=11, target=2e-2, among=None):
    """A row: the time of the fastest peer (of those `among` which the bar is) over Kiln's, with each peer's ratio behind it."""
    kiln()
    times = max(1, int(target / max(once(kiln), 1e-7)) // 4)
    measured = rounds_of({"kiln": kiln, **others}, rounds, times)
    ratios = {other: statistics.median(r[other] / r["kiln"] for r in measured) for other in others}
    best = min(value for other, value in ratios.items() if among is None or other in among)
    row(name, best, bar, "", "  ".join(f"{other} {value:.2f}" for other, value in ratios.items()))
    ROWS[-1]["peers"] = ratios
    return best
