// The market: one event stream, folded into what the panels show. Whatever comes from the network is shown as text.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const el = (tag, props, ...children) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(props || {})) {
      if (k === "class") e.className = v; else if (k in e) e[k] = v; else e.setAttribute(k, v);
    }
    e.append(...children.filter((c) => c !== null && c !== undefined));
    return e;
  };

  const state = { names: new Map(), segments: new Map(), bids: new Map(), cut: new Map(), seen: new Set(), stats: null, first: new Map(), verdicts: new Map(),
    tickets: { one: { sent: 0, won: 0, redeemed: 0 }, two: { sent: 0, won: 0, redeemed: 0 } } };

  const short = (a) => a ? a.slice(0, 6) + "…" + a.slice(-4) : "";
  const who = (a) => a ? state.names.get(a.toLowerCase()) || short(a) : "";
  const clock = (iso) => new Date(iso).toLocaleTimeString([], { hour12: false });
  const ms = (iso) => new Date(iso).getTime();

  // eth writes an amount of wei with at most six decimals, never through a float.
  const eth = (wei) => {
    let v = BigInt(wei), sign = "";
    if (v < 0n) { v = -v; sign = "−"; }
    const micro = (v + 500000000000n) / 1000000000000n;
    const whole = micro / 1000000n, rest = String(micro % 1000000n).padStart(6, "0").replace(/0+$/, "");
    return sign + whole + (rest ? "." + rest : "");
  };
  const gwei = (wei) => {
    const milli = (BigInt(wei) * 1000n + 500000000n) / 1000000000n;
    return (milli / 1000n) + "." + String(milli % 1000n).padStart(3, "0");
  };

  function feed(id, at, text, why, bad) {
    const list = $(id);
    list.prepend(el("li", {}, el("time", { dateTime: at }, clock(at)), el("p", { class: bad ? "bad" : "" }, text, why ? el("span", { class: "why" }, why) : null)));
    while (list.children.length > 40) list.lastChild.remove();
  }

  function alert(key, title, detail) {
    if (document.querySelector(`[data-alert="${CSS.escape(key)}"]`)) return;
    const close = el("button", { type: "button", "aria-label": "Dismiss" }, "✕");
    const box = el("div", { class: "alert", "data-alert": key }, el("strong", {}, title), el("span", {}, detail), close);
    close.addEventListener("click", () => box.remove());
    $("alerts").append(box);
  }

  const reasons = { verification_failed: "its output failed verification", transcode_failed: "the transcode failed", deadline_exceeded: "too late", unreachable: "not reachable",
    child_crashed: "its encoder crashed", cancelled: "cancelled", no_capacity: "no free capacity", not_allocated: "nothing allocated to it yet", draining: "shutting down" };
  const why = (e) => [reasons[e.code] || (e.code || "").replaceAll("_", " "), e.detail].filter(Boolean).join(": ");

  const keyOf = (e) => `${e.stream} ${e.incarnation || 0} ${e.seq || 0}`;
  function segment(e) {
    const key = keyOf(e);
    let s = state.segments.get(key);
    if (!s) {
      s = { key, stream: e.stream, seq: e.seq || 0, incarnation: e.incarnation || 0, began: null, attempts: new Map(), published: null, failed: null };
      state.segments.set(key, s);
      if (state.segments.size > 60) state.segments.delete(state.segments.keys().next().value);
    }
    return s;
  }
  function attempt(s, e) {
    let a = s.attempts.get(e.attempt);
    if (!a) { a = { by: e.counterparty, began: ms(e.at) }; s.attempts.set(e.attempt, a); }
    return a;
  }

  const handlers = {
    segment_ingested(e) { segment(e).began = ms(e.at); },
    attempt_started(e) { if (e.role !== "transcoder") { const a = attempt(segment(e), e); a.by = e.counterparty; } },
    attempt_abandoned(e) {
      if (e.role === "transcoder") return;
      const a = attempt(segment(e), e); a.ended = ms(e.at); a.bad = a.bad || "abandoned";
      feed("checks", e.at, `${who(e.counterparty)} gave up segment ${e.seq || 0}`, why(e), true);
    },
    output_verified(e) {
      const a = attempt(segment(e), e);
      state.verdicts.set("ok " + e.role, (state.verdicts.get("ok " + e.role) || 0) + 1);
      if (e.role === "broadcaster") { a.ok = ms(e.at); a.layers = e.layers; a.checked = e.ms || 0; }
      feed("checks", e.at, `${who(e.actor)} verified segment ${e.seq || 0} of ${who(e.counterparty)}`, `${e.layers || ""}${e.ms ? " · " + e.ms + " ms" : ""}`);
    },
    output_rejected(e) {
      const a = attempt(segment(e), e);
      a.ended = ms(e.at); a.bad = "rejected"; a.why = why(e);
      state.verdicts.set("bad", (state.verdicts.get("bad") || 0) + 1);
      feed("checks", e.at, `${who(e.actor)} rejected segment ${e.seq || 0} of ${who(e.counterparty)}: not released, not paid`, why(e), true);
      alert("rejected " + e.counterparty, `${who(e.counterparty)} was caught cheating.`, `Its output is not what was asked for (${why(e)}). It was not released and not paid; another transcoder redid the segment.`);
    },
    segment_published(e) { const s = segment(e); s.published = ms(e.at); s.latency = e.ms || 0; s.msn = e.count || 0; },
    segment_failed(e) { const s = segment(e); s.failed = why(e); feed("checks", e.at, `segment ${e.seq || 0} was not published`, why(e), true); },
    bid_received(e) { state.bids.set(e.counterparty, { price: e.wei, free: e.count || 0, at: ms(e.at) }); },
    lease_awarded(e) { feed("leases", e.at, `${who(e.counterparty)} won the lease on ${e.stream}`, [e.wei ? gwei(e.wei) + " gwei a pixel" : "", e.ms ? "in " + e.ms + " ms" : "", e.detail].filter(Boolean).join(" · ")); },
    lease_declined(e) { feed("leases", e.at, `${who(e.counterparty)} declined a lease on ${e.stream}`, why(e), true); },
    transcoder_cut_off(e) {
      state.cut.set(e.counterparty, e);
      const old = document.querySelector(`[data-alert="${CSS.escape("rejected " + e.counterparty)}"]`);
      if (old) old.remove();
      alert("cut " + e.counterparty, `${who(e.counterparty)} is cut off.`, `It returned outputs that are not the job (${why(e) || "verification failed"}). None of them was released or paid; it gets no more work.`);
      feed("leases", e.at, `${who(e.counterparty)} was cut off`, why(e), true);
    },
    transcoder_restored(e) { state.cut.delete(e.counterparty); feed("leases", e.at, `${who(e.counterparty)} may work again`, e.detail); },
    ticket_sent(e) { hop(e).sent++; },
    ticket_won(e) { hop(e).won++; feed("wins", e.at, `${who(e.actor)} drew a winning ticket of ${who(e.counterparty)}`, e.wei ? eth(e.wei) + " ETH" : ""); },
    ticket_redeemed(e) { const h = hop(e); h.redeemed += e.count || 1; feed("wins", e.at, `${who(e.actor)} redeemed ${e.count || 1} on chain`, [e.wei ? eth(e.wei) + " ETH" : "", e.tx ? "tx " + short(e.tx) : ""].filter(Boolean).join(" · ")); soon(balances); },
    allocation_made(e) { feed("wins", e.at, `${who(e.actor)} set money aside for ${who(e.counterparty)}`, e.wei ? eth(e.wei) + " ETH" : ""); soon(balances); },
    stream_degraded(e) {
      alert("degraded " + e.stream, `${e.stream} does with less.`, `${e.detail || ""}`);
      feed("leases", e.at, `${e.stream}: ${(e.detail || "").split(":")[0].replaceAll("_", " ")}`, e.detail, true);
    },
    stream_restored(e) {
      const old = document.querySelector(`[data-alert="${CSS.escape("degraded " + e.stream)}"]`);
      if (old && /^whole/.test(e.detail || "")) old.remove();
      feed("leases", e.at, `${e.stream}: a step back up`, e.detail);
    },
    spend_cap_near(e) { alert("near " + e.detail, "A spend cap is nearly used up.", e.detail || ""); },
    segment_hedged(e) { feed("leases", e.at, `segment ${e.seq || 0} of ${e.stream} was also given to ${who(e.counterparty)}`, e.detail, true); },
    spend_cap_hit(e) { alert("cap", "A spend cap is reached.", e.detail || "Segments are refused until it allows more."); },
  };

  // hop says over which hop a ticket went: broadcaster to orchestrator, or orchestrator to transcoder.
  function hop(e) {
    const first = e.kind === "ticket_sent" ? e.role === "broadcaster" : e.role === "orchestrator";
    return first ? state.tickets.one : state.tickets.two;
  }

  // A browser that reconnects is shown old events again.
  function take(e) {
    const id = `${e.role} ${e.actor} ${e.id} ${e.kind}`;
    if (state.seen.has(id)) return;
    state.seen.add(id);
    if (state.seen.size > 8000) state.seen = new Set([...state.seen].slice(-4000));
    if (Object.hasOwn(handlers, e.kind)) handlers[e.kind](e);
    dirty = true;
  }

  let dirty = true;
  const span = (from, to, cls, scale, zero) => {
    const i = el("i", { class: cls });
    i.style.left = Math.max(0, (from - zero) / scale * 100) + "%";
    i.style.width = Math.max(0.4, (to - from) / scale * 100) + "%";
    return i;
  };

  function drawSegments() {
    const now = Date.now();
    const rows = [...state.segments.values()].filter((s) => s.began).slice(-14).reverse();
    const scale = Math.max(4000, ...rows.map((s) => (s.published || (s.failed ? s.began + 1000 : Math.min(now, s.began + 12000))) - s.began)) * 1.02;
    $("segments").replaceChildren(...rows.map((s) => {
      const track = el("div", { class: "track" });
      const attempts = [...s.attempts.values()];
      const good = attempts.find((a) => a.ok), bad = attempts.filter((a) => a.bad === "rejected");
      const end = s.published || (s.failed ? s.began : Math.min(now, s.began + 12000));
      const last = s.published ? Math.max(s.began, s.published - s.latency) : end;
      track.append(span(s.began, last, "in", scale, s.began));
      if (good) {
        const receipt = Math.max(last, good.ok - good.checked);
        track.append(span(last, receipt, "work", scale, s.began), span(receipt, Math.max(end, good.ok), "check", scale, s.began));
      }
      for (const a of bad) track.append(span(Math.max(s.began, (a.ended || end) - 90), a.ended || end, "badbar", scale, s.began));
      const by = good ? who(good.by) : attempts.length ? who(attempts.at(-1).by) : "";
      const state_ = s.failed ? el("span", { class: "chip bad", title: s.failed }, "failed") : good ? el("span", { class: "chip" }, good.layers || "L0")
        : el("span", { class: "chip wait" }, attempts.length ? "transcoding" : "arriving");
      const cell = el("td", {}, state_);
      if (bad.length) cell.append(" ", el("span", { class: "chip bad", title: bad.map((a) => `${who(a.by)}: ${a.why}`).join("\n") }, `rejected ${bad.map((a) => who(a.by)).join(", ")}`));
      return el("tr", {}, el("td", {}, el("span", { class: "mono" }, `${s.stream} ${s.incarnation ? s.incarnation + "/" : ""}${s.seq}`)), el("td", {}, track), el("td", {}, by), cell,
        el("td", { class: "num" }, s.published ? s.latency + " ms" : "…"));
    }));
    if (!rows.length) $("segments").append(el("tr", {}, el("td", { class: "empty", colSpan: 5 }, "No segment yet.")));
  }

  function drawBids() {
    const rows = [...state.bids].sort(([, a], [, b]) => (BigInt(a.price || 0) < BigInt(b.price || 0) ? -1 : 1));
    $("bids").replaceChildren(...rows.map(([a, b]) => el("tr", {}, el("td", {}, who(a)), el("td", { class: "num" }, b.price ? gwei(b.price) + " gwei/px" : "–"),
      el("td", { class: "num" }, (b.free / 1e6).toFixed(1) + " Mpx/s"), el("td", {}, state.cut.has(a) ? el("span", { class: "chip bad" }, "cut off") : el("span", { class: "chip" }, "bidding")))));
    if (!rows.length) $("bids").append(el("tr", {}, el("td", { class: "empty", colSpan: 4 }, "No bid heard yet.")));
  }

  function drawTickets() {
    const t = state.tickets;
    $("tickets").replaceChildren(...[["broadcaster → orchestrator", t.one], ["orchestrator → transcoders", t.two]].map(([name, h]) =>
      el("tr", {}, el("td", {}, name), el("td", { class: "num" }, String(h.sent)), el("td", { class: "num" }, String(h.won)), el("td", { class: "num" }, String(h.redeemed)))));
  }

  function drawTiles() {
    const s = state.stats;
    if (!s) return;
    const tiles = [[s.segments_published, "segments published"], [s.renditions_published, "renditions published"], [s.latency_ms.p50 + " ms", "median latency"], [s.latency_ms.p95 + " ms", "95th percentile"],
      [s.verified_l0, "outputs verified"], [s.verified_l1, "of them picture by picture"], [state.verdicts.get("bad") || 0, "outputs rejected", (state.verdicts.get("bad") || 0) > 0],
      [s.segments_late + s.segments_failed, "late or lost", s.segments_late + s.segments_failed > 0], [eth(s.spend.total) + " ETH", "spent for verified work"], [s.in_flight, "in flight"]];
    $("market").replaceChildren(...tiles.map(([v, label, bad]) => el("div", { class: bad ? "tile bad" : "tile" }, el("b", {}, String(v)), el("span", {}, label))));
  }

  function draw() {
    if (dirty || [...state.segments.values()].some((s) => s.began && !s.published && !s.failed)) {
      dirty = false;
      drawSegments(); drawBids(); drawTickets(); drawTiles();
    }
  }

  const get = async (url) => { const r = await fetch(url); if (!r.ok) throw new Error(url + " answered " + r.status); return r.json(); };
  const timers = new Map();
  const soon = (f) => { if (!timers.has(f)) timers.set(f, setTimeout(() => { timers.delete(f); f(); }, 600)); };

  async function stats() { try { state.stats = await get("/api/v1/stats"); dirty = true; } catch { /* the pill says so */ } }

  async function balances() {
    let b;
    try { b = await get("/api/v1/balances"); } catch { return; }
    for (const p of b.parties) state.names.set(p.address.toLowerCase(), p.name);
    const aside = new Map();
    for (const a of b.allocations) aside.set(a.payer, (aside.get(a.payer) || 0n) + BigInt(a.amount));
    $("balances").replaceChildren(...b.parties.map((p) => {
      const out = aside.get(p.address) || 0n;
      const all = BigInt(p.balance) + BigInt(p.escrow) + out;
      if (!state.first.has(p.address)) state.first.set(p.address, all);
      const delta = all - state.first.get(p.address);
      return el("tr", {}, el("td", {}, p.name), el("td", {}, el("code", { title: p.address }, short(p.address))), el("td", { class: "num" }, eth(p.balance)), el("td", { class: "num" }, eth(p.escrow)),
        el("td", { class: "num" }, out ? eth(out) : "–"), el("td", { class: "num " + (delta > 0n ? "up" : delta < 0n ? "down" : "") }, (delta > 0n ? "+" : "") + eth(delta)));
    }));
    $("chain-note").textContent = `ETH, read from chain ${b.chain_id}; escrow contract ${b.escrow}. Wallets also pay gas.`;
    dirty = true;
  }

  // Of many orchestrators, those that are given work and a few others are shown.
  async function sellers() {
    let all;
    try { all = await get("/api/v1/orchestrators"); } catch { return; }
    const shown = all.filter((o) => o.kept).concat(all.filter((o) => !o.kept)).slice(0, 12);
    $("sellers").replaceChildren(...shown.map((o) => {
      const by = /^0x0+$/.test(o.address) ? o.claimed : o.address;
      const chip = o.excluded ? el("span", { class: o.kept ? "chip wait" : "chip bad", title: [o.excluded, o.error].filter(Boolean).join(": ") }, o.kept ? "resting" : "not used")
        : el("span", { class: "chip" }, o.streams ? `serves ${o.streams}` : "ready");
      return el("tr", {}, el("td", { title: o.url }, /^0x0+$/.test(by) ? o.url : who(by)), el("td", {}, o.sources.join(", ") || "–"),
        el("td", { class: "num" }, o.prices && o.prices.h264 ? gwei(o.prices.h264) + " gwei/px" : "–"), el("td", {}, o.region || "–"),
        el("td", { class: "num" }, o.rtt_ms ? o.rtt_ms.toFixed(1) + " ms" : "–"), el("td", { class: "num" }, o.quality ? o.quality.half_within_ms + " ms" : "–"),
        el("td", { class: "num" }, `${o.passed} of ${o.passed + o.failed}`), el("td", {}, chip));
    }));
    if (!shown.length) $("sellers").append(el("tr", {}, el("td", { class: "empty", colSpan: 8 }, "No orchestrator is known of.")));
    $("seller-note").textContent = all.length > shown.length ? `${all.length - shown.length} more are known of.` : "";
  }

  function connect() {
    const source = new EventSource("/api/v1/events");
    const pill = $("link");
    source.onopen = () => { pill.textContent = "live"; pill.className = "pill live"; };
    source.onerror = () => { pill.textContent = "reconnecting"; pill.className = "pill off"; };
    source.onmessage = (m) => { try { take(JSON.parse(m.data)); } catch (err) { if (!(err instanceof SyntaxError)) throw err; } };
  }

  balances().then(connect);
  stats();
  setInterval(stats, 2000);
  sellers();
  setInterval(sellers, 4000);
  setInterval(balances, 5000);
  setInterval(draw, 300);
})();
