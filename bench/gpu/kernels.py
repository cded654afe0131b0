"""Kernels bound by memory: chains, rows (softmax, layernorm, sums), columns, transposes. Sizes are known here, as a compiler knows them."""
import math

from emit import Kernel

VECTOR = {"f32": (4, "vector<4xf32>"), "bf16": (8, "vector<8xbf16>")}


def elementwise(name, apply, dtype="f32", loads=1, threads=256, narrow=False):
    """`loads` vectors of 16 bytes (or single elements, if `narrow`) a thread, all loaded before the first is used; n accesses, a multiple of
    threads * loads."""
    k = Kernel(name, 2, ["n"], threads)
    source, target, n = k.arguments
    lanes, type = (1, dtype) if narrow else VECTOR[dtype]
    align = lanes * (2 if dtype == "bf16" else 4)
    first = k.special("ctaid.x") * (threads * loads) + k.special("tid.x")
    with k.when(first < n):
        places = [(first + u * threads) * lanes for u in range(loads)]
        values = [k.load(k.at(source, p, dtype), type, align) for p in places]
        for place, value in zip(places, values):
            wide = value.to(f"vector<{lanes}xf32>") if dtype == "bf16" else value
            result = apply(k, wide)
            k.store(result.to(type) if dtype == "bf16" else result, k.at(target, place, dtype), align)
    return k


def chain(k, x):
    """Ten operations, each rounded."""
    a = x * 1.5 + 0.25
    b = a * x - 0.75
    c = b * 0.5 + x
    return (c * a - b) * 0.125 + 1.0


def called(function):
    """A function of one element in each lane."""
    return lambda k, x: k.pack([k.call(function, k.lane(x, i)) for i in range(int(x.type[7]))])


