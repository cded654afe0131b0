"""Kernels that are worth a time on a device: large.py > FILE."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "simulator"))
from sizes import function, narrow_product, product, reduction, softmax, tensor, transpose

x = tensor([1 << 24])
function("chain", {"x": x}, x, ["%a = kiln.multiply %x, %x : ({0}, {0}) -> {0}".format(x), "%r = kiln.add %a, %x : ({0}, {0}) -> {0}".format(x)], "r")
function("exp", {"x": x}, x, ["%r = kiln.exp %x : ({0}) -> {0}".format(x)], "r")
for rows, columns in ((16384, 1024), (4096, 4096)):
    softmax(rows, columns)
    reduction(f"rows_{rows}_{columns}", "sum", [rows, columns], 1)
    reduction(f"columns_{rows}_{columns}", "sum", [rows, columns], 0)
    transpose((rows, columns), (1, 0))
product(2048, 2048, 2048)
product(4096, 4096, 4096)
product(4095, 4095, 4095)
product(8, 4096, 4096)
product(64, 64, 512, batch=(1024,))
product(2048, 2048, 2048, dtype="f64")
narrow_product(8192, 8192, 8192)
narrow_product(4096, 4096, 4096)
