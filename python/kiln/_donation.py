"""``kn.jit(donate_argnums=)``: calls whose results take over the memory of arguments."""
import functools
import types
import warnings

from . import _core, tree
from ._core import Array
from ._errors import KilnWarning, make
from ._front import _reduce, name_of


def _split(args, kwargs, numbers, names):
    """The arguments that are donated, and the others."""
    donated, others = [], []
    for i, value in enumerate(args):
        (donated if i in numbers else others).append(value)
    for name, value in kwargs.items():
        (donated if name in names else others).append(value)
    return donated, others


def _arrays(arguments):
    return [x for x in tree.leaves(arguments) if type(x) is Array]


def _target_of(x, free):
    """The place among arrays of one that can take a result; -1 where there is none."""
    for i, y in enumerate(free):
        if type(x) is Array and x.shape == y.shape and x.dtype is y.dtype and x.device == y.device:
            return i
    return -1


def _is_view_of(x, arrays):
    if type(x) is not Array:
        return False
    for y in arrays:
        if x is not y and _core.share_cell(x, y):
            return True
    return False


def _placed(leaves, donated):
    """Results, written into arrays of their shape and dtype that are not results themselves."""
    leaves = [x.copy() if _is_view_of(x, donated) else x for x in leaves]  # before anything is written
    free = [y for y in donated if not [x for x in leaves if x is y]]
    placed, done = [], []
    for x in leaves:
        k = -1 if [y for y in done if y is x] else _target_of(x, free)
        done.append(x)
        if k >= 0:
            target = free.pop(k)
            target[...] = x
            x = target
        placed.append(x)
    return placed


def into_arguments(function, numbers, names):
    """The function, with results written into donated arguments of their shape and dtype."""
    @functools.wraps(function)
    def call(*args, **kwargs):
        result = function(*args, **kwargs)
        donated, _ = _split(args, kwargs, numbers, names)
        leaves, structure = tree.flatten(result)
        return tree.unflatten(structure, _placed(leaves, _arrays(donated)))

    return call


class Donating:
    """A jitted function that takes over arrays which it is given: see ``jit``'s donate_argnums."""

    def __init__(self, donating, plain, numbers, names):
        self._donating, self._plain, self._numbers, self._names = donating, plain, frozenset(numbers), frozenset(names)
        self._told = False

    def __call__(self, *args, **kwargs):
        donated, others = map(_arrays, _split(args, kwargs, self._numbers, self._names))
        if not all(map(_core.may_donate, donated)):
            return self._refused(args, kwargs)
        self._check_apart(donated, others)
        result = self._donating(*args, **kwargs)
        why = f"its memory was donated to '{name_of(self.__wrapped__)}' (donate_argnums); give a copy to keep it"
        taken = {id(x): _core.donate(x, why) for x in donated}
        return tree.map(lambda x: taken.get(id(x), x), result)

    def _refused(self, args, kwargs):
        """Parts of arrays, and memory that other libraries see, stay as they are, and so does what a recording or a gradient follows."""
        if not self._told and _core.is_at_hand():
            self._told = True
            warnings.warn(f"jitted function '{name_of(self.__wrapped__)}': a donated array is a view of another one, or shares memory with NumPy or another library: nothing of this call is donated",
                          KilnWarning, stacklevel=3)
        return self._plain(*args, **kwargs)

    def _check_apart(self, donated, others):
        for i, x in enumerate(donated):
            if any(_core.share_cell(x, y) for y in (*donated[:i], *others)):
                raise make("ValueError", f"jit: donated arguments of '{name_of(self.__wrapped__)}': expected arrays that are given once, got two of one memory")

    stats = property(lambda self: self._donating.stats)

    def explain(self):
        """What became of the function: see ``JitFunction.explain``."""
        return self._donating.explain()

    def lower(self, *args, **kwargs):
        """Records a call without running it: see ``JitFunction.lower``."""
        return self._donating.lower(*args, **kwargs)

    def __get__(self, instance, owner=None):
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self):
        return f"<jitted function {name_of(self.__wrapped__)}>"

    __reduce__ = _reduce
