#include "frontend/Tape.h"

#include "frontend/Debug.h"
#include "frontend/OpsShared.h"
#include "frontend/rules/Table.h"

namespace kiln {

using rules::Maybe;

static bool isDifferentiable(DType t) { return (isFloat(t) || isComplex(t)) && !isStorage(t); }

Tape::Tape() {
  Below others(*this);
  isLowest = !Mode::current();
}

Tape::Node &Tape::addNode(Op op) {
  notes.push_back({op, DType::F32, int32_t(nodes.size())});
  Node &node = nodes.emplace_back();
  node.op = op;
  return node;
}

Array Tape::watch(const Array &array) {
  auto note = int64_t(notes.size());
  watched.push_back(note);
  bool isFew = isLowest && (array.dtype == DType::F32 || array.dtype == DType::F64) && array.isContiguous && array.storage->value &&
               !deviceOf(array) && areFew(array.dtype, array.size());
  if (isFew) {
    const void *data = arena.copy(array.data(), size_t(array.size() * byteSize(array.dtype)));
    addFew(Op::Input, array.dtype, addShape(array.shape), int32_t(array.size())).result = data;
    return arrayOfNote(note, array.shape);
  }
  Below others(*this);
  Array below = kept(array);
  addNode(Op::Input).result = below;
  return lift({below, std::nullopt, isDifferentiable(array.dtype) ? note : -1, false});
}

//===-- operations over arrays --------------------------------------------------------------------------------------===//

Transform::Item Tape::perform(const Operation &o, std::span<const Item> items) {
  std::vector<const Array *> operands = operandsOf(items);
  Item result{runOver(o, operands), std::nullopt, -1, false};
  bool isMoving = false;
  for (const Item &item : items) isMoving |= item.node >= 0;
  if (!isMoving || !isDifferentiable(result.below.dtype) || !(o.op == Op::Custom || rules::isDifferentiable(o.op))) return result;
  std::vector<char> wanted(items.size());
  for (size_t i = 0; i < items.size(); ++i) wanted[i] = items[i].node >= 0;
  rules::Residual residual = rules::residualOf({o.op, operands, o.words, &result.below}, wanted);
  for (Array &a : residual.operands) a = kept(a);
  result.node = int64_t(notes.size());
  Node &node = addNode(o.op);
  node.words = {o.words.begin(), o.words.end()};
  node.notes.reserve(items.size());
  for (const Item &item : items) node.notes.push_back(item.node);
  node.result = std::move(residual.result);
  node.operands = std::move(residual.operands);
  if (NanCheck *debug = NanCheck::current()) node.place = debug->place();
  return result;
}

/// The results of a function, the derivative of which the walk asks for.
std::vector<Transform::Item> Tape::noteResults(std::span<const Item> taken, std::span<const Array> results, Function function) {
  size_t first = nodes.size();
  std::vector<Item> noted;
  for (const Array &result : results) {
    int64_t note = isDifferentiable(result.dtype) ? int64_t(notes.size()) : -1;
    addNode(Op::Custom).isPart = noted.size() > 0;
    noted.push_back({result, std::nullopt, note, false});
  }
  if (noted.empty()) return noted;
  Node &node = nodes[first];
  for (const Item &item : taken) node.notes.push_back(item.node);
  node.backward = std::move(function.backward);
  for (const Array &a : function.kept) node.operands.push_back(kept(a));
  node.isAddedTo = std::move(function.isAddedTo);
  node.results = int64_t(results.size());
  return noted;
}

std::vector<Array> Tape::liftResults(std::span<const Item> taken, std::span<const Array> results, Backward backward) {
  std::vector<Array> lifted;
  for (Item &item : noteResults(taken, results, {std::move(backward)})) lifted.push_back(lift(std::move(item)));
  return lifted;
}

/// What the tape holds of memory that is written in place, it copies.
void Tape::beforeWrite(const Array &target) {
  for (Node &n : nodes)
    for (Array &operand : n.operands) {
      if (operand.storage.get() == target.storage.get())
        throw Error(ErrorKind::Trace, "assignment: expected an array that the gradient does not need, got one from outside of the function "
                                      "(return the value instead)");
      bool isShared = target.storage->pinned && operand.storage->value.get() == target.storage->value.get();
      if (isShared) operand = copyOfMemory(operand);
    }
}

//===-- operations over few numbers ---------------------------------------------------------------------------------===//

int32_t Tape::addShape(const Dims &shape) {
  if (shapes.empty() || !(shapes.back() == shape)) shapes.push_back(shape);
  return int32_t(shapes.size()) - 1;
}

Tape::Note &Tape::addFew(Op op, DType dtype, int32_t shape, int32_t count) {
  Note &note = notes.emplace_back();
  note.op = op;
  note.dtype = dtype;
  note.shape = shape;
  note.count = count;
  return note;
}

Array Tape::arrayOfNote(int64_t note, const Dims &shape) {
  Array a;
  a.dtype = notes[size_t(note)].dtype;
  a.shape = shape;
  a.strides = contiguousStrides(shape);
  a.storage = cellOfNote(note);
  return a;
}

Transform::Item Tape::itemOfNote(int64_t number) {
  const Note &note = notes[size_t(number)];
  Below others(*this);
  return {arrayOf(note.dtype, shapes[size_t(note.shape)], {note.result, false}), std::nullopt, number, false};
}

/// An operand of an operation over few numbers.
struct Tape::Short {
  const Array *array = nullptr;
  const void *data = nullptr;
  int64_t note = -1;
  bool isOutside = false; // the memory is not the tape's
};

/// False for an array whose numbers are not in row-major memory of the host.
bool Tape::find(const Array &x, Short &given) {
  given.array = &x;
  const Array *below = &x;
  if (isMine(x)) {
    if (given.note = noteOf(x); given.note >= 0) {
      given.data = notes[size_t(given.note)].result;
      return true;
    }
    const Item *item = knownItem(x);
    if (!item) return false;
    given.note = item->node;
    below = &item->below;
  }
  if (!below->isContiguous || !below->storage->value || deviceOf(*below)) return false;
  given.data = below->data();
  given.isOutside = true;
  return true;
}

/// The array among the operands that the result is like: one with a derivative; null where the operation is no short one.
const Array *Tape::findAll(Op op, std::span<const Operand> operands, Short *all) {
  const Array *like = nullptr, *first = nullptr;
  if (!isLowest || operands.size() > 2) return nullptr;
  for (size_t i = 0; i < operands.size(); ++i) {
    const Operand &o = operands[i];
    if (o.kind == Operand::IsComplex || (o.kind != Operand::IsArray && numberInputs)) return nullptr;
    if (o.kind != Operand::IsArray) continue;
    if (first && (o.array->dtype != first->dtype || !(o.array->shape == first->shape))) return nullptr;
    first = o.array;
    if (!find(*o.array, all[i])) return nullptr;
    if (all[i].note >= 0) like = o.array;
  }
  return like && isOfFew(op, like->dtype) && areFew(like->dtype, like->size()) ? like : nullptr;
}

/// Runs an operation, and notes it.
void Tape::noteFew(Op op, std::span<const Operand> operands, const Short *all, const Array &like) {
  DType dtype = like.dtype;
  int64_t count = like.size();
  auto bytes = size_t(count * byteSize(dtype));
  int32_t shape = -1;
  uint32_t read = 0;
  const uint32_t *reads = rules::recordOf(op).reads;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (all[i].note < 0) continue;
    read |= reads[i];
    if (!all[i].isOutside) shape = notes[size_t(all[i].note)].shape;
  }
  Note &note = addFew(op, dtype, shape < 0 ? addShape(like.shape) : shape, int32_t(count));
  eager::Flat flat[2];
  for (size_t i = 0; i < operands.size(); ++i) {
    note.isNumber[i] = operands[i].kind != Operand::IsArray;
    if (note.isNumber[i]) note.number = scalarBits(operands[i], dtype)[0];
    note.from[i] = int32_t(all[i].note);
    flat[i] = {note.isNumber[i] ? &note.number : all[i].data, dtype, note.isNumber[i]};
    if (!note.isNumber[i] && (read >> i & 1)) note.operands[i] = all[i].isOutside ? arena.copy(all[i].data, bytes) : all[i].data;
  }
  void *result = arena.take(bytes);
  eager::flat(op, {flat, operands.size()}, dtype, count, result);
  note.result = result;
}

