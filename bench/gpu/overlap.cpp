// Which calls of the driver wait for work on the device, and what compiling in one thread does to others: one JSON object.
//   overlap FOLDER     with small.ptx of build.py in it, and kernels
#include "bench/gpu/timing.h"

#include <atomic>
#include <thread>

static const char *const kModules[] = {"softmax_4096_w8_kiln_exp", "layernorm_4096_w8",        "map_tanh",         "map_sin", "map_erf",
                                       "gemm_bf16_128x128x32_s4",  "softmax_1024_w1_kiln_exp", "layernorm_1024_w1"};

/// Runs each call while a kernel spins for some 50 ms, and tells how long it took: the rest of the kernel's time if it waits.
static void waits(Device &device, const std::string &folder) {
  Module module(device, read(folder + "/small.ptx"));
  Kernel kernel = module.kernel("spin");
  std::string image = assemble(device, read(folder + "/map_tanh.ptx")), ptx = read(folder + "/map_tanh.ptx");
  auto busy = device.stream(), other = device.stream();
  Buffer sink(busy, 4);
  Address address = sink.address();
  uint32_t rounds = 25'000'000;
  void *arguments[] = {&address, &rounds};
  std::vector<char> host(1 << 20);
  auto during = [&](const std::string &name, const std::function<void()> &run) {
    busy->synchronize(), other->synchronize();
    double start = now();
    launch(*busy, kernel, {1}, {32}, arguments);
    report("during.kernel." + name, timeOf(run));
    busy->synchronize();
    report("during.kernel." + name + ".kernel", now() - start);
  };
  std::vector<std::unique_ptr<Module>> modules;
  std::vector<std::unique_ptr<Buffer>> buffers;
  std::unique_ptr<PinnedMemory> pinned;
  during("nothing", [] {});
  during("load.image", [&] { modules.push_back(std::make_unique<Module>(device, image)); });
  during("get.kernel", [&] { modules.back()->kernel("map_tanh"); });
  during("load.ptx", [&] { modules.push_back(std::make_unique<Module>(device, ptx)); });
  during("unload", [&] { modules.clear(); });
  // The same as a library, which belongs to no context.
  const Driver &d = device.functions;
  Current context(device);
  LibraryHandle library = nullptr;
  KernelHandle found = nullptr;
  Kernel tanh;
  uint32_t none = 0;
  void *nothing[] = {&address, &address, &none};
  auto play = [&] { launch(*other, tanh, {1}, {256}, nothing), other->synchronize(); };
  during("library.load", [&] { must(d.libraryLoad(&library, image.data(), nullptr, nullptr, 0, nullptr, nullptr, 0)); });
  during("library.kernel", [&] { must(d.libraryKernel(&found, library, "map_tanh")); });
  during("library.function", [&] { must(d.kernelFunction(&tanh.handle, found)); });
  during("library.first.launch", play);
  during("library.second.launch", play);
  during("library.unload", [&] { must(d.libraryUnload(library)); });
  modules.push_back(std::make_unique<Module>(device, image));
  tanh = modules.back()->kernel("map_tanh");
  during("module.first.launch", play);
  during("allocate.kept", [&] { buffers.push_back(std::make_unique<Buffer>(other, 4)); });
  during("allocate.grow", [&] { buffers.push_back(std::make_unique<Buffer>(other, size_t(1) << 30)); });
  during("free", [&] { buffers.clear(); });
  during("allocate.pinned", [&] { pinned = std::make_unique<PinnedMemory>(device, 1 << 20); });
  during("free.pinned", [&] { pinned.reset(); });
  Buffer room(other, host.size());
  PinnedMemory place(device, host.size());
  during("in.pageable", [&] { other->copyIn(room.address(), host.data(), host.size()), other->synchronize(); });
  during("out.pageable", [&] { other->copyOut(host.data(), room.address(), host.size()), other->synchronize(); });
  during("in.pinned", [&] { other->copyIn(room.address(), place.data, host.size()), other->synchronize(); });
  during("new.stream", [&] { device.stream(); });
  during("trim", [&] { device.trim(); });
}

