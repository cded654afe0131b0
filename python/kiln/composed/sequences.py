"""Losses of sequences: connectionist temporal classification, by the parameters of torch."""
from .. import _core
from .._arguments import as_array, choice, ops
from .._core import Array
from .._errors import make
from .losses import _widened

_where = _core.where
_NEVER = -1e30  # the logarithm of a probability of 0 that has derivatives


def _labels(targets, lengths, blank):
    """Rows of targets with blanks between and around, and where a step may leave out the blank before."""
    n, most = targets.shape
    columns = _core.iota((n, 2 * most + 1), "int64", 1, targets.device)
    padded = _core.concat((targets, _core.full((n, 1), blank, targets.dtype, targets.device)), 1)
    from .._selection import take_along_axis
    labels = _where(columns % 2 == 1, take_along_axis(padded, columns // 2, 1), blank)
    before = _core.concat((_core.full((n, min(2, 2 * most + 1)), blank, labels.dtype, labels.device), labels[:, :-2]), 1)[:, :2 * most + 1]
    return labels, ops["bitwise_and"](columns % 2 == 1, ops["not_equal"](labels, before))


def _rows(targets, lengths):
    """Targets that follow each other in a vector, as rows."""
    ends = _core.along_axis("cumulative_sum", lengths, 0, False)
    most = max(1, int(_core.reduce("max", lengths, None, False).item()))
    at = (ends - lengths)[:, None] + _core.iota((lengths.size, most), "int64", 1, targets.device)
    return _core.take(targets, ops["minimum"](at, max(targets.size - 1, 0)), 0)


def _moved(alpha, by):
    return _core.concat((_core.full((alpha.shape[0], by), _NEVER, alpha.dtype, alpha.device), alpha[:, :-by]), 1)[:, :alpha.shape[1]]


@_widened
def _losses(log_probs, targets, input_lengths, target_lengths, blank):
    from .._control import scan
    from .._selection import take_along_axis
    labels, skips = _labels(targets, target_lengths, blank)
    columns = _core.iota(labels.shape, "int64", 1, labels.device)
    shape = (log_probs.shape[0], *labels.shape)
    scores = take_along_axis(log_probs, _core.broadcast_to(labels, shape), 2)
    alpha = _where(columns < 2, scores[0], _NEVER)

    def step(alpha, at):
        t, score = at
        reached = ops["logaddexp"](alpha, _moved(alpha, 1)) if alpha.shape[1] > 1 else alpha
        reached = ops["logaddexp"](reached, _where(skips, _moved(alpha, 2), _NEVER)) if alpha.shape[1] > 2 else reached
        return _where((t < input_lengths)[:, None], reached + score, alpha), ()

    alpha, _ = scan(step, alpha, (_core.iota((shape[0] - 1,), "int64", 0, labels.device) + 1, scores[1:]))
    last = target_lengths * 2
    ends = ops["bitwise_or"](columns == last[:, None], columns == (last - 1)[:, None])
    chosen = _where(ends, alpha, _NEVER)
    most = ops["maximum"](_core.reduce("max", chosen, 1, True), _NEVER)
    return -(ops["log"](_core.reduce("sum", _where(ends, ops["exp"](chosen - most), 0.0), 1, False)) + most[:, 0])


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False) -> Array:
    """Minus the logarithm of the probability that steps spell a sequence of labels, with repetitions and blanks between (A. Graves and others, 2006).

    ``log_probs`` is (steps, batch, classes), or without the batch; ``targets`` (batch, labels), or all labels one behind the other; the lengths are of
    each example. The mean is that of losses over their numbers of labels; with ``zero_infinity`` examples whose labels do not fit count as 0. The
    gradient is that of ``log_probs`` themselves (torch's is that of what log_softmax is taken of). Raises ShapeError where shapes do not fit.
    """
    choice("ctc_loss", "reduction", reduction, ("none", "mean", "sum"))
    log_probs, targets = as_array(log_probs), as_array(targets)
    single = log_probs.ndim == 2
    if single:
        log_probs = log_probs[:, None]
    inputs, lengths = (_core.astype(_core.reshape(as_array(v), (-1,)), "int64") for v in (input_lengths, target_lengths))
    if log_probs.ndim != 3 or inputs.shape != (log_probs.shape[1],) or lengths.shape != inputs.shape or not log_probs.shape[0]:
        raise make("ShapeError", f"ctc_loss: lengths: expected one of inputs and of targets for each example of {log_probs.shape}, got {inputs.shape} and {lengths.shape}")
    rows = _rows(targets, lengths) if targets.ndim == 1 and not single else _core.reshape(targets, (inputs.size, -1))
    losses = _losses(log_probs, _core.astype(rows, "int64"), inputs, lengths, blank)
    never = losses > 1e29
    losses = _where(never, 0.0 if zero_infinity else float("inf"), losses)
    if reduction == "none":
        return losses[0] if single else losses
    if reduction == "sum":
        return _core.reduce("sum", losses, None, False)
    return _core.reduce("sum", losses / ops["maximum"](_core.astype(lengths, losses.dtype), 1), None, False) / inputs.size
