"""Random numbers: their distributions against SciPy's, known answers of the bits, and what a generator's state is."""
import numpy as np
import pytest
from scipy import stats

import kiln as kn
from conftest import same_bits

N = 100_000
CONTINUOUS = {
    "g.random(N, d)": stats.uniform(), "g.uniform(-2.0, 3.0, N, d)": stats.uniform(-2, 5), "g.standard_normal(N, d)": stats.norm(), "g.normal(1.0, 2.0, N, d)": stats.norm(1, 2),
    "g.lognormal(0.5, 0.7, N, d)": stats.lognorm(0.7, scale=np.exp(0.5)), "g.exponential(2.0, N, d)": stats.expon(scale=2), "g.standard_gamma(0.3, N, d)": stats.gamma(0.3),
    "g.gamma(1.0, 2.0, N, d)": stats.gamma(1, scale=2), "g.gamma(7.5, 1.0, N, d)": stats.gamma(7.5), "g.beta(2.0, 3.0, N, d)": stats.beta(2, 3), "g.beta(0.5, 0.5, N, d)": stats.beta(0.5, 0.5),
    "g.chisquare(3.0, N, d)": stats.chi2(3), "g.f(4.0, 9.0, N, d)": stats.f(4, 9), "g.standard_t(5.0, N, d)": stats.t(5), "g.cauchy(1.0, 2.0, N, d)": stats.cauchy(1, 2),
    "g.laplace(1.0, 2.0, N, d)": stats.laplace(1, 2), "g.logistic(1.0, 2.0, N, d)": stats.logistic(1, 2), "g.gumbel(1.0, 2.0, N, d)": stats.gumbel_r(1, 2), "g.rayleigh(2.0, N, d)": stats.rayleigh(scale=2),
    "g.weibull(1.5, N, d)": stats.weibull_min(1.5), "g.pareto(3.0, N, d)": stats.lomax(3), "g.power(2.5, N, d)": stats.powerlaw(2.5), "g.triangular(0.0, 1.0, 3.0, N, d)": stats.triang(1 / 3, 0, 3),
    "g.wald(1.0, 2.0, N, d)": stats.invgauss(0.5, scale=2), "g.truncated_normal(-1.0, 2.0, size=N, dtype=d)": stats.truncnorm(-1, 2),
    "g.vonmises(0.0, 2.0, N, d)": stats.vonmises(2.0), "g.vonmises(0.0, 0.3, N, d)": stats.vonmises(0.3), "g.vonmises(0.0, 0.0, N, d)": stats.uniform(-np.pi, 2 * np.pi), "g.vonmises(0.5, 400.0, N, d)": stats.vonmises(400.0, 0.5),
    "g.noncentral_chisquare(3.0, 5.0, N, d)": stats.ncx2(3, 5), "g.noncentral_chisquare(0.7, 1.5, N, d)": stats.ncx2(0.7, 1.5), "g.noncentral_f(4.0, 9.0, 3.0, N, d)": stats.ncf(4, 9, 3)}
