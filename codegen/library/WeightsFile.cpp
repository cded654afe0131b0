// Weights beside a library: a file of safetensors, as in a package.
#include "codegen/library/Parts.h"

#include "lib/Core/Error.h"
#include "lib/Package/Manifest.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"

namespace kiln::library {

WeightsFile layoutOf(const Package &package) {
  std::vector<size_t> order = manifest::orderOfWeights(package.weights);
  WeightsFile file{manifest::writeHeader(package.weights, order), std::vector<int64_t>(package.weights.size()), 0};
  int64_t at = int64_t(file.head.size());
  for (size_t i : order) file.offsets[i] = at, at += int64_t(package.weights[i].bytes.size());
  file.bytes = at;
  return file;
}

void writeWeights(const Package &package, const std::string &path) {
  llvm::Error error = llvm::writeToOutput(path, [&](llvm::raw_ostream &out) {
    out << layoutOf(package).head;
    for (size_t i : manifest::orderOfWeights(package.weights)) {
      std::span<const uint8_t> bytes = package.weights[i].bytes;
      out.write(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    }
    return llvm::Error::success();
  });
  if (error)
    fail(ErrorKind::Package, "library", "weights", "a file that can be written", "'" + path + "': " + llvm::toString(std::move(error)));
}

} // namespace kiln::library
