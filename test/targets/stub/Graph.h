// Graphs of launches, copies and fills.
#pragma once

#include "test/targets/stub/Stub.h"

namespace stub {

struct Node {
  explicit Node(std::function<void()> work) : work(std::move(work)) {}
  explicit Node(Launch launch) : launch(std::move(launch)) {}
  std::function<void()> work; // none: the launch
  Launch launch{};
  std::vector<size_t> after; // the nodes of the graph that come before
};

struct Graph {
  std::vector<std::shared_ptr<Node>> nodes;
  size_t add(std::shared_ptr<Node> node);
  /// Behind all others.
  void addLast(std::shared_ptr<Node> node);
};

} // namespace stub
