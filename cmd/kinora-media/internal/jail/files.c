// Which files the process may see: copies of those that encoders read to count processors, and nothing else.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

static const char *const readable[] = {"/proc/cpuinfo", "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/possible"};
#define READABLE (sizeof readable / sizeof *readable)

// x265 runs on one thread unless it finds here which processors are of which node.
#define NODES "/sys/devices/system/node"
static const char *const of_node[] = {"cpumap", "cpulist"};
#define MAX_NODES 64

// Where a GPU's driver finds its libraries, and how it learns of its devices: read, where a device is granted.
static const char *const drivers[] = {"/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/nvidia", "/usr/share", "/etc/ld.so.cache", "/etc/OpenCL",
                                      "/sys/dev", "/sys/devices", "/sys/bus/pci", "/sys/class/drm", "/sys/module/nvidia", "/proc/driver", "/proc/self"};
#define DRIVERS (sizeof drivers / sizeof *drivers)
#define PROC_SELF "/proc/self"

int kinora_close_descriptors(void) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0) return 0;
#endif
  long most = sysconf(_SC_OPEN_MAX);
  for (int fd = 3; fd < most; fd++) close(fd);
  return 0;
}

// below makes path that of from below root, with the folders that it is in.
static int below(char path[128], const char *root, const char *from) {
  size_t n = strlen(root), m = strlen(from);
  if (n + m >= 128) return ENAMETOOLONG;
  memcpy(path, root, n);
  memcpy(path + n, from, m + 1);
  for (char *p = path + n + 1; (p = strchr(p, '/')); *p++ = '/') {
    *p = 0;
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return errno;
  }
  return 0;
}

// copy writes the file at from to the same path below root.
static int copy(const char *from, const char *root) {
  char path[128];
  int failed = below(path, root, from);
  if (failed) return failed;
  int in = open(from, O_RDONLY | O_CLOEXEC);
  if (in < 0) return 0; // a machine without it: libraries do without it too
  int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444), err = out < 0 ? errno : 0;
  static char chunk[16 << 10];
  for (ssize_t got; !err && (got = read(in, chunk, sizeof chunk)) > 0;)
    if (write(out, chunk, got) != got) err = errno ? errno : EIO;
  close(in);
  if (out >= 0) close(out);
  return err;
}

// show mounts the folder or device file at from on the same path below root; a folder is then read-only but for what is mounted in it.
static int show(const char *from, const char *root) {
  char path[128];
  struct stat st;
  struct statvfs fs;
  int err = below(path, root, from);
  if (err) return err;
  if (stat(from, &st) != 0) return 0; // a machine without it
  if (S_ISDIR(st.st_mode)) {
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return errno;
  } else {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
    if (fd < 0) return errno;
    close(fd);
  }
  if (mount(from, path, NULL, MS_BIND | MS_REC, NULL) != 0) return errno;
  if (!S_ISDIR(st.st_mode)) return 0;
  if (statvfs(path, &fs) != 0) return errno;
  unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV; // what it has cannot be taken off in a user namespace
  if (fs.f_flag & ST_NOEXEC) flags |= MS_NOEXEC;
  if (fs.f_flag & ST_NOATIME) flags |= MS_NOATIME;
  if (fs.f_flag & ST_NODIRATIME) flags |= MS_NODIRATIME;
  if (fs.f_flag & ST_RELATIME) flags |= MS_RELATIME;
  return mount(NULL, path, NULL, flags, NULL) == 0 ? 0 : errno;
}

// next is the first entry of a list with colons, copied into one; it returns the rest, or NULL when there is none.
static const char *next(const char *list, char one[128]) {
  while (list && *list == ':') list++;
  if (!list || !*list) return NULL;
  size_t n = strcspn(list, ":");
  if (n > 127) n = 127;
  memcpy(one, list, n);
  one[n] = 0;
  return list + strcspn(list, ":");
}

