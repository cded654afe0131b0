// A straight piece of a recorded program, and what runs it: the code of its trace once that is there, the interpreter until then.
#pragma once

#include "frontend/Device.h"
#include "lib/Cache/Code.h"
#include "lib/Core/Generalize.h"

namespace kiln {

class Plan;
struct KernelTimes;

struct Segment {
  std::shared_ptr<Code> code;                 // of this recording, or of several that differ in sizes and numbers; null: nothing to compute
  Instance values;                            // of the symbols and number inputs of code for any size
  std::shared_ptr<const Trace> trace;         // of these sizes; gone once code for any size is there
  mutable std::shared_ptr<const Plan> plan;   // of the trace, once it was interpreted
  std::vector<ArrayType> inputs;              // in the order of the trace
  std::vector<ArrayType> outputs;             // likewise
  size_t ops = 0;                             // that were recorded
  double seconds = 0;                         // that a run is expected to take
  std::shared_ptr<Executable> executable;     // once it is there
  size_t workspaceBytes = 0;                  // with these values
  std::string apart;                          // why it shares no code with an earlier recording
  Device *device = nullptr;                   // one other than the CPU that it works on
  std::string why;                            // no code is made for that one: it is interpreted
  std::vector<Device *> places;               // as those of its recording
  mutable std::shared_ptr<KernelTimes> times; // where calls were timed

  Segment() = default;
  explicit Segment(Trace recorded, std::vector<Device *> places = {});
  bool isOpen() const { return code && code->trace.isOpen(); }
  /// Other threads of the host run meanwhile.
  bool isLong() const { return seconds >= 20e-6; }
  /// The trace as its code sees it, and where that runs; null: the CPU.
  std::shared_ptr<const Trace> traceOfCode() const;
  Accelerator *accelerator() const { return device ? device->accelerator() : nullptr; }
  /// Gives it code of its own: one for all segments of the process with this trace.
  void takeOwnCode();
  /// Takes over code that has become ready; false where there is none yet.
  bool adoptCode();
};

/// Makes results that nothing uses outputs of a recorded trace where their operations can fail on values: a run then fails as eager does.
void keepWhatFails(Trace &trace);

} // namespace kiln
