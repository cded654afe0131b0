"""Compositions that become one kernel on large arrays: the bits of the composition, nothing more to see."""
import functools
import inspect
import threading
import warnings

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from kiln import _fused

N = _fused.LEAST
FUSED = {name: f for space in (kn, kn.nn, kn.special) for name, f in vars(space).items() if hasattr(f, "__kiln_fused__") and f.__kiln_code__.is_one_pass}
EDGES = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, 1e-310, -1.5, 0.5, 2.5, 1e300, 65504.0, 7.0]
OTHERS = {"ldexp": lambda x: (kn.asarray(np.arange(x.size, dtype="int32") % 300 - 150),), "threshold": lambda x: (0.5, 2.0), "xlogy": lambda x: (x[::-1],), "xlog1py": lambda x: (x[::-1],),
          "divmod": lambda x: (x[::-1],), "float_power": lambda x: (x[::-1],), "isclose": lambda x: (x[::-1],), "round": lambda x: (2,), "around": lambda x: (-1,), "clip": lambda x: (-1, 2.5), "convolve": lambda x: (x[:7],), "correlate": lambda x: (x[40:45],)}
OTHERS |= {name: lambda x: (x[::-1],) for name in ("beta", "betaln", "binom", "poch", "gammainc", "gammaincc", "iv", "ive", "kv", "kve", "polygamma")}
OTHERS |= {name: lambda x: (kn.abs(x[::-1]) % 1.0,) for name in ("ellipeinc", "ellipkinc", "gammainccinv", "gammaincinv", "stdtrit")}
OTHERS |= {name: lambda x: (x[::-1], kn.abs(x) % 1.0) for name in ("betainc", "betaincc", "betainccinv", "betaincinv", "elliprd", "elliprf")}


def of(dtype, n=N):
    rng = np.random.default_rng(7)
    x = rng.normal(0, 3, n)
    x[::50] = np.resize(EDGES, len(x[::50]))
    with np.errstate(all="ignore"):
        return kn.asarray(x.astype(dtype))


def flat(result):
    return result if isinstance(result, (tuple, list)) else (result,)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUSED)
def test_the_bits_of_the_composition(name, dtype):
    function, x = FUSED[name], of(dtype)
    arguments = (x, *OTHERS.get(name, lambda x: ())(x))
    expected = flat(function.__kiln_fused__(*arguments))
    with kn.config.override(jit="sync"), warnings.catch_warnings():
        warnings.simplefilter("error", kn.KilnWarning)
        for _ in range(_fused.CALLS + 3):
            for a, b in zip(flat(function(*arguments)), expected, strict=True):
                same_bits(a, b)
    compiled = function.__kiln_code__.compiled
    assert compiled.stats.tier == 1 and compiled.stats.hits, compiled.explain()


def warm(function, *arguments):
    with kn.config.override(jit="sync"):
        for _ in range(_fused.CALLS + 2):
            function(*arguments)
    return function.__kiln_code__.compiled


def test_small_arrays_and_numbers_go_as_they_are_written():
    compiled = warm(kn.frexp, of("float32"))
    before = compiled.stats.calls
    kn.frexp(of("float32", 100)), kn.frexp(1.5), kn.frexp(np.ones(N))
    assert compiled.stats.calls == before


def test_errors_are_those_of_the_composition():
    z = kn.ones(N, dtype=kn.complex64)
    for _ in range(_fused.CALLS + 3):
        with pytest.raises(kn.DTypeError, match="frexp: dtype: expected float16, float32 or float64, got complex64"):
            kn.frexp(z)


def test_recordings_and_transforms_take_the_composition():
    x = kn.ones(999, dtype=kn.float64) * 0.3
    big = kn.ones(N) * 0.3
    warm(kn.nn.mish, big)
    f = kn.jit(lambda x: kn.sum(kn.nn.mish(x) * 2))
    for _ in range(3):
        f(big)
    assert "mish" not in f.lower(big).ir("kiln") and f.stats.segments == 1
    for at in (x, kn.ones(N, dtype=kn.float64) * 0.3):
        slope = kn.grad(lambda x: kn.sum(kn.nn.mish(x)))(at)
        np.testing.assert_allclose(slope.numpy(), slope.numpy()[0])
    assert kn.vmap(kn.nn.mish)(kn.ones((4, N))).shape == (4, N)
    g = kn.jit(kn.nn.mish)
    same_bits(g(big), kn.nn.mish(big))


def test_results_can_be_written_and_do_not_change_arguments():
    x = of("float32")
    warm(kn.round, x, 2)
    before = kn.copy(x)
    y = kn.round(x, 2)
    y[0] = 5
    same_bits(x, before)
    out = kn.empty_like(x)
    assert kn.round(x, 2, out=out) is out
    same_bits(out, kn.round.__kiln_fused__(x, 2))


def test_with_jit_off_nothing_is_compiled():
    x = of("float32")
    with kn.config.override(jit="off"):
        for _ in range(_fused.CALLS + 3):
            same_bits(kn.nn.softsign(x), kn.nn.softsign.__kiln_fused__(x))


def test_threads():
    x, found = of("float32"), []
    expected = kn.nn.celu.__kiln_fused__(x)

    def calls():
        found.extend(kn.nn.celu(x) for _ in range(10))

    threads = [threading.Thread(target=calls) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for result in found:
        same_bits(result, expected)


def test_names_and_signatures_are_the_functions_own():
    for name, function in FUSED.items():
        assert function.__doc__ and inspect.signature(function) == inspect.signature(function.__kiln_fused__), name
        assert function.__module__.startswith("kiln."), name


def test_what_wraps_one_is_not_it():
    x = kn.asarray([1.0, 2.0, 4.0])
    for f in (kn.std, kn.logsumexp, kn.linalg.norm):
        assert kn.jit(kn.grad(f))(x).tolist() == kn.grad(f)(x).tolist()
    doubled = functools.wraps(kn.std)(lambda x: kn.std(x) * 2)
    same_bits(kn.jit(doubled)(x), kn.std(x) * 2)
