"""Compositions of ops that are one kernel where that pays."""
import functools
import typing

from . import _core
from ._core import Array
from ._jit import jit, keep_quiet

_Function = typing.TypeVar("_Function")
LEAST = 1 << 16  # elements: of fewer, a pass over memory takes less than a look at what was recorded
CALLS = 3  # with as many, before a function is compiled, which takes as long as some hundreds of them
FEW_CALLS = 64  # with fewer: the function is in a loop, where frames of Python and ops take several times as long as a call of code
WINDOW = 32  # calls after which it is seen whether they were of what is recorded, as three of four must be
REST = 2048  # calls that go as they are written where that was not so, and four times as many each further time


class _Code:
    """A function, and what is jitted of it from the first time on that this pays."""

    __slots__ = ("function", "is_one_pass", "compiled", "hits", "rest")

    def __init__(self, function, is_one_pass):
        self.function, self.is_one_pass, self.compiled, self.hits, self.rest = function, is_one_pass, None, 0, REST

    def made(self):
        if self.compiled is None:
            keep_quiet(self.function)
            self.compiled = jit(self.function)
        return self.compiled

    def seen(self, few):
        """How many calls count as made after ``few``, the last of a window: a program whose shapes are ever other ones would record at each."""
        before, self.hits = self.hits, self.compiled._counters()["hits"]
        if self.hits < before or self.hits - before >= WINDOW * 3 // 4:  # less: what was recorded has been dropped
            return few
        self.rest *= 4
        return FEW_CALLS - self.rest // 4


def fused(function: _Function) -> _Function:
    """``function``, which runs as one compiled kernel from the fourth call with a large array on, and ``looped``: the same bits, in one pass
    over memory.

    It is to be a composition of arrays, numbers and settings that looks at no elements. Where something records or transforms the call, and
    with ``kn.config.jit = "off"``, it runs as it is written.
    """
    return _watched(_Code(function, True))


def looped(function: _Function, least=LEAST) -> _Function:
    """``function``, which runs as code from the 65th call without an array of ``least`` elements on, unless each such call has another shape:
    the same bits.

    For compositions as those of ``fused`` whose result shows none of their operands' memory, and which are no quicker as one pass.
    """
    return _watched(_Code(function, False), least)


def _watched(code, least=LEAST):
    function, large, few = code.function, 0, 0

    @functools.wraps(function)
    def call(*args, **kwargs):
        nonlocal large, few
        for a in args:
            if type(a) is Array and a.size >= least:
                large += code.is_one_pass
                return code.made()(*args, **kwargs) if large > CALLS else function(*args, **kwargs)
        few += 1
        if few <= FEW_CALLS:
            return function(*args, **kwargs)
        run = code.made()
        if not few % WINDOW:
            few = code.seen(few)
        return run(*args, **kwargs)

    call.__kiln_fused__ = function
    call.__kiln_code__ = code
    if function in _core.operations:  # what jit knows of its numbers
        _core.operations.add(call)
    return call
