"""``python -m kiln.doctor``: versions, and a check of each part of the installation. Exits with 1 where one fails."""
import array
import sys
import tempfile
import time
import traceback

import kiln as kn

from . import _core
from ._versions import show_versions


def _eager():
    assert (kn.arange(1000) * 2 + 1).tolist() == [2 * i + 1 for i in range(1000)]


def _threads():
    x = kn.ones((2000, 1000))
    assert float(kn.sum(x)) == 2e6


def _compiler():
    with kn.config.override(jit="sync", cache=False):
        f = kn.jit(lambda x: kn.tanh(x) @ x.T + kn.sum(x), dynamic=False)
        x = kn.reshape(kn.linspace(-1, 1, 64), (8, 8))
        assert kn.array_equal(f(x), f.__wrapped__(x)) and f.stats.compiles == 1


def _cache():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, kn.config.override(jit="sync", cache=True, cache_dir=folder, dump_dir=""):
        made = [kn.jit(lambda x: kn.exp(x) - 3, dynamic=False) for _ in range(2)]
        for f in made:
            f(kn.ones(4))
        assert made[0].stats.compiles == 1 and made[1].stats.cache_hits == 1


def _lapack():
    x = kn.eye(3, device="cpu") * 4
    assert kn.array_equal(kn.linalg.cholesky(x), x / 2)


def _fourier():
    assert kn.fft.fft(kn.asarray([1.0, 0.0, 0.0, 0.0], device="cpu")).tolist() == [1, 1, 1, 1]


def _exchange():
    shared = array.array("f", [1, 1, 1, 1])
    kn.asarray(shared)[1] = 5
    assert shared[1] == 5 and kn.from_dlpack(kn.asarray(shared)).tolist() == [1, 5, 1, 1]


def _device(name):
    """Memory, an eager operation and a jitted function on a device."""
    def check():
        for line in _core.describe_device(name).splitlines():
            print(f"          {name}: {line}")
        x = kn.arange(1000, dtype=kn.float32, device=name)
        assert (x * 2 + 1).tolist() == [2 * i + 1 for i in range(1000)] and float(kn.sum(x)) == 499500
        with kn.config.override(jit="sync"):
            f = kn.jit(lambda a: kn.tanh(a) @ a.T + kn.sum(a), dynamic=False)
            y = kn.reshape(kn.linspace(-1, 1, 64, dtype=kn.float32, device=name), (8, 8))
            assert kn.array_equal(f(y), f.__wrapped__(y)) and "interpreted" not in str(f.explain())
    return check


CHECKS = {"eager kernels": _eager, "threads": _threads, "compiler": _compiler, "disk cache": _cache, "LAPACK": _lapack, "Fourier transforms": _fourier, "shared memory": _exchange, **{name: _device(name) for name in kn.devices()[1:]}}


def main() -> int:
    show_versions()
    print()
    failed = 0
    for name, check in CHECKS.items():
        start = time.perf_counter()
        try:
            check()
            print(f"  ok      {name} ({1e3 * (time.perf_counter() - start):.0f} ms)")
        except Exception:  # whatever is wrong is what is asked for
            failed += 1
            print(f"  FAILED  {name}\n" + "".join("          " + line for line in traceback.format_exc().splitlines(True)))
    print(f"{failed} of {len(CHECKS)} checks failed" if failed else f"all {len(CHECKS)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
