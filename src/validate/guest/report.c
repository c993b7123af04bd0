/* What a script reports: counters since its start, the regions of the calling process, failed calls. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "runner.h"

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void lock_output(void) {
  while (__sync_lock_test_and_set(&ARENA->lock, 1)) sched_yield();
}

static void unlock_output(void) {
  __sync_lock_release(&ARENA->lock);
}

/* Appends to the output; what does not fit any more is left out, which the reader sees as a broken line. */
void emit(const char *format, ...) {
  struct arena *a = ARENA;
  va_list arguments;
  va_start(arguments, format);
  size_t room = OUTPUT_BYTES - a->length;
  int length = vsnprintf(a->output + a->length, room, format, arguments);
  va_end(arguments);
  if (length > 0) a->length += (size_t)length < room ? (size_t)length : room - 1;
}

void emit_errno(int error, const char *op, int line) {
  lock_output();
  emit("{\"errno\":%d,\"op\":\"%s\",\"line\":%d}\n", error, op, line);
  unlock_output();
}

/* Lines of a /proc file, through the arena's buffer: no memory of our own is touched that was not before. */
struct lines {
  int fd;
  size_t from, to;
};

static char *next_line(struct lines *l) {
  char *text = ARENA->text;
  for (;;) {
    char *end = memchr(text + l->from, '\n', l->to - l->from);
    if (end != NULL) {
      char *line = text + l->from;
      *end = '\0';
      l->from = (size_t)(end + 1 - text);
      return line;
    }
    memmove(text, text + l->from, l->to - l->from);
    l->to -= l->from;
    l->from = 0;
    ssize_t length = read(l->fd, text + l->to, sizeof ARENA->text - l->to);
    if (length <= 0) return NULL;
    l->to += (size_t)length;
  }
}

static struct lines open_lines(const char *path) {
  struct lines l = { open(path, O_RDONLY | O_CLOEXEC), 0, 0 };
  return l;
}

/* Folds the counts that each CPU keeps for itself into the global ones, so that gauges are exact. */
static void refresh_counters(void) {
  int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "1", 1) < 0) { /* Without it gauges are a little stale: the tolerance table says how far. */ }
  close(fd);
}

/* The value of a line `name value`, and the name cut off. */
static int64_t cut_value(char *line) {
  char *space = strchr(line, ' ');
  if (space == NULL) return 0;
  *space = '\0';
  return strtoll(space + 1, NULL, 10);
}

__thread int64_t script_faults, published_faults;

int64_t faults_so_far(void) {
  struct rusage usage;
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_minflt + usage.ru_majflt : 0;
}

/* Two rounds: the first may itself fault. */
void publish_own_faults(void) {
  for (int round = 0; round < 2; round++) {
    int64_t own = faults_so_far() - script_faults;
    __sync_fetch_and_add(&ARENA->own_faults, own - published_faults);
    published_faults = own;
  }
}

void read_base(void) {
  refresh_counters();
  struct lines l = open_lines("/proc/vmstat");
  publish_own_faults();
  ARENA->own_faults = 0;
  ARENA->counters = 0;
  for (char *line; (line = next_line(&l)) != NULL && ARENA->counters < COUNTERS_MAX; )
    ARENA->base[ARENA->counters++] = cut_value(line);
  close(l.fd);
}

/*
 * The counters that changed. In pgfault the faults that this program took on its own pages, which are known one by
 * one, give way to those that the language counts: 1 with the first report, 27 for a fork (28 if the child reads), and
 * 3 behind a report that follows a fork. So the figure does not depend on how this program was compiled.
 */
static void emit_counters(void) {
  refresh_counters();
  struct lines l = open_lines("/proc/vmstat");
  publish_own_faults();
  int64_t own = ARENA->own_faults;
  ARENA->counted_faults += ARENA->reported ? 0 : 1;
  const char *comma = "";
  int index = 0;
  for (char *line; (line = next_line(&l)) != NULL && index < ARENA->counters; index++) {
    int64_t change = cut_value(line) - ARENA->base[index];
    if (strcmp(line, "pgfault") == 0) change += ARENA->counted_faults - own;
    if (change == 0) continue;
    emit("%s\"%s\":%" PRId64, comma, line, change);
    comma = ",";
  }
  close(l.fd);
  emit("},\"own_faults\":%" PRId64 ",", own);
  ARENA->counted_faults += ARENA->forked ? 3 : 0;
  ARENA->reported = 1;
  ARENA->forked = 0;
}

