"""Matrix products, row-major, sizes multiples of the tiles: float32 in one chain of fused multiply-adds (the CPU's bits), and bfloat16
through mma.sync. Tiles come into shared memory by cp.async, `stages` deep."""
from emit import Kernel


class Tiles:
    """Tiles of A (m x depth) and B (depth x n) in a ring of stages; rows are padded by 16 bytes, so that 16-byte accesses of rows below each
    other meet no bank twice."""

    def __init__(self, k, element, size, m, n, depth, stages, threads):
        self.k, self.element, self.size, self.threads, self.stages = k, element, size, threads, stages
        self.m, self.n, self.depth, pad = m, n, depth, 16 // size
        self.rows = {"a": depth + pad, "b": n + pad}
        self.a_elements = m * self.rows["a"]
        self.stage_elements = self.a_elements + depth * self.rows["b"]
        self.bytes = self.stage_elements * size * stages

    def place(self, stage):
        """Where a stage's A and B begin."""
        k = self.k
        start = stage * self.stage_elements
        return k.at(self.shared, start, self.element), k.at(self.shared, start + self.a_elements, self.element)

    def copy(self, source, leading, target, rows, columns, stride):
        k, vector = self.k, 16 // self.size
        a_row = columns // vector
        row, inside = self.thread // a_row, (self.thread % a_row) * vector
        for r in range(0, rows, self.threads // a_row):
            k.copy_async(k.at(target, (row + r) * stride + inside, self.element), k.at(source, (row + r) * leading + inside, self.element), 16)

    def fetch(self, step, stage):
        """Starts the copies of one step into a stage, as one group."""
        k = self.k
        a, b = self.place(stage)
        a_source = k.at(self.a, self.top * self.contracted + step * self.depth, self.element)
        b_source = k.at(self.b, step * self.depth * self.columns + self.left, self.element)
        self.copy(a_source, self.contracted, a, self.m, self.depth, self.rows["a"])
        self.copy(b_source, self.columns, b, self.depth, self.n, self.rows["b"])
        k.commit()

    def run(self, carried, multiply):
        """The loop over the contracted axis; the last steps fetch tiles that no one reads, so that groups count alike."""
        k = self.k
        self.shared, self.thread = k.shared_memory(), k.special("tid.x")
        self.a, self.b, _, rows, self.columns, self.contracted = k.arguments
        self.left, self.top = k.special("ctaid.x") * self.n, k.special("ctaid.y") * self.m
        steps = self.contracted // self.depth
        for s in range(self.stages - 1):
            self.fetch(k.constant(s, "i32"), k.constant(s, "i32"))

        def body(i, values):
            k.wait(self.stages - 2)
            k.barrier()
            ahead = i + (self.stages - 1)
            last = steps - 1
            ahead_step = k.new(f"arith.minui {ahead.name}, {last.name} : i32", "i32")
            self.fetch(ahead_step, ahead % self.stages)
            return multiply(*self.place(i % self.stages), values)

        return k.loop(0, steps, 1, carried, body)


def gemm_f32(stages=3):
    """128 x 128 a block of 256 threads, 8 x 8 each: rows 16 apart, two runs of four columns."""
    k = Kernel(f"gemm_f32_s{stages}", 3, ["m", "n", "k"], 256, blocks=2, shared=1)
    t = Tiles(k, "f32", 4, 128, 128, 16, stages, 256)
    k.shared = t.bytes
    thread = k.special("tid.x")
    # A warp is 4 x 8 threads, the block 4 x 2 warps.
    lane, warp = thread % 32, thread // 32
    y, x = (warp // 2) * 4 + lane // 8, (warp % 2) * 8 + lane % 8
    four = "vector<4xf32>"

    def multiply(a, b, sums):
        for d in range(0, 16, 4):
            left = [k.load(k.at(a, (y + 16 * i) * t.rows["a"] + d, "f32"), four, 16) for i in range(8)]
            for e in range(4):
                right = [k.load(k.at(b, x * 4 + (64 * j + (d + e) * t.rows["b"]), "f32"), four, 16) for j in range(2)]
                sums = [k.fma(k.splat(k.lane(left[s // 2], e), four), right[s % 2], total) for s, total in enumerate(sums)]
        return sums

    sums = t.run([k.constant(0, four)] * 16, multiply)
    for s, total in enumerate(sums):
        row, column = t.top + y + 16 * (s // 2), t.left + x * 4 + 64 * (s % 2)
        k.store(total, k.at(k.arguments[2], row * t.columns + column, "f32"), 16)
    return k


def gemm_bf16(m=128, n=128, depth=32, stages=4, warps=(2, 4), blocks=None):
    """bfloat16 operands, float32 sums and results. Each warp m / warps[0] x n / warps[1], in steps of m16n8k16."""
    threads = 32 * warps[0] * warps[1]
    k = Kernel(f"gemm_bf16_{m}x{n}x{depth}_s{stages}", 3, ["m", "n", "k"], threads, blocks, shared=1)
    t = Tiles(k, "bf16", 2, m, n, depth, stages, threads)
    k.shared = t.bytes
    thread = k.special("tid.x")
    lane, warp = thread % 32, thread // 32
    warp_m, warp_n = m // warps[0], n // warps[1]
    top, left = (warp // warps[1]) * warp_m, (warp % warps[1]) * warp_n
    down, across = warp_m // 16, warp_n // 8

    def matrices(address, layout):
        """Four 8 x 8 matrices, rows given by the lanes' addresses."""
        attributes = (f"eltType = #nvvm.ld_st_matrix_elt_type<b16>, layout = #nvvm.mma_layout<{layout}>, num = 4 : i32, "
                      "shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>")
        struct = "!llvm.struct<(i32, i32, i32, i32)>"
        four = k.new(f"nvvm.ldmatrix {address.name} {{{attributes}}} : (!llvm.ptr<3>) -> {struct}", struct)
        return [k.new(f"llvm.extractvalue {four.name}[{i}] : {struct}", "i32") for i in range(4)]

    def mma(a, b, c):
        attributes = ("layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, "
                      "multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>")
        struct = "!llvm.struct<(f32, f32, f32, f32)>"
        names = [", ".join(v.name for v in part) for part in (a, b, c)]
        d = k.new(f"nvvm.mma.sync A[{names[0]}] B[{names[1]}] C[{names[2]}] {{{attributes}}} : (i32, i32, f32) -> {struct}", struct)
        return [k.new(f"llvm.extractvalue {d.name}[{i}] : {struct}", "f32") for i in range(4)]

    def multiply(a, b, sums):
        sums = list(sums)
        for d in range(0, depth, 16):
            rows = [matrices(k.at(a, (top + lane % 16 + 16 * i) * t.rows["a"] + (lane // 16) * 8 + d, "bf16"), "row") for i in range(down)]
            columns = []
            for j in range(across // 2):
                four = matrices(k.at(b, (lane % 16 + d) * t.rows["b"] + left + (lane // 16) * 8 + 16 * j, "bf16"), "col")
                columns += [four[:2], four[2:]]
            for i in range(down):
                for j in range(across):
                    at = 4 * (i * across + j)
                    sums[at:at + 4] = mma(rows[i], columns[j], sums[at:at + 4])
        return sums

    sums = t.run([k.constant(0, "f32")] * (4 * down * across), multiply)
    row, column = t.top + top + lane // 4, t.left + left + (lane % 4) * 2
    for i in range(down):
        for j in range(across):
            at = 4 * (i * across + j)
            for half in range(2):
                pair = k.pack(sums[at + 2 * half:at + 2 * half + 2])
                k.store(pair, k.at(k.arguments[2], (row + 16 * i + 8 * half) * t.columns + column + 8 * j, "f32"), 8)
    return k

