"""The disk cache and processes: a second process compiles nothing and maps no LLVM; damaged entries are rebuilt."""
import os
import pathlib
import subprocess
import sys

import pytest

import kiln as kn

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
    packs = tmp_path / "packs"
    packs.mkdir()
    for pack in pathlib.Path(kn._libraries).glob("libkiln_pack*"):
        (packs / pack.name).symlink_to(pack)

    def run(statement, libraries):
        code = f"import kiln as kn; kn._core.set_python_side({{**kn._python_side, 'libraries': {str(libraries)!r}}}); {statement}"
        return subprocess.run([sys.executable, "-c", code], env={**os.environ, "KILN_CACHE": "0"}, capture_output=True, text=True)

    for statement, libraries, what in (("kn.jit(lambda x: x + 1)(kn.ones(1))", packs, "compiler: expected the library of the installation"),
                                       ("kn.ones(2) + 1", tmp_path, "eager kernels: expected the pack of the installation")):
        result = run(statement, libraries)
        assert result.returncode and "PackageError" in result.stderr and what in result.stderr  # negative
    (packs / "libkiln_compiler.so").write_bytes(b"not a library")
    result = run("kn.jit(lambda x: x + 1)(kn.ones(1))", packs)
    assert "PackageError" in result.stderr  # negative


