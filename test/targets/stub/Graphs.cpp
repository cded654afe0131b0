// Launches, and graphs of them. Of nodes that do not wait for each other the later runs first: what lacks an edge gives wrong results.
#include "test/targets/stub/Graph.h"

#include "lib/Core/Error.h"

#include <algorithm>
#include <utility>

namespace stub {

//===-- launches ----------------------------------------------------------------------------------------------------===//

int makeLaunch(const Device &device, const LaunchNode &node, Launch &launch) {
  constexpr unsigned kMostThreads = 1024;
  launch.function = functionOf(node.function);
  if (!launch.function || &launch.function->device != &device) return InvalidHandle;
  bool isLine = node.gridY == 1 && node.gridZ == 1 && node.blockY == 1 && node.blockZ == 1; // the simulator knows no other
  if (!isLine || !node.gridX || node.gridX >> 31 || !node.blockX || node.blockX > kMostThreads) return InvalidValue;
  if (int64_t(node.sharedBytes) > launch.function->dynamicShared || node.extra) return InvalidValue;
  size_t count = launch.function->launch.arguments.size();
  if (count && !node.arguments) return InvalidValue;
  launch.blocks = node.gridX, launch.threads = node.blockX, launch.sharedBytes = node.sharedBytes;
  launch.pointers.clear();
  for (size_t i = 0; i < count; ++i) launch.pointers.push_back(*static_cast<void **>(node.arguments[i]));
  return Success;
}

void Launch::run() const {
  kiln::LaunchPlan::Launch shape = function->launch;
  shape.blocks = blocks, shape.threads = threads, shape.sharedBytes += sharedBytes;
  View view = viewOf(function->device);
  std::vector<void *> inside;
  for (size_t i = 0; i < pointers.size(); ++i) {
    bool isSize = shape.arguments[i].memory == kiln::LaunchPlan::Memory::Size;
    inside.push_back(isSize ? pointers[i] : view.inside(pointers[i]));
  }
  try {
    simulator::launch(shape, function->code, inside, view.areas);
  } catch (const kiln::Error &error) {
    std::string text = error.what();
    function->device.fail(text.find("out of bounds") == std::string::npos ? LaunchFailed : IllegalAddress, text);
  }
}

//===-- graphs ------------------------------------------------------------------------------------------------------===//

size_t Graph::add(std::shared_ptr<Node> node) {
  nodes.push_back(std::move(node));
  return nodes.size() - 1;
}
void Graph::addLast(std::shared_ptr<Node> node) {
  if (!nodes.empty()) node->after.push_back(nodes.size() - 1);
  add(std::move(node));
}

namespace {

/// What runs, with a copy of each node; nodes of the graph that it was made of name those here.
struct Runnable {
  std::map<const Node *, size_t> numbers;
  std::vector<Node> nodes;
  std::vector<size_t> order;

