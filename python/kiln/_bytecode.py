"""Instructions of code objects, as the analysis in _capture.py reads them."""
import functools
import itertools
import sys
from opcode import opmap, opname, HAVE_ARGUMENT, EXTENDED_ARG

_CACHE = opmap.get("CACHE", 0)


@functools.lru_cache(4096)
def instructions_of(code):
    """(offset, name, argument) of each instruction, caches left out."""
    raw, extended, found = code.co_code, 0, []
    for offset in range(0, len(raw), 2):
        op, arg = raw[offset], raw[offset + 1] | extended
        if op != _CACHE:
            extended = arg << 8 if op == EXTENDED_ARG else 0
            if op != EXTENDED_ARG:
                found.append((offset, opname[op], arg if op >= HAVE_ARGUMENT else None))
    return found


def name_of(code, name, arg):
    """The name that an instruction reads. The lowest bit of some arguments says something else."""
    shifted = name == "LOAD_GLOBAL" or name == "LOAD_ATTR" and sys.version_info >= (3, 12)
    return code.co_names[arg >> 1 if shifted else arg]


def line_at(code, offset):
    return next((line for start, end, line in code.co_lines() if start <= offset < end and line), code.co_firstlineno)


def only_raises(instructions, at):
    """Whether what is made here goes into an exception that is raised at once."""
    names = [name for _, name, _ in itertools.takewhile(lambda i: not i[1].startswith(("STORE", "RETURN", "POP_JUMP", "JUMP", "YIELD")), instructions[at:])]
    return "RAISE_VARARGS" in names


def is_asked_for(code, instructions, at):
    """Whether the class that has been read is the last argument of isinstance or issubclass."""
    callee = instructions[at - 3] if at >= 3 else (0, "", 0)
    is_argument = at < len(instructions) and instructions[at][1] in ("PRECALL", "CALL")
    return is_argument and callee[1] == "LOAD_GLOBAL" and name_of(code, *callee[1:]) in ("isinstance", "issubclass")


def is_filled(cell):
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
