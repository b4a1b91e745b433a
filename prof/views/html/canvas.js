/* What the drawn views share: colours of the theme, canvases that show a part of something tall, text that
 * fits, and the tip. */

const theme = {};
const redraws = []; /* of every drawn view */

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['card', 'line', 'ink', 'soft', 'faint', 'grid', 'axis', 'block', 'block2', 'heat1', 'heat2', 'heat3',
    'found', 'onfound', 'dim', 'kernel', 'upload', 'download', 'copy', 'fill', 'call', 'wait', 'other', 'select', 'blue',
    'series1', 'series2', 'series3', 'series4']) theme[name] = style.getPropertyValue(`--${name}`).trim();
}

const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/* Colour of a site: stronger the greater its own part of what is shown; quiet ones differ a little, so that
 * neighbours can be told apart. */
function siteColour(site, shares = siteShare) {
  if (site < 0) return theme.other;
  const share = shares[site];
  if (share >= 0.2) return theme.heat3;
  if (share >= MARK) return theme.heat2;
  if (share >= 0.01) return theme.heat1;
  return site % 2 ? theme.block : theme.block2;
}

function siteInk(site, shares = siteShare) {
  return site >= 0 && shares[site] >= 0.2 ? '#ffffff' : theme.ink;
}

/* A context in CSS pixels, cleared. `width` and `height` are what is shown; nothing when hidden. */
function prepare(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  const across = Math.max(1, Math.round(width * scale)), down = Math.max(1, Math.round(height * scale));
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = 'middle';
  return context;
}

const CHARACTER = 6.1; /* px, on average: what does not fit is not measured */

function fitText(context, text, x, y, room) {
  if (room < 3 * CHARACTER) return;
  let shown = text;
  if (context.measureText(shown.slice(0, 400)).width > room) {
    let low = 0, high = Math.min(shown.length, Math.ceil(room / 3));
    while (low < high) { /* the longest beginning that fits with its dots */
      const middle = (low + high + 1) >> 1;
      if (context.measureText(`${shown.slice(0, middle)}…`).width <= room) low = middle;
      else high = middle - 1;
    }
    if (low < 2) return;
    shown = `${shown.slice(0, low)}…`;
  }
  context.fillText(shown, x, y);
}

/* ---- redrawing: at most once a frame ---- */

function onFrame(draw) {
  let asked = false;
  const request = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
  redraws.push(draw);
  return request;
}

function redrawAll() {
  readTheme();
  for (const draw of redraws) draw();
}

function watchTheme() {
  readTheme();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll);
  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    if (width === window.innerWidth) return;
    width = window.innerWidth;
    redrawAll();
  });
  window.addEventListener('beforeprint', () => { /* on paper: light, whatever the screen has */
    document.documentElement.dataset.print = '';
    redrawAll();
  });
  window.addEventListener('afterprint', () => {
    delete document.documentElement.dataset.print;
    redrawAll();
  });
}

/* ---- the tip ---- */

const tip = {
  show(title, place, rows, x, y) {
    const box = element('tip');
    const list = make('dl');
    for (const [name, value] of rows) list.append(make('dt', {}, name), make('dd', {}, value));
    box.replaceChildren(make('b', {}, title), place ? make('span', {class: 'place'}, place) : '', list);
    box.hidden = false;
    const {width, height} = box.getBoundingClientRect();
    const left = x + 14 + width > window.innerWidth ? x - 14 - width : x + 14;
    const top = y + 14 + height > window.innerHeight ? y - 14 - height : y + 14;
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${Math.max(4, top)}px`;
  },
  hide() {
    element('tip').hidden = true;
  },
};

function legend(id, entries) {
  const list = element(id);
  list.replaceChildren(...entries.map(([colour, text]) => {
    const patch = make('i');
    patch.style.background = `var(--${colour})`;
    return make('li', {}, patch, text);
  }));
}
