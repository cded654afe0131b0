/* A pool of threads of a library's own, which the loops of one call at a time are shared out to; those of another call meanwhile run in its
   own thread. Threads wait by futex(2). Android's libc has no memory of a thread in every version, WebAssembly has one thread. */
#include "codegen/library/support/hosted.h"

#if defined(__wasm__) || defined(__ANDROID__)
int kiln_has_threads(void) { return 0; }
Pool *kiln_pool_open(int64_t threads) { return (void)threads, (Pool *)0; }
void kiln_pool_close(Pool *p) { (void)p; }
Pool *kiln_pool_use(Pool *p) { return p; }
void kiln_share(kiln_task task, void *context, void *scratch, int64_t scratch_bytes, int64_t count, int64_t grain) {
  (void)scratch_bytes, (void)grain;
  task(context, scratch, 0, count);
}
#else

void *aligned_alloc(size_t alignment, size_t bytes);
void free(void *);
int pthread_create(unsigned long *thread, const void *attributes, void *(*run)(void *), void *argument);
int pthread_join(unsigned long thread, void **result);
int pthread_sigmask(int how, const void *set, void *old);
long syscall(long number, ...);
int getpid(void);

#ifdef __x86_64__
enum { kFutex = 202, kThread = 186, kProcessor = 309, kSetAffinity = 203, kGetAffinity = 204 };
static void pause_a_little(void) { __builtin_ia32_pause(); }
#else
enum { kFutex = 98, kThread = 178, kProcessor = 168, kSetAffinity = 122, kGetAffinity = 123 };
static void pause_a_little(void) {}
#endif
enum { kWait = 128, kWake = 129, kSetMask = 2, kSpins = 2000, kPartsOfThread = 4, kLine = 64, kFew = 8, kMostProcessors = 1024 };

/* A loop, cut into parts. */
typedef struct Job {
  kiln_task task;
  void *context;
  int64_t count, parts, scratch_bytes;
} Job;

struct Pool {
  int64_t threads; /* of its own */
  int process;     /* that has them: the child of a fork has none */
  Job job;
  _Atomic(int64_t) next;                          /* the part that nobody has begun */
  _Atomic(int) number, left, is_busy, is_closing; /* of jobs so far; threads that are not done with the last one */
  _Atomic(int) begun, ids[kFew];                  /* threads that run, and the first of them as the system names them */
  unsigned apart_from;                            /* the processor of the caller that they are kept off */
  unsigned long thread[];
};

/* Of the call that this thread runs. In memory that is found at run time: what is fixed at the start of a process has room for some sixty
   libraries. */
static _Thread_local Pool *used;

static void wait_while(_Atomic(int) *number, int is) {
  for (int spins = 0; *number == is; ++spins) {
    if (spins < kSpins) pause_a_little();
    else syscall(kFutex, number, kWait, is, (void *)0, (void *)0, 0);
  }
}

static void wake_all(_Atomic(int) *number) { syscall(kFutex, number, kWake, __INT_MAX__, (void *)0, (void *)0, 0); }

/* Threads wake beside the caller, as those of lib/Library/Threads.cpp: of few, a virtual machine may put them on the caller's processor. */
static void keep_apart(Pool *p) {
  enum { kBits = 8 * sizeof(unsigned long) };
  unsigned here;
  unsigned long others[kMostProcessors / kBits] = {0}, any = 0;
  if (p->threads > kFew || syscall(kProcessor, &here, (void *)0, (void *)0) || here == p->apart_from || here >= kMostProcessors) return;
  if (syscall(kGetAffinity, 0, sizeof others, others) < 0) return;
  p->apart_from = here;
  others[here / kBits] &= ~(1ul << here % kBits);
  for (int i = 0; i < kMostProcessors / kBits; ++i) any |= others[i];
  for (int i = 0; i < p->threads && any; ++i)
    if (p->ids[i]) syscall(kSetAffinity, p->ids[i], sizeof others, others);
    else p->apart_from = kMostProcessors; /* has not begun: the next time */
}

static void run_parts(Pool *p, void *scratch) {
  const Job job = p->job;
  for (;;) {
    int64_t part = p->next++;
    if (part >= job.parts) return;
    /* Without a product that overflows: the first `longer` parts have one iteration more. */
    int64_t each = job.count / job.parts, longer = job.count % job.parts, from = part * each + (part < longer ? part : longer);
    job.task(job.context, scratch, from, from + each + (part < longer));
  }
}

static void *work(void *pool) {
  Pool *p = pool;
  void *scratch = 0;
  int64_t room = 0;
  int place = p->begun++;
  if (place < kFew) p->ids[place] = (int)syscall(kThread);
  for (int seen = 0;;) {
    wait_while(&p->number, seen);
    seen = p->number;
    if (p->is_closing) break;
    if (p->job.scratch_bytes > room) {
      free(scratch);
      room = (p->job.scratch_bytes + kLine - 1) & -(int64_t)kLine;
      if (!(scratch = aligned_alloc(kLine, (size_t)room))) room = 0;
    }
    if (p->job.scratch_bytes <= room) run_parts(p, scratch); /* else others do it */
    if (--p->left == 0) wake_all(&p->left);
  }
  free(scratch);
  return 0;
}

void kiln_share(kiln_task task, void *context, void *scratch, int64_t scratch_bytes, int64_t count, int64_t grain) {
  Pool *p = used;
  int64_t parts = grain > 1 ? count / grain : count;
  if (!p || parts < 2 || p->process != getpid() || __c11_atomic_exchange(&p->is_busy, 1, __ATOMIC_SEQ_CST)) {
    task(context, scratch, 0, count);
    return;
  }
  int64_t most = kPartsOfThread * (p->threads + 1);
  p->job = (Job){task, context, count, parts < most ? parts : most, scratch_bytes};
  p->next = 0;
  p->left = (int)p->threads;
  ++p->number;
  keep_apart(p);
  wake_all(&p->number);
  run_parts(p, scratch);
  for (int left; (left = p->left);) wait_while(&p->left, left);
  p->is_busy = 0;
}

int kiln_has_threads(void) { return 1; }

/* Signals are for threads of the program's. */
static int64_t start(Pool *p) {
  unsigned char all[128], before[128];
  int64_t started = 0;
  __builtin_memset(all, 0xff, sizeof all);
  pthread_sigmask(kSetMask, all, before);
  while (started < p->threads && !pthread_create(&p->thread[started], 0, work, p)) ++started;
  pthread_sigmask(kSetMask, before, 0);
  return started;
}

Pool *kiln_pool_open(int64_t threads) {
  size_t bytes = (sizeof(Pool) + (size_t)threads * sizeof(unsigned long) + kLine - 1) & -(size_t)kLine;
  Pool *p = aligned_alloc(kLine, bytes);
  if (!p) return 0;
  __builtin_memset(p, 0, bytes);
  p->threads = threads - 1;
  p->process = getpid();
  p->apart_from = kMostProcessors;
  int64_t started = start(p);
  if (started == p->threads) return p;
  p->threads = started;
  return kiln_pool_close(p), (Pool *)0;
}

void kiln_pool_close(Pool *p) {
  if (!p) return;
  if (p->process == getpid()) {
    p->is_closing = 1;
    ++p->number;
    wake_all(&p->number);
    for (int64_t i = 0; i < p->threads; ++i) pthread_join(p->thread[i], 0);
  }
  free(p);
}

Pool *kiln_pool_use(Pool *p) {
  Pool *before = used;
  used = p;
  return before;
}
#endif
