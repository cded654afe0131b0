// Reads program files: nothing in them is trusted, and what is read is checked as if it were recorded.
#include "lib/Core/ProgramFile.h"

#include <algorithm>
#include <cstring>

namespace kiln {
namespace {

using namespace file;

class Reader {
public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes(bytes) {}
  int64_t number() {
    if (bytes.size() - at < 8) malformed("more bytes", "the end");
    uint64_t n = 0;
    for (int i = 0; i < 8; ++i) n |= uint64_t(bytes[at++]) << 8 * i;
    return int64_t(n);
  }
  /// How many things of at least `unit` bytes follow.
  size_t count(size_t unit) {
    int64_t n = number();
    if (n < 0 || size_t(n) > (bytes.size() - at) / unit) malformed("counts within the file", std::to_string(n));
    return size_t(n);
  }
  std::span<const uint8_t> take(size_t count) {
    at += count;
    return bytes.subspan(at - count, count);
  }
  std::vector<int64_t> list() {
    std::vector<int64_t> numbers(count(8));
    for (int64_t &n : numbers) n = number();
    return numbers;
  }
  Dims dims() {
    std::vector<int64_t> numbers = list();
    if (numbers.size() > kMaxRank) malformed("at most " + std::to_string(kMaxRank) + " axes", std::to_string(numbers.size()));
    return Dims(numbers);
  }
  /// Sizes are numbers, or symbols of a program that has them.
  Shape sizes(const Trace &trace) {
    Shape shape;
    for (int64_t word : dims()) {
      auto size = Size::ofWord(word, trace.symbols);
      if (!size) malformed(trace.isOpen() ? "sizes and symbols of the program" : "sizes of at least 0", std::to_string(word));
      shape.push(*size);
    }
    return shape;
  }
  std::string name() {
    auto text = take(count(1));
    std::string name(text.begin(), text.end());
    if (!isName(name)) malformed("names of a-z, 0-9 and _ . : -", "other bytes");
    return name;
  }
  void end(std::string_view what) {
    if (at != bytes.size()) malformed("the end behind the " + std::string(what), "more bytes");
  }

private:
  std::span<const uint8_t> bytes;
  size_t at = 0;
};

/// An op of the file's table.
struct NamedOp {
  Op op;
  const OpInfo *info;
  int64_t id; // of a registered one
  int version;
};

DType dtypeNamed(const std::string &name) {
  for (int i = 0; i < kNumDTypes; ++i)
    if (name == info(DType(i)).name) return DType(i);
  malformed("dtypes that this version knows", "'" + name + "'");
}

NamedOp opNamed(const std::string &name, int64_t version) {
  NamedOp named{Op::Custom, nullptr, 0, int(version)};
  if (auto op = findOp(name)) {
    named.op = *op;
    named.info = &info(*op);
  } else if (const RegisteredOp *registered = findRegistered(name)) {
    named.info = &registered->info;
    named.id = registered->id;
  } else {
    bool isForeign = name.find('.') != std::string::npos;
    malformed(isForeign ? "ops that are registered in this process" : "ops that this version knows", "'" + name + "'");
  }
  int present = named.info->version;
  bool upgrades = version >= 1 && version < present && named.info->upgrade;
  if (version != present && !upgrades) malformed("version " + std::to_string(present) + " of " + name, std::to_string(version));
  return named;
}

class ProgramReader {
public:
  explicit ProgramReader(std::span<const uint8_t> bytes) : file(bytes.subspan(kMagic.size())) {}

  Trace run() {
    readSections();
    readTables();
    Reader reader(found[2]);
    Trace trace = readTrace(reader, 0);
    reader.end("outputs");
    if (found[3].data()) readReplaces(trace);
    trace.isFast = found[4].data();
    return trace;
  }

private:
  Reader file;
  std::span<const uint8_t> found[5];
  std::vector<std::string> strings;
  std::vector<NamedOp> ops;

