"""Every eager operation that the pack of a GPU has kernels for, on the stand-in of the driver, against the CPU: run by test_gpu_pack.py as a process that must
not open the compiler. ``python gpu_pack.py PART PARTS SAMPLE`` takes a share of the records, and of each one of SAMPLE dtypes."""
import json
import pathlib
import sys
import warnings

import gpu_fuzz

gpu_fuzz.load_simulator()

import kiln as kn  # noqa: E402
import numpy as np  # noqa: E402
from conftest import DTYPES, same_bits  # noqa: E402
from test_parity import operand  # noqa: E402

OPS = json.loads((pathlib.Path(kn._core.__file__).parents[2] / "gen/python/_ops.json").read_text())
LOOSE = ["float16", "bfloat16"]


def sampled(dtypes, number):
    """One of SAMPLE, others for other numbers."""
    return [t for i, t in enumerate(dtypes) if (i + number) % int(sys.argv[3]) == 0]


def make(rng, op, dtype, shape, device="cpu"):
    """The same on each device."""
    if dtype == "bfloat16":
        return kn.astype(kn.asarray(operand(rng, op, "float32", shape), device="cpu"), dtype).to_device(device)
    return kn.asarray(operand(rng, op, dtype, shape), copy=True, device=device)


def layouts(n):
    """Shapes of what is made, and how operands are viewed: contiguous of few and many axes, one element, strides, broadcasts; two axes at most are left."""
    def same(x):
        return x

    for shape in ((100,), (3, 7), (2, 3, 4, 5), (1,), (), (0, 3), (1029,)):
        yield [(shape, same)] * n
    yield [((7, 5), lambda x: x.T)] * n
    yield [((60,), lambda x: x[::-2])] * n
    yield [((9, 41), lambda x: x[1:, 3:])] * n
    yield [((2, 3, 7), lambda x: x[:, :, 1:])] * n
    if n > 1:
        yield [((5, 7), same), ((7, 5), lambda x: x.T)] + [((5, 1), same)] * (n - 2)
        yield [((9,), same)] + [((4, 9), same)] * (n - 1)
        yield [((4, 9), same)] + [((4, 1), same)] * (n - 1)
        yield [((5, 3), same)] + [((), same)] * (n - 1)
        yield [((), same)] + [((5, 3), same)] * (n - 1)


def on_both(f, arrays, views=None, label=""):
    """``f`` of the same arrays on the CPU and on the device: equal to the bit."""
    results = []
    for device in ("cpu", "cuda:0"):
        there = [x.to_device(device) for x in arrays]
        with kn.device(device):
            results.append(f(*[view(x) for view, x in zip(views, there, strict=True)] if views else there))
    assert results[1].device == "cuda:0"
    assert not kn._core.compiler_is_open(), f"{label}: compiled for {[(x.shape, x.dtype) for x in arrays]}"
    same_bits(results[1], results[0])


def check_ufunc(number, op):
    f, n, rng = kn._core.op_functions[op["name"]], len(op["operands"]), np.random.default_rng(0)
    for dtype in sampled([*DTYPES, *LOOSE], number):
        for layout in layouts(n):
            arrays = [make(rng, op, dtype, shape) for shape, _ in layout]
            try:
                made = f(*[view(x) for (_, view), x in zip(layout, arrays, strict=True)])
            except (TypeError, ValueError):  # not of this dtype
                break
            if made.dtype in (kn.complex64, kn.complex128):  # written part by part
                break
            on_both(f, arrays, [view for _, view in layout], op["name"])


ALL_AXES = {"reduce": (None, 0, 1, -1, (0, 2), (1, 2)), "argreduce": (None, 0, 1, -1), "scan": (0, 1, -1)}


def check_along_axis(number, op):
    f, rng = getattr(kn, op["name"]), np.random.default_rng(1)
    for dtype in sampled([*DTYPES, *LOOSE], number):
        for shape, view in (((4, 6, 5), lambda x: x), ((1, 1, 1), lambda x: x), ((2, 5, 70), lambda x: x), ((2, 1, 2100), lambda x: x), ((6, 3, 5), lambda x: x[:, :2])):
            x = make(rng, {"domain": [-1, 1], "name": op["name"]}, dtype, shape)
            try:
                f(x, axis=0)
            except (TypeError, ValueError):
                break
            for axis in ALL_AXES[op["kind"]]:
                on_both(lambda a, axis=axis: f(a, axis=axis), [x], [view], f"{op['name']} along {axis}")


def check_moves():
    rng = np.random.default_rng(2)
    for dtype in sampled([*DTYPES, *LOOSE], 0):
        x = make(rng, {"domain": [-4, 4], "name": ""}, dtype, (4, 3, 5))
        at = kn.asarray(rng.integers(-3, 3, 7), copy=True)
        for axis in range(3):
            on_both(lambda a, i, axis=axis: kn.take(a, i, axis=axis), [x, at])
            for count in (2, 3, 4):
                on_both(lambda a, axis=axis, count=count: kn.concat([a] * count, axis=axis), [x])
        on_both(lambda a: kn.where(a != a, a, a[:1]), [x])
        on_both(kn.copy, [x])
        for view in (lambda a: a[0].T, lambda a: a.T, lambda a: a[:, ::2, ::-1], lambda a: a[::2, None, ::2, ::2]):
            on_both(lambda a, view=view: kn.copy(view(a)), [x])
        on_both(lambda a, dtype=dtype: kn.zeros((3, 5), dtype=dtype), [x])
        for other in [*DTYPES, *LOOSE]:
            for view in (lambda a: a, lambda a: a[0].T):
                on_both(lambda a, other=other: kn.astype(a, other), [x if dtype == "bool" else kn.abs(x)], [view])
        if dtype not in ("bool", *LOOSE):
            on_both(lambda a, dtype=dtype: kn.arange(5000, dtype=dtype) if dtype not in ("int8", "uint8") else a, [x])


def check_products():
    rng = np.random.default_rng(3)
    for dtype in sampled(DTYPES[1:] + LOOSE, 0):
        op = {"domain": [-4, 4], "name": ""}
        for left, right in (((5, 7), (7, 3)), ((130, 70), (70, 90)), ((1, 9), (9, 65)), ((7,), (7,)), ((5, 7), (7,)), ((7,), (7, 5)), ((3, 5, 7), (3, 7, 2)), ((3, 5, 7), (7, 2)), ((2, 1, 4), (2, 4, 1))):
            if dtype in LOOSE and len(left) != len(right):
                continue  # repeated rows are made float32 as they are shown, over three axes
            x, y = make(rng, op, dtype, left), make(rng, op, dtype, right)
            on_both(kn.matmul, [x, y])
            turned = [kn.copy(a.mT) if len(a.shape) > 1 else a for a in (x, y)]
            for views in ((True, False), (False, True), (True, True)):
                arrays = [t if flip else a for a, t, flip in zip((x, y), turned, views, strict=True)]
                on_both(kn.matmul, arrays, [(lambda a: a.mT if len(a.shape) > 1 else a) if flip else (lambda a: a) for flip in views])


def main(part, parts, sample):
    checks = [lambda n=n, op=op: check_ufunc(n, op) for n, op in enumerate(OPS) if op["ufunc"]]
    checks += [lambda n=n, op=op: check_along_axis(n, op) for n, op in enumerate(OPS) if op["kind"] in ALL_AXES]
    checks += [check_moves, check_products]
    with warnings.catch_warnings():
        warnings.simplefilter("error", kn.KilnWarning)
        for check in checks[part::parts]:
            check()
    print(f"{len(checks[part::parts])} checks")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
