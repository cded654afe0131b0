#include "passes/memory/PlanMemory/Planned.h"

#include "lib/Core/Infer.h"
#include "lib/Core/Trace.h"
#include "passes/memory/PlanMemory/InPlace.h"
#include "passes/memory/PlanMemory/Lifetimes.h"

#include <map>

using namespace mlir;

namespace kiln {

bool areAsLarge(const TensorType &a, const TensorType &b) {
  auto sorted = [](const Shape &shape) {
    SmallVector<Size> sizes(shape.begin(), shape.end());
    llvm::erase(sizes, Size(1));
    llvm::sort(sizes, Size::isBefore);
    return sizes;
  };
  return byteSize(a.dtype) == byteSize(b.dtype) && sorted(a.shape) == sorted(b.shape);
}

namespace {

int64_t bytesOf(const TensorType &type) {
  int64_t bytes = byteSize(type.dtype);
  for (Size d : type.shape)
    if (__builtin_mul_overflow(bytes, d.number(), &bytes)) return std::numeric_limits<int64_t>::max();
  return bytes;
}

/// The symbols that a program names are those that it says it has.
class SymbolVerifier {
public:
  explicit SymbolVerifier(func::FuncOp program) : program(program), given(ir::symbolsOf(program)), known(given) {
    if (auto products = program->getAttrOfType<ArrayAttr>(ir::kProducts)) known += int64_t(products.size());
  }

  LogicalResult run() {
    for (Type type : llvm::concat<const Type>(program.getArgumentTypes(), program.getResultTypes()))
      if (failed(check(program, type))) return failure();
    if (auto blocks = program->getAttrOfType<ArrayAttr>(ir::kBlocks))
      for (auto block : blocks.getAsValueRange<TypeAttr>())
        if (failed(check(program, block))) return failure();
    auto walked = program.walk([&](Operation *op) { return failed(check(op)) ? WalkResult::interrupt() : WalkResult::advance(); });
    return failure(walked.wasInterrupted());
  }

private:
  func::FuncOp program;
  int64_t given, known; // by the caller; with products of those
  DenseSet<Type> checked;

  LogicalResult check(Operation *op) {
    for (Type type : op->getResultTypes())
      if (failed(check(op, type))) return failure();
    if (auto slice = dyn_cast<ir::SliceOp>(op)) return check(op, slice.getStarts(), known);
    if (auto update = dyn_cast<ir::UpdateOp>(op)) return check(op, update.getStarts(), known);
    if (auto sized = dyn_cast<ir::SizedOp>(op)) return check(op, sized.getMost(), given);
    return success();
  }

  LogicalResult check(Operation *op, Type type) {
    if (!ir::isArray(type) || !checked.insert(type).second) return success();
    Shape shape = ir::typeOf(type).shape;
    return check(op, ArrayRef<Size>(shape.begin(), shape.end()), known);
  }

  static LogicalResult check(Operation *op, ArrayRef<Size> sizes, int64_t known) {
    for (Size size : sizes)
      if (size.isSymbol() && size.symbol() >= known)
        return op->emitOpError() << "sizes: expected symbols below " << known << ", which the function has by " << ir::kSymbols << " and "
                                 << ir::kProducts << ", got " << size.symbol();
    return success();
  }
};

/// The plan of a function whose operations hold each for itself.
class PlanVerifier {
public:
  explicit PlanVerifier(func::FuncOp program)
      : program(program), isBody(program.isPrivate()), lifetimes(program), safe(firstSafe(program, lifetimes)) {}

  LogicalResult run() {
    if (auto bytes = program->getAttrOfType<IntegerAttr>(ir::kWorkspaceBytes)) planned = bytes.getInt();
    if (planned < 0 || planned > kMostWorkspace)
      return program.emitOpError() << "workspace: expected 0 to " << kMostWorkspace << " bytes, got " << planned;
    if (auto list = program->getAttrOfType<ArrayAttr>(ir::kBlocks))
      for (auto block : list.getAsValueRange<TypeAttr>()) blocks.push_back(ir::typeOf(block));
    for (OpOperand &output : program.getBody().front().getTerminator()->getOpOperands())
      if (failed(placeOutput(output))) return failure();
    for (BlockArgument argument : program.getArguments()) lying[{Memory::Argument, argument.getArgNumber()}] = argument;
    for (auto kernel : program.getOps<ir::KernelOp>())
      for (OpResult result : kernel.getResults())
        if (failed(place(kernel, result)) || failed(write(kernel, result))) return failure();
    return success();
  }

private:
  enum class Memory { Argument, Output, Block, Workspace };
  /// Where an array lies: in what, and which one of them, or at which byte.
  using Place = std::pair<Memory, int64_t>;

  func::FuncOp program;
  bool isBody; // of a loop or branch
  Lifetimes lifetimes;
  int64_t safe, planned = 0;
  SmallVector<TensorType> blocks;
  DenseMap<Value, Place> places;         // of results of kernels
  llvm::SmallDenseSet<int64_t> replaced; // arguments whose memory an output has
  // What was written last, and is not overwritten yet.
  std::map<Place, Value> lying;
  std::map<int64_t, std::pair<int64_t, Value>> bytes; // of the workspace, by start: the end

  InFlightDiagnostic refuse(OpResult result) {
    return cast<ir::KernelOp>(result.getOwner()).emitOpError() << "workspace of result " << result.getResultNumber() << ": expected ";
  }

