#include "frontend/Recorder.h"

#include "frontend/OpsShared.h"

namespace kiln {
namespace {

// What a guard may be on, and how many one call may meet.
constexpr int64_t kMostBytes = 64;
constexpr size_t kMostPieces = 1 << 15;

int64_t nextId() {
  static std::atomic<int64_t> last{0};
  return ++last;
}

/// From the cell's array to the view.
std::vector<const ViewStep *> stepsTo(const Array &array) {
  std::vector<const ViewStep *> steps;
  for (const ViewStep *s = array.view.get(); s; s = s->from.get()) steps.push_back(s);
  return {steps.rbegin(), steps.rend()};
}

/// Whether two arrays of one cell show the same of it.
bool showSame(const Array &a, const Array &b) {
  return a.dtype == b.dtype && a.offset == b.offset && a.shape == b.shape && a.strides == b.strides;
}

} // namespace

Recorder::Recorder(Values values) : id(nextId()), values(values), table(new CellTable) {}
Recorder::~Recorder() {
  table->close();
  table->release();
}

void Recorder::giveUp(const std::string &why) {
  if (left.empty()) left = describe ? describe() + why : why;
  if (values == Abstract) throw LeaveRecording{left};
  end();
}

Array Recorder::leave(const Array &value, const char *why, Leaving how) {
  Location at = here();
  if (at.isForeign) return Mode::leave(value, why, how);
  bool isGuard = how == Leaving::Read && values == Computed && left.empty() && value.size() * byteSize(value.dtype) <= kMostBytes;
  if (!isGuard) giveUp(why);
  else if (pieces.size() == kMostPieces) giveUp("one call asks for very many values");
  int64_t slot = left.empty() ? slotOf(value) : -1;
  Array host = Mode::leave(value, why, how);
  if (slot >= 0) cut(slot, host, why, at);
  return host;
}

//===-- inputs ------------------------------------------------------------------------------------------------------===//

void Recorder::addInput(const Array &array) {
  int place = declared++;
  if (!array.storage->value && values == Computed) Array::failLeaked();
  Storage *cell = array.storage.get();
  auto [known, isNew] = inputOfCell.emplace(cell, int(entries.size()));
  int last = -1;
  for (int i = isNew ? -1 : known->second; i >= 0; last = i, i = entries[size_t(i)].next)
    if (showSame(entries[size_t(i)].array, array)) return;
  int32_t slot = addEntry(array);
  locations.resize(trace.types.size());
  if (last >= 0) entries[size_t(last)].next = int(entries.size());
  sources.push_back({Source::Entry, int32_t(entries.size())});
  entries.push_back({array, place, slot});
  entries.back().array.view = nullptr;
}

std::vector<int> Recorder::inputs() const {
  std::vector<int> places;
  for (const Input &input : entries) places.push_back(input.place);
  return places;
}

int Recorder::inputOf(const Array &array) const {
  auto found = inputOfCell.find(array.storage.get());
  return found == inputOfCell.end() ? -1 : found->second;
}

std::vector<Recorder::Written> Recorder::written() const {
  std::vector<Written> result;
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].isWritten) result.push_back({int(i), entries[i].slot});
  return result;
}

//===-- cells and views ---------------------------------------------------------------------------------------------===//

std::vector<Cell> Recorder::liveCells() const {
  std::lock_guard lock(table->mutex);
  std::vector<Cell> live;
  for (const Cell &cell : table->cells)
    if (cell.storage) live.push_back(cell);
  return live;
}

int64_t Recorder::cellSlot(const Storage *storage) const {
  if (storage->recording != table) return -1;
  return table->cells[size_t(storage->cell)].slot;
}

std::pair<int32_t *, int32_t *> Recorder::cellOf(const Array &array) {
  const Storage *storage = array.storage.get();
  if (storage->recording == table) {
    Cell &cell = table->cells[size_t(storage->cell)];
    return {&cell.slot, &cell.version};
  }
  auto found = inputOfCell.find(storage);
  if (found == inputOfCell.end()) return {};
  Input &input = entries[size_t(found->second)];
  return {&input.slot, &input.version};
}

/// The slot of an array that carries no valid mark: the cell's own array, an input, or a view taken before its cell was written.
int64_t Recorder::slotOfView(const Array &array, int64_t cellSlot) {
  bool isOwn = isMine(array) && !array.view && trace.types[size_t(cellSlot)] == array.type();
  if (isOwn) return cellSlot;
  if (isMine(array) && array.view) { // the view is taken again
    std::vector<const ViewStep *> steps = stepsTo(array);
    int64_t slot = steps[0]->base < 0 ? cellSlot : entries[size_t(steps[0]->base)].slot;
    for (const ViewStep *s : steps) slot = append(Op(s->op), {&slot, 1}, s->words, {});
    return slot;
  }
  if (array.storage->recording == table) {
    const TensorType &type = trace.types[size_t(cellSlot)];
    if (type.dtype == array.dtype && type.shape == array.shape && array.isContiguous && !array.offset) return cellSlot;
  } else {
    int entry = entryOf(array);
    if (entry >= 0) return entries[size_t(entry)].slot;
  }
  giveUp("a view made before the call, or by code outside of it, of an array that the call reads otherwise");
  return -1;
}

/// The input that an array shows, or -1.
int Recorder::entryOf(const Array &array) const {
  int i = inputOf(array);
  while (i >= 0 && !showSame(entries[size_t(i)].array, array)) i = entries[size_t(i)].next;
  return i;
}

