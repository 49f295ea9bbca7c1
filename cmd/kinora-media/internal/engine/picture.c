#include "picture.h"

#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int kinora_quirks(const AVFrame *f) {
  int quirks = 0;
  if (f->flags & AV_FRAME_FLAG_INTERLACED) quirks |= KINORA_INTERLACED;
  if (f->nb_side_data && av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX)) quirks |= KINORA_TURNED;
  switch (f->format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:  // libswscale knows its range by its name, as that of the other two
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
      if (f->format != AV_PIX_FMT_YUV420P || f->color_range != AVCOL_RANGE_JPEG) return quirks;
  }
  const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
  if (d && d->flags & AV_PIX_FMT_FLAG_RGB)
    quirks |= KINORA_RGB;
  else if (f->color_range == AVCOL_RANGE_JPEG)
    quirks |= KINORA_FULL_RANGE;
  return quirks;
}

void kinora_upright(const AVFrame *f, char *out, int size) {
  const AVFrameSideData *sd = av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX);
  out[0] = 0;
  if (!sd || sd->size < 9 * sizeof(int32_t)) return;
  const int32_t *m = (const int32_t *)sd->data;
  double theta = -round(av_display_rotation_get(m));
  if (isnan(theta)) return;  // not a rotation
  theta -= 360 * floor(theta / 360 + 0.9 / 360);
  const char *filters = "";
  if (fabs(theta - 90) < 1)
    filters = m[3] > 0 ? "transpose=cclock_flip" : "transpose=clock";
  else if (fabs(theta - 180) < 1)
    filters = m[0] < 0 ? (m[4] < 0 ? "hflip,vflip" : "hflip") : m[4] < 0 ? "vflip" : "";
  else if (fabs(theta - 270) < 1)
    filters = m[3] < 0 ? "transpose=clock_flip" : "transpose=cclock";
  else if (fabs(theta) < 1)
    filters = m[4] < 0 ? "vflip" : "";
  snprintf(out, size, "%s", filters);
}

void kinora_turned(AVFrame *f) { av_frame_remove_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX); }

int kinora_hdr(const AVFrame *f) { return f->color_trc == AVCOL_TRC_SMPTE2084 || f->color_trc == AVCOL_TRC_ARIB_STD_B67; }

void kinora_hdr_defaults(AVFrame *f) {
  if (f->color_primaries == AVCOL_PRI_UNSPECIFIED) f->color_primaries = AVCOL_PRI_BT2020;
  if (f->colorspace == AVCOL_SPC_UNSPECIFIED) f->colorspace = AVCOL_SPC_BT2020_NCL;
  if (f->color_range == AVCOL_RANGE_UNSPECIFIED) f->color_range = AVCOL_RANGE_MPEG;
}

void kinora_sdr(AVFrame *f) {
  static const enum AVFrameSideDataType types[] = {
      AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_FRAME_DATA_AMBIENT_VIEWING_ENVIRONMENT,
      AV_FRAME_DATA_DYNAMIC_HDR_PLUS, AV_FRAME_DATA_DYNAMIC_HDR_VIVID, AV_FRAME_DATA_DOVI_METADATA, AV_FRAME_DATA_DOVI_RPU_BUFFER};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) av_frame_remove_side_data(f, types[i]);
}

static int lasting(enum AVFrameSideDataType type) {
  return type == AV_FRAME_DATA_MASTERING_DISPLAY_METADATA || type == AV_FRAME_DATA_CONTENT_LIGHT_LEVEL ||
         type == AV_FRAME_DATA_AMBIENT_VIEWING_ENVIRONMENT;
}

int kinora_look(AVFrame *look, const AVFrame *f) {
  look->color_range = f->color_range;
  look->color_primaries = f->color_primaries;
  look->color_trc = f->color_trc;
  look->colorspace = f->colorspace;
  look->chroma_location = f->chroma_location;
  for (int i = 0; i < f->nb_side_data; i++) {
    if (!lasting(f->side_data[i]->type)) continue;
    int ret = av_frame_side_data_clone(&look->side_data, &look->nb_side_data, f->side_data[i], AV_FRAME_SIDE_DATA_FLAG_UNIQUE);
    if (ret < 0) return ret;
  }
  return 0;
}

int kinora_dress(AVCodecContext *cc, const AVFrame *look) {
  cc->color_range = AVCOL_RANGE_MPEG;  // as they are made
  cc->color_primaries = look->color_primaries;
  cc->color_trc = look->color_trc;
  cc->colorspace = look->colorspace;
  cc->chroma_sample_location = look->chroma_location;
  for (int i = 0; i < look->nb_side_data; i++) {
    int ret = av_frame_side_data_clone(&cc->decoded_side_data, &cc->nb_decoded_side_data, look->side_data[i],
                                       AV_FRAME_SIDE_DATA_FLAG_UNIQUE);
    if (ret < 0) return ret;
  }
  return 0;
}

int kinora_captions(const AVFrame *f, const uint8_t **bytes) {
  const AVFrameSideData *sd = f->nb_side_data ? av_frame_get_side_data(f, AV_FRAME_DATA_A53_CC) : NULL;
  if (!sd || sd->size > 1 << 16) return 0;
  *bytes = sd->data;
  return sd->size;
}

int kinora_set_captions(AVFrame *f, const uint8_t *bytes, int size) {
  av_frame_remove_side_data(f, AV_FRAME_DATA_A53_CC);
  if (!size) return 0;
  AVFrameSideData *sd = av_frame_new_side_data(f, AV_FRAME_DATA_A53_CC, size);
  if (!sd) return AVERROR(ENOMEM);
  memcpy(sd->data, bytes, size);
  return 0;
}
