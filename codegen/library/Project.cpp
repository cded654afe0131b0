// A folder to start from: a library, its header, and a program that calls it.
#include "codegen/library/Parts.h"

#include "lib/Core/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <filesystem>
#include <fstream>

namespace kiln::library {
namespace {

namespace fs = std::filesystem;

void writeFile(const fs::path &path, const std::string &text) {
  std::ofstream out(path);
  out << text;
  out.close();
  if (!out) fail(ErrorKind::Package, "library", "project", "a folder that can be written", "'" + path.string() + "'");
}

/// An expression of sizes as C has it, with the smallest sizes that are allowed for those that the user is to choose.
std::string elementsOf(const Function &f, const Argument &a) {
  std::vector<int64_t> sizes;
  for (const Dimension &d : f.dimensions())
    sizes.push_back(std::max<int64_t>(d.isCounted() ? evaluate(d.bound, sizes).value_or(1) : d.least, 1));
  int64_t count = 1;
  for (const SizeExpression &size : a.shape) count *= evaluate(size, sizes).value_or(1);
  return std::to_string(std::max<int64_t>(count, 1));
}

std::string callOf(const Function &f, const std::string &prefix) {
  std::string arrays, inputs, sizes, outputs;
  for (auto [i, a] : llvm::enumerate(f.arguments[0])) {
    std::string variable = prefix + a.name, element = elementInC(a.dtype);
    if (a.use == Use::Value) arrays += "  " + element + " " + variable + " = 0;\n";
    else arrays += "  static " + element + " " + variable + "[" + elementsOf(f, a) + "]; /* " + describe(f, i) + " */\n";
    (a.isInput() ? inputs : outputs) += ", " + variable;
    if (!a.capacity.empty()) outputs += ", " + elementsOf(f, a);
    for (size_t i = 0; i < a.found.size(); ++i) outputs += ", NULL";
  }
  for (const Dimension &d : llvm::ArrayRef(f.dimensions()).take_front(f.chosen()))
    sizes += ", " + std::to_string(std::max<int64_t>(d.least, 1)) + " /* " + d.name + " */";
  return arrays + "  status = " + f.symbol + "(m" + inputs + sizes + outputs + ", NULL, 0, err, sizeof err);\n" + "  printf(\"" + f.symbol +
         ": %s\\n\", status ? err : \"ok\");\n";
}

/// Opens the library; weights that a program gives are zeros here.
std::string openOf(const Interface &it, Weights mode) {
  std::string arrays, pointers, options = "NULL";
  if (mode == Weights::Caller && !it.weights.empty()) {
    for (auto [w, name] : llvm::zip(it.package->weights, it.weights)) {
      std::string bytes = std::to_string(std::max<size_t>(w.bytes.size() / size_t(byteSize(realType(w.type.dtype))), 1));
      arrays += "  static " + elementInC(w.type.dtype) + " w_" + name + "[" + bytes + "]; /* " + toString(w.type) + " */\n";
      pointers += (pointers.empty() ? "w_" : ", w_") + name;
    }
    arrays += "  " + it.name + "_weights weights = {" + pointers + "};\n  " + it.name +
              "_options options = {sizeof options, &weights, NULL, NULL, 0, NULL};\n";
    options = "&options";
  }
  return arrays + "  int32_t status = " + it.name + "_open(&m, " + options + ", err, sizeof err);\n";
}

std::string mainOf(const Interface &it, const std::string &header, Weights mode) {
  std::string calls;
  for (const Function &f : it.functions) calls += callOf(f, f.name + "_");
  return "/* Calls each function once, with zeros: a place to start from. */\n#include \"" + header +
         "\"\n\n#include <stdio.h>\n\nint main(void) {\n  char err[256];\n  " + it.name + " *m;\n" + openOf(it, mode) +
         "  if (status) return fprintf(stderr, \"%s\\n\", err), 1;\n" + calls + "  " + it.name + "_close(m);\n  return status != 0;\n}\n";
}

std::string cmakeOf(const Interface &it, const std::string &library) {
  return "cmake_minimum_required(VERSION 3.16)\nproject(" + it.name + "_example C)\n\nadd_library(" + it.name + " SHARED IMPORTED)\n" +
         "set_target_properties(" + it.name + " PROPERTIES IMPORTED_LOCATION ${CMAKE_SOURCE_DIR}/" + library +
         "\n  INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_SOURCE_DIR})\nadd_executable(" + it.name + "_main main.c)\ntarget_link_libraries(" +
         it.name + "_main PRIVATE " + it.name + ")\n";
}

} // namespace

void writeProject(const Interface &interface, const std::string &folder, const std::string &library, const std::string &header,
                  Weights mode) {
  std::error_code error;
  fs::create_directories(folder, error);
  auto copy = [&](const fs::path &from) {
    if (fs::equivalent(from.parent_path().empty() ? "." : from.parent_path(), folder, error)) return;
    fs::copy_file(from, fs::path(folder) / from.filename(), fs::copy_options::overwrite_existing, error);
    if (error) fail(ErrorKind::Package, "library", "project", "a folder that can be written", "'" + folder + "': " + error.message());
  };
  copy(library);
  copy(header);
  fs::path weights = fs::path(library).replace_extension(".safetensors");
  if (mode == Weights::File && fs::exists(weights)) copy(weights);
  fs::path here(folder);
  writeFile(here / "CMakeLists.txt", cmakeOf(interface, fs::path(library).filename()));
  writeFile(here / "main.c", mainOf(interface, fs::path(header).filename(), mode));
}

} // namespace kiln::library
