"""examples/numpy: programs of NumPy's whose import alone is changed give NumPy's answers, as they are and with kn.jit on each of their functions."""
import pathlib
import types
import warnings

import numpy
import pytest

import kiln as kn

FOLDER = pathlib.Path(__file__).parents[2] / "examples/numpy"
PROGRAMS = sorted(p.stem for p in FOLDER.glob("*.py"))


@pytest.fixture(autouse=True)
def default_dtype():
    before = kn.get_default_dtype()
    yield
    kn._core.set_default_dtype(before)


def loaded(name, library):
    """The program with the namespace that it is written over."""
    source = (FOLDER / f"{name}.py").read_text()
    assert source.count("import kiln.numpy as np\n") == 1 and len(source.splitlines()) >= 50
    module = types.ModuleType(name)
    exec(compile(source.replace("import kiln.numpy as np\n", f"import {library} as np\n"), str(FOLDER / f"{name}.py"), "exec"), module.__dict__)
    return module


def check(got, want):
    assert len(got) == len(want)
    for a, b in zip(got, want):
        numpy.testing.assert_allclose(numpy.asarray(a), b, rtol=1e-9, atol=1e-9)


def test_there_are_ten():
    assert len(PROGRAMS) == 10


@pytest.mark.parametrize("name", PROGRAMS)
def test_with_another_import(name):
    kn.set_default_dtype(kn.float64)
    check(loaded(name, "kiln.numpy").main(), loaded(name, "numpy").main())


@pytest.mark.parametrize("name", PROGRAMS)
def test_with_every_function_jitted(name):
    kn.set_default_dtype(kn.float64)
    want, module = loaded(name, "numpy").main(), loaded(name, "kiln.numpy")
    for key, value in list(vars(module).items()):
        if isinstance(value, types.FunctionType) and key != "main":
            setattr(module, key, kn.jit(value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", kn.KilnWarning)  # sizes that depend on values run in eager
        check(module.main(), want)
