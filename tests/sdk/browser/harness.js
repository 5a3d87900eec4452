// Checks in a real, headless Chromium: each in its own browser profile, printed with its outcome.
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const same = (found, wanted, what) => {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left}, not ${right}`);
};

export const isTrue = (condition, what) => {
  if (!condition) throw new Error(what);
};

// The longest check takes half a minute on a quiet machine; a page that hangs would be waited for without end.
const LIMIT_SECONDS = 150;
const CLOSING_SECONDS = 10;
const pass = (seconds) => new Promise((done) => setTimeout(done, seconds * 1_000).unref());
const late = () =>
  pass(LIMIT_SECONDS).then(() => {
    throw new Error(`not within ${LIMIT_SECONDS} s`);
  });

/** How a browser is launched. */
export const launching = (flags = [], options = {}) => ({
  executablePath: CHROMIUM,
  headless: true,
  args: [...FLAGS, ...flags],
  ...options,
});

/**
 * Starts the browser (playwright's `chromium`). `check` runs one rule, beside others (a few at once) unless it is waited
 * for; `end` waits for all, tells the sum and ends the process.
 */
export async function start(chromium, suite, flags = [], { atOnce = 4, ...options } = {}) {
  const { ARTIFACTS } = process.env;
  const browser = await chromium.launch(launching(flags, options));
  const all = [];
  const running = new Set();
  let passed = 0;
  let failed = 0;

  /** What a failed check's tabs showed, for whoever looks for the reason. */
  async function keep(profile, number) {
    for (const [index, tab] of profile.pages().entries()) {
      const path = `${ARTIFACTS}/failed-${number}-${index + 1}.png`;
      await tab.screenshot({ path, timeout: 5_000 }).then(
        () => console.log(`       ${tab.url()} as it looked: ${path}`),
        (error) => console.log(`       ${tab.url()}: no screenshot, ${error.message}`),
      );
    }
  }

  function check(title, act) {
    const done = inTurn(() => run(title, act));
    all.push(done);
    return done;
  }

  async function inTurn(act) {
    while (running.size >= atOnce) await Promise.race(running);
    const acting = act();
    running.add(acting);
    await acting;
    running.delete(acting);
  }

  async function run(title, act) {
    const begin = Date.now();
    const profile = await browser.newContext();
    profile.setDefaultTimeout(30_000);
    let outcome = "ok    ";
    try {
      await Promise.race([act(profile), late()]);
      passed += 1;
    } catch (error) {
      failed += 1;
      outcome = "FAILED";
      console.log(`       ${error.message}`);
      await keep(profile, failed);
    }
    console.log(`${outcome} ${suite}: ${title} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
    await Promise.race([profile.close(), pass(CLOSING_SECONDS)]);
  }

  async function end() {
    await Promise.all(all);
    await browser.close();
    console.log(`screenshots: ${ARTIFACTS}`);
    console.log(`${passed} passed, ${failed} failed`);
    process.exit(failed ? 1 : 0);
  }

  return { check, end };
}
