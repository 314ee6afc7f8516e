"""Matrix products: kernel.Gemm against the OpenBLAS that NumPy brings along.

    python gemm.py [avx512|avx2] [rounds]

OpenBLAS is called by a compiled loop, without NumPy's overhead; for avx2 it is
told to use its Haswell kernels. One thread each, taking turns.
"""

import ctypes
import glob
import os
import pathlib
import statistics
import sys

kernel = sys.argv[1] if len(sys.argv) > 1 else "avx512"
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 41
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
        return getattr(self.c, "peak_" + kernel)(ctypes.c_int64(4_000_000))

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


def main():
    ours, theirs = Ours(kernel), OpenBLAS()
    lines = [f"| op | m | n | k | {kernel}, µs | OpenBLAS, µs | ratio | ratio of minima |", "|" + " --- |" * 8]
    ratios, best = [], []
    for op, m, n, k in SHAPES:
        count = max(1, int(2e-3 * 30e9 / (2 * m * n * k + 5000)))
        a, b = [], []
        for _ in range(rounds):
            a.append(ours.seconds("gemm", op, m, n, k, count))
            b.append(theirs.seconds(op, m, n, k, count))
        ratios.append(statistics.median(x / y for x, y in zip(a, b)))
        best.append(min(a) / min(b))
        lines.append(f"| {op} | {m} | {n} | {k} | {1e6 * statistics.median(a):.2f} | {1e6 * statistics.median(b):.2f} "
                     f"| {ratios[-1]:.2f} | {best[-1]:.2f} |")
    a, b = [], []
    for _ in range(rounds):  # pairs of a product and the peak, which a busy neighbour slows down alike
        a.append(ours.seconds("gemm", "NN", 1024, 1024, 1024, 1))
        b.append(theirs.peak())
    share = max(2 * 1024**3 / s / f for s, f in zip(a, b))
    text = "; of the ratios of minima: ".join(f"median {statistics.median(r):.2f}, worst {max(r):.2f}" for r in (ratios, best))
    lines += ["", f"Of the ratios: {text}. The product of 1024 × 1024 matrices reaches {2e-9 * 1024**3 / min(a):.1f} Gflop/s, "
              f"{2 * 1024**3 / min(a) / max(b):.0%} of the {1e-9 * max(b):.1f} Gflop/s of multiply-adds without memory "
              f"measured beside it, and at best {share:.0%} in one round. {theirs.name}"]
    publish(f"gemm.py {kernel}", "\n".join(lines))


main()
