"""Random functions whose values decide sizes, exported at sizes that calls choose: masks, positions, unique values, slices up to a count, one behind the other. Packages, and the code
in them, give the bits and the shapes of eager on arguments that select nothing, some or all; or the error that says that sizes or a way are not known.

    python test/python/counts_fuzz.py --first-seed 0 --programs 1000
"""
import collections
import os
import random
import sys
import tempfile
import warnings

import numpy as np

import kiln as kn
import export_fuzz
from export_fuzz import bits

OUTCOMES = ("exported", "counted", "refused", "right", "another answer")
NAMES = ("x", "w")


class Writer:
    """The text of a function of x (n, or n rows of two) and w (three numbers)."""

    def __init__(self, seed):
        self.pick, self.lines = random.Random(seed), []
        self.is_matrix = self.pick.random() < 0.25
        self.dtype = self.pick.choice(["float32", "float32", "float64", "int32", "int64", "uint8", "float16", "complex64"])
        self.vectors, self.numbers, self.counts = ["x"], ["w[0]", "w[2]"], 0

    def text(self):
        pick = self.pick
        if self.is_matrix:
            self.vectors = [self.put(pick.choice(["x[:, 0]", "x.sum(axis=1)", "x[x[:, 0] > w[1]][:, 1]"]))]
        for _ in range(pick.randint(2, 6)):
            self.statement()
        if not self.counts:
            self.select()
        results = pick.sample(self.vectors[-3:], min(len(self.vectors), pick.randint(1, 3)))
        results += pick.sample([f"{results[0]}.sum()", f"{results[-1]}.shape[0]", self.numbers[-1], f"{results[0]}.shape[0] * 2 + 1"], pick.randint(0, 2))
        return "\n    ".join(["def f(x, w):", *self.lines, f"return {', '.join(results)}"]) + "\n"

    def put(self, expression):
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {expression}")
        return name

    def vector(self):
        return self.pick.choice(self.vectors[-3:])

    def mask(self, v):
        real = f"kn.real({v})" if self.dtype == "complex64" else v
        return self.pick.choice([f"{real} > w[1]", f"{real} >= 0", f"{v} != 0", f"{real} < {real}.mean()", f"({real} > 0) & ({real} < w[2])", f"kn.cumsum({v} != 0) > 2"])

    def select(self):
        v = self.vector()
        self.counts += 1
        if self.counts > 3:
            return
        kinds = [f"{v}[{self.mask(v)}]", f"kn.take({v}, kn.nonzero({self.mask(v)})[0])", f"{v}[:int(({self.mask(v)}).sum())]", f"{v}[int(kn.count_nonzero({v})):]",
                 f"{v}[:int(kn.minimum(kn.count_nonzero({v}), 3))]", f"kn.nonzero({self.mask(v)})[0].astype({v}.dtype)"]
        if self.dtype != "complex64":
            kinds += [f"kn.unique_values({v})", f"kn.unique_counts({v}).counts.astype({v}.dtype)", f"kn.unique_inverse({v}).inverse_indices.astype({v}.dtype)"]
        self.vectors.append(self.put(self.pick.choice(kinds)))

    def statement(self):
        pick, v = self.pick, self.vector()
        kind = pick.random()
        if kind < 0.4:
            self.select()
        elif kind < 0.75:
            scaled = f"{v} * 3" if self.dtype in ("int32", "int64", "uint8") else f"{v} * w[0]"
            choices = [f"{v} + 1", scaled, f"-{v}", f"{v} - {v}.sum()", f"kn.cumsum({v})", f"{v}[::-1]", f"kn.concat(({v}, {v}))", f"kn.where({self.mask(v)}, {v}, 0)", f"kn.zeros_like({v}) + {v}.shape[0]"]
            choices += [f"kn.sort({v})"] if self.dtype != "complex64" else []
            self.vectors.append(self.put(pick.choice(choices)))
        elif kind < 0.9:
            self.numbers.append(self.put(pick.choice([f"{v}.sum()", f"kn.count_nonzero({v})", f"({self.mask(v)}).any()", f"({v} * 2).sum()"])))
        else:
            self.vectors.append(self.put(f"({v} + 1 if {v}.shape[0] > {pick.randint(0, 3)} else {v} - 1)"))


def inputs_of(writer, seed, count):
    random_numbers = np.random.default_rng(seed)
    for i in range(count):
        n = int(random_numbers.integers(0, 13))
        x = np.round(random_numbers.normal(size=(n, 2) if writer.is_matrix else n) * 3) * [1, 0, -1, 1][i % 4] + [0, 0, 0, 9][i % 4]
        x = abs(x) if i % 3 == 2 or writer.dtype == "uint8" else x
        yield kn.asarray(x.astype(writer.dtype)), kn.asarray(np.float32([0.5, random_numbers.normal(), 2]).astype("float32" if writer.dtype != "complex64" else writer.dtype).real.astype("float32"))


def outcome(function, args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bits(function(*args))
        except kn.KilnError as error:
            return "another answer" if "another answer" in str(error) or "checked for when it was exported" in str(error) else f"error: {error}"
        except Exception as error:
            return f"error: {type(error).__name__}"


def check(seed, count=16):
    """How often each of OUTCOMES was seen; AssertionError where a package and eager differ."""
    counts, writer, scope = collections.Counter(), Writer(seed), {"kn": kn}
    text = writer.text()
    exec(compile(text, f"<counts {seed}>", "exec"), scope)
    inputs = list(inputs_of(writer, seed, count))
    given = next((a for a in inputs if a[0].shape[0] > 3), inputs[0])
    least, most = (0, 12) if given[0].shape[0] <= 12 else (0, 16)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path, has_code = os.path.join(folder, "f.kiln"), seed % 8 == 0
        try:
            kn.export(scope["f"], *given, to=path, dynamic={"x": {0: ("n", least, most)}}, **({"cpu": "native"} if has_code else {}))
        except Exception as error:
            assert isinstance(error, (kn.KilnError, ValueError, TypeError, IndexError, ZeroDivisionError)), f"seed {seed}:\n{text}\n{error!r}"
            counts["refused"] += 1
            return counts
        loaded = [kn.load(path, native=native) for native in ([False, True] if has_code else [False])]
    counts["exported"] += 1
    is_counted = any(e.get("counts") for e in loaded[0]._manifest["entries"])
    counts["counted"] += is_counted
    with kn.config.override(jit="sync" if seed % 8 == 1 else "off"):
        for args in inputs:
            want = outcome(scope["f"], args)
            for m in loaded:
                got = outcome(m, args)
                name = got if isinstance(got, str) else "right"
                is_error = isinstance(want, str)
                assert got == want or name == "another answer" or (is_error and isinstance(got, str)), f"seed {seed}:\n{text}{args[0]!r} {args[1]!r}\npackage {got}\neager   {want}"
                counts["error" if is_error else name] += 1
    return counts


if __name__ == "__main__":
    sys.exit(export_fuzz.main("counts", check, __doc__))
