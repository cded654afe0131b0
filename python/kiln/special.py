"""Special functions, by the names of scipy.special and with its parameters. Narrow floats are computed in float32, integers in the default dtype.

Ops keep the bounds of "Accuracy and cost of the math functions"; of the compositions here each says its own.
"""
from ._special import *  # noqa: F403
from ._special import __all__  # noqa: F401
