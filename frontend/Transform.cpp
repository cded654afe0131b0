#include "frontend/Transform.h"

#include "frontend/Control.h"
#include "frontend/OpsShared.h"
#include "frontend/Recorder.h"
#include "frontend/ViewSteps.h"
#include "frontend/rules/Formula.h"

#include <algorithm>
#include <deque>

namespace kiln {

using rules::Maybe;

/// What each cell stands for now, as long as it is held.
struct Transform::Cells : CellTable {
  std::deque<Item> items;         // by cell
  std::vector<Storage *> ofNotes; // cells that stand for notes, by note

  /// The cell of a note, which has an item from here on.
  void add(Storage &cell, Item item) {
    std::lock_guard lock(mutex);
    *placeOf(cell.cell) = nullptr;
    cell.cell = int32_t(cells.size());
    cells.push_back({&cell, 0});
    items.push_back(std::move(item));
  }
  void addNote(Storage &cell, int64_t note) {
    refs.fetch_add(1, std::memory_order_relaxed);
    std::lock_guard lock(mutex);
    cell.recording = this;
    cell.cell = int32_t(kFirstNote - note);
    ofNotes.resize(std::max(ofNotes.size(), size_t(note) + 1));
    ofNotes[size_t(note)] = &cell;
  }
  Storage **placeOf(int32_t cell) override {
    if (cell >= 0) return CellTable::placeOf(cell);
    auto note = size_t(kFirstNote - int64_t(cell));
    return note < ofNotes.size() ? &ofNotes[note] : nullptr;
  }
  std::vector<Storage *> live() {
    std::lock_guard lock(mutex);
    std::vector<Storage *> found;
    for (const Cell &cell : cells) found.push_back(cell.storage);
    found.insert(found.end(), ofNotes.begin(), ofNotes.end());
    std::erase(found, nullptr);
    return found;
  }
  void dropped(int32_t cell) override {
    Item last; // ends without the lock
    std::lock_guard lock(mutex);
    if (size_t(cell) < items.size()) std::swap(last, items[size_t(cell)]);
  }
  void clear() {
    close();
    std::deque<Item> last;
    std::lock_guard lock(mutex);
    items.swap(last);
    ofNotes.clear();
  }
};

/// A view with what it stands for, as long as its cell is not written.
struct Transform::View : ViewStep {
  Item item;
};

static int64_t nextId() { // below those of recorders
  static std::atomic<int64_t> last{0};
  return --last;
}

Transform::Transform() : id(nextId()), cells(new Cells) {}
Transform::~Transform() {
  cells->clear();
  cells->release();
}

static TensorType typeOf(const Transform::Item &item) {
  TensorType type = item.below.type();
  if (item.isBatched) type.shape.erase(0);
  return type;
}

Array Transform::lift(Item item) {
  TensorType type = typeOf(item);
  Array a;
  a.dtype = type.dtype;
  a.shape = type.shape.numbers();
  a.strides = contiguousStrides(a.shape);
  if (!item.isBatched && isNumber(item.below)) a.strides = item.below.strides, a.updateContiguous(); // stays one
  a.storage = Storage::make({});
  a.storage->device = item.below.storage->device;
  cells->CellTable::add(*a.storage.get(), 0);
  std::lock_guard lock(cells->mutex);
  cells->items.push_back(std::move(item));
  return a;
}

Ref<Storage> Transform::cellOfNote(int64_t note) {
  Ref<Storage> cell = Storage::make({});
  cells->addNote(*cell.get(), note);
  return cell;
}

bool Transform::isMine(const Array &array) const { return array.storage->recording == cells; }
Array Transform::wholeOf(const Array &array) {
  TensorType type = typeOf(cellItem(array));
  Array whole;
  whole.dtype = type.dtype;
  whole.shape = type.shape.numbers();
  whole.strides = contiguousStrides(whole.shape);
  whole.storage = array.storage;
  return whole;
}
Transform::Item &Transform::cellItem(const Array &array) {
  Storage &cell = *array.storage.get();
  if (cell.cell < 0) cells->add(cell, itemOfNote(kFirstNote - int64_t(cell.cell)));
  return cells->items[size_t(cell.cell)];
}

const Transform::Item *Transform::knownItem(const Array &array) {
  Item &item = cellItem(array);
  if (!array.view) return &item;
  bool isFresh = array.mark.recorder == id && array.mark.version == cells->cells[size_t(array.storage->cell)].version;
  return isFresh ? &static_cast<const View *>(array.view.get())->item : nullptr;
}

Transform::Item Transform::itemOf(const Array &array) {
  if (!isMine(array)) return itemOfOther(array);
  if (const Item *known = knownItem(array)) return *known;
  Item item = cellItem(array);
  for (const ViewStep *s : stepsTo(array)) item = performBelow(Op(s->op), {&item, 1}, s->words); // taken again
  return item;
}

Array Transform::viewOf(const Array &whole, const Array &view) {
  Item item{whole, std::nullopt, -1, false};
  for (const ViewStep *s : stepsTo(view)) item = performBelow(Op(s->op), {&item, 1}, s->words);
  return item.below;
}

Transform::Item Transform::performBelow(Op op, std::span<const Item> items, std::span<const int64_t> words) {
  std::vector<TensorType> types = typesOf(items);
  Below others(*this);
  return perform({op, {}, words, infer(op, types, words), true}, items);
}

std::vector<Array> Transform::applyAll(const Operation &o) {
  if (info(o.op).kind != Kind::Control) fail(ErrorKind::Trace, info(o.op).name, "under a gradient or a batch", "one result", "several");
  std::vector<Item> items, results;
  for (const Array *a : o.operands) items.push_back(itemOf(*a));
  {
    Below others(*this);
    if (std::ranges::any_of(items, &Item::isActive)) results = performAll(o, items);
    else
      for (Array &a : applyBodies(o.op, operandsOf(items), o.words, o.bodies)) results.push_back({std::move(a), std::nullopt, -1, false});
  }
  std::vector<Array> lifted;
  for (Item &item : results) lifted.push_back(lift(std::move(item)));
  return lifted;
}

Array Transform::apply(const Operation &o) {
  std::vector<Item> items;
  items.reserve(o.operands.size());
  for (const Array *a : o.operands) items.push_back(itemOf(*a));
  Item result;
  {
    Below others(*this);
    result = perform(o, items);
  }
  return lift(std::move(result));
}

void Transform::noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) {
  if (!isMine(from)) return Mode::noteView(from, view, op, words);
  auto step = std::make_shared<View>();
  step->op = uint16_t(op);
  step->words = {words.begin(), words.end()};
  step->from = from.view;
  Item before = itemOf(from);
  step->item = performBelow(op, {&before, 1}, words);
  view.mark = {id, 0, cells->cells[size_t(from.storage->cell)].version};
  view.view = std::move(step);
}

