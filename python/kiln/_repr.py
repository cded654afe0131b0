"""How arrays print."""
_EDGE = 3
_LIMIT = 1000


def _number(value):
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if value == int(value) and abs(value) < 1e8:
        return f"{value:.0f}."
    text = f"{value:.6g}" if 1e-4 <= abs(value) < 1e8 or value == 0 else f"{value:.6e}"
    return text


def _texts(values, shorten):
    """Nested lists of texts; None stands for what is left out."""
    if not isinstance(values, list):
        return _number(values)
    if shorten and len(values) > 2 * _EDGE:
        return [_texts(v, shorten) for v in values[:_EDGE]] + [None] + [_texts(v, shorten) for v in values[-_EDGE:]]
    return [_texts(v, shorten) for v in values]


def _width(texts):
    if texts is None:
        return 0
    return len(texts) if isinstance(texts, str) else max((_width(t) for t in texts), default=0)


def _join(texts, width, indent, depth):
    if texts is None:
        return "..."
    if isinstance(texts, str):
        return texts.rjust(width)
    parts = [_join(t, width, indent + 1, depth - 1) for t in texts]
    if depth == 1:
        return "[" + ", ".join(parts) + "]"
    return "[" + (",\n" + " " * (indent + 1)).join(parts) + "]"


def array_text(array, plain):
    """The text of ``str`` (plain) or ``repr``."""
    shorten = array.size > _LIMIT
    texts = _texts(array.tolist(), shorten)
    if isinstance(texts, str):
        body = texts
    else:
        body = _join(texts, _width(texts), 0 if plain else len("kiln.Array("), array.ndim)
    if plain:
        return body
    shape = f", shape={array.shape}" if 0 in array.shape else ""
    return f"kiln.Array({body}{shape}, dtype={array.dtype})"
