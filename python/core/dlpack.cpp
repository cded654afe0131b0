// DLPack, both ways: __dlpack__ hands out the memory of an array, from_dlpack takes that of another library.
#include "core.h"

#include "lib/Core/Dlpack.h"

namespace kiln::py {
namespace {

using namespace dlpack;
constexpr const char *kName = "dltensor", *kVersioned = "dltensor_versioned";

DType dtypeOf(DataType given) {
  for (int i = 0; i < kNumDTypes; ++i) {
    DataType t = dataTypeOf(DType(i));
    if (t.code == given.code && t.bits == given.bits && given.lanes == 1) return DType(i);
  }
  fail(ErrorKind::DType, "from_dlpack", "dtype", "bool, integers, floats or complex numbers",
       "code " + std::to_string(given.code) + " of " + std::to_string(given.bits) + " bits");
}

/// What a capsule keeps alive, with the sizes that its tensor points to.
template <typename Managed> struct Exported {
  Managed managed{};
  Array array;
  int64_t shape[kMaxRank], strides[kMaxRank];
};

template <typename Managed> Managed *exportArray(const Array &a) {
  auto *e = new Exported<Managed>;
  e->array = a;
  for (int i = 0; i < a.shape.rank; ++i) e->shape[i] = a.shape[i], e->strides[i] = a.strides[i];
  e->managed.tensor = {a.data(), {kCPU, 0}, a.shape.rank, dataTypeOf(a.dtype), e->shape, e->strides, 0};
  e->managed.context = e;
  e->managed.deleter = [](Managed *m) { delete static_cast<Exported<Managed> *>(m->context); };
  return &e->managed;
}

template <typename Managed> void destroyCapsule(PyObject *capsule, const char *name) {
  if (!PyCapsule_IsValid(capsule, name)) return; // taken by someone
  auto *m = static_cast<Managed *>(PyCapsule_GetPointer(capsule, name));
  m->deleter(m);
}

[[noreturn]] void bufferError(const char *message) {
  PyErr_SetString(PyExc_BufferError, message);
  throw PythonError();
}

/// The array over an imported tensor; `owner` keeps the memory.
Array import(const Tensor &t, bool isReadOnly, std::shared_ptr<void> owner) {
  if (t.device.type != kCPU) bufferError("from_dlpack: expected memory of the CPU, got that of another device");
  if (t.ndim > kMaxRank) fail(ErrorKind::Shape, "from_dlpack", "rank", "at most " + std::to_string(kMaxRank), std::to_string(t.ndim));
  Array a;
  a.dtype = dtypeOf(t.dtype);
  for (int i = 0; i < t.ndim; ++i) a.shape.push(t.shape[i]);
  a.strides = t.strides ? Dims(std::span<const int64_t>(t.strides, size_t(t.ndim))) : contiguousStrides(a.shape);
  a.storage =
      Storage::make(Value::share(static_cast<char *>(t.data) + t.byteOffset, size_t(a.size() * byteSize(a.dtype)), std::move(owner)));
  a.storage->pinned = true;
  a.storage->isWritable = !isReadOnly;
  a.updateContiguous();
  return a;
}

template <typename Managed> Array takeCapsule(PyObject *capsule, const char *name, const char *used) {
  auto *m = static_cast<Managed *>(PyCapsule_GetPointer(capsule, name));
  if (!m || PyCapsule_SetName(capsule, used)) throw PythonError();
  std::shared_ptr<void> owner(m, [](void *p) {
    PyGILState_STATE gil = PyGILState_Ensure();
    auto *managed = static_cast<Managed *>(p);
    if (managed->deleter) managed->deleter(managed);
    PyGILState_Release(gil);
  });
  bool isReadOnly = false;
  if constexpr (std::is_same_v<Managed, ManagedTensorVersioned>) {
    if (m->major > 1) bufferError("from_dlpack: expected DLPack of version 1");
    isReadOnly = m->flags & kReadOnly;
  }
  return import(m->tensor, isReadOnly, std::move(owner));
}

} // namespace

PyObject *toDlpack(PyObject *self, bool isVersioned, bool copies) {
  Array a = leave(arrayOf(self), "an array is handed to another library");
  if (deviceOf(arrayOf(self))) copies = true; // that is one already
  else if (copies) a = copy(a);
  if (!a.storage->isWritable && !isVersioned) bufferError("__dlpack__: expected max_version=(1, 0) for read-only memory");
  a.storage->pinned = true; // shared from now on
  if (!isVersioned)
    return PyCapsule_New(exportArray<ManagedTensor>(a), kName, [](PyObject *c) { destroyCapsule<ManagedTensor>(c, kName); });
  auto *m = exportArray<ManagedTensorVersioned>(a);
  m->major = 1, m->minor = 1;
  m->flags = (copies ? kIsCopied : 0) | (a.storage->isWritable ? 0 : kReadOnly);
  return PyCapsule_New(m, kVersioned, [](PyObject *c) { destroyCapsule<ManagedTensorVersioned>(c, kVersioned); });
}

Array fromDlpack(PyObject *o, bool copies) {
  Object method(PyObject_GetAttrString(o, "__dlpack__"));
  if (!method) {
    PyErr_Clear();
    fail(ErrorKind::DType, "from_dlpack", "argument", "an object with __dlpack__", Py_TYPE(o)->tp_name);
  }
  Object none(PyTuple_New(0)), version(Py_BuildValue("{s(ii)}", "max_version", 1, 1));
  Object capsule(PyObject_Call(method.get(), none.get(), version.get()));
  if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) { // older than versions
    PyErr_Clear();
    capsule = Object(PyObject_CallNoArgs(method.get()));
  }
  if (!capsule) throw PythonError();
  Array a = PyCapsule_IsValid(capsule.get(), kVersioned)
                ? takeCapsule<ManagedTensorVersioned>(capsule.get(), kVersioned, "used_dltensor_versioned")
                : takeCapsule<ManagedTensor>(capsule.get(), kName, "used_dltensor");
  leave(a, "an array of another library is converted");
  return copies ? copy(a) : a;
}

} // namespace kiln::py
