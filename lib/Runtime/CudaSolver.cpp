// Decompositions by cuSOLVER: one matrix after the other, but for those routines that take many small ones at once.
#include "lib/Core/Types.h"
#include "lib/Runtime/CudaInternal.h"
#include "lib/Runtime/CudaLibraries.h"

namespace kiln::cuda {
namespace {

constexpr const char *kStatuses[] = {
    "CUSOLVER_STATUS_SUCCESS",          "CUSOLVER_STATUS_NOT_INITIALIZED", "CUSOLVER_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_INVALID_VALUE",    "CUSOLVER_STATUS_ARCH_MISMATCH",   "CUSOLVER_STATUS_MAPPING_ERROR",
    "CUSOLVER_STATUS_EXECUTION_FAILED", "CUSOLVER_STATUS_INTERNAL_ERROR",  "CUSOLVER_STATUS_MATRIX_TYPE_NOT_SUPPORTED",
    "CUSOLVER_STATUS_NOT_SUPPORTED"};
void check(int status, const char *function) { checkLibrary(status, function, kStatuses); }

} // namespace

/// A call under way.
class Solver::Run {
public:
  Run(Solver &solver, const LibraryCall &call)
      : table(cuda::solver()), handle(solver.handle), parameters(solver.parameters), stream(call.stream), words(call.words.subspan(1)),
        pointers(call.pointers), dtype(DType(call.words[0])), type(typeOf(dtype)), realType(typeOf(kiln::realType(dtype))),
        complexType(typeOf(kiln::complexType(kiln::realType(dtype)))) {}

  using Routine = void (Run::*)();
  /// Null for a name that is none of this library's; `isThere`: whether the library has it.
  static Routine find(const SolverTable &table, const std::string &name, bool &isThere);

private:
  const SolverTable &table;
  SolverHandle handle;
  SolverParameters parameters;
  Stream &stream;
  std::span<const int64_t> words; // behind the dtype
  std::span<const Address> pointers;
  DType dtype;
  int type, realType, complexType;

  static int typeOf(DType dtype) {
    return dtype == DType::F32 ? Real32 : dtype == DType::F64 ? Real64 : dtype == DType::C64 ? Complex32 : Complex64;
  }
  /// Array `which` of the call: matrix `number` of them, each of so many elements of a dtype.
  void *at(size_t which, int64_t number, int64_t each, DType of) const {
    return reinterpret_cast<void *>(pointers[which] + Address(number * each * byteSize(of)));
  }
  void *at(size_t which, int64_t number, int64_t each) const { return at(which, number, each, dtype); }
  int *info(size_t which, int64_t number) const { return static_cast<int *>(at(which, number, 1, DType::I32)); }

  /// Memory that a routine asks for: of the device, and of the host.
  struct Work {
    Work(Stream &stream, std::pair<size_t, size_t> bytes) : device(stream, bytes.first), host(bytes.second), deviceBytes(bytes.first) {}
    CallMemory device;
    std::vector<char> host;
    size_t deviceBytes;
  };
  template <typename Ask> std::pair<size_t, size_t> askedFor(const char *function, Ask ask) const {
    size_t device = 0, host = 0;
    check(ask(&device, &host), function);
    return {device, host};
  }
  /// The functions of this call's dtype.
  template <typename F> F *typed(F *s, F *d, F *c, F *z) const {
    return dtype == DType::F32 ? s : dtype == DType::F64 ? d : dtype == DType::C64 ? c : z;
  }

