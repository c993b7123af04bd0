/*
 * The reference loop in plain C, for bench/main.ts: the same streams (bench/streams.ts), the same TLB
 * (src/hardware/plain.ts) and a four-level page table, over page numbers in memory. Prints one line of
 * counters and the rate.
 *
 *     tlb seq|rand|zipf 4k|huge REFERENCES ROUNDS
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPAN_PAGES (1u << 18)
#define EMPTY UINT32_MAX

enum { L1_SETS = 16, L1_WAYS = 4, L1_HUGE_SETS = 8, L2_SETS = 128, L2_WAYS = 12 };
enum { PRESENT = 1, WRITE = 2, YOUNG = 4, DIRTY = 8, HUGE = 16 };

static uint32_t l1_small[L1_SETS * L1_WAYS], l1_huge[L1_HUGE_SETS * L1_WAYS], l2[L2_SETS * L2_WAYS];
static uint64_t l1_hits, l2_hits, walks, walk_references, faults;

/* Four levels of 512 entries: a pointer to the next level, or flags. */
typedef struct table { struct table *next[512]; uint8_t flags[512]; } table;
static table *root;

static table *new_table(void) { return calloc(1, sizeof(table)); }

static uint64_t state;
static uint64_t splitmix64(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static void make_zipf(uint32_t *pages, size_t count) {
  const double theta = 0.99;
  double zeta = 0;
  for (uint32_t i = 1; i <= SPAN_PAGES; i++) zeta += pow(i, -theta);
  const double alpha = 1 / (1 - theta);
  const double eta = (1 - pow(2.0 / SPAN_PAGES, 1 - theta)) / (1 - (1 + pow(2, -theta)) / zeta);
  for (size_t i = 0; i < count; i++) {
    double u = (double)(splitmix64() >> 11) * 0x1p-53, uz = u * zeta;
    double far = floor(SPAN_PAGES * pow(eta * u - eta + 1, alpha));
    uint32_t last = far < SPAN_PAGES - 1 ? (uint32_t)far : SPAN_PAGES - 1;
    uint32_t rank = uz < 1 ? 0 : uz < 1 + pow(0.5, theta) ? 1 : last;
    splitmix64();
    pages[i] = (rank * 2654435761u) & (SPAN_PAGES - 1);
  }
}

static void make_stream(const char *name, uint32_t *pages, size_t count) {
  state = 42;
  if (strcmp(name, "zipf") == 0) { make_zipf(pages, count); return; }
  int random = strcmp(name, "rand") == 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t line = random ? splitmix64() & 0xffffff : i;
    pages[i] = (uint32_t)(line >> 6) & (SPAN_PAGES - 1);
  }
}

/* True LRU by order: found or not, the tag is its set's newest afterwards. */
static inline int shift_in(uint32_t *set, int ways, uint32_t tag) {
  uint32_t newer = tag;
  for (int i = 0; i < ways; i++) {
    uint32_t here = set[i];
    set[i] = newer;
    if (here == tag) return 1;
    newer = here;
  }
  return 0;
}

/* Walks to the entry, which is made where it is missing: a fault. The range begins at 2^40: indexes 2, 0, … */
static void walk(uint32_t page, int huge) {
  table *pud = root->next[2];
  table *pmd = pud->next[page >> 18];
  uint32_t row = (page >> 9) & 511, index = page & 511;
  walks++;
  if (huge) {
    walk_references += 3;
    if (!(pmd->flags[row] & PRESENT)) { faults++; pmd->flags[row] = PRESENT | WRITE | HUGE; }
    pmd->flags[row] |= YOUNG | DIRTY;
    return;
  }
  walk_references += 4;
  table *pte = pmd->next[row];
  if (!pte) pte = pmd->next[row] = new_table();
  if (!(pte->flags[index] & PRESENT)) { faults++; pte->flags[index] = PRESENT | WRITE; }
  pte->flags[index] |= YOUNG | DIRTY;
}

static void run(const uint32_t *pages, size_t count, int huge) {
  for (size_t i = 0; i < count; i++) {
    uint32_t page = pages[i];
    uint32_t number = huge ? page >> 9 : page;
    uint32_t tag = number * 2 + (uint32_t)huge;
    uint32_t *first = l1_small + number % L1_SETS * L1_WAYS;
    if (huge) first = l1_huge + number % L1_HUGE_SETS * L1_WAYS;
    if (first[0] == tag || shift_in(first, L1_WAYS, tag)) { l1_hits++; continue; }
    if (shift_in(l2 + number % L2_SETS * L2_WAYS, L2_WAYS, tag)) { l2_hits++; continue; }
    walk(page, huge);
  }
}

static void forget(void) {
  memset(l1_small, 0xff, sizeof l1_small);
  memset(l1_huge, 0xff, sizeof l1_huge);
  memset(l2, 0xff, sizeof l2);
  l1_hits = l2_hits = walks = walk_references = 0;
}

/* CPU time: neighbours on a shared machine do not count. */
static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int huge = strcmp(argv[2], "huge") == 0;
  size_t count = strtoull(argv[3], NULL, 10);
  int rounds = atoi(argv[4]);
  uint32_t *pages = malloc(count * sizeof *pages);
  root = new_table();
  root->next[2] = new_table();
  root->next[2]->next[0] = new_table();
  make_stream(argv[1], pages, count);
  double best = 1e9;
  for (int round = 0; round <= rounds; round++) {
    forget();
    double start = seconds();
    run(pages, count, huge);
    double taken = seconds() - start;
    if (round > 0 && taken < best) best = taken; /* Round 0 faults every page in. */
  }
  printf("{\"l1\":%llu,\"l2\":%llu,\"walks\":%llu,\"walkReferences\":%llu,\"faults\":%llu,\"perSecond\":%.0f}\n",
         (unsigned long long)l1_hits, (unsigned long long)l2_hits, (unsigned long long)walks,
         (unsigned long long)walk_references, (unsigned long long)faults, (double)count / best);
  return 0;
}
