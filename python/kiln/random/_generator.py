"""Generators: keys, counters, and the bits and uniform numbers that all distributions are made of."""
import os

from .. import _core
from .._arguments import as_array, as_tuple, integer, ops, sizes
from .._core import Array
from .._dtypes import BY_NAME
from .._errors import make
from .._streams import key_here, note
from ..composed import draws
from . import _continuous, _counts, _derived, _discrete

_uint64, _float32, _float64 = (BY_NAME[name] for name in ("uint64", "float32", "float64"))
_MASK = 2**64 - 1
_FIRST_KEY = 0x6b696c6e  # "kiln"


def _word(value):
    """A number of the host, which goes where the key beside it is."""
    return _core.full((), int(value) & _MASK, _uint64, "cpu")


def key(seed) -> Array:
    """The key of a seed, an integer of at least 0 of any size or a sequence of them: a uint64 without axes.

    Raises ValueError for a negative one, DTypeError for what is no integer.
    """
    result = _core.full((), _FIRST_KEY, _uint64)
    for part in as_tuple(seed.tolist() if hasattr(seed, "tolist") else seed):
        part = integer("key", "seed", part)
        if part < 0:
            raise make("ValueError", f"key: seed: expected at least 0, got {part}")
        while True:
            result = ops["random_bits"](_word(part), result)
            part >>= 64
            if not part:
                break
    return result


def fold_in(key, data, /) -> Array:
    """The key that a key and an integer, or an array of integers, give together."""
    data = _word(data) if isinstance(data, int) else _core.astype(as_array(data), _uint64)
    return ops["random_bits"](data, ops["bitwise_invert"](key))


def split(key, num=2, /) -> Array:
    """``num`` keys that give other numbers than the key and each other: a vector of uint64."""
    return fold_in(key, _core.iota((num,), _uint64, 0, key.device))


class Generator:
    """A stream of random numbers. ``state`` is one array: the key and the counter of the next number.

    A function that draws changes it in place, under jit as well.
    """

    def __init__(self, key):
        key = as_array(key)
        self.state = _core.copy(key) if key.shape == (2,) else _core.concat((_core.reshape(key, (1,)), _core.full((1,), 0, _uint64, key.device)), 0)

    def __repr__(self):
        return "kiln.random.Generator(Threefry-2x32-20)"

    def spawn(self, n_children):
        """``n_children`` generators whose numbers are others than those of this one and of each other."""
        return [Generator(k) for k in split(self.bits(()), n_children)]

    def draw(self, make_of, size, words, *settings):
        """What ``make_of`` makes of the next random words, as many for each element of ``size`` (composed/draws.py)."""
        shape = sizes("random", size)
        n = words
        for d in shape:
            n *= d
        note(self.state)
        key, start = key_here(self.state, fold_in), self.state[1]
        self.state[1] = start + n
        made = make_of(_core.broadcast_to(key, (n,)), key, start, *settings)
        return made if len(shape) == 1 else _core.reshape(made, shape)

    # Few numbers are drawn by the native part at once, outside of recordings: it gives None for other draws.

    def bits(self, size=None, words=1):
        """Random uint64 of shape ``size``; with several ``words`` a tuple of as many arrays."""
        if words == 1:
            few = _core.draw_few(self.state, draws.WORDS, size, None)
            if few is not None:
                return few
            return self.draw(draws.words, size, 1)
        return tuple(self.draw(draws.words, (words, *sizes("random", size)), 1))

    def random(self, size=None, dtype=None, out=None):
        """Numbers in [0, 1), of 24 bits in float32 and 53 in float64."""
        if out is None:
            few = _core.draw_few(self.state, draws.UNIT, size, dtype)
            if few is not None:
                return few
        result = self.draw(draws.unit, size if out is None else out.shape, 1, _dtype(dtype))
        if out is None:
            return result
        out[...] = result
        return out


def _dtype(dtype):
    dtype = _core.default_dtype() if dtype is None else _core.to_dtype(dtype) if not isinstance(dtype, type(_float32)) else dtype
    if dtype not in (_float32, _float64):
        raise make("DTypeError", f"random: dtype: expected float32 or float64, got {dtype}")
    return dtype


def default_rng(seed=None) -> Generator:
    """A generator from a seed, from a generator itself, or from the system's random bytes.

    Raises ValueError for a negative seed.
    """
    if isinstance(seed, Generator):
        return seed
    if seed is None:
        return Generator(key_here(_core.paused(lambda: Generator(key(int.from_bytes(os.urandom(8), "little")))).state, fold_in))
    return Generator(key(seed))


_shared = None


def shared() -> Generator:
    """The generator of the process, made on the first use: importing Kiln computes nothing."""
    global _shared
    if _shared is None:
        _shared = _core.paused(default_rng)  # whatever is under way when it is made, it is no part of that
    return _shared


def seed(value=None) -> None:
    """Starts the generator of the process anew; from the system's random bytes if None. Raises ValueError for a negative seed."""
    state = shared().state
    state[...] = (default_rng() if value is None else Generator(key(value))).state.to_device(state.device)


def get_state() -> Array:
    """A copy of the state of the generator of the process."""
    return _core.copy(shared().state)


def set_state(state) -> None:
    """Sets the state of the generator of the process to what ``get_state`` gave."""
    shared().state[...] = state


for _module in (_continuous, _counts, _derived, _discrete):
    for _name in _module.METHODS:
        setattr(Generator, _name, getattr(_module, _name))
