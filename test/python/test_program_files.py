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


PROGRAM = kn.jit(lambda x: kn.concatenate([kn.astype(x + 1.5, kn.int32)[::2]] * 2)).lower(kn.ones(5)).to_bytes()


def renamed(old, new):
    """Another name in the table of strings, as long."""
    assert len(old) == len(new) and PROGRAM.count(old) == 1
    return PROGRAM.replace(old, new)


def with_version(version):
    """Another version of the first op: the table is a number of ops, and the name and version of each."""
    at = PROGRAM.index(b"ops" + struct.pack("<q", 1)) + 3 + 8 + 8 + 8 + 8
    assert PROGRAM[at:at + 8] == struct.pack("<q", 1)
    return PROGRAM[:at] + struct.pack("<q", version) + PROGRAM[at + 8:]


@pytest.mark.parametrize("data, message", [
    (b"", "a program of Kiln"), (b"KILNPROG", "more bytes"), (PROGRAM[:-3], "more bytes|counts within"), (PROGRAM + b"1", "the end behind the sections"), (PROGRAM[:8] + struct.pack("<q", 9) + PROGRAM[16:], "format 3, got 9"),
    (PROGRAM[:8] + struct.pack("<q", 1) + PROGRAM[16:], "format 3, got 1, which later versions do not read"),
    (renamed(b"concat", b"concut"), "ops that this version knows, got 'concut'"), (renamed(b"float32", b"float99"), "dtypes that this version knows, got 'float99'"), (with_version(2), "version 1 of constant, got 2"),
    (with_version(0), "version 1 of constant, got 0"), (renamed(b"float32", b"float16"), "expected ops that fit together, got constant: value: expected bits of float16")])
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


OPEN = """func.func @f(%x: tensor<?x3xf32, #kiln.symbols<0, -1>>) -> tensor<3xf32> attributes {kiln.symbols = 1 : i64} {
%0 = kiln.exp %x : (tensor<?x3xf32, #kiln.symbols<0, -1>>) -> tensor<?x3xf32, #kiln.symbols<0, -1>>
%1 = kiln.sum %0 {axes = array<i64: 0>} : (tensor<?x3xf32, #kiln.symbols<0, -1>>) -> tensor<3xf32>
return %1 : tensor<3xf32> }"""


def test_programs_for_any_size_round_trip():
    words = kn._core.parse_ir(OPEN.encode())
    assert kn._core.unpack_program(kn._core.pack_program(words)) == words
    assert kn._core.parse_ir(kn._core.print_ir(words, "kiln").encode()) == words


def test_trees_of_segments_are_programs():
    text = """trace.tree @f(%x: tensor<2xf32>) -> tensor<2xf32> {
%y = trace.segment(%a = %x : tensor<2xf32>) -> tensor<2xf32> {
  %e = kiln.negative %a : (tensor<2xf32>) -> tensor<2xf32>
  trace.return %e : tensor<2xf32> }
trace.return %y : tensor<2xf32> }"""
    assert kn._core.parse_ir(text.encode()) == kn.jit(lambda x: -x).lower(kn.ones(2))._words


def test_text_that_is_no_program_is_refused():
    with pytest.raises(kn.CompileError, match="expected a module of kiln ops"):
        kn._core.parse_ir(b"func.func @f(")
    with pytest.raises(kn.CompileError, match="a module without one"):
        kn._core.parse_ir(b"module {}")
    with pytest.raises(kn.CompileError, match="expected arrays as arguments, got i32"):
        kn._core.parse_ir(b"func.func @f(%x: i32) { return }")
    with pytest.raises(kn.CompileError, match="of argument 0: expected a stride for each axis"):
        kn._core.parse_ir(b"func.func @f(%x: tensor<3xf32> {kiln.strides = array<i64: 1, 1>}) { return }")
    with pytest.raises(kn.CompileError, match=r"symbols: expected those of the 1 of the program, got float32\[s5\]"):
        kn._core.parse_ir(b"func.func @f(%x: tensor<?xf32, #kiln.symbols<5>>) attributes {kiln.symbols = 1 : i64} { return }")
    with pytest.raises(kn.CompileError, match="registered in this process, got 'mylib.norm'"):
        kn._core.parse_ir(b'func.func @f(%x: tensor<3xf32>) { %0 = kiln.custom "mylib.norm"(%x) : (tensor<3xf32>) -> tensor<f32> return }')
    with pytest.raises(kn.CompileError, match="expected a straight tree, got one with guards"):
        kn._core.parse_ir(b"trace.tree @f(%x: tensor<i1>) { trace.guard %x is true : tensor<i1> -> ^a, otherwise ^a\n^a:\n trace.return }")
    with pytest.raises(kn.CompileError, match="expected only operations of the kiln dialect"):
        kn._core.parse_ir(b"func.func @f() -> i32 { %0 = arith.constant 1 : i32 return %0 : i32 }")


def test_the_interpreter_reports_indices():
    lowered = kn.jit(lambda x, i: kn.take(x, i, axis=0)).lower(kn.ones(3), kn.asarray([1]))
    with pytest.raises(kn.IndexError, match="expected positions inside, got one outside"):
        kn._core.interpret(lowered._words, (kn.ones(3), kn.asarray([7])))
