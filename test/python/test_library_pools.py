"""Loops of libraries in threads: of their caller, of pools of their own; and many libraries in one process."""
import ctypes
import os
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import kiln as kn
from native import Failure, Library

HERE = pathlib.Path(__file__).parent


def test_loops_in_threads_of_the_caller(tmp_path):
    def f(x):
        return kn.tanh(x @ x)

    x = np.random.default_rng(0).random((512, 512), dtype=np.float32)
    kn.export(f, x, to=tmp_path / "libf.so", cpu="native")
    task_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    calls = []

    @ctypes.CFUNCTYPE(None, task_type, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    def parallel_for(task, context, scratch, scratch_bytes, count, grain):
        middle = count // 2
        memory = np.zeros(scratch_bytes + 64, np.uint8)
        other = threading.Thread(target=task, args=(context, memory.ctypes.data + -memory.ctypes.data % 64, middle, count))
        other.start()
        task(context, scratch, 0, middle)
        other.join()
        calls.append(count)

    library = Library(tmp_path / "libf.so", parallel_for=parallel_for)
    assert library(x).tobytes() == np.asarray(kn.jit(f)(kn.asarray(x))).tobytes()
    assert calls


def threads_now():
    return len(os.listdir("/proc/self/task"))


def test_loops_in_threads_of_the_library(tmp_path):
    """Of one call at a time; from many threads, in the child of a fork, over opening and closing."""
    def f(x):
        return kn.tanh(x @ x) + kn.sum(x, axis=0)

    x = np.random.default_rng(0).random((512, 512), dtype=np.float32)
    kn.export(f, x, to=tmp_path / "libf.so", cpu="native")
    wanted, before, wrong = Library(tmp_path / "libf.so")(x).tobytes(), threads_now(), []
    library, other = Library(tmp_path / "libf.so", threads=3), Library(tmp_path / "libf.so", threads=2)
    assert threads_now() > before

    def work():
        for i in range(20):
            wrong.extend([] if (other if i % 3 else library)(x).tobytes() == wanted else [i])
    callers = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in callers]
    [t.join() for t in callers]
    assert not wrong
    child = os.fork()
    if not child:
        os._exit(0 if library(x).tobytes() == wanted and library.close() is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    library.close(), other.close()
    assert threads_now() <= before  # others of the process may have ended
    for _ in range(50):
        library = Library(tmp_path / "libf.so", threads=4)
        library(x[:] * 1)
        library.close()
    assert threads_now() <= before  # others of the process may have ended


def test_threads_wake_beside_the_caller(tmp_path):
    x = np.random.default_rng(0).random((512, 512), dtype=np.float32)
    kn.export(lambda x: kn.tanh(x @ x), x, to=tmp_path / "libf.so", cpu="native")
    library, before = Library(tmp_path / "libf.so", threads=1), set(os.listdir("/proc/self/task"))
    wanted, library = library(x).tobytes(), Library(tmp_path / "libf.so", threads=2)
    for _ in range(5):
        time.sleep(0.01)
        assert library(x).tobytes() == wanted
    started, all_processors = set(os.listdir("/proc/self/task")) - before, os.sched_getaffinity(0)
    masks = [os.sched_getaffinity(int(thread)) for thread in started]
    assert any(len(mask) == max(len(all_processors) - 1, 1) for mask in masks), masks
    assert os.sched_getaffinity(0) == all_processors


def test_threads_that_a_library_is_made_with(tmp_path):
    kn.export(lambda x: kn.exp(x) + 1, np.ones((512, 512), np.float32), to=tmp_path / "f.kiln", name="f")
    kn._core.make_library(str(tmp_path / "f.kiln"), str(tmp_path / "libf.so"), {"name": "f", "cpu": "native", "threads": "3"})
    x, before = np.random.default_rng(0).random((512, 512), dtype=np.float32), threads_now()
    library = Library(tmp_path / "libf.so")
    assert library.signature["threads"] == 3 and threads_now() > before
    alone = Library(tmp_path / "libf.so", threads=1)
    assert library(x).tobytes() == alone(x).tobytes()
    library.close(), alone.close()
    with pytest.raises(ValueError, match="library: threads: expected 1 to 1024, got -1"):
        kn._core.make_library(str(tmp_path / "f.kiln"), str(tmp_path / "libg.so"), {"threads": "-1"})


def test_how_many_threads_there_may_be(tmp_path):
    kn.export(lambda x: x + 1, np.zeros(3, np.float32), to=tmp_path / "libf.so")
    for count in (-1, 1025):
        with pytest.raises(Failure, match=f"f: options: threads: expected 0 to 1024, got {count}"):
            Library(tmp_path / "libf.so", threads=count)

    @ctypes.CFUNCTYPE(None)
    def parallel_for():
        pass
    with pytest.raises(Failure, match="f: options: threads: expected 0 to 1 beside parallel_for, got 2"):
        Library(tmp_path / "libf.so", threads=2, parallel_for=parallel_for)
    code = f"""
import resource, sys
sys.path.insert(0, {str(HERE)!r})
from native import Library, Failure
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (40 << 20), resource.RLIM_INFINITY))
try:
    Library({str(tmp_path / 'libf.so')!r}, threads=1000)
except Failure as failure:
    print(failure)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "f: options: threads: expected a system that starts 999, got fewer\n"


def test_many_libraries_in_one_process(tmp_path):
    """More than the memory of threads that a process is begun with has room for: with pools, with routines that keep what a call took, as code in packages."""
    x = np.random.default_rng(0).random(64, dtype=np.float32)
    functions = {"pool": lambda x: kn.tanh(x) * 2, "routine": lambda x: kn.abs(kn.fft.rfft(x))}
    for name, f in functions.items():
        kn.export(f, x, to=tmp_path / f"lib{name}.so", name=name)
        kn.export(f, x, to=tmp_path / f"{name}.kiln", name=name, target="x86_64-linux-gnu")
    code = f"""
import pathlib, shutil, sys
import numpy as np
sys.path.insert(0, {str(HERE)!r})
import kiln as kn
from native import Library
folder, x, opened = pathlib.Path({str(tmp_path)!r}), np.random.default_rng(0).random(64, dtype=np.float32), []
for name, threads in (("pool", 2), ("routine", 0)):
    wanted = kn.load(folder / f"{{name}}.kiln")(x).tobytes()
    for i in range(150):
        (folder / str(i)).mkdir(exist_ok=True)
        opened += [Library(shutil.copy(folder / f"lib{{name}}.so", folder / str(i)), threads=threads), kn.load(folder / f"{{name}}.kiln", native=True)]
        assert all(np.asarray(f(x)).tobytes() == wanted for f in opened[-2:])
print(len(opened))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "600\n", done.stderr
