"""Random programs on a target, against the reference interpreter, bit by bit: programs.py BUILD --target=TARGET --load=LIBRARY [--first=SEED] [--count=N].
What holds a kind of kernel that the target refuses is counted by kind. Ends with 1 where one differs; `kiln-fuzz show --first=SEED` prints it."""
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BATCH = 50  # programs a process
flags = dict(a[2:].split("=", 1) for a in sys.argv[2:])
build, first, count = pathlib.Path(sys.argv[1]), int(flags.pop("first", 0)), int(flags.pop("count", 200))
target = [f"--{name}={value}" for name, value in flags.items()]
refused, wrong, equal = collections.Counter(), [], 0


def run(text, *more):
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write(text)
        file.flush()
        return subprocess.run([build / "bin/kiln-run", file.name, "--all", "--check", *target, *more], capture_output=True, text=True, timeout=600)


def check(seed):
    """Of a program: None where it is as it should be, else a kind of kernel or what is wrong."""
    text = programs[seed]
    done = run(text)
    if kind := re.search(r"expected a kind of kernel that it can run, got '(\w+)'", done.stderr):
        return "refused", kind.group(1)
    if "got a program for any size" in done.stderr:
        return "refused", "any size"
    if re.search("expected a device with libraries|expected libcu", done.stderr):
        return "refused", "calls of libraries"
    if done.returncode and "compilation failed" not in done.stderr and run(text, "--target=reference").returncode:
        return "refused", "failing on values"
    return ("wrong", done.stderr.strip()[:400]) if done.returncode else None


programs = {}
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for start in range(first, first + count, BATCH):
        many = min(BATCH, first + count - start)
        shown = subprocess.run([build / "bin/kiln-fuzz", "show", f"--first={start}", f"--count={many}"], capture_output=True, text=True, check=True).stdout
        programs = {start + i: text for i, text in enumerate(shown.split("// -----"))}
        for seed, found in zip(programs, pool.map(check, programs)):
            if found is None:
                equal += 1
            elif found[0] == "refused":
                refused[found[1]] += 1
            else:
                wrong.append(seed)
                print(f"seed {seed}: {found[1]}", flush=True)
print(f"{equal} of {count - refused.total()} programs")
print("refused:", ", ".join(f"{many} {kind}" for kind, many in sorted(refused.items())) or "none")
sys.exit(bool(wrong))
