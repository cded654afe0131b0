#!/usr/bin/env python3
"""Runs all probes on the GPU of this machine and writes one JSON. Needs the folder that `build.py` made, the driver, and NumPy; torch, if
it is there, gives the roofs of libraries.

    python3 bench/gpu/run.py build/gpu results.json [--only chains,rows]
    compute-sanitizer --tool racecheck python3 bench/gpu/run.py build/gpu small.json --small
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

os.environ["CUDA_CACHE_DISABLE"] = "1"  # the driver's own cache would hide what compiling costs

from bits import bits  # noqa: E402
from cuda import Cuda  # noqa: E402
from probes import Probes  # noqa: E402

STEPS = ("measure_library", "arrays", "chains", "maps", "rows", "columns", "transposes", "sums", "levels", "products")

SMALL = ("arrays", "chains", "maps", "rows", "products", "wgmma")


def text_of(report):
    """JSON with one line for each thing that was measured."""
    def part(value):
        if not isinstance(value, dict) or not value:
            return json.dumps(value)
        return "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "}"
    return "{\n" + ",\n".join(f" {json.dumps(k)}: {part(v)}" for k, v in report.items()) + "\n}\n"


def json_of(*command, **environment):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=200, env=os.environ | environment)
    return json.loads(done.stdout)


def load_times(folder, kernels):
    """Microseconds to load each module: compiled by the driver, from the driver's own cache, and assembled ahead where there is a ptxas."""
    ptx, times = [folder / f"{k}.ptx" for k in kernels], {}
    costs = folder / "costs"
    with tempfile.TemporaryDirectory() as cache:
        cached = {"CUDA_CACHE_DISABLE": "0", "CUDA_CACHE_PATH": cache}
        times["compiled"] = json_of(costs, "--load", *ptx)
        times["compiled_into_cache"] = json_of(costs, "--load", *ptx, **cached)
        times["cached"] = json_of(costs, "--load", *ptx, **cached)
        if shutil.which("ptxas"):
            images, times["ptxas"] = [pathlib.Path(cache, f"{k}.cubin") for k in kernels], {}
            for source, image in zip(ptx, images):
                started = time.perf_counter()
                subprocess.run(["ptxas", "-arch=sm_90a" if "wgmma" in image.name else "-arch=sm_90", source, "-o", image], check=True)
                times["ptxas"][source.name] = round((time.perf_counter() - started) * 1e6)
            times["assembled"] = json_of(costs, "--load", *images)
    # Microseconds by what was done, then by kernel.
    return {how: {k: round(v) for k, v in each.items() if not k.endswith((".unload", ".open", ".first"))} for how, each in times.items()}


def runtime_tests(folder):
    """The tests of lib/Runtime/Cuda.h on this device."""
    done = subprocess.run([folder / "cuda-test"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200)
    print(done.stdout[-3000:], flush=True)
    return {"exit": done.returncode, "last": done.stdout.strip().splitlines()[-1]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(("tests", "costs", "overlap", *STEPS, "bits", "loads", "wgmma")))
    parser.add_argument("--small", action="store_true", help="small arrays, each kernel a few times: for compute-sanitizer")
    options = parser.parse_args()
    only = SMALL if options.small else options.only.split(",")
    started = time.perf_counter()
    cuda = Cuda(once=options.small)
    report = {"device": cuda.name(), "driver": cuda.driver_version(), "multiprocessors": cuda.attribute(16), "l2_bytes": cuda.attribute(38),
              "memory_khz": cuda.attribute(36), "clock_khz": cuda.attribute(13), "context_s": round(time.perf_counter() - started, 3), "failed": {}}
    manifest = json.loads((options.folder / "manifest.json").read_text())
    probes = Probes(cuda, options.folder, manifest, lambda text: print(text, flush=True), options.small)
    print(report, flush=True)

    def step(name, run):
        if name not in only:
            return
        at = time.perf_counter()
        try:
            value = run()
            if value is not None:
                report[name] = value
        except Exception:
            report["failed"][name] = traceback.format_exc()
            print(report["failed"][name], flush=True)
        print(f"-- {name}: {time.perf_counter() - at:.1f} s", flush=True)
        report.update(roofs=getattr(probes, "roofs", {}), probes=probes.results, driver_jit_s={k: round(v, 4) for k, v in probes.jit.items()})
        options.out.write_text(text_of(report))

    step("tests", lambda: runtime_tests(options.folder))
    step("costs", lambda: json_of(options.folder / "costs", options.folder))
    step("overlap", lambda: json_of(options.folder / "overlap", options.folder))
    if not options.small:
        probes.measure_roofs()
    for name in STEPS:
        step(name, getattr(probes, name))
    step("bits", lambda: bits(probes))
    step("loads", lambda: load_times(options.folder, manifest["kernels"]))
    step("wgmma", probes.wgmma)  # the last: a mistake in a protocol of barriers would not end
    return bool(report["failed"])


sys.exit(main())
