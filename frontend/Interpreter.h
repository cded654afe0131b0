// Recorded programs, run operation by operation through the eager kernels: the results before optimized code is there.
#pragma once

#include "frontend/Array.h"
#include "lib/Core/Trace.h"

namespace kiln {

/// How a trace of fixed sizes is run, read once: what it does in which order, and where arrays are meanwhile.
class Plan {
public:
  /// `sharesViews`: moves are views where they can be.
  explicit Plan(std::shared_ptr<const Trace> trace, bool sharesViews = true);

private:
  friend class Interpreter;
  static constexpr int64_t kAlways = std::numeric_limits<int64_t>::max();
  struct Step {
    TraceOp op;
    int64_t slot;
    bool isView;
  };
  std::shared_ptr<const Trace> trace;
  std::vector<Step> steps;      // that something needs
  std::vector<int64_t> inputs;  // their slots
  std::vector<char> isTaken;    // by slot, whether its last use may write into its memory
  std::vector<int64_t> lastUse; // the slot of the last op that reads a slot
  std::vector<int32_t> places;  // by slot, where its array is: few are there at a time; -2 - i: the i-th constant
  std::vector<Array> constants; // numbers, and numbers repeated: the same in each run
  std::vector<int64_t> roots;   // by slot, the one whose memory it may show
  size_t count = 0;             // of places
  bool sharesViews;

  void readSteps();
  bool takeConstant(const Step &step);
  void findPlaces();
  bool isView(const Step &step) const;
  bool isConstant(int64_t slot) const { return places[size_t(slot)] < -1; }
};

/// A run of a plan, or several one after the other.
class Interpreter {
public:
  /// `between` is called after each operation. `devices`: by slot, those of what is made without operands of theirs (Recorder.h).
  explicit Interpreter(const Plan &plan, void (*between)() = nullptr, std::span<Device *const> devices = {})
      : plan(plan), trace(*plan.trace), between(between), devices(devices), arrays(plan.count) {}
  /// Of a body: arrays that it makes without operands are made on `home`, too.
  Interpreter(const Plan &plan, void (*between)(), Device *home) : Interpreter(plan, between) { this->home = home; }
  /// The outputs for inputs of the trace's types, each row-major in memory of its own. An input that nobody else holds may be changed in
  /// place. Throws Error where an operation fails on data.
  std::vector<Array> run(std::vector<Array> inputs);
  /// The same of inputs that others hold, and that are as before also where an operation fails.
  std::vector<Array> run(std::span<const Array *const> inputs);

private:
  const Plan &plan;
  const Trace &trace;
  void (*between)();
  std::span<Device *const> devices;
  Device *home = nullptr;
  std::vector<Array> arrays; // by place
  int64_t now = 0;           // the slot of the operation under way

  Array &at(int64_t slot) { return arrays[size_t(plan.places[size_t(slot)])]; }
  const Array &read(int64_t slot) const {
    int32_t place = plan.places[size_t(slot)];
    return place < 0 ? plan.constants[size_t(-2 - place)] : arrays[size_t(place)];
  }
  const Array &operand(const TraceOp &op, size_t i) const { return read(op.operands[i]); }
  std::vector<Array> runSteps();
  void run(const Plan::Step &step);
  std::vector<Array> takeResults();
  bool isLastUse(const TraceOp &op, size_t i) const;
  Array taken(const TraceOp &op, size_t i);
  Array apply(const Plan::Step &step);
  Array update(const TraceOp &op);
  std::vector<Array> runBodies(const TraceOp &op);
  std::vector<Array> applyAll(const TraceOp &op);
};

/// A plan of a trace that outlives it.
inline Plan planOf(const Trace &trace, bool sharesViews = true) { return Plan({std::shared_ptr<void>(), &trace}, sharesViews); }

/// One run, whose inputs are as before also where it fails.
std::vector<Array> interpret(const Trace &trace, std::span<const Array *const> inputs, void (*between)() = nullptr,
                             std::span<Device *const> devices = {});

std::vector<Array> interpret(const Plan &plan, std::span<const Array *const> inputs, void (*between)() = nullptr,
                             std::span<Device *const> devices = {});

/// Whether an array shows all of memory that nobody else holds, row by row.
bool ownsMemory(const Array &x);

} // namespace kiln
