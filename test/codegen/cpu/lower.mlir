// What the conversion to the LLVM dialect takes from each dialect that emission uses, and that it leaves nothing of them.
// RUN: kiln-opt %s --kiln-lower-to-llvm | FileCheck %s
// RUN: kiln-opt %s --kiln-lower-to-llvm | FileCheck %s --check-prefix=ALL
// RUN: kiln-opt %S/Inputs/foreign.mlir --kiln-lower-to-llvm --verify-diagnostics
// ALL-NOT: {{(arith|math|vector|scf|cf|func)\.|unrealized_conversion_cast}}

// CHECK-LABEL: llvm.func @numbers
// CHECK: llvm.mul {{.*}} overflow<nsw> : i64
// CHECK: llvm.intr.smin
// CHECK: llvm.sitofp
// CHECK: llvm.intr.fma({{.*}}) : (f64, f64, f64) -> f64
func.func @numbers(%n: i64, %x: f64) -> f64 {
  %m = arith.muli %n, %n overflow<nsw> : i64
  %least = arith.minsi %m, %n : i64
  %y = arith.sitofp %least : i64 to f64
  %z = math.fma %x, %y, %x : f64
  return %z : f64
}

// CHECK-LABEL: llvm.func @lanes
// CHECK: llvm.shufflevector {{.*}} [3, 2, 1, 0]
// CHECK: llvm.mlir.constant(dense<{{.*}}> : vector<4xi64>)
// CHECK: llvm.extractelement
func.func @lanes(%v: vector<4xf32>) -> f32 {
  %r = vector.shuffle %v, %v [3, 2, 1, 0] : vector<4xf32>, vector<4xf32>
  %numbers = arith.constant dense<[0, 1, 2, 3]> : vector<4xi64>
  %first = vector.extract %numbers[0] : i64 from vector<4xi64>
  %i = arith.index_cast %first : i64 to index
  %s = vector.extract %r[%i] : f32 from vector<4xf32>
  return %s : f32
}

// CHECK-LABEL: llvm.func internal @way(
// CHECK: llvm.cond_br
// CHECK: llvm.call @way
func.func @way(%isSmall: i1, %x: i32) -> i32 attributes {llvm.linkage = #llvm.linkage<internal>} {
  %y = scf.if %isSmall -> i32 {
    %one = arith.constant 1 : i32
    scf.yield %one : i32
  } else {
    %r = func.call @way(%isSmall, %x) : (i1, i32) -> i32
    scf.yield %r : i32
  }
  return %y : i32
}
