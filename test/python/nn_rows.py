"""The rows of nn.txt, their operands, and, as a program with torch installed, torch's answers to them: python nn_rows.py > nn_answers.json."""
import json
import pathlib
import re

import numpy as np

ROWS = [e for line in (pathlib.Path(__file__).parent / "nn.txt").read_text().splitlines() for e in line.split("; ")]


def operands():
    """float64, so that orders of sums do not show."""
    rng = np.random.default_rng(11)

    def normal(*shape):
        return rng.normal(size=shape)

    def positive(*shape):
        return rng.uniform(0.05, 0.95, shape)

    pr = positive(5, 6)
    return {"g": normal(5, 6), "h": normal(5, 6), "s": positive(5, 6), "pr": pr / pr.sum(1, keepdims=True), "y": (positive(5, 6) > 0.5) * 1.0, "z": np.sign(normal(5, 6)), "x": normal(2, 4, 6, 7), "p": positive(4),
            "x1": normal(2, 4, 9), "w1": normal(6, 4, 3), "v1": normal(6, 2, 3), "t1": normal(4, 6, 3), "b": normal(6), "w": normal(6, 4, 3, 3), "v": normal(6, 2, 3, 2), "d": normal(8, 1, 3, 3), "t": normal(4, 6, 3, 3),
            "x3": normal(1, 2, 4, 5, 6), "w3": normal(6, 2, 2, 3, 2), "t3": normal(2, 3, 2, 3, 2), "u": normal(2, 12, 12), "u2": normal(2, 12, 9), "n2": normal(6, 7), "m4": normal(4), "l": normal(6, 6), "i": rng.integers(0, 5, (3, 4)),
            "e": normal(5, 3), "q": normal(2, 3, 5, 4), "k": normal(2, 3, 5, 4), "bm": np.tril(normal(5, 5) > -1) | np.eye(5, dtype=bool), "fm": normal(5, 5), "c": rng.integers(0, 6, 5), "cw": positive(6),
            "cx": rng.integers(0, 4, (2, 6, 7)), "lp": np.log(rng.dirichlet(np.ones(6), (12, 3))), "tg": rng.integers(1, 6, (3, 4)), "li": np.array([12, 9, 7]), "lt": np.array([4, 2, 0]), "tc": rng.integers(1, 6, 6),
            "th": normal(2, 2, 3) * 0.3 + np.eye(2, 3), "th3": normal(1, 3, 4) * 0.3 + np.eye(3, 4), "gr": normal(2, 3, 5, 2) * 0.8, "g3": normal(1, 2, 3, 4, 3) * 0.8, "z1": np.sign(normal(5)), "ml": np.array([[3, 0, -1, 1, 2, 4], [1, -1, 0, 0, 0, 0], [-1, 0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5], [5, 2, 3, -1, -1, 1]]),
            "of": np.array([0, 2, 2, 7]), "iv": rng.integers(0, 5, 12), "sv": positive(12), "k1": normal(2, 1, 5, 4), "bl": normal(3, 6, 6)}


def evaluate(row, functions, scope):
    name, call = re.match(r"(\w+)(.*)", row).groups()
    return eval("f" + call, {"f": functions(name), **scope})


def digest(values):
    """What a result is known by: some of its elements, and sums that no other order of them has."""
    flat = np.asarray(values, dtype="f8").ravel()
    return [float(f"{v:.12g}") for v in (*flat[::-(-flat.size // 16) or 1], flat.sum(), flat @ np.sqrt(np.arange(flat.size) + 1.0), flat @ flat)]


def main():
    import torch
    scope = {name: torch.tensor(a) for name, a in operands().items()}
    answers = {}
    for row in ROWS:
        value = evaluate(row.replace("axis=", "dim="), lambda name: getattr(torch.nn.functional, name, None) or getattr(torch, name), scope)
        answers[row] = [list(value.shape), digest(value.numpy())]
    print("{" + ",\n".join(f"{json.dumps(row)}: {json.dumps(answer)}" for row, answer in answers.items()) + "}")


if __name__ == "__main__":
    main()
