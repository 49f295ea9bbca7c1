#include "grid.h"

#include <string.h>

// Row by row into the sums of a band: a picture is read once, in order, and the inner loop becomes vector adds.
static void add_row(uint32_t *restrict sums, const uint8_t *restrict row, int width, uint32_t weight) {
  for (int x = 0; x < width; x++) sums[x] += row[x] * weight;
}

static void add_full_rows(uint32_t *restrict sums, uint16_t *restrict narrow, const uint8_t *row, ptrdiff_t stride, int width, int rows) {
  while (rows > 0) {
    int n = rows < 257 ? rows : 257;  // 257 * 255 fits 16 bits
    memset(narrow, 0, width * sizeof *narrow);
    for (int y = 0; y < n; y++, row += stride)
      for (int x = 0; x < width; x++) narrow[x] += row[x];
    for (int x = 0; x < width; x++) sums[x] += (uint32_t)narrow[x] * GRID_ONE;
    rows -= n;
  }
}

// Areas are exact: a cell's border that cuts a pixel takes its share of it, in steps of 1/GRID_ONE.
void kinora_grid(const AVFrame *f, uint32_t *sums, uint16_t *narrow, uint8_t *out) {
  const int w = f->width, h = f->height;
  const uint8_t *luma = f->data[0];
  const ptrdiff_t stride = f->linesize[0];
  const int full_range = f->color_range == AVCOL_RANGE_JPEG || f->format == AV_PIX_FMT_YUVJ420P || f->format == AV_PIX_FMT_YUVJ422P ||
                         f->format == AV_PIX_FMT_YUVJ444P;
  for (int gy = 0; gy < GRID_H; gy++) {
    // The band's borders in 1/GRID_ONE pixels.
    const int64_t top = (int64_t)h * GRID_ONE * gy / GRID_H, bottom = (int64_t)h * GRID_ONE * (gy + 1) / GRID_H;
    int y = top / GRID_ONE;
    const int last = bottom / GRID_ONE, head = top % GRID_ONE, tail = bottom % GRID_ONE;
    memset(sums, 0, w * sizeof *sums);
    if (y == last) {
      add_row(sums, luma + y * stride, w, tail - head);
    } else {
      if (head) add_row(sums, luma + y++ * stride, w, GRID_ONE - head);
      add_full_rows(sums, narrow, luma + y * stride, stride, w, last - y);
      if (tail) add_row(sums, luma + last * stride, w, tail);
    }
    for (int gx = 0; gx < GRID_W; gx++) {
      const int64_t left = (int64_t)w * GRID_ONE * gx / GRID_W, right = (int64_t)w * GRID_ONE * (gx + 1) / GRID_W;
      int x = left / GRID_ONE;
      const int end = right / GRID_ONE, from = left % GRID_ONE, to = right % GRID_ONE;
      uint64_t sum = 0;
      if (x == end) {
        sum = (uint64_t)sums[x] * (to - from);
      } else {
        if (from) sum += (uint64_t)sums[x++] * (GRID_ONE - from);
        uint64_t whole = 0;
        for (; x < end; x++) whole += sums[x];
        sum += whole * GRID_ONE;
        if (to) sum += (uint64_t)sums[end] * to;
      }
      const uint64_t area = (uint64_t)(right - left) * (bottom - top);
      uint64_t mean = (sum + area / 2) / area;
      if (full_range) mean = 16 + (mean * 219 + 127) / 255;
      out[gy * GRID_W + gx] = mean;
    }
  }
}

int kinora_damaged(const AVFrame *f) { return f->decode_error_flags != 0 || (f->flags & AV_FRAME_FLAG_CORRUPT) != 0; }
