"""What an exported function does beside computing is refused before it happens, with its line: nothing of the user's is changed."""
import collections
import dataclasses
import datetime
import functools
import gc
import heapq
import io
import itertools
import os
import random
import subprocess
import sys
import time
import types
import weakref

import numpy as np
import pytest

import kiln as kn

X = kn.ones((3, 2))
COUNT = 0
LOG, TABLE, QUEUE, LINES, BUFFER = [], {}, collections.deque(), io.StringIO(), np.zeros(3)
NUMBERS, RNG, NUMPY_RNG, GENERATOR = itertools.count(), random.Random(0), np.random.default_rng(0), kn.random.default_rng(0)
SPACE = types.SimpleNamespace(n=0)


class Norm:
    seen = 0

    def __init__(self):
        self.mean, self.n, self.parts = kn.zeros(2), 0, {"a": [1]}

    def moves(self, x):
        self.mean = 0.9 * self.mean + 0.1 * kn.mean(x, axis=0)
        return x - self.mean

    def counts(self, x):
        self.n += 1
        return x * self.n

    def counts_in_class(self, x):
        Norm.seen += 1
        return x

    def counts_by_a_name(self, x):
        setattr(self, "n", 7)
        return x

    def counts_plainly(self, x):
        object.__setattr__(self, "n", 7)
        return x

    def counts_in_dict(self, x):
        self.__dict__["n"] = 7
        return x

    def counts_in_vars(self, x):
        vars(self).update(n=7)
        return x

    def extends(self, x):
        self.parts["a"] += [2]
        return x

    def forgets(self, x):
        del self.n
        return x

    @functools.cached_property
    def scale(self):
        return kn.sum(W)

    def scales(self, x):
        return x * self.scale


W = kn.ones(2)
NORM = Norm()


def of_globals(x):
    global COUNT
    COUNT += 1
    return x * COUNT


def of_closures():
    n = 0

    def f(x):
        nonlocal n
        n += 1
        return x * n
    return f


def through_a_library(x):
    counter = collections.Counter
    counter.update(COUNTED, ["a"])
    return x


COUNTED = collections.Counter()


def swallows(x):
    try:
        SPACE.n = 5
    except Exception:
        pass
    return x


STORES = [
    (NORM.moves, "sets 'mean' of a Norm that exists before the call"), (NORM.counts, "sets 'n' of a Norm"), (NORM.counts_in_class, "sets 'seen' of the class Norm"),
    (NORM.counts_by_a_name, "changes a Norm"), (NORM.counts_plainly, "changes a Norm"), (NORM.counts_in_dict, "changes a dict"), (NORM.counts_in_vars, "changes a dict"),
    (NORM.extends, "changes a list"), (NORM.forgets, "sets 'n' of a Norm"), (NORM.scales, r"leads to functools.py:\d+: changes a dict"),
    (of_globals, "stores the global 'COUNT'"), (of_closures(), "stores 'n' of an enclosing function"), (swallows, "sets 'n' of a .*SimpleNamespace"),
    (lambda x: LOG.append(x * 2), "changes a list"), (lambda x: TABLE.update(x=x * 2), "changes a dict"), (lambda x: QUEUE.append(3), "changes a collections.deque"),
    (lambda x: TABLE.setdefault("k", 3) * x, "changes a dict"), (lambda x: heapq.heappush(LOG, 3), "changes a list"), (lambda x: BUFFER.fill(3), "changes a numpy.ndarray"),
    (lambda x: np.copyto(BUFFER, 3.0), "changes a numpy.ndarray"), (through_a_library, r"leads to __init__.py:\d+: changes a .*Counter"), (lambda x: next(NUMBERS) * x, "goes on with a itertools.count"),
    (lambda x: sum(n for n, _ in zip(NUMBERS, range(3))) * x, "goes on with a itertools.count")]


