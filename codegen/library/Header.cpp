// The header of a library: C99 and C++17.
#include "codegen/library/Interface.h"

#include "include/kiln/executable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace kiln::library {
namespace {

struct Status {
  const char *name;
  int number;
  const char *text;
};
const Status kStatuses[] = {
    {"OK", 0, "success"},
#define KILN_STATUS(name, number, text) {#name, number, text},
#include "include/kiln/statuses.inc"
#undef KILN_STATUS
    {"INDEX_OUT_OF_RANGE", KILN_INDEX_OUT_OF_RANGE, "an index in the data is out of range"},
    {"SINGULAR", KILN_SINGULAR, "a matrix is singular"},
    {"NOT_POSITIVE_DEFINITE", KILN_NOT_POSITIVE_DEFINITE, "a matrix is not positive definite"},
    {"NOT_CONVERGED", KILN_NOT_CONVERGED, "an iteration did not converge"},
    {"ROUTINE_MISSING", KILN_LIBRARY_MISSING, "a routine is missing that the function calls"},
    {"NO_MEMORY_FOR_ROUTINE", KILN_OUT_OF_MEMORY, "a routine that the function calls got no memory"},
    {"CUSTOM_FAILED", KILN_CUSTOM_FAILED, "the kernel of a custom op failed"},
};

class Writer {
public:
  Writer(const Interface &interface, const std::string &machine, System system)
      : it(interface), machine(machine), isBare(system == System::None), upper(llvm::StringRef(it.name).upper()) {}

  std::string write() {
    begin();
    statuses();
    weights();
    if (it.isDevice) deviceLibrary();
    else if (isBare) bareLibrary();
    else library();
    for (const Function &f : it.functions) function(f);
    if (!isBare) tensors();
    out << "#ifdef __cplusplus\n}\n#endif\n\n";
    if (!isBare) traits();
    out << "#endif\n";
    return text;
  }

private:
  const Interface &it;
  const std::string &machine;
  bool isBare; // no operating system: nothing is opened, and callers give all memory
  std::string text, upper;
  llvm::raw_string_ostream out{text};

  void begin() {
    out << "/* " << it.name << ": functions that Kiln compiled for " << machine << ".\n\n"
        << (it.isDevice
                ? "   Arrays are in memory of a device of CUDA, numbers are given by value. Work is put into `stream`, a CUstream (NULL: "
                  "the default one)\n   of that device, and calls return before it is done, but for functions that can fail on values or "
                  "ask "
                  "for them: these wait.\n\n"
                : "")
        << "   Arrays are row-major, aligned to their elements, and belong to the caller. What is written must not overlap any other "
           "argument. A\n"
        << "   function may be called from many threads at once, for one opened library; it keeps nothing from call to call. Where it "
           "fails it\n"
        << "   returns a status and, where `err` is not NULL, a sentence that names the argument in the `errlen` bytes there.\n\n"
        << (it.needsLapack() ? "   Decompositions call LAPACK: the shared object names liblapack.so.3, an object or archive is linked with "
                               "-llapack.\n\n"
                             : "")
        << "   `workspace` is memory for one call: aligned to 64 bytes, as large as <function>_workspace_size says. "
        << (it.isDevice
                ? "It is memory of the device. NULL:\n   the library takes it for the call, in the order of the stream, from a pool that "
                  "it keeps until it is closed. */\n"
            : isBare
                ? "Nothing else is written. */\n"
                : "NULL: the library has memory of\n   its own for that, which it keeps until it is closed; a call allocates only when "
                  "more run at once than before. */\n")
        << "#ifndef " << upper << "_H\n#define " << upper << "_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n"
        << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
        << "/** Of this header; " << it.name << "_abi_version() returns the library's. */\n#define " << upper << "_ABI_VERSION 1\n\n";
  }

  void statuses() {
    out << "/** What functions return: 0; below 0 what is wrong with a call; above 0 bits of what is wrong with the data. Then what is "
           "written is\n"
        << "    undefined, and arguments that are read and written are as before. */\nenum {\n";
    for (const Status &s : kStatuses)
      out << "  " << upper << "_" << s.name << " = " << s.number << (&s == std::end(kStatuses) - 1 ? " " : ", ") << "/**< " << s.text
          << " */\n";
    out << "};\n\n";
  }

  void weights() {
    const std::vector<PackageWeight> &list = it.package->weights;
    if (list.empty()) {
      out << "/** There are none. */\ntypedef struct " << it.name << "_weights " << it.name << "_weights;\n\n";
      return;
    }
    out << "/** The arrays that the functions share. */\ntypedef struct " << it.name << "_weights {\n";
    for (auto [w, name] : llvm::zip(list, it.weights))
      out << "  const " << elementInC(w.type.dtype) << " *" << name << "; /**< " << toString(w.type) << " */\n";
    out << "} " << it.name << "_weights;\n\n";
  }

