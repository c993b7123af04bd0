/*
 * Measures what memory management costs on this machine: one line for each figure and repetition.
 *
 *     NAME NANOSECONDS            a figure, once for each repetition
 *     chase PAGES NANOSECONDS     one load of a pointer chase over so many pages
 *     skip NAME WHY               a figure that cannot be measured here
 *
 * Each figure is the CPU time of many equal steps divided by their number: what other programs take of the CPU does
 * not count. The first repetition of everything is thrown
 * away: pages come from the allocator's lists from then on, not from the machine's depths.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define SMALL_PAGES 16384UL /* 64 MiB */
#define HUGE_PAGES 32UL     /* 64 MiB */

static double now(void)
{
   struct timespec t;
   clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
   return t.tv_sec * 1e9 + t.tv_nsec;
}

static int telling; /* not in the first repetition */
static void tell(const char *name, double ns) { if (telling) printf("%s %.3f\n", name, ns); }
static void skip(const char *name, const char *why) { if (telling) printf("skip %s %s\n", name, why); }

/* 2 MiB-aligned memory, with or without huge pages. */
static char *area(size_t bytes, int advice)
{
   char *at = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
   char *aligned = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
   if (at == MAP_FAILED) { perror("mmap"); exit(1); }
   if (aligned > at) munmap(at, aligned - at);
   munmap(aligned + bytes, at + HUGE - aligned);
   madvise(aligned, bytes, advice);
   return aligned;
}

static void write_pages(char *at, size_t pages, size_t step)
{
   for (size_t i = 0; i < pages; i++) *(volatile char *)(at + i * step) = 1;
}

static void read_pages(char *at, size_t pages, size_t step)
{
   for (size_t i = 0; i < pages; i++) (void)*(volatile char *)(at + i * step);
}

/* How long a fork takes, and what the child reports of itself (one double through a pipe). */
static double fork_time(double (*work)(char *, size_t), char *at, size_t count, double *told)
{
   int pipes[2];
   double start, end;
   pid_t child;
   if (pipe(pipes) != 0) exit(1);
   start = now();
   child = fork();
   if (child == 0) {
      double result = work ? work(at, count) : 0;
      _exit(write(pipes[1], &result, sizeof result) == sizeof result ? 0 : 1);
   }
   end = now();
   if (read(pipes[0], told, sizeof *told) != sizeof *told) *told = 0;
   waitpid(child, NULL, 0);
   close(pipes[0]);
   close(pipes[1]);
   return end - start;
}

static double copy_on_write(char *at, size_t pages)
{
   double start = now();
   write_pages(at, pages, PAGE);
   return (now() - start) / pages;
}

static void small_pages(void)
{
   char *at = area(SMALL_PAGES * PAGE, MADV_NOHUGEPAGE);
   double start, told, bare;
   bare = fork_time(NULL, NULL, 0, &told);
   tell("fork_ns", bare);
   start = now();
   read_pages(at, SMALL_PAGES, PAGE);
   tell("read_fault_ns", (now() - start) / SMALL_PAGES);
   madvise(at, SMALL_PAGES * PAGE, MADV_DONTNEED);
   start = now();
   write_pages(at, SMALL_PAGES, PAGE);
   tell("write_fault_ns", (now() - start) / SMALL_PAGES);
   tell("fork_page_ns", (fork_time(copy_on_write, at, SMALL_PAGES, &told) - bare) / SMALL_PAGES);
   tell("cow_fault_ns", told);
   start = now();
   mprotect(at, SMALL_PAGES * PAGE, PROT_READ);
   tell("mprotect_page_ns", (now() - start) / SMALL_PAGES);
   mprotect(at, SMALL_PAGES * PAGE, PROT_READ | PROT_WRITE);
   write_pages(at, SMALL_PAGES, PAGE);
   start = now();
   madvise(at, SMALL_PAGES * PAGE, MADV_DONTNEED);
   tell("dontneed_page_ns", (now() - start) / SMALL_PAGES);
   write_pages(at, SMALL_PAGES, PAGE);
   start = now();
   munmap(at, SMALL_PAGES * PAGE);
   tell("munmap_page_ns", (now() - start) / SMALL_PAGES);
}

/* AnonHugePages of this process, in kB. */
static long huge_kb(void)
{
   char line[256];
   long kb = 0;
   FILE *f = fopen("/proc/self/smaps_rollup", "r");
   while (f && fgets(line, sizeof line, f)) sscanf(line, "AnonHugePages: %ld", &kb);
   if (f) fclose(f);
   return kb;
}

