"""Cases in which jit does not yet do what eager does: by test, the reason and their names. To be emptied."""
import collections

KNOWN = collections.defaultdict(lambda: ("", []), {
    "once": ("an operation whose result is unused is left out of compiled code, and with it its error", ["an error on data of something unused"]),
    "classes": ("attributes of named tuples are not in the key", ["tuples with further attributes"]),
    "objects": ("parts of partial objects are not places that are watched", ["partial objects that are set anew"]),
    "arrays": ("one array twice and two views of the same elements have one key", ["the same elements in one object and in two"]),
})
