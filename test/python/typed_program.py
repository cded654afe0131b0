"""A program for the type checker: what users write, with the types they expect."""
import dataclasses
from typing import assert_type

import kiln as kn


@dataclasses.dataclass
class Params:
    w: kn.Array
    b: kn.Array


def layer(p: Params, x: kn.Array) -> kn.Array:
    h = kn.tanh(x @ p.w + p.b)
    h[0, 1:] = 0.5
    h[h > 1] = 1
    h += 2 * x.mT
    return kn.where(h < 0, -h, h).sum(axis=-1)


x = kn.ones((2, 2), dtype=kn.float32)
assert_type(x, kn.Array)
assert_type(x + 1, kn.Array)
assert_type(1 / x, kn.Array)
assert_type(x[0], kn.Array)
assert_type(x.shape, tuple[int, ...])
assert_type(kn.exp(x), kn.Array)
assert_type(x.dtype.name, str)
assert_type(float(x[0, 0]), float)
assert_type(x.at[0].set(1.0).T, kn.Array)
assert_type(kn.linalg.svd(x).S, kn.Array)
assert_type(kn.linalg.inv(x) @ x, kn.Array)
assert_type(kn.fft.rfft(x[0]), kn.Array)
assert_type(kn.get_num_threads(), int)
result = kn.jit(layer)(Params(x, x[0]), x)
bad: str = x.sum()  # error: the checker sees an Array
