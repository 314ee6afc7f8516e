"""Integrates the flow of problem.go with SciPy's solve_ivp.

    scipy_ivp.py PROBLEM METHOD END RTOL REPEATS

prints the best processor time in seconds, evaluations, steps, theta at END, and the
version of SciPy.
"""
import sys
import time

import numpy as np
import scipy
from scipy.integrate import solve_ivp

path, method, end, rtol, repeats = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
values = np.array(open(path).read().split(), dtype=float)
first, start, features = values[0], values[1:7], values[7:].reshape(20, 3)
of = np.array([0, 1, 1, 2, 2, 2])


def slope(th):
    q = features @ np.array([th[0], th[1] * th[2], th[3] * th[4] * th[5]])
    p = np.exp(q.min() - q)
    p /= p.sum()
    mean = p @ features
    d = np.array([1, th[2], th[1], th[4] * th[5], th[3] * th[5], th[3] * th[4]])
    return p, mean, d, mean[of] * d


def derivative(_, th):
    g = slope(th)[3]
    return g / (g @ g)


def jacobian(_, th):
    p, mean, d, g = slope(th)
    centred = features - mean
    cov = centred.T @ (p[:, None] * centred)
    h = -cov[np.ix_(of, of)] * np.outer(d, d)
    for i, j, v in ((1, 2, mean[1]), (3, 4, mean[2] * th[5]), (3, 5, mean[2] * th[4]), (4, 5, mean[2] * th[3])):
        h[i, j] += v
        h[j, i] += v
    size = g @ g
    return (h - 2 * np.outer(g, g @ h) / size) / size


best = np.inf
options = {"jac": jacobian} if method in ("Radau", "BDF", "LSODA") else {}
for _ in range(int(repeats)):
    began = time.process_time()
    sol = solve_ivp(derivative, (first, end), start, method=method, rtol=rtol, atol=rtol, **options)
    best = min(best, time.process_time() - began)
    if not sol.success:
        sys.exit(sol.message)
print(best, sol.nfev, len(sol.t) - 1, *("%.17g" % v for v in sol.y[:, -1]), scipy.__version__)
