// Streams and events.
#include "test/targets/stub/Graph.h"

#include <thread>

namespace stub {
namespace {

struct Event {
  explicit Event(Device &device) : device(device) {}
  Device &device;
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t recorded = 0, reached = 0; // how often
  std::chrono::steady_clock::time_point at;

  void wait(uint64_t time) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return reached >= time; });
  }
};

Handles<StreamHandle, Queue> &streams() {
  static auto *all = new Handles<StreamHandle, Queue>;
  return *all;
}
Handles<EventHandle, Event> &events() {
  static auto *all = new Handles<EventHandle, Event>;
  return *all;
}

} // namespace

void Queue::start() {
  std::thread([self = shared_from_this()] { self->run(); }).detach();
}

void Queue::run() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return !waiting.empty() || isClosed; });
    if (waiting.empty()) return;
    auto [work, isAlways] = std::move(waiting.front());
    waiting.pop_front();
    isBusy = true;
    lock.unlock();
    if (int64_t slow = settings().slow) std::this_thread::sleep_for(std::chrono::microseconds(slow));
    if (isAlways || !device.fault) work();
    work = nullptr; // what it holds goes before the queue is idle
    lock.lock();
    isBusy = false;
    changed.notify_all();
  }
}

void Queue::put(std::function<void()> work, bool isAlways) {
  std::lock_guard lock(mutex);
  waiting.emplace_back(std::move(work), isAlways);
  changed.notify_all();
}
void Queue::finish() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return waiting.empty() && !isBusy; });
}
bool Queue::isDone() {
  std::lock_guard lock(mutex);
  return waiting.empty() && !isBusy;
}
void Queue::close() {
  std::lock_guard lock(mutex);
  isClosed = true;
  changed.notify_all();
}

/// The queue that a device has by itself.
static std::shared_ptr<Queue> defaultQueue(const Device &device) {
  static auto *mutex = new std::mutex;
  static auto *all = new std::map<const Device *, std::shared_ptr<Queue>>;
  std::lock_guard lock(*mutex);
  auto &queue = (*all)[&device];
  if (!queue) {
    queue = std::make_shared<Queue>(const_cast<Device &>(device));
    queue->start();
  }
  return queue;
}

std::shared_ptr<Queue> queueOf(StreamHandle stream, const Device &device) {
  if (!stream) return defaultQueue(device);
  auto queue = streams().find(stream);
  return queue && &queue->device == &device ? queue : nullptr;
}

void finishAll(const Device &device) {
  for (const auto &queue : streams().list())
    if (&queue->device == &device) queue->finish();
  defaultQueue(device)->finish();
}

int put(Device &device, StreamHandle stream, std::function<void()> work) {
  auto queue = queueOf(stream, device);
  if (!queue) return InvalidHandle;
  if (queue->capturing) queue->capturing->addLast(std::make_shared<Node>(std::move(work)));
  else queue->put(std::move(work));
  return Success;
}

extern "C" {
int cuStreamCreate(StreamHandle *stream, unsigned) {
  return callOn(__func__, [&](Device &device) {
    auto queue = std::make_shared<Queue>(device);
    queue->start();
    return *stream = streams().add(queue), Success;
  });
}
int cuStreamDestroy_v2(StreamHandle stream) {
  return callOn(__func__, [&](Device &) {
    auto queue = streams().remove(stream);
    if (!queue) return int(InvalidHandle);
    return queue->close(), int(Success);
  });
}
int cuStreamSynchronize(StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    auto queue = queueOf(stream, device);
    if (!queue) return int(InvalidHandle);
    if (queue->capturing) return int(CaptureUnsupported);
    queue->finish();
    releaseBeyondThresholds(device);
    return device.fault.load();
  });
}
int cuStreamQuery(StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    auto queue = queueOf(stream, device);
    if (!queue) return int(InvalidHandle);
    return queue->isDone() ? device.fault.load() : int(NotReady);
  });
}
int cuStreamWaitEvent(StreamHandle stream, EventHandle event, unsigned) {
  return callOn(__func__, [&](Device &device) {
    auto queue = queueOf(stream, device);
    auto found = events().find(event);
    if (!queue || !found) return int(InvalidHandle);
    if (queue->capturing) return int(CaptureUnsupported);
    std::lock_guard lock(found->mutex);
    return queue->put([found, time = found->recorded] { found->wait(time); }, true), int(Success);
  });
}

int cuEventCreate(EventHandle *event, unsigned) {
  return callOn(__func__, [&](Device &device) { return *event = events().add(std::make_shared<Event>(device)), Success; });
}
int cuEventDestroy_v2(EventHandle event) {
  return callOn(__func__, [&](Device &) { return events().remove(event) ? int(Success) : int(InvalidHandle); });
}
int cuEventRecord(EventHandle event, StreamHandle stream) {
  return callOn(__func__, [&](Device &device) {
    auto queue = queueOf(stream, device);
    auto found = events().find(event);
    if (!queue || !found || &found->device != &device) return int(InvalidHandle);
    if (queue->capturing) return int(CaptureUnsupported);
    std::lock_guard outer(found->mutex);
    queue->put(
        [found, time = ++found->recorded] {
          std::lock_guard lock(found->mutex);
          found->reached = std::max(found->reached, time);
          found->at = std::chrono::steady_clock::now();
          found->changed.notify_all();
        },
        true);
    return int(Success);
  });
}
int cuEventQuery(EventHandle event) {
  return callOn(__func__, [&](Device &device) {
    auto found = events().find(event);
    if (!found) return int(InvalidHandle);
    std::lock_guard lock(found->mutex);
    return found->reached < found->recorded ? int(NotReady) : device.fault.load();
  });
}
int cuEventSynchronize(EventHandle event) {
  return callOn(__func__, [&](Device &device) {
    auto found = events().find(event);
    if (!found) return int(InvalidHandle);
    uint64_t time;
    {
      std::lock_guard lock(found->mutex);
      time = found->recorded;
    }
    return found->wait(time), device.fault.load();
  });
}
int cuEventElapsedTime(float *milliseconds, EventHandle start, EventHandle end) {
  return callOn(__func__, [&](Device &) {
    auto first = events().find(start), last = events().find(end);
    if (!first || !last || first == last) return int(InvalidHandle);
    std::scoped_lock lock(first->mutex, last->mutex);
    if (!first->recorded || !last->recorded) return int(InvalidHandle);
    if (first->reached < first->recorded || last->reached < last->recorded) return int(NotReady);
    return *milliseconds = std::chrono::duration<float, std::milli>(last->at - first->at).count(), int(Success);
  });
}
} // extern "C"

} // namespace stub
