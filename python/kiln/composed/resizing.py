"""Other sizes, and windows of signals: (batch, channels, spatial...), by the names and with the parameters of torch."""
import builtins
import math

from .. import _core, _padding
from .._arguments import as_array, as_tuple, choice, floating, rounded_once
from .._core import Array
from .._errors import make
from .windows import _adaptive, _each, _surrounded


def _sources(n, m, scale, align_corners, mode):
    """Where each of ``m`` places lies among ``n``, as Python floats."""
    if align_corners:
        return [i * (n - 1) / (m - 1) if m > 1 else 0.0 for i in range(m)]
    step = n / m if scale is None else 1 / scale
    places = [step * (i + 0.5) - 0.5 for i in range(m)]
    return places if mode == "bicubic" else [builtins.max(p, 0.0) for p in places]


def _cubic(t, a=-0.75):
    def near(u):
        return ((a + 2) * u - (a + 3)) * u * u + 1

    def far(u):
        return ((u - 5) * u + 8) * u * a - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _along(x, axis, rows):
    """Sums of elements along an axis times weights: ``rows`` has (position, weight) lists, as many for each place."""
    result = None
    for taps in zip(*rows):
        at = _core.asarray([p for p, _ in taps], "int64", None)
        part = _core.take(x, at, axis)
        weights = [w for _, w in taps]
        if builtins.any(w != 1 for w in weights):
            part = part * _core.reshape(_core.asarray(weights, x.dtype, None), (-1,) + (1,) * (x.ndim - axis - 1))
        result = part if result is None else result + part
    return result


_PAD_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x, pad, mode="constant", value=None) -> Array:
    """Elements around the last axes: ``pad`` has a width before and one behind the last axis, then of the one before it, and so on; negative ones cut.

    ``mode`` is "constant" (``value``, or 0), "reflect", "replicate" or "circular". Raises ShapeError for another number of widths, ValueError for
    another mode.
    """
    x, widths = as_array(x), as_tuple(pad)
    choice("pad", "mode", mode, tuple(_PAD_MODES))
    if len(widths) % 2 or len(widths) > 2 * x.ndim:
        raise make("ShapeError", f"pad: pad: expected two widths for each of at most {x.ndim} axes, got {len(widths)}")
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + [widths[i:i + 2] for i in builtins.range(len(widths) - 2, -1, -2)]
    if builtins.any(w < 0 for w in widths):
        x = x[tuple(slice(builtins.max(0, -a), n - builtins.max(0, -b)) for (a, b), n in zip(pairs, x.shape))]
        pairs = [(builtins.max(0, a), builtins.max(0, b)) for a, b in pairs]
    values = {"constant_values": 0 if value is None else value} if mode == "constant" else {}
    return _padding.pad(x, pairs, _PAD_MODES[mode], **values)


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=None, *, antialias=False) -> Array:
    """(batch, channels, spatial...) with other spatial sizes: ``size``, or theirs times ``scale_factor``.

    ``mode`` is "nearest", "nearest-exact", "area", or by how many spatial axes there are "linear" (of one, or of any), "bilinear" and
    "bicubic" (of two), or "trilinear" (of three). With ``antialias`` "bilinear" and "bicubic" take in all elements that a smaller image has for one of
    its own. Raises ValueError for another mode, for one without such a filter, and unless one of ``size`` and ``scale_factor`` is given.
    """
    x = as_array(x)
    rank = x.ndim - 2
    choice("interpolate", "mode", mode, ("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area"))
    axes = {"bilinear": 2, "bicubic": 2, "trilinear": 3}.get(mode, rank)
    if axes != rank:
        raise make("ValueError", f"interpolate: mode: expected one for {rank} spatial axes, got {mode!r}")
    if (size is None) == (scale_factor is None):
        raise make("ValueError", "interpolate: size: expected one of size and scale_factor, got " + ("none" if size is None else "both"))
    scales = (None,) * rank if scale_factor is None else tuple(as_tuple(scale_factor) * (rank if not isinstance(scale_factor, (tuple, list)) else 1))
    sizes = _each("interpolate", "size", size, rank) if size is not None else tuple(int(math.floor(n * s)) for n, s in zip(x.shape[2:], scales))
    if antialias:
        choice("interpolate", "mode of an antialias filter", mode, ("bilinear", "bicubic"))
        return _filtered(floating(x), sizes, scales, mode, bool(align_corners))
    if mode == "area":
        return _adaptive("interpolate", floating(x), sizes, rank, "sum")
    if not mode.startswith("nearest"):
        return _interpolated(floating(x), sizes, scales, mode, bool(align_corners))
    for axis, (m, scale) in enumerate(zip(sizes, scales), 2):
        n = x.shape[axis]
        step, half = n / m if scale is None else 1 / scale, 0.5 if mode == "nearest-exact" else 0.0
        x = _along(x, axis, [[(builtins.min(int(math.floor((i + half) * step)), n - 1), 1)] for i in range(m)])
    return x


