// What the process found possible when it locked itself in.
enum kinora_layer {
  KINORA_DESCRIPTORS,
  KINORA_OWN_ROOT,
  KINORA_LANDLOCK,
  KINORA_RLIMITS,
  KINORA_NO_CAPABILITIES,
  KINORA_NO_NEW_PRIVS,
  KINORA_SECCOMP,
  KINORA_LAYERS,
};

// Per layer: 0 it holds, above 0 the errno for which it does not, -1 it was not asked for.
extern int kinora_layer[KINORA_LAYERS];

// The parts, in the order in which they are taken; each returns 0 or an errno.
int kinora_close_descriptors(void);
int kinora_own_root(const char *devices);
int kinora_landlock(int own_root, const char *devices);
int kinora_seccomp(int files_shut, int devices);
