"""Decompositions, Fourier transforms and searches on a GPU against the CPU: on the stand-ins for NVIDIA's driver, cuSOLVER and cuFFT (docs/gpu.md), in processes of their own."""
import pytest

from gpu_fuzz import BUILD
from test_gpu_arrays import run

START = """
rng = np.random.default_rng(0)
warnings.filterwarnings("error", ".*runs on the CPU.*")
def matrices(dtype, *shape):
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if "complex" in dtype else x).astype(dtype)
def positive(dtype, *shape):
    x = matrices(dtype, *shape)
    return (x @ x.conj().swapaxes(-1, -2) + shape[-1] * np.eye(shape[-1])).astype(dtype)
def hermitian(dtype, *shape):
    x = matrices(dtype, *shape)
    return x + x.conj().swapaxes(-1, -2)
def near(a, b, what=""):
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype and a.shape == b.shape, (what, a.dtype, b.dtype, a.shape, b.shape)
    single = a.dtype in (np.float32, np.complex64)
    np.testing.assert_allclose(a, b, rtol=2e-4 if single else 1e-9, atol=(2e-4 if single else 1e-9) * max(1, np.abs(b).max(initial=0)), err_msg=str(what))
DTYPES = ["float32", "float64", "complex64", "complex128"]
def as_cpu(f, *inputs, check=near, modes=("eager", "jit")):
    '''What f gives is on the device, and what it gives on the CPU.'''
    with kn.device("cpu"):
        want = flat(f(*[kn.asarray(x, device="cpu", copy=True) for x in inputs]))
    for mode in modes:
        call = kn.jit(f) if mode == "jit" else f
        for _ in range(2):
            got = flat(call(*[kn.asarray(x, device="cuda:0", copy=True) for x in inputs]))
            for a, b in zip(got, want, strict=True):
                if isinstance(a, kn.Array):
                    assert a.device == "cuda:0", (mode, a.device)
                    if check: check(a, b, (mode, [i.shape for i in inputs]))
        if mode == "jit":
            assert "runs in eager" not in str(call.explain()) and "interpreted" not in str(call.explain()), call.explain()
    return [kn.asarray(g, device="cpu") if isinstance(g, kn.Array) else g for g in got]
"""


def check(program, **environment):
    return run(START + program, **environment)


def test_one_factor():
    check("""
x = kn.asarray(positive("float64", 3, 3), device="cuda:0", copy=True)
y = kn.linalg.cholesky(x)
assert y.device == "cuda:0"
near(y, np.linalg.cholesky(np.asarray(x)))
""")


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (3, 5, 5), (2, 3, 2, 2), (0, 0), (0, 3, 3), (2, 0, 0)])
def test_square_matrices(shape):
    check(f"""
shape = {shape}
for dtype in DTYPES:
    a, h, x = positive(dtype, *shape), hermitian(dtype, *shape), matrices(dtype, *shape)
    as_cpu(kn.linalg.cholesky, a)
    as_cpu(lambda a: kn.linalg.cholesky(a, upper=True), a)
    as_cpu(lambda a: kn.linalg.cholesky(kn.matrix_transpose(a)), a)
    for columns in (0, 1, 3):
        as_cpu(kn.linalg.solve, a, matrices(dtype, *shape[:-1], columns))
    as_cpu(lambda x: (kn.linalg.det(x), *kn.linalg.slogdet(x)), x)
    as_cpu(kn.linalg.inv, a)
    as_cpu(kn.linalg.eigvalsh, h)
    as_cpu(lambda h: kn.linalg.eigh(h)[0], h)
    values, vectors = map(np.asarray, as_cpu(lambda h: kn.linalg.eigh(h), h, check=None))
    near(vectors @ (values[..., None] * vectors.conj().swapaxes(-1, -2)).astype(dtype), h)
    values, vectors = map(np.asarray, as_cpu(lambda x: kn.linalg.eig(x), x, check=None))
    near(x.astype(values.dtype) @ vectors, vectors * values[..., None, :])
    assert sorted(values.ravel().round(3).tolist(), key=lambda z: (z.real, z.imag)) == sorted(np.asarray(kn.linalg.eigvals(kn.asarray(x, device="cuda:0", copy=True))).ravel().round(3).tolist(), key=lambda z: (z.real, z.imag))
""")


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (1, 4), (4, 1), (2, 6, 3), (2, 3, 6), (0, 3), (3, 0), (2, 0, 2), (0, 3, 2)])
def test_rectangular_matrices(shape):
    check(f"""
shape = {shape}
for dtype in DTYPES:
    x = matrices(dtype, *shape)
    as_cpu(kn.linalg.svdvals, x)
    for full in (False, True):
        u, s, vh = map(np.asarray, as_cpu(lambda x: kn.linalg.svd(x, full_matrices=full), x, check=None))
        want = [part.shape for part in np.linalg.svd(x, full_matrices=full)]
        assert [u.shape, s.shape, vh.shape] == want, (u.shape, s.shape, vh.shape, want)
        k = s.shape[-1]
        near((u[..., :k] * s[..., None, :]).astype(dtype) @ vh[..., :k, :], x)
        near(u.conj().swapaxes(-1, -2) @ u, np.broadcast_to(np.eye(u.shape[-1], dtype=dtype), u.shape[:-2] + (u.shape[-1],) * 2))
        near(vh @ vh.conj().swapaxes(-1, -2), np.broadcast_to(np.eye(vh.shape[-2], dtype=dtype), vh.shape[:-2] + (vh.shape[-2],) * 2))
    for mode in ("reduced", "complete"):
        q, r = map(np.asarray, as_cpu(lambda x: kn.linalg.qr(x, mode=mode), x))
        near(q @ r, x)
        assert (np.tril(r, -1) == 0).all()
    as_cpu(lambda x: kn.linalg.pinv(x), x)
""")


