"""Compositions of ops that are one kernel where that pays."""
import functools
import math

from . import _core
from ._core import Array
from ._jit import jit, keep_quiet

LEAST = 1 << 16  # elements: of fewer, a pass over memory takes less than a look at what was recorded
CALLS = 3  # with as many, before a function is compiled, which takes as long as some hundreds of them
FEW_CALLS = 64  # with fewer: the function is in a loop, where frames of Python and ops take several times as long as a call of code
WINDOW = 64  # calls after which it is seen whether they were of what is recorded, as three of four must be


def fused(function):
    """``function``, which runs as one compiled kernel from the fourth call with a large array on, and from the 65th of others: the same bits,
    in one pass over memory.

    It is to be a composition of arrays, numbers and settings that looks at no elements. Where something records or transforms the call, and
    with ``kn.config.jit = "off"``, it runs as it is written; so do calls without a large array where each has another shape.
    """
    compiled, large, few, hits = None, 0, 0, 0

    def code():
        nonlocal compiled
        if compiled is None:
            keep_quiet(function)
            compiled = jit(function)
        return compiled

    def pays():
        nonlocal few, hits
        before, hits = hits, compiled._counters()["hits"]
        if hits - before < WINDOW * 3 // 4:
            few = -math.inf
        return few > 0

    @functools.wraps(function)
    def call(*args, **kwargs):
        nonlocal large, few
        if few > FEW_CALLS:
            few += 1
            if few % WINDOW or pays():
                return compiled(*args, **kwargs)
        for a in args:
            if type(a) is Array and a.size >= LEAST:
                large += 1
                return code()(*args, **kwargs) if large > CALLS else function(*args, **kwargs)
        few += 1
        return code()(*args, **kwargs) if few > FEW_CALLS else function(*args, **kwargs)

    call.__kiln_fused__ = function
    if function in _core.operations:  # what jit knows of its numbers
        _core.operations.add(call)
    return call
