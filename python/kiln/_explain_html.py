"""The HTML view of what became of a jitted function: one file, no scripts, nothing from elsewhere."""
from html import escape

from ._errors import PackageError

_MOST_NODES = 2000  # of a tree
_STYLE = """body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}
h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em;border-bottom:1px solid #ccc}code,td.n{font-family:ui-monospace,monospace;font-size:.92em}
table{border-collapse:collapse}td,th{padding:.15em .8em .15em 0;text-align:left;vertical-align:top}td.n{text-align:right}
details{margin-left:1.2em;border-left:2px solid #dde;padding-left:.6em}summary{cursor:pointer}
.value{background:#eef;border-radius:3px;padding:0 .3em}.hits{color:#777}.eager{color:#a40000}.ready{color:#206020}.bar{display:inline-block;height:.6em;background:#88a;margin-right:.5em}"""


def page(explanation):
    """The page of an Explanation, as text."""
    c = explanation.counters
    counts = "".join(f"<tr><th>{name}</th><td class=n>{c[key]}</td></tr>" for name, key in (
        ("calls", "calls"), ("known paths", "hits"), ("recordings", "misses"), ("programs compiled", "compiles"), ("found in the cache", "cache_hits"), ("segments", "segments")))
    variants = "".join(_variant(explanation, i, v) for i, v in enumerate(explanation.variants))
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(explanation.name)}</title><style>{_STYLE}</style>"
            f"<h1>Jitted function <code>{escape(explanation.name)}</code></h1><table>{counts}</table>{variants}</html>\n")


def _variant(explanation, number, v):
    parts = [f"<h2>Variant {number} <span class=hits>{v['hits']} hits</span></h2>"]
    if v["eager"]:
        return parts[0] + f"<p class=eager>Runs in eager: {escape(v['eager'])}</p>"
    parts.append(f"<p>Arrays: <code>{escape(', '.join(v['inputs']) or 'none')}</code></p>")
    if v["guards"]:
        rows = "".join(f"<tr><td>{escape(place)}</td><td><code>{escape(_short(value))}</code></td></tr>" for place, value in v["guards"])
        parts.append(f"<details><summary>Watches {len(v['guards'])} places</summary><table>{rows}</table></details>")
    if len(v["nodes"]) > 1:
        parts.append("<h3>Paths</h3>" + _tree(v["nodes"]))
    if v["hot"]:
        parts.append(f"<p>The path of most calls, {v['hot']['length']} nodes, is one program <span class=hits>{v['hot']['hits']} hits</span></p>")
    parts.append("<h3>Segments</h3>" + "".join(_step(explanation, number, i, step) for i, step in enumerate(v["steps"])))
    if v["apart"]:
        parts.append(f"<p>Shares no code with earlier variants: {escape(v['apart'])}</p>")
    return "".join(parts)


def _step(explanation, variant, number, step):
    state = f"{step['kernels']} kernels, {step['workspace_bytes']} bytes of workspace, {'found in the cache' if step['from_cache'] else 'compiled'} in {step['milliseconds']:.1f} ms" if step["state"] == "ready" else step["state"]
    head = f"<summary>Step {number}: {step['ops']} operations, <span class={'ready' if step['state'] == 'ready' else 'eager'}>{escape(state)}</span>{' ' + escape(step['error']) if step['error'] else ''}</summary>"
    rows = ""
    if step["state"] == "ready":
        try:
            for kernel in (k for k in explanation.kernels(variant) if k["step"] == number):
                ops = "<br>".join(f"{escape(op)} <span class=hits>{escape(line)}</span>" for op, line in kernel["ops"])
                rows += f"<tr><td>{escape(kernel['kind'])}</td><td>{ops}</td><td><code>{escape(', '.join(kernel['results']))}</code><br>{'<br>'.join(escape(text) for text in kernel['apart'])}</td></tr>"
        except PackageError as error:  # code from the cache, and no compiler to tell what it is made of
            rows = f"<tr><td>{escape(str(error))}</td></tr>"
    return f"<details{' open' if number == 0 else ''}>{head}<table>{rows}</table></details>"


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
                    f"{f', {count} times' if count > 1 else ''} <span class=hits>{node['hits']} hits</span></summary>")
        open_ends.append((0, True))
        open_ends += [(child, False) for child in reversed(below.get(i, []))]
    return "".join(text) + "</details>" * sum(is_end for _, is_end in open_ends)


def _short(value):
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
