"""A Kalman filter and its smoother for a body with constant velocity that is seen with errors."""
import kiln.numpy as np

DT = 0.1


def model(process, measurement):
    f = np.array([[1, 0, DT, 0], [0, 1, 0, DT], [0, 0, 1, 0], [0, 0, 0, 1]])
    h = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]])
    g = np.array([[DT ** 2 / 2, 0], [0, DT ** 2 / 2], [DT, 0], [0, DT]])
    return f, h, g @ g.T * process, np.eye(2) * measurement


def track(n):
    t = np.arange(n) * DT
    path = np.stack([3 * t, 2 * t - 0.2 * t ** 2], axis=1)
    errors = np.stack([np.sin(t * 131), np.cos(t * 173)], axis=1) * 0.5
    return path, path + errors


def predict(x, p, f, q):
    return f @ x, f @ p @ f.T + q


def update(x, p, z, h, r):
    residual = z - h @ x
    s = h @ p @ h.T + r
    gain = np.linalg.solve(s, h @ p).T
    x = x + gain @ residual
    left = np.eye(x.shape[0]) - gain @ h
    p = left @ p @ left.T + gain @ r @ gain.T
    return x, p, residual @ np.linalg.solve(s, residual)


def forward(seen, f, h, q, r):
    x, p = np.zeros(4), np.eye(4) * 10
    states, covariances, surprises = [], [], []
    for z in seen:
        x, p = predict(x, p, f, q)
        x, p, surprise = update(x, p, z, h, r)
        states.append(x)
        covariances.append(p)
        surprises.append(surprise)
    return np.stack(states), np.stack(covariances), np.stack(surprises)


def smooth(states, covariances, f, q):
    x, p = states[-1], covariances[-1]
    result = [x]
    for k in range(len(states) - 2, -1, -1):
        ahead, spread = predict(states[k], covariances[k], f, q)
        gain = np.linalg.solve(spread, f @ covariances[k]).T
        x = states[k] + gain @ (x - ahead)
        p = covariances[k] + gain @ (p - spread) @ gain.T
        result.append(x)
    return np.stack(result[::-1]), p


def main():
    path, seen = track(60)
    f, h, q, r = model(0.5, 0.2)
    states, covariances, surprises = forward(seen, f, h, q, r)
    smoothed, first = smooth(states, covariances, f, q)
    errors = [np.sqrt(np.mean((v[10:, :2] - path[10:]) ** 2)) for v in (seen, states, smoothed)]
    return [states, covariances[-1], surprises, smoothed, first, np.array(errors)]
