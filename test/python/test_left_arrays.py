"""Arrays that functions leave elsewhere under transforms, and those of modes around them that they read by name."""
import dataclasses
import functools

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits


class Box:
    pass


def numbers(*shape, seed=0):
    return kn.asarray(np.random.default_rng(seed).normal(size=shape))


def leave(box):
    """A function that stores what it makes: a result, a view, an intermediate of few numbers, a constant."""
    def f(x):
        box.twice = x * 2
        box.view = kn.reshape(box.twice, (-1, 2))[1:].T
        box.total = kn.sum(kn.sin(x))
        box.inner = kn.grad(lambda y: kn.sum(y * y * x))(x)
        box.ones = kn.ones(3)
        return kn.sum(box.twice * box.total)
    return f


TRANSFORMS = [lambda f, x: kn.grad(f)(x), lambda f, x: kn.vjp(f, x)[1](kn.ones((), dtype=x.dtype)), lambda f, x: kn.jvp(f, (x,), (x,)), lambda f, x: kn.value_and_grad(lambda x: (f(x), x), has_aux=True)(x),
              lambda f, x: kn.jvp(kn.grad(f), (x,), (x,)), lambda f, x: kn.grad(lambda y: kn.sum(kn.grad(f)(y)))(x)]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("n", [4, 1000])
def test_left_arrays_are_values(transform, n):
    box, want, x = Box(), Box(), numbers(n)
    transform(leave(box), x)
    leave(want)(x)
    for name in vars(want):
        a, b = getattr(box, name), getattr(want, name)
        same_bits(a, b)
        same_bits(a + 1, b + 1)
        same_bits(kn.grad(lambda y, a=a: kn.sum(y * kn.max(a)))(kn.ones_like(a)), kn.broadcast_to(kn.max(b), b.shape))
    box.twice[...] = 0  # they are the caller's
    assert float(kn.sum(kn.abs(box.view))) == 0
    same_bits(x, numbers(n))


class Norm:
    def __init__(self):
        self.mean, self.calls = kn.zeros(3), kn.zeros(())

    def loss(self, x):
        self.mean = 0.9 * self.mean + 0.1 * kn.stop_gradient(x)
        self.calls = self.calls + 1
        return kn.sum((x - self.mean) ** 2)


@pytest.mark.parametrize("mode", ["raise", None])
def test_running_statistics(mode):
    x, eager, jitted = kn.ones(3), Norm(), Norm()
    step = kn.jit(lambda x: kn.grad(jitted.loss)(x), on_miss=mode)
    for _ in range(5):
        same_bits(step(x), kn.grad(eager.loss)(x))
        same_bits(jitted.mean, eager.mean)
    assert float(jitted.calls) == 5
    assert abs(float(eager.mean[0]) - (1 - 0.9**5)) < 1e-6


def test_left_inside_of_a_transform_around():
    """What the inner gradient leaves has a derivative for the outer one."""
    def f(x):
        box = Box()

        def inner(y):
            box.kept = x * y
            box.view = box.kept[1:]
            return kn.sum(y * y)

        g = kn.grad(inner)(kn.ones_like(x))
        return kn.sum(kn.sin(box.kept)) + kn.sum(box.view[:1] * 3) + kn.sum(g)

    x = numbers(3)
    want = np.cos(x.numpy()) + np.array([0, 3, 0])
    np.testing.assert_allclose(kn.grad(f)(x).numpy(), want, rtol=1e-12)
    np.testing.assert_allclose(kn.jit(kn.grad(f))(x).numpy(), want, rtol=1e-12)
    np.testing.assert_allclose(kn.vmap(kn.grad(f))(kn.stack([x, x])).numpy(), np.stack([want, want]), rtol=1e-12)
    np.testing.assert_allclose(kn.jvp(f, (x,), (kn.ones_like(x),))[1].numpy(), want.sum(), rtol=1e-12)

    def written(x):
        box = Box()

        def inner(y):
            box.kept = x * y
            return kn.sum(y)

        kn.grad(inner)(kn.ones_like(x))
        part = box.kept[1:]
        part[0] = x[0] * 5
        return kn.sum(box.kept)

    np.testing.assert_allclose(kn.grad(written)(x).numpy(), [6, 0, 1], rtol=1e-12)


