"""What ``f.explain()`` gives: the variants of a jitted function, the trees that they are, and their code."""
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
    segments, which nodes share, with ``loops``: where operations repeat, how many of them how often (0 times: as values decide), and ``why`` that is no loop; ``hot`` is the path of most calls as one program, or None. ``kernels(i)`` says of variant i which operations became which kernel, with their lines, and why a kernel
    is apart from one that it reads from.
    """

    def __init__(self, name, counters, variants):
        self.name, self.counters = name, counters
        for v in variants:
            if v["hot"]:
                del v["hot"]["_program"], v["hot"]["_places"]
        self._steps = [[(s.pop("_program"), s.pop("_places"), s["device"]) for s in v["steps"]] for v in variants]
        self.variants, self._kernels = [{**v, **_whole(v["steps"])} for v in variants], {}

    @property
    def _sources(self):
        """The program of each variant's first step, and where its operations are."""
        return [steps[0] if steps else (b"", [], "cpu") for steps in self._steps]

    def kernels(self, variant=-1):
        """The kernels of a variant: dicts of ``step``, ``kind``, ``results`` (types), ``ops`` (name and line), ``schedule`` (how its
        loops run, as it stands in ``ir("schedule")``), and ``apart``, texts that say why it is not one with kernels that it reads from. Opens the compiler.

        Raises
        ------
        IndexError
            Where there is no such variant.
        """
        steps = self._steps[variant]
        variant %= len(self._steps)
        if variant not in self._kernels:
            self._kernels[variant] = [{"step": i, **kernel} for i, source in enumerate(steps) for kernel in _kernels_of(*source)]
        return self._kernels[variant]

    def to_dict(self):
        return {"name": self.name, **self.counters, "variants": [{**v, "kernel_list": self.kernels(i)} for i, v in enumerate(self.variants)]}

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
            lines.append(f"  variant {i}: {', '.join(v['inputs']) or 'no arrays'}, {v['hits']} hits")
            lines += self._step_lines(i, v)
            if len(v["nodes"]) > 1:
                lines += _node_lines(v["nodes"])
            if v["hot"]:
                lines.append(f"    the path of most calls, {v['hot']['length']} nodes, is one program: {v['hot']['ops']} operations {_code_text(v['hot'])} ({v['hot']['hits']} hits)")
            if v["apart"]:
                lines.append(f"    shares no code with earlier variants: {v['apart']}")
            watched = [f"{place} is {_short(value)}" for place, value in v["guards"]]
            if watched:
                lines.append("    watches " + "; ".join(watched))
        return "\n".join(lines)

    def _step_lines(self, i, v):
        lines, is_tree = [], len(v["nodes"]) > 1
        for number, step in enumerate(v["steps"][:_MOST_KERNELS]):
            lines.append(f"    {f'step {number}: ' if is_tree else ''}{step['ops']} operations {_code_text(step)}")
            lines += [f"      {_loop_text(loop)}" for loop in step["loops"]]
            lines += self._kernel_lines(i, number) if step["state"] == "ready" else []
        if len(v["steps"]) > _MOST_KERNELS:
            lines.append(f"    and {len(v['steps']) - _MOST_KERNELS} steps more")
        return lines

    def _kernel_lines(self, variant, step):
        try:
            kernels = [k for k in self.kernels(variant) if k["step"] == step]
        except PackageError as error:  # code from the cache, and no compiler to tell what it is made of
            return [f"      {error}"]
        lines = []
        for number, kernel in enumerate(kernels[:_MOST_KERNELS]):
            ops = ", ".join(op for op, _ in kernel["ops"])
            lines.append(f"      kernel {number}: {kernel['kind']}, {ops if len(ops) < 90 else ops[:87] + '...'} -> {', '.join(kernel['results'])}")
            lines += [f"        {text}" for text in [kernel["schedule"], *kernel["apart"]] if text]
        if len(kernels) > _MOST_KERNELS:
            lines.append(f"      and {len(kernels) - _MOST_KERNELS} more")
        return lines

    __repr__ = __str__


def _kernels_of(program, places, device):
    """The kernels of a program, as it is compiled for a device, whose operations were recorded at these places."""
    if not program:
        return []

    def line(slot):
        if not 0 <= slot < len(places) or places[slot] is None:
            return ""
        code, instruction = places[slot]
        return f"{os.path.basename(code.co_filename)}:{line_of(code, instruction)}"

    def named(op, slot):
        return f"{op} ({line(slot)})" if line(slot) else op

    import json  # where it is needed: it takes a tenth of the package's import
    found = json.loads(_core.print_ir(program, "fusion", device))
    for kernel in found:
        kernel["ops"] = [(op, line(slot)) for op, slot in kernel["ops"]]
        kernel["apart"] = [f"{named(op, slot)} is not in the kernel of {named(other, otherslot)}: it {why}" if not why.startswith("that") else
                           f"{named(op, slot)} is not in the kernel of {named(other, otherslot)}: {why}" for op, slot, other, otherslot, why in kernel["apart"]]
    return found


def _loop_text(loop):
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
