"""Trees, and jitted functions whose arguments and results are trees."""
import collections
import dataclasses

import pytest

import kiln as kn
from kiln import tree

Pair = collections.namedtuple("Pair", "a b")


@dataclasses.dataclass
class Params:
    w: kn.Array
    b: kn.Array
    name: str = "layer"


@tree.register_pytree_node_class
class Scaled:
    __slots__ = ("array", "scale")

    def __init__(self, array, scale):
        self.array, self.scale = array, scale

    def tree_flatten(self):
        return (self.array,), self.scale

    @classmethod
    def tree_unflatten(cls, scale, children):
        return cls(children[0], scale)


@tree.register_dataclass
@dataclasses.dataclass
class Model:
    layers: list
    bias: kn.Array


NESTED = {"z": [1, (2, None)], "a": Pair(3, {"k": 4}), "m": Scaled(5, "big")}


def test_flatten_and_unflatten():
    leaves, definition = tree.flatten(NESTED)
    assert leaves == [3, 4, 5, 1, 2] and definition.num_leaves == 5
    again = definition.unflatten(leaves)
    assert again["a"] == NESTED["a"] and again["z"] == NESTED["z"] and again["m"].scale == "big" and list(again) == ["a", "m", "z"]
    assert tree.structure(again) == definition and hash(definition) == hash(tree.structure(again))
    assert repr(tree.structure({"b": (1,), "a": [None, 2]})) == "PyTreeDef({'a': [None, *], 'b': (*,)})"


def test_map_reduce_transpose():
    assert tree.map(lambda x, y: x + y, {"a": 1, "b": (2, 3)}, {"a": 10, "b": (20, 30)}) == {"a": 11, "b": (22, 33)}
    assert tree.reduce(lambda a, b: a * b, [2, (3, 4)]) == 24 and tree.reduce(max, [2], 7) == 7 and tree.all([1, {"a": True}]) and not tree.all([0])
    outer, inner = tree.structure([0, 0, 0]), tree.structure({"a": 0, "b": 0})
    assert tree.transpose(outer, inner, [{"a": 1, "b": 2}, {"a": 3, "b": 4}, {"a": 5, "b": 6}]) == {"a": [1, 3, 5], "b": [2, 4, 6]}
    assert tree.leaves([(1, 2), 3], is_leaf=lambda n: isinstance(n, tuple)) == [(1, 2), 3]


@pytest.mark.parametrize("call, message", [
    (lambda: tree.unflatten(tree.structure([1, 2]), [1]), "leaves: expected 2, got 1"), (lambda: tree.map(lambda a, b: a, [1], (1,)), "structure of tree 1: expected"),
    (lambda: tree.transpose(tree.structure([0, 0]), tree.structure([0]), [1]), "leaves: expected 2 times 1"), (lambda: tree.register_pytree_node(Scaled, None, None), "not registered, got Scaled")])
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):  # negative
        call()


def test_jit_takes_and_gives_trees():
    @kn.jit
    def step(params, extra, pair):
        return Params(params.w * 2 + extra["x"][0], params.b, params.name), Pair(pair.b, pair.a), {"s": kn.sum(params.w)}

    params = Params(kn.ones(3), kn.zeros(2))
    for _ in range(2):
        new, pair, more = step(params, {"x": [kn.asarray(5.0)]}, Pair(kn.ones(1), 2))
        assert isinstance(new, Params) and new.w.tolist() == [7, 7, 7] and new.b is params.b and new.name == "layer" and pair.a == 2 and more["s"].item() == 3
    assert step.stats.hits == 1 and not step.explain().variants[0]["eager"]
    step(Params(kn.ones(3), kn.zeros(2), "other"), {"x": [kn.asarray(5.0)]}, Pair(kn.ones(1), 2))
    assert len(step.explain().variants) == 2  # strings are compared by value


def test_jit_with_registered_classes():
    @kn.jit
    def f(model, scaled):
        for layer in model.layers:
            layer *= 2
        return Scaled(scaled.array + model.bias, scaled.scale)

    model = Model([kn.ones(2), kn.ones(2)], kn.ones(2))
    result = f(model, Scaled(kn.zeros(2), 3))
    assert result.array.tolist() == [1, 1] and result.scale == 3 and [layer.tolist() for layer in model.layers] == [[2, 2], [2, 2]]
    assert not f.explain().variants[0]["eager"]


def test_other_objects_run_in_eager():
    thing = object()
    with pytest.warns(kn.KilnWarning, match="an argument is an? object, which is not watched"):
        assert kn.jit(lambda x: x)(thing) is thing
