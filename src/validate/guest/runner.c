/* Init of the virtual machine, and the process that one script runs in. See runner.h for the picture. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "runner.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Words of the kernel's command line come to init as its environment. */
static const char *option(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value == NULL ? otherwise : value;
}

static void map_arena(void) {
  void *at = mmap(ARENA, sizeof *ARENA, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, ARENA_FD, 0);
  if (at == ARENA) return;
  fprintf(stderr, "runner: the arena cannot be mapped: %s\n", strerror(errno));
  _exit(1);
}

static void make_arena(void) {
  int fd = memfd_create("arena", 0);
  if (fd < 0 || ftruncate(fd, sizeof *ARENA) != 0 || dup2(fd, ARENA_FD) < 0) {
    fprintf(stderr, "runner: no shared memory: %s\n", strerror(errno));
    _exit(1);
  }
  if (fd != ARENA_FD) close(fd);
  map_arena();
}

/* Of a machine with several nodes, init and the arena take the first one's memory, where the model has the kernel. */
static void stay_on_first_node(void) {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  sched_setaffinity(0, sizeof first, &first);
  madvise(ARENA, sizeof *ARENA, MADV_POPULATE_WRITE);
}

/* Touches a good part of the stack, so that the script's own calls find it present. */
static __attribute__((noinline)) void touch_stack(void) {
  volatile char room[48 << 10];
  for (size_t i = 0; i < sizeof room; i += PAGE_BYTES) room[i] = 0;
}

/* The task: a fresh program that runs the script of the arena and leaves. */
static int task_main(void) {
  map_arena();
  madvise(ARENA, sizeof *ARENA, MADV_POPULATE_WRITE);
  touch_stack();
  mlockall(MCL_CURRENT);
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  sched_setaffinity(0, sizeof first, &first);
  /* A first round touches whatever a snapshot touches; then the counting begins. */
  read_base();
  snapshot("warm-up");
  ARENA->length = 0;
  ARENA->reported = ARENA->forked = 0;
  ARENA->counted_faults = 0;
  read_base();
  ARENA->start_ns = now_ns();
  run_script();
  emit("{\"elapsed_s\":%.3f}\n", (double)(now_ns() - ARENA->start_ns) / 1e9);
  _exit(0);
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "r");
  struct stat about;
  if (file == NULL || fstat(fileno(file), &about) != 0) return NULL;
  char *text = calloc(1, (size_t)about.st_size + 1);
  size_t length = fread(text, 1, (size_t)about.st_size, file);
  text[length] = '\0';
  fclose(file);
  return text;
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) { /* Not every kernel has every file. */ }
  close(fd);
}

/*
 * Waits for the task; at the limit it and all that it started are killed. Returns the status, or -1 for late. Between
 * the two nothing of init runs: its faults would be counted in the script's.
 */
static int wait_for(pid_t pid, uint64_t limit_s) {
  uint64_t start = now_ns();
  int status = 0, late = 0;
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  while (waitpid(pid, &status, WNOHANG) == 0) {
    struct timespec left = { (time_t)limit_s, 0 };
    sigtimedwait(&child, NULL, &left);
    if (now_ns() - start < limit_s * 1000000000u || late) continue;
    late = 1;
    kill(-pid, SIGKILL);
  }
  kill(-pid, SIGKILL);
  while (waitpid(-1, NULL, 0) > 0) continue;
  return late ? -1 : status;
}

/* Leaves the kernel as the next script should find it. */
static void settle(void) {
  struct timespec pause = { 0, 20000000 };
  if (strcmp(option("drop", "1"), "1") == 0) write_file("/proc/sys/vm/drop_caches", "3");
  nanosleep(&pause, NULL);
}

static pid_t start_task(const char *self) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setpgid(0, 0);
  personality(ADDR_NO_RANDOMIZE);
  execl(self, self, "--task", NULL);
  _exit(127);
}

