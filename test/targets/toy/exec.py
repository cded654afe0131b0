"""The elementwise files of test/exec on the toy target, against the results that they say: exec.py BUILD."""
import json
import pathlib
import subprocess
import sys

build, tests = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parents[2] / "exec"
ops = [op["name"] for op in json.loads((build / "gen/python/_ops.json").read_text()) if op["kind"] == "elementwise"]
library = next((build / "lib").glob("libkiln_target_toy.*"))
failed = []
for name in ops:
    path = tests / f"{name}.mlir"
    run = subprocess.run(["kiln-run", path, "--all", "--target=toy", f"--load={library}"], capture_output=True, text=True)
    check = subprocess.run(["FileCheck", path], input=run.stdout, capture_output=True, text=True)
    if run.returncode or check.returncode:
        failed.append(name)
        print(f"{name}: {run.stderr}{check.stderr}")
print(f"{len(ops) - len(failed)} of {len(ops)} files")
sys.exit(bool(failed))