DISCRETE = {
    "g.poisson(kn.asarray(0.5), N)": stats.poisson(0.5), "g.poisson(kn.asarray(25.0), N)": stats.poisson(25), "g.binomial(kn.asarray(300), 0.6, N)": stats.binom(300, 0.6),
    "g.binomial(kn.asarray(7), 0.2, N)": stats.binom(7, 0.2), "g.poisson(0.5, N)": stats.poisson(0.5), "g.poisson(9.5, N)": stats.poisson(9.5), "g.poisson(40.0, N)": stats.poisson(40), "g.binomial(10, 0.3, N)": stats.binom(10, 0.3),
    "g.binomial(300, 0.6, N)": stats.binom(300, 0.6), "g.binomial(5, 0.9, N)": stats.binom(5, 0.9), "g.geometric(0.3, N)": stats.geom(0.3), "g.integers(3, 17, N)": stats.randint(3, 17),
    "g.integers(6, size=N, endpoint=True)": stats.randint(0, 7), "g.categorical(p=[0.2, 0.5, 0.3], size=N)": stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])),
    "g.categorical(kn.log(kn.asarray([0.2, 0.5, 0.3])), size=N)": stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])), "g.negative_binomial(4.5, 0.3, N)": stats.nbinom(4.5, 0.3), "g.zipf(2.0, N)": stats.zipf(2.0), "g.zipf(1.4, N)": stats.zipf(1.4), "g.zipf(kn.asarray(5.0), N)": stats.zipf(5.0), "g.logseries(0.7, N)": stats.logser(0.7),
    "g.logseries(kn.asarray(0.99), N)": stats.logser(0.99), "g.hypergeometric(15, 30, 8, N)": stats.hypergeom(45, 15, 8), "g.hypergeometric(300, 80, 120, N)": stats.hypergeom(380, 300, 120), "g.hypergeometric(40, 30, 65, N)": stats.hypergeom(70, 40, 65),
    "g.hypergeometric(kn.asarray(50), 1000, 400, N)": stats.hypergeom(1050, 50, 400), "g.multinomial(20, [0.2, 0.5, 0.3], N)[:, 1]": stats.binom(20, 0.5), "g.multinomial(500, [0.2, 0.5, 0.3], N)[:, 2]": stats.binom(500, 0.3),
    "g.multivariate_hypergeometric([10, 20, 30], 25, N)[:, 1]": stats.hypergeom(60, 20, 25), "g.choice(3, N, p=[0.2, 0.5, 0.3])": stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3]))}


@pytest.mark.parametrize("d", ["float32", "float64"])
@pytest.mark.parametrize("draw", CONTINUOUS)
def test_continuous(draw, d):
    x = eval(draw, {"g": kn.random.default_rng(11), "N": N, "d": d}).numpy()
    assert x.dtype == d and x.shape == (N,)
    assert stats.kstest(x.astype("f8"), CONTINUOUS[draw].cdf).pvalue > 1e-3


@pytest.mark.parametrize("draw", DISCRETE)
def test_discrete(draw):
    law = DISCRETE[draw]
    values, counts = np.unique(eval(draw, {"g": kn.random.default_rng(5), "kn": kn, "N": N}).numpy(), return_counts=True)
    expected = law.pmf(values) * N
    often = expected > 5
    observed, expected = counts[often], expected[often]
    if N - expected.sum() > 5:
        observed, expected = np.append(observed, N - observed.sum()), np.append(expected, N - expected.sum())
    assert ((observed - expected) ** 2 / expected).sum() < stats.chi2(len(observed) - 1).ppf(0.999)


def test_moments_of_many():
    x = kn.random.default_rng(3).normal(size=10**7, dtype="float64")
    assert abs(float(kn.mean(x))) < 4 / 10**3.5 and abs(float(kn.var(x)) - 1) < 4 * 2**0.5 / 10**3.5
    assert abs(float(kn.mean(x * x * x))) < 4 * 15**0.5 / 10**3.5 and abs(float(kn.mean(x**4)) - 3) < 4 * 96**0.5 / 10**3.5


def test_bits_are_the_published_ones():
    """Threefry-2x32 of 20 rounds, the known answers of Random123: kat_vectors."""
    for counter, key, want in (((0, 0), (0, 0), (0x6b200159, 0x99ba4efe)), ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1cb996fc, 0xbb002be7)),
                               ((0x243f6a88, 0x85a308d3), (0x13198a2e, 0x03707344), (0xc4923a9c, 0x483df7a0))):
        words = [kn.asarray(a | b << 32, dtype=kn.uint64) for a, b in (counter, key)]
        assert int(kn.random_bits(*words)) == want[0] | want[1] << 32


def test_bits_are_uniform_and_independent():
    x = kn.random.default_rng(1).bits(200_000).numpy()
    ones = np.unpackbits(x.view(np.uint8)).reshape(-1, 64).mean(0)
    assert np.abs(ones - 0.5).max() < 5 * 0.5 / len(x) ** 0.5
    u = x / 2.0**64
    assert all(abs(np.corrcoef(u[:-k], u[k:])[0, 1]) < 5 / len(x) ** 0.5 for k in (1, 2, 3, 7, 64))
    cells = np.bincount((u[::2] * 32).astype(int) * 32 + (u[1::2] * 32).astype(int), minlength=1024)
    assert stats.chisquare(cells).pvalue > 1e-4
    assert len(np.unique(x)) == len(x)


