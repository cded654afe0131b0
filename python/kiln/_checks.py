"""Derivatives and batches against what they stand for: differences, transposes, loops."""
from . import tree
from ._batches import _spread, vmap
from ._dtypes import finfo
from ._errors import TraceError, make
from ._gradients import _arrays, _is_inexact, _zeros_like, jvp, vjp
from ._joining import stack

# By dtype: the step of central differences, and what derivatives may be off by, relative to the sizes of what they are made of.
_STEPS = {"float64": (1e-5, 1e-6), "complex128": (1e-5, 1e-6), "float32": (2e-2, 2e-2), "complex64": (2e-2, 2e-2)}


def _normal(like, generator):
    """Random numbers of an array's shape and dtype; of other kinds than floats and complex, zeros."""
    import kiln as kn

    if not _is_inexact(like):
        return kn.zeros_like(like)
    x = kn.asarray(generator.normal(size=like.shape), dtype=kn.float64)
    if like.dtype.kind == "c":
        x = x + 1j * kn.asarray(generator.normal(size=like.shape), dtype=kn.float64)
    return kn.astype(x, like.dtype)


def _inner(xs, ys):
    """The real inner product of two lists of arrays, and the sum of the sizes of its terms."""
    import kiln as kn

    total, size = 0.0, 0.0
    for x, y in zip(xs, ys):
        if _is_inexact(x) and _is_inexact(y):
            wide = kn.complex128 if x.dtype.kind == "c" or y.dtype.kind == "c" else kn.float64
            terms = kn.conj(kn.astype(x, wide)) * kn.astype(y, wide)
            total, size = total + float(kn.real(kn.sum(terms))), size + float(kn.sum(abs(terms)))
    return total, size


def _moved(xs, direction, by):
    import kiln as kn

    return [kn.astype(x + by * t, x.dtype) if _is_inexact(x) else x for x, t in zip(xs, direction)]


class _Checked:
    """A function over lists of arrays, of which derivatives of some order are checked at a point."""

    def __init__(self, function, generator, atol, rtol, step, eps):
        self.function, self.generator, self.atol, self.rtol, self.step, self.eps = function, generator, atol, rtol, step, eps

    def compare(self, what, order, found, wanted, error):
        if not abs(found - wanted) <= error:
            raise AssertionError(f"check_grads: {what}, order {order}: expected {wanted!r}, got {found!r}")

    def difference(self, point, direction, step, cotangents=None):
        """A central difference against cotangents: (derivative, sum of the sizes of its terms, sum of the sizes of the values, cotangents)."""
        before, after = self.function(_moved(point, direction, -step)), self.function(_moved(point, direction, step))
        cotangents = [_normal(y, self.generator) for y in after] if cotangents is None else cotangents
        total, terms = _inner(cotangents, [y - x if _is_inexact(y) else y for x, y in zip(before, after)])
        return total / (2 * step), terms / (2 * step), _inner(cotangents, before)[1] + _inner(cotangents, after)[1], cotangents

    def directional(self, point):
        """A random direction, cotangents of the results, the derivative by differences, and what it may be off by: relative to its terms, as their
        values were rounded, and by what twice the step changes, which is three times what differences leave out."""
        direction = [_normal(x, self.generator) for x in point]
        wanted, terms, values, cotangents = self.difference(point, direction, self.step)
        twice = self.difference(point, direction, 2 * self.step, cotangents)[0]
        error = self.atol + self.rtol * terms + 4 * self.eps * values / self.step + abs(twice - wanted)
        return direction, cotangents, wanted, error

    def forward(self, point, order):
        direction, cotangents, wanted, error = self.directional(point)
        _, changes = jvp(lambda *xs: self.function(list(xs)), point, direction)
        self.compare("forward mode against differences", order, _inner(cotangents, changes)[0], wanted, error)

    def reverse(self, point, order):
        direction, cotangents, wanted, error = self.directional(point)
        _, pull = vjp(lambda *xs: self.function(list(xs)), *point)
        self.compare("reverse mode against differences", order, _inner(direction, pull(cotangents))[0], wanted, error)

    def derivative(self, point, mode):
        """The function that the next order is the derivative of."""
        count = len(point)
        if mode == "fwd":
            direction = [_normal(x, self.generator) for x in point]
            return lambda xs: jvp(lambda *ys: self.function(list(ys)), xs, direction)[1]
        cotangents = [_normal(y, self.generator) for y in self.function(point)]
        return lambda xs: list(vjp(lambda *ys: self.function(list(ys)), *xs)[1](cotangents))[:count]


def _listed(f, structure):
    """A function of lists of arrays, of one over trees."""
    def call(arrays):
        return _arrays("check_grads", "result", tree.leaves(f(*tree.unflatten(structure, arrays))))

    return call


def _modes_of(function, point):
    """Reverse mode, and forward mode unless a function with a reverse rule alone is in the way."""
    try:
        jvp(lambda *xs: function(list(xs)), point, [_zeros_like(x) for x in point])
    except TraceError as error:
        if not str(error).startswith("custom_vjp: derivative of"):
            raise
        return ("rev",)
    return ("fwd", "rev")


