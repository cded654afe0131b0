"""kiln-fuzz for a while (``make soak`` for hours), and what it has found."""
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

TOOL = pathlib.Path(kn._libraries).resolve().parent / "bin/kiln-fuzz"


@pytest.mark.parametrize("what, count", [("modules", 300), ("programs", 30000), ("packages", 10000), ("entries", 20000)])
def test_fuzz(what, count):
    result = subprocess.run([TOOL, what, f"--count={count}"], capture_output=True, text=True)
    assert result.returncode == 0 and f"seeds 0 to {count - 1}, 0 wrong" in result.stdout, result.stdout[-3000:]
    if what == "modules":
        assert int(re.search(r"(\d+) of them also for any size", result.stdout).group(1)) > count // 10


def test_the_fuzzer_tells_what_is_wrong():
    for arguments in ([], ["everything"], ["modules", "--count=0"]):
        result = subprocess.run([TOOL, *arguments], capture_output=True, text=True)
        assert result.returncode == 2 and "usage: kiln-fuzz" in result.stderr  # negative
    shown = subprocess.run([TOOL, "show", "--first=7"], capture_output=True, text=True)
    assert shown.returncode == 0 and "func.func @kiln_entry" in shown.stdout
    opened = subprocess.run([TOOL, "sizes", "--count=20"], capture_output=True, text=True)
    assert opened.returncode == 0 and re.search(r"^// \d+.*\n(// .*\n)*module.*\n  func.func @kiln_entry\(.*kiln.symbols = ", opened.stdout, re.MULTILINE)


@pytest.mark.parametrize("index", [2**63, 2**64 - 1])
def test_indices_above_int64_are_outside(index):
    """They were taken for positions from the end."""
    x, i = kn.arange(8), kn.asarray(np.asarray([index], np.uint64))
    for f in (lambda x, i: kn.take(x, i), lambda x, i: x.at[i].set(1), lambda x, i: x.at[i].min(1)):
        for call in (f, kn.jit(f), lambda x, i, f=f: kn.jit(f)._replay((x, i), {})):
            with pytest.raises((kn.IndexError, kn.TraceError)):  # negative
                call(x, i)
    same_bits(kn.take(x, kn.asarray(np.asarray([7], np.uint64))), kn.asarray([7]))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex128", "bool", "int8"])
def test_nothing_is_read_of_an_empty_array(dtype):
    """A computed array without elements has no memory; the compiled gather read its first."""
    for shape, axis in (((0,), 0), ((0, 40), 0), ((3, 0), 1)):
        f = kn.jit(lambda x, i, axis=axis: kn.take(kn.flip(x) if x.dtype == kn.bool else -x if x.dtype != kn.bfloat16 else x * 2, i, axis=axis))
        x = kn.zeros(shape, dtype=dtype)
        with pytest.raises(kn.IndexError):  # negative
            f(x, kn.asarray([0, 1, 2] * 20))
        assert f(x, kn.zeros(0, dtype=kn.int64)).size == 0


@pytest.mark.parametrize("shape", [(40, 0), (0, 0), (3, 40, 0)])
def test_sums_of_no_columns(shape):
    """The compiler divided by the width of its tiles."""
    for f in (lambda x: kn.sum(x, axis=-2), lambda x: kn.prod(x, axis=0), lambda x: kn.any(x > 0, axis=-2)):
        same_bits(kn.jit(f)(kn.zeros(shape)), f(kn.zeros(shape)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_decompositions_of_what_is_not_finite_end(value, dtype):
    """LAPACK's iteration did not."""
    code = ("import sys, kiln as kn\n"
            f"x = kn.full((7, 6, 6), float('{value}'), dtype='{dtype}')\n"
            "for f in (kn.linalg.svd, kn.linalg.eigh, kn.linalg.eig):\n"
            "    try: f(x)\n"
            "    except kn.linalg.LinAlgError: continue\n"
            "    raise SystemExit('no error')\n")
    assert subprocess.run([sys.executable, "-c", code], timeout=50).returncode == 0  # negative


def run(text, *inputs):
    words = kn._core.parse_ir(text.encode())
    return words, kn._core.interpret(words, inputs), kn._core.run_program(words, inputs)


def test_products_with_several_free_axes():
    """Recordings have matrices; programs as text need not."""
    for x_shape, y_shape, attributes, result in (("3x4x7", "3x4x7", "x_axis = 1 : i64, x_batch = array<i64>, y_axis = 1 : i64, y_batch = array<i64>", "3x7x3x7"),
                                                 ("2x5x3x4", "5x4x6x2", "x_axis = 3 : i64, x_batch = array<i64: 0, 1>, y_axis = 1 : i64, y_batch = array<i64: 3, 0>", "2x5x3x6")):
        text = (f"func.func @f(%x: tensor<{x_shape}xf32>, %y: tensor<{y_shape}xf32>) -> tensor<{result}xf32> {{\n"
                f"%0 = kiln.dot_general %x, %y {{{attributes}}} : (tensor<{x_shape}xf32>, tensor<{y_shape}xf32>) -> tensor<{result}xf32>\n"
                f"return %0 : tensor<{result}xf32> }}")
        inputs = [kn.reshape(kn.linspace(-1, 1, int(np.prod(s))), s) for s in ([int(n) for n in t.split("x")] for t in (x_shape, y_shape))]
        _, expected, found = run(text, *inputs)
        same_bits(found[0], expected[0])


def test_constants_have_one_form():
    """Text and recordings gave one constant two words, and so the cache two entries."""
    x = kn.asarray(np.asarray([1], np.uint16))
    recorded = kn.jit(lambda v: v + 44108).lower(x)
    assert kn._core.parse_ir(recorded.ir().encode()) == recorded._words


def test_programs_report_what_fails_on_values():
    text = ("func.func @f(%x: tensor<3xf32>, %i: tensor<1xi64>) -> tensor<1xf32> {\n"
            "%0 = kiln.gather %x, %i {axis = 0 : i64} : (tensor<3xf32>, tensor<1xi64>) -> tensor<1xf32>\nreturn %0 : tensor<1xf32> }")
    words = kn._core.parse_ir(text.encode())
    with pytest.raises(ValueError, match="run_program: expected operations that fit the values, got status 1"):  # negative
        kn._core.run_program(words, (kn.ones(3), kn.asarray([5])))
