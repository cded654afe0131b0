// JSON that nothing has been checked of: reading it by name says what was expected.
#pragma once

#include "lib/Package/Manifest.h"

#include <nlohmann/json.hpp>

namespace kiln::manifest {

using Json = nlohmann::json;

/// Parses a text. Throws Error (package) for one that is no JSON, has a name twice in one object, or is nested deeply.
Json parse(std::span<const uint8_t> text, const std::string &what);

/// A value, and how it is told of.
class Value {
public:
  Value(const Json &json, std::string path) : json(json), path(std::move(path)) {}

  const Json &json;
  const std::string path;

  /// A member of an object; an object has no others than are asked for where a version is known.
  Value at(const char *name) const {
    if (!json.is_object()) wrong("an object");
    auto found = json.find(name);
    if (found == json.end()) malformed(path, std::string("'") + name + "'", "none");
    return {*found, path + "." + name};
  }
  bool has(const char *name) const { return json.is_object() && json.contains(name); }
  int64_t number() const {
    bool isNumber = json.is_number_integer() && (!json.is_number_unsigned() || json.get<uint64_t>() <= uint64_t(INT64_MAX));
    if (!isNumber) wrong("a whole number");
    return json.get<int64_t>();
  }
  std::string text() const {
    if (!json.is_string()) wrong("a text");
    return json.get<std::string>();
  }
  bool flag() const {
    if (!json.is_boolean()) wrong("true or false");
    return json.get<bool>();
  }
  std::vector<Value> list() const {
    if (!json.is_array()) wrong("a list");
    std::vector<Value> values;
    for (size_t i = 0; i < json.size(); ++i) values.emplace_back(json[i], path + "[" + std::to_string(i) + "]");
    return values;
  }
  [[noreturn]] void wrong(const std::string &expected) const {
    std::string got = json.is_structured() ? std::string(json.type_name()) : json.dump(-1, ' ', true);
    malformed(path, expected, got.size() > 64 ? got.substr(0, 64) + "..." : got);
  }
};

DType dtypeNamed(const Value &value);

} // namespace kiln::manifest
