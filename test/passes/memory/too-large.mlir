// RUN: kiln-opt %s --kiln-plan-memory --verify-diagnostics

// Seventeen arrays of 2^52 bytes at once are more than any workspace.
func.func @seventeen(%x: tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>> {
  %0 = kiln.kernel "scan"(%a = %x : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %1 = kiln.kernel "scan"(%a = %0 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %2 = kiln.kernel "scan"(%a = %1 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %3 = kiln.kernel "scan"(%a = %2 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %4 = kiln.kernel "scan"(%a = %3 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %5 = kiln.kernel "scan"(%a = %4 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %6 = kiln.kernel "scan"(%a = %5 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %7 = kiln.kernel "scan"(%a = %6 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %8 = kiln.kernel "scan"(%a = %7 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %9 = kiln.kernel "scan"(%a = %8 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %10 = kiln.kernel "scan"(%a = %9 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %11 = kiln.kernel "scan"(%a = %10 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %12 = kiln.kernel "scan"(%a = %11 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %13 = kiln.kernel "scan"(%a = %12 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %14 = kiln.kernel "scan"(%a = %13 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %15 = kiln.kernel "scan"(%a = %14 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  // expected-error@+1 {{workspace: expected at most 72057594037927936 bytes, got 76561193665298432}}
  %16 = kiln.kernel "scan"(%a = %15 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %n = kiln.cumulative_sum %a {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %17 = kiln.kernel "scan"(%a = %0 : tensor<281474976710656xcomplex<f64>>, %b = %1 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %18 = kiln.kernel "scan"(%a = %17 : tensor<281474976710656xcomplex<f64>>, %b = %2 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %19 = kiln.kernel "scan"(%a = %18 : tensor<281474976710656xcomplex<f64>>, %b = %3 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %20 = kiln.kernel "scan"(%a = %19 : tensor<281474976710656xcomplex<f64>>, %b = %4 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %21 = kiln.kernel "scan"(%a = %20 : tensor<281474976710656xcomplex<f64>>, %b = %5 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %22 = kiln.kernel "scan"(%a = %21 : tensor<281474976710656xcomplex<f64>>, %b = %6 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %23 = kiln.kernel "scan"(%a = %22 : tensor<281474976710656xcomplex<f64>>, %b = %7 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %24 = kiln.kernel "scan"(%a = %23 : tensor<281474976710656xcomplex<f64>>, %b = %8 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %25 = kiln.kernel "scan"(%a = %24 : tensor<281474976710656xcomplex<f64>>, %b = %9 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %26 = kiln.kernel "scan"(%a = %25 : tensor<281474976710656xcomplex<f64>>, %b = %10 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %27 = kiln.kernel "scan"(%a = %26 : tensor<281474976710656xcomplex<f64>>, %b = %11 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %28 = kiln.kernel "scan"(%a = %27 : tensor<281474976710656xcomplex<f64>>, %b = %12 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %29 = kiln.kernel "scan"(%a = %28 : tensor<281474976710656xcomplex<f64>>, %b = %13 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %30 = kiln.kernel "scan"(%a = %29 : tensor<281474976710656xcomplex<f64>>, %b = %14 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %31 = kiln.kernel "scan"(%a = %30 : tensor<281474976710656xcomplex<f64>>, %b = %15 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  %32 = kiln.kernel "scan"(%a = %31 : tensor<281474976710656xcomplex<f64>>, %b = %16 : tensor<281474976710656xcomplex<f64>>) -> (tensor<281474976710656xcomplex<f64>>) {
    %m = kiln.cumulative_sum %b {axis = 0} : (tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    %n = kiln.add %a, %m : (tensor<281474976710656xcomplex<f64>>, tensor<281474976710656xcomplex<f64>>) -> tensor<281474976710656xcomplex<f64>>
    kiln.yield %n : tensor<281474976710656xcomplex<f64>>
  }
  return %32 : tensor<281474976710656xcomplex<f64>>
}
