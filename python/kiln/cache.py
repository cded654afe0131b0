"""``python -m kiln.cache``: what the disk cache holds.

    list            the entries of the folder, the last used first
    verify          checks every entry; says which are damaged, and exits with 1 where one is
    clear           removes all entries; with --old only damaged ones and those of other builds or processors
    export FOLDER   copies the entries of this build to a folder, for KILN_CACHE_PATH of an image

The folder is ``$KILN_CACHE_DIR``, or ``$XDG_CACHE_HOME/kiln``, or ``~/.cache/kiln``.
"""
import argparse
import dataclasses
import pathlib
import shutil
import sys
import time

from . import _core


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file of the cache: its size in bytes, when it was used last (seconds since 1970, to the hour), whether it is whole, and
    whether this build on this processor can use it."""

    path: pathlib.Path
    bytes: int
    used: float
    is_whole: bool
    is_current: bool


def folder() -> pathlib.Path:
    """The folder that entries are stored in."""
    return pathlib.Path(_core.cache_folder())


def entries() -> list[Entry]:
    """The entries of the folder, the last used first."""
    found = []
    for path in folder().glob("*.so"):
        status = path.stat()
        found.append(Entry(path, status.st_size, status.st_mtime, *_core.inspect_entry(str(path))))
    return sorted(found, key=lambda e: -e.used)


def clear(only_old: bool = False) -> int:
    """Removes entries, or only those that are damaged or of another build or processor; their number."""
    doomed = [e for e in entries() if not only_old or not (e.is_whole and e.is_current)]
    for entry in doomed:
        entry.path.unlink(missing_ok=True)
    if not only_old:
        shutil.rmtree(folder() / "ops", ignore_errors=True)  # code of custom ops, which the machine's compiler made
    return len(doomed)


def export(target) -> int:
    """Copies the entries that this build can use to another folder; their number. Each is there whole or not at all."""
    target = pathlib.Path(target)
    target.mkdir(parents=True, exist_ok=True)
    usable = [e for e in entries() if e.is_whole and e.is_current]
    if (folder() / "ops").is_dir():
        shutil.copytree(folder() / "ops", target / "ops", dirs_exist_ok=True)
    for entry in usable:
        draft = target / (entry.path.name + ".tmp")
        shutil.copyfile(entry.path, draft)
        draft.rename(target / entry.path.name)
    return len(usable)


def _describe(entry):
    state = "damaged" if not entry.is_whole else "" if entry.is_current else "of another build or processor"
    return f"{entry.path.name}  {entry.bytes:>9,} bytes  {time.strftime('%Y-%m-%d %H:%M', time.localtime(entry.used))}  {state}".rstrip()


def main(arguments=None) -> int:
    """The command line; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m kiln.cache", description="What the disk cache holds.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the entries of the folder, the last used first")
    commands.add_parser("verify", help="checks every entry; exits with 1 where one is damaged")
    commands.add_parser("clear", help="removes entries").add_argument("--old", action="store_true", help="only damaged ones and those of other builds or processors")
    commands.add_parser("export", help="copies the entries of this build to a folder, for KILN_CACHE_PATH").add_argument("folder")
    chosen = parser.parse_args(arguments)
    if chosen.command == "clear":
        print(f"removed {clear(chosen.old)} entries of {folder()}")
        return 0
    if chosen.command == "export":
        print(f"copied {export(chosen.folder)} entries to {chosen.folder}")
        return 0
    found = entries()
    damaged = [e for e in found if not e.is_whole]
    for entry in found if chosen.command == "list" else damaged:
        print(_describe(entry))
    print(f"{folder()}: {len(found)} entries, {sum(e.bytes for e in found):,} bytes, {len(damaged)} damaged")
    return 1 if damaged and chosen.command == "verify" else 0


if __name__ == "__main__":
    sys.exit(main())
