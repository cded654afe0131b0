// kn.add, kn.exp, ...: one callable a record of the ufunc kind, made from the op table.
#include "core.h"

#include <structmember.h>

namespace kiln::py {
namespace {

struct OpFunction {
  PyObject_HEAD vectorcallfunc vectorcall;
  Op op;
};

/// NumPy's forms of a call, which Python takes apart: out=, where=, dtype=, lists as operands.
PyObject *callForm(const OpInfo &record, PyObject *const *args, Py_ssize_t n, PyObject *kwnames) {
  Object positional(check(PyTuple_New(n))), named(check(PyDict_New()));
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(positional.get(), i, Py_NewRef(args[i]));
  for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); ++i)
    if (PyDict_SetItem(named.get(), PyTuple_GET_ITEM(kwnames, i), args[n + i])) throw PythonError();
  return check(PyObject_CallFunction(side().form, "sOO", record.name, positional.get(), named.get()));
}

PyObject *call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames) {
  return guarded([&]() -> PyObject * {
    Op op = reinterpret_cast<OpFunction *>(self)->op;
    const OpInfo &record = info(op);
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (n != record.operands || (kwnames && PyTuple_GET_SIZE(kwnames))) return callForm(record, args, n, kwnames);
    Holder holders[3];
    Operand operands[3];
    for (Py_ssize_t i = 0; i < n; ++i) {
      if (!toOperand(args[i], holders[i])) return callForm(record, args, n, kwnames);
      operands[i] = holders[i].operand;
    }
    return wrap(applyElementwise(op, {operands, size_t(n)}));
  });
}

Op opOf(PyObject *self) { return reinterpret_cast<OpFunction *>(self)->op; }
PyObject *repr(PyObject *self) { return PyUnicode_FromFormat("<kiln function %s>", info(opOf(self)).name); }
PyObject *getName(PyObject *self, void *) { return PyUnicode_FromString(info(opOf(self)).name); }
PyObject *getModule(PyObject *, void *) { return PyUnicode_FromString("kiln"); }
PyObject *getDoc(PyObject *self, void *) {
  const OpInfo &record = info(opOf(self));
  return PyUnicode_FromFormat("%s(%s, /)\n\n%s\n\nOperands are arrays or numbers of broadcastable shapes; the result is an Array.\n"
                              "Raises DTypeError where a dtype is not accepted, ShapeError where shapes do not broadcast.",
                              record.name, record.operands == 1 ? "x" : "x, y", record.summary);
}
/// For `inspect.signature`, and with it help and editors.
PyObject *getSignature(PyObject *self, void *) {
  Object inspect(PyImport_ImportModule("inspect"));
  Object kind(inspect ? PyObject_GetAttrString(inspect.get(), "_POSITIONAL_ONLY") : nullptr);
  Object parameters(PyList_New(0));
  static const char *const names[] = {"x", "y", "z"};
  for (int i = 0; kind && i < info(opOf(self)).operands; ++i) {
    Object parameter(PyObject_CallMethod(inspect.get(), "Parameter", "sO", names[i], kind.get()));
    if (!parameter || PyList_Append(parameters.get(), parameter.get())) return nullptr;
  }
  return kind ? PyObject_CallMethod(inspect.get(), "Signature", "O", parameters.get()) : nullptr;
}

PyGetSetDef getset[] = {{"__name__", getName, nullptr, nullptr, nullptr},     {"__qualname__", getName, nullptr, nullptr, nullptr},
                        {"__module__", getModule, nullptr, nullptr, nullptr}, {"__signature__", getSignature, nullptr, nullptr, nullptr},
                        {"__doc__", getDoc, nullptr, nullptr, nullptr},       {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(OpFunction, vectorcall), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};

} // namespace

bool initOpFunctions(PyObject *module) {
  PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
                         {Py_tp_repr, reinterpret_cast<void *>(repr)},
                         {Py_tp_getset, getset},
                         {Py_tp_members, members},
                         {0, nullptr}};
  PyType_Spec spec = {"kiln.OpFunction", sizeof(OpFunction), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  auto *type = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
  if (!type) return false;
  Object functions(PyDict_New());
  for (int i = 0; i < int(Op::Count); ++i) {
    if (!info(Op(i)).ufunc) continue;
    OpFunction *f = PyObject_New(OpFunction, type);
    if (!f) return false;
    f->vectorcall = call;
    f->op = Op(i);
    PyDict_SetItemString(functions.get(), info(Op(i)).name, reinterpret_cast<PyObject *>(f));
    Py_DECREF(f);
  }
  return !PyModule_AddObjectRef(module, "OpFunction", reinterpret_cast<PyObject *>(type)) &&
         !PyModule_AddObjectRef(module, "op_functions", functions.get());
}

} // namespace kiln::py