// show_devices shows the device files that are granted, and the drivers' files.
static int show_devices(const char *devices, const char *root) {
  char path[128], target[128];
  int err = 0;
  for (size_t i = 0; !err && i < DRIVERS; i++) {
    struct stat st;
    if (lstat(drivers[i], &st) != 0) continue;
    if (S_ISREG(st.st_mode)) {
      err = copy(drivers[i], root);
    } else if (S_ISLNK(st.st_mode) && strcmp(drivers[i], PROC_SELF) != 0) { // /lib is usr/lib
      ssize_t n = readlink(drivers[i], target, sizeof target - 1);
      if (n < 0) return errno;
      target[n] = 0;
      if (!(err = below(path, root, drivers[i])) && symlink(target, path) != 0) err = errno;
    } else {
      err = show(drivers[i], root);
    }
  }
  for (char one[128]; !err && (devices = next(devices, one));) err = show(one, root);
  return err;
}

int kinora_own_root(const char *devices) {
  const char *at = "/tmp"; // of a mount namespace of our own
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
  if (mount("kinora", at, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4m,nr_inodes=512,mode=0755") != 0) return errno;
  int err = devices ? show_devices(devices, at) : 0;
  if (err) return err;
  for (size_t i = 0; i < READABLE; i++) {
    if (devices && strncmp(readable[i], "/sys/", 5) == 0) continue; // shown above
    if ((err = copy(readable[i], at))) return err;
  }
  for (int node = 0; !devices && node < MAX_NODES; node++) {
    char path[96];
    snprintf(path, sizeof path, NODES "/node%d", node);
    if (access(path, F_OK) != 0) continue;
    for (size_t i = 0; i < sizeof of_node / sizeof *of_node; i++) {
      snprintf(path, sizeof path, NODES "/node%d/%s", node, of_node[i]);
      if ((err = copy(path, at))) return err;
    }
  }
  if (chdir(at) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0) return errno;
  if (chdir("/") != 0) return errno;
  if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) return errno;
  return 0;
}

// Landlock as linux/landlock.h has it, which older systems have without the newer fields.
struct ruleset {
  uint64_t fs, net, scoped;
};
struct __attribute__((packed)) beneath {
  uint64_t access;
  int32_t fd;
};
#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_IOCTL_DEV (1ULL << 15)

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

static void allow(int rules, uint64_t access, uint64_t handled, const char *path) {
  struct beneath rule = {access & handled, open(path, O_PATH | O_CLOEXEC)};
  if (rule.fd < 0) return;
  syscall(SYS_landlock_add_rule, rules, 1, &rule, 0);
  close(rule.fd);
}

int kinora_landlock(int own_root, const char *devices) {
  long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
  if (abi < 0) return errno;
  struct ruleset r = {(1ULL << 13) - 1, 0, 0};
  size_t size = sizeof r.fs;
  if (abi >= 2) r.fs |= 1ULL << 13; // refer
  if (abi >= 3) r.fs |= 1ULL << 14; // truncate
  if (abi >= 5) r.fs |= FS_IOCTL_DEV;
  if (abi >= 4) r.net = 3, size = 2 * sizeof r.fs;    // no TCP port to bind or to connect to
  if (abi >= 6) r.scoped = 3, size = 3 * sizeof r.fs; // no abstract socket, no signal to others
  int rules = syscall(SYS_landlock_create_ruleset, &r, size, 0);
  if (rules < 0) return errno;
  const uint64_t look = FS_READ_FILE | FS_READ_DIR;
  if (own_root) allow(rules, look, r.fs, "/");
  for (size_t i = 0; !own_root && i < READABLE; i++) allow(rules, FS_READ_FILE, r.fs, readable[i]);
  if (!own_root) allow(rules, look, r.fs, NODES);
  if (devices) {
    for (size_t i = 0; i < DRIVERS; i++) allow(rules, look | FS_EXECUTE, r.fs, drivers[i]);
    allow(rules, look, r.fs, "/dev/dri");
    for (char one[128]; (devices = next(devices, one));) allow(rules, FS_READ_FILE | FS_WRITE_FILE | FS_IOCTL_DEV, r.fs, one);
  }
  int err = syscall(SYS_landlock_restrict_self, rules, 0) == 0 ? 0 : errno;
  close(rules);
  return err;
}