static void huge_pages(void)
{
   char *at = area(HUGE_PAGES * HUGE, MADV_HUGEPAGE);
   double start = now(), time, told, bare, one;
   write_pages(at, HUGE_PAGES, HUGE);
   time = (now() - start) / HUGE_PAGES;
   if (huge_kb() < (long)(HUGE_PAGES * HUGE / 1024)) {
      skip("huge pages", "the kernel gave none (THP never, or memory too scattered)");
      munmap(at, HUGE_PAGES * HUGE);
      return;
   }
   tell("huge_fault_ns", time);
   one = fork_time(NULL, NULL, 0, &told);
   madvise(at, HUGE_PAGES * HUGE, MADV_DONTFORK);
   bare = fork_time(NULL, NULL, 0, &told);
   madvise(at, HUGE_PAGES * HUGE, MADV_DOFORK);
   tell("fork_huge_ns", (one - bare) / HUGE_PAGES);
   start = now();
   memcpy(at, at + HUGE_PAGES / 2 * HUGE, HUGE_PAGES / 2 * HUGE);
   tell("copy_bytes_per_ns", HUGE_PAGES / 2 * HUGE / (now() - start));
   start = now();
   for (size_t i = 0; i < HUGE_PAGES / 2; i++) mprotect(at + i * HUGE, PAGE, PROT_READ);
   one = (now() - start) / (HUGE_PAGES / 2);
   tell("split_mprotect_ns", one);
   start = now();
   for (size_t i = 0; i < HUGE_PAGES / 2; i++) mprotect(at + i * HUGE + 8 * PAGE, PAGE, PROT_READ);
   tell("plain_mprotect_ns", (now() - start) / (HUGE_PAGES / 2));
   munmap(at, HUGE_PAGES / 2 * HUGE);
   start = now();
   munmap(at + HUGE_PAGES / 2 * HUGE, HUGE_PAGES / 2 * HUGE);
   tell("munmap_huge_ns", (now() - start) / (HUGE_PAGES / 2));
}

static volatile int spinning;
static void *spin(void *flag)
{
   (void)flag;
   spinning = 1;
   while (spinning == 1) {}
   return NULL;
}

/* mprotect of one page to and fro; with a thread on another CPU each narrowing interrupts it. */
static double protect_loop(char *at)
{
   const int rounds = 2000;
   double start = now();
   for (int i = 0; i < rounds; i++) {
      *(volatile char *)at = 1;
      mprotect(at, PAGE, PROT_READ);
      mprotect(at, PAGE, PROT_READ | PROT_WRITE);
   }
   return (now() - start) / rounds;
}

static void shootdown(void)
{
   char *at = area(HUGE, MADV_NOHUGEPAGE);
   pthread_t thread;
   double alone = protect_loop(at), both;
   if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
      skip("shootdown", "one CPU");
      return;
   }
   spinning = 0;
   pthread_create(&thread, NULL, spin, NULL);
   while (spinning == 0) {}
   both = protect_loop(at);
   spinning = 2;
   pthread_join(thread, NULL);
   tell("shootdown_ns", both - alone);
   munmap(at, HUGE);
}

static void cpu(void)
{
   static char small[PAGE] __attribute__((aligned(4096)));
   const int rounds = 20000;
   double start = now();
   for (int i = 0; i < rounds; i++) getppid();
   tell("syscall_ns", (now() - start) / rounds);
   start = now();
   for (int i = 0; i < rounds; i++) {
      memset(small, i, PAGE);
      __asm__ volatile("" : : "r"(small) : "memory");
   }
   tell("zero_bytes_per_ns", PAGE * (double)rounds / (now() - start));
   /* A chain of additions, one cycle each on every processor of today. */
   uint64_t x = 1;
   start = now();
   for (int i = 0; i < 2000000; i++) {
      __asm__ volatile("add %0, %0\nadd %0, %0\nadd %0, %0\nadd %0, %0\nadd %0, %0" : "+r"(x));
      __asm__ volatile("add %0, %0\nadd %0, %0\nadd %0, %0\nadd %0, %0\nadd %0, %0" : "+r"(x));
   }
   tell("clock_ghz", 20000000 / (now() - start));
}

/* One load for each page of a ring in shuffled order, in another cache line of each page. */
static void chase(size_t pages)
{
   char *at = area(((pages * PAGE + HUGE - 1) / HUGE) * HUGE, MADV_NOHUGEPAGE);
   size_t *order = malloc(pages * sizeof *order), i;
   const size_t loads = 400000;
   uint64_t seed = 88172645463325252ull;
   void **p;
   double start;
   for (i = 0; i < pages; i++) order[i] = i;
   for (i = pages - 1; i > 0; i--) {
      seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17;
      size_t j = seed % (i + 1), kept = order[i];
      order[i] = order[j];
      order[j] = kept;
   }
   for (i = 0; i < pages; i++) {
      size_t from = order[i], to = order[(i + 1) % pages];
      *(void **)(at + from * PAGE + from % 64 * 64) = at + to * PAGE + to % 64 * 64;
   }
   p = (void **)(at + order[0] * PAGE + order[0] % 64 * 64);
   for (i = 0; i < pages * 2; i++) p = *p;
   start = now();
   for (i = 0; i < loads; i++) p = *p;
   if (telling) printf("chase %zu %.4f\n", pages, (now() - start) / loads);
   __asm__ volatile("" : : "r"(p));
   munmap(at, ((pages * PAGE + HUGE - 1) / HUGE) * HUGE);
   free(order);
}

int main(int argc, char **argv)
{
   int repetitions = argc > 1 ? atoi(argv[1]) : 9;
   for (int i = 0; i <= repetitions; i++) {
      telling = i > 0;
      cpu();
      small_pages();
      huge_pages();
      shootdown();
      for (size_t pages = 16; pages <= 8192; pages *= 2) chase(pages);
      fflush(stdout);
   }
   return 0;
}
