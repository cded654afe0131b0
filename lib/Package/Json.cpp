#include "lib/Package/Json.h"

#include <set>

namespace kiln::manifest {

void malformed(const std::string &what, const std::string &expected, const std::string &got) {
  fail(ErrorKind::Package, "package", what, expected, got);
}

Json parse(std::span<const uint8_t> text, const std::string &what) {
  constexpr int kDeepest = 200; // trees of arguments are nested
  std::vector<std::set<std::string>> names;
  auto look = [&](int depth, Json::parse_event_t event, Json &parsed) {
    if (depth > kDeepest) malformed(what, "JSON that is nested less", "a deeper one");
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second)
      malformed(what, "each name once in an object", "'" + parsed.get<std::string>() + "' twice");
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), look);
  } catch (const Json::exception &error) { malformed(what, "JSON", error.what()); }
}

DType dtypeNamed(const Value &value) {
  std::string name = value.text();
  for (int i = 0; i < kNumDTypes; ++i)
    if (name == info(DType(i)).name) return DType(i);
  value.wrong("a dtype");
}

} // namespace kiln::manifest
