"""Tables of the analysis in _capture.py: what is known to only compute, and the instructions whose effects are known."""
import bisect
import builtins
import dataclasses
import enum
import functools
import itertools
import math
import operator
import os
import reprlib
import sys
import types

from . import _core
from ._dtypes import DType
from ._objects import allocates_plainly

_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
REPR_CODE = (getattr(dataclasses, "_recursive_repr", None) or reprlib.recursive_repr())(id).__code__  # around the text of dataclasses

Known = enum.IntEnum("Known", _core.known_kinds(), start=0)  # frontend/frames/Values.h

# Objects that only compute, by identity. What acts, or reads what no guard watches, is left out.
PURE = {id(getattr(module, name)): getattr(module, name) for module, names in (
    (builtins, "abs all any bool callable chr complex dict divmod enumerate filter float hex int isinstance issubclass iter len list map max min next oct "
     "ord pow range reversed round slice sorted str sum super tuple zip frozenset set repr ArithmeticError AssertionError AttributeError BaseException Exception "
     "IndexError KeyError LookupError OverflowError RuntimeError StopIteration TypeError ValueError ZeroDivisionError NotImplementedError "
     "Ellipsis NotImplemented"),
    (math, " ".join(n for n in dir(math) if not n.startswith("_"))), (itertools, " ".join(n for n in dir(itertools) if not n.startswith("_"))),
    (bisect, "bisect bisect_left bisect_right"), (operator, "add sub mul truediv floordiv mod pow matmul neg pos abs eq ne lt le gt ge and_ or_ xor invert not_ getitem index is_ is_not contains"),
    (functools, "partial reduce")) for name in names.split()}
PURE |= {id(f): f for f in (tuple.__new__, types.GenericAlias)}
_IMMUTABLE = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), type(NotImplemented), DType)
_DEFAULT = getattr(dataclasses, "_HAS_DEFAULT_FACTORY", None)  # stands for a default factory, which is judged where it is called

# Instructions. Those in no table are unknown.
DENIED = {"STORE_GLOBAL": "writes a global", "DELETE_GLOBAL": "deletes a global", "DELETE_ATTR": "deletes an attribute", "IMPORT_NAME": "imports a module",
          "IMPORT_FROM": "imports a module", "IMPORT_STAR": "imports a module", "LOAD_BUILD_CLASS": "defines a class", "GET_AWAITABLE": "awaits"}
KNOWN = set("""POP_TOP PUSH_NULL NOP UNARY_POSITIVE UNARY_NEGATIVE UNARY_NOT UNARY_INVERT BINARY_SUBSCR GET_LEN MATCH_MAPPING MATCH_SEQUENCE MATCH_KEYS
PUSH_EXC_INFO CHECK_EXC_MATCH WITH_EXCEPT_START BEFORE_WITH STORE_SUBSCR DELETE_SUBSCR GET_ITER GET_YIELD_FROM_ITER LOAD_ASSERTION_ERROR RETURN_GENERATOR
LIST_TO_TUPLE RETURN_VALUE YIELD_VALUE POP_EXCEPT UNPACK_SEQUENCE FOR_ITER UNPACK_EX SWAP LOAD_CONST BUILD_TUPLE BUILD_LIST BUILD_SET BUILD_MAP COMPARE_OP
JUMP_FORWARD JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP POP_JUMP_FORWARD_IF_FALSE POP_JUMP_FORWARD_IF_TRUE IS_OP CONTAINS_OP RERAISE COPY BINARY_OP SEND
LOAD_FAST STORE_FAST DELETE_FAST POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_FORWARD_IF_NONE RAISE_VARARGS MAKE_FUNCTION BUILD_SLICE JUMP_BACKWARD_NO_INTERRUPT
MAKE_CELL LOAD_CLOSURE JUMP_BACKWARD CALL_FUNCTION_EX LIST_APPEND SET_ADD MAP_ADD COPY_FREE_VARS RESUME FORMAT_VALUE BUILD_CONST_KEY_MAP
BUILD_STRING LIST_EXTEND SET_UPDATE DICT_MERGE DICT_UPDATE PRECALL CALL KW_NAMES POP_JUMP_BACKWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_NONE
POP_JUMP_BACKWARD_IF_FALSE POP_JUMP_BACKWARD_IF_TRUE BINARY_SLICE STORE_SLICE END_FOR END_SEND CLEANUP_THROW RETURN_CONST LOAD_FAST_CHECK LOAD_FAST_AND_CLEAR
POP_JUMP_IF_FALSE POP_JUMP_IF_TRUE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE FORMAT_SIMPLE FORMAT_WITH_SPEC CONVERT_VALUE TO_BOOL CALL_KW LOAD_FAST_LOAD_FAST
STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST SET_FUNCTION_ATTRIBUTE""".split())
TEXT = {"FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC"}
INTRINSICS = {3, 5, 6}  # of CALL_INTRINSIC_1: StopIteration in generators, +x, list to tuple

