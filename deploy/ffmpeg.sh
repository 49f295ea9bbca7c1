#!/usr/bin/env bash
# Makes FFmpeg 7.1 available: the system's when it is 7.1, else one static build kept outside the repo.
#   deploy/ffmpeg.sh        installs or builds what is missing; does nothing when all is there
#   deploy/ffmpeg.sh env    prints the `export` lines that use it (KINORA_FFMPEG, KINORA_FFPROBE, PKG_CONFIG_PATH)
#   deploy/ffmpeg.sh fuzz   builds the libraries once more, instrumented for fuzzing, and prints their PKG_CONFIG_PATH
# KINORA_FFMPEG_FROM=system|source overrules the choice. KINORA_CACHE moves the build (default ~/.cache/kinora).
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

version=7.1.5
tarball_sha256=de668509caf9e35e3cd162473441fdb29538c6d96ed080292b3cf9e6fc5d558f
recipe=1 # raise it when the build below changes in a way the flags do not show
libs=(libavcodec libavdevice libavfilter libavformat libswresample libswscale libavutil)
fonts=fonts-dejavu-core # the burnt-in clock of the test stream

build_tools=(gcc g++ make pkg-config xz-utils nasm clang llvm)
build_libs=(libx264-dev libx265-dev libsvtav1enc-dev libdav1d-dev libvpx-dev libopus-dev libmp3lame-dev libwebp-dev libzimg-dev
  libva-dev libdrm-dev libfreetype-dev libharfbuzz-dev libfontconfig-dev zlib1g-dev)

comma() { local IFS=,; echo "$*"; }

# What Kinora decodes, encodes, carries and measures, and what its tests and baselines use; nothing else gets in.
decoders=(h264 hevc av1 libdav1d vp8 vp9 mpeg1video mpeg2video mpeg4 mjpeg png webp rawvideo ffv1 wrapped_avframe
  aac aac_latm ac3 eac3 mp2 mp3 libopus opus flac vorbis pcm_s16le pcm_s16be pcm_s24le pcm_s32le pcm_f32le pcm_u8 webvtt ccaption
  h264_cuvid hevc_cuvid av1_cuvid vp8_cuvid vp9_cuvid mpeg2_cuvid)
encoders=(libx264 libx265 libsvtav1 libvpx_vp8 libvpx_vp9 mpeg2video mpeg4 mjpeg png libwebp rawvideo ffv1 wrapped_avframe
  aac ac3 mp2 libmp3lame libopus flac pcm_s16le pcm_s16be pcm_s24le pcm_f32le pcm_u8 webvtt
  h264_nvenc hevc_nvenc av1_nvenc h264_vaapi hevc_vaapi av1_vaapi vp9_vaapi)
hwaccels=(h264_nvdec hevc_nvdec av1_nvdec vp8_nvdec vp9_nvdec mpeg2_nvdec h264_vaapi hevc_vaapi av1_vaapi vp8_vaapi vp9_vaapi mpeg2_vaapi)
parsers=(h264 hevc av1 vp8 vp9 mpegvideo mpeg4video mjpeg png webp aac aac_latm ac3 mpegaudio opus flac vorbis)
demuxers=(mpegts mpegps mov matroska flv hls aac ac3 mp3 ogg wav flac h264 hevc av1 obu ivf m4v mpegvideo mjpeg image2 image2pipe
  image_png_pipe image_jpeg_pipe image_webp_pipe rawvideo yuv4mpegpipe pcm_s16le pcm_f32le concat webvtt ffmetadata)
muxers=(mpegts mov mp4 matroska webm flv hls dash segment stream_segment tee fifo adts ac3 mp3 ogg opus wav flac h264 hevc obu ivf m4v
  mpeg2video mjpeg image2 image2pipe webp rawvideo yuv4mpegpipe pcm_s16le pcm_f32le null hash md5 crc framecrc framehash framemd5
  streamhash webvtt ffmetadata)
bsfs=(aac_adtstoasc h264_mp4toannexb hevc_mp4toannexb h264_metadata hevc_metadata av1_metadata av1_frame_merge av1_frame_split
  vp9_superframe vp9_superframe_split extract_extradata dump_extradata remove_extradata filter_units noise null setts dts2pts
  trace_headers showinfo opus_metadata mpeg2_metadata pcm_rechunk)
