// Between Python objects and arrays.
#include "core.h"

#include "frontend/OpsShared.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

namespace kiln::py {

PythonSide &side() {
  static PythonSide *s = new PythonSide;
  return *s;
}

PyObject *fromDType(DType dtype) { return Py_NewRef(side().dtypes[size_t(dtype)]); }

/// NumPy's codes of one letter, those with a size, and C's names.
static std::optional<DType> dtypeOfCode(std::string_view text) {
  static const std::unordered_map<std::string_view, DType> codes = {
      {"?", DType::Bool},     {"b1", DType::Bool},      {"bool_", DType::Bool}, {"b", DType::I8},       {"i1", DType::I8},
      {"byte", DType::I8},    {"h", DType::I16},        {"i2", DType::I16},     {"short", DType::I16},  {"i", DType::I32},
      {"i4", DType::I32},     {"intc", DType::I32},     {"l", DType::I64},      {"q", DType::I64},      {"p", DType::I64},
      {"n", DType::I64},      {"i8", DType::I64},       {"int", DType::I64},    {"int_", DType::I64},   {"intp", DType::I64},
      {"long", DType::I64},   {"longlong", DType::I64}, {"B", DType::U8},       {"u1", DType::U8},      {"ubyte", DType::U8},
      {"H", DType::U16},      {"u2", DType::U16},       {"ushort", DType::U16}, {"I", DType::U32},      {"u4", DType::U32},
      {"uintc", DType::U32},  {"L", DType::U64},        {"Q", DType::U64},      {"P", DType::U64},      {"N", DType::U64},
      {"u8", DType::U64},     {"uint", DType::U64},     {"uintp", DType::U64},  {"ulong", DType::U64},  {"ulonglong", DType::U64},
      {"e", DType::F16},      {"f2", DType::F16},       {"half", DType::F16},   {"f", DType::F32},      {"f4", DType::F32},
      {"single", DType::F32}, {"d", DType::F64},        {"f8", DType::F64},     {"double", DType::F64}, {"F", DType::C64},
      {"c8", DType::C64},     {"csingle", DType::C64},  {"D", DType::C128},     {"c16", DType::C128},   {"cdouble", DType::C128}};
  if (text == "float") return defaultFloat();
  if (text == "complex") return complexType(defaultFloat());
  if (text.size() > 1 && std::strchr("<=|@", text[0])) text.remove_prefix(1);
  auto found = codes.find(text);
  return found == codes.end() ? std::nullopt : std::optional(found->second);
}

DType toDType(PyObject *o) {
  for (int i = 0; i < kNumDTypes; ++i)
    if (side().dtypes[i] == o) return DType(i);
  if (o == reinterpret_cast<PyObject *>(&PyFloat_Type)) return defaultFloat();
  if (o == reinterpret_cast<PyObject *>(&PyLong_Type)) return DType::I64;
  if (o == reinterpret_cast<PyObject *>(&PyBool_Type)) return DType::Bool;
  if (o == reinterpret_cast<PyObject *>(&PyComplex_Type)) return complexType(defaultFloat());
  // np.float32, np.dtype("float32"), "float32"
  Object name(PyUnicode_Check(o) ? Py_NewRef(o) : PyObject_GetAttrString(o, PyType_Check(o) ? "__name__" : "name"));
  PyErr_Clear();
  const char *text = name && PyUnicode_Check(name.get()) ? PyUnicode_AsUTF8(name.get()) : nullptr;
  for (int i = 0; text && i < kNumDTypes; ++i)
    if (!std::strcmp(kDTypes[size_t(i)].name, text)) return DType(i);
  bool isCode = text && (PyUnicode_Check(o) || PyType_Check(o)) && (std::strlen(text) > 1 || PyUnicode_Check(o));
  if (auto coded = isCode ? dtypeOfCode(text) : std::nullopt) return *coded;
  Object shown(check(PyObject_Repr(o)));
  fail(ErrorKind::DType, "dtype", "name",
       "one of bool, int8 ... int64, uint8 ... uint64, float16, bfloat16, float32, float64, complex64, complex128, "
       "float8_e4m3fn, float8_e5m2",
       PyUnicode_AsUTF8(shown.get()) + std::string(PyLong_Check(o) ? " (several sizes are one tuple)" : ""));
}

static int64_t toInt(const char *op, PyObject *o) {
  Object index(PyNumber_Index(o));
  if (!index) {
    PyErr_Clear();
    fail(ErrorKind::DType, op, "argument", "an integer", Py_TYPE(o)->tp_name);
  }
  return integerIn(index.get());
}

Dims toDims(const char *op, PyObject *o) {
  Dims dims;
  if (PyTuple_Check(o) || PyList_Check(o)) {
    Object fast(check(PySequence_Fast(o, "")));
    Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.get());
    if (n > kMaxRank) fail(ErrorKind::Shape, op, "rank", "at most " + std::to_string(kMaxRank), std::to_string(n));
    for (Py_ssize_t i = 0; i < n; ++i) dims.push(toInt(op, PySequence_Fast_GET_ITEM(fast.get(), i)));
    return dims;
  }
  dims.push(toInt(op, o));
  return dims;
}