Array Transform::leave(const Array &value, const char *why, Leaving how) {
  Item item = itemOf(value);
  Below others(*this);
  Array host = kiln::leave(item.below, why, how);
  return how == Leaving::Kept && isMine(value) ? copyOfMemory(host) : host; // what is written into it does not reach a derivative
}

/// A storage becomes the one of an array that nobody else holds.
static void become(Storage &to, const Array &made) {
  Storage &from = *made.storage.get();
  to.recording->drop(&to);
  to.recording = nullptr;
  to.cell = -1;
  to.value = from.value;
  to.device = from.device;
  if (from.recording) from.recording->handOver(from, to);
}

void Transform::settle(std::string (*place)()) {
  if (cells->refs.load(std::memory_order_relaxed) == 1) return; // nobody holds any
  for (Storage *cell : cells->live()) {
    Item item = cell->cell < 0 ? itemOfNote(kFirstNote - int64_t(cell->cell)) : cells->items[size_t(cell->cell)];
    if (!item.isBatched) become(*cell, rowByRow(item.below));
    else if (cells->fate.empty())
      cells->fate =
          "expected one that a function under vmap returned, got one that it left elsewhere" + (place ? ": vmap at " + place() : "");
  }
}

//===-- writes ------------------------------------------------------------------------------------------------------===//

void Transform::write(Array &target, const Array &value) {
  Item item = itemOf(value);
  if (!isMine(target)) {
    if (item.tangent || item.node >= 0 || item.isBatched)
      throw Error(ErrorKind::Trace,
                  "assignment: expected an array made inside the function that is differentiated or batched, got one from "
                  "outside (return the value instead)");
    Below others(*this);
    beforeWrite(target);
    return writeInto(target, item.below);
  }
  auto perform = [&](Op op, std::span<const Item> items, std::span<const int64_t> words) { return performBelow(op, items, words); };
  auto shapeOf = [](const Item &known) { return typeOf(known).shape.numbers(); };
  auto written = writtenThrough(stepsTo(target), cellItem(target), std::move(item), shapeOf, perform);
  if (!written) failRepeated();
  cellItem(target) = std::move(*written);
  ++cells->cells[size_t(target.storage->cell)].version;
}