  void deviceLibrary() {
    const std::string &n = it.name;
    out << "/** An opened library. */\ntypedef struct " << n << " " << n << ";\n\n"
        << "/** How a library is opened; set what is not used to 0. */\ntypedef struct " << n << "_options {\n"
        << "  size_t bytes; /**< sizeof(" << n << "_options) */\n"
        << "  const " << n
        << "_weights *weights; /**< in memory of the device, used instead of the library's own; they must last until it is closed or gets "
           "others */\n"
        << "  const char *weights_path; /**< the file of the weights, where they are in one; NULL: it lies beside the library */\n"
        << "  int64_t device; /**< its number, as cuDeviceGet takes it */\n"
        << "  const void *none; /**< NULL */\n"
        << "} " << n << "_options;\n\n"
        << "/** Opens the library: the driver (libcuda.so.1, or what KILN_CUDA_DRIVER names), the device's primary context, code, and a "
           "copy of "
           "the\n    weights. `options` may be NULL. `*m` is for "
        << n << "_close, or NULL after an error. */\n";
    opening("No call may run then, or start later. It waits for the device.");
  }

  void library() {
    const std::string &n = it.name;
    out << "/** An opened library. */\ntypedef struct " << n << " " << n << ";\n\n"
        << "/** Iterations [from, to) of a loop; `scratch` is memory of the calling thread. */\n"
        << "typedef void (*" << n << "_task)(void *context, void *scratch, int64_t from, int64_t to);\n\n"
        << "/** How a library is opened; set what is not used to 0. */\ntypedef struct " << n << "_options {\n"
        << "  size_t bytes; /**< sizeof(" << n << "_options) */\n"
        << "  const " << n
        << "_weights *weights; /**< used instead of the library's own; they must last until it is closed or gets others */\n"
        << "  const char *weights_path; /**< the file of the weights, where they are in one; NULL: it lies beside the library */\n"
        << "  /** Runs task(context, ...) for all of [0, count), at least `grain` iterations at a time, in any threads, each with its own\n"
        << "      `scratch_bytes` bytes of scratch aligned to 64 bytes (`scratch` in this thread), and returns when all have run. NULL: "
           "loops run in\n"
        << "      the calling thread, or as `threads` says. Results are the same bits. */\n"
        << "  void (*parallel_for)(" << n
        << "_task task, void *context, void *scratch, int64_t scratch_bytes, int64_t count, int64_t grain);\n"
        << "  int64_t threads; /**< loops of one call at a time are shared out to so many, the calling one included: a pool of the "
           "library's own until\n                        it is closed; 1: they are not; 0: "
        << it.threads << ". Not beside `parallel_for` */\n"
        << "  const void *none; /**< NULL */\n"
        << "} " << n << "_options;\n\n"
        << "/** Opens the library. `options` may be NULL. `*m` is for " << n << "_close, or NULL after an error. */\n";
    opening("No call may run then, or start later.");
  }

  /// What is declared behind the options.
  void opening(const char *closing) {
    const std::string &n = it.name;
    out << "int32_t " << n << "_open(" << n << " **m, const " << n << "_options *options, char *err, size_t errlen);\n"
        << "/** " << closing << " */\nvoid " << n << "_close(" << n << " *m);\n"
        << "/** Calls that start from now on use other weights, which must last until the library is closed or gets others. When it "
           "returns, the old\n"
        << "    ones are not used any more. Other threads may call functions meanwhile. */\n"
        << "int32_t " << n << "_set_weights(" << n << " *m, const " << n << "_weights *weights, char *err, size_t errlen);\n"
        << "/** The weights that calls use now. */\n"
        << "int32_t " << n << "_get_weights(const " << n << " *m, " << n << "_weights *weights, char *err, size_t errlen);\n"
        << "/** Functions, arguments, dtypes, shapes and bounds of sizes, as JSON. */\nconst char *" << n << "_signature(void);\n"
        << "const char *" << n << "_status_text(int32_t status);\nint32_t " << n << "_abi_version(void);\n\n";
  }

  void bareLibrary() {
    const std::string &n = it.name;
    out << "/** A library that is ready, in memory of the caller's; its fields are the library's. */\n"
        << "typedef struct " << n << " {\n  const void *fields[2];\n} " << n << ";\n\n"
        << "/** Makes *m ready. `weights` are pointers that must last as long as it, or NULL for the library's own. */\n"
        << "int32_t " << n << "_init(" << n << " *m, const " << n << "_weights *weights);\n"
        << "/** Functions, arguments, dtypes, shapes and bounds of sizes, as JSON. */\nconst char *" << n << "_signature(void);\n"
        << "const char *" << n << "_status_text(int32_t status);\nint32_t " << n << "_abi_version(void);\n\n";
  }

  void sizes(const Function &f) {
    for (const std::string &name : llvm::ArrayRef(f.sizes).take_front(f.chosen())) out << ", int64_t " << name;
  }
  void results(const Function &f) {
    for (const Argument &a : llvm::ArrayRef(f.arguments[0]).drop_front(f.given)) {
      out << ", " << typeInC(a) << a.name;
      if (!a.capacity.empty()) out << ", int64_t " << a.capacity;
      for (size_t place : a.found) out << ", int64_t *" << f.found[place].name;
    }
  }

