#include "lib/Cache/Code.h"

#include "lib/Core/Fork.h"
#include "lib/Core/Host.h"
#include "lib/Core/Thread.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <pthread.h>
#include <unistd.h>

namespace kiln {
namespace {

constexpr auto kLongest = std::chrono::milliseconds(100); // to wait for a compilation that nobody wants any more

/// Under Lock::CompileQueue. Never destroyed; the child of a fork, which lacks the thread, gets a new one.
struct Queue {
  std::deque<std::shared_ptr<Code>> waiting;
  std::vector<std::shared_ptr<Code>> underway; // being compiled, by the thread or by callers that wait
  std::thread thread;
  std::condition_variable added, done;
  bool stops = false, isAbandoned = false;   // the second: nobody waits for the thread any more
  std::chrono::steady_clock::time_point end; // of the wait, once it stops
};
Queue *queue = nullptr;
std::mutex &queueMutex() { return lockOf(Lock::CompileQueue); }

/// Programs that wait are as they were before.
template <typename Codes> void forget(const Codes &codes) {
  for (const std::shared_ptr<Code> &code : codes)
    if (code->state == Code::Waiting) code->cancel = 0, code->state = Code::Recorded;
}

/// In the child of a fork, whose own thread takes up what is asked for again.
void startAnew() {
  forget(queue->waiting);
  forget(queue->underway);
  queue = new Queue; // the old one has a thread and waiters that do not exist here
}

Queue &theQueue() {
  static const int once = (queue = new Queue, pthread_atfork(nullptr, nullptr, startAnew));
  (void)once;
  return *queue;
}

/// The end of a thread that the process does not wait for: it touches nothing that is taken down.
[[noreturn]] void park() {
  for (;;) pause();
}

/// Where a thread may be inside the compiler, or have left it half-changed to this child of a fork, the process ends before anything of
/// LLVM is destroyed. That is the case where LLVM is a library of its own; what was to run at exit from before it was opened is lost then.
void endProcess(int status, void *) {
  stopCompileThread();
  bool isAtWork = compilerWasLost();
  {
    std::lock_guard lock(queueMutex());
    isAtWork |= !theQueue().underway.empty();
  }
  if (!isAtWork || compilerOutlivesExit()) return;
  std::fflush(nullptr);
  _exit(status);
}

/// For a process that ends without Python's own exit: to run before what LLVM destroys, which it registers while it is opened and used
/// first. What the program at hand makes it register is only prevented where LLVM is inside the compiler library (cmake/static_llvm.cpp).
/// No static variable says that it was done: the child of a fork would wait for one that is being set.
void stopAtExit() {
  try {
    openCompiler();
    on_exit(endProcess, nullptr);
  } catch (const Error &) {} // whoever compiles will say so
}

CodeUse useOf(const Code &code) { return {code.on, false, code.places, code.plan}; }

/// Compiles a program that is among those underway, and publishes what came of it.
void compile(std::shared_ptr<Code> code) {
  CompileResult result;
  ErrorKind kind = ErrorKind::Compile;
  std::string error;
  bool isDeclined = false;
  try {
    auto serialized = code->trace.serialize();
    if (auto found = findExecutable(serialized, useOf(*code))) {
      result = std::move(*found);
    } else {
      if (code->plan.empty()) stopAtExit();
      if (std::unique_lock lock(queueMutex()); theQueue().isAbandoned) lock.unlock(), park();
      result = getExecutable(serialized, &code->cancel, useOf(*code));
    }
  } catch (const Declined &e) { isDeclined = true, error = e.what(); } catch (const Error &e) {
    kind = e.kind, error = e.what();
  } catch (const std::exception &e) { error = e.what(); }
  std::unique_lock lock(queueMutex());
  if (theQueue().isAbandoned) lock.unlock(), park();
  code->result = std::move(result);
  code->kind = kind;
  code->error = std::move(error);
  code->isDeclined = isDeclined;
  bool wasCancelled = std::exchange(code->cancel, 0) && isDeclined;
  code->state = wasCancelled ? Code::Recorded : code->error.empty() ? Code::Ready : Code::Failed;
  std::erase(theQueue().underway, code);
  code.reset(); // whoever waits for it may drop it then
  theQueue().done.notify_all();
}

void work(Queue &mine) {
  for (;;) {
    std::shared_ptr<Code> code;
    {
      std::unique_lock lock(queueMutex());
      waitUntil(mine.added, lock, [&] { return mine.stops || !mine.waiting.empty(); });
      if (mine.stops) return;
      code = std::move(mine.waiting.front());
      mine.waiting.pop_front();
      mine.underway.push_back(code);
    }
    compile(std::move(code));
  }
}

} // namespace

bool findCode(Code &code) {
  auto found = findExecutable(code.trace.serialize(), useOf(code));
  if (!found) return false;
  std::lock_guard lock(queueMutex());
  if (code.state != Code::Recorded) return code.state == Code::Ready; // others have it compiled meanwhile, and publish it
  code.result = std::move(*found);
  code.state = Code::Ready;
  return true;
}

/// Starts the thread, if need be; false where there is none to be had.
static bool hasThread(Queue &q) {
  if (q.stops) return false;
  if (!q.thread.joinable()) {
    hostTarget(); // known before there is another thread: see stopAtExit
    q.thread = startThread([&q] { work(q); });
  }
  return q.thread.joinable();
}

void compileLater(const std::shared_ptr<Code> &code) {
  std::lock_guard lock(queueMutex());
  Queue &q = theQueue();
  if (code->state != Code::Recorded || !hasThread(q)) return; // the program stays with the eager kernels until there is a thread
  code->state = Code::Waiting;
  q.waiting.push_back(code);
  q.added.notify_one();
}

/// Until the thread has done with a program.
static void waitFor(const Code &code, std::unique_lock<std::mutex> &lock, const std::function<void()> &check) {
  constexpr auto kTurn = std::chrono::milliseconds(20);
  Queue &q = theQueue();
  while (code.state == Code::Waiting && !q.stops) {
    if (q.done.wait_for(lock, kTurn) != std::cv_status::timeout) continue;
    lock.unlock();
    check();
    lock.lock();
  }
}

/// Nobody waits for a program any more, but for the thread to leave it.
static void giveUp(const std::shared_ptr<Code> &code) {
  std::unique_lock lock(queueMutex());
  Queue &q = theQueue();
  if (std::erase(q.waiting, code)) code->state = Code::Recorded;
  __atomic_store_n(&code->cancel, code->state == Code::Waiting, __ATOMIC_RELAXED);
  q.done.wait_for(lock, kLongest, [&] { return code->state != Code::Waiting; });
}

/// Whether the thread was there to do it.
static bool compileByThread(const std::shared_ptr<Code> &code, const std::function<void()> &check) {
  std::unique_lock lock(queueMutex());
  Queue &q = theQueue();
  if (!check || !hasThread(q)) return false;
  bool isUnderway = std::ranges::find(q.underway, code) != q.underway.end();
  if (!isUnderway && code->state != Code::Ready) {
    std::erase(q.waiting, code);
    q.waiting.push_front(code);
    code->state = Code::Waiting;
    q.added.notify_one();
  }
  try {
    waitFor(*code, lock, check);
  } catch (...) {
    giveUp(code);
    throw;
  }
  return code->state != Code::Waiting;
}

/// Whether it is left to the caller, which has to tell when it is done.
static bool takeOver(const std::shared_ptr<Code> &code) {
  std::unique_lock lock(queueMutex());
  Queue &q = theQueue();
  waitUntil(q.done, lock, [&] { return std::ranges::find(q.underway, code) == q.underway.end(); });
  if (code->state == Code::Ready) return false;
  std::erase(q.waiting, code);
  q.underway.push_back(code);
  code->state = Code::Waiting;
  return true;
}

void compileNow(const std::shared_ptr<Code> &code, const std::function<void()> &check) {
  if (!compileByThread(code, check) && takeOver(code)) compile(code);
  if (code->state == Code::Recorded || (code->state == Code::Failed && code->isDeclined)) throw Declined(code->error);
  if (code->state == Code::Failed) throw Error(code->kind, code->error);
}

void stopCompileThread() {
  std::thread thread;
  {
    std::unique_lock lock(queueMutex());
    Queue &q = theQueue();
    auto now = [] { return std::chrono::steady_clock::now(); };
    if (!std::exchange(q.stops, true)) q.end = now() + kLongest;
    forget(q.waiting);
    q.waiting.clear();
    for (auto &code : q.underway) __atomic_store_n(&code->cancel, 1, __ATOMIC_RELAXED);
    q.added.notify_all();
    while (!q.underway.empty() && now() < q.end) q.done.wait_for(lock, q.end - now());
    if (q.underway.empty()) thread = std::move(q.thread);
    else if (q.isAbandoned = true; q.thread.joinable()) q.thread.detach();
  }
  if (thread.joinable()) thread.join();
}

} // namespace kiln
