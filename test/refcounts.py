"""Each kind of call, many times, under a debug build of CPython: the count of all references stays. Run by `make test-refcounts`.

  refcounts.py [--calls=100000] [--seconds=20] [--only=TEXT]

NumPy is left out: its own code is of a release build, whose references are not in the count.
"""
import argparse
import collections
import ctypes
import dataclasses
import gc
import os
import sys
import time

os.environ.setdefault("KILN_JIT", "sync")

import kiln as kn  # noqa: E402

SLACK = 20  # references of the measurement, and of caches that fill
CASES = {}


def case(make):
    """A function that makes the call to repeat; or several, by name."""
    CASES[make.__name__] = make
    return make


def raising(f, *args, error=Exception):
    def call():
        try:
            f(*args)
        except error:
            return
        raise AssertionError(f"expected {error.__name__}")
    return call


x, y, m = kn.ones(8), kn.arange(8, dtype=kn.float32), kn.ones((3, 4))
Point = collections.namedtuple("Point", "a b")


@dataclasses.dataclass
class State:
    a: kn.Array
    b: kn.Array


#===-- jitted calls -------------------------------------------------------------------------------------------------===

@case
def jit_plain():
    f = kn.jit(lambda a, b: a * b + 1)
    return lambda: f(x, y)


@case
def jit_numbers():
    f = kn.jit(lambda a, s, t: a * s + t)
    return lambda: f(x, 2.5, 3)


@case
def jit_keywords():
    f = kn.jit(lambda a, *, b, s=2: a + b * s)
    return lambda: f(x, b=y, s=3)


@case
def jit_static():
    f = kn.jit(lambda a, how: kn.tanh(a) if how == "tanh" else a * 2, static_argnames="how")
    return lambda: f(x, how="tanh")


@case
def jit_strided_argument():
    f, view = kn.jit(lambda a: a * 2 + 1), m.T
    return lambda: f(view)


@case
def jit_containers():
    f = kn.jit(lambda d, pair: d["w"] * pair[0] + pair[1])
    return lambda: f({"w": x}, (y, [x][0]))


@case
def jit_containers_of_results():
    f = kn.jit(lambda a: {"a": a + 1, "b": [a, (a * 2, None, "text", 3)], "c": Point(a - 1, a)})
    return lambda: f(x)


@case
def jit_dataclass():
    f, state = kn.jit(lambda s: State(s.a + s.b, s.b)), State(x, y)
    return lambda: f(state)


captured = kn.ones(8) * 3


@case
def jit_captured():
    f = kn.jit(lambda a: a + captured)
    return lambda: f(x)


@case
def jit_captured_changes():
    cell = kn.ones(8)

    def user(a):
        return a + cell
    f = kn.jit(user)

    def call():
        nonlocal cell
        cell = y if cell is x else x
        return f(x)
    return call


@case
def jit_writes():
    target = kn.ones(8)

    @kn.jit
    def f(a, b):
        a += b
        a[1:3] = b[0]
        return a
    return lambda: f(target, x)


@case
def jit_view_of_argument():
    f = kn.jit(lambda a: a[2:5])
    return lambda: f(x)


@case
def jit_index_by_array():
    f, at = kn.jit(lambda a, i: a[i]), kn.asarray([1, 2, 3])
    return lambda: f(x, at)


@case
def jit_sizes():
    f, arrays = kn.jit(lambda a: kn.sum(a * 2)), [kn.ones(n) for n in range(2, 6)]
    state = iter(())

    def call():
        nonlocal state
        a = next(state, None)
        if a is None:
            state = iter(arrays)
            a = next(state)
        return f(a)
    return call


@case
def jit_many_recordings():
    f = kn.jit(lambda a, k: a * k)
    count = 0

    def call():
        nonlocal count
        count += 1
        return f(x, count % 400)  # more than are kept
    return call


