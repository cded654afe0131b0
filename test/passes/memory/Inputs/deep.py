"""Writes a program of a kernel with many moves, or of a kernel and many reshapes of its result."""
import sys

kind, count = sys.argv[1], int(sys.argv[2])
T, S = "tensor<4xf32>", "tensor<2x2xf32>"
reverse = f"{{starts = array<i64: 3>, sizes = array<i64: 4>, steps = array<i64: -1>}} : ({T}) -> {T}"
moves = range(count if kind == "moves" else 1)
print(f"func.func @{kind}(%x: {T}) -> {T} {{\n  %r0 = kiln.kernel \"elementwise\"(%v0 = %x : {T}) -> ({T}) {{")
for i in moves:
    print(f"    %v{i + 1} = kiln.slice %v{i} {reverse}")
print(f"    kiln.yield %v{len(moves)} : {T}\n  }}")
reshapes = count if kind == "reshapes" else 0
for i in range(0, reshapes, 2):
    print(f"  %s{i} = kiln.reshape %r{i} : ({T}) -> {S}\n  %r{i + 2} = kiln.reshape %s{i} : ({S}) -> {T}")
print(f"  return %r{reshapes} : {T}\n}}")
