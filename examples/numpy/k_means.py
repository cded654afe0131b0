"""k-means with farthest starts: Lloyd's steps, the sum of squares of each, silhouettes, and a choice of k."""
import kiln.numpy as np


def blobs():
    i = np.arange(90, dtype=float)
    angle, radius = i * 2.399963, np.sqrt(i % 30) * 0.25
    centre = np.array([[0.0, 0.0], [5.0, 1.0], [1.0, 6.0]])[(i // 30).astype(int)]
    return centre + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def distances(x, centres):
    return np.sqrt(np.sum((x[:, None, :] - centres[None, :, :]) ** 2, axis=2))


def starts(x, k):
    chosen = [0]
    for _ in range(k - 1):
        nearest = np.min(distances(x, x[np.array(chosen)]), axis=1)
        chosen.append(int(np.argmax(nearest)))
    return x[np.array(chosen)]


def assign(x, centres):
    return np.argmin(distances(x, centres), axis=1)


def move(x, labels, k):
    return np.stack([x[labels == j].mean(axis=0) for j in range(k)])


def inertia(x, centres, labels):
    return np.sum((x - centres[labels]) ** 2)


def fit(x, k, steps=20):
    centres = starts(x, k)
    history = []
    for _ in range(steps):
        labels = assign(x, centres)
        history.append(inertia(x, centres, labels))
        moved = move(x, labels, k)
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres, labels, np.array(history)


def silhouette(x, labels, k):
    between = distances(x, x)
    sums = np.stack([between[:, labels == j].sum(axis=1) for j in range(k)], axis=1)
    counts = np.bincount(labels, minlength=k)
    own = sums[np.arange(len(x)), labels] / np.maximum(counts[labels] - 1, 1)
    means = sums / counts
    means[np.arange(len(x)), labels] = np.inf
    other = means.min(axis=1)
    return np.mean((other - own) / np.maximum(own, other))


def main():
    x = blobs()
    results = []
    for k in (2, 3, 4):
        centres, labels, history = fit(x, k)
        results += [centres, labels, history, silhouette(x, labels, k)]
    return results
