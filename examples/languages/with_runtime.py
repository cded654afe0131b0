"""Runs the package from Python with Kiln's runtime alone: with_runtime.py scores.kiln"""
import sys

import kiln_runtime
import numpy as np

scores = kiln_runtime.load(sys.argv[1])
y = scores(np.array([[0.5, -1, 2, 0], [1, 1, 1, 1]], np.float32))
checksum = 0
for row in y:
    print(*(f"{v:.4f}" for v in row))
for bits in y.view(np.uint32).ravel():
    checksum = (31 * checksum + int(bits)) % 2**32
print(f"bits {checksum:08x}")
try:
    scores(np.zeros((1001, 4), np.float32))
except ValueError as error:
    print(str(error).splitlines()[0])
