"""Errors of Kiln. Each class says what the mistake is and how to mend it; messages name the user's line."""
import builtins
import linecache
import os
import sys

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


class KilnError(Exception):
    """Base class of the errors that Kiln raises."""


class ShapeError(KilnError, builtins.ValueError):
    """Shapes do not fit together: broadcast, reshape or transpose an operand so that they do."""


class DTypeError(KilnError, TypeError):
    """An operation does not accept a dtype, or two have no common one: convert with ``kn.astype``."""


class DeviceError(KilnError):
    """The device lacks what is asked of it, or arrays of different devices meet."""


class TraceError(KilnError):
    """A function cannot be recorded as it is used: the message names what it met and the way out."""


class PackageError(KilnError):
    """A file or an installation of Kiln is incomplete or of another version."""


class CompileError(KilnError):
    """The compiler failed; with ``KILN_DUMP_DIR`` set, the program after each stage is kept for a report."""


class IndexError(KilnError, builtins.IndexError):  # noqa: A001
    """A position outside an array, or a key that is no index."""


class AxisError(KilnError, builtins.ValueError, builtins.IndexError):
    """An axis outside an array, or one given twice."""


class ValueError(KilnError, builtins.ValueError):  # noqa: A001
    """An argument has a value that the function cannot take."""


class OverflowError(KilnError, builtins.OverflowError):  # noqa: A001
    """A Python number does not fit in the dtype of the array that it meets."""


class MemoryError(KilnError, builtins.MemoryError):  # noqa: A001
    """No memory for an array of this size."""


class LinAlgError(KilnError, builtins.ValueError):
    """A matrix has no such decomposition: it is singular, not positive definite, or holds nan where an iteration must converge."""


class KilnWarning(UserWarning):
    """Something works, but not the way it was meant to: a jitted function that runs in eager, for example."""


class Leave(BaseException):
    """Ends a recording whose call then runs in eager. Not for users: it passes through ``except Exception``."""


_CLASSES = {"ShapeError": ShapeError, "DTypeError": DTypeError, "DeviceError": DeviceError, "TraceError": TraceError,
            "PackageError": PackageError, "CompileError": CompileError, "IndexError": IndexError, "AxisError": AxisError,
            "ValueError": ValueError, "OverflowError": OverflowError, "MemoryError": MemoryError,
            "LinAlgError": LinAlgError}


def user_frame():
    """The innermost frame outside the package, or None."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((_FOLDER, "<frozen importlib")):  # imports of the package too
        frame = frame.f_back
    return frame


def line_of(code, instruction):
    """The line of an instruction of a code object."""
    for start, end, line in code.co_lines():
        if start <= instruction < end and line is not None:
            return line
    return code.co_firstlineno


def place(code, line):
    """``at file.py:3 in function:  source``."""
    source = linecache.getline(code.co_filename, line).strip()
    return f"\n  at {os.path.basename(code.co_filename)}:{line} in {code.co_name}" + (f":  {source}" if source else "")


def where():
    """``file.py:3: `` for the user's line."""
    frame = user_frame()
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}: " if frame is not None else ""


def make(kind, message):
    """The exception of a kind, with the user's line behind the message."""
    frame = user_frame()
    where = place(frame.f_code, frame.f_lineno) if frame is not None else ""
    return _CLASSES[kind](message + where)


def source_of(code, instruction):
    """(function, file, line) of an instruction."""
    return code.co_qualname.replace(".<locals>", ""), os.path.abspath(code.co_filename), line_of(code, instruction)


def line_text(code, instruction):
    """``file.py:3: `` of an instruction."""
    return f"{os.path.basename(code.co_filename)}:{line_of(code, instruction)}: "
