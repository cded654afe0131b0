// Functions of a package that was read, run as recorded ones are: by the interpreter until their code is there.
#pragma once

#include "frontend/tree/Function.h"
#include "lib/Loader/Native.h"

namespace kiln {

/// A package in this process. Its weights are arrays of the mapped file, which nobody may write.
struct LoadedPackage {
  /// `runsNative`: by the code in the package. Throws Error (package) where it has none for this machine.
  explicit LoadedPackage(Package package, bool runsNative = false);
  const Package package;
  std::shared_ptr<NativeCode> native; // or null
  std::vector<Array> weights;
};

class PackagedFunction : public Function {
public:
  /// Throws Error (package) where no entry has the name.
  PackagedFunction(std::shared_ptr<const LoadedPackage> loaded, std::string name);

  /// Runs a call: the arguments in the order of the entry's inputs; those that it writes are written. The results are new arrays.
  /// Throws Error (shape, dtype, value) for arguments that do not fit, and what operations throw for their values; `isStopped`: the
  /// hooks said so, and nothing was written.
  std::vector<Array> call(std::span<Array *const> arguments, JitMode mode, const RunHooks &hooks, bool &isStopped);
  /// Which of the entries of its name such a call runs, from 0; of a function that runs in stages, the first.
  size_t variantFor(std::span<Array *const> arguments) const;

private:
  /// The program at some sizes, and what else it takes.
  struct Instance {
    const PackageEntry *entry;
    std::shared_ptr<const Trace> program; // of fixed sizes
    Step step;
    std::vector<Array> numbers; // of the inputs that follow from the sizes, in order
  };
  /// What a stage leaves to the next one.
  struct Kept {
    const PackageEntry *entry = nullptr;
    std::vector<Array> arrays;
  };

  std::shared_ptr<const LoadedPackage> loaded;
  const PackageEntry *first, *last;                                    // of its name: what callers see is the same in all of a stage
  std::vector<TensorType> types;                                       // of the inputs of the first
  std::map<std::vector<int64_t>, std::shared_ptr<Instance>> instances; // by the sizes of the dimensions

  std::vector<int64_t> sizesOf(std::span<Array *const> arguments) const;
  std::shared_ptr<Instance> instanceAt(const std::vector<int64_t> &sizes);
  std::shared_ptr<Instance> makeInstance(const std::vector<int64_t> &sizes) const;
  std::vector<Array> inputsOf(const Instance &instance, std::span<Array *const> given, const Kept &kept) const;
  /// Runs one stage. Empty, and `isStopped`: the hooks said so.
  std::vector<Array> runStage(Instance &instance, std::span<const Array> inputs, JitMode mode, const RunHooks &hooks, bool &isStopped);
  /// The stages before the last one: adds the sizes that they count, and gives what they keep for it.
  Kept count(std::vector<int64_t> &sizes, std::span<Array *const> arguments, JitMode mode, const RunHooks &hooks, bool &isStopped);
  std::vector<Array> callNative(std::span<Array *const> arguments, const RunHooks &hooks, bool &isStopped) const;
};

} // namespace kiln
