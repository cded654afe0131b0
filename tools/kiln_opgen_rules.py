"""Differentiation and batching rules of the op records as C++ tables (kiln-opgen): what is checked, and what is written.

A DAG of a record becomes a list of steps that frontend/rules runs; a symbol becomes a declaration, which must link.
"""
import itertools

FLOATING = ["f16", "bf16", "f32", "f64", "c64", "c128"]
PARTS = {"c64": "f32", "c128": "f64"}
# The floating dtypes of each set of enum Accepts in lib/Core/Ops.h.
ACCEPTED = {
    **dict.fromkeys(("any", "all", "numeric", "floating"), FLOATING), **dict.fromkeys(("real", "ordered", "realFloating"), FLOATING[:4]),
    **dict.fromkeys(("wide", "realInexact"), ["f32", "f64"]), "inexact": ["f32", "f64", "c64", "c128"], "complex": ["c64", "c128"],
}
TRUTHS = {"any", "all", "ordered", "integral", "boolean"}  # sets with bool among them
# What each inference rule of elementwise ops makes of the dtype of its operands.
RESULTS = {
    "inferElementwise": lambda t: t, "inferSelect": lambda t: t, "inferComparison": lambda t: "bool", "inferReal": lambda t: PARTS.get(t, t),
}
ZERO = ("number", "0")
STEPS, NUMBERS = 16, 8  # the most of a rule, as frontend/rules/Table.h has room for them


class RuleError(Exception):
    """A rule that is wrong; its message goes on after "op '...' "."""


def parse(dag):
    """A DAG as nested tuples: ("op", mnemonic, operands), ("number", text), ("variable", name), ("nothing",)."""
    kind = dag["operator"]["def"]
    args = [("variable", name) if value is None else parse(value) if isinstance(value, dict) else value for value, name in dag["args"]]
    if kind == "op":
        if not args or not isinstance(args[0], str) or not all(isinstance(a, tuple) for a in args[1:]):
            raise RuleError('has a gradient rule with an op of another form than (op "name", operands)')
        return "op", args[0], tuple(args[1:])
    if kind == "number":
        try:
            float(args[0])
        except (ValueError, TypeError, IndexError):
            raise RuleError(f"has a gradient rule with the number {args!r}, which is none") from None
        return "number", args[0]
    if kind == "same" and args == [("variable", "ct")]:
        return args[0]
    if kind == "nothing" and not args:
        return ("nothing",)
    raise RuleError(f"has a gradient rule with ({kind}), which is none of (op ...), (number ...), (same $ct), (nothing)")


def operands_of(node):
    return node[2] if node[0] == "op" else ()


def variables(node):
    if node[0] == "variable":
        return {node[1]}
    return set().union(*(variables(a) for a in operands_of(node)))


