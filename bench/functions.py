"""Every function that Kiln and NumPy both have, in eager, on a million and on ten elements: NumPy's time over Kiln's.

One text for each function, more where dtypes or layouts take other ways; what no text calls must have a reason in ``UNMEASURED``.
"""
import inspect
import math
import re
import statistics
import timeit
import warnings

import numpy as np

import kiln as kn

# x, y: float32 in (0.1, 1); g: normal, with both signs; d: float64; z: complex64; q: some are nan; s, t: squares of x, y; r: rows of 10; c: 9 numbers; h: float32 in
# [-1, 1]; o, p: ordered; i: positions; j: 10 positions; k, l: int64 below 1000; u: uint8; e: small int32; b, m: masks; few: 1 % true; a, v: a small square, symmetric, and its side.
TEXTS = """
np.abs(g); np.absolute(z); np.acos(h); np.acosh(x + 1); np.add(x, y); np.add(k, l); np.add(u, u); np.angle(z); np.arccos(h); np.arccosh(x + 1); np.arcsin(h); np.arcsinh(g); np.arctan(g)
np.arctan2(g, x); np.arctanh(h * 0.5); np.asin(h); np.asinh(g); np.atan(g); np.atan2(g, x); np.atanh(h * 0.5); np.bitwise_and(k, l); np.bitwise_count(k); np.bitwise_invert(k); np.bitwise_left_shift(k, 3)
np.bitwise_or(k, l); np.bitwise_right_shift(k, 3); np.bitwise_xor(k, l); np.cbrt(x); np.cbrt(d); np.ceil(g); np.conj(z); np.conjugate(z); np.copysign(x, g); np.cos(g); np.cos(d); np.cosh(g); np.deg2rad(x)
np.degrees(x); np.divide(x, y); np.divide(k, l + 1); np.divmod(x, y); np.divmod(k, 7); np.equal(x, y); np.equal(k, l); np.exp(x); np.exp(d); np.exp(z); np.exp2(x); np.expm1(x); np.fabs(g); np.float_power(x, y)
np.floor(g); np.floor_divide(x, y); np.floor_divide(k, l + 1); np.fmax(x, y); np.fmin(x, y); np.fmod(x, y); np.fmod(k, 7); np.frexp(x); np.gcd(k, l); np.greater(x, y); np.greater_equal(x, y)
np.heaviside(g, 0.5); np.hypot(x, y); z.imag; z.real; np.invert(b); np.isclose(x, y); np.isclose(k, l); np.iscomplex(z); np.isfinite(q); np.isinf(q); np.isnan(q); np.isneginf(q); np.isposinf(q); np.isreal(z)
np.lcm(k, l); np.ldexp(x, e); np.less(x, y); np.less(u, 7); np.less_equal(x, y); np.log(x); np.log(d); np.log10(x); np.log1p(x); np.log2(x); np.logaddexp(x, y); np.logaddexp2(x, y); np.logical_and(b, m)
np.logical_not(b); np.logical_or(b, m); np.logical_xor(b, m); np.maximum(x, y); np.maximum(k, l); np.minimum(x, y); np.mod(x, y); np.mod(k, 7); np.modf(g); np.multiply(x, y); np.multiply(z, z); np.multiply(k, l)
np.nan_to_num(q); np.negative(g); np.negative(k); np.nextafter(x, y); np.not_equal(x, y); np.positive(x); np.pow(x, y); np.pow(x, 2); np.pow(k, 2); np.power(x, 3.5); np.rad2deg(x); np.radians(x); np.reciprocal(x)
np.reciprocal(x); np.remainder(g, y); np.round(g); np.around(g, 2); np.sign(g); np.signbit(g); np.sin(g); np.sin(d); np.sinc(x); np.sinh(g); np.spacing(x); np.sqrt(x); np.sqrt(z); np.square(x); np.square(k)
np.subtract(x, y); np.tan(g); np.tanh(g); np.tanh(d); np.trunc(g); np.astype(x, np.float64); np.astype(x, np.int32); np.astype(k, np.float32); np.astype(b, np.float32); np.astype(u, np.int64)
np.all(b); np.all(b2, 0); np.all(b2, 1); np.allclose(x, x); np.amax(x); np.amin(x); np.any(few); np.any(b2, 0); np.argmax(x); np.argmax(s, 0); np.argmax(s, 1); np.argmin(k); np.array_equal(x, x); np.average(x)
np.average(s, 0); np.average(x, weights=y); np.count_nonzero(b); np.count_nonzero(x); np.count_nonzero(b2, 1); np.cumprod(x); np.cumsum(x); np.cumsum(k); np.cumsum(s, 0); np.cumsum(s, 1); np.cumulative_prod(x)
np.cumulative_sum(x); np.diff(x); np.diff(s, axis=0); np.max(x); np.max(s, 0); np.max(s, 1); np.max(k); np.max(u); np.mean(x); np.mean(s, 0); np.mean(s, 1); np.mean(k); np.median(x); np.median(s, 0); np.median(s, 1)
np.min(x); np.min(s.T, 0); np.nanargmax(q); np.nanargmin(q); np.nancumprod(q); np.nancumsum(q); np.nanmax(q); np.nanmean(q); np.nanmedian(q); np.nanmin(q); np.nanpercentile(q, 30); np.nanprod(q); np.nanquantile(q, 0.3)
np.nanstd(q); np.nansum(q); np.nanvar(q); np.percentile(x, [5, 50, 95]); np.prod(x); np.prod(s, 0); np.prod(k); np.ptp(x); np.quantile(x, 0.3); np.std(x); np.std(s, 0); np.std(s, 1); np.sum(x); np.sum(s, 0); np.sum(s, 1)
np.sum(s.T, 0); np.sum(z); np.sum(k); np.sum(u); np.sum(b); np.sum(d); np.sum(x[::2]); np.sum(r, 1); np.trapezoid(x); np.trapezoid(x, o); np.var(x); np.var(s, 0); np.var(s, 1); np.corrcoef(r.T); np.cov(r.T); np.cov(x, y)
np.gradient(x); np.gradient(s); np.ediff1d(x); np.convolve(x, c); np.correlate(x, c); np.unwrap(g); np.interp(x, o, p); np.histogram(x); np.histogram(x, o[::v]); np.histogram2d(x, y); np.histogramdd(r[:, :2])
np.histogram_bin_edges(x); np.bincount(k); np.bincount(k, x); np.digitize(x, o[::v]); np.searchsorted(o, x); np.searchsorted(o, c)
np.append(x, y); np.array_split(x, 7); np.atleast_1d(x); np.atleast_2d(x); np.atleast_3d(x); np.block([[s, t], [t, s]]); np.broadcast_arrays(s, s[0]); np.broadcast_to(s[0], s.shape); np.column_stack([x, y])
np.concat([x, y]); np.concatenate([s, t], 1); np.concatenate([s, t], None); np.delete(x, 3); np.delete(x, j); np.dsplit(cube, 2); np.dstack([x, y]); np.expand_dims(x, 0); np.flip(x); np.flip(s, 1); np.fliplr(s); np.flipud(s)
np.hsplit(s, [1]); np.hstack([x, y]); np.insert(x, 3, 7); np.insert(x, j, 7); np.matrix_transpose(s); np.meshgrid(c, o[::v]); np.meshgrid(x[::v], y[::v]); np.moveaxis(cube, 0, 2); np.pad(x, 3); np.pad(s, 2); np.pad(x, 3, "edge")
np.pad(x, 3, "reflect"); np.pad(s, 2, "reflect"); np.pad(s, 2, "wrap"); np.permute_dims(cube, (2, 0, 1)); np.ravel(x); np.ravel(s.T); np.repeat(x, 2); np.repeat(s, 2, 1); np.repeat(x, e); np.reshape(x, (-1, 1))
np.reshape(s.T, -1); np.resize(x, (2, x.size)); np.roll(x, 3); np.roll(s, 1, 1); np.rollaxis(cube, 2); np.rot90(s); np.split(x, 2); np.squeeze(x[None]); np.stack([x, y]); np.stack([x, y], 1); np.swapaxes(cube, 0, 2)
np.tile(x, 2); np.tile(c, x.size // 10); np.tile(s, (2, 2)); np.transpose(s); np.trim_zeros(e); np.unstack(s); np.vsplit(s, [1]); np.vstack([x, y]); np.copy(s.T); np.copy(x); np.array(x); np.asarray(x); np.copyto(w, x)
np.copyto(w, x, where=b)
np.diag(s); np.diag(x[:v]); np.diagflat(x[:v]); np.diagonal(s); np.trace(s); np.tril(s); np.triu(s); np.tri(v); np.eye(v); np.identity(v); np.vander(o[::v]); np.tril_indices(v); np.tril_indices_from(s)
np.triu_indices(v); np.triu_indices_from(s); np.diag_indices(v); np.diag_indices_from(s); np.fill_diagonal(w2, 3); np.indices(s.shape); np.full(n, 3.5, np.float32); np.full_like(x, 3)
np.full(n, 7); np.zeros(n); np.zeros_like(x); np.ones(n); np.ones_like(x); np.arange(n); np.arange(0.0, 1.0, 1 / n); np.linspace(0, 1, n); np.logspace(0, 1, n); np.geomspace(1, 10, n); np.bartlett(n); np.blackman(n)
np.hamming(n); np.hanning(n)
np.argpartition(x, 5); np.argsort(x); np.argsort(k); np.argsort(s, 1); np.lexsort((k, l)); np.partition(x, 5); np.sort(x); np.sort(d); np.sort(k); np.sort(u); np.sort(e); np.sort(s, 0); np.sort(s, 1); np.sort(o); np.sort(k, kind="stable")
np.unique(k); np.unique(x); np.unique(u); np.unique(k, return_counts=True); np.unique(k, return_inverse=True); np.unique_all(k); np.unique_counts(k); np.unique_inverse(k); np.unique_values(k); np.isin(k, j); np.isin(x, c)
np.isin(k, l); np.intersect1d(k, l); np.setdiff1d(k, l); np.setxor1d(k, l); np.union1d(k, l)
np.argwhere(b); np.choose(e & 1, [x, y]); np.compress(b, x); np.extract(b, x); np.flatnonzero(b); np.flatnonzero(few); np.nonzero(b); np.nonzero(x); np.nonzero(b2); np.piecewise(x, [b, m], [1, 2]); np.place(w, b, c)
np.put(w, i, x); np.put(w, j, 3); np.putmask(w, b, x); np.put_along_axis(w2, i2, 3, 1); np.select([b, m], [x, y], 0); np.take(x, i); np.take(s, i[:v] % v, 0); np.take(s, i[:v] % v, 1); np.take(r, j % 10, 1)
np.take_along_axis(s, i2, 1); np.where(b, x, y); np.where(b, x, 0); np.where(b2, s, s[0]); np.where(b); np.ix_(i, j); np.unravel_index(i, s.shape); np.ravel_multi_index((i % v, i % v), s.shape); np.clip(g, -1, 1)
np.clip(k, 10, 100); np.apply_along_axis(np.sum, 1, r[:10]); np.apply_over_axes(np.sum, s, [0])
x[i]; x[b]; x[few]; x[1:-1]; x[5]; x[::2]; x[::-1] + y; s[:, 1] + s[:, 0]; s[i[:v] % v, i[:v] % v]; s[:, i[:v] % v]; s[1:, 1:] + s[:-1, :-1]; s[..., None] * 2; w.__setitem__(i, x); w.__setitem__(b, 1); w.__setitem__(few, 2)
w.__setitem__(slice(1, -1), y[1:-1]); w2.__setitem__((slice(None), 0), 3); w2.__setitem__((i[:v] % v, i[:v] % v), 3); w2.__setitem__(slice(None), s.T); s.T + s; x + 1; 2 - x; x * y + x; k + 1; u + 1; k // 7; k % 7; k > 5; x ** 2; x ** 0.5; z * 2; d * x
x.sum(); x.tolist(); float(x[0]); x[0].item(); x.copy(); x.ravel(); x.astype(np.int64); len(x); x.T
np.dot(x, y); np.dot(s, t); np.einsum("ij,jk", s, t); np.einsum("ij->j", s); np.einsum("ij,ij->i", s, t); np.einsum_path("ij,jk", s, t); np.inner(x, y); np.inner(r, r[0]); np.kron(a[:32], a[:32]); np.matmul(s, t)
np.matmul(s, s[0]); np.matmul(r, a10); np.matmul(batch, batch); np.outer(x[:v], y[:v]); np.tensordot(s, t, 1); np.vdot(x, y); np.vecdot(s, t); np.vecdot(r, r); np.cross(r[:, :3], r[:, 1:4]); np.poly(c); np.polyadd(x, y)
np.polyder(x); np.polyfit(x, y, 2); np.polyint(x); np.polymul(c, x); np.polysub(x, y); np.polyval(c, x); np.roots(c); np.piecewise(x, [b], [lambda f: f * 2, 1])
np.linalg.cholesky(a); np.linalg.cond(a); np.linalg.cross(r[:, :3], r[:, 1:4]); np.linalg.det(a); np.linalg.det(batch); np.linalg.diagonal(s); np.linalg.eig(a); np.linalg.eigh(a); np.linalg.eigvals(a); np.linalg.eigvalsh(a)
np.linalg.inv(a); np.linalg.inv(batch); np.linalg.lstsq(a, a[0]); np.linalg.matmul(a, a); np.linalg.matrix_norm(s); np.linalg.matrix_power(a, 3); np.linalg.matrix_rank(a); np.linalg.matrix_transpose(s)
np.linalg.multi_dot([a, a, a]); np.linalg.norm(x); np.linalg.norm(s, axis=1); np.linalg.norm(z); np.linalg.outer(x[:v], y[:v]); np.linalg.pinv(a); np.linalg.qr(a); np.linalg.slogdet(a); np.linalg.solve(a, a[0])
np.linalg.solve(batch, batch); np.linalg.svd(a); np.linalg.svdvals(a); np.linalg.tensordot(a, a); np.linalg.tensorinv(a, 1); np.linalg.tensorsolve(a, a[0]); np.linalg.trace(s); np.linalg.vecdot(s, t)
np.linalg.vector_norm(x); np.linalg.vector_norm(s, axis=0)
np.fft.fft(z); np.fft.fft(x); np.fft.fft2(s); np.fft.fftfreq(n); np.fft.fftn(s); np.fft.fftshift(x); np.fft.hfft(z); np.fft.ifft(z); np.fft.ifft2(s); np.fft.ifftn(s); np.fft.ifftshift(x); np.fft.ihfft(x); np.fft.irfft(z)
np.fft.irfft2(s); np.fft.irfftn(s); np.fft.rfft(x); np.fft.rfft2(s); np.fft.rfftfreq(n); np.fft.rfftn(s)
np.random.random(n); np.random.normal(size=n); np.random.integers(0, 10, n); np.random.exponential(size=n); np.random.permutation(n)
"""
UNMEASURED = {
    "answers about dtypes, shapes and files, or only names memory": "broadcast_shapes can_cast isdtype result_type from_dlpack get_include asarray load save savez get_printoptions set_printoptions printoptions issubdtype ndim promote_types shape size",
    "of NumPy's it gives a view, here x.real does": "real imag",
    "of NumPy's it leaves memory as it is, here it makes zeros": "empty empty_like",
}