def test_many_matrices():
    check("""
for n, count in ((2, 300), (40, 5), (70, 3), (520, 2)):
    for dtype in ("float32", "complex128"):
        a = positive(dtype, count, n, n)
        as_cpu(kn.linalg.cholesky, a, modes=("eager",))
        if n < 100:
            as_cpu(kn.linalg.eigvalsh, a, modes=("eager",))
""")


def test_views_are_brought_in_their_strides():
    check("""
x = kn.asarray(matrices("float64", 6, 8, 10), device="cuda:0", copy=True)
host = np.asarray(x)
for view in (lambda a: a[::2, :4, 1:5], lambda a: a[0, ::-1, ::3], lambda a: a.transpose(1, 2, 0)[:, ::-2, :5] if isinstance(a, np.ndarray) else kn.permute_dims(a, (1, 2, 0))[:, ::-2, :5]):
    near(kn.linalg.svdvals(view(x)), np.linalg.svd(view(host), compute_uv=False))
    near(kn.fft.fft(view(x)), np.fft.fft(view(host)))
near(kn.linalg.solve(x[0, :, :8].T, x[1, :, 0]), np.linalg.solve(host[0, :, :8].T, host[1, :, 0]))
""")


@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (8,), (3, 5), (4, 1), (2, 3, 4), (2, 3, 4, 5, 2), (0, 4), (1, 1)])
def test_transforms(shape):
    check(f"""
shape = {shape}
for dtype in ("float32", "float64"):
    x, z = matrices(dtype, *shape), matrices("complex64" if dtype == "float32" else "complex128", *shape)
    for norm in ("backward", "ortho", "forward"):
        for axis in range(len(shape)):
            if shape[axis]:
                for f in (kn.fft.fft, kn.fft.ifft):
                    as_cpu(lambda z: f(z, axis=axis, norm=norm), z)
                as_cpu(lambda x: kn.fft.rfft(x, axis=axis, norm=norm), x)
                for n in (1, 2 * shape[axis], 2 * shape[axis] - 1, 9):
                    as_cpu(lambda z: kn.fft.irfft(z, n=n, axis=axis, norm=norm), z, modes=("jit",))
        if 0 not in shape:
            for f in (kn.fft.fftn, kn.fft.ifftn):
                as_cpu(lambda z: f(z, norm=norm), z)
                as_cpu(lambda z: f(z, axes=tuple(range(len(shape)))[::-2], norm=norm), z)
                as_cpu(lambda z: kn.permute_dims(f(kn.permute_dims(z, tuple(range(len(shape)))[::-1]), norm=norm), tuple(range(len(shape)))[::-1]), z)
            as_cpu(lambda x: kn.fft.rfftn(x, norm=norm), x)
    if 0 not in shape:
        as_cpu(lambda x: kn.fft.irfft(kn.fft.rfft(x), n=x.shape[-1]) - x, x)
        as_cpu(lambda x: kn.fft.hfft(x), z) if hasattr(kn.fft, "hfft") and shape[-1] > 1 else None
""")


