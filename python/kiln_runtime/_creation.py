"""Arrays of the runtime: NumPy's."""
import numpy as np

from ._core import numpy_dtype


def asarray(value, dtype=None):
    """An array of what is one, of another library's too."""
    if dtype is not None:
        dtype = numpy_dtype(dtype)
    elif not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
        value = np.from_dlpack(value)
    return np.asarray(value, dtype)