protocols=(file pipe fd data http tcp udp unix crypto rtmp rtp concat subfile cache md5 tee)
filters=(scale split format fps setpts settb setdar setsar setfield setparams setrange select trim loop concat reverse realtime null copy
  sendcmd metadata sidedata showinfo framerate minterpolate tpad interleave streamselect
  crop pad transpose rotate hflip vflip negate overlay hstack vstack xstack tile blend drawtext drawbox drawgrid fade
  yadif bwdif idet interlace tinterlace telecine repeatfields separatefields weave fieldorder pullup decimate mpdecimate
  tonemap zscale colorspace colormatrix eq hue lut lutyuv lutrgb geq boxblur gblur unsharp noise deband delogo swapuv
  ssim psnr xpsnr identity vif msad siti blackdetect blackframe freezedetect scdet signalstats blurdetect blockdetect vfrdet cropdetect
  extractplanes mergeplanes alphaextract alphamerge thumbnail thistogram signature
  testsrc testsrc2 smptebars smptehdbars color nullsrc rgbtestsrc yuvtestsrc mandelbrot life cellauto gradients zoneplate allrgb
  movie amovie hwupload hwdownload hwmap hwupload_cuda scale_cuda yadif_cuda bwdif_cuda overlay_cuda
  scale_vaapi deinterlace_vaapi overlay_vaapi transpose_vaapi tonemap_vaapi
  aresample aformat anull acopy asplit asetpts asettb asetnsamples asetrate aselect atrim aloop arealtime ametadata ashowinfo asendcmd
  volume volumedetect amix amerge pan join channelmap channelsplit apad adelay afade atempo astats ebur128 loudnorm silencedetect
  dynaudnorm alimiter acompressor highpass lowpass equalizer aphasemeter axcorrelate
  sine anullsrc aevalsrc anoisesrc)

flags=(
  --disable-everything --disable-autodetect --disable-doc --disable-debug --disable-shared --enable-static --enable-pic
  --disable-ffplay --enable-ffmpeg --enable-ffprobe --enable-gpl --enable-pthreads --enable-zlib --enable-network
  --enable-libx264 --enable-libx265 --enable-libsvtav1 --enable-libdav1d --enable-libvpx --enable-libopus --enable-libmp3lame
  --enable-libwebp --enable-libzimg --enable-libfreetype --enable-libharfbuzz --enable-libfontconfig
  --enable-vaapi --enable-libdrm --enable-indev=lavfi
  "--enable-decoder=$(comma "${decoders[@]}")" "--enable-encoder=$(comma "${encoders[@]}")" "--enable-hwaccel=$(comma "${hwaccels[@]}")"
  "--enable-parser=$(comma "${parsers[@]}")" "--enable-demuxer=$(comma "${demuxers[@]}")" "--enable-muxer=$(comma "${muxers[@]}")"
  "--enable-bsf=$(comma "${bsfs[@]}")" "--enable-protocol=$(comma "${protocols[@]}")" "--enable-filter=$(comma "${filters[@]}")"
)
nvidia_flags=(--enable-ffnvcodec --enable-nvenc --enable-nvdec --enable-cuvid --enable-cuda-llvm)

case $(uname -m) in
  x86_64) # Intel Quick Sync
    build_libs+=(libvpl-dev)
    flags+=(--enable-libvpl --enable-encoder=h264_qsv,hevc_qsv,av1_qsv --enable-decoder=h264_qsv,hevc_qsv,av1_qsv,vp9_qsv,mpeg2_qsv
      --enable-filter=scale_qsv,vpp_qsv,deinterlace_qsv) ;;
esac

# Instrumented for libFuzzer and AddressSanitizer; without assembler, which neither sees into.
if [ "${1:-}" = fuzz ]; then
  flags+=(--cc=clang --cxx=clang++ --disable-x86asm --disable-programs --disable-ffmpeg --disable-ffprobe
    "--extra-cflags=-fsanitize=address,fuzzer-no-link -g1" "--extra-ldflags=-fsanitize=address,fuzzer-no-link")
  nvidia_flags=()
  build_tools+=(libclang-rt-dev)
fi

# The build links against the distribution's own libraries, so the release is part of its name.
release=$(. /etc/os-release 2>/dev/null && echo "${ID:-linux} ${VERSION_ID:-}")
build="$cache/ffmpeg-$(printf '%s\n' "$version" "$tarball_sha256" "$recipe" "$release" "$(uname -m)" "${flags[@]}" "${nvidia_flags[@]}" |
  sha256sum | cut -c1-16)"

