"""Random programs with loops whose trips and ways are decided by values, in eager and under jit: the same bits, arguments, state and errors.

    python test/python/loops_fuzz.py --first-seed 0 --programs 1000
"""
import argparse
import collections
import random
import sys
import threading
import warnings

import numpy as np

import kiln as kn
import control_flow_fuzz
from control_flow_fuzz import outcome

CONSTRUCTS = {"while", "for", "break", "continue", "if", "else", "counter", "float", "nested", "write", "written argument", "view", "alias", "state", "list", "call", "return", "raise", "element",
              "order", "swap", "late", "print", "chosen", "each", "span", "threads"}
STATE = """
class Run:
    count, total, last, kept = 0, 0.5, None, []


def helper(v, n):
    if kn.max(v) > LIMIT:
        return v * 0.5
    return v + GAIN * n


def mirrored(v, n):
    return v[::-1] * 0.5 if n % 2 else v + TABLE


def until(v):
    t = 0
    while kn.max(v) > 1:
        v = v * Settings.rate
        t += 1
    return v, t


class Settings:
    rate, most, row = 0.5, 6, [0.25, 0.5]


of = {"helper": helper, "n": 2}
"""


class Writer(control_flow_fuzz.Writer):
    """Writes a function of (x, y, s, k, p): two vectors of four, a float and an int array without axes, a Python int. Loops end: each counts its trips, as an
    array or a number."""

    def name(self, letter):
        self.names += 1
        return f"{letter}{self.names}"

    def vector(self, has):
        v, w, n = self.pick(has["vector"]), self.pick(has["vector"]), self.pick(has["number"])
        return self.pick([f"{v} * 0.5", f"{v} + {w} * 0.25", f"kn.tanh({v})", f"{v} - kn.mean({w})", f"kn.where({v} > 0, {v}, {w})", f"{v}[::-1] * 0.75", f"{v} + 0.125 * {n}", f"{v} / ({n} + 2)",
                          f"{v}.at[1:].set({w}[:-1])", f"helper({v}, {n})", f"of['helper']({v}, {n})", f"{v} + TABLE", f"{v} - Settings.row[0]", f"{v} * GAIN", f"{v} - {self.pick(has['scalar'])}", w, f"kn.clip({v}, -2, {n})"])

    def scalar(self, has):
        v, s, n = self.pick(has["vector"]), self.pick(has["scalar"]), self.pick(has["number"])
        return self.pick([f"kn.sum({v})", f"kn.max(kn.abs({v}))", f"{s} * 0.5", f"{s} - 0.25", f"{v}[0] - {v}[3]", f"{s} + {n}", f"{s} * {s} - {n}", f"{v}[{n} % 4]", f"max({s}, {self.pick(has['scalar'])})", f"min({v}[0], {v}[{n} % 4])", f"max({s}, {v}[{n} & 3] * 0.5)"])

    def integer(self, has):
        k = self.pick(has["integer"])
        return self.pick([f"{k} // 2", f"{k} * 3 + 1", f"{k} + 1", f"{k} ^ 5", f"{k} & 3", f"{k} % 5 - {self.pick(has['integer'])}", f"{k} + {self.pick(has['number'])}", f"max({k}, {self.pick(has['integer'])})"])

    def number(self, has):
        n = self.pick(has["number"])
        return self.pick([f"{n} + 1", f"{n} - 2", f"{n} + {self.pick(has['number'])}", f"max({n}, 2)", f"{n} % 3", f"{n} * 2 - 1", f"int({self.pick(has['integer'])}) % 7", "p", "of['n']", f"{n} + LIMIT", f"-{n}", f"abs({n})", f"{n} // 2", f"{n} & 6", f"{n} ^ {self.pick(has['number'])}", f"{n} | 3", f"({n} % 5) << 2", f"{n} >> 1", f"~{n}", f"{n} * 3 % 7", f"{n} - {self.pick(has['number'])}"])

    def real(self, has):
        f = self.pick(has["float"])
        return self.pick([f"{f} * 0.5", f"{f} + 0.25", f"{f} - {self.pick(has['float'])}", f"float({self.pick(has['scalar'])})", f"{f} / 2", f"{f} + {self.pick(has['number'])}"])

    def condition(self, has):
        v, s, k, n, f = (self.pick(has[kind]) for kind in ("vector", "scalar", "integer", "number", "float"))
        return self.pick([f"kn.max(kn.abs({v})) > 0.3", f"{s} > 0.25", f"{k} % 2 == 0", f"{k} > 1", f"{n} < 3", f"{n} % 2", f"{f} > 0.25", f"{v}[0] < {v}[1]", f"kn.any({v} > 1)", f"not {k} % 3", f"{n} > {self.pick(has['number'])}",
                          f"{s}", f"kn.max({v}) > LIMIT", f"{f} < GAIN", f"{n} < Settings.most", f"{f} < {self.pick(has['float'])}", f"kn.sum({v}) > {n}"])

    def assign(self, has, depth, is_new):
        kind = self.pick(["vector", "vector", "scalar", "integer", "number", "float"])
        text = {"vector": self.vector, "scalar": self.scalar, "integer": self.integer, "number": self.number, "float": self.real}[kind](has)
        own = [n for n in has[kind] if n[0] not in "xyspkt"]
        self.counts["float"] += kind == "float"
        self.counts["counter"] += kind == "number"
        self.counts["call"] += "helper" in text
        if is_new or not own:
            letter = {"vector": "v", "scalar": "a", "integer": "i", "number": "n", "float": "f"}[kind]
            name = self.name(letter)
            has[kind] = has[kind] + [name]
        else:
            name = self.pick(own)
        self.add(depth, f"{name} = {text}")

    def other(self, has, depth, loops):
        v, w, s, n = self.pick(has["vector"]), self.pick(has["vector"]), self.pick(has["scalar"]), self.pick(has["number"])
        kind = self.pick(["write", "write", "view", "alias", "state", "list", "swap", "element", "until", "print", "chosen"])
        if kind == "write":
            self.counts["written argument"] += v in "xy"
            self.add(depth, self.pick([f"{v} *= 0.5", f"{v}[0] = {s}", f"{v}[1:] = {w}[:-1]", f"{v} += 0.25", f"{v}[{n} % 4] = {s}", f"{v}[{n}] = {s}", f"{v}[{n} % 4] += 0.5", f"{v}[-1 - {n} % 4] = {w}[{n} % 4]"]))
        elif kind == "view":
            self.names += 1
            self.add(depth, f"w{self.names} = {v}[::-1]")
            has["vector"] = has["vector"] + [f"w{self.names}"]
        elif kind == "alias":
            own = [m for m in has["vector"] if m[0] == "v"]
            if own:
                self.add(depth, f"{self.pick(own)} = {v}")
        elif kind == "state":
            self.add(depth, self.pick(["Run.count += 1", f"Run.total = Run.total * 0.5 + {n}", f"Run.last = {v}", f"Run.kept.append({s})", f"Run.count = {n}"]))
        elif kind == "list":
            self.add(depth, f"out.append({self.pick([v, s, n])})")
        elif kind == "chosen":  # which of both it is, a write shows
            own = [m for m in has["scalar"] if m[0] == "a"]
            self.add(depth, f"{self.pick(own)} = max({self.pick(has['scalar'])}, {self.pick(has['scalar'])})")
            self.add(depth, f"{self.pick(own)} += 0.25")
        elif kind == "swap":
            own = [m for m in has["vector"] if m[0] == "v"]
            if len(own) > 1:
                self.add(depth, f"{own[0]}, {own[-1]} = {own[-1]}, {own[0]} * 0.75")
        elif kind == "element":
            self.add(depth, f"if {v}[{n} % 4] > 0.5:")
            self.add(depth + 1, f"{self.pick([m for m in has['integer'] if m[0] == 'i'] or ['i0'])} = {self.integer(has)}")
        elif kind == "until":
            kind = "call"
            self.add(depth, f"u0, n0 = until(kn.clip({v}, -8, 8))")
        else:
            self.add(depth, f"print({n}, {s})")
        self.counts[kind] += 1

    def block(self, has, depth, loops, budget, count=None):
        has, before = dict(has), len(self.lines)
        for _ in range(count or self.random.randint(1, 4)):
            self.statement(has, depth, loops, budget)
        if len(self.lines) == before:
            self.add(depth, "pass")

    def loop(self, has, depth, loops, budget):
        self.counts["nested"] += loops > 0
        t, most = self.name("t"), self.pick(["3", "5", "8", "12", "p + 3", "Settings.most"])
        kind = self.pick(["while", "while", "while", "for", "range", "each", "span"])
        inner = dict(has)
        test = self.condition(has)
        is_array = self.random.random() < 0.3
        if kind == "while":
            self.counts["while"] += 1
            self.add(depth, f"{t} = {'kn.asarray(0)' if is_array else '0'}")
            tests = [test, f"{t} < {most}"]
            if self.random.random() < 0.4:
                self.counts["order"] += 1
                tests.reverse()
            self.add(depth, f"while {self.pick([' and ', ' and ', ' and ']).join(f'({x})' for x in tests)}:")
            self.add(depth + 1, self.pick([f"{t} += 1", f"{t} = {t} + 1"]))
        elif kind == "each":
            self.counts["each"] += 1
            self.add(depth, f"for e{t} in {self.pick(has['vector'])}:")
            self.add(depth + 1, f"{t} = 1")
            inner["scalar"] = inner["scalar"] + [f"e{t}"]
        elif kind == "span":
            self.counts["span"] += 1
            n, m = self.pick(has["number"]), self.pick(has["number"])
            self.add(depth, self.pick([f"for {t} in range({n} % 3, {m} % 4 + {n} % 3):", f"for {t} in range({m} % 6):", f"for {t} in range({n} % 4, -1, -1):"]))
        elif kind == "for":
            self.counts["for"] += 1
            self.add(depth, f"for {t} in range({most}):")
            self.add(depth + 1, f"if {test}:")
            self.add(depth + 2, "break")
        else:
            self.counts["for"] += 1
            self.add(depth, f"for {t} in range({self.pick(['0', '1', 'p'])}, {most}, {self.pick(['1', '2'])}):")
            is_array = False
        inner["integer" if is_array and kind == "while" else "number"] = [*has["integer" if is_array and kind == "while" else "number"], t]
        if self.random.random() < 0.25:
            self.counts["late"] += 1
            self.add(depth + 1, f"if {t} == {self.pick(['2', '3', '6'])}:")
            self.block(inner, depth + 2, loops + 1, 0, 1)
        self.block(inner, depth + 1, loops + 1, budget - 1)
        has["number" if inner["number"][-1] == t else "integer"] = inner["number" if inner["number"][-1] == t else "integer"] if kind == "while" else has["number"]

    def statement(self, has, depth, loops, budget):
        kinds = ["assign"] * 5 + ["other"] * 2
        if budget > 0:
            kinds += ["if"] * 2 + ["loop"] * 2
        if loops:
            kinds += ["leave"]
        kind = self.pick(kinds)
        if kind == "assign":
            self.assign(has, depth, self.random.random() < 0.25)
        elif kind == "other":
            self.other(has, depth, loops)
        elif kind == "if":
            self.counts["if"] += 1
            self.add(depth, f"if {self.condition(has)}:")
            self.block(has, depth + 1, loops, budget - 1)
            if self.random.random() < 0.6:
                self.counts["else"] += 1
                self.add(depth, "else:")
                self.block(has, depth + 1, loops, budget - 1)
        elif kind == "leave":
            word = self.pick(["break", "continue", "break", "return x, n0", "raise ValueError('here')"])
            self.counts[word.split()[0]] += 1
            self.add(depth, f"if {self.condition(has)}:")
            self.add(depth + 1, word)
        else:
            self.loop(has, depth, loops, budget)

    def text(self):
        has = {"vector": ["x", "y", "v0", "u0"], "scalar": ["s", "a0"], "integer": ["k", "i0"], "number": ["p", "n0"], "float": ["f0", "f9"]}
        self.add(1, "out, v0, u0, a0, i0, n0, f0, f9 = [], x * 0.5, y + 1, s * 2, k + 1, 0, 1.0, 0.5")
        for _ in range(self.random.randint(0, 2)):
            self.statement(has, 1, 0, 1)
        self.loop(has, 1, 0, 2)
        for _ in range(self.random.randint(0, 3)):
            self.statement(has, 1, 0, 2)
        names = [self.pick(has[kind]) for kind in ("vector", "scalar", "integer", "number", "float")]
        self.add(1, f"return {', '.join(names)}, v0, n0, out")
        return STATE + "\n\ndef f(x, y, s, k, p):\n" + "\n".join(self.lines) + "\n"


