// What stands in for parts of LLVM that the compiler library leaves out when it has LLVM inside (KILN_STATIC_LLVM).
#include <sys/random.h>

// lld starts all targets that LLVM was built with; only those of Kiln are linked.
#define KILN_STARTS_NOTHING(name)                                                                                                          \
  extern "C" void name() {}
#define LLVM_TARGET(T)                                                                                                                     \
  KILN_STARTS_NOTHING(LLVMInitialize##T##Target)                                                                                           \
  KILN_STARTS_NOTHING(LLVMInitialize##T##TargetInfo) KILN_STARTS_NOTHING(LLVMInitialize##T##TargetMC)
#include "static_llvm/Targets.def"
#define LLVM_ASM_PRINTER(T) KILN_STARTS_NOTHING(LLVMInitialize##T##AsmPrinter)
#include "static_llvm/AsmPrinters.def"
#define LLVM_ASM_PARSER(T) KILN_STARTS_NOTHING(LLVMInitialize##T##AsmParser)
#include "static_llvm/AsmParsers.def"

// The package's link-time optimizer knows a plugin that it ships apart, and does not call where there is none.
struct PassPluginLibraryInfo {
  unsigned version;
  const char *name, *pluginVersion;
  void (*passes)(void *);
  void *code;
};
PassPluginLibraryInfo getPollyPluginInfo() { return {}; }

// The C++ library's random device would ask for glibc 2.36.
extern "C" unsigned arc4random() {
  unsigned value = 0;
  while (getrandom(&value, sizeof value, 0) != sizeof value) {}
  return value;
}

// Nothing of LLVM is destroyed when the process ends: threads may still compile, and the library is never closed.
extern "C" int kiln_compiler_outlives_exit(void) { return 1; }
extern "C" int __cxa_atexit(void (*)(void *), void *, void *) { return 0; }
