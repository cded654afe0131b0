"""Random programs with branches, loops, views, writes and indexing, in float64: reverse mode is the transpose of forward mode to 1e-10, both are finite
differences away from kinks, a batch is a loop, its gradient as well, and compiled ones have the bits of eager.

    python test/python/transforms_fuzz.py --first-seed 0 --programs 2000
"""
import argparse
import collections
import random
import sys
import warnings

import numpy as np

import kiln as kn

N, ROWS, LANES = 4, 3, 5
SHAPES = [(N,), (N,), (ROWS, N), ()]  # of x, y, m, s
RELATIVE = 1e-10


class Writer:
    """Writes ``program(x, y, m, s)``: values of vectors, of matrices and of numbers, all of which stay small."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.fresh, self.counts = [], 0, collections.Counter()

    def pick(self, options):
        return self.random.choice(options)

    def number(self):
        return repr(round(self.random.uniform(-0.9, 0.9), 2))

    def add(self, depth, line):
        self.lines.append("    " * depth + line)

    def name(self):
        self.fresh += 1
        return f"t{self.fresh}"

    def scalar(self, has):
        v, w, m, s, i = self.pick(has["v"]), self.pick(has["v"]), self.pick(has["m"]), self.pick(has["s"]), self.random.randrange(N)
        return self.pick([f"kn.sum({v}) * 0.3", f"{v}[{i}] * {s}", f"kn.mean({m})", f"kn.sin({s}) + {v}[{-i - 1}]", f"{m}[{i % ROWS}, {i}] - {s} * {self.number()}", f"kn.tanh(kn.sum({v} * {w}))", f"kn.max({v})",
                          f"{s} * {s} * 0.5 + {self.number()}", f"{v} @ {w} * 0.2", f"kn.min({m}) * {self.number()}", f"kn.sqrt({s} * {s} + 1)", f"{m}[kn.argmax({v}) % {ROWS}, {i}]", f"kn.log1p(kn.exp({s}))", f"kn.prod({v}) + {s} * 0.5"])

    def vector(self, has):
        v, w, m, s, c = self.pick(has["v"]), self.pick(has["v"]), self.pick(has["m"]), self.pick(has["s"]), self.number()
        return self.pick([f"{v} * {c} + {w}", f"kn.tanh({v} * {w})", f"kn.sin({v}) * {s}", f"{v}[::-1] - {c}", f"kn.where({v} > {w}, {v} * {c}, {w})", f"kn.cumulative_sum({v}) * 0.3", f"{m} @ {m}.T @ {m}[:, 0] @ {m} * 0.1",
                          f"kn.take({v}, kn.argsort({w}))", f"{v}[kn.asarray({[self.random.randrange(N) for _ in range(N)]})]", f"kn.sort({v}) * {c}", f"kn.concat([{v}[1:], {w}[:1]])", f"{m}[{self.random.randrange(ROWS)}] * {w}",
                          f"{v}.at[{self.random.randrange(N)}].set({s})", f"{v}.at[kn.asarray([0, 2, 0])].add({w}[:3])", f"kn.softmax({v}) - {c}", f"kn.maximum({v}, {w}) * {c}", f"kn.exp(-{v} * {v})", f"{v} / (1 + {w} * {w})",
                          f"kn.roll({v}, 1) * {w}", f"kn.sum({m}, axis=0) * 0.3", f"kn.cond({s} > {c}, lambda a, b: a * {c}, lambda a, b: kn.sin(a) - b, {v}, {w})", f"helper({v}, {s})", f"kn.fori_loop(0, 3, lambda i, a: kn.sin(a) + {w} * 0.1, {v})",
                          f"kn.scan(lambda a, r: (kn.tanh(a * r), a), {v}, {m})[0]", f"kn.stop_gradient({v}) * {w}", f"kn.checkpoint(lambda a: kn.sin(a * {c}))({v})", f"squared({v})", f"kn.abs({v}) * {c}", f"kn.diff(kn.concat([{v}, {w}[:1]]))"])

    def matrix(self, has):
        v, w, m, n, c = self.pick(has["v"]), self.pick(has["v"]), self.pick(has["m"]), self.pick(has["m"]), self.number()
        return self.pick([f"{m} * {c} + {n}", f"kn.outer({v}[:3], {w}) * 0.3", f"kn.tanh({m}) * {v}", f"{m}[::-1, ::-1]", f"kn.stack([{v}, {w}, {v} * {w}])", f"kn.flip({m}, axis=1) - {n}", f"kn.reshape({m}.T, ({ROWS}, {N}))",
                          f"kn.where({m} > {n}, {m}, {c})", f"kn.cumulative_sum({m}, axis=0) * 0.3", f"{m}[kn.asarray([2, 0, 0])]", f"kn.broadcast_to({v}, ({ROWS}, {N})) * {n}", f"{m} - kn.mean({m}, axis=1, keepdims=True)",
                          f"kn.linalg.solve(kn.eye({N}) * 3 + kn.tanh({m}.T @ {m}), {n}.T).T", f"kn.softmax({m}, axis=0)"])

    def condition(self, has):
        v, w, s, m = self.pick(has["v"]), self.pick(has["v"]), self.pick(has["s"]), self.pick(has["m"])
        test = self.pick([f"{s} > {self.number()}", f"{v}[{self.random.randrange(N)}] < {w}[0]", f"kn.sum({m}) > {self.number()}", f"kn.any({v} > 0.8)", f"kn.mean({v}) * {s} < 0.1", f"kn.argmax({v}) == 1"])
        return f"q({test})"

    def assign(self, has, depth):
        kind = self.pick("vvmss")
        make = {"v": self.vector, "m": self.matrix, "s": self.scalar}[kind](has)
        if depth == 1 or self.random.random() < 0.3:
            name = self.name()
            self.add(depth, f"{name} = {make}")
            has[kind].append(name)
        else:
            name = self.pick(has[kind])
            self.add(depth, f"{name} = {make}")

    def write(self, has, depth):
        """In place, into what the program made or was given; through views as well."""
        self.counts["write"] += 1
        v, w, m, s, i = self.pick(has["v"]), self.pick(has["v"]), self.pick(has["m"]), self.pick(has["s"]), self.random.randrange(ROWS)
        c = self.number()
        self.add(depth, self.pick([f"{v} = {v} * 1; {v}[{i}] = {s}", f"{v} = kn.copy({v}); {v}[1:] *= {c}", f"{m} = {m} + 0; {m}[{i}] = {w}", f"{m} = kn.copy({m}); {m}[:, {i}] += {v}[:3] * {c}", f"{m} = kn.copy({m}); {m}.T[{i}] = {v}[1:]",
                                  f"{v} = kn.copy({v}); {v}[::2] = {w}[1::2] * {c}", f"{m} = kn.copy({m}); row = {m}[{i}]; row *= {w}", f"{v} = kn.copy({v}); {v}[{v} > 0.5] = {c}", f"{v} = kn.copy({v}); {v}[kn.asarray([3, 0])] = {w}[:2]",
                                  f"{m} = kn.copy({m}); {m}[1:, ::2] = {w}[:2] * {s}", f"{m} = kn.copy({m}); {m}[...] = {m} * {c} + {w}", f"{v} = kn.copy({v}); {v}[int(kn.argmax({w}))] = {s} * {c}"]))

    def branch(self, has, depth):
        self.counts["if"] += 1
        self.add(depth, f"if {self.condition(has)}:")
        self.block(has, depth + 1)
        if self.random.random() < 0.7:
            self.add(depth, "else:")
            self.block(has, depth + 1)

    def loop(self, has, depth):
        self.counts["loop"] += 1
        if self.random.random() < 0.5:
            self.add(depth, f"for i in range({self.pick([2, 3, 5])}):")
            self.block(has, depth + 1, (f"{self.pick(has['v'])} = {self.pick(has['v'])} * 0.5 + i * 0.1", f"if {self.condition(has)}: break"))
        else:
            count, s = self.name(), self.pick(has["s"])
            self.add(depth, f"{count} = 0")
            self.add(depth, f"while {count} < {self.pick([3, 4])} and {self.condition(has)}:")
            self.block(has, depth + 1, (f"{s} = {s} * 0.6 - 0.05",))
            self.add(depth + 1, f"{count} += 1")

    def block(self, has, depth, extra=()):
        inner = {kind: list(names) for kind, names in has.items()}
        for _ in range(self.random.randrange(1, 4)):
            self.statement(inner, depth)
        for line in extra:
            if self.random.random() < 0.6:
                self.add(depth, line)

    def statement(self, has, depth):
        makes = [self.assign] * 5 + [self.write] * 2 + [self.branch, self.loop] * (depth < 4)
        self.pick(makes)(has, depth)

    def text(self):
        has = {"v": ["x", "y"], "m": ["m"], "s": ["s"]}
        self.add(0, "def program(x, y, m, s):")
        for _ in range(self.random.randrange(3, 9)):
            self.statement(has, 1)
            if self.random.random() < 0.08:
                self.counts["return"] += 1
                self.add(1, f"if {self.condition(has)}: return {self.scalar(has)}, {self.vector(has)}")
        self.add(1, f"return {self.scalar(has)} + {self.pick(has['s'])}, {self.vector(has)} + {self.pick(has['v'])} + kn.sum({self.pick(has['m'])}, axis=0)")
        return "\n".join(self.lines) + "\n"


@kn.custom_jvp
def squared(x):
    return x * x


squared.defjvp(lambda primals, tangents: (squared(*primals), 2 * primals[0] * tangents[0]))


def helper(v, s):
    return v * s if q(s > 0) else kn.sin(v) - s


seen = []


def q(condition):
    return condition


def program_of(text, noting=False):
    def noted(condition):
        seen.append(bool(condition))
        return condition

    names = {"kn": kn, "squared": squared, "q": noted if noting else q}
    names["helper"] = helper if not noting else lambda v, s: v * s if noted(s > 0) else kn.sin(v) - s
    exec(compile(text, "<random program>", "exec"), names)
    return names["program"]


def drawn(rng):
    return tuple(kn.asarray(rng.normal(size=shape) * 0.8) for shape in SHAPES)


def same(got, want, is_exact, what):
    for a, b in zip(kn.tree.leaves(got), kn.tree.leaves(want), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape and a.dtype == b.dtype, what
        if is_exact:
            assert np.array_equal(a, b, equal_nan=True), f"{what}: {a} and {b}"
        else:
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10, err_msg=what)


def dot(a, b):
    return sum(float(np.vdot(np.asarray(x), np.asarray(y))) for x, y in zip(a, b))


def size(a, b):
    return sum(float(np.abs(np.asarray(x) * np.asarray(y)).sum()) for x, y in zip(a, b))


def differences(noting, point, direction, cotangents, h):
    """A difference of the fourth order along a direction; None where the points go different ways."""
    values, ways = [], []
    for step in (-2, -1, 0, 1, 2):
        seen.clear()
        values.append(dot(noting(*(kn.asarray(np.asarray(p) + step * h * np.asarray(t)) for p, t in zip(point, direction))), cotangents))
        ways.append(list(seen))
    return None if any(w != ways[0] for w in ways) else (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * h)


def check_derivatives(program, noting, rng, counts, is_smooth):
    point, direction = drawn(rng), drawn(rng)
    plain = program(*map(kn.copy, point))
    results, changes = kn.jvp(program, point, direction)
    again, back = kn.vjp(program, *point)
    same(results, plain, True, "values of jvp")
    same(again, plain, True, "values of vjp")
    cotangents = [kn.asarray(rng.normal(size=r.shape)) for r in results]
    gradients = back(tuple(cotangents))
    forward, reverse = dot(cotangents, changes), dot(gradients, direction)
    scale = 1 + size(cotangents, changes) + size(gradients, direction)
    assert abs(forward - reverse) <= RELATIVE * scale, f"reverse is not the transpose of forward: {forward} and {reverse}"
    if not is_smooth:
        return
    wide, narrow = (differences(noting, point, direction, cotangents, h) for h in (2e-4, 1e-4))
    if wide is None or narrow is None or abs(wide - narrow) > 1e-6 * scale:
        counts["at a kink"] += 1
        return
    assert abs(narrow - forward) <= 1e-6 * scale, f"differences: {narrow}, derivative: {forward}"


def check_batches(program, rng, is_exact, is_compiled):
    lanes = [drawn(rng) for _ in range(LANES)]
    stacked = tuple(kn.stack(parts) for parts in zip(*lanes))

    def loss(*args):
        number, vector = program(*args)
        return number + kn.sum(vector * vector)

    for f, what in ((program, "batch"), (kn.grad(loss, argnums=(0, 1, 2, 3)), "batch of gradients")):
        batch = kn.vmap(f)
        together = batch(*stacked)
        same(together, kn.tree.map(lambda *parts: kn.stack(parts), *(f(*map(kn.copy, lane)) for lane in lanes)), is_exact, what)
        jitted = kn.jit(batch)
        for order in (slice(None), slice(None, None, -1)) if is_compiled else (slice(None),):
            given = tuple(a[order] for a in stacked)
            same(jitted(*given), batch(*given), True, f"compiled {what}")
    axes = [(0, None)[i] for i in rng.integers(0, 2, 4)]
    axes = tuple(axes) if 0 in axes else (0, None, None, 0)
    mixed = tuple(s if a == 0 else s[0] for s, a in zip(stacked, axes))
    want = [program(*(kn.copy(a[i]) if axis == 0 else kn.copy(a) for a, axis in zip(mixed, axes))) for i in range(LANES)]
    same(kn.vmap(program, in_axes=axes)(*mixed), kn.tree.map(lambda *parts: kn.stack(parts), *want), is_exact, f"batch along {axes}")
    total = kn.grad(lambda *args: kn.sum(kn.vmap(loss, in_axes=axes)(*args)), argnums=(0, 1, 2, 3))
    gradients = [kn.grad(loss, argnums=(0, 1, 2, 3))(*(a[i] if axis == 0 else a for a, axis in zip(mixed, axes))) for i in range(LANES)]
    summed = [kn.stack(parts) if axis == 0 else sum(parts) for parts, axis in zip(zip(*gradients), axes)]
    found = total(*mixed)
    same(found, tuple(summed), False, f"gradient of a batch along {axes}")
    same(kn.jit(total)(*mixed), found, True, f"compiled gradient of a batch along {axes}")


def check(seed, counts, is_compiled):
    writer = Writer(seed)
    text = writer.text()
    counts += writer.counts
    try:
        rng = np.random.default_rng(seed)
        check_derivatives(program_of(text), program_of(text, True), rng, counts, "stop_gradient" not in text)
        is_exact = not any(word in text for word in ("@", "outer", "solve"))  # products have the order of the product that they become
        with kn.config.override(jit="sync" if is_compiled else "auto"), warnings.catch_warnings():
            warnings.simplefilter("ignore", kn.KilnWarning)
            check_batches(program_of(text), rng, is_exact, is_compiled)
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}\n{text}") from error


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--compiled", type=int, default=40, help="one of so many programs is compiled")
    options = parser.parse_args()
    kn.set_default_dtype(kn.float64)
    counts, wrong = collections.Counter(), 0
    for seed in range(options.first_seed, options.first_seed + options.programs):
        try:
            check(seed, counts, seed % options.compiled == 0)
        except AssertionError as error:
            wrong += 1
            print(error, flush=True)
    print(f"{options.programs} programs, {wrong} wrong; {dict(counts)}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
