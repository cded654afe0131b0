// Code objects as lists of instructions, each with the depth of the value stack before it.
#pragma once

#include "frontend/frames/Object.h"

#include <array>
#include <string_view>
#include <vector>

namespace kiln::py {

/// An instruction without its cache entries and prefixes.
struct Instruction {
  static constexpr int kUnknown = -1;
  uint8_t op = 0;
  int32_t arg = 0;
  int32_t depth = kUnknown; // of the value stack before it; unknown where no path leads
  int32_t next = 0;         // the offset of the one behind it
};

/// The opcodes of the interpreter that runs, asked of its `opcode` module once.
class Opcodes {
public:
  static const Opcodes &get();
  std::string_view name(uint8_t op) const { return names[op]; }
  bool isJump(uint8_t op) const { return jumps[op] != 0; }
  bool isBackward(uint8_t op) const { return jumps[op] < 0; }
  /// Whether what is behind it is reached by jumps alone.
  bool endsBlock(uint8_t op) const { return ends[op]; }
  bool isReturn(uint8_t op) const { return returns[op]; }
  /// How it changes the depth; `jumps` for the way that it jumps.
  int effect(const Instruction &at, bool jumps) const;

private:
  Opcodes();
  std::array<std::string, 256> names;
  std::array<int8_t, 256> jumps{};
  std::array<bool, 256> ends{}, returns{};
};

/// A code object, read once and kept with it.
class CodeMap {
public:
  static const CodeMap &of(PyCodeObject *code);
  const Instruction &at(int offset) const { return instructions[size_t(offset) / 2]; }
  bool has(int offset) const { return offset >= 0 && size_t(offset) / 2 < instructions.size(); }
  /// Offsets of instructions, in order.
  const std::vector<int> &offsets() const { return starts; }
  /// Whether an instruction can be the next one of a run after another.
  bool mayFollow(int last, int offset) const { return offset == at(last).next || mayComeNext(last, offset); }
  /// Whether an instruction is the first that is told of a run.
  bool isFirst(int offset) const { return offset == first || offset == second; }
  /// Whether all paths to an instruction agree on its depth.
  bool isConsistent() const { return consistent; }
  /// By variable, whether its value may be read from an instruction on, before another one is stored there. Cells may be at any time.
  const std::vector<bool> &liveAt(PyCodeObject *code, int offset) const;

private:
  explicit CodeMap(PyCodeObject *code);
  bool mayComeNext(int last, int offset) const;
  void decode(PyCodeObject *code);
  void followPaths(PyCodeObject *code);
  void reach(int offset, int depth, std::vector<int> &toDo);
  std::vector<Instruction> instructions;       // by offset
  std::vector<int> starts, handlers;           // of exceptions
  int first = -1, second = -1;                 // RESUME, and what is behind it: CPython 3.11 does not tell of RESUME
  mutable std::vector<std::vector<bool>> live; // by offset, once it was asked for
  bool consistent = true;
};

/// How a COMPARE_OP compares: as rich comparisons do.
inline int comparisonOf(const Instruction &i) {
#if PY_VERSION_HEX >= 0x030d0000
  return i.arg >> 5;
#elif PY_VERSION_HEX >= 0x030c0000
  return i.arg >> 4;
#else
  return i.arg;
#endif
}

} // namespace kiln::py
