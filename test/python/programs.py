"""Random programs over the whole dialect: text that runs in eager, under jit and, recorded, in the interpreter.

Every statement is drawn from the op records or from the views, writes and selections of the tutorial; the counts of what was
drawn are the coverage table.
"""
import collections
import json
import pathlib

import kiln as kn

OPS = json.loads((pathlib.Path(kn._core.__file__).parents[2] / "gen/python/_ops.json").read_text())
UFUNCS = [o for o in OPS if o["ufunc"] and o["name"] != "random_bits"]
DTYPES = {o["name"]: kn._core.op_dtypes(o["name"]) for o in OPS}
NUMERIC = [t.name for t in kn._dtypes.ALL if not t.name.startswith("float8")]
SHAPES = [(), (1,), (5,), (33,), (4, 7), (7, 4), (3, 1, 5), (2, 3, 4), (0, 3), (1, 9)]


class Writer:
    """Writes one program; ``counts`` is shared between programs."""

    def __init__(self, rng, counts=None):
        self.rng, self.counts = rng, collections.Counter() if counts is None else counts
        self.lines, self.vars, self.inputs = [], {}, []
        for i in range(int(rng.integers(1, 4))):
            name = "xyz"[i]
            self.vars[name] = (SHAPES[rng.integers(len(SHAPES))], NUMERIC[rng.integers(len(NUMERIC))])
            self.inputs.append(name)
        self.window = None
        if rng.integers(4) == 0:
            self.add_window()

    def add_window(self):
        """Two more inputs, which a convolution takes."""
        dtypes = [t for t in NUMERIC if t in DTYPES["convolution"]]
        spatial, dtype = int(self.rng.integers(1, 3)), self.pick(dtypes)
        self.window = {"batch": int(self.rng.integers(1, 4)), "groups": self.pick([1, 1, 2, 3]), "channels": int(self.rng.integers(1, 4)), "filters": int(self.rng.integers(1, 5)),
                       "image": [int(n) for n in self.rng.integers(3, 9, spatial)], "weights": [int(n) for n in self.rng.integers(1, 4, spatial)]}
        for name, shape in zip("uw", window_shapes(self.window)):
            self.vars[name] = (shape, dtype)
            self.inputs.append(name)

    def other_shapes(self, resize, is_large):
        """Shapes of the inputs with each size above 1 as ``resize`` gives it; those of a convolution are drawn, and fit each other."""
        shapes = [tuple(resize(n) if n > 1 else n for n in self.vars[name][0]) for name in self.inputs]
        if self.window:
            def draw(size, most):
                return int(self.rng.integers(2, most + 1)) if size > 1 else 1

            k, w = 3 if is_large else 1, self.window
            shapes[-2:] = window_shapes({"batch": draw(w["batch"], 4), "groups": self.pick([w["groups"], w["groups"], 2]), "channels": draw(w["channels"], 6 * k), "filters": draw(w["filters"], 12 * k),
                                         "image": [draw(n, 8 * k) for n in w["image"]], "weights": [draw(n, 5) for n in w["weights"]]})
        return shapes

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def one(self, accept=lambda shape, dtype: True):
        """A variable that fits, or None."""
        fits = [n for n, (shape, dtype) in self.vars.items() if accept(shape, dtype)]
        return self.pick(fits) if fits else None

    def add(self, kind, text, value):
        """A statement `vN = text`; `value` is (shape, dtype) as eager says."""
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        self.vars[name] = value
        self.count(kind, value[1])

    def count(self, kind, dtype):
        self.counts[kind] += 1
        self.counts[f"dtype {dtype}"] += 1

    def number(self, dtype):
        if dtype.startswith(("float", "bfloat", "complex")):
            return self.pick(["0.5", "2", "-1.25", "3"])
        return self.pick(["1", "2", "3"]) if dtype != "bool" else "True"

    # Statements. Each returns False where nothing fits.

    def ufunc(self):
        op = self.pick(UFUNCS)
        accepted = [t for t in DTYPES[op["name"]] if op["name"] != "complex" or t in ("float32", "float64")]
        a = self.one(lambda s, t: t in accepted)
        if a is None:
            return False
        shape, dtype = self.vars[a]
        if len(op["operands"]) == 1:
            args = [f"kn.where(kn.isnan({a}), 1, {a})" if op["name"] == "signbit" else a]  # the sign of nan is not defined
        elif self.rng.integers(4) == 0:
            args = [a, self.number(dtype)]
        else:
            b = self.one(lambda s, t: t == dtype and (s == shape or not s or s == shape[-len(s):]))
            args = [a, b] if self.rng.integers(2) or self.vars[b][0] != shape else [b, a]
        if op["name"] == "copysign":
            args[1] = f"kn.nan_to_num({args[1]})"
        return self.try_add(op["name"], f"kn.{op['name']}({', '.join(args)})")

    def cast(self):
        a = self.one()
        target = self.pick(NUMERIC)
        if self.vars[a][1].startswith("complex") and not target.startswith(("complex", "bool")):
            a, target = a, "complex128"
        return self.try_add("cast", f"kn.astype({a}, kn.{target})")

    def view(self):
        a = self.one(lambda s, t: len(s) > 0)
        if a is None:
            return False
        shape, dtype = self.vars[a]
        kind = self.pick(["slice", "transpose", "reshape", "newaxis", "integer", "broadcast", "part"])
        if kind == "slice":
            return self.try_add("view slice", f"{a}[{self.slices(shape)}]")
        if kind == "transpose":
            return self.try_add("view transpose", f"{a}.T" if self.rng.integers(2) else f"kn.permute_dims({a}, {tuple(int(i) for i in self.rng.permutation(len(shape)))})")
        if kind == "reshape":
            return self.try_add("view reshape", f"kn.reshape({a}, (-1,))" if self.rng.integers(2) and 0 not in shape else f"kn.reshape({a}, {shape[::-1]})")
        if kind == "newaxis":
            return self.try_add("view newaxis", f"{a}[None]") if len(shape) < 4 else False
        if kind == "integer":
            return self.try_add("view integer", f"{a}[{int(self.rng.integers(shape[0]))}]") if shape[0] else False
        if kind == "broadcast":
            return self.try_add("view broadcast", f"kn.broadcast_to({a}, {(2, *shape)})") if len(shape) < 3 else False
        return self.try_add("view part", f"{a}.{self.pick(['real', 'imag'])}") if dtype.startswith("complex") else False

    def slices(self, shape):
        parts = []
        for n in shape[: int(self.rng.integers(1, len(shape) + 1))]:
            step = self.pick([1, 1, 2, 3, -1, -2])
            low, high = sorted(int(v) for v in self.rng.integers(0, n + 1, 2))
            parts.append(f"{low}:{high}:{step}" if step > 0 else f"{max(high - 1, 0)}:{low}:{step}" if n else ":")
        return ", ".join(parts)

    def write(self):
        a = self.one(lambda s, t: True)
        shape, dtype = self.vars[a]
        b = self.one(lambda s, t: t == dtype and s == shape)
        kind = self.pick(["whole", "number", "slice", "in place", "mask"])
        number = self.number(dtype)
        if kind == "slice" and shape:
            text = f"{a}[{self.slices(shape)}] = {number}"
        elif kind == "in place" and dtype != "bool":
            text = f"{a} += {b}"
        elif kind == "mask":
            text = f"{a}[kn.not_equal({b}, {number})] = {number}"
        else:
            text = f"{a}[...] = {b if kind == 'whole' else number}"
        return self.try_statement(f"write {kind}", text, dtype)

    def reduction(self):
        a = self.one(lambda s, t: len(s) > 0 and 0 not in s)
        if a is None:
            return False
        shape, dtype = self.vars[a]
        axis = self.pick(["None", *range(len(shape))])
        kind = self.pick(["sum", "prod", "max", "min", "nanmax", "nanmin", "argmax", "argmin", "any", "all", "cumulative_sum", "cumulative_prod", "cumulative_max",
                          "cumulative_min", "sort", "argsort"])
        if kind in ("any", "all"):
            return self.try_add(kind, f"kn.{kind}({a}, axis={axis})")
        if kind.startswith("nan") and "float" not in dtype:
            kind = kind[3:]
        if dtype.startswith("complex") and kind not in ("sum", "cumulative_sum"):
            return False
        if kind.startswith(("cumulative", "sort", "argsort")):
            axis = 0 if axis == "None" else axis
            extra = ", descending=True" if "sort" in kind and self.rng.integers(2) else ""
            return dtype != "bool" and self.try_add(kind, f"kn.{kind}({a}, axis={axis}{extra})")
        return dtype != "bool" and self.try_add(kind, f"kn.{kind}({a}, axis={axis}, keepdims={bool(self.rng.integers(2))})")

    def product(self):
        a = self.one(lambda s, t: 1 <= len(s) <= 2 and t != "bool")
        if a is None:
            return False
        return self.try_add("dot_general", f"{a} @ {a}.T" if len(self.vars[a][0]) == 2 or self.rng.integers(2) else f"kn.outer({a}, {a})")

    def convolution(self):
        if self.window is None or self.rng.integers(2):
            return self.pooling()
        (image, dtype), (weights, _) = self.vars["u"], self.vars["w"]
        x, w = (self.one(lambda s, t, shape=shape: s == shape and t == dtype) for shape in (image, weights))
        axes = len(image) - 2

        def each(low, high):
            return tuple(int(v) for v in self.rng.integers(low, high, axes))

        padding = tuple((int(a), int(b)) for a, b in zip(each(0, 3), each(0, 3)))
        return self.try_add("convolution", f"kn.convolution({x}, {w}, strides={each(1, 4)}, padding={padding}, dilation={each(1, 3)}, groups={x}.shape[-1] // {w}.shape[-2])")

    def pooling(self):
        kind, rank = self.pick(["max_pool", "avg_pool"]), int(self.rng.integers(1, 3))
        a = self.one(lambda s, t: len(s) in (rank + 1, rank + 2) and 0 not in s and t != "bool" and not t.startswith("complex"))
        if a is None:
            return False
        window = int(self.rng.integers(1, 4))
        how = f"stride={int(self.rng.integers(1, 4))}, padding={int(self.rng.integers(0, window // 2 + 1))}, ceil_mode={bool(self.rng.integers(2))}"
        return min(self.vars[a][0][-rank:]) >= window and self.try_add("pooling", f"kn.nn.{kind}{rank}d({a}, {window}, {how})")

    def library(self):
        if self.rng.integers(4) == 0:
            return self.searches()
        a = self.one(lambda s, t: len(s) == 2 and 0 not in s and t in ("float32", "float64", "complex64", "complex128"))
        if a is None:
            return False
        (m, n), dtype = self.vars[a]
        kind = self.pick(["cholesky", "lu", "solve", "qr", "eigh", "eig", "svd", "fft", "rfft", "irfft"])
        if kind == "rfft" and dtype.startswith("complex"):
            return False
        self.try_add("select", f"kn.where(kn.abs({a}) < 1000, {a}, 1)")  # nan has no decomposition
        x = list(self.vars)[-1]
        square = f"({x} @ kn.conj({x}).mT + 10000 * kn.eye({m}, dtype={x}.dtype))"
        upper = bool(self.rng.integers(2))
        return self.try_add(kind, {
            "cholesky": f"kn.linalg.cholesky({square}, upper={upper})", "lu": f"kn.linalg.slogdet({square}).logabsdet", "solve": f"kn.linalg.solve({square}, {x})",
            "qr": f"kn.linalg.qr({x}, {self.pick(['reduced', 'complete'])!r}).{self.pick('QR')}", "eigh": f"kn.linalg.eigh({square}, {'U' if upper else 'L'!r}).{self.pick(['eigenvalues', 'eigenvectors'])}",
            "eig": f"kn.linalg.eigvals({square})", "svd": f"kn.linalg.svd({x}, {upper}).{self.pick(['U', 'S', 'Vh'])}", "fft": f"kn.fft.fft({x}, axis={int(upper)})",
            "rfft": f"kn.fft.rfft({x}, axis={int(upper)})", "irfft": f"kn.fft.irfft({x}, n={int(self.rng.integers(1, 9))})"}[kind])

    def searches(self):
        a, kind = self.one(lambda s, t: 0 not in s and not t.startswith("complex") and t != "bool"), self.pick(["searchsorted", "isin", "gcd"])
        if a is None or kind == "gcd" and "int" not in self.vars[a][1]:
            return False
        return self.try_add(kind, {"searchsorted": f"kn.searchsorted(kn.sort(kn.ravel({a})), {a}, {self.pick(['left', 'right'])!r})",
                                   "isin": f"kn.isin({a}, kn.concat([kn.ravel({a})[::2]] * 20))", "gcd": f"kn.gcd({a}, kn.flip({a}))"}[kind])

    def selection(self):
        a = self.one(lambda s, t: len(s) > 0 and 0 not in s)
        if a is None:
            return False
        shape, dtype = self.vars[a]
        n = shape[0]
        index = [int(i) for i in self.rng.integers(-n, n, int(self.rng.integers(0, 5)))]
        number = self.number(dtype)
        kind = self.pick(["take", "index", "two", "set", "add", "max", "concat", "where", "dynamic_slice", "dynamic_update", "put", "flip"])
        if kind == "take":
            return self.try_add("gather", f"kn.take({a}, kn.asarray({index}, dtype=kn.int64), axis=0)")
        if kind == "index":
            return self.try_add("gather", f"{a}[kn.asarray({index}, dtype=kn.int64)]")
        if kind == "two" and len(shape) > 1:
            other = [i % shape[1] for i in index]
            return self.try_add("ravel_index", f"{a}[kn.asarray({index}, dtype=kn.int64), kn.asarray({other}, dtype=kn.int64)]")
        if kind == "set":
            return self.try_add("scatter", f"{a}.at[kn.asarray({index}, dtype=kn.int64)].set({number})")
        if kind in ("add", "max"):
            if dtype == "bool" or (kind == "max" and dtype.startswith("complex")):
                return False
            method = self.pick(["add", "multiply"]) if kind == "add" and not dtype.startswith("complex") else self.pick(["min", "max"]) if kind == "max" else "add"
            return self.try_add(f"scatter_{method}", f"{a}.at[kn.asarray({index}, dtype=kn.int64)].{method}({number})")
        if kind == "concat":
            return self.try_add("concat", f"kn.concat([{a}, {a}[1:]], axis={int(self.rng.integers(len(shape)))})") if len(shape) == 1 else self.try_add("concat", f"kn.concat([{a}, {a}], axis={int(self.rng.integers(len(shape)))})")
        if kind == "where":
            b = self.one(lambda s, t: t == dtype and s == shape)
            return self.try_add("select", f"kn.where(kn.equal({a}, {b}), {b}, {number})")
        if kind == "dynamic_slice":
            return self.try_add("dynamic_slice", f"kn.dynamic_slice({a}, kn.asarray({[int(i) for i in self.rng.integers(-1, 4, len(shape))]}), {tuple(max(1, m // 2) for m in shape)})")
        if kind == "dynamic_update":
            return self.try_add("dynamic_update", f"kn.dynamic_update({a}, {a}[{', '.join(f':{max(1, m // 2)}' for m in shape)}], kn.asarray({[int(i) for i in self.rng.integers(-1, 4, len(shape))]}))")
        if kind == "put":
            return self.try_statement("write indices", f"{a}[kn.asarray({index}, dtype=kn.int64)] = {number}", dtype)
        return self.try_add("view flip", f"kn.flip({a})")

    # Eager says what a statement gives, on inputs made of the variables' types.

    def scope(self):
        if not hasattr(self, "_scope"):
            self._scope = {"kn": kn, **{n: make_input(self.rng, *self.vars[n]) for n in self.inputs}}
        return self._scope

    def try_add(self, kind, text):
        value = eval(text, self.scope())
        if value.size > 2000 or value.ndim > 5:
            return False
        name = f"v{len(self.lines)}"
        self.scope()[name] = value
        self.add(kind, text, (value.shape, value.dtype.name))
        return True

    def try_statement(self, kind, text, dtype):
        try:
            exec(text, self.scope())
        except ValueError:  # a view that repeats elements cannot be written
            return False
        self.lines.append(text)
        self.count(kind, dtype)
        return True

    def text(self, statements):
        kinds = [self.ufunc] * 12 + [self.cast, self.view, self.view, self.view, self.write, self.write, self.reduction, self.reduction, self.product, self.convolution, self.selection,
                                    self.selection, self.library, self.library, self.library]
        while len(self.lines) < statements:
            self.pick(kinds)()
        made = [n for n in self.vars if n not in self.inputs]
        results = sorted({made[-1], *(self.pick(made) for _ in range(2))}) if made else []
        body = "".join(f"    {line}\n" for line in self.lines)
        return f"def program({', '.join(self.inputs)}):\n{body}    return [{', '.join(f'kn.copy({r})' for r in [*results, *self.inputs])}]\n"


def window_shapes(sizes):
    """The shapes of an image and the weights of a convolution over it."""
    image = (sizes["batch"], *sizes["image"], sizes["groups"] * sizes["channels"])
    return image, (*sizes["weights"], sizes["channels"], sizes["groups"] * sizes["filters"])


def make_input(rng, shape, dtype):
    """An array with edge values among its elements."""
    import numpy as np
    n = int(np.prod(shape))
    if dtype == "bool":
        flat = rng.integers(0, 2, n).astype(bool)
    elif dtype.startswith(("int", "uint")):
        limits = np.iinfo(dtype)
        flat = rng.integers(max(limits.min, -50), min(limits.max, 50), n).astype(dtype)
        flat[rng.integers(0, 10, n) == 0] = limits.max
        flat[rng.integers(0, 10, n) == 0] = limits.min
    else:
        def part():
            v = rng.normal(size=n) * 10.0 ** rng.integers(-2, 3, n)
            edges = rng.integers(0, 24, n)
            for i, e in enumerate([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-41, 1.0]):
                v[edges == i] = e
            return v
        flat = part() + (1j * part() if dtype.startswith("complex") else 0)
    return kn.astype(kn.asarray(flat.reshape(shape)), dtype)
