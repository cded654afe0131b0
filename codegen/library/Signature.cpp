// What a library says of itself, for programs that open it without its header.
#include "codegen/library/Interface.h"

#include "llvm/Support/JSON.h"

#include <limits>

namespace kiln::library {

using llvm::json::Array;
using llvm::json::Object;

static Array shapeOf(const Argument &argument, const std::vector<std::string> &names) {
  Array shape;
  for (const SizeExpression &size : argument.shape) {
    bool isNumber = size.items.size() == 1 && size.items[0].step == SizeExpression::Step::Number;
    if (isNumber) shape.push_back(size.items[0].value);
    else shape.push_back(toString(size, names));
  }
  return shape;
}

static Object describe(const Function &f) {
  static constexpr const char *kUses[] = {"in", "out", "inout", "value"};
  Array arguments, sizes;
  std::vector<std::string> names = f.dimensionNames();
  for (size_t i = 0; i < f.arguments[0].size(); ++i) {
    const Argument &first = f.arguments[0][i];
    Array shapes; // of each variant
    for (const std::vector<Argument> &variant : f.arguments)
      if (llvm::json::Value shape = shapeOf(variant[i], names); !llvm::is_contained(shapes, shape)) shapes.push_back(std::move(shape));
    Object made{{"name", first.name}, {"use", kUses[size_t(first.use)]}, {"dtype", info(first.dtype).name}, {"shapes", std::move(shapes)}};
    if (!first.capacity.empty()) { // arguments behind it
      Array found;
      for (size_t place : first.found) found.push_back(f.found[place].name);
      made["capacity"] = first.capacity;
      made["found"] = std::move(found);
    }
    arguments.push_back(std::move(made));
  }
  for (const Dimension &d : f.dimensions()) {
    Object size{{"name", d.name}, {"least", d.least}};
    if (d.most != std::numeric_limits<int64_t>::max()) size["most"] = d.most;
    if (d.isCounted()) size["bound"] = toString(d.bound, names); // values decide it, callers do not
    sizes.push_back(std::move(size));
  }
  return Object{{"name", f.name}, {"symbol", f.symbol}, {"arguments", std::move(arguments)}, {"sizes", std::move(sizes)}};
}

std::string signatureOf(const Interface &interface, const std::string &triple, const std::vector<std::string> &processors) {
  Array functions, weights;
  for (const Function &f : interface.functions) functions.push_back(describe(f));
  for (const PackageWeight &w : interface.package->weights)
    weights.push_back(Object{{"name", w.name}, {"dtype", info(w.type.dtype).name}, {"shape", Array(w.type.shape.numbers())}});
  llvm::json::Value all = Object{{"abi", 1},
                                 {"name", interface.name},
                                 {"target", triple},
                                 {"device", interface.isDevice ? "cuda" : "cpu"},
                                 {"processors", Array(processors)},
                                 {"threads", interface.threads},
                                 {"needs", interface.needsLapack() ? Array{"LAPACK"} : Array{}},
                                 {"functions", std::move(functions)},
                                 {"weights", std::move(weights)}};
  std::string text;
  llvm::raw_string_ostream(text) << all;
  return text;
}

} // namespace kiln::library
