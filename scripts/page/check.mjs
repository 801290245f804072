// Opens pages in Chromium and says what is wrong with them: node check.mjs PAGES SCREENSHOTS [--quick] [--accept].
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [pages, screenshots, ...options] = process.argv.slice(2);
const quick = options.includes('--quick');
const accept = options.includes('--accept');

const DESKTOP = { width: 1200, height: 900 };
const PHONE = { width: 390, height: 844 };
// Mean difference of a channel (0 to 255) between two screenshots, each shrunk to a sixteenth: fonts may differ a little.
const TOLERANCE = 6;

let failures = 0;
let checks = 0;
function check(ok, what, details = '') {
  checks += 1;
  if (!ok) {
    failures += 1;
    console.error(`FAILED: ${what}${details ? `\n  ${details}` : ''}`);
  }
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', `--crash-dumps-dir=${mkdtempSync(join(tmpdir(), 'crash-'))}`],
});

// Opens a page; whatever it says on the console or asks for is kept.
async function open(file, scheme, viewport) {
  const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const noise = [];
  page.on('console', (message) => noise.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => noise.push(`error: ${error}`));
  page.on('request', (request) => {
    if (!request.url().startsWith('file://')) noise.push(`asked for ${request.url()}`);
  });
  page.on('requestfailed', (request) => noise.push(`could not load ${request.url()}`));
  await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
  return { context, page, noise };
}

async function violations(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
  }));
  return result.violations.map((one) => `${one.id} (${one.nodes.length}): ${one.nodes[0].target} ${one.nodes[0].failureSummary}`);
}

// Goes through the page with Tab: every place that takes the focus, in the order of the document, each of them visible.
async function keyboard(page) {
  const wrong = [];
  const expected = await page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], summary, button, [tabindex="0"]')];
    const shown = all.filter((one) => one.checkVisibility());
    shown.forEach((one, index) => one.setAttribute('data-order', String(index)));
    return shown.length;
  });
  for (let index = 0; index < expected; index += 1) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(() => {
      const focused = document.activeElement;
      const box = focused.getBoundingClientRect();
      const style = getComputedStyle(focused);
      return {
        order: focused.getAttribute('data-order'),
        what: focused.outerHTML.slice(0, 80),
        visible: box.width > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight,
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1,
      };
    });
    if (found.order !== String(index)) wrong.push(`place ${index} of ${expected}: got ${found.order}, ${found.what}`);
    if (!found.visible) wrong.push(`not on the screen: ${found.what}`);
    if (!found.outlined) wrong.push(`no outline: ${found.what}`);
    if (index === 0 && !found.what.includes('class="skip"')) wrong.push(`the first place is no way past the head: ${found.what}`);
  }
  // A summary opens with the keyboard.
  const summary = page.locator('summary').first();
  if (await summary.count()) {
    await summary.focus();
    await page.keyboard.press('Enter');
    if (!(await summary.evaluate((one) => one.parentElement.open))) wrong.push('a summary does not open with Enter');
  }
  return wrong;
}

// Reads a chart's values and looks at it closely, with the keyboard and with the mouse.
async function charts(page) {
  const wrong = [];
  const expect = (ok, what) => { if (!ok) wrong.push(what); };
  const figure = page.locator('figure').first();
  const opener = figure.locator('button.zoom');
  if (!(await opener.count())) return ['a chart has no button to look at it closely'];
  const says = () => figure.locator('output').textContent();
  await opener.focus();
  await page.keyboard.press('Home');
  const first = await says();
  expect(/\d/.test(first), `Home shows no value: "${first}"`);
  await page.keyboard.press('ArrowRight');
  const second = await says();
  expect(second !== first, 'the arrow to the right shows no other value');
  await page.keyboard.press('ArrowLeft');
  expect((await says()) === first, 'the arrow to the left does not go back');
  await page.keyboard.press('End');
  const last = await says();
  const titles = await figure.locator('svg title').allTextContents();
  expect(last === titles.at(-1) && first === titles[0], `first and last are "${first}" and "${last}"`);

  await page.keyboard.press('Enter');
  const dialog = page.locator('dialog');
  if (!(await dialog.evaluate((one) => one.open))) return [...wrong, 'Enter does not open the chart'];
  const width = () => dialog.locator('svg').evaluate((one) => one.viewBox.baseVal.width);
  const all = await width();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  expect((await width()) === all / 4, 'plus twice does not show a quarter');
  await page.keyboard.press('Home');
  expect((await dialog.locator('output').textContent()) === first, 'Home shows another value in the open chart');
  const inside = await dialog.locator('svg').evaluate((one) => {
    const [box, dot] = [one.viewBox.baseVal, one.querySelector('.at')];
    const [x, y] = [dot.cx.baseVal.value, dot.cy.baseVal.value];
    return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
  });
  expect(inside, 'the value looked at is outside of what is shown');
  await page.keyboard.press('0');
  expect((await width()) === all, 'nought does not show the whole chart');
  const broken = await violations(page);
  expect(broken.length === 0, `the open chart: ${broken.join('; ')}`);
  await page.keyboard.press('Escape');
  expect(!(await dialog.evaluate((one) => one.open)), 'Escape does not close the chart');
  expect(await opener.evaluate((one) => document.activeElement === one), 'the focus does not come back to the button');

  const svg = figure.locator('svg');
  const box = await svg.boundingBox();
  await svg.scrollIntoViewIfNeeded();
  await svg.hover({ position: { x: box.width * 0.25, y: box.height * 0.5 } });
  const left = await says();
  await svg.hover({ position: { x: box.width * 0.9, y: box.height * 0.5 } });
  expect((await says()) !== left && left !== last, 'the mouse shows no value of the place it is at');
  return wrong;
}

