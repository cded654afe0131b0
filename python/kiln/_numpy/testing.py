"""numpy.testing: assertions about arrays. Each raises AssertionError, with how many elements differ and by how much."""
import contextlib
import re

import kiln as kn

from .._arguments import as_array
from .._core import Array


def _shown(message, got, want, err_msg, differing=None):
    lines = ["", message, *([str(err_msg)] if err_msg else [])]
    if differing is not None:
        lines.append(f"Mismatched elements: {int(kn.sum(differing))} / {differing.size}")
        if got.shape == want.shape and got.dtype.kind in "iufc" and want.dtype.kind in "iufc":
            error = kn.abs(kn.astype(got, kn.complex128 if got.dtype.kind == "c" or want.dtype.kind == "c" else kn.float64) - want)
            finite = error[kn.isfinite(error)]
            lines += [f"Max absolute difference: {float(kn.max(finite))}"] if finite.size else []
    return "\n".join([*lines, f" ACTUAL: {got}", f" DESIRED: {want}"])


def _compared(actual, desired, holds, message, err_msg, equal_nan=True, strict=False):
    got, want = as_array(actual), as_array(desired)
    if strict and got.dtype is not want.dtype:
        raise AssertionError(_shown(f"{message} (dtypes {got.dtype}, {want.dtype} mismatch)", got, want, err_msg))
    if got.shape != want.shape and (strict or got.ndim and want.ndim):
        raise AssertionError(_shown(f"{message} (shapes {got.shape}, {want.shape} mismatch)", got, want, err_msg))
    good = as_array(holds(got, want))
    if equal_nan and got.dtype.kind in "fc" and want.dtype.kind in "fc":
        good = good | (kn.isnan(got) & kn.isnan(want))
    if not kn.all(good):
        raise AssertionError(_shown(message, got, want, err_msg, ~good))


def assert_array_equal(actual, desired, err_msg="", verbose=True, *, strict=False):
    """Same shapes, or one is a number, and equal elements; nan equals nan."""
    _compared(actual, desired, lambda a, b: a == b, "Arrays are not equal", err_msg, strict=strict)


def assert_equal(actual, desired, err_msg="", verbose=True, *, strict=False):
    """Equal numbers, arrays, texts, or trees of lists, tuples and dicts of them."""
    if isinstance(desired, dict):
        assert isinstance(actual, dict) and len(actual) == len(desired), f"Items are not equal: {err_msg}\n ACTUAL: {actual!r}\n DESIRED: {desired!r}"
        for key, value in desired.items():
            assert_equal(actual[key], value, f"key={key!r}\n{err_msg}")
    elif isinstance(desired, (list, tuple)) and isinstance(actual, (list, tuple)):
        assert len(actual) == len(desired), f"Items are not equal: {err_msg}\n ACTUAL: {actual!r}\n DESIRED: {desired!r}"
        for k, (a, d) in enumerate(zip(actual, desired)):
            assert_equal(a, d, f"item={k}\n{err_msg}")
    elif isinstance(desired, (bool, int, float, complex, Array)) or isinstance(actual, Array):
        _compared(actual, desired, lambda a, b: a == b, "Items are not equal", err_msg, strict=strict)
    else:
        assert actual == desired, f"Items are not equal: {err_msg}\n ACTUAL: {actual!r}\n DESIRED: {desired!r}"


def assert_allclose(actual, desired, rtol=1e-7, atol=0, equal_nan=True, err_msg="", verbose=True, *, strict=False):
    """Differences of at most ``atol`` plus ``rtol`` times ``desired``."""
    _compared(actual, desired, lambda a, b: kn.isclose(a, b, rtol=rtol, atol=atol), f"Not equal to tolerance rtol={rtol:g}, atol={atol:g}", err_msg, equal_nan, strict)


def assert_array_almost_equal(actual, desired, decimal=6, err_msg="", verbose=True):
    """Differences below 1.5 times 10^-``decimal``."""
    _compared(actual, desired, lambda a, b: (a == b) | (kn.abs(kn.astype(a, kn.complex128 if a.dtype.kind == "c" else kn.float64) - b) < 1.5 * 10.0**-decimal),
              f"Arrays are not almost equal to {decimal} decimals", err_msg)


def assert_almost_equal(actual, desired, decimal=7, err_msg="", verbose=True):
    """Differences below 1.5 times 10^-``decimal``."""
    assert_array_almost_equal(actual, desired, decimal, err_msg)


def assert_approx_equal(actual, desired, significant=7, err_msg="", verbose=True):
    """Equal in ``significant`` digits."""
    assert_allclose(actual, desired, rtol=0.5 * 10.0 ** -(significant - 1), err_msg=err_msg)


def assert_array_less(x, y, err_msg="", verbose=True, *, strict=False):
    """Elements of ``x`` below those of ``y``."""
    _compared(x, y, lambda a, b: a < b, "Arrays are not strictly ordered `x < y`", err_msg, strict=strict)


def assert_array_max_ulp(a, b, maxulp=1, dtype=None):
    """Differences of at most ``maxulp`` units in the last place."""
    _compared(a, b, lambda u, v: kn.abs(u - v) <= maxulp * kn.spacing(kn.maximum(kn.abs(u), kn.abs(v))), f"Arrays are not almost equal up to {maxulp} ULP", "")


def assert_(val, msg=""):
    """A condition."""
    if not val:
        raise AssertionError(msg() if callable(msg) else msg)


@contextlib.contextmanager
def _raising(classes, pattern=None):
    try:
        yield
    except classes as error:
        if pattern is not None and not re.search(pattern, str(error)):
            raise AssertionError(f"expected a message like {pattern!r}, got {str(error)!r}") from error
    else:
        raise AssertionError(f"expected {classes!r}, got no error")


def assert_raises(exception_class, *args, **kwargs):
    """A call, or the body of ``with``, raises an error of a class, or of one of several."""
    if not args:
        return _raising(exception_class)
    with _raising(exception_class):
        args[0](*args[1:], **kwargs)
    return None


def assert_raises_regex(exception_class, expected_regexp, *args, **kwargs):
    """``assert_raises`` with a message like a pattern."""
    if not args:
        return _raising(exception_class, expected_regexp)
    with _raising(exception_class, expected_regexp):
        args[0](*args[1:], **kwargs)
    return None
