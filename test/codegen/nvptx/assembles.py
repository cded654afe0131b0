"""Assembles kernels: assembles.py BUILD PTXAS (FILE.mlir | FOLDER)... A file of a kind that the target refuses is left out. Prints, for each machine, how many
were assembled, and which kernels keep registers in memory."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MACHINES = ("sm_80", "sm_90a", "sm_100")
build, ptxas = pathlib.Path(sys.argv[1]), sys.argv[2]
files = [p for name in sys.argv[3:] for p in (sorted(pathlib.Path(name).glob("*.mlir")) if os.path.isdir(name) else [pathlib.Path(name)])]


def assemble(job):
    """None where there is nothing to assemble; else whether it worked, and what to print."""
    path, machine = job
    compiled = subprocess.run([build / "bin/kiln-translate", path, "--mlir-to-assembly", "--target=nvptx", f"--cpu={machine}"],
                              capture_output=True, text=True)
    if "expected a kind of kernel that it can run" in compiled.stderr or "got a program for any size" in compiled.stderr or "trace.tree" in path.read_text():
        return None
    if compiled.returncode:
        return False, f"{path.stem}: {compiled.stderr[:400]}"
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as file:
        file.write(compiled.stdout)
        file.flush()
        run = subprocess.run([ptxas, f"-arch={machine}", "-v", "-o", os.devnull, file.name], capture_output=True, text=True)
    spills = [f"{path.stem}: {name}: {count} bytes spilled" for name, count in
              re.findall(r"properties for (\w+)\n.*?(\d+) bytes spill stores", run.stdout + run.stderr) if int(count)]
    return run.returncode == 0, "\n".join(spills) if run.returncode == 0 else f"{path.stem}: {run.stderr[:400]}"


failed = False
for machine in MACHINES:
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = [r for r in pool.map(assemble, [(path, machine) for path in files]) if r]
    print(*(text for _, text in results if text), sep="\n")
    print(f"{machine}: {sum(ok for ok, _ in results)} of {len(results)} files")
    failed |= not all(ok for ok, _ in results)
sys.exit(failed)
