"""A few of the programs of transforms_fuzz.py."""
import collections

import pytest

import kiln as kn
import transforms_fuzz


@pytest.fixture(autouse=True)
def doubles():
    before = kn.get_default_dtype()
    kn.set_default_dtype(kn.float64)
    yield
    kn.set_default_dtype(before)


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_random_programs(first):
    for seed in range(first, first + 10):
        transforms_fuzz.check(seed, collections.Counter(), is_compiled=seed % 30 == 0)
