#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <stdint.h>

// What of a picture is not as encoders want it.
enum {
  KINORA_INTERLACED = 1,
  KINORA_TURNED = 2,      // it has a display matrix
  KINORA_FULL_RANGE = 4,  // and its pixel format does not say so
  KINORA_RGB = 8,
};

int kinora_quirks(const AVFrame *f);

// The filters that turn f upright, as text; empty where it is.
void kinora_upright(const AVFrame *f, char *out, int size);

// Take the display matrix away.
void kinora_turned(AVFrame *f);

// Whether f is of high dynamic range.
int kinora_hdr(const AVFrame *f);

// State the colours of a high dynamic range where f leaves them open.
void kinora_hdr_defaults(AVFrame *f);

// Take away what describes a high dynamic range.
void kinora_sdr(AVFrame *f);

// Copy to look what it takes to describe pictures like f: colours, and side data that holds for all of them.
int kinora_look(AVFrame *look, const AVFrame *f);

// Describe to an encoder, not yet open, the pictures that look like this.
int kinora_dress(AVCodecContext *cc, const AVFrame *look);

// Bytes of closed captions (CEA-608/708 triplets) that f carries, 0 for none.
int kinora_captions(const AVFrame *f, const uint8_t **bytes);

// Have f carry these closed captions, and no others.
int kinora_set_captions(AVFrame *f, const uint8_t *bytes, int size);
