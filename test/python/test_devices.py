"""Devices: names, defaults, and programs on a second device that the tests add in a process of their own (test/plugin/TestDevice.cpp)."""
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest

import kiln as kn

START = """
import ctypes, numpy as np, kiln as kn
device = ctypes.CDLL({library!r})
device.kiln_test_add_device()
def copies():
    return device.kiln_test_copies_in(), device.kiln_test_copies_out()
def refusal(action, error=kn.DeviceError):
    try:
        action()
    except error as e:
        return str(e)
    raise AssertionError("not refused")
host = kn.asarray([[3.0, 1.0, 2.0], [0.5, 4.0, -1.0]])
x = host.to_device("dummy:0")
assert x.device == "dummy:0" and host.device == "cpu"
"""


def run(program, **environment):
    start = START.format(library=str(pathlib.Path(kn._libraries).resolve() / "libkiln_test_device.so"))
    done = subprocess.run([sys.executable, "-c", start + program], capture_output=True, text=True, timeout=300, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_names():
    x = kn.ones(3)
    assert kn.devices() == ("cpu",) and kn.default_device() == "cpu" and x.device == "cpu" and x.to_device("cpu") is x and x.to_device("cpu:0") is x
    kn.set_default_device("cpu")
    with kn.device("cpu") as scope, scope:
        assert kn.zeros(2, device="cpu").device == "cpu" and repr(scope) == "kn.device('cpu')"
    assert "device" not in repr(x) and kn.asarray([1], device="cpu", copy=None).device == "cpu"


@pytest.mark.parametrize("action", [
    lambda: kn.device("cuda:3"), lambda: kn.set_default_device("cuda:3"), lambda: kn.ones(2).to_device("cuda:3"), lambda: kn.ones(2, device="cuda:3"),
    lambda: kn.asarray([1], device="cuda:3"), lambda: kn.arange(3, device="cuda:3"), lambda: kn.eye(3, device="cuda:3"), lambda: kn.linspace(0, 1, 3, device="cuda:3"),
    lambda: kn.astype(kn.ones(1), kn.int8, device="cuda:3"), lambda: kn.from_dlpack(kn.ones(1), device="cuda:3")])
def test_others_are_refused(action):
    with pytest.raises(kn.DeviceError, match="device: expected 'cpu', got 'cuda:3'"):
        action()


def test_names_are_texts():
    for action in (lambda: kn.device(0), lambda: kn.ones(2).to_device(None), lambda: kn.zeros(2, device=1)):
        with pytest.raises(kn.DeviceError, match="device: name: expected a str"):
            action()
    with pytest.raises(kn.DeviceError, match="to_device: stream: expected None, got 1"):
        kn.ones(2).to_device("cpu", stream=1)


def test_scopes_are_of_a_thread():
    run("""
import threading
seen = []
def look():
    seen.append(kn.zeros(1).device)
with kn.device("dummy"):
    assert kn.default_device() == "dummy:0"
    t = threading.Thread(target=look); t.start(); t.join()
    with kn.device("cpu"):
        look()
    look()
look()
kn.set_default_device("dummy:0")
t = threading.Thread(target=look); t.start(); t.join()
look()
assert seen == ["cpu", "cpu", "dummy:0", "cpu", "dummy:0", "dummy:0"], seen
assert kn.__array_namespace_info__().default_device() == "dummy:0" and kn.devices() == ("cpu", "dummy:0")
""")


def test_values_come_to_the_host():
    run("""
assert x.tolist() == host.tolist() and float(x[0, 0]) == 3 and x[1].tolist() == host[1].tolist() and bool(x.any()) and int(x.argmax()) == 4
assert np.asarray(x).tolist() == host.tolist() and x.numpy().tolist() == host.tolist() and np.from_dlpack(x).tolist() == host.tolist()
assert str(x) == str(host) and repr(x) == repr(host)[:-1] + ", device='dummy:0')" and f"{x[0, 1]:.2f}" == "1.00" and "device" in x._repr_html_()
import pickle
assert pickle.loads(pickle.dumps(x)).tolist() == host.tolist() and kn.from_dlpack(x) is x
assert "expected one of the CPU, got one of 'dummy:0'" in refusal(lambda: memoryview(x), BufferError)
assert kn.asarray(x, device="cpu").device == "cpu" and kn.asarray(host, device="dummy").device == "dummy:0"
assert "copy: expected True or None" in refusal(lambda: kn.asarray(x, device="cpu", copy=False), ValueError)
before = copies()
y = x
for _ in range(10):
    y = (y * 2 + x).T.reshape(2, 3) - 1
    y[0] = 5
    y[:, [0, 2]] += 1
moved = copies()
assert moved[1] == before[1], "nothing comes back"
assert kn.zeros_like(x).device == "dummy:0" and kn.full_like(x, 3).device == "dummy:0" and (x + np.ones(3, np.float32)).device == "dummy:0"
""")


def test_mixtures():
    run("""
for action in (lambda: x + host, lambda: host @ x.T, lambda: kn.where(x > 0, host, x), lambda: kn.concat((x, host)), lambda: x.__setitem__(0, host[0])):
    text = refusal(action)
    assert "expected arrays of one device (x.to_device('dummy:0') moves one), got some of" in text and "'cpu'" in text, text
assert "x.to_device('cpu')" in refusal(lambda: host.__setitem__(0, x[0]))
f = kn.jit(lambda a, b: a + b)
assert "expected arrays of one device" in refusal(lambda: f(x, host))
assert (x + kn.asarray(2.0)).device == "dummy:0" and (x[0] + np.ones(3)).device == "dummy:0" and (x * np.float32(2)).device == "dummy:0"
x[0] = np.zeros(3)
x[1, 1] = kn.asarray(7)
x[x < 0] = 1
assert x.tolist() == [[0, 0, 0], [0.5, 7, 1]]
""")


@pytest.mark.parametrize("jit", ["auto", "sync"])
def test_jitted_functions(jit):
    run("""
import os
@kn.jit
def f(a, w):
    h = kn.tanh(a @ w) * 2 + kn.arange(3) + kn.zeros(3, device=a.device)
    a[0] = h[0]
    return h, a.sum(axis=1), kn.softmax(h)
def both(device):
    a, w = kn.asarray(host, copy=True, device=device), (kn.eye(3) * 2 + 1).to_device(device)
    with kn.device(device):
        for _ in range(5):
            results = f(a, w)
    assert all(r.device == device for r in results), device
    return [r.tolist() for r in results] + [a.tolist()]
eager = [kn.disable_jit, None]
on_cpu, on_dummy = both("cpu"), both("dummy:0")
with kn.disable_jit():
    assert both("dummy:0") == on_dummy
assert on_cpu == on_dummy, (on_cpu, on_dummy)
assert f.stats.segments == 2 and f.stats.misses == 2, f.stats
assert "one by one: no code is made for 'dummy:0', where it works" in str(f.explain())
g = kn.jit(lambda: kn.ones(3) + 1)
assert g().device == "cpu"
with kn.device("dummy:0"):
    assert g().device == "dummy:0" and g().device == "dummy:0" and g().tolist() == [2, 2, 2]
assert g().device == "cpu"
@kn.jit
def fill(a):
    a[...] = 3.0
    return a[0] + 1
a = host.to_device("dummy:0")
for _ in range(3):
    a[...] = 0
    assert fill(a).tolist() == [4, 4, 4] and a.tolist() == [[3, 3, 3], [3, 3, 3]] and a.device == "dummy:0"
h = kn.jit(lambda a: a.to_device("cpu") + 1)
assert h(x).device == "cpu" and h(x).tolist() == (host + 1).tolist()
assert "moved to another device" in str(h.explain())
before = copies()
k = kn.jit(lambda a: (a * 2 + 1) @ a.T)
for _ in range(4):
    k(x)
assert copies() == before, "no call copies"
if jit == "sync":
    refusal(lambda: k.lower(x).ir("fused"))
""".replace("import os\n", f"jit = {jit!r}\n"), KILN_JIT=jit)


def test_functions_of_the_package():
    """What is made of several operations keeps to the device of its arguments."""
    run("""
v = x.reshape(-1)
functions = [
    lambda x: kn.pad(x, 1), lambda x: kn.roll(x, 1, axis=0), lambda x: kn.median(x), lambda x: kn.percentile(x, 30), lambda x: kn.repeat(x, 2, axis=0),
    lambda x: kn.tile(x, (2, 1)), lambda x: kn.flip(x), lambda x: kn.tril(x), lambda x: kn.diff(x), lambda x: kn.linalg.norm(x), lambda x: kn.linalg.svdvals(x),
    lambda x: kn.linalg.inv(x[:, :2]), lambda x: kn.fft.fft(x), lambda x: kn.fft.irfft(x), lambda x: kn.var(x, axis=0), lambda x: kn.take(x, [0, 2], axis=1),
    lambda x: kn.sort(x, descending=True), lambda x: kn.cumulative_sum(x, axis=0, include_initial=True), lambda x: kn.unique_values(x), lambda x: kn.nonzero(x > 1)[0],
    lambda x: kn.outer(x[0], x[1]), lambda x: kn.logsumexp(x, axis=1), lambda x: kn.diag(x[0]), lambda x: x ** 3, lambda x: 2 / x, lambda x: kn.clip(x, 0, 1),
    lambda x: kn.stack((x, x)), lambda x: kn.gelu(x), lambda x: x.astype(kn.float16).sum(), lambda x: x[kn.asarray([0, 1], device=x.device)], lambda x: x[[1]],
    lambda x: x.at[0].add(1.5), lambda x: kn.searchsorted(kn.sort(x[0]), x[1]), lambda x: (x + 1j * x).imag, lambda x: kn.linalg.det(x[:, :2]), lambda x: kn.isin(x, x[0]),
    lambda x: kn.polyval(x[0], x), lambda x: kn.polyfit(x[0], x[1] + x[0], 1), lambda x: kn.polyder(x[0]), lambda x: kn.polyint(x[0]), lambda x: kn.polymul(x[0], x[1][:2]),
    lambda x: kn.polyadd(x[0], x[1][:2]), lambda x: kn.real(kn.roots(x[0] + 1)), lambda x: kn.poly(x[0]), lambda x: kn.convolve(x[0], x[1]), lambda x: kn.gradient(x, axis=1),
    lambda x: kn.correlate(x[0], x[1], 'same'), lambda x: kn.vander(x[0]), lambda x: kn.sliding_window_view(x, 2, 1)]
for f in functions:
    here, there = f(host), f(x)
    code = f.__code__.co_firstlineno, f.__code__.co_consts, f.__code__.co_names
    assert there.device == "dummy:0", code
    assert kn._core.to_bytes(there) == kn._core.to_bytes(here), code
    assert kn._core.to_bytes(kn.jit(f)(x)) == kn._core.to_bytes(here), code
""")


def test_written_out_operands_alone_are_loose():
    """The memory of one that has gone is that of an array like any other."""
    run("""
for _ in range(3):
    assert kn.take(x, [0, 2], axis=1).device == "dummy:0" and kn.take(host, [0, 2], axis=1).device == "cpu"
    made = [kn.asarray([0.0, 1.0, 2.0]) + 1 for _ in range(20)]
    for a in made:
        refusal(lambda: x + a)
""")
