"""Where arrays are made."""
import os
import sys
import warnings

from . import _core
from ._errors import KilnWarning



def _tell(text):
    """A warning at the line outside of the package that led here."""
    level, frame, folder = 2, sys._getframe(1), os.path.dirname(__file__)
    while frame and frame.f_code.co_filename.startswith(folder):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, KilnWarning, stacklevel=level)


def _log(text):
    """A line of what ``KILN_LOG=cache`` asks for."""
    from ._config import config

    if "cache" in config.log:
        print(f"kiln cache: {text}", file=sys.stderr)


_core.tell_of_host(_tell)
_core.tell_of_pack(_log)


def devices() -> tuple[str, ...]:
    """The names of the devices that arrays can be on, "cpu" first."""
    return tuple(_core.devices())


def default_device() -> str:
    """The device of arrays that are made from numbers or from nothing (``kn.zeros``, ``kn.arange``, ...)."""
    return _core.default_device()


def set_default_device(device: str, /) -> None:
    """Makes a device the default one, in all threads; ``kn.device`` does for a while. Raises DeviceError for one that is not there."""
    _core.set_default_device(device)


class device:
    """``with kn.device("cpu"):`` another default device for a while, in this thread.

    Raises DeviceError for one that is not there.
    """

    def __init__(self, name: str, /) -> None:
        self.name: str = _core.find_device(name)
        self._before: list[str | None] = []

    def __enter__(self) -> "device":
        self._before.append(_core.scope_device(self.name))
        return self

    def __exit__(self, *exception: object) -> None:
        _core.scope_device(self._before.pop())

    def __repr__(self) -> str:
        return f"kn.device({self.name!r})"
