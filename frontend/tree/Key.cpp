#include "frontend/tree/Key.h"

#include "frontend/Device.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

namespace kiln {

void KeyBuilder::start(const KeyContext &context) {
  words.clear();
  words.push_back(context.word());
  words.push_back(context.epoch);
  objects.clear();
  arrays.clear();
  cells.clear();
  handles.clear();
}

void KeyBuilder::text(KeyToken kind, std::string_view bytes) {
  token(kind, int64_t(bytes.size()));
  size_t first = words.size();
  words.resize(first + (bytes.size() + 7) / 8);
  std::memcpy(words.data() + first, bytes.data(), bytes.size());
}

void KeyBuilder::array(Array &a) {
  int64_t place = int64_t(arrays.size()), alias = cells.put(a.storage.get(), place);
  // One array given twice is not two views of one cell. Numbers fit in 16 bits: calls have no more arrays.
  int64_t same = handles.put(&a, place);
  // Dtypes of one cell differ where one array shows the parts of complex numbers.
  words.push_back(int64_t(KeyToken::Array) | int64_t(a.dtype) << 8 | int64_t(a.shape.rank) << 16 | int64_t(a.isContiguous) << 24 |
                  int64_t(a.isRepeated) << 25 | int64_t(numberOf(deviceOf(a))) << 26 | (alias + 1) << 32 | (same + 1) << 48);
  for (int64_t size : a.shape) words.push_back(size); // fewer than an insertion pays for
  if (alias >= 0) {                                   // how the two views lie to each other
    words.push_back(a.offset - arrays[size_t(alias)]->offset);
    words.insert(words.end(), a.strides.begin(), a.strides.end());
  }
  arrays.push_back(&a);
}

void KeyBuilder::cut(size_t wordsLeft, size_t arraysLeft) {
  words.resize(wordsLeft);
  if (arrays.size() == arraysLeft) return;
  arrays.resize(arraysLeft);
  cells.cut(int64_t(arraysLeft));
  handles.cut(int64_t(arraysLeft));
}

Key KeyBuilder::finish() const {
  Key key{words, {}};
  for (void *object : objects) key.objects.emplace_back(object);
  return key;
}

bool Key::operator==(const KeyBuilder &other) const {
  return words == other.words && std::ranges::equal(objects, other.objects, {}, [](const HostObject &o) { return o.get(); });
}

namespace {

std::string showFloat(double value) {
  char text[32];
  std::string shown(text, std::to_chars(text, text + sizeof text, value).ptr);
  return shown.find_first_of(".en") == std::string::npos ? shown + ".0" : shown;
}

/// The arrays and plain values of a key, in order.
class Leaves {
public:
  explicit Leaves(std::span<const int64_t> words) : words(words), at(KeyBuilder::kFirst) {}

  /// None at the end, and before what is only known to whoever wrote it.
  std::optional<std::string> next() {
    while (at < words.size()) {
      int64_t word = words[at++], count = word >> 8;
      switch (KeyToken(word & 0xff)) {
      case KeyToken::Array: return array(word);
      case KeyToken::Integer: return std::to_string(words[at++]);
      case KeyToken::Bool: return words[at++] ? "True" : "False";
      case KeyToken::Float: return showFloat(std::bit_cast<double>(words[at++]));
      case KeyToken::Complex: at += 2; return "a complex number";
      case KeyToken::None: return "None";
      case KeyToken::Text: return "'" + text(count) + "'";
      case KeyToken::Bytes: text(count); return "bytes";
      case KeyToken::Large: return text(count);
      case KeyToken::Object: return "an object";
      case KeyToken::Absent: return "left out";
      case KeyToken::AnyNumber: return count ? "a float" : "an integer";
      case KeyToken::Tuple: ++at; return "a tuple of " + std::to_string(count);
      case KeyToken::List: ++at; return "a list of " + std::to_string(count);
      case KeyToken::Dict: ++at; return "a dict of " + std::to_string(count);
      case KeyToken::Node: ++at; return "an object";
      case KeyToken::Keyword: break;
      case KeyToken::Static: return at = words.size(), std::nullopt;
      }
    }
    return std::nullopt;
  }

private:
  std::span<const int64_t> words;
  size_t at;

  std::string array(int64_t word) {
    Dims shape;
    for (int64_t rank = word >> 16 & 0xff; shape.rank < rank;) shape.push(words[at++]);
    bool isAlias = word >> 32 & 0xffff;
    at += isAlias ? 1 + size_t(shape.rank) : 0;
    return toString(ArrayType(DType(word >> 8 & 0xff), shape));
  }
  std::string text(int64_t bytes) {
    constexpr size_t kMost = 40;
    std::string found(reinterpret_cast<const char *>(words.data() + at), std::min(size_t(bytes), kMost));
    at += size_t(bytes + 7) / 8;
    return size_t(bytes) > kMost ? found + "..." : found;
  }
};

} // namespace

std::string describeDifference(std::span<const int64_t> was, std::span<const int64_t> is) {
  Leaves before(was), now(is);
  for (;;) {
    auto old = before.next(), value = now.next();
    if (!old || !value) return "";
    if (*old != *value) return "was " + *old + ", is " + *value;
  }
}

} // namespace kiln
