// What the probes of the driver's costs share: times in microseconds, and one JSON object of them on standard output.
#pragma once

#include "lib/Core/Error.h"
#include "lib/Runtime/CudaInternal.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>

using namespace kiln;
using namespace kiln::cuda;

inline double now() { return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
inline double timeOf(const std::function<void()> &run) {
  double start = now();
  run();
  return now() - start;
}
inline double median(int rounds, const std::function<double()> &measure) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(measure());
  std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
  return times[size_t(rounds) / 2];
}

inline bool isFirst = true;
inline void report(const std::string &name, double microseconds) {
  std::printf("%s\n \"%s\": %.3f", isFirst ? "{" : ",", name.c_str(), microseconds);
  isFirst = false;
}
inline std::string read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorKind::Value, "costs: expected a file that can be read, got " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void must(int code) {
  if (code) throw Error(ErrorKind::Device, "costs: error " + std::to_string(code) + " of the driver");
}