@rounded_once
def _interpolated(x, sizes, scales, mode, align_corners):
    for axis, (m, scale) in enumerate(zip(sizes, scales), 2):
        n, rows = x.shape[axis], []
        for place in _sources(n, m, scale, align_corners, mode):
            low = int(math.floor(place))
            t = place - low
            if mode == "bicubic":
                rows.append([(builtins.min(builtins.max(low - 1 + i, 0), n - 1), w) for i, w in enumerate(_cubic(t))])
            else:
                low = builtins.min(low, n - 1)
                rows.append([(low, 1 - t), (builtins.min(low + 1, n - 1), t)])
        x = _along(x, axis, rows)
    return x


def _kernel(t, mode):
    t = abs(t)
    if mode == "bilinear":
        return builtins.max(1 - t, 0.0)
    a = -0.5
    if t < 1:
        return ((a + 2) * t - (a + 3)) * t * t + 1
    return (((t - 5) * t + 8) * t - 4) * a if t < 2 else 0.0


@rounded_once
def _filtered(x, sizes, scales, mode, align_corners):
    """Means of all elements that a filter reaches, which is as wide as the step where that is above 1."""
    for axis, (m, scale) in enumerate(zip(sizes, scales), 2):
        n, rows = x.shape[axis], []
        step = ((n - 1) / (m - 1) if m > 1 else 0.0) if align_corners else n / m if scale is None else 1 / scale
        wide = builtins.max(step, 1.0)
        reach = (1 if mode == "bilinear" else 2) * wide
        for i in range(m):
            middle = step * (i + 0.5)
            low, high = builtins.max(int(middle - reach + 0.5), 0), builtins.min(int(middle + reach + 0.5), n)
            weights = [_kernel((j - middle + 0.5) / wide, mode) for j in range(low, high)]
            total = builtins.sum(weights) or 1.0
            rows.append([(j, w / total) for j, w in zip(range(low, high), weights)])
        most = builtins.max(map(len, rows))
        x = _along(x, axis, [row + [(row[-1][0], 0.0)] * (most - len(row)) for row in rows])
    return x


