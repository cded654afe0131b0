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
    std::vector<std::string> paths = {besidePackage(), KILN_BUILD_LAPACK, "libopenblas.so.0", "liblapack.so.3"};
    if (chosen) paths = {chosen};
    for (const std::string &path : paths) {
      handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      for (const char *start : {"scipy_", ""})
        if (handle && dlsym(handle, (std::string(start) + "dgesdd_").c_str())) {
          prefix = start;
          // One thread makes results that do not depend on the machine's load.
          if (auto threads = find<void(int)>("openblas_set_num_threads")) threads(1);
          return;
        }
      if (handle) dlclose(handle);
      handle = nullptr;
    }
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
  static const LapackTable functions = [] {
    bool isSingle = sizeof(Real) == sizeof(float);
    char letter = isComplex ? (isSingle ? 'c' : 'z') : (isSingle ? 's' : 'd');
    auto find = [&](const char *name) { return opened().find<void()>(std::string(1, letter) + name + "_"); };
    LapackTable found;
#define KILN_LAPACK(real, complex) found.real = find(isComplex ? #complex : #real);
#include "lib/Library/Lapack.inc"
    return found;
  }();
  static const Lapack lapack(functions);
  bool isWhole = true;
#define KILN_LAPACK(real, complex) isWhole &= functions.real != nullptr;
#include "lib/Library/Lapack.inc"
  return isWhole ? &lapack : nullptr;
}

template class Lapack<float>;
template class Lapack<double>;
template class Lapack<std::complex<float>>;
template class Lapack<std::complex<double>>;

} // namespace kiln::library
