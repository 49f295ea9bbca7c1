#!/usr/bin/env bash
# Fuzzes the media child, FFmpeg included, with libFuzzer and AddressSanitizer: deploy/fuzz-media.sh [SECONDS]
# Starts from the committed corpus; what it learns is kept in build/fuzz/corpus, what breaks the child in build/fuzz.
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

seconds=${1:-60}
"$top/deploy/go.sh"
exports=$("$top/deploy/go.sh" env; "$top/deploy/ffmpeg.sh" fuzz)
eval "$exports"
cd "$top"
mkdir -p build/fuzz/corpus

step "Building the fuzzer"
flags=-fsanitize=address,fuzzer-no-link
CC=clang CXX=clang++ CGO_CFLAGS="-g1 -O1 $flags" CGO_LDFLAGS="$flags" \
  go build -buildmode=c-archive -o build/fuzz/child.a ./cmd/kinora-media/internal/engine/libfuzzer
libs=$(pkg-config --static --libs libavcodec libavdevice libavfilter libavformat libswresample libswscale libavutil)
# shellcheck disable=SC2086 # flags are words
clang++ -fsanitize=address,fuzzer build/fuzz/child.a $libs -lpthread -o build/fuzz/child

step "Fuzzing for $seconds s"
# Go's allocator is its own: leaks are libav's to find in FFmpeg's own suites, and memory is bounded below.
ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:handle_segv=0 \
  build/fuzz/child -max_total_time="$seconds" -timeout=90 -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1 \
  -artifact_prefix=build/fuzz/ build/fuzz/corpus internal/media/corpus/seeds
