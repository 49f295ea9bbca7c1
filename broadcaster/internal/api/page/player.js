// The player: one hls.js instance on the multivariant playlist, or one per rendition side by side.
"use strict";

const kinora = window.kinora = { hls: null, stream: null, others: [] };

(() => {
  const $ = (id) => document.getElementById(id);
  const video = $("video");
  const params = new URLSearchParams(location.search);
  let renditions = [], chosen = "auto", retry = 0;

  const nameOf = (level) => decodeURIComponent(new URL(level.url[0], location.href).pathname.split("/").at(-2));
  const mbit = (bits) => (bits / 1e6).toFixed(2) + " Mbit/s";

  function make(element, url, onFatal) {
    const hls = new Hls({ liveSyncDurationCount: 3, liveMaxLatencyDurationCount: 10, backBufferLength: 30, maxBufferLength: 20, startFragPrefetch: true });
    hls.on(Hls.Events.ERROR, (_, e) => {
      if (!e.fatal) return;
      if (e.type === Hls.ErrorTypes.MEDIA_ERROR && retry < 3) { retry++; hls.recoverMediaError(); return; }
      onFatal(e);
    });
    hls.loadSource(url);
    hls.attachMedia(element);
    element.play().catch(() => {}); // a browser may want a click first: the controls are there
    return hls;
  }

  function open(stream) {
    close();
    kinora.stream = stream.name;
    renditions = stream.renditions;
    retry = 0;
    kinora.hls = make(video, stream.hls, () => { const was = stream; close(); setTimeout(() => kinora.refresh(was.name), 2000); });
    kinora.hls.on(Hls.Events.MANIFEST_PARSED, () => { buttons(); if (chosen !== "auto") choose(chosen); });
    kinora.hls.on(Hls.Events.LEVEL_SWITCHED, buttons);
  }

  function close() {
    single();
    if (kinora.hls) kinora.hls.destroy();
    kinora.hls = null;
    kinora.stream = null;
  }

  function single() {
    for (const o of kinora.others) { o.hls.destroy(); o.figure.remove(); }
    kinora.others = [];
    $("screens").classList.remove("many");
  }

  function choose(what) {
    const before = chosen;
    chosen = what;
    const hls = kinora.hls;
    if (!hls) return;
    if (what === "all") {
      if (before === "all" && kinora.others.length) return;
      single();
      hls.currentLevel = 0;
      $("screens").classList.add("many");
      hls.levels.slice(1).forEach((level) => {
        const figure = document.createElement("figure");
        figure.className = "screen";
        const v = document.createElement("video");
        v.muted = true; v.playsInline = true; v.controls = true;
        v.setAttribute("aria-label", "Rendition " + nameOf(level));
        const caption = document.createElement("figcaption");
        figure.append(v, caption);
        $("screens").append(figure);
        const other = { figure, video: v, caption, level, hls: null };
        other.hls = make(v, level.url[0], () => {});
        kinora.others.push(other);
      });
    } else {
      single();
      hls.currentLevel = what === "auto" ? -1 : hls.levels.findIndex((l) => nameOf(l) === what);
    }
    buttons();
  }

  function buttons() {
    const box = $("rungs");
    const focused = document.activeElement && box.contains(document.activeElement) ? document.activeElement.dataset.what : null;
    const options = [["auto", "Auto"], ...kinora.hls.levels.map((l) => [nameOf(l), nameOf(l)])];
    if (kinora.hls.levels.length > 1) options.push(["all", "Side by side"]);
    box.replaceChildren(...options.map(([what, label]) => {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = label;
      b.dataset.what = what;
      b.setAttribute("aria-pressed", String(what === chosen));
      b.addEventListener("click", () => choose(what));
      return b;
    }));
    if (focused) [...box.children].find((b) => b.dataset.what === focused)?.focus();
  }

  function describe(element, caption, hls, level) {
    if (!level) return;
    const r = renditions.find((x) => x.name === nameOf(level));
    const behind = hls.latency > 0 ? hls.latency.toFixed(1) + " s behind the newest segment" : "";
    const q = element.getVideoPlaybackQuality ? element.getVideoPlaybackQuality() : null;
    const dropped = q && q.droppedVideoFrames > 0 ? q.droppedVideoFrames + " frames dropped by this browser" : "";
    caption.textContent = [nameOf(level), r ? `${r.width}×${r.height}` : "", r ? r.fps.toFixed(0) + " fps" : "", r ? mbit(r.average_bandwidth) : "", behind, dropped]
      .filter(Boolean).join(" · ");
  }

  setInterval(() => {
    const hls = kinora.hls;
    if (!hls || !hls.levels || !hls.levels.length) return;
    describe(video, $("caption"), hls, hls.levels[hls.currentLevel >= 0 ? hls.currentLevel : hls.loadLevel]);
    for (const o of kinora.others) describe(o.video, o.caption, o.hls, o.level);
  }, 1000);

  // refresh looks for something to play: the named stream, the one in the address, else the first live one.
  kinora.refresh = async (wanted) => {
    let streams;
    try {
      streams = await (await fetch("/api/v1/streams")).json();
    } catch { return; } // the page says that it lost its connection
    const pick = $("stream-pick");
    const names = streams.map((s) => s.name);
    if (names.join() !== [...pick.options].map((o) => o.value).join()) {
      pick.replaceChildren(...streams.map((s) => new Option(s.name, s.name)));
    }
    const playable = streams.filter((s) => s.hls);
    const name = wanted || kinora.stream || params.get("stream");
    const stream = playable.find((s) => s.name === name) || playable.find((s) => s.live) || playable[0];
    if (!stream) return;
    pick.value = stream.name;
    if (!kinora.hls || kinora.stream !== stream.name || (stream.live && kinora.ended)) open(stream);
    renditions = stream.renditions;
    kinora.ended = !stream.live;
  };

  $("stream-pick").addEventListener("change", (e) => kinora.refresh(e.target.value));
  if (!window.Hls || !Hls.isSupported()) {
    $("caption").textContent = "This browser cannot play through hls.js.";
    return;
  }
  kinora.refresh();
  setInterval(() => kinora.refresh(), 3000);
})();