//===-- from Python -------------------------------------------------------------------------------------------------===//

static std::optional<DType> dtypeOfFormat(const char *format, Py_ssize_t bytes) {
  if (!format) return DType::U8;
  if (*format == '<' || *format == '=' || *format == '@') ++format;
  if (format[0] == 'Z' && format[1] && !format[2]) {
    if (format[1] == 'f') return DType::C64;
    return format[1] == 'd' ? std::optional(DType::C128) : std::nullopt;
  }
  if (!format[0] || format[1]) return std::nullopt;
  bool isSigned = std::strchr("bhilq", *format);
  if (*format == '?') return DType::Bool;
  if (*format == 'e') return DType::F16;
  if (*format == 'f') return DType::F32;
  if (*format == 'd') return DType::F64;
  if (!isSigned && !std::strchr("BHILQ", *format)) return std::nullopt;
  return DType(int(isSigned ? DType::I8 : DType::U8) + std::countr_zero(uint64_t(bytes)));
}

static Array fromBuffer(PyObject *o);

/// An array whose dtype the buffer protocol has no name for (ml_dtypes): through its bits.
static std::optional<Array> fromBits(PyObject *o) {
  Object dtype(PyObject_GetAttrString(o, "dtype")), name(dtype ? PyObject_GetAttrString(dtype.get(), "name") : nullptr);
  PyErr_Clear();
  const char *text = name && PyUnicode_Check(name.get()) ? PyUnicode_AsUTF8(name.get()) : nullptr;
  for (DType t : {DType::BF16, DType::F8E4M3, DType::F8E5M2}) {
    if (!text || std::strcmp(text, info(t).name)) continue;
    Object raw(check(PyObject_CallMethod(o, "view", "s", byteSize(t) == 2 ? "uint16" : "uint8")));
    Array a = fromBuffer(raw.get());
    a.dtype = t;
    return a;
  }
  return std::nullopt;
}

/// Shares the memory of an object with the buffer protocol.
static Array fromBuffer(PyObject *o) {
  auto *view = new Py_buffer;
  bool isWritable = PyObject_GetBuffer(o, view, PyBUF_FULL) == 0;
  if (!isWritable) {
    PyErr_Clear();
    if (PyObject_GetBuffer(o, view, PyBUF_FULL_RO)) {
      delete view;
      PyErr_Clear();
      if (auto bits = fromBits(o)) return *bits;
      fail(ErrorKind::DType, "asarray", "memory", "a buffer of numbers", Py_TYPE(o)->tp_name);
    }
  }
  std::shared_ptr<void> owner(view, [](void *v) {
    PyGILState_STATE gil = PyGILState_Ensure();
    PyBuffer_Release(static_cast<Py_buffer *>(v));
    PyGILState_Release(gil);
    delete static_cast<Py_buffer *>(v);
  });
  auto dtype = dtypeOfFormat(view->format, view->itemsize);
  if (!dtype)
    fail(ErrorKind::DType, "asarray", "element format", "bool, integers, floats or complex numbers in the order of this machine",
         view->format);
  if (view->ndim > kMaxRank) fail(ErrorKind::Shape, "asarray", "rank", "at most " + std::to_string(kMaxRank), std::to_string(view->ndim));
  Array a;
  a.dtype = *dtype;
  int64_t alignment = byteSize(realType(*dtype));
  bool isAligned = view->itemsize == 0 || reinterpret_cast<uintptr_t>(view->buf) % size_t(alignment) == 0;
  for (int i = 0; i < view->ndim; ++i) a.shape.push(view->shape[i]);
  a.strides = contiguousStrides(a.shape); // which are not written down in some
  for (int i = 0; view->strides && i < view->ndim; ++i) {
    isAligned &= view->strides[i] % view->itemsize == 0;
    a.strides[i] = view->strides[i] / view->itemsize;
  }
  if (!isAligned) fail(ErrorKind::Value, "asarray", "memory", "elements at multiples of their size", "others (copy the array first)");
  a.storage = Storage::make(Value::share(view->buf, size_t(view->len), owner));
  a.storage->pinned = true;
  a.storage->isWritable = isWritable;
  a.updateContiguous();
  return a;
}

