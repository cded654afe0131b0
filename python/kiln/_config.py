"""``kn.config``: the settings that the environment gives, shown and changed."""
import contextlib
import os

from . import _core
from ._errors import make


class Config:
    """Settings of the process; each is the variable of the environment ``KILN_`` and its name, read at import.

    Attributes
    ----------
    jit : "auto", "sync" or "off"
        How jitted functions run: compiled behind the program's back, waited for, or as they are written.
    cache : bool
        Whether compiled programs are kept on disk.
    cache_dir : str
        The folder that they are kept in.
    cache_path : tuple of str
        Further folders to read from.
    cache_limit : int
        Bytes that the folder may hold; 0 for no limit.
    num_threads : int
        Threads of long operations.
    log : tuple of str
        What is written to ``sys.stderr`` as it happens: "compile", "cache", "guards".
    dump_dir : str
        Folder for the program after each stage of compilation; empty for none.
    perf_dir : str
        Folder that compiled code is loaded from, where its functions have the names and lines of the program: for perf and gdb; empty for none.
    profile : bool
        Whether the kernels of jitted functions are timed while they run; ``f.explain()`` tells the times.

    Raises
    ------
    ValueError
        Where a setting gets a value that it cannot have.
    AttributeError
        Where there is no such setting.
    """

    __slots__ = ()
    _names = ("jit", "cache", "cache_dir", "cache_path", "cache_limit", "num_threads", "log", "dump_dir", "perf_dir", "profile")

    def __getattr__(self, name):
        if name == "jit":
            return _core.jit_mode()
        if name == "num_threads":
            return _core.get_num_threads()
        if name == "profile":
            return _core.is_timing()
        if name == "log":
            return tuple(word for i, word in enumerate(_LOGS) if _core.log() >> i & 1)
        if name == "cache_dir":
            return _core.cache_folder()
        if name in self._names:
            return _core.cache_config()[name]
        raise AttributeError(f"config: expected one of {', '.join(self._names)}, got '{name}'")

    def __setattr__(self, name, value):
        if name == "jit":
            return _core.set_jit_mode(value)
        if name == "num_threads":
            return _core.set_num_threads(value)
        if name == "log":
            return _core.set_log(_log_bits("config: log", value))
        if name not in self._names:
            raise AttributeError(f"config: expected one of {', '.join(self._names)}, got '{name}'")
        wanted = {"cache": bool, "cache_dir": str, "cache_path": tuple, "cache_limit": int, "dump_dir": str, "perf_dir": str, "profile": bool}[name]
        is_fitting = type(value) is wanted and (name != "cache_path" or all(isinstance(p, str) for p in value)) and (wanted is not int or value >= 0)
        if not is_fitting:
            raise make("ValueError", f"config: {name}: expected a {'number from 0 on' if wanted is int else wanted.__name__}, got {value!r}")
        if name == "profile":
            return _core.set_timing(value)
        if name in ("dump_dir", "perf_dir") and value:
            _check_folder(f"config: {name}", value)
        _core.set_cache_config({**_core.cache_config(), name: value})
        return None

    @contextlib.contextmanager
    def override(self, **settings):
        """``with kn.config.override(jit="sync", cache=False):`` other settings for a while."""
        before = _core.cache_config(), {name: getattr(self, name) for name in ("jit", "num_threads", "log", "profile")}
        try:
            for name, value in settings.items():
                setattr(self, name, value)
            yield self
        finally:
            _core.set_cache_config(before[0])
            for name, value in before[1].items():
                if getattr(self, name) != value:
                    setattr(self, name, value)

    def __dir__(self):
        return [*self._names, "override"]

    def __repr__(self):
        return "\n".join(f"{name} = {getattr(self, name)!r}" for name in self._names)


def _check_folder(what, folder):
    """Raises ValueError for a folder that files cannot be written to; it is made where it is not there."""
    import tempfile  # where it is needed: it needs much of the standard library
    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise make("ValueError", f"{what}: expected a folder to write to, got '{folder}': {error.strerror}") from None


_WORDS = {"1": True, "yes": True, "on": True, "true": True, "0": False, "no": False, "off": False, "false": False}
_LOGS = ("compile", "cache", "guards")


def _log_bits(what, words):
    """The bits of kinds of lines. Raises ValueError for what is none."""
    words = [words] if isinstance(words, str) else list(words)
    for word in words:
        if word not in _LOGS:
            raise make("ValueError", f"{what}: expected some of {', '.join(_LOGS)}, got '{word}'")
    return sum(1 << i for i, word in enumerate(_LOGS) if word in words)


def _flag(environment, name, default):
    """A setting that is on or off."""
    word = environment.get(name) or default
    if word.lower() not in _WORDS:
        raise make("ValueError", f"{name}: expected one of {', '.join(_WORDS)}, got '{word}'")
    return _WORDS[word.lower()]


def _read_environment(environment):
    """Settings that the native part does not read; what is wrong is said here, at import."""
    config.jit = environment.get("KILN_JIT") or "auto"
    config.cache = _flag(environment, "KILN_CACHE", "1")
    config.profile = _flag(environment, "KILN_PROFILE", "0")
    for name in ("KILN_DUMP_DIR", "KILN_PERF_DIR"):
        if environment.get(name):
            _check_folder(name, environment[name])
    device, names = environment.get("KILN_DEVICE"), _core.devices()
    try:
        _core.set_default_device(device.lower() if device else names[1] if len(names) > 1 else "cpu")
    except Exception:
        raise make("DeviceError", f"KILN_DEVICE: expected {', '.join(map(repr, names))}, got {device!r}") from None
    logs = [word for word in (environment.get("KILN_LOG") or "").split(",") if word]
    _core.set_log(_log_bits("KILN_LOG", logs))


config = Config()
_read_environment(os.environ)
