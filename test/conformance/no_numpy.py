"""A plugin of pytest (``-p no_numpy``): a call from Kiln's own code into NumPy's or SciPy's, other than to convert an array, is an error of the test that makes it."""
import sys

import pytest

_CONVERTING = {"asarray", "array", "ascontiguousarray", "frombuffer", "dtype", "__array__", "_array_converter"}


def _package(name):
    return (name or "").split(".")[0]


def _called(frame, event, arg):
    """The function of NumPy or SciPy that Kiln's code calls in an event of a profiler; None for others."""
    if event == "call":
        caller, name, module = frame.f_back, frame.f_code.co_name, _package(frame.f_globals.get("__name__"))
    elif event == "c_call":
        caller, name, module = frame, getattr(arg, "__name__", ""), _package(getattr(arg, "__module__", None) or type(getattr(arg, "__self__", None)).__module__)
    else:
        return None
    is_ours = caller is not None and _package(caller.f_globals.get("__name__")) == "kiln"
    return f"{module}.{name}" if is_ours and module in ("numpy", "scipy") and name not in _CONVERTING else None


class Calls(set):
    """The calls that are made while it is entered."""

    def __enter__(self):
        sys.setprofile(lambda *event: self.add(_called(*event)))
        return self

    def __exit__(self, *_):
        sys.setprofile(None)
        self.discard(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    with Calls() as found:
        result = yield
    assert not found, f"Kiln's code calls {sorted(found)}"
    return result
