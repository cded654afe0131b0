"""Random programs of loops that are written out while they are recorded: the same bits as eager, cold and warm, also for another number
of trips. ``rolled_fuzz.py --first-seed N --programs COUNT``; with ``--gradients`` those of the programs. test_rolled.py runs a few."""
import argparse
import collections
import random
import sys
import warnings

import numpy as np

import kiln as kn

N, ROWS = 5, 70  # of the arrays
OFFSETS = ("i", "i + 1", "i + 2", "2 * i % 60", "60 - i", "ROWS - 1 - i", "3")


def _statement(r, counter, names):
    """A line of a body; ``names`` are the values that it may use."""
    x, y = r.choice(names), r.choice(names)
    o, p = (r.choice(OFFSETS).replace("i", counter) for _ in range(2))
    c = round(r.uniform(-0.9, 0.9), 2)
    return r.choice([
        f"{x} = {x} * {c} + {y}", f"{x}, {y} = {y}, {x} * 0.5", f"{x} = kn.sin({x}) + A[{o}]", f"{x} = {y} * 0.25 - {counter}",
        f"{x} = {x} * 0.5 + {counter} * {abs(c)}", f"{x} = {x} + A[{o}, {r.randrange(N)}]", f"A[{o}] = {x} * {c} + A[{p}]", f"A[{o}, 1:-1] = A[{p}, :-2] * {c}",
        f"A[{o}, ::2] += {x}[::2]", f"B[{o}] = A[{p}]", f"B[{o}, {r.randrange(N)}] = B[{p}, {r.randrange(N)}] * {c} + 0.125", f"B[{counter}:{counter} + 4] *= {c}",
        f"B[{counter}:{counter} + 8:2, ::-1] = A[{counter}:{counter} + 8:2] + {x}", f"{x} = kn.tanh(W @ {x})", f"{x} = kn.where({y} > 0, {x}, -{y})", f"s = s * 0.5 + kn.sum({x})",
        f"s = s + A[{o}, {r.randrange(N)}] * {c}", f"{x} = {x} + s * 0.001", f"t = {x} * {y}; {x} = t - kn.mean(t)", f"{x} = {x}[P]", f"k = k * 3 + {counter}", f"{x} = {x} * 0.5 + k % 7",
        f"{x} = kn.concat([{x}[1:], {y}[:1]])", f"{x} = {y}.copy(); {x}[{r.randrange(N)}] = s", f"m = m ^ (k > {r.randrange(100)})", f"{x} = kn.where(m, {x}, {y}) * {c}"])


def _growing(r, counter):
    """Slices that grow or shrink from trip to trip, of a square matrix and a vector."""
    i, c, k = counter, round(r.uniform(-0.9, 0.9), 2), r.randrange(N)
    o = r.choice([i, i, f"{i} + 1", f"{i} + 2", f"ROWS - {i}", f"ROWS - 1 - {i}", f"2 * {i} % 60"])
    return r.choice([
        f"V[{i}] = V[{i}] * {c} + M[{i}, :{i}] @ V[:{i}]", f"V[{i}] = (V[{i}] - M[{i}, :{i}] @ V[:{i}]) * 0.125", f"V[{i}] = V[{i}] * 0.5 + M[:{i}, {i}] @ V[:{i}] * 0.125",
        f"s = s * 0.5 + kn.sum(V[:{o}]) * {c}", f"s = s * 0.5 + kn.max(V[:{i} + 1])", f"V[{o}:] = V[{o}:] * 0.5 + M[{o}:, {k}] * {c}", f"M[{i}, :{i}] = M[{i}, :{i}] * {c} + V[:{i}]",
        f"V[:{o}] *= {c}", f"M[{i}, {i}:] -= M[{k}, {i}:] * V[{i}]", f"M[{o}:, {i}] = V[{o}:]", f"s = s * 0.5 + kn.mean(M[:{i} + 1, :{o} + 1]) * 0.125", f"V[:{i}] = M[{i}, :{i}][::-1]",
        f"V[{i}:] = kn.sort(V[{i}:])", f"V[1:{i} + 1] = V[:{i}] * {c}", f"s = s * 0.5 + V[:{i} + 1] @ V[:{i} + 1] * 0.01", f"M[:{i}, {k}] = kn.cumulative_sum(V[:{i}])"])


def _rare(r, counter, names):
    """What ends or prevents a loop."""
    x = r.choice(names)
    return r.choice([f"if {counter} == {r.randrange(30)}: {x} = {x} + 1", f"if {counter} % 3 == 0: {x} = -{x}", f"kept.append({x})", f"if {counter} == {r.randrange(40)}: kept.append({x})",
                     f"{x} = {x} + {counter} * {counter} * 0.001", f"{x} = {x} + A[:{counter} % 4 + 1].sum(axis=0)", f"u = kn.cos({x}); {x} = u * 0.5"])


