#include "lib/Cache/PlanPack.h"

#include "lib/Core/Error.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace kiln {

[[noreturn]] static void refuse(const std::string &expected, const std::string &got) {
  fail(ErrorKind::Package, "pack of kernels", "file", expected, got);
}

std::unique_ptr<PlanPack> PlanPack::open(const std::string &path, const std::string &name) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  struct stat status;
  size_t bytes = fstat(file, &status) ? 0 : size_t(status.st_size);
  void *data = bytes < sizeof(PlanPackHeader) ? MAP_FAILED : mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (data == MAP_FAILED) refuse("a header", std::to_string(bytes) + " bytes");
  std::unique_ptr<PlanPack> pack(new PlanPack(static_cast<const char *>(data), bytes));
  pack->read(name);
  return pack;
}

PlanPack::~PlanPack() { munmap(const_cast<char *>(data), bytes); }

void PlanPack::read(const std::string &name) {
  PlanPackHeader header;
  std::memcpy(&header, data, sizeof header);
  if (header.magic != PlanPackHeader::kMagic || header.version != PlanPackHeader::kVersion)
    refuse("one of version " + std::to_string(PlanPackHeader::kVersion), "another");
  constexpr uint64_t kMost = uint64_t(1) << 40; // so that sums hold
  size_t rest = bytes - sizeof header;
  if (header.nameBytes % 8 || std::max({header.nameBytes, header.entries, header.words, header.planBytes}) > kMost ||
      header.nameBytes + header.entries * sizeof(PlanPackEntry) + header.words * 8 + header.planBytes != rest)
    refuse("as many bytes as it says", std::to_string(bytes));
  const char *at = data + sizeof header;
  uLong check = crc32_z(0, reinterpret_cast<const Bytef *>(at), rest - header.planBytes);
  if (check != header.check) refuse("a checksum of " + std::to_string(header.check), std::to_string(check));
  std::string_view mine(at, header.nameBytes);
  if (mine != name) refuse("one of the build and target '" + name + "'", "'" + std::string(mine) + "'");
  entries = {reinterpret_cast<const PlanPackEntry *>(at += header.nameBytes), header.entries};
  words = {reinterpret_cast<const int64_t *>(at += header.entries * sizeof(PlanPackEntry)), header.words};
  plans = at + header.words * 8;
  for (const PlanPackEntry &entry : entries) {
    bool isWithin = std::max({entry.firstWord, entry.words, entry.plan, entry.stored, entry.bytes}) <= kMost &&
                    entry.firstWord + entry.words <= header.words && entry.plan + entry.stored <= header.planBytes;
    if (!isWithin) refuse("entries within it", "one that is not");
  }
}

std::optional<PlanPack::Found> PlanPack::find(const Trace &recorded) const {
  auto range = std::ranges::equal_range(entries, hashOfFamily(familyOf(recorded)), {}, &PlanPackEntry::family);
  for (const PlanPackEntry &entry : range) {
    Trace program = Trace::parse(words.subspan(entry.firstWord, entry.words));
    if (auto values = instantiate(program, recorded, Least::One)) return Found{std::move(program), std::move(*values), &entry};
  }
  return std::nullopt;
}

std::string PlanPack::planOf(const PlanPackEntry &entry) const {
  std::string plan(entry.bytes, 0);
  uLongf written = entry.bytes;
  int status =
      uncompress(reinterpret_cast<Bytef *>(plan.data()), &written, reinterpret_cast<const Bytef *>(plans + entry.plan), entry.stored);
  if (status != Z_OK || written != entry.bytes) refuse("a plan of " + std::to_string(entry.bytes) + " bytes", "what does not unfold to it");
  return plan;
}

} // namespace kiln
