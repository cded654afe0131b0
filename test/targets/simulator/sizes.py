"""Programs whose sizes lie around those where loops change: sizes.py [wide | even | odd] > FILE. wide: those with accesses of several elements alone; even, odd:
every second one, for tests that run beside each other."""
import itertools
import math
import sys

number = itertools.count()


def tensor(shape, dtype="f32"):
    return f"tensor<{'x'.join([*map(str, shape), dtype])}>"


def function(name, arguments, result, lines, value, attributes=""):
    if next(number) % 2 == {"even": 1, "odd": 0}.get(sys.argv[1] if len(sys.argv) > 1 else ""):
        return
    print(f"func.func @{name}({', '.join(f'%{n}: {t}' for n, t in arguments.items())}) -> {result}{attributes} {{")
    print(*(f"  {line}" for line in lines), f"  return %{value} : {result}", "}", sep="\n")


def reduction(name, op, shape, axis, dtype="f32", result=None):
    x, out = tensor(shape, dtype), tensor([n for i, n in enumerate(shape) if i != axis], result or dtype)
    along = f"axis = {axis}" if op.startswith("arg") else f"axes = array<i64: {axis}>"
    function(name, {"x": x}, out, [
        f"%c = kiln.constant 3.700000e-01 : {dtype} : tensor<{dtype}>",
        f"%b = kiln.broadcast %c {{axes = array<i64>}} : (tensor<{dtype}>) -> {x}",
        f"%y = kiln.multiply %x, %b : ({x}, {x}) -> {x}",
        f"%s = kiln.sin %y : ({x}) -> {x}",
        f"%r = kiln.{op} %s {{{along}}} : ({x}) -> {out}"], "r")


def scan(shape, axis, op, dtype):
    x = tensor(shape, dtype)
    float = dtype if dtype[0] == "f" else "f32"
    y = tensor(shape, float)
    function(f"scan_{'_'.join(map(str, [*shape, axis, op, dtype]))}", {"x": y}, x, [
        f"%s = kiln.sin %x : ({y}) -> {y}",
        f"%c = kiln.constant 1.0e+03 : {float} : tensor<{float}>",
        f"%b = kiln.broadcast %c {{axes = array<i64>}} : (tensor<{float}>) -> {y}",
        f"%m = kiln.multiply %s, %b : ({y}, {y}) -> {y}",
        f"%t = kiln.cast %m : ({y}) -> {x}",
        f"%r = kiln.{op} %t {{axis = {axis}}} : ({x}) -> {x}"], "r")


def sort(shape, axis, op, dtype, descending=0):
    x, y, out = tensor(shape), tensor(shape, dtype), tensor(shape, "i64" if op == "argsort" else dtype)
    function(f"{op}_{'_'.join(map(str, [*shape, axis, dtype, descending]))}", {"x": x}, out, [
        f"%s = kiln.sin %x : ({x}) -> {x}",
        "%c = kiln.constant 1.0e+02 : f32 : tensor<f32>",
        f"%b = kiln.broadcast %c {{axes = array<i64>}} : (tensor<f32>) -> {x}",
        f"%m = kiln.multiply %s, %b : ({x}, {x}) -> {x}",
        f"%l = kiln.log %m : ({x}) -> {x}",  # half of them nan
        f"%t = kiln.cast {'%m' if dtype[0] == 'i' else '%l'} : ({x}) -> {y}",
        f"%r = kiln.{op} %t {{axis = {axis}, descending = {descending}}} : ({y}) -> {out}"], "r")


def scatter(op, shape, axis, count, dtype="f32", is_scanned=False):
    """Most places more than once, some from the end; of an array that is there, or made by another kernel, so that it may be changed in place."""
    part = [count if i == axis else n for i, n in enumerate(shape)]
    x, updates, places, numbers = tensor(shape, dtype), tensor(part, dtype), tensor([count], "i64"), tensor([count])
    float = tensor(part)
    function(f"{op}_{'_'.join(map(str, [*shape, axis, count, dtype, int(is_scanned)]))}", {"x": x, "i": numbers, "u": float}, x, [
        f"%s = kiln.sin %i : ({numbers}) -> {numbers}",
        f"%c = kiln.constant {shape[axis] - 0.5} : f32 : tensor<f32>",
        f"%b = kiln.broadcast %c {{axes = array<i64>}} : (tensor<f32>) -> {numbers}",
        f"%m = kiln.multiply %s, %b : ({numbers}, {numbers}) -> {numbers}",
        f"%p = kiln.cast %m : ({numbers}) -> {places}",
        f"%v = kiln.sin %u : ({float}) -> {float}",
        f"%w = kiln.cast %v : ({float}) -> {updates}",
        f"%y = kiln.cumulative_max %x {{axis = {axis}}} : ({x}) -> {x}",
        f"%r = kiln.{op} {'%y' if is_scanned else '%x'}, %p, %w {{axis = {axis}}} : ({x}, {places}, {updates}) -> {x}",
        f"%z = kiln.cumulative_max %r {{axis = {axis}}} : ({x}) -> {x}"], "z" if is_scanned else "r")


