"""Programs with state of Python as they are written: as in eager to the bit, with few recordings and none that ends in eager."""
import collections
import dataclasses
import enum
import math
import types

import numpy as np
import pytest

import kiln as kn

PROGRAMS = {}


def program(function):
    """A function of a decorator that gives one of the number of a step."""
    PROGRAMS[function.__name__] = function
    return function


@program
def sgd_groups(jit):
    params = {"w": kn.ones(3), "b": kn.zeros(3)}
    groups = [{"params": ["w"], "lr": 0.1, "momentum": 0.9, "wd": 1e-4}, {"params": ["b"], "lr": 0.01, "momentum": 0.0, "wd": 0.0}]
    state = {"w": kn.zeros(3), "b": kn.zeros(3)}
    @jit
    def step(params, state, groups, g):
        out, st = {}, {}
        for grp in groups:
            for name in grp["params"]:
                d = g[name] + grp["wd"] * params[name]
                st[name] = grp["momentum"] * state[name] + d
                out[name] = params[name] - grp["lr"] * st[name]
        return out, st
    def call(i):
        nonlocal params, state
        for grp in groups: grp["lr"] *= 0.97
        params, state = step(params, state, groups, {"w": params["w"] * 0.1 + i, "b": params["b"] - i})
        return params, state
    return call


@program
def torch_like(jit):
    class Optimizer:
        def __init__(self, params, **defaults):
            self.defaults = defaults
            self.param_groups = [dict(defaults, params=params)]
            self.state = collections.defaultdict(dict)
        def zero_grad(self): pass
    class Adam(Optimizer):
        def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8): super().__init__(params, lr=lr, betas=betas, eps=eps)
        def update(self, grads):
            for group in self.param_groups:
                b1, b2 = group["betas"]
                for i, p in enumerate(group["params"]):
                    st = self.state[i]
                    if not st: st["m"], st["v"], st["t"] = kn.zeros(3), kn.zeros(3), 0
                    st["t"] += 1
                    st["m"] = b1 * st["m"] + (1 - b1) * grads[i]
                    st["v"] = b2 * st["v"] + (1 - b2) * grads[i] ** 2
                    mh, vh = st["m"] / (1 - b1 ** st["t"]), st["v"] / (1 - b2 ** st["t"])
                    group["params"][i] = p - group["lr"] * mh / (kn.sqrt(vh) + group["eps"])
    opt = Adam([kn.ones(3), kn.zeros(3)])
    for i in range(2): opt.state[i].update(m=kn.zeros(3), v=kn.zeros(3), t=0)
    @jit
    def step(g):
        opt.update([g, g * 2])
        return opt.param_groups[0]["params"][0]
    def call(i):
        opt.param_groups[0]["lr"] = 1e-3 * 0.9 ** i
        return step(kn.ones(3) * (i + 1)), opt.param_groups[0]["params"], {k: dict(v) for k, v in opt.state.items()}
    return call


@program
def schedule(jit):
    @dataclasses.dataclass
    class Cosine:
        base: float = 0.1
        total: int = 50
        warm: int = 5
        def at(self, t):
            if t < self.warm: return self.base * (t + 1) / self.warm
            return 0.5 * self.base * (1 + math.cos(math.pi * (t - self.warm) / (self.total - self.warm)))
    s = Cosine()
    @jit
    def step(w, t): return w - s.at(t) * w
    w = kn.ones(3)
    def call(i):
        nonlocal w
        w = step(w, i)
        return w
    return call


@program
def schedule_numpy(jit):
    lrs = np.linspace(0.1, 0.01, 60)
    @jit
    def step(w, lr, cfg): return w - lr * w * cfg["scale"]
    w = kn.ones(3)
    def call(i):
        nonlocal w
        w = step(w, lrs[i], {"scale": np.float32(1 + i), "n": i})
        return w
    return call


