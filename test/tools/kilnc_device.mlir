// A library for a GPU: header, signature, PTX; what it cannot be.
// RUN: rm -rf %t && mkdir %t && kilnc %s -o %t/libpair.so --header %t/pair.h --target nvptx64-nvidia-cuda && FileCheck %s --check-prefix=HEADER < %t/pair.h
// RUN: %python -c "import ctypes, sys; f = ctypes.CDLL(sys.argv[1]).pair_signature; f.restype = ctypes.c_char_p; print(f().decode())" %t/libpair.so | FileCheck %s --check-prefix=SIGNATURE
// RUN: kilnc %s -o %t/pair.ptx --emit ptx --target nvptx64-nvidia-cuda --cpu sm_90 && FileCheck %s --check-prefix=PTX < %t/pair.ptx
// RUN: kilnc %s -o %t/pair.ll --emit llvm --target nvptx64-nvidia-cuda && FileCheck %s --check-prefix=LLVM < %t/pair.ll
// RUN: kilnc %s -o %t/libpair.a --emit archive --target nvptx64-nvidia-cuda && llvm-nm %t/libpair.a | FileCheck %s --check-prefix=ARCHIVE
// RUN: not kilnc %s -o %t/x.ptx --emit ptx --target x86_64-linux-gnu 2>&1 | FileCheck %s --check-prefix=HOST
// RUN: not kilnc %s -o %t/x.so --threads=2 --target nvptx64-nvidia-cuda 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not kilnc %s -o %t/x.kiln --emit package --target nvptx64-nvidia-cuda 2>&1 | FileCheck %s --check-prefix=PACKAGE
// RUN: not kilnc %s -o %t/x.so --target nvptx64-nvidia-cuda --cpu sm_75 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not kilnc %s -o %t/x.so --target powerpc64-linux-gnu 2>&1 | FileCheck %s --check-prefix=TRIPLE

func.func @double(%x: tensor<4xf32> {kiln.name = "x"}) -> (tensor<4xf32> {kiln.name = "y"}) {
  %y = kiln.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// HEADER: functions that Kiln compiled for nvptx64-nvidia-cuda (sm_80).
// HEADER: PAIR_NO_DRIVER = -16
// HEADER: PAIR_WRONG_MEMORY = -19
// HEADER: int64_t device; /**< its number, as cuDeviceGet takes it */
// HEADER: int32_t pair_double(const pair *m, const float *x, float *y, void *workspace, size_t workspace_bytes, char *err, size_t errlen, void *stream);
// HEADER: int32_t pair_double_dlpack({{.*}} size_t errlen, void *stream);
// HEADER: static constexpr bool is_device = true;
// SIGNATURE: "device":"cuda"
// SIGNATURE-SAME: "processors":["sm_80"],"target":"nvptx64-nvidia-cuda"
// PTX: .target sm_90
// PTX: .visible .entry kernel_0
// LLVM: ptx_kernel void @kernel_0
// ARCHIVE-DAG: U dlopen
// ARCHIVE-DAG: T pair_double
// HOST: kilnc: library: emit: expected asm for x86_64-unknown-linux-gnu, whose code is no PTX, got 'ptx'
// THREADS: kilnc: library: threads: expected 1 for nvptx64-nvidia-cuda, which starts none, got 2
// PACKAGE: kilnc: library: emit: expected code of a host for a package, got 'nvptx64-nvidia-cuda'
// CPU: kilnc: target 'nvptx': cpu: expected sm_80 or a later one, got 'sm_75'
// TRIPLE: kilnc: library: target: expected one of {{.*}}, nvptx64-nvidia-cuda, got 'powerpc64-{{.*}}linux-gnu'
