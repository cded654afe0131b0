"""Nested containers: dicts (by sorted keys), lists, tuples, named tuples, dataclasses, and classes that are registered.

The names and signatures are those of ``jax.tree`` and ``jax.tree_util``. None is a container without leaves.
"""
import builtins
import dataclasses
import functools

from ._errors import make

_registered = {}  # class -> (flatten, unflatten)


def register_pytree_node(nodetype, flatten_func, unflatten_func):
    """Makes a class a container: ``flatten_func(obj)`` gives its children and hashable data, ``unflatten_func(data, children)`` the object.

    Raises ValueError where the class is one already.
    """
    if nodetype in _registered:
        raise make("ValueError", f"register_pytree_node: class: expected one that is not registered, got {nodetype.__name__}")
    _registered[nodetype] = (flatten_func, unflatten_func)


def register_pytree_node_class(cls):
    """Registers a class with methods ``tree_flatten(self)`` and ``tree_unflatten(cls, data, children)``; a decorator."""
    register_pytree_node(cls, lambda obj: obj.tree_flatten(), lambda data, children: cls.tree_unflatten(data, children))
    return cls


def register_dataclass(cls, data_fields=None, meta_fields=()):
    """Registers a dataclass whose ``meta_fields`` are compared by value and are no leaves; a decorator."""
    data = tuple(data_fields) if data_fields is not None else tuple(f.name for f in dataclasses.fields(cls) if f.name not in meta_fields)
    meta = tuple(meta_fields)

    def flatten_func(obj):
        return tuple(getattr(obj, n) for n in data), tuple(getattr(obj, n) for n in meta)

    def unflatten_func(values, children):
        return cls(**dict(zip(data, children)), **dict(zip(meta, values)))

    register_pytree_node(cls, flatten_func, unflatten_func)
    return cls


def flatten_node(obj):
    """(children, data) of an object of a registered class or a dataclass; None for any other."""
    functions = _registered.get(type(obj))
    if functions is not None:
        children, data = functions[0](obj)
        return tuple(children), data
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        return tuple(getattr(obj, f.name) for f in dataclasses.fields(obj)), None
    return None


def fields_of(cls):
    """Names of the attributes that objects of a container class have: of a named tuple, a dataclass or a registered class."""
    names = {*getattr(cls, "_fields", ()), *getattr(cls, "__annotations__", ())}
    if dataclasses.is_dataclass(cls):
        names.update(f.name for f in dataclasses.fields(cls))
    return names | set(getattr(cls, "__slots__", ())) if cls in _registered else names


def unflatten_node(cls, data, children):
    """The object that ``flatten_node`` took apart."""
    if cls in _registered:
        return _registered[cls][1](data, children)
    return cls(**dict(zip((f.name for f in dataclasses.fields(cls)), children)))


class PyTreeDef:
    """The structure of a tree: what is left without its leaves."""

    __slots__ = ("kind", "data", "children", "num_leaves")

    def __init__(self, kind, data, children):
        self.kind, self.data, self.children = kind, data, tuple(children)
        self.num_leaves = 1 if kind is None else builtins.sum(c.num_leaves for c in self.children)

    def __eq__(self, other):
        return isinstance(other, PyTreeDef) and (self.kind, self.data, self.children) == (other.kind, other.data, other.children)

    def __hash__(self):
        return hash((self.kind, self.children))

    def unflatten(self, leaves):
        """The tree with these leaves. Raises ValueError for another number of them."""
        return unflatten(self, leaves)

    def _text(self):
        inner = ", ".join(c._text() for c in self.children)
        if self.kind is None:
            return "*"
        if self.kind is dict:
            return "{" + ", ".join(f"{k!r}: {c._text()}" for k, c in zip(self.data, self.children)) + "}"
        if self.kind in (list, tuple):
            return f"[{inner}]" if self.kind is list else f"({inner}{',' * (len(self.children) == 1)})"
        return "None" if self.kind is type(None) else f"{self.kind.__name__}({inner})"

    def __repr__(self):
        return f"PyTreeDef({self._text()})"


