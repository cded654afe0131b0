"""Random bodies of loops, and the loops written out: what gradients, tangents and batches of them are held against."""
import numpy as np

import kiln as kn


def written_out(f, init, xs=None, length=None, reverse=False):
    """``kn.scan`` trip by trip, each of which writes its rows."""
    leaves = kn.tree.leaves(xs)
    n = leaves[0].shape[0] if leaves else length
    carry, stacked = init, None
    for i in reversed(range(n)) if reverse else range(n):
        carry, y = f(carry, kn.tree.map(lambda x: x[i], xs))
        rows, structure = kn.tree.flatten(y)
        if stacked is None:
            stacked = [kn.zeros((n, *r.shape), dtype=r.dtype) for r in rows]
        for s, r in zip(stacked, rows):
            s[i] = r
    return carry, kn.tree.unflatten(structure, stacked)


def random_body(rng, depth=0):
    """A body (carry, row) -> (carry, row) of vectors of 3, which reads ``w`` and ``m`` from around it."""
    def step():
        kind = rng.choice(["affine", "sin", "matrix", "turn", "put", "max", "row", "count", "stop", "softmax", "swap"] + ["fori", "scan", "cond"] * (depth < 1))
        inner = random_body(rng, depth + 1) if depth < 1 else None
        c = rng.randrange(1, 5) / 4
        steps = {
            "affine": lambda s, x, w, m: (s * c + x * w, x),
            "sin": lambda s, x, w, m: (kn.sin(s) + c * s * x, x - s),
            "matrix": lambda s, x, w, m: (kn.tanh(m @ s), x * c),
            "turn": lambda s, x, w, m: (kn.flip(s) - kn.sum(s * w), x),
            "put": lambda s, x, w, m: (kn.dynamic_update(s, kn.reshape(kn.sum(x) * c, (1,)), kn.asarray([1])), x),
            "max": lambda s, x, w, m: (kn.maximum(s, x) * w, x),
            "row": lambda s, x, w, m: (s + kn.reshape(kn.dynamic_slice(m, kn.stack([kn.argmax(x), 0]), (1, 3)), (3,)), s),
            "count": lambda s, x, w, m: (s * kn.astype(kn.argmax(s) % 3, s.dtype) + x, x),
            "stop": lambda s, x, w, m: (s + kn.stop_gradient(x * s) * w, x),
            "softmax": lambda s, x, w, m: (kn.softmax(s * c) + x, s * x),
            "swap": lambda s, x, w, m: (x, s),
            "fori": lambda s, x, w, m: kn.fori_loop(0, 3, lambda i, v: inner(v[0] * 0.5 + kn.astype(i, x.dtype) * w, v[1], w, m), (s, x)),
            "scan": lambda s, x, w, m: (lambda r: (r[0], r[1][1] * 0.5))(kn.scan(lambda v, r: inner(v, r * x, w, m), s, m)),
            "cond": lambda s, x, w, m: kn.cond(kn.sum(s) > 0, lambda s, x: inner(s, x, w, m), lambda s, x: (s * c, x), s, x),
        }
        return steps[kind]

    chain = [step() for _ in range(rng.randrange(1, 4))]

    def body(s, x, w, m):
        for part in chain:
            s, x = part(s, x, w, m)
        return s, x
    return body


def random_program(rng):
    """(the loop, the same written out), of (s, xs, w, m) to a number."""
    body, reverse, uses_rows = random_body(rng), rng.random() < 0.3, rng.random() < 0.7

    def program(scan):
        def f(s, xs, w, m):
            last, rows = scan(lambda s, x: body(s, x, w, m), s, xs, reverse=reverse)
            return kn.sum(last * w) + (kn.sum(rows * rows) if uses_rows else 0.0)
        return f
    return program(kn.scan), program(written_out)


def arrays(rng, trips):
    rng = np.random.default_rng(rng.randrange(2 ** 30))
    return [kn.asarray(rng.normal(size=s) * 0.7) for s in ((3,), (trips, 3), (3,), (3, 3))]
