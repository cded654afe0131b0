"""Random numbers by counter: Threefry-2x32 of 20 rounds (J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011).

A generator is a key and a counter, one array of two uint64; a call takes as many counters as it needs, so numbers are the same in eager
and under jit, on any number of threads. Functions of this module draw from one generator of the process, which ``seed`` sets; with
``key=`` they draw from that key alone, and leave no trace. Under ``vmap``, example ``i`` draws with the key ``fold_in(key, i)`` from a
generator that was there before (docs/gradients.md). Signatures are those of NumPy's Generator; numbers agree with NumPy's in
distribution.
"""
from ._generator import Generator, default_rng, fold_in, get_state, key, seed, set_state, shared, split

__all__ = ["Generator", "default_rng", "fold_in", "get_state", "key", "seed", "set_state", "split"]


def _function(name):
    method = getattr(Generator, name)

    def draw(*args, key=None, **kwargs):
        return method(shared() if key is None else Generator(key), *args, **kwargs)

    draw.__name__ = draw.__qualname__ = name
    draw.__doc__ = method.__doc__
    draw.__module__ = __name__
    return draw


for _name in ("beta", "binomial", "bytes", "cauchy", "chisquare", "choice", "dirichlet", "exponential", "f", "gamma", "geometric", "gumbel",
              "integers", "laplace", "logistic", "lognormal", "multivariate_normal", "normal", "pareto", "permutation", "permuted", "poisson",
              "power", "random", "rayleigh", "shuffle", "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal", "standard_t",
              "triangular", "truncated_normal", "uniform", "categorical", "wald", "weibull", "bits"):
    globals()[_name] = _function(_name)
    __all__.append(_name)
del _name


def rand(*shape):
    """``random`` of a shape, as NumPy's older function."""
    return random(shape)  # noqa: F821


def randn(*shape):
    """``standard_normal`` of a shape, as NumPy's older function."""
    return standard_normal(shape)  # noqa: F821


def randint(low, high=None, size=None, dtype="int64"):
    """``integers``, as NumPy's older function."""
    return integers(low, high, size, dtype)  # noqa: F821


def random_sample(size=None):
    """``random``, as NumPy's older function."""
    return random(size)  # noqa: F821


__all__ += ["rand", "randn", "randint", "random_sample"]
