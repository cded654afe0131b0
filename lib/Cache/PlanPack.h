// The eager kernels of an accelerator that were made at build time (lib/Core/PlanPack.h), where the installation has them.
#pragma once

#include "lib/Core/Generalize.h"
#include "lib/Core/PlanPack.h"

#include <memory>
#include <span>
#include <string>

namespace kiln {

class PlanPack {
public:
  /// Maps a file; null where there is none. Throws Error (package) for one that is damaged, or of another build or target.
  static std::unique_ptr<PlanPack> open(const std::string &path, const std::string &name);
  ~PlanPack();
  PlanPack(const PlanPack &) = delete;

  /// A program that has another one as an instance, with the values that make it so.
  struct Found {
    Trace program;
    Instance values;
    const PlanPackEntry *entry;
  };
  std::optional<Found> find(const Trace &recorded) const;
  /// Its launch plan, as text. Throws Error (package) where it is damaged.
  std::string planOf(const PlanPackEntry &entry) const;
  size_t size() const { return entries.size(); }

private:
  PlanPack(const char *data, size_t bytes) : data(data), bytes(bytes) {}
  void read(const std::string &name);

  const char *data;
  size_t bytes;
  std::span<const PlanPackEntry> entries;
  std::span<const int64_t> words;
  const char *plans = nullptr;
};

} // namespace kiln
