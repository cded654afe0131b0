// Programs of which no recording is made yet: bodies inside one another, devices, registered ops; and programs for any size.
#include "tools/fuzz/Fuzz.h"

#include "include/kiln/executable.h"
#include "lib/Core/Error.h"
#include "lib/Core/Generalize.h"
#include "lib/Core/Registry.h"

#include <bit>
#include <cstring>

namespace kiln::fuzz {
namespace {

int64_t elementsOf(const kiln_tensor &t) {
  int64_t n = 1;
  for (int i = 0; i < t.rank; ++i) n *= t.shape[i];
  return n;
}

/// fuzz.twice(x): x, and how many elements it has.
const RegisteredOp &twice() {
  static const RegisteredOp &op = registerOp({
      .name = "fuzz.twice",
      .operands = 1,
      .words = "Iid",
      .attributes = "list,number,type",
      .infer = [](const InferArgs &args) -> std::vector<TensorType> { return {args.operands[0], {DType::I64, {}}}; },
      .run = [](const kiln_tensor *tensors, const int64_t *) -> int32_t {
        int64_t n = elementsOf(tensors[0]);
        if (n)
          std::memcpy(tensors[1].data, tensors[0].data, size_t(n * byteSize(DType(tensors[0].dtype)))); // else they may have no address
        *static_cast<int64_t *>(tensors[2].data) = n;
        return 0;
      },
  });
  return op;
}

/// fuzz.call(x): what a body's first output is, where its first input is as x.
const RegisteredOp &call() {
  static const RegisteredOp &op = registerOp({
      .name = "fuzz.call",
      .operands = 1,
      .words = "b",
      .attributes = "body",
      .infer = [](const InferArgs &args) -> std::vector<TensorType> {
        const Trace &body = *args.bodies[size_t(args.words[0])];
        if (body.outputs.empty()) fail(ErrorKind::Value, args.op, "body", "an output", "none");
        return {body.types[size_t(body.outputs[0])]};
      },
      .run = [](const kiln_tensor *, const int64_t *) -> int32_t { return KILN_CUSTOM_FAILED; },
  });
  return op;
}

/// A few steps over an array of n rows, the same for a seed whatever n is.
Trace steps(uint64_t seed, int64_t n) {
  Random random(seed);
  Trace t;
  int64_t x = t.addInput({DType::F32, {n, 3}}), first = x;
  auto op = [&](Op id, std::vector<int64_t> operands, std::vector<int64_t> words = {}) { return t.addOp(id, operands, words); };
  for (int64_t i = 1 + below(random, 5); i > 0; --i) {
    int64_t rows = t.types[size_t(x)].shape[0].number();
    switch (below(random, 5)) {
    case 0: x = op(Op::Slice, {x}, {2, 1, 0, 2, rows - 1, 3, 2, 1, 1}); break;
    case 1: x = op(Op::Concat, {x, first}, {0}); break;
    case 2: x = op(Op::Transpose, {op(Op::Exp, {op(Op::Transpose, {x}, {2, 1, 0})})}, {2, 1, 0}); break;
    case 3: x = op(Op::Multiply, {x, op(Op::Broadcast, {op(Op::Sum, {x}, {1, 0})}, {1, 1, 2, rows, 3})}); break;
    default:
      x = op(Op::Multiply,
             {x, op(Op::Broadcast, {op(Op::Constant, {}, {int64_t(DType::F32), std::bit_cast<int32_t>(float(n))})}, {0, 2, rows, 3})});
    }
  }
  t.outputs = {x, op(Op::Sum, {x}, {1, 0})};
  return t;
}

} // namespace

Trace randomTree(Random &random, int depth) {
  Trace trace = randomProgram(random);
  for (int64_t n = depth < 3 ? below(random, 3) : 0; n > 0; --n)
    trace.bodies.push_back(std::make_shared<const Trace>(randomTree(random, depth + 1)));
  static constexpr const char *devices[] = {"cpu", "cuda:0", "cuda:1"};
  for (int64_t i = 0; i < trace.inputs; ++i)
    if (chance(random, 30)) {
      trace.devices.resize(size_t(i + 1), "cpu");
      trace.devices.back() = devices[1 + below(random, 2)];
    }
  for (int64_t n = 1 + below(random, 3); n > 0; --n) {
    int64_t slot = below(random, int64_t(trace.types.size()));
    bool calls = !trace.bodies.empty() && chance(random, 50);
    std::vector<int64_t> words = {call().id, below(random, std::max<int64_t>(1, int64_t(trace.bodies.size())))},
                         list = {twice().id, 2, -1, 5, 7, int64_t(DType::BF16)};
    try {
      trace.outputs.push_back(trace.addOp(Op::Custom, {&slot, 1}, calls ? words : list));
    } catch (const Error &) {} // a body without outputs
  }
  return trace;
}

Trace randomOpenProgram(Random &random) {
  uint64_t seed = random();
  auto open = generalize(steps(seed, 10), steps(seed, 20));
  if (!open) throw std::runtime_error("two sizes of one program have no program for both");
  return std::move(*open);
}

} // namespace kiln::fuzz
