"""Linear algebra. Functions work on the last two axes of their operands, for each position of the others.

Decompositions call LAPACK; integers are first converted to the default dtype, narrow floats computed as float32. Raises
LinAlgError for a matrix that has no such decomposition.
"""
from .._diagonals import diagonal, trace
from .._errors import LinAlgError
from .._products import matmul, outer, tensordot, vecdot
from .._shaping import matrix_transpose
from ._decompositions import (EigResult, EighResult, QRResult, SlogdetResult, SVDResult, cholesky, eig, eigh, eigvals, eigvalsh, inv,
                              qr, slogdet, solve, svd, svdvals)
from ._derived import cond, cross, lstsq, matrix_norm, matrix_power, matrix_rank, multi_dot, norm, pinv, vector_norm
from ._singular import det
from ._solving import LUResult, lu, matrix_exp, solve_triangular, tensorinv, tensorsolve

__all__ = ["EigResult", "EighResult", "LUResult", "LinAlgError", "QRResult", "SVDResult", "SlogdetResult", "cholesky", "cond", "cross", "det",
           "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "lu", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank",
           "matrix_transpose", "multi_dot", "norm", "outer", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace",
           "vecdot", "vector_norm"]
