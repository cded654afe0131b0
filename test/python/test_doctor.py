"""What the installation says of itself."""
import os
import subprocess
import sys

import kiln as kn
from kiln import _versions, doctor


def test_versions(capsys):
    kn.show_versions()
    text = capsys.readouterr().out
    assert kn.__version__ in text and "processor" in text and _versions.versions()["cache"] in text


def test_a_sound_installation():
    out = subprocess.run([sys.executable, "-m", "kiln.doctor"], capture_output=True, text=True)
    assert out.returncode == 0 and f"all {len(doctor.CHECKS)} checks passed" in out.stdout, out.stdout + out.stderr


def test_a_part_that_fails_is_named():
    env = {**os.environ, "KILN_LAPACK": "/nowhere/liblapacke.so"}
    out = subprocess.run([sys.executable, "-m", "kiln.doctor"], env=env, capture_output=True, text=True)
    assert out.returncode == 1 and "FAILED  LAPACK" in out.stdout and "1 of 7 checks failed" in out.stdout, out.stdout


def test_headers_are_where_get_include_says(tmp_path):
    source = tmp_path / "uses.c"
    source.write_text("#include <kiln/executable.h>\n#include <kiln/compiler.h>\nint version = KILN_EXECUTABLE_VERSION;\n")
    assert subprocess.run(["cc", "-fsyntax-only", "-Wall", "-Werror", f"-I{kn.get_include()}", str(source)]).returncode == 0
