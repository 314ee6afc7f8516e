// The flow of product.go with CVODE's BDF and the exact Jacobian.
#include <cvode/cvode.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <sundials/sundials_version.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <time.h>

#define POINTS 20
#define M 6

static const double (*features)[3];
static double e[POINTS], total, mean[3], g[M];

static double slope(const double *th) {
    double a = th[0], b = th[1] * th[2], c = th[3] * th[4] * th[5];
    double q[POINTS], least = INFINITY, sum = 0, m0 = 0, m1 = 0, m2 = 0;
    for (int k = 0; k < POINTS; k++) {
        const double *x = features[k];
        q[k] = a * x[0] + b * x[1] + c * x[2];
        if (q[k] < least) least = q[k];
    }
    for (int k = 0; k < POINTS; k++) {
        const double *x = features[k];
        double w = exp(least - q[k]);
        e[k] = w, sum += w, m0 += w * x[0], m1 += w * x[1], m2 += w * x[2];
    }
    total = sum;
    mean[0] = m0 / sum, mean[1] = m1 / sum, mean[2] = m2 / sum;
    g[0] = mean[0], g[1] = mean[1] * th[2], g[2] = mean[1] * th[1];
    g[3] = mean[2] * th[4] * th[5], g[4] = mean[2] * th[3] * th[5], g[5] = mean[2] * th[3] * th[4];
    double size = 0;
    for (int i = 0; i < M; i++) size += g[i] * g[i];
    return size;
}

static int derivative(realtype t, N_Vector y, N_Vector dst, void *user) {
    double size = slope(N_VGetArrayPointer(y)), *d = N_VGetArrayPointer(dst);
    for (int i = 0; i < M; i++) d[i] = g[i] / size;
    return 0;
}

static int jacobian(realtype t, N_Vector y, N_Vector f, SUNMatrix dst, void *user, N_Vector t1, N_Vector t2, N_Vector t3) {
    const double *th = N_VGetArrayPointer(y);
    double size = slope(th), cov[3][3] = {{0}}, h[M][M], gh[M] = {0};
    for (int k = 0; k < POINTS; k++) {
        double p = e[k] / total, d[3];
        for (int i = 0; i < 3; i++) d[i] = features[k][i] - mean[i];
        for (int i = 0; i < 3; i++)
            for (int j = 0; j <= i; j++) cov[i][j] += p * d[i] * d[j];
    }
    cov[0][1] = cov[1][0], cov[0][2] = cov[2][0], cov[1][2] = cov[2][1];
    const int of[M] = {0, 1, 1, 2, 2, 2};
    const double d[M] = {1, th[2], th[1], th[4] * th[5], th[3] * th[5], th[3] * th[4]};
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++) h[i][j] = -cov[of[i]][of[j]] * d[i] * d[j];
    h[1][2] += mean[1], h[2][1] += mean[1];
    h[3][4] += mean[2] * th[5], h[4][3] += mean[2] * th[5];
    h[3][5] += mean[2] * th[4], h[5][3] += mean[2] * th[4];
    h[4][5] += mean[2] * th[3], h[5][4] += mean[2] * th[3];
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++) gh[j] += g[i] * h[i][j];
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++) SM_ELEMENT_D(dst, i, j) = (h[i][j] - 2 * g[i] * gh[j] / size) / size;
    return 0;
}

static void check(int flag) {
    if (flag >= 0) return;
    fprintf(stderr, "CVODE failed: %d\n", flag);
    exit(1);
}

// Moves theta from the beginning to the end, sets evaluations and steps, and returns the
// processor time in seconds.
double solve(const double x[POINTS][3], double begin, double end, double rtol, double *theta, long *evaluations, long *steps) {
    features = x;
    SUNContext context;
    check(SUNContext_Create(NULL, &context));
    N_Vector y = N_VMake_Serial(M, theta, context);
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    void *mem = CVodeCreate(CV_BDF, context);
    check(CVodeInit(mem, derivative, begin, y));
    check(CVodeSStolerances(mem, rtol, rtol));
    check(CVodeSetMaxNumSteps(mem, 1000000));
    check(CVodeSetStopTime(mem, end));
    SUNMatrix a = SUNDenseMatrix(M, M, context);
    SUNLinearSolver solver = SUNLinSol_Dense(y, a, context);
    check(CVodeSetLinearSolver(mem, solver, a));
    check(CVodeSetJacFn(mem, jacobian));
    double t = begin;
    check(CVode(mem, end, y, &t, CV_NORMAL));
    CVodeGetNumRhsEvals(mem, evaluations);
    CVodeGetNumSteps(mem, steps);
    CVodeFree(&mem);
    SUNLinSolFree(solver);
    SUNMatDestroy(a);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    N_VDestroy(y);
    SUNContext_Free(&context);
    return (to.tv_sec - from.tv_sec) + 1e-9 * (to.tv_nsec - from.tv_nsec);
}

void version(char *text, int length) { SUNDIALSGetVersion(text, length); }
