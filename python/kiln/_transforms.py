"""The transforms of kn.fft, by pocketfft."""
from . import _core
from ._arguments import as_array, as_tuple, floating, normalized_axis, on_device, ops, store
from ._core import Array
from ._creation import zeros
from ._dtypes import BY_NAME
from ._errors import make
from ._ranges import arange
from ._shaping import roll

_DIVISORS = {"backward": (0, 2), "ortho": (1, 1), "forward": (2, 0)}  # of the transform, of the inverse
_SWAPPED = {"backward": "forward", "ortho": "ortho", "forward": "backward", None: "forward"}


def _divisor(op, norm, inverse):
    if norm is not None and norm not in _DIVISORS:
        raise make("ValueError", f"{op}: norm: expected 'backward', 'ortho' or 'forward', got {norm!r}")
    return _DIVISORS[norm or "backward"][inverse]


def _into(op, result, out):
    return result if out is None else store(op, result, out)


def _float(x):
    """``x`` in a dtype that is transformed: narrow floats as float32."""
    x = floating(x)
    return _core.astype(x, BY_NAME["float32"]) if x.dtype.itemsize == 2 else x


def _complex(x):
    x = _float(x)
    return x if x.dtype.kind == "c" else _core.astype(x, BY_NAME["complex128" if x.dtype.itemsize == 8 else "complex64"])


def _real(op, x):
    x = _float(x)
    if x.dtype.kind == "c":
        raise make("DTypeError", f"{op}: dtype of operand 0: expected a real one, got {x.dtype.name}")
    return x


def _sized(op, x, axis, n):
    """``x`` with ``n`` points along an axis: cut off, or with zeros behind."""
    if n is None or n == x.shape[axis]:
        return x
    if n < 1:
        raise make("ValueError", f"{op}: points: expected at least 1, got {n}")
    if n < x.shape[axis]:
        return x[(*(slice(None),) * axis, slice(0, n))]
    return _core.concat((x, zeros((*x.shape[:axis], n - x.shape[axis], *x.shape[axis + 1:]), dtype=x.dtype, device=x.device)), axis)


def _axes(op, x, s, axes):
    """The axes of a transform over several, each once, and its points."""
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    axes = [normalized_axis(op, a, x.ndim) for a in as_tuple(axes) or range(0)] if not isinstance(axes, range) else list(axes)
    s = [x.shape[a] for a in axes] if s is None else list(s)
    if len(s) != len(axes) or not axes:
        raise make("ValueError", f"{op}: s: expected one size for each of at least one axis, got {len(s)} sizes and {len(axes)} axes")
    return axes, s


def _transform(op, x, s, axes, norm, inverse):
    x = _complex(x)
    axes, s = _axes(op, x, s, axes)
    for axis, n in zip(axes, s):
        x = _sized(op, x, axis, n)
    return _core.library("fft", (x,), tuple(axes), inverse, _divisor(op, norm, inverse))


def fft(x, /, n=None, axis=-1, norm=None, out=None) -> Array:
    """Discrete Fourier transform along an axis, of ``n`` points: the operand is cut off or padded with zeros to them."""
    return _into("fft", _transform("fft", x, None if n is None else (n,), (axis,), norm, 0), out)


def ifft(x, /, n=None, axis=-1, norm=None, out=None) -> Array:
    """Inverse of ``fft`` along an axis, of ``n`` points."""
    return _into("ifft", _transform("ifft", x, None if n is None else (n,), (axis,), norm, 1), out)


def fftn(x, /, s=None, axes=None, norm=None, out=None) -> Array:
    """Discrete Fourier transform over ``axes`` (all), with ``s`` points along each."""
    return _into("fftn", _transform("fftn", x, s, axes, norm, 0), out)


def ifftn(x, /, s=None, axes=None, norm=None, out=None) -> Array:
    """Inverse of ``fftn`` over ``axes`` (all), with ``s`` points along each."""
    return _into("ifftn", _transform("ifftn", x, s, axes, norm, 1), out)


def fft2(x, /, s=None, axes=(-2, -1), norm=None, out=None) -> Array:
    """``fftn`` over two axes."""
    return _into("fft2", _transform("fft2", x, s, axes, norm, 0), out)


def ifft2(x, /, s=None, axes=(-2, -1), norm=None, out=None) -> Array:
    """``ifftn`` over two axes."""
    return _into("ifft2", _transform("ifft2", x, s, axes, norm, 1), out)


def rfft(x, /, n=None, axis=-1, norm=None, out=None) -> Array:
    """Discrete Fourier transform of real numbers: the ``n // 2 + 1`` frequencies from 0 up.

    Raises DTypeError for complex numbers.
    """
    x = _real("rfft", x)
    axis = normalized_axis("rfft", axis, x.ndim)
    return _into("rfft", _core.library("rfft", (_sized("rfft", x, axis, n),), axis, _divisor("rfft", norm, 0)), out)


