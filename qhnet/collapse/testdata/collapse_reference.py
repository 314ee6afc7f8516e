"""Neural collapse metrics, computed from their formulas with NumPy.

Writes collapse_reference.json beside this file: random features, labels,
classifier and bias, and the value of every metric. The Go tests compare with
these numbers. Class statistics give every class the same weight.

Run once with: python3 collapse_reference.py   (NumPy 2.4)
"""

import itertools
import json
import pathlib

import numpy as np
from numpy.linalg import norm, pinv


def metrics(h, labels, w, b):
    classes = len(w)
    groups = [h[labels == c] for c in range(classes)]
    means = np.array([g.mean(axis=0) for g in groups])
    m = means - means.mean(axis=0)
    within = sum(np.cov(g.T, bias=True) for g in groups) / classes
    between = m.T @ m / classes
    variance = [np.trace(np.cov(g.T, bias=True)) for g in groups]
    ideal = (np.eye(classes) - np.ones((classes, classes)) / classes) / np.sqrt(classes - 1)
    pairs = list(itertools.combinations(range(classes), 2))

    def equinorm(a):
        sizes = norm(a, axis=1)
        return np.std(sizes) / np.mean(sizes)

    def equiangular(a):
        cosines = [a[i] @ a[j] / norm(a[i]) / norm(a[j]) for i, j in pairs]
        return np.mean([abs(c + 1 / (classes - 1)) for c in cosines])

    def etf(a, other):
        gram = a @ other.T
        return norm(gram / norm(gram) - ideal)

    nearest = np.argmin(norm(h[:, None, :] - means[None], axis=2), axis=1)
    return {
        "NC1": np.trace(within @ pinv(between, rcond=1e-12)) / classes,
        "NC1Ratio": np.trace(within) / np.trace(between),
        "CDNV": np.mean(
            [(variance[i] + variance[j]) / (2 * norm(means[i] - means[j]) ** 2) for i, j in pairs]
        ),
        "MeanEquinorm": equinorm(m),
        "WeightEquinorm": equinorm(w),
        "MeanEquiangular": equiangular(m),
        "WeightEquiangular": equiangular(w),
        "MeanETF": etf(m, m),
        "WeightETF": etf(w, w),
        "NC3": norm(w / norm(w) - m / norm(m)) ** 2,
        "NC3ETF": etf(w, m),
        "NC4": np.mean(np.argmax(h @ w.T + b, axis=1) != nearest),
        "BiasNorm": norm(b),
    }


def case(name, counts, d, seed, rank=None, scale=1.0):
    """A rank below d puts the features into that many dimensions, up to rounding."""
    rng = np.random.default_rng(seed)
    classes = len(counts)
    labels = np.repeat(np.arange(classes), counts)
    centers = rng.normal(size=(classes, d))
    h = (centers[labels] + 0.7 * rng.normal(size=(len(labels), d))).round(6)
    if rank:
        h = h[:, :rank] @ rng.integers(-3, 4, size=(rank, d))
    h *= scale
    w = (centers + rng.normal(size=(classes, d))).round(6)
    b = rng.normal(size=classes).round(6)
    return {
        "Name": name,
        "Features": h.tolist(),
        "Labels": labels.tolist(),
        "Weights": w.tolist(),
        "Bias": b.tolist(),
        "Metrics": {k: float(v) for k, v in metrics(h, labels, w, b).items()},
    }


if __name__ == "__main__":
    cases = [
        case("balanced", [5, 5, 5, 5], 6, 1),
        case("imbalanced", [9, 4, 2], 5, 2),
        case("more classes than dimensions", [4] * 7, 3, 3),
        case("two classes", [6, 6], 2, 4),
        case("two classes in many dimensions", [3, 8], 12, 5),
        case("rank-deficient", [5, 5, 5, 5, 5], 8, 6, rank=3),
        case("rank-deficient and imbalanced", [12, 1, 3, 7], 6, 7, rank=2),
        case("tiny features", [4, 4, 4], 5, 8, scale=1e-60),
        case("large features in a plane", [4, 4, 4, 4], 5, 9, rank=2, scale=1e60),
    ]
    path = pathlib.Path(__file__).with_suffix(".json")
    lines = ",\n".join(json.dumps(c) for c in cases)
    path.write_text(f"[\n{lines}\n]\n")