bool Tape::applySmall(Op op, std::span<const Operand> operands, const SmallResult &make) {
  Short all[2];
  const Array *like = findAll(op, operands, all);
  if (!like) return false;
  noteFew(op, operands, all, *like);
  make.ofCell(make.context, like->dtype, *like, cellOfNote(int64_t(notes.size()) - 1));
  return true;
}

Array Tape::apply(const Operation &o) {
  if (isLowest && o.words.empty() && o.operands.size() <= 2 && info(o.op).kind == Kind::Elementwise) {
    Operand operands[2];
    for (size_t i = 0; i < o.operands.size(); ++i) operands[i].array = o.operands[i];
    Short all[2];
    if (const Array *like = findAll(o.op, {operands, o.operands.size()}, all)) {
      noteFew(o.op, {operands, o.operands.size()}, all, *like);
      return arrayOfNote(int64_t(notes.size()) - 1, like->shape);
    }
  }
  return Transform::apply(o);
}

std::optional<Array> Tape::applyTotal(Op op, const Array &x) {
  int64_t from = op == Op::Sum && isMine(x) ? noteOf(x) : -1;
  if (from < 0) return std::nullopt;
  const Note given = notes[size_t(from)];
  void *result = arena.take(size_t(byteSize(given.dtype)));
  eager::reduce(op, given.dtype, given.count, given.result, result);
  Note &note = addFew(op, given.dtype, addShape({}), 1);
  note.from[0] = int32_t(from);
  note.result = result;
  return arrayOfNote(int64_t(notes.size()) - 1, {});
}

} // namespace kiln