/// Launches while another thread waits for code to be loaded, which waits for a kernel.
static void loadingBehind(Device &device, const std::string &folder) {
  Module module(device, read(folder + "/small.ptx"));
  Kernel spin = module.kernel("spin"), empty = module.kernel("empty");
  std::string image = assemble(device, read(folder + "/map_tanh.ptx"));
  auto busy = device.stream(), other = device.stream();
  Buffer sink(busy, 4);
  Address address = sink.address();
  uint32_t rounds = 25'000'000;
  void *arguments[] = {&address, &rounds};
  launch(*busy, spin, {1}, {32}, arguments);
  std::atomic<bool> isDone = false;
  std::unique_ptr<Module> loaded;
  std::thread loader([&] { loaded = std::make_unique<Module>(device, image), isDone = true; });
  double longest = 0;
  int count = 0;
  for (; !isDone; ++count) longest = std::max(longest, timeOf([&] { launch(*other, empty, {1}, {32}, arguments), other->synchronize(); }));
  loader.join();
  report("launches.while.image.waits", count);
  report("launches.while.image.waits.longest", longest);
}

/// A kernel that writes into memory of the host, which a thread looks at until it has.
static void flags(Device &device, const std::string &folder) {
  Module module(device, read(folder + "/small.ptx"));
  Kernel kernel = module.kernel("flag");
  auto stream = device.stream();
  PinnedMemory pinned(device, 64);
  auto *word = static_cast<volatile uint32_t *>(pinned.data);
  Address address = reinterpret_cast<Address>(pinned.data); // one address space
  uint32_t n = 0;
  void *arguments[] = {&address, &n};
  report("launch.and.see.word", median(501, [&] {
           ++n;
           return timeOf([&] {
             launch(*stream, kernel, {1}, {1}, arguments);
             for (int64_t i = 0; *word != n; ++i)
               if (i > 1'000'000'000) throw Error(ErrorKind::Device, "overlap: the word is never seen");
           });
         }));
  report("launch.and.synchronize",
         median(501, [&] { return timeOf([&] { launch(*stream, kernel, {1}, {1}, arguments), stream->synchronize(); }); }));
}

/// Compiling on many threads, and launches beside it.
static void compiling(Device &device, const std::string &folder) {
  std::vector<std::string> sources;
  for (const char *name : kModules) sources.push_back(read(folder + "/" + name + ".ptx"));
  report("compile.8.one.by.one", timeOf([&] {
           for (const std::string &source : sources) assemble(device, source);
         }));
  report("compile.8.threads", timeOf([&] {
           std::vector<std::thread> threads;
           for (const std::string &source : sources) threads.emplace_back([&] { assemble(device, source); });
           for (std::thread &thread : threads) thread.join();
         }));
  Module module(device, read(folder + "/small.ptx"));
  Kernel kernel = module.kernel("empty");
  auto stream = device.stream();
  Address nothing = 0;
  uint32_t n = 0;
  void *arguments[] = {&nothing, &n};
  for (bool asModule : {false, true}) {
    std::atomic<bool> isDone = false;
    std::thread compiler([&] {
      for (const std::string &source : sources) {
        if (asModule) Module(device, source);
        else assemble(device, source);
      }
      isDone = true;
    });
    std::vector<double> times;
    while (!isDone) times.push_back(timeOf([&] { launch(*stream, kernel, {1}, {32}, arguments), stream->synchronize(); }));
    compiler.join();
    std::sort(times.begin(), times.end());
    std::string name = asModule ? "launch.while.loading.ptx" : "launch.while.assembling";
    report(name + ".median", times[times.size() / 2]);
    report(name + ".longest", times.back());
  }
}

/// What is left after a kernel has written where there is no memory: error codes of the driver.
static void fault(Device &device, const std::string &folder) {
  const Driver &d = device.functions;
  Current context(device);
  Module module(device, read(folder + "/small.ptx"));
  Kernel kernel = module.kernel("flag");
  auto stream = device.stream();
  Address nowhere = 64;
  uint32_t n = 0;
  void *arguments[] = {&nowhere, &n};
  launch(*stream, kernel, {1}, {1}, arguments);
  report("fault.synchronize", d.streamSynchronize(stream->handle));
  size_t free = 0, total = 0;
  report("fault.then.any.call", d.memoryInfo(&free, &total));
  StreamHandle another = nullptr;
  report("fault.then.new.stream", d.streamCreate(&another, 1));
}

int main(int count, char **arguments) {
  if (count != 2) return std::fprintf(stderr, "overlap: expected a folder\n"), 2;
  try {
    Device &device = Device::of();
    waits(device, arguments[1]);
    loadingBehind(device, arguments[1]);
    flags(device, arguments[1]);
    compiling(device, arguments[1]);
    fault(device, arguments[1]);
    std::printf("\n}\n");
  } catch (const Error &error) { return std::fprintf(stderr, "%s\n", error.what()), 1; }
  return 0;
}