int64_t Recorder::slotOf(const Array &array) {
  auto [slot, version] = cellOf(array);
  if (!slot) {
    if (!array.storage->value)
      throw Error(ErrorKind::Trace,
                  "an array of another recording is used: expected arrays made in this call, its arguments or captured arrays");
    giveUp("an array is used that is neither an argument nor captured by name");
    return -1;
  }
  if (isMine(array) && array.mark.version == *version) return array.mark.slot;
  return slotOfView(array, *slot);
}

void Recorder::noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) {
  view.mark = {};
  view.view = nullptr;
  Location at = here();
  int64_t operand = at.isForeign ? -1 : slotOf(from);
  if (operand >= 0) {
    std::shared_ptr<const ViewStep> before = isMine(from) ? from.view : nullptr;
    view.mark = {id, int32_t(append(op, {&operand, 1}, words, at)), *cellOf(from).second};
    int base = before ? -1 : entryOf(from);
    view.view = std::make_shared<ViewStep>(ViewStep{uint16_t(op), {words.begin(), words.end()}, std::move(before), base});
  }
  Mode::noteView(from, view, op, words);
}

//===-- operations --------------------------------------------------------------------------------------------------===//

int64_t Recorder::append(Op op, std::span<const int64_t> operands, std::span<const int64_t> words, const Location &at) {
  int64_t slot = trace.addOp(op, operands, words);
  locations.resize(trace.types.size());
  locations.back() = at;
  return slot;
}

Array Recorder::placeholder(const Operation &o) const {
  Array a;
  a.dtype = o.type.dtype;
  a.shape = o.type.shape;
  a.strides = contiguousStrides(a.shape);
  a.storage = Storage::make({});
  a.storage->device = placeOf(o);
  if (o.op == Op::Broadcast && o.mayShare && isNumber(*o.operands[0])) { // stays one
    for (int i = 0; i < a.strides.rank; ++i) a.strides[i] = 0;
    a.updateContiguous();
  }
  return a;
}

/// By the modes below, into a cell of its own.
Array Recorder::compute(const Operation &operation) {
  try {
    Array result = Mode::apply(operation);
    bool isOwn = result.storage->refs.load() == 1 && !result.storage->recording;
    if (!isOwn) result.storage = Storage::make(result.storage->value);
    return result;
  } catch (...) {
    giveUp("an operation fails on its values");
    throw;
  }
}

Array Recorder::apply(const Operation &o) {
  int64_t few[4];
  std::vector<int64_t> many(o.operands.size() > 4 ? o.operands.size() : 0);
  int64_t *slots = many.empty() ? few : many.data();
  if (left.size() && values == Abstract) throw LeaveRecording{left}; // the program swallowed the first one
  Location at = here();
  bool isRecorded = !at.isForeign;
  for (size_t i = 0; isRecorded && i < o.operands.size(); ++i) isRecorded = (slots[i] = slotOf(*o.operands[i])) >= 0;
  if (!isRecorded) return Mode::apply(o);
  int64_t slot = trace.append(o.op, {slots, o.operands.size()}, o.words, o.type);
  locations.resize(trace.types.size());
  locations.back() = at;
  if (o.device) {
    places.resize(trace.types.size());
    places.back() = o.device;
  }
  Array result = values == Abstract ? placeholder(o) : compute(o);
  table->add(*result.storage.get(), int32_t(slot));
  result.mark = {id, int32_t(slot), 0};
  result.view = nullptr;
  return result;
}

//===-- writes ------------------------------------------------------------------------------------------------------===//

/// What the array behind a step becomes when the step's view becomes `slot`; `seen` is what it was.
int64_t Recorder::undo(const ViewStep &step, int64_t seen, int64_t slot, const Location &at) {
  WordReader reader{step.words};
  std::vector<int64_t> words;
  Dims shape = trace.types[size_t(seen)].shape;
  auto add = [&](Op op, std::initializer_list<int64_t> operands) {
    return append(op, std::span(operands.begin(), operands.size()), words, at);
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
  giveUp("a view that repeats elements is written");
  return -1;
}

void Recorder::write(Array &target, const Array &value) {
  Location at = here();
  if (at.isForeign && knows(target.storage.get())) giveUp("code outside of the call writes into an array of it");
  int first = inputOf(target);
  if (first >= 0 && entries[size_t(first)].next >= 0)
    giveUp("an array is written that another argument or captured array shares memory with");
  if (!at.isForeign && left.empty() && slotOf(target) >= 0) {
    int64_t slot = slotOf(value);
    auto [cellSlot, version] = cellOf(target);
    std::vector<const ViewStep *> steps = stepsTo(isMine(target) ? target : Array());
    std::vector<int64_t> seen = {*cellSlot};
    for (size_t i = 0; slot >= 0 && i + 1 < steps.size(); ++i) seen.push_back(append(Op(steps[i]->op), {&seen[i], 1}, steps[i]->words, at));
    for (size_t i = steps.size(); slot >= 0 && i-- > 0;) slot = undo(*steps[i], seen[i], slot, at);
    if (slot >= 0) {
      *cellSlot = int32_t(slot);
      ++*version;
      if (first >= 0) entries[size_t(first)].isWritten = true;
    }
  }
  if (values == Computed) Mode::write(target, value);
}

} // namespace kiln
