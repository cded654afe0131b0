"""What ``f.explain()`` gives: the variants of a jitted function, the trees that they are, and their code."""
import functools
import os

from . import _core
from ._errors import PackageError, line_of

_MOST_KERNELS = 20  # of a step, in the text
_MOST_NODES = 40  # of a tree, in the text
_STATES = ("failed", "recorded", "compiling", "interpreted", "ready")  # the first that some step is in is the variant's


def _whole(steps):
    """What the steps of a variant are together."""
    states = [s["state"] for s in steps]
    state = next((s for s in _STATES if s in states), "ready")
    first = steps[0] if steps else {}
    return {"state": state, "error": next((s["error"] for s in steps if s["error"]), ""), "inputs": first.get("inputs", []),
            "ops": sum(s["ops"] for s in steps), "kernels": sum(s["kernels"] for s in steps), "workspace_bytes": max((s["workspace_bytes"] for s in steps), default=0),
            "milliseconds": sum(s["milliseconds"] for s in steps), "from_cache": bool(steps) and all(s["from_cache"] for s in steps if s["ops"]),
            "any_size": any(s["any_size"] for s in steps), "apart": first["apart"] if len(steps) == 1 else ""}


class Explanation:
    """What became of a jitted function: its recorded variants, what they watch, and their code.

    ``variants`` is a list of dicts. Where the function asks for values, a variant is a tree: its ``nodes`` have the number of their
    ``parent``, the ``value`` that leads to them, their ``step``, how the path ``ends`` or what the node ``asks``, and ``hits``; ``steps`` are the
    segments, which nodes share, with ``loops``: where operations repeat, how many of them how often (0 times: as values decide), and ``why`` that is no loop; ``hot`` is the path of most calls as one program, or None.
    ``peak_bytes`` is what a call holds at most at once, as in ``f.stats``. ``kernels(i)`` says of variant i which operations became which kernel, with their lines, what it moves, how long it took where calls were timed
    (``kn.config.profile``), and why a kernel is apart from one that it reads from; ``traffic(i)`` sums it up by step. ``again`` has the last calls that were recorded after the first one: why, and the milliseconds that they took.
    """

    def __init__(self, name, counters, variants, again=()):
        self.name, self.counters, self.again = name, counters, list(again)
        self._steps = [[_Source(s) for s in v["steps"]] for v in variants]
        self._hot = [_Source(v["hot"]) if v["hot"] else None for v in variants]
        self.variants, self._kernels = [{**v, **_whole(v["steps"])} for v in variants], {}

    @property
    def _sources(self):
        """The program of each variant's first step, and where its operations are."""
        return [(steps[0].program, steps[0].places, steps[0].device) if steps else (b"", [], "cpu") for steps in self._steps]

    def kernels(self, variant=-1):
        """The kernels of a variant: dicts of ``step``, ``kind``, ``results`` (types), ``ops`` (name and line), ``schedule`` (how its
        loops run, as it stands in ``ir("schedule")``), ``apart``, texts that say why it is not one with kernels that it reads from, ``body``, the loop's or
        branch's that it is a part of, or "", ``bytes_read`` and ``bytes_written`` in one run (None where only the run knows), and ``seconds`` that a run of the step spends in it, None
        where none was timed. What a kernel reads twice, from a cache, counts once. Opens the compiler.

        Raises
        ------
        IndexError
            Where there is no such variant.
        """
        steps = self._steps[variant]
        variant %= len(self._steps)
        if variant not in self._kernels:
            self._kernels[variant] = [{"step": i, **kernel} for i, source in enumerate(steps) for kernel in source.kernels]
        return self._kernels[variant]

    def traffic(self, variant=-1):
        """What the steps of a variant move: a dict for each, of ``bytes`` that its kernels read and write (without those in the bodies of loops and branches), ``least_bytes``, each byte of
        its inputs and results once, and ``seconds`` of a run, None where none was timed. Opens the compiler.

        Raises
        ------
        IndexError
            Where there is no such variant.
        """
        self.kernels(variant)
        return [source.traffic() for source in self._steps[variant]]

    def to_dict(self):
        variants = []
        for i, v in enumerate(self.variants):
            steps = [{**step, **traffic} for step, traffic in zip(v["steps"], self.traffic(i), strict=True)]
            variants.append({**v, "steps": steps, "kernel_list": self.kernels(i)})
        return {"name": self.name, **self.counters, "again": [{"why": why, "milliseconds": cost} for why, cost in self.again], "variants": variants}

    def html(self):
        """The same as a page: paths with their hits, what decides them, segments and their kernels. One text, without scripts."""
        from ._explain_html import page  # where it is needed
        return page(self)

    def to_html(self, path):
        """Writes the page to a file.

        Raises
        ------
        OSError
            Where it cannot be written.
        """
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.html())

    def __str__(self):
        c = self.counters
        waiting = sum(s["state"] not in ("ready", "failed", "interpreted") and bool(s["ops"]) for v in self.variants for s in v["steps"])
        lines = [f"{self.name}: {c['calls']} calls, {len(self.variants)} variants, {c['compiles']} compiled, {c['cache_hits']} from the cache"
                 + (f", {waiting} to be compiled when they are called again" if waiting else "")]
        for i, v in enumerate(self.variants):
            if v["eager"]:
                lines.append(f"  variant {i}: {v['hits']} hits\n    runs in eager: {v['eager']}")
                continue
            peak = f", at most {size_text(v['peak_bytes'])} at once" if v["peak_bytes"] else ""
            lines.append(f"  variant {i}: {', '.join(v['inputs']) or 'no arrays'}, {v['hits']} hits{peak}")
            lines += self._step_lines(i, v)
            if len(v["nodes"]) > 1:
                lines += _node_lines(v["nodes"])
            if v["hot"]:
                lines.append(f"    the path of most calls, {v['hot']['length']} nodes, is one program: {v['hot']['ops']} operations {_code_text(v['hot'])} ({v['hot']['hits']} hits)")
                lines += self._kernel_lines(self._hot[i]) if v["hot"]["state"] == "ready" else []
            if v["apart"]:
                lines.append(f"    shares no code with earlier variants: {v['apart']}")
            watched = [f"{place} is {_short(value)}" for place, value in v["guards"]]
            if watched:
                lines.append("    watches " + "; ".join(watched))
        return "\n".join(lines + self._again_lines())

    def _again_lines(self):
        hidden = f"  and {len(self.again) - _MOST_KERNELS} times before" if len(self.again) > _MOST_KERNELS else ""
        lines = [f"    {why}, in {cost:.1f} ms" for why, cost in self.again[-_MOST_KERNELS:]]
        return [f"  recorded again:{hidden}", *lines] if lines else []

    def _step_lines(self, i, v):
        lines, is_tree = [], len(v["nodes"]) > 1
        for number, step in enumerate(v["steps"][:_MOST_KERNELS]):
            lines.append(f"    {f'step {number}: ' if is_tree else ''}{step['ops']} operations {_code_text(step)}")
            lines += [f"      {loop_text(loop)}" for loop in step["loops"]]
            lines += self._kernel_lines(self._steps[i][number]) if step["state"] == "ready" else []
        if len(v["steps"]) > _MOST_KERNELS:
            lines.append(f"    and {len(v['steps']) - _MOST_KERNELS} steps more")
        return lines

    def _kernel_lines(self, source):
        try:
            kernels = source.kernels
        except PackageError as error:  # code from the cache, and no compiler to tell what it is made of
            return [f"      {error}"]
        lines = [f"      {traffic_text(source)}"] if kernels else []
        for number, kernel in enumerate(kernels[:_MOST_KERNELS]):
            ops = ", ".join(op for op, _ in kernel["ops"])
            inside = " in a body" if kernel["body"] else ""
            lines.append(f"      kernel {number}{inside}: {kernel['kind']}, {ops if len(ops) < 90 else ops[:87] + '...'} -> {', '.join(kernel['results'])}{moved_text(kernel)}")
            lines += [f"        {text}" for text in [kernel["schedule"], *kernel["apart"]] if text]
        if len(kernels) > _MOST_KERNELS:
            lines.append(f"      and {len(kernels) - _MOST_KERNELS} more")
        return lines

    __repr__ = __str__


