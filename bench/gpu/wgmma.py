"""bfloat16 matrix products as Hopper is meant to do them: tiles by the copy engine (TMA) into a ring of stages, barriers in shared memory, one
warpgroup that fetches and two that multiply by wgmma. Row-major operands; the copy engine swizzles rows of 128 bytes."""
from emit import SHARED, Kernel

M, N, DEPTH, STAGES = 128, 256, 64, 4
GROUP = 8  # rows of tiles that are worked on together, so that they share what they read in the L2
A_BYTES, B_BYTES = M * DEPTH * 2, DEPTH * N * 2
BARRIERS = STAGES * (A_BYTES + B_BYTES)  # where they begin
ROW = 128  # bytes of a row of a tile in shared memory: 64 elements, swizzled in blocks of 8 rows
SUMS = "!llvm.struct<(" + ", ".join(["f32"] * (N // 2)) + ")>"


def descriptor(k, address, leading, stride):
    """What wgmma wants to know of a tile: its place, distances in bytes, and the swizzle of 128 bytes."""
    place = ((address & 0x3FFFF) >> 4).to("i64")
    return place | ((leading >> 4) << 16 | (stride >> 4) << 32 | 1 << 62)


def wait_for(k, barrier, phase):
    k.line(f"nvvm.mbarrier.try_wait.parity {barrier.name}, {phase.name}, {k.constant(10000000, 'i32').name} : {SHARED}, i32, i32")


def fetch(k, to, map, barrier, inner, outer):
    to = k.new(f"llvm.addrspacecast {to.name} : {SHARED} to !llvm.ptr<7>", "!llvm.ptr<7>")  # of the cluster, which is this block
    k.line(f"nvvm.cp.async.bulk.tensor.shared.cluster.global {to.name}, {map.name}, {barrier.name}, box[{inner.name}, {outer.name}] "
           ": !llvm.ptr<7>, !llvm.ptr")


def multiply(k, a, b, sums, b_layout):
    """64 rows of A against all of B, one step of 16 along the contracted axis."""
    shape = f"#nvvm.shape<m = 64, n = {N}, k = 16>"
    kinds = ("D [<f32>, #nvvm.wgmma_scale_out<one>], A [<bf16>, #nvvm.wgmma_scale_in<one>, <row>], "
             f"B [<bf16>, #nvvm.wgmma_scale_in<one>, <{b_layout}>]")
    return k.new(f"nvvm.wgmma.mma_async {a.name}, {b.name}, {sums.name}, {shape}, {kinds} : {SUMS} -> {SUMS}", SUMS)


def gemm_wgmma(pipelined=False, transposed=False):
    """`pipelined`: products of one step run on while those of the next are started. `transposed`: B is n x k."""
    k = Kernel(f"gemm_wgmma_{M}x{N}x{DEPTH}_s{STAGES}{'_pipelined' * pipelined}{'_transposed' * transposed}", 1, ["m", "n", "k"], 384, blocks=1,
               shared=BARRIERS + 16 * STAGES, maps=2)
    target, rows, columns, contracted = k.arguments
    base, thread = k.shared_memory(), k.special("tid.x")
    steps = contracted // DEPTH
    a_at, b_at = base, k.at(base, STAGES * A_BYTES, "i8")
    full, empty = k.at(base, BARRIERS, "i8"), k.at(base, BARRIERS + 8 * STAGES, "i8")
    with k.when(thread < 1):
        for s in range(STAGES):
            for barriers, count in ((full, 1), (empty, 8)):
                barrier = k.at(barriers, s, "i64")
                k.line(f"nvvm.mbarrier.init {barrier.name}, {k.constant(count, 'i32').name} : {SHARED}, i32")
        k.line("nvvm.fence.mbarrier.init")
    k.barrier()
    tiles = (columns // N) * GROUP
    block = k.special("ctaid.x")
    top = ((block // tiles) * GROUP + block % GROUP) * M
    left = ((block % tiles) // GROUP) * N
    # The lane that asks the copy engine for tiles.
    with k.when(thread < 1):
        def produce(i, _):
            stage = i % STAGES
            wait_for(k, k.at(empty, stage, "i64"), ((i // STAGES) & 1) ^ 1)
            barrier = k.at(full, stage, "i64")
            k.line(f"nvvm.mbarrier.arrive.expect_tx {barrier.name}, {k.constant(A_BYTES + B_BYTES, 'i32').name} : {SHARED}, i32")
            fetch(k, k.at(a_at, stage * A_BYTES, "i8"), k.maps[0], barrier, i * DEPTH, top)
            if transposed:
                fetch(k, k.at(b_at, stage * B_BYTES, "i8"), k.maps[1], barrier, i * DEPTH, left)
                return []
            for c in range(N // 64):
                fetch(k, k.at(b_at, stage * B_BYTES + c * DEPTH * ROW, "i8"), k.maps[1], barrier, left + c * 64, i * DEPTH)
            return []
        k.loop(0, steps, 1, [], produce)
    worker = thread - 128
    with k.when(worker < 256):  # unsigned: the first 128 threads wrap
        group, lane, warp = worker // 128, worker % 32, (worker % 128) // 32
        a_address, b_address = (k.new(f"llvm.ptrtoint {p.name} : {SHARED} to i32", "i32") for p in (a_at, b_at))
        sums = k.new(f"llvm.mlir.zero : {SUMS}", SUMS)

        def release(stage):
            with k.when(lane < 1):
                barrier = k.at(empty, stage, "i64")
                k.new(f"nvvm.mbarrier.arrive {barrier.name} : {SHARED} -> i64", "i64")

        def consume(i, carried):
            total = carried[0]
            stage = i % STAGES
            wait_for(k, k.at(full, stage, "i64"), (i // STAGES) & 1)
            a, b = a_address + stage * A_BYTES + group * (64 * ROW), b_address + stage * B_BYTES
            a_tile, b_tile = descriptor(k, a, 16, 8 * ROW), descriptor(k, b, DEPTH * ROW, 8 * ROW)
            k.line("nvvm.wgmma.fence.aligned")
            for d in range(0, DEPTH, 16):
                total = multiply(k, a_tile + (d * 2 >> 4), b_tile + (d * (2 if transposed else ROW) >> 4), total, "col" if transposed else "row")
            k.line("nvvm.wgmma.commit.group.sync.aligned")
            if pipelined:  # the step before has ended
                k.line("nvvm.wgmma.wait.group.sync.aligned 1")
                with k.when(k.constant(0, "i32") < i):
                    release((i + (STAGES - 1)) % STAGES)
            else:
                k.line("nvvm.wgmma.wait.group.sync.aligned 0")
                release(stage)
            return [total]

        sums = k.loop(0, steps, 1, [sums], consume)[0]
        if pipelined:
            k.line("nvvm.wgmma.wait.group.sync.aligned 0")
        row = top + group * 64 + warp * 16 + lane // 4
        column = left + (lane % 4) * 2
        for j in range(N // 8):
            for half in range(2):
                pair = k.pack([k.new(f"llvm.extractvalue {sums.name}[{4 * j + 2 * half + e}] : {SUMS}", "f32") for e in range(2)])
                k.store(pair, k.at(target, (row + 8 * half) * columns + column + 8 * j, "f32"), 8)
    return k
