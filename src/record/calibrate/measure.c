/*
 * Measures what memory management costs on this machine: one line for each figure and repetition.
 *
 *     NAME NANOSECONDS            a figure, once for each repetition
 *     chase PAGES NANOSECONDS     one load of a pointer chase over so many pages, one line of each
 *     dense LINES NANOSECONDS     the same over so many lines that lie side by side: what caches cost, without TLBs
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

/* What another thread on another CPU counts while it runs; it ends when `stopping` is set. */
static volatile long counted;
static volatile int stopping;
static void *count(void *unused)
{
   (void)unused;
   while (!stopping) counted++;
   return NULL;
}

static double wall(void)
{
   struct timespec t;
   clock_gettime(CLOCK_MONOTONIC, &t);
   return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
   double x = *(const double *)a, y = *(const double *)b;
   return x < y ? -1 : x > y;
}

/*
 * mprotect of one page to and fro, in many short rounds; the median of those in which nobody took a CPU away, neither
 * from this thread nor from the other. Negative: there were too few.
 */
#define ROUNDS 4000 /* at most */
#define ENOUGH 200  /* undisturbed ones */
#define FEWEST 25
#define STEPS 10
static double protect_median(char *at, double counts_per_ns)
{
   double taken[ENOUGH];
   int used = 0;
   for (int round = 0; round < ROUNDS && used < ENOUGH; round++) {
      long counts = counted;
      double on_wall = wall(), start = now(), used_ns;
      for (int i = 0; i < STEPS; i++) {
         *(volatile char *)at = 1;
         mprotect(at, PAGE, PROT_READ);
         mprotect(at, PAGE, PROT_READ | PROT_WRITE);
      }
      used_ns = now() - start;
      on_wall = wall() - on_wall;
      if (on_wall > used_ns * 1.3 + 1000) continue;
      if (counted - counts < on_wall * counts_per_ns / 3) continue;
      taken[used++] = used_ns / STEPS;
   }
   if (used < FEWEST) return -1;
   qsort(taken, used, sizeof *taken, by_size);
   return taken[used / 2];
}

/* How fast the other thread counts when it has its CPU: the best of some milliseconds. */
static double counting_speed(void)
{
   double best = 0;
   for (int i = 0; i < 10; i++) {
      long counts = counted;
      double start = wall(), speed;
      while (wall() - start < 1e6) {}
      speed = (counted - counts) / (wall() - start);
      if (speed > best) best = speed;
   }
   return best;
}

/* With a thread on another CPU each narrowing of rights interrupts it: what that adds. */
static void shootdown(void)
{
   char *at = area(HUGE, MADV_NOHUGEPAGE);
   cpu_set_t all, one;
   pthread_t thread;
   int first = -1, second = -1;
   double alone, both;
   sched_getaffinity(0, sizeof all, &all);
   for (int i = 0; i < CPU_SETSIZE && second < 0; i++) {
      if (!CPU_ISSET(i, &all)) continue;
      if (first < 0) first = i;
      else second = i;
   }
   if (second < 0) {
      skip("shootdown", "one CPU");
      munmap(at, HUGE);
      return;
   }
   CPU_ZERO(&one);
   CPU_SET(first, &one);
   sched_setaffinity(0, sizeof one, &one);
   alone = protect_median(at, 0);
   stopping = 0;
   pthread_create(&thread, NULL, count, NULL);
   CPU_ZERO(&one);
   CPU_SET(second, &one);
   pthread_setaffinity_np(thread, sizeof one, &one);
   both = protect_median(at, counting_speed());
   stopping = 1;
   pthread_join(thread, NULL);
   sched_setaffinity(0, sizeof all, &all);
   if (alone > 0 && both > 0) tell("shootdown_ns", both - alone);
   else skip("shootdown", "other programs had the CPUs all the time");
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

static uint64_t seed = 88172645463325252ull;
static uint64_t next_random(void)
{
   seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17;
   return seed;
}

/* A ring through all places in shuffled order; nanoseconds of a load. */
static double ring_time(void ***places, size_t count)
{
   const size_t loads = 300000;
   void **p;
   double start, time;
   for (size_t i = count - 1; i > 0; i--) {
      size_t j = next_random() % (i + 1);
      void **kept = places[i];
      places[i] = places[j];
      places[j] = kept;
   }
   for (size_t i = 0; i < count; i++) *places[i] = places[(i + 1) % count];
   p = places[0];
   for (size_t i = 0; i < count * 2; i++) p = *p;
   start = now();
   for (size_t i = 0; i < loads; i++) p = *p;
   time = (now() - start) / loads;
   __asm__ volatile("" : : "r"(p));
   return time;
}

/*
 * One line in each page, and as many lines side by side. Of four pages in a row one is taken, whichever: processors
 * that keep four neighbours in one entry of a TLB have nothing to join.
 */
static void chase(size_t pages)
{
   size_t bytes = (pages * 4 * PAGE + HUGE - 1) / HUGE * HUGE;
   size_t dense_bytes = (pages * 64 + HUGE - 1) / HUGE * HUGE;
   char *at = area(bytes, MADV_NOHUGEPAGE), *side = area(dense_bytes, MADV_HUGEPAGE);
   void ***places = malloc(pages * sizeof *places);
   for (size_t i = 0; i < pages; i++)
      places[i] = (void **)(at + (i * 4 + next_random() % 4) * PAGE + i % 64 * 64);
   double sparse = ring_time(places, pages);
   for (size_t i = 0; i < pages; i++) places[i] = (void **)(side + i * 64);
   double dense = ring_time(places, pages);
   if (telling) printf("chase %zu %.4f\ndense %zu %.4f\n", pages, sparse, pages, dense);
   munmap(at, bytes);
   munmap(side, dense_bytes);
   free(places);
}

int main(int argc, char **argv)
{
   static const size_t eighths[] = {8, 9, 10, 12, 14};
   int repetitions = argc > 1 ? atoi(argv[1]) : 9;
   for (int i = 0; i <= repetitions; i++) {
      telling = i > 0;
      cpu();
      small_pages();
      huge_pages();
      shootdown();
      for (size_t octave = 2; octave < 1024; octave *= 2)
         for (size_t k = 0; k < sizeof eighths / sizeof *eighths; k++) chase(octave * eighths[k]);
      chase(8192);
      fflush(stdout);
   }
   return 0;
}
