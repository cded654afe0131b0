#include "tools/gpu-pack/Programs.h"

#include "tools/FirstDType.h"

#include <optional>

namespace kiln::pack {
namespace {

constexpr Size kS0 = Size::symbol(0), kS1 = Size::symbol(1), kS2 = Size::symbol(2), kS3 = Size::symbol(3);

/// A program under construction.
struct Maker {
  Trace trace;
  std::vector<int64_t> slots;

  explicit Maker(int64_t symbols) { trace.symbols = symbols; }
  void add(DType dtype, const Shape &shape, const Dims &strides = {}) { slots.push_back(trace.addInput({dtype, shape}, strides)); }
  /// One element for all positions of a shape.
  void addNumber(DType dtype, const Shape &shape) {
    int64_t number = trace.addInput({dtype, {}});
    std::vector<int64_t> words;
    appendWords(words, Dims()), appendWords(words, shape);
    slots.push_back(trace.append(Op::Broadcast, std::array{number}, words, {dtype, shape}));
  }
  /// A symbol of its own.
  Size next() { return Size::symbol(trace.symbols++); }
  /// With its operation; `type` where the rule does not tell it. None where the rule refuses the dtypes.
  std::optional<Trace> finish(Op op, std::span<const int64_t> words = {}, std::optional<TensorType> type = {}) {
    try {
      trace.outputs = {type ? trace.addOpen(op, slots, words, {&*type, 1}) : trace.addOp(op, slots, words)};
    } catch (const Error &) { return std::nullopt; }
    return std::move(trace);
  }
};

class Programs {
public:
  std::vector<Entry> run() {
    for (int i = 0; i < int(Op::Count); ++i) {
      Op op = Op(i);
      if (!info(op).eager) continue;
      switch (info(op).kind) {
      case Kind::Elementwise: addElementwise(op); break;
      case Kind::Reduce:
      case Kind::Argreduce:
      case Kind::Scan: addAlongAxis(op); break;
      case Kind::Contract: addProducts(op); break;
      default: break;
      }
    }
    addMoves();
    addIota();
    return std::move(entries);
  }

private:
  std::vector<Entry> entries;

  void add(const std::string &name, std::optional<Trace> trace) {
    if (trace) entries.push_back({name, std::move(*trace)});
  }
  template <typename Visit> static void forDTypes(Op op, Visit visit) {
    for (int t = 0; t < kNumDTypes; ++t)
      if (accepts(info(op).accepts, DType(t)) && !isComplex(DType(t))) visit(DType(t));
  }
  static std::string nameOf(Op op, DType dtype) { return std::string(info(op).name) + "_" + info(dtype).shortName; }

  /// One axis, along which operands lie step by step (c) or are one element (0); or two with any strides (s), of moves four (4).
  void addElementwise(Op op) {
    static constexpr const char *forms[4][6] = {{}, {"c", "s"}, {"cc", "c0", "0c", "ss"}, {"ccc", "c0c", "cc0", "c00", "sss"}};
    bool hasForms = info(op).operands > 0 && info(op).operands <= 3 && (op == Op::Cast || !*info(op).words);
    forDTypes(op, [&](DType dtype) {
      if (!hasForms) return;
      if (info(op).ufunc && accepts(Accepts::Any, dtype) && isStorage(dtype)) return;
      for (const char *form : forms[info(op).operands]) {
        if (!form) break;
        for (int r = 0; r < (op == Op::Cast ? kNumDTypes : 1); ++r) {
          std::vector<int64_t> words;
          if (op == Op::Cast) words = {r};
          if (op == Op::Cast && (r == int(dtype) || isComplex(DType(r)))) continue;
          std::string name = nameOf(op, dtype) + "_" + (op == Op::Cast ? std::string(info(DType(r)).shortName) + "_" : "") + form;
          add(name, elementwise(op, dtype, form, words));
        }
      }
    });
  }
  static std::optional<Trace> elementwise(Op op, DType dtype, std::string_view form, std::span<const int64_t> words) {
    bool isStrided = form[0] == 's', isLong = form[0] == '4';
    Maker maker(isLong ? 4 : isStrided ? 2 : 1);
    for (size_t i = 0; i < form.size(); ++i) {
      DType mine = i ? dtype : firstDType(op, dtype);
      if (isLong) maker.add(mine, {kS0, kS1, kS2, kS3}, {kDynamicStride, kDynamicStride, kDynamicStride, kDynamicStride});
      else if (isStrided) maker.add(mine, {kS0, kS1}, {kDynamicStride, kDynamicStride});
      else if (form[i] == 'c') maker.add(mine, {kS0});
      else maker.addNumber(mine, {kS0});
    }
    return maker.finish(op, words);
  }

