"""Cases in which jit does not yet do what eager does: by test, the reason and their names. To be emptied."""

KNOWN = {}
