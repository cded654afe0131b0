// 64 random bits for each counter under a key: Threefry-2x32 of 20 rounds.
// RUN: kiln-run %s --all --target=both | FileCheck %s

// CHECK-LABEL: @uint64:
// CHECK-NEXT: {{^}}uint64[11]: 17585251975127100629 13897614985444391724 16122702161355102743 94564265341465188 2208610878965582198 10338683229579088613 9236835810183407956 14029111449702005543 18070335770477874104 11605035084573569843 13401158119780177765{{$}}
func.func @uint64(%a: tensor<11xui64> {kiln.input = "0,1,7,8,100,255,2,3,5,64,9"}, %b: tensor<11xui64> {kiln.input = "3,0,1,2,3,7,1,9,2,64,1"}) -> tensor<11xui64> {
  %r = kiln.random_bits %a, %b : (tensor<11xui64>, tensor<11xui64>) -> tensor<11xui64>
  return %r : tensor<11xui64>
}

// CHECK-LABEL: @uint64_empty:
// CHECK-NEXT: {{^}}uint64[0]:{{$}}
func.func @uint64_empty(%a: tensor<0xui64> {kiln.input = ""}, %b: tensor<0xui64> {kiln.input = ""}) -> tensor<0xui64> {
  %r = kiln.random_bits %a, %b : (tensor<0xui64>, tensor<0xui64>) -> tensor<0xui64>
  return %r : tensor<0xui64>
}

// CHECK-LABEL: @uint64_one:
// CHECK-NEXT: {{^}}uint64[1]: 12526793173697988904{{$}}
func.func @uint64_one(%a: tensor<1xui64> {kiln.input = "9"}, %b: tensor<1xui64> {kiln.input = "9"}) -> tensor<1xui64> {
  %r = kiln.random_bits %a, %b : (tensor<1xui64>, tensor<1xui64>) -> tensor<1xui64>
  return %r : tensor<1xui64>
}