  /// Of elements that are moved alone.
  void addMoves() {
    for (DType t : {DType::U8, DType::U16, DType::U32, DType::U64}) {
      int64_t words[] = {int64_t(t)};
      for (const char *form : {"c", "0", "s", "4"})
        add(nameOf(Op::Cast, t) + "_" + info(t).shortName + "_" + form, elementwise(Op::Cast, t, form, words));
      forLines([&](const char *form, int64_t axis, const Shape &shape) {
        Maker maker(shape.rank);
        maker.add(t, shape), maker.add(DType::I64, {maker.next()});
        add(nameOf(Op::Gather, t) + form, maker.finish(Op::Gather, {&axis, 1}));
        for (int count : {2, 3, 4}) addConcat(t, count, axis, form, shape);
      });
    }
  }
  void addConcat(DType dtype, int count, int64_t axis, const char *form, const Shape &shape) {
    Maker maker(shape.rank);
    Shape part = shape;
    for (int i = 0; i < count; ++i) {
      if (i) part[int(axis)] = maker.next();
      maker.add(dtype, part);
    }
    part[int(axis)] = maker.next(); // the sum, which the call says
    add(nameOf(Op::Concat, dtype) + "_" + std::to_string(count) + form, maker.finish(Op::Concat, {&axis, 1}, TensorType{dtype, part}));
  }
  void addIota() {
    forDTypes(Op::Iota, [&](DType dtype) {
      forLines([&](const char *form, int64_t axis, const Shape &shape) {
        Maker maker(shape.rank);
        std::vector<int64_t> words = {axis, int64_t(dtype)};
        appendWords(words, shape);
        add(nameOf(Op::Iota, dtype) + form, maker.finish(Op::Iota, words, TensorType{dtype, shape}));
      });
    });
  }

  /// Of matrices that lie row by row (c) or column by column (t), and lines; of one, or of many.
  void addProducts(Op op) {
    forDTypes(op, [&](DType dtype) {
      if (isNarrow(dtype) && !isStorage(dtype)) return; // eager multiplies float32
      auto addForm = [&](const std::string &form, bool isBatched) {
        Maker maker(0);
        Shape left, right, shape;
        if (isBatched) left.push(maker.next()), right = shape = left;
        if (form[0] != 'l') left.push(maker.next()), shape.push(left[left.rank - 1]);
        Size steps = maker.next();
        left.push(steps), right.push(steps);
        if (form[1] != 'l') right.push(maker.next()), shape.push(right[right.rank - 1]);
        maker.add(dtype, left, stridesOf(form[0], isBatched)), maker.add(dtype, right, stridesOf(form[1], isBatched));
        std::vector<int64_t> words;
        for (int i = 0; i < 2; ++i) appendWords(words, isBatched ? Dims{0} : Dims());
        words.insert(words.end(), {int64_t(left.rank) - 1, int64_t(isBatched)});
        add(nameOf(op, dtype) + "_" + form + (isBatched ? "_each" : ""), maker.finish(op, words, TensorType{dtype, shape}));
      };
      for (bool isBatched : {false, true}) {
        for (const char *form : {"cc", "ct", "tc", "tt", "cl", "tl", "lc", "lt", "ll"}) addForm(form, isBatched);
      }
    });
  }
  static Dims stridesOf(char form, bool isBatched) {
    Dims strides;
    if (isBatched) strides.push(kDynamicStride);
    if (form != 'l') strides.push(form == 't' ? 1 : kDynamicStride);
    strides.push(form == 't' ? kDynamicStride : 1);
    return strides;
  }

  /// Of what runs along an axis: all of a line, rows, or the middle one of three axes.
  template <typename Visit> static void forLines(Visit visit) {
    visit("_all", 0, Shape{kS0});
    visit("_row", 1, Shape{kS0, kS1});
    visit("_col", 1, Shape{kS0, kS1, kS2});
  }

  void addAlongAxis(Op op) {
    Kind kind = info(op).kind;
    forDTypes(op, [&](DType dtype) {
      if (isNarrow(dtype) && !isStorage(dtype) && kind != Kind::Scan) return; // eager reduces float32
      forLines([&](const char *form, int64_t axis, const Shape &shape) {
        Maker maker(shape.rank);
        maker.add(dtype, shape);
        std::vector<int64_t> words = kind == Kind::Reduce ? std::vector<int64_t>{1, axis} : std::vector<int64_t>{axis};
        add(nameOf(op, dtype) + form, maker.finish(op, words));
      });
    });
  }
};

} // namespace

std::vector<Entry> allPrograms() { return Programs().run(); }

} // namespace kiln::pack
