#include <libavutil/frame.h>
#include <libavutil/pixfmt.h>
#include <stdint.h>

#define GRID_W 32
#define GRID_H 18
#define GRID_ONE 256

// The means of f's 8-bit luma plane over the cells of the grid, in limited range. sums and narrow hold f->width numbers each.
void kinora_grid(const AVFrame *f, uint32_t *sums, uint16_t *narrow, uint8_t *out);

// Whether the decoder had to guess parts of f.
int kinora_damaged(const AVFrame *f);
