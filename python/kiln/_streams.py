"""Generators of random numbers in functions that transforms run: several times, or for many examples at once."""
import contextvars

from . import _core
from ._arguments import ops
from ._dtypes import BY_NAME

_uint64 = BY_NAME["uint64"]
_drawn = contextvars.ContextVar("drawn", default=())  # the innermost last
_alike = contextvars.ContextVar("alike", default=())  # (low, high): batches on these levels are no examples of what draws


class Drawn:
    """The generators that functions draw from while this is entered, and where those from outside of them stood."""

    def __init__(self):
        self._level, self._before, self._after = _core.level_of(None), {}, {}

    def __enter__(self):
        self._outer, self._was_watched = _drawn.set((*_drawn.get(), self)), _core.watch_draws(True)
        return self

    def __exit__(self, *_):
        _drawn.reset(self._outer)
        _core.watch_draws(self._was_watched)

    def __bool__(self):
        return bool(self._before)

    def _note(self, state):
        if id(state) not in self._before and _core.level_of(state) <= self._level:
            self._before[id(state)] = state, at_home(state, lambda: _core.copy(state))

    def rewind(self):
        """Puts them back to where they stood."""
        for state, before in self._before.values():
            state[...] = before

    def note_end(self):
        """A run is over that began where they stood."""
        for key, (state, _) in self._before.items():
            far = state[1] if key not in self._after else ops["maximum"](state[1], self._after[key][1])
            self._after[key] = state, far

    def go_on(self):
        """Puts them to the farthest end of those runs."""
        for state, counter in self._after.values():
            state[1] = counter

    def again(self, function):
        """What a function gives that draws the same numbers again, and leaves no trace of that."""
        now = [(state, at_home(state, lambda state=state: _core.copy(state))) for state, _ in self._before.values()]
        self.rewind()
        try:
            return function()
        finally:
            for state, before in now:
                state[...] = before


def note(state):
    """The generator with a state is about to be drawn from."""
    for drawn in _drawn.get():
        drawn._note(state)


def alike(low, high, function):
    """What a function gives whose draws are the same for all examples of batches above a level, up to another one: they share one call of what draws."""
    if high <= low:
        return function()
    before = _alike.set((*_alike.get(), (low, high)))
    try:
        return function()
    finally:
        _alike.reset(before)


def at_home(array, function):
    """What a function gives with the modes that there were when an array was made."""
    if _core.level_of(array) == _core.level_of(None):
        return function()
    return _core.below(lambda: at_home(array, function))


def key_here(state, fold_in):
    """The key of a generator for the example that runs: under a batch that began after it was made, that of outside with the example's number in it."""
    level = _core.level_of(None)
    if _core.level_of(state) == level:
        return state[0]
    kind, size, rows = _core.innermost()
    key = _core.lift([_core.below(lambda: key_here(state, fold_in))], [], False)[0]
    if kind != "batch" or any(low < level <= high for low, high in _alike.get()):
        return key
    numbers = _core.below(lambda: _core.iota((size,), _uint64, 0, key.device) if rows is None else _core.astype(rows, _uint64))
    return fold_in(key, _core.lift([numbers], [], True)[0])
