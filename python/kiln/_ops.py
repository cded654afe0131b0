"""The functions made from the op records; their signatures are in the generated _ops.pyi."""
from . import _core

globals().update(_core.op_functions)
__all__ = list(_core.op_functions)
