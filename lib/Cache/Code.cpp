#include "lib/Cache/Code.h"

#include "lib/Core/Fork.h"
#include "lib/Core/Thread.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <pthread.h>

namespace kiln {
namespace {

/// Under Lock::CompileQueue. Never destroyed; the child of a fork, which lacks the thread, gets a new one.
struct Queue {
  std::deque<std::shared_ptr<Code>> waiting;
  std::vector<std::shared_ptr<Code>> underway; // being compiled, by the thread or by callers that wait
  std::thread thread;
  std::condition_variable added, done;
  bool stops = false;
};
Queue *queue = nullptr;
std::mutex &queueMutex() { return lockOf(Lock::CompileQueue); }

/// Programs that wait are as they were before.
template <typename Codes> void forget(const Codes &codes) {
  for (const std::shared_ptr<Code> &code : codes)
    if (code->state == Code::Waiting) code->state = Code::Recorded;
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

/// Compiles a program that is among those underway, and publishes what came of it.
void compile(const std::shared_ptr<Code> &code) {
  CompileResult result;
  ErrorKind kind = ErrorKind::Compile;
  std::string error;
  try {
    result = getExecutable(code->trace.serialize());
  } catch (const Error &e) { kind = e.kind, error = e.what(); } catch (const std::exception &e) {
    error = e.what();
  }
  std::lock_guard lock(queueMutex());
  code->result = std::move(result);
  code->kind = kind;
  code->error = std::move(error);
  code->state = code->error.empty() ? Code::Ready : Code::Failed;
  std::erase(theQueue().underway, code);
  theQueue().done.notify_all();
}

/// For a process that ends without Python's own exit: to run before what LLVM destroys, which it registers while it is opened and used
/// first. What the program at hand makes it register is only prevented where LLVM is inside the compiler library (cmake/static_llvm.cpp).
/// No static variable says that it was done: the child of a fork would wait for one that is being set.
void stopAtExit() {
  try {
    openCompiler();
    std::atexit(stopCompileThread);
  } catch (const Error &) {} // whoever compiles will say so
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
    stopAtExit();
    compile(code);
  }
}

} // namespace

bool findCode(Code &code) {
  auto found = findExecutable(code.trace.serialize());
  if (!found) return false;
  code.result = std::move(*found);
  code.state = Code::Ready;
  return true;
}

void compileLater(const std::shared_ptr<Code> &code) {
  std::lock_guard lock(queueMutex());
  Queue &q = theQueue();
  if (code->state != Code::Recorded || q.stops) return;
  if (!q.thread.joinable()) {
    hostTarget(); // known before there is another thread: see stopAtExit
    q.thread = startThread([&q] { work(q); });
  }
  if (!q.thread.joinable()) return; // the program stays with the eager kernels until there is a thread
  code->state = Code::Waiting;
  q.waiting.push_back(code);
  q.added.notify_one();
}

void compileNow(const std::shared_ptr<Code> &code) {
  {
    std::unique_lock lock(queueMutex());
    Queue &q = theQueue();
    waitUntil(q.done, lock, [&] { return std::ranges::find(q.underway, code) == q.underway.end(); });
    if (code->state == Code::Ready) return;
    std::erase(q.waiting, code);
    q.underway.push_back(code);
    code->state = Code::Waiting;
  }
  compile(code);
  if (code->state == Code::Failed) throw Error(code->kind, code->error);
}

void stopCompileThread() {
  std::thread thread;
  {
    std::lock_guard lock(queueMutex());
    Queue &q = theQueue();
    q.stops = true;
    forget(q.waiting);
    q.waiting.clear();
    thread = std::move(q.thread);
    q.added.notify_all();
  }
  if (thread.joinable()) thread.join();
}

} // namespace kiln
