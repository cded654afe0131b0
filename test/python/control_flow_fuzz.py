"""Random programs with `if`, `while`, `for` and `break` over arrays and integers, in eager and under jit: the same bits, arguments and errors.

    python test/python/control_flow_fuzz.py --first-seed 0 --programs 1000
"""
import argparse
import collections
import enum
import itertools
import random
import struct
import sys
import warnings

import numpy as np

import kiln as kn

CONSTRUCTS = {"if", "else", "while", "for", "break", "continue", "return", "try", "raise", "write", "view", "list", "int()", "and", "call", "written argument", "augmented", "with", "enum", "mask",
              "generator", "map", "sorted", "position", "spread", "pairs", "parts"}


class Scope:
    """What `with` enters and leaves; some swallow errors."""

    def __init__(self, swallows):
        self.swallows, self.left = swallows, 0

    def __enter__(self):
        self.left -= 1
        return self

    def __exit__(self, kind, error, trace):
        self.left += 3
        return self.swallows and kind is ValueError


class Kind(enum.Enum):
    FIRST = 1
    SECOND = 2


# Comparing


def copies(args):
    leaves, shape = kn.tree.flatten(args)
    return kn.tree.unflatten(shape, [kn.copy(x) if isinstance(x, kn.Array) else x for x in leaves])


