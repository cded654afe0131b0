// Bodies run in child processes, so that one that crashes or hangs is told and the others go on.
#include "tools/fuzz/Fuzz.h"

#include <atomic>
#include <cstring>
#include <ctime>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kiln::fuzz {
namespace {

constexpr int kSeconds = 60;      // that one seed may take
constexpr int64_t kChunk = 20000; // seeds of one child

/// What a child says of itself.
struct Progress {
  std::atomic<uint64_t> seed;
  std::atomic<int64_t> done, wrong;
};

struct Child {
  pid_t pid = 0;
  uint64_t next = 0, end = 0; // the seeds that it has still to do when it starts
  Progress *progress;
  uint64_t seen = 0; // the seed that it was at, and since when
  time_t since = 0;
};

[[noreturn]] void work(Child &child, const char *what, const std::function<std::string(uint64_t)> &body) {
  for (uint64_t seed = child.next; seed < child.end; ++seed) {
    child.progress->seed = seed;
    std::string problem = body(seed);
    if (!problem.empty()) {
      ++child.progress->wrong;
      std::printf("kiln-fuzz %s, seed %llu: %s\n", what, static_cast<unsigned long long>(seed), problem.c_str());
      std::fflush(stdout);
    }
    ++child.progress->done;
  }
  std::exit(0);
}

} // namespace

void *sharedMemory(size_t bytes) { return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); }

int64_t *drawn() {
  static auto *counts = static_cast<int64_t *>(sharedMemory((size_t(Op::Count) + 1) * sizeof(int64_t)));
  return counts;
}

int64_t &opened() { return drawn()[size_t(Op::Count)]; }

int64_t runAll(const char *what, uint64_t first, int64_t count, int jobs, const std::function<std::string(uint64_t)> &body) {
  drawn();
  std::vector<Child> children(static_cast<size_t>(jobs));
  auto *progress = static_cast<Progress *>(sharedMemory(sizeof(Progress) * children.size()));
  int64_t crashed = 0, reported = 0;
  uint64_t next = first, end = first + uint64_t(count);
  time_t start = time(nullptr), told = start;
  for (size_t i = 0; i < children.size(); ++i) children[i].progress = &progress[i];
  for (;;) {
    size_t working = 0;
    int64_t done = 0;
    for (Child &child : children) {
      int status = 0;
      if (child.pid && waitpid(child.pid, &status, WNOHANG) == child.pid) {
        child.pid = 0;
        if (status) { // at the seed that it was at
          ++crashed;
          std::printf("kiln-fuzz %s, seed %llu: the process %s %d\n", what, static_cast<unsigned long long>(child.progress->seed),
                      WIFSIGNALED(status) ? "was ended by signal" : "ended with",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
          child.next = child.progress->seed + 1;
        } else {
          child.next = child.end;
        }
      }
      if (child.pid == 0 && child.next == child.end && next < end) {
        child.next = next;
        next = child.end = std::min(end, next + uint64_t(kChunk));
      }
      if (child.pid == 0 && child.next < child.end) {
        std::fflush(stdout);
        child.progress->seed = child.next;
        child.pid = fork();
        if (child.pid == 0) work(child, what, body);
        child.since = time(nullptr), child.seen = child.next;
      }
      if (child.pid) ++working;
      if (uint64_t now = child.progress->seed; now != child.seen) child.seen = now, child.since = time(nullptr);
      else if (child.pid && time(nullptr) - child.since > kSeconds) kill(child.pid, SIGKILL);
      done += child.progress->done;
    }
    if (time(nullptr) - told >= 20 || (!working && done)) {
      told = time(nullptr);
      std::printf("kiln-fuzz %s: %lld of %lld after %lld s\n", what, static_cast<long long>(done + crashed), static_cast<long long>(count),
                  static_cast<long long>(told - start));
      std::fflush(stdout);
    }
    if (!working) break;
    usleep(2000);
  }
  for (Child &child : children) reported += child.progress->wrong;
  return crashed + reported;
}

} // namespace kiln::fuzz
