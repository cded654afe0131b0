"""Libraries for a GPU, called without Kiln: memory of a device through the driver, or its stand-in, which ``KILN_CUDA_DRIVER`` names."""
import ctypes
import os

import numpy as np

from native import Library


class Gpu:
    """A device, and memory of it."""

    def __init__(self, ordinal=0):
        self.driver, self.ordinal = ctypes.CDLL(os.environ["KILN_CUDA_DRIVER"]), ordinal
        self.context, self.pool, self.stream = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self.driver.cuInit(0)
        self.driver.cuDevicePrimaryCtxRetain(ctypes.byref(self.context), ordinal)
        properties = (ctypes.c_int * 22)(1, 0, 1, ordinal)
        self("cuMemPoolCreate", ctypes.byref(self.pool), properties)
        self("cuStreamCreate", ctypes.byref(self.stream), 1)

    def __call__(self, function, *arguments):
        self.driver.cuCtxPushCurrent_v2(self.context)
        code = getattr(self.driver, function)(*arguments)
        self.driver.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))
        if code:
            raise RuntimeError(f"{function}: {code}")

    def empty(self, bytes):
        address = ctypes.c_uint64()
        self("cuMemAllocFromPoolAsync", ctypes.byref(address), ctypes.c_size_t(max(bytes, 1)), self.pool, self.stream)
        self("cuStreamSynchronize", self.stream)
        return address.value

    def array(self, values):
        values = np.ascontiguousarray(values)
        address = self.empty(values.nbytes)
        self("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(address), values.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(values.nbytes), self.stream)
        self("cuStreamSynchronize", self.stream)
        return address

    def read(self, address, shape, dtype):
        values = np.empty(shape, dtype)
        self("cuMemcpyDtoHAsync_v2", values.ctypes.data_as(ctypes.c_void_p), ctypes.c_uint64(address), ctypes.c_size_t(values.nbytes), self.stream)
        self("cuStreamSynchronize", self.stream)
        return values

    def free(self, address):
        self("cuMemFreeAsync", ctypes.c_uint64(address), self.stream)

    def used(self):
        """Bytes that a device has no more."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return total.value - free.value


class DeviceLibrary(Library):
    """A library by its path; values of calls are addresses of the device, or numbers."""

    def __init__(self, path, gpu, weights=None, weights_path=None, device=0):
        self.gpu, self.device = gpu, device
        super().__init__(path, weights, weights_path)

    def _options(self, weights, path, parallel_for, threads):
        class Options(ctypes.Structure):
            _fields_ = [("bytes", ctypes.c_size_t), ("weights", ctypes.c_void_p), ("weights_path", ctypes.c_char_p), ("device", ctypes.c_int64), ("none", ctypes.c_void_p)]
        self.weights = weights and self._pointers(weights)
        return Options(ctypes.sizeof(Options), ctypes.cast(self.weights, ctypes.c_void_p) if weights else None, path and str(path).encode(), self.device, None)

    @staticmethod
    def _pointers(addresses):
        return (ctypes.c_void_p * len(addresses))(*addresses)

    def _behind(self):
        return [self.gpu.stream]

    def __call__(self, *values, entry="run", **sizes):
        """The results of a call with NumPy's arrays, by way of the device; what is in/out is changed."""
        function = self.functions[entry]
        named, wanted = self._sizes(function, sizes)
        arguments = function["arguments"]
        inputs = [v if a["use"] == "value" else self.gpu.array(v) for a, v in zip(arguments, values)]
        results = [a for a in arguments if a["use"] == "out"]
        forms = [([max(axis) for axis in zip(*[[self._evaluate(s, named) for s in shape] for shape in a["shapes"]])], np.dtype(a["dtype"])) for a in results]
        outputs = [self.gpu.empty(int(np.prod(shape)) * dtype.itemsize) for shape, dtype in forms]
        try:
            self.raw(entry, [*inputs, *outputs], wanted, **{a["name"]: int(np.prod(shape)) for a, (shape, _) in zip(results, forms)})
            for a, value, address in zip(arguments, values, inputs):
                if a["use"] == "inout":
                    value[...] = self.gpu.read(address, value.shape, value.dtype)
            made, found = [self.gpu.read(address, *form) for address, form in zip(outputs, forms)], {n: v.value for n, v in self.found.items()}
            made = [self._shortened(m, a, found) if "capacity" in a else m for m, a in zip(made, results)]
        finally:
            for a, address in zip(arguments, [*inputs, *outputs]):
                if a["use"] != "value":
                    self.gpu.free(address)
        return made[0] if len(made) == 1 else made
