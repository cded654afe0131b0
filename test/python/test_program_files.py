"""Programs in files: portable bytes, MLIR text and bytecode, and what is refused."""
import pathlib
import struct
import subprocess

import numpy as np
import pytest

import kiln as kn
from programs import Writer, make_input

TOOLS = pathlib.Path(kn._core.__file__).parents[2] / "bin"


def recorded(seed):
    rng = np.random.default_rng(seed)
    writer = Writer(rng)
    scope = {"kn": kn}
    exec(writer.text(12), scope)
    return kn.jit(scope["program"]).lower(*(make_input(rng, *writer.vars[n]) for n in writer.inputs))


@pytest.mark.parametrize("seed", range(40))
def test_round_trips(seed):
    lowered = recorded(seed)
    words = lowered._words
    assert kn._core.unpack_program(lowered.to_bytes()) == words
    assert kn._core.parse_ir(lowered.ir("kiln").encode()) == words


def test_bytecode_round_trips():
    lowered = recorded(3)
    bytecode = subprocess.run([TOOLS / "kiln-opt", "-", "--emit-bytecode"], input=lowered.ir("kiln").encode(), capture_output=True, check=True).stdout
    assert bytecode[:4] == b"ML\xefR" and kn._core.parse_ir(bytecode) == lowered._words


PROGRAM = kn.jit(lambda x: kn.astype(x + 1.5, kn.int32)[::2]).lower(kn.ones(5)).to_bytes()


def renamed(old, new):
    return PROGRAM.replace(struct.pack("<q", len(old)) + old, struct.pack("<q", len(new)) + new)


def with_version(version):
    name = struct.pack("<q", 3) + b"add"
    return PROGRAM.replace(name + struct.pack("<q", 1), name + struct.pack("<q", version))


@pytest.mark.parametrize("data, message", [
    (b"", "a program of Kiln"), (b"KILNPROG", "more bytes"), (PROGRAM[:-3], "more bytes|counts within"), (PROGRAM + b"1", "the end behind the outputs"), (PROGRAM[:8] + struct.pack("<q", 9) + PROGRAM[16:], "format 1, got 9"),
    (renamed(b"add", b"adds"), "ops that this version knows, got 'adds'"), (renamed(b"float32", b"float99"), "dtypes that this version knows, got 'float99'"), (with_version(2), "version 1 of add, got 2"),
    (with_version(0), "version 1 of add, got 0"), (renamed(b"float32", b"bool"), "expected ops that fit together|a real one")])
def test_what_is_no_program_is_refused(data, message):
    with pytest.raises(kn.PackageError, match=message):  # negative
        kn._core.unpack_program(data)


def test_mutated_programs_are_read_or_refused():
    """Every byte changed and every length cut: never a crash, never a trace that does not serialize again."""
    rng = np.random.default_rng(0)
    for at in range(len(PROGRAM)):
        for data in (PROGRAM[:at], PROGRAM[:at] + bytes([PROGRAM[at] ^ int(rng.integers(1, 256))]) + PROGRAM[at + 1:]):
            try:
                assert kn._core.pack_program(kn._core.unpack_program(data))
            except kn.PackageError:
                pass


def test_text_that_is_no_program_is_refused():
    with pytest.raises(kn.CompileError, match="expected a module of kiln ops"):
        kn._core.parse_ir(b"func.func @f(")
    with pytest.raises(kn.CompileError, match="a module without one"):
        kn._core.parse_ir(b"module {}")
    with pytest.raises(kn.CompileError, match="expected only operations of the kiln dialect"):
        kn._core.parse_ir(b"func.func @f() -> i32 { %0 = arith.constant 1 : i32 return %0 : i32 }")


def test_the_interpreter_reports_indices():
    lowered = kn.jit(lambda x, i: kn.take(x, i, axis=0)).lower(kn.ones(3), kn.asarray([1]))
    with pytest.raises(kn.IndexError, match="expected positions inside, got one outside"):
        kn._core.interpret(lowered._words, (kn.ones(3), kn.asarray([7])))
