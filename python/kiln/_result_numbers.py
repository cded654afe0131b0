"""Numbers in the results of a function that is exported: those that follow from sizes are computed by its programs."""
import math

from . import full
from ._signature import build, text_of

# Python's numbers as arrays, of which it gets them back.
NUMBERS = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}
_MOST_EXACT = 2**53  # whole numbers below have one float64 each


class Varies(Exception):
    """A number that was taken for the same at all sizes is not: all sizes are recorded anew."""


def is_number(tree):
    """Whether a tree is a number that an array can hold."""
    if tree[0] not in ("value", "number"):
        return False
    value = build(tree, ())
    return type(value) in NUMBERS and (type(value) is not int or -2**63 <= value < 2**63)


def parts_of(tree, path=()):
    """The trees in a tree of a result that are no containers, each with its path as texts."""
    kind, *rest = tree
    if kind in ("list", "tuple"):
        items = [(str(i), item) for i, item in enumerate(rest[0])]
    elif kind in ("dict", "namedtuple"):
        items = rest[0] if kind == "dict" else zip(rest[1], rest[2])
    else:
        return [(path, tree)]
    return [part for key, item in items for part in parts_of(item, (*path, key))]


def replaced(tree, new, path=()):
    """A tree with others in the place of some parts, by their path."""
    kind, *rest = tree
    if kind in ("list", "tuple"):
        return [kind, [replaced(item, new, (*path, str(i))) for i, item in enumerate(rest[0])]]
    if kind == "dict":
        return ["dict", [[k, replaced(item, new, (*path, k))] for k, item in rest[0]]]
    if kind == "namedtuple":
        return ["namedtuple", rest[0], rest[1], [replaced(item, new, (*path, n)) for n, item in zip(rest[1], rest[2])]]
    return new.get(path, tree)


def _numerator(value, divisor):
    """The whole number that divided by another one is a float64, bit by bit; None where there is none."""
    if not math.isfinite(value) or not divisor or abs(value * divisor) >= _MOST_EXACT:
        return None
    whole = round(value * divisor)
    return whole if repr(whole / divisor) == repr(value) else None


def are_same(one, other):
    """Whether two trees are of the same values: 1, 1.0 and True are none, nor are 0.0 and -0.0."""
    return repr(one) == repr(other)


class ResultNumbers:
    """The numbers in the result of an entry, by path. What is the same in all recordings stands in the result; another is an output."""

    def __init__(self):
        self.first = None  # the parts of the first recording
        self.forms = {}  # of numbers that are outputs: how many ways to write it have been tried
        self.others = []  # paths of what differs and is no such number, or follows from no sizes

    def note(self, tree):
        """Looks at the result of a recording. Raises Varies where a number of it is to be an output, or cannot be one any more."""
        parts = dict(parts_of(tree))
        self.first = self.first or parts
        for path in parts.keys() & self.first.keys():
            one, other = self.first[path], parts[path]
            if path in self.others or are_same(one, other):
                continue
            are_numbers = all(map(is_number, (one, other))) and type(build(one, ())) is type(build(other, ()))
            if path not in self.forms and (are_numbers or "item" in (one[0], other[0])):
                self._try(path, 0)
            if path not in self.forms or not are_numbers and "item" not in (one[0], other[0]):
                self.forms.pop(path, None)
                self.others.append(path)
                self._again()

    def _again(self):
        self.first = None
        raise Varies

    def _try(self, path, form):
        self.forms[path] = form
        self._again()

    def _output(self, path, value, sizes):
        """The number of a recording as an array, written by whole numbers that may follow from the sizes."""
        if type(value) is not float:
            return full((), value, dtype=NUMBERS[type(value)])
        form, divisors = self.forms[path], [1, 2, *sizes]
        if form == len(divisors):
            self.others += [path] if path not in self.others else []
            return full((), value, dtype="float64")
        whole = _numerator(value, divisors[form])
        if whole is None:
            self._try(path, form + 1)
        number = full((), float(whole), dtype="float64")
        return number if form == 0 else number / full((), float(divisors[form]), dtype="float64")

    def taken(self, tree, arrays, sizes):
        """The tree of a recording with outputs, behind its arrays, in the place of numbers; and these as (array, path)."""
        self.note(tree)
        values = {path: build(part, ()) for path, part in parts_of(tree) if path in self.forms and is_number(part)}
        found = [(self._output(path, value, sizes), ("result", *path)) for path, value in values.items()]
        return replaced(tree, {path: ["item", arrays + i] for i, path in enumerate(values)}), found

    def text(self):
        """What differs between sizes otherwise than as a number that follows from them."""
        return ", ".join(text_of(("result", *path)) for path in self.others)
