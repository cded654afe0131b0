"""Handwritten digits: nearest neighbours, k-means and PCA, written as plain array code and compiled with ``@kn.jit``.

The classifier is also exported, as a package and as a library that ``digits.c`` calls. The data is the UCI collection that ships inside
scikit-learn: 1,797 images of 8 x 8 pixels. Each result is checked against scikit-learn's own. Run with ``make demo``; a chart goes to
demo-output/digits.png.
"""
import importlib.util
import pathlib
import shutil
import statistics
import subprocess
import time
import types

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

import kiln as kn

FOLDER = pathlib.Path("demo-output")
CLUSTERS, ITERATIONS, COMPONENTS = 10, 20, 4
SIZES = {"images": {0: ("count", 1, 1000)}}  # that calls of what is exported choose


# --- what a user writes ------------------------------------------------------------------------------------------------------

def squared_distances(a, b):
    return kn.sum(a * a, axis=1)[:, None] - 2 * (a @ b.T) + kn.sum(b * b, axis=1)[None, :]


@kn.jit
def nearest_labels(train, labels, test):
    return kn.take(labels, kn.argmin(squared_distances(test, train), axis=1))


@kn.jit
def kmeans_step(x, centers):
    nearest = kn.argmin(squared_distances(x, centers), axis=1)
    member = kn.where(nearest[:, None] == kn.arange(CLUSTERS), kn.ones_like(x[:, :CLUSTERS]), 0.0)
    counts = kn.maximum(kn.sum(member, axis=0), 1)
    return (member.T @ x) / counts[:, None], nearest


@kn.jit
def power_step(covariance, v):
    for _ in range(10):
        v = covariance @ v
        v = v / kn.sqrt(kn.sum(v * v))
    return v


@kn.jit
def normalize(x):
    centered = x - kn.mean(x, axis=1, keepdims=True)
    return kn.tanh(centered / kn.sqrt(kn.mean(centered * centered, axis=1, keepdims=True) + 1e-5))


FUNCTIONS = (nearest_labels, kmeans_step, power_step, normalize)


def run_kmeans(step, x, centers):
    for _ in range(ITERATIONS):
        centers, nearest = step(x, centers)
    return centers, nearest


def run_pca(step, covariance, start):
    components = []
    for _ in range(COMPONENTS):
        v = start
        for _ in range(30):
            v = step(covariance, v)
        components.append(v)
        value = v @ (covariance @ v)
        covariance = covariance - value * (v[:, None] * v[None, :])
    return components


# --- checks ------------------------------------------------------------------------------------------------------------------

def check_neighbours(train, y, test, truth):
    ours = nearest_labels(kn.asarray(train), kn.asarray(y), kn.asarray(test)).numpy()
    theirs = KNeighborsClassifier(1).fit(train, y).predict(test)
    same = (ours == theirs).mean()
    print(f"  nearest neighbour  accuracy {np.mean(ours == truth):.4f}, scikit-learn {np.mean(theirs == truth):.4f}, {same:.2%} of the answers equal")
    assert same > 0.995 and abs(np.mean(ours == truth) - np.mean(theirs == truth)) < 0.005
    return ours


def check_kmeans(x, start):
    centers, nearest = run_kmeans(kmeans_step, kn.asarray(x), kn.asarray(start))
    theirs = KMeans(CLUSTERS, init=start, n_init=1, max_iter=ITERATIONS, tol=0, algorithm="lloyd").fit(x)
    inertia = float(np.sum((x - centers.numpy()[nearest.numpy()]) ** 2))
    print(f"  k-means            inertia {inertia:.0f}, scikit-learn {theirs.inertia_:.0f}")
    assert abs(inertia / theirs.inertia_ - 1) < 0.01
    return centers.numpy()


def check_pca(x, covariance, start):
    components = run_pca(power_step, kn.asarray(covariance), kn.asarray(start))
    theirs = PCA(COMPONENTS).fit(x).components_
    cosines = [abs(float(np.dot(c.numpy(), t))) for c, t in zip(components, theirs)]
    print(f"  PCA                |cosine| to scikit-learn's components {', '.join(f'{c:.5f}' for c in cosines)}")
    assert min(cosines) > 0.999
    return np.stack([c.numpy() for c in components])


