"""Matrix products: kernel.Gemm against the OpenBLAS that NumPy brings along.

    python gemm.py [avx512|avx2] [seconds]

OpenBLAS is called by a compiled loop, without NumPy's overhead; for avx2 it is
told to use its Haswell kernels. One thread each, both on one processor, taking
turns of half a millisecond or one product for some seconds a shape: then both have
had turns that nothing disturbed, and the ratio of these is the stable one.
"""

import ctypes
import glob
import os
import pathlib
import statistics
import sys
import time

kernel = sys.argv[1] if len(sys.argv) > 1 else "avx512"
budget = float(sys.argv[2]) if len(sys.argv) > 2 else 6
os.environ["OPENBLAS_NUM_THREADS"] = "1"
if kernel == "avx2":
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"

import numpy as np  # noqa: E402, reads the variables above

from ours import HERE, Ours, compiled, publish  # noqa: E402

SHAPES = [(op, m, n, k) for op, sizes in {
    "NN": [(16, 16, 16), (32, 32, 32), (64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512),
           (1024, 1024, 1024), (100, 16, 2), (500, 64, 10), (2000, 256, 64), (2000, 10, 256), (4000, 16, 16)],
    "NT": [(64, 64, 64), (256, 256, 256), (500, 64, 64), (2000, 256, 256), (2000, 10, 256), (100, 100, 1000)],
    "TN": [(64, 64, 500), (256, 256, 2000), (10, 256, 2000), (512, 512, 512)],
}.items() for m, n, k in sizes]


class OpenBLAS:
    def __init__(self):
        libs = pathlib.Path(np.__file__).parent.parent / "numpy.libs"
        self.library = ctypes.CDLL(glob.glob(str(libs / "libscipy_openblas64_*"))[0])
        self.library.scipy_openblas_get_config64_.restype = ctypes.c_char_p
        self.name = self.library.scipy_openblas_get_config64_().decode()
        self.c = compiled(HERE / "peers" / "loop.c")
        for f in self.c.loop, self.c.peak_avx2, self.c.peak_avx512:
            f.restype = ctypes.c_double
        self.operands = {}

    def peak(self):
        return getattr(self.c, "peak_" + kernel)(ctypes.c_int64(400_000))

    def seconds(self, op, m, n, k, count):
        if (op, m, n, k) not in self.operands:
            r = np.random.default_rng(1)
            self.operands[op, m, n, k] = [r.standard_normal(s) for s in (m * k, k * n, m * n)]
        a, b, c = (ctypes.c_void_p(x.ctypes.data) for x in self.operands[op, m, n, k])
        ta, tb = (112 if o == "T" else 111 for o in op)
        i64 = ctypes.c_int64
        lda, ldb = (m if op[0] == "T" else k), (k if op[1] == "T" else n)
        f = ctypes.cast(self.library.scipy_cblas_dgemm64_, ctypes.c_void_p)
        return self.c.loop(f, i64(count), ta, tb, i64(m), i64(n), i64(k), a, i64(lda), b, i64(ldb), c)


def in_turns(*runs):
    end = time.monotonic() + budget
    times = []
    while time.monotonic() < end:
        times.append([run() for run in runs])
    return list(zip(*times))


def main():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ours, theirs = Ours(kernel), OpenBLAS()
    lines = [f"| op | m | n | k | {kernel}, µs | OpenBLAS, µs | ratio | {kernel}, least | OpenBLAS, least | ratio of minima |",
             "|" + " --- |" * 10]
    ratios, best = [], []
    for op, m, n, k in SHAPES:
        count = max(1, int(5e-4 * 30e9 / (2 * m * n * k + 5000)))
        a, b, peak = in_turns(lambda: ours.seconds("gemm", op, m, n, k, count), lambda: theirs.seconds(op, m, n, k, count), theirs.peak)
        if m == n == k == 1024:
            rate = 2e-9 * 1024**3 / min(a)
            shares = [2 * 1024**3 / s / f for s, f in zip(a, peak)]
        ratios.append(statistics.median(x / y for x, y in zip(a, b)))
        (a, least), (b, other) = ((1e6 * statistics.median(t), 1e6 * min(t)) for t in (a, b))
        best.append(least / other)
        lines.append(f"| {op} | {m} | {n} | {k} | {a:.2f} | {b:.2f} | {ratios[-1]:.2f} | {least:.2f} | {other:.2f} | {best[-1]:.2f} |")
    text = "; of the ratios of minima: ".join(f"median {statistics.median(r):.2f}, worst {max(r):.2f}" for r in (ratios, best))
    lines += ["", f"Of the ratios: {text}. The product of 1024 × 1024 matrices reaches {rate:.1f} Gflop/s, and "
              f"of the multiply-adds without memory measured beside it, at most {1e-9 * max(peak):.1f} Gflop/s, {statistics.median(shares):.0%} in the median of rounds and {max(shares):.0%} in the best. {theirs.name}"]
    publish(f"gemm.py {kernel}", "\n".join(lines))


main()
