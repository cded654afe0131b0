#include "frontend/Accelerated.h"

#include "frontend/AcceleratedForms.h"
#include "frontend/AcceleratedPack.h"
#include "frontend/Mode.h"
#include "frontend/OpsShared.h"
#include "lib/Cache/Code.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <numeric>
#include <set>
#include <unordered_map>

namespace kiln {

std::function<void(const std::string &)> tellOfHost;

namespace {

using Argument = AcceleratorProgram::Argument;

struct HashWords {
  size_t operator()(const std::vector<int64_t> &words) const { return XXH3_64bits(words.data(), words.size() * sizeof(int64_t)); }
};

/// Programs of the same operations on arrays of as many axes, which may differ in their sizes.
struct Family {
  static constexpr size_t kMostKept = 8;
  std::vector<std::shared_ptr<Code>> open; // for any size
  std::vector<Trace> seen;                 // that have code of their own
  bool isRefused = false;                  // the compiler has no code for any size
};

/// The strides of a target as those of a part of a larger array that is row by row: its shape, and the steps of the part in it.
struct Region {
  Dims whole, part, steps;
  Array target, value; // axes in the order of the whole array, without those of one element

  /// False where the strides are not so.
  bool find(const Array &to, const Array &from) {
    target = to, value = from;
    auto order = orderOf(to);
    target.shape = target.strides = value.shape = value.strides = Dims();
    for (int axis : order) add(to, from, axis);
    int64_t unit = 0; // of the axis before, in elements
    for (int i = 0; i < target.shape.rank; ++i) {
      int64_t stride = target.strides[i], next = i ? std::gcd(stride, unit) : stride;
      steps.push(stride / next);
      whole.push(i ? unit / next : target.shape[i]);
      part.push(target.shape[i]);
      if (i && (target.shape[i] - 1) * steps[i] >= whole[i]) return false;
      unit = next;
    }
    if (unit > 1) whole.push(unit), part.push(1), steps.push(1);
    return whole.rank <= kMaxRank;
  }

private:
  /// Axes of more than one element, from the largest stride to the least.
  static std::vector<int> orderOf(const Array &x) {
    std::vector<int> order;
    for (int i = 0; i < x.shape.rank; ++i)
      if (x.shape[i] != 1) order.push_back(i);
    std::ranges::sort(order, [&](int a, int b) { return std::pair(-std::abs(x.strides[a]), a) < std::pair(-std::abs(x.strides[b]), b); });
    return order;
  }
  /// An axis that runs backwards is written from its other end.
  void add(const Array &to, const Array &from, int axis) {
    int64_t size = to.shape[axis], there = to.strides[axis], here = from.strides[axis];
    if (there < 0) {
      target.offset += (size - 1) * there, value.offset += (size - 1) * here;
      there = -there, here = -here;
    }
    target.shape.push(size), target.strides.push(there);
    value.shape.push(size), value.strides.push(here);
  }
};

class AcceleratedDevice final : public Device {
public:
  explicit AcceleratedDevice(Accelerator &on) : Device(on.name), on(on) {}
  Accelerator *accelerator() override { return &on; }
  std::string describe() override { return on.describe() + "\n" + pack.describe(); }

  void *allocate(size_t bytes) override { return on.allocate(bytes); }
  void release(void *memory, size_t bytes) noexcept override { on.release(memory, bytes); }
  void copyIn(void *to, const void *from, size_t bytes) override { on.copyIn(to, from, bytes); }
  void copyOut(void *to, const void *from, size_t bytes) override {
    Released released; // it waits for what was started
    on.copyOut(to, from, bytes);
  }
  void copyWithin(void *to, const void *from, size_t bytes) override { on.copyWithin(to, from, bytes); }

  Array run(const Operation &o) override {
    if (o.op == Op::Complex) return join(o);
    if (o.op == Op::Constant) return constant(o);
    if (o.op == Op::Custom)
      if (auto made = runKernel(*this, o.operands, o.words, {&o.type, 1})) return (*made)[0];
    if (isComplex(o.type.dtype) && o.op == Op::Cast && o.operands[0]->dtype == o.type.dtype) return copyPairs(*o.operands[0]);
    if (auto number = operandToCopy(o)) {
      Array rows = copyOf(*o.operands[*number]);
      std::vector<const Array *> operands(o.operands.begin(), o.operands.end());
      operands[*number] = &rows;
      Operation there = o;
      there.operands = operands;
      return run(there);
    }
    if (hasSeveralRuns(o)) return reduceRuns(o);
    Array result = Array::empty(o.type.dtype, o.type.shape.numbers(), this);
    if (!result.size() && !mayFail(info(o.op).kind)) return result;
    Small program = formOf(o);
    Compiled compiled = codeOf(program);
    if (!compiled.code) return runOnHost(o, /*tells=*/true);
    if (int32_t status = start(program, compiled, argumentOf(result))) // of operands, the CPU says what is wrong, or that nothing is
      return runOnHost(o, /*tells=*/status == KILN_LIBRARY_MISSING);
    return result;
  }