static int overlaps(int region, uint64_t start, uint64_t end) {
  const struct region *r = &regions[region];
  return start < r->base + r->size && r->base < end;
}

static void add_figure(struct area area, const char *key, uint64_t kb) {
  for (int i = 0; i < region_count; i++) {
    struct figures *f = &ARENA->figures[i];
    if (!overlaps(i, area.start, area.end)) continue;
    if (strcmp(key, "Rss:") == 0) f->rss_kb += kb;
    else if (strcmp(key, "Anonymous:") == 0) f->anon_kb += kb;
    else if (strcmp(key, "AnonHugePages:") == 0) f->anon_huge_kb += kb;
    else if (strcmp(key, "Swap:") == 0) f->swap_kb += kb;
  }
}

/* The line `START-END …` that begins an area; false for any other. */
static int begins_area(const char *line, struct area *area) {
  char *rest;
  area->start = strtoull(line, &rest, 16);
  if (rest == line || *rest != '-') return 0;
  area->end = strtoull(rest + 1, NULL, 16);
  return 1;
}

static void read_smaps(void) {
  struct arena *a = ARENA;
  struct lines l = open_lines("/proc/self/smaps");
  struct area area = { 0, 0 }, next;
  a->area_count = 0;
  for (char *line; (line = next_line(&l)) != NULL; ) {
    if (begins_area(line, &next)) {
      area = next;
      if (a->area_count < AREAS_MAX) a->areas[a->area_count++] = area;
      for (int i = 0; i < region_count; i++) a->figures[i].areas += overlaps(i, area.start, area.end);
      continue;
    }
    char *space = strchr(line, ' ');
    if (space == NULL) continue;
    *space = '\0';
    add_figure(area, line, strtoull(space + 1, NULL, 10));
  }
  close(l.fd);
}

/* Adds the `N0=… N1=…` of one line of numa_maps. */
static void add_nodes(struct area area, const char *text) {
  for (int node = 0; node < ARENA->nodes; node++) {
    char key[16];
    snprintf(key, sizeof key, " N%d=", node);
    const char *at = strstr(text, key);
    if (at == NULL) continue;
    for (int i = 0; i < region_count; i++)
      if (overlaps(i, area.start, area.end)) ARENA->figures[i].node_pages[node] += strtoull(at + strlen(key), NULL, 10);
  }
}

/* numa_maps names an area by its start alone; where it ends is known from smaps, which goes in the same order. */
static void read_nodes(void) {
  struct arena *a = ARENA;
  struct lines l = open_lines("/proc/self/numa_maps");
  int at = 0;
  if (l.fd < 0) return;
  for (char *line; (line = next_line(&l)) != NULL; ) {
    uint64_t start = strtoull(line, NULL, 16);
    while (at < a->area_count && a->areas[at].start < start) at++;
    if (at < a->area_count && a->areas[at].start == start) add_nodes(a->areas[at], line);
  }
  close(l.fd);
}

static void emit_regions(void) {
  const char *comma = "";
  for (int i = 0; i < region_count; i++) {
    const struct figures *f = &ARENA->figures[i];
    if (f->areas == 0) continue;
    emit("%s\"%s\":{\"rss_kb\":%" PRIu64 ",\"anon_huge_kb\":%" PRIu64 ",\"anon_kb\":%" PRIu64 ",\"swap_kb\":%" PRIu64,
         comma, regions[i].name, f->rss_kb, f->anon_huge_kb, f->anon_kb, f->swap_kb);
    emit(",\"node_pages\":[");
    for (int node = 0; node < ARENA->nodes; node++)
      emit("%s%" PRIu64, node == 0 ? "" : ",", f->node_pages[node]);
    emit("]}");
    comma = ",";
  }
}

void snapshot(const char *label) {
  lock_output();
  emit("{\"snapshot\":\"%s\",\"vmstat\":{", label);
  emit_counters();
  memset(ARENA->figures, 0, sizeof ARENA->figures);
  read_smaps();
  read_nodes();
  emit("\"maps\":{");
  emit_regions();
  emit("}}\n");
  unlock_output();
}