def inputs_of(seed, count):
    rng = np.random.default_rng(seed)

    def values(shape):
        return kn.asarray((rng.integers(-4, 9, size=shape) * 0.5).astype("f4"))

    return [(values(4), values(4), values(()), kn.asarray(int(rng.integers(0, 9))), int(rng.integers(0, 3))) for _ in range(count)]


def surroundings_of(seed, count):
    """What other code has changed before each call: globals, attributes, entries, functions, arrays."""
    draw = random.Random(seed + 1)
    own = [{"LIMIT": draw.choice([1, 2, 2, 3]), "GAIN": draw.choice([0.25, 0.25, 0.5]), "rate": draw.choice([0.5, 0.5, 0.25]), "most": draw.choice([4, 6, 6]), "row": draw.choice([0.25, 0.5]), "n": draw.choice([1, 2]),
            "helper": draw.choice(["helper", "helper", "mirrored"]), "table": draw.choice([0.25, 0.5])} for _ in range(count)]
    return [own[0] if draw.random() < 0.5 else o for o in own]


def surround(scope, with_):
    scope["LIMIT"], scope["GAIN"] = with_["LIMIT"], with_["GAIN"]
    scope["Settings"].rate, scope["Settings"].most, scope["Settings"].row[0] = with_["rate"], with_["most"], with_["row"]
    scope["of"].update(helper=scope[with_["helper"]], n=with_["n"])
    scope["TABLE"][1:] = with_["table"]


