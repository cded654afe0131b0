"""Exported functions whose values decide sizes: each such size is counted by a stage of its own, and is a dimension of the programs behind it."""
import json
import random
import struct

from . import _core, exceptions
from ._c_names import unique
from ._errors import make
from ._jit import jit
from ._paths import Paths
from ._result_numbers import Varies

_MOST = 4  # sizes that values decide (codegen/library/support/call.h)
_MOST_CHECKED = 4096  # combinations of sizes that are all recorded
_NEAR = 4  # counts from 0 on, and from the greatest one down, that are recorded where there are more
_MOST_DRAWN = 64  # counts beside these that are drawn for one size
_ANY = 2**63 - 1
_FORMS = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "float16": "e", "float32": "f", "float64": "d"}


class Unsuited(Varies):
    """The function does not run in stages: its counts are values like others."""


def _number(answer):
    """The number that was told; of a float, too. None for anything else."""
    dtype, shape, _, value, _ = answer
    if shape != () or dtype.name not in _FORMS:
        return None
    return struct.unpack("<" + _FORMS[dtype.name], value)[0]


def _with(answer, number):
    """An answer of another number."""
    return (*answer[:3], struct.pack("<" + _FORMS[answer[0].name], number), *answer[4:])


def _outline(found):
    """What a recording does, and the shapes of all that it computes with."""
    pieces = [_core.program_outline(p[0]) for p in found[0][0]]
    return [ops for ops, _ in pieces], [shapes for _, shapes in pieces]


