// kn.add, kn.exp, ...: one callable a record of the ufunc kind, made from the op table; and NumPy's ufuncs around them.
#include "elements.h"

#include <structmember.h>

#include <algorithm>

namespace kiln::py {
namespace {

/// Of an op, or a ufunc: what only Python knows of it is `form`, a function for all calls, and `attributes`, a dict.
struct OpFunction {
  PyObject_HEAD vectorcallfunc vectorcall;
  Op op; // Count: none, all calls are of `form`
  PyObject *form, *attributes;
};
OpFunction *functionOf(PyObject *self) { return reinterpret_cast<OpFunction *>(self); }

/// NumPy's forms of a call, which Python takes apart: out=, where=, dtype=, lists as operands.
PyObject *callForm(const OpFunction &f, PyObject *const *args, Py_ssize_t n, PyObject *kwnames) {
  if (f.form) return check(PyObject_Vectorcall(f.form, args, size_t(n), kwnames));
  Object positional(check(PyTuple_New(n))), named(check(PyDict_New()));
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(positional.get(), i, Py_NewRef(args[i]));
  for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); ++i)
    if (PyDict_SetItem(named.get(), PyTuple_GET_ITEM(kwnames, i), args[n + i])) throw PythonError();
  return check(PyObject_CallFunction(side().form, "sOO", info(f.op).name, positional.get(), named.get()));
}

/// The array that a call names for its result, behind its operands or as `out` alone; null where there is none.
PyObject *outputOf(PyObject *const *args, Py_ssize_t n, int operands, PyObject *kwnames) {
  Py_ssize_t named = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  bool isOut = n == operands ? named == 1 && !PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), "out") : !named;
  return n + named == operands + 1 && isOut && isArray(args[operands]) ? args[operands] : nullptr;
}

/// Whether a ufunc may run as its op: numbers alone are arrays.
bool hasArray(std::span<const Operand> operands) {
  return std::ranges::any_of(operands, [](const Operand &o) { return o.kind == Operand::IsArray; });
}

/// Whether an array takes a result: of its shape, and of no wider kind of dtype.
bool takes(const Array &out, const Array &result) {
  auto kind = [](DType t) { return t == DType::Bool ? 0 : isComplex(t) ? 4 : isFloat(t) ? 3 : info(t).isSigned ? 1 : 2; };
  return out.shape == result.shape && kind(result.dtype) <= kind(out.dtype);
}

PyObject *call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames) {
  return guarded([&]() -> PyObject * {
    const OpFunction &f = *functionOf(self);
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (f.op == Op::Count) return callForm(f, args, n, kwnames);
    int count = info(f.op).operands;
    bool isBare = n == count && (!kwnames || !PyTuple_GET_SIZE(kwnames));
    PyObject *out = isBare ? nullptr : outputOf(args, n, count, kwnames);
    if (!isBare && !out) return callForm(f, args, n, kwnames);
    Holder holders[3];
    Operand operands[3];
    for (int i = 0; i < count; ++i) {
      if (!toOperand(args[i], holders[i])) return callForm(f, args, n, kwnames);
      operands[i] = holders[i].operand;
    }
    if ((f.form || out) && !hasArray({operands, size_t(count)})) return callForm(f, args, n, kwnames);
    Object small;
    if (!out && applySmall(f.op, {operands, size_t(count)}, resultIn(small))) return small.release();
    if (out && applyInto(f.op, {operands, size_t(count)}, arrayOf(out))) return Py_NewRef(out);
    Array result = applyElementwise(f.op, {operands, size_t(count)});
    if (!out) return wrap(std::move(result));
    if (!takes(arrayOf(out), result)) return callForm(f, args, n, kwnames); // says why
    assignResult(arrayOf(out), result);
    return Py_NewRef(out);
  });
}

