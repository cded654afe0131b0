"""What NVIDIA's driver, or its stand-in, refuses libraries for a GPU: each is a status with a sentence, and what was taken is given back."""
from device_library import run

PLANTED = """
gpu, path = Gpu(), export(pick, np.ones(9, "f4"), np.int64([0, 8]), name="g")
other = export(scores, v, np.float32(2))
x, i = np.ones(9, "f4"), np.int64([0, 8])
def planted(fault, status, text, action):
    '''Of the driver's functions one call fails, counted from when the driver is started next.'''
    os.environ["KILN_STUB_FAIL"] = fault
    if fault.startswith("cuInit"):  # which reads it
        gpu("cuInit", 0)
    found = refusal(action)
    assert found[0] == status and text in found[1], (fault, found)
    del os.environ["KILN_STUB_FAIL"]
    gpu("cuInit", 0)
"""


def test_what_the_driver_refuses_when_opening(tmp_path):
    run("import os" + PLANTED + """
opening = lambda: DeviceLibrary(other, gpu)
for fault, status, text in (("cuInit:1", -18, "f: driver: expected one that starts, got CUDA_ERROR_UNKNOWN (unknown error)"),
                            ("cuDeviceGetAttribute:1", -18, "f: device: expected one that can be used, got"),
                            ("cuDevicePrimaryCtxRetain:1", -18, "f: device: expected its primary context, got"),
                            ("cuCtxPushCurrent_v2:1:201", -18, "f: device: expected a context that can be used, got CUDA_ERROR_INVALID_CONTEXT (invalid device context)"),
                            ("cuStreamCreate:1", -18, "f: device: expected a stream and a pool of memory, got"),
                            ("cuMemPoolCreate:1:2", -8, "f: device: expected a stream and a pool of memory, got CUDA_ERROR_OUT_OF_MEMORY"),
                            ("cuMemAllocFromPoolAsync:1", -8, "f: weights: expected room for the library's own, got CUDA_ERROR_OUT_OF_MEMORY (out of memory)"),
                            ("cuMemcpyHtoDAsync_v2:1", -18, "f: weights: expected room for the library's own, got"),
                            ("cuModuleLoadDataEx:1:209", -18, "f: code: expected some that the driver takes, got error 209 of the driver"),
                            ("cuModuleGetFunction:1:500", -18, "f: code: expected its kernels, got CUDA_ERROR_NOT_FOUND (named symbol not found)")):
    planted(fault, status, text, opening)
    assert gpu.used() == 0, (fault, "what opening had taken is given back")
code = bytearray(other.read_bytes())
start = code.index(b"\\x7fELF", 1)
code[start:start + 4] = b"ptx "
(folder / "damaged").mkdir()
(folder / "damaged/libf.so").write_bytes(code)
status, text = refusal(lambda: DeviceLibrary(folder / "damaged/libf.so", gpu))
assert status == -18 and text == "f: code: expected some that the driver takes, got error 218: the simulator takes no PTX, only what the target nvptx-sim writes", text
""", tmp_path)
    opening = "status, text = refusal(lambda: DeviceLibrary(folder / 'libg.so', None)); assert status == {} and {!r} in text, text"
    run(opening.format(-17, "g: device: expected a number below 0, got 0"), tmp_path, KILN_STUB_DEVICES="0")
    run(opening.format(-16, "g: driver: expected /nowhere of an NVIDIA driver, got none that can be opened"), tmp_path, KILN_CUDA_DRIVER="/nowhere")
    run(opening.format(-16, "g: driver: expected one of CUDA 12 or later, got libc.so.6 without cuInit"), tmp_path, KILN_CUDA_DRIVER="libc.so.6")


def test_what_the_driver_refuses_in_calls(tmp_path):
    run("import os" + PLANTED + """
def calling(fault, status, text, path, *values):
    lib = DeviceLibrary(path, gpu)
    def call():
        gpu("cuInit", 0)
        lib(*values)
    planted(fault, status, text, call)
    lib(*values)
    lib.close()
for fault, status, text in (("cuMemAllocFromPoolAsync:4", -8, "f_run: workspace: expected memory of the device, got CUDA_ERROR_OUT_OF_MEMORY (out of memory)"),
                            ("cuMemsetD32Async:1", -18, "f_run: numbers: expected a number on the device, got"),
                            ("cuLaunchKernel:1:1", -18, "expected a launch that the device takes, got CUDA_ERROR_INVALID_VALUE")):
    calling(fault, status, text, other, v, 2.0)
for fault, status, text in (("cuMemsetD32Async:1", -18, "g_run: status: expected work that can be started, got"),
                            ("cuMemcpyDtoHAsync_v2:1", -18, "g_run: status: expected work that succeeds, got")):
    calling(fault, status, text, path, x, i)
lib, w1 = DeviceLibrary(other, gpu), gpu.array(w.numpy())
lib.set_weights([w1])
os.environ["KILN_STUB_FAIL"] = "cuCtxSynchronize:1"
gpu("cuInit", 0)
status, text = refusal(lambda: lib.set_weights([w1]))
assert status == -18 and "f: device: expected work that succeeds, got" in text, text
""", tmp_path)


def test_what_the_driver_refuses_in_loops(tmp_path):
    run("import os" + PLANTED + """
def grow(x):
    return kn.while_loop(lambda s: kn.sum(s[0]) < 100, lambda s: (s[1] * 1.5 + 1, s[0]), (x, x + 1))
lib, arrays = DeviceLibrary(export(grow, x, name="h"), gpu), [gpu.array(x), gpu.empty(36), gpu.empty(36)]
def call():
    gpu("cuInit", 0)
    lib.raw("run", arrays)
for fault in ("cuMemcpyDtoHAsync_v2:1", "cuMemcpyDtoHAsync_v2:3", "cuStreamSynchronize:2"):
    planted(fault, -18, "h_run: a loop or branch: expected work that succeeds, got CUDA_ERROR_UNKNOWN", call)
planted("cuLaunchKernel:4:1", -18, "expected a launch that the device takes, got CUDA_ERROR_INVALID_VALUE", call)
planted("cuMemcpyDtoDAsync_v2:1", -18, "h_run: results: expected a copy on the device, got", call)
assert lib(x)[0].tobytes() == np.asarray(kn.jit(grow)(x)[0]).tobytes()
""", tmp_path)
