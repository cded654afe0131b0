"""Random programs of control_flow_fuzz and loops_fuzz, exported with some examples and run on other arguments: the bits of eager, or the error that says that a
way is not known; and what exists outside is after an export as it was.

    python test/python/export_fuzz.py --first-seed 0 --programs 1000
"""
import argparse
import collections
import contextlib
import io
import os
import random
import sys
import tempfile
import warnings

import numpy as np

import kiln as kn
import control_flow_fuzz
import loops_fuzz
from control_flow_fuzz import copies

OUTCOMES = ("exported", "refused", "right", "another answer")


def bits(value):
    """A value by type and bits; which arrays are one is not told, as results of packages are arrays of their own."""
    if isinstance(value, kn.Array):
        x = value.numpy()
        nans = np.isnan(x) if x.dtype.kind in "fc" else np.zeros(x.shape, bool)
        return value.dtype.name, x.shape, np.where(nans, 0, x).tobytes(), nans.tobytes()
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [bits(v) for v in value]
    return type(value).__name__, repr(value)


def outcome(function, args):
    """The result of a call and its arguments behind it; the error without them, which a package leaves as they were."""
    args = copies(args)
    try:
        result = function(*args)
    except kn.TraceError as error:
        return "another answer" if "another answer" in str(error) else f"error: {error}", ()
    except Exception as error:
        return f"error: {type(error).__name__}", ()
    return bits(result), bits(args)


def check(seed, count=12):
    """How often each of OUTCOMES was seen, and calls that raise in eager; AssertionError where a package and eager differ."""
    counts, pick = collections.Counter(), random.Random(seed)
    kind = loops_fuzz if seed % 2 else control_flow_fuzz
    text, scope = kind.Writer(seed).text(), {"kn": kn, "Scope": control_flow_fuzz.Scope, "Kind": control_flow_fuzz.Kind, "LIMIT": 2, "GAIN": 0.25, "TABLE": kn.ones(4) * 0.5}
    exec(compile(text, f"<exported {seed}>", "exec"), scope)
    state = [vars(scope[n]) for n in ("Run", "Settings") if n in scope]
    function = scope["f"]
    inputs = kind.inputs_of(seed, count)
    inputs = [(*args[:-1], inputs[0][-1]) for args in inputs]  # plain arguments are fixed
    examples = [copies(args) for args in inputs[:pick.randint(1, 5)]]
    def held():
        return repr([{k: v for k, v in s.items() if k[:2] != "__"} for s in state])

    before, outside = bits(examples), held()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = os.path.join(folder, "f.kiln")
        try:
            kn.export(function, *examples[0], to=path, examples=examples[1:])
        except Exception as error:
            counts["refused"] += 1
            assert isinstance(error, (kn.KilnError, ValueError, TypeError, IndexError, ZeroDivisionError)), f"seed {seed}:\n{text}\n{error!r}"
            return counts
        finally:
            assert bits(examples) == before, f"seed {seed}: an export changed an example:\n{text}"
            assert held() == outside, f"seed {seed}: an export changed what is outside:\n{text}"
        loaded = kn.load(path)
    counts["exported"] += 1
    with kn.config.override(jit="sync" if seed % 8 < 2 else "off"), contextlib.redirect_stdout(io.StringIO()):  # eager prints
        for i, args in enumerate(inputs):
            got, want = outcome(loaded, args), outcome(function, args)
            name = got[0] if isinstance(got[0], str) else "right"
            is_missing = name == "another answer" and i >= len(examples)
            is_error = isinstance(want[0], str)
            assert got == want or is_missing or (is_error and isinstance(got[0], str)), f"seed {seed}, input {i} of {len(examples)} examples:\n{text}\npackage {got}\neager   {want}"
            counts["error" if is_error else name] += 1
    return counts


def main(name="export", check=check, description=__doc__):
    """The command line of a fuzzer whose ``check(seed)`` counts what it saw."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=200)
    options = parser.parse_args()
    counts, wrong = collections.Counter(), 0
    for seed in range(options.first_seed, options.first_seed + options.programs):
        try:
            counts += check(seed)
        except AssertionError as error:
            wrong += 1
            print(str(error)[:4000], flush=True)
    print(f"{name}: {options.programs} programs, {wrong} wrong; {dict(counts)}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
