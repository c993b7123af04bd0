/**
 * Errors of system calls, as the kernel gives them: a call returns 0, an address, or one of these negated.
 */
export const ERRNO = {
  EPERM: 1,
  EAGAIN: 11,
  ENOMEM: 12,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
} as const;
