"""How arrays print."""
import struct

from . import _core

# How many elements stand at each end where there are more than the threshold, and digits behind the point (None: as many as tell it apart).
options = {"edgeitems": 3, "threshold": 1000, "precision": None, "separator": ", "}


def _number(value, digits=17):
    """The shortest text that reads back as the same number of the dtype."""
    if isinstance(value, bool) or not isinstance(value, float) or value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if options["precision"] is not None:
        value = round(value, options["precision"])
    if digits == 17:
        return repr(value).removesuffix("0") if repr(value).endswith(".0") else repr(value)
    for n in range(1, digits + 1):
        text = f"{value:.{n}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            break
    text = repr(float(text))
    return text.removesuffix("0") if text.endswith(".0") else text


def _texts(values, left_out, digits):
    """Nested lists of texts; None stands for what is left out in the middle of the axes ``left_out``."""
    if not isinstance(values, list):
        return _number(values, digits)
    texts = [_texts(v, left_out[1:], digits) for v in values]
    edge = options["edgeitems"]
    return texts[:edge] + [None] + texts[edge:] if left_out[0] else texts


def _shown(array):
    """The part of an array that is printed, and for each axis whether its middle is left out: nothing else is converted."""
    edge, left_out = options["edgeitems"], [False] * array.ndim
    if array.size > options["threshold"]:
        for axis, n in enumerate(array.shape):
            if n > 2 * edge:
                key = (slice(None),) * axis
                array = _core.concat((array[(*key, slice(None, edge))], array[(*key, slice(n - edge, None))]), axis)
                left_out[axis] = True
    return array, left_out


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
    between = options["separator"]
    if depth > 1:
        between = between.rstrip() + "\n" + " " * (indent + 1)
    return "[" + between.join(parts) + "]"


def array_text(array, plain):
    """The text of ``str`` (plain) or ``repr``."""
    shown, left_out = _shown(array)
    texts = _texts(shown.tolist(), left_out, 9 if array.dtype.name == "float32" else 17)
    if isinstance(texts, str):
        body = texts
    else:
        body = _join(texts, _width(texts), 0 if plain else len("kiln.Array("), array.ndim)
    if plain:
        return body
    shape = f", shape={array.shape}" if 0 in array.shape else ""
    device = f", device='{array.device}'" if array.device != "cpu" else ""
    return f"kiln.Array({body}{shape}, dtype={array.dtype}{device})"
