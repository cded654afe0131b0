"""Assembles the PTX of the pack of eager kernels: pack.py PACK PTXAS MACHINE SAMPLE, one of SAMPLE plans. Prints how many were assembled."""
import concurrent.futures
import os
import struct
import subprocess
import sys
import tempfile
import zlib

pack, ptxas, machine, sample = *sys.argv[1:4], int(sys.argv[4])
HEADER, ENTRY = struct.Struct("<QIIQQQQ"), struct.Struct("<6Q")
with open(pack, "rb") as file:
    data = file.read()
_, _, _, name, entries, words, _ = HEADER.unpack_from(data)
first = HEADER.size + name
plans = first + entries * ENTRY.size + words * 8
places = sorted({ENTRY.unpack_from(data, first + i * ENTRY.size)[3:5] for i in range(entries)})


def assemble(place):
    """Empty where it worked."""
    plan = zlib.decompress(data[plans + place[0]:plans + sum(place)])
    with tempfile.NamedTemporaryFile(suffix=".ptx") as file:
        file.write(plan[plan.index(b"//"):])
        file.flush()
        run = subprocess.run([ptxas, f"-arch={machine}", "-o", os.devnull, file.name], capture_output=True, text=True)
    return run.stderr[:400] if run.returncode else ""


with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    results = list(pool.map(assemble, places[::sample]))
print(*filter(None, results), sep="\n")
print(f"{machine}: {results.count('')} of {len(results)} plans")
sys.exit(any(results))
