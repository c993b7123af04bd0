/*
 * pagefold: a Valgrind tool that writes which pages a program uses, folded, and its memory system calls.
 *
 * Copyright (C) 2026 the Pagewise authors. This program is free software; you can redistribute it and/or modify it
 * under the terms of the GNU General Public License as published by the Free Software Foundation; either version 2 of
 * the License, or (at your option) any later version. It comes without any warranty; see COPYING beside this file.
 *
 *     reference ──▶ window of up to W pages ──full, or something happens──▶ lines, in order of first use ──▶ pipe
 *
 * A line is PWF1 text: KIND PAGE READS WRITES INSTRUCTIONS-SINCE-THE-LAST-LINE. The window empties as a whole, so
 * that lines are in the order in which pages came into use; references within a window have lost their order.
 * Lines travel in packets of at most PIPE_BUF bytes, each naming its process and thread, so that the packets of
 * several processes can share one pipe.
 */
#include "pub_tool_basics.h"
#include "pub_tool_libcassert.h"
#include "pub_tool_libcbase.h"
#include "pub_tool_libcfile.h"
#include "pub_tool_libcprint.h"
#include "pub_tool_libcproc.h"
#include "pub_tool_machine.h"
#include "pub_tool_options.h"
#include "pub_tool_threadstate.h"
#include "pub_tool_tooliface.h"
#include "pub_tool_vki.h"
#include "pub_tool_vkiscnums.h"

/* Of the core, which the library exports though no header of the tools declares them. */
extern Bool VG_(resolve_filename)(Int fd, const HChar **name);
extern Int VG_(safe_fd)(Int fd);

#define PACKET_BYTES 4096
#define LINE_BYTES_MAX 512
#define WINDOW_MAX 64
#define TABLE_SIZE 256
/* A page that is always in use shows at least so often: else it would look cold. */
#define EPOCH_INSTRUCTIONS 1000000

typedef struct {
   UWord key;      /* page number * 2, plus 1 for code */
   ULong since;    /* instructions when it was first used */
   UInt reads, writes;
   Bool writtenFirst;
} Entry;

static const HChar *clo_out = NULL;
static Int clo_window = 16;

static Int out_fd = -1;
static HChar packet[PACKET_BYTES];
static Int used = 0;          /* bytes of the packet */
static Int pid;
static ThreadId thread = 1;
static Bool exit_told = False;

static Entry window[WINDOW_MAX];
static Int entries = 0;
static UChar table[TABLE_SIZE]; /* 1 + index of the entry that last used that place */
static Entry *last_data = NULL, *last_code = NULL;

static ULong now = 0;         /* instructions executed */
static ULong told = 0;        /* the time of the last line */

/* ---- packets ---- */

static void send_packet(void)
{
   Int at = 0;
   while (at < used && out_fd >= 0) {
      Int n = VG_(write)(out_fd, packet + at, used - at);
      if (n == -VKI_EINTR) continue;
      if (n <= 0) { out_fd = -1; break; }
      at += n;
   }
   used = 0;
}

static void begin_line(void)
{
   if (used + LINE_BYTES_MAX > PACKET_BYTES) send_packet();
   if (used == 0) used = VG_(snprintf)(packet, LINE_BYTES_MAX, "P %d\nT %u\n", pid, thread);
}

static void put_hex(UWord value)
{
   HChar digits[16];
   Int n = 0;
   do { digits[n++] = "0123456789abcdef"[value & 15]; value >>= 4; } while (value);
   while (n) packet[used++] = digits[--n];
}

static void put_decimal(ULong value)
{
   HChar digits[20];
   Int n = 0;
   do { digits[n++] = '0' + value % 10; value /= 10; } while (value);
   while (n) packet[used++] = digits[--n];
}

static void put_time(ULong at)
{
   put_decimal(at > told ? at - told : 0);
   if (at > told) told = at;
}

/* ---- the window ---- */

static void empty_window(void)
{
   Int i;
   for (i = 0; i < entries; i++) {
      Entry *e = &window[i];
      begin_line();
      packet[used++] = e->key & 1 ? 'x' : e->writtenFirst ? 'w' : e->writes ? 'u' : 'r';
      put_hex(e->key >> 1);
      packet[used++] = ' ';
      put_decimal(e->reads);
      packet[used++] = ' ';
      put_decimal(e->writes);
      packet[used++] = ' ';
      put_time(e->since);
      packet[used++] = '\n';
   }
   entries = 0;
   last_data = last_code = NULL;
}

