// Plays the page of a running market in headless Chromium: every rendition must show moving pictures, with no error and no
// warning of hls.js. Usage: node play.js URL. Needs KINORA_CHROMIUM and playwright-core on NODE_PATH.
const { chromium } = require('playwright-core');

(async () => {
  const url = process.argv[2];
  const browser = await chromium.launch({
    executablePath: process.env.KINORA_CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--mute-audio'],
  });
  const problems = [];
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) problems.push(`console ${m.type()}: ${m.text()}`); });
    page.on('pageerror', (e) => problems.push(`page error: ${e.message}`));
    await page.goto(url, { waitUntil: 'load' });
    await page.waitForFunction(() => window.kinora && window.kinora.hls && window.kinora.hls.levels.length > 0, null, { timeout: 60000 });
    await page.evaluate(() => {
      window.kinoraErrors = [];
      window.kinora.hls.on('hlsError', (_, d) => window.kinoraErrors.push({ what: `${d.type}/${d.details}`, fatal: d.fatal }));
    });
    const levels = await page.evaluate(() => window.kinora.hls.levels.map((l) => `${l.width}x${l.height}`));
    for (let level = 0; level < levels.length; level++) {
      await page.evaluate((n) => { window.kinora.hls.currentLevel = n; }, level);
      const [w, h] = levels[level].split('x').map(Number);
      await page.waitForFunction(([w, h]) => { const v = document.querySelector('video'); return v.videoWidth === w && v.videoHeight === h; },
        [w, h], { timeout: 30000 });
      const plays = async (seconds) => {
        const from = await page.evaluate(() => document.querySelector('video').currentTime);
        await page.waitForFunction((t) => document.querySelector('video').currentTime > t, from + seconds, { timeout: 30000 });
      };
      const complaints = () => page.evaluate(() => window.kinoraErrors.splice(0));
      // Switching at once throws away what is loading and what is buffered, which hls.js remarks on; after that, nothing may be.
      await plays(1);
      problems.push(...(await complaints()).filter((e) => e.fatal).map((e) => `hls.js, switching to ${levels[level]}: ${e.what}`));
      await plays(3);
      // A stall at the live edge is the machine's, everything else is ours.
      problems.push(...(await complaints()).filter((e) => e.fatal || !/bufferStalledError|bufferNudgeOnStall/.test(e.what))
        .map((e) => `hls.js, playing ${levels[level]}: ${e.what}`));
      const lit = await page.evaluate(() => {
        const v = document.querySelector('video');
        const c = document.createElement('canvas'); c.width = 32; c.height = 18;
        const g = c.getContext('2d'); g.drawImage(v, 0, 0, 32, 18);
        const d = g.getImageData(0, 0, 32, 18).data;
        let sum = 0; for (let i = 0; i < d.length; i += 4) sum += d[i] + d[i + 1] + d[i + 2];
        return sum / (d.length / 4) / 3;
      });
      if (lit < 20) problems.push(`rendition ${levels[level]} shows black (mean level ${lit.toFixed(1)})`);
    }
    if (process.env.KINORA_SCREENSHOT) await page.screenshot({ path: process.env.KINORA_SCREENSHOT, fullPage: true });
    console.log(`played ${levels.join(', ')}`);
  } catch (e) {
    problems.push(e.message);
  } finally {
    await browser.close();
  }
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exit(1);
  }
})();
