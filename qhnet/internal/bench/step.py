"""Training steps: qhnet against PyTorch and NumPy, float64, all points at once.

    python step.py [avx512|avx2|portable] [seconds]

A step is the outputs, the loss (exponential with one output, cross-entropy with
ten), its gradient and the update of plain gradient descent. One thread each,
both on one processor, taking turns for some seconds a network; processor time.
"""

import os
import statistics
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402, reads the variable above
import torch  # noqa: E402

from ours import Ours, publish  # noqa: E402

kernel = sys.argv[1] if len(sys.argv) > 1 else ""
budget = float(sys.argv[2]) if len(sys.argv) > 2 else 10
CASES = [("2-16-1", 100), ("10-64-64-1", 500), ("64-256-256-10", 2000),
         ("64-256-256-10+norm", 2000), ("196-256-128-10+norm", 2000), ("conv", 64), ("conv", 500)]
STEP = 1e-3


def labels(points, classes):
    return np.arange(points) % classes


class Torch:
    def __init__(self, network, points):
        if network == "conv":
            c = torch.nn
            layers = [c.Conv2d(1, 8, 3, padding=1), c.ReLU(), c.MaxPool2d(2), c.Conv2d(8, 16, 3, padding=1),
                      c.ReLU(), c.MaxPool2d(2), c.Flatten(), c.Linear(16 * 7 * 7, 10)]
            shape, outputs = (1, 28, 28), 10
        else:
            widths = [int(w) for w in network.removesuffix("+norm").split("-")]
            layers = []
            for a, b in zip(widths, widths[1:]):
                layers.append(torch.nn.Linear(a, b))
                if b != widths[-1] and network.endswith("+norm"):
                    layers.append(torch.nn.BatchNorm1d(b))
                if b != widths[-1]:
                    layers.append(torch.nn.ReLU())
            shape, outputs = widths[:1], widths[-1]
        self.model = torch.nn.Sequential(*layers).double()
        self.x = torch.randn(points, *shape, dtype=torch.float64)
        self.sgd = torch.optim.SGD(self.model.parameters(), lr=STEP)
        if outputs == 1:
            y = torch.tensor(2.0 * labels(points, 2) - 1, dtype=torch.float64)
            self.loss = lambda f: torch.exp(-y * f[:, 0]).mean()
        else:
            y = torch.tensor(labels(points, outputs))
            self.loss = lambda f: torch.nn.functional.cross_entropy(f, y)

    def step(self):
        self.sgd.zero_grad()
        self.loss(self.model(self.x)).backward()
        self.sgd.step()


class NumPy:
    """The perceptrons by hand, without temporaries where that is easy."""

    def __init__(self, network, points):
        r = np.random.default_rng(1)
        widths = [int(w) for w in network.split("-")]
        self.w = [r.standard_normal((a, b)) / a**0.5 for a, b in zip(widths, widths[1:])]
        self.b = [np.zeros(b) for b in widths[1:]]
        self.x = r.standard_normal((points, widths[0]))
        self.y = labels(points, max(widths[-1], 2))

    def step(self):
        h = [self.x]
        for i, (w, b) in enumerate(zip(self.w, self.b)):
            z = h[-1] @ w
            z += b
            if i < len(self.w) - 1:
                np.maximum(z, 0, out=z)
            h.append(z)
        g = self.slope(h.pop())
        for i in reversed(range(len(self.w))):
            dw, db = h[i].T @ g, g.sum(axis=0)
            if i > 0:
                g = g @ self.w[i].T
                g *= h[i] > 0
            self.w[i] -= STEP * dw
            self.b[i] -= STEP * db

    def slope(self, f):
        n = len(f)
        if f.shape[1] == 1:
            y = (2.0 * self.y - 1)[:, None]
            return -y * np.exp(-y * f) / n
        p = np.exp(f - f.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(n), self.y] -= 1
        return p / n


def per_run(count, run):
    start = time.process_time()
    for _ in range(count):
        run()
    return (time.process_time() - start) / count


def main():
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ours = Ours(kernel)
    lines = [f"PyTorch {torch.__version__}, NumPy {np.__version__}. Ratios are medians, and those of minima.", "",
             "| network | points | qhnet, µs | PyTorch, µs | NumPy, µs | ratio to PyTorch | ratio to NumPy |", "|" + " --- |" * 7]
    for network, points in CASES:
        others = {"torch": Torch(network, points)}
        if network.replace("-", "").isdigit():
            others["numpy"] = NumPy(network, points)
        count = {"2-16-1": 300, "10-64-64-1": 30}.get(network, 1)
        times = {"qhnet": [], "torch": [], "numpy": []}
        end = time.monotonic() + budget
        while time.monotonic() < end:
            times["qhnet"].append(ours.seconds("step", network, points, count * (10 if count == 300 else 1)))
            for name, other in others.items():
                times[name].append(per_run(count, other.step))
        mine, theirs = times.pop("qhnet"), [t for t in times.values() if t]
        micro = [f"{1e6 * statistics.median(t):.1f}" for t in (mine, *theirs)]
        ratio = [f"{statistics.median(a / b for a, b in zip(mine, t)):.3f} ({min(mine) / min(t):.3f})" for t in theirs]
        if "numpy" not in others:
            micro, ratio = micro + ["-"], ratio + ["-"]
        lines.append(f"| {network} | {points} | {' | '.join(micro + ratio)} |")
    publish("step.py", "\n".join(lines))


main()
