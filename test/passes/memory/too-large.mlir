// RUN: kiln-opt %s --kiln-plan-memory --verify-diagnostics

// Seventeen arrays of 2^52 bytes at once are more than any workspace.
func.func @seventeen(%x: tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>> {
  %0 = kiln.kernel "elementwise"(%a = %x : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %1 = kiln.kernel "elementwise"(%a = %0 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %2 = kiln.kernel "elementwise"(%a = %1 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %3 = kiln.kernel "elementwise"(%a = %2 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %4 = kiln.kernel "elementwise"(%a = %3 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %5 = kiln.kernel "elementwise"(%a = %4 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %6 = kiln.kernel "elementwise"(%a = %5 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %7 = kiln.kernel "elementwise"(%a = %6 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %8 = kiln.kernel "elementwise"(%a = %7 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %9 = kiln.kernel "elementwise"(%a = %8 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %10 = kiln.kernel "elementwise"(%a = %9 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %11 = kiln.kernel "elementwise"(%a = %10 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %12 = kiln.kernel "elementwise"(%a = %11 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %13 = kiln.kernel "elementwise"(%a = %12 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %14 = kiln.kernel "elementwise"(%a = %13 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %15 = kiln.kernel "elementwise"(%a = %14 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  // expected-error@+1 {{workspace: expected at most 72057594037927936 bytes, got 76561193665298432}}
  %16 = kiln.kernel "elementwise"(%a = %15 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.negative %a : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %17 = kiln.kernel "elementwise"(%a = %0 : tensor<281474976710656xcomplex<f64>>, %b = %1 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %18 = kiln.kernel "elementwise"(%a = %17 : tensor<281474976710656xcomplex<f64>>, %b = %2 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %19 = kiln.kernel "elementwise"(%a = %18 : tensor<281474976710656xcomplex<f64>>, %b = %3 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %20 = kiln.kernel "elementwise"(%a = %19 : tensor<281474976710656xcomplex<f64>>, %b = %4 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %21 = kiln.kernel "elementwise"(%a = %20 : tensor<281474976710656xcomplex<f64>>, %b = %5 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %22 = kiln.kernel "elementwise"(%a = %21 : tensor<281474976710656xcomplex<f64>>, %b = %6 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %23 = kiln.kernel "elementwise"(%a = %22 : tensor<281474976710656xcomplex<f64>>, %b = %7 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %24 = kiln.kernel "elementwise"(%a = %23 : tensor<281474976710656xcomplex<f64>>, %b = %8 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %25 = kiln.kernel "elementwise"(%a = %24 : tensor<281474976710656xcomplex<f64>>, %b = %9 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %26 = kiln.kernel "elementwise"(%a = %25 : tensor<281474976710656xcomplex<f64>>, %b = %10 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %27 = kiln.kernel "elementwise"(%a = %26 : tensor<281474976710656xcomplex<f64>>, %b = %11 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %28 = kiln.kernel "elementwise"(%a = %27 : tensor<281474976710656xcomplex<f64>>, %b = %12 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %29 = kiln.kernel "elementwise"(%a = %28 : tensor<281474976710656xcomplex<f64>>, %b = %13 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %30 = kiln.kernel "elementwise"(%a = %29 : tensor<281474976710656xcomplex<f64>>, %b = %14 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %31 = kiln.kernel "elementwise"(%a = %30 : tensor<281474976710656xcomplex<f64>>, %b = %15 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %32 = kiln.kernel "elementwise"(%a = %31 : tensor<281474976710656xcomplex<f64>>, %b = %16 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.negative %b : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  return %32 : tensor<281474976710656xcomplex<f64>>
}
