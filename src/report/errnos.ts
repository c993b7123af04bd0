/** Names of the errors that calls end with, as errno.h has them. */

const ERRNOS: Readonly<Record<number, string>> = {
  1: "EPERM",
  3: "ESRCH",
  4: "EINTR",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  16: "EBUSY",
  17: "EEXIST",
  22: "EINVAL",
};

/** `ENOMEM`, or the number where it has no name here. */
export function nameOfErrno(errno: number): string {
  return ERRNOS[errno] ?? `errno ${errno}`;
}
