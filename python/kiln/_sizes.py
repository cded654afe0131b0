"""Sizes that callers of a package choose: ``dynamic=`` of ``kn.export``."""
import collections
import itertools
import json
import math
import random
import warnings

from . import _core
from ._errors import KilnWarning, TraceError, make
from ._jit import ANY_SIZE, open_axes
from ._result_numbers import Varies

Variant = collections.namedtuple("Variant", "words tag symbols numbers sizes checked assumed")

_MOST_CHECKED = 4096  # combinations of sizes that are all recorded
_SAMPLES = 512  # that are recorded where there are more, besides the edges
_NEAR = 16  # sizes from the least one on that are edges: where functions do otherwise
_ANY = 2**63 - 1


class Dimension:
    """A size that calls choose: its bounds, and what it is in the call that is exported."""

    def __init__(self, name):
        self.name, self.least, self.most, self.given = name, 0, _ANY, None

    @property
    def reach(self):
        """The greatest size that is recorded."""
        return self.most if self.most < ANY_SIZE else max(_MOST_CHECKED, 4 * self.given)

    def edges(self):
        """Sizes at which functions are likely to do otherwise."""
        near = range(self.least, min(self.least + _NEAR, self.reach + 1))
        return sorted({*near, *(s for s in (self.given, 2 * self.given, self.reach - 1) if self.least <= s <= self.reach), self.reach})

    def draw(self, source):
        """A size, as likely to be small as to be great."""
        if source.random() < 0.5:
            return source.randint(self.least, self.reach)
        return min(self.reach, self.least + int(math.exp(source.uniform(0, math.log(self.reach - self.least + 1)))) - 1)


class Dimensions:
    """The dimensions of an entry, and the axes that have them."""

    def __init__(self, dynamic, arguments, names, parameters, assume_sizes):
        self.dimensions, self.assume_sizes = [], assume_sizes
        if dynamic is not None and not isinstance(dynamic, dict):
            raise make("TraceError", f"export: dynamic: expected a dict of arguments and their axes, got {type(dynamic).__name__}")
        known = {n: a for n, a in zip(names, arguments)}
        known.update({a.path[0]: a for a in arguments if len(a.path) == 1})
        for _, name, axis, dimension, low, high in open_axes(dynamic or {}, parameters, None, "export"):
            if name not in known:
                raise make("ValueError", f"export: dynamic: expected an array among the arguments ({', '.join(names)}), got {name!r}")
            self._add(known[name], name, axis, dimension, low, high)

    def _add(self, argument, name, axis, dimension, low, high):
        if axis >= len(argument.shape):
            raise make("ShapeError", f"export: dynamic: axis {axis} of '{name}': expected one of {len(argument.shape)} axes, got shape {argument.shape}")
        if not dimension.isidentifier() or not dimension.isascii():
            raise make("ValueError", f"export: dynamic: axis {axis} of '{name}': expected a name of letters, digits and _, got {dimension!r}")
        place = next((i for i, d in enumerate(self.dimensions) if d.name == dimension), len(self.dimensions))
        if place == len(self.dimensions):
            self.dimensions.append(Dimension(dimension))
        d, size = self.dimensions[place], argument.shape[axis]
        if d.given not in (None, size):
            raise make("ShapeError", f"export: dynamic: axis {axis} of '{name}': expected {dimension} = {d.given} as on another axis of the name, got {size}")
        d.given, d.least, d.most = size, max(d.least, low), min(d.most, high if high < ANY_SIZE else _ANY)
        if not d.least <= size <= d.most:
            raise make("ShapeError", f"export: dynamic: axis {axis} of '{name}': expected a size from {d.least} to {d.most}, got {size}")
        argument.axes[axis] = place

    def named(self):
        """The dimensions, as the manifest has them."""
        return [{"name": d.name, "least": d.least, "most": d.most} for d in self.dimensions]

    def of(self, arguments, values):
        """The sizes of the arrays of an example."""
        sizes = [None] * len(self.dimensions)
        for argument, value in zip(arguments, values):
            for axis, place in argument.axes.items():
                d, size = self.dimensions[place], value.shape[axis]
                if not d.least <= size <= d.most or sizes[place] not in (None, size):
                    wanted = f"from {d.least} to {d.most}" if sizes[place] is None else f"{sizes[place]} as on another axis of the name"
                    raise make("ShapeError", f"export: examples: size of {d.name}: expected {wanted}, got {size}")
                sizes[place] = size
        return sizes

    def text(self, sizes):
        """``n = 3, m = 4``."""
        return self.text_of([d.name for d in self.dimensions], sizes)

    @staticmethod
    def text_of(names, sizes):
        return ", ".join(f"{n} = {s}" for n, s in zip(names, sizes))

    def shape_of(self, argument):
        """The shape of an argument, as the manifest has it."""
        return [self.dimensions[argument.axes[i]].name if i in argument.axes else n for i, n in enumerate(argument.shape)]

    def sizes(self):
        """The combinations of sizes that are recorded."""
        ranges = [range(d.least, d.most + 1) for d in self.dimensions]
        if math.prod(d.most - d.least + 1 for d in self.dimensions) <= _MOST_CHECKED:
            return list(itertools.product(*ranges))
        given = tuple(d.given for d in self.dimensions)
        chosen = {given, *itertools.product(*[{d.least, d.reach} for d in self.dimensions])}
        source = random.Random(0)
        for i, d in enumerate(self.dimensions):
            for size in d.edges():
                others = tuple(o.draw(source) for o in self.dimensions)
                chosen |= {(*given[:i], size, *given[i + 1:]), (*others[:i], size, *others[i + 1:])}
        chosen |= {tuple(d.draw(source) for d in self.dimensions) for _ in range(_SAMPLES)}
        return sorted(chosen)

    def variants(self, record, entry):
        """The programs of ``record(sizes)``, and the sizes that each is for. Sizes at which the function raises an error are none."""
        variants = self.found([d.name for d in self.dimensions], self.sizes(), record, entry)
        return self.assuming(variants, [d.reach for d in self.dimensions]) if self.assume_sizes else variants

    def found(self, names, sizes, record, entry):
        """The same at given sizes of named dimensions."""
        failed, first = [], None

        def recorded(sizes):
            nonlocal first
            try:
                return record(sizes)
            except (TraceError, Varies):
                raise
            except Exception as error:
                if not names:
                    raise
                failed.append(sizes)
                first = first or error
                return None

        found = _core.size_variants(names, [list(s) for s in sizes], recorded)
        if not found:
            raise first
        if failed:
            warnings.warn(f"export: '{entry}' raises an error at {len(set(failed))} of the {len(sizes)} sizes that were checked, where the package will, too; at {self.text_of(names, failed[0])}: {first}", KilnWarning, stacklevel=6)
        return [Variant(words, tag, *([json.loads(e) for e in part] for part in (symbols, numbers)), at, boxes, []) for words, tag, symbols, numbers, at, boxes in found]

    def assuming(self, variants, reach):
        """The variants with the sizes between those that they were checked for, of dimensions whose greatest recorded sizes are ``reach``; the ones of fewer sizes
        go first."""
        most = [d.most for d in self.dimensions] + reach[len(self.dimensions):]

        def around(v):
            low, high = ([pick(sizes[i] for sizes in v.sizes) for i in range(len(reach))] for pick in (min, max))
            return [[a, most[i] if b == reach[i] else b] for i, (a, b) in enumerate(zip(low, high))]
        assumed = [v._replace(assumed=[around(v)]) for v in variants]
        return sorted(assumed, key=lambda v: math.prod(high - low + 1 for low, high in v.assumed[0]))
