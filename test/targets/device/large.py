"""Kernels that are worth a time on a device: large.py > FILE."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "simulator"))
from sizes import elementwise, flat, function, product, reduction, softmax, tensor, transpose

x = tensor([1 << 24])
function("chain", {"x": x}, x, ["%a = kiln.multiply %x, %x : ({0}, {0}) -> {0}".format(x), "%r = kiln.add %a, %x : ({0}, {0}) -> {0}".format(x)], "r")
function("exp", {"x": x}, x, ["%r = kiln.exp %x : ({0}) -> {0}".format(x)], "r")
for rows, columns in ((16384, 1024), (4096, 4096)):
    softmax(rows, columns)
    reduction(f"rows_{rows}_{columns}", "sum", [rows, columns], 1)
    reduction(f"columns_{rows}_{columns}", "sum", [rows, columns], 0)
    transpose((rows, columns), (1, 0))
for dtype in ("i8", "bf16", "f64"):
    transpose((8192, 8192), (1, 0), dtype)
    flat(1 << 25, dtype)
elementwise((8192, 4096), "f32", "i8")
reduction("all", "sum", [1 << 25], 0)
reduction("largest", "argmax", [1 << 25], 0, "f32", "i64")
reduction("long", "sum", [16, 1 << 21], 1)
reduction("tall", "sum", [1 << 17, 256], 0)


def moved(name, op, shape, axis, dtype="f32", result=None, extra=""):
    array, out = tensor(shape, dtype), tensor(shape, result or dtype)
    function(name, {"x": array}, out, [f"%r = kiln.{op} %x {{axis = {axis}{extra}}} : ({array}) -> {out}"], "r")


moved("scan_integers", "cumulative_sum", [1 << 25], 0, "i32")
moved("scan_rows", "cumulative_sum", [32768, 1024], 1)
moved("scan_columns", "cumulative_sum", [1024, 32768], 0)
moved("sort_rows", "sort", [16384, 1024], 1, extra=", descending = 0")
moved("argsort", "argsort", [1 << 24], 0, "f32", "i64", ", descending = 0")
product(2048, 2048, 2048)
