#include "frontend/tree/Sharing.h"

#include "frontend/Accelerated.h"
#include "lib/Core/Roll.h"

#include <algorithm>

namespace kiln {

constexpr size_t kMostOpen = 8; // programs for any size of one function, and how many earlier recordings are compared

int64_t ProbeSizes::of(const std::string &name, int64_t size, int64_t low, int64_t high) {
  int64_t multiple = 2;
  for (Known &k : known) {
    if (k.name == name && k.size == size) return k.probe;
    multiple += k.size == size;
  }
  int64_t probe = size * multiple;
  if (probe > high) probe = high != size ? high : std::max<int64_t>(low, 2);
  known.push_back({name, size, probe});
  return probe;
}

bool Sharing::share(Segment &segment, const std::shared_ptr<Code> &program) const {
  bool isRefused = program->on && program->state == Code::Failed; // by its compiler, which may still take the sizes one by one
  if (isRefused || program->on != segment.accelerator()) return false;
  auto values = instantiate(program->trace, *segment.traceOfCode());
  if (!values) return false;
  segment.values = std::move(*values);
  segment.code = program;
  return true;
}

/// A program that has `segment` and `with`, the trace of `other`, as instances.
bool Sharing::widen(const OpenAxes *allowed, Segment &segment, const Trace &with, Segment *other) {
  Difference difference;
  auto trace = generalize(with, *segment.traceOfCode(), &difference, allowed);
  if (!trace || !trace->isOpen()) {
    segment.apart = difference.why;
    return false;
  }
  auto program = codeOf(*trace, segment.accelerator());
  if (!share(segment, program)) return false;
  // Code of its own that nobody has asked for yet is not worth compiling any more.
  if (other && other->code->state == Code::Recorded && other->trace) {
    program->replays = other->code->replays;
    share(*other, program);
  }
  std::erase_if(open, [&](auto &known) { return &known->trace == &with; });
  open.push_back(std::move(program));
  segment.apart.clear();
  return true;
}

bool Sharing::joinEarlier(const OpenAxes *allowed, Segment &segment, std::span<Segment *const> earlier) {
  for (auto &program : std::vector(open))
    if (program->on == segment.accelerator() && widen(allowed, segment, program->trace, nullptr)) return true;
  size_t compared = 0;
  for (auto other = earlier.rbegin(); other != earlier.rend() && compared < kMostOpen; ++other) {
    Segment &known = **other;
    if (!known.code || known.isOpen() || known.device != segment.device) continue;
    if (*known.trace == *segment.trace) {
      segment.takeOwnCode(); // the arguments differ in what the program does not see
      return true;
    }
    ++compared;
    if (widen(allowed, segment, *known.traceOfCode(), &known)) return true;
  }
  return false;
}

void Sharing::choose(Dynamic dynamic, const OpenAxes &allowed, Segment &segment, std::span<Segment *const> earlier, const Probe &probe) {
  if (segment.outputs.empty()) return;
  if (!segment.why.empty()) return; // there is no code
  bool mayShare = dynamic != Dynamic::Never;
  if (mayShare)
    for (auto &program : open)
      if (share(segment, program)) return;
  const OpenAxes *limit = dynamic == Dynamic::Declared ? &allowed : nullptr;
  if (mayShare && open.size() < kMostOpen && joinEarlier(limit, segment, earlier)) return;
  if (dynamic >= Dynamic::Everywhere && open.empty()) {
    std::string why;
    auto other = probe(why);
    if (other && segment.device) other = forAccelerator(*other);
    if (other && widen(limit, segment, *other, nullptr)) return;
    if (why.empty()) why = segment.apart;
    if (dynamic == Dynamic::Declared && !why.empty())
      throw Error(ErrorKind::Trace, "dynamic: expected a function whose recordings differ in sizes alone, got at another size: " + why);
  }
  auto anyTrips = mayShare ? openTrips(*segment.traceOfCode()) : std::nullopt;
  if (!anyTrips) return segment.takeOwnCode();
  auto program = codeOf(*anyTrips, segment.accelerator());
  if (!share(segment, program)) return segment.takeOwnCode();
  if (open.size() < kMostOpen) open.push_back(std::move(program));
}

} // namespace kiln