static Entry *entry_of(UWord key, Bool write)
{
   UInt place = (key ^ (key >> 8)) & (TABLE_SIZE - 1);
   Int i = table[place] - 1;
   if (i < 0 || i >= entries || window[i].key != key) {
      for (i = 0; i < entries && window[i].key != key; i++) {}
      if (i == entries) {
         if (entries >= clo_window || (entries > 0 && now - window[0].since > EPOCH_INSTRUCTIONS)) {
            empty_window();
            i = 0;
         }
         entries++;
         window[i].key = key;
         window[i].since = now;
         window[i].reads = window[i].writes = 0;
         window[i].writtenFirst = write;
      }
      table[place] = i + 1;
   }
   return &window[i];
}

/* The counts of a record have 32 bits. */
static inline void keep_countable(const Entry *e)
{
   if (UNLIKELY((e->reads | e->writes) > 0x7fffffff)) empty_window();
}

static void use_data(UWord page, UInt reads, UInt writes)
{
   Entry *e = last_data;
   if (e == NULL || e->key != page * 2 || now - e->since > EPOCH_INSTRUCTIONS) {
      if (e != NULL && now - e->since > EPOCH_INSTRUCTIONS) empty_window();
      e = last_data = entry_of(page * 2, writes != 0);
   }
   e->reads += reads;
   e->writes += writes;
   keep_countable(e);
}

static inline void use_range(Addr at, SizeT size, UInt reads, UInt writes)
{
   UWord page = at >> 12, last = (at + (size ? size - 1 : 0)) >> 12;
   for (; page <= last; page++) use_data(page, reads, writes);
}

static VG_REGPARM(2) void on_load(Addr at, UWord size) { use_range(at, size, 1, 0); }
static VG_REGPARM(2) void on_store(Addr at, UWord size) { use_range(at, size, 0, 1); }
static VG_REGPARM(2) void on_modify(Addr at, UWord size) { use_range(at, size, 1, 1); }

static VG_REGPARM(2) void on_code(UWord page, UWord instructions)
{
   Entry *e = last_code;
   if (e == NULL || e->key != page * 2 + 1) e = last_code = entry_of(page * 2 + 1, False);
   e->reads += instructions;
   now += instructions;
   keep_countable(e);
}

/* ---- instrumentation ---- */

static void call(IRSB *out, const HChar *name, void *helper, IRExpr *a, UWord b, IRExpr *guard)
{
   IRDirty *d = unsafeIRDirty_0_N(2, name, VG_(fnptr_to_fnentry)(helper), mkIRExprVec_2(a, mkIRExpr_HWord(b)));
   if (guard) d->guard = guard;
   addStmtToIRSB(out, IRStmt_Dirty(d));
}

static void load(IRSB *out, IRExpr *at, Int size, IRExpr *guard) { call(out, "on_load", &on_load, at, size, guard); }
static void store(IRSB *out, IRExpr *at, Int size, IRExpr *guard) { call(out, "on_store", &on_store, at, size, guard); }
static void modify(IRSB *out, IRExpr *at, Int size) { call(out, "on_modify", &on_modify, at, size, NULL); }

/* Instructions from statement i on that lie in one page: told together, in front of the first. */
static void code(IRSB *out, const IRSB *in, Int i, UWord page)
{
   UWord n = 0;
   for (; i < in->stmts_used; i++) {
      const IRStmt *s = in->stmts[i];
      if (s == NULL || s->tag != Ist_IMark) continue;
      if (s->Ist.IMark.addr >> 12 != page) break;
      n++;
   }
   call(out, "on_code", &on_code, mkIRExpr_HWord(page), n, NULL);
}

static void dirty_effects(IRSB *out, const IRDirty *d)
{
   if (d->mFx == Ifx_Read) load(out, d->mAddr, d->mSize, NULL);
   else if (d->mFx == Ifx_Write) store(out, d->mAddr, d->mSize, NULL);
   else if (d->mFx == Ifx_Modify) modify(out, d->mAddr, d->mSize);
}

