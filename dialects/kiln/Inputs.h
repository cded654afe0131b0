// How ops with a region write their inputs: "(%argument = %operand : type, ...)".
#pragma once

#include "mlir/IR/OpImplementation.h"

namespace kiln {

inline void printInputs(mlir::OpAsmPrinter &printer, mlir::Block::BlockArgListType arguments, mlir::ValueRange inputs) {
  printer << "(";
  llvm::interleaveComma(llvm::zip(arguments, inputs), printer, [&](auto pair) {
    printer << std::get<0>(pair) << " = " << std::get<1>(pair) << " : " << std::get<0>(pair).getType();
  });
  printer << ") ";
}

/// What `printInputs` wrote: arguments for the region, and operands to resolve once the types are known.
struct Inputs {
  llvm::SmallVector<mlir::OpAsmParser::Argument> arguments;
  llvm::SmallVector<mlir::OpAsmParser::UnresolvedOperand> operands;
  llvm::SmallVector<mlir::Type> types;
  mlir::SMLoc where;

  mlir::ParseResult parse(mlir::OpAsmParser &parser) {
    where = parser.getCurrentLocation();
    return parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Paren, [&]() -> mlir::ParseResult {
      mlir::Type type;
      if (parser.parseArgument(arguments.emplace_back()) || parser.parseEqual() || parser.parseOperand(operands.emplace_back()) ||
          parser.parseColonType(type))
        return mlir::failure();
      types.push_back(arguments.back().type = type);
      return mlir::success();
    });
  }
  mlir::ParseResult resolve(mlir::OpAsmParser &parser, mlir::OperationState &result) const {
    return parser.resolveOperands(operands, types, where, result.operands);
  }
};

} // namespace kiln
