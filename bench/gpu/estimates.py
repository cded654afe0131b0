"""What NVIDIA's assembler says of the large kernels (test/targets/device/large.py), without a GPU: estimates.py BUILD [PTXAS]. Prints a table of registers, bytes
spilled, shared memory and the share of a multiprocessor's warps that fit, with the time that the arrays take at an H200's rate of memory: bounds, not times."""
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

CPU, BANDWIDTH = "sm_90a", 4.8e12
WARPS, BLOCKS, REGISTERS, SHARED, RESERVED = 64, 32, 65536, 228 << 10, 1 << 10  # of a multiprocessor; the last of each block
BYTES = {"i1": 1, "i8": 1, "ui8": 1, "i16": 2, "f16": 2, "bf16": 2, "i32": 4, "f32": 4, "i64": 8, "f64": 8}


def bytes_of(line):
    """Of all arrays in the signature of a function."""
    types = re.findall(r"tensor<((?:\d+x)*)(\w+?)(?:,.*?)?>", line)
    return sum(math.prod(map(int, filter(None, shape.split("x")))) * BYTES[dtype] for shape, dtype in types)


def launches_of(plan):
    """By program: kernel, threads and bytes of shared memory that the launch asks for."""
    programs, name = {}, None
    for line in plan.split("\ncode ")[0].splitlines():
        words = line.split()
        if words[0] in ("program", "body"):
            name = words[1]
            programs[name] = []
        elif words[0] == "launch":
            programs[name].append((words[1], int(words[3]), int(words[4])))
    return programs


def facts_of(text):
    """By kernel: registers, bytes spilled and of declared shared memory."""
    facts, kernel, spilled = {}, None, 0
    for line in text.splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            kernel, spilled = found.group(1), 0
        elif found := re.search(r"(\d+) bytes spill stores", line):
            spilled = max(spilled, int(found.group(1)))
        elif found := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            facts[kernel] = int(found.group(1)), spilled, int(shared.group(1)) if shared else 0
    return facts


def occupancy(threads, registers, shared):
    warps = -(-threads // 32)
    by_registers = REGISTERS // (-(-registers // 8) * 8 * 32) // warps if registers else BLOCKS
    return min(BLOCKS, WARPS // warps, by_registers, SHARED // (shared + RESERVED)) * warps / WARPS


def main(build, ptxas="ptxas"):
    here = pathlib.Path(__file__).resolve().parents[2]
    source = subprocess.run([sys.executable, here / "test/targets/device/large.py"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        program, ptx = pathlib.Path(folder, "large.mlir"), pathlib.Path(folder, "large.ptx")
        program.write_text(source)
        plan = subprocess.run([pathlib.Path(build) / "bin/kiln-translate", program, "--mlir-to-code", "--target=nvptx", f"--cpu={CPU}"], capture_output=True, text=True, check=True).stdout
        ptx.write_text(plan[plan.index("//\n"):])
        done = subprocess.run([ptxas, f"-arch={CPU}", "-v", "-o", os.devnull, ptx], capture_output=True, text=True, check=True)
    sizes = {re.search(r"@([\w.]+)", line).group(1): bytes_of(line) for line in source.splitlines() if "func.func" in line}
    facts = facts_of(done.stdout + done.stderr)
    print("| program | threads | registers | spilled | shared | occupancy | bytes at 4.8 TB/s |\n|---|---|---|---|---|---|---|")
    for name, launches in launches_of(plan).items():
        rows = dict.fromkeys((threads, facts[kernel][0], facts[kernel][1], max(asked, facts[kernel][2])) for kernel, threads, asked in launches)
        for number, (threads, registers, spilled, shared) in enumerate(rows):  # launches that are alike stand there once
            bound = f"{1e6 * sizes[name] / BANDWIDTH:.0f} µs" if number == 0 else ""
            share = f"{100 * occupancy(threads, registers, shared):.0f} %"
            print(f"| {'' if number else name} | {threads} | {registers} | {spilled} | {shared:,} | {share} | {bound} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
