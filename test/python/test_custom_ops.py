"""Ops that another library of the process registers: as text, interpreted, compiled, from the disk cache, in program files."""
import ctypes
import pathlib
import subprocess
import sys

import pytest

import kiln as kn

LIBRARY = pathlib.Path(kn._libraries).resolve() / "libkiln_test_ops.so"
TEXT = b"""func.func @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<i64>, tensor<4xf32>) {
%0, %n = kiln.custom "test.scaled_add"(%x, %y) {factor = 3.0 : f32, power = 2 : i64} : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<i64>)
%1 = kiln.add %0, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
%2 = kiln.custom "test.negated"(%1) : (tensor<4xf32>) -> tensor<4xf32>
return %0, %n, %2 : tensor<4xf32>, tensor<i64>, tensor<4xf32> }"""


@pytest.fixture(scope="module")
def program():
    with pytest.raises(kn.CompileError, match="registered in this process, got 'test.scaled_add'"):  # the compiler is open before the op is known
        kn._core.parse_ir(TEXT)
    ctypes.CDLL(str(LIBRARY))
    return kn._core.parse_ir(TEXT)


@pytest.mark.parametrize("run", [kn._core.interpret, kn._core.run_program])
def test_runs(program, run):
    sums, count, negative = run(program, (kn.asarray([1.0, 2.0, 3.0, 4.0]), kn.asarray([1.0, 10.0, 100.0, 1000.0])))
    assert sums.tolist() == [10, 92, 903, 9004] and int(count) == 4 and negative.tolist() == [-20, -184, -1806, -18008]


def test_files_and_text(program):
    assert kn._core.unpack_program(kn._core.pack_program(program)) == program
    assert kn._core.parse_ir(kn._core.print_ir(program, "kiln").encode()) == program
    assert kn._core.print_ir(program, "fused").count("kiln.kernel") == 3


def test_failures_are_errors(program):
    negated = kn._core.parse_ir(b'func.func @f(%x: tensor<1xf32>) -> tensor<1xf32> {\n'
                                b'%0 = kiln.custom "test.negated"(%x) : (tensor<1xf32>) -> tensor<1xf32> return %0 : tensor<1xf32> }')
    with pytest.raises(ValueError, match="test.negated: expected a function that returns 0, got status 64"):
        kn._core.interpret(negated, (kn.asarray([13.0]),))
    with pytest.raises(ValueError, match="expected operations that fit the values, got status 64"):
        kn._core.run_program(negated, (kn.asarray([14.0]),))  # an exception in C++


def test_a_process_without_the_op_says_so(program, tmp_path):
    (tmp_path / "program").write_bytes(kn._core.pack_program(program))
    (tmp_path / "words").write_bytes(program)
    code = f"""
import pathlib, kiln as kn
folder = pathlib.Path({str(tmp_path)!r})
for read in (lambda: kn._core.unpack_program((folder / "program").read_bytes()),
             lambda: kn._core.run_program((folder / "words").read_bytes(), (kn.ones(4), kn.ones(4)))):
    try:
        read()
        print("read")
    except kn.KilnError as error:
        print(type(error).__name__, error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "PackageError program: contents: expected ops that are registered in this process, got 'test.scaled_add'" in result.stdout
    assert "custom: expected an op that is registered in this process" in result.stdout and "read" not in result.stdout.splitlines()
