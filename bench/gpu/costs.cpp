// What the driver's calls cost, through lib/Runtime/Cuda.h: one JSON object on standard output, times in microseconds, medians.
//   costs FOLDER            with small.ptx of build.py in it
//   costs --load FILES...   how long each module takes to load, its kernel's first launch apart
#include "bench/gpu/timing.h"

#include <cstring>
#include <filesystem>

static void launches(Device &device, const std::string &folder) {
  Module module(device, read(folder + "/small.ptx"));
  Kernel kernel = module.kernel("empty");
  auto stream = device.stream();
  const Driver &d = device.functions;
  Current context(device); // for the calls that go to the driver directly
  Address nothing = 0;
  uint32_t n = 0;
  void *arguments[] = {&nothing, &n};
  auto raw = [&] { must(d.launch(kernel.handle, 1, 1, 1, 32, 1, 1, 0, stream->handle, arguments, nullptr)); };
  auto checked = [&] { launch(*stream, kernel, {1}, {32}, arguments); };
  raw();
  stream->synchronize();
  constexpr int kMany = 500;
  auto perLaunch = [&](const std::function<void()> &run, bool toTheEnd) {
    return median(31, [&] {
      double start = now();
      for (int i = 0; i < kMany; ++i) run();
      double queued = now();
      stream->synchronize();
      return ((toTheEnd ? now() : queued) - start) / kMany;
    });
  };
  report("launch.host", perLaunch(raw, false));
  report("launch.host.kiln", perLaunch(checked, false));
  report("launch.throughput", perLaunch(raw, true));
  report("launch.host.idle", median(501, [&] { // one alone, as graphs are measured below
           double time = timeOf(raw);
           stream->synchronize();
           return time;
         }));
  report("launch.and.synchronize", median(501, [&] { return timeOf([&] { raw(), stream->synchronize(); }); }));
  Event event(device);
  report("event.record.host", median(31, [&] {
           double start = now();
           for (int i = 0; i < kMany; ++i) event.record(*stream);
           double end = now();
           stream->synchronize();
           return (end - start) / kMany;
         }));
  report("synchronize.idle", median(501, [&] { return timeOf([&] { stream->synchronize(); }); }));
  ContextHandle current = nullptr;
  report("context.query", median(501, [&] {
           return timeOf([&] {
                    for (int i = 0; i < 100; ++i) d.currentContext(&current);
                  }) /
                  100;
         }));

  for (int nodes : {1, 2, 5, 20, 100}) {
    GraphHandle graph = nullptr;
    RunnableGraphHandle runnable = nullptr;
    constexpr int kThreadLocal = 1;
    must(d.captureBegin(stream->handle, kThreadLocal));
    for (int i = 0; i < nodes; ++i) raw();
    must(d.captureEnd(stream->handle, &graph));
    std::string name = "graph" + std::to_string(nodes);
    report(name + ".instantiate", timeOf([&] { must(d.graphInstantiate(&runnable, graph, 0)); }));
    report(name + ".first", timeOf([&] { must(d.graphLaunch(runnable, stream->handle)), stream->synchronize(); }));
    auto play = [&] { must(d.graphLaunch(runnable, stream->handle)); };
    auto plain = [&] {
      for (int i = 0; i < nodes; ++i) raw();
    };
    report(name + ".host", median(101, [&] {
             double time = timeOf(play);
             stream->synchronize();
             return time;
           }));
    report(name + ".to.end", median(101, [&] { return timeOf([&] { play(), stream->synchronize(); }); }));
    report(name + ".launches.to.end", median(101, [&] { return timeOf([&] { plain(), stream->synchronize(); }); }));
    std::vector<NodeHandle> found(size_t(nodes), nullptr);
    size_t count = found.size();
    must(d.graphNodes(graph, found.data(), &count));
    LaunchNode node; // as captured; set again, as for other arrays
    must(d.launchNodeGet(found[0], &node));
    node.arguments = arguments;
    report(name + ".set.each", median(101, [&] {
             return timeOf([&] {
                      for (NodeHandle n : found) must(d.launchNodeSet(runnable, n, &node));
                    }) /
                    nodes;
           }));
    report(name + ".set.and.play.to.end", median(101, [&] {
             return timeOf([&] {
               for (NodeHandle n : found) must(d.launchNodeSet(runnable, n, &node));
               play(), stream->synchronize();
             });
           }));
    must(d.runnableGraphDestroy(runnable));
    must(d.graphDestroy(graph));
  }
}

static void memory(Device &device) {
  auto stream = device.stream();
  for (size_t bytes : {size_t(256), size_t(1) << 20, size_t(256) << 20}) {
    std::string name = "allocate." + std::to_string(bytes);
    device.trim();
    report(name + ".first", timeOf([&] { Buffer(stream, bytes), stream->synchronize(); }));
    report(name + ".host", median(201, [&] { return timeOf([&] { Buffer(stream, bytes); }); }));
    stream->synchronize();
    report(name + ".synchronized", median(201, [&] { return timeOf([&] { Buffer(stream, bytes), stream->synchronize(); }); }));
  }
  report("trim.256MiB", timeOf([&] { device.trim(); }));
  for (size_t bytes : {size_t(4), size_t(4096), size_t(64) << 10, size_t(1) << 20, size_t(16) << 20, size_t(256) << 20}) {
    Buffer buffer(stream, bytes);
    PinnedMemory pinned(device, bytes);
    std::vector<char> pageable(bytes, 1);
    std::memset(pinned.data, 1, bytes);
    stream->synchronize();
    int rounds = bytes > (8 << 20) ? 11 : 201;
    for (auto [kind, host] : {std::pair{"pinned", pinned.data}, {"pageable", static_cast<void *>(pageable.data())}}) {
      std::string name = std::string(kind) + "." + std::to_string(bytes);
      report("in." + name,
             median(rounds, [&] { return timeOf([&] { stream->copyIn(buffer.address(), host, bytes), stream->synchronize(); }); }));
      report("out." + name,
             median(rounds, [&] { return timeOf([&] { stream->copyOut(host, buffer.address(), bytes), stream->synchronize(); }); }));
    }
  }
  report("pinned.allocate.1MiB", median(21, [&] { return timeOf([&] { PinnedMemory(device, 1 << 20); }); }));
}

static void loads(Device &device, int count, char **files) {
  for (int i = 0; i < count; ++i) {
    std::string image = read(files[i]);
    std::filesystem::path path(files[i]);
    std::string name = path.stem(), label = path.filename();
    std::unique_ptr<Module> module;
    if (path.extension() == ".ptx")
      for (int level : {0, 1, 2, 3, 4})
        report(label + ".assemble" + std::to_string(level), timeOf([&] { assemble(device, image, level); }));
    report(label + ".load", timeOf([&] { module = std::make_unique<Module>(device, image); }));
    report(label + ".kernel", timeOf([&] { module->kernel(name); }));
    report(label + ".unload", timeOf([&] { module.reset(); }));
  }
}

int main(int count, char **arguments) {
  if (count < 2) return std::fprintf(stderr, "costs: expected a folder, or --load and files\n"), 2;
  try {
    report("driver.open", timeOf([] { driver(); }));
    Device *device = nullptr;
    report("context.first", timeOf([&] { device = &Device::of(); }));
    if (!std::strcmp(arguments[1], "--load")) loads(*device, count - 2, arguments + 2);
    else launches(*device, arguments[1]), memory(*device);
    std::printf("\n}\n");
  } catch (const Error &error) { return std::fprintf(stderr, "%s\n", error.what()), 1; }
  return 0;
}
