// Fourier transforms by cuFFT.
#include "lib/Core/Types.h"
#include "lib/Runtime/CudaInternal.h"
#include "lib/Runtime/CudaLibraries.h"

namespace kiln::cuda {
namespace {

constexpr const char *kStatuses[] = {"CUFFT_SUCCESS",      "CUFFT_INVALID_PLAN",  "CUFFT_ALLOC_FAILED",
                                     "CUFFT_INVALID_TYPE", "CUFFT_INVALID_VALUE", "CUFFT_INTERNAL_ERROR",
                                     "CUFFT_EXEC_FAILED",  "CUFFT_SETUP_FAILED",  "CUFFT_INVALID_SIZE"};
void check(int status, const char *function) { checkLibrary(status, function, kStatuses); }

TransformType typeOf(DType in, DType out) {
  if (isComplex(in) && isComplex(out)) return in == DType::C64 ? C2C : Z2Z;
  if (isComplex(out)) return in == DType::F32 ? R2C : D2Z;
  return out == DType::F32 ? C2R : Z2D;
}

} // namespace

bool Transforms::has(const std::string &) {
  const TransformTable &table = cuda::transforms();
  bool all = true;
#define KILN_HAS(name, symbol, arguments) all &= table.name != nullptr;
  KILN_CUFFT_FUNCTIONS(KILN_HAS)
#undef KILN_HAS
  return all;
}

const Transforms::Plan &Transforms::planOf(std::span<const int64_t> words) {
  std::vector<int64_t> key(words.begin(), words.end());
  key.erase(key.begin() + 2);
  if (auto known = plans.find(key); known != plans.end()) return known->second;
  const TransformTable &table = cuda::transforms();
  if (plans.size() >= kMostPlans) { // what they have on the device may still be read: the library waits
    for (auto &[old, plan] : plans) table.destroy(plan.handle);
    plans.clear();
  }
  Plan plan;
  plan.type = typeOf(DType(words[0]), DType(words[1]));
  std::vector<long long> sizes(words.begin() + 4, words.end());
  check(table.create(&plan.handle), "cufftCreate");
  int status = table.setAutoAllocation(plan.handle, 0);
  if (!status)
    status =
        table.makePlan(plan.handle, int(sizes.size()), sizes.data(), nullptr, 1, 0, nullptr, 1, 0, plan.type, words[3], &plan.workBytes);
  if (status) table.destroy(plan.handle);
  check(status, "cufftMakePlanMany64");
  return plans[std::move(key)] = plan;
}

/// Words: dtypes of what goes in and comes out, whether it is the inverse, how many, and the sizes of its axes.
void Transforms::run(const LibraryCall &call) {
  constexpr int kForward = -1, kInverse = 1;
  const TransformTable &table = cuda::transforms();
  std::lock_guard lock(mutex);
  const Plan &plan = planOf(call.words);
  CallMemory work(call.stream, plan.workBytes);
  check(table.setStream(plan.handle, call.stream.handle), "cufftSetStream");
  if (plan.workBytes) check(table.setWorkArea(plan.handle, work.data()), "cufftSetWorkArea");
  void *in = reinterpret_cast<void *>(call.pointers[0]), *out = reinterpret_cast<void *>(call.pointers[1]);
  int direction = call.words[2] ? kInverse : kForward;
  switch (plan.type) {
  case C2C: return check(table.c2c(plan.handle, in, out, direction), "cufftExecC2C");
  case Z2Z: return check(table.z2z(plan.handle, in, out, direction), "cufftExecZ2Z");
  case R2C: return check(table.r2c(plan.handle, in, out), "cufftExecR2C");
  case D2Z: return check(table.d2z(plan.handle, in, out), "cufftExecD2Z");
  case C2R: return check(table.c2r(plan.handle, in, out), "cufftExecC2R");
  case Z2D: return check(table.z2d(plan.handle, in, out), "cufftExecZ2D");
  }
}

} // namespace kiln::cuda
