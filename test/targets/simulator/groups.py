"""Products of narrow floats by groups of warps, a block each, with their schedule: groups.py > FILE."""
from sizes import function, tensor


def kernel(name, kind, inputs, result, body, value, rest):
    operands = ", ".join(f"%{name}{i} = {v} : {t}" for i, (v, t) in enumerate(inputs))
    return [f'%{name} = kiln.kernel "{kind}"({operands}) -> ({result}) {{', *body, f"kiln.yield %{value} : {result}", f"}} {{{rest}}}"]


def integers(name, shape, dtype, offset):
    """Small integers, which are exact in any order."""
    wide, narrow = tensor(shape), tensor(shape, dtype)
    return kernel(name, "elementwise", [(f"%{name[0]}", wide)], narrow, [
        f"%{name}c = kiln.constant 8.000000e+00 : f32 : tensor<f32>", f"%{name}b = kiln.broadcast %{name}c {{axes = array<i64>}} : (tensor<f32>) -> {wide}",
        f"%{name}s = kiln.sin %{name}0 : ({wide}) -> {wide}", f"%{name}m = kiln.multiply %{name}s, %{name}b : ({wide}, {wide}) -> {wide}",
        f"%{name}r = kiln.round %{name}m : ({wide}) -> {wide}", f"%{name}v = kiln.cast %{name}r : ({wide}) -> {narrow}"], f"{name}v",
        f"workspace = array<i64: {offset}>")


def product(rows, columns, depth, x_axis, y_axis, tile, block, stages, dtype="bf16"):
    shapes = (rows, depth) if x_axis else (depth, rows), (columns, depth) if y_axis else (depth, columns)
    (x, y), (a, b), out = (tensor(s, dtype) for s in shapes), (tensor(s) for s in shapes), tensor([rows, columns])
    second = -(-rows * depth * 2 // 64) * 64
    lines = integers("xn", shapes[0], dtype, 0) + integers("yn", shapes[1], dtype, second)
    lines += kernel("r", "contraction", [("%xn", x), ("%yn", y)], out, [
        f"%xw = kiln.cast %r0 : ({x}) -> {a}", f"%yw = kiln.cast %r1 : ({y}) -> {b}",
        f"%p = kiln.dot_general %xw, %yw {{x_batch = array<i64>, y_batch = array<i64>, x_axis = {x_axis}, y_axis = {y_axis}}} : ({a}, {b}) -> {out}"], "p",
        f"schedule = #kiln.matrix_tiles<tile = {tile}, block = {block}, stages = {stages}, wide = both, group = true>, workspace = array<i64: -1>")
    function(f"group_{dtype}_{rows}_{columns}_{depth}_{x_axis}{y_axis}", {"x": a, "y": b}, out, lines, "r", f" attributes {{kiln.fast_math, kiln.workspace_bytes = {second + columns * depth * 2} : i64}}")


for x_axis in (0, 1):
    for y_axis in (0, 1):
        product(128, 256, 456, x_axis, y_axis, "64x256", "128x256x64", 4)
        product(136, 152, 200, x_axis, y_axis, "64x128", "128x128x64", 3)
        product(72, 64, 72, x_axis, y_axis, "64x64", "64x128x64", 5, "f16")
