// A stand-in for cuFFT, libkiln_cufft_stub.so (KILN_CUFFT names it): plans of axes that lie row by row, which run in the stub's streams.
#include "test/targets/stub/libraries/Library.h"

#include <pocketfft_hdronly.h>

namespace stub {
KILN_CUFFT_FUNCTIONS(KILN_STUB_DECLARE)

namespace {

enum Status { Fine = 0, InvalidPlan = 1, Invalid = 4, NotSet = 7 };

struct Plan {
  bool isAutomatic = true;
  pocketfft::shape_t sizes;
  int type = 0;
  int64_t count = 0, points = 1;
  size_t workBytes = 0;
  StreamHandle stream = nullptr;
  void *work = nullptr;
  /// The sizes on the side of frequencies: of the last axis one half.
  pocketfft::shape_t half() const {
    pocketfft::shape_t result = sizes;
    result.back() = sizes.back() / 2 + 1;
    return result;
  }
};
std::mutex mutex;
std::map<int, std::shared_ptr<Plan>> plans;

std::shared_ptr<Plan> find(int handle) {
  std::lock_guard lock(mutex);
  auto found = plans.find(handle);
  return found == plans.end() ? nullptr : found->second;
}
int64_t productOf(const pocketfft::shape_t &sizes) {
  int64_t product = 1;
  for (size_t size : sizes) product *= int64_t(size);
  return product;
}
pocketfft::stride_t stridesOf(const pocketfft::shape_t &sizes, ptrdiff_t bytes) {
  pocketfft::stride_t strides(sizes.size());
  for (size_t i = sizes.size(); i-- > 0; bytes *= ptrdiff_t(sizes[i])) strides[i] = bytes;
  return strides;
}

/// Puts a call in: `Run` of the memory of one transform after the other. `in`, `out`: elements of one.
template <typename In, typename Out, typename Run>
int put(const char *name, int handle, int type, int64_t in, int64_t out, void *from, void *to, Run run) {
  if (int planted = enter(name)) return planted;
  auto plan = find(handle);
  Device *device = current();
  if (!plan || !device || plan->type != type) return InvalidPlan;
  if (!plan->stream || plan->isAutomatic || (plan->workBytes && !plan->work)) return NotSet;
  int64_t inBytes = in * plan->count * int64_t(sizeof(In)), outBytes = out * plan->count * int64_t(sizeof(Out));
  if (!areHeld({{from, inBytes}, {to, outBytes}, {plan->work, int64_t(plan->workBytes)}})) return Invalid;
  return put(*device, plan->stream, [=, plan = *plan] {
    Memories memories(*device);
    In *x = memories.at<In>(from, in * plan.count);
    Out *y = memories.at<Out>(to, out * plan.count);
    char *work = memories.at<char>(plan.work, int64_t(plan.workBytes));
    if (!x || !y || !work) return;
    std::memset(work, 0xA5, plan.workBytes);
    for (int64_t i = 0; i < plan.count; ++i) run(plan, x + i * in, y + i * out);
  });
}

pocketfft::shape_t axesOf(const Plan &plan) {
  pocketfft::shape_t axes(plan.sizes.size());
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = i;
  return axes;
}

template <typename T> int complexToComplex(const char *name, int handle, int type, void *from, void *to, int direction) {
  using C = std::complex<T>;
  auto plan = find(handle);
  if (!plan) return InvalidPlan;
  if (direction != 1 && direction != -1) return Invalid;
  return put<C, C>(name, handle, type, plan->points, plan->points, from, to, [=](const Plan &p, C *x, C *y) {
    auto strides = stridesOf(p.sizes, sizeof(C));
    pocketfft::c2c(p.sizes, strides, strides, axesOf(p), direction == -1, x, y, T(1));
  });
}
template <typename T> int realToComplex(const char *name, int handle, int type, void *from, void *to) {
  using C = std::complex<T>;
  auto plan = find(handle);
  if (!plan) return InvalidPlan;
  return put<T, C>(name, handle, type, plan->points, productOf(plan->half()), from, to, [=](const Plan &p, T *x, C *y) {
    pocketfft::r2c(p.sizes, stridesOf(p.sizes, sizeof(T)), stridesOf(p.half(), sizeof(C)), axesOf(p), true, x, y, T(1));
  });
}
/// What stands for nothing has to be 0; the operand is of no use then.
template <typename T> int complexToReal(const char *name, int handle, int type, void *from, void *to) {
  using C = std::complex<T>;
  auto plan = find(handle);
  if (!plan) return InvalidPlan;
  int64_t half = productOf(plan->half());
  return put<C, T>(name, handle, type, half, plan->points, from, to, [=](const Plan &p, C *x, T *y) {
    bool isWrong = p.sizes.size() == 1 && (x[0].imag() != 0 || (p.sizes[0] % 2 == 0 && x[half - 1].imag() != 0));
    pocketfft::c2r(p.sizes, stridesOf(p.half(), sizeof(C)), stridesOf(p.sizes, sizeof(T)), axesOf(p), false, x, y, T(1));
    if (isWrong) std::fill_n(y, p.points, T(NAN));
    std::memset(static_cast<void *>(x), 0xA5, size_t(half) * sizeof(C));
  });
}

} // namespace

extern "C" {
int cufftGetVersion(int *version) { return *version = 11303, Fine; }
int cufftCreate(int *handle) {
  if (int planted = enter(__func__)) return planted;
  static int next = 1;
  std::lock_guard lock(mutex);
  return plans[*handle = next++] = std::make_shared<Plan>(), Fine;
}
int cufftDestroy(int handle) {
  std::lock_guard lock(mutex);
  return plans.erase(handle) ? Fine : InvalidPlan;
}
int cufftSetAutoAllocation(int handle, int isAutomatic) {
  auto plan = find(handle);
  return plan ? (plan->isAutomatic = isAutomatic, Fine) : InvalidPlan;
}
int cufftMakePlanMany64(int handle, int rank, long long *sizes, long long *inEmbed, long long, long long, long long *outEmbed, long long,
                        long long, int type, long long count, size_t *workBytes) {
  if (int planted = enter(__func__)) return planted;
  auto plan = find(handle);
  if (!plan || !current()) return InvalidPlan;
  if (rank < 1 || rank > 3 || inEmbed || outEmbed || count < 1) return Invalid;
  plan->type = type, plan->count = count;
  for (int i = 0; i < rank; ++i) plan->sizes.push_back(size_t(sizes[i])), plan->points *= sizes[i];
  if (std::ranges::any_of(plan->sizes, [](size_t size) { return size < 2; })) return Invalid;
  return *workBytes = plan->workBytes = 16 * size_t(plan->points), Fine;
}
int cufftSetStream(int handle, StreamHandle stream) {
  auto plan = find(handle);
  Device *device = current();
  if (!plan || !device || !queueOf(stream, *device)) return InvalidPlan;
  return plan->stream = stream, Fine;
}
int cufftSetWorkArea(int handle, void *work) {
  auto plan = find(handle);
  return plan ? (plan->work = work, Fine) : InvalidPlan;
}
int cufftExecC2C(int plan, void *in, void *out, int direction) { return complexToComplex<float>(__func__, plan, C2C, in, out, direction); }
int cufftExecZ2Z(int plan, void *in, void *out, int direction) { return complexToComplex<double>(__func__, plan, Z2Z, in, out, direction); }
int cufftExecR2C(int plan, void *in, void *out) { return realToComplex<float>(__func__, plan, R2C, in, out); }
int cufftExecD2Z(int plan, void *in, void *out) { return realToComplex<double>(__func__, plan, D2Z, in, out); }
int cufftExecC2R(int plan, void *in, void *out) { return complexToReal<float>(__func__, plan, C2R, in, out); }
int cufftExecZ2D(int plan, void *in, void *out) { return complexToReal<double>(__func__, plan, Z2D, in, out); }
} // extern "C"

} // namespace stub
