"""Threads that write into one array: each write is whole, and none is lost, in eager, under jit and from packages."""
import sys
import threading
import time

import pytest

import kiln as kn

N, ROUNDS, ENOUGH = 1 << 21, 12, 200


def run(*works):
    """Each in a thread of its own; the first error of any."""
    errors = []

    def guarded(work):
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    [t.start() for t in threads]
    [t.join() for t in threads]
    if errors:
        raise errors[0]


def by_slices(x, k, part):
    x[part] = kn.tanh(x[part]) * 0 + k


def by_masks(x, k, part):
    x[kn.tanh(x) * 0 + kn.arange(x.size) % 2 == part] = k


def by_rows(x, k, part):
    x[kn.arange(x.size // 2) * 2 + part] = kn.sin(x[part::2]) * 0 + k


def by_adding(x, k, part):
    y = kn.tanh(x[part::2]) * 0 + k
    x[part::2] -= x[part::2] - y


HALVES = slice(0, N // 2), slice(N // 2, N)
WRITERS = {"slices": (by_slices, HALVES), "masks": (by_masks, (0, 1)), "positions": (by_rows, (0, 1)), "steps": (by_adding, (0, 1))}


def write_disjoint(functions, parts, n=N):
    """Two threads that write disjoint elements, and meet after each round."""
    x, barrier = kn.zeros(n), threading.Barrier(2)

    def work(f, part):
        for k in range(ROUNDS):
            f(x, kn.asarray(float(k)), part)
            try:
                barrier.wait(60)
                assert kn.all(x == k), f"round {k}: {float(kn.sum(x != k)):.0f} elements are of another round"
                barrier.wait(60)
            except AssertionError:
                barrier.abort()
                raise

    run(*(lambda f=f, part=part: work(f, part) for f, part in zip(functions, parts)))


@pytest.mark.parametrize("mode", ("eager", "auto", "sync"))
@pytest.mark.parametrize("name", WRITERS)
def test_disjoint_writes_are_all_there(name, mode):
    plain, parts = WRITERS[name]
    with kn.config.override(jit="auto" if mode == "eager" else mode):
        write_disjoint([plain if mode == "eager" else kn.jit(plain)] * 2, parts)


def test_a_jitted_writer_beside_an_eager_one():
    write_disjoint([kn.jit(by_slices), by_slices], HALVES)


def test_packages_that_write(tmp_path):
    n = 1 << 16
    halves = slice(0, n // 2), slice(n // 2, n)
    loaded = []
    for i, half in enumerate(halves):
        path = tmp_path / f"{i}.kiln"
        kn.export(lambda x, k, half=half: by_slices(x, k, half), kn.zeros(n), kn.asarray(0.0), to=path)
        loaded.append(kn.load(path))
    write_disjoint([lambda x, k, part, f=f: f(x, k) for f in loaded], halves, n)


@pytest.mark.parametrize("write", (lambda x, k: x.__setitem__(..., kn.zeros_like(x) + k), lambda x, k: x.__setitem__(kn.arange(x.size), kn.zeros_like(x) + k),
                                   lambda x, k: x.__setitem__(kn.ones(x.shape, dtype="bool"), kn.asarray(k))), ids=("whole", "positions", "mask"))
def test_readers_see_before_or_after(write):
    x, left = kn.ones(N), [ENOUGH]

    def read():
        while left[0] > 0:
            out = x * 2
            assert kn.all(out == out[0]), "half of a write was seen"
            left[0] -= 1

    def replace():
        for k in range(10**9):
            if left[0] <= 0:
                return
            write(x, float(1 + k % 2))

    def last(work):
        try:
            work()
        finally:
            left[0] = 0

    run(lambda: last(read), lambda: last(read), lambda: last(replace))


class Flag:
    is_asked = False


class Writer:
    """Adds to four elements of an array in a thread of its own, whenever it is asked to."""

    def __init__(self, x):
        self.flag, self.is_over, self.count, self.x = Flag(), False, 0, x
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        while not self.is_over:
            if self.flag.is_asked:
                self.flag.is_asked = False
                self.x[8:12] = self.x[8:12] + 1
                self.count += 1
            time.sleep(0)


WAITS = 30_000  # far more than the other thread needs


def reading(x, flag):
    """Asks for another float on each call: Python goes first soon, and operations are put off."""
    y = x * 2
    z = x * 3 if str(float(kn.sum(x))) != "2.5" else x
    w = x[2:] * 5
    flag.is_asked = True
    for i in range(WAITS):
        pass
    return y, z, w


def writing(x, flag):
    x[:8] = x[:8] * 0.5 + (1 if str(float(kn.sum(x))) != "2.5" else 2)
    flag.is_asked = True
    for i in range(WAITS):
        pass
    x[:8] += 1
    return x[:8] * 2, x[:8] + 1


@pytest.mark.parametrize("function", (reading, writing))
@pytest.mark.parametrize("is_pinned", (False, True))
def test_calls_that_python_drives(function, is_pinned):
    """Another thread writes an argument after operations on it and before their results are needed."""

    def results(f):
        x, found = kn.ones(16), []
        view = x.numpy() if is_pinned else None  # NumPy shares its memory
        writer = Writer(x)
        writer.thread.start()
        try:
            for k in range(40):
                x[0] = k + 0.25
                found.extend(f(x, writer.flag))
                while writer.count <= k:
                    time.sleep(0)
                found.append(kn.asarray(x, copy=True))
        finally:
            writer.is_over = True
            writer.thread.join()
        assert view is None or (view == x.numpy()).all()
        return found

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        jitted = kn.jit(function)
        for k, (got, want) in enumerate(zip(results(jitted), results(function))):
            assert kn.array_equal(got, want), k
    finally:
        sys.setswitchinterval(before)
    assert jitted.explain().variants[-1]["nodes"][0]["ends"] == "python"
