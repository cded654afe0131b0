"""Functions of SciPy that take any array API (SCIPY_ARRAY_API=1), over Kiln's arrays: NumPy's answers, as arrays of Kiln."""
import numpy as np
import pytest
import scipy
import scipy.cluster.vq
import scipy.constants
import scipy.differentiate
import scipy.fft
import scipy.integrate
import scipy.ndimage
import scipy.optimize.elementwise
import scipy.signal
import scipy.spatial.transform
import scipy.special
import scipy.stats

import kiln as kn

# x, y: normal vectors; p: positive; m: a matrix; c: counts; `s` is SciPy.
ROWS = """s.special.erf(x); s.special.gammaln(p); s.special.logsumexp(x); s.special.expit(x); s.special.log_softmax(x); s.special.softmax(m, axis=1); s.special.entr(p); s.special.xlogy(p, p); s.special.ndtr(x); s.special.logit(p / 20)
s.special.i0(x); s.special.stdtr(p, x); s.fft.fft(x); s.fft.ifft(x); s.fft.rfft(x); s.fft.irfft(x); s.fft.fft2(m); s.fft.fftn(m); s.fft.hfft(x); s.fft.dct(x); s.fft.idct(m); s.fft.dst(x); s.fft.fftshift(x)
s.stats.zscore(x); s.stats.gmean(p); s.stats.hmean(p); s.stats.pmean(p, 3); s.stats.moment(x, 3); s.stats.skew(x); s.stats.kurtosis(m, axis=1); s.stats.describe(m).variance; s.stats.ttest_1samp(x, 0.1).statistic
s.stats.ttest_ind(x, y).pvalue; s.stats.ttest_rel(x, y).pvalue; s.stats.pearsonr(x, y).statistic; s.stats.jarque_bera(x).statistic; s.stats.skewtest(x).pvalue; s.stats.kurtosistest(x).statistic; s.stats.normaltest(x).pvalue
s.stats.chisquare(c).statistic; s.stats.entropy(p); s.stats.variation(p); s.stats.sem(x); s.stats.rankdata(x); s.stats.trim_mean(x, 0.1); s.stats.differential_entropy(x); s.stats.directional_stats(m).mean_direction; s.stats.iqr(x)
s.integrate.trapezoid(x); s.integrate.cumulative_trapezoid(x); s.cluster.vq.whiten(m); s.signal.detrend(x); s.signal.hilbert(x); s.signal.fftconvolve(x, y)
s.ndimage.gaussian_filter(m, 1.5); s.ndimage.uniform_filter(m, 3); s.ndimage.sobel(m); s.ndimage.median_filter(m, 3); s.constants.convert_temperature(x, "C", "K")
s.spatial.transform.Rotation.from_rotvec(m[:, :3]).as_matrix(); s.optimize.elementwise.find_root(lambda v, a: v ** 3 - a, (0 * p, p + 1), args=(p,)).x; s.differentiate.derivative(lambda v: v ** 3, p).df"""
ROWS = [r for line in ROWS.splitlines() for r in line.split("; ")]


@pytest.mark.parametrize("row", ROWS)
def test_as_numpy(row):
    rng = np.random.default_rng(0)
    theirs = {"x": rng.normal(size=40), "y": rng.normal(size=40), "p": rng.uniform(0.5, 15, 40), "m": rng.normal(size=(20, 5)), "c": rng.integers(5, 30, 10)}
    want = eval(row, {"s": scipy, **theirs})
    got = eval(row, {"s": scipy, **{name: kn.asarray(a) for name, a in theirs.items()}})
    assert isinstance(got, kn.Array), type(got)
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-9, atol=1e-12)