void dealloc(PyObject *self) {
  Py_XDECREF(functionOf(self)->form);
  Py_XDECREF(functionOf(self)->attributes);
  PyTypeObject *type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

Op opOf(PyObject *self) { return functionOf(self)->op; }
/// What Python set under a name; null with no error set where it set nothing.
PyObject *attribute(PyObject *self, const char *name) {
  PyObject *attributes = functionOf(self)->attributes;
  return Py_XNewRef(attributes ? PyDict_GetItemString(attributes, name) : nullptr);
}
/// An attribute of ufuncs alone.
PyObject *getAttribute(PyObject *self, void *name) {
  PyObject *found = attribute(self, static_cast<const char *>(name));
  if (!found)
    PyErr_Format(PyExc_AttributeError, "'%U' has no attribute '%s'", Object(PyObject_Repr(self)).get(), static_cast<const char *>(name));
  return found;
}
PyObject *getName(PyObject *self, void *) {
  PyObject *name = attribute(self, "__name__");
  return name ? name : PyUnicode_FromString(info(opOf(self)).name);
}
PyObject *repr(PyObject *self) { return PyUnicode_FromFormat("<kiln function %U>", Object(getName(self, nullptr)).get()); }
PyObject *getModule(PyObject *, void *) { return PyUnicode_FromString("kiln"); }
PyObject *getDoc(PyObject *self, void *) {
  if (PyObject *text = attribute(self, "__doc__")) return text;
  const OpInfo &record = info(opOf(self));
  return PyUnicode_FromFormat("%s(%s, /)\n\n%s\n\nOperands are arrays or numbers of broadcastable shapes; the result is an Array.\n"
                              "Raises DTypeError where a dtype is not accepted, ShapeError where shapes do not broadcast.",
                              record.name, record.operands == 1 ? "x" : "x, y", record.summary);
}
/// For `inspect.signature`, and with it help and editors.
PyObject *getSignature(PyObject *self, void *) {
  Object inspect(PyImport_ImportModule("inspect"));
  if (PyObject *form = functionOf(self)->form; form && inspect) return PyObject_CallMethod(inspect.get(), "signature", "O", form);
  Object kind(inspect ? PyObject_GetAttrString(inspect.get(), "_POSITIONAL_ONLY") : nullptr);
  Object parameters(PyList_New(0));
  static const char *const names[] = {"x", "y", "z"};
  for (int i = 0; kind && i < info(opOf(self)).operands; ++i) {
    Object parameter(PyObject_CallMethod(inspect.get(), "Parameter", "sO", names[i], kind.get()));
    if (!parameter || PyList_Append(parameters.get(), parameter.get())) return nullptr;
  }
  return kind ? PyObject_CallMethod(inspect.get(), "Signature", "O", parameters.get()) : nullptr;
}

constexpr PyGetSetDef ufuncAttribute(const char *name) { return {name, getAttribute, nullptr, nullptr, const_cast<char *>(name)}; }
PyGetSetDef getset[] = {{"__name__", getName, nullptr, nullptr, nullptr},
                        {"__qualname__", getName, nullptr, nullptr, nullptr},
                        {"__module__", getModule, nullptr, nullptr, nullptr},
                        {"__signature__", getSignature, nullptr, nullptr, nullptr},
                        {"__doc__", getDoc, nullptr, nullptr, nullptr},
                        ufuncAttribute("nin"),
                        ufuncAttribute("nout"),
                        ufuncAttribute("nargs"),
                        ufuncAttribute("identity"),
                        ufuncAttribute("reduce"),
                        ufuncAttribute("accumulate"),
                        ufuncAttribute("outer"),
                        ufuncAttribute("at"),
                        ufuncAttribute("reduceat"),
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(OpFunction, vectorcall), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};

PyTypeObject *functionType = nullptr;

PyObject *make(Op op, PyObject *form, PyObject *attributes) {
  OpFunction *f = PyObject_New(OpFunction, functionType);
  if (!f) return nullptr;
  f->vectorcall = call;
  f->op = op;
  f->form = Py_XNewRef(form);
  f->attributes = Py_XNewRef(attributes);
  return reinterpret_cast<PyObject *>(f);
}

} // namespace

PyObject *makeUfunc(PyObject *function, PyObject *form, PyObject *attributes) {
  bool isOp = Py_TYPE(function) == functionType;
  Object made(check(make(isOp ? opOf(function) : Op::Count, form, attributes)));
  if (isOp && !info(opOf(function)).byNumber && PySet_Add(package().operations, made.get())) throw PythonError();
  return made.release();
}

bool initOpFunctions(PyObject *module) {
  PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
                         {Py_tp_dealloc, reinterpret_cast<void *>(dealloc)},
                         {Py_tp_repr, reinterpret_cast<void *>(repr)},
                         {Py_tp_getset, getset},
                         {Py_tp_members, members},
                         {0, nullptr}};
  PyType_Spec spec = {"kiln.OpFunction", sizeof(OpFunction), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  functionType = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
  if (!functionType) return false;
  Object functions(PyDict_New()), operations(PySet_New(nullptr));
  if (!functions || !operations) return false;
  for (int i = 0; i < int(Op::Count); ++i) {
    if (!info(Op(i)).ufunc) continue;
    Object f(make(Op(i), nullptr, nullptr));
    if (!f || PyDict_SetItemString(functions.get(), info(Op(i)).name, f.get())) return false;
    if (!info(Op(i)).byNumber && PySet_Add(operations.get(), f.get())) return false;
  }
  return !PyModule_AddObjectRef(module, "operations", operations.get()) &&
         !PyModule_AddObjectRef(module, "OpFunction", reinterpret_cast<PyObject *>(functionType)) &&
         !PyModule_AddObjectRef(module, "op_functions", functions.get());
}

} // namespace kiln::py
