// What every test of the runtime needs: where the eager kernels are.
#include "lib/Runtime/Executable.h"

#include <gtest/gtest.h>

namespace {
struct Installation : testing::Environment {
  void SetUp() override { kiln::setLibraryFolder(KILN_LIBRARY_FOLDER); }
};
const auto *installation = testing::AddGlobalTestEnvironment(new Installation);
} // namespace
