"""kn.nn against torch, whose answers to the rows of nn.txt are in nn_answers.json (nn_rows.py writes them), in eager and under jit."""
import json
import pathlib
import re

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from nn_rows import ROWS, digest, evaluate, operands

ANSWERS = json.loads((pathlib.Path(__file__).parent / "nn_answers.json").read_text())
SCOPE = operands()


@pytest.mark.parametrize("row", ROWS)
def test_as_torch(row):
    shape, want = ANSWERS[row]
    arrays = {name: kn.asarray(a) for name, a in SCOPE.items()}
    got = evaluate(row, lambda name: getattr(kn.nn, name), arrays)
    assert got.shape == tuple(shape)
    np.testing.assert_allclose(digest(got.numpy()), want, rtol=1e-9, atol=1e-9)
    used = [name for name in arrays if re.search(rf"\b{name}\b(?!=)", row[row.index("("):])]
    scope = {"f": getattr(kn.nn, row.split("(")[0])}
    exec(f"def call({', '.join(used)}):\n    return f{row[row.index('('):]}", scope)
    if row.startswith("one_hot(i)"):
        return  # its size depends on values
    jitted = kn.jit(scope["call"])
    same_bits(jitted(*(arrays[n] for n in used)), got)
    assert not jitted.explain().variants[0]["eager"]
    narrow = {n: kn.astype(a, kn.float16) if a.dtype is kn.float64 else a for n, a in arrays.items()}
    half = evaluate(row, lambda name: getattr(kn.nn, name), narrow)
    assert half.dtype is (kn.int64 if row.startswith("one_hot") else kn.float16) and half.shape == got.shape


def test_every_function_has_a_row():
    others = {"dropout", "top_k", "segment_sum", "segment_max", "segment_min", "segment_mean", "stft", "logsumexp", "pad", "log_sigmoid"}
    assert {r.split("(")[0] for r in ROWS} | others == set(kn.nn.__all__)


def test_segments():
    data, ids = kn.asarray([[1.0, 2.0], [3.0, -4.0], [5.0, 6.0], [7.0, 8.0]]), kn.asarray([0, 2, 0, -1])
    assert kn.nn.segment_sum(data, ids, 3).tolist() == [[6, 8], [0, 0], [3, -4]]
    assert kn.nn.segment_max(data, ids).tolist() == [[5, 6], [-np.inf, -np.inf], [3, -4]]
    assert kn.nn.segment_min(kn.asarray([3, 1, 2]), kn.asarray([1, 1, 1]), 2).tolist() == [2**63 - 1, 1]
    np.testing.assert_array_equal(kn.nn.segment_mean(data, ids, 3).numpy(), [[3, 4], [np.nan, np.nan], [3, -4]])
    same_bits(kn.jit(lambda d, i: kn.nn.segment_sum(d, i, 3))(data, ids), kn.nn.segment_sum(data, ids, 3))
    with pytest.raises(kn.ShapeError, match=r"segment_sum: shape of the segments: expected \(4,\), got \(3,\)"):
        kn.nn.segment_sum(data, ids[:3])


def test_short_time_transforms(rng):
    from scipy.signal import ShortTimeFFT
    x, window = rng.normal(size=(2, 400)), np.hanning(64)
    got = kn.nn.stft(kn.asarray(x), 64, 16, window=kn.asarray(window), center=False)
    assert got.shape == (2, 33, 22)
    want = np.stack([np.fft.rfft(x[:, i * 16:i * 16 + 64] * window) for i in range(22)], -1)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-12)
    whole = ShortTimeFFT(window, 16, 1.0).stft(x[0], p0=2, p1=24)
    np.testing.assert_allclose(np.abs(got.numpy()[0]), np.abs(whole), atol=1e-12)
    assert kn.nn.stft(kn.asarray(x), 64).shape == (2, 33, 26) and kn.nn.stft(kn.asarray(x), 64, onesided=False).shape == (2, 64, 26)
    with pytest.raises(ValueError, match="stft: signal: expected at least 64 elements, got 10"):
        kn.nn.stft(kn.ones(10), 64, center=False)


def test_dropout():
    x = kn.ones((100, 100))
    y = kn.nn.dropout(x, 0.25, key=kn.random.key(3))
    assert set(y.numpy().ravel().tolist()) == {0, np.float32(4 / 3)} and 0.72 < float(kn.mean(y > 0)) < 0.78
    same_bits(y, kn.jit(lambda v, k: kn.nn.dropout(v, 0.25, key=k))(x, kn.random.key(3)))
    assert kn.nn.dropout(x, training=False) is x and not kn.any(kn.nn.dropout(x, 1.0))


