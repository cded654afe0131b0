"""Loops and branches of jitted functions on a GPU against the CPU, bit by bit: on the stand-in for NVIDIA's driver (docs/gpu.md)."""
import test_gpu_arrays

HELPERS = """
import warnings; warnings.simplefilter("error", kn.KilnWarning)
def compiled(f, *inputs):
    '''As `both`, and that it runs as code of the device.'''
    jitted = both(f, *inputs)
    assert "one by one" not in str(jitted.explain()), jitted.explain()
    return jitted
rng = np.random.default_rng(0)
x, v = rng.normal(size=(12, 12)).astype("f4"), rng.normal(size=12).astype("f4")
"""


def run(program, **environment):
    return test_gpu_arrays.run(HELPERS + program, **environment)


def test_forms():
    run("""
compiled(lambda x: kn.while_loop(lambda s: s[0] < 20, lambda s: (s[0] + 1, s[1] @ s[1] * 0.05), (kn.asarray(0), x)), x)
compiled(lambda x: kn.while_loop(lambda s: kn.sum(s) < 1e4, lambda s: s * 1.5 + 1, kn.abs(x)), x)
compiled(lambda x: kn.while_loop(lambda s: s > 1, lambda s: kn.where(s % 2 == 0, s // 2, 3 * s + 1), x), np.int64(27))
compiled(lambda x: kn.while_loop(lambda s: s[0], lambda s: (s[1] < 5, s[1] + 1, -s[2]), (kn.asarray(True), kn.asarray(0), x)), x)
compiled(lambda x: kn.fori_loop(0, 7, lambda i, s: s.at[i].set(s[i] + kn.sum(s)), x), v)
compiled(lambda x: kn.fori_loop(3, 3, lambda i, s: s + 1, x), x)
compiled(lambda x, n: kn.fori_loop(0, n, lambda i, s: s + i, x), x, np.int64(5))
compiled(lambda x: kn.fori_loop(0, 5, lambda i, s: kn.fori_loop(0, i, lambda j, t: t + x[j] * i, s), x[0]), x)
compiled(lambda x: kn.scan(lambda c, r: (c * 0.5 + r, kn.sum(c * r)), x[0], x), x)
compiled(lambda x: kn.scan(lambda c, r: (c * 0.5 + r, c), x[0], x, reverse=True), x)
for sign in (1, -1):
    compiled(lambda x: kn.cond(kn.sum(x) > 0, lambda a: a * 2, lambda a: kn.exp(-a), x), sign * np.abs(x))
    compiled(lambda x: kn.cond(kn.sum(x) > 0, lambda a: a.at[0].set(9), lambda a: a, x) + x, sign * np.abs(x))
for n in (-3, 0, 1, 2, 7):
    compiled(lambda x, n: kn.switch(n, [lambda a: a, lambda a: a @ a, lambda a: a.at[1:3].add(1)], x), x, np.int64(n))
compiled(lambda x: kn.fori_loop(0, 6, lambda i, s: kn.cond(kn.sum(s) > i, lambda a: a * 0.5, lambda a: a + 1, s), x), x)
compiled(lambda x: kn.while_loop(lambda s: s[0] < 6, lambda s: (s[0] + 1, s[2], s[1] + s[2]), (kn.asarray(0), x, kn.ones_like(x))), x)
compiled(lambda x: kn.fori_loop(0, 4, lambda i, s: kn.sort(s, axis=0) * 0.9 + kn.cumulative_sum(s, axis=1) * 0.01, x), x)
compiled(lambda x: kn.vmap(lambda r: kn.fori_loop(0, 5, lambda i, s: kn.sin(s) + r, r))(x), x)
""")


def test_arrays_made_in_bodies():
    run("""
for sign in (1, -1):
    compiled(lambda x: kn.cond(kn.sum(x) > 0, lambda a: a @ kn.eye(12, dtype="float32"), lambda a: a * kn.arange(12, dtype="float32"), x), sign * np.abs(x))
compiled(lambda x: kn.fori_loop(0, 3, lambda i, s: s + kn.arange(12, dtype="float32") * i, x), x)
compiled(lambda x: kn.while_loop(lambda s: kn.sum(s) < 1e3, lambda s: kn.abs(s) + kn.eye(12, dtype="float32"), x), x)
compiled(lambda x: x + kn.fori_loop(0, 3, lambda i, s: s + kn.fori_loop(0, 2, lambda j, t: t + kn.arange(12, dtype="float32"), kn.zeros(12, dtype="float32")), x[0]), x)
compiled(lambda x: kn.fori_loop(0, 3, lambda i, s: kn.tril(s, 1) + kn.ones(12, dtype="float32"), x), x)
""")


