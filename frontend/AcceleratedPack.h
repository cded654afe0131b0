// Kernels of eager operations that the installation has for an accelerator (lib/Cache/PlanPack.h).
#pragma once

#include "lib/Cache/Code.h"
#include "lib/Cache/PlanPack.h"

#include <functional>
#include <map>
#include <mutex>

namespace kiln {

/// Code of a small program, and the sizes and numbers that it is given where it is for any size.
struct Compiled {
  std::shared_ptr<Executable> code; // null: the compiler has no kernels
  Instance values;
};

class AcceleratedPack {
public:
  explicit AcceleratedPack(Accelerator &on) : on(on) {}

  /// Code that has a program as an instance; none where there is no such, or what there is is not whole. Any thread may ask for it.
  std::optional<Compiled> find(const Trace &recorded);
  /// How many programs there are, or why the file is not used, for a person.
  std::string describe();

private:
  Accelerator &on;
  std::once_flag opened;
  std::unique_ptr<PlanPack> pack;
  std::string refusal;
  std::atomic<bool> isTold = false;
  std::mutex mutex; // of what follows
  std::map<const PlanPackEntry *, std::shared_ptr<Executable>> loaded;

  bool open();
  std::shared_ptr<Executable> load(PlanPack::Found &found);
};

/// Told of packs and entries that are not used; set by the module of the host.
extern std::function<void(const std::string &)> tellOfPack;

} // namespace kiln
