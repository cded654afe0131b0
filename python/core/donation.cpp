// Arrays whose memory is given to the results of a call (jit's donate_argnums).
#include "array_type.h"

#include "frontend/CellTable.h"

namespace kiln::py {
namespace {

const Array *arrayAt(PyObject *const *args, Py_ssize_t n, Py_ssize_t count, const char *what) {
  if (n == count && isArray(args[0])) return &arrayOf(args[0]);
  PyErr_SetString(PyExc_TypeError, what);
  return nullptr;
}

/// may_donate(array): whether it is all of its memory, which nobody else's array of NumPy or of another library shows, and nothing is
/// recorded.
PyObject *mayDonate(PyObject *, PyObject *o) {
  if (!isArray(o) || Mode::current()) Py_RETURN_FALSE;
  const Array &a = arrayOf(o);
  const Storage &cell = *a.storage.get();
  if (!cell.value || cell.pinned || !cell.isWritable || cell.recording || cell.isLoose || cell.value->isForeign) Py_RETURN_FALSE;
  return PyBool_FromLong(a.isContiguous && !a.isRepeated && !a.offset && size_t(a.size() * byteSize(a.dtype)) == cell.value->bytes);
}

/// share_cell(x, y): whether they are arrays of one memory, as views of one another are.
PyObject *shareCell(PyObject *, PyObject *const *args, Py_ssize_t n) {
  if (!arrayAt(args, n, 2, "share_cell: expected two arrays")) return nullptr;
  return PyBool_FromLong(isArray(args[1]) && arrayOf(args[0]).storage.get() == arrayOf(args[1]).storage.get());
}

/// donate(array, why): an array of the same memory. Whoever uses the one that is given, or a view of it, is told why there is none.
PyObject *donate(PyObject *, PyObject *const *args, Py_ssize_t n) {
  const Array *given = arrayAt(args, n, 2, "donate: expected an array and a text");
  const char *why = given ? PyUnicode_AsUTF8(args[1]) : nullptr;
  if (!why) return nullptr;
  return guarded([&]() -> PyObject * {
    Array taken = *given;
    Storage &cell = *given->storage.get();
    Ref<Value> value = cell.value;
    taken.storage = Storage::make(value);
    taken.storage->device = cell.device;
    taken.mark = {};
    auto *table = new CellTable;
    table->fate = why;
    table->add(cell, 0);
    table->release();
    cell.value = {};
    cell.noteWrite();
    return wrap(std::move(taken));
  });
}

PyMethodDef functions[] = {{"may_donate", mayDonate, METH_O, nullptr},
                           {"share_cell", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(shareCell)), METH_FASTCALL, nullptr},
                           {"donate", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(donate)), METH_FASTCALL, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

} // namespace

bool initDonation(PyObject *module) { return !PyModule_AddFunctions(module, functions); }

} // namespace kiln::py