async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

// Mean difference of two pictures, shrunk: taken in the browser, which can read PNG.
async function difference(page, one, other) {
  return page.evaluate(async ([a, b]) => {
    const load = async (data) => createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const [first, second] = [await load(a), await load(b)];
    const [width, height] = [Math.ceil(first.width / 16), Math.ceil(first.height / 16)];
    const pixels = (image) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext('2d');
      context.imageSmoothingQuality = 'high';
      context.drawImage(image, 0, 0, width, height);
      return context.getImageData(0, 0, width, height).data;
    };
    const [x, y] = [pixels(first), pixels(second)];
    let sum = 0;
    for (let index = 0; index < x.length; index += 1) sum += Math.abs(x[index] - y[index]);
    const stretched = Math.abs(first.height - second.height) / first.height;
    return { mean: sum / x.length, stretched };
  }, [one.toString('base64'), other.toString('base64')]);
}

// The checks themselves must be able to fail: a page that is broken on purpose is refused in each respect.
async function selfTest(file) {
  const { context, page, noise } = await open(file, 'light', PHONE);
  await page.evaluate(() => {
    console.error('on purpose');
    document.head.insertAdjacentHTML('beforeend', '<style>.note{color:#ddd!important}:focus-visible{outline:none!important}</style>');
    document.body.insertAdjacentHTML('beforeend', '<div style="width:3000px">wide</div><a href="#x" tabindex="5">first</a>');
    document.body.insertAdjacentHTML('beforeend', '<img alt="x" src="http://127.0.0.1:9/x.png">');
  });
  await page.waitForTimeout(300);
  check(noise.some((line) => line.includes('on purpose')), 'self-test: an error on the console is seen');
  check(noise.some((line) => line.includes('127.0.0.1:9')), 'self-test: a picture from elsewhere is seen');
  check((await violations(page)).some((line) => line.startsWith('color-contrast')), 'self-test: pale text is seen');
  check((await keyboard(page)).length > 0, 'self-test: a wrong order of the keyboard is seen');
  await page.evaluate(() => { document.querySelector('figure').replaceWith(document.querySelector('figure').cloneNode(true)); });
  check((await charts(page)).length > 0, 'self-test: a chart whose script is gone is seen');
  check((await overflow(page)) > 0, 'self-test: a page wider than the phone is seen');
  const before = await page.screenshot();
  await page.evaluate(() => { document.body.style.background = '#802020'; });
  const { mean } = await difference(await blank(), before, await page.screenshot());
  check(mean > TOLERANCE, 'self-test: another picture is seen', `difference ${mean.toFixed(2)}`);
  await context.close();
}

let empty;
async function blank() {
  empty ??= await (await browser.newContext()).newPage();
  return empty;
}

const files = readdirSync(pages).filter((name) => name.endsWith('.html')).sort();
check(files.length > 0, 'there are pages to look at');
await selfTest(join(pages, files[0]));
for (const name of quick ? files.slice(0, 1) : files) {
  const file = join(pages, name);
  for (const scheme of ['light', 'dark']) {
    for (const [device, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
      const where = `${name}, ${scheme}, ${device}`;
      const { context, page, noise } = await open(file, scheme, viewport);
      check(noise.length === 0, `${where}: nothing on the console, nothing loaded`, noise.join('\n  '));
      const beside = await overflow(page);
      check(beside <= 0, `${where}: no wider than the screen`, `${beside} pixels`);
      if (!quick) {
        const picture = await page.screenshot({ fullPage: false });
        const kept = join(screenshots, `${name.replace('.html', '')}-${scheme}-${device}.png`);
        if (accept) {
          mkdirSync(screenshots, { recursive: true });
          writeFileSync(kept, picture);
        }
        check(existsSync(kept), `${where}: there is a screenshot to compare with`, `scripts/test-page --accept makes ${kept}`);
        if (existsSync(kept)) {
          const { mean, stretched } = await difference(await blank(), readFileSync(kept), picture);
          check(mean <= TOLERANCE && stretched <= 0.05, `${where}: looks as before`,
            `mean difference ${mean.toFixed(2)} of ${TOLERANCE}, height ${(stretched * 100).toFixed(1)} %`);
        }
      }
      const wrong = await violations(page);
      check(wrong.length === 0, `${where}: accessible`, wrong.join('\n  '));
      const keys = await keyboard(page);
      check(keys.length === 0, `${where}: usable with the keyboard alone`, keys.join('\n  '));
      if (device === 'desktop') {
        const looked = await charts(page);
        check(looked.length === 0, `${where}: charts show their values and zoom`, looked.join('\n  '));
        await page.emulateMedia({ media: 'print', colorScheme: scheme });
        const ink = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        check(ink === 'rgb(255, 255, 255)', `${where}: printed on white`, ink);
        const paper = await page.pdf({ format: 'A4' });
        check(paper.length > 20_000, `${where}: prints`, `${paper.length} bytes`);
      }
      await context.close();
    }
  }
}
await browser.close();
console.log(`test-page: ${checks} checks of ${quick ? 1 : files.length} pages, ${failures} failed`);
process.exit(failures ? 1 : 0);
