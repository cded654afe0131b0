"""One negative test an error: the class, what was expected and met, and the user's line."""
import numpy as np
import pytest

import kiln as kn

x, m, i8 = kn.asarray([1.0, 2.0]), kn.ones((2, 3)), kn.asarray([1], dtype=kn.int8)
u64, i64, mask = kn.asarray([1], dtype=kn.uint64), kn.asarray([1]), kn.asarray([True, False])
deep = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
kept = []


def keeps(a):
    kept.append(a * 2)
    return a


ROWS = [
    ("error", lambda: x + m, kn.ShapeError, r"add: shapes do not broadcast: expected .*\(2,\).* got \(2, 3\)"),
    ("error", lambda: m @ x, kn.ShapeError, r"contracted dimensions differ: expected 3 .* got 2"),
    ("error", lambda: kn.asarray(1.0) @ x, kn.ShapeError, "rank of the operands: expected at least 1"),
    ("error", lambda: kn.ones((2, 3, 4)) @ kn.ones((3, 4, 2)), kn.ShapeError, "matmul: shapes do not broadcast"),
    ("error", lambda: u64 + i64, kn.DTypeError, "add: dtypes have no common one"),
    ("error", lambda: u64 @ i64, kn.DTypeError, "matmul: dtypes have no common one"),
    ("error", lambda: kn.concat([u64, i64]), kn.DTypeError, "concat: dtypes have no common one"),
    ("error", lambda: kn.result_type(kn.uint64, kn.int64), kn.DTypeError, "result_type: dtypes have no common one"),
    ("error", lambda: mask - mask, kn.DTypeError, "dtype of operand 0: expected a numeric dtype, got bool"),
    ("error", lambda: -mask, kn.DTypeError, "negative: dtype of operand 0"),
    ("error", lambda: x & x, kn.DTypeError, "expected bool or an integer dtype, got float32"),
    ("error", lambda: ~x, kn.DTypeError, "bitwise_invert"),
    ("error", lambda: kn._core.where(x, x, x), kn.DTypeError, "dtype of the condition: expected bool, got float32"),
    ("error", lambda: kn.exp("text"), kn.DTypeError, "exp: operand: expected an array or a number, got str"),
    ("error", lambda: kn.exp(None), kn.DTypeError, "got NoneType"),
    ("error", lambda: kn.exp(x, x, x), kn.DTypeError, "exp: arguments: expected 1 arrays, got 3"),
    ("error", lambda: kn.add(x), kn.DTypeError, "add: arguments: expected 2 arrays, got 1"),
    ("error", lambda: kn.add(x, y=x), kn.DTypeError, "and keywords"),
    ("error", lambda: x + "a", TypeError, "unsupported operand"),
    ("error", lambda: i8 + 300, OverflowError, "Python integer 300 is out of bounds for int8"),
    ("error", lambda: kn.asarray([1], dtype=kn.uint8) - (-1), OverflowError, "Python integer -1 is out of bounds for uint8"),
    ("error", lambda: kn.asarray([300], dtype=kn.int8), OverflowError, "out of bounds for int8"),
    ("error", lambda: kn.full((2,), -1, dtype=kn.uint64), OverflowError, "out of bounds for uint64"),
    ("error", lambda: kn.asarray(2**70), OverflowError, "fits in int64"),
    ("error", lambda: kn._core.full((2,), 1.5, kn.int32), kn.DTypeError, "a Python float does not convert to int32"),
    ("error", lambda: i8.__iadd__(1.5), kn.DTypeError, "dtype of an in-place result: expected int8, got float32"),
    ("error", lambda: kn.asarray([[1, 2], [3]]), kn.ShapeError, "equal lengths at each depth"),
    ("error", lambda: kn.asarray([1, [2]]), kn.ShapeError, "ragged"),
    ("error", lambda: kn.asarray([[1], 2]), kn.ShapeError, "equal depth everywhere"),
    ("error", lambda: kn.asarray(deep), kn.ShapeError, "rank: expected at most 32"),
    ("error", lambda: kn._core.asarray([x], None, None), kn.ShapeError, "kn.stack"),
    ("error", lambda: kn.asarray([x, x[0]]), kn.ShapeError, "expected equal lengths at each depth"),
    ("error", lambda: kn.asarray({1}), kn.DTypeError, "element: expected a number, got set"),
    ("error", lambda: kn.asarray("abc"), kn.DTypeError, "got str"),
    ("error", lambda: kn.asarray(np.array(["a"])), kn.DTypeError, "element format"),
    ("error", lambda: kn.asarray(np.ones(2, ">f4")), kn.DTypeError, "element format: expected bool, integers, floats or complex numbers in the order of this machine"),
    ("error", lambda: kn.asarray(np.ones(2, np.longdouble)), kn.DTypeError, "element format"),
    ("error", lambda: kn.asarray(np.ones((1,) * 33)), kn.ShapeError, "rank: expected at most 32, got 33"),
    ("error", lambda: kn.asarray(np.frombuffer(b"123456789", np.float32, 2, 1)), ValueError, "multiples of their size"),
    ("error", lambda: kn.asarray([1], copy=False), ValueError, "copy: expected True or None for a Python object"),
    ("error", lambda: kn.asarray(x, dtype=kn.int32, copy=False), ValueError, "copy: expected True or None for another dtype"),
    ("error", lambda: kn.zeros(2, device="cuda:0"), kn.DeviceError, "device: expected 'cpu', got 'cuda:0'"),
    ("error", lambda: kn.zeros(2, dtype="float8"), kn.DTypeError, "dtype: name: expected one of bool"),
    ("error", lambda: kn.zeros(2, dtype=object), kn.DTypeError, "dtype: name"),
    ("error", lambda: kn.zeros(-1), kn.ShapeError, "sizes of at least 0"),
    ("error", lambda: kn.zeros((1,) * 33), kn.ShapeError, "rank: expected at most 32, got 33"),
    ("error", lambda: kn.zeros(2.5), kn.DTypeError, "argument: expected an integer, got float"),
    ("error", lambda: kn.zeros((1 << 40, 1 << 40)), MemoryError, "fits in memory"),
    ("error", lambda: kn.zeros((1 << 50,)), MemoryError, "out of memory"),
    ("error", lambda: kn.arange(1, 5, 0), ValueError, "step: expected a number other than 0"),
    ("error", lambda: kn.eye(-2), kn.ShapeError, "sizes of at least 0"),
    ("error", lambda: kn._core.iota((3,), kn.bool_, 0), kn.DTypeError, "iota: dtype: expected a numeric dtype, got bool"),
    ("error", lambda: kn._core.iota((3,), kn.int64, 1), kn.AxisError, "iota: axis"),
    ("error", lambda: kn._core.reduce("no_such_op", x, None, False), ValueError, "expected the name of one"),
    ("error", lambda: kn.reshape(x, (3,)), kn.ShapeError, r"number of elements: expected 2 as in \(2,\), got 3"),
    ("error", lambda: kn.reshape(x, (-1, 3)), kn.ShapeError, "a multiple of 3"),
    ("error", lambda: kn.reshape(x, (-1, -1)), kn.ShapeError, "at most one of them -1"),
    ("error", lambda: kn.reshape(x, (-2,)), kn.ShapeError, "sizes, at most one of them -1"),
    ("error", lambda: kn.permute_dims(m, (0, 0)), kn.AxisError, "a permutation of the 2 axes"),
    ("error", lambda: kn.permute_dims(m, (0,)), kn.AxisError, "a permutation of the 2 axes"),
    ("error", lambda: kn.permute_dims(m, (0, 2)), kn.AxisError, r"one in \[-2, 2\), got 2"),
    ("error", lambda: kn.broadcast_to(x, (3,)), kn.ShapeError, "do not broadcast"),
    ("error", lambda: kn.broadcast_to(m, (3,)), kn.ShapeError, "broadcast"),
    ("error", lambda: kn.broadcast_to(m, (1, 3)), kn.ShapeError, "repeats to"),
    ("error", lambda: x.mT, kn.ShapeError, "mT: rank: expected at least 2, got 1"),
    ("error", lambda: kn.expand_dims(x, axis=5), kn.AxisError, "expand_dims: axis"),
    ("error", lambda: kn.squeeze(x, 0), ValueError, "size of axis 0: expected 1, got 2"),
    ("error", lambda: kn.squeeze(x, 1), kn.AxisError, "squeeze: axis"),
    ("error", lambda: kn.concat([]), ValueError, "expected at least one array"),
    ("error", lambda: kn.concat([m, x]), kn.ShapeError, "shapes of operands differ"),
    ("error", lambda: kn.concat([m, m], axis=2), kn.AxisError, "concat: axis"),
    ("error", lambda: kn.concat([x, "a"]), kn.DTypeError, "got str"),
    ("error", lambda: kn.sum(m, axis=2), kn.AxisError, r"sum: axis: expected one in \[-2, 2\), got 2"),
    ("error", lambda: kn.sum(m, axis=(0, 0)), kn.AxisError, "each axis once"),
    ("error", lambda: kn.sum(m, axis=-3), kn.AxisError, "got -3"),
    ("error", lambda: kn.max(kn.zeros(0)), ValueError, "max: expected at least one element"),
    ("error", lambda: kn.min(kn.zeros((3, 0)), axis=1), ValueError, "it has no identity"),
    ("error", lambda: kn.argmax(kn.zeros(0)), ValueError, "argmax: expected at least one element"),
    ("error", lambda: kn.argmin(kn.zeros(0)), ValueError, "argmin: expected at least one element"),
    ("error", lambda: kn._core.reduce("max", mask, None, False), kn.DTypeError, "an ordered numeric dtype"),
    ("error", lambda: kn.argmax(m, axis=4), kn.AxisError, "argmax: axis"),
    ("error", lambda: kn.take(x, kn.asarray([2])), IndexError, r"expected one in \[-2, 2\) along axis 0 of float32\[2\]"),
    ("error", lambda: kn.take(x, kn.asarray([-3])), kn.IndexError, "got one outside"),
    ("error", lambda: kn.take(x, x), kn.DTypeError, "dtype of the indices: expected an integer dtype, got float32"),
    ("error", lambda: kn.take(m, i64, axis=2), kn.AxisError, "take: axis"),
    ("error", lambda: kn.take(kn.ones((1,) * 32), kn.asarray([[0]]), axis=0), kn.ShapeError, "rank of the result"),
    ("error", lambda: x[2], IndexError, r"position along axis 0: expected one in \[-2, 2\), got 2"),
    ("error", lambda: x[0, 0], IndexError, "at most 1 axes, got 2"),
    ("error", lambda: m[..., ...], IndexError, "at most one ellipsis"),
    ("error", lambda: x["a"], IndexError, "expected an integer, slice, ellipsis, None, mask or integer array, got str"),
    ("error", lambda: x[1.5], IndexError, "got float"),
    ("error", lambda: m[(None,) * 31], IndexError, "axes in the result"),
    ("error", lambda: x.__setitem__(slice(0, 1), m), kn.ShapeError, "shape of the value"),
    ("error", lambda: x.__setitem__(0, "a"), kn.DTypeError, "assignment: operand"),
    ("error", lambda: x.__delitem__(0), ValueError, "cannot be deleted"),
    ("error", lambda: bool(x), ValueError, "an array of one element"),
    ("error", lambda: float(m), ValueError, "got 6 in"),
    ("error", lambda: x.item(), kn.ShapeError, "size of the array: expected 1, got 2"),
    ("error", lambda: range(kn.asarray(1.5)), kn.DTypeError, "an integer without axes"),
    ("error", lambda: range(i64), kn.DTypeError, "an integer without axes, got"),
    ("error", lambda: len(kn.asarray(1)), kn.DTypeError, "one with axes"),
    ("error", lambda: iter(kn.asarray(1)), kn.DTypeError, "iteration"),
    ("error", lambda: hash(x), TypeError, "unhashable"),
    ("error", lambda: kn.Array(), TypeError, "missing required argument 'shape'"),
    ("error", lambda: kn.set_default_dtype(kn.int32), kn.DTypeError, "float32 or float64, got int32"),
    ("error", lambda: kn.finfo(kn.int32), kn.DTypeError, "finfo"),
    ("error", lambda: kn.iinfo(kn.float32), kn.DTypeError, "iinfo"),
    ("error", lambda: memoryview(kn.ones((3, 4)).T).cast("B"), TypeError, "casts are restricted to C-contiguous"),
    # jit
    ("error", lambda: kn.jit(5), kn.TraceError, "expected a function, got int"),
    ("error", lambda: kn.jit(lambda: (yield)), kn.TraceError, "a generator or coroutine"),
    ("error", lambda: kn.jit(on_miss="retry")(abs), ValueError, "on_miss: expected None, 'warn' or 'raise'"),
    ("error", lambda: kn.jit(lambda a: a, on_miss="raise")({1, 2}), kn.TraceError, "one that compiles .* an argument is a set"),
    ("error", lambda: kn.jit(lambda a, s: a, static_argnums=1)(x, []), kn.TraceError, "static argument 1: expected a hashable value, got list"),
    ("error", lambda: kn.jit(lambda a: {1, 2}, on_miss="raise")(x), kn.TraceError, "one that compiles .* the result has a set in it"),
    ("error", lambda: kn.jit(lambda a: a + m)(x), kn.ShapeError, "do not broadcast"),
    ("error", lambda: kn.jit(lambda a: id(a) and a, on_miss="raise")(x), kn.TraceError, "one that compiles"),
    ("error", lambda: kn.jit(lambda a: a * float(a[0])).lower(x), kn.TraceError, "lower: expected a function that records"),
    ("error", lambda: kn.jit(lambda a: a + 1).lower(x).ir("tokens"), ValueError, "stage: expected kiln, fused, kernels, schedule, vector, llvm or asm, got 'tokens'"),
    # views, writes and keys
    ("error", lambda: x[kn.asarray([True, False, True])], IndexError, "size of axis 0 of the mask: expected 2, got 3"),
    ("error", lambda: x[kn.asarray([0.5])], IndexError, "expected an array of bool or integers, got float32"),
    ("error", lambda: x[kn.asarray([5]), ...], IndexError, "got one outside"),
    ("error", lambda: m[kn.asarray([0]), kn.asarray([7])], IndexError, "got one outside"),
    ("error", lambda: m.__setitem__((kn.asarray([0]), kn.asarray([7])), 1), IndexError, "got one outside"),
    ("error", lambda: m.__setitem__(kn.asarray([0, 1]), kn.ones((3, 3))), kn.ShapeError, "shapes do not broadcast|one that repeats to"),
    ("error", lambda: m.__setitem__(kn.asarray([0]), kn.asarray([1j])), kn.DTypeError, "dtype of the value: expected a real one, got complex64"),
    ("error", lambda: m.__setitem__(0, kn.asarray([1j])), kn.DTypeError, "dtype of the value: expected a real one, got complex64"),
    ("error", lambda: kn.broadcast_to(x, (3, 2)).__setitem__(0, 1), ValueError, "elements are its own, got one from broadcast_to"),
    ("error", lambda: kn.broadcast_to(x, (3, 2)).__setitem__(kn.asarray([0, 1]), 1), ValueError, "elements are its own, got one from broadcast_to"),
    ("error", lambda: setattr(x, "imag", 1), kn.DTypeError, "imag: dtype: expected a complex one"),
    ("error", lambda: x.__imatmul__(m), kn.ShapeError, "type of an in-place result|contracted dimensions"),
    ("error", lambda: kn.dynamic_slice(x, [0], [3]), kn.ShapeError, "size of axis 0: expected at most 2, got 3"),
    ("error", lambda: kn.dynamic_update(x, kn.ones(3), [0]), kn.ShapeError, "size of axis 0: expected at most 2, got 3"),
    ("error", lambda: x.at[kn.asarray([4])].add(1), IndexError, "got one outside"),
    ("error", lambda: kn.zeros((1,) * 32).__setitem__(kn.asarray([[[0]]]), 1), IndexError, "rank of the selection: expected at most 32, got 34"),
    ("error", lambda: kn.zeros((1,) * 32)[True], IndexError, "at most 32 axes in the result"),
    ("error", lambda: kn.zeros((1,) * 32)[kn.asarray([[0]])], kn.ShapeError, "rank of the result: expected at most 32, got 33"),
    # dtypes
    ("error", lambda: kn.astype(kn.asarray([1j]), kn.float32), kn.DTypeError, "astype: dtype: expected a complex one or bool"),
    ("error", lambda: kn.asarray(kn.asarray([1j]), dtype=kn.float32), kn.DTypeError, "kn.real and kn.imag give the parts"),
    ("error", lambda: kn.asarray(1j, dtype=kn.float32), kn.DTypeError, "a Python complex number does not convert to float32"),
    ("error", lambda: kn.asarray([1.0], dtype="float8_e5m2") + 1, kn.DTypeError, "expected a numeric dtype, got float8_e5m2"),
    ("error", lambda: kn.asarray([1.0], dtype="float8_e5m2") + x, kn.DTypeError, "dtypes have no common one.*float8_e5m2 and float32"),
    ("error", lambda: kn.complex(kn.asarray([1.0], dtype=kn.float16), 1.0), kn.DTypeError, "dtype of the parts: expected float32 or float64"),
    ("error", lambda: kn.bitcast(x, kn.int64), kn.DTypeError, "real ones of one size, got float32 and int64"),
    ("error", lambda: kn.atan2(kn.asarray([1j]), 0), kn.DTypeError, "atan2: dtype of operand 0"),
    ("error", lambda: kn.isdtype(kn.float32, "floats"), ValueError, "isdtype: kind: expected one of bool"),
    ("error", lambda: kn.result_type(1, 2.0), ValueError, "result_type: values: expected at least one array or dtype"),
    ("error", lambda: x.__ipow__(kn.asarray([1j, 1])), kn.DTypeError, "dtype of an in-place result: expected float32, got complex64"),
    # functions
    ("error", lambda: kn.tril(x), kn.ShapeError, "tril: rank: expected at least 2, got 1"),
    ("error", lambda: kn.meshgrid(x, indexing="no"), ValueError, "indexing: expected 'xy' or 'ij'"),
    ("error", lambda: kn.reshape(m.T, (6,), copy=False), ValueError, "reshape: copy: expected True or None"),
    ("error", lambda: kn.moveaxis(m, (0, 0), (0, 1)), ValueError, "moveaxis: axes"),
    ("error", lambda: kn.expand_dims(m, (0, 0)), ValueError, "expand_dims: axes: expected different ones"),
    ("error", lambda: kn.expand_dims(m, 4), kn.AxisError, "expand_dims: axis"),
    ("error", lambda: kn.expand_dims(m, 1.5), kn.DTypeError, "expand_dims: axis: expected an integer, got float"),
    ("error", lambda: kn.stack([x, m]), kn.ShapeError, "stack: shapes: expected equal ones"),
    ("error", lambda: kn.split(kn.ones(5), 2), ValueError, "split: size of axis 0: expected a multiple of 2, got 5"),
    ("error", lambda: kn.roll(m, (1, 2, 3), axis=(0, 1)), ValueError, "roll: shift"),
    ("error", lambda: kn.repeat(x, kn.asarray([1, 2, 3])), kn.ShapeError, "repeat: repeats: expected 1 or 2 numbers, got 3"),
    ("error", lambda: kn.pad(x, ((1, 2), (3, 4))), ValueError, "pad: pad_width"),
    ("error", lambda: kn.pad(x, 1, "mirror"), ValueError, "pad: mode"),
    ("error", lambda: kn.diagonal(x), kn.ShapeError, "diagonal: rank: expected at least 2, got 1"),
    ("error", lambda: kn.cumulative_sum(m), ValueError, "cumulative_sum: axis: expected one for an array of 2 axes"),
    ("error", lambda: kn.quantile(x, 2), ValueError, "quantile: fraction"),
    ("error", lambda: kn.quantile(kn.ones(0), 0.5), ValueError, "quantile: size"),
    ("error", lambda: kn.take_along_axis(m, kn.asarray([0])), kn.ShapeError, "take_along_axis: rank of the indices: expected 2, got 1"),
    ("error", lambda: kn.nonzero(kn.asarray(1.0)), ValueError, "nonzero: rank: expected at least 1, got 0"),
    ("error", lambda: kn.searchsorted(m, x), kn.ShapeError, "searchsorted: rank of the sorted array: expected 1, got 2"),
    ("error", lambda: kn.searchsorted(x, x, side="middle"), ValueError, "searchsorted: side"),
    ("error", lambda: kn.tensordot(x, m, axes=2), ValueError, "tensordot: axes: expected at most 1, got 2"),
    ("error", lambda: kn.tensordot(m, m, axes=1), kn.ShapeError, "tensordot: contracted dimensions differ"),
    ("error", lambda: kn.vecdot(x, m), kn.ShapeError, "vecdot: size of axis -1: expected 2, got 3"),
    ("error", lambda: kn.convolution(x, x), kn.ShapeError, "ranks: expected an array and weights of one rank"),
    ("error", lambda: kn.finfo(kn.int32), kn.DTypeError, "finfo: dtype: expected a floating dtype"),
    ("error", lambda: memoryview(kn.asarray([1.0], dtype=kn.bfloat16)), BufferError, "a dtype that the buffer protocol has a name for"),
    # other libraries
    ("error", lambda: kn.from_dlpack(3), kn.DTypeError, "from_dlpack: argument: expected an object with __dlpack__, got int"),
    ("error", lambda: x.__dlpack__(dl_device=(2, 0)), BufferError, r"a copy on the CPU, \(1, 0\)"),
    ("error", lambda: x.to_device("cuda"), kn.DeviceError, "device: expected 'cpu'"),
    ("error", lambda: kn._core.from_bytes(b"123", (1,), "float32"), ValueError, "size: expected 4 bytes, got 3"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r[3][:40] or r[2].__name__)
def test_error(row):
    _, call, kind, message = row
    with pytest.raises(kind, match=message) as caught:
        call()
    if isinstance(caught.value, kn.KilnError):
        assert "test_errors.py:" in str(caught.value), "the user's line"
        assert type(caught.value).__doc__


def test_arrays_that_outlive_their_call():
    """Eager's answer, with a note that names the line."""
    @kn.jit
    def keeps(a, box):
        box.append(a * 2)
        return a + 1

    box = []
    with pytest.warns(kn.KilnWarning, match="an array that is made here is kept outside of the call"):
        keeps(x, box)
    keeps(x, box)
    assert len(box) == 2 and all((b == x * 2).all() for b in box)
    captured = box[0]
    assert (kn.jit(lambda a: a + captured)(x) == x * 3).all()


def test_errors_under_jit_point_at_the_line_and_write_nothing():
    @kn.jit
    def f(a, b):
        a += 1
        c = a * 2
        return c @ b

    a = kn.ones(3)
    with pytest.raises(kn.ShapeError, match=r"return c @ b"):
        f(a, kn.ones(4))


def test_classes_are_the_standard_ones():
    assert issubclass(kn.ShapeError, ValueError) and issubclass(kn.DTypeError, TypeError) and issubclass(kn.IndexError, IndexError)
    assert issubclass(kn.AxisError, ValueError) and issubclass(kn.AxisError, IndexError) and issubclass(kn.TraceError, kn.KilnError)
