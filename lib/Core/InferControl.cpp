#include "lib/Core/Control.h"

#include "lib/Core/Infer.h"
#include "lib/Core/Trace.h"

namespace kiln {
namespace {

[[noreturn]] void mismatch(const char *op, const std::string &what, const TensorType &expected, const TensorType &got) {
  fail(expected.dtype == got.dtype ? ErrorKind::Shape : ErrorKind::DType, op, what, toString(expected), toString(got));
}

/// The inputs of a body are of the types of the operands.
void checkInputs(const char *op, const std::string &body, std::span<const TensorType> operands, const Signature &signature) {
  if (signature.inputs.size() != operands.size())
    fail(ErrorKind::Value, op, ("inputs of " + body), std::to_string(operands.size()), std::to_string(signature.inputs.size()));
  for (size_t i = 0; i < operands.size(); ++i)
    if (!(signature.inputs[i] == operands[i])) mismatch(op, "input " + std::to_string(i) + " of " + body, operands[i], signature.inputs[i]);
}

/// Whether bodies lie at most `depth` deep in a trace.
bool isShallow(const Trace &trace, int depth) {
  if (depth == 0) return trace.bodies.empty();
  for (const auto &body : trace.bodies)
    if (!isShallow(*body, depth - 1)) return false;
  return true;
}

/// Bodies whose sizes are those of the program alone.
void checkNoneGiven(const char *op, std::span<const Signature> bodies) {
  for (const Signature &body : bodies)
    if (body.given) fail(ErrorKind::Value, op, "symbols of bodies", "none that operands give", std::to_string(body.given));
}

/// A type inside of a body as it is outside. Throws Error (shape) where it is of a size that is known inside alone.
TensorType outsideOf(const std::string &what, TensorType type, int64_t given) {
  for (int i = 0; i < type.shape.rank; ++i) {
    if (type.shape[i].isSymbol() && type.shape[i].symbol() < given)
      fail(ErrorKind::Shape, info(Op::Sized).name, what, "sizes that are known outside", toString(type));
    type.shape[i] = type.shape[i].shifted(-given);
  }
  return type;
}

std::vector<Signature> signaturesOf(const InferArgs &args, std::span<const int64_t> numbers) {
  std::vector<Signature> signatures;
  for (int64_t number : numbers) {
    if (number < 0 || size_t(number) >= args.bodies.size())
      fail(ErrorKind::Value, args.op, "bodies", "numbers below " + std::to_string(args.bodies.size()), std::to_string(number));
    signatures.push_back(signatureOf(args.op, *args.bodies[size_t(number)], args.symbols));
  }
  return signatures;
}

} // namespace

Signature signatureOf(const char *op, const Trace &body, int64_t symbols) {
  if (body.symbols - body.given > symbols)
    fail(ErrorKind::Value, op, "bodies", symbols < 0 ? "fixed sizes" : "at most " + std::to_string(symbols) + " symbols",
         std::to_string(body.symbols) + " symbols");
  if (!body.devices.empty()) fail(ErrorKind::Value, op, "bodies", "inputs of the host", "'" + body.devices.back() + "'");
  if (!isShallow(body, kMostNested - 1))
    fail(ErrorKind::Value, op, "bodies", "at most " + std::to_string(kMostNested) + " inside one another", "more");
  Signature signature;
  signature.given = body.given;
  for (size_t at = 0, slot = 0; at < body.words.size() && int64_t(signature.inputs.size()) < body.inputs;) {
    TraceOp entry = Trace::decode(body.words, at);
    if (entry.op == Op::Input) {
      if (entry.words[2 + size_t(entry.words[1])]) fail(ErrorKind::Value, op, "inputs of bodies", "row-major arrays", "strides");
      signature.inputs.push_back(body.types[slot]);
    }
    slot += entry.results;
  }
  for (int64_t output : body.outputs) signature.results.push_back(body.types[size_t(output)]);
  return signature;
}

std::vector<int64_t> bodyNumbers(const OpInfo &record, std::span<const int64_t> words) {
  std::vector<int64_t> numbers;
  for (const WordGroup &group : groupsOf(record, words)) {
    if (group.kind == 'b') numbers.push_back(group.words[0]);
    if (group.kind == 'B') numbers.insert(numbers.end(), group.words.begin() + 1, group.words.end());
  }
  return numbers;
}

std::vector<int64_t> withBodies(const OpInfo &record, std::span<const int64_t> words, std::span<const int64_t> numbers) {
  std::vector<int64_t> result;
  size_t next = 0;
  for (const WordGroup &group : groupsOf(record, words)) {
    bool isBody = group.kind == 'b', isList = group.kind == 'B';
    size_t given = isBody ? 1 : isList ? group.words.size() - 1 : 0;
    result.insert(result.end(), group.words.begin(), group.words.end() - ptrdiff_t(given));
    result.insert(result.end(), numbers.begin() + ptrdiff_t(next), numbers.begin() + ptrdiff_t(next + given));
    next += given;
  }
  return result;
}

std::vector<TensorType> loopTypes(std::span<const TensorType> operands, const Signature &condition, const Signature &body) {
  const std::vector<TensorType> &carried = body.results;
  const Signature both[] = {condition, body};
  checkNoneGiven(info(Op::Loop).name, both);
  checkInputs(info(Op::Loop).name, "the condition", operands, condition);
  checkInputs(info(Op::Loop).name, "the body", operands, body);
  if (condition.results.size() != 1)
    fail(ErrorKind::Value, info(Op::Loop).name, "results of the condition", "1", std::to_string(condition.results.size()));
  if (TensorType flag{DType::Bool, {}}; !(condition.results[0] == flag))
    mismatch(info(Op::Loop).name, "result of the condition", flag, condition.results[0]);
  if (carried.empty() || carried.size() > operands.size())
    fail(ErrorKind::Value, info(Op::Loop).name, "carried values", "1 to " + std::to_string(operands.size()),
         std::to_string(carried.size()));
  for (size_t i = 0; i < carried.size(); ++i)
    if (!(carried[i] == operands[i])) mismatch(info(Op::Loop).name, "carried value " + std::to_string(i), operands[i], carried[i]);
  return carried;
}

std::vector<TensorType> branchTypes(std::span<const TensorType> operands, std::span<const Signature> bodies) {
  if (bodies.empty()) fail(ErrorKind::Value, info(Op::Branch).name, "bodies", "at least 1", "0");
  checkNoneGiven(info(Op::Branch).name, bodies);
  bool isNumber = !operands.empty() && operands[0].shape.rank == 0 && (operands[0].dtype == DType::Bool || operands[0].dtype == DType::I64);
  if (!isNumber)
    fail(ErrorKind::DType, info(Op::Branch).name, "the number of the body", "a bool or int64 of rank 0",
         operands.empty() ? "none" : toString(operands[0]));
  const std::vector<TensorType> &results = bodies[0].results;
  if (results.empty()) fail(ErrorKind::Value, info(Op::Branch).name, "results", "at least 1", "0");
  for (size_t i = 0; i < bodies.size(); ++i) {
    std::string body = "body " + std::to_string(i);
    checkInputs(info(Op::Branch).name, body, operands.subspan(1), bodies[i]);
    if (bodies[i].results.size() != results.size())
      fail(ErrorKind::Value, info(Op::Branch).name, ("results of " + body), std::to_string(results.size()),
           std::to_string(bodies[i].results.size()));
    for (size_t k = 0; k < results.size(); ++k)
      if (!(bodies[i].results[k] == results[k]))
        mismatch(info(Op::Branch).name, "result " + std::to_string(k) + " of " + body, results[k], bodies[i].results[k]);
  }
  return results;
}

std::vector<TensorType> sizedTypes(std::span<const TensorType> operands, const Shape &most, const Signature &body) {
  const char *op = info(Op::Sized).name;
  auto given = size_t(most.rank);
  const TensorType number{DType::I64, {}};
  if (body.given != int64_t(given) || given == 0)
    fail(ErrorKind::Value, op, "sizes in `most`", given ? std::to_string(body.given) + " as the body is given" : "at least 1",
         std::to_string(given));
  if (operands.size() < given) fail(ErrorKind::Value, op, "operands", "at least " + std::to_string(given), std::to_string(operands.size()));
  for (size_t i = 0; i < given; ++i)
    if (!(operands[i] == number)) mismatch(op, "size " + std::to_string(i), number, operands[i]);
  for (Size size : most)
    if (size.isConstant() && size.number() < 2) fail(ErrorKind::Shape, op, "sizes in `most`", "at least 2", std::to_string(size.number()));
  Signature outside;
  for (const TensorType &type : body.inputs) outside.inputs.push_back(outsideOf("inputs of the body", type, body.given));
  for (const TensorType &type : body.results) outside.results.push_back(outsideOf("results of the body", type, body.given));
  checkInputs(op, "the body", operands.subspan(given), outside);
  if (outside.results.empty()) fail(ErrorKind::Value, op, "results", "at least 1", "0");
  return outside.results;
}

std::vector<TensorType> inferLoop(const InferArgs &args) {
  auto bodies = signaturesOf(args, bodyNumbers(info(Op::Loop), args.words));
  return loopTypes(args.operands, bodies[0], bodies[1]);
}

std::vector<TensorType> inferSized(const InferArgs &args) {
  if (args.symbols < 0) fail(ErrorKind::Value, args.op, "the program", "one with symbols", "fixed sizes");
  auto body = signaturesOf(args, args.words.first(1));
  Shape most = WordReader{args.words, 1}.sizes(args.op, args.symbols);
  std::vector<TensorType> types = sizedTypes(args.operands, most, body[0]);
  checkSizedBody(*args.bodies[size_t(args.words[0])], most);
  return types;
}

std::vector<TensorType> inferBranch(const InferArgs &args) {
  return branchTypes(args.operands, signaturesOf(args, bodyNumbers(info(Op::Branch), args.words)));
}

} // namespace kiln
