"""Programs for any size, of the kinds that take some: any_size.py > FILE. What stands for a size are the symbols 0, 1 and 2."""


class Symbol(int):
    """A size that a call tells."""


S, T, U = Symbol(0), Symbol(1), Symbol(2)


def tensor(shape, dtype="f32"):
    symbols = [str(int(n)) if isinstance(n, Symbol) else "-1" for n in shape]
    sizes = ["?" if isinstance(n, Symbol) else str(n) for n in shape]
    return f"tensor<{'x'.join([*sizes, dtype])}{', #kiln.symbols<' + ', '.join(symbols) + '>' if '?' in sizes else ''}>"


def words(sizes):
    return "array<i64" + (": " if sizes else "") + ", ".join(str(-1 - n if isinstance(n, Symbol) else n) for n in sizes) + ">"


def function(name, arguments, result, lines, value):
    print(f"func.func @{name}({', '.join(f'%{n}: {t}' for n, t in arguments.items())}) -> {result} attributes {{kiln.symbols = 3}} {{")
    print(*(f"  {line}" for line in lines), f"  return %{value} : {result}", "}", sep="\n")


def unary(op, x, y, t, attributes=""):
    return f"%{y} = kiln.{op} %{x}{' {' + attributes + '}' if attributes else ''} : ({t}) -> {t}"


def elementwise(name, shape, dtype="f32"):
    x, row = tensor(shape, dtype), tensor(shape[-1:], dtype)
    function(name, {"x": x, "y": row}, x, [
        f"%b = kiln.broadcast %y {{axes = array<i64: {len(shape) - 1}>}} : ({row}) -> {x}",
        f"%m = kiln.multiply %x, %b : ({x}, {x}) -> {x}",
        f"%r = kiln.add %m, %x : ({x}, {x}) -> {x}"], "r")


def flat(name, shape, dtype="f32"):
    x = tensor(shape, dtype)
    function(name, {"x": x}, x, [f"%r = kiln.add %x, %x : ({x}, {x}) -> {x}"], "r")


def without(shape, axis):
    return [n for i, n in enumerate(shape) if i != axis]


def reduction(op, shape, axis, dtype="f32", result=None):
    x, out = tensor(shape, dtype), tensor(without(shape, axis), result or dtype)
    along = f"axis = {axis}" if op.startswith("arg") else f"axes = array<i64: {axis}>"
    name = f"{op}_{'_'.join('s' + str(int(n)) if isinstance(n, Symbol) else str(n) for n in shape)}_{axis}_{dtype}"
    start = [unary("sin", "x", "s", x)] if dtype[0] == "f" else [f"%s = kiln.add %x, %x : ({x}, {x}) -> {x}"]
    function(name, {"x": x}, out, [*start, f"%r = kiln.{op} %s {{{along}}} : ({x}) -> {out}"], "r")


def softmax(name, shape, axis):
    x, part = tensor(shape), tensor(without(shape, axis))
    kept = [i for i in range(len(shape)) if i != axis]
    spread = f"{{axes = array<i64{': ' if kept else ''}{', '.join(map(str, kept))}>}} : ({part}) -> {x}"
    function(name, {"x": x}, x, [
        unary("sin", "x", "s", x),
        f"%m = kiln.max %s {{axes = array<i64: {axis}>}} : ({x}) -> {part}",
        f"%mm = kiln.broadcast %m {spread}",
        f"%d = kiln.subtract %s, %mm : ({x}, {x}) -> {x}",
        unary("exp", "d", "e", x),
        f"%t = kiln.sum %e {{axes = array<i64: {axis}>}} : ({x}) -> {part}",
        f"%tt = kiln.broadcast %t {spread}",
        f"%r = kiln.divide %e, %tt : ({x}, {x}) -> {x}"], "r")


def scan(op, shape, axis, dtype):
    x = tensor(shape, dtype)
    start = [unary("sin", "x", "s", x)] if dtype[0] == "f" else [f"%s = kiln.add %x, %x : ({x}, {x}) -> {x}"]
    name = f"{op}_{len(shape)}_{axis}_{dtype}_{'_'.join('open' if isinstance(n, Symbol) else str(n) for n in shape)}"
    function(name, {"x": x}, x, [*start, unary(op, "s", "r", x, f"axis = {axis}")], "r")


def product(name, x, y, batch=0, x_axis=1, y_axis=0, dtype="f32"):
    out = tensor([*x[:batch], without(x, x_axis)[-1], without(y, y_axis)[-1]], dtype)
    given = {"x": tensor(x, dtype), "y": tensor(y, dtype)}
    axes = "array<i64" + (": " + ", ".join(map(str, range(batch))) if batch else "") + ">"
    function(name, given, out, [
        unary("sin", "x", "a", given["x"]) if dtype[0] == "f" else f"%a = kiln.add %x, %x : ({given['x']}, {given['x']}) -> {given['x']}",
        f"%r = kiln.dot_general %a, %y {{x_batch = {axes}, y_batch = {axes}, x_axis = {x_axis}, y_axis = {y_axis}}} : ({given['x']}, {given['y']}) -> {out}"], "r")
    function(name + "_in_place", given, out, [
        f"%r = kiln.dot_general %x, %y {{x_batch = {axes}, y_batch = {axes}, x_axis = {x_axis}, y_axis = {y_axis}}} : ({given['x']}, {given['y']}) -> {out}"], "r")


