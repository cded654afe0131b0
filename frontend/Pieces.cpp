// How a recording is cut where Python asks for a value: what is recorded so far becomes a segment, whose values the next one takes as
// inputs. Nothing is computed again, and arrays stay what they are.
#include "frontend/OpsShared.h"
#include "frontend/Recorder.h"

#include <algorithm>

namespace kiln {
namespace {

/// Drops the inputs that a piece does not use, and their slots. Inputs are the first ones.
void dropUnusedInputs(Piece &piece) {
  Trace &trace = piece.trace;
  std::vector<char> isUsed(trace.types.size(), true);
  std::fill_n(isUsed.begin(), piece.inputs.size(), false);
  for (size_t at = 0; at < trace.words.size();)
    for (int64_t operand : Trace::decode(trace.words, at).operands) isUsed[size_t(operand)] = true;
  for (int64_t output : trace.outputs) isUsed[size_t(output)] = true;
  if (std::ranges::count(isUsed, false) == 0) return;

  Trace kept;
  std::vector<int64_t> slots; // by slot before, the one now
  int64_t next = 0;
  for (char used : isUsed) slots.push_back(used ? next++ : -1);
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    bool isInput = entry.op == Op::Input;
    if (isInput && isUsed[slot]) {
      ++kept.inputs;
      if (std::string_view device = trace.deviceOf(slot); device != kHostDevice) {
        kept.devices.resize(size_t(kept.inputs), std::string(kHostDevice));
        kept.devices.back() = device;
      }
    }
    if (isUsed[slot]) {
      kept.words.insert(kept.words.end(), trace.words.begin() + ptrdiff_t(entry.at), trace.words.begin() + ptrdiff_t(at));
      int64_t *operands = kept.words.data() + kept.words.size() - entry.words.size() - entry.operands.size();
      for (size_t i = 0; i < entry.operands.size(); ++i) operands[i] = slots[size_t(operands[i])];
    }
    slot += entry.results;
  }
  for (int64_t output : trace.outputs) kept.outputs.push_back(slots[size_t(output)]);
  auto keep = [&](auto &list) {
    size_t n = 0;
    for (size_t i = 0; i < list.size(); ++i)
      if (isUsed[i]) list[n++] = list[i];
    list.resize(n);
  };
  keep(trace.types), keep(piece.inputs), keep(piece.locations), keep(piece.places);
  kept.types = std::move(trace.types);
  kept.bodies = std::move(trace.bodies);
  trace = std::move(kept);
}

/// Puts the inputs before the operations.
void putInputsFirst(Piece &piece, std::span<const int32_t> inputSlots) {
  Trace &trace = piece.trace;
  std::vector<int64_t> slots(trace.types.size(), -1); // by slot before, the one now
  int64_t next = 0;
  for (int32_t slot : inputSlots) slots[size_t(slot)] = next++;
  for (int64_t &slot : slots)
    if (slot < 0) slot = next++;
  std::vector<int64_t> inputs, others;
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    std::vector<int64_t> &words = entry.op == Op::Input ? inputs : others;
    words.insert(words.end(), trace.words.begin() + ptrdiff_t(entry.at), trace.words.begin() + ptrdiff_t(at));
    int64_t *operands = words.data() + words.size() - entry.words.size() - entry.operands.size();
    for (size_t i = 0; i < entry.operands.size(); ++i) operands[i] = slots[size_t(operands[i])];
  }
  trace.words = std::move(inputs);
  trace.words.insert(trace.words.end(), others.begin(), others.end());
  for (int64_t &output : trace.outputs) output = slots[size_t(output)];
  auto move = [&](auto &list) {
    auto before = std::exchange(list, {});
    list.resize(slots.size());
    for (size_t i = 0; i < before.size(); ++i) list[size_t(slots[i])] = before[i];
  };
  move(trace.types), move(piece.locations);
  if (piece.places.size()) move(piece.places);
}

/// The bytes of an array of the host.
std::string bitsOf(const Array &array) {
  Paused paused;
  Array flat = contiguous(array);
  return {flat.data(), size_t(flat.size() * byteSize(flat.dtype))};
}

} // namespace

Piece Recorder::takePiece() {
  Piece piece;
  piece.trace = std::exchange(trace, {});
  piece.trace.isFast = isFast;
  piece.inputs = std::exchange(sources, {});
  piece.locations = std::exchange(locations, {});
  piece.places = std::exchange(places, {});
  bodyNumbers.clear(); // of the trace
  if (inputSlots.size() && size_t(inputSlots.back()) >= inputSlots.size()) putInputsFirst(piece, inputSlots);
  inputSlots.clear();
  return piece;
}

