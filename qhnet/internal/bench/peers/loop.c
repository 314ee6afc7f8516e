// Calls OpenBLAS some times, without what Python takes, and measures the processor's peak.
#include <stdint.h>
#include <time.h>
typedef void dgemm(int, int, int, int64_t, int64_t, int64_t, double, const double *, int64_t,
                   const double *, int64_t, double, double *, int64_t);

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

// Seconds of one product.
double loop(dgemm *f, int64_t count, int ta, int tb, int64_t m, int64_t n, int64_t k,
            const double *a, int64_t lda, const double *b, int64_t ldb, double *c) {
    double start = now();
    for (int64_t i = 0; i < count; i++) f(101, ta, tb, m, n, k, 1.0, a, lda, b, ldb, 0.0, c, n);
    return (now() - start) / count;
}

// Multiplications and additions a second, of twelve independent chains of multiply-adds
// of zeros.
#define CHAIN(r, j, op) op " %%" r "mm" #j ", %%" r "mm" #j ", %%" r "mm" #j "\n\t"
#define CHAINS(r, op) \
    CHAIN(r, 0, op) CHAIN(r, 1, op) CHAIN(r, 2, op) CHAIN(r, 3, op) CHAIN(r, 4, op) CHAIN(r, 5, op) \
    CHAIN(r, 6, op) CHAIN(r, 7, op) CHAIN(r, 8, op) CHAIN(r, 9, op) CHAIN(r, 10, op) CHAIN(r, 11, op)
#define ALL "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11"
#define PEAK(name, r, clear, width) \
    double name(int64_t count) { \
        __asm__ volatile(CHAINS(r, clear)::: ALL); \
        double start = now(); \
        for (int64_t i = 0; i < count; i++) __asm__ volatile(CHAINS(r, "vfmadd231pd")::: ALL); \
        return 2 * width * 12.0 * count / (now() - start); \
    }
PEAK(peak_avx2, "y", "vxorpd", 4)
PEAK(peak_avx512, "z", "vpxorq", 8)
