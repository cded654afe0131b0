"""``kn.debug``: looking into a program while it runs."""
from . import _core


class _Switch:
    """What was switched is as it was before where a ``with`` block of it ends."""

    def __init__(self, before):
        self._before = before

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _core.debug_nans(self._before)


def nans(on=True):
    """Looks for the first nan: an operation that makes one of operands without any raises ValueError at the user's line.

    In a gradient the message says which operation of the forward direction it belongs to, and where that is. Jitted functions run as they are written meanwhile,
    so everything takes a few times as long.

    Parameters
    ----------
    on : bool
        Whether to look, in this thread, until it is switched off; or for a block: ``with kn.debug.nans():``.

    Raises
    ------
    TraceError
        Where it is switched inside of a gradient, a batch or a recording.
    """
    before = _core.is_debugging_nans()
    _core.debug_nans(bool(on))
    return _Switch(before)
