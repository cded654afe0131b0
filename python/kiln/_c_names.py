"""Names of Python as names of C."""
import re

# Words of C and C++ that are names in Python.
_RESERVED = set("""alignas alignof asm auto bitand bitor bool case catch char compl complex const constexpr const_cast decltype default delete do double
dynamic_cast enum explicit export extern false float friend goto inline int long mutable namespace new noexcept nullptr operator private protected public
register reinterpret_cast requires restrict short signed sizeof static static_assert static_cast struct switch template this throw true typedef typeid
typename typeof union unsigned using virtual void volatile wchar_t xor""".split())


def c_name(text):
    """A name of C that is like a text."""
    text = re.sub(r"\W", "_", text.replace("<lambda>", "run"), flags=re.ASCII).strip("_") or "x"
    return "_" + text if text[0].isdigit() else text + "_" * (text in _RESERVED)


def unique(names, taken=()):
    """The names with numbers behind those that are there already."""
    result, seen = [], set(taken)
    for name in names:
        number, new = 1, name
        while new in seen:
            number += 1
            new = f"{name}_{number}"
        seen.add(new)
        result.append(new)
    return result