def pixel_shuffle(x, upscale_factor) -> Array:
    """(..., channels * r^2, height, width) as (..., channels, height * r, width * r)."""
    x, r = as_array(x), upscale_factor
    *lead, c, h, w = x.shape
    if c % (r * r):
        raise make("ShapeError", f"pixel_shuffle: channels: expected a multiple of {r * r}, got {c}")
    k = len(lead)
    y = _core.reshape(x, (*lead, c // (r * r), r, r, h, w))
    return _core.reshape(_core.permute_dims(y, (*range(k), k, k + 3, k + 1, k + 4, k + 2)), (*lead, c // (r * r), h * r, w * r))


def stft(x, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect", normalized=False, onesided=True) -> Array:
    """Fourier transforms of windows along the last axis, as (..., frequencies, windows): ``n_fft`` points each ``hop_length`` (a quarter).

    ``window`` has ``win_length`` factors, in the middle of each; with ``center`` the signal is continued at both ends.
    Raises ValueError where the signal is shorter than a window.
    """
    from .. import fft as transforms
    x = floating(x)
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if center:
        x = pad(x, (n_fft // 2, n_fft // 2), pad_mode)
    if x.shape[-1] < n_fft:
        raise make("ValueError", f"stft: signal: expected at least {n_fft} elements, got {x.shape[-1]}")
    from .signals import sliding_window_view
    frames = sliding_window_view(x, n_fft, x.ndim - 1)[..., ::hop, :]
    weights = _core.full((length,), 1, x.dtype) if window is None else as_array(window)
    left = (n_fft - length) // 2
    frames = frames * _surrounded(weights, ((left, n_fft - length - left),), 0)
    y = transforms.rfft(frames) if onesided else transforms.fft(frames)
    y = y / math.sqrt(n_fft) if normalized else y
    return _core.permute_dims(y, (*range(y.ndim - 2), y.ndim - 1, y.ndim - 2))


def istft(x, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=True, length=None) -> Array:
    """The signal whose ``stft`` is ``x`` (..., frequencies, windows), by the sum of its windows over that of their squares; of ``length`` elements if given.

    Raises ValueError where a window leaves an element out.
    """
    from .. import fft as transforms
    x = as_array(x)
    hop = n_fft // 4 if hop_length is None else hop_length
    span = n_fft if win_length is None else win_length
    x = _core.permute_dims(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))
    frames = transforms.irfft(x, n_fft) if onesided else transforms.ifft(x, n_fft)
    frames = frames * math.sqrt(n_fft) if normalized else frames
    weights = _core.full((span,), 1, frames.dtype) if window is None else as_array(window)
    left = (n_fft - span) // 2
    weights = _surrounded(weights, ((left, n_fft - span - left),), 0)
    count = frames.shape[-2]
    total = (count - 1) * hop + n_fft
    at = _core.reshape(_core.iota((count, n_fft), "int64", 0, frames.device) * hop + _core.iota((count, n_fft), "int64", 1, frames.device), (-1,))

    def added(values):
        lead = values.shape[:-2]
        rows = _core.reshape(values, (math.prod(lead), -1))
        columns = _core.full((total, rows.shape[0]), 0, values.dtype, values.device).at[at].add(rows.T)
        return _core.reshape(columns.T, (*lead, total))

    signal = added(frames * weights)
    envelope = added(_core.broadcast_to(weights * weights, (count, n_fft)))
    start = n_fft // 2 if center else 0
    end = (total - start if center else total) if length is None else builtins.min(start + length, total)
    envelope = envelope[start:end]
    if _core.is_at_hand() and not (envelope.real if envelope.dtype.kind == "c" else envelope).min() > 1e-11:
        raise make("ValueError", "istft: window: expected one that leaves no element out, got a sum of squares of 0")
    signal = signal[..., start:end] / envelope
    return signal if length is None or length <= signal.shape[-1] else pad(signal, (0, length - signal.shape[-1]))


def pixel_unshuffle(x, downscale_factor) -> Array:
    """(..., channels, height * r, width * r) as (..., channels * r^2, height, width). Raises ShapeError unless r divides both."""
    x, r = as_array(x), downscale_factor
    *lead, c, h, w = x.shape
    if h % r or w % r:
        raise make("ShapeError", f"pixel_unshuffle: sizes: expected multiples of {r}, got {h} and {w}")
    k = len(lead)
    y = _core.reshape(x, (*lead, c, h // r, r, w // r, r))
    return _core.reshape(_core.permute_dims(y, (*range(k), k, k + 2, k + 4, k + 1, k + 3)), (*lead, c * r * r, h // r, w // r))


def channel_shuffle(x, groups) -> Array:
    """``x`` (batch, channels, ...) with the channels of each of ``groups`` dealt out in turn. Raises ShapeError unless they divide the channels."""
    x = as_array(x)
    if x.shape[1] % groups:
        raise make("ShapeError", f"channel_shuffle: channels: expected a multiple of {groups}, got {x.shape[1]}")
    y = _core.reshape(x, (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
    return _core.reshape(_core.permute_dims(y, (0, 2, 1, *range(3, y.ndim))), x.shape)