def test_state_is_one_array():
    g, h = kn.random.default_rng(7), kn.random.default_rng(7)
    assert isinstance(g.state, kn.Array) and g.state.dtype is kn.uint64 and g.state.shape == (2,)
    first = g.normal(size=4)
    same_bits(first, h.normal(size=4))
    assert not kn.array_equal(g.normal(size=4), first)
    again = kn.random.Generator(h.state)
    same_bits(again.random(3), h.random(3))
    kn.random.seed(5)
    kept, x = kn.random.get_state(), kn.random.normal(size=3)
    kn.random.set_state(kept)
    same_bits(kn.random.normal(size=3), x)
    kn.random.seed(5)
    same_bits(kn.random.normal(size=3), x)


def test_spawned_generators_and_keys_differ():
    g = kn.random.default_rng(7)
    streams = [s.random(100).tolist() for s in g.spawn(3)] + [kn.random.random(100, key=k).tolist() for k in kn.random.split(kn.random.key(7), 2)]
    assert len({tuple(s) for s in streams}) == 5
    k = kn.random.key(3)
    same_bits(kn.random.normal(size=5, key=k), kn.random.normal(size=5, key=k))
    assert int(kn.random.key(2**70)) != int(kn.random.key(1)) and int(kn.random.key([1, 2])) != int(kn.random.key([2, 1]))
    assert int(kn.random.fold_in(k, 1)) != int(kn.random.fold_in(k, 2))


def test_the_same_numbers_under_jit():
    names = ("normal", "uniform", "exponential", "gumbel")
    for name in names:
        draw = getattr(kn.random, name)
        same_bits(kn.jit(lambda k: draw(size=(3, 4), key=k))(kn.random.key(1)), draw(size=(3, 4), key=kn.random.key(1)))
    step = kn.jit(lambda: kn.random.normal(size=3))
    kn.random.seed(0)
    want = [kn.random.normal(size=3) for _ in range(3)]
    kn.random.seed(0)
    for w in want:
        same_bits(step(), w)


def test_orders_and_choices():
    g = kn.random.default_rng(2)
    p = g.permutation(100)
    assert sorted(p.tolist()) == list(range(100)) and p.tolist() != list(range(100))
    x = kn.reshape(kn.arange(12), (4, 3))
    assert sorted(g.permutation(x).tolist()) == x.tolist() and sorted(g.permutation(x, axis=1).T.tolist()) == x.T.tolist()
    assert [sorted(r) for r in g.permuted(x, axis=1).tolist()] == x.tolist() and sorted(g.permuted(x).ravel().tolist()) == list(range(12))
    y = kn.arange(20)
    g.shuffle(y)
    assert sorted(y.tolist()) == list(range(20)) and y.tolist() != list(range(20))
    taken = g.choice(10, 10, replace=False)
    assert sorted(taken.tolist()) == list(range(10)) and g.choice(kn.asarray([5, 6]), (2, 3)).shape == (2, 3)
    firsts = [g.choice(3, 1, replace=False, p=[0.8, 0.1, 0.1]).item() for _ in range(300)]
    assert 200 < firsts.count(0) < 280
    orders = np.bincount([int("".join(map(str, g.permutation(3).tolist())), 3) for _ in range(600)], minlength=27)
    assert stats.chisquare(orders[orders > 0]).pvalue > 1e-4 and (orders > 0).sum() == 6
    assert len(g.bytes(13)) == 13


