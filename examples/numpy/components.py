"""Principal components by the singular value decomposition: fit, transform, reconstruct, and how much each explains."""
import kiln.numpy as np


def sample(n, features):
    """Correlated columns, made by formulas so that every library sees the same."""
    i = np.arange(n, dtype=float)[:, None]
    j = np.arange(features, dtype=float)[None, :]
    waves = np.sin(i * 0.37 + j) + 0.5 * np.cos(i * 0.11 * (j + 1))
    trend = (i / n) @ (1.0 / (j + 1))
    noise = np.sin(i * 12.9898 + j * 78.233) * 0.05
    return waves + 3 * trend + noise


def standardize(x):
    mean = x.mean(axis=0)
    scale = x.std(axis=0, ddof=1)
    return (x - mean) / scale, mean, scale


def fit(x, count):
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    signs = np.sign(vt[np.arange(vt.shape[0]), np.argmax(np.abs(vt), axis=1)])
    vt = vt * signs[:, None]
    variance = s ** 2 / (x.shape[0] - 1)
    return vt[:count], variance


def transform(x, components):
    return x @ components.T


def reconstruct(scores, components, mean, scale):
    return (scores @ components) * scale + mean


def explained(variance):
    return np.cumsum(variance) / np.sum(variance)


def by_covariance(x):
    values, vectors = np.linalg.eigh(np.cov(x, rowvar=False))
    order = np.argsort(values)[::-1]
    return values[order], vectors[:, order]


def main():
    x = sample(120, 6)
    z, mean, scale = standardize(x)
    components, variance = fit(z, 3)
    scores = transform(z, components)
    back = reconstruct(scores, components, mean, scale)
    error = np.sqrt(np.mean((back - x) ** 2, axis=0))
    values, vectors = by_covariance(z)
    angles = np.abs(np.sum(vectors[:, :3].T * components, axis=1))
    correlation = np.corrcoef(scores, rowvar=False)
    return [explained(variance), np.abs(components), np.abs(scores[:5]), error, values, angles, np.round(correlation, 6)]
