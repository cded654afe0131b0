"""Recordings of a function that asks for values, one for each way it took, as one function without questions: it branches instead."""
import math

from . import _core, astype, bitcast, copy, equal, full, imag, logical_and, logical_not, real, reshape, switch, where, zeros
from ._errors import make
from ._result_numbers import NUMBERS, are_same, is_number
from ._signature import build


def _moved(source, places):
    kind, index = source
    return (kind, places[index]) if kind == "entry" else (kind, index)


class Results:
    """The parts of a result that are arrays or become some: which ones they are on each way."""

    def __init__(self, entry, trees, types, outputs=()):
        """Raises TraceError where the ways, of which these are structures and types of arrays, cannot have one result."""
        self.outputs = outputs  # the paths of numbers that become arrays in any case
        self.arrays, self.items = {}, []  # their numbers, by those that they have on each way; (path, the number on each way)
        self.tree = self._unified(trees)
        self.types = [[t[n[i]] for n in self.arrays] for i, t in enumerate(types)]
        if other := next((t for t in self.types if t != self.types[0]), None):
            raise make("TraceError", f"export: result of '{entry}': expected arrays of the same shapes and dtypes on every way, got {self.types[0]} on one and {other} on another")

    def _unified(self, trees, path=()):
        """One structure for those of several ways. Numbers that differ, or are to be outputs, become items of arrays."""
        first, kinds, parts = trees[0], {t[0] for t in trees}, None
        if kinds == {"array"}:
            numbers = tuple(t[1] for t in trees)
            return ["array", self.arrays.setdefault(numbers, len(self.arrays))]
        is_same = all(are_same(t, first) for t in trees)
        if all(map(is_number, trees)) and (not is_same or path in self.outputs):
            values = [build(t, ()) for t in trees]
            if len({type(v) for v in values}) == 1:
                self.items.append((path, values))
                return ["item", len(self.items) - 1]
        elif len(kinds) == 1 and first[0] in ("list", "tuple", "namedtuple", "dict") and all(t[1:-1] == first[1:-1] and len(t[-1]) == len(first[-1]) for t in trees):
            if first[0] != "dict":
                parts = [self._unified([t[-1][i] for t in trees], (*path, str(i))) for i in range(len(first[-1]))]
            elif len({tuple(k for k, _ in t[-1]) for t in trees}) == 1:
                parts = [[k, self._unified([t[-1][i][1] for t in trees], (*path, k))] for i, (k, _) in enumerate(first[-1])]
        if parts is None and is_same:
            return first
        if parts is None:
            raise make("TraceError", f"export: result: expected one structure on every way, got {first} on one and {next(t for t in trees if not are_same(t, first))} on another")
        return [*first[:-1], parts]


def numbers_in(value, path=()):
    """Python's numbers in a result, each with its path."""
    if type(value) in (int, float):
        return [(path, value)]
    if type(value) is dict:
        return [n for k, v in value.items() for n in numbers_in(v, (*path, k))]
    return [n for i, v in enumerate(value) for n in numbers_in(v, (*path, str(i)))] if isinstance(value, (list, tuple)) else []


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
        self.is_loop = False  # it is asked behind a loop, whose trips have the other answer
        self.answers, self.number = {}, 0  # what follows by the bytes of the answer, and the number of the question
        self.written, self.results, self.numbers = {}, None, ()  # of an end: sources of new contents by entry, of arrays, and what differs
        self.sources = {}  # of an end: those of numbers of the result, by their path

    @property
    def is_complete(self):
        """Whether every answer that there can be is known: of a truth value, both."""
        return sorted(self.answers) == [b"\0", b"\1"]

    @property
    def is_open(self):
        """Whether values may have an answer that is not known. A loop is also left where an integer of its is beyond 2**40, which is not told apart."""
        return not self.is_complete and not self.is_loop

    def fits(self, piece):
        return (self.words, self.inputs, self.live, self.asked) == piece[:4]


