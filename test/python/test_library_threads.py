"""The functions that are part of every library, under the thread sanitizer: they are built from their sources with a library's code as text."""
import pathlib
import re
import subprocess

import numpy as np
import pytest

import kiln as kn
from native import compile_c
from test_libraries import make_mlp

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
SUPPORT = ROOT / "codegen" / "library" / "support"
HOSTED = re.search(r"set\(support_hosted ([\w ]+)\)", (ROOT / "cmake" / "KilnCompiler.cmake").read_text())[1].split()


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """native_threads.c, and the files that it reads."""
    folder = tmp_path_factory.mktemp("threads")
    x = np.random.default_rng(1).random((32, 784), dtype=np.float32)
    x.tofile(folder / "x.bin")
    for i, seed in enumerate((0, 7)):
        f, arrays = make_mlp(seed)
        np.concatenate([a.ravel() for a in arrays]).tofile(folder / f"w{i}.bin")
    kn.export(f, x, to=folder / "mlp.kiln")
    kn._core.make_library(str(folder / "mlp.kiln"), str(folder / "mlp.ll"), {"emit": "llvm", "weights": "caller", "cpu": "native", "name": "mlp", "header": str(folder / "mlp.h")})
    # Two modules, of which the second one calls the functions by the names that they get in a library.
    code, interface = (folder / "mlp.ll").read_text().split("; ModuleID = 'mlp'\n")
    for name, text in (("code.ll", code), ("interface.ll", interface)):
        text = re.sub(r"@mlp\.run\.0\.0", "@code", text)
        text = re.sub(r"@mlp\.([a-z_]+)", r"@kiln_\1", text)
        (folder / name).write_text(text.replace("attributes #0 = {", "attributes #0 = { sanitize_thread"))
    sources = [HERE / "native_threads.c", folder / "code.ll", folder / "interface.ll", *(SUPPORT / f"{stem}.c" for stem in HOSTED)]
    return compile_c(sources[0], folder / "threads", *sources[1:], "-O1", "-g", "-fsanitize=thread", "-I", folder, "-I", ROOT, "-pthread", "-lm", standard="-std=gnu11"), folder


@pytest.mark.parametrize("pool", (0, 3))
def test_calls_and_swaps_under_the_thread_sanitizer(program, pool):
    path, folder = program
    done = subprocess.run([path, "8", folder / "x.bin", folder / "w0.bin", folder / "w1.bin", str(pool)], capture_output=True, text=True, env={"TSAN_OPTIONS": "exitcode=66"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 wrong" in done.stdout