  void write(const Array &target, const Array &given) override {
    if (!target.size()) return;
    if (isComplex(target.dtype)) return writeParts(target, given);
    Array value = given;
    if (!(value.shape == target.shape)) value.strides = broadcastStrides(given, target.shape), value.shape = target.shape;
    value.updateContiguous();
    if (target.isContiguous) {
      if (!value.isContiguous || !deviceOf(value)) value = copyOf(value);
      return copyWithin(target.data(), value.data(), size_t(target.size() * byteSize(target.dtype)));
    }
    Region region;
    if (!region.find(target, value) || !writePart(region)) writeByHost(target, value);
  }

private:
  Accelerator &on;
  std::mutex mutex; // of what follows
  std::unordered_map<std::vector<int64_t>, Compiled, HashWords> known;
  std::unordered_map<std::vector<int64_t>, Family, HashWords> families;
  std::set<std::string> told;
  AcceleratedPack pack{on};

  static int32_t start(Small &program, const Compiled &on, const Argument &result) {
    addNumbers(program.arguments, on.values);
    program.arguments.push_back(result);
    return startProgram(*on.code, program.arguments, on.values.symbols);
  }

  Array constant(const Operation &o) {
    int64_t bits = o.type.dtype == DType::Bool ? o.words[1] != 0 : o.words[1];
    Array result = Array::empty(o.type.dtype, o.type.shape.numbers(), this);
    copyIn(result.data(), &bits, size_t(byteSize(o.type.dtype)));
    return result;
  }

  /// One run of neighbouring axes after the other, the last first: the order of the CPU.
  Array reduceRuns(const Operation &o) {
    Dims axes = WordReader{o.words}.dims(), run;
    Array x = *o.operands[0];
    while (axes.rank) {
      int first = axes.rank - 1;
      while (first > 0 && axes[first - 1] == axes[first] - 1) --first;
      run = Dims(std::span<const int64_t>(axes).subspan(size_t(first)));
      axes.rank = first;
      Shape shape = x.shape;
      for (int i = run.rank; i-- > 0;) shape.erase(int(run[i]));
      std::vector<int64_t> words;
      appendWords(words, run);
      const Array *operand = &x;
      x = this->run({o.op, {&operand, 1}, words, {o.type.dtype, shape}, false, this});
    }
    return x;
  }

  /// No code where the compiler has no kernels for an operation.
  Compiled codeOf(const Small &program) {
    constexpr size_t kMost = 1 << 14;
    std::vector<int64_t> key = program.key();
    {
      std::lock_guard lock(mutex);
      if (auto found = known.find(key); found != known.end()) return found->second;
    }
    auto shared = program.isOwn ? std::nullopt : pack.find(program.trace);
    if (!shared) shared = codeForAnySize(program);
    Compiled made = shared ? std::move(*shared) : Compiled{compiled(std::make_shared<Code>(program.trace, &on)), {}};
    std::lock_guard lock(mutex);
    if (known.size() >= kMost) known.clear(), families.clear();
    if (Family &family = families[familyOf(program.trace)]; !shared && made.code && family.seen.size() < Family::kMostKept)
      family.seen.push_back(program.trace);
    return known[std::move(key)] = std::move(made);
  }

  std::shared_ptr<Executable> compiled(const std::shared_ptr<Code> &code) {
    try {
      Released released;
      compileNow(code);
    } catch (const Declined &) {} // other errors are the compiler's or the driver's own
    return code->result.executable;
  }