def irfft(x, /, n=None, axis=-1, norm=None, out=None) -> Array:
    """Inverse of ``rfft``: ``n`` real points, twice the frequencies less 2 unless given."""
    return _into("irfft", _irfft("irfft", _complex(x), n, axis, norm), out)


def _irfft(op, x, n, axis, norm):
    axis = normalized_axis(op, axis, x.ndim)
    n = 2 * (x.shape[axis] - 1) if n is None else n
    if n < 1:
        raise make("ValueError", f"{op}: points: expected at least 1, got {n}")
    return _core.library("irfft", (_sized(op, x, axis, n // 2 + 1),), axis, n, _divisor(op, norm, 1))


def rfftn(x, /, s=None, axes=None, norm=None, out=None) -> Array:
    """``rfft`` along the last of ``axes`` (all), then ``fft`` over the others."""
    return _into("rfftn", _rfftn("rfftn", x, s, axes, norm), out)


def _rfftn(op, x, s, axes, norm):
    x = _real(op, x)
    axes, s = _axes(op, x, s, axes)
    x = rfft(x, n=s[-1], axis=axes[-1], norm=norm)
    return _transform(op, x, s[:-1], axes[:-1], norm, 0) if axes[1:] else x


def irfftn(x, /, s=None, axes=None, norm=None, out=None) -> Array:
    """Inverse of ``rfftn``; the last axis gets twice its frequencies less 2 points unless ``s`` is given."""
    return _into("irfftn", _irfftn("irfftn", x, s, axes, norm), out)


def _irfftn(op, x, s, axes, norm):
    x = _complex(x)
    last = None if s is None else s[-1]
    axes, s = _axes(op, x, s, axes)
    if axes[1:]:
        x = _transform(op, x, s[:-1], axes[:-1], norm, 1)
    return _irfft(op, x, last, axes[-1], norm)


def rfft2(x, /, s=None, axes=(-2, -1), norm=None, out=None) -> Array:
    """``rfftn`` over two axes."""
    return _into("rfft2", _rfftn("rfft2", x, s, axes, norm), out)


def irfft2(x, /, s=None, axes=(-2, -1), norm=None, out=None) -> Array:
    """``irfftn`` over two axes."""
    return _into("irfft2", _irfftn("irfft2", x, s, axes, norm), out)


def hfft(x, /, n=None, axis=-1, norm=None, out=None) -> Array:
    """Transform of a signal that is the conjugate of itself mirrored: ``n`` real frequencies."""
    return _into("hfft", _irfft("hfft", ops["conj"](_complex(x)), n, axis, _SWAPPED.get(norm, norm)), out)


def ihfft(x, /, n=None, axis=-1, norm=None, out=None) -> Array:
    """Inverse of ``hfft``: the first ``n // 2 + 1`` points of the signal."""
    x = _real("ihfft", x)
    axis = normalized_axis("ihfft", axis, x.ndim)
    result = _core.library("rfft", (_sized("ihfft", x, axis, n),), axis, _divisor("ihfft", _SWAPPED.get(norm, norm), 0))
    return _into("ihfft", ops["conj"](result), out)


def _frequencies(op, n, d, device, dtype, low, high):
    if device is not None:
        with on_device(device):
            return _frequencies(op, n, d, None, dtype, low, high)
    if n < 1:
        raise make("ValueError", f"{op}: n: expected at least 1, got {n}")
    dtype = dtype or _core.default_dtype()
    whole = arange(0, high, dtype=dtype)
    if low:
        whole = _core.concat((whole, arange(low, 0, dtype=dtype)), 0)
    return whole / (n * d)


def fftfreq(n, /, d=1.0, dtype=None, device=None) -> Array:
    """The frequencies of ``fft`` of ``n`` points, ``d`` apart: 0 up, then the negative ones."""
    return _frequencies("fftfreq", n, d, device, dtype, -(n // 2), (n + 1) // 2)


def rfftfreq(n, /, d=1.0, dtype=None, device=None) -> Array:
    """The frequencies of ``rfft`` of ``n`` points, ``d`` apart."""
    return _frequencies("rfftfreq", n, d, device, dtype, 0, n // 2 + 1)


def _shift(op, x, axes, sign):
    x = as_array(x)
    axes = range(x.ndim) if axes is None else [normalized_axis(op, a, x.ndim) for a in as_tuple(axes)]
    return roll(x, tuple(sign * (x.shape[a] // 2) for a in axes), axis=tuple(axes)) if axes else x


def fftshift(x, /, axes=None) -> Array:
    """Frequency 0 moved to the middle of ``axes`` (all)."""
    return _shift("fftshift", x, axes, 1)


def ifftshift(x, /, axes=None) -> Array:
    """Inverse of ``fftshift``."""
    return _shift("ifftshift", x, axes, -1)