@case
def jit_buffer_argument():
    f, data = kn.jit(lambda a: a + 1), memoryview(bytearray(32)).cast("f")
    return lambda: f(kn.asarray(data))


@case
def jit_raises_in_the_function():
    f = kn.jit(lambda a, b: a + b)
    return raising(f, kn.ones(2), kn.ones(3), error=kn.ShapeError)


@case
def jit_raises_for_an_argument():
    f = kn.jit(lambda a, b: a, on_miss="raise")
    return raising(f, x, object(), error=kn.TraceError)


@case
def jit_raises_for_keywords():
    f = kn.jit(lambda a, b=1: a)
    return raising(lambda: f(x, c=2), error=TypeError)


@case
def jit_raises_on_data():
    f, at = kn.jit(lambda a, i: a[i]), kn.asarray([1, 2, 30])
    return raising(f, x, at, error=IndexError)


@case
def jit_raises_its_own():
    @kn.jit
    def f(a):
        b = a + 1
        raise KeyError(b.shape)
    return raising(f, x, error=KeyError)


@case
def jit_keeps_an_array():
    @kn.jit
    def f(a, found):
        found.append(a + 1)
        return a
    return lambda: f(x, [y])


@case
def jit_changes_a_list():
    @kn.jit
    def f(a, found):
        found.append(2)
        return a + 1
    return lambda: f(x, [y])


@case
def jit_eager():
    f = kn.jit(lambda a: a + float(a[0]))
    return lambda: f(x)


@case
def jit_nested():
    inner = kn.jit(lambda a: a * 2)
    f = kn.jit(lambda a: inner(a) + 1)
    return lambda: f(x)


@case
def jit_of_a_new_function():
    """Jitted functions come and go, with their recordings."""
    def call():
        return kn.jit(lambda a: a + 1)(x)
    return call


@case
def jit_stats_and_explain():
    f = kn.jit(lambda a: a + captured)
    f(x)
    return lambda: (f.stats, str(f.explain()), f._entries())


@case
def jit_lower():
    f = kn.jit(lambda a: a + 1)
    return lambda: f.lower(x).to_bytes()


@case
def jit_disabled():
    f = kn.jit(lambda a: a + 1)

    def call():
        with kn.disable_jit():
            return f(x)
    return call


#===-- eager --------------------------------------------------------------------------------------------------------===

@case
def eager_operators():
    return lambda: (x + y, x * 2, 2 - x, -x, x < y, x @ y, abs(x), ~(x < y), divmod(x, 2) if hasattr(x, "__divmod__") else None)


@case
def eager_in_place():
    a = kn.ones(8)

    def call():
        nonlocal a
        a += y
        a *= 0.5
    return call


@case
def eager_functions():
    return lambda: (kn.exp(x), kn.sum(m, axis=0), kn.max(m, axis=-1, keepdims=True), kn.where(x > 0, x, y), kn.argmax(x), kn.concat([x, y]))


@case
def eager_shapes():
    return lambda: (kn.reshape(m, (4, 3)), m.T, kn.transpose(m), kn.broadcast_to(x, (2, 8)), kn.stack([x, y]), kn.expand_dims(x, axis=0))


@case
def eager_attributes():
    return lambda: (m.shape, m.strides, m.dtype, m.ndim, m.size, m.nbytes, m.device, m.T, m.mT, len(m), m.real)


@case
def eager_indexing():
    at, mask = kn.asarray([2, 0]), x > 0
    return lambda: (m[1], m[1, 2], m[..., 0], m[:, 1:3], m[None], x[at], x[mask], x[-1], x.at[1].set(3))


@case
def eager_assignment():
    a, at, mask = kn.zeros((3, 4)), kn.asarray([2, 0]), kn.ones((3, 4)) > 0

    def call():
        a[1] = 3
        a[1, 2] = kn.ones(())
        a[:, 1:3] = 2.5
        a[at] = kn.ones(4)
        a[mask] = 1
    return call


