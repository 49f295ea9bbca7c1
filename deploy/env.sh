#!/usr/bin/env bash
# Prints the environment to build and test in: eval "$(deploy/env.sh)"
#   PATH, GOFLAGS            Go, where it was fetched by deploy/go.sh
#   KINORA_FFMPEG, KINORA_FFPROBE, PKG_CONFIG_PATH   FFmpeg 7.1. Only cmd/kinora-media asks pkg-config for it, so nothing else links it
#   KINORA_CHROMIUM, NODE_PATH                       the test browser; only with `deploy/env.sh test`
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
go=$("$here/go.sh" env)
ffmpeg=$("$here/ffmpeg.sh" env)
browser=
[ "${1:-}" != test ] || browser=$("$here/browser.sh" env)
printf '%s\n' "$go" "$ffmpeg" "$browser"
