"""Packages that Kiln made, run by the code in them: no compiler, one small shared library, NumPy arrays.

>>> import kiln_runtime
>>> m = kiln_runtime.load("scores.kiln")
>>> y = m(x)
"""
import os

from ._core import include_folder, library_folder, machine, set_num_threads
from ._errors import KilnError, PackageError, make
from ._load import Module

__all__ = ["KilnError", "Module", "PackageError", "cmake_folder", "get_include", "library_folder", "load", "machine", "set_num_threads"]
__version__ = "0.1.0"


def load(path, *, verify=False, native=True):
    """A package as functions, as ``kiln.load(path, native=True)``: arguments and results are NumPy arrays, or what ``numpy.asarray`` makes one of.

    It runs the code that is in the file: load only what you trust. Do not change a file that is loaded.

    Parameters
    ----------
    path : path of a ``*.kiln`` file
    verify : bool
        Whether to compare the checksums of weights as well, which reads them all.

    Raises
    ------
    PackageError
        For a file that is no package, is damaged, or has no code for this machine: the message says what it has, and how it gets some.
    """
    if not native:
        raise make("ValueError", "load: native: expected True, as this is the runtime alone, which has no compiler, got False")
    return Module(os.fspath(path), verify, True)


def get_include():
    """The folder of the headers: ``kiln/runtime.h`` for C, ``kiln/runtime.hpp`` for C++."""
    return include_folder()


def cmake_folder():
    """The folder for ``CMAKE_PREFIX_PATH``, in which ``find_package(kiln)`` finds ``kiln::runtime``."""
    return os.path.dirname(library_folder())