def test_vectors():
    g = kn.random.default_rng(4)
    mean, cov = np.array([1.0, -2.0]), np.array([[2.0, 0.6], [0.6, 0.5]])
    for method in ("svd", "eigh", "cholesky"):
        x = g.multivariate_normal(kn.asarray(mean), kn.asarray(cov), N, method=method, dtype="float64").numpy()
        np.testing.assert_allclose(x.mean(0), mean, atol=0.03)
        np.testing.assert_allclose(np.cov(x.T), cov, atol=0.05)
    d = g.dirichlet([1.0, 2.0, 3.0], 50000).numpy()
    np.testing.assert_allclose(d.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(d.mean(0), [1 / 6, 1 / 3, 1 / 2], atol=0.01)


def test_integers_over_any_range():
    g = kn.random.default_rng(9)
    x = g.integers(-2**63, 2**63, 2000)
    assert int(kn.min(x)) < -2**62 and int(kn.max(x)) > 2**62
    assert g.integers(0, 2**64, 100, dtype="uint64").dtype is kn.uint64
    y = g.integers(0, 3 * 2**61, 20000).numpy() / 2.0**61
    assert stats.kstest(y, stats.uniform(0, 3).cdf).pvalue > 1e-3
    z = g.integers(kn.asarray([0, 10]), kn.asarray([5, 12]), (1000, 2)).numpy()
    assert z.min(0).tolist() == [0, 10] and z.max(0).tolist() == [4, 11]


@pytest.mark.parametrize("call, error, message", [
    (lambda g: g.integers(3, 3), ValueError, "integers: high: expected one above 3, got 3"), (lambda g: kn.random.key(-1), ValueError, "key: seed: expected at least 0, got -1"),
    (lambda g: g.normal(size=3, dtype="int32"), kn.DTypeError, "random: dtype: expected float32 or float64, got int32"),
    (lambda g: g.choice(3, 5, replace=False), ValueError, "choice: size: expected at most 3 without replacement, got 5"), (lambda g: g.choice(0, 2), ValueError, "choice: a: expected at least one element, got none"),
    (lambda g: g.normal(kn.zeros(3), size=(2, 2)), kn.ShapeError, r"random: size: expected one that parameters of shape \(3,\) broadcast to, got \(2, 2\)|broadcast"),
    (lambda g: g.poisson(-1.0), ValueError, "poisson: lam: expected at least 0, got -1.0"), (lambda g: g.binomial(3, 1.5), ValueError, "binomial: parameters: expected n of at least 0"),
    (lambda g: g.multivariate_normal([0.0], [[1.0, 2.0]]), kn.ShapeError, "multivariate_normal: parameters: expected a vector and a matrix of its size"),
    (lambda g: g.multivariate_normal([0.0], [[1.0]], method="lu"), ValueError, "multivariate_normal: method: expected 'svd', 'eigh' or 'cholesky', got 'lu'")])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(kn.random.default_rng(0))


def test_sizes_and_numbers_of_numpy():
    """Integers of NumPy, and arrays without axes, are sizes and counts as Python's are."""
    g = kn.random.default_rng(4)
    three, five = np.int64(3), kn.asarray(5)
    for draw in (g.normal, g.random, g.exponential, g.standard_gamma, g.poisson):
        args = (2.0,) if draw == g.standard_gamma else ()
        assert draw(*args, size=three).shape == (3,) and draw(*args, size=(2, three)).shape == (2, 3) and draw(*args, size=np.array([2, 3])).shape == (2, 3)
    assert sorted(g.permutation(np.int64(5)).tolist()) == sorted(g.permutation(five).tolist()) == [0, 1, 2, 3, 4]
    assert g.choice(np.int32(5), 3).shape == (3,) and g.integers(0, np.int64(5), three).shape == (3,) and kn.random.dirichlet([1.0, 2.0], three).shape == (3, 2)
    same_bits(kn.jit(lambda n: kn.random.normal(size=n, key=kn.random.key(1)))(3), kn.random.normal(size=three, key=kn.random.key(1)))
    with pytest.raises(kn.DTypeError, match="random: size: expected an integer, got float"):
        g.normal(size=2.5)


@pytest.mark.parametrize("low, high", [(8.0, 9.0), (38.0, 40.0), (-40.0, -38.0), (-1.0, 40.0), (2.0, np.inf), (-np.inf, np.inf), (-0.5, 0.2)])
def test_tails_of_the_truncated_normal(low, high):
    x = kn.random.default_rng(6).truncated_normal(low, high, size=20000, dtype="float64")
    assert len(np.unique(x.numpy())) == 20000 and low <= x.min() and x.max() <= high
    assert stats.kstest(x.numpy(), stats.truncnorm(low, high).cdf).pvalue > 1e-3
    draw = kn.jit(lambda a, b, k: kn.random.truncated_normal(a, b, size=50, key=k))
    same_bits(draw(low, high, kn.random.key(2)), kn.random.truncated_normal(low, high, size=50, key=kn.random.key(2)))


def test_beta_and_dirichlet_of_tiny_parameters():
    """Whose gamma numbers are below all floats."""
    g = kn.random.default_rng(7)
    for x in (g.beta(1e-5, 1e-5, size=4000), g.dirichlet([1e-5, 1e-5], 4000)[:, 0]):
        assert set(np.round(x.numpy(), 6)) <= {0, 1} and abs(float(x.mean()) - 0.5) < 0.05
    rows = g.dirichlet(kn.asarray([1e-4, 3.0, 5.0]), 1000)
    np.testing.assert_allclose(rows.numpy().sum(1), 1, rtol=1e-6)
    assert stats.kstest(g.beta(0.5, 2.0, size=20000, dtype="float64").numpy(), stats.beta(0.5, 2).cdf).pvalue > 1e-3
    many = g.beta(kn.asarray([0.3, 4.0]), kn.asarray([2.0, 0.6]), size=(20000, 2), dtype="float64").numpy()
    assert stats.kstest(many[:, 0], stats.beta(0.3, 2).cdf).pvalue > 1e-3 and stats.kstest(many[:, 1], stats.beta(4, 0.6).cdf).pvalue > 1e-3


def test_probabilities_of_choices():
    g = kn.random.default_rng(8)
    assert set(g.choice(5, 2, replace=False, p=[0.5, 0.5, 0, 0, 0]).tolist()) == {0, 1}
    assert g.integers(0, 256, 1000, dtype=kn.uint8).max() > 200 and set(g.integers(0, 2, 50, dtype=kn.bool).tolist()) == {False, True}
    f = kn.jit(lambda p: kn.random.choice(3, 40, p=p, key=kn.random.key(3)))
    p = kn.asarray([0.2, 0.3, 0.5])
    same_bits(f(p), kn.random.choice(3, 40, p=p, key=kn.random.key(3)))


@pytest.mark.parametrize("call, error, message", [
    (lambda g: g.choice(5, 3, replace=False, p=[0.5, 0.5, 0, 0, 0]), ValueError, "choice: size: expected at most 2, of which p is not 0, without replacement, got 3"),
    (lambda g: g.choice(3, 3, p=[0.5, 0.5, 0.5]), ValueError, "choice: p: expected probabilities of at least 0 and the sum 1, got the sum 1.5"),
    (lambda g: g.choice(2, 3, p=[1.5, -0.5]), ValueError, "choice: p: expected probabilities of at least 0"),
    (lambda g: g.choice(3, 3, p=[0.5, 0.5]), kn.ShapeError, r"choice: p: expected 3 probabilities, got the shape \(2,\)"),
    (lambda g: g.integers(0, 257, 10, dtype=kn.uint8), ValueError, r"integers: range: expected one in \[0, 255\] of uint8, got \[0, 256\]"),
    (lambda g: g.integers(0, 3, dtype="f4"), kn.DTypeError, "integers: dtype: expected one of integers or bool, got float32")])
def test_errors_of_choices(call, error, message):
    with pytest.raises(error, match=message):
        call(kn.random.default_rng(0))


def test_counts_of_several_outcomes():
    g = kn.random.default_rng(3)
    x = g.multinomial(kn.asarray([10, 50]), kn.asarray([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]]), (4, 2))
    assert x.shape == (4, 2, 3) and x.sum(-1).tolist() == [[10, 50]] * 4 and (x[:, 1, 2] == 0).all() and x.dtype is kn.int64
    assert g.multinomial(7, [1.0]).tolist() == [7] and g.multinomial(5, [0.3, 0.7]).shape == (2,)
    many = g.multinomial(10, [0.1, 0.2, 0.7], 20000).numpy()
    assert abs(np.corrcoef(many[:, 0], many[:, 2])[0, 1] + np.sqrt(0.1 * 0.7 / (0.9 * 0.3))) < 0.03
    y = g.multivariate_hypergeometric([3, 0, 5, 4], 7, (50,))
    assert y.sum(-1).tolist() == [7] * 50 and (y <= kn.asarray([3, 0, 5, 4])).all()
    assert g.hypergeometric(0, 5, 3, 4).tolist() == [0] * 4 and g.hypergeometric(5, 0, 3, 4).tolist() == [3] * 4 and g.hypergeometric(kn.asarray([2, 30]), 0, kn.asarray([1, 20])).tolist() == [1, 20]
    assert g.negative_binomial(3, 1.0, 4).tolist() == [0] * 4 and g.logseries(0.0, 3).tolist() == [1] * 3 and g.weibull(0, 2).tolist() == [0, 0]
    k = kn.random.key(4)
    for draw in (lambda k: kn.random.hypergeometric(30, 40, 25, 50, key=k), lambda k: kn.random.vonmises(0.5, 2.0, 50, key=k), lambda k: kn.random.multinomial(20, kn.asarray([0.2, 0.8]), 50, key=k), lambda k: kn.random.zipf(2.0, 50, key=k)):
        same_bits(kn.jit(draw)(k), draw(k))