def classifier(train, labels):
    train, labels = kn.asarray(train), kn.asarray(labels)

    def classify(images):
        return nearest_labels(train, labels, images)
    return classify


def check_package(classify, test, answers):
    """The classifier and what it has seen as one file, for any number of images up to 1000: kiln-inspect shows it."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "digits.kiln"
    kn.export(classify, test[:8], to=path, dynamic=SIZES)
    start = time.perf_counter()
    loaded = kn.load(path)
    took = time.perf_counter() - start
    same = (loaded(test).numpy() == answers).all() and (loaded(test[:7]).numpy() == answers[:7]).all()
    print(f"  package            {path}, {path.stat().st_size:,} bytes, loaded in {took * 1e3:.2f} ms, {'every answer equal' if same else 'answers DIFFER'}")
    assert same


def check_library(classify, test, truth, answers):
    """The same as a library with a header of C, which digits.c calls."""
    path, source = FOLDER / "libdigits.so", pathlib.Path(__file__).with_suffix(".c")
    kn.export(classify, test[:8], to=path, header=FOLDER / "digits.h", name="digits", dynamic=SIZES)
    weights = sum(a.nbytes for a in kn.load(FOLDER / "digits.kiln").weights.values())
    print(f"  library            {path}, {path.stat().st_size - weights:,} bytes beside {weights:,} of weights; {FOLDER / 'digits.h'}")
    if not shutil.which("cc"):
        return print("  C                  no compiler (cc) to build digits.c with")
    program = FOLDER / "digits"
    subprocess.run(["cc", "-O2", source, "-I", FOLDER, "-L", FOLDER, "-ldigits", f"-Wl,-rpath,{FOLDER.resolve()}", "-o", program], check=True)
    test.tofile(FOLDER / "images.bin")
    truth.tofile(FOLDER / "labels.bin")
    accuracy, took = subprocess.run([program, FOLDER / "images.bin", FOLDER / "labels.bin"], check=True, capture_output=True, text=True).stdout.split()
    same = float.fromhex(accuracy) == np.mean(answers == truth)
    converted = kn.asarray(test)
    in_python = min(time_of(lambda: classify(converted)) for _ in range(20))
    print(f"  C                  {source.name}: accuracy {float.fromhex(accuracy):.4f}, {'the bits of Python' if same else 'which DIFFERS from Python'}; "
          f"{len(test)} images in {float(took):.3f} ms on one thread, jitted in Python {in_python:.3f} ms on {kn.get_num_threads()}")
    assert same


# --- times -------------------------------------------------------------------------------------------------------------------

def time_of(run):
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def median_time(run, repeats=9):
    run()
    return statistics.median(time_of(run) for _ in range(repeats))


def in_namespace(function, namespace):
    """The same code with another array namespace under the name `kn`."""
    names = dict(globals(), kn=namespace)
    names["squared_distances"] = types.FunctionType(squared_distances.__code__, names)
    return types.FunctionType(function.__wrapped__.__code__, names)


def jax_column():
    import jax
    import jax.numpy as jnp

    def column(function):
        jitted = jax.jit(in_namespace(function, jnp))
        return lambda *args: jax.block_until_ready(jitted(*args))
    return jnp.asarray, column


def torch_column():
    import torch
    torch.set_num_threads(1)

    def over(function):
        return lambda x, axis=None, keepdims=False: function(x) if axis is None else function(x, dim=axis, keepdim=keepdims)

    namespace = types.SimpleNamespace(
        sum=over(torch.sum), mean=over(torch.mean), argmin=over(torch.argmin), take=lambda x, i: x[i], arange=torch.arange,
        where=torch.where, ones_like=torch.ones_like, maximum=lambda x, y: torch.clamp(x, min=y), sqrt=torch.sqrt, tanh=torch.tanh)
    return torch.from_numpy, lambda function: in_namespace(function, namespace)


def numba_column():
    import numba

    def column(function):
        names = {"squared_distances": numba.njit(in_namespace(function, np).__globals__["squared_distances"]), "CLUSTERS": CLUSTERS, "kn": np}
        return numba.njit(types.FunctionType(function.__wrapped__.__code__, names))
    return np.asarray, column


PEERS = {"JAX jit": ("jax", jax_column), "torch eager": ("torch", torch_column), "Numba": ("numba", numba_column)}


def time_table(arguments):
    """Median milliseconds by function and framework."""
    columns = {"NumPy": (np.asarray, lambda f: in_namespace(f, np)), "Kiln eager": (kn.asarray, lambda f: f.__wrapped__),
               "Kiln jit": (kn.asarray, lambda f: f)}
    columns.update({name: make() for name, (module, make) in PEERS.items() if importlib.util.find_spec(module)})
    table = {}
    for function in FUNCTIONS:
        for column, (convert, variant) in columns.items():
            run, converted = variant(function), [convert(a) for a in arguments[function.__name__]]
            try:
                table[function.__name__, column] = median_time(lambda: run(*converted))
            except Exception as error:  # a peer may lack an operation; Kiln may not
                if "Kiln" in column:
                    raise
                print(f"  {column} does not run {function.__name__}: {type(error).__name__}")
                table[function.__name__, column] = float("nan")
    return list(columns), table


def print_table(columns, names, table):
    print(f"\n  {'median ms':<18}" + "".join(f"{c:>12}" for c in columns) + f"{'jit / NumPy':>14}")
    for name in names:
        ratio = table[name, "NumPy"] / table[name, "Kiln jit"]
        times = "".join(f"{t:12.3f}" if t == t else f"{'–':>12}" for t in (table[name, c] for c in columns))
        print(f"  {name:<18}{times}{ratio:13.2f}x")
    print("  NumPy and Kiln run on one thread unless NumPy's BLAS is given more (OPENBLAS_NUM_THREADS).")


def draw(columns, names, table, centers, components):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    figure = plt.figure(figsize=(11, 6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1.2, 1])
    axes = left.subplots()
    width = 0.8 / len(columns)
    for i, column in enumerate(columns):
        axes.bar([k + i * width for k in range(len(names))], [table[n, column] for n in names], width, label=column)
    axes.set_xticks([k + 0.4 - width / 2 for k in range(len(names))], names, rotation=15)
    axes.set_yscale("log")
    axes.set_ylabel("median time of a call, ms (log)")
    axes.legend()
    axes.set_title("One call on the digits")
    grid = right.subplots(3, 5)
    for picture, place in zip([*centers, *components], grid.flat):
        place.imshow(picture.reshape(8, 8), cmap="gray_r")
    for place in grid.flat:
        place.axis("off")
    right.suptitle("k-means centers, then principal components")
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / "digits.png", dpi=110)
    return FOLDER / "digits.png"


def main():
    kn.config.jit = "sync"  # code is waited for: the times below are its own
    digits = load_digits()
    x, y = digits.data.astype(np.float32), digits.target.astype(np.int64)
    train, labels, test, truth = x[:1200], y[:1200], x[1200:], y[1200:]
    rng = np.random.default_rng(0)
    centers = x[rng.choice(len(x), CLUSTERS, replace=False)].copy()
    covariance = np.cov(x.T).astype(np.float32)
    start = rng.normal(size=64).astype(np.float32)

    print(f"digits: {len(x)} images of {x.shape[1]} pixels; checked against scikit-learn:")
    answers = check_neighbours(train, labels, test, truth)
    classify = classifier(train, labels)
    check_package(classify, test, answers)
    check_library(classify, test, truth, answers)
    found = check_kmeans(x, centers)
    components = check_pca(x, covariance, start)

    arguments = {"nearest_labels": (train, labels, test), "kmeans_step": (x, centers), "power_step": (covariance, start), "normalize": (x,)}
    columns, table = time_table(arguments)
    print_table(columns, list(arguments), table)

    print("\nThe fused program of `normalize`, one kernel:\n")
    print(normalize.lower(kn.asarray(x)).ir("fused"))
    print(normalize.explain())
    print(f"\nchart: {draw(columns, list(arguments), table, found, components)}")
    print('next: change a function above and run again; kmeans_step.explain(); .lower(...).ir("asm"); docs/ and CONTRIBUTING.md')


if __name__ == "__main__":
    main()
