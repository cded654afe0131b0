"""Control flow on values under jit: each program of control_flow.py against eager, on many inputs in random order, cold and warm."""
import os
import sys
import warnings

import numpy as np
import pytest

import control_flow
import control_flow_fuzz
import control_flow_more
import kiln as kn
from control_flow import PROGRAMS, RAISES
from control_flow_fuzz import copies, outcome

# Programs that ask for floats, which are others on each input: the fifth sends the path to eager.
ASKS_FOR_FLOATS = {"beam_search"}
# Where paths are measured to be slower than eager, which they are not to be.
MEASURED = set(PROGRAMS) if os.environ.get("KILN_SANITIZED") else ASKS_FOR_FLOATS
# Whose recordings see different loops in the same places: they are recorded without loops from then on, and what was met meanwhile once more.
SEES_OTHER_LOOPS = {"adaptive_ode_step", "balanced", "bubble_sort", "largest_sum_of_a_part", "prime_factors"}


class Frames:
    """Counts the frames that a block enters of functions written in control_flow.py."""

    def __enter__(self):
        self.count = 0
        sys.setprofile(self.see)
        return self

    def see(self, frame, event, _):
        self.count += event == "call" and frame.f_code.co_filename in (control_flow.__file__, control_flow_more.__file__)

    def __exit__(self, *_):
        sys.setprofile(None)


@pytest.fixture(params=["auto", "sync"])
def mode(request):
    with kn.config.override(jit=request.param):
        yield request.param


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_do_as_eager_does(name, mode):
    function, make = PROGRAMS[name]
    rng = np.random.default_rng(len(name))
    inputs = [make(rng) for _ in range(24 if mode == "auto" else 5)]
    want = [outcome(function, args) for args in inputs]
    jitted = kn.jit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if name in MEASURED else "error")
        for i in range(len(inputs)):
            assert outcome(jitted, inputs[i]) == want[i], f"{name}: cold, input {i}"
        for trip in range(5 if name in SEES_OTHER_LOOPS else 2):
            for i in rng.permutation(len(inputs)):
                args = copies(inputs[i])
                with Frames() as frames:
                    try:
                        jitted(*args)
                    except Exception:
                        assert name in RAISES
                        continue
                assert name in MEASURED or not frames.count or (name in SEES_OTHER_LOOPS and trip < 3), f"{name}: a call of a known path enters Python"
                assert outcome(jitted, inputs[i]) == want[i], f"{name}: warm, input {i}"
        for i in [0] * (40 if mode == "sync" and name not in RAISES else 0) + list(range(len(inputs))):  # one path becomes hot
            assert outcome(jitted, inputs[i]) == want[i], f"{name}: hot, input {i}"
    variants = jitted.explain().variants
    assert name in MEASURED or not any(v["eager"] for v in variants)
    ends = {node["ends"] for v in variants for node in v["nodes"]}
    assert name in MEASURED or ends <= {"return", "guard"} | ({"raise"} if name in RAISES else set()), ends
    assert str(jitted.explain())


def test_frames_are_counted():
    with Frames() as frames:
        control_flow.sign_of_sum(kn.ones(2))
    assert frames.count == 1


FIRST, SEEDS = int(os.environ.get("KILN_FIRST_SEED", "0")), int(os.environ.get("KILN_SEEDS", "200"))


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, 50))
def test_random_programs(first):
    for seed in range(first, min(first + 50, FIRST + SEEDS)):
        control_flow_fuzz.check(seed, "sync" if seed % 40 == 0 else "auto")
