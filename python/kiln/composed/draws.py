"""What random words make, as many as a vector has elements, which are not read: of a key, and from a counter on."""
import math

from .. import _core
from .._arguments import ops
from .._dtypes import BY_NAME
from .._fused import fused

_int32, _int64, _uint64, _float32, _float64 = (BY_NAME[name] for name in ("int32", "int64", "uint64", "float32", "float64"))
WORDS, UNIT, NORMAL, EXPONENTIAL, BELOW = range(5)  # what few random words make at once: numbered as in python/core/draws.cpp


def words_of(like, key, start):
    """The random words of a key and the counters from ``start`` on."""
    return ops["random_bits"](_core.iota(like.shape, _uint64, 0, like.device) + start, key)


words = fused(words_of)


def _unit(bits, dtype):
    if dtype is _float64:
        return _core.astype(ops["bitwise_right_shift"](bits, 11), _float64) * 2.0**-53
    return _few_bits(ops["bitwise_right_shift"](bits, 40)) * 2.0**-24


def _few_bits(x):
    """Integers below 2^24 as float32; many by way of int32, which is quicker."""
    return _core.astype(_core.astype(x, _int32) if x.size > 1024 else x, _float32)


@fused
def unit(like, key, start, dtype):
    """Numbers in [0, 1), of 24 bits in float32 and 53 in float64."""
    return _unit(words_of(like, key, start), dtype)


@fused
def normal(like, key, start, dtype):
    """Normal numbers of mean 0 and variance 1: G. Box and M. Muller's transformation. Of two words each in float64."""
    bits = words_of(like, key, start)
    if dtype is _float32:  # both numbers from one word
        u = _core.astype(ops["bitwise_right_shift"](bits, 32), _float64) * 2.0**-32 + 2.0**-33
        turn = _few_bits(ops["bitwise_and"](ops["bitwise_right_shift"](bits, 8), 0xffffff)) * (2 * math.pi * 2.0**-24)
        radius = ops["sqrt"](ops["log"](_core.astype(u, dtype)) * -2.0)
    else:
        n = bits.size // 2
        radius = ops["sqrt"](ops["log"](1.0 - _unit(bits[:n], dtype)) * -2.0)
        turn = _unit(bits[n:], dtype) * (2 * math.pi)
    return radius * ops["cos"](turn)


@fused
def exponential(like, key, start, dtype):
    """Exponential numbers of mean 1."""
    return -ops["log"](1.0 - _unit(words_of(like, key, start), dtype))


@fused
def below(like, key, start, count, low, dtype):
    """``low`` and the high half of the product of random words with a number of at most 2^32."""
    word = words_of(like, key, start)
    result = (word >> 32) * count + ((word & 0xffffffff) * count >> 32) >> 32
    if low >= 2**63:
        return _core.astype(result + low, dtype)
    result = _core.bitcast(result, _int64)
    return _core.astype(result + low if low else result, dtype)


@fused
def numbered(like, key, start, below):
    """Random words with their number in the last bits, which ``below`` has set."""
    word = words_of(like, key, start)
    return word - (word & below) + _core.iota(like.shape, _uint64, 0, like.device)


@fused
def numbers_of(numbered, below):
    return _core.bitcast(numbered & below, _int64)
