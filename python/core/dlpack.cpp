// DLPack, both ways: __dlpack__ hands out the memory of an array, from_dlpack takes that of another library.
#include "core.h"

#include "lib/Core/Dlpack.h"
#include "lib/Runtime/Accelerator.h"

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
  uint64_t queue = 0; // in which the other library works on it; 0: none, or it was not told

  /// What is made in this memory next waits for what the other library has started.
  void giveBack() noexcept {
    if (!queue || array.storage->device == nullptr) return;
    try {
      deviceOf(array)->accelerator()->waitFor(queue);
    } catch (const Error &) {} // the driver has ended, or it is the child of a fork
  }
};

[[noreturn]] void bufferError(const char *message) {
  PyErr_SetString(PyExc_BufferError, message);
  throw PythonError();
}

/// Where DLPack says that memory is.
dlpack::Device placeOf(const Array &a) {
  if (!deviceOf(a) || !deviceOf(a)->accelerator()) return {kCPU, 0};
  auto [kind, number] = deviceOf(a)->accelerator()->numbers();
  return {kind, number};
}
/// The accelerator of such a place; null: the CPU. Throws BufferError for others.
kiln::Device *deviceAt(const dlpack::Device &place) {
  if (place.type == kCPU) return nullptr;
  for (Accelerator *a : accelerators())
    if (a->numbers() == std::pair(place.type, place.id)) return findDevice(a->name);
  bufferError(("from_dlpack: expected memory of a device of Kiln, got that of device " + std::to_string(place.id) + " of the kind " +
               std::to_string(place.type))
                  .c_str());
}

template <typename Managed> Managed *exportArray(const Array &a, uint64_t queue) {
  auto *e = new Exported<Managed>;
  e->array = a;
  for (int i = 0; i < a.shape.rank; ++i) e->shape[i] = a.shape[i], e->strides[i] = a.strides[i];
  e->queue = queue;
  e->managed.tensor = {a.data(), placeOf(a), a.shape.rank, dataTypeOf(a.dtype), e->shape, e->strides, 0};
  e->managed.context = e;
  e->managed.deleter = [](Managed *m) {
    auto *exported = static_cast<Exported<Managed> *>(m->context);
    exported->giveBack();
    delete exported;
  };
  return &e->managed;
}

template <typename Managed> void destroyCapsule(PyObject *capsule, const char *name) {
  if (!PyCapsule_IsValid(capsule, name)) return; // taken by someone
  auto *m = static_cast<Managed *>(PyCapsule_GetPointer(capsule, name));
  m->deleter(m);
}

/// Whoever gets memory of a device back may write it at once.
void waitForDevice(const dlpack::Device &place) noexcept {
  for (Accelerator *a : accelerators())
    try {
      if (a->isOpen() && a->numbers() == std::pair(place.type, place.id)) a->synchronize();
    } catch (const Error &) {} // then nothing runs any more
}

/// The array over an imported tensor; `owner` keeps the memory.
Array import(const Tensor &t, bool isReadOnly, std::shared_ptr<void> owner) {
  kiln::Device *device = deviceAt(t.device);
  if (t.ndim > kMaxRank) fail(ErrorKind::Shape, "from_dlpack", "rank", "at most " + std::to_string(kMaxRank), std::to_string(t.ndim));
  Array a;
  a.dtype = dtypeOf(t.dtype);
  for (int i = 0; i < t.ndim; ++i) a.shape.push(t.shape[i]);
  a.strides = t.strides ? Dims(std::span<const int64_t>(t.strides, size_t(t.ndim))) : contiguousStrides(a.shape);
  Ref<Value> memory = Value::share(static_cast<char *>(t.data) + t.byteOffset, size_t(a.size() * byteSize(a.dtype)), std::move(owner));
  memory->device = device;
  a.storage = Storage::make(std::move(memory));
  a.storage->pinned = true;
  a.storage->isWritable = !isReadOnly;
  a.updateContiguous();
  return a;
}