def test_left_by_a_batch():
    box = Box()

    def f(x):
        box.same, box.own = kn.ones(3) * 2, x + 1
        return x

    kn.vmap(f)(kn.zeros(4))
    assert (box.same + 1).tolist() == [3, 3, 3]
    for use in (lambda: box.own + 1, lambda: box.own.tolist(), lambda: kn.grad(lambda x: x * box.own)(kn.ones(()))):
        with pytest.raises(kn.TraceError, match="the value of an array is needed: expected one that a function under vmap returned, got one that it left elsewhere: vmap at test_left_arrays.py:"):
            use()
    with pytest.raises(kn.TraceError, match="vmap at test_left_arrays.py:"):
        kn.jit(lambda x: x + box.own)(kn.ones(()))


#===-- read by name --------------------------------------------------------------------------------------------------===#

def through_names(make):
    """A function with a checkpoint that reads arrays of the gradient around it by name."""
    def f(w):
        v = w * 2
        row = v[:1]
        g = make(lambda x: kn.sin(x * w) + v.T * row + kn.sum(v[1:]) * x)
        return kn.sum(g(kn.ones(3, dtype=w.dtype) + w * 0) + g(w))
    return f


@pytest.mark.parametrize("transform", [kn.grad, kn.jacfwd, kn.hessian, lambda f: kn.jit(kn.grad(f)), lambda f: kn.grad(lambda w: kn.sum(kn.grad(f)(w))), lambda f: kn.jvp and (lambda w: kn.jvp(f, (w,), (w * w,))[1])])
def test_checkpoint_reads_arrays_by_name(transform):
    w = numbers(3)
    want, got = transform(through_names(lambda f: f))(w), transform(through_names(kn.checkpoint))(w)
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12, atol=1e-12)


def test_checkpoint_by_name_in_batches():
    w = numbers(4, 3)
    plain, kept = through_names(lambda f: f), through_names(kn.checkpoint)
    for transform in (kn.vmap, lambda f: kn.vmap(kn.grad(f)), lambda f: kn.grad(lambda w: kn.sum(kn.vmap(f)(w))), lambda f: kn.jit(kn.vmap(kn.grad(f)))):
        np.testing.assert_allclose(transform(kept)(w).numpy(), transform(plain)(w).numpy(), rtol=1e-12, atol=1e-12)

    def nested(make):
        def f(w):
            def outer(x):
                inner = make(lambda y: kn.sin(y * w) * x)
                return inner(x) + inner(x * w)
            return kn.sum(make(outer)(w * 3))
        return f

    np.testing.assert_allclose(kn.grad(nested(kn.checkpoint))(w).numpy(), kn.grad(nested(lambda f: f))(w).numpy(), rtol=1e-12)
    same_bits(kn.grad(lambda w: kn.sum(kn.checkpoint(lambda x: w)(kn.ones(3))))(w), kn.ones_like(w))


def test_checkpoint_by_name_draws_once():
    w = numbers(3)

    def f(make):
        return kn.grad(lambda w: kn.sum(make(lambda x: x * w * kn.random.normal(size=3))(w)) + kn.random.normal())(w)

    kn.random.seed(1)
    want, state = f(lambda f: f), kn.random.get_state()
    kn.random.seed(1)
    np.testing.assert_allclose(f(kn.checkpoint).numpy(), want.numpy(), rtol=1e-12)
    same_bits(kn.random.get_state(), state)


def by_name(kind):
    def f(w):
        if kind == "vjp":
            g = kn.custom_vjp(lambda x: x * w)
            g.defvjp(lambda x: (x * w, x), lambda x, ct: (ct,))
        elif kind == "jvp":
            g = kn.custom_jvp(lambda x: x * w)
            g.defjvp(lambda p, t: (p[0] * w, t[0]))
        else:
            g = kn.checkpoint(lambda x: w.__setitem__(0, 1.0) or x)
        return kn.sum(g(w * 2))
    return f


@pytest.mark.parametrize("kind, message", [("vjp", r"custom_vjp: '.*': arrays of a gradient or a batch around it: expected them as arguments, got one of float64\(3,\) that it reads by name"),
                                           ("jvp", r"custom_jvp: '.*': arrays of a gradient or a batch around it: expected them as arguments"),
                                           ("write", "assignment: expected an array made inside the function that has a derivative of its own, got one from around it")])
def test_errors_of_arrays_by_name(kind, message):
    with pytest.raises(kn.TraceError, match=message):
        kn.grad(by_name(kind))(numbers(3))


#===-- what else transforms are given --------------------------------------------------------------------------------===#

