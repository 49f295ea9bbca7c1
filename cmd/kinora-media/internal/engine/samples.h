#include <libavutil/frame.h>

// Silence the samples of f that are no sound: not a number, infinite, or louder than anything. 0, or an error of FFmpeg.
int kinora_tame(AVFrame *f);