def texts():
    return [t for line in TEXTS.strip().splitlines() for t in line.split("; ")]


def missing():
    """Functions that both have and no text calls."""
    called = {name for t in texts() for name in re.findall(r"np\.((?:linalg\.|fft\.)?\w+)", t)}
    excused = {name for names in UNMEASURED.values() for name in names.split()}
    spaces = (("", np, kn), ("linalg.", np.linalg, kn.linalg), ("fft.", np.fft, kn.fft))
    both = {prefix + name for prefix, theirs, ours in spaces for name in dir(theirs) if not name.startswith("_") and hasattr(ours, name)
            and callable(getattr(theirs, name)) and not isinstance(getattr(theirs, name), type) and not inspect.ismodule(getattr(theirs, name))}
    return sorted(both - called - excused)


class Theirs:
    """NumPy, whose random numbers come from a generator as Kiln's do."""
    random = np.random.default_rng(0)

    def __getattr__(self, name):
        return getattr(np, name)


def operands(n, wrap):
    """The names of the texts, as NumPy arrays or through ``wrap``."""
    rng = np.random.default_rng(0)
    side, small = max(2, math.isqrt(n)), 256 if n > 1000 else 3
    x, y, g = rng.uniform(0.1, 1, n).astype("f"), rng.uniform(0.1, 1, n).astype("f"), rng.normal(size=n).astype("f")
    m = rng.normal(size=(small, small)).astype("f")
    i = rng.integers(0, n, n)
    arrays = {
        "x": x, "y": y, "g": g, "d": g.astype("d"), "z": (x + 1j * g).astype("F"), "q": np.where(rng.random(n) < 0.01, np.float32("nan"), x), "s": x[:side * side].reshape(side, side), "t": y[:side * side].reshape(side, side),
        "r": x[:n // 10 * 10].reshape(-1, 10), "c": rng.normal(size=9).astype("f"), "h": rng.uniform(-1, 1, n).astype("f"), "o": np.sort(x), "p": np.sort(y), "i": i, "j": rng.integers(0, n, 10), "k": rng.integers(0, 1000, n),
        "l": rng.integers(0, 1000, n), "u": rng.integers(0, 256, n).astype("u1"), "e": rng.integers(0, 4, n).astype("i4"), "b": g > 0, "m": x > 0.5, "few": rng.random(n) < 0.01, "b2": (g > 0)[:side * side].reshape(side, side),
        "a": m @ m.T / small + np.eye(small, dtype="f"), "w": x.copy(), "w2": x[:side * side].reshape(side, side).copy(), "i2": rng.integers(0, side, (side, 1)), "cube": x[:n // 4 * 4].reshape(2, 2, -1),
        "batch": rng.normal(size=(max(1, n // 16), 4, 4)).astype("f"), "a10": rng.normal(size=(10, 10)).astype("f")}
    return {"n": n, "v": side, **{name: wrap(np.array(a)) for name, a in arrays.items()}}


def compare(n, rounds, only=""):
    """NumPy's time over Kiln's for each text, the two in turns: medians of the ratios of rounds, and Kiln's time."""
    ratios, spaces = {}, [{"np": module, **operands(n, wrap)} for module, wrap in ((kn, lambda a: kn.asarray(a, copy=True)), (Theirs(), lambda a: a))]
    for text in texts():
        if only in text:
            ours, theirs = (timeit.Timer(text, globals=space) for space in spaces)
            with warnings.catch_warnings(), kn.config.override(jit="sync"):
                warnings.simplefilter("ignore")
                try:
                    ours.timeit(5 if n > 1000 else 100)  # what compiles by then is compiled: over few elements what runs in a loop
                    times = max(1, min(1000, int(2e-3 / max(theirs.timeit(1), 1e-7))))
                    pairs = [(theirs.timeit(times), ours.timeit(times)) for _ in range(rounds)]
                except Exception as error:
                    raise RuntimeError(f"{n} elements: {text}") from error
            ratios[text] = statistics.median(a / b for a, b in pairs), statistics.median(b for _, b in pairs) / times
    return ratios


def rows(row):
    """The geometric means, and each text below 0.8."""
    if missing():
        raise AssertionError(f"functions that NumPy and Kiln have, and no text calls: {' '.join(missing())}")
    for n, bar in ((1_000_000, 1.7), (10, 2.0)):
        ratios = compare(n, 7)
        print(f"every function, {n:,} elements: NumPy's time over Kiln's where it is below 0.8")
        for text, (value, seconds) in sorted(ratios.items(), key=lambda pair: pair[1]):
            if value < 0.8:
                print(f"    {text:<40} {value:6.2f} {seconds * 1e6:12,.1f} us")
        values = [value for value, _ in ratios.values()]
        row(f"every function, {n:,} elements, geometric mean of {len(values)}", math.exp(statistics.fmean(map(math.log, values))), (">=", bar))
        row(f"every function, {n:,} elements, how many below 0.8", sum(value < 0.8 for value in values), ("<=", 0))


if __name__ == "__main__":
    import sys
    for size in (1_000_000, 10):
        for text, (value, seconds) in sorted(compare(size, 5, sys.argv[1] if sys.argv[1:] else "").items(), key=lambda pair: pair[1]):
            print(f"{size:9,} {text:<50} {value:7.2f} {seconds * 1e6:12,.1f} us")
