"""Threads that replace what a call uses, cycles of objects, interrupts and long compilations; each in a process of its own."""
from state_harness import cases

MEMORY = {
    "another thread drops memory that a call reads": """
# not auto
# not hop
# not threads
import threading
big = kn.ones(400000)
@jit
def replace(big):
    big[...] = big * 1
def work():
    for _ in range(60):
        replace(big)
        kn._core.release_kept()
def call():
    t = threading.Thread(target=work)
    t.start()
    ok = all(kn.sum(big * 2 + 1).item() == 1200000 for _ in range(60))
    t.join()
    return ok
---
call()
call()
""",
    "another thread empties a list argument": """
# not hop
# not threads
import threading
f = jit(lambda l: (l[0] * 2 + 1).sum() + l[1].sum())
l = [kn.ones(300000), kn.ones(300000)]
stop = []
def work():
    while not stop:
        a, b = l
        l[0] = l[1] = None
        l[0], l[1] = a, b
def call():
    stop.clear()
    t = threading.Thread(target=work)
    t.start()
    seen = set()
    for _ in range(100):
        try: seen.add(f(l).item())
        except TypeError: pass
        except AttributeError: pass
    stop.append(1)
    t.join()
    return seen <= {1200000.0}
---
call()
call()
""",
    "variants are dropped while they run": """
# not threads
import threading
f = jit(lambda x, k: x * k)
def work():
    for i in range(200): kn.clear_caches()
def call():
    t = threading.Thread(target=work)
    t.start()
    ok = all(f(x, float(k % 7)).tolist() == [float(k % 7), 2.0 * (k % 7)] for k in range(300))
    t.join()
    return ok
---
call()
call()
""",
    "cycles through jitted functions are collected": """
# not threads
import gc, weakref
class Box: pass
def static_cycle():
    box = Box()
    box.f = jit(lambda x, b: x * 2, static_argnums=1)
    box.f(x, box)
    box.f(x, box)
    return weakref.ref(box)
def captured_cycle():
    w = kn.ones(2)
    box = Box()
    def f(x): return x * w if box is not None else x
    box.f = jit(f)
    box.f(x)
    box.f(x)
    return weakref.ref(box)
def result_cycle():
    box = Box()
    box.f = jit(lambda x: x * 2)
    box.self = box
    box.f(x)
    return weakref.ref(box)
def alive(make):
    r = make()
    gc.collect()
    return r() is not None
---
alive(static_cycle)
alive(captured_cycle)
alive(result_cycle)
""",
    "a function that clears itself": """
# not threads
@jit
def f(x):
    kn.clear_caches()
    return x * 2
---
f(x)
f(x)
f(x)
""",
    "a call in its own argument's method": """
class Key:
    def __hash__(self): return 1
    def __eq__(self, other):
        f(x, 1) if depth.append(1) is None and len(depth) < 5 else None
        return True
depth = []
f = jit(lambda x, k: x * 2, static_argnums=1)
---
depth.clear(); f(x, Key()) * 1; depth.clear()
depth.clear(); f(x, Key()) * 1; depth.clear()
""",
    "recursion without end": """
@jit
def f(x): return f(x + 1)
def caught():
    try: f(x)
    except RecursionError: return "deep"
---
caught()
caught()
""",
    "chained reductions over one axis": """
# not hop
# not threads
# not auto
@jit
def f(x):
    for _ in range(30):
        x = x * (1 - x)
        x = x / kn.sum(x)
    return x
y = kn.linspace(0.1, 0.9, 50)
---
f(y)
f(y)
""",
    "concatenation of something that never ends": """
# not hop
# not threads
# not auto
def f():
    try: return kn.concatenate(x.at)
    except (TypeError, ValueError, IndexError): return "refused"
---
f()
""",
    "many numbers": """
# not hop
# not threads
f = jit(lambda x, k: x * k + 1)
---
[f(x, float(k)).tolist() for k in range(600)][-1]
[f(x, k).tolist() for k in range(600)][-1]
""",
    "a mutation by the keyword's own default": """
def f(x, *, log=[]):
    log.append(len(log))
    return x * len(log)
f = jit(f)
---
f(x)
f(x)
f(x, log=[])
f(x)
""",
    "exceptions that pass through": """
@jit
def f(x, kind):
    y = x + 1
    raise [KeyboardInterrupt, SystemExit, StopIteration, GeneratorExit, MemoryError][kind]("as asked")
def caught(k):
    try: f(x, k)
    except BaseException as error: return type(error).__name__, str(error)
---
[caught(k) for k in range(5)]
[caught(k) for k in range(5)]
""",
}

test_memory = cases(MEMORY, apart=[n for n in MEMORY if n not in ("a mutation by the keyword's own default",)], limits={"chained reductions over one axis": 20, "concatenation of something that never ends": 10})