template <typename Managed> Array takeCapsule(PyObject *capsule, const char *name, const char *used) {
  auto *m = static_cast<Managed *>(PyCapsule_GetPointer(capsule, name));
  if (!m || PyCapsule_SetName(capsule, used)) throw PythonError();
  std::shared_ptr<void> owner(m, [](void *p) {
    auto *managed = static_cast<Managed *>(p);
    waitForDevice(managed->tensor.device);
    PyGILState_STATE gil = PyGILState_Ensure();
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

PyObject *toDlpack(PyObject *self, const ExportOptions &options) {
  Array a = arrayOf(self);
  kiln::Device *there = options.toHost || placeOf(a).type == kCPU ? nullptr : deviceOf(a);
  bool isMoved = deviceOf(a) && !there, copies = options.copies || isMoved;
  if (Mode::current() || isMoved) a = leave(a, "an array is handed to another library");
  if (there && !deviceOf(a)) a = moved(a, there); // a mode gave its value on the host
  else if (options.copies && !isMoved) a = copy(a);
  if (!a.storage->isWritable && !options.isVersioned) bufferError("__dlpack__: expected max_version=(1, 0) for read-only memory");
  a.storage->pinned = true; // shared from now on
  uint64_t queue = deviceOf(a) ? options.queue : 0;
  if (queue) deviceOf(a)->accelerator()->holdUp(queue);
  if (!options.isVersioned)
    return PyCapsule_New(exportArray<ManagedTensor>(a, queue), kName, [](PyObject *c) { destroyCapsule<ManagedTensor>(c, kName); });
  auto *m = exportArray<ManagedTensorVersioned>(a, queue);
  m->major = 1, m->minor = 1;
  m->flags = (copies ? kIsCopied : 0) | (a.storage->isWritable ? 0 : kReadOnly);
  return PyCapsule_New(m, kVersioned, [](PyObject *c) { destroyCapsule<ManagedTensorVersioned>(c, kVersioned); });
}

std::pair<int32_t, int32_t> dlpackDevice(PyObject *self) {
  dlpack::Device place = placeOf(arrayOf(self));
  return {place.type, place.id};
}

/// The queue that the other library is to hold up, of the device that it says its array is on; None: of the CPU.
static Object queueFor(PyObject *o) {
  Object place(PyObject_CallMethod(o, "__dlpack_device__", nullptr));
  int type = kCPU, id = 0;
  if (!place || !PyArg_ParseTuple(place.get(), "ii", &type, &id)) PyErr_Clear(), type = kCPU; // older than devices
  if (type == kCPU) return Object::borrow(Py_None);
  return Object(check(PyLong_FromUnsignedLongLong(deviceAt({type, id})->accelerator()->queue())));
}

Array fromDlpack(PyObject *o, bool copies) {
  Object method(PyObject_GetAttrString(o, "__dlpack__"));
  if (!method) {
    PyErr_Clear();
    fail(ErrorKind::DType, "from_dlpack", "argument", "an object with __dlpack__", Py_TYPE(o)->tp_name);
  }
  Object none(PyTuple_New(0)), queue = queueFor(o);
  bool isHost = queue.get() == Py_None;
  Object version(isHost ? Py_BuildValue("{s(ii)}", "max_version", 1, 1) : Py_BuildValue("{s(ii)sO}", "max_version", 1, 1, "stream", queue.get()));
  Object capsule(PyObject_Call(method.get(), none.get(), version.get()));
  if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) { // older than versions
    PyErr_Clear();
    Object stream(isHost ? PyDict_New() : Py_BuildValue("{sO}", "stream", queue.get()));
    capsule = Object(PyObject_Call(method.get(), none.get(), check(stream.get())));
  }
  if (!capsule) throw PythonError();
  Array a = PyCapsule_IsValid(capsule.get(), kVersioned)
                ? takeCapsule<ManagedTensorVersioned>(capsule.get(), kVersioned, "used_dltensor_versioned")
                : takeCapsule<ManagedTensor>(capsule.get(), kName, "used_dltensor");
  leave(a, "an array of another library is converted");
  return copies ? copy(a) : a;
}

} // namespace kiln::py
