// What tools are told of targets: --load opens a library that registers one, --target names one.
#pragma once

#include "codegen/Target.h"
#include "lib/Core/Error.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace kiln::tools {

inline llvm::cl::list<std::string> libraries("load", llvm::cl::desc("A library that registers a target"));

/// The values of an option, before the command line is parsed.
inline std::vector<std::string> valuesOf(llvm::ArrayRef<char *> arguments, llvm::StringRef option) {
  std::vector<std::string> values;
  for (size_t i = 1; i < arguments.size(); ++i) {
    llvm::StringRef argument = arguments[i];
    if (!argument.consume_front("-")) continue;
    argument.consume_front("-");
    if (!argument.consume_front(option)) continue;
    if (argument.consume_front("=")) values.push_back(argument.str());
    else if (argument.empty() && i + 1 < arguments.size()) values.push_back(arguments[++i]);
  }
  return values;
}

/// Opens the libraries of the command line: before it is parsed, as what can be said depends on the targets that there are. Throws Error
/// (value).
inline void loadTargets(int argc, char **argv) {
  std::string error;
  for (const std::string &library : valuesOf({argv, size_t(argc)}, "load"))
    if (llvm::sys::DynamicLibrary::LoadLibraryPermanently(library.c_str(), &error))
      throw Error(ErrorKind::Value, "--load: expected a library, got '" + library + "': " + error);
}

/// The target of the command line, whose libraries are opened. Throws Error (value, device).
inline const codegen::Target &readTarget(int argc, char **argv) {
  loadTargets(argc, argv);
  std::vector<std::string> names = valuesOf({argv, size_t(argc)}, "target");
  return codegen::targetOf(names.empty() ? "cpu" : names.back());
}

/// Says what is wrong with the command line, and gives the status that a tool ends with.
inline int fail(const char *tool, const Error &error) {
  llvm::errs() << llvm::sys::path::filename(tool) << ": " << error.what() << "\n";
  return 1;
}

} // namespace kiln::tools
