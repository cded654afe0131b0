"""Cases in which jit does not yet do what eager does: by test, the reason and their names. To be emptied."""

KNOWN = {
    "reads": ("reads that are not watched", [
        "a lazy attribute of a module", "a namespace as an argument", "an attribute named like one of arrays", "defaults",
        "the code of a function", "the code of a helper", "the code of a helper of a helper", "the defaults of a helper",
        "the number of threads", "two captured views of one array"]),
    "statics": ("static values: what they read, and by what they are compared", [
        "a static callable that reads random", "a static function that reads a global", "a static object whose equality has effects",
        "a static object with an operator", "a static partial", "static keys of dicts and nested", "static numbers of other types"]),
    "once": ("a recording acts before it gives up, and refuses arrays that are kept", [
        "a generator that is returned", "a number asked for", "an append and a bad index", "an append and a branch on a value",
        "an append and a raise after a write", "an array kept by a closure that is returned", "an array kept in a list argument", "an error on data of something unused",
        "an array kept in an attribute of the function", "an attribute of an object", "nothing returned", "weights in a dict",
        "weights in a dict and a loss"]),
    "other_frames": ("operations of other frames are recorded", [
        "a comparison with effects in a sort", "a finalizer during a call", "a profile function that computes",
        "a signal handler in code that records"]),
    "keys": ("order, types and special methods are not in the key; other arguments are refused", [
        "functions as arguments", "iterators", "keys of dicts", "keys with effects", "methods", "objects as arguments",
        "other arguments", "scalars of NumPy", "subclasses that act", "the order of a dict", "the order of a nested dict"]),
    "changed": ("containers that are changed while the call uses them", [
        "a changed list while it is written", "a dict that holds itself", "a key of a dict is popped", "a list is cleared",
        "a list is popped", "a list that holds itself", "a view of an argument is kept in a list argument",
        "an item of a list is deleted", "an item of a list is replaced", "deep nesting", "one list given twice and read"]),
    "arrays": ("how views lie to each other", [
        "parts of a complex number"]),
    "classes": ("special methods of containers", [
        "a class attribute of a dataclass", "a dataclass with further attributes", "a dataclass with its own init", "a default factory",
        "a flatten that raises", "a registered class that hides state", "an unflatten that raises", "bool of a dataclass argument",
        "bool of a static object", "calls of a dataclass argument", "calls of a static object", "comparisons of a dataclass argument",
        "equality of a dataclass argument", "float of a dataclass argument", "index of a dataclass argument", "index of a static object",
        "items of a dataclass argument", "iteration of a dataclass argument", "iteration of a static object",
        "len of a dataclass argument", "len of a static object", "map of a dataclass argument", "map of a static object",
        "min of a dataclass argument", "named tuples with their own new", "operators of a dataclass argument",
        "range of a dataclass argument", "reflected operators of a dataclass argument", "slices of a dataclass argument",
        "sort of a dataclass argument", "sums of a dataclass argument", "unpacking of a dataclass argument",
        "what a dataclass does once made", "with and in-place operators of a dataclass"]),
    "results": ("results are put together anew", [
        "a list that holds itself", "an item of a list argument", "arguments as they are", "deep nesting", "dtypes and shapes",
        "one array twice", "one list twice", "views of one another"]),
    "memory": ("memory, cycles and compile times", [
        "another thread drops memory that a call reads", "chained reductions over one axis",
        "concatenation of something that never ends", "cycles through jitted functions are collected"]),
    "fuzz": ("what the cases above list", ["programs"]),
}
