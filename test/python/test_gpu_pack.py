"""Eager kernels of GPUs that are made at build time, on the stand-in of the driver: no operation of theirs opens the compiler, and files that are damaged or
of another build are left alone."""
import os
import pathlib
import struct
import subprocess
import sys
import zlib

import pytest

import gpu_fuzz

HERE = pathlib.Path(__file__).parent
PACK = gpu_fuzz.BUILD / "lib/kiln_pack_nvptx-sim.plans"
HEADER = struct.Struct("<QIIQQQQ")  # magic, version, checksum, bytes of the name, entries, words, bytes of plans


def run(*arguments, **environment):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=600, cwd=HERE, env=gpu_fuzz.stub_environment(KILN_JIT="off", **environment))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize("part", range(4))
def test_every_operation_is_in_the_pack_and_gives_the_bits_of_the_cpu(part):
    sample = 1 if os.environ.get("KILN_SOAK") else 3  # one of so many dtypes of each operation
    out, _ = run("gpu_pack.py", str(part), "4", str(sample))
    assert "checks" in out


PROGRAM = """
import gpu_fuzz; gpu_fuzz.load_simulator()
import kiln as kn
x = kn.arange(6, dtype="float32", device="cuda:0")
assert (x + x).tolist() == [0, 2, 4, 6, 8, 10] and kn.sum(x).tolist() == 15
print(kn._core.compiler_is_open(), kn._core.describe_device("cuda:0"))
"""


def test_a_process_finds_it():
    out, said = run("-c", PROGRAM, KILN_LOG="cache")
    assert out.startswith("False") and "kernels of the installation" in out and "no kernels" not in out and not said


def test_code_from_the_pack_is_kept_assembled(tmp_path):
    for _ in range(2):
        out, _ = run("-c", PROGRAM, KILN_CACHE="1", KILN_CACHE_DIR=str(tmp_path))
        assert out.startswith("False") and len(list(tmp_path.glob("*.so"))) == 3  # a range, a sum of two, and that of all
    out, _ = run("-c", PROGRAM, KILN_GPU_PACK="0", KILN_CACHE="1", KILN_CACHE_DIR=str(tmp_path))
    assert out.startswith("True") and "KILN_GPU_PACK is 0" in out


def with_header(data, **fields):
    names = ("magic", "version", "check", "name", "entries", "words", "plans")
    header = {**dict(zip(names, HEADER.unpack_from(data), strict=True)), **fields}
    return HEADER.pack(*(header[name] for name in names)) + data[HEADER.size:]


def of_another_build(data):
    head = HEADER.unpack_from(data)
    renamed = data[:HEADER.size] + b"0" * 32 + data[HEADER.size + 32:]
    return with_header(renamed, check=zlib.crc32(renamed[HEADER.size:len(data) - head[6]]))


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


DAMAGE = {
    "short": (lambda data: data[:20], "expected a header, got 20 bytes"), "cut": (lambda data: data[:-1], "expected as many bytes as it says"),
    "other": (lambda data: b"\x7fELF" + data[4:], "expected one of version 1, got another"), "later": (lambda data: with_header(data, version=2), "expected one of version 1, got another"),
    "index": (lambda data: flipped(data, HEADER.size + 100), "expected a checksum of"), "huge": (lambda data: with_header(data, entries=2**60), "expected as many bytes as it says"),
    "build": (of_another_build, "expected one of the build and target"), "target": (lambda data: (gpu_fuzz.BUILD / "lib/kiln_pack_nvptx.plans").read_bytes(), "expected one of the build and target"),
    "plans": (lambda data: data[:len(data) - HEADER.unpack_from(data)[6]] + bytes(HEADER.unpack_from(data)[6]), "bytes, got what does not unfold to it"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_file_that_is_damaged_or_foreign_is_left_alone(name, tmp_path):
    damage, sentence = DAMAGE[name]
    file = tmp_path / "pack"
    file.write_bytes(damage(PACK.read_bytes()))
    out, said = run("-c", PROGRAM, KILN_GPU_PACK=str(file), KILN_LOG="cache")
    assert out.startswith("True") and said.startswith("kiln cache: ") and sentence in said, said  # negative


def test_a_file_that_is_not_there():
    out, said = run("-c", PROGRAM, KILN_GPU_PACK="/nowhere", KILN_LOG="cache")
    assert out.startswith("True") and "there is no /nowhere" in out and "no kernels of the installation for 'cuda:0': there is no /nowhere" in said  # negative
    assert not run("-c", PROGRAM, KILN_GPU_PACK="/nowhere")[1]
