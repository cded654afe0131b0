// What a process has: threads, memory, the compiler, the cache, frames.
#include "transforms.h"

#include "frontend/frames/Check.h"
#include "frontend/frames/Values.h"
#include "lib/Cache/Cache.h"
#include "lib/Cache/CacheEntry.h"
#include "lib/Cache/Code.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

#include <pybind11/stl.h>

namespace py11 = pybind11;

namespace kiln::py {

void defineProcess(py11::module_ &m) {
  m.def("get_num_threads", [] { return threadCount(); });
  m.def("set_num_threads", [](py11::object count) {
    return located([&]() -> PyObject * {
      Dims one = toDims("set_num_threads", count.ptr());
      if (one.rank != 1) fail(ErrorKind::DType, "set_num_threads", "threads", "one number", toString(one));
      setThreadCount(int(std::clamp<int64_t>(one[0], -1, 2000)));
      nextConfigEpoch();
      Py_RETURN_NONE;
    });
  });
  m.def("memory_stats", [] {
    MemoryStats s = memoryStats();
    return py11::make_tuple(s.inUse, s.peak, s.kept, s.keptLimit, Executable::count());
  });
  m.def("release_kept", [] {
    releaseKept();
    for (Accelerator *a : accelerators())
      if (a->isOpen()) a->releaseHeld();
  });
  m.def("stop_compile_thread", stopCompileThread, py11::call_guard<py11::gil_scoped_release>());
  m.def("compiler_is_open", [] { return compilerIsOpen(); });
  m.def("build_id", [] { return std::string(kBuildId); });
  m.def("is_debugged", [] { return isDebugged(); });
  m.def("known_kinds", [] { // names, by number
    py11::list names;
#define KILN_KIND(name) names.append(#name);
    KILN_KNOWN(KILN_KIND)
#undef KILN_KIND
    return names;
  });
  m.def("frames", [] { // code and instruction of each, outwards
    py11::list list;
    for (auto frame = Frame::innermost(); frame; frame = frame.caller())
      list.append(py11::make_tuple(py11::handle(reinterpret_cast<PyObject *>(frame.code())), frame.instruction()));
    return list;
  });
}

/// What tests ask about frames.
void defineFrames(py11::module_ &m) {
  auto codeOf = [](py11::handle o) { return reinterpret_cast<PyCodeObject *>(o.ptr()); };
  m.def("hook_is_proven", isHookProven);
  m.def("check_frames", [=](py11::function call, py11::list codes) { // (instructions told, checked, what was not as expected, whole)
    FrameChecker checker;
    Hook hook(checker);
    for (py11::handle code : codes) hook.enter(codeOf(code));
    py11::object result = call();
    bool isWhole = hook.isWhole();
    hook.stop();
    return py11::make_tuple(checker.told, checker.checked, checker.failures, isWhole, result);
  });
  m.def("stack_depths", [=](py11::object code) { // offset and depth of each instruction; -1: no path leads there
    const CodeMap &map = CodeMap::of(codeOf(code));
    py11::list found;
    for (int offset : map.offsets()) found.append(py11::make_tuple(offset, map.at(offset).depth));
    return py11::make_tuple(map.isConsistent(), found);
  });
}

void defineCache(py11::module_ &m) {
  cacheConfig(); // reads the environment: what is wrong there is said at import
  m.def("cache_config", [] {
    auto c = cacheConfig();
    py11::tuple path(c.path.size());
    for (size_t i = 0; i < c.path.size(); ++i) path[i] = c.path[i];
    py11::dict d;
    d["cache"] = c.enabled, d["cache_dir"] = c.folder, d["cache_path"] = path, d["cache_limit"] = c.limit, d["dump_dir"] = c.dumpDir;
    d["perf_dir"] = c.perfDir;
    return d;
  });
  m.def("set_cache_config", [](py11::dict d) {
    setCacheConfig({d["cache"].cast<bool>(), d["cache_dir"].cast<std::string>(), d["dump_dir"].cast<std::string>(),
                    d["perf_dir"].cast<std::string>(), d["cache_path"].cast<std::vector<std::string>>(), d["cache_limit"].cast<int64_t>()});
  });
  m.def("cache_folder", [] { return cacheFolder(); });
  m.def("inspect_entry", [](const std::string &path) {
    EntryState state = inspectEntry(path);
    return py11::make_tuple(state.isWhole, state.isCurrent);
  });
}

} // namespace kiln::py
