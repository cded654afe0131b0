// Which variables of a function may still be read, at each of its instructions.
#include "frontend/frames/Code.h"

#include <algorithm>

#define Py_BUILD_CORE 1
#include <internal/pycore_code.h>
#undef Py_BUILD_CORE

namespace kiln::py {
namespace {

/// What an instruction does to variables, as what is live before it for what is behind it.
void before(const Instruction &i, std::vector<bool> &live) {
  std::string_view name = Opcodes::get().name(i.op);
  auto set = [&](int variable, bool isRead) {
    if (variable >= 0 && size_t(variable) < live.size()) live[size_t(variable)] = isRead;
  };
  if (name == "STORE_FAST_LOAD_FAST") return set(i.arg >> 4, false), set(i.arg & 15, true);
  if (name == "STORE_FAST_STORE_FAST") return set(i.arg >> 4, false), set(i.arg & 15, false);
  if (name == "LOAD_FAST_LOAD_FAST") return set(i.arg >> 4, true), set(i.arg & 15, true);
  if (name == "STORE_FAST") return set(i.arg, false);
  bool isOfVariable = name.find("_FAST") != std::string_view::npos;
  if (isOfVariable) set(i.arg, true); // DELETE_FAST fails where there is none
}

} // namespace

const std::vector<bool> &CodeMap::liveAt(PyCodeObject *code, int offset) const {
  const Opcodes &opcodes = Opcodes::get();
  if (live.empty()) {
    std::vector<bool> always(size_t(code->co_nlocalsplus));
    auto *kinds = reinterpret_cast<uint8_t *>(PyBytes_AS_STRING(code->co_localspluskinds));
    for (size_t i = 0; i < always.size(); ++i) always[i] = kinds[i] & (CO_FAST_CELL | CO_FAST_FREE);
    live.assign(instructions.size(), always);
    for (bool isChanged = true; isChanged;) {
      isChanged = false;
      std::vector<bool> handled = always; // what handlers read may be read from anywhere
      for (int target : handlers)
        for (size_t i = 0; i < always.size(); ++i) handled[i] = handled[i] || live[size_t(target) / 2][i];
      for (auto at = starts.rbegin(); at != starts.rend(); ++at) {
        const Instruction &i = this->at(*at);
        std::vector<bool> now = handled;
        auto join = [&](int target) {
          for (size_t k = 0; has(target) && k < now.size(); ++k) now[k] = now[k] || live[size_t(target) / 2][k];
        };
        if (opcodes.isJump(i.op)) join(i.next + (opcodes.isBackward(i.op) ? -2 : 2) * i.arg);
        if (!opcodes.endsBlock(i.op)) join(i.next);
        before(i, now);
        for (size_t k = 0; k < now.size(); ++k) now[k] = now[k] || handled[k];
        if (now != live[size_t(*at) / 2]) live[size_t(*at) / 2] = now, isChanged = true;
      }
    }
    // A frame that waits for a call is where the cache of the instruction is; elsewhere nobody told which one runs.
    std::vector<int> runs(instructions.size(), -1);
    for (int start : starts)
      for (int offset = start; offset < this->at(start).next && size_t(offset) / 2 < runs.size(); offset += 2)
        runs[size_t(offset) / 2] = start;
    for (size_t i = 0; i < instructions.size(); ++i)
      if (runs[i] < 0) live[i].assign(always.size(), true);
      else live[i] = live[size_t(runs[i]) / 2];
  }
  return live[size_t(offset) / 2];
}

} // namespace kiln::py
