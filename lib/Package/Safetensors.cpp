// Weights as files of safetensors have them: 8 bytes with the length of a header in JSON, the header, and the arrays without gaps.
#include "lib/Package/Json.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace kiln::manifest {
namespace {

constexpr size_t kLine = 64;
constexpr const char *kNames[kNumDTypes] = {"BOOL", "I8",   "I16", "I32", "I64", "U8",  "U16",     "U32",    "U64",
                                            "F16",  "BF16", "F32", "F64", "F32", "F64", "F8_E4M3", "F8_E5M2"};

/// Complex numbers are pairs of floats along a further axis.
Json shapeOf(const TensorType &type) {
  Json shape = Json::array();
  for (int64_t size : type.shape.numbers()) shape.push_back(size);
  if (isComplex(type.dtype)) shape.push_back(2);
  return shape;
}

} // namespace

std::vector<size_t> orderOfWeights(std::span<const PackageWeight> weights) {
  std::vector<size_t> order(weights.size());
  std::iota(order.begin(), order.end(), size_t(0));
  auto rank = [&](size_t i) {
    bool isWhole = weights[i].bytes.size() % kLine == 0;
    return isWhole ? int64_t(kLine) : byteSize(weights[i].type.dtype);
  };
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(-rank(i), i); });
  return order;
}

std::string writeHeader(std::span<const PackageWeight> weights, std::span<const size_t> order) {
  Json header = Json::object();
  uint64_t at = 0;
  for (size_t i : order) {
    const PackageWeight &weight = weights[i];
    header[weight.name] = {
        {"dtype", kNames[size_t(weight.type.dtype)]}, {"shape", shapeOf(weight.type)}, {"data_offsets", {at, at + weight.bytes.size()}}};
    at += weight.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 8 + kLine - 1) / kLine * kLine - 8, ' ');
  uint64_t length = text.size();
  char front[8];
  for (int i = 0; i < 8; ++i) front[i] = char(length >> 8 * i);
  return std::string(front, 8) + text;
}

void readHeader(std::span<const uint8_t> file, std::span<PackageWeight> weights) {
  uint64_t length = 0;
  for (size_t i = 0; i < 8 && file.size() >= 8; ++i) length |= uint64_t(file[i]) << 8 * i;
  if (file.size() < 8 || length > file.size() - 8) malformed("weights", "a header within the file", std::to_string(length) + " bytes");
  Json json = parse(file.subspan(8, length), "weights");
  auto data = file.subspan(8 + length);
  Value header(json, "weights");
  for (PackageWeight &weight : weights) {
    Value facts = header.at(weight.name.c_str());
    Value dtype = facts.at("dtype"), shape = facts.at("shape"), offsets = facts.at("data_offsets");
    if (dtype.text() != kNames[size_t(weight.type.dtype)]) dtype.wrong(kNames[size_t(weight.type.dtype)]);
    if (shape.json != shapeOf(weight.type)) shape.wrong("the shape of " + toString(weight.type));
    std::vector<Value> range = offsets.list();
    auto bytes = uint64_t(numElements(weight.type.shape) * byteSize(weight.type.dtype)); // checkSize: no overflow
    if (range.size() != 2) offsets.wrong("a start and an end");
    int64_t start = range[0].number(), end = range[1].number();
    bool fits = start >= 0 && end >= start && uint64_t(end) <= data.size() && uint64_t(end - start) == bytes;
    if (!fits) offsets.wrong(std::to_string(bytes) + " bytes within the file");
    auto aligned = uint64_t(byteSize(realType(weight.type.dtype)));
    if (uint64_t(start) % aligned || reinterpret_cast<uintptr_t>(data.data()) % aligned)
      offsets.wrong("a start at a multiple of " + std::to_string(aligned));
    weight.bytes = data.subspan(size_t(start), bytes);
  }
}

} // namespace kiln::manifest