bool isNumPyScalar(PyObject *o) {
  static PyObject *generic = nullptr; // once NumPy has been imported, by whoever has such numbers
  if (!generic) {
    PyObject *numpy = PyDict_GetItemString(PyImport_GetModuleDict(), "numpy");
    generic = numpy ? PyObject_GetAttrString(numpy, "generic") : nullptr;
    PyErr_Clear();
  }
  return generic && PyObject_TypeCheck(o, reinterpret_cast<PyTypeObject *>(generic));
}

bool isNumPyNumber(PyObject *o) {
  if (!isNumPyScalar(o)) return false;
  static const std::vector<PyObject *> types = [] {
    Object numpy(check(PyImport_ImportModule("numpy")));
    std::vector<PyObject *> found;
    for (const char *name : {"float64", "float32", "int64", "int32", "float16", "int16", "int8", "uint64", "uint32", "uint16", "uint8"})
      found.push_back(check(PyObject_GetAttrString(numpy.get(), name)));
    return found;
  }();
  return std::ranges::find(types, asObject(Py_TYPE(o))) != types.end();
}

/// A number of NumPy's beside arrays: an input of the recording, or a constant.
static Array arrayOfScalar(PyObject *o, DType dtype, const Scalar &bits) {
  const Array *input = numberInputs ? numberInputs->inputOf(o, dtype) : nullptr;
  return input ? *input : constantArray(dtype, bits);
}

bool toOperand(PyObject *o, Holder &holder) {
  Operand &operand = holder.operand;
  if (isArray(o)) {
    operand = {Operand::IsArray, &arrayOf(o)};
  } else if (PyFloat_CheckExact(o)) {
    operand.kind = Operand::IsFloat;
    operand.number = PyFloat_AS_DOUBLE(o);
    operand.origin = o;
  } else if (PyBool_Check(o)) {
    operand.kind = Operand::IsBool;
    operand.integer = o == Py_True;
  } else if (PyLong_CheckExact(o)) {
    operand.kind = Operand::IsInt;
    operand.origin = o;
    int overflow;
    operand.integer = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) {
      operand.integer = int64_t(PyLong_AsUnsignedLongLong(o));
      operand.isLarge = true;
      if (PyErr_Occurred()) {
        PyErr_Clear();
        throw Error(ErrorKind::Overflow, "Python integer too large: expected one that fits in int64 or uint64");
      }
    }
  } else if (PyComplex_CheckExact(o)) {
    operand.kind = Operand::IsComplex;
    operand.number = PyComplex_RealAsDouble(o);
    operand.imaginary = PyComplex_ImagAsDouble(o);
  } else if (PyFloat_Check(o) && isNumPyScalar(o)) { // float64, which is a float of Python as well
    holder.array = arrayOfScalar(o, DType::F64, {std::bit_cast<int64_t>(PyFloat_AS_DOUBLE(o)), 0});
    operand = {Operand::IsArray, &*holder.array};
  } else if (PyObject_CheckBuffer(o) && !PyBytes_Check(o)) {
    holder.array = asArray(o, std::nullopt, -1);
    operand = {Operand::IsArray, &*holder.array};
  } else {
    return false;
  }
  return true;
}

