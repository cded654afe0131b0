"""A sample of export_fuzz.py, which `make soak` runs in full."""
import collections

import export_fuzz


def test_exported_programs_do_as_eager():
    counts = collections.Counter()
    for seed in range(40):
        counts += export_fuzz.check(seed)
    assert all(counts[name] for name in export_fuzz.OUTCOMES), counts
