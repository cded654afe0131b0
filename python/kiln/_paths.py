"""Recordings of a function that asks for values, one for each way it took, as one function without questions: it branches instead."""
import math

from . import _core, bitcast, copy, equal, full, imag, logical_and, logical_not, real, reshape, switch, where, zeros
from ._errors import make
from ._result_numbers import NUMBERS, are_same, is_number
from ._signature import build


def _moved(source, places):
    kind, index = source
    return (kind, places[index]) if kind == "entry" else (kind, index)


def _unified(trees, path, items, outputs):
    """One structure for those of several ways. Numbers that differ, or are to be ``outputs``, become items of arrays, which ``items`` gets: the path, and the
    number of each way."""
    first = trees[0]
    is_same = all(are_same(t, first) for t in trees)
    if is_same and not outputs:
        return first
    kinds, parts = {t[0] for t in trees}, None
    if all(map(is_number, trees)) and (not is_same or tuple(path) in outputs):
        values = [build(t, ()) for t in trees]
        if len({type(v) for v in values}) == 1:
            items.append((path, values))
            return ["item", len(items) - 1]
    elif len(kinds) == 1 and first[0] in ("list", "tuple", "namedtuple", "dict") and all(t[1:-1] == first[1:-1] and len(t[-1]) == len(first[-1]) for t in trees):
        if first[0] != "dict":
            parts = [_unified([t[-1][i] for t in trees], [*path, str(i)], items, outputs) for i in range(len(first[-1]))]
        elif len({tuple(k for k, _ in t[-1]) for t in trees}) == 1:
            parts = [[k, _unified([t[-1][i][1] for t in trees], [*path, k], items, outputs)] for i, (k, _) in enumerate(first[-1])]
    if parts is None and is_same:
        return first
    if parts is None:
        raise make("TraceError", f"export: result: expected one structure on every way, got {first} on one and {next(t for t in trees if not are_same(t, first))} on another")
    return [*first[:-1], parts]


def _renumbered(tree, arrays):
    """A structure whose items are arrays behind the others."""
    kind, *rest = tree
    if kind == "item":
        return ["item", arrays + rest[0]]
    if kind == "dict":
        return ["dict", [[k, _renumbered(item, arrays)] for k, item in rest[0]]]
    return [kind, *rest[:-1], [_renumbered(item, arrays) for item in rest[-1]]] if kind in ("list", "tuple", "namedtuple") else tree


def _has(asked, value):
    """Whether an array has these bytes."""
    size = len(value) // max(math.prod(asked.shape), 1)
    if asked.dtype.kind == "c":
        half = size // 2
        halves = [value[i:i + half] for i in range(0, len(value), half)]
        return logical_and(_has(real(asked), b"".join(halves[::2])), _has(imag(asked), b"".join(halves[1::2])))
    if asked.dtype.kind == "f":
        asked = bitcast(asked, f"int{8 * size}")
    signed = asked.dtype.kind == "i"
    numbers = [int.from_bytes(value[i:i + size], "little", signed=signed) for i in range(0, len(value), size)] if value else []
    elements = [asked] if asked.shape == () else [reshape(asked, (-1,))[i] for i in range(len(numbers))]
    same = None
    for element, number in zip(elements, numbers):
        one = equal(element, bool(number) if asked.dtype.kind == "b" else number)
        same = one if same is None else logical_and(same, one)
    return equal(zeros((), dtype="int64"), 0) if same is None else same


class _Node:
    """A piece of a recording, and what follows by the answer to the question behind it; or where the results are."""

    def __init__(self, piece):
        self.words, self.inputs, self.live, self.asked, _, self.why = piece
        self.answers, self.number = {}, 0  # what follows by the bytes of the answer, and the number of the question
        self.written, self.results, self.numbers = {}, None, ()  # of an end: sources of new contents by entry, of arrays, and what differs

    @property
    def is_complete(self):
        """Whether every answer that there can be is known: of a truth value, both."""
        return sorted(self.answers) == [b"\0", b"\1"]

    def fits(self, piece):
        return (self.words, self.inputs, self.live, self.asked) == piece[:4]


