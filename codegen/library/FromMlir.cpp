// Programs of kiln ops in MLIR as a package: each public function is one of the library.
#include "codegen/library/Parts.h"

#include "dialects/trace/Convert.h"
#include "lib/Core/Error.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace kiln::library {
namespace {

/// A symbol of a program for any size is a size of the caller.
void addSizes(PackageEntry &entry) {
  constexpr int64_t kLeast = 2; // programs for any size take no smaller one
  entry.checked.emplace_back();
  for (int64_t s = 0; s < entry.program.symbols; ++s) {
    entry.dimensions.push_back({"n" + std::to_string(s), kLeast});
    entry.symbols.push_back(SizeExpression::dimension(s));
    entry.checked[0].push_back({kLeast, entry.dimensions.back().most});
  }
}

PackageEntry entryOf(func::FuncOp fn) {
  PackageEntry entry;
  entry.name = fn.getName().str();
  entry.program = exportTrace(fn);
  addSizes(entry);
  for (auto [i, type] : llvm::enumerate(inputTypesOf(entry.program))) {
    auto given = fn.getArgAttrOfType<StringAttr>(unsigned(i), ir::kName);
    PackageInput input;
    input.name = given ? given.str() : "arg" + std::to_string(i);
    for (Size size : type.shape)
      input.shape.push_back(size.isSymbol() ? SizeExpression::dimension(size.symbol()) : SizeExpression::number(size.number()));
    entry.inputs.push_back(std::move(input));
  }
  for (unsigned i = 0; i < fn.getNumResults(); ++i) {
    auto given = fn.getResultAttrOfType<StringAttr>(i, ir::kName);
    entry.outputs.push_back({given ? given.str() : "out" + std::to_string(i)});
  }
  for (auto [output, input] : llvm::zip(entry.outputs, entry.program.replaces)) // none, or one for each output
    if (input >= 0) output = {entry.inputs[size_t(input)].name, input};
  entry.program.replaces.clear(); // that is for whoever compiles it
  return entry;
}

} // namespace

Package packageFromMlir(codegen::Session &session, llvm::StringRef source, const std::string &name) {
  std::string messages;
  ScopedDiagnosticHandler handler(&session.context, [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
  auto module = parseSourceString<ModuleOp>(source, &session.context);
  if (!module) fail(ErrorKind::Compile, "library", "program", "a package or a module of kiln ops", messages);
  Package package{name, {}, {}, {}};
  for (auto fn : module->getOps<func::FuncOp>())
    if (!fn.isPrivate()) package.entries.push_back(entryOf(fn));
  checkPackage(package);
  return package;
}

} // namespace kiln::library