  void readSections() {
    constexpr std::string_view names[] = {kStrings, kOps, kProgram, kReplaces, kFast};
    constexpr size_t count = std::size(names), needed = 3;
    int64_t version = file.number(), minor = file.number();
    if (version == 1 || version == 2)
      malformed("format 3", std::to_string(version) + ", which later versions do not read: write the program again");
    if (version != kProgramVersion) malformed("format " + std::to_string(kProgramVersion), std::to_string(version));
    if (minor < 0) malformed("a minor version of at least 0", std::to_string(minor));
    bool has[count] = {};
    for (size_t left = file.count(24); left > 0; --left) {
      std::string name = file.name();
      int64_t flags = file.number();
      auto contents = file.take(file.count(1));
      size_t i = size_t(std::find(names, names + count, name) - names);
      if (i == count && (flags & kRequired))
        malformed("sections that this version knows", "'" + name + "' of format 3." + std::to_string(minor) + ", which cannot be left out");
      if (i == count) continue;
      if (has[i]) malformed("one section '" + name + "'", "two");
      has[i] = true;
      found[i] = contents;
    }
    file.end("sections");
    for (size_t i = 0; i < needed; ++i)
      if (!has[i]) malformed("a section '" + std::string(names[i]) + "'", "none");
  }

  void readReplaces(Trace &trace) {
    Reader reader(found[3]);
    trace.replaces = reader.list();
    reader.end("replaced inputs");
    refuseOr([&] { trace.checkReplaces(); });
  }

  void readTables() {
    Reader texts(found[0]), table(found[1]);
    for (size_t n = texts.count(8); n > 0; --n) strings.push_back(texts.name());
    texts.end("strings");
    for (size_t n = table.count(16); n > 0; --n) {
      const std::string &name = string(table);
      ops.push_back(opNamed(name, table.number()));
    }
    table.end("ops");
  }

  const std::string &string(Reader &reader) {
    int64_t n = reader.number();
    if (n < 0 || size_t(n) >= strings.size()) malformed("strings of the table", std::to_string(n));
    return strings[size_t(n)];
  }

  Trace readTrace(Reader &reader, int depth) {
    if (depth > kMostNested) malformed("at most " + std::to_string(kMostNested) + " bodies inside one another", "more");
    Trace trace;
    for (size_t n = reader.count(32); n > 0; --n) trace.bodies.push_back(std::make_shared<const Trace>(readTrace(reader, depth + 1)));
    trace.symbols = reader.number();
    if (trace.symbols >= 0) trace.given = trace.symbols >> kGivenShift, trace.symbols &= (int64_t(1) << kGivenShift) - 1;
    if (trace.symbols < kNoSymbols || trace.symbols > kMostSymbols) malformed("a number of symbols", std::to_string(trace.symbols));
    refuseOr([&] { checkGiven("program", trace.symbols, trace.given); });
    for (const auto &body : trace.bodies)
      if (body->symbols - body->given > trace.symbols)
        malformed("bodies of no more symbols than the program", std::to_string(body->symbols));
    for (size_t n = reader.count(32); n > 0; --n) {
      int64_t number = reader.number();
      if (number == kInputNumber) readInput(trace, reader);
      else if (number < 0 || size_t(number) >= ops.size()) malformed("ops of the table", std::to_string(number));
      else readOp(trace, ops[size_t(number)], reader);
    }
    trace.outputs = reader.list();
    for (int64_t slot : trace.outputs)
      if (slot < 0 || size_t(slot) >= trace.types.size()) malformed("outputs that are computed", std::to_string(slot));
    return trace;
  }

  void readInput(Trace &trace, Reader &reader) {
    TensorType type{dtypeNamed(string(reader)), {}};
    const std::string &device = string(reader);
    type.shape = reader.sizes(trace);
    Dims strides = reader.dims();
    if (strides.rank && strides.rank != type.shape.rank) malformed("a stride an axis", std::to_string(strides.rank));
    refuseOr([&] { checkSize("input", type); });
    trace.addInput(type, strides, device);
  }

  StoredAttribute readAttribute(Reader &reader) {
    StoredAttribute attribute{string(reader), StoredAttribute::Integer, {}, DType::F32};
    int64_t form = reader.number();
    if (form < 0 || form > StoredAttribute::Body) malformed("attributes of a form that this version knows", std::to_string(form));
    attribute.form = StoredAttribute::Form(form);
    bool isTyped = attribute.form == StoredAttribute::Scalar || attribute.form == StoredAttribute::Type;
    if (isTyped) attribute.dtype = dtypeNamed(string(reader));
    if (attribute.form == StoredAttribute::List) attribute.numbers = reader.list();
    else if (attribute.form != StoredAttribute::Type) attribute.numbers = {reader.number()};
    return attribute;
  }

