#include "samples.h"

#include <libavutil/samplefmt.h>
#include <math.h>

static const double LOUDEST = 1 << 20;  // full scale is 1

#define TAME(name, type)                                                    \
  static int name(type *s, int n, int mend) {                               \
    int wild = 0;                                                           \
    for (int i = 0; i < n; i++) {                                           \
      if (fabs(s[i]) < LOUDEST) continue; /* false of what is no number */  \
      wild = 1;                                                             \
      if (mend) s[i] = 0;                                                   \
    }                                                                       \
    return wild;                                                            \
  }

TAME(tame_float, float)
TAME(tame_double, double)

static int tame(AVFrame *f, int mend) {
  enum AVSampleFormat packed = av_get_packed_sample_fmt(f->format);
  if (packed != AV_SAMPLE_FMT_FLT && packed != AV_SAMPLE_FMT_DBL) return 0;
  int channels = f->ch_layout.nb_channels, planar = av_sample_fmt_is_planar(f->format), wild = 0;
  int planes = planar ? channels : 1, n = planar ? f->nb_samples : f->nb_samples * channels;
  for (int p = 0; p < planes; p++)
    wild |= packed == AV_SAMPLE_FMT_FLT ? tame_float((float *)f->extended_data[p], n, mend) : tame_double((double *)f->extended_data[p], n, mend);
  return wild;
}

int kinora_tame(AVFrame *f) {
  if (!tame(f, 0)) return 0;
  int err = av_frame_make_writable(f);
  if (err >= 0) tame(f, 1);
  return err;
}
