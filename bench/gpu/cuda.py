"""The CUDA driver through ctypes: what the probes need, and no package."""
import ctypes
import time

P, I, Z = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
U64 = ctypes.c_uint64


class CudaError(RuntimeError):
    pass


class Cuda:
    """One device with its primary context, on the default stream."""

    def __init__(self, ordinal=0, once=False):
        self.once = once  # nothing is repeated: times mean nothing
        self.driver = ctypes.CDLL("libcuda.so.1")
        self.call("cuInit", 0)
        self.device, self.context = I(), P()
        self.call("cuDeviceGet", ctypes.byref(self.device), ordinal)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(self.context), self.device)
        self.call("cuCtxSetCurrent", self.context)

    def call(self, name, *arguments):
        code = getattr(self.driver, name)(*arguments)
        if code:
            text = ctypes.c_char_p()
            self.driver.cuGetErrorName(code, ctypes.byref(text))
            raise CudaError(f"{name}: {text.value.decode() if text.value else code}")

    def name(self):
        text = ctypes.create_string_buffer(256)
        self.call("cuDeviceGetName", text, 256, self.device)
        return text.value.decode()

    def attribute(self, number):
        value = I()
        self.call("cuDeviceGetAttribute", ctypes.byref(value), number, self.device)
        return value.value

    def driver_version(self):
        value = I()
        self.call("cuDriverGetVersion", ctypes.byref(value))
        return value.value

    def allocate(self, size):
        pointer = U64()
        self.call("cuMemAlloc_v2", ctypes.byref(pointer), Z(size))
        return pointer

    def free(self, *pointers):
        for p in pointers:
            self.call("cuMemFree_v2", p)

    def upload(self, array):
        pointer = self.allocate(array.nbytes)
        self.call("cuMemcpyHtoD_v2", pointer, P(array.ctypes.data), Z(array.nbytes))
        return pointer

    def download(self, pointer, array):
        self.call("cuMemcpyDtoH_v2", P(array.ctypes.data), pointer, Z(array.nbytes))
        return array

    def poison(self, pointer, size):
        """Every byte 0xff: nan in all float dtypes."""
        self.call("cuMemsetD8_v2", pointer, ctypes.c_ubyte(0xFF), Z(size))

    def zero(self, pointer, size):
        self.call("cuMemsetD8_v2", pointer, ctypes.c_ubyte(0), Z(size))

    def synchronize(self):
        self.call("cuCtxSynchronize")

    def tensor_map(self, pointer, inner, outer, box_inner, box_outer):
        """How the copy engine sees an outer x inner matrix of bfloat16: boxes, swizzled in rows of 128 bytes."""
        storage = (ctypes.c_ubyte * 192)()
        start = -ctypes.addressof(storage) % 64
        map = (ctypes.c_ubyte * 128).from_buffer(storage, start)
        sizes, strides = (U64 * 2)(inner, outer), (U64 * 1)(2 * inner)
        box, steps = (ctypes.c_uint32 * 2)(box_inner, box_outer), (ctypes.c_uint32 * 2)(1, 1)
        bfloat16, no_interleave, swizzle_128, promote_128, zeros = 9, 0, 3, 2, 0
        self.call("cuTensorMapEncodeTiled", map, bfloat16, 2, pointer, sizes, strides, box, steps, no_interleave, swizzle_128, promote_128, zeros)
        return map

    def load(self, ptx, level=4):
        """A module, and the seconds that the driver took for it."""
        module, log = P(), ctypes.create_string_buffer(8192)
        options = (I * 3)(5, 6, 7)  # CU_JIT_ERROR_LOG_BUFFER, its size, CU_JIT_OPTIMIZATION_LEVEL
        values = (P * 3)(ctypes.addressof(log), len(log), level)
        started = time.perf_counter()
        try:
            self.call("cuModuleLoadDataEx", ctypes.byref(module), ctypes.c_char_p(ptx.encode()), 3, options, values)
        except CudaError as error:
            raise CudaError(f"{error}: {log.value.decode(errors='replace')}") from None
        return module, time.perf_counter() - started

    def function(self, module, name, shared=0):
        function = P()
        self.call("cuModuleGetFunction", ctypes.byref(function), module, name.encode())
        if shared > 48 << 10:
            self.call("cuFuncSetAttribute", function, 8, shared)  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        return function

    def function_facts(self, function):
        facts = {}
        for name, number in (("static_shared", 1), ("local", 3), ("registers", 4)):
            value = I()
            self.call("cuFuncGetAttribute", ctypes.byref(value), number, function)
            facts[name] = value.value
        return facts

    def launcher(self, function, grid, threads, arguments, shared=0):
        """A call without arguments that launches; pointers are U64, numbers int."""
        values = [ctypes.c_uint32(a) if isinstance(a, int) else a for a in arguments]
        table = (P * len(values))(*(ctypes.addressof(v) for v in values))
        grid = (*grid, *(1,) * (3 - len(grid)))
        launch, check = self.driver.cuLaunchKernel, self.call
        fixed = (function, *grid, threads, 1, 1, shared if shared > 48 << 10 else 0, None, table, None)

        def run(keep=values):
            if launch(*fixed):
                check("cuLaunchKernel", *fixed)
        return run

    def copier(self, target, source, size):
        return lambda: self.call("cuMemcpyDtoDAsync_v2", target, source, Z(size), None)

    def time(self, run, repeats=15, least=4e-3):
        """Seconds a run: the median over `repeats` of runs between two events, enough of them for `least` seconds."""
        start, stop = P(), P()
        self.call("cuEventCreate", ctypes.byref(start), 0)
        self.call("cuEventCreate", ctypes.byref(stop), 0)

        def measure(count):
            self.call("cuEventRecord", start, None)
            for _ in range(count):
                run()
            self.call("cuEventRecord", stop, None)
            self.call("cuEventSynchronize", stop)
            elapsed = ctypes.c_float()
            self.call("cuEventElapsedTime", ctypes.byref(elapsed), start, stop)
            return elapsed.value / 1e3 / count

        if self.once:
            repeats, count = 1, 1
        else:
            measure(3)
            count = max(1, int(least / max(measure(3), 1e-7)))
        times = sorted(measure(count) for _ in range(repeats))
        return {"median_s": times[len(times) // 2], "low_s": times[0], "high_s": times[-1], "runs": count}