def nonzero(n, count, takes=False):
    x, mask, out, taken = tensor([n]), tensor([n], "i1"), tensor([count], "i64"), tensor([count])
    lines = [f"%s = kiln.sin %x : ({x}) -> {x}",
             f"%c = kiln.cos %x : ({x}) -> {x}",
             f"%m = kiln.less %s, %c : ({x}, {x}) -> {mask}",
             f"%p = kiln.nonzero %m {{count = {count}}} : ({mask}) -> {out}"]
    if takes:
        lines.append(f"%r = kiln.gather %x, %p {{axis = 0}} : ({x}, {out}) -> {taken}")
    function(f"{'compress' if takes else 'nonzero'}_{n}_{count}", {"x": x}, taken if takes else out, lines, "r" if takes else "p")


def softmax(rows, columns):
    x, row = tensor([rows, columns]), tensor([rows])
    function(f"softmax_{rows}_{columns}", {"x": x}, x, [
        f"%m = kiln.max %x {{axes = array<i64: 1>}} : ({x}) -> {row}",
        f"%b = kiln.broadcast %m {{axes = array<i64: 0>}} : ({row}) -> {x}",
        f"%d = kiln.subtract %x, %b : ({x}, {x}) -> {x}",
        f"%e = kiln.exp %d : ({x}) -> {x}",
        f"%s = kiln.sum %e {{axes = array<i64: 1>}} : ({x}) -> {row}",
        f"%c = kiln.broadcast %s {{axes = array<i64: 0>}} : ({row}) -> {x}",
        f"%r = kiln.divide %e, %c : ({x}, {x}) -> {x}"], "r")


def transpose(shape, permutation, dtype="f32"):
    x, result = tensor(shape, dtype), tensor([shape[i] for i in permutation], dtype)
    numbers = ", ".join(map(str, permutation))
    join = "bitwise_xor" if dtype == "i1" else "maximum"
    given = x
    if dtype in ("i1", "i8") and math.prod(shape) < 1 << 20:  # where 0, 1, 2, ... would mostly be the largest
        given += f' {{kiln.input = "{",".join(str(i * 37 % 251 - 125 if dtype == "i8" else i % 7 % 2) for i in range(math.prod(shape)))}"}}'
    function(f"transpose_{'_'.join(map(str, [*shape, dtype]))}", {"x": given, "y": result}, result, [
        f"%t = kiln.transpose %x {{permutation = array<i64: {numbers}>}} : ({x}) -> {result}",
        f"%r = kiln.{join} %t, %y : ({result}, {result}) -> {result}"], "r")


def elementwise(shape, dtype, other):
    """With an array of another dtype, a row, a column and a part of a larger array."""
    x, y, row, column = tensor(shape, dtype), tensor(shape, other), tensor(shape[-1:], dtype), tensor(shape[:-1], dtype)
    large = tensor([n + 16 for n in shape], dtype)
    axes = ", ".join(map(str, range(len(shape) - 1)))
    starts, sizes, steps = (", ".join(map(str, numbers)) for numbers in ([8] * len(shape), shape, [1] * len(shape)))
    function(f"elementwise_{'_'.join(map(str, [*shape, dtype, other]))}",
             {"x": x, "y": y, "row": row, "column": column, "large": large}, x, [
        f"%a = kiln.cast %y : ({y}) -> {x}",
        f"%b = kiln.broadcast %row {{axes = array<i64: {len(shape) - 1}>}} : ({row}) -> {x}",
        f"%c = kiln.broadcast %column {{axes = array<i64: {axes}>}} : ({column}) -> {x}",
        f"%d = kiln.slice %large {{starts = array<i64: {starts}>, sizes = array<i64: {sizes}>, steps = array<i64: {steps}>}} : ({large}) -> {x}",
        f"%e = kiln.add %x, %a : ({x}, {x}) -> {x}",
        f"%f = kiln.multiply %e, %b : ({x}, {x}) -> {x}",
        f"%g = kiln.subtract %f, %c : ({x}, {x}) -> {x}",
        f"%r = kiln.add %g, %d : ({x}, {x}) -> {x}"], "r")


