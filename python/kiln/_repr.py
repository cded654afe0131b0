"""How arrays print."""
import struct

_EDGE = 3
_LIMIT = 1000


def _number(value, digits=17):
    """The shortest text that reads back as the same number of the dtype."""
    if isinstance(value, bool) or not isinstance(value, float) or value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if digits == 17:
        return repr(value).removesuffix("0") if repr(value).endswith(".0") else repr(value)
    for n in range(1, digits + 1):
        text = f"{value:.{n}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            break
    text = repr(float(text))
    return text.removesuffix("0") if text.endswith(".0") else text


def _texts(values, shorten, digits):
    """Nested lists of texts; None stands for what is left out."""
    if not isinstance(values, list):
        return _number(values, digits)
    if shorten and len(values) > 2 * _EDGE:
        return [_texts(v, shorten, digits) for v in values[:_EDGE]] + [None] + [_texts(v, shorten, digits) for v in values[-_EDGE:]]
    return [_texts(v, shorten, digits) for v in values]


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
    texts = _texts(array.tolist(), shorten, 9 if array.dtype.name == "float32" else 17)
    if isinstance(texts, str):
        body = texts
    else:
        body = _join(texts, _width(texts), 0 if plain else len("kiln.Array("), array.ndim)
    if plain:
        return body
    shape = f", shape={array.shape}" if 0 in array.shape else ""
    device = f", device='{array.device}'" if array.device != "cpu" else ""
    return f"kiln.Array({body}{shape}, dtype={array.dtype}{device})"
