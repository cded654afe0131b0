#include "frontend/tree/Key.h"

#include "frontend/Device.h"

#include <algorithm>
#include <cstring>

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
  words.insert(words.end(), a.shape.begin(), a.shape.end());
  if (alias >= 0) { // how the two views lie to each other
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

} // namespace kiln
