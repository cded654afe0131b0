"""``kn.load``: packages as functions."""
import json

from . import _core
from ._creation import asarray
from ._errors import make
from ._signature import Parameters, build, check, size_text


def load(path, *, verify=False, native=False):
    """A package that ``kn.export`` wrote: ``m(x)`` runs its entry, ``m.decode(x)`` or ``m["decode"](x)`` one of several.

    Weights are the mapped file; they are read when they are used. Nothing of the file is run but operations of Kiln, by the interpreter until their code is
    there, as for jitted functions. Do not change a file that is loaded: ``kn.export`` puts a new one in its place.

    Parameters
    ----------
    path : path of a ``*.kiln`` file
    verify : bool
        Whether to compare the checksums of weights as well, which reads them all.
    native : bool
        Whether to run the code that the package has for this machine (``kn.export(..., target=...)``), instead of compiling its program, and code of custom ops in
        it: that is compiled where the machine can, or used as it is. Load only what you trust. Without it those ops must be known in this process, from
        ``kn.custom_op`` with the same sources.

    Raises
    ------
    PackageError
        For a file that is no package, is damaged, or is of a later version; with ``native`` where it has no code that runs here; for custom ops whose code is not to
        be had.
    """
    import os
    return Module(os.fspath(path), verify, native)


class Module:
    """A loaded package: its ``entries`` by name, its ``weights`` and ``state`` as arrays by name."""

    def __init__(self, path, verify=False, native=False):
        self._loaded = _core.load_package(path, verify, bool(native))
        manifest = json.loads(self._loaded.manifest())
        if manifest.get("ops") and native is not None:  # None: nothing is called
            from ._custom import unpack
            unpack(manifest, self._loaded.file, native)
        self.path, self.name = path, manifest["name"]
        self._numbers = {w["name"]: i for i, w in enumerate(manifest["weights"])}
        self._manifest = manifest
        self.state = {}  # arrays that entries change, from when they are called first
        variants = {}
        for entry in manifest["entries"]:
            variants.setdefault(entry["name"], []).append(entry)
        self.entries = {name: Entry(self, parts) for name, parts in variants.items()}

    @property
    def weights(self):
        """The weights by name: read-only arrays of the mapped file."""
        return {name: self._loaded.weight(i) for name, i in self._numbers.items()}

    @property
    def signature(self):
        """The signature of the only entry."""
        return self._only("signature").signature

    def _only(self, what):
        if len(self.entries) != 1:
            raise make("ValueError", f"package '{self.name}': {what}: expected one entry, got {', '.join(self.entries)}: name one of them")
        return next(iter(self.entries.values()))

    def __call__(self, *args, **kwargs):
        """Calls the only entry."""
        return self._only("a call")(*args, **kwargs)

    def __getitem__(self, entry):
        if entry not in self.entries:
            raise KeyError(f"package '{self.name}': expected one of {', '.join(self.entries)}, got {entry!r}")
        return self.entries[entry]

    def __getattr__(self, entry):
        if entry in self.__dict__.get("entries", ()):
            return self.entries[entry]
        raise AttributeError(f"package '{self.__dict__.get('name')}' has no entry or attribute '{entry}'")

    def __dir__(self):
        return [*super().__dir__(), *self.entries]

    def _state_of(self, weight):
        if weight not in self.state:
            self.state[weight] = self._loaded.weight(self._numbers[weight]).copy()
        return self.state[weight]

    def __repr__(self):
        size = sum(w.nbytes for w in self.weights.values())
        lines = [f"  {e!r}" for e in self.entries.values()]
        return "\n".join([f"<package '{self.name}', {len(self._numbers)} weights of {size:,} bytes>", *lines])


class Entry:
    """A function of a package."""

    def __init__(self, module, programs):
        variants = [p for p in programs if not p.get("counts")]  # of the last stage
        self.name, self._module, self._programs, self._variants = programs[0]["name"], module, programs, variants
        self._function = module._loaded.function(self.name)
        self._inputs = [i for i in variants[0]["inputs"] if i["role"] in ("argument", "number")]
        given = [n for n, i in enumerate(self._inputs) if "initial" not in i]
        for variant in variants:
            signature, results = variant["signature"], [o for o in variant["outputs"] if "writes" not in o]
            if not check(signature, given, len(results) - ("misses" in variant)):
                raise make("PackageError", f"package '{module.name}': signature of '{self.name}': expected one of its arguments and results for Python, got {'none' if signature is None else 'another'}")
        self._parameters = Parameters(variants[0]["signature"]["parameters"])
        self._results = [v["signature"]["result"] for v in variants]
        self._is_one = len({json.dumps(r) for r in self._results}) == 1
        if not self._is_one and len(variants) < len(programs):
            raise make("PackageError", f"package '{module.name}': signature of '{self.name}': expected one result for all counts, got several")

    @property
    def signature(self):
        """How it is called; what is fixed in the package has its value as a default."""
        return self._parameters.signature

    @property
    def stats(self):
        """(calls, compilations, programs that were found in the cache)"""
        return self._function.stats()

    def __call__(self, *args, **kwargs):
        found = self._parameters.arrays(args, kwargs, self.name)
        arrays = []
        for number, known in enumerate(self._inputs):
            if number in found:
                arrays.append(_array(found[number], known))
            else:
                arrays.append(self._module._state_of(known["initial"]))
        results = self._function(arrays)
        return build(self._results[0 if self._is_one else self._function.variant(arrays)], results)

    def __repr__(self):
        most = max(self._variants, key=lambda v: len(v["symbols"]))  # the others are special cases
        return f"<entry {self.name}{self.signature}: {', '.join(_describe(i) for i in self._inputs)} -> {', '.join(_describe(o) for o in seen(most))}>"


def _array(value, known):
    """An argument as an array; numbers take the dtype of the input."""
    if isinstance(value, _core.Array):
        return value
    return asarray(value, dtype=known["dtype"] if isinstance(value, (bool, int, float, complex)) else None)


def _describe(known):
    """``x float32[n, 3]``"""
    return f"{known['name']} {known['dtype']}[{', '.join(map(size_text, known.get('shape', ())))}]"


def seen(variant):
    """The outputs that callers get: without the number of a question that has another answer."""
    return variant["outputs"][:-1] if "misses" in variant else variant["outputs"]
