#include "frontend/tree/Times.h"

#include "lib/Core/Timed.h"
#include "lib/Library/Library.h"

#include <chrono>

namespace kiln {

bool isTiming = false;

namespace {

int64_t now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// A run under way in this thread.
struct Run {
  std::vector<int64_t> nanoseconds;
  int64_t last = now();
};
thread_local Run *current = nullptr;

/// What has passed since the kernel before belongs to this one.
void tick(int64_t kernel) {
  if (!current || size_t(kernel) >= current->nanoseconds.size()) return;
  int64_t time = now();
  current->nanoseconds[size_t(kernel)] += time - current->last;
  current->last = time;
}

const kiln_rt *timingTable() {
  static const TimedRuntime table = {*runtimeTable(), tick};
  return &table.rt;
}

} // namespace

void findTimed(const Segment &segment) {
  if (segment.times) return;
  auto times = std::make_shared<KernelTimes>();
  try {
    times->code = getExecutable(segment.code->trace.serialize(), nullptr, {nullptr, /*isTimed=*/true, segment.code->places}).executable;
  } catch (const Error &) {} // what was compiled once fails for want of time or memory
  segment.times = times;
}

int32_t runTimed(const Segment &segment, void *const *buffers, const int64_t *dims, void *workspace) {
  findTimed(segment);
  KernelTimes &times = *segment.times;
  if (!times.code) return segment.executable->entry(runtimeTable(), buffers, dims, workspace);
  Run run{std::vector<int64_t>(size_t(times.code->info.kernels))};
  Run *outer = std::exchange(current, &run);
  int32_t status = times.code->entry(timingTable(), buffers, dims, workspace);
  current = outer;
  std::lock_guard lock(times.mutex);
  ++times.runs;
  times.nanoseconds.resize(run.nanoseconds.size());
  for (size_t i = 0; i < run.nanoseconds.size(); ++i) times.nanoseconds[i] += run.nanoseconds[i];
  return status;
}

} // namespace kiln