class _Source:
    """The program of a step, which tells what its kernels are; takes what is not for others out of the step."""

    def __init__(self, step):
        self.program, self.places, self.device = step.pop("_program"), step.pop("_places"), step["device"]
        self.sizes, self.nanoseconds, self.runs = step.pop("_sizes"), step.pop("_nanoseconds"), step["timed_runs"]

    @functools.cached_property
    def kernels(self):
        """The kernels, as they are compiled for the device."""
        return [self._kernel(i, kernel) for i, kernel in enumerate(self._found)]

    @functools.cached_property
    def _found(self):
        if not self.program:
            return []
        import json  # where it is needed: it takes a tenth of the package's import
        return json.loads(_core.print_ir(self.program, "fusion", self.device))

    def _line(self, slot):
        if not 0 <= slot < len(self.places) or self.places[slot] is None:
            return ""
        code, instruction = self.places[slot]
        return f"{os.path.basename(code.co_filename)}:{line_of(code, instruction)}"

    def _named(self, op, slot):
        return f"{op} ({self._line(slot)})" if self._line(slot) else op

    def _kernel(self, number, kernel):
        apart = [f"{self._named(op, slot)} is not in the kernel of {self._named(other, otherslot)}: {'' if why.startswith('that') else 'it '}{why}"
                 for op, slot, other, otherslot, why in kernel["apart"]]
        is_timed = self.runs and number < len(self.nanoseconds)
        reads, writes = ([self._moved(array) for array in kernel[way]] for way in ("reads", "writes"))
        is_call = kernel["kind"] == "control"  # what it moves is told of the kernels in its bodies
        return {**{key: kernel[key] for key in ("kind", "body", "results", "schedule")}, "ops": [(op, self._line(slot)) for op, slot in kernel["ops"]], "apart": apart,
                "bytes_read": None if is_call or None in reads else sum(reads), "bytes_written": None if is_call or None in writes else sum(writes),
                "seconds": self.nanoseconds[number] / self.runs * 1e-9 if is_timed else None}

    def _bytes(self, factors):
        number, *symbols = factors
        for symbol in symbols:
            if not 0 <= symbol < len(self.sizes):
                return None
            number *= self.sizes[symbol]
        return number

    def _moved(self, array):
        """The bytes of an array that a kernel moves: all, or the parts that it names."""
        whole, *parts = (self._bytes(factors) for factors in array[1:])
        return whole if not parts or None in parts or whole is None else min(whole, sum(parts))

    def traffic(self):
        own = [kernel for kernel in self.kernels if not kernel["body"]]
        known = [kernel["bytes_read"] + kernel["bytes_written"] for kernel in own if None not in (kernel["bytes_read"], kernel["bytes_written"])]
        inputs, results = {}, {}
        for kernel in self._found:
            if kernel["body"]:
                continue
            for array in kernel["reads"]:
                moved, whole = self._moved(array), self._bytes(array[1])
                if array[0] >= 0 and whole is not None:
                    inputs[array[0]] = min(whole, inputs.get(array[0], 0) + moved)
            results |= {array[0]: self._moved(array) or 0 for array in kernel["writes"] if array[0] >= 0}
        return {"bytes": sum(known), "least_bytes": sum(inputs.values()) + sum(results.values()), "has_bodies": len(own) < len(self.kernels),
                "seconds": sum(self.nanoseconds) / self.runs * 1e-9 if self.runs else None}