class Stages:
    """The stages of an entry: those that count, and the last one. ``is_whole``: whether all counts that can be are recorded at the sizes that are."""

    @classmethod
    def of(cls, recording):
        """None where no size of the function is decided by values, before they decide anything else."""
        ways = []
        for values in recording.examples:
            sizes = recording.sizes.of(recording.arguments, values) if recording.sizes.dimensions else ()
            try:
                found = recording._path(sizes, tuple(values), True)
            except exceptions.TraceError:
                return None
            if found is None:
                return None
            if found[1] not in [answers for _, answers, _ in ways]:
                ways.append((found, found[1], sizes))
        counted = cls._counted(recording, *ways[0])
        last = max(counted, default=-1)
        if not counted or any(not cls._agree(ways[0][1], answers, counted, last) for _, answers, _ in ways):
            return None
        return cls(recording, [answers for _, answers, _ in ways], counted)

    @staticmethod
    def _agree(one, other, counted, last):
        """Whether two ways are one up to the last count."""
        same = [(a[:3], None if i in counted else a[3]) for i, a in enumerate(one[:last + 1])]
        return same == [(a[:3], None if i in counted else a[3]) for i, a in enumerate(other[:last + 1])]

    @classmethod
    def _counted(cls, recording, found, answers, sizes):
        """The questions whose answers are sizes: where another number is told, the function does the same with other shapes."""
        counted = []
        for i in range(len(answers)):
            answer = answers[i]
            bound, number = answer[4], _number(answer)
            if number is None or not 0 <= number < 2**31:
                continue
            told = [found, *(cls._told(recording, answers, sizes, i, other) for other in cls._near(number, bound))]
            told = [t for t in told if t]
            if not cls._decides(told):
                continue
            if bound < 0:
                cls._refuse(recording, answers[i], told)
                continue
            counted.append(i)
            found = max(told, key=lambda t: sum(min(a[4], 4) for a in t[1][i + 1:]))  # so that what is behind has something to count
            answers = found[1]
        return counted

    @staticmethod
    def _near(number, bound):
        """Other numbers that a question may have as its answer. Where one is 0, 1 or all there is, the function may do otherwise."""
        near = [number + 1, number - 1, number + 2, number - 2]
        return [n for n in near if 0 <= n < 2**31 and (bound < 0 or n <= bound)]

    @staticmethod
    def _told(recording, answers, sizes, i, other):
        """The recording where the question ``i`` is told another number; None where it then asks for something else, or raises."""
        try:
            return recording._path(sizes, [_with(a, other) if k == i else a for k, a in enumerate(answers)])
        except Exception:  # what the function raises where it is told what is not so
            return None

    @staticmethod
    def _decides(told):
        """Whether two of some recordings do the same with other shapes."""
        outlines = [_outline(t) for t in told]
        return any(a[0] == b[0] and a[1] != b[1] for i, a in enumerate(outlines) for b in outlines[:i])

    @staticmethod
    def _refuse(recording, answer, told):
        """Raises TraceError where a result has a size that a number without a bound decides."""
        if any(t[0][5][1] != told[0][0][5][1] for t in told):
            raise make("TraceError", f"export: '{recording.entry}': {answer[2]}: expected a bound of the number, which is a size of the result: a count of true elements has one, and "
                                     "kn.minimum(n, 100) is one")

    def __init__(self, recording, ways, counted):
        if len(counted) > _MOST:
            raise make("TraceError", f"export: '{recording.entry}': expected at most {_MOST} sizes that values decide, got {len(counted)}, at " + "; ".join(ways[0][i][2] for i in counted))
        self.recording, self.ways, self.counted = recording, ways, counted
        self.names = unique(["count"] * len(counted), [d.name for d in recording.sizes.dimensions] + recording.names + (recording.output_names or []))
        self.dimensions = []  # of the stage that is recorded, those that values decide
        self.bounds = [{} for _ in counted]  # by stage and sizes, how many there can be
        self.kept = [{} for _ in counted]  # likewise the types of what is kept

    @property
    def stage(self):
        return len(self.dimensions)

    def kept_name(self, number, stage=None):
        return f"kept{self.stage - 1 if stage is None else stage}_{number}"

    def output_names(self, count):
        """Of a stage that counts: what it keeps, and the count."""
        return [*(self.kept_name(i, self.stage) for i in range(count - 1)), self.names[self.stage]]

    def entries(self):
        """The entries of all stages, as the manifest has them. Raises Unsuited where the function does not run in stages."""
        sizes, entries, self.dimensions, self.is_whole = self.recording.sizes.sizes(), [], [], True
        while True:
            is_last = self.stage == len(self.counted)
            variants = self._variants(sizes)
            found = [self.recording._variant(v, self) | ({} if is_last else {"counts": True}) for v in variants]
            self._check(found)
            entries += found
            if is_last:
                return entries
            sizes = self._next(variants)

    def _names(self):
        return [d.name for d in self.recording.sizes.dimensions] + [d["name"] for d in self.dimensions]

    def _variants(self, sizes):
        """The programs of a stage, and the sizes that each is for."""
        known = self.recording.sizes
        try:
            variants = known.found(self._names(), sizes, self.record, self.recording.entry)
        except exceptions.TraceError as error:
            if "programs over the sizes" in str(error):
                raise Unsuited from None
            raise
        if known.assume_sizes:
            return known.assuming(variants, [d.reach for d in known.dimensions] + [d["most"] for d in self.dimensions])
        if not self.stage:
            return variants
        return [v._replace(checked=self._widened(v.checked), assumed=[] if self.is_whole else self._between(v)) for v in variants]

    def _between(self, variant):
        """Boxes around the counts of a variant, for each of the sizes that callers choose: those between are assumed, as nobody can choose them."""
        chosen, found = len(self.recording.sizes.dimensions), {}
        for at in variant.sizes:
            found.setdefault(tuple(at[:chosen]), []).append(at[chosen:])
        return self._widened([[[n, n] for n in base] + [[min(c), max(c)] for c in zip(*counts)] for base, counts in found.items()])

    def _widened(self, boxes):
        """Boxes that go on beyond the greatest count that there can be, so that they are fewer."""
        most = self.dimensions[-1]["most"]
        widened = []
        for *before, (low, high) in boxes:
            bounds = [self.bounds[self.stage - 1].get(tuple(ends[i] for ends in before)) for i in (0, 1)]
            widened.append([*before, [low, most if all(b is not None and high >= b for b in bounds) else high]])
        for axis in range(len(widened[0]) if widened else 0):
            widened = _joined(widened, axis)
        return sorted(widened)

    def _check(self, variants):
        """Raises Unsuited where variants of the last stage do not give the same arrays, put together alike."""
        def seen(variant):
            return variant["signature"] and ([(o["name"], o["dtype"], len(o["shape"])) for o in variant["outputs"]], variant["signature"]["result"])
        if any(repr(seen(v)) != repr(seen(variants[0])) for v in variants):
            raise Unsuited

    def _next(self, variants):
        """The sizes of the next stage, whose dimension is known then."""
        bounds = self.bounds[self.stage]
        points = sorted(tuple(at) for v in variants for at in v.sizes)
        bound = _core.fit_sizes(self._names(), [list(p) for p in points], [bounds[p] for p in points]) if points[0] else json.dumps(bounds[()])
        if bound is None:
            raise Unsuited
        is_finite = all(d.most < _ANY for d in self.recording.sizes.dimensions)
        total = sum(bounds[p] + 1 for p in points)
        chosen = [(*p, count) for p in points for count in self._counts(bounds[p], len(points), total)]
        self.is_whole &= len(chosen) == total  # all are recorded
        self.dimensions.append({"name": self.names[self.stage], "least": 0, "most": max(bounds.values()) if is_finite else _ANY, "bound": json.loads(bound)})
        return chosen

    @staticmethod
    def _counts(bound, points, total):
        """The counts that are recorded at one of so many sizes: all, or the least and greatest ones and some between."""
        if total <= _MOST_CHECKED or bound < 4 * _NEAR:
            return range(bound + 1)
        drawn = random.Random(bound).choices(range(bound), k=min(_MOST_DRAWN, _MOST_CHECKED // points))
        near = _NEAR if points < _MOST_CHECKED // 8 else _NEAR // 2
        return sorted({*range(near), *drawn, *range(bound + 1 - near, bound + 1)})

    def record(self, sizes):
        """The program of the stage at some sizes, and what else must be the same where one program does, as Recording.record gives them."""
        recording, stage = self.recording, self.stage
        base, counts = sizes[:len(recording.sizes.dimensions)], sizes[len(recording.sizes.dimensions):]
        paths, is_last = self._paths(base, counts, sizes), stage == len(self.counted)
        first, last = self.counted[stage - 1] if stage else None, None if is_last else self.counted[stage]
        kept_count = paths.between(first, last)
        types = self.kept[stage - 1].get(tuple(sizes[:-1])) if stage else []
        if types is None or len(types) != kept_count or paths.state:
            raise Unsuited  # what is handed on is not always the same
        kept = [_core.placeholder(tuple(shape), dtype) for dtype, shape in types]
        result, names = paths.join(recording.numbers.forms) if is_last else (None, [])
        if is_last:
            recording.numbers.note(result)
        recording.look_at_open_questions(paths)
        questions = recording._questions(paths.questions if paths.may_miss else [], stage)
        _, _, made = recording._call(base)
        keep, count = slice(None) if questions else slice(-1), len(made)
        words, arrays, written, _ = jit(lambda *given: paths.run(given[:count], given[count:])[keep])._export((*made, *kept), {}, (lambda results: results, recording.existing))
        if not is_last:
            outputs = _core.program_types(words)[1]
            self.kept[stage][tuple(sizes)] = outputs[:len(outputs) - 1 - bool(questions)]
        return words, recording.tag(arrays, made, kept, result, list(written), names, questions)

    def _paths(self, base, counts, sizes):
        """The ways at some sizes and counts."""
        recording, stage = self.recording, self.stage
        paths, any_found = Paths(recording.entry, len(recording.arguments)), False
        for way in self.ways if stage == len(self.counted) else self.ways[:1]:
            given = list(way)
            for question, count in zip(self.counted, counts):
                given[question] = _with(given[question], count)
            found = recording._path(base, given)
            if found is None:
                continue
            any_found = True
            answers = found[1]
            if [_number(answers[q]) for q, _ in zip(self.counted, counts)] != list(counts):
                raise Unsuited  # what bounds a count is not what bounded it in the stage before
            if stage < len(self.counted):
                self.bounds[stage][tuple(sizes)] = answers[self.counted[stage]][4]
            paths.add(*found[0])
        if not any_found:
            recording.refuse(base)
        if stage < len(self.counted) and self.bounds[stage][tuple(sizes)] < 0:
            raise Unsuited
        return paths


def _joined(boxes, axis):
    """Boxes of which neighbours along an axis are one."""
    joined = []
    for box in sorted(boxes, key=lambda b: (b[:axis], b[axis + 1:], b[axis])):
        last = joined[-1] if joined else None
        if last and last[:axis] == box[:axis] and last[axis + 1:] == box[axis + 1:] and box[axis][0] <= last[axis][1] + 1:
            last[axis][1] = max(last[axis][1], box[axis][1])
        else:
            joined.append([list(ends) for ends in box])
    return joined
