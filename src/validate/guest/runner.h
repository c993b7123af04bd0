/*
 * The runner: one program that is init of the virtual machine and, started anew for each script, the
 * task that does to its memory what the script says.
 *
 *     init (PID 1)                                   task (fresh process, empty address space)
 *     mount proc, sys, debugfs
 *     for each script: parse, set knobs ── exec ──▶  touch own memory, read counters (the base)
 *         wait, kill what is left       ◀── exit ──  run the statements, write JSON into the arena
 *         put knobs back, print the JSON
 *
 * Everything that the task needs besides its stack lies in the arena: shared memory at a low fixed address, so
 * that the places where mmap looks for room are as empty as in a program that has nothing, fork does not copy
 * it, and nothing is printed while a script runs.
 */
#ifndef RUNNER_H
#define RUNNER_H

#include <stddef.h>
#include <stdint.h>

enum { NAME_BYTES = 64, STATEMENTS_MAX = 4096, SETTINGS_MAX = 64, COUNTERS_MAX = 512, OUTPUT_BYTES = 1 << 20 };
enum { REGIONS_MAX = 64, TASKS_MAX = 256, THREADS_MAX = 16, PIPES_MAX = 256, PAGE_BYTES = 4096 };

enum op {
  OP_CPU, OP_MAP, OP_UNMAP, OP_REMAP, OP_PROTECT, OP_ADVISE, OP_READ, OP_WRITE, OP_PIN,
  OP_SLEEP, OP_REPEAT, OP_DURING, OP_FORK, OP_THREAD, OP_JOIN, OP_SNAPSHOT,
  OP_UNPIN, OP_SPLIT, OP_THP_DISABLE,
};

/* TO of a range that goes to the region's end. */
#define TO_END UINT64_MAX

struct statement {
  enum op op;
  int line;
  /* For blocks: index of the first statement behind the body. */
  int end;
  int prot, advice;
  int shared, populate, has_at, is_random;
  char name[NAME_BYTES];
  uint64_t size, at, align, from, to, step, seed, count, ns;
};

struct setting {
  int line;
  char knob[128], value[128], before[128];
};

enum { NODES_MAX = 16, AREAS_MAX = 4096 };

/* Figures of a region, filled while /proc/self/smaps and numa_maps go by. */
struct figures {
  int areas;
  uint64_t rss_kb, anon_huge_kb, anon_kb, swap_kb;
  uint64_t node_pages[NODES_MAX];
};

/* One area of /proc/self/smaps. */
struct area {
  uint64_t start, end;
};

struct arena {
  int count;
  struct statement statements[STATEMENTS_MAX];
  int settings_count;
  struct setting settings[SETTINGS_MAX];
  /* Nodes whose pages a snapshot lists. */
  int nodes;
  /* Counters at the script's start, in the order of /proc/vmstat. */
  int counters;
  int64_t base[COUNTERS_MAX];
  uint64_t start_ns;
  /* Faults that the tasks took on their own code, data and stack, and those that the language counts instead. */
  volatile int64_t own_faults;
  int64_t counted_faults;
  int reported, forked;
  /* Held while a task reports, so that lines of two tasks do not mix. */
  volatile int lock;
  volatile size_t length;
  char output[OUTPUT_BYTES];
  /* Room for /proc text while it is read. */
  char text[1 << 16];
  struct figures figures[REGIONS_MAX];
  int area_count;
  struct area areas[AREAS_MAX];
  char error[256];
};

#define ARENA ((struct arena *)0x10000000ul)
enum { ARENA_FD = 9 };

/* A region of the calling process, as the script's statements left it. */
struct region {
  char name[NAME_BYTES];
  uint64_t base, size;
};
extern struct region regions[REGIONS_MAX];
extern int region_count;

/* script.c: parses into the arena; on a mistake fills arena->error and returns -1. */
int parse_script(char *text);

/* knobs.c: writes the settings, remembering what was there; puts it back. */
void apply_settings(void);
void restore_settings(void);
/* Stops and starts khugepaged, so that it begins the script with the script's pauses. */
void restart_khugepaged(void);

/* report.c */
void emit(const char *format, ...) __attribute__((format(printf, 1, 2)));
void emit_errno(int error, const char *op, int line);
void read_base(void);
void snapshot(const char *label);
/* Adds the faults that this task took on its own pages since the last call. */
void publish_own_faults(void);
/* Faults of this thread so far, and how many of them the script's touches took. */
int64_t faults_so_far(void);
extern __thread int64_t script_faults, published_faults;
uint64_t now_ns(void);

/* swap.c: loads the drivers of the disk that is there for swap, and swaps to it; what went wrong, or NULL. */
const char *start_swap(void);

/* execute.c: runs the script of the arena as the calling process. */
void run_script(void);

#endif
