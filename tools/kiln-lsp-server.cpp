// kiln-lsp-server: completion, definitions and errors for .mlir files of Kiln's dialects in editors that speak the language server
// protocol.
#include "codegen/Session.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  kiln::codegen::registerDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