def described(value, arrays, known):
    """A value as plain data: bits, types, and which objects are one."""
    if isinstance(value, kn.Array):
        if id(value) not in known:
            known[id(value)] = len(known)
            arrays.append(value)
        x = value.numpy()
        nans = np.isnan(x) if x.dtype.kind in "fc" else np.zeros(x.shape, bool)
        return "array", known[id(value)], value.dtype.name, x.shape, np.where(nans, 0, x).tobytes(), nans.tobytes()
    if isinstance(value, float):
        return "float", "nan" if value != value else struct.pack("<d", value)
    if isinstance(value, dict):
        return [(k, described(v, arrays, known)) for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [described(v, arrays, known) for v in value]
    return type(value).__name__, value


def outcome(function, args):
    """What a call gives and leaves behind: the result, the arguments, and both again after the last array of the result was written."""
    args, arrays, known = copies(args), [], {}
    try:
        result = function(*args)
    except Exception as error:
        result = type(error).__name__, str(error).splitlines()[0]
    first = described((args, result), arrays, known)
    made = [a for a in arrays if a.size and a.dtype.name in ("float32", "int64")]
    if made:
        made[-1][...] = 3
    return first, described((args, result), arrays, known)


# Programs


class Writer:
    """Writes a function of (x, y, m, s, k, p): two vectors of four, a matrix, a float and an int array without axes, a Python int."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.counts = collections.Counter()
        self.lines, self.names = [], 0

    def pick(self, options):
        return self.random.choice(options)

    def vector(self, has):
        v, w = self.pick(has["vector"]), self.pick(has["vector"])
        return self.pick([f"{v} + {w}", f"{v} * 0.5", f"kn.tanh({v})", f"kn.where({v} > 0, {v}, {w})", f"{v}[::-1] + 1", f"kn.copy({v})", f"{v} - {self.pick(has['scalar'])}",
                          f"kn.cumulative_sum({v})", f"{v} * {self.pick(has['number'])}", f"kn.concat([{v}[:2], {w}[1:3]])", f"kn.maximum({v}, {w})", f"helper({v})"])

    def scalar(self, has):
        v, s = self.pick(has["vector"]), self.pick(has["scalar"])
        return self.pick([f"kn.sum({v})", f"{v}[0] * 2", f"{v}[3] - {s}", f"kn.max({v})", f"{s} + 1", f"{s} * 0.5", "kn.mean(m)", f"{s} - {self.pick(has['number'])}"])

    def of_numbers(self, has):
        """A number by way of containers, generators and functions of Python."""
        kind = self.pick(["generator", "map", "sorted", "position", "spread", "pairs", "parts"])
        self.counts[kind] += 1
        a, b, c = (self.pick(has["number"]) for _ in range(3))
        return {"generator": f"{self.pick(['sum', 'max', 'any'])}(n % 3 for n in ({a}, {b}))", "map": f"{self.pick(['sum', 'min', 'max'])}(map(lambda n, m=2: n % m + 1, [{a}, {b}]))",
                "sorted": f"sorted([{a}, {b}, {c}], reverse={c!r} == 'p')[{self.pick('012')}]", "position": f"[{a}, 2, {b}][{c} % 3]", "spread": f"(lambda n, *m: m[0] - n)(*[{a}, {b}, {c}][{self.pick(['0', '1'])}:])",
                "pairs": f"dict(zip('ab', reversed([{a}, {b}])))['b'] % 4", "parts": f"divmod({a}, {b} % 2 + 1)[{self.pick('01')}]"}[kind]

    def number(self, has):
        k = self.pick(has["integer"])
        if self.random.random() < 0.25:
            return self.of_numbers(has)
        return self.pick([f"{self.pick(has['number'])} + 1", f"int({k})", f"int(kn.clip({self.pick(has['scalar'])}, -3, 3))", f"{k}.item() % 3", "2", f"int(kn.argmax({self.pick(has['vector'])}))"])

    def integer(self, has):
        k = self.pick(has["integer"])
        return self.pick([f"{k} + 1", f"{k} // 2", f"{k} * 3 % 5", f"kn.argmax({self.pick(has['vector'])})", f"{k} - {self.pick(has['number'])}"])

    def condition(self, has):
        s, k, v = self.pick(has["scalar"]), self.pick(has["integer"]), self.pick(has["vector"])
        p = self.pick(has["number"])
        test = self.pick([f"{s} > 0", f"{k} % 2 == 0", f"kn.any({v} > 1)", f"{p} < 2", f"{v}[0] < {self.pick(has['vector'])}[1]", f"{k}", f"not {k} > 1", f"int({k}) in (0, 2)", f"{s}",
                          f"kn.all(kn.isfinite({v}))", f"{s} == {s}", f"{k} < {p}", "kind is Kind.FIRST", "kind == Kind.SECOND and kind.value > 1"])
        self.counts["enum"] += "Kind." in test
        if self.random.random() < 0.2:
            self.counts["and"] += 1
            return f"{test} {self.pick(['and', 'or'])} {self.pick([f'{s} < 1', f'{p} > 0', f'{k} > 1'])}"
        return test

    def add(self, depth, line):
        self.lines.append("    " * depth + line)

    def assign(self, has, depth, is_new):
        kind = self.pick(["vector", "vector", "scalar", "number", "integer"])
        text = getattr(self, kind)(has)
        self.counts["int()"] += "int(" in text
        own = [n for n in has[kind] if n not in ("x", "y") and n[0] != "t"]
        if is_new or not own:
            self.names += 1
            name = f"{kind[0]}{self.names}"
            self.add(depth, f"{name} = {text}")
            has[kind] = has[kind] + [name]
        else:
            self.add(depth, f"{self.pick(own)} = {text}")

    def write(self, has, depth):
        v, s = self.pick(has["vector"]), self.pick(has["scalar"])
        self.counts["write"] += 1
        self.counts["written argument"] += v in "xy"
        self.counts["augmented"] += 1
        self.add(depth, self.pick([f"{v} += 1", f"{v}[1:] *= 0.5", f"{v}[0] = {s}", f"{v}[{self.pick(has['number'])} % 4] = 2", "m[0] = m[1]", f"{v} -= {self.pick(has['vector'])}",
                                   f"{v}[...] = {self.pick(has['vector'])}", "m *= 0.5"]))

    def mask(self, has, depth):
        """A mask of a name of its own, read and written through several times; perhaps it changes in between."""
        self.names += 1
        self.counts["mask"] += 1
        mask, v, w = f"b{self.names}", self.pick(has["vector"]), self.pick(has["vector"])
        self.add(depth, f"{mask} = {v} > {self.pick([self.pick(has['scalar']), '0', w])}")
        for _ in range(self.random.randint(1, 3)):
            t = self.pick(has["vector"])
            self.add(depth, self.pick([f"{t}[{mask}] = {self.pick(has['number'])}", f"{t}[{mask}] *= 2", f"{t}[{mask}] = {w}[{mask}] + 1", f"{mask}[1:3] = {t}[1:3] < 1", f"{mask}[0] = True",
                                       f"m[:, :2] += kn.sum({t}[{mask}])", f"{t}[0] = kn.sum({w}[{mask}]) + {t}[{mask}].size"]))

    def view(self, has, depth):
        self.names += 1
        self.counts["view"] += 1
        text = self.pick([self.pick(has["vector"]) + "[::-1]", "m.reshape(6)[1:5]", "m.T.reshape(6)[:4]"])
        self.add(depth, f"v{self.names} = {text}")
        has["vector"] = has["vector"] + [f"v{self.names}"]

    def block(self, has, depth, loops, budget):
        """Statements; names that they make are not seen behind them."""
        has = dict(has)
        for _ in range(self.random.randint(1, 3)):
            self.statement(has, depth, loops, budget)

    def statement(self, has, depth, loops, budget):
        kinds = ["assign"] * 5 + ["write"] * 2 + ["view", "list", "mask"]
        if budget > 0:
            kinds += ["if"] * 4 + ["while", "for", "try", "with"]
        if loops:
            kinds += ["leave"]
        kind = self.pick(kinds)
        if kind == "assign":
            self.assign(has, depth, self.random.random() < 0.4)
        elif kind in ("write", "view", "mask"):
            getattr(self, kind)(has, depth)
        elif kind == "list":
            self.counts["list"] += 1
            self.add(depth, f"out.append({self.pick(has['vector'] + has['scalar'] + has['number'] + ['len(out)'])})")
        elif kind == "leave":
            word = self.pick(["break", "continue", "return"])
            self.counts[word] += 1
            self.add(depth, f"if {self.condition(has)}:")
            self.add(depth + 1, word if word != "return" else f"return {self.result(has)}")
        elif kind == "if":
            self.counts["if"] += 1
            self.add(depth, f"if {self.condition(has)}:")
            self.block(has, depth + 1, loops, budget - 1)
            if self.random.random() < 0.5:
                self.counts["else"] += 1
                self.add(depth, "else:")
                self.block(has, depth + 1, loops, budget - 1)
        elif kind == "with":
            self.counts["with"] += 1
            self.names += 1
            name, swallows = f"c{self.names}", self.random.random() < 0.5
            self.add(depth, f"{name} = Scope({swallows})")
            self.add(depth, f"with {name}" + self.pick(["", " as entered", f", Scope({not swallows})"]) + ":")
            inside = {**has, "number": has["number"] + [f"{name}.left"]}
            self.block(inside, depth + 1, loops, budget - 1)
            if self.random.random() < 0.4:
                self.add(depth + 1, f"if {self.condition(inside)}:")
                self.add(depth + 2, self.pick(["raise ValueError('here')", "kind = Kind.SECOND"]))
            self.add(depth, f"out.append({name}.left)")
        elif kind == "try":
            self.counts["try"] += 1
            self.add(depth, "try:")
            self.block(has, depth + 1, loops, budget - 1)
            if self.random.random() < 0.7:
                self.counts["raise"] += 1
                self.add(depth + 1, f"if {self.condition(has)}:")
                self.add(depth + 2, "raise ValueError('here')")
            self.add(depth, f"except {self.pick(['ValueError', '(ValueError, IndexError)', 'KeyError'])}:")
            self.block(has, depth + 1, loops, budget - 1)
        else:
            self.counts[kind] += 1
            self.names += 1
            trip = f"t{self.names}"
            if kind == "while":
                self.add(depth, f"{trip} = 0")
                self.add(depth, f"while ({self.condition(has)}) and {trip} < {self.random.randint(1, 4)}:")
                self.add(depth + 1, f"{trip} += 1")
            else:
                self.add(depth, f"for {trip} in range({self.pick(['2', '3', 'p + 1', 'int(k) % 4'])}):")
            self.block({**has, "number": has["number"] + [trip]}, depth + 1, loops + 1, budget - 1)

    def result(self, has):
        names = [self.pick(has[kind]) for kind in ("vector", "scalar", "number", "integer", "vector")]
        return self.pick([f"{names[0]}, {names[1]}, out", f"{{'a': {names[0]}, 'b': [{names[1]}, {names[2]}]}}", f"{names[0]}, {names[4]}, {names[3]}, {names[2]}", names[0]])

    def text(self):
        has = {"vector": ["x", "y"], "scalar": ["s"], "number": ["p"], "integer": ["k"]}
        self.add(1, f"out, kind = [], Kind.{self.pick(['FIRST', 'SECOND'])}")
        for _ in range(self.random.randint(3, 8)):
            self.statement(has, 1, 0, 3)
        self.add(1, f"return {self.result(has)}")
        text = "def helper(v):\n    if v[2] > 0:\n        return v * 2\n    return v - 1\n\n\ndef f(x, y, m, s, k, p):\n" + "\n".join(self.lines) + "\n"
        self.counts["call"] += "helper(" in "\n".join(self.lines)
        return text


def inputs_of(seed, count):
    """Few different values, so that paths are met again."""
    rng = np.random.default_rng(seed)

    def values(shape):
        return kn.asarray((rng.integers(-2, 4, size=shape) * 0.75).astype("f4"))

    return [(values(4), values(4), values((2, 3)), values(()), kn.asarray(int(rng.integers(0, 4))), int(rng.integers(0, 2))) for _ in range(count)]


def driven(function):
    """The jitted function after so many different floats that Python goes first on each call; it asks for one more on each."""
    def first_asks(number, *args):
        if not repr(float(number)):  # a text, which asks for the value
            raise AssertionError
        return function(*args)

    jitted, numbers = kn.jit(first_asks), itertools.count()
    return jitted, lambda *args: jitted(kn.asarray(next(numbers) + 0.25), *args)


def check(seed, mode, count=10):
    """(constructs of a program, its jitted function); AssertionError where jit and eager differ."""
    writer = Writer(seed)
    text, scope = writer.text(), {"kn": kn, "Scope": Scope, "Kind": Kind}
    exec(compile(text, f"<program {seed}>", "exec"), scope)
    function, inputs = scope["f"], inputs_of(seed, count)
    want = [outcome(function, args) for args in inputs]
    order = list(range(count)) + random.Random(seed).choices(range(count), k=2 * count)
    if mode == "sync":  # one path becomes hot, and then others are taken
        order += [0] * 40 + list(range(count))
    with kn.config.override(jit=mode.removeprefix("driven ")), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jitted = call = kn.jit(function)
        if mode.startswith("driven"):
            jitted, call = driven(function)
        for step, i in enumerate(order):
            got = outcome(call, inputs[i])
            assert got == want[i], f"seed {seed}, mode {mode}, call {step} with input {i}:\n{text}\njit   {got}\neager {want[i]}"
    return writer.counts, jitted


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--inputs", type=int, default=10, help="of each program, each met three times and more")
    options = parser.parse_args()
    counts, wrong, ends = collections.Counter(), 0, collections.Counter()
    for seed in range(options.first_seed, options.first_seed + options.programs):
        try:
            found, jitted = check(seed, {0: "sync", 10: "driven sync"}.get(seed % 20, "driven auto" if seed % 4 == 1 else "auto"), options.inputs)
            counts += found
            ends.update(node["ends"] for v in jitted.explain().variants for node in v["nodes"])
            ends["whole variants in eager"] += sum(bool(v["eager"]) for v in jitted.explain().variants)
        except AssertionError as error:
            wrong += 1
            print(error, flush=True)
    print(f"control flow: {options.programs} programs, {wrong} wrong; nodes {dict(ends)}; never drawn: {sorted(CONSTRUCTS - set(counts)) or 'nothing'}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