# Special methods that nothing calls by itself while code that is analyzed runs: stores are refused, constructors are judged apart.
NOT_IMPLICIT = {f"__{n}__" for n in """init new post_init setattr delattr reduce reduce_ex getstate setstate getnewargs copy deepcopy replace dir sizeof doc dict
weakref module qualname annotations dataclass_fields dataclass_params match_args slots class_getitem init_subclass set_name static_attributes firstlineno
orig_bases annotate_func annotations_cache parameters type_params""".split()}
_OF_ENUMERATIONS = {f"__{n}__" for n in "module doc qualname new init annotations firstlineno static_attributes annotate_func annotations_cache".split()}
_BARE = NOT_IMPLICIT - {"__init__", "__new__", "__post_init__", "__reduce__", "__reduce_ex__"}  # all that `class E(Exception): pass` has
INTROSPECTIVE = {f"__{n}__" for n in "dict reduce reduce_ex getattribute setattr delattr init new subclasshook init_subclass dir sizeof getstate setstate traceback "
                 "context cause suppress_context class_getitem copy deepcopy".split()}


@functools.cache
def attributes_of_values():
    """Names that values of a call may be asked for: of arrays, numbers, text and containers. Others may lead to state that nobody watches."""
    from . import _selection, _sets, linalg
    results = [v for module in (_selection, _sets, linalg) for v in vars(module).values() if hasattr(v, "_fields")]
    kinds = (_core.Array, _selection.At, _core.OpFunction, int, float, complex, str, list, tuple, dict, set, range, slice, BaseException, *results)
    names = {name for kind in kinds for name in dir(kind)} - INTROSPECTIVE
    return names | {"name", "itemsize", "kind", "__name__", "__qualname__"}


# Kiln's own modules whose functions read nothing that changes, and what of them does.
_COMPUTING = ("kiln._creation kiln._ops kiln._products kiln._reductions kiln._selection kiln._shaping kiln._types kiln._methods kiln._numpy_methods kiln._arguments "
              "kiln._dtypes kiln.tree kiln._control kiln._choosing kiln._checkpoint kiln._diagonals kiln._donation kiln._einsum kiln._gradients kiln._batches kiln._jacobians kiln._joining kiln._op_rules kiln._ordering kiln._padding kiln._ranges kiln._rounding "
              "kiln._sets kiln._special kiln._transforms kiln._vectorized kiln._numpy kiln._numpy.types kiln._numpy.ufuncs").split()
_COMPUTING_PACKAGES = ("kiln.composed", "kiln.linalg")
_LIKE_USERS = ("__main__", "kiln.doctor", "kiln.demo", "kiln.testing")
_SETTINGS = {"get_num_threads", "set_num_threads", "set_default_dtype", "register_pytree_node", "register_pytree_node_class", "register_dataclass", "get_printoptions", "set_printoptions", "printoptions",
             "default_is_chosen", "tofile"}


def computes(value):
    """Whether a function or class of Kiln itself only computes; None where its code says."""
    module = value.__module__ or ""  # none of what a transform makes of a function that exec() made
    known = module in _COMPUTING or module.startswith(_COMPUTING_PACKAGES) or value is _core.Array or module == "kiln._errors" and isinstance(value, type)
    # What a transform makes of a function runs that one: it has the names of it, or those of a function inside of another.
    is_made = isinstance(value, types.FunctionType) and (module.split(".")[0] != "kiln" or "<locals>" in value.__qualname__)
    return None if module in _LIKE_USERS or is_made else known and value.__name__ not in _SETTINGS and _drawing(value) is None


def is_op(value):
    """Whether a value is an operation that runs functions of the user: what ``kn.custom_op``, ``custom_vjp`` and ``custom_jvp`` give. ``functions`` are the
    names of attributes that have them."""
    return type(value).__module__ in ("kiln._custom", "kiln._own_derivatives") and type(value).__name__ in ("Op", "custom_vjp", "custom_jvp")


def kind_of(value):
    """What is known of a callable or a class: a member of Known."""
    if is_op(value):
        return Known.Operation
    if _is_of_numpy(value):
        return Known.OfNumPy
    if isinstance(value, type) and is_named_tuple(value):
        return Known.NamedTuple
    drawing = _drawing(value)
    if drawing is not None:
        return drawing
    if isinstance(value, types.FunctionType) and value.__module__ == "kiln._callbacks" and value.__name__ == "pure_callback":
        return Known.CallsAside
    if id(value) in PURE and PURE[id(value)] is value or isinstance(value, _core.OpFunction) or value is _core.OpFunction or is_numpy_scalar(value) or _changes_numpy_alone(value):
        return Known.Computes
    if isinstance(value, (types.FunctionType, type)) and is_own(value) and computes(value) is not None:
        return Known.Computes if computes(value) else Known.Acts
    if isinstance(value, _core.JitFunction):
        return Known.Jitted
    if not isinstance(value, type):
        return Known.Nothing
    if type(value) is type(enum.Enum):
        return Known.Enumeration if is_plain_enumeration(value) else Known.Nothing
    if issubclass(value, BaseException):
        return Known.PlainError if is_plain_error(value) else Known.OwnError if is_own_error(value) else Known.Nothing
    return Known.PlainClass if allocates_plainly(value) and not issubclass(value, tuple) else Known.Nothing


