"""The array API standard 2025.12: every function with its parameters, every attribute of arrays, and the dtypes of results, as
array-api-strict has them."""
import inspect
import itertools

import array_api_strict as strict
import pytest

import kiln as kn

SPACES = {"": (strict, kn), "linalg": (strict.linalg, kn.linalg), "fft": (strict.fft, kn.fft)}
FUNCTIONS = [(space, name) for space, (theirs, _) in SPACES.items() for name in theirs.__all__
             if inspect.isfunction(getattr(theirs, name)) and "array_api_strict" not in name]
DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("space, name", FUNCTIONS)
def test_parameters(space, name):
    theirs, ours = (getattr(namespace, name) for namespace in SPACES[space])
    wanted, given = inspect.signature(theirs).parameters.values(), inspect.signature(ours).parameters
    positional = [p for p in given.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    assert len(positional) >= sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in wanted) or any(p.kind is p.VAR_POSITIONAL for p in given.values())
    for p in wanted:
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            assert p.name in given, f"{name} takes no '{p.name}'"
            assert p.default is p.empty or given[p.name].default is not p.empty, f"'{p.name}' of {name} has no default"


def test_attributes_of_arrays():
    wanted = {n for n in dir(strict.asarray(1)) if not n.startswith("_") or n.startswith("__")} - {
        "__buffer__", "__slots__", "__weakref__", "__firstlineno__", "__static_attributes__"}  # of classes
    assert not {n for n in wanted if not hasattr(kn.Array, n)}


def elementwise(operands):
    """Functions whose parameters are so many arrays and nothing else."""
    return [n for n in strict.__all__ if isinstance(getattr(kn, n, None), type(kn.add)) and len(inspect.signature(getattr(strict, n)).parameters) == operands]


@pytest.mark.parametrize("name", elementwise(1) + elementwise(2))
def test_dtypes_of_results(name):
    theirs, ours = getattr(strict, name), getattr(kn, name)
    checked = 0
    for dtypes in itertools.product(DTYPES, repeat=len(inspect.signature(theirs).parameters)):
        try:
            want = theirs(*(strict.ones(2, dtype=getattr(strict, t)) for t in dtypes))
        except TypeError:
            continue
        got = ours(*(kn.ones(2, dtype=t) for t in dtypes))
        assert got.dtype.name == str(want.dtype).rpartition(".")[2] and got.shape == want.shape, dtypes
        checked += 1
    assert checked
