"""The HTML view of what became of a jitted function: one file, no scripts, nothing from elsewhere."""
from html import escape

from ._errors import PackageError
from ._explain import loop_text, size_text, time_text, traffic_text

_MOST_NODES = 2000  # of a tree
_STYLE = """body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em;color:#222;background:#fff}
h1{font-size:1.4em;margin-bottom:.3em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ccc}h3{font-size:1em;margin:1.2em 0 .3em}
code,.n{font-family:ui-monospace,monospace;font-size:.92em}p{margin:.3em 0}
table{border-collapse:collapse;margin:.3em 0}td,th{padding:.15em 1.2em .15em 0;text-align:left;vertical-align:top}th{font-weight:600}.n{text-align:right;white-space:nowrap}
table.kernels{width:100%}.kernels th{border-bottom:1px solid #ccc}.kernels td{border-bottom:1px solid #eee}.kernels td:nth-child(odd){white-space:nowrap}.kernels tr.inside td:first-child{padding-left:1.2em}
.counts span{display:inline-block;margin-right:2em}.counts b{font-size:1.2em}
details{margin:.2em 0 .2em 1.2em;border-left:2px solid #dde;padding-left:.6em}details.step{margin-left:0}summary{cursor:pointer}
.value{background:#eef;border-radius:3px;padding:0 .3em}.quiet{color:#777}.why{color:#777;font-size:.92em}.eager{color:#a40000}.ready{color:#206020}
.bar{display:inline-block;height:.6em;background:#88a;margin-right:.5em}"""


def page(explanation):
    """The page of an Explanation, as text."""
    c = explanation.counters
    counts = "".join(f"<span><b>{c[key]}</b> {name}</span>" for name, key in (
        ("calls", "calls"), ("on known paths", "hits"), ("recorded", "misses"), ("programs compiled", "compiles"), ("found in the cache", "cache_hits"), ("segments", "segments")))
    variants = "".join(_variant(explanation, i, v) for i, v in enumerate(explanation.variants))
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(explanation.name)}</title><style>{_STYLE}</style>"
            f"<h1>Jitted function <code>{escape(explanation.name)}</code></h1><p class=counts>{counts}</p>{_again(explanation.again)}{variants}</html>\n")


def _again(again):
    rows = "".join(f"<tr><td>{escape(why)}</td><td class=n>{cost:.1f} ms</td></tr>" for why, cost in again)
    return f"<details><summary>Recorded again {len(again)} times</summary><table>{rows}</table></details>" if again else ""


def _variant(explanation, number, v):
    parts = [f"<h2>Variant {number} <span class=quiet>{v['hits']} hits</span></h2>"]
    if v["eager"]:
        return parts[0] + f"<p class=eager>Runs in eager: {escape(v['eager'])}</p>"
    peak = f"; at most {size_text(v['peak_bytes'])} at once" if v["peak_bytes"] else ""
    parts.append(f"<p>Arrays: <code>{escape(', '.join(v['inputs']) or 'none')}</code>{peak}</p>")
    if v["guards"]:
        rows = "".join(f"<tr><td>{escape(place)}</td><td><code>{escape(_short(value))}</code></td></tr>" for place, value in v["guards"])
        parts.append(f"<details><summary>Watches {len(v['guards'])} places</summary><table>{rows}</table></details>")
    if len(v["nodes"]) > 1:
        parts.append("<h3>Paths</h3>" + _tree(v["nodes"]))
    if v["hot"]:
        head = f"The path of most calls, {v['hot']['length']} nodes, is one program <span class=quiet>{v['hot']['hits']} hits</span>"
        parts.append(f"<details class=step><summary>{head}</summary>{_kernels(explanation._hot[number], v['hot'])}</details>")
    parts.append("<h3>Segments</h3>" + "".join(_step(explanation._steps[number][i], i, step) for i, step in enumerate(v["steps"])))
    if v["apart"]:
        parts.append(f"<p>Shares no code with earlier variants: {escape(v['apart'])}</p>")
    return "".join(parts)


