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
    others = {"dropout", "top_k", "segment_sum", "segment_max", "segment_min", "segment_mean", "stft", "logsumexp", "pad", "log_sigmoid", "istft", "gumbel_softmax", "dropout1d", "dropout2d",
              "dropout3d", "alpha_dropout", "max_unpool1d", "max_unpool2d", "max_unpool3d"}
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


def windows_by_hand(x, k, s, p):
    """The largest elements of windows of k by k, and where they are."""
    wide = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=-np.inf)
    numbers = np.pad(np.arange(x.shape[2] * x.shape[3]).reshape(x.shape[2:]), p, constant_values=-1)
    rows, columns = ((n + 2 * p - k) // s + 1 for n in x.shape[2:])
    values, at = np.empty((*x.shape[:2], rows, columns)), np.empty((*x.shape[:2], rows, columns), int)
    for b, c, i, j in np.ndindex(values.shape):
        window = wide[b, c, i * s:i * s + k, j * s:j * s + k].ravel()
        values[b, c, i, j] = window.max()
        at[b, c, i, j] = numbers[i * s:i * s + k, j * s:j * s + k].ravel()[window.argmax()]
    return values, at


def test_positions_of_largest_elements(rng):
    x = rng.normal(size=(2, 3, 7, 8))
    for k, s, p in ((2, 2, 0), (3, 2, 1), (3, 1, 0)):
        values, at = kn.nn.max_pool2d(kn.asarray(x), k, s, p, return_indices=True)
        want = windows_by_hand(x, k, s, p)
        np.testing.assert_array_equal(values.numpy(), want[0])
        np.testing.assert_array_equal(at.numpy(), want[1])
        same_bits(kn.jit(lambda v: kn.nn.max_pool2d(v, k, s, p, return_indices=True)[1])(kn.asarray(x)), at)
    values, at = kn.nn.max_pool2d(kn.asarray(x), 2, return_indices=True)
    back = kn.nn.max_unpool2d(values, at, 2, output_size=(7, 8)).numpy()
    kept = np.zeros_like(x).reshape(2, 3, -1)
    np.put_along_axis(kept, at.numpy().reshape(2, 3, -1), values.numpy().reshape(2, 3, -1), 2)
    np.testing.assert_array_equal(back, kept.reshape(x.shape))
    line, where = kn.nn.max_pool1d(kn.asarray([[[1.0, 5.0, 2.0, 3.0]]]), 2, return_indices=True)
    assert where.tolist() == [[[1, 3]]] and kn.nn.max_unpool1d(line, where, 2).tolist() == [[[0, 5, 0, 3]]]
    cube, where = kn.nn.max_pool3d(kn.reshape(kn.arange(16.0), (1, 1, 2, 2, 4)), 2, return_indices=True)
    assert kn.nn.max_unpool3d(cube, where, 2).sum().item() == 28 and where.tolist() == [[[[[13, 15]]]]]
    with pytest.raises(ValueError, match=r"max_unpool1d: indices: expected positions below 2, those of \(2,\), got larger ones"):
        kn.nn.max_unpool1d(line, kn.asarray([[[1, 3]]]), 2, output_size=(2,))


def test_inverse_of_short_time_transforms(rng):
    x, window = rng.normal(size=(2, 400)), np.hanning(65)[:64]
    for center in (True, False):
        y = kn.nn.stft(kn.asarray(x), 64, 16, window=kn.asarray(window + 0.1), center=center)
        got = kn.nn.istft(y, 64, 16, window=kn.asarray(window + 0.1), center=center)
        np.testing.assert_allclose(got.numpy(), x[:, :got.shape[-1]], atol=1e-12)
        assert kn.nn.istft(y, 64, 16, window=kn.asarray(window + 0.1), center=center, length=400).shape == (2, 400)
    two_sided = kn.nn.stft(kn.asarray(x), 64, 16, onesided=False, normalized=True)
    np.testing.assert_allclose(kn.nn.istft(two_sided, 64, 16, onesided=False, normalized=True).real.numpy(), x, atol=1e-12)
    with pytest.raises(ValueError, match="istft: window: expected one that leaves no element out"):
        kn.nn.istft(kn.nn.stft(kn.asarray(x), 64, 64, center=False, window=kn.asarray(np.hanning(64))), 64, 64, center=False, window=kn.asarray(np.hanning(64)))


def test_temporal_classification_by_all_paths(rng):
    """The probability of all ways through the steps, counted out; and its gradient by differences."""
    import itertools
    steps, classes, labels = 5, 3, [1, 2, 2]
    p = rng.dirichlet(np.ones(classes), steps)
    total = 0.0
    for path in itertools.product(range(classes), repeat=steps):
        merged = [k for k, _ in itertools.groupby(path)]
        if [k for k in merged if k] == labels:
            total += np.prod([p[t, k] for t, k in enumerate(path)])
    loss = kn.nn.ctc_loss(kn.asarray(np.log(p)[:, None]), kn.asarray([labels]), kn.asarray([steps]), kn.asarray([3]), reduction="sum")
    np.testing.assert_allclose(loss.item(), -np.log(total), rtol=1e-12)
    kn.testing.check_grads(lambda v: kn.nn.ctc_loss(kn.log_softmax(v, -1)[:, None], kn.asarray([labels]), kn.asarray([steps]), kn.asarray([3])), (kn.asarray(rng.normal(size=(steps, classes))),), order=1)
    short = kn.nn.ctc_loss(kn.asarray(np.log(p)[:2, None]), kn.asarray([labels]), kn.asarray([2]), kn.asarray([3]))
    assert short.item() == np.inf
    with pytest.raises(kn.ShapeError, match="ctc_loss: lengths: expected one of inputs and of targets for each example"):
        kn.nn.ctc_loss(kn.asarray(np.log(p)[:, None]), kn.asarray([labels]), kn.asarray([2, 2]), kn.asarray([3]))


def test_gradients_of_samples(rng):
    x, grid = kn.asarray(rng.normal(size=(1, 2, 4, 5))), kn.asarray(rng.uniform(-0.9, 0.9, (1, 3, 2, 2)))
    kn.testing.check_grads(lambda v, g: kn.nn.grid_sample(v, g, align_corners=True), (x, grid), order=1, modes=("rev",))
    theta = kn.asarray(rng.normal(size=(1, 2, 3)))
    kn.testing.check_grads(lambda t: kn.nn.affine_grid(t, (1, 2, 3, 3)), (theta,), order=1)
    rows = kn.grad(lambda w: kn.sum(kn.nn.embedding(kn.asarray([1, 2, 1]), w, padding_idx=2)))(kn.ones((4, 2)))
    assert rows.tolist() == [[0, 0], [2, 2], [0, 0], [0, 0]]


def test_more_that_is_drawn():
    x, key = kn.ones((200, 30, 4, 5)), kn.random.key(3)
    y = kn.nn.dropout2d(x, 0.25, key=key)
    assert set(np.unique(y.numpy())) == {0, np.float32(1 / 0.75)} and (y == y[:, :, :1, :1]).all() and abs(float(y.mean()) - 1) < 0.02
    assert kn.nn.dropout1d(x[0, 0], 0.5, False) is x[0, 0] or kn.nn.dropout1d(x[0, 0], 0.5, False).shape == (4, 5)
    assert (kn.nn.dropout3d(x, 1.0) == 0).all()
    z = kn.nn.alpha_dropout(kn.random.normal(size=100_000, key=key), 0.3, key=kn.random.key(4))
    assert abs(float(z.mean())) < 0.02 and abs(float(z.std()) - 1) < 0.02
    s = kn.nn.rrelu(-kn.ones(10_000), 0.1, 0.3, True, key=key)
    assert s.min() >= -0.3 and s.max() <= -0.1 and abs(float(s.mean()) + 0.2) < 0.01
    hard = kn.nn.gumbel_softmax(kn.broadcast_to(kn.log(kn.asarray([0.2, 0.5, 0.3])), (20_000, 3)), hard=True, key=key)
    np.testing.assert_allclose(hard.mean(0).numpy(), [0.2, 0.5, 0.3], atol=0.02)
    soft = kn.nn.gumbel_softmax(kn.zeros((5, 4)), 0.5, key=key)
    np.testing.assert_allclose(soft.sum(-1).numpy(), 1, rtol=1e-6)
    assert kn.nn.scaled_dot_product_attention(kn.ones((1, 3, 2)), kn.ones((1, 3, 2)), kn.ones((1, 3, 2)), dropout_p=0.5).shape == (1, 3, 2)


@pytest.mark.parametrize("call, error, message", [
    (lambda n: n.grid_sample(kn.ones((1, 1, 2, 2)), kn.ones((2, 2, 2, 2))), kn.ShapeError, "grid_sample: shapes: expected"), (lambda n: n.grid_sample(kn.ones((1, 1, 2, 2)), kn.ones((1, 2, 2, 2)), "cubic"), ValueError, "grid_sample: mode: expected 'bilinear' or 'nearest' or 'bicubic', got 'cubic'"),
    (lambda n: n.affine_grid(kn.ones((1, 2, 2)), (1, 1, 2, 2)), kn.ShapeError, r"affine_grid: theta: expected the shape \(1, 2, 3\)"), (lambda n: n.embedding_bag(kn.asarray([1, 2]), kn.ones((3, 2))), kn.ShapeError, "embedding_bag: indices: expected a matrix, or a vector with offsets"),
    (lambda n: n.embedding_bag(kn.asarray([[1]]), kn.ones((3, 2)), per_sample_weights=kn.ones((1, 1))), ValueError, "embedding_bag: per_sample_weights: expected mode 'sum', got 'mean'"), (lambda n: n.pixel_unshuffle(kn.ones((1, 1, 3, 4)), 2), kn.ShapeError, "pixel_unshuffle: sizes: expected multiples of 2, got 3 and 4"),
    (lambda n: n.channel_shuffle(kn.ones((1, 3, 4)), 2), kn.ShapeError, "channel_shuffle: channels: expected a multiple of 2, got 3"), (lambda n: n.multi_margin_loss(kn.ones((2, 3)), kn.asarray([1])), kn.ShapeError, "multi_margin_loss: shape of the target"),
    (lambda n: n.multilabel_margin_loss(kn.ones((2, 3)), kn.asarray([1])), kn.ShapeError, "multilabel_margin_loss: shape of the target"), (lambda n: n.alpha_dropout(kn.ones(2), 1.0), ValueError, r"alpha_dropout: p: expected a probability in \[0, 1\), got 1.0"),
    (lambda n: n.dropout2d(kn.ones((1, 2, 2)), 2), ValueError, "dropout2d: p: expected a probability"), (lambda n: n.scaled_dot_product_attention(kn.ones((3, 2, 2)), kn.ones((2, 2, 2)), kn.ones((2, 2, 2)), enable_gqa=True), kn.ShapeError, "scaled_dot_product_attention: heads: expected those of key and value to divide 3, got 2"),
    (lambda n: n.interpolate(kn.ones((1, 1, 4, 4)), 2, antialias=True), ValueError, "interpolate: mode of an antialias filter: expected 'bilinear' or 'bicubic', got 'nearest'")])
def test_errors_of_more_functions(call, error, message):
    with pytest.raises(error, match=message):
        call(kn.nn)