  void potrf();
  void potrfBatched(int fill, int n, int count);
  void getrf();
  void getrs();
  void geqrf();
  void orgqr();
  void syevd();
  void syevBatched(int mode, int fill, int64_t n, int64_t count);
  void gesvd();
  void geev();
};

/// Words: n, how many, and the triangle. Arrays: the matrices, and how each went.
void Solver::Run::potrf() {
  constexpr int64_t kSmall = 512; // up to which many at once are faster than one after the other
  int64_t n = words[0], count = words[1];
  int fill = words[2] ? Upper : Lower;
  auto *batched = typed(table.SpotrfBatched, table.DpotrfBatched, table.CpotrfBatched, table.ZpotrfBatched);
  if (count > 1 && n <= kSmall && count <= INT32_MAX && batched) return potrfBatched(fill, int(n), int(count));
  Work work(stream, askedFor("cusolverDnXpotrf_bufferSize", [&](Bytes device, Bytes host) {
              return table.potrfSize(handle, parameters, fill, n, type, at(0, 0, 0), n, type, device, host);
            }));
  for (int64_t i = 0; i < count; ++i)
    check(table.potrf(handle, parameters, fill, n, type, at(0, i, n * n), n, type, work.device.data(), work.deviceBytes, work.host.data(),
                      work.host.size(), info(1, i)),
          "cusolverDnXpotrf");
}

void Solver::Run::potrfBatched(int fill, int n, int count) {
  std::vector<void *> matrices;
  for (int64_t i = 0; i < count; ++i) matrices.push_back(at(0, i, int64_t(n) * n));
  CallMemory list(stream, matrices.size() * sizeof(void *));
  stream.copyIn(reinterpret_cast<Address>(list.data()), matrices.data(), matrices.size() * sizeof(void *));
  auto *batched = typed(table.SpotrfBatched, table.DpotrfBatched, table.CpotrfBatched, table.ZpotrfBatched);
  check(batched(handle, fill, n, static_cast<void **>(list.data()), n, info(1, 0), count), "cusolverDnpotrfBatched");
}

/// Words: n, how many. Arrays: the matrices, their exchanged rows, and how each went.
void Solver::Run::getrf() {
  int64_t n = words[0], count = words[1];
  Work work(stream, askedFor("cusolverDnXgetrf_bufferSize", [&](Bytes device, Bytes host) {
              return table.getrfSize(handle, parameters, n, n, type, at(0, 0, 0), n, type, device, host);
            }));
  for (int64_t i = 0; i < count; ++i)
    check(table.getrf(handle, parameters, n, n, type, at(0, i, n * n), n, static_cast<int64_t *>(at(1, i, n, DType::I64)), type,
                      work.device.data(), work.deviceBytes, work.host.data(), work.host.size(), info(2, i)),
          "cusolverDnXgetrf");
}

/// Words: n, columns of the right sides, how many. Arrays: the factors and exchanged rows of getrf, the right sides, and how each went.
void Solver::Run::getrs() {
  constexpr int kAsItIs = 0;
  int64_t n = words[0], columns = words[1], count = words[2];
  CallMemory own(stream, sizeof(int)); // what getrf said stays
  for (int64_t i = 0; i < count; ++i)
    check(table.getrs(handle, parameters, kAsItIs, n, columns, type, at(0, i, n * n), n,
                      static_cast<const int64_t *>(at(1, i, n, DType::I64)), type, at(2, i, n * columns), n,
                      static_cast<int *>(own.data())),
          "cusolverDnXgetrs");
}

/// Words: rows, columns, how many. Arrays: the matrices, the factors of their reflectors, and how each went.
void Solver::Run::geqrf() {
  int64_t m = words[0], n = words[1], count = words[2], least = std::min(m, n);
  Work work(stream, askedFor("cusolverDnXgeqrf_bufferSize", [&](Bytes device, Bytes host) {
              return table.geqrfSize(handle, parameters, m, n, type, at(0, 0, 0), m, type, at(1, 0, 0), type, device, host);
            }));
  for (int64_t i = 0; i < count; ++i)
    check(table.geqrf(handle, parameters, m, n, type, at(0, i, m * n), m, type, at(1, i, least), type, work.device.data(), work.deviceBytes,
                      work.host.data(), work.host.size(), info(2, i)),
          "cusolverDnXgeqrf");
}

/// Words: rows, columns, reflectors, how many. Arrays: the matrices, the factors of their reflectors, and how each went.
void Solver::Run::orgqr() {
  int64_t m = words[0], n = words[1], k = words[2], count = words[3];
  if (m > INT32_MAX) fail(ErrorKind::Memory, "cuda", "cusolverDnorgqr", "at most 2^31 - 1 rows", std::to_string(m));
  int elements = 0;
  check(typed(table.SorgqrSize, table.DorgqrSize, table.CorgqrSize, table.ZorgqrSize)(handle, int(m), int(n), int(k), at(0, 0, 0), int(m),
                                                                                      at(1, 0, 0), &elements),
        "cusolverDnorgqr_bufferSize");
  CallMemory work(stream, size_t(elements) * size_t(byteSize(dtype)));
  auto *run = typed(table.Sorgqr, table.Dorgqr, table.Corgqr, table.Zorgqr);
  for (int64_t i = 0; i < count; ++i)
    check(run(handle, int(m), int(n), int(k), at(0, i, m * n), int(m), at(1, i, k), work.data(), elements, info(2, i)), "cusolverDnorgqr");
}

/// Words: whether vectors, the triangle, n, how many. Arrays: the matrices, values, and how each went.
void Solver::Run::syevd() {
  constexpr int64_t kSmall = 64;
  int mode = int(words[0]), fill = words[1] ? Upper : Lower;
  int64_t n = words[2], count = words[3];
  DType real = kiln::realType(dtype);
  if (count > 1 && n <= kSmall && table.syevBatched && table.syevBatchedSize) return syevBatched(mode, fill, n, count);
  Work work(stream, askedFor("cusolverDnXsyevd_bufferSize", [&](Bytes device, Bytes host) {
              return table.syevdSize(handle, parameters, mode, fill, n, type, at(0, 0, 0), n, realType, at(1, 0, 0), type, device, host);
            }));
  for (int64_t i = 0; i < count; ++i)
    check(table.syevd(handle, parameters, mode, fill, n, type, at(0, i, n * n), n, realType, at(1, i, n, real), type, work.device.data(),
                      work.deviceBytes, work.host.data(), work.host.size(), info(2, i)),
          "cusolverDnXsyevd");
}

void Solver::Run::syevBatched(int mode, int fill, int64_t n, int64_t count) {
  Work work(stream, askedFor("cusolverDnXsyevBatched_bufferSize", [&](Bytes device, Bytes host) {
              return table.syevBatchedSize(handle, parameters, mode, fill, n, type, at(0, 0, 0), n, realType, at(1, 0, 0), type, device,
                                           host, count);
            }));
  check(table.syevBatched(handle, parameters, mode, fill, n, type, at(0, 0, 0), n, realType, at(1, 0, 0), type, work.device.data(),
                          work.deviceBytes, work.host.data(), work.host.size(), info(2, 0), count),
        "cusolverDnXsyevBatched");
}

/// Words: vectors (0 none, 1 as many as values, 2 all), rows, no more columns, how many. Arrays: the matrices, values, left vectors, right
/// ones, and how each went.
void Solver::Run::gesvd() {
  auto job = static_cast<signed char>("NSA"[words[0]]);
  int64_t m = words[1], n = words[2], count = words[3], own = words[0] == 2 ? m : n;
  DType real = kiln::realType(dtype);
  Work work(stream, askedFor("cusolverDnXgesvd_bufferSize", [&](Bytes device, Bytes host) {
              return table.gesvdSize(handle, parameters, job, job, m, n, type, at(0, 0, 0), m, realType, at(1, 0, 0), type, at(2, 0, 0), m,
                                     type, at(3, 0, 0), n, type, device, host);
            }));
  for (int64_t i = 0; i < count; ++i)
    check(table.gesvd(handle, parameters, job, job, m, n, type, at(0, i, m * n), m, realType, at(1, i, n, real), type, at(2, i, m * own), m,
                      type, at(3, i, n * n), n, type, work.device.data(), work.deviceBytes, work.host.data(), work.host.size(), info(4, i)),
          "cusolverDnXgesvd");
}

/// Words: whether vectors, n, how many. Arrays: the matrices, complex values, vectors as LAPACK has them, and how each went.
void Solver::Run::geev() {
  constexpr int kNone = 0;
  int mode = int(words[0]);
  int64_t n = words[1], count = words[2];
  DType complex = kiln::complexType(kiln::realType(dtype));
  Work work(stream, askedFor("cusolverDnXgeev_bufferSize", [&](Bytes device, Bytes host) {
              return table.geevSize(handle, parameters, kNone, mode, n, type, at(0, 0, 0), n, complexType, at(1, 0, 0), type, nullptr, n,
                                    type, at(2, 0, 0), n, type, device, host);
            }));
  for (int64_t i = 0; i < count; ++i)
    check(table.geev(handle, parameters, kNone, mode, n, type, at(0, i, n * n), n, complexType, at(1, i, n, complex), type, nullptr, n,
                     type, at(2, i, n * n), n, type, work.device.data(), work.deviceBytes, work.host.data(), work.host.size(), info(3, i)),
          "cusolverDnXgeev");
}

Solver::Run::Routine Solver::Run::find(const SolverTable &t, const std::string &name, bool &isThere) {
  bool hasOrgqr = t.Sorgqr && t.SorgqrSize && t.Dorgqr && t.DorgqrSize && t.Corgqr && t.CorgqrSize && t.Zorgqr && t.ZorgqrSize;
  const struct {
    const char *name;
    Routine routine;
    bool isThere;
  } all[] = {{"potrf", &Run::potrf, t.potrf && t.potrfSize},
             {"getrf", &Run::getrf, t.getrf && t.getrfSize},
             {"getrs", &Run::getrs, t.getrs != nullptr},
             {"geqrf", &Run::geqrf, t.geqrf && t.geqrfSize},
             {"orgqr", &Run::orgqr, hasOrgqr},
             {"syevd", &Run::syevd, t.syevd && t.syevdSize},
             {"gesvd", &Run::gesvd, t.gesvd && t.gesvdSize},
             {"geev", &Run::geev, t.geev && t.geevSize}};
  for (const auto &known : all)
    if (name == known.name) return isThere = known.isThere && t.create && t.createParameters && t.setStream, known.routine;
  return isThere = false, nullptr;
}

bool Solver::has(const std::string &routine) {
  bool isThere = false;
  Run::find(cuda::solver(), routine, isThere);
  return isThere;
}

void Solver::run(const LibraryCall &call) {
  const SolverTable &table = cuda::solver();
  std::lock_guard lock(mutex);
  if (!handle) check(table.create(&handle), "cusolverDnCreate");
  if (!parameters) check(table.createParameters(&parameters), "cusolverDnCreateParams");
  check(table.setStream(handle, call.stream.handle), "cusolverDnSetStream");
  bool isThere = false;
  Run::Routine routine = Run::find(table, call.routine, isThere);
  Run run(*this, call);
  (run.*routine)();
}

} // namespace kiln::cuda
