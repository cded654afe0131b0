"""Variables of the environment: what they mean, and what is said of values that make no sense."""
import os
import re
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
    (dict(KILN_DEVICE="cuda"), "DeviceError: KILN_DEVICE: expected 'cpu', got 'cuda'"),
    (dict(KILN_LOG="compile,everything"), "ValueError: KILN_LOG: expected some of compile, cache, guards, got 'everything'"),
    (dict(KILN_DUMP_DIR="/dev/null/folder"), "ValueError: KILN_DUMP_DIR: expected a folder to write to, got '/dev/null/folder': Not a directory"),
    (dict(KILN_JIT="sometimes"), "auto, sync or off"), (dict(KILN_NUM_THREADS="many"), "KILN_NUM_THREADS"),
])
def test_values_that_make_no_sense_are_errors_at_import(environment, text):
    code, _, errors = run("import kiln", **environment)
    assert code and text in errors.strip(), errors
    assert "importlib" not in errors.strip().splitlines()[-1] and "_ValueError" not in errors, errors


LOGGED = """
import kiln as kn
lr = 0.01
@kn.jit
def step(x):
    y = x * lr
    return y + 1 if kn.sum(x) > 0 else y
for _ in range(3): step(kn.ones(4))
lr = 0.001
step(kn.ones(4))
step(kn.ones(5))
step(-kn.ones(5))
"""


def test_logs(tmp_path):
    """Compilations, what the cache had, and which guard failed, as it happens."""
    code, _, errors = run(LOGGED, KILN_LOG="compile,cache,guards", KILN_JIT="sync", KILN_CACHE_DIR=str(tmp_path))
    lines = errors.splitlines()
    assert code == 0 and lines
    assert re.fullmatch(r"kiln compile: step: <string>:\d: \d operations in \d kernels, [\d.e+]+ ms", lines[0])
    guards = [line for line in lines if line.startswith("kiln guards")]
    cost = r": recorded again in [\d.e+-]+ ms"
    assert re.fullmatch("kiln guards: step: variant 1: name 'lr' was 0.01, is 0.001" + cost, guards[0])
    assert re.fullmatch(r"kiln guards: step: variant 2: an argument was float32\[4\], is float32\[5\]" + cost, guards[1])
    assert re.fullmatch(r"kiln guards: step: <string>:7: the truth value of an array is asked for, and is False for the first time, was True" + cost, guards[2])
    code, _, errors = run(LOGGED, KILN_LOG="cache", KILN_JIT="sync", KILN_CACHE_DIR=str(tmp_path))
    assert code == 0 and errors and all(re.fullmatch(r"kiln cache: step: .*found in [\d.e-]+ ms", line) for line in errors.splitlines())
    assert run(LOGGED, KILN_JIT="sync", KILN_CACHE_DIR=str(tmp_path)) == (0, "", "")


def test_logs_are_a_setting(capsys):
    import kiln as kn
    assert kn.config.log == ()
    with kn.config.override(log=("guards",)):
        assert kn.config.log == ("guards",)
        f = kn.jit(lambda x: x.tobytes())
        with pytest.warns(kn.KilnWarning):
            f(kn.ones(3))
    assert kn.config.log == () and "kiln guards: test_logs_are_a_setting.<locals>.<lambda>: calls run in eager: " in capsys.readouterr().err
    for wrong in ("everything", ["guards", 1]):
        with pytest.raises(ValueError, match="config: log: expected some of compile, cache, guards, got"):
            kn.config.log = wrong


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