/// Ends the piece; -1: nothing is asked for.
Piece Recorder::endPiece(HandedOn &on, int64_t asked) {
  auto add = [&](int32_t &slot, int32_t &version, const Storage &cell) {
    ++version; // views of before are taken again
    on.slots.push_back(&slot);
    on.types.push_back(trace.types[size_t(slot)]);
    on.devices.push_back(cell.device);
  };
  for (Input &input : entries) {
    if (input.isWritten) add(input.slot, input.version, *input.array.storage.get());
    else ++input.version;
  }
  on.written = on.slots.size();
  {
    std::lock_guard lock(table->mutex);
    for (; firstCell < table->cells.size(); ++firstCell) held.push_back(int32_t(firstCell));
    std::erase_if(held, [&](int32_t number) { return !table->cells[size_t(number)].storage; });
    for (int32_t number : held) {
      Cell &cell = table->cells[size_t(number)];
      add(cell.slot, cell.version, *cell.storage);
    }
  }

  std::unordered_map<int64_t, int32_t> outputs;
  auto sourceOf = [&](int64_t slot, bool mayBeEntry) {
    int input = inputAt(slot);
    if (input >= 0 && (mayBeEntry || sources[size_t(input)].kind == Source::Live)) return sources[size_t(input)];
    auto [known, isNew] = outputs.emplace(slot, int32_t(trace.outputs.size()));
    if (isNew) trace.outputs.push_back(slot);
    return Source{Source::Output, known->second};
  };
  std::vector<Source> live;
  for (const int32_t *slot : on.slots) live.push_back(sourceOf(*slot, false)); // what the call writes later is not in it
  Source askedFor = asked < 0 ? Source() : sourceOf(asked, true);
  Piece piece = takePiece();
  piece.live = std::move(live);
  piece.liveTypes = on.types;
  piece.asked = askedFor;
  dropUnusedInputs(piece);
  return piece;
}

Array Recorder::cut(int64_t asked, const Array &value, const char *why, const Location &at) {
  HandedOn on;
  Piece &piece = pieces.emplace_back(endPiece(on, asked));
  piece.askedType = value.dtype;
  piece.why = why;
  piece.at = at;
  if (askedNow) piece.question = questions, piece.isOfNumbers = isAskedApart;
  ++questions;
  Array told = values == Abstract ? answer(piece, value.type()) : value;
  piece.value = bitsOf(told);
  if (answered) answered->push_back({at, value.type(), piece.value, isAskedApart});
  startPiece(on.slots, on.types, on.devices);
  if (cutBehind) cutBehind(piece);
  return told;
}

std::optional<std::pair<Source, TensorType>> Recorder::handedOnOf(const Array &array) {
  int32_t *slot = cellOf(array).first;
  int input = slot ? inputAt(*slot) : -1;
  if (input < 0) return std::nullopt;
  return std::pair(sources[size_t(input)], trace.types[size_t(*slot)]);
}

void Recorder::reorderLive(std::span<const int32_t> order) {
  Piece &piece = pieces.back();
  std::vector<Source> live;
  std::vector<TensorType> types;
  std::vector<int32_t> place(order.size());
  for (int32_t before : order) {
    place[size_t(before)] = int32_t(live.size());
    live.push_back(piece.live[size_t(before)]);
    types.push_back(piece.liveTypes[size_t(before)]);
  }
  for (Source &s : sources)
    if (s.kind == Source::Live) s.index = place[size_t(s.index)];
  piece.live = std::move(live);
  piece.liveTypes = std::move(types);
}

/// The inputs as what was put off read them.
std::vector<Array> Recorder::asRead() {
  std::vector<Array> inputs;
  for (const Input &input : entries) {
    Array &a = inputs.emplace_back(input.array);
    const Ref<Value> &content = entries[size_t(inputOf(input.array))].content;
    if (content) a.storage = Storage::make(content);
  }
  for (Input &input : entries) input.content = {};
  return inputs;
}

