"""The errors of Kiln, by the names that NumPy's module has, and its own."""
from ._errors import AxisError, CompileError, DeviceError, DTypeError, IndexError, KilnError, PackageError, ShapeError, TraceError  # noqa: A004

__all__ = ["AxisError", "CompileError", "DTypeError", "DeviceError", "IndexError", "KilnError", "PackageError", "ShapeError", "TraceError"]
