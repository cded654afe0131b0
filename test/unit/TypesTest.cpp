#include "lib/Core/Infer.h"

#include <gtest/gtest.h>

using namespace kiln;

TEST(Types, ContiguousStrides) {
  EXPECT_EQ(contiguousStrides({2, 3, 4}), (Dims{12, 4, 1}));
  EXPECT_EQ(contiguousStrides({}), Dims());
  EXPECT_EQ(contiguousStrides({3, 0, 2}), (Dims{0, 2, 1}));
}

TEST(Types, Text) {
  EXPECT_EQ(toString(Dims{3}), "(3,)");
  EXPECT_EQ(toString(Dims{}), "()");
  EXPECT_EQ(toString(TensorType{DType::F32, {3, Size::symbol(0)}}), "float32[3, s0]");
}

TEST(Types, PromotionFollowsTheArrayApi) {
  auto result = [](DType a, DType b) {
    DType r = DType::Bool;
    EXPECT_TRUE(promote(a, b, r));
    DType other = DType::Bool;
    EXPECT_TRUE(promote(b, a, other));
    EXPECT_EQ(r, other);
    return r;
  };
  EXPECT_EQ(result(DType::I8, DType::U8), DType::I16);
  EXPECT_EQ(result(DType::I16, DType::U8), DType::I16);
  EXPECT_EQ(result(DType::I32, DType::U32), DType::I64);
  EXPECT_EQ(result(DType::U8, DType::U64), DType::U64);
  EXPECT_EQ(result(DType::I64, DType::F32), DType::F32);
  EXPECT_EQ(result(DType::Bool, DType::U16), DType::U16);
  DType r;
  EXPECT_FALSE(promote(DType::U64, DType::I64, r));
}

TEST(Infer, BroadcastShapes) {
  EXPECT_EQ(broadcastShapes("op", {3, 1}, {4}), (Dims{3, 4}));
  EXPECT_EQ(broadcastShapes("op", {}, {0}), (Dims{0}));
  EXPECT_THROW(broadcastShapes("op", {3}, {4}), Error);
}

TEST(Infer, NormalizeAxis) {
  EXPECT_EQ(normalizeAxis("op", -1, 3), 2);
  EXPECT_THROW(normalizeAxis("op", 3, 3), Error);
  EXPECT_THROW(normalizeAxis("op", -4, 3), Error);
}

namespace {
TensorType run(Op op, std::vector<TensorType> operands, std::vector<int64_t> words) { return infer(op, operands, words); }
const TensorType f23{DType::F32, {2, 3}}, f3{DType::F32, {3}}, i3{DType::I64, {3}}, b3{DType::Bool, {3}}, empty{DType::F32, {0}};
} // namespace

TEST(Infer, Results) {
  EXPECT_EQ(run(Op::Add, {f3, f3}, {}), f3);
  EXPECT_EQ(run(Op::Less, {f3, f3}, {}), b3);
  EXPECT_EQ(run(Op::Sum, {f23}, {1, 0}), f3);
  EXPECT_EQ(run(Op::Argmax, {f23}, {1}), (TensorType{DType::I64, {2}}));
  EXPECT_EQ(run(Op::Gather, {f23, i3}, {1}), (TensorType{DType::F32, {2, 3}}));
  EXPECT_EQ(run(Op::DotGeneral, {f23, f3}, {0, 0, 1, 0}), (TensorType{DType::F32, {2}}));
  EXPECT_EQ(run(Op::Concat, {f3, f3}, {0}), (TensorType{DType::F32, {6}}));
  EXPECT_EQ(run(Op::Slice, {f3}, {1, 2, 1, 2, 1, -1}), (TensorType{DType::F32, {2}}));
}

TEST(Infer, Errors) {
  EXPECT_THROW(run(Op::Add, {f3, f23}, {}), Error);                        // shapes differ
  EXPECT_THROW(run(Op::Add, {f3, i3}, {}), Error);                         // dtypes differ
  EXPECT_THROW(run(Op::Add, {b3, b3}, {}), Error);                         // bool is not numeric
  EXPECT_THROW(run(Op::Exp, {i3}, {}), Error);                             // not floating
  EXPECT_THROW(run(Op::BitwiseAnd, {f3, f3}, {}), Error);                  // not integral
  EXPECT_THROW(run(Op::Select, {f3, f3, f3}, {}), Error);                  // the condition is no bool
  EXPECT_THROW(run(Op::Select, {b3, f23, f23}, {}), Error);                // the condition has another shape
  EXPECT_THROW(run(Op::Iota, {}, {1, int64_t(DType::I64), 1, 3}), Error);  // axis
  EXPECT_THROW(run(Op::Iota, {}, {0, int64_t(DType::Bool), 1, 3}), Error); // dtype
  EXPECT_THROW(run(Op::Broadcast, {f3}, {0, 2, 2, 3}), Error);             // number of axes
  EXPECT_THROW(run(Op::Broadcast, {f3}, {1, 5, 2, 2, 3}), Error);          // an axis outside
  EXPECT_THROW(run(Op::Broadcast, {f3}, {1, 0, 2, 2, 3}), Error);          // 3 against 2
  EXPECT_THROW(run(Op::Reshape, {f3}, {1, 4}), Error);                     // number of elements
  EXPECT_THROW(run(Op::Transpose, {f23}, {2, 0, 0}), Error);               // no permutation
  EXPECT_THROW(run(Op::Slice, {f3}, {0, 0, 0}), Error);                    // rank
  EXPECT_THROW(run(Op::Slice, {f3}, {1, 2, 1, 2, 1, 1}), Error);           // past the end
  EXPECT_THROW(run(Op::Concat, {}, {0}), Error);                           // nothing
  EXPECT_THROW(run(Op::Concat, {f3, i3}, {0}), Error);                     // dtypes
  EXPECT_THROW(run(Op::Concat, {f3, f23}, {0}), Error);                    // ranks
  EXPECT_THROW(run(Op::Gather, {f3, f3}, {0}), Error);                     // indices are floats
  EXPECT_THROW(run(Op::Sum, {f23}, {2, 1, 0}), Error);                     // axes not ascending
  EXPECT_THROW(run(Op::Max, {empty}, {1, 0}), Error);                      // no identity
  EXPECT_THROW(run(Op::Argmin, {empty}, {0}), Error);
  EXPECT_THROW(run(Op::DotGeneral, {f3, i3}, {0, 0, 0, 0}), Error);         // dtypes
  EXPECT_THROW(run(Op::DotGeneral, {f23, f23}, {0, 0, 1, 0}), Error);       // 3 against 2
  EXPECT_THROW(run(Op::DotGeneral, {f23, f23}, {1, 0, 0, 1, 1}), Error);    // batch axes of one side
  EXPECT_THROW(run(Op::DotGeneral, {f23, f23}, {1, 1, 1, 1, 1, 1}), Error); // an axis twice
  EXPECT_THROW(run(Op::DotGeneral,
                   {TensorType{DType::F32, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3}},
                    TensorType{DType::F32, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3}}},
                   {0, 0, 17, 16}),
               Error);                                                                                 // rank of the result
  EXPECT_THROW(run(Op::DotGeneral, {f23, TensorType{DType::F32, {5, 3}}}, {1, 0, 1, 0, 1, 1}), Error); // batch sizes
}
