#include "lib/Core/Trace.h"

#include <algorithm>
#include <cstring>

namespace kiln {

bool Trace::operator==(const Trace &other) const {
  bool isSame = words == other.words && outputs == other.outputs && symbols == other.symbols && given == other.given &&
                devices == other.devices && bodies.size() == other.bodies.size() && replaces == other.replaces && isFast == other.isFast &&
                (!isOpen() || types == other.types);
  for (size_t i = 0; isSame && i < bodies.size(); ++i) isSame = bodies[i] == other.bodies[i] || *bodies[i] == *other.bodies[i];
  return isSame;
}

int64_t Trace::append(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords, std::span<const TensorType> results) {
  if (results.size() == 1) return append(op, operands, opWords, results[0]);
  words.push_back(int64_t(op) | kSeveral | int64_t(operands.size()) << 16 | int64_t(opWords.size()) << 40);
  words.push_back(int64_t(results.size()));
  words.insert(words.end(), operands.begin(), operands.end());
  words.insert(words.end(), opWords.begin(), opWords.end());
  types.insert(types.end(), results.begin(), results.end());
  return int64_t(types.size() - results.size());
}

int64_t Trace::addSeveral(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords,
                          std::span<const TensorType> operandTypes) {
  return append(op, operands, opWords, inferAll(op, operandTypes, opWords, bodies, symbols));
}

std::vector<TensorType> Trace::inferResults(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords) const {
  std::vector<TensorType> operandTypes;
  for (int64_t operand : operands) operandTypes.push_back(types[size_t(operand)]);
  return inferAll(op, operandTypes, opWords, bodies, symbols);
}

int64_t Trace::addOpen(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords, std::span<const TensorType> results) {
  std::vector<TensorType> wanted = inferResults(op, operands, opWords);
  const char *name = info(op).name;
  if (results.size() != wanted.size())
    fail(ErrorKind::Trace, name, "results", std::to_string(wanted.size()), std::to_string(results.size()));
  for (size_t i = 0; i < wanted.size(); ++i)
    if (!agrees(wanted[i], results[i])) fail(ErrorKind::Trace, name, "type of a result", toString(wanted[i]), toString(results[i]));
  return append(op, operands, opWords, results);
}

/// A text as its length and its bytes, eight a word.
static void appendText(std::vector<int64_t> &words, const std::string &text) {
  words.push_back(int64_t(text.size()));
  size_t at = words.size();
  words.resize(at + (text.size() + 7) / 8);
  std::memcpy(words.data() + at, text.data(), text.size());
}

std::vector<int64_t> Trace::serialize() const {
  std::vector<int64_t> all = {kTraceVersion, int64_t(words.size())};
  all.reserve(words.size() + outputs.size() + 6);
  all.insert(all.end(), words.begin(), words.end());
  all.push_back(int64_t(outputs.size()));
  all.insert(all.end(), outputs.begin(), outputs.end());
  all.insert(all.end(), {symbols, given});
  if (isOpen()) {
    size_t at = all.size();
    all.push_back(0);
    for (const TensorType &type : types) appendWords(all, type.shape);
    all[at] = int64_t(all.size() - at - 1);
  }
  all.push_back(int64_t(devices.size()));
  for (const std::string &device : devices) appendText(all, device);
  all.push_back(int64_t(bodies.size()));
  for (const auto &body : bodies) {
    std::vector<int64_t> inner = body->serialize();
    all.push_back(int64_t(inner.size()));
    all.insert(all.end(), inner.begin(), inner.end());
  }
  all.push_back(int64_t(replaces.size()));
  all.insert(all.end(), replaces.begin(), replaces.end());
  all.push_back(isFast);
  return all;
}

/// A program has so many symbols.
static int64_t checkedSymbols(int64_t symbols) {
  if (symbols < kNoSymbols || symbols > kMostSymbols)
    fail(ErrorKind::Trace, "trace", "symbols", "at most " + std::to_string(kMostSymbols), std::to_string(symbols));
  return symbols;
}

void checkGiven(const char *op, int64_t symbols, int64_t given) {
  if (given < 0 || given > std::clamp<int64_t>(symbols, 0, kMostGiven))
    fail(ErrorKind::Trace, op, "symbols that operands give", "0 to " + std::to_string(std::clamp<int64_t>(symbols, 0, kMostGiven)),
         std::to_string(given));
}

SerializedTrace SerializedTrace::read(std::span<const int64_t> serialized) {
  SerializedTrace parts;
  size_t at = 0;
  auto next = [&] {
    if (at >= serialized.size()) fail(ErrorKind::Trace, "trace", "words", "more", std::to_string(serialized.size()));
    return serialized[at++];
  };
  auto take = [&](int64_t count) {
    if (count < 0 || size_t(count) > serialized.size() - at)
      fail(ErrorKind::Trace, "trace", "words", std::to_string(count) + " more", std::to_string(serialized.size() - at));
    at += size_t(count);
    return serialized.subspan(at - size_t(count), size_t(count));
  };
  auto list = [&] { return take(next()); };
  if (int64_t version = next(); version != kTraceVersion)
    fail(ErrorKind::Trace, "trace", "version", std::to_string(kTraceVersion), std::to_string(version));
  parts.words = list();
  parts.outputs = list();
  parts.symbols = checkedSymbols(next());
  parts.given = next();
  checkGiven("trace", parts.symbols, parts.given);
  if (parts.isOpen()) parts.shapes = list();
  for (int64_t count = next(); count > 0; --count) {
    int64_t bytes = next();
    auto text = take(bytes < 0 ? bytes : bytes / 8 + (bytes % 8 != 0));
    parts.devices.emplace_back(reinterpret_cast<const char *>(text.data()), size_t(bytes));
  }
  for (int64_t count = next(); count > 0; --count) parts.bodies.push_back(list());
  parts.replaces = list();
  parts.isFast = next() != 0;
  if (at != serialized.size()) fail(ErrorKind::Trace, "trace", "words", std::to_string(at), std::to_string(serialized.size()));
  return parts;
}

Trace Trace::parse(std::span<const int64_t> serialized) {
  SerializedTrace parts = SerializedTrace::read(serialized);
  Trace trace;
  trace.symbols = parts.symbols;
  trace.given = parts.given;
  for (auto body : parts.bodies) {
    trace.bodies.push_back(std::make_shared<const Trace>(parse(body)));
    if (int64_t shared = trace.bodies.back()->symbols - trace.bodies.back()->given; shared > trace.symbols)
      fail(ErrorKind::Trace, "trace", "symbols of a body", "at most " + std::to_string(trace.symbols), std::to_string(shared));
  }
  WordReader shapes{parts.shapes};
  for (size_t at = 0, input = 0; at < parts.words.size();) {
    TraceOp entry = decode(parts.words, at);
    if (entry.op == Op::Input) {
      WordReader reader{entry.words};
      TensorType type{reader.dtype(), {}};
      type.shape = reader.sizes("input", trace.symbols);
      if (parts.isOpen()) shapes.dims(); // the same
      Dims strides;
      if (reader.next())
        for (int i = 0; i < type.shape.rank; ++i) strides.push(reader.next());
      trace.addInput(type, strides, input < parts.devices.size() ? parts.devices[input] : kHostDevice);
      ++input;
      continue;
    }
    if (!parts.isOpen()) {
      trace.addOp(entry.op, entry.operands, entry.words);
      continue;
    }
    std::vector<TensorType> types = trace.inferResults(entry.op, entry.operands, entry.words);
    for (TensorType &type : types) type.shape = shapes.sizes(info(entry.op).name, trace.symbols);
    trace.addOpen(entry.op, entry.operands, entry.words, types);
  }
  trace.outputs.assign(parts.outputs.begin(), parts.outputs.end());
  trace.replaces.assign(parts.replaces.begin(), parts.replaces.end());
  trace.isFast = parts.isFast;
  trace.checkReplaces();
  return trace;
}

void Trace::checkReplaces() const {
  if (replaces.empty()) return;
  auto refuse = [](const std::string &expected, int64_t got) {
    fail(ErrorKind::Trace, "trace", "input that is replaced", expected, std::to_string(got));
  };
  if (replaces.size() != outputs.size()) refuse("one for each of " + std::to_string(outputs.size()) + " outputs", int64_t(replaces.size()));
  std::vector<int64_t> slots; // of inputs that can be
  for (size_t at = 0, slot = 0; at < words.size();) {
    TraceOp entry = decode(words, at);
    if (entry.op == Op::Input) {
      bool isPlain = entry.words[2 + size_t(entry.words[1])] == 0 && deviceOf(slots.size()) == kHostDevice;
      slots.push_back(isPlain ? int64_t(slot) : -1);
    }
    slot += entry.results;
  }
  for (size_t i = 0; i < replaces.size(); ++i) {
    int64_t input = replaces[i];
    if (input < -1 || input >= int64_t(slots.size())) refuse("one of " + std::to_string(slots.size()) + " inputs", input);
    if (input < 0) continue;
    int64_t &slot = slots[size_t(input)];
    if (slot < 0) refuse("a row-major one on the host, of no other output", input);
    if (!(types[size_t(slot)] == types[size_t(outputs[i])])) refuse("one of type " + toString(types[size_t(outputs[i])]), input);
    slot = -1;
  }
}

std::vector<TensorType> Trace::inputTypes(std::span<const int64_t> serialized) {
  SerializedTrace parts = SerializedTrace::read(serialized);
  std::vector<TensorType> types;
  for (size_t at = 0; at < parts.words.size();) {
    TraceOp entry = decode(parts.words, at);
    if (entry.op != Op::Input) continue;
    WordReader reader{entry.words};
    DType dtype = reader.dtype();
    types.push_back({dtype, reader.sizes("input", parts.symbols)});
  }
  return types;
}

std::vector<TensorType> Trace::outputTypes(std::span<const int64_t> serialized) {
  Trace trace = parse(serialized);
  std::vector<TensorType> results;
  for (int64_t slot : trace.outputs) results.push_back(trace.types[size_t(slot)]);
  return results;
}

std::vector<char> Trace::neededSlots(std::span<const int64_t> words, std::span<const int64_t> outputs) {
  std::vector<size_t> starts; // by slot, of its op
  for (size_t at = 0; at < words.size();) {
    size_t start = at;
    starts.insert(starts.end(), decode(words, at).results, start);
  }
  std::vector<char> needed(starts.size());
  for (int64_t slot : outputs) needed[size_t(slot)] = true;
  for (size_t slot = starts.size(); slot > 0;) {
    size_t at = starts[slot - 1];
    TraceOp entry = decode(words, at);
    slot -= entry.results;
    auto mine = needed.begin() + ptrdiff_t(slot);
    bool isNeeded = std::find(mine, mine + ptrdiff_t(entry.results), true) != mine + ptrdiff_t(entry.results);
    std::fill(mine, mine + ptrdiff_t(entry.results), isNeeded);
    for (int64_t operand : entry.operands)
      if (isNeeded) needed[size_t(operand)] = true;
  }
  return needed;
}

} // namespace kiln
