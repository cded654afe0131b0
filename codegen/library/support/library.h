/* What a library of compiled functions knows of itself: tables that the compiler writes (codegen/library/Tables.cpp) and the functions of
   this folder read. They are compiled to LLVM's bitcode when Kiln is built, one for each kind of machine, and become part of each library:
   so they include nothing but the compiler's own headers. All that is not static has a name that starts with kiln_; in a library it is
   that library's own. Fields are 64 bits or pointers, so that the compiler need not know more of their layout. */
#pragma once

#include "include/kiln/executable.h"

#include <stddef.h>
#include <stdint.h>

enum {
#define KILN_STATUS(name, number, text) name = number,
#include "include/kiln/statuses.inc"
#undef KILN_STATUS
};

/* A number that follows from sizes of the caller, in postfix order. */
typedef struct Expression {
  int64_t count;
  const int64_t *items; /* pairs: a step (SizeExpression::Step of lib/Package), and its number or the place of a dimension */
} Expression;

typedef struct Dimension {
  const char *name;
  int64_t least, most;
  Expression bound; /* of one that values decide: it is at most this; else of no items */
} Dimension;

enum { kRead, kWritten, kReadAndWritten, kValue };

/* What callers give as one argument: a pointer, or a number. */
typedef struct Argument {
  const char *name;
  int64_t use, bytes, alignment, type; /* bytes of an element; `type` as the 32 bits of a DLDataType */
  int64_t rank;
  const Expression *shape;
  int64_t fixed_bytes; /* of the whole array; -1: they follow from the sizes */
  int64_t room;        /* of a result whose size values decide: which of the capacities is its own; else -1 */
} Argument;

enum { kArgument, kWeight, kSize, kKept };

/* What fills an input of a program. */
typedef struct Input {
  int64_t source, place; /* of an argument, a weight, or what the stage before kept */
  Expression number;     /* of a size, */
  int64_t form;          /* and how it lies in memory: below 0 a float of so many bytes, above 0 an integer */
  const Argument *array; /* of what was kept */
} Input;

typedef int64_t (*Workspace)(const int64_t *symbols);

#ifdef KILN_DEVICE
enum { kIsDevice = 1 };

/* What a kernel or a step is given; the order is that of lib/Core/LaunchPlan.h. */
enum { kToInput, kToOutput, kToWorkspace, kToStatus, kTheSize, kTheNumber };

/* A pointer, with how many bytes there a step may touch, or a number. */
typedef struct Place {
  int64_t kind;
  Expression number; /* which array or size, how far into the workspace, or the number itself; of the program's symbols */
  int64_t bytes;
} Place;

/* A kernel, and how many threads run it. */
typedef struct Launch {
  int64_t kernel;
  Expression blocks;
  int64_t threads, shared; /* bytes of shared memory that it asks for */
  int64_t arguments;
  const Place *argument;
} Launch;

enum { kCopyBytes, kCallBody, kChooseBody, kWhile, kRepeat };

/* What the host does between launches (docs/formats/launch-plan.md). */
typedef struct Step {
  int64_t kind, at; /* how many launches of the program are before it */
  int64_t bodies;
  const int64_t *body;
  int64_t carried, counter, by;
  int64_t arguments;
  const Place *argument;
} Step;

typedef struct Program {
  int64_t inputs, launches;
  const Launch *launch;
  int64_t steps;
  const Step *step;
} Program;

/* One program for one processor: its own launches and steps first, then the bodies. */
typedef struct Code {
  Expression bytes;
  const int64_t *in_place; /* as below */
  int64_t can_fail;        /* a kernel may set bits of the status */
  const Program *program;
} Code;
#else
enum { kIsDevice = 0 };

/* One program for one processor. */
typedef struct Code {
  kiln_entry_fn run;
  Workspace workspace; /* NULL where the bytes are always the same: */
  int64_t bytes;
  const int64_t *in_place; /* of each output the input in whose memory the code leaves it, or -1; NULL: there are none */
} Code;
#endif

/* A function for some of its sizes. */
typedef struct Variant {
  int64_t boxes, checked; /* the first ones are of sizes that it was checked for; the others are used where no variant was */
  const int64_t *bounds;  /* of each box a least and a most size for each dimension */
  const Argument *arguments;
  int64_t symbols;
  const Expression *symbol;
  const int64_t *least_symbol; /* what each is at least */
  int64_t inputs;
  const Input *input;
  int64_t outputs;
  const int64_t *output; /* the argument that each becomes; or one of these: */
  const Code *code;      /* for each processor */
  int64_t inner;         /* arrays of the program's own, whose sizes follow from those of the caller */
  const Argument *array;
  int64_t misses;
  const char *const *miss; /* the questions that may have other answers than were recorded */
  int64_t kept;
  const Argument *keep;    /* what is left for the next stage */
  const Expression *found; /* of the last stage: sizes that callers are told */
} Variant;

/* What an output of a program is that callers do not get: the number of a question, of those that may have other answers, or 0; the next
   dimension; the first that is kept, the next one is below it. */
enum { kMiss = -1, kCount = -2, kFirstKept = -3 };

/* Variants that compute the next dimension, which values decide, and what later ones need. */
typedef struct Stage {
  int64_t variants;
  const Variant *variant;
} Stage;

