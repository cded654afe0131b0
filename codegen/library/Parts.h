// The parts that a library is put together from.
#pragma once

#include "codegen/library/Interface.h"
#include "codegen/Session.h"
#include "codegen/Stages.h"
#include "lib/Core/LaunchPlan.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

#include <filesystem>
#include <map>

namespace kiln::library {

using Bytes = llvm::SmallVector<char, 0>;
/// Takes each module of a library, for a machine: it becomes an object, or text.
using Sink = llvm::function_ref<void(llvm::Module &module, llvm::TargetMachine &machine)>;

/// One that code is made for.
struct Processor {
  static constexpr size_t kWords = 8;
  std::string name;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::array<int64_t, kWords> needs{};      // what it must have, as support/processor.c reads it, or support/device.c
  std::unique_ptr<codegen::Machine> device; // instead of `machine`, where a device runs the programs
};

/// The machines of a library: processors from the least to the best one, and any of the triple.
struct Machines {
  std::string triple;
  std::vector<Processor> processors;
  std::unique_ptr<llvm::TargetMachine> any;
  System system = System::Linux;
  const codegen::Target *device = nullptr; // whose code the host, which `any` is, launches
  bool hasImages = false;                  // processors were named, and code is assembled for them where there is an assembler
  std::string describe() const;
};

/// The machines of a triple (empty: this one) and of CPUs with commas between (empty: those that most have, "native": this one).
/// Throws Error (compile) for a triple that libraries are not made for.
Machines machinesOf(const std::string &triple, const std::string &cpus, const std::string &features);

/// The target whose devices a triple names; null: it names none.
const codegen::Target *deviceTargetOf(const std::string &triple);
/// The machines of a device. Throws Error (compile) for CPUs that it does not know.
Machines machinesOfDevice(const codegen::Target &target, const std::string &cpus, const std::string &features);

/// The kernel of a custom op for devices; `image`: assembled, or empty.
struct DeviceOp {
  std::string symbol, code, image;
};

/// Code of a program for one processor, by its symbols; of a device's its launches.
struct Code {
  std::string run, workspace; // no workspace: it has always as many
  int64_t bytes = 0;
  std::vector<int64_t> inPlace;             // of each output the input in whose memory it is left, or -1; empty: there are none
  LaunchPlan plan = {};                     // of one program, or of none
  std::string image = {};                   // its code, assembled; empty: it is not
  std::map<std::string, DeviceOp> ops = {}; // that it launches
};

/// Custom ops whose code is part of a library.
struct LinkedOps {
  std::string caller;                          // the support function that calls them
  std::map<std::string, std::string> symbols;  // of functions, by the ops' names
  std::vector<Bytes> objects;                  // each once
  std::map<std::string, std::string> routines; // of Kiln's own operations that a library can have, likewise
};
/// Those of a package. Throws Error (compile) where one has no object for the machine.
LinkedOps linkedOps(const std::string &library, const Package &package, const llvm::TargetMachine &machine);

/// Whether a program may call routines of Kiln's runtime, which then has to be there.
enum class Routines { Refused, Allowed };
/// Compiles the program of an entry; what it defines has names that start with `symbol`. Throws Error (compile).
Code compileProgram(codegen::Session &session, const PackageEntry &entry, const std::string &symbol, const Processor &processor,
                    const LinkedOps &ops, Routines routines, Sink sink);

/// The program of an entry of a package for a device. Throws Error (compile).
Code compileForDevice(codegen::Session &session, const Package &package, const PackageEntry &entry, const Machines &machines,
                      const Processor &processor);
/// What is left of it before it is code, and that, for people.
std::string printForDevice(codegen::Session &session, const PackageEntry &entry, const Machines &machines, const Processor &processor,
                           codegen::Text form);
/// A program, which may leave in an argument's own memory what is written into it.
Trace programOf(const PackageEntry &entry);

/// Where weights come from.
enum class Weights { Embedded, File, Caller };

/// The functions of C and the tables that they run by; `codes` has for each function, variant and processor what was compiled.
std::unique_ptr<llvm::Module> tablesOf(const Interface &interface, llvm::ArrayRef<Code> codes, const Machines &machines, Weights weights,
                                       const std::string &weightsFile, bool standsAlone, llvm::LLVMContext &context);

/// The functions of support/ as those of the library `name`; `standsAlone`: with what else it has from libc.
std::unique_ptr<llvm::Module> supportOf(const std::string &name, const Machines &machines, bool standsAlone, llvm::LLVMContext &context);
/// Whether libraries for a machine can have routines of Kiln's own operations, and these; those that a program runs.
bool hasRoutines(RoutineSet set, const llvm::Triple &triple);
std::unique_ptr<llvm::Module> routinesOf(RoutineSet set, const std::string &name, const llvm::TargetMachine &machine,
                                         llvm::LLVMContext &context);
std::set<RoutineSet> routinesIn(const Trace &program);
std::set<RoutineSet> routinesIn(const Package &package);
/// What `kiln_<function>` is called in a library.
inline std::string supportName(const std::string &library, llvm::StringRef function) { return library + "." + function.str(); }

/// A folder that goes with its owner.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  std::filesystem::path path;
};

/// A shared object (of WebAssembly a module that stands alone), an object or an archive of objects. Throws Error (compile) for one that
/// calls what is neither in libc nor in libm, on a microcontroller what its EABI does not have. `unwinds`: exceptions may pass through it,
/// and it may call libstdc++.
void writeShared(llvm::ArrayRef<Bytes> objects, const Machines &machines, const std::string &path, bool unwinds = false);
void writeObject(llvm::ArrayRef<Bytes> objects, const Machines &machines, const std::string &path);
void writeArchive(llvm::ArrayRef<Bytes> objects, const Machines &machines, const std::string &path);

/// A file with all weights, in a form that `head` is the start of.
struct WeightsFile {
  std::string head;
  std::vector<int64_t> offsets; // by weight
  int64_t bytes = 0;
};
WeightsFile layoutOf(const Package &package);
void writeWeights(const Package &package, const std::string &path);

/// Packages from programs of kiln ops in MLIR: each public function, with `kiln.name` of arguments and results where they have it.
Package packageFromMlir(codegen::Session &session, llvm::StringRef source, const std::string &name);

/// A folder that `cmake --build` builds at once: the library, its header, a program that calls it.
void writeProject(const Interface &interface, const std::string &folder, const std::string &library, const std::string &header,
                  Weights mode);

} // namespace kiln::library
