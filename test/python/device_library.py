"""Programs that export libraries for a GPU and call them, each in a process whose GPU is the stand-in (docs/gpu.md)."""
import pathlib
import subprocess
import sys

import gpu_fuzz

HERE = pathlib.Path(__file__).parent
START = """
import sys; sys.path.insert(0, {here!r})
import gpu_fuzz; gpu_fuzz.load_simulator()
import ctypes, json, pathlib, threading
import numpy as np, kiln as kn
from native import Failure
from native_device import DeviceLibrary, Gpu
folder = pathlib.Path({folder!r})
kn.set_default_device("cpu")
r = np.random.default_rng(3)
def export(f, *args, name="f", **options):
    path = folder / f"lib{{name}}.so"
    kn.export(f, *args, to=path, header=folder / f"{{name}}.h", name=name, target="nvptx-sim", **options)
    return path
def check(path, f, *args, **sizes):
    '''That a library gives the bits of the CPU.'''
    lib = DeviceLibrary(path, Gpu())
    want, got = kn.jit(f)(*[kn.asarray(a) if isinstance(a, np.ndarray) else a for a in args]), lib(*args, **sizes)
    want, got = (x if isinstance(x, (tuple, list)) else [x] for x in (want, got))
    for a, b in zip(got, map(np.asarray, want), strict=True):
        a = a.reshape(-1)[:b.size]  # it may have had room for more, where variants differ
        assert a.tobytes() == b.tobytes(), (args, a, b)
    return lib
def refusal(action):
    try:
        action()
    except Failure as failure:
        return failure.status, str(failure)
    raise AssertionError("not refused")
w = kn.asarray(r.standard_normal((40, 30), dtype="f4"))
v = r.standard_normal((20, 40), dtype="f4")
def scores(x, scale):
    return kn.nn.softmax(x @ w * scale, axis=-1), kn.sum(x, axis=0)
def steps(state, x):
    state += x
    return kn.sum(state)
def pick(x, i):
    return x[i] * 2
"""


def run(program, folder, **environment):
    done = subprocess.run([sys.executable, "-c", START.format(here=str(HERE), folder=str(folder)) + program], capture_output=True, text=True, timeout=300,
                          env=gpu_fuzz.stub_environment(**environment))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
