"""Programs whose sizes lie around those where loops change: sizes.py > FILE."""


def tensor(shape, dtype="f32"):
    return f"tensor<{'x'.join([*map(str, shape), dtype])}>"


def function(name, arguments, result, lines, value, attributes=""):
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


def transpose(shape, permutation):
    x, result = tensor(shape), tensor([shape[i] for i in permutation])
    numbers = ", ".join(map(str, permutation))
    function(f"transpose_{'_'.join(map(str, shape))}", {"x": x, "y": result}, result, [
        f"%t = kiln.transpose %x {{permutation = array<i64: {numbers}>}} : ({x}) -> {result}",
        f"%r = kiln.add %t, %y : ({result}, {result}) -> {result}"], "r")


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
        f": ({arrays['x']}, {arrays['y']}) -> {out}"], "r")


if __name__ == "__main__":
    for n in (1, 7, 31, 33, 1000, 1025, 5000, 8193, 20000, 70000):
        reduction(f"row{n}", "sum", [3, n], 1)
        reduction(f"largest{n}", "max", [3, n], 1)
        reduction(f"wide{n}", "sum", [2, n], 1, "f64")
    for n in (3, 1000, 1025, 5000):
        reduction(f"column{n}", "sum", [n, 70], 0)
        reduction(f"middle{n}", "prod", [2, n, 5], 1)
    for n in (100, 3000):
        reduction(f"first{n}", "argmax", [3, n], 1, "f32", "i64")
    for rows, columns in ((9, 1000), (3, 4100), (2, 9000)):
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
