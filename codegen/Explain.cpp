// What became of a program, for people: its kernels, why they are apart and how their loops run, as JSON.
#include "codegen/Session.h"

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace kiln::codegen {

static int64_t slotOf(Operation &op) {
  auto place = dyn_cast<FileLineColLoc>(op.getLoc());
  return place ? int64_t(place.getLine()) : -1;
}

/// Empty for a kernel that has none.
static std::string textOf(Attribute attribute) {
  std::string text;
  if (attribute) llvm::raw_string_ostream(text) << attribute;
  return text;
}

std::string explainKernels(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream out(stream);
  out.array([&] {
    module.walk([&](ir::KernelOp kernel) {
      out.object([&] {
        out.attribute("kind", ir::stringifyKernelKind(kernel.getKind()));
        out.attribute("schedule", textOf(kernel.getScheduleAttr()));
        out.attributeArray("results", [&] {
          for (Type type : kernel.getResultTypes()) out.value(toString(ir::typeOf(type)));
        });
        out.attributeArray("ops", [&] {
          for (Operation &op : kernel.getBody().front().without_terminator())
            out.array([&] { out.value(op.getName().stripDialect()), out.value(slotOf(op)); });
        });
        out.attributeArray("apart", [&] {
          for (Attribute note : kernel.getApartAttr() ? kernel.getApartAttr().getValue() : ArrayRef<Attribute>())
            out.array([&] {
              for (Attribute part : cast<ArrayAttr>(note))
                if (auto number = dyn_cast<IntegerAttr>(part)) out.value(number.getInt());
                else out.value(cast<StringAttr>(part).getValue());
            });
        });
      });
    });
  });
  return text;
}

} // namespace kiln::codegen