def _step(source, number, step):
    state = step["state"]
    if state == "ready":
        state = f"{step['kernels']} kernels, {size_text(step['workspace_bytes'])} of workspace, {'found in the cache' if step['from_cache'] else 'compiled'} in {step['milliseconds']:.1f} ms"
    error = f" {escape(step['error'])}" if step["error"] else ""
    head = f"<summary>Step {number}: {step['ops']} operations, <span class={'ready' if step['state'] == 'ready' else 'eager'}>{escape(state)}</span>{error}</summary>"
    loops = "".join(f"<p>{escape(loop_text(loop))}</p>" for loop in step["loops"])
    return f"<details class=step{' open' if number == 0 else ''}>{head}{loops}{_kernels(source, step)}</details>"


def _kernels(source, step):
    """The kernels of a step as a table, a bar for the time of each."""
    if step["state"] != "ready":
        return ""
    try:
        kernels = source.kernels
    except PackageError as error:  # code from the cache, and no compiler to tell what it is made of
        return f"<p>{escape(str(error))}</p>"
    if not kernels:
        return ""
    longest = max((k["seconds"] or 0 for k in kernels), default=0)
    heads = "".join(f"<th{' class=n' if is_number else ''}>{name}</th>" for name, is_number in (("Kernel", 0), ("Operations", 0), ("Results", 0), ("Reads", 1), ("Writes", 1), ("Time", 1)) if longest or name != "Time")
    rows = "".join(_kernel(i, kernel, longest) for i, kernel in enumerate(kernels))
    text = traffic_text(source)
    return f"<p>{escape(text[0].upper() + text[1:])}</p><table class=kernels><tr>{heads}</tr>{rows}</table>"


def _kernel(number, kernel, longest):
    notes = "".join(f"<br><span class=why>{escape(text)}</span>" for text in [kernel["schedule"], *kernel["apart"]] if text)
    sizes = "".join(f"<td class=n>{'' if kernel[key] is None else size_text(kernel[key])}</td>" for key in ("bytes_read", "bytes_written"))
    seconds, time = kernel["seconds"] or 0, ""
    if longest:
        time = f"<td class=n><span class=bar style='width:{int(60 * seconds / longest)}px'></span>{time_text(seconds)}</td>"
    inside = " class=inside" if kernel["body"] else ""
    return (f"<tr{inside}><td>{number}{' in a body' if inside else ''}: {escape(kernel['kind'])}</td><td>{_operations(kernel['ops'])}{notes}</td>"
            f"<td><code>{'<br>'.join(escape(result) for result in kernel['results'])}</code></td>{sizes}{time}</tr>")


def _operations(ops):
    """The operations of a kernel, those of a line together."""
    by_line = {}
    for op, line in ops:
        by_line.setdefault(line, []).append(op)
    return "<br>".join(escape(", ".join(names)) + (f" <span class=quiet>{escape(line)}</span>" if line else "") for line, names in by_line.items())


def _tree(nodes):
    """Nested lists of nodes; those in a row that have one child and one step are one entry."""
    below, most = {}, max(1, max(n["hits"] for n in nodes))
    for i, node in enumerate(nodes):
        below.setdefault(node["parent"], []).append(i)
    text, open_ends, shown = [], [(0, False)], 0
    while open_ends:
        i, is_end = open_ends.pop()
        if is_end:
            text.append("</details>")
            continue
        if shown == _MOST_NODES:
            text.append(f"<p>and more: {len(nodes)} nodes</p>")
            break
        shown += 1
        node, count = nodes[i], 1
        while len(below.get(i, ())) == 1 and nodes[below[i][0]]["step"] == node["step"]:
            i, count = below[i][0], count + 1
        value = f"<span class=value>{escape(_short(node['value']))}</span> " if node["parent"] >= 0 else ""
        what = {"guard": f"step {node['step']}, then {node['asks']}", "return": f"step {node['step']}, then the result", "raise": "raises an error, in eager", "unknown": "not recorded",
                "python": f"Python goes first on each call: {node['why']}", "eager": f"runs in eager: {node['why']}"}[node["ends"]]
        kind = " class=eager" if node["ends"] in ("python", "eager", "raise") else ""
        text.append(f"<details open><summary><span class=bar style='width:{int(80 * node['hits'] / most) + 1}px'></span>{value}<span{kind}>{escape(what)}</span>"
                    f"{f', {count} times' if count > 1 else ''} <span class=quiet>{node['hits']} hits</span></summary>")
        open_ends.append((0, True))
        open_ends += [(child, False) for child in reversed(below.get(i, []))]
    return "".join(text) + "</details>" * sum(is_end for _, is_end in open_ends)


def _short(value):
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
