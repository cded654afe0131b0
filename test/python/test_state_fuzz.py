"""Random programs over Python state; ``KILN_SEEDS`` and ``KILN_FIRST_SEED`` choose the range."""
import os

import pytest

import state_fuzz
import state_harness

# From a seed on whose programs have every construct.
SEEDS, FIRST = int(os.environ.get("KILN_SEEDS", "450")), int(os.environ.get("KILN_FIRST_SEED", "42988"))


@pytest.fixture(scope="module")
def ran():
    return state_fuzz.run_range(FIRST, SEEDS)


def test_programs_of_python_state_agree(ran):
    _, wrong = ran
    if wrong:
        seed, why = next(iter(wrong.items()))
        text, mode = state_fuzz.write(seed)
        raise AssertionError(f"{len(wrong)} of {SEEDS} differ: {sorted(wrong)}\nthe first: {why}\nin short, mode {mode}:\n{state_fuzz.shrink(text, mode)}")


def test_every_construct_was_drawn(ran):
    few = state_fuzz.missing(ran[0], 50 if SEEDS >= 20000 else 1)
    assert not few, f"drawn too seldom in {SEEDS} programs: {few}"


def test_a_difference_is_found_and_made_short():
    text = state_fuzz.SETUP + "f = jit(lambda x: x * (2.0 if jit is kn.jit else 3.0))\n---\nf(a0)\nf(a0)\n"
    with pytest.raises(AssertionError, match=r"mode sync, step 1: f\(a0\)"):
        state_harness.check(text, ("sync",))
    short = state_fuzz.shrink(text, "sync")
    assert state_fuzz.fails(short, "sync") and len(short.splitlines()) <= 14