@pytest.mark.parametrize("call, error, message", [
    (lambda n: n.conv2d(kn.ones((2, 3)), kn.ones((1, 1, 1, 1))), kn.ShapeError, "conv2d: rank: expected 3 or 4, got 2"),
    (lambda n: n.conv2d(kn.ones((1, 1, 4, 4)), kn.ones((1, 1, 2))), kn.ShapeError, "conv2d: rank of the weight: expected 4, got 3"),
    (lambda n: n.conv2d(kn.ones((1, 1, 4, 4)), kn.ones((1, 1, 2, 2)), stride=2, padding="same"), ValueError, r"conv2d: padding: expected numbers for strides \(2, 2\), got 'same'"),
    (lambda n: n.conv1d(kn.ones((1, 1, 4)), kn.ones((1, 1, 2)), stride=(1, 2)), ValueError, r"conv1d: stride: expected an integer, or one for each of 1 axes, got \(1, 2\)"),
    (lambda n: n.conv_transpose1d(kn.ones((1, 2, 4)), kn.ones((3, 1, 2))), kn.ShapeError, "conv_transpose1d: shape of the weight: expected .*, got"),
    (lambda n: n.max_pool1d(kn.ones((1, 1, 3)), 5), ValueError, r"max_pool1d: windows: expected at least one along each axis of \(3,\), got \(0,\)"),
    (lambda n: n.fold(kn.ones((1, 4, 3)), (2, 2), 2), kn.ShapeError, "fold: columns: expected .*, got"),
    (lambda n: n.interpolate(kn.ones((1, 1, 3))), ValueError, "interpolate: size: expected one of size and scale_factor, got none"),
    (lambda n: n.conv2d(kn.ones((1, 1, 2, 2)), kn.ones((1, 1, 3, 3))), kn.ShapeError, r"conv2d: window: expected one within the padded sizes \(2, 2\), got \(3, 3\)"),
    (lambda n: n.interpolate(kn.ones((1, 1, 3, 3)), 2, mode="trilinear"), ValueError, "interpolate: mode: expected one for 2 spatial axes, got 'trilinear'"),
    (lambda n: n.pad(kn.ones(3), (1, 2, 3)), kn.ShapeError, "pad: pad: expected two widths for each of at most 1 axes, got 3"),
    (lambda n: n.pad(kn.ones(3), (1, 2), "edge"), ValueError, "pad: mode: expected 'constant' or 'reflect' or 'replicate' or 'circular', got 'edge'"),
    (lambda n: n.pixel_shuffle(kn.ones((3, 2, 2)), 2), kn.ShapeError, "pixel_shuffle: channels: expected a multiple of 4, got 3"),
    (lambda n: n.mse_loss(kn.ones(3), kn.ones(2)), kn.ShapeError, r"mse_loss: shape of the target: expected \(3,\), got \(2,\)"),
    (lambda n: n.mse_loss(kn.ones(3), kn.ones(3), reduction="all"), ValueError, "mse_loss: reduction: expected 'none' or 'mean' or 'sum', got 'all'"),
    (lambda n: n.nll_loss(kn.ones((2, 3)), kn.asarray([1])), kn.ShapeError, r"nll_loss: shape of the target: expected \(2,\), got \(1,\)"),
    (lambda n: n.one_hot(kn.ones(3)), kn.DTypeError, "one_hot: dtype of the indices: expected an integer one, got float32"),
    (lambda n: n.layer_norm(kn.ones((2, 3)), 2), kn.ShapeError, r"layer_norm: last axes: expected \(2,\), got \(2, 3\)"),
    (lambda n: n.rms_norm(kn.ones((2, 3)), 2), kn.ShapeError, r"rms_norm: last axes: expected \(2,\), got \(2, 3\)"),
    (lambda n: n.group_norm(kn.ones((2, 3)), 2), kn.ShapeError, r"group_norm: channels: expected a multiple of 2, got \(2, 3\)"),
    (lambda n: n.dropout(kn.ones(2), 2.0), ValueError, r"dropout: p: expected a probability in \[0, 1\], got 2.0")])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(kn.nn)


def test_widths_from_the_last_axis_on(rng):
    x = rng.normal(size=(2, 3, 4))
    ours = kn.asarray(x)
    for widths, pairs in (((1, 2), ((0, 0), (0, 0), (1, 2))), ((1, 2, 3, 0), ((0, 0), (3, 0), (1, 2)))):
        for mode, theirs in (("constant", {"mode": "constant", "constant_values": 7}), ("replicate", {"mode": "edge"}), ("circular", {"mode": "wrap"})):
            got = kn.nn.pad(ours, widths, mode, 7 if mode == "constant" else None)
            np.testing.assert_array_equal(got.numpy(), np.pad(x, pairs, **theirs))
            same_bits(kn.jit(lambda v: kn.nn.pad(v, widths, mode, 7 if mode == "constant" else None))(ours), got)
    np.testing.assert_array_equal(kn.nn.pad(ours, (-1, 2, 0, -2)).numpy(), np.pad(x[:, :1, 1:], ((0, 0), (0, 0), (0, 2))))


def test_classes_that_do_not_exist(rng):
    logits = kn.asarray(rng.normal(size=(4, 5)))
    with pytest.raises(IndexError, match=r"cross_entropy: target: expected classes in \[0, 5\) or -100, got \[ 1,  0, -1,  2\]"):
        kn.nn.cross_entropy(logits, kn.asarray([1, 0, -1, 2]))
    with pytest.raises(IndexError, match="nll_loss: target: expected classes"):
        kn.nn.nll_loss(logits, kn.asarray([1, 0, 5, 2]))
    ignoring = kn.nn.cross_entropy(logits, kn.asarray([1, 0, -1, 2]), ignore_index=-1)
    same_bits(ignoring, kn.nn.cross_entropy(logits, kn.asarray([1, 0, -100, 2])))
    with pytest.raises(IndexError):  # compiled as well
        kn.jit(kn.nn.cross_entropy)(logits, kn.asarray([1, 0, -1, 2]))
