"""``kn.einsum``: sums of products by a formula of labels, as products of two at a time.

The order of the products is found by opt_einsum where it is installed (D. Smith and J. Gray, "opt_einsum", 2018), else by trying
every order of up to six operands, and of more the pair whose product is smallest against its operands, one after the other.
"""
import functools
import math

from . import _core
from ._arguments import as_array, store
from ._core import Array
from ._diagonals import diagonal
from ._errors import make
from ._fused import looped
from ._products import summed_products

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@functools.lru_cache(4096)
def _parsed(formula, shapes):
    """Labels of each operand and of the result, one character an axis, and the size of each; an ellipsis becomes labels that no formula can name."""
    formula = formula.replace(" ", "")
    left, arrow, right = formula.partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise make("ValueError", f"einsum: operands: expected {len(terms)} by the formula {formula!r}, got {len(shapes)}")
    if any(not c.isalpha() for t in (*terms, right) for c in t.replace("...", "", 1)):
        raise make("ValueError", f"einsum: formula: expected letters, commas, '...' and '->', got {formula!r}")
    widest = 0
    for t, shape in zip(terms, shapes):
        named = len(t.replace("...", ""))
        if len(shape) < named or len(shape) > named and "..." not in t:
            raise make("ShapeError", f"einsum: rank of the operand of {t!r}: expected {named}, got {len(shape)}")
        widest = max(widest, len(shape) - named) if "..." in t else widest
    dots = "".join(chr(0x2460 + i) for i in range(widest))
    labels = [t.replace("...", dots[widest - (len(shape) - len(t.replace("...", ""))):] if "..." in t else "") for t, shape in zip(terms, shapes)]
    if arrow:
        result = right.replace("...", dots)
    else:
        joined = "".join(labels)
        result = dots + "".join(sorted(c for c in set(joined) - set(dots) if joined.count(c) == 1))
    if len(set(result)) != len(result) or not set(result) <= set("".join(labels)):
        raise make("ValueError", f"einsum: result: expected labels of the operands, each once, got {right!r}")
    return tuple(labels), result, _sizes(labels, shapes)


def _sizes(labels, shapes):
    sizes = {}
    for term, shape in zip(labels, shapes):
        for c, n in zip(term, shape):
            if sizes.setdefault(c, n) != n and 1 not in (n, sizes[c]):
                raise make("ShapeError", f"einsum: size of the label {c!r}: expected {sizes[c]}, got {n}")
            sizes[c] = max(sizes[c], n) if 1 in (n, sizes[c]) and 0 not in (n, sizes[c]) else min(n, sizes[c])
    return sizes


def _alone(term, shape, kept, sizes):
    """One operand: axes of one label become their diagonal, axes of size 1 that stand for more are dropped, labels that nobody needs summed.

    Its labels and shape then, and the steps there.
    """
    steps = []
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            first, second = term.index(c), term.index(c, term.index(c) + 1)
            steps.append(lambda x, axes=(first, second): diagonal(x, 0, *axes))
            term = term[:first] + term[first + 1:second] + term[second + 1:] + c
            shape = (*shape[:first], *shape[first + 1:second], *shape[second + 1:], min(shape[first], shape[second]))
    single = [i for i, c in enumerate(term) if shape[i] == 1 and sizes[c] != 1]
    if single:
        term = "".join(c for i, c in enumerate(term) if i not in single)
        shape = tuple(n for i, n in enumerate(shape) if i not in single)
        steps.append(lambda x, shape=shape: _core.reshape(x, shape))
    gone = tuple(i for i, c in enumerate(term) if c not in kept)
    if gone:
        steps.append(lambda x: _core.reduce("sum", x, gone, False))
        shape = tuple(n for n, c in zip(shape, term) if c in kept)
        term = "".join(c for c in term if c in kept)
    return term, shape, steps


def _ordered(term, labels):
    """The steps that bring axes into the order of their labels."""
    order = tuple(term.index(c) for c in labels)
    return [] if order == tuple(range(len(term))) else [lambda x: _core.permute_dims(x, order)]


def _shaped(shape, wanted):
    return [] if shape == wanted else [lambda x: _core.reshape(x, wanted)]


