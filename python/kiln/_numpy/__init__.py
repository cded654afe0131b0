"""What kiln.numpy has besides kn: ufuncs, files, names of types, and settings. Importing it changes nothing."""
from .. import _diagonals
from . import files, functions, types, ufuncs


def diagonal(a, offset=0, axis1=0, axis2=1):
    """``kn.diagonal`` of the first two axes."""
    return _diagonals.diagonal(a, offset, axis1, axis2)


def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """``kn.trace`` of the first two axes."""
    return _diagonals.trace(a, offset, axis1, axis2, dtype, out)


NAMES = {n: v for module in (types, files, functions) for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__ and not n.startswith("_")}
NAMES |= {n: v for n, v in vars(types).items() if n in types.OBJECTS}
NAMES |= ufuncs.ALL | {"diagonal": diagonal, "trace": trace}
