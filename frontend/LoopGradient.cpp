#include "frontend/LoopGradient.h"

#include "frontend/OpsShared.h"
#include "frontend/rules/Formula.h"

#include <algorithm>

namespace kiln {

using rules::Maybe;

namespace {

const TensorType kNumber{DType::I64, {}};

Array number(int64_t n) { return constantArray(DType::I64, {n, 0}); }

int64_t bytesOf(const TensorType &type) { return numElements(type.shape.numbers()) * byteSize(type.dtype); }

/// Where row `at` of a stack begins.
Array rowStart(const Array &at, int rank) {
  Array row = reshape(at, {1});
  if (rank == 1) return row;
  Array others = rules::zeros(at, {rank - 1});
  const Array *parts[] = {&row, &others};
  return concat(parts, 0);
}

Dims asRow(Dims shape) {
  shape.insert(0, 1);
  return shape;
}

/// `i < end`, of a loop over values of some types.
std::shared_ptr<const Trace> belowEnd(std::span<const TensorType> types, size_t end) {
  BodyWriter writer;
  std::vector<Array> values = writer.inputs(types);
  Array goesOn = rules::call(Op::Less, {values[0], values[end]});
  return writer.finish({&goesOn, 1});
}

std::vector<Array> applyLoop(std::shared_ptr<const Trace> condition, std::shared_ptr<const Trace> body, std::span<const Array> operands) {
  std::shared_ptr<const Trace> bodies[] = {std::move(condition), std::move(body)};
  std::vector<const Array *> given;
  for (const Array &a : operands) given.push_back(&a);
  return applyBodies(Op::Loop, given, std::array<int64_t, 2>{0, 1}, bodies);
}

} // namespace

LoopGradient::LoopGradient(std::shared_ptr<const Trace> body, std::vector<TensorType> types, std::vector<char> moving, Count count)
    : body(std::move(body)), types(std::move(types)), moving(std::move(moving)), count(count), carried(this->body->outputs.size()) {
  while (!record()) {}
  findAll();
}

std::vector<char> LoopGradient::isAddedTo() const {
  std::vector<char> result(types.size());
  for (size_t i = carried; i < types.size(); ++i) result[i] = found[i] != kNone;
  return result;
}

//===-- one trip, there and back ------------------------------------------------------------------------------------===//

/// False where a trip gives a derivative to a value that is carried to the next one, which was recorded without.
bool LoopGradient::record() {
  BodyWriter writer;
  std::vector<Array> inputs = writer.inputs(types), outputs;
  std::vector<Maybe> given(carried), watchedSums;
  cotangents.assign(types.size(), kNone), sums = found = cotangents;
  Tape tape;
  std::vector<Array> values = inputs;
  for (size_t i = 0; i < types.size(); ++i) {
    if (!moving[i]) continue;
    (i < carried ? cotangents : sums)[i] = int64_t(writer.countSlots());
    Array more = writer.input(types[i]);
    if (i < carried) given[i] = more;
    watchedSums.push_back(i < carried ? std::nullopt : Maybe(more));
    values[i] = tape.watch(inputs[i]);
  }
  std::vector<Transform::Item> items;
  for (const Array &result : applyTrace(*body, values)) items.push_back(tape.resultOf(result));
  tape.end();
  bool isSame = true;
  for (size_t i = 0; i < carried; ++i)
    if (items[i].node >= 0 && !moving[i]) moving[i] = true, isSame = false;
  if (!isSame) return false;

  middle = writer.countSlots();
  std::vector<Maybe> gradients = tape.gradients(items, given, watchedSums);
  for (const Transform::Item &item : items) outputs.push_back(item.below);
  for (size_t i = 0, next = 0; i < types.size(); ++i)
    if (moving[i]) outputs.push_back(gradients[next] ? *gradients[next] : rules::zerosLike(inputs[i])), ++next;
  trip = writer.finish(outputs);
  for (size_t i = 0, next = carried; i < types.size(); ++i)
    if (moving[i] && trip->outputs[next++] != sums[i]) found[i] = trip->outputs[next - 1]; // else nothing was added
  entries = entriesOf(*trip);
  return true;
}

/// Whether a slot is little work over the number of the trip and what is the same in all trips.
bool LoopGradient::isKnown(size_t slot) const {
  const TraceOp &op = entries[slot].op;
  if (op.op == Op::Input) return slot == 0 || slot >= carried;
  Kind kind = info(op.op).kind;
  bool isLight = kind == Kind::Elementwise || kind == Kind::Index || kind == Kind::Source || op.op == Op::Concat;
  return isLight && op.results == 1 && std::ranges::all_of(op.operands, [&](int64_t x) { return isKnown(size_t(x)); });
}

/// How the way back comes by a slot that it reads.
void LoopGradient::find(size_t slot) {
  if (slot >= middle || how[slot] != How::Open) return;
  const TraceOp &op = entries[slot].op;
  if (isInput(slot)) {
    how[slot] = slot == 0 || slot >= carried ? How::Given : How::Kept;
    return;
  }
  auto bytes = [&](int64_t x) { return bytesOf(trip->types[size_t(x)]); };
  bool isView = info(op.op).kind == Kind::Index && op.op != Op::DynamicSlice && bytes(op.operands[0]) <= bytes(int64_t(slot));
  how[slot] = isView || isKnown(slot) ? How::Again : How::Kept;
  if (how[slot] == How::Again)
    for (int64_t operand : op.operands) find(size_t(operand));
}

void LoopGradient::findAll() {
  std::vector<int64_t> ends;
  for (int64_t slot : found)
    if (slot != kNone) ends.push_back(slot);
  isBack = Trace::neededSlots(trip->words, ends);
  how.assign(middle, How::Open);
  for (size_t slot = middle; slot < entries.size(); ++slot)
    if (isBack[slot])
      for (int64_t operand : entries[slot].op.operands) find(size_t(operand));
  for (int64_t slot : ends) find(size_t(slot));
  for (size_t slot = 0; slot < middle; ++slot) {
    if (how[slot] == How::Kept) rows.push_back(int64_t(slot));
    if (how[slot] == How::Given && slot >= carried && slot < types.size()) used.push_back(int64_t(slot));
  }
}

TensorType LoopGradient::stackOf(int64_t slot) const {
  TensorType type = trip->types[size_t(slot)];
  if (type.shape.rank >= kMaxRank) throw LeaveRecording{"a value of a loop has too many axes to be kept of each trip"};
  type.shape.insert(0, count.trips);
  return type;
}

//===-- the loop, which keeps rows ----------------------------------------------------------------------------------===//

/// Takes carried values, stacks, others, and the first number.
std::shared_ptr<const Trace> LoopGradient::writeTrip() const {
  BodyWriter writer;
  std::vector<Array> slots = writer.inputs(std::span(types).first(carried)), stacks;
  for (int64_t slot : rows) stacks.push_back(writer.input(stackOf(slot)));
  for (size_t i = carried; i < types.size(); ++i) slots.push_back(writer.input(types[i]));
  Array first = writer.input(kNumber), at = count.first ? rules::call(Op::Subtract, {slots[0], first}) : slots[0];
  slots.resize(entries.size());
  std::vector<int64_t> ends(trip->outputs.begin(), trip->outputs.begin() + ptrdiff_t(carried));
  ends.insert(ends.end(), rows.begin(), rows.end());
  std::vector<char> needed = Trace::neededSlots(trip->words, ends);
  for (size_t slot = types.size(); slot < middle; slot += entries[slot].op.results)
    if (needed[slot] && !isInput(slot)) applyEntry(*trip, entries[slot], slots);
  std::vector<Array> results;
  for (size_t i = 0; i < carried; ++i) results.push_back(slots[size_t(trip->outputs[i])]);
  for (size_t i = 0; i < rows.size(); ++i) {
    const Array &row = slots[size_t(rows[i])];
    results.push_back(dynamicUpdate(stacks[i], reshape(row, asRow(row.shape)), rowStart(at, row.shape.rank + 1)));
  }
  return writer.finish(results);
}

std::vector<Array> LoopGradient::run(std::span<const Array *const> operands, const Trace &condition, std::vector<Array> &kept) {
  std::vector<Array> given;
  std::vector<TensorType> all;
  std::vector<size_t> places; // of the inputs of the condition
  for (size_t i = 0; i < carried; ++i) places.push_back(i), given.push_back(*operands[i]);
  for (int64_t slot : rows) {
    TensorType type = stackOf(slot);
    given.push_back(rules::zeros(rules::typeAlone(type.dtype, {}), type.shape.numbers()));
  }
  for (size_t i = carried; i < types.size(); ++i) places.push_back(given.size()), given.push_back(*operands[i]);
  given.push_back(*operands[0]);
  for (const Array &a : given) all.push_back(a.type());
  std::vector<Array> results = applyLoop(withInputs(condition, all, places), writeTrip(), given);
  kept.assign(results.begin() + ptrdiff_t(carried), results.end());
  for (int64_t i : used) kept.push_back(*operands[size_t(i)]);
  kept.push_back(*operands[0]);
  results.resize(carried);
  return results;
}

//===-- the loop back -----------------------------------------------------------------------------------------------===//

/// Takes how many trips it has been through, the cotangents and the sums; what is kept, the number of the last trip, and of all.
std::shared_ptr<const Trace> LoopGradient::writeBack(std::span<const TensorType> given) const {
  BodyWriter writer;
  std::vector<Array> inputs = writer.inputs(given), slots(entries.size()), results;
  size_t next = 0;
  auto take = [&] { return inputs[next++]; };
  Array done = take();
  for (size_t i = 0; i < types.size(); ++i)
    if (found[i] != kNone) slots[size_t(i < carried ? cotangents[i] : sums[i])] = take();
  Array last = inputs[inputs.size() - 2], first = inputs[inputs.size() - 3], at = rules::call(Op::Subtract, {last, done});
  for (int64_t slot : rows) {
    Dims shape = trip->types[size_t(slot)].shape.numbers();
    slots[size_t(slot)] = reshape(dynamicSlice(take(), rowStart(at, shape.rank + 1), asRow(shape)), shape);
  }
  for (int64_t i : used) slots[size_t(i)] = take();
  if (how[0] == How::Given) slots[0] = count.first ? rules::call(Op::Add, {first, at}) : at;
  for (size_t slot = types.size(); slot < entries.size(); slot += entries[slot].op.results)
    if (slot < middle ? how[slot] == How::Again : isBack[slot] != 0) applyEntry(*trip, entries[slot], slots);
  Array one = number(1);
  results.push_back(rules::call(Op::Add, {done, one}));
  for (int64_t slot : found)
    if (slot != kNone) results.push_back(slots[size_t(slot)]);
  return writer.finish(results);
}

/// What a sum begins with. Nothing added to is -0, so that the first term is as it is; where parts are added to, the others are to be 0.
Array LoopGradient::startOf(int64_t operand, const Maybe &sum) const {
  if (sum) return *sum;
  const TensorType &type = types[size_t(operand)];
  Array zero = rules::zeros(rules::typeAlone(type.dtype, {}), type.shape.numbers());
  return entries[size_t(found[size_t(operand)])].op.op == Op::Add ? -rules::Term(zero) : zero;
}

std::vector<Maybe> LoopGradient::back(const Tape::Given &given) const {
  std::vector<Array> operands = {number(0)};
  for (size_t i = 0; i < types.size(); ++i)
    if (found[i] != kNone) operands.push_back(startOf(int64_t(i), i < carried ? given.cotangents[i] : given.sums[i]));
  operands.insert(operands.end(), given.kept.begin(), given.kept.end());
  operands.push_back(number(count.trips - 1));
  operands.push_back(number(count.trips));
  std::vector<TensorType> all;
  for (const Array &a : operands) all.push_back(a.type());
  std::vector<Array> results = applyLoop(belowEnd(all, all.size() - 1), writeBack(all), operands);
  std::vector<Maybe> gradients(types.size());
  for (size_t i = 0, next = 1; i < types.size(); ++i)
    if (found[i] != kNone) gradients[i] = std::move(results[next++]);
  return gradients;
}

} // namespace kiln