class Checker:
    """Checks the DAGs of one op against the other records, which are by mnemonic."""

    def __init__(self, op, ops):
        self.op, self.ops = op, ops

    def check(self):
        op, rules = self.op, self.op["derivatives"]
        if op["kind"] != "elementwise" or op["infer"] not in ("inferElementwise", "inferSelect"):
            raise RuleError("has gradient rules, and a result that is not of its operands' shape and dtype: name C++ functions (InCpp, Linear)")
        if len(rules) != len(op["operands"]):
            raise RuleError(f"has {len(rules)} gradient rules, and {len(op['operands'])} operands")
        for rule in rules:
            if rule == ("nothing",):
                continue
            for name in sorted(variables(rule) - {"ct", "result", *op["operands"]}):
                raise RuleError(f"has a gradient rule that names ${name}: expected $ct, $result or an operand of {op['operands']}")
            if "ct" not in variables(rule):
                raise RuleError("has a gradient rule without $ct: write (nothing) where no gradient flows")
            self.check_ops(rule)
            self.check_linear(rule)
            writer = Writer(self.op, self.ops)
            writer.write(rule)
            if len(writer.lines) > STEPS or len(writer.numbers) > NUMBERS:
                raise RuleError(f"has a gradient rule of {len(writer.lines)} ops and {len(writer.numbers)} numbers: at most {STEPS} and {NUMBERS} have room")
            for dtype in ACCEPTED.get(op["dtypes"], []):
                self.dtype_of(rule, dtype)  # a rule that is linear gives its operand's dtype

    def check_ops(self, node):
        if node[0] == "op":
            called = self.ops.get(node[1])
            if not called:
                raise RuleError(f"has a gradient rule that names {node[1]!r}, which is no op")
            if called["kind"] != "elementwise" or called["attributes"] or called["resultWords"] or called["infer"] not in RESULTS:
                raise RuleError(f"has a gradient rule that names {node[1]!r}, which is not elementwise: name a C++ function (InCpp)")
            if len(node[2]) != len(called["operands"]):
                raise RuleError(f"has a gradient rule with {len(node[2])} operands of {node[1]!r}, which has {len(called['operands'])}")
            for operand in node[2]:
                if operand == ("nothing",):
                    raise RuleError("has a gradient rule with (nothing) inside")
                self.check_ops(operand)

    def check_linear(self, node):
        """An op is linear in operands that their own derivatives do not read, where these read all others."""
        if node[0] != "op" or "ct" not in variables(node):
            return
        called, places = self.ops[node[1]], [i for i, a in enumerate(node[2]) if "ct" in variables(a)]
        names = called["operands"]
        read = [variables(called["derivatives"][i]) if called["derivatives"] else {"result"} for i in places]
        moving = {names[i] for i in places} | {"result"}
        fixed = {name for name, a in zip(names, node[2]) if "ct" not in variables(a) and a != ZERO}
        if any(r & moving or not fixed <= r for r in read):
            raise RuleError(f"has a gradient rule that is not linear in $ct: it stands in operand {places[0]} of {node[1]!r}")
        for i in places:
            self.check_linear(node[2][i])

    def dtype_of(self, node, dtype):
        """The dtype of a node for operands of a dtype; None of numbers."""
        if node[0] == "number":
            return None
        if node[0] == "variable":
            is_condition = self.op["infer"] == "inferSelect" and node[1] == self.op["operands"][0]
            return "bool" if is_condition else dtype
        called, found = self.ops[node[1]], [self.dtype_of(a, dtype) for a in node[2]]
        if called["infer"] == "inferSelect":
            if found[0] != "bool":
                raise RuleError(f"has a gradient rule with a condition of {found[0]} for operands of {dtype}")
            found = found[1:]
        known = {t for t in found if t}
        if len(known) != 1:
            raise RuleError(f"has a gradient rule with {node[1]!r} over {sorted(known) or 'numbers alone'} for operands of {dtype}")
        own = known.pop()
        if own not in ACCEPTED.get(called["dtypes"], []) and not (own == "bool" and called["dtypes"] in TRUTHS):
            raise RuleError(f"has a gradient rule with {node[1]!r} over {own} for operands of {dtype}, which it does not accept")
        return RESULTS[called["infer"]](own)


def read_gradient(record):
    """What the gradient of a record says, as fields of the op."""
    kinds = record["!superclasses"]
    linear = record.get("linear", [])
    return {
        "derivatives": [parse(d) for d in record.get("derivatives", [])], "singular": bool(record.get("singular")),
        "rule": record.get("symbol", ""), "linear": linear, "jointly": bool(record.get("jointly")),
        "gradient": next(c for c in ("Gradient", "InCpp", "NonDifferentiable") if c in kinds),
        "why": record.get("why") or record.get("how", ""), "isDifferentiable": "NonDifferentiable" not in kinds,
    }


def read_batching(records, d):
    """How an op runs for a batch: "elementwise", "none" (no operands), "shifted" with attributes, or a C++ symbol."""
    if d["batching"]:
        record = records[d["batching"]["def"]]
        return {"batching": record.get("symbol", "shifted"), "batchedAxes": record.get("axes", [])}
    derived = {"elementwise": "elementwise", "source": "none", "control": "none"}.get(d["kind"], "")
    return {"batching": derived, "batchedAxes": []}


def check(op, ops):
    """Raises RuleError for a decision that is none."""
    if op["derivatives"]:
        Checker(op, ops).check()
    if not op["batching"]:
        raise RuleError("decides nothing about batches: give Shifted or BatchInCpp")
    attributes = [name for name, _ in op["attributes"]]
    for name in op["batchedAxes"]:
        if name not in attributes:
            raise RuleError(f"shifts {name!r} in a batch, which is no attribute: expected one of {attributes}")
    for name in op["linear"]:
        if name not in op["operands"]:
            raise RuleError(f"is linear in {name!r}, which is no operand: expected one of {op['operands']}")
    if (op["kind"] not in ("elementwise", "source", "control") or op["resultWords"]) and op["operands"] and not op["samples"]:
        raise RuleError("has no samples for the tests of its rules")


#===-- C++ -------------------------------------------------------------------------------------------------------------===


