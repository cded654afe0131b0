"""A sample of counts_fuzz.py, whose counts say that it saw what it is for."""
import collections

import counts_fuzz


def test_packages_count_as_eager_does():
    seen = collections.Counter()
    for seed in range(40):
        seen += counts_fuzz.check(seed)
    assert seen["counted"] >= 20 and seen["right"] >= 400 and seen["another answer"] < seen["right"] / 4
