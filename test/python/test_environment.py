"""Variables of the environment: what they mean, and what is said of values that make no sense."""
import os
import subprocess
import sys

import pytest

import kiln as kn

PATH = os.pathsep.join([os.path.dirname(os.path.dirname(kn.__file__)), os.environ.get("PYTHONPATH", "")])


def run(code, **environment):
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], env={**os.environ, "PYTHONPATH": PATH, **environment}, capture_output=True, text=True)
    return done.returncode, done.stdout.strip(), done.stderr


@pytest.mark.parametrize("word, on", [("1", True), ("yes", True), ("ON", True), ("true", True), ("0", False), ("no", False), ("Off", False), ("false", False), ("", True)])
def test_words_for_yes_and_no(word, on):
    assert run("import kiln; print(kiln.config.cache)", KILN_CACHE=word)[:2] == (0, str(on))


@pytest.mark.parametrize("environment, text", [
    (dict(KILN_CACHE="maybe"), "ValueError: KILN_CACHE: expected one of 1, yes, on, true, 0, no, off, false, got 'maybe'"),
    (dict(KILN_DEVICE="cuda"), "DeviceError: KILN_DEVICE: expected 'cpu', the one device there is, got 'cuda'"),
    (dict(KILN_LOG="compile,everything"), "ValueError: KILN_LOG: expected some of compile, cache, guards, got 'everything'"),
    (dict(KILN_DUMP_DIR="/dev/null/folder"), "ValueError: KILN_DUMP_DIR: expected a folder to write to, got '/dev/null/folder': Not a directory"),
    (dict(KILN_JIT="sometimes"), "auto, sync or off"), (dict(KILN_NUM_THREADS="many"), "KILN_NUM_THREADS"),
])
def test_values_that_make_no_sense_are_errors_at_import(environment, text):
    code, _, errors = run("import kiln", **environment)
    assert code and text in errors.strip(), errors
    assert "importlib" not in errors.strip().splitlines()[-1] and "_ValueError" not in errors, errors


def test_logs_are_said_to_be_missing():
    code, _, errors = run("import kiln", KILN_LOG="compile")
    assert code == 0 and "KilnWarning: KILN_LOG: nothing is logged yet" in errors


def test_settings_that_do_hold():
    assert run("import kiln; print(kiln.config.jit)", KILN_DEVICE="cpu", KILN_LOG="", KILN_DUMP_DIR="", KILN_JIT="off")[:2] == (0, "off")


def test_a_folder_that_cannot_be_written_is_refused():
    with pytest.raises(ValueError, match="config: dump_dir: expected a folder to write to, got '/dev/null/x'"):
        kn.config.dump_dir = "/dev/null/x"
    assert kn.config.dump_dir == ""


def test_errors_have_the_names_that_they_are_caught_by():
    for kind, do in {"ValueError": lambda: kn.jit(lambda x: x, on_miss="never"), "OverflowError": lambda: kn.asarray([1], dtype=kn.uint8) + 300, "MemoryError": lambda: kn.zeros(2**55)}.items():
        with pytest.raises(kn.KilnError) as caught:
            do()
        assert type(caught.value).__name__ == kind and any(c.__module__ == "builtins" and c.__name__ == kind for c in type(caught.value).__mro__)
