"""Libraries for a GPU with loops and branches: the bits of the CPU, errors of data in them, and what they wait for."""
import pytest

import kiln as kn
from device_library import run

HELPERS = """
import itertools
numbers = itertools.count()
def both(f, *args, **options):
    return check(export(f, *args, name=f"f{next(numbers)}", **options), f, *args)
x, y = r.normal(size=(12, 12)).astype("f4"), r.normal(size=12).astype("f4")
"""


def test_forms(tmp_path):
    run(HELPERS + """
both(lambda x: kn.while_loop(lambda s: s[0] < 20, lambda s: (s[0] + 1, s[1] @ s[1] * 0.05), (kn.asarray(0), x)), x)
both(lambda x: kn.while_loop(lambda s: kn.sum(s) < 1e4, lambda s: s * 1.5 + 1, kn.abs(x)), x)
both(lambda x: kn.while_loop(lambda s: s > 1, lambda s: kn.where(s % 2 == 0, s // 2, 3 * s + 1), x), np.int64(27))
both(lambda x: kn.while_loop(lambda s: s[0], lambda s: (s[1] < 5, s[1] + 1, -s[2]), (kn.asarray(True), kn.asarray(0), x)), x)
both(lambda x: kn.fori_loop(0, 7, lambda i, s: s.at[i].set(s[i] + kn.sum(s)), x), y)
both(lambda x: kn.fori_loop(3, 3, lambda i, s: s + 1, x), x)
both(lambda x: kn.fori_loop(0, 5, lambda i, s: kn.fori_loop(0, i, lambda j, t: t + x[j] * i, s), x[0]), x)
both(lambda x: kn.scan(lambda c, r: (c * 0.5 + r, kn.sum(c * r)), x[0], x), x)
both(lambda x: kn.scan(lambda c, r: (c * 0.5 + r, c), x[0], x, reverse=True), x)
both(lambda x: kn.fori_loop(0, 6, lambda i, s: kn.cond(kn.sum(s) > i, lambda a: a * 0.5, lambda a: a + 1, s), x), x)
both(lambda x: kn.while_loop(lambda s: s[0] < 6, lambda s: (s[0] + 1, s[2], s[1] + s[2]), (kn.asarray(0), x, kn.ones_like(x))), x)
both(lambda x: kn.fori_loop(0, 4, lambda i, s: kn.sort(s, axis=0) * 0.9 + kn.cumulative_sum(s, axis=1) * 0.01, x), x)
both(lambda x: kn.grad(lambda x: kn.sum(kn.fori_loop(0, 5, lambda i, s: kn.sin(s) + x, x)))(x), x)
""", tmp_path)


def test_numbers_of_calls(tmp_path):
    run(HELPERS + """
f = lambda x, n: kn.fori_loop(0, n, lambda i, s: s + i, x)
path = export(f, x, np.int64(5))
for n in (0, 1, 2, 9, -3):
    check(path, f, x, np.int64(n))
f = lambda x, n: kn.switch(n, [lambda a: a, lambda a: a @ a, lambda a: a.at[1:3].add(1)], x)
path = export(f, x, np.int64(5), name="g")
for n in (-3, 0, 1, 2, 7):
    check(path, f, x, np.int64(n))
f = lambda x: kn.cond(kn.sum(x) > 0, lambda a: a.at[0].set(9), lambda a: a, x) + x
path = export(f, x, name="h")
for sign in (1, -1):
    check(path, f, np.abs(x) * sign)
""", tmp_path)


def test_rolled_loops_and_weights(tmp_path):
    run(HELPERS + """
def iterate(x):
    for i in range(40):
        x = kn.tanh(x @ w[:12, :12]) * 0.5 + i
    return x
def train(state, x):
    for i in range(30):
        state += kn.sin(x[i % 12]) * state
both(iterate, x)
lib = DeviceLibrary(export(train, y, x, name="t"), Gpu())
state, want = y.copy(), y.copy()
kn.jit(train)(want, x)
lib(state, x)
assert state.tobytes() == want.tobytes()
def until(x):
    while kn.sum(x) < 1000:
        x = x * 2
    return x
f = export(until, np.abs(x), name="u", examples=[(np.abs(x) * 90,), (np.abs(x) + 50,)])
for by in (1, 3, 90):
    check(f, until, np.abs(x) * np.float32(by))
ways = lambda x: x * 2 if kn.sum(x) > 0 else kn.exp(x)
f = export(ways, np.abs(x), name="v", examples=[(-np.abs(x),)])
for sign in (1, -1):
    check(f, ways, np.abs(x) * sign)
lib = DeviceLibrary(export(lambda x: x * int(x[0]), np.float32([2, 1]), name="w"), Gpu())
assert np.array_equal(lib(np.float32([2, 9])), [4, 18])
status, text = refusal(lambda: lib(np.float32([3, 9])))
assert status == -14 and "w_run: expected values that lead to a recorded way, got another answer at" in text, text
""", tmp_path)


