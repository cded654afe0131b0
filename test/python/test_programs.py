"""Random programs: the same bits from the reference interpreter, in eager, under jit before and after compilation, from the cache,
for any size and with two threads.

``KILN_SEEDS=2000`` runs as many instead of a few hundred, and then asks of the coverage table that everything was drawn at
least 50 times; ``KILN_FIRST_SEED`` moves the range.
"""
import collections
import os
import warnings

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from programs import OPS, Writer, make_input

SEEDS, FIRST = int(os.environ.get("KILN_SEEDS", "240")), int(os.environ.get("KILN_FIRST_SEED", "0"))
CHUNK = 40
CACHE = os.environ.get("KILN_CACHE") != "0"
counts = collections.Counter()


def strided_view(x):
    """The same elements, every third of a larger memory along the last axis."""
    if x.ndim == 0:
        return kn.copy(x)
    wide = kn.zeros((*x.shape[:-1], 3 * x.shape[-1]), dtype=x.dtype)
    wide[..., ::3] = x
    return wide[..., ::3]


def check(seed):
    rng = np.random.default_rng(seed)
    writer = Writer(rng, counts)
    text = writer.text(int(rng.integers(5, 20)))
    scope = {"kn": kn}
    exec(text, scope)
    program, jitted = scope["program"], kn.jit(scope["program"])
    inputs = [make_input(rng, *writer.vars[n]) for n in writer.inputs]

    def fresh():
        return [kn.copy(x) for x in inputs]

    try:
        eager = program(*fresh())
        compiled = jitted(*fresh())
        assert not jitted.explain().variants[0]["eager"], jitted.explain().variants[0]["eager"]
        strided = jitted(*(strided_view(x) for x in inputs))
        interpreted = kn._core.interpret(jitted.lower(*fresh())._words, tuple(fresh()))
        replayed = jitted._replay(tuple(fresh()), {})
        replayed_strided = jitted._replay(tuple(strided_view(x) for x in inputs), {})
        for a, *others in zip(eager, compiled, interpreted, strided, replayed, replayed_strided):
            for b in others:
                same_bits(b, a)
        check_cached(program, fresh, eager)
        check_any_size(program, writer, text, inputs, eager, rng)
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}\n{text}") from error


def check_cached(program, fresh, eager):
    """Code that the first function has left in the cache."""
    jitted = kn.jit(program)
    for a, b in zip(eager, jitted(*fresh())):
        same_bits(b, a)
    assert not CACHE or jitted.stats.cache_hits == 1 and not jitted.stats.compiles


def other_sizes(writer, text, inputs, rng):
    """The shapes of the inputs with multiples of their sizes, few and many, and with a size drawn for each."""
    largest, axes = max(x.size for x in inputs), max(1, *(x.ndim for x in inputs))
    squares = "@" in text or "outer" in text or "kn.linalg." in text  # products of a vector with itself, and its complete bases, are that many squared
    many = max(2, int(((1000 if squares else 40000) / max(largest, 1)) ** (1 / axes)))
    drawn = collections.defaultdict(lambda: int(rng.integers(2, 12)))
    for resize in (lambda n: 3 * n, lambda n: many * n, drawn.__getitem__):
        yield writer.other_shapes(resize, is_large=not squares)


def check_any_size(program, writer, text, inputs, eager, rng):
    """Code for any size, at these sizes and at others where the program runs with them, in one thread and in two."""
    jitted = kn.jit(program, dynamic=True)
    for a, b in zip(eager, jitted(*(kn.copy(x) for x in inputs))):
        same_bits(b, a)
    for shapes in other_sizes(writer, text, inputs, rng):
        others = [make_input(rng, shape, x.dtype.name) for shape, x in zip(shapes, inputs)]
        try:
            expected = program(*(kn.copy(x) for x in others))
        except (kn.KilnError, ZeroDivisionError):  # the program says sizes in numbers, or divides by one
            counts["other sizes refused"] += 1
            continue
        counts["other sizes"] += 1
        before = jitted.stats.compiles + jitted.stats.cache_hits
        for threads in (1, 2):
            kn.set_num_threads(threads)
            for a, b in zip(expected, jitted(*(kn.copy(x) for x in others))):
                same_bits(b, a)
        kn.set_num_threads(1)
        counts["other sizes without compiling"] += jitted.stats.compiles + jitted.stats.cache_hits == before
        counts["convolutions of other sizes"] += "kn.convolution" in text


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, CHUNK))
def test_programs_agree(first):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(first, min(first + CHUNK, FIRST + SEEDS)):
            check(seed)


def test_everything_was_drawn():
    least = 50 if SEEDS >= 2000 else 1
    drawn_otherwise = {"constant", "iota", "broadcast", "reshape", "transpose", "slice", "bitcast", "update", "nonzero", "random_bits", "mod", "loop", "branch", "sized"}  # loops: tools/fuzz and test_control.py
    missing = {o["name"]: counts[o["name"]] for o in OPS if counts[o["name"]] < least and o["name"] not in drawn_otherwise}
    dtypes = {t: counts[f"dtype {t}"] for t in ("bool", "int8", "uint64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128") if counts[f"dtype {t}"] < least}
    views = {k: counts[k] for k in ("view slice", "view transpose", "view reshape", "view newaxis", "view integer", "view broadcast", "view part", "view flip", "write slice",
                                    "write in place", "write mask", "write whole", "write number", "write indices") if counts[k] < least}
    sizes = {k: counts[k] for k in ("other sizes", "other sizes without compiling", "convolutions of other sizes", "pooling") if counts[k] < least}
    assert not sizes, sizes
    assert not missing and not dtypes and not views, f"drawn less than {least} times in {SEEDS} programs: {missing} {dtypes} {views}"