class Paths:
    """The ways of one entry. Arrays that a recording takes are numbered: those of the call first, then the others as they are met."""

    def __init__(self, entry, arguments):
        self.entry, self.root, self.questions = entry, None, []
        self.count, self.others, self._numbers = arguments, [], {}
        self.written, self.ends = [], []

    def add(self, pieces, arrays, written, outputs, numbers, result):
        """A recording: what ``_export_path`` gives, the numbers of the arrays of the call by their identity, and of the result its structure, the types
        of its arrays and their paths in it."""
        places = [numbers[id(a)] if id(a) in numbers else self._other(a) for a in arrays]
        moved = [self._renumbered(p, places) for p in pieces]
        node = self._at(moved[0], None)
        for before, piece in zip(moved, moved[1:]):
            node = self._at(piece, (node, before[4]))
        ends = [_moved(s, places) for s in outputs]
        node.written, node.results = dict(zip((places[i] for i in written), ends)), ends[len(written):]
        self.written += [p for p in node.written if p not in self.written]
        self.ends.append((node, *result))

    def join(self, outputs):
        """Gives the ways one result: its structure, and the paths of its arrays in it, those of numbers that the ways differ in, and of ``outputs``, behind the
        others."""
        types = self.ends[0][2]
        if other := next((t for _, _, t, _ in self.ends if t != types), None):
            raise make("TraceError", f"export: result of '{self.entry}': expected arrays of the same shapes and dtypes on every way, got {types} on one and {other} on another")
        items = []
        result = _unified([tree for _, tree, _, _ in self.ends], [], items, outputs)
        for i, (node, *_) in enumerate(self.ends):
            node.numbers = [(values[i], NUMBERS[type(values[i])]) for _, values in items]
        self.types = [*types, *((NUMBERS[type(values[0])], ()) for _, values in items)]
        return _renumbered(result, len(types)), [*self.ends[0][3], *(["result", *path] for path, _ in items)]

    def _other(self, array):
        key = _core.memory_key(array)
        if key not in self._numbers:
            self._numbers[key] = self.count + len(self.others)
            self.others.append(array)
        return self._numbers[key]

    def _renumbered(self, piece, places):
        words, inputs, live, asked, value, why = piece
        return words, [_moved(s, places) for s in inputs], [_moved(s, places) for s in live], asked and _moved(asked, places), value, why

    def _at(self, piece, before):
        """The node of a piece, which is the same as that of another recording where the answers so far are."""
        if before is None:
            known = self.root
        else:
            node, value = before
            if not node.answers:
                self.questions.append(node.why)
                node.number = len(self.questions)
            known = node.answers.get(value)
        if known is None:
            known = _Node(piece)
            if before is None:
                self.root = known
            else:
                node.answers[value] = known
        if not known.fits(piece):
            raise make("TraceError", f"export: '{self.entry}': expected a function that does the same where it is told the same, got one that does not, at {known.why or 'its end'}")
        return known

    def open_questions(self):
        """Those that have answers which no example gave, each line once."""
        return list(dict.fromkeys(self.questions[n.number - 1] for n in self._nodes() if n.answers and not n.is_complete))

    def _nodes(self):
        nodes = [self.root] if self.root else []
        for node in nodes:
            nodes += node.answers.values()
        return nodes

    @property
    def state(self):
        """Arrays that are no arguments and are written on some way, in their order."""
        return [a for i, a in enumerate(self.others, self.count) if i in self.written]

    def run(self, arrays):
        """The results for the arrays of a call, behind which stands the ``state``, and the number of the question that had another answer, or 0. What is written
        is written."""
        given = iter(arrays[self.count:])
        entries = [*arrays[:self.count], *(next(given) if i in self.written else a for i, a in enumerate(self.others, self.count))]
        results = self._run(self.root, entries, [], zeros((), dtype="int64"))
        may_miss = bool(self.open_questions())
        for place, new in zip(self.written, results):
            entries[place][...] = where(equal(results[-1], 0), new, entries[place]) if may_miss else new
        return results[len(self.written):]

    def _run(self, node, entries, live, missed):
        while True:
            found = {"entry": entries, "live": live}
            found["made"] = _core.apply_trace(node.words, tuple(found[kind][i] for kind, i in node.inputs))
            if node.results is not None:
                written, results = ([found[kind][i] for kind, i in sources] for sources in (node.written.values(), node.results))
                written = dict(zip(node.written, written))
                return [*(written.get(p, entries[p]) for p in self.written), *results, *(full((), n, dtype=dtype) for n, dtype in node.numbers), missed]
            asked, live = found[node.asked[0]][node.asked[1]], [found[k][i] for k, i in node.live]
            if len(node.answers) > 1:
                return self._branch(node, asked, entries, live, missed)
            (value, child), = node.answers.items()
            missed = where(logical_and(equal(missed, 0), logical_not(_has(asked, value))), node.number, missed)
            node = child

    def _branch(self, node, asked, entries, live, missed):
        """One of the ways on, each a body; the first, where the answer is none of theirs, gives zeros."""
        ways = [lambda *given, child=child: self._run(child, entries, list(given[:-1]), given[-1]) for child in node.answers.values()]
        number = zeros((), dtype="int64")
        for i, value in enumerate(node.answers, 1):
            number = where(_has(asked, value), i, number)
        if node.is_complete:
            return switch(number - 1, ways, *live, missed)

        def miss(*given):
            results = [zeros(shape, dtype=dtype) for dtype, shape in self.types]
            return [*(copy(entries[p]) for p in self.written), *results, where(equal(given[-1], 0), node.number, given[-1])]

        return switch(number, [miss, *ways], *live, missed)
