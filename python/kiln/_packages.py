"""``kn.export`` and ``kn.load``. What they do is read on the first use: it needs more of the standard library than the rest."""
import os

from ._errors import make


def export(f, /, *args, to, name=None, entry="run", kwargs=None, dynamic=None, input_names=None, output_names=None, assume_sizes=False):
    """Writes a function as a package: a file that ``kn.load`` runs without the function's source.

    The function is recorded on arrays of the shapes and dtypes of ``args``; nothing is computed. Arrays that it reads by name or from attributes become
    weights of the package, numbers and other arguments are kept as they are. Arrays that it writes are changed by each call of the package, too.

    Parameters
    ----------
    f : function, jitted function, method or callable object; or dict
        A dict of names to (function, arguments) pairs, or (function, arguments, keywords), makes a package of several entries, which share weights.
    *args, kwargs : arguments of a call
        Arrays of Kiln or NumPy, numbers, strings, None, or nestings of dicts, lists, tuples and named tuples.
    to : path
        ``*.kiln``. The file is put in the place of an older one at once.
    name, entry : str
        Names of the package (the function's) and of its entry.
    dynamic : dict
        ``{"x": {0: "n"}}``, or ``{"x": {0: ("n", 1, 4096)}}`` with bounds: sizes that each call chooses, by name or position of the argument. The function is
        recorded at each combination of them, or where there are more than 4,096 at the edges and a sample; it may do otherwise at other sizes.
    input_names, output_names : list of str
        Names of the arrays among the arguments, in their order, and of those of the result.
    assume_sizes : bool
        Whether calls may have sizes within the bounds at which the function was not recorded.

    Raises
    ------
    TraceError
        Where the function cannot be recorded without values: it asks for one (``if x > 0``), or changes other state than arrays.
    ValueError
        For names and files that cannot be.
    """
    path = os.fspath(to)
    if not path.endswith(".kiln"):
        raise make("ValueError", f"export: to: expected a file '*.kiln', got '{path}' (native libraries are planned)")
    if isinstance(f, dict) and (args or kwargs):
        raise make("ValueError", "export: a dict of entries: expected their arguments in it, got others")
    from . import _export
    several = f if isinstance(f, dict) else {entry: (f, args, kwargs or {})}
    _export.export_all(several, path, name or _export.default_name(f, path), dynamic=dynamic, input_names=input_names, output_names=output_names, assume_sizes=assume_sizes)


def load(path, *, verify=False):
    """A package that ``kn.export`` wrote: ``m(x)`` runs its entry, ``m.decode(x)`` or ``m["decode"](x)`` one of several.

    Weights are the mapped file; they are read when they are used. Nothing of the file is run but operations of Kiln, by the interpreter until their code is
    there, as for jitted functions. Do not change a file that is loaded: ``kn.export`` puts a new one in its place.

    Parameters
    ----------
    path : path of a ``*.kiln`` file
    verify : bool
        Whether to compare the checksums of weights as well, which reads them all.

    Raises
    ------
    PackageError
        For a file that is no package, is damaged, or is of a later version.
    """
    from ._load import Module
    return Module(os.fspath(path), verify)
