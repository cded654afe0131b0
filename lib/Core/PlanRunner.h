// The programs of launch plans whose steps nest, step by step on the host: for whoever can launch kernels, copy, and read a number.
#pragma once

#include "lib/Core/LaunchPlan.h"

#include <optional>

namespace kiln {

class PlanRunner {
public:
  using Address = uint64_t;
  /// The arrays of a program or body in one call, inputs first, and of int64 numbers among them what the host knows; may be fewer.
  struct Frame {
    std::vector<Address> arrays;
    Address workspace = 0;
    std::vector<std::optional<int64_t>> numbers = {};
  };

  explicit PlanRunner(const LaunchPlan &plan) : plan(plan) {}
  virtual ~PlanRunner() = default;
  /// Puts a program or body of the plan in, as far as it does not depend on numbers that are still computed; false where it was stopped.
  bool run(const LaunchPlan::Program &program, const Frame &frame);

protected:
  const LaunchPlan &plan;

  /// Part `number` of the launches of a program, which has some.
  virtual void launch(const LaunchPlan::Program &program, size_t number, const Frame &frame) = 0;
  virtual void copy(Address to, Address from, int64_t bytes) = 0;
  /// Puts a call of a library's routine in.
  virtual void callLibrary(const LaunchPlan::Step &step, std::span<const Address> pointers) = 0;
  /// The number of 1 or 8 bytes at an address, behind all that was put in; none where the program is to stop.
  virtual std::optional<int64_t> read(Address from, int64_t bytes) = 0;
  /// Asked once a trip.
  virtual bool stops() = 0;

  static Address addressOf(const LaunchPlan::Program &program, const LaunchPlan::Argument &argument, const Frame &frame);

private:
  using Step = LaunchPlan::Step;

  bool runStep(const LaunchPlan::Program &program, const Step &step, const Frame &frame);
  bool choose(const LaunchPlan::Program &program, const Step &step, const Frame &frame);
  bool loop(const LaunchPlan::Program &program, const Step &step, const Frame &frame);
  bool runWhile(const Step &step, Address flag, Frame &inside);
  bool repeat(const LaunchPlan::Program &program, const Step &step, const Frame &frame, Frame &inside);
  bool trip(const Step &step, Frame &inside);
  std::optional<int64_t> numberOf(const LaunchPlan::Program &program, const LaunchPlan::Argument &argument, const Frame &frame);
  Frame frameOf(const LaunchPlan::Program &program, const Step &step, const Frame &frame);
};

} // namespace kiln