@pytest.mark.parametrize("f, what", STORES)
def test_stores_are_refused_with_their_line(tmp_path, f, what):
    before = (NORM.mean, NORM.n, Norm.seen, str(NORM.parts), COUNT, str(LOG), str(TABLE), len(QUEUE), BUFFER.tolist(), str(COUNTED), SPACE.n, vars(NORM).keys() - {"mean", "n", "parts"})
    for _ in range(2):  # the second export finds all as the first one did
        with pytest.raises(kn.TraceError, match=rf"test_package_effects.py:\d+: (leads to .*)?{what}"):
            kn.export(f, X, to=tmp_path / "m.kiln")
    assert (NORM.mean, NORM.n, Norm.seen, str(NORM.parts), COUNT, str(LOG), str(TABLE), len(QUEUE), BUFFER.tolist(), str(COUNTED), SPACE.n, vars(NORM).keys() - {"mean", "n", "parts"}) == before
    assert before[0].tolist() == [0, 0] and not (tmp_path / "m.kiln").exists()


def test_stores_at_some_sizes_alone(tmp_path):
    def f(x):
        if x.shape[0] > 7:
            LOG.append(x.shape[0])
        return x
    with pytest.raises(kn.TraceError, match="changes a list that exists before the call"):
        kn.export(f, X, to=tmp_path / "m.kiln", dynamic={"x": {0: ("n", 1, 9)}})
    assert LOG == []


def test_stores_to_arguments(tmp_path):
    def f(x, history, *, options):
        history.append(x)
        return x
    history = [X]
    for _ in range(2):
        with pytest.raises(kn.TraceError, match="changes a list that exists before the call"):
            kn.export(f, X, history, to=tmp_path / "m.kiln", kwargs={"options": {"a": 1}})
    assert history == [X] and X.tolist() == [[1, 1]] * 3


def test_stores_beside_values_that_are_asked_for(tmp_path):
    def f(x):
        if kn.sum(x) > 0:
            SPACE.n += 1
        return x
    with pytest.raises(kn.TraceError, match="sets 'n' of a .*SimpleNamespace that exists before the call"):
        kn.export(f, X, to=tmp_path / "m.kiln")
    assert SPACE.n == 0


VARYING = [
    (lambda x: x * time.time(), "reads the clock"), (lambda x: x * time.perf_counter(), "reads the clock"), (lambda x: x * datetime.datetime.now().year, "reads the clock"),
    (lambda x: x * random.random(), "draws random numbers"), (lambda x: x * random.randint(1, 9), "draws random numbers"), (lambda x: x * RNG.random(), "draws random numbers"),
    (lambda x: random.shuffle([1, 2, 3]), "draws random numbers"), (lambda x: x * np.random.rand(), "draws random numbers"), (lambda x: x * NUMPY_RNG.random(), "draws random numbers"),
    (lambda x: x * np.random.default_rng().random(), "makes a generator that takes its seed from the system"), (lambda x: x + kn.random.normal(x.shape), "draws random numbers, which needs a key="),
    (lambda x: x + kn.random.default_rng().normal(size=x.shape), "makes a generator that takes its seed from the system"), (lambda x: x + GENERATOR.normal(size=x.shape), "draws from a generator that exists"),
    (lambda x: kn.random.seed(0), "draws random numbers|does more than compute"), (lambda x: print("tick"), "prints, which calls of a package do not"), (lambda x: kn.debug.print("{}", x), "prints"),
    (lambda x: sys.stdout.write("tick"), "writes to a"), (lambda x: LINES.write("tick"), "writes to a"), (lambda x: input(), "asks whoever runs it"),
    (lambda x: os.environ.update(KILN_TEST="1"), "changes the environment")]


@pytest.mark.parametrize("f, what", VARYING)
def test_clocks_random_numbers_and_prints_are_refused(tmp_path, f, what, capfd):
    before = NUMPY_RNG.bit_generator.state, RNG.getstate(), random.getstate(), GENERATOR.state.tolist()
    with pytest.raises(kn.TraceError, match=rf"test_package_effects.py:\d+: (leads to .*)?({what})"):
        kn.export(f, X, to=tmp_path / "m.kiln")
    assert (NUMPY_RNG.bit_generator.state, RNG.getstate(), random.getstate(), GENERATOR.state.tolist()) == before
    assert "KILN_TEST" not in os.environ and capfd.readouterr().out == "" and LINES.getvalue() == ""
    assert kn.random.normal(size=2).shape == (2,)  # the generator of the process is as it was


