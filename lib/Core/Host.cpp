#include "lib/Core/Host.h"

#include "lib/Core/Error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__linux__)
#include <fstream>
#include <sys/auxv.h>
#include <unistd.h>
#endif

namespace kiln {

#if defined(__x86_64__)

const char *const kHostArchitecture = "x86_64";

/// The raw words of cpuid.
static std::string featureWords() {
  std::string text;
  unsigned a, b, c, d;
  for (unsigned leaf : {1u, 7u}) {
    if (!__get_cpuid_count(leaf, 0, &a, &b, &c, &d)) continue;
    if (leaf == 1) a &= 0x0fff0ff0, b = 0, c &= ~(1u << 27); // family and model; no APIC ids, no OSXSAVE
    for (unsigned word : {a, b, c, d}) text += "-" + std::to_string(word);
  }
  return text;
}

PackLevels hostPackLevels() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    throw Error(ErrorKind::Device, "eager kernels: expected a CPU of level x86-64-v3 (AVX2 and FMA); this one has neither or only one");
  return {"x86-64-v3", __builtin_cpu_supports("x86-64-v4") ? "x86-64-v4" : nullptr};
}

#else

#if defined(__aarch64__)
const char *const kHostArchitecture = "aarch64";

/// The model of the first core, as the system keeps it; empty where it does not.
static std::string modelWords() {
  std::ifstream file("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1");
  std::string text;
  return file >> text ? "-" + text : "";
}

#elif defined(__riscv)
const char *const kHostArchitecture = "riscv64";

/// What riscv_hwprobe tells: vendor, architecture and implementation, base behaviour, extensions; nothing on a Linux before 6.4.
static std::string modelWords() {
  constexpr long kProbe = 258; // the number of the call, which older headers lack
  struct {
    int64_t key;
    uint64_t value;
  } pairs[] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}};
  std::string text;
  if (syscall(kProbe, pairs, std::size(pairs), 0, nullptr, 0)) return text;
  for (auto &pair : pairs) text += "-" + std::to_string(pair.value);
  return text;
}

#else
const char *const kHostArchitecture = "unknown";

static std::string modelWords() { return ""; }
#endif

static std::string featureWords() {
#if defined(__linux__)
  return "-" + std::to_string(getauxval(AT_HWCAP)) + "-" + std::to_string(getauxval(AT_HWCAP2)) + modelWords();
#else
  return modelWords();
#endif
}

PackLevels hostPackLevels() { return {"generic", nullptr}; }

#endif

const std::string &hostTarget() {
  static const std::string target = std::string(kHostArchitecture) + "-linux" + featureWords();
  return target;
}

} // namespace kiln
