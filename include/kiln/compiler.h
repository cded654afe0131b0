/* The boundary between libkiln_runtime and libkiln_compiler: a C ABI, so that one compiler library serves every Python
   version, and a process that finds its code in the cache never opens it. */
#ifndef KILN_COMPILER_H
#define KILN_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this header; kiln_compiler_abi() returns the library's. */
#define KILN_COMPILER_ABI 9

/** A status: the program gets no code, as that would take too much or is not wanted any more. *error says which. */
#define KILN_COMPILER_DECLINED 1000

typedef struct kiln_compile_request {
  const int64_t *words;    /**< a serialized trace (lib/Core/Trace.h) */
  size_t count;            /**< its length in words */
  const char *output_path; /**< where the shared object goes; written whole or not at all */
  const char *dump_dir;    /**< a folder for the IR after each stage, or NULL */
  const int32_t *cancel;   /**< becomes 1, by any thread, when the code is not wanted any more; or NULL */
  double seconds;          /**< the most time of the calling thread; 0: no limit */
  const char *target;      /**< a registered target; NULL for "cpu" */
  const char *triple;      /**< the machine that code is for, in LLVM's names: its triple, NULL for this machine; */
  const char *cpu;         /**< its CPU, NULL for this machine's, or for the least that the triple has; */
  const char *features;    /**< and features beside those of the CPU, or NULL */
  int32_t timed;           /**< 1: code that tells the runtime of each kernel that has run (lib/Core/Timed.h) */
} kiln_compile_request;

int32_t kiln_compiler_abi(void);

/** Custom ops are those of this registry (lib/Core/Registry.h) from now on. */
void kiln_compiler_use_registry(void *registry);

/** Compiles a trace to a shared object. Returns 0, or a status with *error set to a text for kiln_compiler_free. */
int32_t kiln_compiler_compile(const kiln_compile_request *request, char **error);

/** The program at a stage: "kiln", "fused", "kernels", "schedule", "vector", "llvm" or "asm"; "fusion" is a JSON list of its
 * kernels. *text (or *error) is for kiln_compiler_free. */
int32_t kiln_compiler_print(const kiln_compile_request *request, const char *stage, char **text, char **error);

/** The trace of the first function of a module of kiln ops, as MLIR text or bytecode. *words (or *error) is for kiln_compiler_free. */
int32_t kiln_compiler_parse(const char *source, size_t size, int64_t **words, size_t *count, char **error);

/** What a library of C functions is made from, and where it goes. Text that is NULL is left to its default. */
typedef struct kiln_library_request {
  const char *input_path;  /**< a package (.kiln), or a module of kiln ops in MLIR */
  const char *output_path; /**< the library; weights in a file go beside it */
  const char *header_path; /**< its header; NULL: none */
  const char *project_dir; /**< a folder for a program that uses it, which needs a header; NULL: none */
  const char *name;        /**< of the library in C; the stem of the header or of the library */
  const char *emit;        /**< so, obj, archive, package (the package with the code in it), asm, llvm or mlir; so */
  const char *triple;      /**< the target, in LLVM's names; this machine */
  const char *cpu;         /**< its CPUs, from the least to the best with commas between; those that most have; "native": this machine's */
  const char *features;    /**< and features beside those of the CPU */
  const char *weights;     /**< embed, file or caller; embed */
  int32_t threads;         /**< that it shares loops out to where the options it is opened with do not say; 0: one */
} kiln_library_request;

/** Makes a library (docs/libraries.md). Returns 0, or a status with *error set to a text for kiln_compiler_free. */
int32_t kiln_compiler_library(const kiln_library_request *request, char **error);

/** Makes a shared object of an object for this machine, which may call libc, libm and libstdc++. Returns 0, or a status with *error set to
 * a text for kiln_compiler_free. */
int32_t kiln_compiler_link(const char *object_path, const char *output_path, char **error);

/** Runs a trace in the reference interpreter. `inputs` and `outputs` are row-major memory of the trace's types. */
int32_t kiln_compiler_interpret(const kiln_compile_request *request, const void *const *inputs, void *const *outputs, char **error);

/** Whether a process may end while a thread is inside the library: nothing of it is destroyed. */
int32_t kiln_compiler_outlives_exit(void);

void kiln_compiler_free(void *memory);

#ifdef __cplusplus
}
#endif
#endif
