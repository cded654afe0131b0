#include "lib/Library/Lapack.h"

#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <vector>

namespace kiln::library {
namespace {

/// The library of the Python package scipy-openblas32 seen from this one, installed in the same environment.
std::string besidePackage() {
  Dl_info self;
  if (!dladdr(reinterpret_cast<void *>(&besidePackage), &self)) return {};
  std::string path = self.dli_fname;
  for (int up = 0; up < 3; ++up) path = path.substr(0, path.rfind('/')); // <environment>/kiln/lib/<this>
  return path + "/scipy_openblas32/lib/libscipy_openblas.so";
}

struct Opened {
  void *handle = nullptr;
  std::string prefix;

  Opened() {
    const char *chosen = std::getenv("KILN_LAPACK");
    std::vector<std::string> paths = {besidePackage(), KILN_BUILD_LAPACK, "libopenblas.so.0", "liblapacke.so.3"};
    if (chosen) paths = {chosen};
    for (const std::string &path : paths) {
      handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      for (const char *start : {"scipy_", ""})
        if (handle && dlsym(handle, (std::string(start) + "LAPACKE_dgesdd").c_str())) {
          prefix = start;
          prepare();
          return;
        }
      if (handle) dlclose(handle);
      handle = nullptr;
    }
  }

  /// nan goes through as LAPACK takes it, and one thread makes results that do not depend on the machine's load.
  void prepare() {
    if (auto nanCheck = find<void(int)>("LAPACKE_set_nancheck")) nanCheck(0);
    if (auto threads = find<void(int)>("openblas_set_num_threads")) threads(1);
  }

  template <typename F> F *find(const std::string &name) const {
    return handle ? reinterpret_cast<F *>(dlsym(handle, (prefix + name).c_str())) : nullptr;
  }
};

const Opened &opened() {
  static const Opened library;
  return library;
}

} // namespace

template <typename T> const Lapack<T> *Lapack<T>::get() {
  static const Lapack functions = [] {
    char letter = isComplex ? (sizeof(Real) == 4 ? 'c' : 'z') : (sizeof(Real) == 4 ? 's' : 'd');
    auto assign = [&]<typename F>(F *&to, const char *name) { to = opened().find<F>(std::string("LAPACKE_") + letter + name); };
    Lapack f{};
    assign(f.potrf, "potrf");
    assign(f.getrf, "getrf");
    assign(f.gesv, "gesv");
    assign(f.geqrf, "geqrf");
    assign(f.orgqr, isComplex ? "ungqr" : "orgqr");
    assign(f.syevd, isComplex ? "heevd" : "syevd");
    assign(f.geev, "geev");
    assign(f.gesdd, "gesdd");
    return f;
  }();
  bool isWhole = functions.potrf && functions.getrf && functions.gesv && functions.geqrf && functions.orgqr && functions.syevd &&
                 functions.geev && functions.gesdd;
  return isWhole ? &functions : nullptr;
}

template struct Lapack<float>;
template struct Lapack<double>;
template struct Lapack<std::complex<float>>;
template struct Lapack<std::complex<double>>;

} // namespace kiln::library
