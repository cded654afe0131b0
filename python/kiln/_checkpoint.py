"""``checkpoint``: a function whose derivative runs it again."""
import functools

from . import _core
from ._gradients import _check, _zeros_like
from ._own_derivatives import _OfTrees, _positional
from ._streams import Drawn


class _Checkpoint(_OfTrees):
    """Keeps what it is given, and where the generators stood that it draws from. Arrays of the modes around it that it reads by name are further operands."""

    may_close = True

    def __init__(self, fun, args):
        super().__init__("checkpoint", fun, args)
        self.drawn, self.captured = Drawn(), []

    def primal(self, arrays):
        count = len(arrays) - len(self.captured)
        return _core.substituted(self.captured, arrays[count:], self.call, arrays[:count]) if self.captured else self.call(arrays)

    def rewind(self):
        self.drawn.rewind()

    def close(self, captured):
        self.captured = self.captured + captured

    def forward(self, arrays):
        with self.drawn:
            return self.primal(arrays), arrays

    def backward(self, residuals, cotangents):
        _, pullback = self.drawn.again(lambda: _core.vjp(self.primal, residuals))
        return pullback(cotangents)

    def jvp(self, arrays, tangents):
        results, changes = _core.jvp(self.primal, arrays, tangents)
        return results, [_zeros_like(x) if t is None else t for x, t in zip(results, changes)]


def _run(fun, args, kwargs):
    return _Checkpoint(fun, _positional(fun, args, kwargs)).run()


def checkpoint(fun):
    """The function, whose derivative keeps what it is given and reads alone, and runs it again, with the same random numbers."""
    _check("checkpoint", fun)

    @functools.wraps(fun)
    def call(*args, **kwargs):
        return _run(fun, args, kwargs)

    return call
