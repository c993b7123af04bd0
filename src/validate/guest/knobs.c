/* Kernel knobs by their real names: written before a script, put back behind it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "runner.h"

/* The file behind a knob: sysfs for memory management's own, debugfs for the scheduler's, else a sysctl. */
static void knob_path(const char *knob, char *path, size_t bytes) {
  if (strncmp(knob, "transparent_hugepage/", 21) == 0) snprintf(path, bytes, "/sys/kernel/mm/%s", knob);
  else if (strncmp(knob, "sched/", 6) == 0) snprintf(path, bytes, "/sys/kernel/debug/%s", knob);
  else {
    int head = snprintf(path, bytes, "/proc/sys/");
    snprintf(path + head, bytes - head, "%s", knob);
    for (char *c = path + head; *c != '\0'; c++)
      if (*c == '.') *c = '/';
  }
}

/* Reads a knob's value; of a list of choices the one in brackets. */
static void read_knob(const char *path, char *value, size_t bytes) {
  char text[128];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  value[0] = '\0';
  if (length <= 0) return;
  text[length] = '\0';
  text[strcspn(text, "\n")] = '\0';
  char *from = strchr(text, '['), *to = from == NULL ? NULL : strchr(from, ']');
  if (to != NULL) *to = '\0';
  snprintf(value, bytes, "%s", to == NULL ? text : from + 1);
}

static int write_knob(const char *path, const char *value) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = write(fd, value, strlen(value)) < 0 ? errno : 0;
  close(fd);
  return error;
}

void apply_settings(void) {
  char path[256];
  for (int i = 0; i < ARENA->settings_count; i++) {
    struct setting *s = &ARENA->settings[i];
    knob_path(s->knob, path, sizeof path);
    read_knob(path, s->before, sizeof s->before);
    int error = write_knob(path, s->value);
    if (error != 0) emit_errno(error, "set", s->line);
  }
}

void restore_settings(void) {
  char path[256];
  for (int i = ARENA->settings_count; i-- > 0; ) {
    struct setting *s = &ARENA->settings[i];
    knob_path(s->knob, path, sizeof path);
    if (s->before[0] != '\0') write_knob(path, s->before);
  }
}

/*
 * An address space that khugepaged always knows: ours. With it on the daemon's list, the daemon sleeps its full pause
 * when a script's first region comes, instead of being woken by it in the midst of the first statement. An address
 * space stays on the list when its only region goes, so that nothing of ours costs the daemon its budget.
 */
static void keep_khugepaged_company(void) {
  char *at = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return;
  madvise(at, 4 << 20, MADV_HUGEPAGE);
  /* An area without a page of its own is not put on the list. The middle lies in a whole huge page, wherever `at` is. */
  *((volatile char *)at + (2 << 20)) = 1;
  munmap(at, 4 << 20);
}

/*
 * The daemon takes its pause from the knob when it goes to sleep, and in the first five minutes after boot writing
 * the knob does not wake it (its "sleep until" of zero lies in the future of a clock that starts below zero): without
 * this, a pause of an earlier script would end in the midst of a later one.
 */
void restart_khugepaged(void) {
  const char *path = "/sys/kernel/mm/transparent_hugepage/enabled";
  char mode[128];
  read_knob(path, mode, sizeof mode);
  if (mode[0] == '\0' || strcmp(mode, "never") == 0) return;
  write_knob(path, "never");
  write_knob(path, mode);
  keep_khugepaged_company();
}