  /// That of an earlier program which has this one as an instance, or from the second combination of sizes on of one that has both. None
  /// where there is no such, or the compiler has no code for it.
  std::optional<Compiled> codeForAnySize(const Small &program) {
    Family family;
    {
      std::lock_guard lock(mutex);
      family = families[familyOf(program.trace)];
    }
    if (family.isRefused) return std::nullopt;
    for (auto &code : family.open)
      if (auto values = instantiate(code->trace, program.trace)) return Compiled{code->result.executable, *values};
    if (family.open.size() >= Family::kMostKept) return std::nullopt;
    std::vector<const Trace *> earlier;
    for (auto &code : family.open) earlier.push_back(&code->trace);
    for (Trace &trace : family.seen) earlier.push_back(&trace);
    for (const Trace *trace : earlier) {
      auto open = generalize(*trace, program.trace);
      if (!open || !open->isOpen()) continue;
      auto code = std::make_shared<Code>(std::move(*open), &on);
      auto values = instantiate(code->trace, program.trace);
      bool isThere = values && compiled(code);
      std::lock_guard lock(mutex);
      Family &mine = families[familyOf(program.trace)];
      if (!isThere) return mine.isRefused = true, std::nullopt;
      mine.open.push_back(code);
      return Compiled{code->result.executable, *values};
    }
    return std::nullopt;
  }

  /// An operation by the CPU; `tells`: as it has no kernels here.
  Array runOnHost(const Operation &o, bool tells) {
    std::vector<Array> there;
    std::vector<const Array *> operands;
    there.reserve(o.operands.size());
    for (const Array *a : o.operands) operands.push_back(&there.emplace_back(moved(*a, nullptr)));
    Operation host = o;
    host.operands = operands, host.device = nullptr, host.mayShare = false;
    Array result = kiln::run(host);
    if (tells) tell(o.op);
    return moved(result, this);
  }
  void tell(Op op) {
    std::string opName = info(op).name;
    {
      std::lock_guard lock(mutex);
      if (!told.insert(opName).second) return;
    }
    if (tellOfHost) tellOfHost(opName + " runs on the CPU: '" + name + "' has no kernels for it, so that its operands go there and back");
  }

  Array copyOf(const Array &x) {
    const Array *operand = &x;
    int64_t word = int64_t(x.dtype);
    return run({Op::Cast, {&operand, 1}, {&word, 1}, x.type(), false, this});
  }

  //===-- complex numbers -------------------------------------------------------------------------------------------===//

  Array copyPairs(const Array &x) {
    Array result = Array::empty(x.dtype, x.shape, this);
    if (x.size()) writeParts(result, x);
    return result;
  }
  Array join(const Operation &o) {
    Array result = Array::empty(o.type.dtype, o.type.shape.numbers(), this);
    if (!result.size()) return result;
    for (int i = 0; i < 2; ++i) {
      Array part = partOf(result, i);
      write(part, *o.operands[size_t(i)]);
    }
    return result;
  }
  void writeParts(const Array &target, const Array &value) {
    if (target.isContiguous && value.isContiguous && deviceOf(value) && value.shape == target.shape)
      return copyWithin(target.data(), value.data(), size_t(target.size() * byteSize(target.dtype)));
    for (bool imaginary : {false, true}) {
      Array part = partOf(target, imaginary), from = partOf(value, imaginary);
      write(part, from);
    }
  }

  //===-- writes into strides ---------------------------------------------------------------------------------------===//

  /// In place: nothing of the larger array is read or written but the part.
  bool writePart(Region &region) {
    Small program;
    Array whole = region.target;
    whole.shape = region.whole, whole.strides = contiguousStrides(region.whole), whole.isContiguous = true;
    region.value.updateContiguous();
    int64_t base = program.add(whole), value = program.add(region.value);
    std::vector<int64_t> shape, place;
    appendWords(shape, region.part);
    value = program.trace.append(Op::Reshape, std::array{value}, shape, {region.target.dtype, region.part});
    Dims starts;
    for (int i = 0; i < region.part.rank; ++i) starts.push(0);
    appendWords(place, starts), appendWords(place, region.steps);
    program.trace.outputs = {program.trace.append(Op::Update, std::array{base, value}, place, {region.target.dtype, region.whole})};
    program.trace.replaces = {0};
    Compiled compiled = codeOf(program);
    if (!compiled.code || compiled.code->inPlace.empty() || compiled.code->inPlace[0] != 0) return false;
    return !start(program, compiled, Argument(program.arguments[0]));
  }

  /// What no part of a larger array is, as a view that overlaps itself in odd ways: through the memory of the host.
  void writeByHost(const Array &target, const Array &value) {
    Value &memory = *target.storage->value.get();
    Array there = target;
    there.storage = Storage::make(Value::make(memory.bytes));
    copyOut(there.storage->value->data, memory.data, memory.bytes);
    writeInto(there, moved(value, nullptr));
    copyIn(memory.data, there.storage->value->data, memory.bytes);
  }
};

} // namespace

void addAccelerators() {
  static const bool once = [] {
    for (Accelerator *a : accelerators()) addDevice(*new AcceleratedDevice(*a)); // arrays may outlive statics
    return true;
  }();
  (void)once;
}

} // namespace kiln