class Writer:
    """The steps of one DAG: one for each op, equal ones once, and the numbers that they name."""

    def __init__(self, op, ops):
        self.op, self.ops, self.lines, self.places, self.numbers = op, ops, [], {}, []

    def write(self, node):
        """Where the value of a node is: a place, as frontend/rules/Table.h counts them."""
        if node[0] == "number":
            if float(node[1]) not in self.numbers:
                self.numbers.append(float(node[1]))
            return f"kNumber + {self.numbers.index(float(node[1]))}"
        if node[0] == "variable":
            return {"ct": "kCotangent", "result": "kResult"}.get(node[1]) or f'kOperand + {self.op["operands"].index(node[1])}'
        if node not in self.places:
            args = ", ".join([self.write(a) for a in node[2]])
            self.places[node] = f"kStep + {len(self.places)}"
            self.lines.append(f"{{Op::{self.ops[node[1]]['id']}, {{{args}}}}}")
        return self.places[node]


def derivatives(ops):
    by_name = {o["name"]: o for o in ops}
    yield "// The derivatives of the records, by operand: what each makes of a tangent or cotangent, step by step."
    for o in ops:
        formulae = []
        for number, rule in enumerate(o["derivatives"]):
            if rule == ("nothing",):
                formulae.append("{nullptr, nullptr, 0, false}")
                continue
            writer, name = Writer(o, by_name), f'{o["id"]}{number}'
            writer.write(rule)
            if writer.lines:
                yield f'static constexpr Step steps{name}[] = {{{", ".join(writer.lines)}}};'
            if writer.numbers:
                yield f'static constexpr double numbers{name}[] = {{{", ".join(map(repr, writer.numbers))}}};'
            steps, numbers = (f"{kind}{name}" if items else "nullptr" for kind, items in (("steps", writer.lines), ("numbers", writer.numbers)))
            formulae.append(f"{{{steps}, {numbers}, {len(writer.lines)}, true}}")
        if o["isDifferentiable"] and o["arity"] >= 0:
            yield f'static constexpr uint32_t reads{o["id"]}[] = {{{", ".join(f"{bits}u" for bits in reads(o))}}};'
        if formulae:
            yield f'static constexpr Derivative derivatives{o["id"]}[] = {{{", ".join(formulae)}}};'


def symbols(ops):
    """The C++ functions that the records name."""
    yield "// KILN_VJP(name), KILN_JVP(name), KILN_BATCH(name): functions that the records name."
    named = {"KILN_VJP": [o["rule"] for o in ops if o["rule"]], "KILN_JVP": [o["rule"] for o in ops if o["rule"] and not o["linear"]],
             "KILN_BATCH": [o["batching"] for o in ops if o["batching"] not in ("elementwise", "none", "shifted")]}
    for macro, names in named.items():
        yield from (f"{macro}({name})" for name in sorted(set(names)))
    yield "#undef KILN_VJP\n#undef KILN_JVP\n#undef KILN_BATCH"


def mask(names, chosen):
    return sum(1 << i for i, name in enumerate(names) if name in chosen)


RESULT = 1 << 31


def reads(op):
    """For each operand what its gradient reads more of than the type: bits of operands, and of the result."""
    everything = mask(op["operands"], op["operands"])
    if op["derivatives"]:
        return [mask(op["operands"], variables(rule)) | ("result" in variables(rule)) * RESULT for rule in op["derivatives"]]
    if op["linear"] and op["jointly"]:
        return [everything & ~mask(op["operands"], op["linear"])] * len(op["operands"])
    if op["linear"]:
        return [everything & ~(1 << i) for i in range(len(op["operands"]))]
    return [everything | RESULT] * len(op["operands"])


def table(ops):
    yield "// {derivatives, isSingular, vjp, jvp, linear operands, jointly, what gradients read, batch, shifted attributes, reason of no gradient}, by op"
    batches = {"elementwise": "batchElementwise", "shifted": "batchShifted", "none": "nullptr"}
    for o in ops:
        vjp = f'vjp::{o["rule"]}' if o["rule"] else "nullptr"
        jvp = f'jvp::{o["rule"]}' if o["rule"] and not o["linear"] else "nullptr"
        linear = 0xffffffff if o["arity"] < 0 and o["linear"] else mask(o["operands"], o["linear"])
        attributes = [name for name, _ in o["attributes"]]
        rows = [f'derivatives{o["id"]}' if o["derivatives"] else "nullptr", str(o["singular"]).lower(), vjp, jvp, f"{linear}u",
                str(o["jointly"]).lower(), f'reads{o["id"]}' if o["isDifferentiable"] and o["arity"] >= 0 else "nullptr", batches.get(o["batching"], f'batch::{o["batching"]}'), f'{mask(attributes, o["batchedAxes"])}u',
                "nullptr" if o["isDifferentiable"] else '"' + o["why"] + '"']
        yield "{" + ", ".join(rows) + "},"


def files(ops):
    return {"kiln/Derivatives.inc": derivatives(ops), "kiln/RuleSymbols.inc": symbols(ops), "kiln/Rules.inc": itertools.chain(table(ops))}
