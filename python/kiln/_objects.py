"""Plain objects as containers of a call: their attributes are the children. No code of theirs runs."""
import abc
import types
import weakref


_HEAP = 1 << 9  # of a class's flags: made by a class statement
_NATIVE = (types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType)
_kinds = {}  # id of a class -> (reference to it, {slot: descriptor} or None where its objects are not plain, {names of attributes: the same})


def allocates_plainly(cls):
    """Whether objects of a class are their attributes and nothing else: made by class statements, under object or tuple alone."""
    def is_native(k):
        return any(isinstance(v, _NATIVE) for v in vars(k).values()) or type(vars(k).get("__new__")) is types.BuiltinFunctionType
    bases = cls.__mro__[:-2] if issubclass(cls, tuple) else cls.__mro__[:-1]
    return type(cls) in (type, abc.ABCMeta) and cls is not object and tuple not in bases and all(k.__flags__ & _HEAP and not is_native(k) for k in bases)


def _kind(cls):
    """What is known of a class, found again by its address."""
    found = _kinds.get(id(cls))
    if found is None or found[0]() is not cls:
        is_plain = allocates_plainly(cls) and not issubclass(cls, tuple)
        slots = {n: v for k in cls.__mro__ for n, v in vars(k).items() if type(v) is types.MemberDescriptorType} if is_plain else None
        slots = {} if cls is types.SimpleNamespace else slots
        found = _kinds[id(cls)] = weakref.ref(cls, lambda _, address=id(cls): _kinds.pop(address, None)), slots, {}
    return found


def instance_names(cls):
    """Names of the attributes that objects of a class had in calls so far."""
    _, slots, seen = _kind(cls)
    return {n for names in list(seen) for n in names} | set(slots or ())


def take_apart(obj):
    """(children, names) of a plain object, or None. Names are compared by identity."""
    cls = type(obj)
    _, slots, seen = _kind(cls)
    if slots is None:
        return None
    data = object.__getattribute__(obj, "__dict__") if cls.__dictoffset__ else {}
    if type(data) is not dict:
        return None
    if slots:
        data = {**data, **{n: s.__get__(obj) for n, s in slots.items() if _has(s, obj)}}
    names = tuple(data)
    return tuple(data.values()), seen.get(names) or seen.setdefault(names, names)


def _has(slot, obj):
    try:
        slot.__get__(obj)
    except AttributeError:
        return False
    return True


def put_together(cls, names, children):
    """The object that ``take_apart`` took apart; none of its methods runs."""
    obj, slots = cls.__new__(cls) if cls is types.SimpleNamespace else object.__new__(cls), _kind(cls)[1]
    for name, child in zip(names, children):
        if name in slots:
            slots[name].__set__(obj, child)
        else:
            object.__getattribute__(obj, "__dict__")[name] = child
    return obj
