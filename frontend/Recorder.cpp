#include "frontend/Recorder.h"

#include "frontend/OpsShared.h"
#include "frontend/ViewSteps.h"
#include "lib/Core/Control.h"

#include <string_view>

#include <algorithm>

namespace kiln {
namespace {

// What a guard may be on, and how many one call may meet.
constexpr int64_t kMostBytes = 64;
constexpr size_t kMostPieces = 1 << 15;

int64_t nextId() {
  static std::atomic<int64_t> last{0};
  return ++last;
}

} // namespace

Recorder::Recorder(Values values) : id(nextId()), values(values), table(new CellTable) {}
Recorder::~Recorder() {
  table->close();
  table->release();
}

void Recorder::giveUp(const std::string &why) {
  if (left.empty()) left = describe ? describe() + why : why;
  if (endsWhenLeft()) throw LeaveRecording{left};
  settle();
  end();
}

Array Recorder::leave(const Array &value, const char *why, Leaving how) {
  Location at = here();
  settle();
  if (at.isForeign || (values == Deferred && how == Leaving::Read)) return Mode::leave(value, why, how);
  bool isSmall = how == Leaving::Read && left.empty() && value.size() * byteSize(value.dtype) <= kMostBytes;
  if (isSmall && values == Abstract && answer && pieces.size() < kMostPieces) return cut(slotOf(value), value, why, at);
  bool isGuard = isSmall && values == Computed;
  if (!isGuard) giveUp(why);
  else if (pieces.size() == kMostPieces) giveUp("one call asks for very many values");
  bool mayTell = tells && !value.shape.rank && !deviceOf(value);
  if (cutBefore && left.empty() && isGuard && !mayTell) cutBefore();
  int64_t slot = left.empty() ? slotOf(value) : -1;
  Array host = Mode::leave(value, why, how);
  bool isTold = slot >= 0 && mayTell;
  if (isTold) {
    Array kept = copyOfMemory(host);
    rebind(kept, slot);
    told.push_back({std::move(kept), why, at});
  } else if (slot >= 0) {
    host = instead(host, at);
    askedNow = &value;
    cut(slot, host, why, at);
    askedNow = nullptr;
  }
  return host;
}

/// What Python is told where it asks for an array.
Array Recorder::instead(const Array &host, const Location &at) const {
  bool isFlipped = host.dtype == DType::Bool && host.size() == 1 && flips.contains(questions);
  if (!isFlipped && !given) return host;
  Array other = copyOfMemory(host);
  char *bits = const_cast<char *>(other.data());
  if (isFlipped) return *bits ^= 1, other;
  bool isSame =
      size_t(questions) < given->size() && (*given)[size_t(questions)].at == at && (*given)[size_t(questions)].type == host.type();
  if (!isSame) throw LeaveRecording{"it asks for other values"};
  std::ranges::copy((*given)[size_t(questions)].bits, bits);
  return other;
}

/// Of a cell of the recording alone, whose writes are seen: what was told of it stands.
bool Recorder::mayCount(const Array &mask) const {
  return left.empty() && mask.storage->recording == table && mask.isContiguous && !here().isForeign;
}

std::optional<int64_t> Recorder::toldCount(const Array &mask) {
  auto isSame = [&](const Counted &c) { return c.cell == mask.storage->cell && c.offset == mask.offset && c.size == mask.size(); };
  if (!mayCount(mask)) return std::nullopt;
  auto found = std::ranges::find_if(counted, isSame);
  return found == counted.end() ? std::nullopt : std::optional(found->count);
}

void Recorder::noteCount(const Array &mask, int64_t count) {
  constexpr size_t kMost = 16; // the latest
  if (!mayCount(mask)) return;
  if (counted.size() == kMost) counted.erase(counted.begin());
  counted.push_back({mask.storage->cell, mask.offset, mask.size(), count});
}

Array Recorder::asItIs(const Array &array) {
  int64_t slot = left.empty() ? slotOf(array) : -1;
  Paused paused;
  Array kept = copy(array);
  if (slot >= 0) rebind(kept, slot);
  return kept;
}

bool Recorder::ask(const Array &answer, const char *why) {
  if (pieces.size() >= kMostPieces) giveUp("one call asks for very many values");
  if (cutBefore && left.empty()) cutBefore();
  int64_t slot = left.empty() ? slotOf(answer) : -1;
  if (slot < 0) return *answer.data();
  Array told = instead(answer, here());
  askedNow = &answer, isAskedApart = true;
  cut(slot, told, why, here());
  askedNow = nullptr, isAskedApart = false;
  return *told.data();
}

void Recorder::cutBy(Told &value) {
  if (pieces.size() >= kMostPieces) giveUp("one call asks for very many values");
  if (left.empty()) cut(cellSlot(value.array.storage.get()), value.array, value.why, value.at);
  value.array = Array();
}

//===-- inputs ------------------------------------------------------------------------------------------------------===//

void Recorder::addInput(const Array &array) {
  ++declared;
  if (!array.storage->value && values != Abstract) array.failLeaked();
  int first = inputOf(array);
  for (int i = first; i >= 0; i = entries[size_t(i)].next)
    if (showSame(entries[size_t(i)].array, array)) return;
  if (first >= 0 && entries[size_t(first)].version) giveUp("an array is read by name after one that it shares memory with was written");
  declare(array, addEntry(array));
}

/// An input of the trace, which is the last of the arrays that were declared.
void Recorder::declare(const Array &array, int32_t slot) {
  locations.resize(trace.types.size());
  auto [known, isNew] = inputOfCell.emplace(array.storage.get(), int(entries.size()));
  if (!isNew) {
    int last = known->second;
    while (entries[size_t(last)].next >= 0) last = entries[size_t(last)].next;
    entries[size_t(last)].next = int(entries.size());
  }
  sources.push_back({Source::Entry, int32_t(entries.size())});
  entries.push_back({array, declared - 1, slot});
  entries.back().array.view = nullptr;
}

/// An array from outside of the body, which sees it row by row.
int64_t Recorder::capture(const Array &array) {
  ++declared;
  captured.push_back(array);
  int32_t slot = int32_t(trace.addInput(array.type()));
  inputSlots.push_back(slot);
  declare(array, slot);
  return slot;
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
    if (isCaptured(inputOf(array))) return capture(array);
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

/// What is put off reads inputs as they are now: other threads may write them before it is computed.
void Recorder::holdContent(const Array &array) {
  int first = values == Deferred ? inputOf(array) : -1;
  if (first < 0) return;
  Input &input = entries[size_t(first)];
  if (input.content && !input.isWritten && array.storage->writtenAt > input.readAt) settle(), input.content = {};
  if (input.content) return;
  input.content = array.storage->value;
  input.readAt = timeOfWrites();
}

int64_t Recorder::slotOf(const Array &array) {
  holdContent(array);
  auto [slot, version] = cellOf(array);
  if (!slot && ownInputs >= 0) return capture(array);
  if (!slot) {
    if (!array.storage->value && array.storage->recording && array.storage->recording->fate.size()) array.failLeaked();
    if (!array.storage->value)
      throw Error(ErrorKind::Trace,
                  "an array of another recording is used: expected arrays made in this call, its arguments or captured arrays");
    giveUp("an array is used that is neither an argument nor captured by name");
    return -1;
  }
  if (isMine(array) && array.mark.version == *version) return array.mark.slot;
  return slotOfView(array, *slot);
}

std::optional<int64_t> Recorder::knownNumber(const Array &array) {
  if (values == Deferred) return *reinterpret_cast<const int64_t *>(leave(array, "a number of trips", Leaving::Read).data());
  int64_t slot = slotOf(array);
  for (size_t at = 0, first = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (int64_t(first) == slot && entry.op == Op::Constant) return entry.words[1];
    if ((first += entry.results) > size_t(slot)) break;
  }
  return std::nullopt;
}

Recorder *Recorder::followed() {
  auto *recorder = dynamic_cast<Recorder *>(current());
  return recorder && recorder->isFollowed ? recorder : nullptr;
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
  if (values == Computed) Mode::noteView(from, view, op, words);
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
  a.shape = o.type.shape.numbers();
  a.strides = contiguousStrides(a.shape);
  a.storage = Storage::make({});
  a.storage->device = placeOf(o);
  if (o.op == Op::Broadcast && o.mayShare && isNumber(*o.operands[0])) { // stays one
    for (int i = 0; i < a.strides.rank; ++i) a.strides[i] = 0;
    a.updateContiguous();
  }
  return a;
}

/// Where the operands of an operation are; false where it is not recorded.
bool Recorder::findSlots(const Operation &o, const Location &at, int64_t *slots) {
  if (left.size() && endsWhenLeft()) throw LeaveRecording{left}; // the program swallowed the first one
  bool isRecorded = !at.isForeign;
  for (size_t i = 0; isRecorded && i < o.operands.size(); ++i) isRecorded = (slots[i] = slotOf(*o.operands[i])) >= 0;
  return isRecorded;
}

/// What the modes below made has a cell of its own.
void Recorder::ownCell(Array &result) {
  bool isOwn = result.storage->refs.load() == 1 && !result.storage->recording;
  if (!isOwn) result.storage = Storage::make(result.storage->value);
}

/// A result becomes a cell of this recording.
void Recorder::rebind(Array &result, int64_t slot) {
  table->add(*result.storage.get(), int32_t(slot));
  result.mark = {id, int32_t(slot), 0};
  result.view = nullptr;
}

Array Recorder::apply(const Operation &o) {
  int64_t few[4];
  std::vector<int64_t> many(o.operands.size() > 4 ? o.operands.size() : 0);
  int64_t *slots = many.empty() ? few : many.data();
  Location at = here();
  if (!findSlots(o, at, slots)) {
    settle();
    return Mode::apply(o);
  }
  auto isShared = [&](const Array *a) { return a->storage->pinned; }; // its memory is written elsewhere
  if (values == Deferred && (mayFail(info(o.op).kind) || std::ranges::any_of(o.operands, isShared))) return computeApart(o);
  int64_t slot = trace.append(o.op, {slots, o.operands.size()}, o.words, o.type);
  locations.resize(trace.types.size());
  locations.back() = at;
  if (o.device) {
    places.resize(trace.types.size());
    places.back() = o.device;
  }
  Array result = values == Computed ? compute([&] { return Mode::apply(o); }) : placeholder(o);
  if (values == Computed) ownCell(result);
  rebind(result, slot);
  return result;
}

/// The number of a body in the trace, which has equal ones once.
int64_t Recorder::numberOf(const std::shared_ptr<const Trace> &body) {
  size_t hash = std::hash<std::string_view>()({reinterpret_cast<const char *>(body->words.data()), body->words.size() * sizeof(int64_t)});
  auto [first, last] = bodyNumbers.equal_range(hash);
  for (auto known = first; known != last; ++known)
    if (*trace.bodies[size_t(known->second)] == *body) return known->second;
  bodyNumbers.emplace(hash, int64_t(trace.bodies.size()));
  trace.bodies.push_back(body);
  return int64_t(trace.bodies.size()) - 1;
}

std::vector<Array> Recorder::applyAll(const Operation &o) {
  std::vector<int64_t> slots(o.operands.size()), numbers;
  Location at = here();
  if (!findSlots(o, at, slots.data())) {
    settle();
    return Mode::applyAll(o);
  }
  if (values == Deferred) return computeAllApart(o);
  for (int64_t number : kiln::bodyNumbers(info(o.op, o.words), o.words)) numbers.push_back(numberOf(o.bodies[size_t(number)]));
  int64_t slot = trace.append(o.op, slots, withBodies(info(o.op, o.words), o.words, numbers), o.types);
  locations.resize(trace.types.size(), at);
  std::vector<Array> results;
  if (values == Computed) results = compute([&] { return Mode::applyAll(o); });
  for (size_t i = 0; i < o.types.size(); ++i) {
    Operation one = o;
    one.type = o.types[i];
    if (values == Abstract) results.push_back(placeholder(one));
    rebind(results[i], slot + int64_t(i));
  }
  return results;
}

//===-- writes ------------------------------------------------------------------------------------------------------===//

void Recorder::write(Array &target, const Array &value) {
  if (target.storage->recording == table) std::erase_if(counted, [&](const Counted &c) { return c.cell == target.storage->cell; });
  Location at = here();
  if (at.isForeign) settle();
  if (at.isForeign && knows(target.storage.get())) giveUp("code outside of the call writes into an array of it");
  int first = inputOf(target);
  bool isOwn = cellSlot(target.storage.get()) >= 0 || (first >= 0 && writable && writable->contains(entries[size_t(first)].place));
  if (writable && !at.isForeign && !isOwn) throw LeaveRecording{"an array from outside of the call is written"};
  if (first >= 0 && entries[size_t(first)].next >= 0)
    giveUp("an array is written that another argument or captured array shares memory with");
  auto isOther = [&](const Input &input) { return input.array.storage.get() != target.storage.get() && overlaps(input.array, target); };
  if (values == Deferred && first >= 0 && std::ranges::any_of(entries, isOther))
    giveUp("an array is written that another one shares memory with");
  if (values == Deferred && first >= 0 && longWork().hasOthers && longWork().hasOthers())
    giveUp("an array is written that other threads may write meanwhile");
  if (!at.isForeign && left.empty() && slotOf(target) >= 0) {
    if (isCaptured(inputOf(target))) giveUp("a body writes into an array from outside of it");
    int64_t slot = slotOf(value);
    auto [cellSlot, version] = cellOf(target);
    auto perform = [&](Op op, std::span<const int64_t> operands, std::span<const int64_t> words) {
      return append(op, operands, words, at);
    };
    auto shapeOf = [&](int64_t known) { return trace.types[size_t(known)].shape.numbers(); };
    if (slot >= 0) {
      auto written = writtenThrough(stepsTo(isMine(target) ? target : Array()), int64_t(*cellSlot), slot, shapeOf, perform);
      if (!written) giveUp("a view that repeats elements is written");
      slot = written.value_or(-1);
    }
    if (slot >= 0) {
      *cellSlot = int32_t(slot);
      ++*version;
      if (first >= 0) entries[size_t(first)].isWritten = true;
      isRebound = true;
    }
  }
  if (values == Deferred && target.storage->pinned && left.empty()) settle(); // others see its memory
  if (values == Computed || (values == Deferred && (at.isForeign || left.size()))) Mode::write(target, value);
}

} // namespace kiln