class Rows:
    """Rows of `columns` floats, each held in the registers of `warps` warps.

    A thread has four neighbours from each access of 16 bytes. With `ordered`, sums have the bits of the CPU's order: in one warp, element i
    is in lane i mod 32; more warps pass the row to their first one through shared memory.
    """

    def __init__(self, name, pointers, columns, warps=1, ordered=False):
        self.rows_a_block = max(1, 4 // warps)
        threads = 32 * warps * self.rows_a_block
        self.ordered, self.warps, self.columns, self.slots = ordered, warps, columns, 0
        shared = 4 * columns * ordered + 16 * warps if warps > 1 else 0
        self.k = k = Kernel(name, pointers, ["rows"], threads, shared=shared)
        assert not ordered or columns <= 8192
        self.width = 1 if ordered and warps == 1 else 4
        thread = k.special("tid.x")
        self.lane, self.warp = thread % 32, thread // 32
        in_row = self.lane if warps == 1 else thread
        self.row = k.special("ctaid.x") * self.rows_a_block + (self.warp if warps == 1 else 0)
        self.places = [in_row * self.width + j * 32 * warps * self.width for j in range(columns // (32 * warps * self.width))]
        self.shared = k.shared_memory() if shared else None
        k.rows_a_block = self.rows_a_block

    def load(self, pointer, whole=True):
        base = self.k.at(pointer, self.row * self.columns, "f32") if whole else pointer
        type = "vector<4xf32>" if self.width == 4 else "f32"
        return [self.k.load(self.k.at(base, p, "f32"), type, 4 * self.width) for p in self.places]

    def store(self, pointer, values):
        base = self.k.at(pointer, self.row * self.columns, "f32")
        for place, value in zip(self.places, values):
            self.k.store(value, self.k.at(base, place, "f32"), 4 * self.width)

    def reduce(self, values, join):
        """Of the whole row, in every thread."""
        k = self.k
        total = values[0]
        for v in values[1:]:
            total = join(total, v)
        if self.width == 4:
            a, b, c, d = (k.lane(total, i) for i in range(4))
            total = join(join(a, b), join(c, d))
        for distance in (16, 8, 4, 2, 1):
            total = join(total, k.shuffle(total, distance))
        if self.warps == 1:
            return total
        slots = k.at(self.shared, self.columns * self.ordered + self.slots * self.warps, "f32")  # each reduction has its own
        self.slots += 1
        with k.when(self.lane < 1):
            k.store(total, k.at(slots, self.warp, "f32"), 4)
        k.barrier()
        parts = [k.load(k.at(slots, w, "f32"), "f32", 4) for w in range(self.warps)]
        while len(parts) > 1:
            parts = [join(*parts[i:i + 2]) for i in range(0, len(parts), 2)]
        return parts[0]

    def sum_by_first_warp(self, values):
        k = self.k
        slot = k.at(self.shared, self.columns + self.slots * self.warps, "f32")
        self.slots += 1
        for place, value in zip(self.places, values):
            k.store(value, k.at(self.shared, place, "f32"), 16)
        k.barrier()
        with k.when(self.warp < 1):
            parts = [k.load(k.at(self.shared, self.lane + j, "f32"), "f32", 4) for j in range(0, self.columns, 32)]
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            for distance in (16, 8, 4, 2, 1):
                total = total + k.shuffle(total, distance)
            k.store(total, slot, 4)
        k.barrier()
        return k.load(slot, "f32", 4)

    def every(self, value):
        return value if self.width == 1 else self.k.splat(value, "vector<4xf32>")

    def sum(self, values):
        if self.ordered and self.warps > 1:
            return self.sum_by_first_warp(values)
        return self.reduce(values, lambda a, b: a + b)


def softmax(columns, warps=1, ordered=False, function="kiln_exp"):
    r = Rows(f"softmax_{columns}_w{warps}{'_ordered' if ordered else ''}_{function}", 2, columns, warps, ordered)
    k = r.k
    x = r.load(k.arguments[0])
    top = r.every(r.reduce(x, lambda a, b: a.max(b)))
    if r.width == 4:
        e = [k.pack([k.call(function, k.lane(v - top, i)) for i in range(4)]) for v in x]
    else:
        e = [k.call(function, v - top) for v in x]
    total = r.every(r.sum(e))
    r.store(k.arguments[1], [v / total for v in e])
    return k


def layernorm(columns, warps=1, ordered=False):
    """(x - mean) / sqrt(mean of squares + 1e-5) * gain + bias, mean and squares in two sums over registers."""
    r = Rows(f"layernorm_{columns}_w{warps}{'_ordered' if ordered else ''}", 4, columns, warps, ordered)
    k = r.k
    x = r.load(k.arguments[0])
    mean = r.every(r.sum(x) / float(columns))
    d = [v - mean for v in x]
    variance = r.sum([v * v for v in d]) / float(columns) + 1e-5
    root = r.every(k.new(f"math.sqrt {variance.name} : f32", "f32"))
    gain, bias = r.load(k.arguments[2], whole=False), r.load(k.arguments[3], whole=False)
    r.store(k.arguments[1], [v / root * g + b for v, g, b in zip(d, gain, bias)])
    return k


def row_sum(columns, ordered):
    r = Rows(f"row_sum_{columns}{'_ordered' if ordered else ''}", 2, columns, 1, ordered)
    total = r.sum(r.load(r.k.arguments[0]))
    with r.k.when(r.lane < 1):
        r.k.store(total, r.k.at(r.k.arguments[1], r.row, "f32"), 4)
    return r.k


def column_sum(block, width, threads=128, unroll=16):
    """Blocks of rows in order, `width` columns a thread; one row of results for each block. The CPU's order has blocks of 1,024."""
    k = Kernel(f"column_sum_{block}_v{width}", 2, ["columns"], threads)
    source, target, columns = k.arguments
    type = "f32" if width == 1 else f"vector<{width}xf32>"
    column = (k.special("ctaid.x") * threads + k.special("tid.x")) * width
    part = k.special("ctaid.y")

    def body(i, carried):
        place = (part * block + i) * columns + column
        values = []
        for _ in range(unroll):
            values.append(k.load(k.at(source, place, "f32"), type, 4 * width))
            place = place + columns
        total = carried[0]
        for v in values:
            total = total + v
        return [total]

    total = k.loop(0, block, unroll, [k.constant(0, type)], body)[0]
    k.store(total, k.at(target, part * columns + column, "f32"), 4 * width)
    return k


def pairwise_rows(parts, threads=128):
    """Joins the rows of column_sum pairwise."""
    k = Kernel(f"pairwise_rows_{parts}", 2, ["columns"], threads)
    source, target, columns = k.arguments
    column = k.special("ctaid.x") * threads + k.special("tid.x")
    values = [k.load(k.at(source, columns * p + column, "f32"), "f32", 4) for p in range(parts)]
    for _ in range(int(math.log2(parts))):
        values = [values[i] + values[i + 1] for i in range(0, len(values), 2)]
    k.store(values[0], k.at(target, column, "f32"), 4)
    return k


def pairwise_line(parts, threads=256):
    """Joins a line of numbers pairwise, by one block: in registers, across a warp, across warps."""
    each = parts // threads
    k = Kernel(f"pairwise_line_{parts}", 2, [], threads, shared=threads // 8)
    source, target = k.arguments
    thread, shared = k.special("tid.x"), k.shared_memory()

    def join(values):
        while len(values) > 1:
            values = [values[i] + values[i + 1] for i in range(0, len(values), 2)]
        return values[0]

    total = join([k.load(k.at(source, thread * each + i, "f32"), "f32", 4) for i in range(each)])
    for distance in (1, 2, 4, 8, 16):
        total = total + k.shuffle(total, distance)
    with k.when(thread % 32 < 1):
        k.store(total, k.at(shared, thread // 32, "f32"), 4)
    k.barrier()
    with k.when(thread < 1):
        k.store(join([k.load(k.at(shared, w, "f32"), "f32", 4) for w in range(threads // 32)]), target, 4)
    return k


def transpose(tile, width):
    """Tiles of an n x m matrix of float32 through shared memory, rows padded by one word; `width` floats an access to global memory."""
    threads = 256
    k = Kernel(f"transpose_{tile}_v{width}", 2, ["n", "m"], threads, shared=tile * (tile + 1) * 4)
    source, target, n, m = k.arguments
    type = "f32" if width == 1 else f"vector<{width}xf32>"
    shared = k.shared_memory()
    across = tile // width  # accesses a row
    thread = k.special("tid.x")
    inner, outer = thread % across, thread // across
    left, top = k.special("ctaid.x") * tile, k.special("ctaid.y") * tile
    rows = range(0, tile, threads // across)
    loaded = [k.load(k.at(source, (top + outer + r) * m + left + inner * width, "f32"), type, 4 * width) for r in rows]
    for r, value in zip(rows, loaded):
        for i in range(width):
            part = value if width == 1 else k.lane(value, i)
            k.store(part, k.at(shared, (outer + r) * (tile + 1) + inner * width + i, "f32"), 4)
    k.barrier()
    for r in rows:
        parts = [k.load(k.at(shared, (inner * width + i) * (tile + 1) + outer + r, "f32"), "f32", 4) for i in range(width)]
        k.store(parts[0] if width == 1 else k.pack(parts), k.at(target, (left + outer + r) * n + top + inner * width, "f32"), 4 * width)
    return k


def checksum(each=64):
    """As in bits.c, of blocks of 2^14 values, added to the sum of their run."""
    k = Kernel("checksum", 2, ["first"], 256)
    source, sums, first = k.arguments
    start = k.special("ctaid.x") * (256 * each) + k.special("tid.x")

    def body(i, carried):
        place = start + i * 256
        v = k.load(k.at(source, place, "f32"), "i32", 4)
        is_nan = k.constant(0x7F800000, "i32") < (v & 0x7FFFFFFF)
        v = k.new(f"arith.select {is_nan.name}, {k.constant(0x7FC00000, 'i32').name}, {v.name} : i32", "i32")
        x = ((first + place).to("i64") << 32) | v.to("i64")
        for shift, factor in ((31, 0x9E3779B97F4A7C15), (29, 0xBF58476D1CE4E5B9)):
            x = (x ^ (x >> shift)) * (factor - 2**64)
        return [carried[0] + (x ^ (x >> 32))]

    total = k.loop(0, each, 1, [k.constant(0, "i64")], body)[0]
    target = k.at(sums, (first + start) >> 20, "i64")
    k.line(f"%old = llvm.atomicrmw add {target.name}, {total.name} monotonic : !llvm.ptr<1>, i64")
    return k


def differences():
    """Counts the values of two arrays that differ, nans being equal; the last index goes to the second word."""
    k = Kernel("differences", 3, ["n"], 256)
    a, b, counts, n = k.arguments
    i = k.special("ctaid.x") * 256 + k.special("tid.x")
    with k.when(i < n):
        bits = [k.load(k.at(p, i, "f32"), "i32", 4) for p in (a, b)]
        sizes = [v & 0x7FFFFFFF for v in bits]
        both = [k.constant(0x7F800000, "i32") < s for s in sizes]
        same = k.new(f"arith.cmpi eq, {bits[0].name}, {bits[1].name} : i32", "i1")
        nan = k.new(f"arith.andi {both[0].name}, {both[1].name} : i1", "i1")
        equal = k.new(f"arith.ori {same.name}, {nan.name} : i1", "i1")
        with k.when(k.new(f"arith.xori {equal.name}, {k.constant(1, 'i1').name} : i1", "i1")):
            k.line(f"%old = llvm.atomicrmw add {counts.name}, {k.constant(1, 'i32').name} monotonic : !llvm.ptr<1>, i32")
            k.store(i, k.at(counts, 1, "i32"), 4)
    return k