//===-- what each does with an operation ----------------------------------------------------------------------------===//

std::vector<const Array *> operandsOf(std::span<const Transform::Item> items) {
  std::vector<const Array *> operands;
  operands.reserve(items.size());
  for (const Transform::Item &item : items) operands.push_back(&item.below);
  return operands;
}

std::vector<TensorType> typesOf(std::span<const Transform::Item> items) {
  std::vector<TensorType> types;
  for (const Transform::Item &item : items) types.push_back(typeOf(item));
  return types;
}

Array runOver(const Operation &o, std::span<const Array *const> operands) {
  return kiln::apply({o.op, operands, o.words, o.type, o.mayShare, o.device});
}

Array kept(const Array &x) { return Mode::current() || !x.storage->value ? x : withOwnCell(x); }

Array rowByRow(const Array &x) {
  bool isEager = !Mode::current() && x.storage->value;
  bool isWhole = x.isContiguous && !x.isRepeated && x.offset == 0;
  bool isShared = isEager && isWhole && !x.storage->pinned && x.storage->value->bytes == size_t(x.size() * byteSize(x.dtype));
  return isShared ? withOwnCell(x) : copy(x);
}

Transform::Item Transform::resultOf(const Array &array) {
  Item item = itemOf(array);
  Below others(*this);
  item.below = kept(item.below);
  return item;
}

Transform::Item Tangents::perform(const Operation &o, std::span<const Item> items) {
  std::vector<const Array *> operands = operandsOf(items), tangents;
  Item result{runOver(o, operands), std::nullopt, -1, false};
  for (const Item &item : items) tangents.push_back(item.tangent ? &*item.tangent : nullptr);
  result.tangent = rules::applyJvp({o.op, operands, o.words, &result.below}, tangents);
  return result;
}

Transform::Item Batch::perform(const Operation &o, std::span<const Item> items) {
  std::vector<const Array *> operands = operandsOf(items);
  std::vector<char> isBatched;
  for (const Item &item : items) isBatched.push_back(item.isBatched);
  if (std::ranges::find(isBatched, 1) == isBatched.end()) return {runOver(o, operands), std::nullopt, -1, false};
  return {rules::applyBatch({o.op, operands, o.words, isBatched, size}), std::nullopt, -1, true};
}

/// The value that all examples have.
Array Batch::leave(const Array &value, const char *why, Leaving how) {
  Item item = itemOf(value);
  if (!item.isBatched) return Transform::leave(value, why, how);
  if (size == 0) throw Error(ErrorKind::Trace, "vmap: a value that Python reads: expected at least one example, got none");
  std::optional<Answers> answers;
  {
    Below others(*this);
    if (Mode::current() && how == Leaving::Read) answers = answersApart(item.below, value, why);
    if (!answers) answers = answersOf(contiguous(kiln::leave(item.below, why, how)));
  }
  if (answers->one) return *answers->one;
  asked = std::move(answers);
  throw Error(ErrorKind::Trace, "vmap: a value that Python reads: expected one that all examples of a group have, got several");
}

bool carriesDerivatives() {
  auto *mode = dynamic_cast<Transform *>(Mode::current());
  if (!mode || !dynamic_cast<Batch *>(mode)) return mode;
  Below others(*mode);
  return carriesDerivatives();
}

int64_t levelOf(const Array *array) {
  auto *mode = dynamic_cast<Transform *>(Mode::current());
  if (!mode) return 0;
  bool isHere = !array || mode->isMine(*array);
  Below others(*mode);
  return isHere ? 1 + levelOf(nullptr) : levelOf(array);
}

/// The same in a body: its bits have no derivative, whoever runs it.
static Array stoppedInBody(const Array &x) {
  if (isComplex(x.dtype)) return joinParts(stoppedInBody(partOf(x, false)), stoppedInBody(partOf(x, true)));
  if (!isFloat(x.dtype) || isStorage(x.dtype)) return x;
  int64_t bytes = byteSize(x.dtype);
  return bitcast(bitcast(x, bytes == 2 ? DType::I16 : bytes == 4 ? DType::I32 : DType::I64), x.dtype);
}

Array stopGradient(const Array &x) {
  if (Recorder::followed()) return stoppedInBody(x);
  auto *mode = dynamic_cast<Transform *>(Mode::current());
  if (!mode) return x;
  Transform::Item item = mode->itemOf(x);
  {
    Below others(*mode);
    item.below = stopGradient(item.below);
  }
  return mode->lift({item.below, std::nullopt, -1, item.isBatched});
}

} // namespace kiln
