"""tools/check-layering finds an arrow that runs back, in every kind of file."""
import pathlib
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).parents[2] / "tools/check-layering"
WRONG = [
    ("passes/fuse/A.cpp", '#include "codegen/Target.h"', "passes/fuse/A.cpp:1: passes may not include codegen/Target.h"),
    ("passes/Passes.td", 'include "codegen/cpu/Passes.td"', "passes/Passes.td:1: passes may not include codegen/cpu/Passes.td"),
    ("dialects/kiln/B.h", '#include "passes/Passes.h"', "dialects/kiln/B.h:1: dialects may not include passes/Passes.h"),
    ("codegen/Session.cpp", '#include "codegen/cpu/Native.h"', "codegen/Session.cpp:1: codegen outside codegen/cpu/ may not include codegen/cpu/Native.h"),
    ("lib/Core/C.cpp", '#include "llvm/ADT/ArrayRef.h"', "lib/Core/C.cpp:1: lib/Core may not include LLVM's llvm/ADT/ArrayRef.h"),
    ("cmake/D.cmake", "target_link_libraries(kiln_runtime PUBLIC kiln_core kiln_compiler)", "cmake/D.cmake: kiln_runtime may not link kiln_compiler"),
]


def check(folder):
    return subprocess.run([sys.executable, TOOL], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("path, line, problem", WRONG)
def test_arrows_that_run_back(tmp_path, path, line, problem):
    (tmp_path / "CMakeLists.txt").write_text("")
    assert check(tmp_path).returncode == 0
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(line + "\n")
    result = check(tmp_path)
    assert (result.returncode, result.stdout.strip()) == (1, problem)