def size_text(count):
    """A number of bytes, in three digits."""
    if count < 1000:
        return f"{count} byte{'s' * (count != 1)}"
    for unit in ("KB", "MB", "GB", "TB"):
        count /= 1000
        if count < 999.5:
            return f"{count:.3g} {unit}"
    return f"{count:.0f} TB"


def time_text(seconds):
    """A time, in three digits."""
    for unit, factor in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def moved_text(kernel):
    """What a kernel moves, and how long it takes."""
    moved = [kernel[key] for key in ("bytes_read", "bytes_written")]
    seconds, text = kernel["seconds"], ""
    if None not in moved:
        text = f", reads {size_text(moved[0])}, writes {size_text(moved[1])}"
    if seconds is not None:
        text += f", {time_text(seconds)}"
        if None not in moved and seconds > 0 and not kernel["body"]:
            text += f" ({sum(moved) / seconds * 1e-9:.3g} GB/s)"
    return text


def traffic_text(source):
    """What a step moves, against the least, and how long it takes."""
    t = source.traffic()
    moved, least = t["bytes"], t["least_bytes"]
    text = f"moves {size_text(moved)}{' outside of bodies' if t['has_bodies'] else ''}"
    if not t["has_bodies"] and least:
        text += ", each byte of its inputs and results once" if moved <= least else f", {moved / least:.3g} times the {size_text(least)} of its inputs and results"
    if t["seconds"] is not None:
        text += f"; takes {time_text(t['seconds'])}, on average of {source.runs} run{'s' * (source.runs != 1)}"
    return text