def test_searches():
    check("""
for dtype in ("int8", "int32", "int64", "uint8", "uint64", "float32", "float64", "float16"):
    line = np.sort(rng.integers(0, 50, 37)).astype(dtype)
    values = rng.integers(0, 60, (5, 9)).astype(dtype)
    if "float" in dtype:
        line[-2:] = np.nan; values[0, :3] = np.nan, np.inf, -np.inf
    for size in (37, 1, 2, 0):
        for side in ("left", "right"):
            as_cpu(lambda a, v: kn.searchsorted(a, v, side=side), line[:size], values)
    as_cpu(lambda a, v: kn.searchsorted(a, v), values[1], values[2])  # not sorted
    as_cpu(lambda x, v: kn.isin(x, v), values, line)
    as_cpu(lambda x, v: kn.isin(x, v), values, line[:0])
    if "float" not in dtype:
        x, y = (rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, 200, dtype=dtype) for _ in range(2))
        x[:4], y[:4] = [0, np.iinfo(dtype).min, 0, np.iinfo(dtype).min], [0, 0, 7, np.iinfo(dtype).min]
        as_cpu(lambda x, y: (kn.gcd(x, y), kn.lcm(x // 16, y // 16)), x, y)
        as_cpu(lambda x: kn.gcd(x, 12), x)
    batches = np.sort(rng.integers(0, 9, (3, 7)), axis=1).astype(dtype)
    as_cpu(lambda a, v: kn.vmap(kn.searchsorted)(a, v), batches, values[:3].copy())
""")


def test_one_program_with_kernels():
    check("""
def regression(x, y):
    gram = x.T @ x + kn.eye(x.shape[1], dtype=x.dtype)
    l = kn.linalg.cholesky(gram)
    w = kn.linalg.solve(gram, x.T @ y)
    spectrum = kn.abs(kn.fft.rfft(x @ w)) ** 2
    return w, spectrum / kn.sum(spectrum), kn.sum(kn.log(kn.linalg.diagonal(l)))
as_cpu(regression, matrices("float64", 20, 5), matrices("float64", 20))
def filtered(x):
    f = kn.fft.fft2(x)
    return kn.real(kn.fft.ifft2(kn.where(kn.abs(f) > 1, f, 0)))
as_cpu(filtered, matrices("float32", 6, 8))
""")


def test_bodies_of_loops_and_branches():
    check("""
def iterate(a):
    def body(state):
        i, x = state
        return i + 1, kn.linalg.solve(a, x) + kn.linalg.cholesky(a) * 0.1
    return kn.while_loop(lambda state: state[0] < 4, body, (kn.asarray(0), a))[1]
as_cpu(iterate, positive("float64", 4, 4))
def until(x):
    return kn.while_loop(lambda z: kn.sum(kn.abs(z)) > 0.5, lambda z: kn.fft.fft(z) / (2 * z.shape[0]), x)
as_cpu(until, matrices("complex128", 6))
def either(x, flag):
    return kn.cond(kn.sum(flag) > 0, lambda x: kn.linalg.solve(x, x @ x), lambda x: kn.fft.irfft(kn.fft.rfft(x), n=3) * 2, x)
for flag in (1.0, -1.0):
    as_cpu(either, positive("float64", 3, 3), np.asarray([flag]))
def scanned(a):
    return kn.scan(lambda carry, m: (carry @ kn.linalg.qr(m)[1], kn.linalg.svdvals(m)), kn.eye(3, dtype=a.dtype), a)
as_cpu(scanned, matrices("float64", 5, 3, 3))
""")


