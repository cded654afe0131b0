// A library that registers ops when a process loads it, as extensions do: test/python/test_custom_ops.py.
#include "test/unit/CustomOps.h"

static const auto &kScaledAdd = kiln::test::scaledAdd();
static const auto &kNegated = kiln::test::negated();
