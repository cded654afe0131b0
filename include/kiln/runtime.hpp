// Packages run by the code that they have for this machine, for C++17: kiln/runtime.h with handles that close themselves, arrays that
// know their type, and statuses as exceptions.
//
//   kiln::package m("scores.kiln");
//   kiln::array<float> x({2, 4});                  // zeros; x[i] are its elements
//   kiln::array<float> y = m.run<float>("run", x); // the only result
#ifndef KILN_RUNTIME_HPP
#define KILN_RUNTIME_HPP

#include <kiln/kiln.hpp>
#include <kiln/runtime.h>

#include <cstring>
#include <type_traits>
#include <vector>

namespace kiln {

/// An array of its own, of bool, integers or floats; row-major.
template <typename T> class array {
  static_assert(std::is_arithmetic_v<T>);

public:
  explicit array(std::vector<std::int64_t> shape) : shape_(std::move(shape)) {
    memory_.resize(size() ? size() * sizeof(T) : 1);
  }
  array(std::vector<std::int64_t> shape, const std::vector<T> &values) : array(std::move(shape)) {
    if (values.size() != size()) throw error(KILN_ERROR_SHAPE, "array: expected as many values as its shape has");
    for (std::size_t i = 0; i < size(); ++i) data()[i] = values[i];
  }
  const std::vector<std::int64_t> &shape() const noexcept { return shape_; }
  std::size_t size() const noexcept {
    std::size_t count = 1;
    for (std::int64_t size : shape_) count *= std::size_t(size);
    return count;
  }
  T *data() noexcept { return reinterpret_cast<T *>(memory_.data()); }
  const T *data() const noexcept { return reinterpret_cast<const T *>(memory_.data()); }
  T &operator[](std::size_t i) noexcept { return data()[i]; }
  const T &operator[](std::size_t i) const noexcept { return data()[i]; }
  T *begin() noexcept { return data(); }
  T *end() noexcept { return data() + size(); }

  /// As the runtime takes it; it changes the shape of a result whose size the values decide.
  kiln_array view() noexcept {
    return {memory_.data(), 1, 0, std::int32_t(shape_.size()), code(), std::uint8_t(8 * sizeof(T)), 1, shape_.data(), nullptr, 0};
  }
  static constexpr std::uint8_t code() {
    return std::is_same_v<T, bool> ? 6 : std::is_floating_point_v<T> ? 2 : std::is_signed_v<T> ? 0 : 1;
  }

private:
  std::vector<std::int64_t> shape_;
  std::vector<unsigned char> memory_; // new gives memory that is aligned to any element
};

/// An opened package. Any number of threads may run its entries.
class package {
public:
  /// Throws error, which says what is missing: code for this machine, or a processor.
  explicit package(const std::string &path, bool verify = false) {
    char text[kText] = "";
    check(kiln_package_open(path.c_str(), verify, &package_, text, sizeof text), text);
  }
  package(package &&other) noexcept : package_(std::exchange(other.package_, nullptr)) {}
  package &operator=(package &&other) noexcept {
    std::swap(package_, other.package_);
    return *this;
  }
  ~package() { kiln_package_close(package_); }

  kiln_package *get() const noexcept { return package_; }
  /// Entries, arguments, sizes and weights, as JSON.
  std::string manifest() const { return kiln_package_manifest(package_); }

  /// The only result of an entry, of elements T. Arguments that the entry writes are changed. Throws error.
  template <typename T, typename... Arguments> array<T> run(const std::string &entry, Arguments &...arguments) const {
    kiln_array views[] = {arguments.view()..., kiln_array{}}, result{};
    kiln_array *pointers[sizeof...(arguments) + 1] = {}, *out = &result;
    for (std::size_t i = 0; i < sizeof...(arguments); ++i) pointers[i] = &views[i];
    std::int64_t shape[KILN_MAX_RANK];
    std::size_t count = 0;
    char text[kText] = "";
    std::int32_t status =
        kiln_package_result(package_, entry.c_str(), pointers, sizeof...(arguments), 0, &count, &result, shape, text, sizeof text);
    check(status, text);
    if (count != 1) throw error(KILN_ERROR_VALUE, entry + ": expected an entry with one result");
    array<T> made(std::vector<std::int64_t>(shape, shape + result.rank));
    result = made.view();
    check(kiln_package_run(package_, entry.c_str(), pointers, sizeof...(arguments), &out, 1, text, sizeof text), text);
    return made;
  }
  /// Runs an entry on arrays as the runtime takes them: any number of results, in memory of the caller's.
  void run(const std::string &entry, const std::vector<kiln_array *> &arguments, const std::vector<kiln_array *> &results) const {
    char text[kText] = "";
    std::int32_t status =
        kiln_package_run(package_, entry.c_str(), arguments.data(), arguments.size(), results.data(), results.size(), text, sizeof text);
    check(status, text);
  }

private:
  static constexpr std::size_t kText = 1024;
  kiln_package *package_ = nullptr;

  static void check(std::int32_t status, const char *text) {
    if (status) throw error(status, text);
  }
};

} // namespace kiln

#endif