def flat(size, dtype):
    x = tensor([size], dtype)
    function(f"flat_{size}_{dtype}", {"x": x, "y": x}, x, [f"%r = kiln.maximum %x, %y : ({x}, {x}) -> {x}"], "r")


def product(rows, columns, depth, x_axis=1, y_axis=0, batch=(), dtype="f32"):
    x = tensor([*batch, *((rows, depth) if x_axis else (depth, rows))], dtype)
    y = tensor([*batch, *((columns, depth) if y_axis else (depth, columns))], dtype)
    out, n = tensor([*batch, rows, columns], dtype), len(batch)
    axes = ", ".join(map(str, range(n)))
    axes = f"array<i64{': ' if n else ''}{axes}>"
    function(f"product_{dtype}_{'_'.join(map(str, [*batch, rows, columns, depth]))}_{x_axis}{y_axis}", {"x": x, "y": y}, out, [
        f"%p = kiln.dot_general %x, %y {{x_batch = {axes}, y_batch = {axes}, x_axis = {x_axis + n}, y_axis = {y_axis + n}}} : ({x}, {y}) -> {out}",
        f"%r = kiln.negative %p : ({out}) -> {out}"], "r")


def narrow_product(rows, columns, depth, x_axis=1, y_axis=0, batch=(), dtype="bf16", computed=False):
    """Of float16 or bfloat16 made float32. Of small integers, which a matrix unit adds exactly in any order, and no two beside each other are always the same.
    `computed`: an operand in the kernel of the product."""
    shapes = [*batch, *((rows, depth) if x_axis else (depth, rows))], [*batch, *((columns, depth) if y_axis else (depth, columns))]
    arrays, out, n = {"x": tensor(shapes[0]), "y": tensor(shapes[1])}, tensor([*batch, rows, columns]), len(batch)
    lines = ["%eight = kiln.constant 8.000000e+00 : f32 : tensor<f32>"]
    for (name, wide), shape in zip(arrays.items(), shapes):
        narrow = tensor(shape, dtype)
        negated = computed and name == "x"
        lines += [f"%{name}b = kiln.broadcast %eight {{axes = array<i64>}} : (tensor<f32>) -> {wide}",
                  f"%{name}s = kiln.sin %{name} : ({wide}) -> {wide}",
                  f"%{name}m = kiln.multiply %{name}s, %{name}b : ({wide}, {wide}) -> {wide}",
                  f"%{name}r = kiln.round %{name}m : ({wide}) -> {wide}",
                  f"%{name}n = kiln.cast %{name}r : ({wide}) -> {narrow}",
                  *([f"%{name}o = kiln.negative %{name}n : ({narrow}) -> {narrow}"] if negated else []),
                  f"%{name}w = kiln.cast %{name}{'o' if negated else 'n'} : ({narrow}) -> {wide}"]
    axes = f"array<i64{': ' if n else ''}{', '.join(map(str, range(n)))}>"
    function(f"product_{dtype}_{'_'.join(map(str, [*batch, rows, columns, depth]))}_{x_axis}{y_axis}{'_computed' * computed}", arrays, out, [
        *lines, f"%r = kiln.dot_general %xw, %yw {{x_batch = {axes}, y_batch = {axes}, x_axis = {x_axis + n}, y_axis = {y_axis + n}}} "
        f": ({arrays['x']}, {arrays['y']}) -> {out}"], "r", " attributes {kiln.fast_math}")


def wide():
    for dtype in ("i1", "i8", "bf16", "f32", "f64"):
        transpose((144, 208), (1, 0), dtype)
    transpose((2, 64, 136), (0, 2, 1), "bf16")
    transpose((144, 2, 160), (2, 1, 0), "i8")
    for dtype, other in (("f32", "i8"), ("bf16", "bf16"), ("i8", "i16"), ("f64", "f32")):
        elementwise((70, 1024), dtype, other)
        elementwise((9, 31, 2048), dtype, other)
    for dtype in ("bf16", "i8"):
        flat(600000, dtype)
        flat(262144, dtype)


