"""Rates of an ordinary differential equation, fitted to observations by the adjoint method.

The gradient of a loss at the end of a solution is the end of another equation, which runs backwards beside it (L. Pontryagin, 1962), so no
step of the solver is kept. It is the rule of `solve`; its right side is a gradient of that of the equation. Compared are the
gradient through all steps of the solver, and SciPy's fit without gradients.
"""
import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

import kiln as kn

STEPS, TIMES = 20, 8  # steps between two of the times
TRUTH = np.array([1.1, 0.4, 0.4, 0.1])


def rates(y, p):
    """Prey and predators (A. Lotka, V. Volterra)."""
    return kn.stack([p[0] * y[0] - p[1] * y[0] * y[1], p[3] * y[0] * y[1] - p[2] * y[1]])


def runge_kutta(f, y, h):
    """STEPS steps of the fourth order, as one loop; a state is a tuple of arrays."""
    def moved(y, by, k):
        return tuple(a + by * b for a, b in zip(y, k))

    def step(_, y):
        k1 = f(y)
        k2 = f(moved(y, h / 2, k1))
        k3 = f(moved(y, h / 2, k2))
        k4 = f(moved(y, h, k3))
        return tuple(a + h / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(y, k1, k2, k3, k4))

    return kn.fori_loop(0, STEPS, step, y)


def forward(y, p, h):
    return runge_kutta(lambda state: (rates(state[0], p),), (y,), h)[0]


@kn.custom_vjp
def solve(y, p, h):
    return forward(y, p, h)


def remember(y, p, h):
    end = forward(y, p, h)
    return end, (end, p, h)


def adjoint(kept, ct):
    """The solution, its adjoint and the gradient of the rates, from the end to the start."""
    end, p, h = kept

    def backwards(state):
        y, a, _ = state
        by_y, by_p = kn.grad(lambda y, p: a @ rates(y, p), argnums=(0, 1))(y, p)
        return rates(y, p), -by_y, -by_p

    _, a, by_p = runge_kutta(backwards, (end, ct, kn.zeros_like(p)), -h)
    return a, by_p, None


solve.defvjp(remember, adjoint)


def loss(p, y, observed, h, solve=solve):
    total = 0.0
    for seen in observed:
        y = solve(y, p, h)
        total = total + kn.sum(kn.square(y - seen))
    return total


def main():
    start, end = np.array([10.0, 5.0]), 8.0
    times, h = np.linspace(0, end, TIMES + 1), end / TIMES / STEPS
    right = lambda _, y, p: [p[0] * y[0] - p[1] * y[0] * y[1], p[3] * y[0] * y[1] - p[2] * y[1]]  # noqa: E731
    observed = solve_ivp(right, (0, end), start, t_eval=times, args=(TRUTH,), rtol=1e-10, atol=1e-10).y.T[1:]
    y, seen, guess = kn.asarray(start), [kn.asarray(o) for o in observed], TRUTH * [0.9, 1.15, 1.1, 0.9]

    by_adjoint = kn.jit(lambda p: kn.value_and_grad(loss)(p, y, seen, h))
    value, gradient = by_adjoint(kn.asarray(guess))
    through = kn.grad(lambda p: loss(p, y, seen, h, forward))(kn.asarray(guess))
    off = float(kn.max(kn.abs(gradient - through)) / kn.max(kn.abs(through)))

    fit = minimize(lambda p: tuple(np.asarray(a) for a in by_adjoint(kn.asarray(p))), guess, jac=True, method="BFGS", options={"gtol": 1e-6})
    error = np.abs(fit.x - TRUTH).max()
    plain = minimize(lambda p: float(by_adjoint(kn.asarray(p))[0]), guess, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 2000})
    print(f"adjoint of an ODE: gradient {off:.1e} off that through the solver; loss {float(value):.1f} to {fit.fun:.1e}, rates at most {error:.1e} off, "
          f"{fit.nfev} solutions ({plain.nfev} without gradients)")
    assert off < 1e-4 and error < 1e-3 and np.abs(plain.x - fit.x).max() < 1e-3


if __name__ == "__main__":
    main()
