/* Runs the statements of the arena: each is one system call, or touches of memory, and a refusal is reported. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "runner.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct region regions[REGIONS_MAX];
int region_count;

/* Children and threads by name. A forked child starts with none of its own. */
struct child {
  char name[NAME_BYTES];
  pid_t pid;
  pthread_t thread;
  int is_thread;
};
static struct child children[TASKS_MAX];
static int child_count;

/* Threads run on stacks of ours: those that the C library would map are large enough to get huge pages. */
enum { STACK_BYTES = 32 << 10 };
static char stacks[THREADS_MAX][STACK_BYTES] __attribute__((aligned(4096)));
static int stack_count;

static __thread sigjmp_buf touch_failed;

static void run_body(int from, int to);

static struct region *find_region(const char *name) {
  for (int i = 0; i < region_count; i++)
    if (strcmp(regions[i].name, name) == 0) return &regions[i];
  return NULL;
}

static struct region *new_region(const char *name) {
  struct region *r = find_region(name);
  if (r == NULL && region_count < REGIONS_MAX) r = &regions[region_count++];
  if (r != NULL) strcpy(r->name, name);
  return r;
}

static uint64_t whole_pages(uint64_t bytes) {
  return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* `align`: addresses of our own choice, far from what the kernel chooses, at least 1 GiB apart. */
static uint64_t aligned_address(uint64_t size, uint64_t align) {
  static uint64_t free_from = 0x100000000000ull;
  uint64_t at = (free_from + align - 1) / align * align;
  free_from = at + size + (1ull << 30);
  return at;
}

static int do_map(const struct statement *s) {
  int flags = MAP_ANONYMOUS | (s->shared ? MAP_SHARED : MAP_PRIVATE) | (s->populate ? MAP_POPULATE : 0);
  uint64_t size = whole_pages(s->size), at = s->has_at ? s->at : 0;
  if (!s->has_at && s->align != 0) at = aligned_address(size, s->align < PAGE_BYTES ? PAGE_BYTES : s->align);
  if (at != 0 || s->has_at) flags |= MAP_FIXED_NOREPLACE;
  int64_t before = faults_so_far();
  void *address = mmap((void *)at, size, s->prot, flags, -1, 0);
  if (address == MAP_FAILED) return errno;
  if (s->populate) script_faults += faults_so_far() - before;
  struct region *r = new_region(s->name);
  if (r == NULL) return ENOMEM;
  r->base = (uint64_t)address;
  r->size = size;
  return 0;
}

static int do_remap(struct region *r, const struct statement *s) {
  int flags = MREMAP_MAYMOVE | (s->has_at ? MREMAP_FIXED : 0);
  void *address = mremap((void *)r->base, r->size, whole_pages(s->size), flags, (void *)s->at);
  if (address == MAP_FAILED) return errno;
  r->base = (uint64_t)address;
  r->size = whole_pages(s->size);
  return 0;
}

/* Pipes that hold pinned pages, by the region's name. A child closes those that it inherits: its parent pinned. */
static struct pin {
  char name[NAME_BYTES];
  int ends[2];
} pins[PIPES_MAX];
static int pin_count;

/* Closes the pipes of a region, or all of them. */
static void unpin(const char *name) {
  for (int i = pin_count; i-- > 0; ) {
    if (name != NULL && strcmp(pins[i].name, name) != 0) continue;
    close(pins[i].ends[0]);
    close(pins[i].ends[1]);
    pins[i] = pins[--pin_count];
  }
}

/* Makes a range present for writing, page by page in order; answers with the bytes before the first page that cannot be. */
static uint64_t populate(char *from, uint64_t bytes) {
  uint64_t done = 0;
  while (done < bytes && madvise(from + done, PAGE_BYTES, MADV_POPULATE_WRITE) == 0) done += PAGE_BYTES;
  return done;
}

/*
 * A reference by get_user_pages that lasts until it is let go: the pages are spliced into pipes that nobody reads. For
 * writing they are made present for that before, as a driver that writes to them would have it. What lies before a page
 * that cannot be had is pinned.
 */
static int do_pin(const struct statement *s, char *from, uint64_t bytes) {
  volatile int64_t before = faults_so_far();
  uint64_t left = (s->prot & PROT_WRITE) != 0 ? populate(from, bytes) : bytes;
  int error = left < bytes ? EFAULT : 0;
  while (left > 0) {
    struct pin *pin = &pins[pin_count];
    if (pin_count == PIPES_MAX || pipe2(pin->ends, O_CLOEXEC | O_NONBLOCK) != 0) return EMFILE;
    strcpy(pin->name, s->name);
    pin_count++;
    fcntl(pin->ends[1], F_SETPIPE_SZ, 1 << 20);
    struct iovec vector = { from, left < 1 << 20 ? left : 1 << 20 };
    ssize_t taken = vmsplice(pin->ends[1], &vector, 1, SPLICE_F_NONBLOCK);
    if (taken <= 0) {
      error = EFAULT;
      break;
    }
    from += taken;
    left -= (uint64_t)taken;
  }
  script_faults += faults_so_far() - before;
  return error;
}

/* Has debugfs split the huge pages of a range of this process. */
static int do_split(uint64_t from, uint64_t bytes) {
  char text[96];
  int fd = open("/sys/kernel/debug/split_huge_pages", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int length = snprintf(text, sizeof text, "%d,0x%llx,0x%llx", getpid(), (unsigned long long)from,
                        (unsigned long long)(from + bytes));
  int error = write(fd, text, (size_t)length) < 0 ? errno : 0;
  close(fd);
  return error;
}

/* The exception for advised areas is a flag of its own, which older kernels refuse. */
static int do_thp_disable(int mode) {
  return prctl(PR_SET_THP_DISABLE, mode & 1, mode & 2, 0, 0) == 0 ? 0 : errno;
}

static void on_fault(int signal) {
  (void)signal;
  siglongjmp(touch_failed, 1);
}

static void touch(volatile char *at, int write) {
  if (write) *at = 1;
  else (void)*at;
}

static __attribute__((noinline)) void touch_all(const struct statement *s, char *base, uint64_t from, uint64_t to) {
  int write = s->op == OP_WRITE;
  if (!s->is_random) {
    for (uint64_t at = from; at < to; at += s->step) touch(base + at, write);
    return;
  }
  uint64_t pages = (to - from) / PAGE_BYTES, x = s->seed * 0x9E3779B97F4A7C15ull + 1;
  for (uint64_t i = 0; pages > 0 && i < s->count; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    touch(base + from + x % pages * PAGE_BYTES, write);
  }
}

static int do_touch(const struct statement *s, char *base, uint64_t from, uint64_t to) {
  volatile int64_t before = faults_so_far();
  volatile int failed = sigsetjmp(touch_failed, 1) != 0;
  if (!failed) touch_all(s, base, from, to);
  script_faults += faults_so_far() - before;
  return failed ? EFAULT : 0;
}

/* Takes the path of a touch once, on a page of the stack, so that its code faults before a script's touches are timed. */
static void warm_up(void) {
  volatile char room[3 * PAGE_BYTES];
  const struct statement s = { .op = OP_WRITE, .step = PAGE_BYTES };
  do_touch(&s, (char *)room, 0, sizeof room);
  script_faults = published_faults = 0;
}

static int do_cpu(uint64_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

static void do_sleep(uint64_t ns) {
  /* While this task sleeps, another may report. */
  publish_own_faults();
  struct timespec left = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

static struct child *new_child(const char *name) {
  for (int i = 0; i < child_count; i++)
    if (strcmp(children[i].name, name) == 0) return &children[i];
  if (child_count == TASKS_MAX) return NULL;
  strcpy(children[child_count].name, name);
  return &children[child_count++];
}

static int child_reads(const struct statement *s, int body) {
  for (int i = body; i < s->end; i = ARENA->statements[i].end > i ? ARENA->statements[i].end : i + 1)
    if (ARENA->statements[i].op == OP_READ) return 1;
  return 0;
}

static int do_fork(const struct statement *s, int body) {
  struct child *c = new_child(s->name);
  if (c == NULL) return EAGAIN;
  ARENA->forked = 1;
  ARENA->counted_faults += 27 + child_reads(s, body);
  pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) {
    child_count = 0;
    unpin(NULL);
    warm_up();
    run_body(body, s->end);
    publish_own_faults();
    _exit(0);
  }
  c->pid = pid;
  c->is_thread = 0;
  return 0;
}

static void *thread_main(void *start) {
  const struct statement *s = start;
  warm_up();
  run_body((int)(s - ARENA->statements) + 1, s->end);
  publish_own_faults();
  return NULL;
}

static int do_thread(struct statement *s) {
  struct child *c = new_child(s->name);
  if (c == NULL || stack_count == THREADS_MAX) return EAGAIN;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stacks[stack_count++], STACK_BYTES);
  int error = pthread_create(&c->thread, &attributes, thread_main, s);
  c->is_thread = 1;
  return error;
}

static int do_join(const char *name) {
  /* While this task waits, another may report. */
  publish_own_faults();
  for (int i = 0; i < child_count; i++) {
    struct child *c = &children[i];
    if (strcmp(c->name, name) != 0) continue;
    if (c->is_thread) pthread_join(c->thread, NULL);
    else
      while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) continue;
    children[i] = children[--child_count];
    return 0;
  }
  return ESRCH;
}

static void run_block(const struct statement *s, int body) {
  if (s->op == OP_REPEAT) {
    for (uint64_t i = 0; i < s->count; i++) run_body(body, s->end);
    return;
  }
  for (uint64_t start = now_ns(); now_ns() - start < s->ns; ) run_body(body, s->end);
}

/* A statement about a region: its range, then the call. */
static int run_on_region(const struct statement *s) {
  struct region *r = find_region(s->name);
  if (r == NULL) return s->op == OP_UNMAP || s->op == OP_SPLIT ? EINVAL : s->op == OP_PROTECT || s->op == OP_ADVISE ? ENOMEM : EFAULT;
  if (s->op == OP_REMAP) return do_remap(r, s);
  uint64_t to = s->to == TO_END ? r->size : s->to;
  char *from = (char *)r->base + s->from;
  if (s->op == OP_READ || s->op == OP_WRITE) return do_touch(s, (char *)r->base, s->from, to);
  /* Calls take whole pages; a range that ends before it begins is the kernel's to refuse. */
  from -= (uint64_t)from % PAGE_BYTES;
  uint64_t bytes = whole_pages(r->base + to - (uint64_t)from);
  if (s->op == OP_PIN) return do_pin(s, from, bytes);
  if (s->op == OP_SPLIT) return do_split((uint64_t)from, bytes);
  int failed = s->op == OP_UNMAP ? munmap(from, bytes)
    : s->op == OP_PROTECT ? mprotect(from, bytes, s->prot)
    : madvise(from, bytes, s->advice);
  return failed == 0 ? 0 : errno;
}

static const char *const OP_NAMES[] = {
  "cpu", "map", "unmap", "remap", "protect", "advise", "read", "write", "pin",
  "sleep", "repeat", "during", "fork", "thread", "join", "snapshot", "unpin", "split", "thp_disable",
};

static int run_statement(int index) {
  struct statement *s = &ARENA->statements[index];
  switch (s->op) {
    case OP_CPU: return do_cpu(s->count);
    case OP_MAP: return do_map(s);
    case OP_SLEEP: do_sleep(s->ns); return 0;
    case OP_REPEAT: case OP_DURING: run_block(s, index + 1); return 0;
    case OP_FORK: return do_fork(s, index + 1);
    case OP_THREAD: return do_thread(s);
    case OP_JOIN: return do_join(s->name);
    case OP_SNAPSHOT: snapshot(s->name); return 0;
    case OP_UNPIN: unpin(s->name); return 0;
    case OP_THP_DISABLE: return do_thp_disable(s->advice);
    default: return run_on_region(s);
  }
}

static void run_body(int from, int to) {
  for (int i = from; i < to; ) {
    const struct statement *s = &ARENA->statements[i];
    int error = run_statement(i);
    if (error != 0) emit_errno(error, OP_NAMES[s->op], s->line);
    i = s->end > i ? s->end : i + 1;
  }
}

void run_script(void) {
  struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  int64_t own = published_faults;
  warm_up();
  published_faults = own;
  run_body(0, ARENA->count);
}
