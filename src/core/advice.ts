/** What a program can say to madvise, in the words of the script language. */
export type Advice =
  | "hugepage"
  | "nohugepage"
  | "collapse"
  | "dontneed"
  | "free"
  | "cold"
  | "pageout"
  | "willneed"
  | "dontfork"
  | "dofork";