@program
def ema(jit):
    class EMA:
        def __init__(self, params, decay): self.shadow, self.decay, self.num = dict(params), decay, 0
        def update(self, params):
            self.num += 1
            d = min(self.decay, (1 + self.num) / (10 + self.num))
            for k, v in params.items(): self.shadow[k] = d * self.shadow[k] + (1 - d) * v
            return d
    e = EMA({"a": kn.zeros(2), "b": kn.ones(3)}, 0.99)
    @jit
    def step(p): return e.update(p)
    def call(i): return step({"a": kn.ones(2) * i, "b": kn.ones(3) * i}), dict(e.shadow), e.num
    return call


@program
def replay(jit):
    class Replay:
        def __init__(self, n): self.data, self.at, self.size, self.n = kn.zeros((n, 2)), 0, 0, n
        def add(self, row):
            self.data[self.at] = row
            self.at = (self.at + 1) % self.n
            self.size = min(self.size + 1, self.n)
        def mean(self): return self.data[:self.size].sum(axis=0) / max(self.size, 1)
    r = Replay(4)
    @jit
    def push(row):
        r.add(row)
        return r.data.sum() / r.size
    def call(i): return push(kn.ones(2) * i), r.at, r.size, r.data * 1
    return call


@program
def hierarchy(jit):
    class Module:
        training = True
        def __call__(self, *a, **k): return self.forward(*a, **k)
        def train(self, mode=True):
            for v in vars(self).values():
                if isinstance(v, Module): v.train(mode)
            self.training = mode
    class Linear(Module):
        def __init__(self, i, o): self.w, self.b = kn.ones((i, o)) * 0.1, kn.zeros(o)
        def forward(self, x): return x @ self.w + self.b
    class Dropout(Module):
        p = 0.5
        def forward(self, x): return x * (1 - self.p) if self.training else x
    class MLP(Module):
        def __init__(self): self.l1, self.d, self.l2 = Linear(3, 4), Dropout(), Linear(4, 2)
        def forward(self, x, scale=1.0): return self.l2(self.d(kn.tanh(self.l1(x)))) * scale
    m = MLP()
    f = jit(lambda x, scale: m(x, scale=scale))
    def call(i):
        m.train(i % 3 != 0)
        Dropout.p = 0.1 + 0.01 * i
        return f(kn.ones((2, 3)), 1.0 + i)
    return call


@program
def hierarchy_arg(jit):
    class Layer:
        gain = 1.0
        def __init__(self, w): self.w = w
        def __call__(self, x): return kn.tanh(x * self.w) * self.gain
    class Deep(Layer):
        def __call__(self, x): return super().__call__(x) + x * self.gain
    layers = [Layer(kn.ones(2)), Deep(kn.ones(2) * 2)]
    @jit
    def f(layers, x):
        for l in layers: x = l(x)
        return x
    def call(i):
        Layer.gain = 1.0 + i
        return f(layers, kn.ones(2))
    return call


@program
def enum_config(jit):
    class Act(enum.Enum): RELU = "relu"; TANH = "tanh"
    @dataclasses.dataclass(frozen=True)
    class Cfg:
        act: Act = Act.RELU
        lr: float = 0.1
        sizes: tuple = (2, 3)
    @jit
    def f(cfg, x):
        h = kn.maximum(x, 0) if cfg.act is Act.RELU else kn.tanh(x)
        return h * cfg.lr + cfg.sizes[0]
    def call(i): return f(Cfg(Act.RELU if i % 2 else Act.TANH, 0.1 * i, (i % 3, 3)), kn.ones(2) - 2)
    return call


@program
def generators(jit):
    @jit
    def f(x, cfg):
        def batches():
            for k in range(cfg["n"]): yield x * k, cfg["lr"]
        for b, lr in batches(): x = x - lr * b
        return x
    def call(i): return f(kn.ones(2), {"n": 3, "lr": 0.1 * i})
    return call


