#include "lib/Core/Program.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace kiln {
namespace {

constexpr std::string_view kMagic = "KILNPROG";

[[noreturn]] void malformed(const std::string &expected, const std::string &got) {
  fail(ErrorKind::Package, "program", "contents", expected, got);
}

/// Calls `visit` with each word of an op that stands for a dtype.
template <typename Visit> void forEachDType(Op op, std::span<int64_t> words, const Visit &visit) {
  size_t at = 0;
  auto next = [&]() -> int64_t & {
    if (at >= words.size()) malformed("all words of " + std::string(info(op).name), std::to_string(words.size()));
    return words[at++];
  };
  for (const char *kind = info(op).words; *kind; ++kind) {
    if (*kind == 'd' || *kind == 's') visit(next());
    if (*kind == 's' || *kind == 'i') next();
    if (*kind == 'I' || *kind == 'N' || *kind == 'S') {
      int64_t n = next();
      if (n < 0 || n > kMaxRank) malformed("lists of at most " + std::to_string(kMaxRank) + " values", std::to_string(n));
      for (; n > 0; --n) next();
    }
  }
  if (at != words.size()) malformed(std::to_string(at) + " words of " + info(op).name, std::to_string(words.size()));
}

/// Numbers in order as 64-bit words, least significant byte first; names with their length in front.
class Writer {
public:
  std::vector<uint8_t> bytes;
  void number(int64_t n) {
    for (int i = 0; i < 8; ++i) bytes.push_back(uint8_t(uint64_t(n) >> 8 * i));
  }
  void list(std::span<const int64_t> numbers) {
    number(int64_t(numbers.size()));
    for (int64_t n : numbers) number(n);
  }
  void name(std::string_view text) {
    number(int64_t(text.size()));
    bytes.insert(bytes.end(), text.begin(), text.end());
  }
};

class Reader {
public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes(bytes) {}
  int64_t number() {
    if (bytes.size() - at < 8) malformed("more bytes", "the end");
    uint64_t n = 0;
    for (int i = 0; i < 8; ++i) n |= uint64_t(bytes[at++]) << 8 * i;
    return int64_t(n);
  }
  size_t count(size_t unit) {
    int64_t n = number();
    if (n < 0 || size_t(n) > (bytes.size() - at) / unit) malformed("counts within the file", std::to_string(n));
    return size_t(n);
  }
  std::vector<int64_t> list() {
    std::vector<int64_t> numbers(count(8));
    for (int64_t &n : numbers) n = number();
    return numbers;
  }
  std::string name() {
    size_t n = count(1);
    std::string text(reinterpret_cast<const char *>(bytes.data() + at), n);
    at += n;
    for (char c : text)
      if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') malformed("names of letters, digits and _", "other bytes");
    return text;
  }
  bool done() const { return at == bytes.size(); }

private:
  std::span<const uint8_t> bytes;
  size_t at = 0;
};

struct Named {
  std::string name;
  int64_t version;
};

/// Names by first use, and the numbers that stand for them.
class Table {
public:
  std::vector<Named> entries;
  int64_t of(std::string_view name, int64_t version) {
    auto found = std::find_if(entries.begin(), entries.end(), [&](auto &e) { return e.name == name; });
    if (found == entries.end()) found = entries.insert(found, {std::string(name), version});
    return found - entries.begin();
  }
};

DType dtypeNamed(const std::string &name) {
  for (int i = 0; i < kNumDTypes; ++i)
    if (name == info(DType(i)).name) return DType(i);
  malformed("dtypes that this version knows", "'" + name + "'");
}

Op opNamed(const Named &entry) {
  for (int i = 0; i < int(Op::Count); ++i) {
    if (entry.name != info(Op(i)).name) continue;
    int present = info(Op(i)).version;
    bool upgrades = entry.version >= 1 && entry.version < present && info(Op(i)).upgrade;
    if (entry.version != present && !upgrades)
      malformed("version " + std::to_string(present) + " of " + entry.name, std::to_string(entry.version));
    return Op(i);
  }
  malformed("ops that this version knows", "'" + entry.name + "'");
}

constexpr int64_t kInputNumber = -1;

} // namespace

Trace parseTrace(std::span<const int64_t> serialized) {
  Trace trace;
  auto words = serialized.subspan(2, size_t(serialized[1])), outputs = serialized.subspan(2 + size_t(serialized[1]));
  for (size_t at = 0; at < words.size();) {
    TraceOp entry = Trace::decode(words, at);
    if (entry.op != Op::Input) {
      trace.addOp(entry.op, entry.operands, entry.words);
      continue;
    }
    WordReader reader{entry.words};
    TensorType type{reader.dtype(), {}};
    type.shape = reader.dims();
    Dims strides;
    if (reader.next())
      for (int i = 0; i < type.shape.rank; ++i) strides.push(reader.next());
    trace.addInput(type, strides);
  }
  trace.outputs.assign(outputs.begin(), outputs.end());
  return trace;
}