# system_ffmpeg: is the installed one 7.1, with what the default ladder, the test stream and the checks need?
system_ffmpeg() {
  [ "${KINORA_FFMPEG_FROM:-}" != source ] || return 1
  local lib list
  have pkg-config && have ffmpeg && have ffprobe || return 1
  pkg-config --atleast-version=61.19 libavcodec && ! pkg-config --atleast-version=62 libavcodec || return 1
  for lib in "${libs[@]}"; do pkg-config --exists "$lib" || return 1; done
  # Lists are read whole before they are searched: with pipefail, `| grep -q` fails when it leaves early.
  grep -Eq '^ffmpeg version n?7\.1' <<<"$(ffmpeg -hide_banner -version)" || return 1
  list=$(ffmpeg -hide_banner -encoders 2>/dev/null)
  for lib in libx264 aac; do grep -q " $lib " <<<"$list" || return 1; done
  list=$(ffmpeg -hide_banner -filters 2>/dev/null)
  for lib in drawtext testsrc2 ssim; do grep -q " $lib " <<<"$list" || return 1; done
}

# packaged_ffmpeg: would the distribution install 7.1?
packaged_ffmpeg() {
  local policy
  [ "${KINORA_FFMPEG_FROM:-}" != source ] && have apt-cache || return 1
  policy=$(apt-cache policy libavcodec-dev 2>/dev/null)
  [ -n "$policy" ] || { refresh_lists; policy=$(apt-cache policy libavcodec-dev); } # a fresh image has no lists
  grep -Eq 'Candidate: ([0-9]+:)?7\.1' <<<"$policy"
}

print_env() {
  if [ -x "$build/bin/ffmpeg" ] && [ "${KINORA_FFMPEG_FROM:-}" != system ]; then
    echo "export KINORA_FFMPEG='$build/bin/ffmpeg'"
    echo "export KINORA_FFPROBE='$build/bin/ffprobe'"
    echo "export PKG_CONFIG_PATH='$build/lib/pkgconfig'"
  elif system_ffmpeg; then
    echo "export KINORA_FFMPEG='$(command -v ffmpeg)'"
    echo "export KINORA_FFPROBE='$(command -v ffprobe)'"
  else
    die "FFmpeg 7.1 is not set up yet" "Run: make build   (or deploy/ffmpeg.sh alone)"
  fi
}

# get_source DIR: leaves the release tarball in DIR/ffmpeg.tar.xz, by the machine's own Debian mirror or from the FFmpeg project.
get_source() {
  local url="https://ffmpeg.org/releases/ffmpeg-$version.tar.xz"
  if private_apt trixie; then
    (cd "$1" && apt_private source --download-only ffmpeg) || note "the Debian mirror does not have the source"
    pinned "$1/ffmpeg_$version.orig.tar.xz" "$tarball_sha256" && mv "$1/ffmpeg_$version.orig.tar.xz" "$1/ffmpeg.tar.xz" && return
    note "the Debian mirror has moved on from $version"
  fi
  install curl ca-certificates
  note "fetching $url"
  curl --fail --silent --show-error --location --retry 3 --output "$1/ffmpeg.tar.xz" "$url" || rm -f "$1/ffmpeg.tar.xz"
  pinned "$1/ffmpeg.tar.xz" "$tarball_sha256" ||
    die "could not get the FFmpeg $version source (SHA-256 $tarball_sha256)" \
      "Check the network; behind a proxy set http_proxy and https_proxy." \
      "Or put the tarball at $cache/ffmpeg-$version.tar.xz and start again."
}

# get_nvidia_headers DIR: the NVENC/NVDEC headers (no library, no driver needed), 12.1 as FFmpeg 7.1 wants them.
get_nvidia_headers() {
  local deb pc
  ! pkg-config --atleast-version=12.1.14.0 ffnvcodec || return 0
  (cd "$1" && private_apt trixie && apt_private download libffmpeg-nvenc-dev) ||
    (cd "$1" && apt-get -qq download libffmpeg-nvenc-dev >&2) || return 1
  for deb in "$1"/libffmpeg-nvenc-dev_*.deb; do dpkg-deb -x "$deb" "$1/nvidia"; done
  pc=$(find "$1/nvidia" -name ffnvcodec.pc | head -n 1)
  [ -n "$pc" ] && sed -i "s|^prefix=.*|prefix=$1/nvidia/usr|" "$pc" || return 1
  PKG_CONFIG_PATH=$(dirname "$pc")
  export PKG_CONFIG_PATH
  pkg-config --atleast-version=12.1.14.0 ffnvcodec
}

