"""The disk cache and processes: a second process compiles nothing and maps no LLVM; damaged entries are rebuilt."""
import os
import pathlib
import subprocess
import sys

import pytest

PROGRAM = """
import sys, time
import numpy as np, kiln as kn
@kn.jit
def f(x, y): return kn.tanh(x) * y + kn.sum(x)
x, y = kn.asarray(np.arange(64, dtype=np.float32)), kn.asarray(np.ones(64, np.float32))
start = time.perf_counter()
r = f(x, y)
took = 1e3 * (time.perf_counter() - start)
maps = open("/proc/self/maps").read()
print(f.stats.compiles, f.stats.cache_hits, int("libLLVM" in maps or "libMLIR" in maps), f"{took:.2f}", r.sum().item())
"""


def run(folder, **environment):
    env = {**os.environ, "KILN_CACHE_DIR": str(folder), **environment}
    result = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    compiles, hits, llvm, took, value = result.stdout.split()
    return int(compiles), int(hits), int(llvm), float(took), float(value)


def test_second_process_finds_the_code(tmp_path):
    first = run(tmp_path / "c")
    assert first[:3] == (1, 0, 1)
    again = [run(tmp_path / "c") for _ in range(3)]
    assert all(r[:3] == (0, 1, 0) and r[4] == first[4] for r in again)
    assert min(r[3] for r in again) < 5, "a first result from the cache takes about a millisecond"
    folder = tmp_path / "c"
    assert folder.stat().st_mode & 0o777 == 0o700 and len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "footer", "key"])
def test_damaged_entries_are_rebuilt(tmp_path, damage):
    want = run(tmp_path)
    entry, = tmp_path.iterdir()
    data = bytearray(entry.read_bytes())
    if damage == "truncate":
        data = data[:len(data) // 2]
    elif damage == "empty":
        data = b""
    else:
        at = {"flip": 1000, "footer": len(data) - 5, "key": len(data) - 60}[damage]
        data[at] ^= 0xff
    entry.write_bytes(data)
    assert run(tmp_path)[:2] == (1, 0), "compiled anew"
    assert run(tmp_path)[:2] == (0, 1) and run(tmp_path)[4] == want[4]


def test_without_a_cache(tmp_path):
    assert run(tmp_path, KILN_CACHE="0")[:2] == (1, 0) and not list(tmp_path.iterdir())
    file = tmp_path / "file"
    file.write_text("no folder")
    assert run(file / "below")[:2] == (1, 0), "no folder can be made: compiled in memory"


def test_two_processes_at_once(tmp_path):
    env = {**os.environ, "KILN_CACHE_DIR": str(tmp_path)}
    both = [subprocess.Popen([sys.executable, "-c", PROGRAM], env=env, stdout=subprocess.PIPE) for _ in range(2)]
    assert [p.wait() for p in both] == [0, 0]
    [p.stdout.close() for p in both]
    assert len(list(tmp_path.iterdir())) == 1


def test_dump_dir(tmp_path):
    run(tmp_path / "c", KILN_DUMP_DIR=str(tmp_path / "dump"))
    assert "kiln.kernel" in (tmp_path / "dump/kernels.mlir").read_text()


def test_missing_installation_parts(tmp_path):
    """A library of another version, or none, is named in the error."""
    code = ("import kiln as kn; from kiln import _core\n"
            "import kiln._errors as e\n"
            "side = dict(raise_=0)\n"
            "d = {'raise': e.make, 'repr': 0, 'leave': e.Leave, 'analyze': kn._capture.analyze, 'note': 0, 'where': e.where, 'flatten': None, 'unflatten': None, 'leaked': 0,"
            f" 'dtypes': kn._dtypes.ALL, 'folder': kn._folder, 'libraries': {str(tmp_path)!r}}}\n"
            "_core.set_python_side(d)\n")
    for statement, what in (("kn.jit(lambda x: x + 1)(kn._core.asarray([1.0], None, None))", "compiler: expected the library of the installation"),
                            ("kn.ones(2) + 1", "eager kernels: expected the pack of the installation")):
        result = subprocess.run([sys.executable, "-c", code + statement], env={**os.environ, "KILN_CACHE": "0"}, capture_output=True, text=True)
        assert result.returncode and "PackageError" in result.stderr and what in result.stderr  # negative
    pathlib.Path(tmp_path / "libkiln_compiler.so").write_bytes(b"not a library")
    result = subprocess.run([sys.executable, "-c", code + "kn.jit(lambda x: x + 1)(kn._core.asarray([1.0], None, None))"], env={**os.environ, "KILN_CACHE": "0"}, capture_output=True, text=True)
    assert "PackageError" in result.stderr  # negative


def test_signals_are_left_alone():
    code = ("import signal, kiln as kn, re\n"
            "def caught(): return re.search(r'SigCgt:\\s*(\\w+)', open('/proc/self/status').read()).group(1)\n"
            "before = caught(); kn.jit(lambda x: x * 3 + 1)(kn.ones(7)); assert kn._core.compiler_is_open(); assert caught() == before, (before, caught())")
    result = subprocess.run([sys.executable, "-c", code], env={**os.environ, "KILN_CACHE": "0"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
