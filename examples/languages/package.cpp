// Runs the package from C++ with Kiln's runtime alone: package scores.kiln
#include <kiln/runtime.hpp>

#include <cstdio>
#include <cstring>

int main(int, char **argv) {
  try {
    kiln::package m(argv[1]);
    kiln::array<float> x({2, 4}, {0.5f, -1, 2, 0, 1, 1, 1, 1}), y = m.run<float>("run", x);
    std::uint32_t bits, checksum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      std::printf("%.4f%c", double(y[i]), i % 3 == 2 ? '\n' : ' ');
      std::memcpy(&bits, &y[i], sizeof bits);
      checksum = 31 * checksum + bits;
    }
    std::printf("bits %08x\n", unsigned(checksum));
    kiln::array<float> rows({1001, 4});
    m.run<float>("run", rows);
  } catch (const kiln::error &e) { std::printf("%s\n", e.what()); }
}