def _body(r, counter, depth, names):
    lines = [_statement(r, counter, names) for _ in range(r.randrange(1, 5))]
    if r.random() < 0.4:
        lines = lines[:r.randrange(2)] + [_growing(r, counter) for _ in range(r.randrange(1, 4))]
    if r.random() < 0.3:
        lines.insert(r.randrange(len(lines) + 1), _rare(r, counter, names))
    if depth < 2 and r.random() < 0.35:
        inner = "ijl"[depth + 1]
        trips = r.choice(["4", "12", "20", counter, f"min({counter}, 15)"])
        lines.insert(r.randrange(len(lines) + 1), [f"for {inner} in range({trips}):", _body(r, inner, depth + 1, names)])
    return lines


def _text(lines, indent):
    return "".join(_text(line, indent + "    ") if isinstance(line, list) and not isinstance(line[0], str) else
                   f"{indent}{line[0]}\n{_text(line[1], indent + '    ')}" if isinstance(line, list) else f"{indent}{line}\n" for line in lines)


def source(seed):
    r = random.Random(seed)
    names = ["x", "y", "z"][:r.randrange(1, 4)]
    text = "def f(A, B, W, P, x, y, z, M, V, T):\n    s, t, u, k, m, kept = 0.5, x, x, kn.asarray(1), x > 0, []\n"
    for _ in range(r.choice([1, 1, 1, 2])):
        trips = r.choice(["T", "T", "T", "T + 3", "2 * T // 3"])
        start = r.choice(["", "", "1, 1 + "])
        text += f"    for i in range({start}{trips}):\n" + _text(_body(r, "i", 0, names), " " * 8)
    return text + f"    return [x, y, z, s, k, m{r.choice(['', ', t', ', u'])}], kept, A[1:3] * 2, V * 2\n"


def arguments(seed):
    rng = np.random.default_rng(seed)
    dtype = rng.choice([np.float32, np.float64])
    make = lambda *shape: kn.asarray(rng.uniform(-1, 1, shape).astype(dtype))
    A = make(ROWS, N) if seed % 5 else kn.permute_dims(make(N, ROWS), (1, 0))
    return [A, make(ROWS, N), make(N, N), kn.asarray(rng.permutation(N)), make(N), make(N), make(N), make(ROWS, ROWS), make(ROWS)]


def _bits(value):
    """What is compared: nans are one, whatever their sign."""
    if isinstance(value, (list, tuple)):
        return [_bits(v) for v in value]
    if not isinstance(value, kn.Array):
        return repr(value)
    array = value.numpy()
    return str(value.dtype), value.shape, np.where(array != array, np.asarray(np.nan, array.dtype) if array.dtype.kind == "f" else array, array).tobytes()


def gradient_of(f):
    """The gradient of a sum of all that a program makes, by its floating arguments, as a program of them."""
    def total(A, B, W, x, y, z, M, V, P, T):
        results, kept, *others = f(A, B, W, P, x, y, z, M, V, T)
        made = [v for v in (*results, *kept, *others, A, B, M) if isinstance(v, kn.Array) and v.dtype.kind == "f"]
        return sum((kn.sum(kn.sin(v)) for v in made), kn.asarray(0, dtype=A.dtype))

    def gradient(A, B, W, P, x, y, z, M, V, T):
        return kn.grad(total, argnums=tuple(range(8)))(A, B, W, x, y, z, M, V, P, T)

    return gradient


def check(seed, mode="sync", of_gradient=False):
    """Counts of what was rolled and what not; raises AssertionError where bits differ from those of eager."""
    names = {"kn": kn, "ROWS": ROWS}
    text = source(seed)
    exec(compile(text, f"<rolled {seed}>", "exec"), names)
    eager, before = gradient_of(names["f"]) if of_gradient else names["f"], kn.config.jit
    r = random.Random(~seed)
    trips = [r.choice([9, 15, 20, 33, 45]), r.choice([8, 14, 21, 34, 40, 1])]
    calls = [trips[0]] * 3 + [trips[1]] * 2 + [trips[0]]
    kn.config.jit = mode
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", kn.KilnWarning)
            jitted = kn.jit(eager)
            for call, T in enumerate(calls[1:4] if of_gradient else calls):
                mine, theirs = arguments(seed + call), arguments(seed + call)
                want, got = eager(*mine, T), jitted(*theirs, T)
                assert _bits([want, mine]) == _bits([got, theirs]), f"seed {seed}, call {call}, {T} trips, {mode}\n{text}"
    finally:
        kn.config.jit = before
    found = collections.Counter(calls=1)
    for variant in jitted.explain().variants:
        for step in variant["steps"]:
            found.update("rolled" if not loop["why"] else loop["why"] for loop in step["loops"])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--gradients", action="store_true")
    options = parser.parse_args()
    counts, wrong = collections.Counter(), 0
    for seed in range(options.first_seed, options.first_seed + options.programs):
        try:
            counts += check(seed, "auto" if seed % 8 else "sync", options.gradients)
        except AssertionError as error:
            wrong += 1
            print(error, flush=True)
    print(dict(counts), f"{wrong} wrong")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
