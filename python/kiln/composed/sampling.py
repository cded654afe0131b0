"""Values at places between elements: (batch, channels, spatial...), by the names and with the parameters of torch."""
import itertools

from .. import _core
from .._arguments import as_array, choice, floating, ops, rounded_once
from .._core import Array
from .._ranges import linspace
from .._errors import make
from .._shaping import broadcast_to
from .resizing import _cubic

_where = _core.where


def _reflected(p, low, high):
    """Numbers turned back at both ends, as often as it takes; ends are in halves."""
    if low == high:
        return p * 0.0
    start, span = low / 2, (high - low) / 2
    p = ops["abs"](p - start)
    turns = ops["floor"](p / span)
    rest = p - turns * span
    return _where(ops["equal"](ops["remainder"](turns, 2.0), 0), rest, span - rest) + start


def _placed(p, n, padding_mode, align_corners):
    """Places within the elements, where those outside are brought inside."""
    if padding_mode == "reflection":
        p = _reflected(p, 0, 2 * (n - 1)) if align_corners else _reflected(p, -1, 2 * n - 1)
    return p if padding_mode == "zeros" else ops["minimum"](ops["maximum"](p, 0.0), float(n - 1))


class _Source:
    """The elements of an array at whole places, 0 outside."""

    def __init__(self, x):
        self.sizes = x.shape[2:]
        flat = _core.reshape(x, (*x.shape[:2], -1))
        self.rows = _core.permute_dims(flat, (0, 2, 1))
        self.batch = _core.reshape(_core.iota((x.shape[0],), "int64", 0, x.device), (-1, 1))

    def at(self, places):
        """(batch, points, channels) at floats that are whole, one array (batch, points) for each axis."""
        flat, inside = None, None
        for p, n in zip(places, self.sizes):
            within = ops["bitwise_and"](ops["greater_equal"](p, 0), ops["less_equal"](p, float(n - 1)))
            inside = within if inside is None else ops["bitwise_and"](inside, within)
            k = _core.astype(_where(within, p, 0.0), "int64")
            flat = k if flat is None else flat * n + k
        return _where(inside[..., None], self.rows[self.batch, flat], 0.0)


def _linear(source, places):
    lows = [ops["floor"](p) for p in places]
    total = None
    for corner in itertools.product((0, 1), repeat=len(places)):
        weight = None
        for c, p, low in zip(corner, places, lows):
            share = p - low if c else 1.0 - (p - low)
            weight = share if weight is None else weight * share
        part = source.at([low + float(c) for c, low in zip(corner, lows)]) * weight[..., None]
        total = part if total is None else total + part
    return total


def _bicubic(source, places, padding_mode, align_corners):
    (y, x), total = places, None
    rows, columns = ops["floor"](y), ops["floor"](x)
    for i, wy in enumerate(_cubic(y - rows)):
        for j, wx in enumerate(_cubic(x - columns)):
            at = [_placed(k, n, padding_mode, align_corners) for k, n in zip((rows + (i - 1.0), columns + (j - 1.0)), source.sizes)]
            part = source.at(at if padding_mode == "zeros" else [ops["round"](p) for p in at]) * (wy * wx)[..., None]
            total = part if total is None else total + part
    return total


@rounded_once
def _sampled(x, grid, mode, padding_mode, align_corners):
    rank = x.ndim - 2
    points = _core.reshape(_core.astype(grid, x.dtype), (x.shape[0], -1, rank))
    places = []
    for axis, n in enumerate(x.shape[2:]):
        g = points[..., rank - 1 - axis] + 1.0  # the last axis comes first
        places.append(g * ((n - 1) / 2) if align_corners else (g * float(n) - 1.0) * 0.5)
    source = _Source(x)
    if mode == "bicubic":
        y = _bicubic(source, places, padding_mode, align_corners)
    else:
        places = [_placed(p, n, padding_mode, align_corners) for p, n in zip(places, x.shape[2:])]
        y = source.at([ops["round"](p) for p in places]) if mode == "nearest" else _linear(source, places)
    return _core.reshape(_core.permute_dims(y, (0, 2, 1)), (*x.shape[:2], *grid.shape[1:-1]))


def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False) -> Array:
    """Values of ``x`` (batch, channels, 2 or 3 spatial axes) at ``grid`` (batch, ..., 2 or 3): places from -1 to 1, those along the last axis first.

    ``mode`` is "bilinear", "nearest" or, of two axes, "bicubic"; ``padding_mode``, of places outside, "zeros", "border" or "reflection". With
    ``align_corners`` -1 and 1 are the middles of the outermost elements, else their edges. Raises ShapeError where shapes do not fit, ValueError
    for other modes.
    """
    x, grid = floating(x), floating(grid)
    rank = x.ndim - 2
    choice("grid_sample", "mode", mode, ("bilinear", "nearest", "bicubic") if rank == 2 else ("bilinear", "nearest"))
    choice("grid_sample", "padding_mode", padding_mode, ("zeros", "border", "reflection"))
    if rank not in (2, 3) or grid.ndim != x.ndim or grid.shape[0] != x.shape[0] or grid.shape[-1] != rank:
        raise make("ShapeError", f"grid_sample: shapes: expected (batch, channels, height, width) and (batch, height, width, 2), or those of three axes, got {x.shape} and {grid.shape}")
    return _sampled(x, grid, mode, padding_mode, bool(align_corners))


def affine_grid(theta, size, align_corners=False) -> Array:
    """The places of ``grid_sample`` for images of ``size`` (batch, channels, spatial...) under the affine maps ``theta`` (batch, 2 or 3, one more).

    Raises ShapeError where they do not fit.
    """
    theta = floating(theta)
    rank = len(size) - 2
    if rank not in (2, 3) or theta.shape != (size[0], rank, rank + 1):
        raise make("ShapeError", f"affine_grid: theta: expected the shape ({size[0]}, {rank}, {rank + 1}) for size {tuple(size)}, got {theta.shape}")
    lines = []
    for axis, n in enumerate(size[2:]):
        line = linspace(-1.0, 1.0, n, dtype=theta.dtype) if n > 1 else _core.full((1,), 0.0, theta.dtype)
        line = line if align_corners else line * ((n - 1) / n)
        lines.append(broadcast_to(_core.reshape(line, (-1,) + (1,) * (rank - 1 - axis)), tuple(size[2:])))
    base = _core.concat(tuple(_core.reshape(v, (-1, 1)) for v in (*lines[::-1], _core.full(tuple(size[2:]), 1, theta.dtype))), 1)
    return _core.reshape(_core.matmul(as_array(base), theta.mT), (size[0], *size[2:], rank))
