// Which system calls the process may make: what Go, libav and the encoders' threads live on. Anything else is refused.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH
static struct sock_filter rules[512];
static unsigned count;

static void rule(unsigned short code, unsigned char yes, unsigned char no, unsigned k) {
  if (count < sizeof rules / sizeof *rules) rules[count++] = (struct sock_filter){code, yes, no, k};
}

#define LOAD BPF_LD | BPF_W | BPF_ABS
#define EQUAL BPF_JMP | BPF_JEQ | BPF_K
#define ANY BPF_JMP | BPF_JSET | BPF_K
#define ANSWER BPF_RET | BPF_K
#define REFUSE SECCOMP_RET_ERRNO | EPERM
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (n)) // its low half: both machines are little-endian

static void answer(unsigned nr, unsigned with) {
  rule(EQUAL, 0, 1, nr);
  rule(ANSWER, 0, 0, with);
}

// The rest answer one call by one argument, and so end with an answer.
static void if_zero(unsigned nr, unsigned arg) {
  rule(EQUAL, 0, 6, nr);
  rule(LOAD, 0, 0, ARG(arg));
  rule(EQUAL, 0, 3, 0);
  rule(LOAD, 0, 0, ARG(arg) + 4);
  rule(EQUAL, 0, 1, 0);
  rule(ANSWER, 0, 0, SECCOMP_RET_ALLOW);
  rule(ANSWER, 0, 0, REFUSE);
}

static void if_equal(unsigned nr, unsigned arg, const unsigned *values, unsigned n) {
  rule(EQUAL, 0, 2 + 2 * n, nr);
  rule(LOAD, 0, 0, ARG(arg));
  for (unsigned i = 0; i < n; i++) answer(values[i], SECCOMP_RET_ALLOW);
  rule(ANSWER, 0, 0, REFUSE);
}

static void if_without(unsigned nr, unsigned arg, unsigned bits) {
  rule(EQUAL, 0, 4, nr);
  rule(LOAD, 0, 0, ARG(arg));
  rule(ANY, 0, 1, bits);
  rule(ANSWER, 0, 0, REFUSE);
  rule(ANSWER, 0, 0, SECCOMP_RET_ALLOW);
}

static void if_with(unsigned nr, unsigned arg, unsigned bits, unsigned not) {
  rule(EQUAL, 0, 5, nr);
  rule(LOAD, 0, 0, ARG(arg));
  rule(ANY, 0, 2, bits);
  rule(ANY, 1, 0, not);
  rule(ANSWER, 0, 0, SECCOMP_RET_ALLOW);
  rule(ANSWER, 0, 0, REFUSE);
}

static const unsigned always[] = {
    __NR_futex, __NR_read, __NR_write, __NR_clock_gettime, __NR_nanosleep, __NR_clock_nanosleep, __NR_sched_yield, __NR_madvise, __NR_munmap, __NR_mremap, __NR_brk,
    __NR_readv, __NR_writev, __NR_pread64, __NR_close, __NR_fstat, __NR_lseek, __NR_dup, __NR_dup3, __NR_pipe2,
    __NR_ppoll, __NR_pselect6, __NR_epoll_create1, __NR_epoll_ctl, __NR_epoll_pwait, __NR_eventfd2,
    __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_sigaltstack, __NR_restart_syscall,
    __NR_exit, __NR_exit_group, __NR_set_robust_list, __NR_set_tid_address,
    __NR_getpid, __NR_gettid, __NR_getppid, __NR_getuid, __NR_geteuid, __NR_getgid, __NR_getegid, __NR_getrusage, __NR_times, __NR_sysinfo, __NR_uname,
    __NR_clock_getres, __NR_gettimeofday, __NR_getrandom, __NR_membarrier, __NR_mincore, __NR_getcpu,
    __NR_sched_getaffinity, __NR_sched_setaffinity, __NR_sched_getparam, __NR_sched_getscheduler, __NR_sched_get_priority_max, __NR_sched_get_priority_min,
    __NR_get_mempolicy, __NR_set_mempolicy, __NR_mbind,
#ifdef __NR_rseq
    __NR_rseq,
#endif
#ifdef __NR_futex_waitv
    __NR_futex_waitv,
#endif
#if defined(__x86_64__)
    __NR_poll, __NR_select, __NR_epoll_wait, __NR_dup2, __NR_time, __NR_getrlimit,
#endif
};
#endif

int kinora_seccomp(int files_shut, int devices) {
#ifdef ARCH
  rule(LOAD, 0, 0, offsetof(struct seccomp_data, arch));
  rule(EQUAL, 1, 0, ARCH);
  rule(ANSWER, 0, 0, SECCOMP_RET_KILL_PROCESS);
  rule(LOAD, 0, 0, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
  rule(BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000); // numbers of x32
  rule(ANSWER, 0, 0, REFUSE);
#endif
  for (unsigned i = 0; i < sizeof always / sizeof *always; i++) answer(always[i], SECCOMP_RET_ALLOW);

  // Threads, not processes. What asks by clone3, whose flags lie in memory, asks again by clone.
  answer(__NR_clone3, SECCOMP_RET_ERRNO | ENOSYS);
  if_with(__NR_clone, 0, CLONE_THREAD, CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PTRACE);
  const unsigned self = getpid();
  if_equal(__NR_tgkill, 0, &self, 1);
  if_equal(__NR_kill, 0, &self, 1);
  const unsigned named[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* PR_SET_VMA */};
  if_equal(__NR_prctl, 0, named, sizeof named / sizeof *named);
  const unsigned flags[] = {F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};
  if_equal(__NR_fcntl, 0 + 1, flags, sizeof flags / sizeof *flags);
  if_zero(__NR_prlimit64, 2); // read limits, set none

  if (devices) { // a driver maps code and memory, and talks to its device
    const unsigned driver[] = {__NR_mmap, __NR_mprotect, __NR_ioctl, __NR_openat, __NR_newfstatat, __NR_statx, __NR_readlinkat, __NR_getdents64, __NR_faccessat, __NR_mlock,
#if defined(__x86_64__)
                               __NR_open, __NR_stat, __NR_lstat, __NR_readlink, __NR_access,
#endif
    };
    for (unsigned i = 0; i < sizeof driver / sizeof *driver; i++) answer(driver[i], SECCOMP_RET_ALLOW);
  } else {
    if_without(__NR_mmap, 2, PROT_EXEC); // whatever code there is was there before the first byte of media
    if_without(__NR_mprotect, 2, PROT_EXEC);
    if (files_shut) {
      const unsigned change = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
      if_without(__NR_openat, 2, change);
#if defined(__x86_64__)
      if_without(__NR_open, 1, change);
#endif
      answer(__NR_newfstatat, SECCOMP_RET_ALLOW);
      answer(__NR_getdents64, SECCOMP_RET_ALLOW);
    } else {
      if_with(__NR_newfstatat, 3, AT_EMPTY_PATH, 0);
    }
  }
  rule(ANSWER, 0, 0, REFUSE);
  if (count == sizeof rules / sizeof *rules) return E2BIG;
  struct sock_fprog program = {count, rules};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
#else
  return ENOSYS;
#endif
}
