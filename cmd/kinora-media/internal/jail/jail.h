// What the process found possible when it locked itself in.
extern int kinora_net_namespace, kinora_filter;
