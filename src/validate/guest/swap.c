/* Swap of the virtual machine: a disk of its own, which needs drivers that a distribution's kernel has as modules. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "runner.h"

static const char *const DISK = "/dev/vda";
enum { MODULE_ROUNDS = 8, WAITS_MAX = 100 };

static int load_module(const char *name) {
  char path[512];
  snprintf(path, sizeof path, "/modules/%s", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST ? 0 : errno;
  close(fd);
  return error;
}

static int is_module(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

/* Which module needs which is not known here: those that fail are tried again when others are in. */
static void load_modules(void) {
  struct dirent **entries;
  int count = scandir("/modules", &entries, is_module, alphasort), failed = count;
  for (int round = 0; round < MODULE_ROUNDS && failed > 0; round++) {
    failed = 0;
    for (int i = 0; i < count; i++) failed += load_module(entries[i]->d_name) != 0;
  }
}

/* Drivers find their devices a moment after they are loaded. */
static uint64_t disk_bytes(void) {
  struct timespec pause = { 0, 20000000 };
  for (int i = 0; i < WAITS_MAX; i++) {
    int fd = open(DISK, O_RDWR | O_CLOEXEC);
    off_t bytes = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (fd >= 0) close(fd);
    if (bytes > 0) return (uint64_t)bytes;
    nanosleep(&pause, NULL);
  }
  return 0;
}

/* The head of a swap device: version 1, its last page, and a magic word at the end of its first page. */
static int write_head(uint64_t bytes) {
  static char head[PAGE_BYTES];
  uint32_t version = 1, last_page = (uint32_t)(bytes / PAGE_BYTES - 1);
  memcpy(head + 1024, &version, sizeof version);
  memcpy(head + 1028, &last_page, sizeof last_page);
  memcpy(head + PAGE_BYTES - 10, "SWAPSPACE2", 10);
  int fd = open(DISK, O_RDWR | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = pwrite(fd, head, sizeof head, 0) == (ssize_t)sizeof head && fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return error;
}

/* Only a solid-state disk has clusters that a huge page fits as a whole; the model's is one. */
static void call_it_solid_state(void) {
  int fd = open("/sys/block/vda/queue/rotational", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "0", 1) < 0) { /* Then huge pages are split before they are swapped out. */ }
  close(fd);
}

const char *start_swap(void) {
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  load_modules();
  uint64_t bytes = disk_bytes();
  if (bytes == 0) return "no disk for swap: this kernel has no driver for virtio disks, nor came one with it";
  call_it_solid_state();
  if (write_head(bytes) != 0) return "no swap: its disk cannot be written";
  return swapon(DISK, 0) == 0 ? NULL : strerror(errno);
}
