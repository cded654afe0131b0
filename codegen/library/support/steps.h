/* Programs of a device: launches, and what the host does between them. */
#pragma once

#include "codegen/library/support/call.h"
#include "codegen/library/support/device.h"

/* A program that runs: where its kernels say what went wrong, and how much was put into the stream since the host looked there. */
typedef struct Run {
  const Call *call;
  const Plan *plan;
  uint64_t status;
  int64_t ahead;
} Run;

/* An array; of an int64 of rank 0 what the host knows of it. */
typedef struct Array {
  uint64_t address;
  int64_t number, is_known;
} Array;

/* One program or body in one run: its inputs, then its outputs. */
typedef struct Frame {
  const Program *program;
  Array *array;
  uint64_t workspace;
} Frame;

/* What a kernel or a step is given. */
uint64_t kiln_value(const Run *run, const Frame *frame, const Place *place);
int32_t kiln_launch(Run *run, const Frame *frame, const Launch *launch);
/* Something was put in: now and then the host looks whether it is of use. */
int32_t kiln_went_ahead(Run *run);
/* Puts a program in, as far as it does not depend on numbers that are still computed: for these it waits. */
int32_t kiln_run_program(Run *run, const Frame *frame);
