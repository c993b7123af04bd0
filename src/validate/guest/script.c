/*
 * The script language, read the plain way: the text has passed the simulator's parser before it comes here, so
 * that this one only needs to refuse what it cannot do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "runner.h"

#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { WORDS_MAX = 16 };

struct word_value {
  const char *word;
  int value;
};

static const struct word_value OPS[] = {
  { "cpu", OP_CPU }, { "map", OP_MAP }, { "unmap", OP_UNMAP }, { "remap", OP_REMAP }, { "protect", OP_PROTECT },
  { "advise", OP_ADVISE }, { "read", OP_READ }, { "write", OP_WRITE }, { "pin", OP_PIN }, { "sleep", OP_SLEEP },
  { "repeat", OP_REPEAT }, { "during", OP_DURING }, { "fork", OP_FORK }, { "thread", OP_THREAD },
  { "join", OP_JOIN }, { "snapshot", OP_SNAPSHOT }, { "unpin", OP_UNPIN }, { "split", OP_SPLIT },
  { "thp_disable", OP_THP_DISABLE }, { NULL, 0 },
};

static const struct word_value PROTS[] = {
  { "ro", PROT_READ }, { "rw", PROT_READ | PROT_WRITE }, { "none", PROT_NONE }, { NULL, 0 },
};

/* The arguments of PR_SET_THP_DISABLE: 1 for on, and the flag that excepts what is advised in bit 1. */
static const struct word_value THP_DISABLE[] = { { "off", 0 }, { "on", 1 }, { "except-advised", 3 }, { NULL, 0 } };

static const struct word_value ADVICE[] = {
  { "hugepage", MADV_HUGEPAGE }, { "nohugepage", MADV_NOHUGEPAGE }, { "collapse", MADV_COLLAPSE },
  { "dontneed", MADV_DONTNEED }, { "free", MADV_FREE }, { "cold", MADV_COLD }, { "pageout", MADV_PAGEOUT },
  { "willneed", MADV_WILLNEED }, { "dontfork", MADV_DONTFORK }, { "dofork", MADV_DOFORK }, { NULL, 0 },
};

static int look_up(const struct word_value *table, const char *word, int *value) {
  for (; table->word != NULL; table++) {
    if (strcmp(table->word, word) != 0) continue;
    *value = table->value;
    return 0;
  }
  return -1;
}

/* A number with a unit of the table `units`, each a word and how many of the base unit it means. */
static int parse_scaled(const char *word, const char *const *units, const uint64_t *scale, uint64_t *value) {
  char *end;
  errno = 0;
  uint64_t number = strtoull(word, &end, 0);
  if (end == word || errno != 0) return -1;
  for (int i = 0; units[i] != NULL; i++) {
    if (strcasecmp(end, units[i]) != 0) continue;
    *value = number * scale[i];
    return 0;
  }
  return -1;
}

static int parse_size(const char *word, uint64_t *bytes) {
  static const char *const UNITS[] = { "", "K", "M", "G", "T", NULL };
  static const uint64_t SCALE[] = { 1, 1ull << 10, 1ull << 20, 1ull << 30, 1ull << 40 };
  return parse_scaled(word, UNITS, SCALE, bytes);
}

static int parse_time(const char *word, uint64_t *ns) {
  static const char *const UNITS[] = { "us", "ms", "s", NULL };
  static const uint64_t SCALE[] = { 1000, 1000000, 1000000000 };
  return parse_scaled(word, UNITS, SCALE, ns);
}

static int parse_number(const char *word, uint64_t *value) {
  static const char *const UNITS[] = { "", NULL };
  static const uint64_t SCALE[] = { 1 };
  return parse_scaled(word, UNITS, SCALE, value);
}

/* Takes `FROM..TO` or `FROM..` if the word at the cursor is one; true if it was taken. */
static int take_range(struct statement *s, char *word) {
  char *dots = word == NULL ? NULL : strstr(word, "..");
  if (dots == NULL) return 0;
  *dots = '\0';
  if (parse_size(word, &s->from) != 0) return 0;
  if (dots[2] == '\0') s->to = TO_END;
  else if (parse_size(dots + 2, &s->to) != 0) return 0;
  return 1;
}

static int parse_map(struct statement *s, char **w, int n) {
  s->prot = PROT_READ | PROT_WRITE;
  if (n < 3 || parse_size(w[2], &s->size) != 0) return -1;
  for (int i = 3; i < n; i++) {
    if (strcmp(w[i], "shared") == 0) s->shared = 1;
    else if (strcmp(w[i], "populate") == 0) s->populate = 1;
    else if (look_up(PROTS, w[i], &s->prot) == 0) continue;
    else if (i + 1 < n && strcmp(w[i], "at") == 0) {
      s->has_at = 1;
      if (parse_number(w[++i], &s->at) != 0) return -1;
    } else if (i + 1 < n && strcmp(w[i], "align") == 0) {
      if (parse_size(w[++i], &s->align) != 0) return -1;
    } else return -1;
  }
  return 0;
}