def loop_text(loop):
    """What repeats in a recording, and whether that is a loop."""
    if not loop["trips"]:
        return loop["at"] + (f"what repeats here, as values decide, is not a loop: {loop['why']}" if loop["why"] else
                             f"trips of {loop['ops']} operations, as long as its questions are answered so, are one loop")
    what = f"{loop['at']}{loop['trips']} trips of {loop['ops']} operations are "
    return what + (f"not a loop: {loop['why']}" if loop["why"] else "one loop")


def _node_lines(nodes):
    """A tree as text: a line a node, children under their parent; nodes of one step in a row, as those of a loop, are one line."""
    children = {}
    for i, node in enumerate(nodes):
        children.setdefault(node["parent"], []).append(i)
    lines, waiting = [], [(0, 0)]
    while waiting:
        if len(lines) == _MOST_NODES:
            lines.append(f"    and more: {len(nodes)} nodes")
            break
        i, depth = waiting.pop()
        node, count = nodes[i], 1
        while len(below := children.get(i, [])) == 1 and nodes[below[0]]["step"] == node["step"]:
            i, count = below[0], count + 1
        reached = f"{_short(node['value'])}: " if node["parent"] >= 0 else ""
        what = {"guard": f"step {node['step']}, then {node['asks']}", "return": f"step {node['step']}, then the result", "raise": "raises an error, in eager", "python": f"Python goes first on each call: {node['why']}",
                "eager": f"runs in eager: {node['why']}", "unknown": "not recorded"}[node["ends"]]
        lines.append(f"    {'  ' * min(depth, 20)}{reached}{what}{f', {count} times' if count > 1 else ''} ({node['hits']} hits)")
        waiting += [(child, depth + 1) for child in reversed(below)]
    return lines


def _code_text(v):
    if v["state"] == "failed":
        return f"one by one: their code was not compiled: {v['error']}"
    if v["state"] == "interpreted":
        return f"one by one: {v['error']}"
    if v["state"] != "ready":
        return f"one by one: their code is {'being compiled' if v['state'] == 'compiling' else 'not compiled yet'}"
    source = f"{'for any size, ' if v['any_size'] else ''}{'found in the cache' if v['from_cache'] else 'compiled'}"
    there = f" on {v['device']}" if v["device"] != "cpu" else ""
    return f"in {v['kernels']} kernels{there}, workspace {v['workspace_bytes']} bytes, {source} in {v['milliseconds']:.1f} ms"


def _short(value):
    name = getattr(value, "__name__", None)
    text = name if name else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
