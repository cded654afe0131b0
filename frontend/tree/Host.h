// What a tree keeps of the language that its functions are written in, without knowing it: objects by handle.
#pragma once

#include <utility>

namespace kiln {

/// How objects of the host are counted; set once, by the module that knows them.
struct HostCounts {
  void (*retain)(void *) = nullptr;
  void (*release)(void *) = nullptr;
};
HostCounts &hostCounts();

/// An object of the host, owned. Equal handles are one object.
class HostObject {
public:
  HostObject() = default;
  explicit HostObject(void *borrowed) : object(borrowed) {
    if (object) hostCounts().retain(object);
  }
  HostObject(const HostObject &o) : HostObject(o.object) {}
  HostObject(HostObject &&o) noexcept : object(std::exchange(o.object, nullptr)) {}
  HostObject &operator=(HostObject o) noexcept {
    std::swap(object, o.object);
    return *this;
  }
  ~HostObject() {
    if (object) hostCounts().release(object);
  }
  void *get() const { return object; }
  explicit operator bool() const { return object; }
  bool operator==(const HostObject &o) const { return object == o.object; }

private:
  void *object = nullptr;
};

} // namespace kiln