LEAF = PyTreeDef(None, None, ())


def _take_apart(tree):
    """(kind, data, children) of a container; None for a leaf."""
    if tree is None:
        return type(None), None, ()
    if type(tree) is dict:
        keys = tuple(sorted(tree))
        return dict, keys, [tree[k] for k in keys]
    if isinstance(tree, (list, tuple)) and (type(tree) in (list, tuple) or hasattr(tree, "_fields")):
        return type(tree), None, tree
    node = flatten_node(tree)
    return None if node is None else (type(tree), node[1], node[0])


def _put_together(definition, children):
    kind = definition.kind
    if kind is type(None):
        return None
    if kind is dict:
        return dict(zip(definition.data, children))
    if kind in (list, tuple):
        return kind(children)
    return kind(*children) if issubclass(kind, tuple) else unflatten_node(kind, definition.data, children)


def flatten(tree, is_leaf=None):
    """(leaves, structure) of a tree; ``is_leaf(node)`` true keeps a container whole."""
    leaves_, parts = [], None if is_leaf is not None and is_leaf(tree) else _take_apart(tree)
    if parts is None:
        return [tree], LEAF
    kind, data, children = parts
    definitions = []
    for child in children:
        more, definition = flatten(child, is_leaf)
        leaves_ += more
        definitions.append(definition)
    return leaves_, PyTreeDef(kind, data, definitions)


def unflatten(treedef, leaves):
    """The tree of a structure with these leaves. Raises ValueError for another number of them."""
    leaves = list(leaves)
    if len(leaves) != treedef.num_leaves:
        raise make("ValueError", f"tree.unflatten: leaves: expected {treedef.num_leaves}, got {len(leaves)}")
    return _build(treedef, iter(leaves))


def _build(definition, rest):  # no closure that refers to itself, which would hold the leaves for a while
    return next(rest) if definition.kind is None else _put_together(definition, [_build(c, rest) for c in definition.children])


def leaves(tree, is_leaf=None):
    """The leaves of a tree, in order."""
    return flatten(tree, is_leaf)[0]


def structure(tree, is_leaf=None):
    """The structure of a tree."""
    return flatten(tree, is_leaf)[1]


def map(f, tree, *rest, is_leaf=None):  # noqa: A001
    """The tree with ``f`` of each leaf, and of the parts of further trees of its structure.

    Raises ValueError where a structure differs.
    """
    first, definition = flatten(tree, is_leaf)
    others = []
    for i, other in enumerate(rest):
        mine, theirs = flatten(other, is_leaf)
        if theirs != definition:
            raise make("ValueError", f"tree.map: structure of tree {i + 1}: expected {definition}, got {theirs}")
        others.append(mine)
    return unflatten(definition, [f(*parts) for parts in zip(first, *others)])


def reduce(function, tree, initializer=None, is_leaf=None):
    """The leaves joined from the first to the last by a function of two."""
    items = leaves(tree, is_leaf)
    return functools.reduce(function, items) if initializer is None else functools.reduce(function, items, initializer)


def all(tree, *, is_leaf=None):  # noqa: A001
    """Whether all leaves are true."""
    return builtins.all(leaves(tree, is_leaf))


def transpose(outer_treedef, inner_treedef, pytree):
    """A tree of trees turned inside out. Raises ValueError unless every outer leaf has the inner structure."""
    parts, definition = flatten(pytree)
    n, m = outer_treedef.num_leaves, inner_treedef.num_leaves
    if len(parts) != n * m:
        raise make("ValueError", f"tree.transpose: leaves: expected {n} times {m}, got {len(parts)} in {definition}")
    return unflatten(inner_treedef, [unflatten(outer_treedef, parts[i::m]) for i in range(m)])
