"""numpy.emath: functions whose results are complex where real ones are none. Each looks at values."""
import kiln as kn

from .._arguments import as_array, floating


def _outside(x, condition):
    """``x``, complex if an element is where a real result is none."""
    x = floating(as_array(x))
    return kn.astype(x, "complex64" if x.dtype.itemsize <= 4 else "complex128") if x.dtype.kind == "f" and kn.any(condition(x)) else x


def sqrt(x):
    """Square roots, complex where an element is negative."""
    return kn.sqrt(_outside(x, lambda v: v < 0))


def log(x):
    """Natural logarithms, complex where an element is negative."""
    return kn.log(_outside(x, lambda v: v < 0))


def log2(x):
    """Logarithms to base 2, complex where an element is negative."""
    return kn.log2(_outside(x, lambda v: v < 0))


def log10(x):
    """Logarithms to base 10, complex where an element is negative."""
    return kn.log10(_outside(x, lambda v: v < 0))


def logn(n, x):
    """Logarithms to base ``n``, complex where an operand is negative."""
    return log(x) / log(n)


def power(x, p):
    """Powers, complex where a base is negative."""
    return kn.pow(_outside(x, lambda v: v < 0), as_array(p))


def arccos(x):
    """Arc cosines, complex where an element is outside of [-1, 1]."""
    return kn.acos(_outside(x, lambda v: kn.abs(v) > 1))


def arcsin(x):
    """Arc sines, complex where an element is outside of [-1, 1]."""
    return kn.asin(_outside(x, lambda v: kn.abs(v) > 1))


def arctanh(x):
    """Area hyperbolic tangents, complex where an element is outside of [-1, 1]."""
    return kn.atanh(_outside(x, lambda v: kn.abs(v) > 1))