@functools.cache
def table(n):
    return kn.arange(n) * 2.0


def test_results_that_are_kept(tmp_path):
    """What a cache would keep of a recording is forgotten."""
    with pytest.raises(kn.TraceError, match="kept outside of the call"):
        kn.export(lambda x: (SPACE.n, x + table(2)), X, to=tmp_path / "m.kiln")
    assert table(2).tolist() == [0, 2]


@dataclasses.dataclass(frozen=True)
class Frozen:
    scale: float


class Tree:
    def __init__(self, parent=None):
        self.parent, self.children, self.n = parent, [], 0
        if parent:
            parent.children.append(self)


def test_what_a_call_makes_may_be_changed(tmp_path):
    """Objects, containers, generators and iterators of the call itself, whatever it reads beside them."""
    def f(x):
        tree = Tree()
        leaf = Tree(tree)
        leaf.n += 2
        setattr(leaf, "more", 1)
        tree.__dict__["more"] = leaf.more + len(tree.children)
        values, queue, counts = {}, collections.deque([3]), collections.Counter("aab")
        values["n"] = leaf.n
        values.setdefault("m", []).append(tree.more)
        counts.update("b")
        queue.append(counts["b"])
        heap = [3, 1]
        heapq.heapify(heap)
        numbers = itertools.count(2)
        array = np.zeros(2)
        array[0] += next(numbers) + random.Random(5).randint(1, 6) + np.random.default_rng(5).integers(4)
        frozen = dataclasses.replace(Frozen(2.0), scale=3.0)
        total = 0

        def add(n):
            nonlocal total
            total += n
        for n in (values["n"], *values["m"], *queue, *heap, *itertools.islice(numbers, 2), frozen.scale, array[0], SPACE.n):
            add(float(n))
        return x * total
    kn.export(f, X, to=tmp_path / "m.kiln")
    assert kn.load(tmp_path / "m.kiln")(X).tolist() == f(X).tolist()


def test_state_of_libraries_is_theirs(tmp_path):
    """Caches of the standard library, and modules that are imported meanwhile."""
    def f(x):
        import re
        import colorsys
        return x * len(re.split("[,;]+", f"a,b;c{SPACE.n}")) * colorsys.rgb_to_hsv(1.0, 0.5, 0.25)[1]
    sys.modules.pop("colorsys", None)
    kn.export(f, X, to=tmp_path / "m.kiln")
    assert kn.load(tmp_path / "m.kiln")(X).tolist() == f(X).tolist()


def test_lowering_changes_no_arguments():
    history = [X]
    with pytest.raises(kn.TraceError, match="changes a list that exists before the call"):
        kn.jit(lambda h, x: (h.append(x * 2), x)[1]).lower(history, X)
    assert len(history) == 1 and X.tolist() == [[1, 1]] * 3


def test_an_export_keeps_nothing_alive(tmp_path):
    class Big:
        pass
    for f in (lambda x: x * (SPACE.n + 2), lambda x: LOG.append(x)):
        kept = Big()
        known = weakref.ref(kept)
        try:
            kn.export(f, X, to=tmp_path / "m.kiln")
        except kn.TraceError:
            pass
        del kept
        gc.collect()
        assert known() is None


def test_exports_beside_asyncio(tmp_path):
    """Iterators of futures that asyncio keeps for reuse are nobody's: to hold them would put them there twice."""
    program = f"""
import asyncio, gc, kiln as kn
async def wait():
    for _ in range(20):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)
        await future
for _ in range(3):
    asyncio.run(wait())
    kn.export(lambda x: x + 1 if kn.sum(x) > 0 else x, kn.ones(3), to={str(tmp_path / 'f.kiln')!r})
    gc.collect()
asyncio.run(wait())
print("done")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n", done.stderr
