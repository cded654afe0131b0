// Damaged files: what the loaders do not refuse must be as good as if it had been recorded.
#include "tools/fuzz/Fuzz.h"

#include "lib/Cache/Cache.h"
#include "lib/Cache/CacheEntry.h"
#include "lib/Core/Error.h"
#include "lib/Core/Generalize.h"
#include "lib/Core/Program.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace kiln::fuzz {
namespace {} // namespace

Bytes damaged(Random &random, Bytes bytes, const Bytes &other) {
  static constexpr int64_t words[] = {0,         1,        -1, 2, 8, 9, 255, 1 << 16, int64_t(1) << 31, int64_t(1) << 32, int64_t(1) << 62,
                                      INT64_MAX, INT64_MIN};
  auto place = [&] { return size_t(below(random, int64_t(bytes.size()))); };
  for (int64_t changes = 1 + below(random, 4); changes > 0 && !bytes.empty(); --changes) {
    size_t at = place(), length = std::min<size_t>(bytes.size() - at, 1 + size_t(below(random, 64)));
    auto from = bytes.begin() + long(at);
    switch (below(random, 7)) {
    case 0: *from ^= uint8_t(1 << below(random, 8)); break;
    case 1: *from = uint8_t(random()); break;
    case 2:
    case 3:
      if (at = at / 8 * 8; at + 8 <= bytes.size()) {
        int64_t word = chance(random, 60) ? words[below(random, std::size(words))] : below(random, 40) - 8;
        std::memcpy(bytes.data() + at, &word, 8);
      }
      break;
    case 4: bytes.resize(at); break;
    case 5: bytes.erase(from, from + long(length)); break;
    default: {
      size_t start = size_t(below(random, int64_t(other.size()))), end = std::min(other.size(), start + length);
      bytes.insert(from, other.begin() + long(start), other.begin() + long(end));
    }
    }
  }
  return bytes;
}

namespace {

int64_t elementsOf(const Trace &trace) {
  int64_t total = 0; // a type has less than 2^48
  for (const TensorType &type : trace.types) {
    total += numElements(type.shape);
    if (total > 20000) break;
  }
  return total;
}

} // namespace

/// Files of random programs, made anew now and then.
static const Bytes &wholeFile(uint64_t number) {
  constexpr uint64_t kSeedsEach = 64;
  static std::pair<uint64_t, Bytes> known[2];
  auto &[seed, bytes] = known[number % 2];
  if (bytes.empty() || seed != number / kSeedsEach) {
    Random random(seed = number / kSeedsEach);
    int64_t kind = below(random, 3);
    bytes = packProgram(kind == 0 ? randomProgram(random) : kind == 1 ? randomTree(random) : randomOpenProgram(random));
  }
  return bytes;
}

std::string checkProgramFile(uint64_t seed) {
  Random random(seed);
  Bytes bytes = damaged(random, wholeFile(seed), wholeFile(seed + 1));
  Trace trace;
  try {
    trace = unpackProgram(bytes);
  } catch (const Error &e) { return e.kind == ErrorKind::Package ? "" : std::string("expected an error of a package, got ") + e.what(); }
  // It was read: then all that follows must take it.
  try {
    if (unpackProgram(packProgram(trace)).serialize() != trace.serialize()) return "what was read is not what it writes";
    if (!(Trace::parse(trace.serialize()) == trace)) return "its words say another program";
    if (!trace.bodies.empty()) return ""; // stored, not run
    if (trace.isOpen()) {
      std::vector<int64_t> sizes;
      for (int64_t i = 0; i < std::min<int64_t>(trace.symbols, 64); ++i)
        sizes.push_back(chance(random, 50) ? 5 - i % 2 : 2 + below(random, 20));
      try {
        trace = specialize(trace, sizes);
      } catch (const Error &) { return ""; } // sizes that do not fit
    }
    trace.devices.clear();
    if (elementsOf(trace) > 20000 || trace.outputs.empty()) return "";
    auto words = trace.serialize();
    std::vector<std::vector<char>> memory;
    std::vector<const void *> from;
    std::vector<void *> to;
    for (const TensorType &type : Trace::inputTypes(words)) memory.push_back(randomContents(random, type));
    size_t inputs = memory.size();
    for (int64_t slot : trace.outputs) {
      const TensorType &type = trace.types[size_t(slot)];
      memory.emplace_back(size_t(numElements(type.shape) * byteSize(type.dtype)) + 64);
    }
    for (size_t i = 0; i < memory.size(); ++i)
      if (i < inputs) from.push_back(memory[i].data());
      else to.push_back(memory[i].data());
    try {
      interpret(words, from.data(), to.data());
    } catch (const Error &) {} // of the contents
    if (seed % 32 == 0) printIr(words, "kernels");
    if (seed % 256 == 0) getExecutable(words);
  } catch (const std::exception &e) { return std::string("a program that was read is refused later: ") + e.what(); }
  return "";
}

std::string checkCacheEntry(uint64_t seed) {
  // One whole entry a process, then copies of it with damage.
  static const std::string folder = [] {
    std::string made = std::filesystem::temp_directory_path() / "kiln-fuzz-XXXXXX";
    if (!mkdtemp(made.data())) throw std::runtime_error("no folder for cache entries");
    return made;
  }();
  static const auto key = [] {
    Random fixed(1);
    auto words = randomProgram(fixed).serialize();
    CacheConfig config = cacheConfig();
    config.enabled = true, config.folder = folder;
    setCacheConfig(config);
    getExecutable(words);
    config.enabled = false;
    setCacheConfig(config);
    return cacheKey(words);
  }();
  static const std::string name = folder + "/" + entryName(key), copy = folder + "/damaged.so";
  static const Bytes whole = [] {
    std::ifstream file(name, std::ios::binary);
    return Bytes{std::istreambuf_iterator<char>(file), {}};
  }();
  struct Remove {
    ~Remove() { std::filesystem::remove_all(folder); }
  };
  static Remove atExit;
  if (whole.empty()) return "expected an entry in the cache, got none";
  Random random(seed);
  Bytes bytes = damaged(random, whole, whole);
  {
    std::ofstream file(copy, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char *>(bytes.data()), long(bytes.size()));
  }
  bool isOpened = openEntry(copy, key, openAnywhere) != nullptr;
  if (isOpened != (bytes == whole)) return isOpened ? "a damaged entry was opened" : "a whole entry was refused";
  return "";
}

} // namespace kiln::fuzz
