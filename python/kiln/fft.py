"""Discrete Fourier transforms, computed by pocketfft.

``norm`` says what divides: "backward" (the default) the inverse by the number of points, "forward" the transform by it,
"ortho" both by its root. ``out`` is an array that takes the result, and is returned. Real numbers become complex ones of their precision, integers first the default dtype.
"""
from ._transforms import (fft, fft2, fftfreq, fftn, fftshift, hfft, ifft, ifft2, ifftn, ifftshift, ihfft, irfft, irfft2, irfftn, rfft,
                          rfft2, rfftfreq, rfftn)

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "irfft",
           "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn"]