build_ffmpeg() {
  local work="$build.work" log="$build.log" hardware=("${nvidia_flags[@]}")
  install "${build_tools[@]}" "${build_libs[@]}" "$fonts"
  rm -rf "$work"
  mkdir -p "$work"
  step "Fetching FFmpeg $version"
  if pinned "$cache/ffmpeg-$version.tar.xz" "$tarball_sha256"; then
    cp "$cache/ffmpeg-$version.tar.xz" "$work/ffmpeg.tar.xz"
  else
    get_source "$work"
    cp "$work/ffmpeg.tar.xz" "$cache/ffmpeg-$version.tar.xz"
  fi
  tar -xJf "$work/ffmpeg.tar.xz" -C "$work" --one-top-level=source --strip-components=1
  if ! get_nvidia_headers "$work"; then
    note "no NVENC headers 12.1 to be had: this build will not drive NVIDIA cards (mend: install libffmpeg-nvenc-dev 12.1, rm -r $build, start again)"
    hardware=()
  fi
  step "Building FFmpeg $version once (about 5 CPU minutes on $(nproc) cores; log: $log)"
  (
    cd "$work/source" &&
      ./configure --prefix="$build" "${flags[@]}" "${hardware[@]}" &&
      make -j"$(nproc)" &&
      make install DESTDIR="$work/root"
  ) >"$log" 2>&1 || {
    tail -n 15 "$log" >&2
    die "the FFmpeg build failed" "The whole log is in $log; free disk space and memory are the usual causes." "Start again when mended: deploy/ffmpeg.sh"
  }
  # Static archives need their private libraries at every link. Said in the .pc files, PKG_CONFIG_PATH is all that a build of
  # kinora-media needs, and no linker flag of the GPL parts can reach another program.
  local pc
  for pc in "$work/root$build"/lib/pkgconfig/*.pc; do
    awk '/^Requires.private:/ {sub(/^[^:]*: */, ""); reqp=$0; next} /^Libs.private:/ {sub(/^[^:]*: */, ""); libp=$0; next}
      /^Requires:/ {sub(/^[^:]*: */, ""); req=$0; next} /^Libs:/ {sub(/^[^:]*: */, ""); lib=$0; next} {print}
      END {r = req; if (reqp != "") r = (r == "" ? reqp : r ", " reqp); print "Requires: " r; print "Libs: " lib " " libp}' "$pc" >"$pc.new"
    mv "$pc.new" "$pc"
  done
  rm -rf "$build"
  mv "$work/root$build" "$build"
  rm -rf "$work"
}

# check: the programs run, draw the clock and encode the default ladder's codecs.
check() {
  local out
  out=$("$KINORA_FFMPEG" -hide_banner -loglevel error -f lavfi -i "testsrc2=size=320x180:rate=30:duration=0.2,drawtext=text='%{pts\\:hms}':fontsize=24" \
    -f lavfi -i sine=duration=0.2 -c:v libx264 -preset ultrafast -c:a aac -f framemd5 - 2>&1) ||
    die "FFmpeg does not encode the test stream" "$out" "Rebuild it: rm -r $build; deploy/ffmpeg.sh"
}

if [ "${1:-}" = env ]; then
  print_env
  exit
fi

hold "ffmpeg${1:+-$1}"
if [ "${1:-}" = fuzz ]; then
  version_of_clang=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
  build_tools=("${build_tools[@]/libclang-rt-dev/libclang-rt-${version_of_clang:-14}-dev}")
  [ -d "$build/lib/pkgconfig" ] || build_ffmpeg
  install "${build_tools[@]}" "${build_libs[@]}"
  echo "export PKG_CONFIG_PATH='$build/lib/pkgconfig'"
  exit
fi
if [ -x "$build/bin/ffmpeg" ] && [ "${KINORA_FFMPEG_FROM:-}" != system ]; then
  install gcc g++ pkg-config "${build_libs[@]}" "$fonts" # a cache may be older than the machine it lies on
  note "FFmpeg $version: $build"
elif system_ffmpeg; then
  install "$fonts"
  note "FFmpeg: $(ffmpeg -hide_banner -version | sed -n 1p | cut -d' ' -f1-3), the system's"
elif packaged_ffmpeg; then
  install gcc pkg-config ffmpeg "$fonts" "${libs[@]/%/-dev}"
  system_ffmpeg || { note "the packaged FFmpeg lacks something Kinora needs"; build_ffmpeg; }
  note "FFmpeg: $(ffmpeg -hide_banner -version | sed -n 1p | cut -d' ' -f1-3)"
else
  build_ffmpeg
fi
exports=$(print_env)
eval "$exports"
check