static void memory_use(IRSB *out, const IRStmt *s)
{
   IRTypeEnv *types = out->tyenv;
   switch (s->tag) {
   case Ist_WrTmp:
      if (s->Ist.WrTmp.data->tag == Iex_Load)
         load(out, s->Ist.WrTmp.data->Iex.Load.addr, sizeofIRType(s->Ist.WrTmp.data->Iex.Load.ty), NULL);
      break;
   case Ist_Store:
      store(out, s->Ist.Store.addr, sizeofIRType(typeOfIRExpr(types, s->Ist.Store.data)), NULL);
      break;
   case Ist_StoreG: {
      IRStoreG *g = s->Ist.StoreG.details;
      store(out, g->addr, sizeofIRType(typeOfIRExpr(types, g->data)), g->guard);
      break;
   }
   case Ist_LoadG: {
      IRLoadG *g = s->Ist.LoadG.details;
      IRType wide = Ity_INVALID, type = Ity_INVALID;
      typeOfIRLoadGOp(g->cvt, &wide, &type);
      load(out, g->addr, sizeofIRType(type), g->guard);
      break;
   }
   case Ist_Dirty:
      dirty_effects(out, s->Ist.Dirty.details);
      break;
   case Ist_CAS: {
      IRCAS *c = s->Ist.CAS.details;
      modify(out, c->addr, sizeofIRType(typeOfIRExpr(types, c->dataLo)) * (c->dataHi ? 2 : 1));
      break;
   }
   case Ist_LLSC:
      if (s->Ist.LLSC.storedata == NULL)
         load(out, s->Ist.LLSC.addr, sizeofIRType(typeOfIRTemp(types, s->Ist.LLSC.result)), NULL);
      else
         store(out, s->Ist.LLSC.addr, sizeofIRType(typeOfIRExpr(types, s->Ist.LLSC.storedata)), NULL);
      break;
   default:
      break;
   }
}

static IRSB *instrument(VgCallbackClosure *closure, IRSB *in, const VexGuestLayout *layout,
                        const VexGuestExtents *extents, const VexArchInfo *arch, IRType guest, IRType host)
{
   IRSB *out = deepCopyIRSBExceptStmts(in);
   UWord page = ~0UL;
   Int i = 0;
   for (; i < in->stmts_used && in->stmts[i]->tag != Ist_IMark; i++) addStmtToIRSB(out, in->stmts[i]);
   for (; i < in->stmts_used; i++) {
      IRStmt *s = in->stmts[i];
      Bool after = s->tag == Ist_Store || s->tag == Ist_StoreG;
      if (s->tag == Ist_NoOp) continue;
      if (s->tag == Ist_IMark && s->Ist.IMark.addr >> 12 != page) {
         page = s->Ist.IMark.addr >> 12;
         code(out, in, i, page);
      }
      if (!after) memory_use(out, s);
      addStmtToIRSB(out, s);
      if (after) memory_use(out, s);
   }
   return out;
}

/* ---- what the kernel does, and who runs ---- */

static void on_run(ThreadId t, ULong blocks)
{
   if (t == thread) return;
   empty_window();
   thread = t;
   begin_line();
   used += VG_(snprintf)(packet + used, 32, "T %u\n", t);
}

static void kernel_reads(CorePart part, ThreadId t, const HChar *what, Addr at, SizeT size)
{
   if (part == Vg_CoreSysCall && size > 0) use_range(at, size, 1, 0);
}

static void kernel_reads_text(CorePart part, ThreadId t, const HChar *what, Addr at)
{
   if (part == Vg_CoreSysCall) use_range(at, 1, 1, 0);
}

static void kernel_writes(CorePart part, ThreadId t, Addr at, SizeT size)
{
   if (part == Vg_CoreSysCall && size > 0) use_range(at, size, 0, 1);
}

static const HChar *name_of(UInt number)
{
   switch (number) {
   case __NR_mmap: return "mmap";
   case __NR_munmap: return "munmap";
   case __NR_mremap: return "mremap";
   case __NR_brk: return "brk";
   case __NR_madvise: return "madvise";
   case __NR_mprotect: return "mprotect";
   case __NR_mlock: return "mlock";
   case __NR_mlock2: return "mlock2";
   case __NR_prctl: return "prctl";
   case __NR_clone: return "clone";
   case __NR_clone3: return "clone3";
   case __NR_fork: return "fork";
   case __NR_vfork: return "vfork";
   case __NR_execve: return "execve";
   case __NR_execveat: return "execveat";
   case __NR_exit: return "exit";
   case __NR_exit_group: return "exit_group";
   default: return NULL;
   }
}