def _aligned(term, shape, result):
    """The steps to the axes of ``result``, those that are not there with size 1."""
    size = dict(zip(term, shape))
    labels = [c for c in result if c in size]
    return _ordered(term, labels) + _shaped(tuple(size[c] for c in labels), tuple(size.get(c, 1) for c in result))


def _taken(steps, x):
    for step in steps:
        x = step(x)
    return x


def _pair(s, m, t, n, kept):
    """The product of two operands of labels and shapes, summed over the labels that only they have: one ``dot_general`` with batches."""
    batch = [c for c in s if c in t and c in kept]
    summed = [c for c in s if c in t and c not in kept]
    left, right = [c for c in s if c not in t], [c for c in t if c not in s]
    result, size = "".join(batch + left + right), dict(zip(s + t, m + n))
    shape = tuple(size[c] for c in result)
    if not summed:  # nothing to sum: an elementwise product
        a, b = _aligned(s, m, result), _aligned(t, n, result)
        return result, shape, lambda x, y: _taken(a, x) * _taken(b, y)

    def matrix(term, order, rows, columns):
        wanted = (*(size[c] for c in batch), math.prod(size[c] for c in rows), math.prod(size[c] for c in columns))
        return _ordered(term, order) + _shaped(tuple(size[c] for c in order), wanted)

    p, q = matrix(s, batch + left + summed, left, summed), matrix(t, batch + summed + right, summed, right)
    end = _shaped((*(size[c] for c in batch), math.prod(size[c] for c in left), math.prod(size[c] for c in right)), shape)

    def multiplied(x, y):
        return _taken(end, _core.matmul(_taken(p, x), _taken(q, y)))

    if left or right:
        return result, shape, multiplied
    a, b = _ordered(s, batch + summed), _ordered(t, batch + summed)
    axes, line = tuple(range(len(batch), len(s))), _shaped(tuple(size[c] for c in summed), (-1,)) if len(summed) > 1 else []

    def of_vectors(x, y):
        if x.dtype.itemsize <= 2:
            return multiplied(x, y)
        x, y = _taken(a, x), _taken(b, y)
        return summed_products(x, y, axes) if batch else _core.matmul(_taken(line, x), _taken(line, y))

    return result, shape, of_vectors


@functools.lru_cache(1024)
def _planned(formula, shapes, optimize):
    """The products of a formula over shapes: a function of the operands."""
    labels, result, sizes = _parsed(formula, shapes)
    parts = [_alone(t, shape, set(result).union(*labels[:i], *labels[i + 1:]), sizes) for i, (t, shape) in enumerate(zip(labels, shapes))]
    first, products = [steps for *_, steps in parts], []
    for i, j in _order(tuple(t for t, *_ in parts), result, tuple(sorted(sizes.items())), optimize):
        i, j = min(i, j), max(i, j)
        (t, n, _), (s, m, _) = parts.pop(j), parts.pop(i)
        kept = set(result).union(*(term for term, *_ in parts))
        (s, m, a), (t, n, b) = _alone(s, m, kept | set(t), sizes), _alone(t, n, kept | set(s), sizes)
        *part, product = _pair(s, m, t, n, kept)
        parts.append((*part, None))
        products.append((i, j, a, b, product))
    term, shape, last = _alone(*parts[0][:2], set(result), sizes)
    last += _aligned(term, shape, result)
    if len(term) != len(result):
        last.append(lambda x: _core.broadcast_to(x, tuple(sizes[c] for c in result)))

    def run(operands):
        arrays = [_taken(steps, x) for steps, x in zip(first, operands)]
        for i, j, a, b, product in products:
            y, x = arrays.pop(j), arrays.pop(i)
            arrays.append(product(_taken(a, x), _taken(b, y)))
        return _taken(last, arrays[0])

    return run


@functools.cache
def _order(terms, result, sizes, optimize):
    """Pairs of places in the list of operands, whose product then stands at its end."""
    n, known = len(terms), dict(sizes)
    if n < 3 or optimize is False:
        return tuple((0, 1) for _ in range(n - 1))
    try:
        import opt_einsum
        kind = optimize if isinstance(optimize, str) else "auto"
        path, _ = opt_einsum.contract_path(_lettered(terms, result), *(tuple(known[c] for c in t) for t in terms), optimize=kind, shapes=True)
        return tuple(pair if len(pair) == 2 else (0, 1) for pair in map(tuple, path))
    except ImportError:
        return _best(terms, result, known) if n <= 6 else _greedy(terms, result, known)


