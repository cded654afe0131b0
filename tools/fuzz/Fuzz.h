// What kiln-fuzz is made of: random programs, random files, and a process to run each in that may fall over.
#pragma once

#include "lib/Core/Generalize.h"

#include <functional>
#include <optional>
#include <random>
#include <string>

namespace kiln::fuzz {

using Random = std::mt19937_64;
/// A number from 0 to n - 1.
inline int64_t below(Random &random, int64_t n) { return int64_t(random() % uint64_t(n)); }
inline bool chance(Random &random, int percent) { return below(random, 100) < percent; }

/// A valid program of some operations, drawn from the records of all ops by their rules.
Trace randomProgram(Random &random);
/// The same with what only files hold besides: bodies, devices, ops that this process registered, several results.
Trace randomTree(Random &random, int depth = 0);
/// A program for any size.
Trace randomOpenProgram(Random &random);
/// A program for any size, and what it is at up to three sizes: as Python would record it there.
struct OpenProgram {
  Trace open;
  std::vector<Trace> recordings;
};
/// One that has a random program as an instance; none where no axis of it may have another size.
std::optional<OpenProgram> openProgram(Random &random, const Trace &trace);
/// Contents for an array: ordinary numbers, the borders of the dtype, and any bits.
std::vector<char> randomContents(Random &random, const TensorType &type);

/// How often each op was drawn, in memory that child processes share.
int64_t *drawn();

/// How many programs for any size were checked, in the same memory.
int64_t &opened();

/// Memory that a process shares with its children.
void *sharedMemory(size_t bytes);

/// Runs `body(seed)` for all seeds in child processes. One that crashes, takes more than a minute, or says that it is wrong (a text that
/// is not empty) is reported with its seed, and the next seed goes on. How many were wrong.
int64_t runAll(const char *what, uint64_t first, int64_t count, int jobs, const std::function<std::string(uint64_t)> &body);

/// Whether all ways to run the program of a seed agree; what differs, with the program, where they do not.
std::string checkProgram(uint64_t seed);
/// The program of a seed as text; and for any size with the sizes that it is tried at, or nothing.
std::string showProgram(uint64_t seed);
std::string showOpenProgram(uint64_t seed);
/// Whether the loaders stand a damaged program file, or cache entry: refused, or read as something that is valid.
std::string checkProgramFile(uint64_t seed);
std::string checkCacheEntry(uint64_t seed);
std::string checkPackageFile(uint64_t seed);
/// The same with the checksums made right again, and what is read is compiled.
std::string checkCompiledPackage(uint64_t seed);

using Bytes = std::vector<uint8_t>;
/// One to four changes: bits, bytes, words, cut, doubled or moved pieces, pieces of another file.
Bytes damaged(Random &random, Bytes bytes, const Bytes &other);

} // namespace kiln::fuzz
