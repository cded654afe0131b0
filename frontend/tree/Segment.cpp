#include "frontend/tree/Segment.h"

#include "frontend/Accelerated.h"
#include "frontend/OpsShared.h"
#include "lib/Core/Control.h"
#include "lib/Core/Generalize.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace kiln {
namespace {

constexpr int64_t kNoConstant = std::numeric_limits<int64_t>::min();

double expectedSeconds(const Trace &trace);

/// The same of a loop: where it counts up to a constant, as rolled ones do, its trips; any other takes as long as it likes.
double secondsOfLoop(const Trace &trace, const TraceOp &loop, const std::vector<int64_t> &constants) {
  constexpr double kTrip = 5e-9, kUnknown = 1;
  const Trace &condition = *trace.bodies[size_t(loop.words[0])];
  for (size_t at = 0, slot = 0; at < condition.words.size(); ++slot) {
    TraceOp entry = Trace::decode(condition.words, at);
    if (entry.op == Op::Input) continue;
    bool counts = entry.op == Op::Less && condition.outputs[0] == int64_t(slot) && std::ranges::max(entry.operands) < condition.inputs;
    int64_t start = counts ? constants[size_t(loop.operands[size_t(entry.operands[0])])] : kNoConstant;
    int64_t end = counts ? constants[size_t(loop.operands[size_t(entry.operands[1])])] : kNoConstant;
    if (end == kNoConstant) return kUnknown;
    int64_t trips = start == kNoConstant ? end : end - start; // at most
    return double(std::max<int64_t>(trips, 0)) * (kTrip + expectedSeconds(*trace.bodies[size_t(loop.words[1])]));
  }
  return kUnknown;
}

/// Seconds that a trace is expected to run, from the bytes that it moves and the cost of its operations: enough to tell 1 us from 100.
double expectedSeconds(const Trace &trace) {
  constexpr double kBytes = 1.0 / 12e9, kCost = 1.0 / 8e9, kProduct = 1.0 / 40e9, kLibrary = 1.0 / 1e9;
  double seconds = 0;
  std::vector<int64_t> constants(trace.types.size(), kNoConstant); // by slot
  std::vector<char> isUnread(trace.types.size());                  // of inputs, and what parts of them show
  auto elements = [&](int64_t slot) { return double(numElements(trace.types[size_t(slot)].shape)); };
  auto bytes = [&](int64_t slot) { return elements(slot) * double(byteSize(trace.types[size_t(slot)].dtype)); };
  auto read = [&](int64_t slot) {
    if (std::exchange(isUnread[size_t(slot)], false)) seconds += bytes(slot) * kBytes;
  };
  size_t slot = 0;
  for (size_t at = 0, next = 0; at < trace.words.size(); slot = next) {
    TraceOp entry = Trace::decode(trace.words, at);
    next = slot + entry.results;
    bool isPart = entry.op != Op::Input && info(entry.op).kind == Kind::Index && isUnread[size_t(entry.operands[0])];
    isUnread[slot] = entry.op == Op::Input || isPart;
    if (entry.op == Op::Input || isPart) continue;
    for (int64_t operand : entry.operands) read(operand);
    double most = elements(int64_t(slot));
    for (int64_t operand : entry.operands) most = std::max(most, elements(operand));
    Kind kind = info(entry.op).kind;
    if (kind == Kind::Contract || kind == Kind::Convolve) { // each element of the result: about sqrt(|a| |b| / |result|) products
      double work = elements(entry.operands[0]) * elements(entry.operands[1]) * std::max(1.0, elements(int64_t(slot)));
      seconds += std::sqrt(work) * kProduct;
    } else if (entry.op == Op::Constant) {
      constants[slot] = entry.words[1];
    } else if (entry.op == Op::Loop) {
      seconds += secondsOfLoop(trace, entry, constants);
    } else if (entry.op == Op::Sized) { // at its largest
      Dims most = WordReader{entry.words, 1}.dims();
      seconds += expectedSeconds(atSizes(*trace.bodies[size_t(entry.words[0])], {most.begin(), most.end()}));
    } else if (kind == Kind::Control) { // as long as it likes
      seconds += 1;
    } else if (kind == Kind::Library || kind == Kind::Sort) {
      seconds += most * std::sqrt(most) * kLibrary;
    } else if (kind != Kind::Index && kind != Kind::Source) {
      seconds += most * double(info(entry.op).cost) * kCost;
    }
  }
  for (int64_t output : trace.outputs) {
    read(output);
    seconds += bytes(output) * kBytes;
  }
  return seconds;
}

} // namespace

