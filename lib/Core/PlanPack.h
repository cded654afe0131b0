// A pack: launch plans of many programs for any size in one file, which tools/gpu-pack writes and lib/Cache/PlanPack.h reads.
//
//   file := header, name of build and target, entries by family, words of programs, plans deflated
//
// All numbers are of the machine that wrote them; docs/formats/plan-pack.md has the fields.
#pragma once

#include "lib/Core/Trace.h"

namespace kiln {

struct PlanPackHeader {
  static constexpr uint64_t kMagic = 0x006b636170706c6b; // "klppack"
  static constexpr uint32_t kVersion = 1;
  uint64_t magic = kMagic;
  uint32_t version = kVersion;
  uint32_t check = 0;                                            // CRC-32 of all between the header and the plans
  uint64_t nameBytes = 0, entries = 0, words = 0, planBytes = 0; // the name is filled up to a multiple of 8
};

struct PlanPackEntry {
  uint64_t family = 0;               // hash of familyOf; entries are sorted by it
  uint64_t firstWord = 0, words = 0; // of the serialized program
  uint64_t plan = 0, stored = 0;     // where the plan is behind the words, and how many bytes it takes there
  uint64_t bytes = 0;                // of the plan
};

/// What a pack is for: its own programs are no other's.
inline std::string planPackName(std::string_view build, std::string_view target) {
  std::string name = std::string(build) + " " + std::string(target);
  name.resize((name.size() + 7) / 8 * 8, ' ');
  return name;
}

/// What programs have in common that may be instances of one for any size: operations, dtypes and ranks.
inline std::vector<int64_t> familyOf(const Trace &trace) {
  std::vector<int64_t> words;
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    words.push_back(int64_t(entry.op));
    words.insert(words.end(), entry.operands.begin(), entry.operands.end());
  }
  for (const TensorType &type : trace.types) words.push_back(int64_t(type.dtype)), words.push_back(type.shape.rank);
  return words;
}

/// FNV-1a, a word at a time.
inline uint64_t hashOfFamily(const std::vector<int64_t> &family) {
  uint64_t hash = 0xcbf29ce484222325;
  for (int64_t word : family) hash = (hash ^ uint64_t(word)) * 0x100000001b3;
  return hash;
}

} // namespace kiln