@program
def counter_stats(jit):
    stats = collections.defaultdict(float)
    stats["n"], stats["s"] = 0, 0.0
    @jit
    def f(x):
        stats["n"] += 1
        stats["s"] += float(x.sum())
        return x / stats["n"]
    def call(i): return f(kn.ones(2) * i), dict(stats)
    return call


@program
def warmup_obj(jit):
    class Sched:
        def __init__(self, opt): self.opt, self.t, self.history = opt, 0, collections.deque(maxlen=5)
        @property
        def factor(self): return min(1.0, (self.t + 1) / 10)
        def step(self):
            self.t += 1
            self.opt.lr = self.opt.base * self.factor
    class Opt: base = 0.5; lr = 0.5
    o = Opt(); s = Sched(o)
    @jit
    def train(w):
        s.step()
        return w - o.lr * w
    w = kn.ones(2)
    def call(i):
        nonlocal w
        w = train(w)
        return w, s.t, o.lr
    return call


@program
def early_stop(jit):
    class Stop:
        def __init__(self, patience): self.best, self.wait, self.patience = math.inf, 0, patience
        def __call__(self, loss):
            if loss < self.best - 1e-4: self.best, self.wait = loss, 0
            else: self.wait += 1
            return self.wait >= self.patience
    s = Stop(3)
    @jit
    def f(x): return s(float((x * x).sum()))
    def call(i): return f(kn.ones(2) * (5 - i if i < 5 else i % 3)), s.best, s.wait
    return call


@program
def numpy_stats(jit):
    class Norm:
        def __init__(self): self.mean, self.var, self.count = np.float64(0.0), np.float64(1.0), 0
        def update(self, v):
            self.count += 1
            d = v - self.mean
            self.mean = self.mean + d / self.count
            self.var = self.var + d * (v - self.mean)
    n = Norm()
    @jit
    def f(x): return (x - n.mean) / np.sqrt(n.var)
    def call(i):
        n.update(np.float64(i))
        return f(kn.ones(2))
    return call


@program
def tree_state(jit):
    State = collections.namedtuple("State", "params m step")
    @jit
    def step(s, g, lr):
        m = kn.tree.map(lambda m, g: 0.9 * m + g, s.m, g)
        p = kn.tree.map(lambda p, m: p - lr * m, s.params, m)
        return State(p, m, s.step + 1)
    s = State({"w": kn.ones(2)}, {"w": kn.zeros(2)}, 0)
    def call(i):
        nonlocal s
        s = step(s, {"w": kn.ones(2) * i}, 0.1 / (i + 1))
        return s
    return call


@program
def step_result_state(jit):
    @dataclasses.dataclass
    class TrainState:
        w: object
        lr: float
        step: int
    @jit
    def step(s, g): return dataclasses.replace(s, w=s.w - s.lr * g, lr=s.lr * 0.99, step=s.step + 1)
    s = TrainState(kn.ones(2), 0.1, 0)
    def call(i):
        nonlocal s
        s = step(s, s.w * 0.1)
        return s.w, s.lr, s.step
    return call


@program
def loss_weights(jit):
    @jit
    def f(losses, weights): return sum(w * l for w, l in zip(weights, losses))
    def call(i): return f([kn.ones(2), kn.ones(2) * 2], [0.1 * i, 1.0 - 0.01 * i])
    return call


@program
def loss_weights_dict(jit):
    @jit
    def f(losses, weights): return sum(weights[k] * v for k, v in losses.items())
    def call(i): return f({"a": kn.ones(2), "b": kn.ones(2) * 2}, {"a": 0.1 * i, "b": 1.0 - 0.01 * i})
    return call


@program
def weights_items(jit):
    @jit
    def f(losses, weights):
        total = 0.0
        for k, w in weights.items(): total = total + w * losses[k]
        return total
    def call(i): return f({"a": kn.ones(2), "b": kn.ones(2) * 2}, {"a": 0.1 * i, "b": 1.0 - 0.01 * i})
    return call