  void function(const Function &f) {
    const std::vector<Argument> &arguments = f.arguments[0];
    out << "/** Runs `" << f.name << "`.\n\n";
    for (auto [i, a] : llvm::enumerate(arguments)) {
      const char *direction = a.use == Use::Written ? "out" : a.use == Use::ReadAndWritten ? "in,out" : "in";
      out << "    @param[" << direction << "] " << a.name << " " << describe(f, i) << noteOn(a.dtype);
      if (a.weight >= 0) out << "; what it starts as is `" << it.weights[size_t(a.weight)] << "` of " << it.name << "_get_weights";
      out << "\n";
      if (!a.capacity.empty()) out << "    @param " << a.capacity << " how many elements there is room for in `" << a.name << "`\n";
      for (size_t place : a.found)
        out << "    @param[out] " << f.found[place].name << " set to " << describe(f, f.found[place])
            << ", also where there is too little room for it; or NULL\n";
    }
    counted(f);
    for (auto [d, size] : llvm::zip(llvm::ArrayRef(f.dimensions()).take_front(f.chosen()), f.sizes)) {
      out << "    @param " << size << " a size, at least " << d.least;
      if (d.most != std::numeric_limits<int64_t>::max()) out << " and at most " << d.most;
      out << "\n";
    }
    out << "    @param workspace memory for the call" << (isBare ? "" : ", or NULL") << "\n"
        << (it.isDevice ? "    @param stream where the work goes, a CUstream\n" : "") << "    @return " << upper
        << "_OK or another status */\n";
    out << "int32_t " << f.symbol << "(const " << it.name << " *m";
    for (const Argument &a : llvm::ArrayRef(arguments).take_front(f.given)) out << ", " << typeInC(a) << a.name;
    sizes(f);
    results(f);
    out << ", void *workspace, size_t workspace_bytes, char *err, size_t errlen" << stream() << ");\n"
        << "/** Bytes of the workspace of " << f.symbol << "; below 0: a status. */\n"
        << "int64_t " << f.symbol << "_workspace_size(const " << it.name << " *m";
    sizes(f);
    out << ");\n\n";
  }

  const char *stream() const { return it.isDevice ? ", void *stream" : ""; }

  /// The sizes that values decide.
  void counted(const Function &f) {
    for (size_t i = f.chosen(); i < f.sizes.size(); ++i)
      out << "    " << f.sizes[i] << " is a number that the values decide, at most " << toString(f.dimensions()[i].bound, f.sizes) << "\n";
  }

  static const char *noteOn(DType dtype) {
    if (dtype == DType::Bool) return ": 0 or 1";
    if (isComplex(dtype)) return ": pairs of a real and an imaginary part";
    return isNarrow(dtype) ? ": its bits" : "";
  }

  void traits() {
    const std::string &n = it.name;
    out << "#if defined(__cplusplus) && defined(KILN_KILN_HPP) /* kiln/kiln.hpp was included before */\n"
        << "template <> struct kiln::library_traits<" << n << "> {\n  using options = " << n << "_options;\n";
    bool hasWeights = !it.package->weights.empty();
    out << (hasWeights ? "  using weights = " + n + "_weights;\n" : "  struct weights {}; // none\n");
    out << "  static constexpr auto open = " << n << "_open;\n  static constexpr auto close = " << n << "_close;\n";
    for (const char *function : {"get_weights", "set_weights"})
      if (hasWeights) out << "  static constexpr auto " << function << " = " << n << "_" << function << ";\n";
    if (it.isDevice) out << "  static constexpr bool is_device = true;\n";
    out << "};\n#endif\n";
  }

  void tensors() {
    out << "#ifdef DLPACK_DLPACK_H_ /* dlpack.h was included before */\n"
        << "/* The same for tensors " << (it.isDevice ? "of the library's device" : "of the host")
        << " that are row-major: shapes, types and layouts are checked, sizes come from the inputs; "
           "numbers are "
        << (it.isDevice ? "the host's, of\n" : "of\n")
        << "   rank 0. `inputs` and `outputs` are the arguments above in their order, those that are both among the inputs. The shape of a "
           "result "
           "whose size\n   values decide says how much room there is for it, and is set to what it has. */\n";
    for (const Function &f : it.functions)
      out << "int32_t " << f.symbol << "_dlpack(const " << it.name
          << " *m, const DLTensor *const *inputs, size_t input_count, const DLTensor *const *outputs, size_t output_count, void "
             "*workspace, "
             "size_t workspace_bytes, char *err, size_t errlen"
          << stream() << ");\n";
    out << "#endif\n\n";
  }
};

} // namespace

std::string headerOf(const Interface &interface, const std::string &machine, System system) {
  return Writer(interface, machine, system).write();
}

} // namespace kiln::library