def check_grads(f, args, order=2, modes=None, atol=None, rtol=None, eps=None, seed=0):
    """Checks derivatives of a function against central differences, along random directions.

    Parameters
    ----------
    f : function
        Of trees of arrays and numbers, to a tree of arrays; smooth around ``args``.
    args : sequence
        Its arguments.
    order : int
        Up to which one derivatives are checked: 2 checks the derivative, and that of the derivative in each mode.
    modes : sequence of "fwd" and "rev", or None
        Which modes. None: both, but reverse mode alone of a function that calls one of ``kn.custom_vjp``, which has no other.
    atol, rtol, eps : float or None
        What a derivative may be off by besides what rounding does to differences (0), and relative to the sizes of its terms; the step of
        differences. None: as the dtype allows.
    seed : int
        Of the directions.

    Raises
    ------
    AssertionError
        Where a derivative is not that of the function: mode, order, and both numbers.
    ValueError
        For another mode, or an order below 1.
    """
    import kiln as kn

    leaves, structure = tree.flatten(tuple(args))
    point, function = _arrays("check_grads", "arguments", leaves), _listed(f, structure)
    modes = _modes_of(function, point) if modes is None else (modes,) if isinstance(modes, str) else tuple(modes)
    if order < 1 or not modes or not set(modes) <= {"fwd", "rev"}:
        raise make("ValueError", f"check_grads: expected an order of at least 1 and modes among 'fwd' and 'rev', got {order!r} and {modes!r}")
    step, tolerance = max(_STEPS.get(x.dtype.name, (1e-1, 1e-1)) for x in point if _is_inexact(x)) if any(map(_is_inexact, point)) else (1e-5, 1e-6)
    generator = kn.random.default_rng(seed)
    rounding = max((float(finfo(x.dtype).eps) for x in point if _is_inexact(x)), default=0.0)
    functions = [function]
    for n in range(1, order + 1):
        checked = [_Checked(g, generator, atol or 0.0, tolerance if rtol is None else rtol, step if eps is None else eps, rounding) for g in functions]
        for c in checked:
            for mode in modes:
                (c.forward if mode == "fwd" else c.reverse)(point, n)
        functions = [c.derivative(point, mode) for c in checked for mode in modes]


def check_vmap(f, args, in_axes=0, out_axes=0, rtol=0.0, atol=0.0):
    """Checks that ``kn.vmap(f, in_axes, out_axes)(*args)`` is what a loop over the examples gives.

    ``rtol`` and ``atol`` are for functions with products, whose order in a batch is another (docs/numerics.md); 0 asks for the same bits. Raises
    AssertionError where a result differs, ValueError for no examples, and what ``kn.vmap`` raises.
    """
    leaves, structure = tree.flatten(tuple(args))
    axes = _spread("in_axes", tuple(in_axes) if isinstance(in_axes, list) else in_axes, tuple(args))
    arrays = _arrays("check_vmap", "arguments", leaves)
    size = next((x.shape[a] for x, a in zip(arrays, axes) if a is not None and -x.ndim <= a < x.ndim), 0)
    if not size:
        raise make("ValueError", f"check_vmap: in_axes: expected an axis of an argument, and an example along it, got {in_axes!r}")
    singles = [f(*tree.unflatten(structure, _example(arrays, axes, i))) for i in range(size)]
    got, parts = vmap(f, in_axes=in_axes, out_axes=out_axes)(*args), [_arrays("check_vmap", "result", tree.leaves(s)) for s in singles]
    for k, (found, axis) in enumerate(zip(tree.leaves(got), _spread("out_axes", out_axes, singles[0]))):
        wanted = parts[0][k] if axis is None else stack([p[k] for p in parts], axis=axis)
        _compare(k, found, wanted, rtol, atol)


def _example(arrays, axes, i):
    return [x if a is None else x[(slice(None),) * (a % x.ndim) + (i,)] for x, a in zip(arrays, axes)]


def _compare(number, found, wanted, rtol, atol):
    import kiln as kn

    if found.shape != wanted.shape or found.dtype is not wanted.dtype:
        raise AssertionError(f"check_vmap: result {number}: expected {wanted.dtype}{list(wanted.shape)}, got {found.dtype}{list(found.shape)}")
    is_close = kn.allclose(found, wanted, rtol=rtol, atol=atol, equal_nan=True) if rtol or atol else None
    if is_close is None:
        is_nan = kn.isnan(wanted) & kn.isnan(found) if _is_inexact(wanted) else kn.zeros_like(wanted, dtype=bool)
        is_close = bool(kn.all(is_nan | (found == wanted)))
    if not is_close:
        differing = int(kn.count_nonzero(found != wanted))
        raise AssertionError(f"check_vmap: result {number}: expected that of a loop, got one that differs in {differing} of {wanted.size} elements")