def test_gradients():
    check("""
a, b, z = positive("float64", 3, 3), matrices("float64", 3, 2), matrices("float64", 8)
for f in (lambda a: kn.sum(kn.linalg.cholesky(a) ** 2 + a), lambda a: kn.sum(kn.linalg.inv(a)), lambda a: kn.linalg.slogdet(a)[1], lambda a: kn.sum(kn.linalg.eigvalsh(a) ** 3), lambda a: kn.sum(kn.linalg.svdvals(a) ** 2)):
    as_cpu(kn.grad(f), a)
as_cpu(lambda a, b: kn.grad(lambda a, b: kn.sum(kn.linalg.solve(a, b) ** 2), argnums=(0, 1))(a, b), a, b)
as_cpu(kn.grad(lambda x: kn.sum(kn.abs(kn.fft.rfft(x)) ** 3)), z)
as_cpu(kn.grad(lambda x: kn.sum(kn.fft.irfft(kn.fft.rfft(x) ** 2, n=8))), z)
as_cpu(lambda a: kn.vmap(kn.linalg.inv)(a), positive("float64", 4, 3, 3))
""")


def test_errors_are_at_the_users_line():
    check("""
import traceback
def fails(f, expected, *inputs, line):
    for call in (f, kn.jit(f)):
        for _ in range(2):
            try:
                call(*[kn.asarray(x, device="cuda:0", copy=True) for x in inputs])
            except kn.linalg.LinAlgError as error:
                assert expected in str(error), error
                assert any(frame.name == line for frame in traceback.extract_tb(error.__traceback__)), traceback.format_exc()
            else:
                raise AssertionError(("no error", line, expected, inputs))
def factor(a): return kn.linalg.cholesky(a) + 1
def solved(a): return kn.linalg.solve(a, kn.ones((3, 1), device="cuda:0", dtype=a.dtype))
def empty(a): return kn.linalg.solve(a, kn.ones((3, 0), device="cuda:0", dtype=a.dtype))
def values(a): return kn.linalg.eigvalsh(a)
def general(a): return kn.linalg.eigvals(a)
def singular(a): return kn.linalg.svdvals(a)
bad = -np.eye(3); ones = np.ones((3, 3)); nan = np.full((3, 3), np.nan)
some = np.stack([np.eye(3), bad, np.eye(3)])
fails(factor, "expected positive definite", bad, line="factor")
fails(factor, "expected positive definite", some, line="factor")
fails(solved, "expected matrices of full rank", np.zeros((3, 3)), line="solved")
fails(empty, "expected matrices of full rank", np.zeros((3, 3)), line="empty")
for f in (values, general, singular):
    fails(f, "expected an iteration that converges", nan, line=f.__name__)
    fails(f, "expected an iteration that converges", np.where(np.eye(3) > 0, np.inf, 0), line=f.__name__)
near(kn.linalg.det(kn.asarray(np.zeros((3, 3)), device="cuda:0", copy=True)), np.float64(0))
""")


NONE = {"KILN_CUSOLVER": "/nowhere/libcusolver.so", "KILN_CUFFT": "/nowhere/libcufft.so"}


def test_a_missing_library_is_an_error_that_says_what_to_install():
    check("""
x = kn.asarray(np.eye(3), device="cuda:0", copy=True)
for call in (lambda x: kn.linalg.cholesky(x), kn.jit(lambda x: kn.linalg.svdvals(x) + 1), lambda x: kn.linalg.solve(x, x)):
    for _ in range(2):
        text = refusal(lambda: call(x))
        assert "cuSOLVER: expected libcusolver.so: install the package nvidia-cusolver" in text and "KILN_CUSOLVER" in text and "/nowhere/libcusolver.so" in text, text
for call in (kn.fft.rfft, kn.jit(lambda x: kn.fft.fft(x * 2))):
    assert "cuFFT: expected libcufft.so: install the package nvidia-cufft" in refusal(lambda: call(x))
assert (x + 1).sum().item() == 12 and kn.linalg.cholesky(x.to_device("cpu")).tolist() == np.eye(3).tolist(), "all else works"
assert kn.isin(x, x).all().item() and kn.gcd(kn.arange(4), 2).tolist() == [2, 1, 2, 1], "kernels need no library"
""", **NONE)


def test_a_library_that_lacks_a_routine_leaves_it_to_the_cpu():
    check("""
warnings.resetwarnings()
x = matrices("float64", 3, 3)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for call in (kn.linalg.eigvals, kn.jit(lambda x: kn.linalg.eigvals(x) * 2 / 2)):
        for _ in range(2):
            y = call(kn.asarray(x, device="cuda:0", copy=True))
            assert y.device == "cuda:0"
            near(y, np.linalg.eigvals(x).astype(complex))
told = [str(w.message) for w in seen]
assert len(told) == 1 and "eig runs on the CPU: 'cuda:0' has no kernels for it" in told[0], told
as_cpu(kn.linalg.eigvalsh, positive("float64", 5, 4, 4))
""", KILN_CUSOLVER=str(BUILD / "lib/libkiln_cusolver_old_stub.so"))


