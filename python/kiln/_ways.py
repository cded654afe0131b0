"""The ways of calls through a function that asks for values, which is exported: calls are made with the values of examples, or recorded without values."""
from . import arange, copy, remainder, take, zeros
from ._errors import make
from ._paths import Paths, Results, numbers_in
from ._result_numbers import Varies
from ._signature import encode, output_of


class Ways:
    """The part of a recording (_recording.py) that finds them."""

    def _path(self, sizes, given, is_search=False):
        """A recording at some sizes, for the values of an example or with the answers of another recording: what ``Paths.add`` takes, and its answers; None where
        it asks for something else. ``is_search``: for questions for bounded numbers; None where there are none."""
        args, kwargs, made = self._call(sizes)
        flatten, result, outputs = self._flattened()
        found = self.core._export_path((*self.prefix, *args), {**self.keywords, **kwargs}, (flatten, self.existing, tuple(made), given, is_search))
        if found is None:
            return None
        types = [(a.dtype.name, tuple(a.shape)) for a, _ in outputs]
        *recorded, answers = found
        return (*recorded, {id(a): i for i, a in enumerate(made)}, (result[0], types, [list(map(str, path)) for _, path in outputs])), answers, made

    def _recordings(self, sizes):
        """The ways at some sizes: of the examples, each with its values where the sizes are its own, else with the answers that it had."""
        if not sizes:
            return [self._path(sizes, tuple(values)) for values in self.examples]
        if self.ways is None:
            self.ways = []
            for values in self.examples:
                answers = self._path(self.sizes.of(self.arguments, values), tuple(values))[1]
                self.ways += [answers] if answers not in self.ways else []
        found = [self._path(sizes, answers) for answers in self.ways]
        if all(f is None for f in found):
            self.refuse(sizes)
        return [f for f in found if f]

    def refuse(self, sizes):
        raise make("TraceError", f"export: '{self.entry}' asks for other values at {self.sizes.text(sizes) or 'these sizes'} than it does for any example: expected an example of these sizes, or fewer sizes (dynamic=)")

    def _ways_at(self, sizes, numbers):
        """The ways of some examples, and those behind other answers, with loops in the place of trips that values decide: what ``Paths.add_tree`` takes. Without numbers:
        those that were found so far, at other sizes. None where the function does what is not known to only compute."""
        known = []

        def again(number):
            made = [self._resized(a, argument, sizes) for a, argument in zip(self.examples[number], self.arguments)]
            args, kwargs = self._call_with(made)
            return (*self.prefix, *args), {**self.keywords, **kwargs}, made

        def taken(value, is_example):
            outputs, numbers = [], numbers_in(value)
            tree = encode(value, ("result",), lambda v, path: output_of(v, path, outputs, self.entry))
            types = [(a.dtype.name, tuple(a.shape)) for a, _ in outputs]
            if is_example or not known:
                known[:] = [tree, types]
            else:
                Results(self.entry, [known[0], tree], [known[1], types])  # a way that no example takes is to have a result like theirs
            return (tree, types, [list(map(str, path)) for _, path in outputs], [path for path, _ in numbers]), [a for a, _ in outputs], [n for _, n in numbers]

        found = self.core._export_ways(again, numbers, taken, self.scout or None)
        if found is None:
            return None
        (nodes, arrays, made), self.scout = found
        return nodes, arrays, {id(a): i for i, a in enumerate(made)}

    def _resized(self, array, argument, sizes):
        """A copy of an array of an example, at other sizes."""
        array = copy(array)
        for axis, place in argument.axes.items() if sizes else ():
            size = array.shape[axis]
            if size != sizes[place]:
                array = take(array, remainder(arange(sizes[place]), size), axis=axis) if size else zeros((*array.shape[:axis], sizes[place], *array.shape[axis + 1:]), dtype=array.dtype)
        return array

    def _looped(self, sizes):
        """The ways at the first sizes, as ``_ways_at`` gives them; None where recordings without values are to say them."""
        if self.scout is False:
            return None
        alike, found = {}, None
        for number, values in enumerate(self.examples):
            alike.setdefault(tuple(self.sizes.of(self.arguments, values)), []).append(number)
        for numbers in alike.values():
            found = self._ways_at((), numbers)
            if found is None:
                self.scout = False
                return None
        return self._ways_at(sizes, None) or self._give_up_looping() if sizes else found

    def _give_up_looping(self):
        self.scout = False
        raise Varies

    def _joined(self, sizes, looped):
        """The function without its questions, as the examples answer them, and how its result is put together."""
        paths = Paths(self.entry, len(self.arguments))
        if looped:
            paths.add_tree(*looped)
        for recording, _, _ in [] if looped else self._recordings(sizes):
            paths.add(*recording)
        if looped and self.miss == "forbid" and paths.open_questions():  # there may be fewer questions without loops
            self._give_up_looping()
        self.look_at_open_questions(paths)
        return paths, *paths.join(self.numbers.forms)

    def look_at_open_questions(self, paths):
        """What is not known is forbidden, or whoever exports one way alone is told of it."""
        questions = paths.open_questions()
        if self.miss == "forbid" and questions:
            raise make("TraceError", f"export: '{self.entry}': expected examples of every way, got none with another answer to: " + "; ".join(questions))
        if questions and len(self.examples) == 1:
            self._note(f"export: '{self.entry}' is exported for the way that these arguments take; calls that are told otherwise are errors, at {'; '.join(questions)}: examples= names more ways")

    def _questions(self, questions, stage=None):
        """Those of the program at some sizes, of a stage. One without has an output for them as well, where programs at other sizes have some."""
        have_asked = self.have_asked.setdefault(stage, set())
        have_asked.add(bool(questions))
        if len(have_asked) == 2 and not self.asked.get(stage):
            self.asked[stage] = questions or ["another size"]
            raise Varies
        return questions or self.asked.get(stage, [])
