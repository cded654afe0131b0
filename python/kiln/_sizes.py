"""Sizes that callers of a package choose: ``dynamic=`` of ``kn.export``."""
import collections

Variant = collections.namedtuple("Variant", "words tag symbols numbers checked assumed")


class Dimensions:
    """The dimensions of an entry, and the axes that have them."""

    def __init__(self, dynamic, arguments, names, parameters, assume_sizes):
        self.dimensions = []

    def named(self):
        """The dimensions, as the manifest has them."""
        return []

    def shape_of(self, argument):
        """The shape of an argument, as the manifest has it."""
        return list(argument.shape)

    def variants(self, record, entry):
        """The programs of ``record(sizes)``, and the sizes that each is for."""
        words, tag = record(())
        return [Variant(words, tag, [], [], [[]], [])]