def test_data_that_fails_ends_a_loop(tmp_path):
    run(HELPERS + """
import time
f = lambda x, i, n: kn.fori_loop(0, n, lambda k, s: s + x[i + k % 2], kn.zeros_like(x[0]))
lib = check(export(f, x, np.int64(1), np.int64(9)), f, x, np.int64(1), np.int64(9))
start = time.monotonic()
status, text = refusal(lambda: lib(x, 12, 1 << 40))
assert status > 0 and text == "f_run: expected data that it can compute with: an index in the data is out of range" and time.monotonic() - start < 60, text
f = lambda x, i: kn.while_loop(lambda s: kn.sum(s) > -1e30, lambda s: kn.abs(s) + kn.abs(x[i]), x[0])
lib = DeviceLibrary(export(f, kn.abs(x), np.int64(1), name="g"), lib.gpu)
assert refusal(lambda: lib(x, 12))[0] > 0
def write(state, i, n):
    def body(k, s):
        return s.at[i + k].add(1)
    state[:] = kn.fori_loop(0, n, body, state)
lib = DeviceLibrary(export(write, y, np.int64(1), np.int64(3), name="h"), lib.gpu)
state = y.copy()
assert refusal(lambda: lib(state, 11, 3))[0] > 0 and state.tobytes() == y.tobytes(), "as before"
lib(state, 9, 3)
assert np.allclose(state - y, np.arange(12) >= 9)
""", tmp_path)


def test_what_waits(tmp_path):
    """A loop whose trips are known waits for nothing, and can be captured; one that is asked for its end cannot."""
    run(HELPERS + """
def captured(lib, *arguments):
    graph = ctypes.c_void_p()
    gpu("cuStreamBeginCapture_v2", gpu.stream, 0)
    try:
        lib.raw("run", arguments, workspace=space, workspace_bytes=1 << 16)
    finally:
        gpu("cuStreamEndCapture", gpu.stream, ctypes.byref(graph))
gpu = Gpu()
space, a, b = gpu.empty(1 << 16), gpu.array(x), gpu.empty(x.nbytes)
fixed = DeviceLibrary(export(lambda x: kn.fori_loop(0, 7, lambda i, s: s * 0.5 + i, x), x), gpu)
captured(fixed, a, b)
given = DeviceLibrary(export(lambda x, n: kn.fori_loop(0, n, lambda i, s: s * 0.5 + i, x), x, np.int64(3), name="h"), gpu)
captured(given, a, 9, b)
asked = DeviceLibrary(export(lambda x: kn.while_loop(lambda s: kn.sum(s) < 100, lambda s: s * 1.5 + 1, x), x, name="g"), gpu)
status, text = refusal(lambda: captured(asked, a, b))
assert status == -18 and text == "g_run: a loop or branch: expected work that succeeds, got CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED (operation not permitted when stream is capturing)", text
""", tmp_path)


def test_threads(tmp_path):
    run(HELPERS + """
f = lambda x: kn.while_loop(lambda s: kn.sum(s) < 1e3, lambda s: s * 1.5 + 1, kn.abs(x))
lib = DeviceLibrary(export(f, x), Gpu())
inputs = [x * np.float32(k) for k in range(6)]
want, failed = [np.asarray(kn.jit(f)(a)).tobytes() for a in inputs], []
def work(k):
    mine = DeviceLibrary.__new__(DeviceLibrary)
    mine.__dict__.update(lib.__dict__)
    mine.gpu = Gpu()  # a stream of its own
    for _ in range(5):
        if mine(inputs[k]).tobytes() != want[k]: failed.append(k)
threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
for t in threads: t.start()
for t in threads: t.join()
assert not failed, failed
""", tmp_path, KILN_STUB_SLOW="50")


def test_what_is_refused(tmp_path):
    options = {"to": tmp_path / "libs.so", "target": "nvptx64-nvidia-cuda", "input_names": ["x"], "dynamic": {"x": {0: "n"}}}
    for kind, f in (("sort", lambda x: kn.sort(x, axis=0)), ("control", lambda x: kn.while_loop(lambda s: kn.sum(s) < 9, lambda s: s + 1, x))):
        with pytest.raises(kn.CompileError, match=f"expected sizes that are known in a kernel of the kind '{kind}', got a program for any size"):
            kn.export(f, kn.ones((3, 4)), **options)
    def nested(depth, values):
        return kn.fori_loop(0, 2, lambda i, v: nested(depth - 1, v), values) if depth else [v + 1 for v in values]
    with pytest.raises(kn.CompileError, match="library: run: expected loops with at most 8192 arrays in all that are nested, got"):
        kn.export(lambda x: nested(12, [x * k for k in range(200)]), kn.ones(3), to=tmp_path / "libs.so", target="nvptx64-nvidia-cuda")
