"""What explain() says of kernels: which operations share one, and why neighbours do not."""
import html.parser
import warnings

import pytest

import kiln as kn


def kernels_of(function, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jitted = kn.jit(function)
        jitted(*args)
    explanation = jitted.explain()
    found = explanation.kernels()
    assert len(found) == jitted.stats.kernels and explanation.kernels(0) is found
    return found, str(explanation)


def test_kernels_name_their_operations_and_lines():
    def f(x, w):
        h = kn.maximum(x @ w, 0)
        return kn.softmax(h, axis=-1)

    found, text = kernels_of(f, kn.ones((5, 4)), kn.ones((4, 3)))
    assert [k["kind"] for k in found] == ["contraction", "reduction"]
    assert found[0]["results"] == ["float32[5, 3]"] and found[0]["apart"] == []
    names = dict(found[0]["ops"])
    assert "maximum" in names and names["dot_general"].startswith("test_explain.py:")
    assert "kernel 0: contraction, dot_general" in text


def test_kernels_say_how_their_loops_run():
    def f(x, w):
        return kn.softmax(x @ w, axis=-1)

    x, w = kn.ones((5, 4)), kn.ones((4, 3))
    found, text = kernels_of(f, x, w)
    assert found[0]["schedule"].startswith("#kiln.product<tile = ") and found[1]["schedule"].startswith("#kiln.rows<stages = [<reduce")
    assert all(k["schedule"] in text and k["schedule"] in kn.jit(f).lower(x, w).ir("schedule") for k in found)


@pytest.mark.parametrize("function, why", [
    (lambda x: kn.sum(x * 2, axis=0) + kn.sum(kn.sum(x * 2, axis=1)), "reduces another axis"),
    (lambda x: kn.cumulative_sum(kn.exp(x), axis=0), "is a kernel of its own"),
    (lambda x: kn.cumulative_sum(x, axis=0) * 2, "that kernel takes nothing behind it"),
    (lambda x: kn.take(kn.exp(x), kn.asarray([1, 0]), axis=0), "reads any position of it"),
    (lambda x: kn.exp(x)[:2] + 1 + kn.sum(kn.exp(x)), "has another shape"),
    (lambda x: kn.exp(x) + kn.flip(kn.exp(x), axis=0), "reads it at other positions"),
    (lambda x: kn.sum(x @ x.T, axis=1), "is not elementwise"),
    (lambda x: (x @ x.T)[:, :1] + x, "has another shape"),
])
def test_why_neighbours_are_apart(function, why):
    found, text = kernels_of(function, kn.ones((4, 3)))
    reasons = [text for kernel in found for text in kernel["apart"]]
    assert any(reason.endswith(why) for reason in reasons), reasons
    assert all("test_explain.py:" in reason for reason in reasons) and reasons[0] in text


def test_what_shares_a_kernel_gives_no_reason():
    found, _ = kernels_of(lambda x: kn.maximum((x * 2) @ x.T + 1, 0), kn.ones((4, 3)))
    assert len(found) == 1 and not found[0]["apart"]


def test_code_from_the_cache_and_for_any_size_is_explained():
    f, g = (kn.jit(lambda x: kn.tanh(x) + kn.sum(x)) for _ in range(2))
    for n in (3, 4):
        f(kn.ones(n)), g(kn.ones(n))
    assert g.stats.cache_hits == 2 and g.explain().kernels() == f.explain().kernels() and f.explain().kernels()[-1]["results"] == ["float32[s0]"]


def test_what_runs_in_eager_has_no_kernels():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = kn.jit(lambda x: id(x) and x)
        f(kn.ones(1))
    assert f.explain().kernels() == [] and f.explain().to_dict()["variants"][0]["kernel_list"] == []
    with pytest.raises(IndexError):
        f.explain().kernels(5)


def test_many_kernels_are_cut_short_in_the_text():
    def f(x):
        for _ in range(30):
            x = kn.cumulative_sum(x)
        return x

    found, text = kernels_of(f, kn.ones(3))
    assert len(found) == 30 and "and 10 more" in text


class Page(html.parser.HTMLParser):
    """What a page says, and whether its elements are closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_shows_paths_segments_and_kernels(tmp_path):
    limit = "<b>"

    @kn.jit
    def halved(x):
        trips = []  # a list that grows: no loop
        while kn.max(x) > len(limit):
            x = x * 0.5
            trips.append(0)
        return x if len(trips) != 3 else -x

    with kn.config.override(jit="sync"):
        for value in (1.0, 100.0, 20.0, 100.0):
            halved(kn.full(3, value))
    file = tmp_path / "halved.html"
    halved.explain().to_html(file)
    page = Page(file.read_text(encoding="utf-8"))
    text = " ".join(page.words)
    assert page.open == [] and page.links == [] and "<b>" in text and "script" not in file.read_text()
    for part in ("halved", "Variant 0", "the truth value of an array is asked for", "False", "times", "then the result", "Segments", "multiply", "test_explain.py"):
        assert part in text, part


def test_the_page_says_what_runs_in_eager_and_is_of_limited_size():
    @kn.jit
    def f(x):
        id(x)

    @kn.jit
    def many(x):
        return sum(int(v) for v in x) if x[0] > 5 else [int(v) for v in x]

    f(kn.ones(1))
    page = Page(f.explain().html())
    assert page.open == [] and "Runs in eager: " in " ".join(page.words)
    for i in range(40):
        many(kn.arange(60) + i)
    page = Page(many.explain().html())
    assert page.open == [] and len(page.words) < 50000
