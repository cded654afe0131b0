// The buffer protocol of kiln.Array.
#include "array_type.h"

namespace kiln::py {

int getBuffer(PyObject *self, Py_buffer *view, int flags) {
  return guardedInt([&] {
    Array &a = arrayOf(self);
    if (deviceOf(a)) { // NumPy then asks __array__, which makes a copy
      PyErr_Format(PyExc_BufferError, "array: expected one of the CPU, got one of '%s' (x.to_device('cpu') copies it)",
                   nameOf(deviceOf(a)).c_str());
      throw PythonError();
    }
    leave(a, "an array is turned into one of another library");
    static const char *const formats[kNumDTypes] = {"?", "b", "h", "i", "l", "B", "H", "I", "L", "e", nullptr, "f", "d", "Zf", "Zd"};
    if (!formats[size_t(a.dtype)]) { // NumPy then asks __array__, which knows ml_dtypes
      PyErr_SetString(PyExc_BufferError, "array: expected a dtype that the buffer protocol has a name for (convert with kn.astype)");
      throw PythonError();
    }
    if ((flags & PyBUF_WRITABLE) && !a.storage->isWritable) {
      PyErr_SetString(PyExc_BufferError, "array: expected writable memory, got read-only");
      throw PythonError();
    }
    if (!(flags & PyBUF_STRIDES) && !a.isContiguous) {
      PyErr_SetString(PyExc_BufferError, "array: expected row-major memory, got strides");
      throw PythonError();
    }
    // Shared from now on: later writes go in place, so both sides see them.
    a.storage->pinned = true;
    auto *dims = new Py_ssize_t[2 * kMaxRank];
    for (int i = 0; i < a.shape.rank; ++i) {
      dims[i] = a.shape[i];
      dims[kMaxRank + i] = a.strides[i] * byteSize(a.dtype);
    }
    *view = {};
    view->buf = a.data();
    view->obj = Py_NewRef(self);
    view->len = a.size() * byteSize(a.dtype);
    view->readonly = !a.storage->isWritable;
    view->itemsize = byteSize(a.dtype);
    view->format = const_cast<char *>(formats[size_t(a.dtype)]);
    view->ndim = a.shape.rank;
    view->shape = dims;
    view->strides = dims + kMaxRank;
    view->internal = dims;
    return 0;
  });
}
void releaseBuffer(PyObject *, Py_buffer *view) { delete[] static_cast<Py_ssize_t *>(view->internal); }

} // namespace kiln::py
