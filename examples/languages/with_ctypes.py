"""Calls the library from Python without Kiln: with_ctypes.py libscores.so"""
import ctypes
import sys

import numpy as np

lib = ctypes.CDLL(sys.argv[1])
pointer, size, err = ctypes.c_void_p, ctypes.c_size_t, ctypes.create_string_buffer(256)
m = pointer()


def check(status):
    if status:
        raise RuntimeError(err.value.decode())


def run(x):
    x = np.ascontiguousarray(x, np.float32)
    y = np.empty((len(x), 3), np.float32)
    check(lib.scores_run(m, pointer(x.ctypes.data), ctypes.c_int64(len(x)), pointer(y.ctypes.data), None, size(0), err, size(len(err))))
    return y


check(lib.scores_open(ctypes.byref(m), None, err, size(len(err))))
y = run([[0.5, -1, 2, 0], [1, 1, 1, 1]])
checksum = 0
for row in y:
    print(*(f"{v:.4f}" for v in row))
for bits in y.view(np.uint32).ravel():
    checksum = (31 * checksum + int(bits)) % 2**32
print(f"bits {checksum:08x}")
try:
    run(np.zeros((1001, 4)))
except RuntimeError as error:
    print(error)
lib.scores_close(m)
