#include "lib/Library/Library.h"

#include "lib/Core/Error.h"
#include "lib/Core/Fork.h"
#include "lib/Core/Registry.h"
#include "lib/Library/Threads.h"

#include <cstring>
#include <new>

namespace kiln {
namespace library {

Routine *find(const char *name) {
  static constexpr struct {
    const char *name;
    Routine *routine;
  } routines[] = {
#include "kiln/Routines.inc"
      {"sort", sort},
      {"argsort", argsort},
  };
  for (auto &known : routines)
    if (!std::strcmp(known.name, name)) return known.routine;
  return nullptr;
}

// Compiled code calls these and cannot be unwound: an exception becomes a status.

/// A function of the user's: what locks it takes, and whether it forks, is not known, so a fork does not wait for it.
static int32_t callRegistered(const kiln_tensor *tensors, const int64_t *words) {
  const RegisteredOp *custom = findRegistered(words[0]);
  if (!custom) return KILN_LIBRARY_MISSING;
  try {
    return custom->op.run(tensors, words + 1); // its own words are those of its attributes
  } catch (const std::bad_alloc &) { return KILN_OUT_OF_MEMORY; } catch (...) {
    return KILN_CUSTOM_FAILED;
  }
}

static int32_t call(const char *name, const kiln_tensor *tensors, const int64_t *words) {
  if (!std::strcmp(name, info(Op::Custom).name)) return callRegistered(tensors, words);
  Routine *routine = find(name);
  if (!routine) return KILN_LIBRARY_MISSING;
  InsideLibrary inside;
  try {
    return routine(tensors, words);
  } catch (const std::bad_alloc &) { return KILN_OUT_OF_MEMORY; } catch (...) {
    return KILN_LIBRARY_FAILED;
  }
}

} // namespace library

const kiln_rt *runtimeTable() {
  static const kiln_rt table = {KILN_EXECUTABLE_VERSION, library::call, parallelFor, [] { return int32_t(Interruptible::stops()); },
                                [] { return int32_t(Interruptible::commits()); }};
  return &table;
}

void checkLibraryStatus(Op op, int32_t status, std::span<const int64_t> words) {
  const RegisteredOp *custom = op == Op::Custom && !words.empty() ? findRegistered(words[0]) : nullptr;
  std::string name = custom ? custom->op.title : info(op).name;
  if (status & KILN_SINGULAR) throw Error(ErrorKind::LinAlg, name + ": expected matrices of full rank, got a singular one");
  if (status & KILN_NOT_POSITIVE_DEFINITE)
    throw Error(ErrorKind::LinAlg, name + ": expected positive definite matrices, got one that is not");
  if (status & KILN_NOT_CONVERGED)
    throw Error(ErrorKind::LinAlg,
                name + ": expected an iteration that converges, got one that does not: look for nan and inf in the operand");
  if ((status & KILN_LIBRARY_MISSING) && op == Op::Custom)
    throw Error(ErrorKind::Package, name + ": expected the op and its code to be known in this process, got a program that calls it");
  if (status & KILN_LIBRARY_MISSING)
    throw Error(ErrorKind::Package,
                name + ": expected LAPACK: install the package scipy-openblas32, or set KILN_LAPACK to a library with LAPACK");
  if (status & KILN_OUT_OF_MEMORY) throw Error(ErrorKind::Memory, name + ": expected memory for the routine's workspace, got none");
  if (status & KILN_LIBRARY_FAILED)
    throw Error(ErrorKind::Value, name + ": expected the routine to take its operands, got an exception of it");
  if (status & KILN_INDEX_OUT_OF_RANGE) throw Error(ErrorKind::Index, name + ": expected positions inside, got one outside");
  if (int32_t own = status >> 16) throw Error(ErrorKind::Value, name + ": expected a kernel that returns 0, got " + std::to_string(own));
  if (status) throw Error(ErrorKind::Value, name + ": expected a function that returns 0, got status " + std::to_string(status));
}

} // namespace kiln
