// Libraries that Kiln has made, for C++17: a handle that closes itself, and statuses as exceptions. Include it before the header of a
// library:
//
//   #include <kiln/kiln.hpp>
//   #include "mlp.h"
//
//   kiln::library<mlp> m;          // opened; options may be given
//   m(mlp_run, x.data(), y.data()); // the arguments between the handle and the workspace
//   m.on(stream)(mlp_run, x, y);    // of a library for a device: its memory, in a stream of it
//
// A call takes a workspace of the library's; with one of its own, from one thread at a time: `m.in(workspace)(mlp_run, ...)`.
#ifndef KILN_KILN_HPP
#define KILN_KILN_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace kiln {

/// The functions of a library by the type of its handle; its header says them.
template <typename Handle> struct library_traits;

/// Whether a library's functions take memory of a device, and a stream.
template <typename Handle, typename = void> struct is_device : std::false_type {};
template <typename Handle> struct is_device<Handle, std::void_t<decltype(library_traits<Handle>::is_device)>> : std::true_type {};

/// What a function of a library returned.
class error : public std::runtime_error {
public:
  error(std::int32_t status, const std::string &text) : std::runtime_error(text), status_(status) {}
  std::int32_t status() const noexcept { return status_; }

private:
  std::int32_t status_;
};

/// Memory for the calls of one thread.
class workspace {
public:
  /// Bytes as <function>_workspace_size says them. Throws error for a status.
  explicit workspace(std::int64_t bytes) : bytes_(bytes > 0 ? std::size_t(bytes) : 0) {
    if (bytes < 0) throw error(std::int32_t(bytes), "workspace: expected a size, got a status");
    if (bytes_) memory_ = ::operator new(bytes_, std::align_val_t(64));
  }
  workspace(workspace &&other) noexcept : memory_(std::exchange(other.memory_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  workspace &operator=(workspace &&other) noexcept {
    std::swap(memory_, other.memory_), std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~workspace() {
    if (memory_) ::operator delete(memory_, std::align_val_t(64));
  }
  void *data() const noexcept { return memory_; }
  std::size_t size() const noexcept { return bytes_; }

private:
  void *memory_ = nullptr;
  std::size_t bytes_;
};

/// An opened library. Any number of threads may call its functions.
template <typename Handle> class library {
public:
  using traits = library_traits<Handle>;
  using options = typename traits::options;
  using weights = typename traits::weights;

  /// Throws error: no weights, another processor.
  library() { open(nullptr); }
  /// `given.bytes` is filled in.
  explicit library(options given) {
    given.bytes = sizeof given;
    open(&given);
  }
  library(library &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  library &operator=(library &&other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~library() { traits::close(handle_); }

  Handle *get() const noexcept { return handle_; }

  /// Runs a function of the library. Throws error with its sentence.
  template <typename Function, typename... Arguments> void operator()(Function *function, Arguments &&...arguments) const {
    if constexpr (is_device<Handle>::value) on(nullptr)(function, std::forward<Arguments>(arguments)...);
    else run(function, nullptr, 0, std::forward<Arguments>(arguments)...);
  }
  /// The same in a stream (a CUstream) of the device that the library is for.
  auto on(void *stream) const {
    static_assert(is_device<Handle>::value, "expected a library for a device");
    return [this, stream](auto *function, auto &&...arguments) {
      char text[kText];
      check(function(handle_, std::forward<decltype(arguments)>(arguments)..., nullptr, 0, text, sizeof text, stream), text);
    };
  }
  /// The same with memory of the caller's.
  auto in(const workspace &memory) const {
    return [this, &memory](auto *function, auto &&...arguments) {
      this->run(function, memory.data(), memory.size(), std::forward<decltype(arguments)>(arguments)...);
    };
  }
  /// Calls that start from now on use these; the old ones are free when it returns.
  void set_weights(const weights &given) {
    char text[kText] = "";
    check(traits::set_weights(handle_, &given, text, sizeof text), text);
  }

  /// Those that calls use now.
  weights get_weights() const {
    char text[kText] = "";
    weights current;
    check(traits::get_weights(handle_, &current, text, sizeof text), text);
    return current;
  }

private:
  static constexpr std::size_t kText = 512;
  Handle *handle_ = nullptr;

  void open(const options *given) {
    char text[kText] = "";
    check(traits::open(&handle_, given, text, sizeof text), text);
  }
  template <typename Function, typename... Arguments>
  void run(Function *function, void *memory, std::size_t bytes, Arguments &&...arguments) const {
    char text[kText];
    std::int32_t status = function(handle_, std::forward<Arguments>(arguments)..., memory, bytes, text, sizeof text);
    check(status, text);
  }
  static void check(std::int32_t status, const char *text) {
    if (status) throw error(status, text);
  }
};

} // namespace kiln

#endif
