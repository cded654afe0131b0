"""Random programs as libraries for a GPU, on the stand-in, against libraries for the CPU: the same bits and statuses, also of what they write."""
from device_library import run

PROGRAM = """
from native import C_TYPES, Library
import collections, warnings
warnings.simplefilter("ignore")
gpu, counts, seen = Gpu(), collections.Counter(), collections.Counter()
def outcome(lib, inputs):
    given = [np.array(x) for x in inputs]
    try:
        results = lib(*given)
    except Failure as failure:
        return f"status {failure.status}", [x.tobytes() for x in inputs]
    results = results if isinstance(results, list) else [results]
    nans = [np.isnan(r) if r.dtype.kind in "fc" else np.zeros(r.shape, bool) for r in (*results, *given)]
    return [(r.shape, np.where(n, 0, r).tobytes(), n.tobytes()) for r, n in zip((*results, *given), nans)], []
def check(seed):
    case, scope = gpu_fuzz.Case(seed, counts), {"kn": kn}
    exec(case.text, scope)
    inputs = [x.numpy() for x in case.inputs]
    if any(x.dtype.name not in (*C_TYPES, "float16", "complex64", "complex128") for x in inputs):
        return "not of C"
    host, there = folder / f"libh{seed}.so", folder / f"libd{seed}.so"
    try:
        kn.export(scope["program"], *inputs, to=host, cpu="native", name=f"h{seed}")
        kn.export(scope["program"], *inputs, to=there, target="nvptx-sim", name=f"d{seed}")
    except kn.KilnError as error:
        return "refused"
    host, there = Library(host), DeviceLibrary(there, gpu)
    if any(a["dtype"] not in C_TYPES for a in host.functions["run"]["arguments"]):
        return "not of C"
    for way in (inputs, [np.array(np.flip(x)) for x in inputs]):
        want, got = outcome(host, way), outcome(there, way)
        assert got == want, f"seed {seed}:\\n{case.text}"
    there.close()
    host.close()
    return "same"
for seed in SEEDS:
    seen[check(seed)] += 1
print(dict(seen))
assert seen["same"] >= len(SEEDS) / 4, seen
"""


def test_random_programs(tmp_path):
    print(run("SEEDS = range(40)\n" + PROGRAM, tmp_path))
