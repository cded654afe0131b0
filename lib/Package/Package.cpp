#include "lib/Package/Archive.h"
#include "lib/Package/Manifest.h"

#include "lib/Core/Generalize.h"
#include "lib/Core/Program.h"

#include <algorithm>
#include <set>

namespace kiln {

using manifest::malformed;

static std::span<const uint8_t> bytesOf(std::string_view text) { return {reinterpret_cast<const uint8_t *>(text.data()), text.size()}; }

void writePackage(const Package &package, const std::string &path) {
  checkPackage(package);
  std::vector<std::vector<uint8_t>> programs;
  for (const PackageEntry &entry : package.entries) programs.push_back(packProgram(entry.program));
  std::string text = manifest::write(package), header;
  std::vector<ArchiveMember> members{{manifest::kManifest, {bytesOf(text)}}};
  for (size_t i = 0; i < programs.size(); ++i) members.push_back({manifest::programMember(i), {programs[i]}});
  for (const PackageFile &file : package.files) members.push_back({file.member, {file.bytes}});
  if (!package.weights.empty()) {
    std::vector<size_t> order = manifest::orderOfWeights(package.weights);
    header = manifest::writeHeader(package.weights, order);
    ArchiveMember weights{manifest::kWeights, {bytesOf(header)}};
    for (size_t i : order) weights.pieces.push_back(package.weights[i].bytes);
    members.push_back(std::move(weights));
  }
  for (const PackageNative &native : package.natives) members.push_back({manifest::nativeMember(native.triple), {native.bytes}});
  writeArchive(path, members);
}

static Package readArchive(const Archive &archive, Checksums checksums) {
  auto member = [&](const std::string &name) -> const Archive::Member & {
    const Archive::Member *found = archive.find(name);
    if (!found) malformed("file", "a member '" + name + "'", "none");
    if (name != manifest::kWeights || checksums == Checksums::OfAll) Archive::verify(*found);
    return *found;
  };
  Package package =
      manifest::read(member(manifest::kManifest).bytes, [&](const std::string &name) { return unpackProgram(member(name).bytes); });
  if (!package.weights.empty()) manifest::readHeader(member(manifest::kWeights).bytes, package.weights);
  for (PackageWeight &weight : package.weights) weight.owner = archive.owner;
  std::set<std::string> known;
  auto take = [&](const std::string &name) {
    if (known.insert(name).second) package.files.push_back({name, member(name).bytes, archive.owner});
  };
  for (const PackageOp &op : package.ops) {
    for (const auto &[name, inside] : op.files) take(inside);
    for (const std::string &compiled : {op.object, op.kernel})
      if (!compiled.empty()) take(compiled);
  }
  for (PackageNative &native : package.natives) {
    native.bytes = member(manifest::nativeMember(native.triple)).bytes;
    native.owner = archive.owner;
  }
  checkPackage(package);
  return package;
}

std::span<const uint8_t> Package::file(const std::string &member) const {
  auto found = std::ranges::find(files, member, &PackageFile::member);
  if (found == files.end()) malformed("file", "a member '" + member + "'", "none");
  return found->bytes;
}

Package readPackage(const std::string &path, Checksums checksums) { return readArchive(Archive::open(path), checksums); }

Package unpackPackage(std::span<const uint8_t> bytes, std::shared_ptr<const void> owner, Checksums checksums) {
  return readArchive(Archive(bytes, std::move(owner)), checksums);
}

static bool isInside(const std::vector<SizeBox> &boxes, std::span<const int64_t> sizes) {
  return std::ranges::any_of(boxes, [&](const SizeBox &box) {
    for (size_t i = 0; i < sizes.size(); ++i)
      if (sizes[i] < box[i].first || sizes[i] > box[i].second) return false;
    return true;
  });
}

/// "n = 3, m = 4"
static std::string describe(std::span<const Dimension> dimensions, std::span<const int64_t> sizes) {
  std::string text;
  for (size_t i = 0; i < sizes.size(); ++i) text += (i ? ", " : "") + dimensions[i].name + " = " + std::to_string(sizes[i]);
  return text;
}

size_t countOf(const PackageEntry &entry) {
  size_t behind = entry.misses.empty() ? 1 : 2;
  return std::max(entry.outputs.size(), behind) - behind;
}

std::optional<size_t> keptAs(const PackageEntry &entry, const std::string &name) {
  auto found = size_t(std::ranges::find(entry.outputs, name, &PackageOutput::name) - entry.outputs.begin());
  return entry.counts && found < countOf(entry) ? std::optional(found) : std::nullopt;
}

const std::vector<Dimension> &dimensionsOf(const Package &package, const std::string &name) {
  auto last = std::ranges::find(package.entries.rbegin(), package.entries.rend(), name, &PackageEntry::name);
  if (last == package.entries.rend()) malformed("entry", "one of the package", "'" + name + "'");
  return last->dimensions;
}

const PackageEntry &entryFor(const Package &package, const std::string &name, std::span<const int64_t> sizes) {
  const std::vector<Dimension> &dimensions = dimensionsOf(package, name);
  auto isOfStage = [&](const PackageEntry &entry) { return entry.name == name && entry.dimensions.size() == sizes.size(); };
  auto first = std::ranges::find_if(package.entries, isOfStage);
  if (first == package.entries.end())
    fail(ErrorKind::Shape, name, "sizes", std::to_string(dimensions.size()) + " of them", std::to_string(sizes.size()));
  for (size_t i = 0; i < sizes.size(); ++i)
    if (const Dimension &d = dimensions[i]; sizes[i] < d.least || sizes[i] > d.most)
      fail(ErrorKind::Shape, name, "size of " + d.name, "from " + std::to_string(d.least) + " to " + std::to_string(d.most),
           std::to_string(sizes[i]));
  for (auto boxes : {&PackageEntry::checked, &PackageEntry::assumed})
    for (auto entry = first; entry != package.entries.end() && isOfStage(*entry); ++entry)
      if (isInside((*entry).*boxes, sizes)) return *entry;
  fail(ErrorKind::Shape, name, "sizes", "some that it was checked for when it was exported", describe(dimensions, sizes));
}

std::vector<int64_t> symbolsOf(const PackageEntry &entry, std::span<const int64_t> sizes) {
  std::vector<int64_t> symbols;
  for (const SizeExpression &expression : entry.symbols) {
    std::optional<int64_t> value = evaluate(expression, sizes);
    if (!value) fail(ErrorKind::Shape, entry.name, "a size of its program", "one of 64 bits", "one that overflows");
    symbols.push_back(*value);
  }
  return symbols;
}

} // namespace kiln