@pytest.mark.parametrize("fault, call, said", [
    ("cusolverDnXgetrf:1:7", "kn.linalg.solve(x, x)", "cusolverDnXgetrf: expected a call that succeeds, got CUSOLVER_STATUS_INTERNAL_ERROR"),
    ("cusolverDnCreate:1:1", "kn.linalg.cholesky(x)", "cusolverDnCreate: expected a call that succeeds, got CUSOLVER_STATUS_NOT_INITIALIZED"),
    ("cusolverDnDorgqr:1:44", "kn.linalg.qr(x)", "cusolverDnorgqr: expected a call that succeeds, got status 44"),
    ("cufftMakePlanMany64:1:8", "kn.fft.rfft(x)", "cufftMakePlanMany64: expected a call that succeeds, got CUFFT_INVALID_SIZE"),
    ("cufftExecD2Z:1:6", "kn.fft.rfft(x)", "cufftExecD2Z: expected a call that succeeds, got CUFFT_EXEC_FAILED")])
@pytest.mark.parametrize("jit", [False, True])
def test_calls_that_fail(fault, call, said, jit):
    check(f"""
x = kn.asarray(np.eye(3), device="cuda:0", copy=True)
f = {"kn.jit" if jit else ""}(lambda x: {call})
assert {said!r} in refusal(lambda: f(x))
again = f(x)
""", KILN_STUB_FAIL=fault)


def test_a_library_without_memory():
    check("""
x = kn.asarray(np.eye(3), device="cuda:0", copy=True)
assert "cusolverDnXsyevd" in refusal(lambda: kn.linalg.eigvalsh(x), MemoryError)
""", KILN_STUB_FAIL="cusolverDnXsyevd:1:2")


def test_threads_and_devices():
    check("""
import threading
a, z = positive("float64", 5, 5), matrices("complex128", 64)
want, spectrum = np.linalg.inv(a), np.fft.fft(z)
wrong = []
def work(device):
    try:
        x, y = kn.asarray(a, device=device, copy=True), kn.asarray(z, device=device, copy=True)
        for _ in range(20):
            near(kn.linalg.inv(x), want), near(kn.fft.fft(y), spectrum)
    except BaseException as error:
        wrong.append(error)
threads = [threading.Thread(target=work, args=(f"cuda:{i % 2}",)) for i in range(4)]
[t.start() for t in threads], [t.join() for t in threads]
assert not wrong, wrong
""", KILN_STUB_DEVICES="2", KILN_STUB_SLOW="200")


def test_many_plans_of_transforms():
    check("""
for n in range(2, 140):
    x = matrices("complex64", n)
    near(kn.fft.fft(kn.asarray(x, device="cuda:0", copy=True)), np.fft.fft(x).astype("complex64"))
""")


def test_sizes_and_the_disk_cache(tmp_path):
    program = """
f = kn.jit(lambda x: kn.linalg.solve(x @ x.T + kn.eye(x.shape[0]), x) + kn.gcd(x.shape[0], 6))
for n in (3, 5, 4, 3):
    x = matrices("float64", n, n)
    near(f(kn.asarray(x, device="cuda:0", copy=True)), np.linalg.solve(x @ x.T + np.eye(n), x) + np.gcd(n, 6))
assert "runs in eager" not in str(f.explain())
print("compiled", f.stats.compiles)
"""
    environment = {"KILN_CACHE": "1", "KILN_CACHE_DIR": str(tmp_path)}
    assert "compiled 0" not in check(program, **environment)
    assert "compiled 0" in check(program, **environment)


def test_the_doctor_says_which_libraries_there_are():
    program = "from kiln import doctor; doctor._device('cuda:0')()"
    assert "cuda:0: cuSOLVER 11.7.2" in (out := check(program)) and "cuda:0: cuFFT 11.3.3" in out, out
    assert "cuda:0: cuFFT: expected libcufft.so: install the package nvidia-cufft" in (out := check(program, **NONE)), out