  /// The words of a trace from attributes by name.
  static std::vector<int64_t> wordsOf(const NamedOp &op, StoredOp &stored) {
    std::vector<int64_t> words;
    std::string_view names = op.info->attributes;
    size_t used = 0;
    for (const char *kind = op.info->words; *kind; ++kind) {
      std::string name(nextAttribute(names, *kind));
      if (*kind == 'o') {
        words.push_back(op.id);
        continue;
      }
      StoredAttribute *attribute = stored.find(name);
      if (!attribute || attribute->form != formOf(*kind))
        malformed("attribute '" + name + "' of " + op.info->name, attribute ? "another form of it" : "none");
      if (attribute->form == StoredAttribute::List) words.push_back(int64_t(attribute->numbers.size()));
      if (attribute->form == StoredAttribute::Scalar || attribute->form == StoredAttribute::Type)
        words.push_back(int64_t(attribute->dtype));
      words.insert(words.end(), attribute->numbers.begin(), attribute->numbers.end());
      ++used;
    }
    if (used != stored.attributes.size())
      malformed(std::to_string(used) + " attributes of " + op.info->name, std::to_string(stored.attributes.size()));
    return words;
  }

  void readOp(Trace &trace, const NamedOp &op, Reader &reader) {
    StoredOp stored{reader.list(), {}};
    for (size_t n = reader.count(16); n > 0; --n) stored.attributes.push_back(readAttribute(reader));
    int64_t results = reader.number();
    std::vector<Shape> shapes;
    for (int64_t i = 0; trace.isOpen() && i < results; ++i) shapes.push_back(reader.sizes(trace));
    if (op.version != op.info->version) refuseOr([&] { op.info->upgrade(op.version, stored); });
    std::vector<int64_t> words = wordsOf(op, stored);
    refuseOr([&] { groupsOf(*op.info, words); });
    if (op.info->operands >= 0 && stored.operands.size() != size_t(op.info->operands))
      malformed(std::to_string(op.info->operands) + " operands of " + op.info->name, std::to_string(stored.operands.size()));
    std::vector<TensorType> operands;
    for (int64_t slot : stored.operands) {
      if (slot < 0 || size_t(slot) >= trace.types.size()) malformed("operands that come before", std::to_string(slot));
      operands.push_back(trace.types[size_t(slot)]);
    }
    bool isOpen = std::ranges::any_of(operands, [](const TensorType &type) { return !type.shape.isStatic(); });
    bool isAnySize = op.op == Op::Custom && findRegistered(op.id)->op.isForAnySize;
    bool isFixed = op.info->kind == Kind::Library && !isAnySize;
    if (isOpen && isFixed) malformed("sizes that are fixed in " + std::string(op.info->name), "symbols");
    std::vector<TensorType> types;
    refuseOr([&] { types = inferAll(op.op, operands, words, trace.bodies, trace.symbols); });
    if (int64_t(types.size()) != results) malformed(std::to_string(types.size()) + " results of " + op.info->name, std::to_string(results));
    if (trace.isOpen()) takeShapes(op, shapes, types);
    trace.append(op.op, stored.operands, words, types);
  }

  /// Symbols alone do not tell the sizes of results: the file does, where its rule cannot.
  static void takeShapes(const NamedOp &op, const std::vector<Shape> &shapes, std::vector<TensorType> &types) {
    for (size_t i = 0; i < types.size(); ++i) {
      TensorType given{types[i].dtype, shapes[i]};
      if (!agrees(types[i], given)) malformed(toString(types[i]) + " of " + op.info->name, toString(given));
      types[i] = given;
    }
  }

  /// What the rules of ops refuse does not fit together.
  template <typename Body> static void refuseOr(const Body &body) {
    try {
      body();
    } catch (const Error &e) {
      if (e.kind == ErrorKind::Package) throw;
      throw Error(ErrorKind::Package, std::string("program: expected ops that fit together, got ") + e.what());
    }
  }
};

} // namespace

bool isProgramFile(std::span<const uint8_t> bytes) {
  return bytes.size() >= kMagic.size() && !std::memcmp(bytes.data(), kMagic.data(), kMagic.size());
}

Trace unpackProgram(std::span<const uint8_t> bytes) {
  if (!isProgramFile(bytes)) malformed("a program of Kiln", "other bytes");
  return ProgramReader(bytes).run();
}

} // namespace kiln
