"""The package is typed: mypy on a program of a user, and stubs that name what is there."""
import pathlib
import re
import subprocess
import sys

import kiln as kn

HERE = pathlib.Path(__file__).parent
PACKAGE = pathlib.Path(kn._core.__file__).parent


def test_a_type_checker_agrees(tmp_path):
    run = subprocess.run([sys.executable, "-m", "mypy", "--follow-imports=silent", "--cache-dir", tmp_path, HERE / "typed_program.py"], capture_output=True, text=True,
                         env={"MYPYPATH": str(PACKAGE.parent), "PATH": ""})
    lines = (HERE / "typed_program.py").read_text().splitlines()
    expected = [i + 1 for i, line in enumerate(lines) if "# error" in line]
    found = [int(m) for m in re.findall(r"typed_program.py:(\d+): error", run.stdout)]
    assert found == expected, run.stdout + run.stderr


def test_stubs_name_what_is_there():
    stub = (PACKAGE / "_core.pyi").read_text()
    names = set(re.findall(r"    def (\w+)\(", stub))
    missing = {n for n in names if not hasattr(kn.Array, n)}
    assert not missing, f"the stub names {missing}, which arrays do not have"
    unnamed = {n for n in dir(kn.Array) if not n.startswith("_")} - names
    assert not unnamed, f"the stub lacks {unnamed}"
    ops = (PACKAGE / "_ops.pyi").read_text()
    assert all(f"def {n}(" in ops for n in kn._core.op_functions)
