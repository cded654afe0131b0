/* Packages (*.kiln) run by the code that they have for this machine: libkiln_runtime.so.0, which has no compiler. A package gets its code
   by kn.export(..., target=...) or kilnc PACKAGE --emit package. docs/runtime.md has an example.

   Functions return 0 or a status of this header, with a sentence in `err`, of `errlen` bytes, where that is not NULL. */
#ifndef KILN_RUNTIME_H
#define KILN_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Of this header; kiln_runtime_abi() returns the library's. */
#define KILN_RUNTIME_ABI 3
#define KILN_MAX_RANK 32 /* axes of an array */

/** What is wrong. */
enum {
  KILN_ERROR_SHAPE = 1,   /**< sizes that do not fit, or that the package is not for */
  KILN_ERROR_DTYPE = 2,   /**< elements of another kind */
  KILN_ERROR_TRACE = 4,   /**< values lead to a way that was not recorded when the package was made */
  KILN_ERROR_PACKAGE = 5, /**< a damaged package, one without code for this machine, or an installation without LAPACK that needs it */
  KILN_ERROR_INDEX = 7,   /**< a position in the data is outside of an array */
  KILN_ERROR_VALUE = 9,   /**< an argument that cannot be: memory that overlaps, is not aligned, or not there */
  KILN_ERROR_MEMORY = 11, /**< no memory, or sizes that no memory has */
  KILN_ERROR_LINALG = 12, /**< a matrix that has no such decomposition */
  KILN_ERROR_OTHER = 100
};

/** An array in row-major memory of the host, laid out as DLPack's DLTensor, to which pointers may be cast. */
typedef struct kiln_array {
  void *data;                    /**< aligned to its elements */
  int32_t device, device_number; /**< 1, 0: the host */
  int32_t rank;
  uint8_t code, bits; /**< of an element: 0 signed, 1 unsigned, 2 float, 4 bfloat16, 5 complex, 6 boolean */
  uint16_t lanes;     /**< 1 */
  int64_t *shape;
  int64_t *strides; /**< in elements, or NULL */
  uint64_t byte_offset;
} kiln_array;

/** An opened package. Any number of threads may use it. */
typedef struct kiln_package kiln_package;

int32_t kiln_runtime_abi(void);
/** The machine whose code it runs: "x86_64-linux-gnu". */
const char *kiln_runtime_machine(void);
/** How many threads a loop is shared between at most; 0: as many as the machine has. Results are the same bits. */
int32_t kiln_runtime_set_threads(int32_t count, char *err, size_t errlen);

/** Opens a package; `*package` is for kiln_package_close, or NULL after an error. `verify`: compares the checksums of weights too, which
    reads them all. The file must not be changed while it is open. It runs the code that is in the file: open only what you trust. */
int32_t kiln_package_open(const char *path, int32_t verify, kiln_package **package, char *err, size_t errlen);
/** No call may run then, or start later. */
void kiln_package_close(kiln_package *package);
/** Entries, arguments, sizes and weights, as JSON (docs/formats/package.md). */
const char *kiln_package_manifest(const kiln_package *package);
/** Weight `number` of the manifest. `shape` has room for KILN_MAX_RANK sizes, which `weight` points to. Nobody may write it. */
int32_t kiln_package_weight(const kiln_package *package, size_t number, kiln_array *weight, int64_t shape[KILN_MAX_RANK], char *err,
                            size_t errlen);
/** What an entry gives for these arguments: the number of its results, and if `result` is not NULL the type of result `number`, with
    `data` NULL and `shape` as above: of a result whose size the values decide, the largest that it has for arguments of these shapes. */
int32_t kiln_package_result(const kiln_package *package, const char *entry, kiln_array *const *arguments, size_t count, size_t number,
                            size_t *results, kiln_array *result, int64_t shape[KILN_MAX_RANK], char *err, size_t errlen);
/** Runs an entry: its arguments in the order of the manifest, and memory for its results. Arguments that it writes are changed. The shape
   of a result whose size the values decide says how much room there is for it, and is set to what it has, also where there is too little.
 */
int32_t kiln_package_run(const kiln_package *package, const char *entry, kiln_array *const *arguments, size_t count,
                         kiln_array *const *results, size_t result_count, char *err, size_t errlen);

#ifdef __cplusplus
}
#endif
#endif
