"""The model that the programs of this folder call: make.py FOLDER writes it there, as a library of C functions with its header, and as a
package with code for this machine."""
import pathlib
import sys

import kiln as kn
import numpy as np


def make_model():
    """Probabilities (n, 3) of three kinds for rows (n, 4)."""
    rng = np.random.default_rng(0)
    w1, b1, w2 = (kn.asarray(rng.normal(size=s).astype(np.float32)) for s in ((4, 16), (16,), (16, 3)))

    def scores(x):
        return kn.nn.softmax(kn.tanh(x @ w1 + b1) @ w2, axis=-1)

    return scores


def main(folder):
    f, x = make_model(), np.zeros((8, 4), np.float32)
    sizes = {"x": {0: ("n", 1, 1000)}}
    kn.export(f, x, to=folder / "libscores.so", header=folder / "scores.h", dynamic=sizes)
    kn.export(f, x, to=folder / "scores.kiln", dynamic=sizes, cpu="x86-64-v2,x86-64-v3")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
