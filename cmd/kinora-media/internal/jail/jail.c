// The process locks itself in before the Go runtime starts: what is set per thread then holds for every thread.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

int kinora_net_namespace, kinora_filter;

static void limit(int what, rlim_t value) {
  struct rlimit now, r = {value, value};
  if (getrlimit(what, &now) == 0 && now.rlim_max < value) r.rlim_cur = r.rlim_max = now.rlim_max;
  setrlimit(what, &r);
}

static void limit_env(int what, const char *name) {
  const char *text = getenv(name);
  unsigned long long value = text ? strtoull(text, NULL, 10) : 0;
  if (value > 0) limit(what, value);
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define DENY(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

// No sockets, no other programs, no looking into other processes. Media needs none of it.
static int filter(void) {
#ifdef ARCH
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#if defined(__x86_64__)
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),  // x32 numbers
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
#endif
      DENY(socket),
      DENY(socketpair),
      DENY(connect),
      DENY(bind),
      DENY(listen),
      DENY(io_uring_setup),
      DENY(execve),
      DENY(execveat),
      DENY(ptrace),
      DENY(process_vm_readv),
      DENY(process_vm_writev),
      DENY(unshare),
      DENY(setns),
      DENY(mount),
      DENY(bpf),
      DENY(keyctl),
      DENY(pidfd_getfd),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
  return 0;
#endif
}

__attribute__((constructor)) static void jail(void) {
  kinora_net_namespace = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the namespace: a change of credentials clears it
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit_env(RLIMIT_AS, "KINORA_MEDIA_MEMORY");
  limit_env(RLIMIT_NOFILE, "KINORA_MEDIA_FILES");
  signal(SIGXFSZ, SIG_IGN);
  prctl(PR_SET_DUMPABLE, 0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) kinora_filter = filter();
}
