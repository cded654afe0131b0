#include "frontend/Recorder.h"

#include "lib/Core/Error.h"

namespace kiln {

[[gnu::tls_model("initial-exec")]] thread_local constinit Recorder *Recorder::active = nullptr;

static int64_t nextId() {
  static std::atomic<int64_t> last{0};
  return ++last;
}

Recorder::Recorder() : id(nextId()), outer(active) { active = this; }
Recorder::~Recorder() { active = outer; }

void Recorder::leave(const std::string &why) {
  if (left.empty()) left = describe ? describe() + why : why;
  throw LeaveRecording{left};
}

void Recorder::addInput(const Array &array, InputPlace place) {
  if (array.storage->recording) Array::failLeaked();
  auto known = cells.find(array.storage.get());
  if (known != cells.end()) {
    Cell &cell = known->second;
    if (!(cell.shape == array.shape && cell.strides == array.strides && cell.offset == array.offset))
      leave("two arrays that share memory are read under different views");
    return;
  }
  Cell cell;
  cell.storage = array.storage;
  cell.slot = trace.addInput(
      array.type(), array.isContiguous ? Dims() : [&] {
        Dims dynamic = array.strides;
        for (int i = 0; i < dynamic.rank; ++i) dynamic[i] = kDynamicStride;
        return dynamic;
      }());
  cell.shape = array.shape;
  cell.strides = array.strides;
  cell.offset = array.offset;
  cell.isInput = true;
  cell.place = place;
  inputs.push_back(place);
  inputOrder.push_back(array.storage.get());
  locations.resize(trace.types.size());
  cells.emplace(array.storage.get(), std::move(cell));
}

Array Recorder::result(int64_t slot) {
  if (left.size()) throw LeaveRecording{left}; // the program swallowed the first one
  locations.resize(trace.types.size());
  if (locate) locations.back() = locate();
  const TensorType &type = trace.types[size_t(slot)];
  Array a;
  a.dtype = type.dtype;
  a.shape = type.shape;
  a.strides = contiguousStrides(type.shape);
  a.storage = Storage::make({});
  a.storage->recording = id;
  a.slot = slot;
  a.version = 0;
  Cell cell;
  cell.storage = a.storage;
  cell.slot = slot;
  cell.shape = a.shape;
  cell.strides = a.strides;
  cells.emplace(a.storage.get(), std::move(cell));
  return a;
}

Recorder::Cell &Recorder::cellOf(const Array &array) {
  auto found = cells.find(array.storage.get());
  if (found != cells.end()) return found->second;
  if (array.storage->recording)
    throw Error(ErrorKind::Trace,
                "an array of another recording is used: expected arrays made in this call, its arguments or captured arrays");
  leave("an array is used that is neither an argument nor captured by name");
}

/// From the cell's array to the view.
static std::vector<const ViewStep *> stepsTo(const Array &array) {
  std::vector<const ViewStep *> steps;
  for (const ViewStep *s = array.view.get(); s; s = s->from.get()) steps.insert(steps.begin(), s);
  return steps;
}

int64_t Recorder::slotOf(const Array &array) {
  Cell &cell = cellOf(array);
  if (array.slot >= 0 && array.version == cell.version) return array.slot;
  if (!array.view) {
    if (cell.shape == array.shape && cell.strides == array.strides && cell.offset == array.offset) return cell.slot;
    leave("a view made before the call of an array that the call reads otherwise");
  }
  // The cell was written since the view was taken: the view is taken again.
  int64_t slot = cell.slot;
  for (const ViewStep *s : stepsTo(array)) slot = trace.addOp(Op(s->op), {&slot, 1}, s->words);
  locations.resize(trace.types.size());
  return slot;
}

Array Recorder::record(Op op, std::span<const Array *const> operands, std::span<const int64_t> words) {
  int64_t few[4];
  std::vector<int64_t> many(operands.size() > 4 ? operands.size() : 0);
  int64_t *slots = many.empty() ? few : many.data();
  for (size_t i = 0; i < operands.size(); ++i) slots[i] = slotOf(*operands[i]);
  return result(trace.addOp(op, {slots, operands.size()}, words));
}

Array Recorder::constant(DType dtype, const std::array<int64_t, 2> &bits) {
  auto part = [&](int64_t raw) {
    int64_t words[] = {int64_t(realType(dtype)), raw};
    return trace.addOp(Op::Constant, {}, words);
  };
  if (!isComplex(dtype)) return result(part(bits[0]));
  bool isDouble = dtype == DType::C128;
  int64_t parts[] = {part(isDouble ? bits[0] : bits[0] & 0xffffffff), part(isDouble ? bits[1] : int64_t(uint64_t(bits[0]) >> 32))};
  return result(trace.addOp(Op::Complex, parts, {}));
}

void Recorder::recordView(const Array &from, Array &view, Op op, std::span<const int64_t> words) {
  int64_t operand = slotOf(from);
  view.slot = trace.addOp(op, {&operand, 1}, words);
  view.version = cells.find(from.storage.get())->second.version;
  view.view = std::make_shared<ViewStep>(ViewStep{uint16_t(op), {words.begin(), words.end()}, from.view});
  locations.resize(trace.types.size());
  if (locate) locations.back() = locate();
}

/// What the array behind a step becomes when the step's view becomes `slot`; `seen` is what it was.
int64_t Recorder::undo(const ViewStep &step, int64_t seen, int64_t slot) {
  WordReader reader{step.words};
  std::vector<int64_t> words;
  Dims shape = trace.types[size_t(seen)].shape;
  auto add = [&](Op op, std::initializer_list<int64_t> operands) {
    return trace.addOp(op, std::span(operands.begin(), operands.size()), words);
  };
  switch (Op(step.op)) {
  case Op::Slice: {
    Dims starts = reader.dims();
    reader.dims();
    appendWords(words, starts);
    appendWords(words, reader.dims());
    return add(Op::Update, {seen, slot});
  }
  case Op::Reshape: appendWords(words, shape); return add(Op::Reshape, {slot});
  case Op::Transpose: {
    Dims permutation = reader.dims(), inverse = permutation;
    for (int i = 0; i < permutation.rank; ++i) inverse[int(permutation[i])] = i;
    appendWords(words, inverse);
    return add(Op::Transpose, {slot});
  }
  case Op::Real: return add(Op::Complex, {slot, add(Op::Imag, {seen})});
  case Op::Imag: return add(Op::Complex, {add(Op::Real, {seen}), slot});
  default: break;
  }
  leave("a view that repeats elements is written");
}

void Recorder::write(const Array &target, const Array &value) {
  slotOf(target); // of this recording, and known as a view
  int64_t slot = slotOf(value);
  Cell &cell = cellOf(target);
  std::vector<const ViewStep *> steps = stepsTo(target);
  std::vector<int64_t> seen = {cell.slot};
  for (size_t i = 0; i + 1 < steps.size(); ++i) seen.push_back(trace.addOp(Op(steps[i]->op), {&seen[i], 1}, steps[i]->words));
  for (size_t i = steps.size(); i-- > 0;) slot = undo(*steps[i], seen[i], slot);
  locations.resize(trace.types.size());
  cell.slot = slot;
  cell.version++;
  cell.isWritten = true;
}

std::vector<Recorder::Commit> Recorder::commits() const {
  std::vector<Commit> result;
  for (const Storage *storage : inputOrder) {
    const Cell &cell = cells.at(storage);
    if (cell.isWritten) result.push_back({cell.storage, cell.slot, cell.place});
  }
  return result;
}

const InputPlace *Recorder::placeOf(const Storage *storage) const {
  auto found = cells.find(storage);
  return found != cells.end() && found->second.isInput ? &found->second.place : nullptr;
}

bool Recorder::isWritten(const Storage *storage) const {
  auto found = cells.find(storage);
  return found != cells.end() && found->second.isWritten;
}

int64_t Recorder::liveArrays() const {
  int64_t live = 0;
  for (auto &[storage, cell] : cells)
    if (!cell.isInput && storage->refs.load() > 1) ++live;
  return live;
}

int64_t Recorder::firstLive() const {
  int64_t first = -1;
  for (auto &[storage, cell] : cells)
    if (!cell.isInput && storage->refs.load() > 1 && (first < 0 || cell.slot < first)) first = cell.slot;
  return first;
}

} // namespace kiln
