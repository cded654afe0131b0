"""Programs of users on a GPU, with no line changed: on the stand-in for NVIDIA's driver (docs/gpu.md)."""
import test_gpu_arrays


def test_numpy_in_and_kiln_out():
    test_gpu_arrays.run("""
@kn.jit
def blackscholes(s, k, t, r, v):
    d1 = (kn.log(s / k) + (r + 0.5 * v * v) * t) / (v * kn.sqrt(t))
    d2 = d1 - v * kn.sqrt(t)
    cdf = lambda x: 0.5 * (1 + kn.erf(x / 2**0.5))
    return s * cdf(d1) - k * kn.exp(-r * t) * cdf(d2)

s = np.random.default_rng(0).uniform(50, 150, 3000).astype(np.float32)
price = blackscholes(s, 100.0, 0.5, 0.02, 0.3)
assert price.device == "cuda:0" and "in 1 kernels on cuda:0" in str(blackscholes.explain()), blackscholes.explain()
with kn.device("cpu"):
    same_bits(price, blackscholes.__wrapped__(kn.asarray(s), 100.0, 0.5, 0.02, 0.3))
""")


def test_views_writes_and_parameters():
    test_gpu_arrays.run("""
x = kn.zeros((3, 4)); row = x[1]; row += 5; assert float(x[1, 0]) == 5

class Model:
    def __init__(self, w): self.w = w; self.lr = 0.1
m = Model(kn.ones(3))

@kn.jit
def step(x, y):
    loss, g = kn.value_and_grad(lambda w: kn.mean((x @ w - y) ** 2))(m.w)
    m.w -= m.lr * g
    return loss

rng = np.random.default_rng(0)
x, y = kn.asarray(rng.normal(size=(8, 3)), copy=True), kn.asarray(rng.normal(size=8), copy=True)
w, losses = m.w, [float(step(x, y)) for _ in range(5)]
assert m.w is w and w.device == x.device == "cuda:0" and losses == sorted(losses, reverse=True), losses
assert "runs in eager" not in str(step.explain()), step.explain()
m.lr = 0.0
before = w.numpy()
step(x, y)
same_bits(w, before)
""")


def test_an_error_is_clear():
    test_gpu_arrays.run("""
def predict(x, y):
    return x @ y
for f in (predict, kn.jit(predict)):
    text = refusal(lambda: f(kn.ones((3, 4), dtype="float32"), kn.ones((5,), dtype="float32")), kn.ShapeError)
    assert "matmul: contracted dimensions differ: expected 4 (last of x: float32[3, 4]), got 5 (first of y: float32[5])" in text and "in predict" in text, text
""")