PyObject *arrayOfNumber(PyObject *number, DType dtype) {
  return guarded([&] {
    Array array = Array::empty(dtype, {});
    if (isNumPyNumber(number)) {
      Py_buffer bits; // of the dtype, which is that of its type
      if (PyObject_GetBuffer(number, &bits, PyBUF_SIMPLE)) throw PythonError();
      std::memcpy(array.data(), bits.buf, std::min(size_t(bits.len), size_t(byteSize(dtype))));
      PyBuffer_Release(&bits);
      return wrap(std::move(array));
    }
    Holder holder;
    Operand operand = requireOperand("number", number, holder);
    Scalar bits = scalarBits(operand, dtype);
    std::memcpy(array.data(), bits.data(), size_t(byteSize(dtype)));
    return wrap(std::move(array));
  });
}

Operand requireOperand(const char *op, PyObject *o, Holder &holder) {
  if (!toOperand(o, holder)) fail(ErrorKind::DType, op, "operand", "an array or a number", Py_TYPE(o)->tp_name);
  return holder.operand;
}

namespace {
/// Numbers of nested sequences, in order, with the shape they form.
struct Nested {
  Dims shape;
  std::vector<Operand> numbers;
  std::vector<Array> arrays; // elements that are arrays, in order; their operands have the kind IsArray
  bool keepsArrays = false;  // where operations are recorded, an array stays one: its value is not asked for
  int kind = 0;              // the highest Operand kind met
  bool isLarge = false;

  void scan(PyObject *o, int depth) {
    Holder holder;
    if (PyList_Check(o) || PyTuple_Check(o)) {
      if (depth == kMaxRank) fail(ErrorKind::Shape, "asarray", "rank", "at most " + std::to_string(kMaxRank), "a deeper sequence");
      Object fast(check(PySequence_Fast(o, "")));
      Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.get());
      if (depth == shape.rank && numbers.empty()) shape.push(n);
      else if (depth >= shape.rank || shape[depth] != n)
        fail(ErrorKind::Shape, "asarray", "nested sequences", "equal lengths at each depth", "a ragged one");
      for (Py_ssize_t i = 0; i < n; ++i) scan(PySequence_Fast_GET_ITEM(fast.get(), i), depth + 1);
      return;
    }
    if (!toOperand(o, holder)) fail(ErrorKind::DType, "asarray", "element", "a number", Py_TYPE(o)->tp_name);
    if (depth != shape.rank) fail(ErrorKind::Shape, "asarray", "nested sequences", "equal depth everywhere", "a ragged one");
    if (holder.operand.kind == Operand::IsArray) {
      if (holder.operand.array->size() != 1 || holder.operand.array->shape.rank)
        fail(ErrorKind::Shape, "asarray", "element", "a number or an array without axes (kn.stack joins others)",
             toString(holder.operand.array->type()));
      if (keepsArrays && holder.operand.array->dtype != DType::U64) return keep(*holder.operand.array);
      Object number(check(toScalar(*holder.operand.array)));
      return scan(number.get(), depth);
    }
    kind = std::max(kind, int(holder.operand.kind));
    isLarge |= holder.operand.isLarge;
    numbers.push_back(holder.operand);
  }

  void keep(const Array &x) {
    DType t = x.dtype;
    kind = std::max(kind, int(t == DType::Bool ? Operand::IsBool
                              : isComplex(t)   ? Operand::IsComplex
                              : isFloat(t)     ? Operand::IsFloat
                                               : Operand::IsInt));
    numbers.push_back({Operand::IsArray});
    arrays.push_back(x);
  }

  /// The elements joined and shaped, by operations.
  Array join(DType type, Device *device) const {
    std::vector<Array> parts;
    std::vector<const Array *> pointers;
    auto array = arrays.begin();
    for (const Operand &n : numbers) {
      if (n.kind != Operand::IsArray) {
        const Array *input = numberInputs && n.origin && !device ? numberInputs->inputOf(n.origin, type) : nullptr;
        parts.push_back(reshape(input ? *input : constantArray(type, scalarBits(n, type), device), {1}));
        continue;
      }
      bool isWidened = isInteger(array->dtype) && type != DType::I64; // through float64, as Python's numbers are
      parts.push_back(reshape(cast(isWidened ? cast(*array, DType::F64) : *array, type), {1}));
      ++array;
    }
    for (Array &p : parts) pointers.push_back(&p);
    return parts.empty() ? full(shape, type, {}, device) : reshape(concat(pointers, 0), shape);
  }
};
} // namespace