def test_rolled_loops():
    run("""
def iterate(x, n):
    for i in range(n):
        x = kn.tanh(x @ x) * 0.5 + i
    return x
def grow(x, n):
    rows, s = [], x[0]
    for i in range(n):
        s = s * 0.5 + x[i % 12] + i * 0.25
        rows.append(kn.sum(s))
    return s, kn.stack(rows)
def nested(x, n):
    s = kn.zeros_like(x)
    for i in range(n):
        for j in range(9):
            s = kn.roll(s, 1, axis=0) * 0.5 + x[j]
        s = s - i
    return s
def write(x, n):
    for i in range(n):
        x[i % 12] = kn.tanh(x[(i + 1) % 12] @ x) * 0.5 + i
    return x + 0
for f in (iterate, grow, nested, write):
    jitted = kn.jit(f)
    for n in (30, 30, 41, 41, 3):
        with kn.device("cpu"):
            want = flat(f(kn.asarray(x, copy=True), n))
        for a, b in zip(flat(jitted(kn.asarray(x, copy=True), n)), want, strict=True):
            same_bits(a, b)
    assert "one by one" not in str(jitted.explain()), jitted.explain()
    assert f is write or any(loop for variant in jitted.explain().variants for step in variant["steps"] for loop in step["loops"] if not loop["why"]), jitted.explain()
""")


def test_gradients():
    run("""
def loss(x):
    for i in range(25):
        x = kn.sin(x @ x) * 0.3
    return kn.sum(x)
compiled(kn.grad(loss), x)
compiled(kn.value_and_grad(lambda x: kn.sum(kn.fori_loop(0, 10, lambda i, s: kn.tanh(s @ s), x))), x)
compiled(kn.grad(lambda x: kn.sum(kn.scan(lambda c, r: (c * 0.5 + r, kn.sum(c * r)), x[0], x)[1])), x)
for sign in (1, -1):
    compiled(kn.grad(lambda x: kn.sum(kn.cond(x[0, 0] > 0, lambda a: a * a, lambda a: kn.exp(a), x))), sign * np.abs(x))
compiled(kn.jvp and (lambda x: kn.jvp(lambda a: kn.fori_loop(0, 5, lambda i, s: kn.sin(s) * a, a), (x,), (x,))), x)
compiled(lambda x: kn.vmap(kn.grad(lambda r: kn.sum(kn.fori_loop(0, 5, lambda i, s: kn.sin(s) * r, r))))(x), x)
""")


def test_errors_in_loops():
    run("""
def outside(x, n):
    return kn.fori_loop(0, n, lambda i, s: s + kn.take(x, i * 3, axis=0), x[0])
jitted = kn.jit(outside)
with kn.device("cpu"):
    want = kn.jit(outside)(kn.asarray(x, copy=True), 4)
d = kn.asarray(x, copy=True)
same_bits(jitted(d, 4), want)
with kn.device("cpu"):
    text = refusal(lambda: outside(kn.asarray(x, copy=True), 9), kn.KilnError)
for _ in range(2):
    assert refusal(lambda: jitted(d, 9), kn.KilnError).split("\\n")[0] == text.split("\\n")[0]
same_bits(jitted(d, 4), want)
# A loop that never ends but for an error.
forever = kn.jit(lambda x: kn.while_loop(lambda s: s[0] >= 0, lambda s: (s[0] + 1, s[1] + kn.take(x, s[0])), (kn.asarray(0), kn.asarray(0.0, dtype="float32"))))
assert "index" in refusal(lambda: forever(kn.asarray(v, copy=True)), kn.KilnError).lower()
""")


def test_interrupts_and_threads():
    run("""
import signal, threading, time, os
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
jitted = kn.jit(lambda x, n: kn.fori_loop(0, n, lambda i, s: kn.tanh(s @ s) + x, x))
asked = kn.jit(lambda x, most: kn.while_loop(lambda s: kn.sum(s) < most, lambda s: kn.tanh(s) + x, x))
d, few, many, all = kn.asarray(x, copy=True), kn.asarray(3), kn.asarray(10**9), kn.asarray(1e9, dtype="float32")
want = jitted(d, few).numpy()
jitted(d, few), asked(d, kn.asarray(-1e9, dtype="float32"))
for call in (lambda: jitted(d, many), lambda: asked(d, all)):
    sent = []
    def interrupt():
        time.sleep(0.5)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Thread(target=interrupt)
    timer.start()
    try:
        call()
        raise SystemExit("not interrupted")
    except KeyboardInterrupt:
        late = time.monotonic() - sent[-1]
    timer.join()
    assert late < 5, late  # 20 ms, but for a machine that is busy
    assert (jitted(d, few).numpy() == want).all(), "the device goes on"
# Other threads' programs come between the trips of one.
results = {}
def work(i):
    part = kn.asarray(x * (i + 1), copy=True)
    results[i] = [jitted(part, kn.asarray(20)), kn.sum(part @ part)]
threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in threads], [t.join() for t in threads]
for i, (loop, total) in results.items():
    part = kn.asarray(x * (i + 1), copy=True)
    same_bits(loop, jitted(part, kn.asarray(20))), same_bits(total, kn.sum(part @ part))
""")


def test_memory_stays_flat():
    run("""
jitted = kn.jit(lambda x, n: kn.fori_loop(0, n, lambda i, s: kn.tanh(s @ s) + x, x))
d = kn.ones((16, 16), dtype="float32")
def used(n):
    jitted(d, kn.asarray(n)).numpy()
    return kn.memory_stats().devices["cuda:0"]
used(2)
first, last = used(2), used(100)
assert last == first, (first, last)
""")


def test_random_control_flow():
    run("""
import control_flow_fuzz
assert kn.default_device() == "cuda:0"
warnings.simplefilter("ignore", kn.KilnWarning)
for seed in range(3):
    control_flow_fuzz.check(seed, "sync", 2)
""")
