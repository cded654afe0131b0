// Ops that tests register.
#pragma once

#include "include/kiln/executable.h"
#include "lib/Core/Error.h"
#include "lib/Core/Infer.h"
#include "lib/Core/Registry.h"
#include "lib/Core/Trace.h"

namespace kiln::test {

inline float elementOf(const kiln_tensor &t, int64_t i) { return static_cast<const float *>(t.data)[i * t.strides[0]]; }

/// test.scaled_add(x, y, factor, power): x + factor * y to the power, twice over: a row, and its size. Version 2; in version 1 there was no
/// power, and the factor had another name.
inline const RegisteredOp &scaledAdd() {
  static const RegisteredOp &op = registerOp({
      .name = "test.scaled_add",
      .version = 2,
      .summary = "x + factor * y, and how many they are.",
      .operands = 2,
      .accepts = Accepts::RealInexact,
      .words = "si",
      .attributes = "factor,power",
      .infer = [](const InferArgs &args) -> std::vector<TensorType> {
        const TensorType &x = args.operands[0], &y = args.operands[1];
        if (!(x == y) || x.dtype != DType::F32 || x.shape.rank != 1)
          fail(ErrorKind::Shape, args.op, "operands", "two rows of float32", toString(x) + " and " + toString(y));
        if (args.words[0] != int64_t(DType::F32)) fail(ErrorKind::DType, args.op, "factor", "float32", info(DType(args.words[0])).name);
        return {x, {DType::I64, {}}};
      },
      .run = [](const kiln_tensor *tensors, const int64_t *words) -> int32_t {
        float factor = std::bit_cast<float>(int32_t(words[1]));
        int64_t n = tensors[0].shape[0];
        for (int64_t i = 0; i < n; ++i) {
          float scaled = elementOf(tensors[1], i);
          for (int64_t k = 0; k < words[2]; ++k) scaled *= factor;
          static_cast<float *>(tensors[2].data)[i] = elementOf(tensors[0], i) + scaled;
        }
        *static_cast<int64_t *>(tensors[3].data) = n;
        return 0;
      },
      .upgrade =
          [](int from, StoredOp &op) {
            if (from != 1) return;
            if (StoredAttribute *alpha = op.find("alpha")) alpha->name = "factor";
            op.attributes.push_back({"power", StoredAttribute::Integer, {1}, DType::F32});
          },
  });
  return op;
}

/// test.negated(x): -x; status 64 where the first element is 13, and an exception where it is 14.
inline const RegisteredOp &negated() {
  static const RegisteredOp &op = registerOp({
      .name = "test.negated",
      .summary = "-x.",
      .operands = 1,
      .accepts = Accepts::RealInexact,
      .infer = [](const InferArgs &args) -> std::vector<TensorType> { return {args.operands[0]}; },
      .run = [](const kiln_tensor *tensors, const int64_t *) -> int32_t {
        int64_t n = tensors[0].shape[0];
        if (n && elementOf(tensors[0], 0) == 13) return KILN_CUSTOM_FAILED;
        if (n && elementOf(tensors[0], 0) == 14) throw 14;
        for (int64_t i = 0; i < n; ++i) static_cast<float *>(tensors[1].data)[i] = -elementOf(tensors[0], i);
        return 0;
      },
  });
  return op;
}

/// test.call(x): what a body of one input and one output gives.
inline const RegisteredOp &call() {
  static const RegisteredOp &op = registerOp({
      .name = "test.call",
      .summary = "What a body gives.",
      .operands = 1,
      .words = "b",
      .attributes = "body",
      .infer = [](const InferArgs &args) -> std::vector<TensorType> {
        const Trace &body = *args.bodies[size_t(args.words[0])];
        if (body.inputs != 1 || body.outputs.size() != 1 || !(body.types[0] == args.operands[0]))
          fail(ErrorKind::Shape, args.op, "body", "one input of the operand's type and one output",
               std::to_string(body.inputs) + " inputs");
        return {body.types[size_t(body.outputs[0])]};
      },
      .run = [](const kiln_tensor *, const int64_t *) -> int32_t { return KILN_CUSTOM_FAILED; },
  });
  return op;
}

/// (x, y) -> x + 3 y * y, its size, and its negative.
inline Trace customProgram() {
  Trace trace;
  int64_t both[] = {trace.addInput({DType::F32, {4}}), trace.addInput({DType::F32, {4}}, {}, "cuda:0")};
  std::vector<int64_t> words = {scaledAdd().id, int64_t(DType::F32), std::bit_cast<int32_t>(3.0f), 2}, none = {negated().id};
  int64_t sum = trace.addOp(Op::Custom, both, words);
  trace.outputs = {sum, sum + 1, trace.addOp(Op::Custom, {&sum, 1}, none)};
  return trace;
}

/// x -> body(x) twice, the second one inside another body.
inline Trace nestedProgram() {
  auto square = std::make_shared<Trace>(), outer = std::make_shared<Trace>();
  int64_t x = square->addInput({DType::F32, {2, 3}}), operands[] = {x, x};
  square->outputs = {square->addOp(Op::Multiply, operands, {})};
  outer->bodies = {square};
  std::vector<int64_t> first = {call().id, 0}, second = {call().id, 1};
  x = outer->addInput({DType::F32, {2, 3}});
  x = outer->addOp(Op::Custom, {&x, 1}, first);
  outer->outputs = {outer->addOp(Op::Sqrt, {&x, 1}, {})};
  Trace trace;
  trace.bodies = {square, outer};
  x = trace.addInput({DType::F32, {2, 3}});
  x = trace.addOp(Op::Custom, {&x, 1}, first);
  trace.outputs = {trace.addOp(Op::Custom, {&x, 1}, second)};
  return trace;
}

} // namespace kiln::test