Segment::Segment(Trace recorded, std::vector<Device *> madeAt) : places(std::move(madeAt)) {
  for (Device *d : places) device = d ? d : device;
  for (const std::string &name : recorded.devices)
    if (name != kHostDevice) device = findDevice(name);
  if (device && !device->accelerator()) why = "no code is made for '" + device->name + "', where it works";
  else if (device && !isAllOn(device, recorded, places)) why = "some of its results are on other devices than '" + device->name + "'";
  for (size_t at = 0, slot = 0; at < recorded.words.size();) {
    TraceOp entry = Trace::decode(recorded.words, at);
    if (entry.op == Op::Input) inputs.emplace_back(recorded.types[slot]);
    else ++ops;
    slot += entry.results;
  }
  for (int64_t output : recorded.outputs) outputs.emplace_back(recorded.types[size_t(output)]);
  seconds = expectedSeconds(recorded);
#if __has_feature(thread_sanitizer) // every run lets other threads of Python in: they meet in short ones as well
  seconds = std::max(seconds, 1e-3);
#endif
  trace = std::make_shared<const Trace>(std::move(recorded));
}

/// Whether an operation, or one of a body of it, fails on some values.
static bool mayFail(const Trace &trace, const TraceOp &entry) {
  if (entry.op == Op::Input) return false;
  if (info(entry.op).kind != Kind::Control) return kiln::mayFail(info(entry.op).kind);
  for (int64_t number : bodyNumbers(info(entry.op), entry.words)) {
    const Trace &body = *trace.bodies[size_t(number)];
    for (size_t at = 0; at < body.words.size();)
      if (mayFail(body, Trace::decode(body.words, at))) return true;
  }
  return false;
}

void keepWhatFails(Trace &trace) {
  std::vector<char> needed = Trace::neededSlots(trace.words, trace.outputs);
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (mayFail(trace, entry) && !needed[slot]) trace.outputs.push_back(int64_t(slot));
    slot += entry.results;
  }
  if (!trace.replaces.empty()) trace.replaces.resize(trace.outputs.size(), -1);
}

std::shared_ptr<Code> codeOf(const Trace &trace, Accelerator *on) {
  static std::mutex *mutex = new std::mutex;
  using Key = std::pair<Accelerator *, std::vector<int64_t>>;
  static auto *known = new std::map<Key, std::weak_ptr<Code>>; // never destroyed: functions may outlive statics
  std::vector<int64_t> content = trace.serialize();
  std::lock_guard lock(*mutex);
  static size_t limit = 1024;
  if (known->size() > limit) { // twice as many as are in use: a search of all for each would be felt
    std::erase_if(*known, [](auto &entry) { return entry.second.expired(); });
    limit = std::max<size_t>(1024, 2 * known->size());
  }
  std::weak_ptr<Code> &slot = (*known)[{on, std::move(content)}];
  if (auto code = slot.lock()) return code;
  auto code = std::make_shared<Code>(trace, on);
  slot = code;
  return code;
}

std::shared_ptr<const Trace> Segment::traceOfCode() const { return device ? std::make_shared<const Trace>(forAccelerator(*trace)) : trace; }

void Segment::takeOwnCode() {
  values = {};
  if (device) {
    if (why.empty()) code = codeOf(*traceOfCode(), accelerator());
    return;
  }
  code = codeOf(*trace, nullptr);
  trace = {code, &code->trace};
}

bool Segment::adoptCode() {
  if (executable) return true;
  if (!code || code->state.load(std::memory_order_acquire) != Code::Ready) return false;
  workspaceBytes = code->result.executable->workspaceBytes(values.symbols.data()); // which may refuse the sizes
  executable = code->result.executable;
  plan = nullptr;
  if (isOpen()) trace = nullptr;
  return true;
}

} // namespace kiln
