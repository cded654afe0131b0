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
    """The parameters are written out: calls that pass on whatever they are given take twice as long as a draw of few numbers."""
    method = getattr(Generator, name)
    code = method.__code__
    own = code.co_varnames[1:code.co_argcount]
    others = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
    given = ", ".join(["shared() if key is None else Generator(key)", *own, *(f"{n}={n}" for n in others)])
    text = f"def {name}({', '.join((*own, '*', *others, 'key=None'))}):\n    return _method({given})\n"
    scope = {"shared": shared, "Generator": Generator, "_method": method, "__name__": __name__}
    exec(compile(text, __file__, "exec"), scope)
    draw = scope[name]
    draw.__defaults__, draw.__kwdefaults__, draw.__doc__ = method.__defaults__, {**(method.__kwdefaults__ or {}), "key": None}, method.__doc__
    return draw


for _name in ("beta", "binomial", "bytes", "cauchy", "chisquare", "choice", "dirichlet", "exponential", "f", "gamma", "geometric", "gumbel", "hypergeometric",
              "integers", "laplace", "logistic", "lognormal", "logseries", "multinomial", "multivariate_hypergeometric", "multivariate_normal",
              "negative_binomial", "noncentral_chisquare", "noncentral_f", "normal", "pareto", "permutation", "permuted", "poisson",
              "power", "random", "rayleigh", "shuffle", "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal", "standard_t",
              "triangular", "truncated_normal", "uniform", "categorical", "vonmises", "wald", "weibull", "zipf", "bits"):
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


ranf = sample = random_sample


class RandomState(Generator):
    """A generator with the names of NumPy's older one; its numbers are those of ``Generator``. Raises as ``default_rng``."""

    def __init__(self, seed=None):
        super().__init__(default_rng(seed).state)

    def rand(self, *shape):
        return self.random(shape)

    def randn(self, *shape):
        return self.standard_normal(shape)

    def randint(self, low, high=None, size=None, dtype="int64"):
        return self.integers(low, high, size, dtype)

    def random_sample(self, size=None):
        return self.random(size)

    def seed(self, seed=None):
        """Starts anew."""
        self.state[...] = default_rng(seed).state


def _keys(name):
    def bits(seed=None):
        return default_rng(seed).state

    bits.__name__ = bits.__qualname__ = name
    bits.__doc__ = f"The state of a generator from a seed, for ``Generator({name}(seed))``, as NumPy's programs have it; the bits are Threefry's."
    return bits


PCG64, PCG64DXSM, MT19937, Philox, SFC64 = map(_keys, ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"))
__all__ += ["rand", "randn", "randint", "random_sample", "ranf", "sample", "RandomState", "PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]
