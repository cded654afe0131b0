/* The driver's functions and errors. */
#include "codegen/library/support/device.h"

void *dlopen(const char *path, int how);
void *dlsym(void *library, const char *name);
char *getenv(const char *name);

enum { kNow = 2, kOutOfMemory = 2 };

/* The library stays open: its threads may run as long as the process. */
int32_t kiln_open_driver(Driver *driver, const char *library, Report report) {
  const char *chosen = getenv("KILN_CUDA_DRIVER"), *path = chosen && *chosen ? chosen : "libcuda.so.1";
  void *opened = dlopen(path, kNow);
  if (!opened)
    return kiln_fail(report, NO_DRIVER, "%s: driver: expected %s of an NVIDIA driver, got none that can be opened", library, path);
#define KILN_DRIVER_FIND(name, symbol, arguments)                                                                                          \
  if (!(driver->name = (int(*) arguments)dlsym(opened, #symbol)))                                                                          \
    return kiln_fail(report, NO_DRIVER, "%s: driver: expected one of CUDA 12 or later, got %s without %s", library, path, #symbol);
  KILN_DRIVER_FUNCTIONS(KILN_DRIVER_FIND)
#undef KILN_DRIVER_FIND
  int code = driver->init(0);
  return code ? kiln_driver_failed(driver, code, library, "driver", "one that starts", report) : 0;
}

int32_t kiln_driver_failed(const Driver *driver, int code, const char *name, const char *what, const char *expected, Report report) {
  const char *error = 0, *text = 0;
  int32_t status = code == kOutOfMemory ? OUT_OF_MEMORY : DEVICE_FAILED;
  driver->error_name(code, &error);
  driver->error_text(code, &text);
  if (!error) return kiln_fail(report, status, "%s: %s: expected %s, got error %d of the driver", name, what, expected, (int64_t)code);
  return kiln_fail(report, status, "%s: %s: expected %s, got %s (%s)", name, what, expected, error, text ? text : "no text");
}
