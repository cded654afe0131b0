// Calls the library from C++: c++ -std=c++17 scores.cpp -I KILN/include -I FOLDER -L FOLDER -lscores
#include <kiln/kiln.hpp>

#include "scores.h"

#include <cstdio>
#include <cstring>
#include <vector>

int main() {
  const int rows = 2;
  std::vector<float> x{0.5f, -1, 2, 0, 1, 1, 1, 1}, y(rows * 3);
  kiln::library<scores> m; // closes itself
  m(scores_run, x.data(), rows, y.data());
  std::uint32_t bits, checksum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::printf("%.4f%c", double(y[i]), i % 3 == 2 ? '\n' : ' ');
    std::memcpy(&bits, &y[i], sizeof bits);
    checksum = 31 * checksum + bits;
  }
  std::printf("bits %08x\n", unsigned(checksum));
  try {
    m(scores_run, x.data(), 1001, y.data());
  } catch (const kiln::error &e) { std::printf("%s\n", e.what()); }
}