def _lettered(terms, result):
    names = dict(zip(dict.fromkeys("".join(terms)), _LETTERS + "".join(chr(0xc0 + i) for i in range(200))))
    return ",".join("".join(names[c] for c in t) for t in terms) + "->" + "".join(names[c] for c in result)


def _joined(a, b, others, result):
    kept = set(result).union(*others) if others else set(result)
    return "".join(c for c in dict.fromkeys(a + b) if c in kept)


def _best(terms, result, sizes):
    if len(terms) == 1:
        return ()
    return _search(tuple(terms), result, tuple(sorted(sizes.items())))[1]


@functools.cache
def _search(terms, result, sizes):
    if len(terms) == 1:
        return 0, ()
    best, known = None, dict(sizes)
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            rest = terms[:i] + terms[i + 1:j] + terms[j + 1:]
            cost = math.prod(known[c] for c in set(terms[i] + terms[j]))
            more, path = _search((*rest, _joined(terms[i], terms[j], rest, result)), result, sizes)
            if best is None or cost + more < best[0]:
                best = cost + more, ((i, j), *path)
    return best


def _greedy(terms, result, sizes):
    terms, path = list(terms), []

    def size(t):
        return math.prod(sizes[c] for c in t)

    while len(terms) > 1:
        pairs = [(i, j) for i in range(len(terms)) for j in range(i + 1, len(terms))]
        shared = [p for p in pairs if set(terms[p[0]]) & set(terms[p[1]])] or pairs

        def gain(p):
            rest = [t for k, t in enumerate(terms) if k not in p]
            return size(_joined(terms[p[0]], terms[p[1]], rest, result)) - size(terms[p[0]]) - size(terms[p[1]])

        i, j = min(shared, key=gain)
        rest = [t for k, t in enumerate(terms) if k not in (i, j)]
        terms = [*rest, _joined(terms[i], terms[j], rest, result)]
        path.append((i, j))
    return tuple(path)


def _formula(args):
    """A formula and its operands; also from operands followed by lists of numbers, NumPy's other form."""
    if isinstance(args[0], str):
        return args[0], args[1:]
    names = {}
    terms = [[names.setdefault(c, None) if c is Ellipsis else c for c in labels] for labels in args[1::2]]
    operands = args[:len(args) // 2 * 2:2]
    terms = ["".join("..." if c is None else _LETTERS[c] for c in t) for t in terms]
    result = "->" + "".join("..." if c is Ellipsis else _LETTERS[c] for c in args[-1]) if len(args) % 2 else ""
    return ",".join(terms) + result, operands


@looped
def einsum(*args, optimize=True, out=None, dtype=None) -> Array:
    """Sums of products of arrays by a formula: ``einsum("ij,jk->ik", x, y)`` is the matrix product.

    Labels that the result lacks are summed; without ``->`` the result has those that occur once, in order of the alphabet; ``...`` stands
    for axes that broadcast. ``optimize`` is False for the order of the operands, True, or a name that opt_einsum knows. Raises ValueError
    for a formula that says nothing, ShapeError where sizes differ.
    """
    if not args:
        raise make("ValueError", "einsum: arguments: expected a formula and its operands, got none")
    formula, operands = _formula(args)
    operands = [as_array(x) if dtype is None else _core.astype(as_array(x), dtype) for x in operands]
    x = _planned(formula, tuple([x.shape for x in operands]), optimize)(operands)
    if len(operands) == 1 or any([x is o for o in operands]):
        x = _core.copy(x)
    return x if out is None else store("einsum", x, out)


def einsum_path(*args, optimize=True):
    """The order of products of ``einsum``, as NumPy's list, and a line that describes it."""
    formula, operands = _formula(args)
    operands = [as_array(x) for x in operands]
    labels, result, sizes = _parsed(formula, tuple(x.shape for x in operands))
    path = _order(labels, result, tuple(sorted(sizes.items())), optimize)
    return ["einsum_path", *path], f"{formula}: {len(path)} products"


