"""Puts Kiln among the libraries that other projects' own tests run with (pytest -p kiln_plugin), each by the few lines that a user would run."""
import importlib.util

import numpy as np

import kiln as kn


def einops():
    """A back end of einops, where the tests look for JAX's."""
    from einops import _backends

    class KilnBackend(_backends.AbstractBackend):
        framework_name = "kiln"

        def is_appropriate_type(self, tensor):
            return isinstance(tensor, kn.Array)

        def from_numpy(self, x):
            return kn.asarray(x, copy=True)

        def to_numpy(self, x):
            return np.asarray(x)

        def arange(self, start, stop):
            return kn.arange(start, stop)

        def stack_on_zeroth_dimension(self, tensors):
            return kn.stack(tensors)

        def tile(self, x, repeats):
            return kn.tile(x, repeats)

        def concat(self, tensors, axis):
            return kn.concat(tensors, axis)

        def is_float_type(self, x):
            return x.dtype.kind == "f"

        def add_axis(self, x, new_position):
            return kn.expand_dims(x, new_position)

        def einsum(self, pattern, *x):
            return kn.einsum(pattern, *x)

    _backends.JaxBackend = KilnBackend


def opt_einsum():
    """The operands of opt_einsum's tests as arrays of Kiln."""
    from opt_einsum import testing
    views = testing.build_views
    testing.build_views = lambda *args, **kwargs: tuple(kn.asarray(v, copy=True) for v in views(*args, **kwargs))


def array_api_compat():
    from array_api_compat.tests import _helpers
    _helpers.all_libraries.append("kiln")


def array_api_extra():
    from array_api_extra._lib._backends import Backend
    kiln = object.__new__(Backend)
    kiln._name_, kiln._value_ = "KILN", "kiln"
    Backend._member_names_.append("KILN")
    Backend._member_map_["KILN"] = Backend._value2member_map_["kiln"] = kiln


for library in (einops, opt_einsum, array_api_compat, array_api_extra):
    if importlib.util.find_spec(library.__name__):
        library()
kn.set_default_dtype(kn.float64)  # as the libraries that these tests were written for