@case
def eager_iteration():
    return lambda: [list(row) for row in m]


@case
def eager_conversions():
    return lambda: (x[0].item(), float(x[0]), int(x[0]), bool(x[0]), m.tolist(), repr(m), memoryview(m), kn.asarray([[1, 2], [3, 4]]), kn.asarray(2.5),
                    kn.astype(x, kn.int32), hash(x.dtype))


@case
def eager_creation():
    return lambda: (kn.zeros((2, 3)), kn.full((2,), 3), kn.arange(5), kn.eye(3), kn.linspace(0, 1, 5), kn.empty_like(x))


@case
def eager_dlpack():
    return lambda: (x.__dlpack__(), kn.from_dlpack(x), x.__dlpack_device__())


@case
def eager_linalg_and_fft():
    a = kn.eye(3)
    return lambda: (kn.linalg.svd(a), kn.linalg.solve(a, a), kn.fft.fft(x), kn.linalg.norm(x))


@case
def eager_tree():
    return lambda: kn.tree.map(lambda a: a + 1, {"a": x, "b": [y, (x,)]})


@case
def eager_raises():
    def call():
        for f in (lambda: x + kn.ones(3), lambda: x[9], lambda: x["text"], lambda: kn.reshape(x, (3, 3)), lambda: kn.sum(x, axis=4),
                  lambda: kn.asarray([[1], [1, 2]]), lambda: kn.asarray(object()), lambda: kn.exp("text"), lambda: kn.linalg.inv(kn.zeros((2, 2))),
                  lambda: setattr(x, "shape", 3), lambda: x.__setitem__(0, kn.ones(4)), lambda: kn.astype(x, "float33"), lambda: kn.exp(x, y, y, y)):
            try:
                f()
            except Exception:
                continue
            raise AssertionError("expected an error")
    return call


def repeat(call, calls, seconds):
    """Makes so many calls, or as many as fit the time; how many it were."""
    end, made = time.perf_counter() + seconds, 0
    while made < calls and time.perf_counter() < end:
        step = min(100, calls - made)
        for _ in range(step):
            call()
        made += step
    return made


def measure(call, calls, seconds):
    """How many references are more after `calls` calls, or as many as fit the time; the bytes of arrays; the calls; their time."""
    repeat(call, 500, seconds / 4)  # caches fill, and recordings are dropped for others
    gc.collect()
    before, bytes_, start = sys.gettotalrefcount(), kn.memory_stats().in_use, time.perf_counter()
    made = repeat(call, calls, seconds)
    taken = time.perf_counter() - start
    gc.collect()
    return sys.gettotalrefcount() - before, kn.memory_stats().in_use - bytes_, made, taken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100000)
    parser.add_argument("--seconds", type=float, default=20, help="the most that one kind may take")
    parser.add_argument("--only", default="", help="kinds whose names have this text")
    options = parser.parse_args()
    if not hasattr(sys, "gettotalrefcount"):
        sys.exit("refcounts: expected a debug build of CPython, got a release build")
    lost = measure(lambda: ctypes.pythonapi.Py_IncRef(ctypes.py_object(x)), 1000, 60)[0]
    if lost < 1000:
        sys.exit(f"refcounts: expected to see 1000 references that are lost on purpose, got {lost}")
    leaks = 0
    for name, make in CASES.items():
        if options.only not in name:
            continue
        more, bytes_, made, taken = measure(make(), options.calls, options.seconds)
        is_leak = abs(more) > SLACK or bytes_ > 4096
        leaks += is_leak
        print(f"{name:28} {made:7} calls {taken / made * 1e6:8.1f} us each {more:8} references {bytes_:8} bytes{'  LEAK' * is_leak}", flush=True)
    print(f"refcounts: {leaks} kinds of calls lose or keep references")
    sys.exit(bool(leaks))


if __name__ == "__main__":
    main()