static Array fromNested(PyObject *o, std::optional<DType> dtype, Device *device) {
  Nested nested;
  nested.keepsArrays = Mode::current() && !dtype;
  nested.scan(o, 0);
  Operand widest{Operand::Kind(nested.numbers.empty() ? Operand::IsFloat : nested.kind)};
  widest.isLarge = nested.isLarge;
  DType type = dtype.value_or(weakDType(widest));
  if (nested.shape.rank == 0) {
    const Array *input = numberInputs && !device ? numberInputs->inputOf(o, type) : nullptr;
    return input ? copy(*input) : constantArray(type, scalarBits(nested.numbers[0], type), device); // which may be written into
  }
  if (nested.arrays.size() || (Mode::current() && nested.numbers.size() <= 64)) return nested.join(type, device);
  Array a = Array::empty(type, nested.shape);
  char *to = a.data();
  int64_t bytes = byteSize(type);
  for (Operand &n : nested.numbers) {
    Scalar raw = scalarBits(n, type);
    std::memcpy(to, raw.data(), size_t(bytes));
    to += bytes;
  }
  return moved(leave(a, "a large array is made from a Python list"), device);
}

Array asArray(PyObject *o, std::optional<DType> dtype, int wantsCopy, Device *device) {
  bool isOwn = isArray(o);
  if (isOwn || (PyObject_CheckBuffer(o) && !PyBytes_Check(o))) {
    Array a = isOwn ? arrayOf(o) : fromBuffer(o);
    if (!isOwn && isNumPyScalar(o)) { // a constant, which nobody can change
      if (a.shape.rank) fail(ErrorKind::DType, "asarray", "element", "a number", Py_TYPE(o)->tp_name); // bytes of a date or a text
      Scalar bits{};
      std::memcpy(bits.data(), a.data(), size_t(byteSize(a.dtype)));
      int unused = 64 - 8 * int(std::min<int64_t>(byteSize(a.dtype), 8));
      if (a.dtype >= DType::I8 && a.dtype <= DType::I64) bits[0] = int64_t(uint64_t(bits[0]) << unused) >> unused;
      a = arrayOfScalar(o, a.dtype, bits);
    } else if (!isOwn) {
      a = leave(a, "an array of another library is converted");
    }
    bool changes = dtype && *dtype != a.dtype;
    if (wantsCopy == 0 && changes) fail(ErrorKind::Value, "asarray", "copy", "True or None for another dtype", "False");
    if (changes && isComplex(a.dtype) && !isComplex(*dtype))
      fail(ErrorKind::DType, "asarray", "dtype", "a complex one (kn.real and kn.imag give the parts)", info(*dtype).name);
    if (!isOwn && device && (changes || wantsCopy == 1)) return cast(a, dtype.value_or(a.dtype), device); // it shares nothing with the host
    if (changes) return cast(a, *dtype);
    return wantsCopy == 1 ? copy(a) : a;
  }
  if (wantsCopy == 0) fail(ErrorKind::Value, "asarray", "copy", "True or None for a Python object", "False");
  return fromNested(o, dtype, device);
}

//===-- to Python ---------------------------------------------------------------------------------------------------===//

static PyObject *elementToPython(const void *data, DType dtype) {
  auto read = [&]<typename T>(T) {
    T v;
    std::memcpy(&v, data, sizeof v);
    return v;
  };
  switch (dtype) {
  case DType::Bool: return PyBool_FromLong(read(uint8_t()) != 0);
  case DType::I8: return PyLong_FromLong(read(int8_t()));
  case DType::I16: return PyLong_FromLong(read(int16_t()));
  case DType::I32: return PyLong_FromLong(read(int32_t()));
  case DType::I64: return PyLong_FromLongLong(read(int64_t()));
  case DType::U8: return PyLong_FromLong(read(uint8_t()));
  case DType::U16: return PyLong_FromLong(read(uint16_t()));
  case DType::U32: return PyLong_FromUnsignedLong(read(uint32_t()));
  case DType::U64: return PyLong_FromUnsignedLongLong(read(uint64_t()));
  case DType::F32: return PyFloat_FromDouble(double(read(float())));
  case DType::F64: return PyFloat_FromDouble(read(double()));
  case DType::C64: {
    auto parts = read(std::array<float, 2>());
    return PyComplex_FromDoubles(double(parts[0]), double(parts[1]));
  }
  case DType::C128: {
    auto parts = read(std::array<double, 2>());
    return PyComplex_FromDoubles(parts[0], parts[1]);
  }
  default: break; // narrow floats come as float32
  }
  return nullptr;
}