void Recorder::settle() {
  bool isPending = isRebound || trace.types.size() > sources.size();
  if (values != Deferred || isOver() || !isPending) return;
  isRebound = false;
  HandedOn on;
  Piece piece = endPiece(on, -1);
  std::vector<Ref<Storage>> cells; // other threads run meanwhile
  for (int32_t number : held) {
    Storage *cell = table->cells[size_t(number)].storage;
    cell->refs.fetch_add(1, std::memory_order_relaxed);
    cells.emplace_back(cell);
  }
  std::vector<Array> read = asRead();
  std::vector<const Array *> inputs;
  for (const Source &s : piece.inputs) inputs.push_back(&(s.kind == Source::Entry ? read : handed)[size_t(s.index)]);
  std::vector<Source> live = std::exchange(piece.live, {});
  std::vector<Array> made;
  try {
    if (piece.trace.outputs.size()) made = runPiece(std::move(piece), inputs);
  } catch (...) { // what was put off is lost, and nothing is written
    left = "its computation was given up";
    end();
    throw;
  }
  auto valueOf = [&](const Source &s) -> const Array & { return (s.kind == Source::Live ? handed : made)[size_t(s.index)]; };
  size_t next = 0;
  for (Input &input : entries) {
    if (!input.isWritten) continue;
    input.isWritten = false;
    Mode::write(input.array, valueOf(live[next++]));
  }
  std::vector<Array> after;
  for (const Ref<Storage> &cell : cells) {
    cell->value = valueOf(live[next]).storage->value;
    Array &array = after.emplace_back();
    array.dtype = on.types[next].dtype;
    array.shape = on.types[next].shape.numbers();
    array.strides = contiguousStrides(array.shape);
    array.storage = Storage::make(cell->value); // as it is now: the cell may be written before this is read
    ++next;
  }
  handed = std::move(after);
  startPiece(std::span(on.slots).subspan(on.written), std::span(on.types).subspan(on.written), std::span(on.devices).subspan(on.written));
}

/// What may fail on values, or belongs to no recording, is computed at once: errors come where eager's come.
Array Recorder::computeApart(const Operation &o) {
  settle();
  Operation own = o;
  own.mayShare = false; // it stays: an input, which lies in memory in order
  Array result = compute([&] { return Mode::apply(own); });
  ownCell(result);
  if (left.empty()) handOn(result);
  return result;
}

std::vector<Array> Recorder::computeAllApart(const Operation &o) {
  settle();
  std::vector<Array> results = compute([&] { return Mode::applyAll(o); });
  for (Array &result : results) {
    ownCell(result);
    if (left.empty()) handOn(result);
  }
  return results;
}

/// A result that is there becomes an input of what is put off from here on.
void Recorder::handOn(Array &result) {
  int64_t slot = trace.addInput(result.type(), {}, nameOf(deviceOf(result)));
  sources.push_back({Source::Live, int32_t(handed.size())});
  locations.resize(trace.types.size());
  handed.push_back(result);
  handed.back().storage = Storage::make(result.storage->value);
  rebind(result, slot);
}

/// The next trace: its inputs are those of the call that were not written, and what is handed on.
void Recorder::startPiece(std::span<int32_t *const> slots, std::span<const TensorType> types, std::span<Device *const> devices) {
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].isWritten) continue;
    entries[i].slot = addEntry(entries[i].array);
    sources.push_back({Source::Entry, int32_t(i)});
  }
  for (size_t i = 0; i < slots.size(); ++i) {
    *slots[i] = int32_t(trace.addInput(types[i], {}, nameOf(devices[i])));
    inputSlots.push_back(*slots[i]);
    sources.push_back({Source::Live, int32_t(i)});
  }
  locations.resize(trace.types.size());
}

int32_t Recorder::addEntry(const Array &array) {
  Dims dynamic = array.strides;
  for (int i = 0; i < dynamic.rank; ++i) dynamic[i] = kDynamicStride;
  inputSlots.push_back(int32_t(trace.addInput(array.type(), array.isContiguous ? Dims() : dynamic, nameOf(deviceOf(array)))));
  return inputSlots.back();
}

int Recorder::inputAt(int64_t slot) const {
  auto found = std::ranges::lower_bound(inputSlots, slot);
  return found != inputSlots.end() && *found == slot ? int(found - inputSlots.begin()) : -1;
}

Source Recorder::output(int64_t slot) {
  int input = inputAt(slot);
  if (input >= 0 && sources[size_t(input)].kind == Source::Live) return sources[size_t(input)];
  trace.outputs.push_back(slot);
  return {Source::Output, int32_t(trace.outputs.size()) - 1};
}

std::vector<Piece> Recorder::finish() {
  bool isCut = !pieces.empty(); // else every input stays one: a program has those of its function
  pieces.push_back(takePiece());
  if (isCut) dropUnusedInputs(pieces.back());
  return std::move(pieces);
}

} // namespace kiln