@program
def enumerate_lrs(jit):
    @jit
    def f(ws, lrs): return [w - lr * i for i, (w, lr) in enumerate(zip(ws, lrs))]
    def call(i): return f([kn.ones(2), kn.zeros(2)], (0.1 * i, 0.2 * i))
    return call


@program
def clip_grads(jit):
    cfg = {"max_norm": 1.0}
    @jit
    def f(gs):
        n = kn.sqrt(sum((g * g).sum() for g in gs))
        return [g * kn.minimum(1.0, cfg["max_norm"] / (n + 1e-6)) for g in gs]
    def call(i):
        cfg["max_norm"] = 1.0 + 0.1 * i
        return f([kn.ones(2), kn.ones(3)])
    return call


@program
def typed_dict_args(jit):
    @jit
    def f(batch, hp): return (batch["x"] * hp["scale"]).sum() if hp["mode"] == "sum" else (batch["x"] * hp["scale"]).mean()
    def call(i): return f({"x": kn.ones(3), "id": i}, {"scale": np.float32(0.1 * i), "mode": "sum" if i % 2 else "mean"})
    return call


@program
def simple_namespace(jit):
    ns = types.SimpleNamespace(lr=0.1, betas=[0.9, 0.99])
    @jit
    def f(x): return x * ns.lr * ns.betas[0]
    def call(i):
        ns.lr = 0.1 * i; ns.betas[0] = 0.9 - 0.01 * i
        return f(kn.ones(2))
    return call


@program
def default_arg_obj(jit):
    class Cfg: lr = 0.1
    @jit
    def f(x, cfg=Cfg): return x * cfg.lr
    def call(i):
        Cfg.lr = 0.1 * i
        return f(kn.ones(2))
    return call


@program
def method_jit(jit):
    class M:
        temperature = 1.0
        def __init__(self): self.w = kn.ones(2); self.calls = 0
        def __call__(self, x):
            self.calls += 1
            return x * self.w / self.temperature
    M.__call__ = jit(M.__call__)
    a, b = M(), M()
    def call(i):
        M.temperature = 1.0 + i
        b.temperature = 5.0
        return a(kn.ones(2)), b(kn.ones(2)), a.calls, b.calls
    return call


@program
def setters(jit):
    class T:
        def __init__(self): self._lr = 0.1
        @property
        def lr(self): return self._lr
        @lr.setter
        def lr(self, v): self._lr = max(v, 1e-3)
    t = T()
    @jit
    def f(x):
        t.lr = t.lr * 0.9
        return x * t.lr
    def call(i): return f(kn.ones(2)), t._lr
    return call


@program
def chain_map(jit):
    base, over = {"lr": 0.1, "wd": 0.0}, {}
    @jit
    def f(x, cfg): return x * cfg["lr"] - cfg["wd"]
    def call(i):
        over["lr"] = 0.1 * i
        return f(kn.ones(2), {**base, **over})
    return call


def _flat(o):
    if isinstance(o, kn.Array):
        return (o.dtype.name, o.shape, np.asarray(o).tobytes())
    if isinstance(o, dict):
        return [(k, _flat(v)) for k, v in o.items()]
    if isinstance(o, (list, tuple)):
        return [type(o).__name__, *map(_flat, o)]
    return (type(o).__name__, repr(o))


@pytest.mark.parametrize("mode", ["sync", "auto"])
@pytest.mark.parametrize("name", list(PROGRAMS))
def test_as_in_eager(name, mode):
    functions = []

    def jit(function):
        functions.append(kn.jit(function))
        return functions[-1]
    with kn.config.override(jit=mode):
        mine, eager = PROGRAMS[name](jit), PROGRAMS[name](lambda function: function)
        for i in range(40):
            assert _flat(mine(i)) == _flat(eager(i))
    for f in functions:
        assert f.stats.misses <= 12 and not any(v["eager"] for v in f.explain().variants)