def observed(function, args, scope, lines):
    """What a call gives, leaves and prints."""
    run = scope["Run"]
    run.count, run.total, run.last, run.kept = 0, 0.5, None, []
    lines.clear()
    result = outcome(function, args)
    state = outcome(lambda: (run.count, run.total, run.last, list(run.kept)), ())
    return result, state, list(lines)


class Out:
    def __init__(self):
        self.lines = []

    def write(self, part):
        self.lines.append(part)

    def flush(self):
        pass


def check(seed, mode, count=8):
    writer = Writer(seed)
    text, out = writer.text(), Out()
    scope, ours = ({"kn": kn, "LIMIT": 2, "GAIN": 0.25, "TABLE": kn.ones(4) * 0.5} for _ in range(2))
    exec(compile(text, f"<loops {seed}>", "exec"), scope)
    exec(compile(text, f"<loops {seed}>", "exec"), ours)
    inputs, around = inputs_of(seed, count), surroundings_of(seed, count)
    before, sys.stdout = sys.stdout, out

    def expected(args, with_):
        surround(scope, with_)
        return observed(scope["f"], args, scope, out.lines)

    try:
        want = [expected(args, with_) for args, with_ in zip(inputs, around)]
        order = list(range(count)) + random.Random(seed).choices(range(count), k=3 * count)
        with kn.config.override(jit=mode), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            jitted = kn.jit(ours["f"])
            for step, i in enumerate(order):
                surround(ours, around[i])
                got = observed(jitted, inputs[i], ours, out.lines)
                assert got == want[i], f"seed {seed}, mode {mode}, call {step} with input {i} and {around[i]}:\n{text}\njit   {got}\neager {want[i]}"
            if seed % 4 == 0 and "Run." not in "".join(writer.lines) and "print(" not in text:
                surround(ours, around[0])
                together(seed, text, jitted, inputs, [expected(args, around[0])[0] for args in inputs])
                writer.counts["threads"] += 1
    finally:
        sys.stdout = before
    return writer.counts, jitted


