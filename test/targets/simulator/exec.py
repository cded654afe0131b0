"""The files of test/exec on a target, against the reference interpreter, bit by bit: exec.py BUILD --target=TARGET --load=LIBRARY. What holds a kind of kernel
that the target refuses is counted by kind."""
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

build, tests = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).resolve().parents[2] / "exec"
# Without those that no target runs to their end.
names = sorted(path.stem for path in tests.glob("*.mlir") if path.stem not in ("tree", "loop_fails", "sized_fails"))
refused, failed = collections.Counter(), []


def run_file(name):
    return subprocess.run([build / "bin/kiln-run", tests / f"{name}.mlir", "--all", "--check", *sys.argv[2:]], capture_output=True, text=True)


with concurrent.futures.ThreadPoolExecutor(min(os.cpu_count(), 8)) as pool:
    runs = list(pool.map(run_file, names))
for name, run in zip(names, runs):
    if kind := re.search(r"expected a kind of kernel that it can run, got '(\w+)'|got a program for (any size)|expected a device with (librar)ies|expected (lib)cu", run.stderr):
        refused[kind.group(1) or kind.group(2) or "calls of libraries"] += 1
    elif run.returncode:
        failed.append(name)
        print(f"{name}: {run.stderr.strip()[:500]}")
print(f"{len(names) - len(failed) - refused.total()} of {len(names) - refused.total()} files")
print("refused:", ", ".join(f"{count} {kind}" for kind, count in sorted(refused.items())) or "none")
sys.exit(bool(failed))
