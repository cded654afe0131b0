"""``python -m kiln.inspect m.kiln`` (``kiln-inspect`` where the package is installed): what a package holds."""
import argparse
import sys

from . import _core
from ._errors import KilnError
from ._load import Module, seen
from ._signature import size_text

def _array_text(known):
    return f"{known['dtype']}[{', '.join(size_text(s) for s in known.get('shape', ()))}]"


def _sizes_text(dimensions, boxes):
    def text(low, high):
        return str(low) if low == high else f"{low} to {high}"
    parts = [", ".join(f"{d['name']} {text(*r)}" for d, r in zip(dimensions, box)) for box in boxes]
    return "; ".join(parts[:4]) + (f"; and {len(parts) - 4} ranges more" if len(parts) > 4 else "")


def _entry_lines(module, name):
    entry = module[name]
    variants = entry._programs
    first = variants[0]
    yield f"entry {name}{entry.signature}"
    for d in variants[-1]["dimensions"]:
        if "bound" in d:
            yield f"  {d['name']:12} size that the values decide, at most {size_text(d['bound'])}"
            continue
        yield f"  {d['name']:12} size from {d['least']}" + (f" to {d['most']}" if d["most"] < 2**62 else "")
    for known in first["inputs"]:
        if known["role"] in ("argument", "number"):
            start = f", starts as weight '{known['initial']}'" if "initial" in known else ""
            written = ", written" if any(o.get("writes") == known["name"] for o in variants[-1]["outputs"]) else ""
            yield f"  {known['name']:12} {known['role']} {_array_text(known)}{written}{start}"
    for variant in variants:
        counts = f" that counts '{variant['outputs'][-1 - ('misses' in variant)]['name']}'" if "counts" in variant else ""
        if variant["dimensions"] or counts:
            yield f"  program{counts}{' for ' if variant['dimensions'] else ''}{_sizes_text(variant['dimensions'], variant['checked'])}{' (checked)' if variant['dimensions'] else ''}"
        if variant["assumed"]:
            yield f"    and for {_sizes_text(variant['dimensions'], variant['assumed'])} (assumed)"
        number = module._manifest["entries"].index(variant)
        yield f"    {module._loaded.operations(number)} operations, weights: {', '.join(i['weight'] for i in variant['inputs'] if i['role'] == 'weight') or 'none'}"
        for known in seen(variant):
            if "writes" not in known:
                yield f"    {known['name']:12} {'result' if not counts else 'number' if known['name'] in counts else 'kept'} {_array_text(known)}"
        for question in dict.fromkeys(variant.get("misses", ())):
            yield f"    not every answer is known at {question}"


def describe(module):
    """The text of ``kiln-inspect`` for a loaded package."""
    lines = [f"package {module.name}, format {'.'.join(map(str, module._manifest['format']))}"]
    for name in module.entries:
        lines += _entry_lines(module, name)
    for op in module._manifest.get("ops", ()):
        parts = [*op["sources"], *([f"an object for {op['object']['triple']}"] if "object" in op else [])]
        lines.append(f"custom op {op['title']}: {', '.join(parts)}")
    for name, array in module.weights.items():
        lines.append(f"weight {name}: {array.dtype.name}[{', '.join(map(str, array.shape))}], {array.nbytes:,} bytes")
    for code in module._manifest.get("native", ()):
        lines.append(f"code for {code['triple']} ({', '.join(code['processors'])})")
    return "\n".join(lines)


def main(arguments=None) -> int:
    """The command line; its exit status."""
    parser = argparse.ArgumentParser(prog="kiln-inspect", description="What a package holds. All checksums are compared, and nothing is run.")
    parser.add_argument("package", help="a *.kiln file")
    parser.add_argument("--manifest", action="store_true", help="the manifest as JSON")
    parser.add_argument("--ir", action="store_true", help="the programs as MLIR, too")
    chosen = parser.parse_args(arguments)
    try:
        module = Module(chosen.package, verify=True, native=None)
        print(module._loaded.manifest() if chosen.manifest else describe(module))
        for number in range(len(module._manifest["entries"]) if chosen.ir else 0):
            print(_core.print_ir(module._loaded.program(number), "kiln"))
    except KilnError as error:
        print(f"kiln-inspect: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