def test_signals_are_left_alone():
    code = ("import signal, kiln as kn, re\n"
            "def caught(): return int(re.search(r'SigCgt:\\s*(\\w+)', open('/proc/self/status').read()).group(1), 16) & ~(3 << 31)  # but those of libc's threads\n"
            "before = caught(); kn.jit(lambda x: x * 3 + 1)(kn.ones(7)); assert kn._core.compiler_is_open(); assert caught() == before, (before, caught())")
    result = subprocess.run([sys.executable, "-c", code], env={**os.environ, "KILN_CACHE": "0"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


PROGRAMS = """
import sys, kiln as kn
compiled = hits = 0
for k in range(int(sys.argv[1]), int(sys.argv[2])):
    f = kn.jit(lambda x: kn.tanh(x) * float(k), dynamic=False)
    f(kn.ones(8))
    compiled, hits = compiled + f.stats.compiles, hits + f.stats.cache_hits
print(compiled, hits)
"""


def run_programs(folder, first, last, **environment):
    env = {**os.environ, "KILN_CACHE_DIR": str(folder), **environment}
    result = subprocess.run([sys.executable, "-c", PROGRAMS, str(first), str(last)], env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return tuple(map(int, result.stdout.split()))


def tool(folder, *arguments):
    result = subprocess.run([sys.executable, "-m", "kiln.cache", *arguments], env={**os.environ, "KILN_CACHE_DIR": str(folder)}, capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def test_the_folder_is_kept_within_its_limit(tmp_path):
    assert run_programs(tmp_path, 0, 3) == (3, 0)
    size = max(f.stat().st_size for f in tmp_path.iterdir())
    for age, entry in enumerate(sorted(tmp_path.iterdir())):  # of different ages
        os.utime(entry, (1e9 + age, 1e9 + age))
    oldest = sorted(tmp_path.iterdir())[0].name
    assert run_programs(tmp_path, 3, 4, KILN_CACHE_LIMIT=str(3 * size)) == (1, 0)
    left = {f.name for f in tmp_path.iterdir()}
    assert oldest not in left and 1 <= len(left) <= 3
    assert run_programs(tmp_path, 3, 4) == (0, 1), "the newest is kept"
    assert run_programs(tmp_path, 10, 12, KILN_CACHE_LIMIT="0") == (2, 0) and not list(tmp_path.iterdir())


def test_entries_that_are_used_stay(tmp_path):
    run_programs(tmp_path, 0, 2)
    for entry in tmp_path.iterdir():
        os.utime(entry, (1e9, 1e9))
    run_programs(tmp_path, 0, 1)
    assert sorted(f.stat().st_mtime > 1e9 for f in tmp_path.iterdir()) == [False, True]


@pytest.mark.parametrize("limit", ["much", "-1", "1T", "5GB", "K"])
def test_a_limit_that_is_none(limit):
    out = subprocess.run([sys.executable, "-c", "import kiln"], env={**os.environ, "KILN_CACHE_LIMIT": limit}, capture_output=True, text=True)
    assert out.returncode and f"KILN_CACHE_LIMIT: bytes: expected a number, or one with K, M or G behind it, got '{limit}'" in out.stderr


def test_further_folders_are_read_and_not_written(tmp_path):
    image, own = tmp_path / "image", tmp_path / "own"
    run_programs(image, 0, 2)
    image.chmod(0o500)
    before = sorted(f.name for f in image.iterdir())
    assert run_programs(own, 0, 3, KILN_CACHE_PATH=f"/nowhere:{image}") == (1, 2)
    assert sorted(f.name for f in image.iterdir()) == before and len(list(own.iterdir())) == 1
    image.chmod(0o700)


def test_a_folder_that_everybody_may_write_to_is_left_alone(tmp_path):
    own, image = tmp_path / "own", tmp_path / "image"
    assert run_programs(own, 0, 2) == (2, 0) == run_programs(image, 0, 2)
    own.chmod(0o777)
    image.chmod(0o777)
    before = {f: f.stat().st_mtime_ns for f in own.iterdir()}
    assert run_programs(own, 0, 3, KILN_CACHE_PATH=str(image)) == (3, 0)
    assert before == {f: f.stat().st_mtime_ns for f in own.iterdir()}
    image.chmod(0o755)
    assert run_programs(own, 0, 3, KILN_CACHE_PATH=str(image)) == (1, 2)


def test_drafts_of_processes_that_are_gone(tmp_path):
    old, new = tmp_path / "a.so.1-2.tmp", tmp_path / "b.so.3-4.tmp"
    old.write_bytes(b"half"), new.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    run_programs(tmp_path, 0, 1, KILN_CACHE_LIMIT="1")
    assert not old.exists() and new.exists()


def test_a_folder_whose_files_must_not_run(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec,mode=700", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    try:
        assert run_programs(tmp_path, 0, 3, TMPDIR=str(tmp_path)) == (3, 0)
        assert run_programs(tmp_path, 0, 3) == (0, 3)
        assert run_programs(tmp_path, 0, 3, TMPDIR=str(tmp_path), KILN_CACHE="0") == (3, 0)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_the_tool(tmp_path):
    folder = tmp_path / "c"
    assert tool(folder, "list") == (0, f"{folder}: 0 entries, 0 bytes, 0 damaged\n")
    run_programs(folder, 0, 3)
    code, text = tool(folder, "list")
    assert code == 0 and text.count(" bytes  ") == 3 and "3 entries" in text
    assert tool(folder, "verify")[0] == 0
    assert tool(folder, "export", str(tmp_path / "image")) == (0, f"copied 3 entries to {tmp_path / 'image'}\n")
    assert run_programs(tmp_path / "new", 0, 3, KILN_CACHE_PATH=str(tmp_path / "image")) == (0, 3)
    first, second, _ = sorted(folder.iterdir())
    data = bytearray(first.read_bytes())
    data[100] ^= 1
    first.write_bytes(data)
    second.write_bytes(second.read_bytes()[:-1])
    code, text = tool(folder, "verify")
    assert code == 1 and first.name in text and second.name in text and "2 damaged" in text
    assert tool(folder, "clear", "--old") == (0, f"removed 2 entries of {folder}\n") and len(list(folder.iterdir())) == 1
    assert tool(folder, "clear") == (0, f"removed 1 entries of {folder}\n") and not list(folder.iterdir())
    code, text = tool(folder, "polish")
    assert code == 2 and "invalid choice" in text


def test_every_flipped_bit_and_cut_is_found(tmp_path):
    import random

    from kiln import _core
    run_programs(tmp_path, 0, 1)
    entry, = tmp_path.iterdir()
    whole, rng, copy = entry.read_bytes(), random.Random(0), tmp_path / "copy.so"
    assert _core.inspect_entry(str(entry)) == (True, True)
    for trial in range(1000):
        data = bytearray(whole)
        if trial % 2:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        else:
            del data[rng.randrange(len(data)):]
        copy.write_bytes(data)
        assert not _core.inspect_entry(str(copy))[0], trial
