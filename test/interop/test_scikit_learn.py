"""Estimators of scikit-learn with array API dispatch, over Kiln's arrays: NumPy's answers, as arrays of Kiln."""
import numpy as np
import pytest
import sklearn
from sklearn import decomposition, discriminant_analysis, linear_model, metrics, preprocessing

import kiln as kn

ESTIMATORS = {
    "StandardScaler": lambda: preprocessing.StandardScaler(), "MinMaxScaler": lambda: preprocessing.MinMaxScaler(), "MaxAbsScaler": lambda: preprocessing.MaxAbsScaler(),
    "Normalizer": lambda: preprocessing.Normalizer(), "Binarizer": lambda: preprocessing.Binarizer(threshold=0.2), "KernelCenterer": lambda: preprocessing.KernelCenterer(),
    "PCA": lambda: decomposition.PCA(2, svd_solver="full"), "PCA, randomized": lambda: decomposition.PCA(2, svd_solver="randomized", power_iteration_normalizer="QR", random_state=0),
    "Ridge": lambda: linear_model.Ridge(solver="svd"), "LinearDiscriminantAnalysis": lambda: discriminant_analysis.LinearDiscriminantAnalysis()}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4))
    x = x @ x.T if name == "KernelCenterer" else x
    y = (x[:, 0] > 0).astype("f8" if name == "Ridge" else "i8")

    def run(a, b):
        with sklearn.config_context(array_api_dispatch=True):
            fitted = ESTIMATORS[name]().fit(a, b)
            return fitted.transform(a) if hasattr(fitted, "transform") and name != "LinearDiscriminantAnalysis" else fitted.predict(a)

    want, got = run(x, y), run(kn.asarray(x), kn.asarray(y))
    assert isinstance(got, kn.Array), type(got)
    np.testing.assert_allclose(np.abs(np.asarray(got)), np.abs(want), rtol=1e-7, atol=1e-9)  # the signs of components are free


@pytest.mark.parametrize("name", ["accuracy_score", "mean_squared_error", "r2_score", "mean_absolute_error", "zero_one_loss"])
def test_metrics(name):
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    if name not in ("accuracy_score", "zero_one_loss"):
        a, b = a * 1.5, b * 1.0
    with sklearn.config_context(array_api_dispatch=True):
        got = getattr(metrics, name)(kn.asarray(a), kn.asarray(b))
    assert abs(float(got) - getattr(metrics, name)(a, b)) < 1e-12
