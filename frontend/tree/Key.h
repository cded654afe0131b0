// What identifies a call: the shape of its arguments, their types and layouts, which of them share memory, and every value that is no
// array, by type and bits. Two calls of one key may run one tree. Keys are compared word for word: no code of the user runs.
#pragma once

#include "frontend/Array.h"
#include "frontend/tree/Host.h"
#include "lib/Core/FirstPlace.h"

#include <span>
#include <string>
#include <string_view>

namespace kiln {

/// What all calls of a thread have in common, and results depend on.
struct KeyContext {
  DType defaultFloat = DType::F32;
  int64_t epoch = 0; // of the settings that change results
  int device = 0;    // the number of the default one

  /// What it puts into the first word of a key.
  int64_t word() const { return int64_t(device) << 8 | int64_t(defaultFloat); }
};

struct Key {
  std::vector<int64_t> words;
  std::vector<HostObject> objects; // compared by identity

  bool operator==(const Key &) const = default;
  bool operator==(const struct KeyBuilder &other) const;
};

/// Says what the next words of a key stand for.
enum class KeyToken : uint8_t {
  Array,
  Integer,
  Large,
  Float,
  Bool,
  None,
  Complex,
  Text,
  Bytes,
  Tuple,
  List,
  Dict,
  Object,
  Static,
  Keyword,
  Node,
  Absent,
  AnyNumber
};

/// How the first argument, or value in one, that a person can tell apart differs between two keys: "was float32[4], is float32[5]"; empty
/// where it is none of those.
std::string describeDifference(std::span<const int64_t> was, std::span<const int64_t> is);

/// Takes a call's arguments one after the other.
struct KeyBuilder {
  std::vector<int64_t> words;
  std::vector<void *> objects; // of the host; whoever builds holds them
  std::vector<Array *> arrays;

  void start(const KeyContext &context);
  static constexpr size_t kFirst = 2; // words before the arguments
  void token(KeyToken token, int64_t count = 0) { words.push_back(int64_t(token) | count << 8); }
  void number(KeyToken kind, int64_t bits) {
    token(kind);
    words.push_back(bits);
  }
  void text(KeyToken kind, std::string_view bytes);
  void object(KeyToken kind, void *object) {
    token(kind);
    objects.push_back(object);
  }
  static constexpr size_t kMostArrays = 65534;
  /// An array, whether it is one of those before it, and how it lies to the first one that shares its cell.
  void array(Array &array);
  /// The number of an array; -1 for one that is not in the key.
  int64_t placeOf(const Array &array) const { return handles.find(&array); }
  /// Takes all that came since there were so many words and arrays back.
  void cut(size_t words, size_t arrays);
  Key finish() const;

private:
  FirstPlace cells, handles; // of the arrays
};

} // namespace kiln
