// The process locks itself in before the Go runtime starts: what is set per thread then holds for every thread.
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

int kinora_layer[KINORA_LAYERS];

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static int without(const char *layer) {
#ifdef KINORA_JAIL_WITHOUT // a build for tests alone, which must see escapes succeed
  const char *list = getenv("KINORA_MEDIA_WITHOUT");
  return strstr(list ? list : TEXT(KINORA_JAIL_WITHOUT), layer) != NULL;
#else
  (void)layer;
  return 0;
#endif
}

static int limit(int what, rlim_t value) {
  struct rlimit now, r = {value, value};
  if (getrlimit(what, &now) == 0 && now.rlim_max < value) r.rlim_cur = r.rlim_max = now.rlim_max;
  return setrlimit(what, &r) == 0 ? 0 : errno;
}

static int limit_env(int what, const char *name) {
  const char *text = getenv(name);
  unsigned long long value = text ? strtoull(text, NULL, 10) : 0;
  return value > 0 ? limit(what, value) : 0;
}

static int rlimits(int devices) {
  int err = limit(RLIMIT_CORE, 0);
  if (!err) err = limit(RLIMIT_FSIZE, 0);
  if (!err) err = limit(RLIMIT_MEMLOCK, 0);
  if (!err) err = limit(RLIMIT_MSGQUEUE, 0);
  // CUDA sets addresses aside for all memory there is, which takes none: there, what can be written counts.
  if (!err) err = limit_env(devices ? RLIMIT_DATA : RLIMIT_AS, "KINORA_MEDIA_MEMORY");
  if (!err) err = limit_env(RLIMIT_NOFILE, "KINORA_MEDIA_FILES");
  if (!err) err = limit_env(RLIMIT_CPU, "KINORA_MEDIA_CPU");
  // Only in a user namespace of its own does this count its threads, and not everything its user runs.
  if (!err) err = limit_env(RLIMIT_NPROC, "KINORA_MEDIA_THREADS");
  return err;
}

static int drop_capabilities(int keep_user) {
  for (int c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++) prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED, 0, 0, 0);
  if (geteuid() == 0 && !keep_user) { // fails in a namespace that knows one user alone, whose root is nobody outside
    gid_t nogroup = 65534;
    (void)!setgroups(0, &nogroup);
    (void)!setresgid(nogroup, nogroup, nogroup);
    (void)!setresuid(65534, 65534, 65534);
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0}}, now[2];
  if (syscall(SYS_capset, &head, none) != 0 || syscall(SYS_capget, &head, now) != 0) return errno;
  return memcmp(none, now, sizeof none) == 0 ? 0 : EPERM;
}

__attribute__((constructor)) static void jail(void) {
  const char *devices = getenv("KINORA_MEDIA_DEVICES");
  if (devices && !*devices) devices = NULL;
  int *l = kinora_layer;

  l[KINORA_DESCRIPTORS] = without("descriptors") ? -1 : kinora_close_descriptors();
  // Set by a parent that gave this process a mount namespace of its own.
  l[KINORA_OWN_ROOT] = !getenv("KINORA_MEDIA_ROOT") || without("own-root") ? -1 : kinora_own_root(devices);
  l[KINORA_RLIMITS] = without("rlimits") ? -1 : rlimits(devices != NULL);
  signal(SIGXFSZ, SIG_IGN);
  l[KINORA_NO_CAPABILITIES] = without("no-capabilities") ? -1 : drop_capabilities(devices != NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL); // after the last change of credentials, which clears it
  prctl(PR_SET_DUMPABLE, 0);
  l[KINORA_NO_NEW_PRIVS] = without("no-new-privs") ? -1 : prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
  l[KINORA_LANDLOCK] = without("landlock") ? -1 : kinora_landlock(l[KINORA_OWN_ROOT] == 0, devices);
  // Where nothing else shuts the files away, none can be opened at all, those of a device and its driver included.
  int files_shut = l[KINORA_OWN_ROOT] == 0 || l[KINORA_LANDLOCK] == 0;
  l[KINORA_SECCOMP] = without("seccomp") ? -1 : kinora_seccomp(files_shut, devices && files_shut);
}
