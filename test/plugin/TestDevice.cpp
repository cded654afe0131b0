// The tests' second device (test/unit/DummyDevice.h) for programs in Python, which load it with ctypes.
#include "test/unit/DummyDevice.h"

extern "C" {
void kiln_test_add_device() { kiln::DummyDevice::first(); }
/// Into the device, and out of it.
int kiln_test_copies_in() { return kiln::DummyDevice::first().copiesIn; }
int kiln_test_copies_out() { return kiln::DummyDevice::first().copiesOut; }
}
