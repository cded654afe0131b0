"""What may be jitted and how it is called: methods, partial objects, callables, keywords; names, copies and pickles of jitted functions."""
import asyncio
import copy
import functools
import inspect
import os
import pickle
import subprocess
import sys
import warnings

import pytest

import kiln as kn
from kiln import _objects



@kn.jit
def scaled(x, k=2.0):
    """Text."""
    return x * k


def plain(x, k=2.0):
    return x * k


again = kn.jit(plain)


class Model:
    rate = 2.0

    def __init__(self, w):
        self.w = w

    def __call__(self, x, k=1.0):
        """Called."""
        return x * self.w + k

    @kn.jit
    def forward(self, x):
        return x * self.w * self.rate

    def method(self, x, k=1.0):
        return x * self.w - k

    @kn.jit
    @staticmethod
    def above_static(x):
        return x + 1

    @staticmethod
    @kn.jit
    def below_static(x):
        return x + 1

    @kn.jit
    @classmethod
    def above_class(cls, x):
        return x * cls.rate

    @classmethod
    @kn.jit
    def below_class(cls, x):
        return x * cls.rate


x = kn.asarray([1.0, 2.0])


def records(f, *args, **kwargs):
    """The result of a third call, which neither recorded nor ran in eager."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(*args, **kwargs)
        before = f.stats.misses
        f(*args, **kwargs)
        result = f(*args, **kwargs)
    assert f.stats.misses == before and not f.explain().variants[-1]["eager"]
    return result.tolist()


def test_methods():
    m, n = Model(kn.ones(2)), Model(kn.asarray([3.0, 4.0]))
    assert records(m.forward, x) == [2, 4] and records(n.forward, x) == [6, 16] and Model.forward.stats.misses == 1, "objects of one kind share code"
    m.w = kn.asarray([5.0, 5.0])
    assert m.forward(x).tolist() == [10, 20]
    Model.rate = 3.0
    try:
        assert m.forward(x).tolist() == [15, 30]
    finally:
        Model.rate = 2.0
    bound = kn.jit(m.method)
    assert records(bound, x) == [4, 9] and bound(x, k=0.0).tolist() == [5, 10]
    assert isinstance(bound.explain().to_dict(), dict) and "add" in bound.lower(x).ir() or "sub" in bound.lower(x).ir()


@pytest.mark.parametrize("name", ["above_static", "below_static", "above_class", "below_class"])
def test_static_and_class_methods(name):
    want = [2, 3] if "static" in name else [2, 4]
    for owner in (Model, Model(kn.ones(2))):
        assert getattr(owner, name)(x).tolist() == want and getattr(owner, name)(x).tolist() == want
    f = vars(Model)[name].__func__
    assert isinstance(f, kn._core.JitFunction) and not f.explain().variants[-1]["eager"]


def test_callable_objects():
    m = Model(kn.ones(2))
    f = kn.jit(m)
    assert records(f, x) == [2, 3] and f(x, k=5.0).tolist() == [6, 7]
    m.w = kn.asarray([2.0, 2.0])
    assert f(x).tolist() == [3, 5]
    assert list(inspect.signature(f).parameters) == ["x", "k"] and "Model" in repr(f) and "Model" in str(f.explain())
    before = Model.__call__
    Model.__call__ = lambda self, x: x * 100
    try:
        assert f(x).tolist() == [100, 200]
    finally:
        Model.__call__ = before


def test_partial_objects():
    p = functools.partial(plain, k=3.0)
    f = kn.jit(p)
    assert records(f, x) == [3, 6] and f(x, k=1.0).tolist() == [1, 2]
    p.keywords["k"] = 4.0
    assert f(x).tolist() == p(x).tolist() == [4, 8]
    assert records(kn.jit(functools.partial(plain, x)), 2.0) == [2, 4]
    assert records(kn.jit(functools.partial(functools.partial(plain, k=5.0))), x) == [5, 10]
    static = kn.jit(functools.partial(lambda y, x, shape: kn.reshape(x, shape) + y, 1.0), static_argnums=1)
    assert static(x, (2, 1)).tolist() == [[2], [3]] and static.stats.misses == 1
    assert f.__wrapped__ is p and f.__name__ == "plain" and "plain" in repr(f) and "plain" in str(f.explain())
    assert str(inspect.signature(f)) == "(x, *, k=4.0)" and f.lower(x).ir()


def test_lambdas_jitted_functions_and_kilns_own():
    assert records(kn.jit(lambda x: x + 1), x) == [2, 3]
    twice = kn.jit(kn.jit(plain))
    assert records(twice, x) == [2, 4]
    assert records(kn.jit(kn.exp), kn.zeros(2)) == [1, 1]
    exp, both, part = kn.jit(kn.exp), kn.jit(kn.jit(plain)), kn.jit(functools.partial(plain, k=3.0))
    assert records(kn.jit(lambda x: exp(x * 0)), x) == [1, 1]
    assert records(kn.jit(lambda x: both(x) + 1), x) == [3, 5]
    assert records(kn.jit(lambda x: part(x) + 1), x) == [4, 7]


def test_keywords_in_any_order_and_defaults_are_one_variant():
    f = kn.jit(lambda x, a, b=2, *, c=3: x * a + b * c)
    for args, kwargs in [((x, 1), {}), ((x,), {"a": 1}), ((), {"a": 1, "x": x}), ((), {"x": x, "a": 1}), ((x, 1, 2), {}), ((x, 1), {"b": 2}), ((x,), {"b": 2, "a": 1}),
                         ((x, 1, 2), {"c": 3}), ((x, 1), {"c": 3, "b": 2}), ((x, 1), {"b": 2, "c": 3}), ((), {"c": 3, "b": 2, "a": 1, "x": x})]:
        assert f(*args, **kwargs).tolist() == [7, 8] and f.stats.misses == 1, (args, kwargs)


def test_keywords_that_do_not_fit_raise_as_in_eager():
    g = lambda x, a, b=2, *, c=3: x * a + b * c  # noqa: E731
    f = kn.jit(g)
    for args, kwargs in [((x,), {}), ((x, 1), {"a": 1}), ((x, 1, 2, 3), {}), ((x, 1), {"z": 1}), ((), {})]:
        with pytest.raises(TypeError) as mine:
            f(*args, **kwargs)
        with pytest.raises(TypeError) as theirs:
            g(*args, **kwargs)
        assert str(mine.value) == str(theirs.value)


def generator(x):
    yield x


async def coroutine(x):
    return x


async def both(x):
    yield x


class Late:
    def __call__(self, x):
        yield x

    def method(self, x):
        yield x

    async def later(self, x):
        return x


@pytest.mark.parametrize("function", [generator, coroutine, both, functools.partial(generator, x), functools.partial(functools.partial(coroutine), x), Late(), Late().method,
                                      Late().later, functools.partial(Late().method, x), staticmethod(generator), classmethod(coroutine)], ids=lambda f: type(f).__name__)
def test_functions_whose_results_come_later_are_refused(function):
    with pytest.raises(kn.TraceError, match="expected a function that returns its result, got .*a generator or coroutine: jit the function that it calls"):
        kn.jit(function)


@pytest.mark.parametrize("function, text", [(3, "got int"), (None, None), ("text", "got str"), (property(plain), "got property"), (functools.partialmethod(plain), "got partialmethod")])
def test_what_is_no_function_is_refused(function, text):
    if text is None:
        assert callable(kn.jit(None))
    else:
        with pytest.raises(kn.TraceError, match=text):
            kn.jit(function)


@pytest.mark.parametrize("options, text", [
    (dict(static_argnums=5), r"static_argnums: expected positions among 1 arguments, got 5"), (dict(static_argnums=(0, -3)), "got -3"), (dict(static_argnums=True), "got True"),
    (dict(static_argnums=("a",)), "got 'a'"), (dict(static_argnames="k"), "static_argnames: expected names among x, got 'k'"), (dict(static_argnames=(3,)), "got 3"), (dict(on_miss="never"), "on_miss")])
def test_options_that_do_not_fit_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        kn.jit(lambda x: x, **options)


def test_static_positions_of_open_signatures():
    f = kn.jit(lambda *a, **k: a[0] * a[1], static_argnums=1, static_argnames="anything")
    assert f(x, 2.0).tolist() == [2, 4] and f(x, 3.0, anything=(1,)).tolist() == [3, 6]


def test_names_and_text():
    assert scaled.__name__ == "scaled" and scaled.__doc__ == "Text." and scaled.__module__ == __name__ and str(inspect.signature(scaled)) == "(x, k=2.0)"
    assert repr(scaled) == "<jitted function scaled>" and inspect.unwrap(scaled).__name__ == "scaled" and callable(scaled)
    wrapped = functools.wraps(scaled)(lambda *a: scaled(*a))
    assert wrapped.__name__ == "scaled" and wrapped(x).tolist() == [2, 4]


def test_copies_are_the_function():
    assert copy.copy(scaled) is scaled and copy.deepcopy(scaled) is scaled and copy.deepcopy({"f": scaled})["f"] is scaled


def test_pickles_go_by_name():
    cloudpickle = pytest.importorskip("cloudpickle")
    for dump in (pickle.dumps, cloudpickle.dumps):
        assert pickle.loads(dump(scaled)) is scaled and pickle.loads(dump(Model.forward)) is Model.forward
        other = pickle.loads(dump(again))  # its name leads to the plain function
        assert isinstance(other, kn._core.JitFunction) and other.__wrapped__ is plain and other(x).tolist() == [2, 4]
        part = pickle.loads(dump(kn.jit(functools.partial(plain, k=4.0), static_argnames="k")))
        assert part(x).tolist() == [4, 8]
    with pytest.raises((pickle.PicklingError, AttributeError), match="Can't pickle|Can't get local object"):
        pickle.dumps(kn.jit(lambda x: x))
    assert pickle.loads(cloudpickle.dumps(kn.jit(lambda x: x + 1)))(x).tolist() == [2, 3]


SCRIPT = """
import sys, kiln as kn
import multiprocessing
@kn.jit
def double(x): return x * 2
def work(n): return double(kn.ones(n)).sum().item()
if __name__ == "__main__":
    if sys.argv[1] == "spawn":
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.map(work, [1, 2]))
            print(pool.apply(len, ([double],)))
    else:
        import joblib
        print(joblib.Parallel(n_jobs=2)(joblib.delayed(work)(n) for n in (1, 2)))
        print(len(joblib.Parallel(n_jobs=2)(joblib.delayed(id)(double) for n in (1,))))
