// lld as a library, and files for it that are in memory.
#pragma once

#include "llvm/ADT/ArrayRef.h"

#include <string>
#include <utility>

namespace kiln::cpu {

/// A file in memory, closed with its owner.
class MemoryFile {
public:
  MemoryFile(llvm::ArrayRef<char> bytes);
  MemoryFile(MemoryFile &&other) : file(std::exchange(other.file, -1)) {}
  ~MemoryFile();
  std::string path() const { return "/proc/self/fd/" + std::to_string(file); }

private:
  int file;
};

/// The formats that are linked.
enum class Linker { Elf, Wasm };
/// Runs the linker with these arguments. Throws Error (compile) with what it says.
void runLinker(llvm::ArrayRef<std::string> arguments, Linker linker = Linker::Elf);

} // namespace kiln::cpu
