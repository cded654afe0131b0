// Calls of routines that were written in C++, in libraries that have none of it: what a call takes is given back at its end, also where it
// ends for want of memory. For one source of a library each (fourier.cpp, decompositions.cpp).
#pragma once

#include "include/kiln/executable.h"

#include <stddef.h>
#include <stdint.h>

extern "C" {
void *kiln_c_malloc(size_t) __asm__("malloc");
void kiln_c_free(void *) __asm__("free");
[[gnu::returns_twice]] int _setjmp(void *);
[[noreturn]] void longjmp(void *, int);
}

#define malloc kiln_take
#define free kiln_give
#include "freestanding.h"

namespace {

/// A piece of memory of a call, in a ring.
struct Piece {
  Piece *next, *before;
};

struct Call {
  Piece pieces{&pieces, &pieces};
  alignas(16) char place[512]; // more than any jmp_buf
};

constinit thread_local Call *call = nullptr;

} // namespace

void *takeMemory(size_t bytes) {
  auto *piece = static_cast<Piece *>(kiln_c_malloc(bytes + sizeof(Piece)));
  if (!piece) giveUp();
  Piece *first = &call->pieces;
  *piece = {first->next, first};
  first->next->before = piece;
  first->next = piece;
  return piece + 1;
}

void giveMemory(void *memory) {
  if (!memory) return;
  Piece *piece = static_cast<Piece *>(memory) - 1;
  piece->next->before = piece->before;
  piece->before->next = piece->next;
  kiln_c_free(piece);
}

void giveUp() { longjmp(call->place, 1); }

namespace {

using Routine = int32_t(const kiln_tensor *tensors, const int64_t *words);

template <Routine routine> int32_t run(const kiln_tensor *tensors, const int64_t *words) {
  Call own;
  Call *const before = call;
  call = &own;
  int32_t status = KILN_OUT_OF_MEMORY;
  if (!_setjmp(own.place)) status = routine(tensors, words);
  while (own.pieces.next != &own.pieces) giveMemory(own.pieces.next + 1);
  call = before;
  return status;
}

} // namespace
