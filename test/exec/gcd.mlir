// Greatest common divisor of two integers, not negative; 0 of two zeros.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @signed:
// CHECK-NEXT: {{^}}int64[5]: 6 4 0 7 5{{$}}
func.func @signed(%x: tensor<5xi64> {kiln.input = "12,-8,0,7,-15"}, %y: tensor<5xi64> {kiln.input = "18,12,0,0,-10"}) -> tensor<5xi64> {
  %r = kiln.gcd %x, %y : (tensor<5xi64>, tensor<5xi64>) -> tensor<5xi64>
  return %r : tensor<5xi64>
}

// CHECK-LABEL: @wraps:
// CHECK-NEXT: {{^}}int8[2]: -128 64{{$}}
func.func @wraps(%x: tensor<2xi8> {kiln.input = "-128,-128"}, %y: tensor<2xi8> {kiln.input = "0,64"}) -> tensor<2xi8> {
  %r = kiln.gcd %x, %y : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return %r : tensor<2xi8>
}

// CHECK-LABEL: @empty:
// CHECK-NEXT: {{^}}uint32[0]:{{$}}
func.func @empty(%x: tensor<0xui32> {kiln.input = ""}, %y: tensor<0xui32> {kiln.input = ""}) -> tensor<0xui32> {
  %r = kiln.gcd %x, %y : (tensor<0xui32>, tensor<0xui32>) -> tensor<0xui32>
  return %r : tensor<0xui32>
}
