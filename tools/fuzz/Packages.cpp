// Damaged packages, half of them with the checksums of their members made right again: what is not refused runs, at sizes that it says.
#include "tools/fuzz/Counted.h"
#include "tools/fuzz/Fuzz.h"

#include "frontend/tree/Packaged.h"
#include "lib/Core/Error.h"
#include "lib/Package/Archive.h"
#include "lib/Package/Programs.h"
#include "lib/Package/SizeVariants.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace kiln::fuzz {
namespace {

std::string nameOf(const char *what, size_t number) { return what + std::to_string(number); }

/// A package of random programs: of fixed sizes, and one for any size with its dimensions.
Package randomPackage(Random &random, std::vector<std::vector<char>> &contents) {
  Package package;
  package.name = "model";
  for (size_t count = 1 + size_t(below(random, 3)); package.entries.size() < count;) {
    PackageEntry &entry = package.entries.emplace_back();
    entry.name = nameOf("entry", package.entries.size());
    entry.program = chance(random, 40) ? randomOpenProgram(random) : randomProgram(random);
    std::vector<TensorType> types = inputTypesOf(entry.program);
    std::vector<size_t> order;
    for (size_t i = 0; i < types.size(); ++i) order.push_back(i);
    entry.program = withInputs(entry.program, order); // row-major
    entry.program.devices.clear();
    for (int64_t i = 0; i < entry.program.symbols; ++i) {
      entry.dimensions.push_back({nameOf("n", size_t(i)), 2, 64});
      entry.symbols.push_back(SizeExpression::dimension(i));
    }
    SizeBox box;
    for (const Dimension &d : entry.dimensions) box.emplace_back(d.least, d.most);
    entry.checked = {box};
    for (const TensorType &type : types) {
      PackageInput &input = entry.inputs.emplace_back();
      input.name = nameOf("x", entry.inputs.size());
      if (type.shape.isStatic() && chance(random, 40)) {
        input.role = Role::Weight;
        input.weight = int64_t(package.weights.size());
        package.weights.push_back({nameOf("w", package.weights.size()), type, {}, {}});
        contents.push_back(randomContents(random, type));
        contents.back().resize(size_t(numElements(type.shape) * byteSize(type.dtype)));
      } else {
        for (Size size : type.shape)
          input.shape.push_back(size.isSymbol() ? SizeExpression::dimension(size.symbol()) : SizeExpression::number(size.number()));
      }
    }
    for (size_t i = 0; i < entry.program.outputs.size(); ++i) entry.outputs.push_back({nameOf("out", i)});
    entry.signature = R"({"parameters":[["x",["array",0]]]})";
  }
  if (chance(random, 50))
    for (PackageEntry &entry : countedEntries("counted", 4 + below(random, 8))) package.entries.push_back(std::move(entry));
  for (size_t i = 0; i < contents.size(); ++i)
    package.weights[i].bytes = {reinterpret_cast<const uint8_t *>(contents[i].data()), contents[i].size()};
  return package;
}

Bytes readAll(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes{std::istreambuf_iterator<char>(file), {}};
}

/// A file in a folder of this process, written by `write` and read back.
template <typename Write> Bytes written(const Write &write) {
  static const std::filesystem::path memory = "/dev/shm"; // files are written through to a disk
  std::string path = (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
                     ("kiln-fuzz-" + std::to_string(getpid()) + ".kiln");
  write(path);
  Bytes bytes = readAll(path);
  std::filesystem::remove(path);
  return bytes;
}

/// Packages of random programs, made anew now and then.
const Bytes &wholePackage(uint64_t number) {
  constexpr uint64_t kSeedsEach = 64;
  static std::pair<uint64_t, Bytes> known[2];
  auto &[seed, bytes] = known[number % 2];
  if (bytes.empty() || seed != number / kSeedsEach) {
    Random random(seed = number / kSeedsEach);
    std::vector<std::vector<char>> contents;
    Package package = randomPackage(random, contents);
    bytes = written([&](const std::string &path) { writePackage(package, path); });
  }
  return bytes;
}

/// One member of a package damaged, and the file made whole around it.
Bytes resealed(Random &random, const Bytes &bytes, const Bytes &other) {
  Archive archive(bytes, nullptr);
  std::vector<Bytes> contents;
  for (const Archive::Member &member : archive.members) contents.emplace_back(member.bytes.begin(), member.bytes.end());
  Bytes &chosen = contents[size_t(below(random, int64_t(contents.size())))];
  chosen = damaged(random, chosen, other);
  std::vector<ArchiveMember> members;
  for (size_t i = 0; i < contents.size(); ++i) members.push_back({archive.members[i].name, {contents[i]}});
  return written([&](const std::string &path) { writeArchive(path, members); });
}

int64_t elementsOf(const Trace &trace) {
  int64_t total = 0; // a type has less than 2^48
  for (const TensorType &type : trace.types)
    if ((total += type.shape.isStatic() ? numElements(type.shape) : 0) > 20000) break;
  return total;
}

/// Runs an entry at sizes that it was checked for, where they are small.
void runEntry(Random &random, const std::shared_ptr<LoadedPackage> &loaded, const PackageEntry &entry, JitMode mode) {
  if (!entry.program.bodies.empty() || elementsOf(entry.program) > 20000 || entry.checked.empty()) return;
  std::vector<int64_t> sizes;
  for (auto [least, most] : entry.checked[0]) sizes.push_back(least + below(random, std::min<int64_t>(most - least, 16) + 1));
  if (std::ranges::any_of(sizes, [](int64_t size) { return size > 64; })) return;
  std::vector<Array> arrays;
  std::vector<TensorType> types = inputTypesOf(entry.program);
  for (size_t i = 0; i < types.size(); ++i) {
    const PackageInput &input = entry.inputs[i];
    if (input.role != Role::Argument && input.role != Role::Number) continue;
    Dims shape;
    for (const SizeExpression &size : input.shape) shape.push(*evaluate(size, sizes));
    TensorType type{types[i].dtype, shape};
    if (numElements(shape) > 20000) return;
    std::vector<char> contents = randomContents(random, type);
    arrays.push_back(Array::empty(type.dtype, shape));
    std::memcpy(arrays.back().data(), contents.data(), size_t(numElements(shape) * byteSize(type.dtype)));
  }
  std::vector<Array *> pointers;
  for (Array &array : arrays) pointers.push_back(&array);
  std::vector<int64_t> symbols = symbolsOf(entry, sizes);
  if (entry.program.isOpen() && elementsOf(specialize(entry.program, symbols)) > 20000) return;
  PackagedFunction function(loaded, entry.name);
  bool isStopped = false;
  function.call(pointers, mode, {}, isStopped);
  opened() += function.compiles;
}

/// `isSealed`: the checksums are those of the damaged members.
std::string checkMutant(uint64_t seed, bool isSealed, JitMode mode) {
  Random random(seed);
  const Bytes &whole = wholePackage(seed), &other = wholePackage(seed + 1);
  Bytes mutant = isSealed ? resealed(random, whole, other) : damaged(random, whole, other);
  auto bytes = std::make_shared<Bytes>(std::move(mutant));
  std::shared_ptr<LoadedPackage> loaded;
  try {
    loaded = std::make_shared<LoadedPackage>(unpackPackage(*bytes, bytes, chance(random, 50) ? Checksums::OfAll : Checksums::OfPrograms));
  } catch (const Error &e) { return e.kind == ErrorKind::Package ? "" : std::string("expected an error of a package, got ") + e.what(); }
  // It was read: then it is written and read as the same, and runs.
  Bytes again = written([&](const std::string &path) { writePackage(loaded->package, path); });
  Package read = unpackPackage(again, nullptr);
  if (again != written([&](const std::string &path) { writePackage(read, path); })) return "what was read is not what it writes";
  for (const PackageEntry &entry : loaded->package.entries) {
    try {
      runEntry(random, loaded, entry, mode);
    } catch (const Error &) {} // sizes or contents that do not fit
  }
  return "";
}

} // namespace

std::string checkPackageFile(uint64_t seed) { return checkMutant(seed, seed % 2, JitMode::Off); }
std::string checkCompiledPackage(uint64_t seed) { return checkMutant(seed, true, JitMode::Sync); }

} // namespace kiln::fuzz
