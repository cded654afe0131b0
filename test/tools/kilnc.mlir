// Libraries of C functions from a module: what the header says, and what each kind of output is.
// RUN: rm -rf %t && mkdir %t && kilnc %s -o %t/libpair.so --header %t/pair.h --cpu x86-64-v2,x86-64-v3
// RUN: FileCheck %s --check-prefix=HEADER < %t/pair.h
// RUN: llvm-nm -D --defined-only --format=just-symbols %t/libpair.so | FileCheck %s --check-prefix=NAMES
// RUN: kilnc %s -o %t/again.mlir --emit mlir && kilnc %t/again.mlir -o %t/again.so --name pair && FileCheck %s --check-prefix=MLIR < %t/again.mlir
// RUN: kilnc %s -o %t/pair.ll --emit llvm && FileCheck %s --check-prefix=LLVM < %t/pair.ll
// RUN: kilnc %s -o %t/pair.s --emit asm --target riscv64-linux-gnu && FileCheck %s --check-prefix=ASM < %t/pair.s
// RUN: kilnc %s -o %t/pair.o --emit obj --target aarch64-linux-gnu && llvm-readelf -h %t/pair.o | FileCheck %s --check-prefix=OBJECT
// RUN: kilnc %s -o %t/libpair.a --emit archive && llvm-ar t %t/libpair.a | FileCheck %s --check-prefix=ARCHIVE
// RUN: not kilnc %s -o %t/x --emit exe 2>&1 | FileCheck %s --check-prefix=EMIT
// RUN: not kilnc %s -o %t/x.so --threads=1025 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not kilnc %s -o %t/x.so --threads=four 2>&1 | FileCheck %s --check-prefix=NUMBER
// RUN: not kilnc %s -o %t/x.a --emit archive --target thumbv7em-none-eabi --threads=2 2>&1 | FileCheck %s --check-prefix=BARE
// RUN: kilnc %s -o %t/libthreaded.so --header %t/threaded.h --threads=3 && FileCheck %s --check-prefix=POOL < %t/threaded.h
// RUN: not kilnc %t/none -o %t/x 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not kilnc %t/pair.h -o %t/x 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not kilnc %s -o %t/x --threads 2 2>&1 | FileCheck %s --check-prefix=FOREIGN

// HEADER: functions that Kiln compiled for x86_64-{{.*}}-linux-gnu (x86-64-v2, x86-64-v3).
// HEADER: @param[in] a float32 (8,)
// HEADER: @param[in] arg1 float32 (8,)
// HEADER: @param[out] total float32 (8,)
// HEADER: int32_t pair_plus(const pair *m, const float *a, const float *arg1, float *total, void *workspace
// HEADER: @param n0 a size, at least 2
// HEADER: int32_t pair_double_it(const pair *m, const int16_t *register_, int64_t n0, int16_t *out0, void *workspace
// HEADER: @param[in,out] state float32 (8,)
// HEADER: int32_t pair_step(const pair *m, float *state, void *workspace
// NAMES: pair_abi_version
// NAMES-NEXT: pair_close
// NAMES-NEXT: pair_double_it
// NAMES-NEXT: pair_double_it_dlpack
// NAMES-NEXT: pair_double_it_workspace_size
// NAMES-NEXT: pair_get_weights
// NAMES-NEXT: pair_open
// NAMES-NEXT: pair_plus
// NAMES-NEXT: pair_plus_dlpack
// NAMES-NEXT: pair_plus_workspace_size
// NAMES-NEXT: pair_set_weights
// NAMES-NEXT: pair_signature
// NAMES-NEXT: pair_status_text
// NAMES-NEXT: pair_step
// NAMES-NEXT: pair_step_dlpack
// NAMES-NEXT: pair_step_workspace_size
// NAMES-NOT: {{.}}
// MLIR: func.func @plus(
// MLIR: func.func @double_it(
// LLVM: define hidden i32 @pair.plus.0.0(
// LLVM: define i32 @pair_plus(ptr %0, ptr %1, ptr %2, ptr %3, ptr %4, i64 %5, ptr %6, i64 %7)
// ASM: pair_plus:
// OBJECT: Machine: AArch64
// ARCHIVE: part0.o
// EMIT: kilnc: library: emit: expected so, obj, archive, package, asm, ptx, llvm or mlir, got 'exe'
// FOREIGN: kilnc: option --threads: expected one of kilnc's (--help), got one of LLVM's
// NONE: kilnc: library: input: expected a file that can be read, got
// OTHER: kilnc: library: program: expected a package or a module of kiln ops, got
func.func @plus(%a: tensor<8xf32> {kiln.name = "a"}, %b: tensor<8xf32>) -> (tensor<8xf32> {kiln.name = "total"}) {
  %r = kiln.add %a, %b : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

func.func @double_it(%a: tensor<?xi16, #kiln.symbols<0>> {kiln.name = "register"}) -> tensor<?xi16, #kiln.symbols<0>> attributes {kiln.symbols = 1} {
  %r = kiln.add %a, %a : (tensor<?xi16, #kiln.symbols<0>>, tensor<?xi16, #kiln.symbols<0>>) -> tensor<?xi16, #kiln.symbols<0>>
  return %r : tensor<?xi16, #kiln.symbols<0>>
}

func.func @step(%state: tensor<8xf32> {kiln.name = "state"}) -> (tensor<8xf32> {kiln.replaces = 0 : i64}) {
  %r = kiln.add %state, %state : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}
// THREADS: kilnc: library: threads: expected 1 to 1024, got 1025
// NUMBER: kilnc: option --threads: expected a number, got 'four'
// BARE: kilnc: library: threads: expected 1 for thumbv7em-unknown-none-eabi, which starts none, got 2
// POOL: 1: they are not; 0: 3. Not beside `parallel_for`