static int parse_remap(struct statement *s, char **w, int n) {
  if (n < 3 || parse_size(w[2], &s->size) != 0) return -1;
  if (n == 3) return 0;
  s->has_at = 1;
  return n == 5 && strcmp(w[3], "at") == 0 ? parse_number(w[4], &s->at) : -1;
}

static int parse_touch(struct statement *s, char **w, int n, int at) {
  s->step = PAGE_BYTES;
  if (at == n) return 0;
  if (at + 2 == n && strcmp(w[at], "step") == 0) return parse_size(w[at + 1], &s->step);
  if (at + 3 != n || strcmp(w[at], "random") != 0) return -1;
  s->is_random = 1;
  return parse_number(w[at + 1], &s->seed) != 0 ? -1 : parse_number(w[at + 2], &s->count);
}

/* The words behind the statement's first. */
static int parse_arguments(struct statement *s, char **w, int n) {
  if (n < 2) return -1;
  snprintf(s->name, sizeof s->name, "%s", w[1]);
  s->to = TO_END;
  int at = 2 + (n > 2 && s->op != OP_MAP && s->op != OP_REMAP ? take_range(s, w[2]) : 0);
  int last = at == n - 1;
  switch (s->op) {
    case OP_MAP: return parse_map(s, w, n);
    case OP_REMAP: return parse_remap(s, w, n);
    case OP_UNMAP: case OP_SPLIT: return at == n ? 0 : -1;
    case OP_UNPIN: return n == 2 ? 0 : -1;
    case OP_THP_DISABLE: return n == 2 ? look_up(THP_DISABLE, w[1], &s->advice) : -1;
    case OP_PIN:
      s->prot = PROT_READ | PROT_WRITE;
      if (last && strcmp(w[at], "ro") == 0) s->prot = PROT_READ;
      else if (at != n) return -1;
      return 0;
    case OP_PROTECT: return last ? look_up(PROTS, w[at], &s->prot) : -1;
    case OP_ADVISE: return last ? look_up(ADVICE, w[at], &s->advice) : -1;
    case OP_READ: case OP_WRITE: return parse_touch(s, w, n, at);
    case OP_CPU: return n == 2 ? parse_number(w[1], &s->count) : -1;
    case OP_REPEAT: return last ? parse_number(w[1], &s->count) : -1;
    case OP_SLEEP: return n == 2 ? parse_time(w[1], &s->ns) : -1;
    case OP_DURING: return last ? parse_time(w[1], &s->ns) : -1;
    case OP_FORK: case OP_THREAD: return last ? 0 : -1;
    case OP_JOIN: case OP_SNAPSHOT: return n == 2 ? 0 : -1;
  }
  return -1;
}

static int parse_setting(char **w, int n, int line) {
  struct arena *a = ARENA;
  if (n < 3 || a->settings_count == SETTINGS_MAX) return -1;
  struct setting *s = &a->settings[a->settings_count++];
  s->line = line;
  snprintf(s->knob, sizeof s->knob, "%s", w[1]);
  s->value[0] = '\0';
  for (int i = 2; i < n; i++) {
    size_t length = strlen(s->value);
    snprintf(s->value + length, sizeof s->value - length, "%s%s", i > 2 ? " " : "", w[i]);
  }
  return 0;
}

static int parse_line(char *line, int number, int *open, int *depth) {
  struct arena *a = ARENA;
  char *w[WORDS_MAX], *save = NULL;
  int n = 0, op;
  line[strcspn(line, "#")] = '\0';
  for (char *word = strtok_r(line, " \t\r", &save); word != NULL; word = strtok_r(NULL, " \t\r", &save)) {
    if (n == WORDS_MAX) return -1;
    w[n++] = word;
  }
  if (n == 0 || strcmp(w[0], "machine") == 0 || strcmp(w[0], "expect") == 0) return 0;
  if (strcmp(w[0], "tolerance") == 0) return 0;
  if (strcmp(w[0], "set") == 0) return parse_setting(w, n, number);
  if (strcmp(w[0], "}") == 0) {
    if (*depth == 0) return -1;
    a->statements[open[--*depth]].end = a->count;
    return 0;
  }
  if (look_up(OPS, w[0], &op) != 0 || a->count == STATEMENTS_MAX) return -1;
  struct statement *s = &a->statements[a->count];
  memset(s, 0, sizeof *s);
  s->op = op;
  s->line = number;
  if (parse_arguments(s, w, n) != 0) return -1;
  if (op == OP_REPEAT || op == OP_DURING || op == OP_FORK || op == OP_THREAD) {
    if (*depth == 32) return -1;
    open[(*depth)++] = a->count;
  }
  a->count++;
  return 0;
}

int parse_script(char *text) {
  struct arena *a = ARENA;
  int open[32], depth = 0, number = 0;
  a->count = a->settings_count = 0;
  for (char *line = text, *next; line != NULL; line = next) {
    next = strchr(line, '\n');
    if (next != NULL) *next++ = '\0';
    if (parse_line(line, ++number, open, &depth) == 0) continue;
    snprintf(a->error, sizeof a->error, "line %d: the runner cannot read '%s'", number, line);
    return -1;
  }
  if (depth == 0) return 0;
  snprintf(a->error, sizeof a->error, "a block is not closed");
  return -1;
}
