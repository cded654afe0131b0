// One set of emitters makes code for every instruction set.
// RUN: kiln-translate --mlir-to-assembly --triple=aarch64-linux-gnu --cpu=neoverse-n1 %s | FileCheck %s --check-prefix=ARM
// RUN: kiln-translate --mlir-to-assembly --triple=riscv64-linux-gnu --cpu=generic-rv64 --features=+m,+a,+f,+d,+c,+v %s | FileCheck %s --check-prefix=RISCV
// RUN: kiln-translate --mlir-to-assembly --triple=x86_64-linux-gnu --cpu=x86-64-v3 %s | FileCheck %s --check-prefix=X86

// RUN: kiln-translate --mlir-to-code --triple=aarch64-linux-gnu %s -o %t.arm && llvm-readobj -h %t.arm | FileCheck %s --check-prefix=ARM-HEADER
// RUN: kiln-translate --mlir-to-code --triple=riscv64-linux-gnu --features=+m,+a,+f,+d,+c %s -o %t.riscv && llvm-readobj -h %t.riscv | FileCheck %s --check-prefix=RISCV-HEADER
// ARM-HEADER: Machine: EM_AARCH64
// RISCV-HEADER: Machine: EM_RISCV

// RUN: not kiln-translate --mlir-to-code --triple=sparc-linux-gnu %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: target 'cpu': triple: expected one of x86-64, AArch64, RISC-V, WebAssembly or Arm (Thumb), got 'sparc-unknown-linux-gnu'

// ARM-LABEL: elementwise.kernel_0:
// ARM: fmul v{{.*}}.4s
// RISCV-LABEL: elementwise.kernel_0:
// RISCV: vfmul.vv
// X86-LABEL: elementwise.kernel_0:
// X86: vmulps
func.func @elementwise(%x: tensor<64xf32>, %y: tensor<64xf32>) -> tensor<64xf32> {
  %r = kiln.multiply %x, %y : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  return %r : tensor<64xf32>
}

// ARM-LABEL: reduction.kernel_0:
// ARM: fadd v{{.*}}.2d
// RISCV-LABEL: reduction.kernel_0:
// RISCV: vfadd.vv
// X86-LABEL: reduction.kernel_0:
// X86: vaddpd
func.func @reduction(%x: tensor<8x64xf64>) -> tensor<8xf64> {
  %r = kiln.sum %x {axes = array<i64: 1>} : (tensor<8x64xf64>) -> tensor<8xf64>
  return %r : tensor<8xf64>
}

// ARM-LABEL: product.kernel_0:
// ARM: fmla v{{.*}}.4s
// RISCV-LABEL: product.kernel_0:
// RISCV: vfmacc.vf
// X86-LABEL: product.kernel_0:
// X86: vfmadd
func.func @product(%x: tensor<32x16xf32>, %y: tensor<16x32xf32>) -> tensor<32x32xf32> {
  %r = kiln.dot_general %x, %y {x_batch = array<i64>, y_batch = array<i64>, x_axis = 1, y_axis = 0} : (tensor<32x16xf32>, tensor<16x32xf32>) -> tensor<32x32xf32>
  return %r : tensor<32x32xf32>
}