if __name__ == "__main__":
    wide()
    if sys.argv[1:] == ["wide"]:
        sys.exit()
    for n in (1, 7, 31, 33, 1000, 1025, 5000, 8193, 20000, 70000):
        reduction(f"row{n}", "sum", [3, n], 1)
        reduction(f"largest{n}", "max", [3, n], 1)
        reduction(f"wide{n}", "sum", [2, n], 1, "f64")
    for n in (3, 1000, 1025, 5000):
        reduction(f"column{n}", "sum", [n, 70], 0)
        reduction(f"middle{n}", "prod", [2, n, 5], 1)
    for n in (30000, 17 * 1024 + 5):
        reduction(f"tall{n}", "sum", [n, 3], 0)
        reduction(f"smallest{n}", "min", [n, 2], 0)
    reduction("between", "prod", [2, 5000, 70], 1)
    reduction("parts", "sum", [300000], 0)
    for n in (100, 3000, 150000):
        reduction(f"first{n}", "argmax", [3, n], 1, "f32", "i64")
    for n in (1, 15, 16, 33, 500, 1000, 5000, 20000):
        scan([3, n], 1, "cumulative_sum", "f32")
        scan([9, n], 1, "cumulative_sum", "i32")
        scan([n, 3], 0, "cumulative_max", "f64")
        scan([n, 2], 0, "cumulative_prod", "f32")
    scan([65600, 17], 1, "cumulative_sum", "f32")
    scan([150000], 0, "cumulative_sum", "i64")
    scan([2, 70000], 1, "cumulative_min", "i8")
    scan([4100, 20], 1, "cumulative_sum", "f64")
    for n in (1, 2, 64, 65, 1000, 4096, 4097, 9000):
        sort([2, n], 1, "sort", "f32")
        sort([2, n], 1, "argsort", "i8", 1)
        sort([n, 3], 0, "argsort", "f64", 1)
    sort([70000], 0, "argsort", "f32")
    sort([40000], 0, "sort", "i64")
    for n in (1, 63, 64, 300, 5000):
        scatter("scatter_add", [50, 3], 0, n)
        scatter("scatter", [50, 3], 0, n, is_scanned=True)
        scatter("scatter", [2, 1000], 1, n, "f64")
        scatter("scatter_add", [2, 40, 2], 1, n, "i32", True)
    for n in (1, 31, 500, 5000, 70000):
        nonzero(n, n // 3 + 1)
        nonzero(n, n + 1)
        nonzero(n, n // 2 + 1, takes=True)
    for rows, columns in ((9, 1000), (3, 4096), (3, 4100), (2, 9000), (2, 20000)):
        softmax(rows, columns)
    transpose((64, 64), (1, 0))
    transpose((50, 75), (1, 0))
    transpose((3, 40, 50), (2, 0, 1))
    product(70, 90, 100)
    product(129, 65, 33, 0, 1)
    product(66, 65, 17, batch=(3,))
    product(64, 130, 40, dtype="f64")
    product(128, 128, 64, 1, 1)
    # Of few rows or columns; tails and ends of whole accesses; fewer steps than stages; blocks of each kind.
    for n in (1, 5, 16, 17):
        product(n, 70, 130)
        product(70, n, 131, 0, 1)
    product(33, 64, 1)
    product(36, 40, 36, 0, 0)
    product(40, 36, 44, 1, 1)
    product(70, 65, 40, batch=(128,))
    product(130, 132, 20, batch=(64,))
    product(132, 129, 35, 0, 1, batch=(64,))
    product(129, 100, 17, batch=(64,), dtype="f64")
    product(40, 40, 40, dtype="i8")
    for axes in ((1, 0), (0, 0), (1, 1), (0, 1)):
        narrow_product(40, 48, 200, *axes)
        narrow_product(41, 47, 35, *axes)
    narrow_product(64, 48, 104, dtype="f16")
    narrow_product(8, 72, 136)
    narrow_product(72, 8, 136, 0, 1)
    narrow_product(72, 40, 72, computed=True)
    narrow_product(72, 64, 40, batch=(128,))
    narrow_product(136, 144, 40, batch=(40,))
    narrow_product(128, 264, 72, batch=(64,))
