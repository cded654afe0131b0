"""Libraries of C functions: a multilayer perceptron (784-512-10) called from C, against the jitted function and ONNX Runtime; its size, and how soon it is open."""
import ctypes
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import kiln as kn
import numpy as np
from measure import once, peers, row

LAYERS = (784, 512, 10)
CALLS = 64  # in a row, each in the loop of its own language: a call from Python into C takes a third of the time of one batch


def model():
    r = np.random.default_rng(0)
    arrays = [r.standard_normal(s, dtype=np.float32) * np.float32(0.05) for s in ((784, 512), (512,), (512, 10), (10,))]
    w1, b1, w2, b2 = map(kn.asarray, arrays)

    def mlp(x):
        return kn.nn.softmax(kn.maximum(x @ w1 + b1, 0) @ w2 + b2, axis=-1)

    return mlp, arrays


def onnx_runtime(arrays, path):
    """The same model in ONNX Runtime, one thread; None where it is not installed."""
    try:
        import onnx
        import onnxruntime
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        return None
    names = ("w1", "b1", "w2", "b2")
    nodes = [helper.make_node("Gemm", ["x", "w1", "b1"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
             helper.make_node("Gemm", ["r", "w2", "b2"], ["s"]), helper.make_node("Softmax", ["s"], ["y"], axis=-1)]
    graph = helper.make_graph(nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 784])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])], [numpy_helper.from_array(a, n) for a, n in zip(arrays, names)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Called:
    """The library in this process, called in a loop of C."""

    def __init__(self, path, caller, x):
        self.dll, self.caller, self.x = ctypes.CDLL(str(path)), caller, x
        self.y, self.m = np.empty((len(x), LAYERS[-1]), np.float32), ctypes.c_void_p()
        assert self.dll.mlp_open(ctypes.byref(self.m), None, None, ctypes.c_size_t(0)) == 0
        self.run = ctypes.cast(self.dll.mlp_run, ctypes.c_void_p)

    def __call__(self, count=CALLS):
        assert self.caller.call_many(self.run, self.m, self.x.ctypes.data_as(ctypes.c_void_p), self.y.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(count)) == 0


def repeated(call):
    def calls():
        for _ in range(CALLS):
            call()

    return calls


def opened(path, folder, copies=21):
    """Milliseconds to load and open a library that the process does not have yet."""
    times = []
    for i in range(copies):
        other = pathlib.Path(shutil.copy(path, folder / f"copy{i}.so"))
        m = ctypes.c_void_p()
        times.append(once(lambda: ctypes.CDLL(str(other)).mlp_open(ctypes.byref(m), None, None, ctypes.c_size_t(0))))  # noqa: B023
    return 1e3 * statistics.median(times)


def loading(folder, megabytes=1000):
    """Milliseconds to load packages with code: of 100 kernels, and of as many beside a large weight; packages of other files than before."""
    def chain(x):
        for w in weights:
            x = kn.tanh(x @ w) * 0.1
            x = x - kn.mean(x, axis=-1, keepdims=True)
        return x

    weights = [kn.asarray(np.random.default_rng(i).random((16, 16), dtype=np.float32)) for i in range(50)]
    large, times = kn.zeros(megabytes * 250_000), {}
    for name, f in (("few", chain), ("large", lambda x: chain(x) + large[0])):
        kn.export(f, np.ones((4, 16), np.float32), to=folder / f"{name}.kiln", name=name, cpu="native")
        kn.load(folder / f"{name}.kiln", native=True)
        times[name] = 1e3 * statistics.median(once(lambda: kn.load(folder / f"{name}.kiln", native=True)) for _ in range(21))  # noqa: B023
    row("package of 100 kernels loaded", times["few"], ("<=", 2), " ms")
    row("the same with 1 GB of weights, over that", times["large"] / times["few"], ("<=", 1.5))


def libraries():
    print("libraries of C functions: a perceptron of 784-512-10")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", pathlib.Path(__file__).with_name("library.c"), "-o", folder / "caller.so"], check=True)
        caller, (mlp, arrays) = ctypes.CDLL(str(folder / "caller.so")), model()
        session, jitted = onnx_runtime(arrays, folder / "mlp.onnx"), kn.jit(mlp)
        for batch in (1, 32):
            x = np.random.default_rng(1).random((batch, LAYERS[0]), dtype=np.float32)
            path = folder / f"libmlp{batch}.so"
            kn.export(mlp, x, to=path, name="mlp", cpu="native")
            called, array = Called(path, caller, x), kn.asarray(x)
            called()
            assert called.y.tobytes() == np.asarray(jitted(array)).tobytes()
            if batch == 1:
                row("size without the weights", (path.stat().st_size - sum(a.nbytes for a in arrays)) / 1e3, ("<=", 100), " KB")
                row("loaded and opened", opened(path, folder), ("<=", 1), " ms")
            others = {"kn.jit": repeated(lambda: jitted(array))}  # noqa: B023
            if session:
                others["ONNX Runtime"] = repeated(lambda: session.run(None, {"x": x}))  # noqa: B023
            peers(f"batch of {batch}", called, others, (">=", 1.0))
        loading(folder)