typedef struct Function {
  const char *name;
  int64_t dimensions; /* those that callers choose, then one for each stage */
  const Dimension *dimension;
  int64_t arguments, given; /* the first `given` are what callers give, the others what they get */
  Stage last;
  int64_t stages; /* before the last one */
  const Stage *stage;
  int64_t founds;
} Function;

typedef struct Weight {
  const char *name;
  int64_t alignment;
  const void *data; /* inside the library, or NULL: */
  int64_t offset;   /* in the file of the weights */
  int64_t bytes;
} Weight;

enum { kProcessorWords = 8 };

#ifdef KILN_DEVICE
/* What the driver loads: an image for the processor's own kind of chip, or NULL, and code that it compiles for any that can run it. */
typedef struct Module {
  const void *image, *code;
} Module;

typedef struct Kernel {
  const char *name;
  int64_t module, shared; /* bytes of shared memory that launches ask for at most */
} Kernel;
#endif

typedef struct Processor {
  const char *name;
  int64_t needs[kProcessorWords]; /* bits, as processor.c reads them; of a device what device.c says */
#ifdef KILN_DEVICE
  int64_t modules;
  const Module *module;
  int64_t kernels;
  const Kernel *kernel;
#endif
} Processor;

typedef struct Library {
  const char *name;
  int64_t processors;
  const Processor *processor; /* the best one last */
  int64_t weights;
  const Weight *weight;
  const char *file;   /* the name of the file of the weights; NULL: there is none */
  int64_t head_bytes; /* what it starts with, */
  const char *head;
  int64_t file_bytes; /* and how long it is at least */
  int64_t threads;    /* that loops are shared out to where the options do not say */
} Library;

/* What the header calls <library>_options; `bytes` says which of these it is. */
#ifdef KILN_DEVICE
typedef struct Options {
  size_t bytes;
  const void *const *weights;
  const char *weights_path;
  int64_t device;
  const void *none;
} Options;
#else
typedef struct Options { /* before there were more */
  size_t bytes;
  const void *const *weights;
  const char *weights_path;
  void (*parallel_for)(kiln_task task, void *context, void *scratch, int64_t scratch_bytes, int64_t count, int64_t grain);
} Options;

typedef struct ThreadOptions {
  Options common;
  int64_t threads;
  const void *none;
} ThreadOptions;

/* What Kiln's own runtime opens the code of a package with: `common.bytes` says that it is one. */
typedef struct RuntimeOptions {
  Options common;
  const kiln_rt *runtime; /* all services */
} RuntimeOptions;
#endif

typedef struct Pool Pool; /* of threads */
enum { kPool = 64 };

#ifdef KILN_BARE
enum { kMostSymbols = 16 };

/* A library that is ready, in memory of the caller's. */
typedef struct Handle {
  const Library *library;
  const void *const *weights; /* NULL: the library's own */
} Handle;
#else
enum { kMostSymbols = 256 };

typedef struct Device Device; /* what device.h says */

/* An opened library. Weights lie in one of two sets: calls use `current`, and count themselves in while they do. */
typedef struct Handle {
  const Library *library;
  int64_t processor;
  void *file;
  size_t file_bytes;
  const void **weights[2];
  _Atomic(int64_t) current, users[2], is_swapping;
#ifdef KILN_DEVICE
  Device *device;
#else
  kiln_rt runtime;
  const kiln_rt *services;     /* `runtime`, those of Kiln's, or NULL: loops run in order */
  Pool *threads;               /* that they are shared out to, or NULL */
  _Atomic(void *) pool[kPool]; /* workspaces that no call uses */
#endif
} Handle;
#endif

/* Where an error's sentence goes; `text` may be NULL. */
typedef struct Report {
  char *text;
  size_t bytes;
} Report;

/* Writes a sentence with %s for texts and %d for int64_t, cut off where the room ends; gives the status back. */
int32_t kiln_fail(Report report, int32_t status, const char *form, ...);

/* 0, or SIZE_OVERFLOW. */
int32_t kiln_evaluate(const Expression *expression, const int64_t *sizes, int64_t *value);
int32_t kiln_bytes_of(const Argument *argument, const int64_t *sizes, int64_t *bytes);
/* The variant of a stage that is for these sizes. */
int32_t kiln_choose(const Function *f, int64_t stage, const int64_t *sizes, const Variant **chosen, Report report);
/* The sizes of the program's own symbols. */
int32_t kiln_symbols(const Function *f, const Variant *v, const int64_t *sizes, int64_t *symbols, Report report);

/* `sizes`: of all dimensions; those that values decide are set. `room`: how many elements there is room for, of each result whose size
   values decide; `found`: where the sizes that callers are told go; it and each may be NULL. `stream`: of a device, where the work goes. */
int32_t kiln_call(Handle *m, const Function *f, void *const *given, int64_t *sizes, const int64_t *room, int64_t *const *found,
                  void *workspace, size_t bytes, char *text, size_t text_bytes, void *stream);
/* `sizes`: of all dimensions, those that callers choose are read. */
int64_t kiln_workspace_size(const Handle *m, const Function *f, int64_t *sizes);

/* The best processor of the table that this one is; below 0: none. */
int64_t kiln_processor(const Library *library);
