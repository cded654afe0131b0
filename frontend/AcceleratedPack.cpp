#include "frontend/AcceleratedPack.h"

#include "frontend/AcceleratedShared.h"
#include "lib/Core/Environment.h"

namespace kiln {

std::function<void(const std::string &)> tellOfPack;

/// Under no lock: other threads of the host may run meanwhile.
static void tell(const std::string &text) {
  if (tellOfPack) tellOfPack(text);
}

/// False where there is none.
bool AcceleratedPack::open() {
  std::call_once(opened, [&] {
    const std::string &target = on.target().target;
    std::string path = environment("KILN_GPU_PACK");
    if (path.empty()) path = libraryFolder() + "/kiln_pack_" + target + ".plans";
    if (path == "0") refusal = "KILN_GPU_PACK is 0";
    else try {
        pack = PlanPack::open(path, planPackName(kBuildId, target));
        if (!pack) refusal = "there is no " + path;
      } catch (const Error &error) { refusal = path + ": " + error.what(); }
  });
  if (!pack && !isTold.exchange(true)) tell("no kernels of the installation for '" + on.name + "': " + refusal);
  return pack != nullptr;
}

std::string AcceleratedPack::describe() {
  return open() ? std::to_string(pack->size()) + " kernels of the installation" : "no kernels of the installation: " + refusal;
}

/// Null where the entry is damaged.
std::shared_ptr<Executable> AcceleratedPack::load(PlanPack::Found &found) {
  auto code = std::make_shared<Code>(std::move(found.program), &on);
  try {
    Released released;
    if (!findCode(*code)) {
      code->plan = pack->planOf(*found.entry);
      compileNow(code);
    }
    return code->result.executable;
  } catch (const Error &error) {
    if (error.kind != ErrorKind::Package) throw;
    tell("an operation is compiled for '" + on.name + "': " + error.what());
    return nullptr;
  }
}

std::optional<Compiled> AcceleratedPack::find(const Trace &recorded) {
  if (!open()) return std::nullopt;
  auto found = pack->find(recorded);
  if (!found) return std::nullopt;
  std::unique_lock lock(mutex);
  auto known = loaded.find(found->entry);
  if (known == loaded.end()) {
    lock.unlock(); // the driver takes its time, in which others of the host run
    auto code = load(*found);
    lock.lock();
    known = loaded.try_emplace(found->entry, std::move(code)).first;
  }
  if (!known->second) return std::nullopt;
  return Compiled{known->second, std::move(found->values)};
}

} // namespace kiln