PyObject *toScalar(const Array &asked, const char *why) {
  if (asked.size() != 1)
    fail(ErrorKind::Shape, "item", "size of the array", "1", std::to_string(asked.size()) + " in " + toString(asked.type()));
  if (!isApart(asked) && !isNarrow(asked.dtype)) return elementToPython(asked.data(), asked.dtype);
  Array a = leave(asked, why, Leaving::Read);
  Paused paused;
  Array wide = isNarrow(a.dtype) ? cast(a, DType::F32) : a;
  return elementToPython(wide.data(), wide.dtype);
}

/// `n` elements, `step` bytes from one to the next.
template <typename T, typename Make> static PyObject *lineOf(const char *from, int64_t n, int64_t step, Make make) {
  Object list(check(PyList_New(n)));
  for (int64_t i = 0; i < n; ++i, from += step) {
    T value;
    std::memcpy(&value, from, sizeof value);
    PyList_SET_ITEM(list.get(), i, check(make(value)));
  }
  return list.release();
}

static PyObject *listOf(const Array &a, int axis, int64_t offset) {
  const char *from = a.data() + (offset - a.offset) * byteSize(a.dtype);
  if (axis == a.shape.rank) return elementToPython(from, a.dtype);
  if (axis == a.shape.rank - 1) {
    int64_t n = a.shape[axis], step = a.strides[axis] * byteSize(a.dtype);
    if (a.dtype == DType::F32) return lineOf<float>(from, n, step, PyFloat_FromDouble);
    if (a.dtype == DType::F64) return lineOf<double>(from, n, step, PyFloat_FromDouble);
    if (a.dtype == DType::I64) return lineOf<int64_t>(from, n, step, PyLong_FromLongLong);
  }
  Object list(check(PyList_New(a.shape[axis])));
  for (int64_t i = 0; i < a.shape[axis]; ++i) PyList_SET_ITEM(list.get(), i, check(listOf(a, axis + 1, offset + i * a.strides[axis])));
  return list.release();
}

PyObject *toList(const Array &asked) {
  Array a = leave(asked, "an array is turned into a list", Leaving::Read);
  Paused paused;
  Array wide = isNarrow(a.dtype) ? cast(a, DType::F32) : a;
  wide.data(); // has memory
  return listOf(wide, 0, wide.offset);
}

//===-- errors and locations ----------------------------------------------------------------------------------------===//

static void raiseKind(const char *kind, const std::string &message) {
  Object exception(PyObject_CallFunction(side().raise, "ss", kind, message.c_str()));
  if (exception) PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(exception.get())), exception.get());
}

void setError() {
  static const char *const names[] = {"ShapeError", "DTypeError", "DeviceError", "TraceError",    "PackageError", "CompileError",
                                      "IndexError", "AxisError",  "ValueError",  "OverflowError", "MemoryError",  "LinAlgError"};
  try {
    throw;
  } catch (const PythonError &) {
  } catch (const LeaveRecording &l) { PyErr_SetString(side().leave, l.why.c_str()); } catch (const Error &e) {
    raiseKind(names[size_t(e.kind)], e.what());
  } catch (const std::bad_alloc &) { PyErr_NoMemory(); } catch (const std::exception &e) {
    PyErr_SetString(PyExc_SystemError, e.what());
  }
}

std::vector<int64_t> toWords(std::string_view bytes) {
  std::vector<int64_t> words(bytes.size() / sizeof(int64_t));
  std::memcpy(words.data(), bytes.data(), words.size() * sizeof(int64_t));
  return words;
}

std::string currentPlace() {
  Object text(PyObject_CallNoArgs(side().where));
  const char *chars = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  PyErr_Clear();
  return chars ? chars : "";
}

} // namespace kiln::py