class Model:
    def __init__(self, w):
        self.w = w

    def loss(self, x):
        return kn.sum(kn.tanh(self.w * x))

    def __call__(self, x):
        return kn.sum(kn.sin(self.w * x))

    @classmethod
    def of_class(cls, x):
        return kn.sum(x * x)

    @kn.jit
    def compiled(self, x):
        return kn.sum(self.w * x * x)


class Pair:
    def __init__(self, w, b):
        self.w, self.b = w, b


@kn.tree.register_pytree_node_class
class Own:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def tree_flatten(self):
        return (self.w, self.b), None

    @classmethod
    def tree_unflatten(cls, data, children):
        return cls(*children)


kn.tree.register_pytree_node(Pair, lambda p: ((p.w, p.b), None), lambda data, children: Pair(*children))


@dataclasses.dataclass
class Record:
    w: kn.Array
    b: kn.Array


@functools.partial(kn.tree.register_dataclass, meta_fields=("n",))
@dataclasses.dataclass
class Named:
    w: kn.Array
    b: kn.Array
    n: int = 2


X = kn.ones(3)
MODEL, SQUARE = Model(kn.asarray([1.0, 2.0, 3.0])), kn.jit(lambda x: kn.sum(x * x))
PARTIAL = functools.partial(lambda a, x: kn.sum(a * x * x), 2.0)
PARTS = {cls.__name__: cls(kn.ones(3), kn.asarray([0.0, 1.0, 2.0])) for cls in (Pair, Own, Record, Named)}


def local_jitted():
    cube = kn.jit(lambda x: kn.sum(x * x * x))
    return lambda x: kn.grad(cube)(x)


def of_parts(p, x):
    return kn.sum(kn.tanh(p.w * x + p.b))


@pytest.mark.parametrize("f", [kn.grad(MODEL.loss), lambda x: kn.grad(MODEL.loss)(x), kn.grad(MODEL), lambda x: kn.grad(MODEL)(x), lambda x: kn.grad(MODEL.of_class)(x), lambda x: kn.grad(MODEL.compiled)(x),
                               lambda x: kn.grad(SQUARE)(x), local_jitted(), lambda x: kn.vmap(SQUARE)(x[:, None]), lambda x: kn.grad(PARTIAL)(x), lambda x: kn.vjp(MODEL.loss, x)[0],
                               lambda x: kn.checkpoint(MODEL.loss)(x)])
def test_callables_compile(f):
    step = kn.jit(f, on_miss="raise")
    for _ in range(2):
        same_bits(step(X), f(X))


def test_a_changed_object_is_seen():
    model = Model(kn.ones(3))
    step = kn.jit(lambda x: kn.grad(model.loss)(x), on_miss="raise")
    step(X), step(X)
    model.w = kn.asarray([3.0, 2.0, 1.0])
    same_bits(step(X), kn.grad(model.loss)(X))
    model.loss = lambda x: kn.sum(x * 5)
    same_bits(kn.jit(lambda x: kn.grad(model.loss)(x))(X), kn.ones(3) * 5)
    same_bits(step(X), kn.ones(3) * 5)


@pytest.mark.parametrize("name", PARTS)
def test_objects_as_arguments_compile(name):
    parts = PARTS[name]
    for f, args in ((kn.grad(of_parts), (parts, X)), (lambda p, x: kn.grad(of_parts)(p, x), (parts, X)), (lambda x: kn.grad(of_parts)(PARTS[name], x), (X,)),
                    (lambda p, x: kn.tree.map(lambda a, b: a - b, p, kn.grad(of_parts)(p, x)), (parts, X))):
        step = kn.jit(f, on_miss="raise")
        for _ in range(2):
            got, want = step(*args), f(*args)
            assert type(got) is type(want)
            same_bits(got.w, want.w)
            same_bits(got.b, want.b)


def test_a_changed_object_argument_is_seen():
    parts = Pair(kn.ones(3), kn.zeros(3))
    step = kn.jit(lambda x: kn.grad(of_parts)(parts, x).w)
    step(X), step(X)
    parts.b = kn.ones(3)
    same_bits(step(X), kn.grad(of_parts)(parts, X).w)


#===-- linearize, defjvps, axes --------------------------------------------------------------------------------------===#