  LogicalResult placeOutput(OpOperand &output) {
    unsigned number = output.getOperandNumber();
    Value root = lifetimes.rootOf(output.get());
    auto fail = [&] { return program.emitOpError() << "result " << number << ": expected "; };
    auto argument = program.getResultAttrOfType<IntegerAttr>(number, ir::kInPlace);
    if (argument && isBody && argument.getInt() != number)
      return fail() << "a body's result in the place of the argument with its number, got " << argument.getInt();
    if (argument) replaced.insert(argument.getInt());
    if (argument && root == program.getArgument(unsigned(argument.getInt()))) return success();
    Place place = argument ? Place{Memory::Argument, argument.getInt()} : Place{Memory::Output, number};
    if (isa<BlockArgument>(root) || !places.insert({root, place}).second)
      return fail() << "the result of a kernel, which no other result is: run kiln-fuse first";
    if (!argument || !program.getResultAttr(number, ir::kReplaces) || isBody) return success();
    if (lifetimes.at(root.getDefiningOp()) < safe) return fail() << "its argument overwritten only where nothing can fail any more";
    return success();
  }

  /// Where a result lies; as far as it can be said without the others, that it may.
  LogicalResult place(ir::KernelOp kernel, OpResult result) {
    auto inPlace = kernel.getInPlace();
    int64_t given = (*kernel.getWorkspace())[result.getResultNumber()], input = inPlace ? (*inPlace)[result.getResultNumber()] : -1;
    if (input >= 0) {
      auto found = placeOf(kernel.getInputs()[size_t(input)]);
      bool isReplaced = isBody && found.first == Memory::Argument && replaced.contains(found.second);
      auto known = places.insert({result, found}).first;
      if (!isReplaced || known->second != found)
        return kernel.emitOpError() << "in_place: expected inputs that lie where an argument does whose place a result of the body takes";
    }
    if (places.contains(result)) {
      if (given == -1) return success();
      return refuse(result) << "-1, as it lies elsewhere, got " << given;
    }
    places[result] = given < 0 ? Place{Memory::Block, given} : Place{Memory::Workspace, given};
    return given < 0 ? checkBlock(result, given) : checkOffset(result, given);
  }

  Place placeOf(Value value) {
    Value root = lifetimes.rootOf(value);
    if (auto argument = dyn_cast<BlockArgument>(root)) return {Memory::Argument, argument.getArgNumber()};
    return places.lookup(root);
  }

  LogicalResult checkBlock(OpResult result, int64_t given) {
    if (given == -1) return refuse(result) << "a place, as it is no result of the function, got -1";
    size_t block = openBlock(given);
    if (block >= blocks.size()) return refuse(result) << "one of " << blocks.size() << " open blocks, got that of number " << block;
    if (areAsLarge(blocks[block], ir::typeOf(result))) return success();
    return refuse(result) << "a block as large as " << toString(ir::typeOf(result)) << ", got one of " << toString(blocks[block]);
  }

  LogicalResult checkOffset(OpResult result, int64_t given) {
    TensorType type = ir::typeOf(result);
    if (!type.shape.isStatic()) return refuse(result) << "an open block, as its size is open, got byte " << given;
    if (given % kPlanAlignment) return refuse(result) << "a multiple of " << kPlanAlignment << ", got " << given;
    if (bytesOf(type) <= planned - given) return success();
    return refuse(result) << bytesOf(type) << " bytes within the " << planned << " of the workspace, got them from " << given << " on";
  }

  /// A kernel writes a result over what lies there, which has to be over.
  LogicalResult write(ir::KernelOp kernel, OpResult result) {
    Place place = places.lookup(result);
    if (place.first != Memory::Workspace) {
      Value &there = lying[place];
      if (there && !isOver(kernel, result, there)) return overlaps(result);
      there = result;
      return success();
    }
    int64_t start = place.second, end = start + bytesOf(ir::typeOf(result));
    auto next = bytes.lower_bound(start);
    if (next != bytes.begin() && std::prev(next)->second.first > start) --next;
    while (start < end && next != bytes.end() && next->first < end) {
      auto [from, there] = *next;
      bool isRead = lifetimes.lastUse(there.second) == lifetimes.at(kernel);
      if (!isOver(kernel, result, there.second) || (isRead && from != start)) return overlaps(result);
      next = bytes.erase(next);
    }
    if (start < end) bytes.insert({start, {end, result}});
    return success();
  }

  /// Whether a result may be written over an array: nobody reads it later, and the kernel itself before it writes there.
  bool isOver(ir::KernelOp kernel, OpResult result, Value there) {
    auto last = lifetimes.lastUse(there);
    int64_t now = lifetimes.at(kernel);
    if (!last || *last > now || there.getDefiningOp() == kernel) return false;
    return *last < now || Reads(kernel).allow(result.getResultNumber(), there);
  }

  LogicalResult overlaps(OpResult result) { return refuse(result) << "memory that holds nothing which is read then or later"; }
};

} // namespace

LogicalResult verifyPlanned(func::FuncOp program) {
  if (program.isDeclaration()) return success();
  if (!program.getBody().hasOneBlock()) return program.emitOpError("expected one block of kernels: run kiln-fuse first");
  for (Operation &op : program.getBody().front()) {
    auto kernel = dyn_cast<ir::KernelOp>(op);
    if (!kernel && !isa<ir::ReshapeOp, func::ReturnOp>(op)) return op.emitOpError("expected only kernels: run kiln-fuse first");
    if (kernel && !kernel.getWorkspace()) return op.emitOpError("expected a planned workspace: run kiln-plan-memory first");
  }
  return failed(SymbolVerifier(program).run()) ? failure() : PlanVerifier(program).run();
}

} // namespace kiln
