"""Random numbers inside of jitted functions: the generator of the process, generators of the user's, and keys; jit against eager."""
import pytest

import kiln as kn
from state_harness import cases

CASES = {
    "the generator of the process": """
kn.random.seed(5)
rate = 0.5
@jit
def f(x): return x * kn.random.uniform(size=(2,)) + rate, kn.random.normal(size=3)
# not threads
---
f(x)
f(x)
kn.random.uniform(size=4)
f(x)
kn.random.seed(5)
f(x)
rate = 2.0
f(x)
f(x)
kn.random.normal()
""",
    "seeds inside": """
@jit
def f(x):
    kn.random.seed(3)
    return x + kn.random.uniform(), kn.random.get_state()
# not threads
---
f(x)
f(x)
kn.random.uniform()
f(x)
kn.random.uniform()
""",
    "keys": """
class Model:
    rate = 0.5
model = Model()
@jit
def f(x, key):
    a, b = kn.random.split(key)
    mask = kn.random.uniform(size=x.shape, key=a) > model.rate
    if mask.any(): x = kn.where(mask, x, 0)
    return x + kn.random.normal(size=2, key=b), kn.random.fold_in(key, 7), kn.random.integers(0, 10, 3, key=kn.random.key(4))
---
f(x, kn.random.key(1))
f(x, kn.random.key(1))
f(x, kn.random.key(2))
f(x, kn.random.key(3))
model.rate = 0.9
f(x, kn.random.key(1))
""",
    "a key that is None": """
@jit
def f(x, key=None): return x + kn.random.uniform(size=2, key=key)
kn.random.seed(1)
# not threads
---
f(x)
f(x)
f(x, kn.random.key(1))
f(x, kn.random.key(1))
f(x)
""",
    "a generator from around": """
rng = kn.random.default_rng(3)
class Model:
    def __init__(self): self.rng, self.scale = kn.random.default_rng(8), 2.0
    def noise(self, x): return x + self.rng.normal(size=x.shape) * self.scale
model = Model()
@jit
def f(x): return model.noise(x) * rng.uniform(0.5, 1.5)
---
f(x)
f(x)
rng.uniform()
f(x)
rng = kn.random.default_rng(3)
f(x)
f(x)
model.scale = 3.0
f(x)
model.rng = rng
f(x)
f(x)
rng.normal()
model.rng.state
""",
    "a generator as an argument": """
rng = kn.random.default_rng(3)
@jit
def f(x, r): return x + r.normal(size=2)
---
f(x, rng)
f(x, rng)
f(x, kn.random.default_rng(3))
f(x, rng)
rng.normal()
""",
    "a generator that a call makes": """
@jit
def f(x, seed):
    r = kn.random.default_rng(seed)
    s = kn.random.Generator(kn.random.key(2))
    a, b = r.spawn(2)
    return x + r.normal(size=2), s.integers(0, 5, 4), r
---
f(x, 1)
f(x, 1)
f(x, 2)
f(x, 1)
""",
    "a generator without a seed": """
@jit
def f(x): return kn.random.default_rng().normal(size=2).shape, kn.random.default_rng(None).uniform() < 0
---
f(x)
f(x)
f(x)
""",
    "numbers decide": """
rng = kn.random.default_rng(11)
@jit
def walk(x, most):
    n = 0
    while kn.abs(x).sum() < most:
        x = x + rng.choice(kn.asarray([-1.0, 1.0]), size=2)
        n += 1
        if n > 30: break
    return x, n
---
walk(x, 4)
walk(x, 4)
walk(x * 0, 3)
walk(x * 0, 3)
walk(x, 9)
rng.random()
""",
    "orders and bytes": """
rng = kn.random.default_rng(2)
@jit
def f(x):
    rng.shuffle(x)
    return rng.permutation(4), rng.choice(5, 3, replace=False), rng.poisson(3.0, 3), rng.bytes(3)
y = kn.arange(6.0)
---
f(y)
f(y)
y
rng.random()
""",
    "an error after a draw": """
rng = kn.random.default_rng(2)
@jit
def f(x, fails):
    y = x + rng.normal(size=2)
    if fails: raise ValueError("asked for")
    return y
---
f(x, False)
f(x, True)
f(x, False)
f(x, True)
rng.random()
""",
    "dropout": """
kn.random.seed(2)
rate = 0.5
@jit
def f(x, key=None): return kn.nn.dropout(x, rate, key=key) + kn.nn.dropout(x) * 10
# not threads
---
f(x)
f(x)
f(x, kn.random.key(1))
f(x, kn.random.key(1))
rate = 0
f(x)
f(x)
""",
    "dropout alone": """
@jit
def f(x): return kn.nn.dropout(x)
kn.random.seed(2)
# not threads
---
f(x)
f(x)
f(x)
kn.random.random()
""",
    "gradients and batches": """
rng = kn.random.default_rng(2)
@jit
def f(x):
    def loss(w): return ((w * rng.uniform(size=2)) ** 2).sum()
    return kn.grad(loss)(x), kn.vmap(lambda k: kn.random.normal(key=k))(kn.random.split(kn.random.key(1), 3))
---
f(x)
f(x)
f(x * 2)
rng.random()
""",
}

test_state_random = cases(CASES, apart=("the generator of the process", "seeds inside", "a key that is None", "dropout", "dropout alone"))


@pytest.mark.filterwarnings("ignore::kiln.KilnWarning")
@pytest.mark.parametrize("arguments", ["", "None", "seed=None", "*()", "**{}"])
def test_a_generator_of_the_system_is_another_on_each_call(arguments):
    scope = {"kn": kn}
    exec(f"def f(x): return x + kn.random.default_rng({arguments}).normal(size=2)", scope)
    f, x = kn.jit(scope["f"]), kn.ones(2)
    with kn.config.override(jit="sync"):
        assert len({tuple(f(x).tolist()) for _ in range(4)}) == 4
    assert "takes its seed from the system" in f.explain().variants[0]["eager"]


@pytest.mark.parametrize("name", ["the generator of the process", "keys", "a generator from around", "a generator as an argument", "dropout", "dropout alone"])
def test_draws_are_compiled(name):
    """The last function of each case has one path a call, without Python."""
    setup, steps = CASES[name].replace("# not threads\n", "").split("---\n")
    scope = {"kn": kn, "jit": kn.jit, "x": kn.asarray([1.0, 2.0]), "__name__": "<state>"}
    state = kn.random.get_state()
    with kn.config.override(jit="sync"):
        exec(setup, scope)
        for _ in range(3):
            exec(steps.splitlines()[0], scope)
    kn.random.set_state(state)
    variants = scope["f"].explain().variants
    assert not any(v["eager"] for v in variants) and {n["ends"] for v in variants for n in v["nodes"]} <= {"guard", "return"}
    assert scope["f"].stats.hits >= 1