/* ! THREAD NAME ARGUMENTS = RESULT [PATH] TIME */
static void tell_call(ThreadId t, const HChar *name, const UWord *args, UInt count, Word result, const HChar *path)
{
   UInt i;
   empty_window();
   begin_line();
   used += VG_(snprintf)(packet + used, 64, "! %u %s", t, name);
   for (i = 0; i < count && i < 6; i++) {
      packet[used++] = ' ';
      put_hex(args[i]);
   }
   used += VG_(snprintf)(packet + used, 16, " = ");
   if (result < 0 && result > -4096) used += VG_(snprintf)(packet + used, 16, "%ld", result);
   else put_hex(result);
   if (path != NULL && path[0] != 0) used += VG_(snprintf)(packet + used, 200, " %s", path);
   packet[used++] = ' ';
   put_time(now);
   packet[used++] = '\n';
}

static Bool is_exec(UInt number) { return number == __NR_execve || number == __NR_execveat; }
static Bool is_exit(UInt number) { return number == __NR_exit || number == __NR_exit_group; }

/* These do not come back when they succeed. */
static void before_call(ThreadId t, UInt number, UWord *args, UInt count)
{
   const HChar *path = number == __NR_execve ? (const HChar *)args[0] : NULL;
   if (!is_exec(number) && !is_exit(number)) return;
   tell_call(t, name_of(number), args, count, 0, path);
   if (number == __NR_exit_group) exit_told = True;
   send_packet();
}

static void after_call(ThreadId t, UInt number, UWord *args, UInt count, SysRes result)
{
   const HChar *name = name_of(number), *path = NULL;
   if (name == NULL || is_exit(number)) return;
   if (is_exec(number) && !sr_isError(result)) return;
   if (number == __NR_mmap && !(args[3] & VKI_MAP_ANONYMOUS) && (Int)args[4] >= 0)
      VG_(resolve_filename)((Int)args[4], &path);
   tell_call(t, name, args, count, sr_isError(result) ? -(Word)sr_Err(result) : (Word)sr_Res(result), path);
}

static void before_fork(ThreadId t)
{
   empty_window();
   send_packet();
}

static void in_child(ThreadId t)
{
   used = 0;
   told = now;
   pid = VG_(getpid)();
   thread = t;
}

/* ---- the tool ---- */

static Bool take_option(const HChar *arg)
{
   if VG_STR_CLO(arg, "--out", clo_out) {}
   else if VG_BINT_CLO(arg, "--window", clo_window, 2, WINDOW_MAX) {}
   else return False;
   return True;
}

static void print_usage(void)
{
   VG_(printf)("    --out=<file>     where the lines go (a pipe, usually)\n"
               "    --window=<n>     pages that are folded together, 2..64 [16]\n");
}

static void print_debug_usage(void) { VG_(printf)("    (none)\n"); }

static void after_options(void)
{
   SysRes opened;
   if (clo_out == NULL) VG_(fmsg_bad_option)("--out", "say where the lines go\n");
   opened = VG_(open)(clo_out, VKI_O_WRONLY | VKI_O_CREAT, 0644);
   if (sr_isError(opened)) {
      VG_(umsg)("pagefold: cannot open %s\n", clo_out);
      VG_(exit)(1);
   }
   out_fd = VG_(safe_fd)(sr_Res(opened));
   pid = VG_(getpid)();
}

static void finish(Int code)
{
   const UWord none[1] = {0};
   if (!exit_told) tell_call(thread, "exit_group", none, 1, 0, NULL);
   send_packet();
}

static void before_options(void)
{
   VG_(details_name)("pagefold");
   VG_(details_version)(NULL);
   VG_(details_description)("writes which pages a program uses");
   VG_(details_copyright_author)("Copyright (C) 2026, and GNU GPL'd, by the Pagewise authors.");
   VG_(details_bug_reports_to)("the Pagewise project");
   VG_(details_avg_translation_sizeB)(320);
   VG_(basic_tool_funcs)(after_options, instrument, finish);
   VG_(needs_command_line_options)(take_option, print_usage, print_debug_usage);
   VG_(needs_syscall_wrapper)(before_call, after_call);
   VG_(track_start_client_code)(on_run);
   VG_(track_pre_mem_read)(kernel_reads);
   VG_(track_pre_mem_read_asciiz)(kernel_reads_text);
   VG_(track_post_mem_write)(kernel_writes);
   VG_(atfork)(before_fork, NULL, in_child);
}

VG_DETERMINE_INTERFACE_VERSION(before_options)