def test_linearize_is_of_one_call():
    calls, scale, x = [], kn.asarray(2.0), kn.asarray([0.0, 1.0])

    def f(x, n):
        calls.append(1)
        return {"y": kn.sin(x) * scale * kn.random.normal(), "n": n, "log": kn.log(x)}

    value, push = kn.linearize(f, x, kn.asarray(3))
    want = kn.cos(x) * value["y"][1] / kn.sin(x[1])
    x[...], scale[...] = 5.0, 7.0
    for t in (kn.ones(2), kn.asarray([1.0, -2.0])):
        got = push(t, kn.asarray(0))
        np.testing.assert_allclose(got["y"].numpy(), (want * t).numpy(), rtol=1e-6)
        assert got["n"].dtype is value["n"].dtype and not int(got["n"])
        assert got["log"].tolist() == [np.inf, float(t[1])]
    assert len(calls) == 1
    z = kn.asarray([1 + 2j, -1j])
    same_bits(kn.linearize(lambda z: z * z, z)[1](kn.asarray([1j, 2.0 + 0j])), kn.jvp(lambda z: z * z, (z,), (kn.asarray([1j, 2.0 + 0j]),))[1])
    same_bits(kn.vmap(kn.linearize(kn.sin, kn.ones(3))[1])(kn.eye(3)), kn.jacfwd(kn.sin)(kn.ones(3)))
    assert kn.linearize(lambda x: (x * 2, "aux"), kn.ones(2), has_aux=True)[2] == "aux"
    reverse = kn.custom_vjp(lambda x: x * x)
    reverse.defvjp(lambda x: (x * x, x), lambda x, ct: (ct * x * 10,))
    assert kn.linearize(reverse, kn.ones(2))[1](kn.ones(2)).tolist() == [10, 10]


def test_linearize_errors():
    push = kn.linearize(kn.sin, kn.ones(2))[1]
    with pytest.raises(kn.ShapeError, match=r"linearize: shape of a tangent: expected \(2,\), got \(3,\)"):
        push(kn.ones(3))
    with pytest.raises(ValueError, match="linearize: structure of the tangents: expected"):
        push((kn.ones(2),) * 2)


def test_defjvps():
    f = kn.custom_jvp(lambda x, y, n: kn.sin(x) * y * n)
    f.defjvps(lambda t, result, x, y, n: kn.cos(x) * y * n * t, lambda t, result, x, y, n: kn.sin(x) * n * t, None)
    x, y = numbers(3), numbers(3, seed=1)
    for argnum in (0, 1):
        np.testing.assert_allclose(kn.jacfwd(lambda x, y: f(x, y, 2.0), argnum)(x, y).numpy(), kn.jacfwd(lambda x, y: kn.sin(x) * y * 2.0, argnum)(x, y).numpy(), rtol=1e-12)
    assert not float(kn.grad(lambda n: kn.sum(f(x, y, n)))(kn.asarray(2.0)))
    g = kn.custom_jvp(kn.sin)
    assert g.defjvp(g.fun) is g.fun
    g.defjvps(lambda t, result, x: t)
    with pytest.raises(ValueError, match="defjvps: expected a rule or None for each of 2 arguments, got 1"):
        h = kn.custom_jvp(lambda x, y: x * y)
        h.defjvps(lambda t, result, x, y: t)
        kn.jvp(h, (x, y), (x, y))
    with pytest.raises(ValueError, match="defjvps: expected a function without nondiff_argnums"):
        kn.custom_jvp(lambda n, x: x, nondiff_argnums=0).defjvps(None, None)


def test_axes_of_trees_and_other_arguments():
    x = numbers(4, 3)
    got = kn.vmap(lambda r: r.w * r.b, in_axes=(Record(0, None),))(Record(x, 2.0))
    same_bits(got, x * 2)
    same_bits(kn.vmap(lambda r: r.w * r.b, in_axes=(Named(1, None),))(Named(x.T, 2.0)), x * 2)
    same_bits(kn.vmap(lambda v, how, f: f(v) if how == "f" else v, in_axes=(0, None, None))(x, "f", kn.sin), kn.sin(x))
    out = kn.vmap(lambda v: Record(v, v), out_axes=Record(0, 1))(x)
    same_bits(out.b, x.T)
    for call, error, message in ((lambda: kn.vmap(kn.sin, in_axes=0.5)(x), ValueError, "vmap: in_axes: expected ints and None in the structure of .*, got 0.5"),
                                 (lambda: kn.vmap(kn.sin, out_axes=3)(x), kn.exceptions.AxisError, r"vmap: out_axes: expected an axis of \(4, 3\), got 3"),
                                 (lambda: kn.vmap(lambda s: s)("text"), kn.TraceError, "vmap: arguments: expected trees of arrays and numbers, got str")):
        with pytest.raises(error, match=message):
            call()