def test_names_of_older_programs():
    r = kn.random.RandomState(3)
    first = r.rand(2, 3)
    assert first.shape == (2, 3) and r.randn(4).shape == (4,) and r.randint(0, 5, 6).max() < 5 and r.random_sample(2).shape == (2,) and r.normal(size=3).shape == (3,)
    r.seed(3)
    same_bits(r.rand(2, 3), first)
    same_bits(kn.random.Generator(kn.random.PCG64(5)).random(3), kn.random.default_rng(5).random(3))
    assert kn.random.sample(3).shape == kn.random.ranf((3,)).shape == (3,)
    kn.random.seed()
    assert kn.random.default_rng(np.random.default_rng(1).integers(0, 2**60, 4)).random(2).shape == (2,)


@pytest.mark.parametrize("call, message", [
    (lambda g: g.normal(0, -1), "normal: scale: expected at least 0, got -1"), (lambda g: g.exponential(-1.0), "exponential: scale: expected at least 0, got -1.0"), (lambda g: g.geometric(1.5), "geometric: p: expected one above 0 and at most 1, got 1.5"),
    (lambda g: g.beta(0, 1), "beta: a: expected one above 0, got 0"), (lambda g: g.zipf(1.0), "zipf: a: expected one above 1, got 1.0"), (lambda g: g.logseries(1.0), r"logseries: p: expected one in \[0, 1\), got 1.0"),
    (lambda g: g.hypergeometric(3, 4, 8), "hypergeometric: nsample: expected at most 7, got 8"), (lambda g: g.hypergeometric(-3, 4, 1), "hypergeometric: ngood: expected at least 0, got -3"), (lambda g: g.negative_binomial(0, 0.5), "negative_binomial: n: expected one above 0, got 0"),
    (lambda g: g.multinomial(3, [0.5, 0.7, 0.1]), "multinomial: pvals: expected probabilities of at least 0, whose sum without the last is at most 1"), (lambda g: g.multinomial(3, [-0.5, 1.5]), "multinomial: pvals: expected probabilities"),
    (lambda g: g.multinomial(3, 0.5), r"multinomial: pvals: expected at least one probability, got the shape \(\)"), (lambda g: g.multivariate_hypergeometric([2, 3], 6), "multivariate_hypergeometric: nsample: expected at most 5, got 6"),
    (lambda g: g.multivariate_hypergeometric([[2, 3]], 1), "multivariate_hypergeometric: colors: expected a vector"), (lambda g: g.multivariate_hypergeometric([2, 3], 1, method="x"), "multivariate_hypergeometric: method: expected 'marginals' or 'count', got 'x'"),
    (lambda g: g.triangular(0, 2, 1), "triangular: right: expected at least 2, got 1"), (lambda g: g.vonmises(0, -1), "vonmises: kappa: expected at least 0, got -1"), (lambda g: g.noncentral_chisquare(1, -1), "noncentral_chisquare: nonc: expected at least 0, got -1")])
def test_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call(kn.random.default_rng(0))


def test_seeds_that_are_no_integers():
    for seed in (1.5, "a"):
        with pytest.raises(kn.DTypeError, match="key: seed: expected an integer, got"):
            kn.random.default_rng(seed)
