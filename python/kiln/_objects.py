"""Plain objects as containers of a call: their attributes are the children. No code of theirs runs."""
import dataclasses
import types
import weakref

from . import _core, tree

_HEAP = 1 << 9  # of a class's flags: made by a class statement
_NATIVE = (types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType)
TAKES_ANY = hasattr(_core, "PLACES")  # classes can be watched, and nesting has an end
_plans = weakref.WeakKeyDictionary()  # class -> names of its slots, or None where its objects are not plain
_names = weakref.WeakKeyDictionary()  # class -> {names of attributes of one of its objects: the same}


def allocates_plainly(cls):
    """Whether objects of a class are their attributes and nothing else: made by class statements, under object or tuple alone."""
    def is_native(k):
        return any(isinstance(v, _NATIVE) for v in vars(k).values()) or type(vars(k).get("__new__")) is types.BuiltinFunctionType
    bases = cls.__mro__[:-2] if issubclass(cls, tuple) else cls.__mro__[:-1]
    return type(cls) is type and tuple not in bases and all(k.__flags__ & _HEAP and not is_native(k) for k in bases)


def _slots(cls):
    """{name: descriptor} of a plain class; None of any other."""
    if cls not in _plans:
        is_plain = allocates_plainly(cls) and not issubclass(cls, tuple)
        _plans[cls] = {n: v for k in cls.__mro__ for n, v in vars(k).items() if type(v) is types.MemberDescriptorType} if is_plain else None
    return _plans[cls]


def instance_names(cls):
    """Names of the attributes that objects of a class had in calls so far."""
    return {n for names in _names.get(cls, ()) for n in names} | set(_slots(cls) or ())


def take_apart(obj):
    """(children, names) of a plain object, or None."""
    cls = type(obj)
    slots = _slots(cls)
    if slots is None or not TAKES_ANY and not dataclasses.is_dataclass(cls) and cls not in tree._registered:
        return None
    data = object.__getattribute__(obj, "__dict__") if cls.__dictoffset__ else {}
    if cls.__dictoffset__ and type(data) is not dict:
        return None
    found = {**data, **{n: s.__get__(obj) for n, s in slots.items() if _has(s, obj)}}
    names = tuple(found)
    return tuple(found.values()), _names.setdefault(cls, {}).setdefault(names, names)  # compared by identity


def _has(slot, obj):
    try:
        slot.__get__(obj)
    except AttributeError:
        return False
    return True


def put_together(cls, names, children):
    """The object that ``take_apart`` took apart; none of its methods runs."""
    obj, slots = object.__new__(cls), _slots(cls)
    for name, child in zip(names, children):
        if name in slots:
            slots[name].__set__(obj, child)
        else:
            object.__getattribute__(obj, "__dict__")[name] = child
    return obj
