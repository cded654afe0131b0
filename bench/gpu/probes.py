"""The probes: each checks what a kernel computes, then times it. Predictions stand beside them, written before the first run."""
import ctypes
import zlib

import numpy as np

from cuda import U64
from samples import uniform

MIB = 1 << 20


class Probes:
    def __init__(self, cuda, folder, manifest, log, small=False):
        self.cuda, self.folder, self.manifest, self.log, self.small = cuda, folder, manifest, log, small
        self.results, self.jit, self.modules, self.roofs = {}, {}, {}, {}

    def function(self, name, file=None, shared=0):
        file = file or name
        if file not in self.modules:
            self.modules[file], self.jit[file] = self.cuda.load((self.folder / f"{file}.ptx").read_text())
        return self.cuda.function(self.modules[file], name, shared)

    def launcher(self, name, grid, arguments):
        facts = self.manifest["kernels"][name]
        return self.cuda.launcher(self.function(name, shared=facts["shared"]), grid, facts["threads"], arguments, facts["shared"])

    def report(self, name, timing, predicted, roof, **facts):
        """`predicted` and what is measured are shares of a roof in the same unit."""
        result = {**timing, **facts, "predicted_of_roof": predicted}
        rate = facts.get("gb_s") or facts.get("tflop_s") or 0
        if roof:
            result["of_roof"] = round(rate / roof, 3)
        self.results[name] = result
        self.log(f"{name:42} {timing['median_s'] * 1e6:10.1f} us  {rate:9.1f}  of roof {result.get('of_roof', 0):.2f} (predicted {predicted})  "
                 f"{facts.get('check', '')}")

    def memory(self, name, grid, arguments, moved, predicted, **facts):
        timing = self.cuda.time(self.launcher(name, grid, arguments))
        kernel = self.cuda.function_facts(self.function(name))
        self.report(name, timing, predicted, self.roofs.get("copy_gb_s"), gb_s=round(moved / timing["median_s"] / 1e9, 1), bytes=moved, **kernel, **facts)

    # Roofs

    def measure_roofs(self):
        c, size = self.cuda, 1024 * MIB
        a, b = c.allocate(size), c.allocate(size)
        c.poison(a, size)
        for label, part in (("copy_gb_s", size), ("copy_256mib_gb_s", 256 * MIB)):
            self.roofs[label] = round(2 * part / c.time(c.copier(b, a, part))["median_s"] / 1e9, 1)
        c.free(a, b)
        self.log(f"roofs: {self.roofs}")

    def measure_library(self):
        """cuBLAS by way of torch, on random data."""
        import torch

        torch.backends.cuda.matmul.allow_tf32 = False
        for label, dtype, n in (("cublas_bf16", torch.bfloat16, 8192), ("cublas_f32", torch.float32, 4096), ("cublas_bf16", torch.bfloat16, 4096)):
            a, b = (torch.rand(n, n, device="cuda", dtype=torch.float32).sub(0.5).to(dtype) for _ in range(2))
            out = torch.empty(n, n, device="cuda", dtype=dtype)
            timing = self.cuda.time(lambda: torch.matmul(a, b, out=out), least=30e-3)
            self.roofs[f"{label}_{n}_tflop_s"] = round(2 * n**3 / timing["median_s"] / 1e12, 1)
        x = torch.rand(16384, 4096, device="cuda")
        weight = torch.rand(4096, device="cuda")
        for label, run in (("torch_softmax", lambda: torch.softmax(x, -1)), ("torch_layernorm", lambda: torch.layer_norm(x, (4096,), weight, weight)),
                           ("torch_transpose", lambda: x.t().contiguous()), ("torch_sum0", lambda: x.sum(0)), ("torch_exp", lambda: torch.exp(x))):
            moved = (1 if label == "torch_sum0" else 2) * x.nbytes
            self.roofs[f"{label}_gb_s"] = round(moved / self.cuda.time(run)["median_s"] / 1e9, 1)
        self.log(f"libraries: {self.roofs}")

    # Memory

    def arrays(self):
        """64 MiB of random numbers (or 1 MiB) four times over, and a place of that size."""
        c = self.cuda
        self.base = uniform((1 << (18 if self.small else 24),), 0)
        self.size = 4 * self.base.nbytes
        self.source, self.target = c.allocate(self.size), c.allocate(self.size)
        self.fill(self.base)

    def fill(self, base):
        for i in range(4):
            self.cuda.call("cuMemcpyHtoD_v2", U64(self.source.value + i * base.nbytes), ctypes.c_void_p(base.ctypes.data), ctypes.c_size_t(base.nbytes))
        self.cuda.poison(self.target, self.size)

    def output(self, run, dtype=np.float32):
        """What a launch writes, a quarter of it; all four are the same."""
        self.cuda.poison(self.target, self.size)
        run()
        self.cuda.synchronize()
        out = self.cuda.download(self.target, np.empty(self.size, np.uint8)).reshape(4, -1)
        assert all(np.array_equal(out[0], out[i]) for i in range(1, 4)), "parts of the result differ"
        return out[0].view(dtype)

    def chains(self):
        def chain(x, r):
            a = r(r(x * r(1.5)) + r(0.25)) if r is np.float32 else x * np.float32(1.5) + np.float32(0.25)
            b = a * x - np.float32(0.75)
            c = b * np.float32(0.5) + x
            return (c * a - b) * np.float32(0.125) + np.float32(1)
        for dtype in ("f32", "bf16"):
            base = self.base if dtype == "f32" else (self.base.view(np.uint32) >> np.uint32(16)).astype(np.uint16).repeat(2)
            self.fill(base)
            x = base if dtype == "f32" else (base.astype(np.uint32) << np.uint32(16)).view(np.float32)
            want = chain(x, None)
            if dtype == "bf16":
                bits = want.view(np.uint32)
                want = ((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)).astype(np.uint16)
            for loads, predicted in ((1, 0.93), (2, 0.97), (4, 0.97)):
                name, vectors = f"chain_{dtype}_x{loads}", self.size // 16
                grid, arguments = (vectors // (256 * loads),), (self.source, self.target, vectors)
                got = self.output(self.launcher(name, grid, arguments), want.dtype)
                self.memory(name, grid, arguments, 2 * self.size, predicted, check=f"{np.count_nonzero(got != want)} of {want.size} differ")
            for loads, predicted in ((1, 0.7), (2, 0.8), (4, 0.85)) if dtype == "f32" else ():
                name, accesses = f"chain_f32_narrow_x{loads}", self.size // 4
                grid, arguments = (accesses // (256 * loads),), (self.source, self.target, accesses)
                got = self.output(self.launcher(name, grid, arguments), want.dtype)
                self.memory(name, grid, arguments, 2 * self.size, predicted, check=f"{np.count_nonzero(got != want)} of {want.size} differ")
        self.fill(self.base)

    def maps(self):
        import math

        self.fill(np.abs(self.base) * np.float32(20) + np.float32(1e-3))
        x = (np.abs(self.base[:65536]) * np.float32(20) + np.float32(1e-3)).astype(np.float64)
        for name, predicted in (("exp", 0.95), ("log", 0.93), ("tanh", 0.85), ("erf", 0.85), ("sin", 0.8)):
            grid, arguments = (self.size // 16 // 512,), (self.source, self.target, self.size // 16)
            got = self.output(self.launcher(f"map_{name}", grid, arguments))[:65536]
            want = np.array([getattr(math, name)(v) for v in x])
            error = np.max(np.abs(got - want) / np.maximum(np.abs(want), 1e-3))
            self.memory(f"map_{name}", grid, arguments, 2 * self.size, predicted, check=f"error {error:.1e}")
        self.fill(self.base)

    def rows(self):
        expected = np.load(self.folder / "expected_arrays.npz")
        predictions = {"softmax_1024_w1_kiln_exp": 0.9, "softmax_1024_w1_ordered_kiln_exp": 0.88, "softmax_4096_w8_kiln_exp": 0.9,
                       "softmax_4096_w1_ordered_kiln_exp": 0.7, "softmax_4096_w8_ordered_kiln_exp": 0.8, "softmax_4096_w8_kiln_fast_exp": 0.92,
                       "layernorm_1024_w1": 0.85, "layernorm_1024_w1_ordered": 0.85, "layernorm_4096_w8": 0.9, "layernorm_4096_w1_ordered": 0.4,
                       "layernorm_4096_w8_ordered": 0.7, "row_sum_1024": 0.95, "row_sum_1024_ordered": 0.9, "row_sum_4096": 0.95,
                       "row_sum_4096_ordered": 0.9}
        for name, predicted in predictions.items():
            kind = next(k for k in ("softmax", "layernorm", "row_sum") if name.startswith(k))
            columns = int(name[len(kind) + 1:].split("_")[0])
            total = self.size // 4 // columns
            gain, bias = (self.cuda.upload(uniform((columns,), s)) for s in (1, 2))
            arguments = [self.source, self.target] + ([gain, bias] if kind == "layernorm" else []) + [total]
            grid = (total // self.manifest["kernels"][name]["rows"],)
            run = self.launcher(name, grid, arguments)
            if kind == "row_sum":
                self.cuda.poison(self.target, self.size)
                run()
                got = self.cuda.download(self.target, np.empty(total, np.float32))
                assert not np.isnan(got).any()
            else:
                got = self.output(run)
            want = expected[f"{kind}_{columns}"].ravel()
            differ = np.count_nonzero(got[:want.size] != want)
            error = np.max(np.abs(got[:want.size] - want)) / np.max(np.abs(want))
            x = self.base.reshape(-1, columns)[-64:].astype(np.float64)  # far rows, in float64
            if kind == "softmax":
                far = np.exp(x - x.max(-1, keepdims=True))
                far /= far.sum(-1, keepdims=True)
            elif kind == "layernorm":
                far = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * uniform((columns,), 1) + uniform((columns,), 2)
            else:
                far = x.sum(-1)
            there = got[:self.base.size // (columns if kind == "row_sum" else 1)][-far.size:]
            far_error = np.max(np.abs(there - far.ravel())) / np.max(np.abs(far))
            self.memory(name, grid, arguments, (1 if kind == "row_sum" else 2) * self.size, predicted, cpu_bits=bool(differ == 0),
                        check=f"{differ} of {want.size} bits differ from the CPU, error {error:.1e} {far_error:.1e}")
            self.cuda.free(gain, bias)

    def columns(self):
        c = self.cuda
        rows, few, many = 8192, 4096, 16384
        small = uniform((rows, few), 5)
        source, big, parts, target = c.upload(small), c.allocate(rows * many * 4), c.allocate(64 * many * 4), c.allocate(many * 4)
        for i in range(many // few):
            c.copier(U64(big.value + i * small.nbytes), source, small.nbytes)()
        want = np.load(self.folder / "expected_arrays.npz")["column_sum"]
        exact = small.sum(0, dtype=np.float64)
        for block, width, predicted in ((1024, 1, 0.8), (1024, 2, 0.75), (1024, 4, 0.6), (128, 1, 0.85), (128, 4, 0.92)):
            name, blocks = f"column_sum_{block}_v{width}", rows // block

            def both(matrix, count):
                first = self.launcher(name, (count // 128 // width, blocks), (matrix, parts, count))
                second = self.launcher(f"pairwise_rows_{blocks}", (count // 128,), (parts, target, count))
                return lambda: (first(), second())
            c.poison(parts, 64 * many * 4)
            c.poison(target, many * 4)
            both(source, few)()
            got = c.download(target, np.empty(few, np.float32))
            differ, error = np.count_nonzero(got != want), np.max(np.abs(got - exact)) / np.max(np.abs(exact))
            timing = c.time(both(big, many))
            self.report(name, timing, predicted, self.roofs.get("copy_gb_s"), gb_s=round(rows * many * 4 / timing["median_s"] / 1e9, 1), cpu_bits=bool(differ == 0),
                        check=f"{differ} of {few} bits differ from the CPU, error {error:.1e}", **c.function_facts(self.function(name)))
        c.free(source, big, parts, target)

    def transposes(self):
        n = 8192
        x = np.arange(n * n, dtype=np.uint32).view(np.float32).reshape(n, n)
        source = self.cuda.upload(x)
        for tile, width, predicted in ((32, 1, 0.8), (64, 4, 0.85)):
            name, grid, arguments = f"transpose_{tile}_v{width}", (n // tile, n // tile), (source, self.target, n, n)
            self.cuda.poison(self.target, self.size)
            self.launcher(name, grid, arguments)()
            got = self.cuda.download(self.target, np.empty((n, n), np.uint32))
            wrong = np.count_nonzero(got != x.view(np.uint32).T)
            self.memory(name, grid, arguments, 2 * self.size, predicted, check=f"{wrong} of {n * n} wrong")
        self.cuda.free(source)

    def sums(self):
        """All elements as one line in the CPU's order: blocks of 8,192 by a warp each, joined pairwise."""
        c, blocks = self.cuda, self.size // 4 // 8192
        parts, target = c.allocate(4 * blocks), c.allocate(4)
        first = self.launcher("row_sum_8192_ordered", (blocks // 4,), (self.source, parts, blocks))
        second = self.launcher(f"pairwise_line_{blocks}", (1,), (parts, target))
        c.poison(parts, 4 * blocks)
        first(), second()
        got, want = c.download(target, np.empty(1, np.float32))[0], np.load(self.folder / "expected_arrays.npz")["sum"].item()
        timing = c.time(lambda: (first(), second()))
        self.report("sum_all_ordered", timing, 0.95, self.roofs["copy_gb_s"], gb_s=round(self.size / timing["median_s"] / 1e9, 1),
                    cpu_bits=bool(got == np.float32(want)), check=f"{got} and {want}")

    def levels(self):
        """What the effort of the driver's compiler gains."""
        results = {}
        grid = {"map_tanh": (self.size // 16 // 512,), "softmax_4096_w8_kiln_exp": (self.size // 4 // 4096,)}
        for name, size in grid.items():
            facts = self.manifest["kernels"][name]
            for level in range(5):
                module, seconds = self.cuda.load((self.folder / f"{name}.ptx").read_text(), level)
                run = self.cuda.launcher(self.cuda.function(module, name, facts["shared"]), size, facts["threads"], (self.source, self.target, 1 << 30), facts["shared"])
                results[f"{name}_O{level}"] = {"compile_s": round(seconds, 4), "run_s": self.cuda.time(run)["median_s"]}
        self.log("\n".join(f"{k}: {v}" for k, v in results.items()))
        return results

    # Products

    def products(self):
        self.compare_products({"gemm_f32_s2": (128, 128, 0.7), "gemm_f32_s3": (128, 128, 0.75), "gemm_bf16_128x128x32_s4": (128, 128, 0.45),
                               "gemm_bf16_128x128x64_s3": (128, 128, 0.5), "gemm_bf16_128x256x32_s4": (128, 256, 0.55),
                               "gemm_bf16_128x256x64_s3": (128, 256, 0.55)})

    def wgmma(self):
        self.compare_products({"gemm_wgmma_128x256x64_s4": (128, 256, 0.75), "gemm_wgmma_128x256x64_s4_pipelined": (128, 256, 0.85),
                               "gemm_wgmma_128x256x64_s4_transposed": (128, 256, 0.95)})

    def product(self, name, tile_m, tile_n, a, b, out, n):
        """A launch of an n x n product. Kernels with descriptors have one row of blocks, and find their tiles themselves."""
        if not self.manifest["kernels"][name]["maps"]:
            return self.launcher(name, (n // tile_n, n // tile_m), (a, b, out, n, n, n))
        maps = self.cuda.tensor_map(a, n, n, 64, tile_m), self.cuda.tensor_map(b, n, n, 64, tile_n if "transposed" in name else 64)
        return self.launcher(name, (n // tile_n * (n // tile_m),), (*maps, out, n, n, n))

    def compare_products(self, predictions):
        c = self.cuda
        for name, (tile_m, tile_n, predicted) in predictions.items():
            single = "f32" in name
            timed = 1024 if self.small else 4096 if single else 8192
            check = self.check_product(name, single, tile_m, tile_n)
            self.log(f"{name}: {check}")
            values = uniform((timed, timed), 9)
            data = values if single else (values.view(np.uint32) >> np.uint32(16)).astype(np.uint16)
            a, b, out = c.upload(data), c.upload(data), c.allocate(timed * timed * 4)
            timing = c.time(self.product(name, tile_m, tile_n, a, b, out, timed), least=30e-3)
            label = f"cublas_f32_{timed}_tflop_s" if single else f"cublas_bf16_{timed}_tflop_s"
            self.report(name, timing, predicted, self.roofs.get(label, 0), tflop_s=round(2 * timed**3 / timing["median_s"] / 1e12, 1), check=check,
                        **c.function_facts(self.function(name)))
            c.free(a, b, out)

    def check_product(self, name, single, tile_m, tile_n):
        c, n = self.cuda, 1024
        a, b = uniform((n, n), 6), uniform((n, n), 7)
        if not single:
            a, b = ((v.view(np.uint32) >> np.uint32(16)).astype(np.uint16) for v in (a, b))
        left, right, out = c.upload(a), c.upload(np.ascontiguousarray(b.T if "transposed" in name else b)), c.allocate(n * n * 4)
        results = []
        for _ in range(2):
            c.poison(out, n * n * 4)
            self.product(name, tile_m, tile_n, left, right, out, n)()
            results.append(c.download(out, np.empty((n, n), np.float32)))
        c.free(left, right, out)
        got = results[0]
        assert np.array_equal(*results), "two runs give different results"
        want = np.load(self.folder / "expected_arrays.npz")["gemm_f32" if single else "gemm_bf16"]
        exact = (want.astype(np.float64) if single else float64_of(a) @ float64_of(b))
        return (f"error {np.linalg.norm(got - exact) / np.linalg.norm(exact):.1e}, {np.count_nonzero(got != want)} of {n * n} bits differ from the CPU, "
                f"all have the checksum {zlib.crc32(got):08x}")


def float64_of(bits):
    """float64 of the bits of bfloat16."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