/* Waits until the serial line has said all: else its interrupts would fall into the next script, or a reboot cut it. */
static void flush_console(void) {
  fflush(stdout);
  tcdrain(STDOUT_FILENO);
}

static void run_one(const char *self, const char *path, const char *name) {
  const char *mark = option("mark", "@@");
  struct arena *a = ARENA;
  char *text = read_file(path);
  printf("%s begin %s\n", mark, name);
  fflush(stdout);
  a->length = 0;
  a->lock = 0;
  snprintf(a->error, sizeof a->error, "no such script");
  if (text == NULL || parse_script(text) != 0) {
    printf("{\"error\":\"%s\"}\n%s end %s unreadable\n", a->error, mark, name);
    free(text);
    return;
  }
  apply_settings();
  restart_khugepaged();
  settle();
  size_t head = a->length;
  char *refused = strndup(a->output, head);
  pid_t pid = start_task(self);
  setpgid(pid, pid);
  int status = wait_for(pid, strtoull(option("limit", "120"), NULL, 10));
  restore_settings();
  fwrite(refused, 1, head, stdout);
  fwrite(a->output, 1, a->length, stdout);
  printf("%s end %s %s %d\n", mark, name, status == -1 ? "late" : "status", status);
  flush_console();
  free(refused);
  free(text);
}

static void print_machine(void) {
  const char *mark = option("mark", "@@");
  struct utsname names;
  uname(&names);
  char *thp = read_file("/sys/kernel/mm/transparent_hugepage/enabled");
  char *memory = read_file("/proc/meminfo");
  char *nodes = read_file("/sys/devices/system/node/online");
  char *cpus = read_file("/sys/devices/system/cpu/online");
  if (thp != NULL) thp[strcspn(thp, "\n")] = '\0';
  if (memory != NULL) memory[strcspn(memory, "\n")] = '\0';
  if (nodes != NULL) nodes[strcspn(nodes, "\n")] = '\0';
  if (cpus != NULL) cpus[strcspn(cpus, "\n")] = '\0';
  printf("%s kernel {\"release\":\"%s\",\"version\":\"%s\",\"thp\":\"%s\",\"memory\":\"%s\",", mark, names.release,
         names.version, thp == NULL ? "none" : thp, memory == NULL ? "" : memory);
  printf("\"nodes\":\"%s\",\"cpus\":\"%s\"}\n", nodes == NULL ? "none" : nodes, cpus == NULL ? "" : cpus);
  fflush(stdout);
  free(thp);
  free(memory);
  free(nodes);
  free(cpus);
}

static int is_script(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

static void boot(void) {
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
}

/* The disk for swap, if the machine is to have one: without it none of its scripts means anything. */
static int boot_swap(void) {
  if (strcmp(option("swap", "0"), "1") != 0) return 0;
  const char *wrong = start_swap();
  if (wrong == NULL) return 0;
  printf("%s refused %s\n", option("mark", "@@"), wrong);
  return -1;
}

/* A script is never left with the knobs of a machine that people use: who interrupts waits until it has ended. */
static void block_signals(void) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGHUP);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static int asked_to_stop(void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--task") == 0) return task_main();
  int init = getpid() == 1;
  if (init) boot();
  block_signals();
  make_arena();
  if (init) stay_on_first_node();
  ARENA->nodes = atoi(option("nodes", "1"));
  print_machine();
  if (!init)
    for (int i = 1; i < argc && !asked_to_stop(); i++) run_one("/proc/self/exe", argv[i], argv[i]);
  struct dirent **entries;
  int count = init && boot_swap() == 0 ? scandir("/scripts", &entries, is_script, alphasort) : 0;
  for (int i = 0; i < count; i++) {
    char path[512];
    snprintf(path, sizeof path, "/scripts/%s", entries[i]->d_name);
    run_one("/init", path, entries[i]->d_name);
  }
  printf("%s over\n", option("mark", "@@"));
  flush_console();
  if (!init) return 0;
  reboot(RB_AUTOBOOT);
  return 0;
}