class Paths:
    """The ways of one entry. Arrays that a recording takes are numbered: those of the call first, then the others as they are met."""

    def __init__(self, entry, arguments):
        self.entry, self.root, self.questions = entry, None, []
        self.count, self.others, self._numbers = arguments, [], {}
        self.written, self.ends = [], []
        self.start = self.stop = None  # nodes, of a stage: it begins at the one, and ends with the answer to the question of the other

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
        self._end(node, *result)

    def _end(self, node, *result):
        self.written += [p for p in node.written if p not in self.written]
        self.ends.append((node, *result))

    def add_tree(self, nodes, arrays, numbers):
        """All ways, as ``_export_ways`` gives them, with the numbers of the arrays of the call by their identity."""
        places = [numbers[id(a)] if id(a) in numbers else self._other(a) for a in arrays]
        made = []
        for words, inputs, live, asked, why, *_ in nodes:
            made.append(_Node(self._renumbered((words, inputs, live, asked, None, why), places)))
        for node, (*_, why, node.is_loop, answers, end) in zip(made, nodes):
            node.answers = {value: made[number] for value, number in answers}
            if end is None:
                self.questions.append(why)
                node.number = len(self.questions)
                continue
            written, sources, ((tree, types, paths, number_paths), found) = end
            sources = [_moved(s, places) for s in sources]
            node.written = {places[entry]: _moved(source, places) for entry, source in written}
            node.results, node.sources = sources[:len(types)], {path: sources[i] for path, i in zip(number_paths, found) if i is not None}
            self._end(node, tree, types, paths)
        self.root = made[0]

    def join(self, outputs):
        """Gives the ways one result: its structure, and the paths of its arrays in it, those of numbers that the ways differ in, and of ``outputs``, behind the
        others."""
        outputs = {*outputs, *(path for node, *_ in self.ends for path in node.sources)}
        found = Results(self.entry, [tree for _, tree, _, _ in self.ends], [types for _, _, types, _ in self.ends], outputs)
        for i, (node, *_) in enumerate(self.ends):
            node.results = [node.results[n[i]] for n in found.arrays]
            node.numbers = [(node.sources.get(path), values[i], NUMBERS[type(values[i])]) for path, values in found.items]
        self.types = [*found.types[0], *((NUMBERS[type(values[0])], ()) for _, values in found.items)]
        paths = [self.ends[0][3][n[0]] for n in found.arrays]
        return _renumbered(found.tree, len(found.arrays)), [*paths, *(["result", *path] for path, _ in found.items)]

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
        return list(dict.fromkeys(self.questions[n.number - 1] for n in self._nodes() if n.answers and n.is_open))

    @property
    def may_miss(self):
        """Whether a call may end without a result."""
        return any(n.answers and not n.is_complete for n in self._nodes())

    def _nodes(self):
        first = self.start or self.root
        nodes = [first] if first else []
        for node in nodes:
            nodes += [n for n in node.answers.values() if node is not self.stop]
        return nodes if self.stop is None else [n for n in nodes if n is not self.stop]

    def between(self, first, last):
        """Leaves the stage behind question ``first`` (from 0; None: from the beginning) up to the answer to question ``last`` (None: to the end), where all ways are one
        up to there. What the stage before keeps is as many arrays as is returned."""
        chain = [self.root]
        while len(chain) <= max(n for n in (first, last) if n is not None):
            chain += chain[-1].answers.values()
        self.start, self.stop = None if first is None else next(iter(chain[first].answers.values())), None if last is None else chain[last]
        self.questions = []
        for node in self._nodes():
            if node.answers:
                self.questions.append(node.why)
                node.number = len(self.questions)
        return 0 if first is None else len(chain[first].live)

    @property
    def state(self):
        """Arrays that are no arguments and are written on some way, in their order."""
        return [a for i, a in enumerate(self.others, self.count) if i in self.written]

    def run(self, arrays, kept=()):
        """The results for the arrays of a call, behind which stands the ``state``, and the number of the question that had another answer, or 0. What is written
        is written. Of a stage: for what the one before ``kept``; where it is not the last one, what it keeps and counts."""
        given = iter(arrays[self.count:])
        entries = [*arrays[:self.count], *(next(given) if i in self.written else a for i, a in enumerate(self.others, self.count))]
        results = self._run(self.start or self.root, entries, list(kept), zeros((), dtype="int64"))
        if self.stop:
            return results
        may_miss = self.may_miss
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
                numbers = [full((), n, dtype=dtype) if source is None else astype(reshape(found[source[0]][source[1]], ()), dtype) for source, n, dtype in node.numbers]
                return [*(written.get(p, entries[p]) for p in self.written), *results, *numbers, missed]
            asked, live = found[node.asked[0]][node.asked[1]], [found[k][i] for k, i in node.live]
            if node is self.stop:
                return [*live, astype(asked, "int64"), missed]
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