std::vector<uint8_t> packProgram(const Trace &trace) {
  Table ops, dtypes;
  Writer body;
  int64_t entries = 0;
  auto nameDType = [&](int64_t &word) { word = dtypes.of(info(DType(word)).name, 1); };
  for (size_t at = 0; at < trace.words.size(); ++entries) {
    TraceOp entry = Trace::decode(trace.words, at);
    std::vector<int64_t> words(entry.words.begin(), entry.words.end());
    if (entry.op == Op::Input) {
      nameDType(words[0]);
      body.number(kInputNumber);
    } else {
      forEachDType(entry.op, words, nameDType);
      body.number(ops.of(info(entry.op).name, info(entry.op).version));
      body.list(entry.operands);
    }
    body.list(words);
  }
  Writer file;
  file.bytes.assign(kMagic.begin(), kMagic.end());
  file.number(kProgramVersion);
  for (const Table *table : {&ops, &dtypes}) {
    file.number(int64_t(table->entries.size()));
    for (const Named &e : table->entries) {
      file.name(e.name);
      file.number(e.version);
    }
  }
  file.number(entries);
  file.bytes.insert(file.bytes.end(), body.bytes.begin(), body.bytes.end());
  file.list(trace.outputs);
  return file.bytes;
}

static void readInput(Trace &trace, std::vector<int64_t> words, const std::vector<DType> &dtypes) {
  if (words.size() < 3 || words[0] < 0 || size_t(words[0]) >= dtypes.size()) malformed("an input with a dtype", "another");
  int64_t rank = words[1];
  if (rank < 0 || rank > kMaxRank || words.size() < size_t(rank) + 3)
    malformed("an input of at most " + std::to_string(kMaxRank) + " axes", std::to_string(rank));
  TensorType type{dtypes[size_t(words[0])], Dims(std::span(words).subspan(2, size_t(rank)))};
  std::span<const int64_t> layout = std::span(words).subspan(size_t(rank) + 2);
  if (layout[0] < 0 || layout[0] > 1 || layout.size() != 1 + (layout[0] ? size_t(rank) : 0))
    malformed("an input with its layout", "another");
  checkSize("input", type);
  trace.addInput(type, layout[0] ? Dims(layout.subspan(1)) : Dims());
}

Trace unpackProgram(std::span<const uint8_t> bytes) {
  if (bytes.size() < kMagic.size() || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()))
    malformed("a program of Kiln", "other bytes");
  Reader reader(bytes.subspan(kMagic.size()));
  if (int64_t version = reader.number(); version != kProgramVersion)
    malformed("format " + std::to_string(kProgramVersion), std::to_string(version));
  std::vector<Named> opTable(reader.count(16));
  for (Named &e : opTable) e.name = reader.name(), e.version = reader.number();
  std::vector<Op> ops;
  for (const Named &e : opTable) ops.push_back(opNamed(e));
  std::vector<DType> dtypes;
  for (size_t n = reader.count(16); n > 0; --n) {
    dtypes.push_back(dtypeNamed(reader.name()));
    reader.number(); // the version of a dtype: none has changed
  }
  Trace trace;
  try {
    for (size_t n = reader.count(16); n > 0; --n) {
      int64_t number = reader.number();
      if (number == kInputNumber) {
        readInput(trace, reader.list(), dtypes);
        continue;
      }
      if (number < 0 || size_t(number) >= ops.size()) malformed("ops of the table", std::to_string(number));
      Op op = ops[size_t(number)];
      std::vector<int64_t> operands = reader.list(), words = reader.list();
      if (int64_t version = opTable[size_t(number)].version; version != info(op).version) info(op).upgrade(int(version), operands, words);
      if (info(op).operands >= 0 && operands.size() != size_t(info(op).operands))
        malformed(std::to_string(info(op).operands) + " operands of " + info(op).name, std::to_string(operands.size()));
      for (int64_t slot : operands)
        if (slot < 0 || size_t(slot) >= trace.types.size()) malformed("operands that come before", std::to_string(slot));
      forEachDType(op, words, [&](int64_t &word) {
        if (word < 0 || size_t(word) >= dtypes.size()) malformed("dtypes of the table", std::to_string(word));
        word = int64_t(dtypes[size_t(word)]);
      });
      trace.addOp(op, operands, words);
    }
    trace.outputs = reader.list();
  } catch (const Error &e) {
    if (e.kind == ErrorKind::Package) throw;
    throw Error(ErrorKind::Package, std::string("program: expected ops that fit together, got ") + e.what());
  }
  for (const TensorType &type : trace.types)
    for (int64_t size : type.shape)
      if (size < 0) malformed("sizes of at least 0", std::to_string(size));
  for (int64_t slot : trace.outputs)
    if (slot < 0 || size_t(slot) >= trace.types.size()) malformed("outputs that are computed", std::to_string(slot));
  if (!reader.done()) malformed("the end behind the outputs", "more bytes");
  return trace;
}

} // namespace kiln