for dtype in ("f32", "i8", "f64", "bf16"):
    flat(f"flat_{dtype}", [S], dtype)
    flat(f"flat_two_{dtype}", [S, T], dtype)
    elementwise(f"rows_{dtype}", [S, T], dtype)
    elementwise(f"rows_of_8_{dtype}", [S, 8], dtype)
elementwise("three", [S, T, 3])
for axis in (0, 1):
    reduction("sum", [S, T], axis)
    reduction("sum", [S, 40], axis)
    reduction("sum", [40, S], axis)
    reduction("max", [S, T], axis)
    reduction("argmax", [S, T], axis, result="i64")
    reduction("sum", [S, T], axis, "i32")
    softmax(f"softmax_{axis}", [S, T], axis)
    scan("cumulative_sum", [S, T], axis, "f32")
    scan("cumulative_sum", [S, T], axis, "i32")
    scan("cumulative_sum", [S, 40], axis, "f32")
    scan("cumulative_max", [3, S], axis, "f32")
for dtype in ("f32", "f64", "i64"):
    reduction("sum", [S], 0, dtype)
reduction("prod", [3, S], 1)
reduction("argmin", [S], 0, result="i64")
reduction("sum", [S, T, U], 1)
softmax("softmax_one", [S], 0)
scan("cumulative_sum", [S], 0, "f64")
scan("cumulative_sum", [S], 0, "i64")

x, y, z = tensor([S, T]), tensor([T, S]), tensor([U, T])
turn = f"%t = kiln.transpose %x {{permutation = array<i64: 1, 0>}} : ({x}) -> {y}"
function("transposed", {"x": x}, y, [turn], "t")
function("transposed_and_more", {"x": x, "y": y}, y, [turn, f"%r = kiln.multiply %t, %y : ({y}, {y}) -> {y}"], "r")
function("sliced", {"x": x}, tensor([S, 2]), [
    f"%p = kiln.slice %x {{starts = array<i64: 0, 1>, sizes = {words([S, 2])}, steps = array<i64: 1, 2>}} : ({x}) -> {tensor([S, 2])}"], "p")
function("gathered", {"x": x, "i": tensor([U], "i64")}, z, [
    "%c = kiln.constant 2 : i64 : tensor<i64>",
    f"%b = kiln.broadcast %c {{axes = array<i64>}} : (tensor<i64>) -> {tensor([U], 'i64')}",
    f"%m = kiln.fmod %i, %b : ({tensor([U], 'i64')}, {tensor([U], 'i64')}) -> {tensor([U], 'i64')}",
    f"%r = kiln.gather %x, %m {{axis = 0}} : ({x}, {tensor([U], 'i64')}) -> {z}"], "r")
function("updated", {"x": x, "y": tensor([S, 2])}, x, [
    f"%s = kiln.sin %x : ({x}) -> {x}",
    f"%r = kiln.update %s, %y {{starts = array<i64: 0, 1>, steps = array<i64: 1, 3>}} : ({x}, {tensor([S, 2])}) -> {x}"], "r")
function("positions", {"x": x}, x, [
    f"%i = kiln.iota {{axis = 1}} : {x}",
    f"%r = kiln.add %i, %x : ({x}, {x}) -> {x}"], "r")
# Arrays in the workspace: two that live at once, and what a reduction asks for behind them.
v = tensor([S, T])
function("chain", {"x": v}, tensor([]), [
    unary("cumulative_sum", "x", "a", v, "axis = 1"),
    unary("cumulative_sum", "a", "b", v, "axis = 0"),
    f"%m = kiln.multiply %a, %b : ({v}, {v}) -> {v}",
    f"%t = kiln.sum %m {{axes = array<i64: 1>}} : ({v}) -> {tensor([S])}",
    f"%r = kiln.sum %t {{axes = array<i64: 0>}} : ({tensor([S])}) -> {tensor([])}"], "r")
sort = tensor([S, 100])
function("sorted", {"x": sort}, sort, [unary("sin", "x", "s", sort), unary("sort", "s", "r", sort, "axis = 1, descending = 0")], "r")

product("product", [S, T], [T, U])
product("product_f64", [S, T], [T, U], dtype="f64")
product("product_i32", [S, T], [T, U], dtype="i32")
product("rows_by_matrix", [S, 24], [24, 32])
product("matrix_by_columns", [24, 36], [36, S])
product("turned", [T, S], [U, T], x_axis=0, y_axis=1)
product("batched", [U, S, T], [U, T, 5], batch=1, x_axis=2, y_axis=1)
product("few", [S, T], [T, 4])
function("vector", {"x": x, "y": tensor([T, 1])}, tensor([S, 1]), [
    f"%r = kiln.dot_general %x, %y {{x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0}} : ({x}, {tensor([T, 1])}) -> {tensor([S, 1])}"], "r")