def _is_of_numpy(value):
    """Whether a value is a function of NumPy's that with Kiln arrays is one of Kiln's that only computes."""
    numpy = sys.modules.get("numpy")
    is_ufunc = numpy is not None and type(value) is numpy.ufunc
    if not is_ufunc and (numpy is None or type(value) is not type(numpy.concatenate) or not str(getattr(value, "__module__", "")).startswith("numpy")):
        return False
    from . import _protocols
    twin = _protocols.twin_of(value)
    return twin is not None and kind_of(twin) == Known.Computes


_OF_NAMED_TUPLES = {f"__{n}__" for n in "new doc slots repr getnewargs match_args module orig_bases annotations firstlineno static_attributes replace annotate_func annotations_cache".split()}


def is_named_tuple(cls):
    """Whether a class is a named tuple that is made of its fields, and compared and walked through as a tuple."""
    own = cls.__mro__[:-2]
    if not issubclass(cls, tuple) or cls is tuple or cls.__mro__[-2:] != (tuple, object) or not all(type(k) is type and _dunders(k) <= _OF_NAMED_TUPLES for k in own):
        return False
    made = [k for k in own if "__new__" in vars(k)]
    new = made[0].__new__ if len(made) == 1 else None
    return isinstance(new, types.FunctionType) and new.__globals__.get("_tuple_new") is tuple.__new__ and new.__globals__.get("__name__") == f"namedtuple_{made[0].__name__}"


def _drawing(value):
    """The same of what draws random numbers; None of other things. By the process's generator, by that which is the first argument, or by a key alone."""
    module = value.__module__ if isinstance(value, (types.FunctionType, type)) else None
    if module == "kiln.composed.layers" and value.__name__ == "dropout":
        return Known.Draws
    if not isinstance(module, str) or module.split(".")[:2] != ["kiln", "random"] or not is_own(value):
        return None
    if isinstance(value, type):
        return Known.Generator if value.__name__ == "Generator" else None
    if module == "kiln.random" or value.__qualname__ in ("seed", "get_state", "set_state"):
        return Known.Acts if value.__name__ == "bytes" else Known.Draws
    if value.__qualname__ == "default_rng":
        return Known.Seeds
    if value.__qualname__ in ("key", "split", "fold_in"):
        return Known.Computes
    is_method = value.__code__.co_varnames[:1] == ("self",) and value.__name__[0] != "_"
    return Known.DrawsFrom if is_method and value.__name__ != "bytes" else Known.Acts


def is_plain_enumeration(cls):
    """Whether a class is an enumeration whose members are compared by identity and shown as enum shows them."""
    own = cls.__mro__[:cls.__mro__.index(enum.Enum)]
    return issubclass(cls, enum.Enum) and cls.__mro__[len(own):] == (enum.Enum, object) and all(_dunders(k) <= _OF_ENUMERATIONS for k in own)


def _dunders(cls):
    return {n for n in vars(cls) if n.startswith("__")}


def is_own(value):
    """Whether a function or class is Kiln's own."""
    if isinstance(value, types.FunctionType):
        return value.__code__.co_filename.startswith(_FOLDER)
    module = sys.modules.get(value.__module__) if isinstance(value.__module__, str) else None
    return value is _core.Array or (getattr(module, "__file__", None) or "").startswith(_FOLDER)


def is_constant(value):
    """Whether a value cannot change and reads nothing."""
    if type(value) in (tuple, frozenset):
        return all(is_constant(v) for v in value)
    return type(value) in _IMMUTABLE or is_numpy_scalar(type(value)) or _DEFAULT is not None and value is _DEFAULT


def _changes_numpy_alone(cls):
    """Whether a class is the context manager for errors of NumPy's arithmetic, which Kiln's knows nothing of."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and cls is getattr(numpy, "errstate", None)


def is_numpy_scalar(cls):
    """Whether a class is that of NumPy's numbers of one dtype."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(cls, type) and issubclass(cls, numpy.generic) and cls.__module__ == "numpy" and cls not in (numpy.object_, numpy.void)


def is_plain_error(cls):
    """Whether a class is an exception's that adds no methods to the builtin ones."""
    own = [k for k in cls.__mro__ if k.__module__ != "builtins"]
    return issubclass(cls, BaseException) and type(cls) is type and all(set(vars(k)) <= _BARE for k in own)


def is_own_error(cls):
    """Whether a class is an exception's with methods of its own, and shown, compared and hashed as the builtin ones."""
    own = [k for k in cls.__mro__ if k.__module__ != "builtins"]
    return issubclass(cls, BaseException) and type(cls) is type and all(_dunders(k) <= _BARE | {"__init__"} for k in own)
