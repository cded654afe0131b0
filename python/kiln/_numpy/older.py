"""Classes of NumPy's older programs: poly1d and nditer."""
import itertools

import kiln as kn

from .. import _core
from .._arguments import as_array
from .._errors import make


class poly1d:
    """A polynomial by its coefficients ``c``, the highest first, or by its roots with ``r=True``."""

    __array_ufunc__ = None
    __array_priority__ = 1000

    def __init__(self, c_or_r, r=False, variable="x"):
        c = kn.poly(as_array(c_or_r)) if r else c_or_r.coeffs if isinstance(c_or_r, poly1d) else kn.atleast_1d(as_array(c_or_r))
        kept = kn.nonzero(c)[0]
        self.coeffs, self.variable = c[int(kept[0]):] if kept.size else c[:1] * 0, variable

    c = coef = coefficients = property(lambda self: self.coeffs)
    order = o = property(lambda self: self.coeffs.size - 1)
    roots = r = property(lambda self: kn.roots(self.coeffs))

    def __call__(self, x):
        return poly1d(_composed(self.coeffs, x.coeffs)) if isinstance(x, poly1d) else kn.polyval(self.coeffs, x)

    def __array__(self, dtype=None, copy=None):
        return self.coeffs.numpy() if dtype is None else self.coeffs.numpy().astype(dtype)

    def __repr__(self):
        return f"poly1d({self.coeffs.tolist()})"

    def __len__(self):
        return self.order

    def __iter__(self):
        return iter(self.coeffs)

    def __getitem__(self, power):
        return self.coeffs[self.order - power] if 0 <= power <= self.order else self.coeffs[0] * 0

    def __setitem__(self, power, value):
        if power < 0:
            raise make("ValueError", f"poly1d: power: expected at least 0, got {power}")
        if power > self.order:
            self.coeffs = kn.concatenate((kn.zeros(power - self.order, dtype=self.coeffs.dtype), self.coeffs))
        self.coeffs[self.order - power] = value

    def __eq__(self, other):
        return isinstance(other, poly1d) and self.coeffs.shape == other.coeffs.shape and bool(kn.all(self.coeffs == other.coeffs))

    __hash__ = None

    def __neg__(self):
        return poly1d(-self.coeffs)

    def __add__(self, other):
        return poly1d(kn.polyadd(self.coeffs, poly1d(other).coeffs))

    __radd__ = __add__

    def __sub__(self, other):
        return poly1d(kn.polysub(self.coeffs, poly1d(other).coeffs))

    def __rsub__(self, other):
        return poly1d(kn.polysub(poly1d(other).coeffs, self.coeffs))

    def __mul__(self, other):
        return poly1d(kn.polymul(self.coeffs, poly1d(other).coeffs))

    __rmul__ = __mul__

    def __pow__(self, n):
        if not isinstance(n, int) or n < 0:
            raise make("ValueError", f"poly1d: power: expected a whole number of at least 0, got {n!r}")
        result = poly1d([1])
        for _ in range(n):
            result = result * self
        return result

    def __truediv__(self, other):
        from .functions import polydiv
        if isinstance(other, (int, float, complex)):
            return poly1d(self.coeffs / other)
        quotient, rest = polydiv(self.coeffs, poly1d(other).coeffs)
        return poly1d(quotient), poly1d(rest)

    def deriv(self, m=1):
        """The derivative of order ``m``."""
        return poly1d(kn.polyder(self.coeffs, m))

    def integ(self, m=1, k=0):
        """The integral of order ``m``, with the constants ``k``."""
        return poly1d(kn.polyint(self.coeffs, m, k))


def _composed(outer, inner):
    result = outer[:1]
    for k in range(1, outer.size):
        result = kn.polyadd(kn.polymul(result, inner), outer[k:k + 1])
    return result


class nditer:
    """The elements of arrays that broadcast, in row-major order: arrays without axes, which are views, so that ``x[...] = v`` writes where ``op_flags`` allow it.

    ``flags`` may have "multi_index" and "f_index", "c_index", "refs_ok", "zerosize_ok", whose attributes are there; buffers and external loops
    are not: whole arrays are quicker. Raises ValueError for other flags.
    """

    def __init__(self, op, flags=(), op_flags=None, op_dtypes=None, order="K"):
        others = set(flags) - {"multi_index", "c_index", "f_index", "refs_ok", "zerosize_ok"}
        if others:
            raise make("ValueError", f"nditer: flags: expected among 'multi_index', 'c_index', 'refs_ok' and 'zerosize_ok', got {sorted(others)[0]!r}")
        given = list(op) if isinstance(op, (list, tuple)) else [op]
        self.operands = tuple(as_array(a) for a in given)
        self.shape = kn.broadcast_shapes(*(a.shape for a in self.operands))
        self._arrays = [a if a.shape == self.shape else _core.broadcast_to(a, self.shape) for a in self.operands]
        self.ndim, self.nop, self.flags = len(self.shape), len(given), flags
        self.reset()

    def reset(self):
        """Starts anew."""
        self._places, self.iterindex, self.finished = itertools.product(*map(range, self.shape)), -1, False
        self.multi_index = next(self._places, None)
        self.iterindex, self.finished = 0, self.multi_index is None

    itersize = property(lambda self: self._arrays[0].size)
    index = property(lambda self: self.iterindex)

    @property
    def value(self):
        """The element, or one of each operand as a tuple."""
        values = tuple(a[(*self.multi_index, ...)] for a in self._arrays)
        return values if self.nop > 1 else values[0]

    def iternext(self):
        """Goes to the next element; whether there is one."""
        following = next(self._places, None)
        if following is None:
            self.finished = True
            return False
        self.multi_index, self.iterindex = following, self.iterindex + 1
        return True

    def __getitem__(self, k):
        return self.value[k] if self.nop > 1 else (self.value,)[k]

    def __setitem__(self, k, new):
        self._arrays[k][(*self.multi_index, ...)] = new

    def __len__(self):
        return self.nop

    def __iter__(self):
        while not self.finished:
            yield self.value
            self.iternext()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        """Nothing is to be closed."""
