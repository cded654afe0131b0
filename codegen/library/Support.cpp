// The functions of support/, which were compiled to bitcode with Kiln.
#include "codegen/library/Parts.h"

#include "lib/Core/Error.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Support/MemoryBuffer.h"

namespace kiln::library {

static constexpr unsigned char kX86[] = {
#include "kiln/Support.x86_64-linux-gnu.inc"
};
static constexpr unsigned char kAArch64[] = {
#include "kiln/Support.aarch64-linux-gnu.inc"
};
static constexpr unsigned char kRiscV[] = {
#include "kiln/Support.riscv64-linux-gnu.inc"
};

static constexpr unsigned char kWasm[] = {
#include "kiln/Support.wasm32.inc"
};
static constexpr unsigned char kWasmModule[] = {
#include "kiln/Support.wasm32-module.inc"
};
static constexpr unsigned char kThumb[] = {
#include "kiln/Support.thumb.inc"
};

static constexpr unsigned char kFourierX86[] = {
#include "kiln/Fourier.x86_64-linux-gnu.inc"
};
static constexpr unsigned char kFourierAArch64[] = {
#include "kiln/Fourier.aarch64-linux-gnu.inc"
};
static constexpr unsigned char kFourierRiscV[] = {
#include "kiln/Fourier.riscv64-linux-gnu.inc"
};

static llvm::ArrayRef<unsigned char> bitcodeFor(const llvm::Triple &triple, bool standsAlone) {
  switch (triple.getArch()) {
  case llvm::Triple::aarch64: return kAArch64;
  case llvm::Triple::riscv64: return kRiscV;
  case llvm::Triple::wasm32: return standsAlone ? llvm::ArrayRef(kWasmModule) : llvm::ArrayRef(kWasm);
  case llvm::Triple::thumb: return kThumb;
  default: return kX86; // machinesOf takes no other
  }
}

/// None where libraries have no routines.
static llvm::ArrayRef<unsigned char> fourierFor(const llvm::Triple &triple) {
  if (!triple.isOSLinux() || triple.isAndroid()) return {};
  switch (triple.getArch()) {
  case llvm::Triple::x86_64: return kFourierX86;
  case llvm::Triple::aarch64: return kFourierAArch64;
  case llvm::Triple::riscv64: return kFourierRiscV;
  default: return {};
  }
}

/// Functions of bitcode for a machine; `kiln_<function>` are those of the library `name`.
static std::unique_ptr<llvm::Module> read(llvm::ArrayRef<unsigned char> bytes, const std::string &name, const llvm::TargetMachine &machine,
                                          llvm::LLVMContext &context) {
  llvm::MemoryBufferRef buffer(llvm::StringRef(reinterpret_cast<const char *>(bytes.data()), bytes.size()), "support");
  auto module = llvm::cantFail(llvm::parseBitcodeFile(buffer, context)); // of the same build
  module->setSourceFileName(name + ".support");
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  for (llvm::Function &f : *module) {
    for (const char *own : {"target-cpu", "target-features", "tune-cpu"}) f.removeFnAttr(own);
    if (f.isDeclaration()) continue;
    f.addFnAttr("target-cpu", machine.getTargetCPU());
    f.addFnAttr("target-features", machine.getTargetFeatureString());
    f.addFnAttr(llvm::Attribute::NoUnwind);
    if (!f.getName().starts_with("kiln_")) continue;
    f.setName(supportName(name, f.getName().drop_front(5)));
    f.setVisibility(llvm::GlobalValue::HiddenVisibility);
  }
  return module;
}

std::unique_ptr<llvm::Module> supportOf(const std::string &name, const llvm::TargetMachine &machine, bool standsAlone,
                                        llvm::LLVMContext &context) {
  return read(bitcodeFor(machine.getTargetTriple(), standsAlone), name, machine, context);
}

bool hasRoutines(const llvm::Triple &triple) { return !fourierFor(triple).empty(); }

std::unique_ptr<llvm::Module> routinesOf(const std::string &name, const llvm::TargetMachine &machine, llvm::LLVMContext &context) {
  auto module = read(fourierFor(machine.getTargetTriple()), name, machine, context);
  module->setSourceFileName(name + ".fourier");
  for (llvm::Function &f : *module) { // what C++ makes of templates and of `new` is nobody else's
    if (f.isDeclaration() || f.hasLocalLinkage() || f.getName().starts_with(name + ".")) continue;
    f.setComdat(nullptr);
    f.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  return module;
}

} // namespace kiln::library
