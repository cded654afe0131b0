"""The programs of examples/gradients: each checks what it finds against SciPy or a closed form, and stays compiled."""
import pathlib
import runpy
import warnings

import pytest

import kiln as kn

FOLDER = pathlib.Path(__file__).parents[2] / "examples/gradients"
PROGRAMS = sorted(FOLDER.glob("*.py"))


def test_there_are_five():
    assert len(PROGRAMS) == 5


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_program(program, capsys):
    with kn.config.override(jit="auto"), warnings.catch_warnings():  # as for whoever runs it
        warnings.simplefilter("error", kn.KilnWarning)
        runpy.run_path(str(program), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) == 1
