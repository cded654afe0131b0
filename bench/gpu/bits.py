"""Whether functions of one element have the bits of the CPU: on samples, and for functions of one float32 on all of them."""
import numpy as np

from samples import pairs, samples

CHUNK = 1 << 26


def same(a, b, is_float):
    return (a.view(f"u{a.itemsize}") == b.view(f"u{b.itemsize}")) | ((np.isnan(a) & np.isnan(b)) if is_float else False)


def test_samples(p, name, facts, expected):
    """How many results of each variant differ from the CPU's, with examples."""
    c, seed, dtypes = p.cuda, facts["seed"], facts["inputs"]
    count = expected.size
    if len(dtypes) == 2:
        arrays = pairs(dtypes[0], count, seed)
    else:
        x, edges = samples(dtypes[0], count, seed)
        x[:len(edges)] = edges
        arrays = (x,)
    inputs, out = [c.upload(np.ascontiguousarray(x)) for x in arrays], c.allocate(expected.nbytes)
    found = {}
    for variant in facts["variants"]:
        c.poison(out, expected.nbytes)
        c.launcher(p.function(f"{name}_run", f"{name}.{variant}"), (count // 256,), 256, (*inputs, out, count))()
        got = c.download(out, np.empty_like(expected))
        if facts["output"] == "bfloat16":
            got, want = ((v.astype(np.uint32) << 16).view(np.float32) for v in (got, expected))
        else:
            want = expected
        wrong = np.flatnonzero(~same(got, want, got.dtype.kind == "f"))
        examples = [[*(repr(x[i].item()) for x in arrays), repr(got[i].item()), repr(want[i].item())] for i in wrong[:: max(1, len(wrong) // 6)][:8]]
        found[variant] = {"differ": len(wrong), "of": count} | ({"examples": examples} if len(wrong) and variant == "strict" else {})
    c.free(*inputs, out)
    return found


def test_all(p, name, facts, sums):
    """All float32: the runs of 2^20 values whose checksum is not the CPU's, and for other variants the values that differ from strict."""
    c = p.cuda
    strict, other, device, counts = c.allocate(4 * CHUNK), c.allocate(4 * CHUNK), c.allocate(4096 * 8), c.allocate(8)
    c.zero(device, 4096 * 8)
    result = {}

    def launch(variant, target, part):
        c.launcher(p.function(f"{name}_bits", f"{name}.{variant}"), (CHUNK // 256,), 256, (target, part * CHUNK, CHUNK))()
    for variant in facts["variants"]:
        c.zero(counts, 8)
        for part in range((1 << 32) // CHUNK):
            launch("strict", strict, part)
            if variant == "strict":
                p.launcher("checksum", (CHUNK >> 14,), (strict, device, part * CHUNK))()
            else:
                launch(variant, other, part)
                p.launcher("differences", (CHUNK // 256,), (strict, other, counts, CHUNK))()
        if variant == "strict":
            wrong = np.flatnonzero(c.download(device, np.empty(4096, np.uint64)) != sums)
            result[variant] = {"runs_that_differ": len(wrong), "of": 4096, "first": wrong[:4].tolist()}
        else:
            result[variant] = {"values_that_differ_from_strict": int(c.download(counts, np.empty(2, np.uint32))[0])}
    c.free(strict, other, device, counts)
    return result


def bits(p):
    expected = np.load(p.folder / "expected_scalars.npz")
    sums = np.load(p.folder / "checksums.npz") if (p.folder / "checksums.npz").exists() else {}
    results = {}
    for name, facts in p.manifest["scalars"].items():
        results[name] = {"samples": test_samples(p, name, facts, expected[name])}
        function = name.rsplit("_", 1)[0]
        if facts["inputs"] == ["float32"] and function in sums:
            results[name]["all"] = test_all(p, name, facts, sums[function])
        strict = results[name]["samples"]["strict"]
        p.log(f"{name:28} " + "  ".join(f"{v} {r['differ']}" for v, r in results[name]["samples"].items()) + f"  all {results[name].get('all', '')}"
              + (f"  e.g. {strict['examples'][:3]}" if strict["differ"] else ""))
    return results