"""


@pytest.mark.parametrize("how", ["spawn", "joblib"])
def test_pools_of_processes(tmp_path, how):
    if how == "joblib":
        pytest.importorskip("joblib")
    (tmp_path / "prog.py").write_text(SCRIPT)
    path = os.pathsep.join([os.path.dirname(os.path.dirname(kn.__file__)), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, str(tmp_path / "prog.py"), how], capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": path, "KILN_JIT": "auto"})
    assert done.stdout.split() == ["[2.0,", "4.0]", "1"], done.stdout + done.stderr[-2000:]


@pytest.mark.parametrize("name, text", [("SummaryWriter", "meanwhile use a file of numbers"), ("optim", "planned"), ("load_safetensors", "kiln.numpy.savez")])
def test_planned_names_say_so(name, text):
    if hasattr(kn, name):
        pytest.skip("it is there")
    with pytest.raises(AttributeError, match=f"module 'kiln' has no attribute '{name}' yet: .*{text}"):
        getattr(kn, name)
    assert not hasattr(kn, name)


def test_other_names_are_plain_errors():
    with pytest.raises(AttributeError, match="^module 'kiln' has no attribute 'surprise'$"):
        kn.surprise


def test_planned_names_are_not_there():
    from kiln._planned import PLANNED
    there = [n for n in PLANNED if hasattr(kn, n)]
    assert not there, f"take these out of the table: {there}"


def test_coroutines_call_jitted_functions():
    async def main():
        return scaled(x).tolist()
    assert asyncio.run(main()) == [2, 4]
