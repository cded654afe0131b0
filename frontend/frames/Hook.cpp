#include "frontend/frames/Hook.h"

namespace kiln::py {

void Hook::tell(const Frame &frame, int offset) {
  if (isBroken) return;
  const CodeMap *map = nullptr;
  try {
    map = &CodeMap::of(frame.code());
  } catch (const PythonError &) { PyErr_Clear(); }
  isBroken = !map || !map->has(offset) || map->at(offset).depth < 0 || !map->isConsistent() ||
             (frame.depth() >= 0 && frame.depth() != map->at(offset).depth);
  if (!isBroken) watcher.before(frame, map->at(offset), offset);
}

} // namespace kiln::py
