// Devices, as the module tells of them.
#include "transforms.h"

#include "frontend/Accelerated.h"
#include "frontend/AcceleratedPack.h"

#include <pybind11/stl.h>

namespace py11 = pybind11;

namespace kiln::py {

void defineDevices(py11::module_ &m) {
  addAccelerators();
  m.def("tell_of_host", [](py11::object tell) { // of operations that a device has no kernels for
    static PyObject *kept = nullptr;
    Py_XDECREF(std::exchange(kept, tell.release().ptr()));
    tellOfHost = [](const std::string &text) { Object said(check(PyObject_CallFunction(kept, "s", text.c_str()))); };
  });
  m.def("tell_of_pack", [](py11::object tell) { // of kernels of the installation that are not used
    static PyObject *kept = nullptr;
    Py_XDECREF(std::exchange(kept, tell.release().ptr()));
    tellOfPack = [](const std::string &text) { Object said(check(PyObject_CallFunction(kept, "s", text.c_str()))); };
  });
  m.def("device_stats", [](const std::string &name) { // used and held bytes; None where nothing was asked of a device, or it does not count
    return located([&]() -> PyObject * {
      Device *device = findDevice(name);
      if (!device || !device->accelerator() || !device->accelerator()->isOpen()) Py_RETURN_NONE;
      Accelerator::Memory memory = device->accelerator()->memory();
      return Py_BuildValue("(LL)", static_cast<long long>(memory.used), static_cast<long long>(memory.held));
    });
  });
  m.def("describe_device", [](const std::string &name) {
    return located([&]() -> PyObject * {
      Device *device = findDevice(name);
      if (!device || !device->accelerator()) Py_RETURN_NONE;
      return PyUnicode_FromString(device->describe().c_str());
    });
  });
  m.def("synchronize", [](const std::string &name) {
    return located([&]() -> PyObject * {
      Device *device = findDevice(name);
      if (device && device->accelerator()) {
        py11::gil_scoped_release released;
        device->accelerator()->synchronize();
      }
      Py_RETURN_NONE;
    });
  });
  m.def("devices", deviceNames);
  m.def("find_device",
        [](py11::object name) { return located([&] { return PyUnicode_FromString(nameOf(deviceNamed(name.ptr())).c_str()); }); });
  m.def("default_device", [] { return nameOf(defaultDevice()); });
  m.def("set_default_device", [](py11::object name) {
    return located([&]() -> PyObject * {
      DefaultDevice::set(deviceNamed(name.ptr()));
      Py_RETURN_NONE;
    });
  });
  m.def("scope_device", [](py11::object name) { // of this thread; None: it has none of its own. The one before
    return located([&]() -> PyObject * {
      auto before = DefaultDevice::enter({!name.is_none(), name.is_none() ? nullptr : deviceNamed(name.ptr())});
      if (!before.isSet) Py_RETURN_NONE;
      return PyUnicode_FromString(nameOf(before.device).c_str());
    });
  });
  m.def("to_device", [](py11::object x, py11::object name) {
    return located([&]() -> PyObject * {
      Device *to = deviceNamed(name.ptr());
      return deviceOf(arrayOf(x.ptr())) == to ? Py_NewRef(x.ptr()) : wrap(toDevice(arrayOf(x.ptr()), to));
    });
  });
}

} // namespace kiln::py
