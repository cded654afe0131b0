"""``kn.debug``: looking into a program while it runs."""
import builtins

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


def print(fmt, *args, **kwargs):  # noqa: A001
    """Prints ``fmt.format(*args, **kwargs)`` with the values that a jitted function has at this place: ``kn.debug.print("loss {l:.3f}", l=loss)``.

    The function stays compiled: later calls print when they are over, in order, what was there at this line, and the recording does not come to depend on it.
    ``print`` does so as well, but what is formatted before (``print(f"{loss}")``) is asked for by Python.

    Parameters
    ----------
    fmt : str
        As for ``str.format``.
    *args, **kwargs : arrays, numbers, texts, and tuples of such

    Raises
    ------
    IndexError, KeyError, ValueError
        Where the format does not fit what it is given.
    """
    builtins.print(fmt.format(*args, **kwargs))