  explicit Runnable(const Graph &graph) {
    for (const auto &node : graph.nodes) numbers[node.get()] = nodes.size(), nodes.push_back(*node);
    std::vector<bool> isTaken(nodes.size());
    while (order.size() < nodes.size())
      for (size_t i = nodes.size(); i-- > 0;) {
        bool isReady = std::all_of(nodes[i].after.begin(), nodes[i].after.end(), [&](size_t before) { return isTaken[before]; });
        if (isTaken[i] || !isReady) continue;
        isTaken[i] = true, order.push_back(i);
        break;
      }
  }
  std::function<void()> work(size_t number) const {
    const Node &node = nodes[number];
    if (node.work) return node.work;
    return [launch = node.launch] { launch.run(); };
  }
};

Handles<GraphHandle, Graph> &graphs() {
  static auto *all = new Handles<GraphHandle, Graph>;
  return *all;
}
Handles<RunnableGraphHandle, Runnable> &runnables() {
  static auto *all = new Handles<RunnableGraphHandle, Runnable>;
  return *all;
}
NodeHandle handleOf(const Node &node) { return reinterpret_cast<NodeHandle>(const_cast<Node *>(&node)); }

} // namespace

extern "C" {
int cuLaunchKernel(FunctionHandle function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, StreamHandle stream, void **arguments, void **extra) {
  return callOn(__func__, [&](Device &device) {
    Launch launch;
    LaunchNode given{function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, arguments, extra, nullptr, nullptr};
    if (int code = makeLaunch(device, given, launch)) return code;
    auto queue = queueOf(stream, device);
    if (!queue) return int(InvalidHandle);
    if (queue->capturing) return queue->capturing->addLast(std::make_shared<Node>(launch)), int(Success);
    return put(device, stream, [launch] { launch.run(); });
  });
}

int cuStreamBeginCapture_v2(StreamHandle stream, int) {
  return callOn(__func__, [&](Device &device) {
    auto queue = queueOf(stream, device);
    if (!queue || queue->capturing) return int(InvalidHandle);
    return queue->capturing = std::make_shared<Graph>(), int(Success);
  });
}
int cuStreamEndCapture(StreamHandle stream, GraphHandle *graph) {
  return callOn(__func__, [&](Device &device) {
    auto queue = queueOf(stream, device);
    if (!queue || !queue->capturing) return int(InvalidHandle);
    return *graph = graphs().add(std::exchange(queue->capturing, nullptr)), int(Success);
  });
}

int cuGraphCreate(GraphHandle *graph, unsigned) {
  return callOn(__func__, [&](Device &) { return *graph = graphs().add(std::make_shared<Graph>()), Success; });
}
int cuGraphAddKernelNode_v2(NodeHandle *node, GraphHandle handle, const NodeHandle *after, size_t count, const LaunchNode *given) {
  return callOn(__func__, [&](Device &device) {
    auto graph = graphs().find(handle);
    if (!graph) return int(InvalidHandle);
    Launch launch;
    if (int code = makeLaunch(device, *given, launch)) return code;
    auto made = std::make_shared<Node>(launch);
    for (size_t i = 0; i < count; ++i)
      for (size_t k = 0; k < graph->nodes.size(); ++k)
        if (handleOf(*graph->nodes[k]) == after[i]) made->after.push_back(k);
    if (made->after.size() != count) return int(InvalidValue);
    graph->add(made);
    return *node = handleOf(*made), int(Success);
  });
}
int cuGraphGetNodes(GraphHandle handle, NodeHandle *nodes, size_t *count) {
  return callOn(__func__, [&](Device &) {
    auto graph = graphs().find(handle);
    if (!graph) return int(InvalidHandle);
    if (nodes)
      for (size_t i = 0; i < std::min(*count, graph->nodes.size()); ++i) nodes[i] = handleOf(*graph->nodes[i]);
    return *count = graph->nodes.size(), int(Success);
  });
}
int cuGraphKernelNodeGetParams_v2(NodeHandle, LaunchNode *) {
  return callOn(__func__, [&](Device &) { return int(Unknown); }); // the driver's own arrays of arguments: nobody needs them
}
int cuGraphDestroy(GraphHandle graph) {
  return callOn(__func__, [&](Device &) { return graphs().remove(graph) ? int(Success) : int(InvalidHandle); });
}

int cuGraphInstantiateWithFlags(RunnableGraphHandle *runnable, GraphHandle handle, unsigned long long) {
  return callOn(__func__, [&](Device &) {
    auto graph = graphs().find(handle);
    if (!graph) return int(InvalidHandle);
    return *runnable = runnables().add(std::make_shared<Runnable>(*graph)), int(Success);
  });
}
int cuGraphExecKernelNodeSetParams_v2(RunnableGraphHandle handle, NodeHandle node, const LaunchNode *given) {
  return callOn(__func__, [&](Device &device) {
    auto runnable = runnables().find(handle);
    if (!runnable) return int(InvalidHandle);
    auto number = runnable->numbers.find(reinterpret_cast<const Node *>(node));
    if (number == runnable->numbers.end() || runnable->nodes[number->second].work) return int(InvalidValue);
    return makeLaunch(device, *given, runnable->nodes[number->second].launch);
  });
}
int cuGraphLaunch(RunnableGraphHandle handle, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    auto runnable = runnables().find(handle);
    if (!runnable) return int(InvalidHandle);
    for (size_t number : runnable->order)
      if (int code = put(device, stream, runnable->work(number))) return code;
    return int(Success);
  });
}
int cuGraphExecDestroy(RunnableGraphHandle runnable) {
  return callOn(__func__, [&](Device &) { return runnables().remove(runnable) ? int(Success) : int(InvalidHandle); });
}
} // extern "C"

} // namespace stub
