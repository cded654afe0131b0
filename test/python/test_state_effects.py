"""What a function does to Python happens once a call, as in eager: lists, prints, exceptions, finalizers, threads."""
from state_harness import cases

ONCE = {
    "a store of an array that the next call has a view of": """
ws, log, a0, a1 = [kn.ones(2)], [], kn.asarray([1.0, -2.0]), kn.asarray([0.5, 4.0])
@jit
def f(x, y):
    ws[0] = y
    log.append(kn.ones(3)[2])
    y * (2.0 / (float((y * y).sum()) + 1))
---
f(kn.ones(2), a0)
f(a0[::-1], a1)
f(a1[::-1], a0)
f(a0, a0)
""",
    "an append and a branch on a value": """
log = []
@jit
def f(x, log):
    log.append(len(log))
    if x.sum() > 0:
        return x * 2
    return x
---
f(x, log)
f(x, log)
f(-x, log)
f(x, log)
""",
    "an append to a captured list and a branch": """
log = []
@jit
def f(x):
    log.append(len(log))
    return x * 2 if x.sum() > 0 else x
---
f(x)
f(x)
f(-x)
""",
    "an append and a bad index": """
@jit
def f(x, i, log):
    log.append(1)
    return kn.take(x, i) + x[5]
@jit
def g(x, i, log):
    log.append(1)
    return kn.take(x, i)
log = []
---
f(x, kn.asarray([0]), log)
g(x, kn.asarray([7]), log)
g(x, kn.asarray([0]), log)
g(x, kn.asarray([7]), log)
g(x, kn.asarray([1]), log)
""",
    "an append and a raise after a write": """
log = []
@jit
def f(x, log):
    x += 1
    log.append(1)
    raise ValueError("as asked")
---
f(x, log)
f(x, log)
""",
    "finally": """
log = []
@jit
def f(x, log):
    try:
        x += 1
        return x * 2 if x.sum() > 100 else x.item()
    except TypeError as error:
        log.append(str(type(error)))
        raise
    finally:
        log.append("finally")
---
f(x, log)
f(x, log)
f(kn.asarray(1.0), log)
""",
    "try and except around a value": """
log = []
@jit
def f(x):
    y = x + 1
    try:
        bool(y)
    except ValueError as error:
        log.append("caught")
        return y * 2
    except BaseException as error:
        log.append(type(error).__name__)
        raise
    return y
---
f(x)
f(x)
f(kn.ones(1))
f(kn.ones(1))
""",
    "a number asked for": """
log = []
@jit
def f(x, log):
    log.append(0)
    k = float(x[0])
    log.append(k)
    return x * k + int(x[1]) + x[0].item()
---
f(x, log)
f(x, log)
x += 1
f(x, log)
""",
    "a counter in a dict": """
state = {"n": 0}
@jit
def f(x, state):
    state["n"] += 1
    return x * state["n"]
---
f(x, state)
f(x, state)
f(x, state)
f(x, {"n": 0})
f(x, state)
""",
    "weights in a dict": """
d = {"w": kn.ones(2)}
@jit
def f(d):
    d["w"] = d["w"] - 0.5
    return d["w"] * 2
---
f(d)
f(d)
f(d)
d["w"].tolist()
""",
    "weights in a dict and a loss": """
params = {"w": kn.asarray([1.0, 2.0]), "b": kn.zeros(2)}
@jit
def step(params, x):
    loss = ((x * params["w"] + params["b"]) ** 2).sum()
    for k in params:
        params[k] = params[k] - 0.1 * loss
    return loss
---
step(params, x)
step(params, x)
step(params, x)
""",
    "an attribute of an object": """
class Model:
    def __init__(self): self.w, self.n = kn.ones(2), 0
m = Model()
@jit
def f(m, x):
    m.n += 1
    m.w = m.w + x
    return m.w * m.n
---
f(m, x)
f(m, x)
m.n = 10
f(m, x)
""",
    "a global counter": """
n = 0
@jit
def f(x):
    global n
    n += 1
    return x * n
---
f(x)
f(x)
n = 10
f(x)
""",
    "an array kept in a global": """
kept = None
@jit
def f(x):
    global kept
    kept = x * 2
    return kept + 1
---
f(x)
kept += 1
f(x)
f(x)
""",
    "an array kept in a captured list": """
kept = []
@jit
def f(x):
    y = x * 2
    kept.append(y)
    return y
---
f(x)
f(x)
kept[0] += 1
f(x)
""",
    "an array kept in a list argument": """
kept = []
@jit
def f(x, kept):
    y = x * 2
    kept.append(y)
    return y + 1
---
f(x, kept)
f(x, kept)
f(x, kept)
f(x, [])
""",
    "an array kept in an attribute of a function": """
def holder(): pass
def f(x):
    holder.last = x + 1
    return x
f = jit(f)
---
f(x) is x and holder.last.tolist()
x += 1
f(x) is x and holder.last.tolist()
""",
    "an array kept in a default": """
def f(x, cache={}):
    cache[len(cache)] = x + len(cache)
    return x * 1
f = jit(f)
---
f(x)
f(x)
f(x)
""",
    "an array kept by an exception": """
class Found(Exception): pass
@jit
def f(x):
    raise Found(x * 2)
def caught():
    try: f(x)
    except Found as error: return error.args[0] + 1
---
caught()
caught()
""",
    "an array kept by a closure that is returned": """
@jit
def f(x):
    y = x * 2
    return lambda: y + 1
---
f(x)()
f(x)()
""",
    "a generator that is returned": """
@jit
def f(x): return (x * i for i in range(3))
---
list(f(x))
list(f(x))
""",
    "a generator and a map that are used": """
@jit
def f(x): return list(x * i for i in range(3)) + list(map(lambda v: v + 1, [x, x]))
---
f(x)
f(x)
""",
    "prints": """
@jit
def f(x):
    print("before")
    y = x * 2
    print("y", y)
    return y
---
f(x)
f(x)
f(x + 1)
""",
    "a print in a helper behind print": """
def show(*a): print(*a)
@jit
def f(x):
    show("n", 1)
    return x + 1
---
f(x)
f(x)
""",
    "text of arrays": """
@jit
def f(x): return f"{x}", str(x + 1), repr(x), "%s" % x
---
f(x)
f(x)
x += 1
f(x)
""",
    "nothing returned": """
@jit
def f(x, log): log.append(1)
@jit
def g(x): pass
@jit
def h(x, flag):
    if flag: return x * 2
log = []
---
f(x, log)
f(x, log)
g(x)
g(x)
h(x, True)
h(x, False)
h(x, False)
h(x, True)
""",
    "a write and nothing returned": """
@jit
def f(x): x += 1
---
f(x)
f(x)
""",
    "an assertion": """
@jit
def f(x, n):
    assert n > 0, f"n is {n}"
    return x * n
---
f(x, 1)
f(x, 0)
f(x, 0)
f(x, 1)
""",
    "errors of shapes": """
log = []
@jit
def f(x, y):
    x += 1
    log.append(0)
    return x + y
---
f(x, x)
f(x, kn.ones(3))
f(x, kn.ones(3))
f(x, x)
""",
    "writes before an error on data": """
@jit
def f(x, i):
    x += 1
    y = kn.take(x, i)
    x *= 2
    return y
---
f(x, kn.asarray([0]))
f(x, kn.asarray([0]))
f(x, kn.asarray([5]))
f(x, kn.asarray([5]))
f(x, kn.asarray([1]))
""",
    "an error on data of something unused": """
@jit
def f(x, i):
    kn.take(x, i)
    return x * 2
---
f(x, kn.asarray([0]))
f(x, kn.asarray([0]))
f(x, kn.asarray([5]))
f(x, kn.asarray([5]))
""",
    "a caught error on data": """
log = []
@jit
def f(x, i):
    try:
        return kn.take(x, i)
    except IndexError:
        log.append("caught")
        return x * 0
---
f(x, kn.asarray([0]))
f(x, kn.asarray([0]))
f(x, kn.asarray([5]))
f(x, kn.asarray([5]))
""",
    "a context manager": """
log = []
class Manager:
    def __enter__(self): log.append("enter"); return self
    def __exit__(self, *a): log.append("exit"); return False
m = Manager()
@jit
def f(x):
    with m:
        return x * 2 if x.sum() > 0 else x
---
f(x)
f(x)
""",
    "a class and an import inside": """
@jit
def f(x):
    import math
    class Box:
        def __init__(self, v): self.v = v
    return Box(x).v * math.pi
---
f(x)
f(x)
""",
    "a nested jitted function with an effect": """
log = []
@jit
def inner(x):
    log.append(1)
    return x + 1
@jit
def outer(x): return inner(x) * 2
---
outer(x)
outer(x)
inner(x)
outer(x)
""",
    "a sort with a key that counts": """
count = [0]
def key(v):
    count[0] += 1
    return -v
@jit
def f(x): return x * sorted([1, 2, 3], key=key)[0]
---
f(x)
f(x)
""",
    "a warning": """
import warnings
seen = []
@jit
def f(x):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("as asked")
    seen.append(len(caught))
    return x + 1
---
f(x)
f(x)
""",
    "a setting that is put back": """
# not threads
@jit
def f(x):
    kn.set_default_dtype(kn.float64)
    try:
        return kn.arange(2) / 2 + kn.ones(2)
    finally:
        kn.set_default_dtype(kn.float32)
---
f(x)
f(x)
kn.get_default_dtype().name
""",
    "a setting that is changed": """
# not threads
@jit
def f(x):
    kn.set_default_dtype(kn.float64)
    return kn.ones(2)
---
f(x)
kn.set_default_dtype(kn.float32)
f(x)
kn.get_default_dtype().name
kn.set_default_dtype(kn.float32)
""",
}

