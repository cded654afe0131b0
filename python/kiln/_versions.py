"""``kn.show_versions`` and what it knows."""
import os
import platform
import sys

from . import _core


def _processor():
    """The name of the processor, and what Kiln uses on it: of x86-64 the widest level."""
    name, flags = platform.machine(), set()
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    name = value.strip()
                if key.strip() == "flags":
                    flags = set(value.split())
                    break
    except OSError:
        pass
    if platform.machine() != "x86_64":
        return name, platform.machine()
    wide = {"avx512f", "avx512vl", "avx512dq", "avx512bw"} <= flags
    return name, "x86-64-v4 (AVX-512)" if wide else "x86-64-v3 (AVX2, FMA)" if {"avx2", "fma"} <= flags else "below x86-64-v3"


def versions() -> dict[str, str]:
    """What a report needs: versions, processor, threads, cache, devices."""
    import importlib.metadata

    import kiln

    try:
        numpy = importlib.metadata.version("numpy")
    except importlib.metadata.PackageNotFoundError:
        numpy = "not installed"

    name, level = _processor()
    return {"kiln": f"{kiln.__version__} (build {_core.build_id()[:12]})", "python": sys.version.split()[0], "numpy": numpy,
            "system": f"{platform.system()} {platform.release()} {platform.machine()}, {' '.join(platform.libc_ver())}", "processor": f"{name}, {len(os.sched_getaffinity(0))} usable",
            "code for": level, "threads": str(_core.get_num_threads()), "cache": _core.cache_folder() if kiln.config.cache else "off", "devices": ", ".join(_core.devices()), "library folder": os.path.dirname(_core.__file__)}


def show_versions() -> None:
    """Prints versions, processor, threads and cache, for a report."""
    found = versions()
    width = max(map(len, found))
    for key, value in found.items():
        print(f"{key:<{width}}  {value}")


def get_include() -> str:
    """The folder of the C headers: ``#include <kiln/executable.h>`` and others."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "include")
