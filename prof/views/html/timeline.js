/* The timeline: rows of blocks over time. A row is drawn in steps of at least a pixel, found by bisection: the
 * work goes with the screen, however many blocks there are. The memory chart shares the axis. */

const axis = {from: 0, to: 1, listeners: [],
  set(from, to) { /* within the capture, never narrower than 20 ns */
    const whole = Math.max(wall, 20), span = Math.min(whole, Math.max(20, to - from));
    axis.from = Math.max(0, Math.min(from, whole - span));
    axis.to = axis.from + span;
    for (const tell of axis.listeners) tell();
  },
  zoom(factor, around) {
    axis.set(around - (around - axis.from) * factor, around + (axis.to - around) * factor);
  },
  steps(width) { /* of about 110 px at a round number */
    const least = (axis.to - axis.from) * 110 / Math.max(width, 110), ten = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 5, 10].map((digit) => digit * ten).find((step) => step >= least);
  }};

const GUTTER = 132;

const timeline = (() => {
  const ROW = 17, HEAD = 24, GAP = 7, ARROWS = 300;
  const ROWS = 14; /* of a section that is not opened */
  const canvas = element('timeline-canvas'), scroller = element('timeline-scroller');
  let sections = [], tall = 0, drag = null, armed = false, selected = null, arrows = 0, drawn = 0, visible = 0;
  let launchers = []; /* rows of spans by thread: where arrows begin */

  /* A deep thread would push all others out of sight: of more than ROWS rows of spans the first are shown, a
   * click on the name opens it. */
  function place() {
    tall = HEAD;
    for (const section of sections) {
      section.top = tall;
      const spans = section.all.filter((row) => row.kind === 'span').length;
      section.folds = spans > ROWS + 1;
      section.rows = section.folds && !section.open ? section.all.filter((row, at) => row.kind !== 'span' || at < ROWS) :
        section.all;
      for (const row of section.rows) {
        row.top = tall;
        tall += ROW;
      }
      if (section.folds) tall += ROW; /* how many more */
      tall += GAP;
    }
  }

  const width = () => Math.max(50, scroller.clientWidth - GUTTER);
  const xOf = (time) => GUTTER + (time - axis.from) / (axis.to - axis.from) * width();
  const timeOf = (x) => axis.from + (x - GUTTER) / width() * (axis.to - axis.from);

  /* First of the ascending values that is beyond `wanted`, from `low` on. */
  function beyond(values, wanted, low) {
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  function drawRow(context, row, y) {
    const nsPerPixel = (axis.to - axis.from) / width(), right = GUTTER + width();
    for (let i = beyond(row.end, axis.from, 0); i < row.start.length && row.start[i] < axis.to;) {
      const x = Math.max(GUTTER, xOf(row.start[i])), end = Math.min(right, xOf(row.end[i]));
      const across = Math.max(1, end - x);
      context.fillStyle = lanes.colourOf(row.kind, row.items[i]);
      context.fillRect(x, y, across > 4 ? across - 1 : across, ROW - 2);
      drawn++;
      if (across > 26) {
        context.fillStyle = lanes.inkOf(row.kind, row.items[i]);
        fitText(context, lanes.nameOf(row.kind, row.items[i]), x + 4, y + ROW / 2 - 1, across - 7);
      }
      if (selected && selected.row === row && selected.at === i) {
        context.strokeStyle = theme.select;
        context.lineWidth = 2;
        context.strokeRect(x + 1, y + 1, Math.max(1, across - 2), ROW - 4);
      }
      /* Blocks that begin within the same pixel are one on the screen. */
      i = across > 1 ? i + 1 : beyond(row.start, row.start[i] + nsPerPixel, i + 1);
    }
  }

  function drawAxis(context, height) {
    const step = axis.steps(width());
    context.fillStyle = theme.card;
    context.fillRect(0, 0, GUTTER + width(), HEAD - 4);
    context.textAlign = 'center';
    for (let time = Math.ceil(axis.from / step) * step; time <= axis.to; time += step) {
      const x = Math.round(xOf(time)) + 0.5;
      context.fillStyle = theme.grid;
      context.fillRect(x, HEAD - 6, 1, height);
      context.fillStyle = theme.soft;
      if (x > GUTTER + 20 && x < GUTTER + width() - 24) context.fillText(axisText(time, step), x, 9);
    }
    context.textAlign = 'start';
  }

  function axisText(time, step) {
    const unit = axis.to >= 1e9 ? [1e9, 's'] : axis.to >= 1e6 ? [1e6, 'ms'] : axis.to >= 1e3 ? [1e3, 'µs'] : [1, 'ns'];
    const places = Math.max(0, Math.min(9, -Math.floor(Math.log10(step / unit[0]) + 1e-9)));
    return `${(time / unit[0]).toFixed(places)} ${unit[1]}`;
  }

  /* ---- launch arrows ---- */

  /* Row in which the launch of an operation is seen: the calls of its thread, else its span. */
  function launcher(item) {
    const own = launchers[operations.thread[item]];
    if (!own || operations.launch[item] < 0) return null;
    const time = operations.start[item] - operations.launch[item];
    let best = null;
    for (const row of own.rows) {
      const at = beyond(row.start, time, 0) - 1;
      if (at >= 0 && row.end[at] >= time) best = row;
    }
    return best ? {row: best, time} : {row: own.rows[own.rows.length - 1], time};
  }

  function drawArrow(context, item, row, strong) {
    const from = launcher(item);
    if (!from) return false;
    const x1 = xOf(from.time), x2 = xOf(operations.start[item]);
    const y1 = from.row.top - scroller.scrollTop + ROW - 3, y2 = row.top - scroller.scrollTop + 1;
    if (Math.max(x1, x2) < GUTTER || Math.min(x1, x2) > GUTTER + width()) return false;
    const bend = Math.max(20, (y2 - y1) / 2);
    context.strokeStyle = strong ? theme.select : theme.faint;
    context.lineWidth = strong ? 2 : 1;
    context.globalAlpha = strong ? 1 : 0.55;
    context.beginPath();
    context.moveTo(x1, y1);
    context.bezierCurveTo(x1, y1 + bend, x2, y2 - bend, x2, y2);
    context.moveTo(x2 - 3.5, y2 - 6);
    context.lineTo(x2, y2);
    context.lineTo(x2 + 3.5, y2 - 6);
    context.stroke();
    context.globalAlpha = 1;
    return true;
  }

  /* Of all launches in view when they are few; of the selected operation always. */
  function drawArrows(context) {
    const wanted = [];
    visible = 0;
    for (const section of sections) {
      for (const row of section.rows) {
        if (row.kind !== 'operation') continue;
        const first = beyond(row.end, axis.from, 0), last = beyond(row.start, axis.to, first);
        visible += last - first;
        for (let i = first; i < last && visible <= ARROWS; i++) wanted.push([row.items[i], row]);
      }
    }
    arrows = 0;
    if (visible <= ARROWS) {
      const drawnAlready = new Set(); /* of several at one place one is enough */
      for (const [item, row] of wanted) {
        const place = `${row.top} ${Math.round(xOf(operations.start[item]) / 5)} ` +
          Math.round(xOf(operations.start[item] - operations.launch[item]) / 5);
        if (drawnAlready.has(place)) continue;
        drawnAlready.add(place);
        if (drawArrow(context, item, row, false)) arrows++;
      }
    }
    if (selected && selected.row.kind === 'operation') {
      drawArrow(context, selected.row.items[selected.at], selected.row, true);
    }
  }

  /* ---- all of it ---- */

  function drawGutter(context, height) {
    context.clearRect(0, 0, GUTTER, height);
    context.fillStyle = theme.line;
    context.fillRect(GUTTER - 1, 0, 1, height);
    for (const section of sections) {
      const y = section.top - scroller.scrollTop, rest = section.all.length - section.rows.length;
      const bottom = y + (section.rows.length + (section.folds ? 1 : 0)) * ROW;
      if (bottom < 0 || y > height) continue;
      context.fillStyle = theme.grid;
      context.fillRect(0, bottom + GAP / 2, GUTTER + width(), 1);
      context.fillStyle = theme.ink;
      fitText(context, section.title, 8, Math.min(Math.max(y + ROW / 2, HEAD), bottom - ROW / 2), GUTTER - 14);
      if (!section.folds) continue;
      context.fillStyle = theme.blue;
      fitText(context, rest ? `${rest} more rows` : 'fewer rows', 8, bottom - ROW / 2, GUTTER - 14);
    }
  }

  function draw() {
    if (!sections.length || scroller.clientWidth === 0) return;
    scroller.firstElementChild.style.height = `${tall}px`;
    const height = scroller.clientHeight, top = scroller.scrollTop;
    const context = prepare(canvas, scroller.clientWidth, height);
    drawn = 0;
    drawAxis(context, height);
    context.save();
    context.beginPath();
    context.rect(GUTTER, HEAD - 2, width(), height);
    context.clip();
    for (const section of sections) {
      for (const row of section.rows) {
        const y = row.top - top;
        if (y > HEAD - ROW && y < height) drawRow(context, row, y);
      }
    }
    drawArrows(context);
    if (drag && drag.select) {
      context.fillStyle = theme.blue;
      context.globalAlpha = 0.25;
      context.fillRect(Math.min(drag.x, drag.now), 0, Math.abs(drag.now - drag.x), height);
      context.globalAlpha = 1;
    }
    context.restore();
    drawGutter(context, height);
    tellRange();
  }

  const redraw = onFrame(draw);

  function tellRange() {
    const span = axis.to - axis.from;
    const launches = operations.count && visible > ARROWS ?
      `; ${countText(visible)} GPU operations in view, launch arrows from ${ARROWS} down` : '';
    element('timeline-range').textContent =
      `${axisText(axis.from, span / 100)} to ${axisText(axis.to, span / 100)}: ${timeText(span)}${launches}`;
  }

  function find(x, y) {
    const level = y + scroller.scrollTop, slack = (axis.to - axis.from) / width();
    if (x < GUTTER || y < HEAD - 4) return null;
    for (const section of sections) {
      for (const row of section.rows) {
        if (level < row.top || level >= row.top + ROW) continue;
        const time = timeOf(x), at = beyond(row.start, time + slack / 2, 0) - 1;
        return at >= 0 && row.end[at] >= time - slack ? {row, at} : null;
      }
    }
    return null;
  }

  function select(found) {
    selected = found;
    if (found) {
      const [title, place, rows] = lanes.describe(found.row.kind, found.row.items[found.at]);
      element('timeline-detail').textContent = `${title} — ${place}; ${rows.map((pair) => pair.join(' ')).join(', ')}`;
    } else {
      element('timeline-detail').textContent = '';
    }
    redraw();
  }

  function zoomTo(found) {
    const start = found.row.start[found.at], end = found.row.end[found.at];
    const margin = Math.max(10, (end - start) * 0.06);
    axis.set(start - margin, end + margin);
  }

  function onWheel(event) {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const move = (event.deltaX || event.deltaY) / width() * (axis.to - axis.from);
      axis.set(axis.from + move, axis.to + move);
    } else if (event.ctrlKey || event.metaKey || armed) {
      axis.zoom(1.0015 ** Math.max(-400, Math.min(400, event.deltaY)), timeOf(Math.max(GUTTER, event.offsetX)));
    } else {
      return; /* the page scrolls */
    }
    event.preventDefault();
  }

  function onMove(event) {
    if (drag) {
      drag.moved = drag.moved || Math.abs(event.offsetX - drag.x) > 3;
      drag.now = event.offsetX;
      if (!drag.select) {
        const move = (drag.x - event.offsetX) / width() * (drag.to - drag.from);
        axis.set(drag.from + move, drag.to + move);
      }
      return redraw();
    }
    const found = find(event.offsetX, event.offsetY);
    if (!found) return tip.hide();
    return tip.show(...lanes.describe(found.row.kind, found.row.items[found.at]), event.clientX, event.clientY);
  }

  function onUp(event) {
    if (!drag) return;
    const {x, now, moved, select: range} = drag;
    drag = null;
    if (range && moved) axis.set(Math.min(timeOf(x), timeOf(now)), Math.max(timeOf(x), timeOf(now)));
    else if (!moved && event.offsetX < GUTTER) fold(event.offsetY + scroller.scrollTop);
    else if (!moved) select(find(event.offsetX, event.offsetY));
    redraw();
  }

  function fold(level) {
    const section = sections.find((of) => level >= of.top && level < of.top + (of.rows.length + 1) * ROW);
    if (section) section.open = !section.open;
    place();
  }

  /* All sections at once: for the keyboard. */
  function foldAll() {
    const open = !sections.every((section) => section.open);
    for (const section of sections) section.open = open;
    place();
    redraw();
  }

  function onKey(event) {
    const part = (axis.to - axis.from) * 0.15, middle = (axis.from + axis.to) / 2;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'ArrowLeft') axis.set(axis.from - part, axis.to - part);
    else if (event.key === 'ArrowRight') axis.set(axis.from + part, axis.to + part);
    else if (event.key === 'ArrowUp') scroller.scrollTop -= 3 * ROW;
    else if (event.key === 'ArrowDown') scroller.scrollTop += 3 * ROW;
    else if (event.key === '+' || event.key === '=') axis.zoom(0.6, middle);
    else if (event.key === '-') axis.zoom(1 / 0.6, middle);
    else if (event.key === '0' || event.key === 'Home') axis.set(0, wall);
    else if (event.key === 'o') foldAll();
    else if (event.key === 'Escape') select(null);
    else return;
    event.preventDefault();
  }

  function listen() {
    const middle = () => (axis.from + axis.to) / 2;
    element('timeline-in').addEventListener('click', () => axis.zoom(0.5, middle()));
    element('timeline-out').addEventListener('click', () => axis.zoom(2, middle()));
    element('timeline-all').addEventListener('click', () => axis.set(0, wall));
    scroller.addEventListener('scroll', redraw);
    canvas.addEventListener('wheel', onWheel, {passive: false});
    canvas.addEventListener('focus', () => { armed = true; });
    canvas.addEventListener('blur', () => { armed = false; });
    canvas.addEventListener('keydown', onKey);
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      tip.hide();
      drag = {x: event.offsetX, now: event.offsetX, from: axis.from, to: axis.to, select: event.shiftKey, moved: false};
    });
    canvas.addEventListener('pointermove', onMove);
    canvas.addEventListener('pointerup', onUp);
    canvas.addEventListener('pointercancel', () => { drag = null; });
    canvas.addEventListener('pointerleave', tip.hide);
    canvas.addEventListener('dblclick', (event) => {
      const found = find(event.offsetX, event.offsetY);
      if (found) zoomTo(found);
    });
  }

  function start() {
    sections = lanes.build().map((section) => ({...section, all: section.rows, open: false}));
    launchers = data.threads.map((_, thread) => sections.find((section) => section.thread === thread));
    place();
    axis.set(0, wall);
    if (!sections.length) {
      element('timeline-detail').textContent = 'No single spans were kept in this capture.';
      scroller.hidden = true;
    }
    const entries = [['heat3', 'spans of functions with 20 % of all own time'], ['heat2', '5 %'], ['heat1', '1 %'],
      ['block', 'less']];
    if (calls.count) entries.push(['call', 'calls of the runtime'], ['wait', 'waiting for the GPU']);
    if (operations.count) KINDS.forEach((kind, number) => entries.push([kind, KIND_TEXT[number]]));
    legend('timeline-legend', entries);
    axis.listeners.push(redraw);
    listen();
    draw();
  }

  return {start, draw, find, select, zoomTo, drawn: () => drawn, arrows: () => arrows, axisText,
    foldAll, rows: () => sections.reduce((count, section) => count + section.rows.length, 0)};
})();