OTHER_FRAMES = {
    "a finalizer during a call": """
import weakref
seen = []
class Box: pass
def make(x):
    box = Box()
    weakref.finalize(box, lambda: x.__iadd__(10))
    return box
boxes = []
@jit
def f(x, boxes):
    y = x * 2
    boxes.clear()
    return y + x
w = kn.zeros(2)
---
boxes.append(make(w)); f(x, boxes)
boxes.append(make(w)); f(x, boxes)
boxes.append(make(x)); f(x, boxes)
w.tolist(), x.tolist()
""",
    "a __del__ during a call": """
w = kn.zeros(2)
class Box:
    def __del__(self):
        global w
        w += 1
        self.made = kn.ones(3) * 2
        kept.append(self.made)
kept = []
@jit
def f(x):
    box = Box()
    y = x * 2
    del box
    return y + w
---
f(x)
f(x)
w.tolist()
f(x)
""",
    "a signal handler during a call": """
# not hop
# not threads
import signal, os
w, kept = kn.zeros(2), []
def handler(*_):
    global w
    w += 1
    kept.append(w * 2)
def raised(x):
    y = x + 1
    os.kill(os.getpid(), signal.SIGUSR1)
    for _ in range(100): pass
    return y * 2
f = jit(raised)
before = signal.signal(signal.SIGUSR1, handler)
---
f(x)
f(x)
w.tolist()
signal.signal(signal.SIGUSR1, before) is handler
""",
    "a signal handler in code that records": """
# not hop
# not threads
import signal, os, time
w, kept = kn.zeros(2), []
def handler(*_):
    global w
    w += 1
    kept.append(w * 2)
@jit
def f(x):
    y = x + 1
    for i in range(20000):
        j = i * i
    return y * 2
before = signal.signal(signal.SIGALRM, handler)
def call():
    signal.setitimer(signal.ITIMER_REAL, 0.0002)
    y = f(x)
    for _ in range(2000):
        if len(kept) == calls[0] + 1: break
        time.sleep(0.001)
    calls[0] += 1
    return y
calls = [0]
---
call()
call()
w.tolist()
signal.signal(signal.SIGALRM, before) is handler
""",
    "a comparison with effects in a sort": """
log = []
class Key:
    def __init__(self, v): self.v = v
    def __lt__(self, other):
        log.append((self.v, other.v))
        return self.v < other.v
keys = [Key(3), Key(1)]
f = jit(lambda x, keys: x * sorted(keys)[0].v)
g = jit(lambda x: x * min(Key(3), Key(1)).v)
---
f(x, keys)
f(x, keys)
g(x)
g(x)
""",
    "arrays made by a callback": """
made = []
def callback(v):
    made.append(v)
    return x * v
@jit
def f(x): return sum(map(callback, [1, 2]), x)
---
f(x)
f(x)
made
""",
    "a thread started inside": """
import threading
@jit
def f(x):
    box = []
    t = threading.Thread(target=lambda: box.append(x * 2))
    t.start(); t.join()
    return box[0] + 1
---
f(x)
f(x)
""",
    "a pool used inside": """
import concurrent.futures
@jit
def f(x):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda k: x * k, [1, 2, 3]), x)
---
f(x)
f(x)
""",
    "a coroutine run inside": """
import asyncio
@jit
def f(x):
    async def work(): return x * 2
    return asyncio.run(work()) + 1
---
f(x)
f(x)
""",
    "a trace function that computes": """
# not hop
# not threads
import sys
seen = []
def trace(frame, event, arg):
    if frame.f_code.co_name == "f" and event == "line": seen.append(kn.ones(2).sum().item())
    return trace
@jit
def f(x):
    y = x + 1
    return y * 2
def traced():
    before = sys.gettrace()
    sys.settrace(trace)
    try: return f(x)
    finally: sys.settrace(before)
---
traced()
f(x)
f(x)
""",
    "a profile function that computes": """
# not hop
# not threads
import sys
seen, inside = [], [False]
def profile(frame, event, arg):
    if event == "call" and frame.f_code.co_name == "helper" and not inside[0]:
        inside[0] = True
        seen.append(kn.ones(2) * 2)
        inside[0] = False
def helper(x): return x + 1
@jit
def f(x): return helper(x) * 2
def profiled():
    sys.setprofile(profile)
    try: return f(x)
    finally: sys.setprofile(None)
---
profiled()
f(x)
f(x)
""",
}

test_once = cases(ONCE)
test_other_frames = cases(OTHER_FRAMES, apart=["a finalizer during a call", "a __del__ during a call", "a signal handler during a call",
                                                     "a signal handler in code that records", "a profile function that computes"])
