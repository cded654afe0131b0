"""Compositions of ops that are one kernel where that pays."""
import functools

from . import _core
from ._core import Array
from ._jit import jit, keep_quiet

LEAST = 1 << 16  # elements: of fewer, a pass over memory takes less than a look at what was recorded
CALLS = 3  # with as many, before a function is compiled, which takes as long as some hundreds of them


def fused(function):
    """``function``, which runs as one compiled kernel from the fourth call with a large array on: the same bits, in one pass over memory.

    It is to be a composition of arrays, numbers and settings that looks at no elements. Where something records or transforms the call, and
    with ``kn.config.jit = "off"``, it runs as it is written.
    """
    compiled, large = None, 0

    @functools.wraps(function)
    def call(*args, **kwargs):
        nonlocal compiled, large
        for a in args:
            if type(a) is Array and a.size >= LEAST:
                break
        else:
            return function(*args, **kwargs)
        if compiled is None:
            large += 1
            if large <= CALLS:
                return function(*args, **kwargs)
            keep_quiet(function)
            compiled = jit(function)
        return compiled(*args, **kwargs)

    call.__kiln_fused__ = function
    if function in _core.operations:  # what jit knows of its numbers
        _core.operations.add(call)
    return call