def together(seed, text, jitted, inputs, want):
    """Calls from several threads at once, of paths that are known and of new ones."""
    wrong = []

    def work(first):
        for i in range(2 * len(inputs)):
            i = (first + i) % len(inputs)
            if (got := outcome(jitted, inputs[i])) != want[i]:
                wrong.append(f"seed {seed}, in threads, input {i}:\n{text}\njit   {got}\neager {want[i]}")

    threads = [threading.Thread(target=work, args=(first,)) for first in range(0, len(inputs), 2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong, wrong[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--mode", default="")
    options = parser.parse_args()
    counts, wrong, ends, loops, misses = collections.Counter(), 0, collections.Counter(), collections.Counter(), 0
    for seed in range(options.first_seed, options.first_seed + options.programs):
        try:
            found, jitted = check(seed, options.mode or ("sync" if seed % 8 == 0 else "auto"))
            counts += found
            ends.update(node["ends"] for v in jitted.explain().variants for node in v["nodes"])
            ends["whole variants in eager"] += sum(bool(v["eager"]) for v in jitted.explain().variants)
            found = {loop["why"] for v in jitted.explain().variants for step in v["steps"] for loop in step["loops"] if not loop["trips"]}
            loops["programs with loops"] += "" in found
            misses += jitted.stats.misses
        except AssertionError as error:
            wrong += 1
            print(str(error)[:6000], flush=True)
    print(f"loops: {options.programs} programs, {wrong} wrong; {misses} recordings; {dict(loops)}; nodes {dict(ends)}; never drawn: {sorted(CONSTRUCTS - set(counts)) or 'nothing'}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
