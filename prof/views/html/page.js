/* The page: what was measured and what is missing from it, then the views. `window.fmlpProfile` lets a test,
 * or the console, do what a user does. */

function fact(key) {
  const found = data.facts.find(([name]) => name === key);
  return found ? found[1] : '';
}

function tile(title, value, more) {
  return make('dl', {class: 'tile'}, make('dt', {}, title), make('dd', {class: 'value'}, value),
    make('dd', {class: 'more'}, more || ''));
}

function showHeader() {
  const name = fact('name') || 'Profile';
  element('name').textContent = name;
  if (fact('name')) document.title = `${name} - fmlp profile`;
  const told = [fact('created'), fact('machine'), fact('device'), fact('version')].filter((text) => text);
  element('facts').replaceChildren(...told.map((text) => make('span', {}, text)));
  const cost = capture.spans * capture.pairPicoseconds / 1000, threads = plural(data.threads.length, 'thread');
  const tiles = [tile('Wall time', timeText(wall), data.repeats.length > 1 ?
    `the first of ${data.repeats.length} runs: ${data.repeats.map(timeText).join(', ')}` : ''),
  tile('Time in spans', timeText(tottime), `own times of ${threads}`),
  tile('Spans', countText(capture.spans), `${digits(capture.pairPicoseconds / 1000)} ns each: ${shareText(cost, wall)} of the wall time`)];
  if (capture.operations) {
    tiles.push(tile('GPU busy', timeText(capture.deviceBusy), `${shareText(capture.deviceBusy, wall)} of the wall time; ` +
      `${plural(capture.operations, 'operation')}, ${timeText(capture.deviceSum)} one by one`));
  } else {
    tiles.push(tile('GPU', 'no data', capture.deviceReason || 'not traced in this capture'));
  }
  if (capture.peakResident) {
    tiles.push(tile('Peak memory', bytesText(capture.peakResident), capture.peakAllocated ?
      `resident; allocated at most ${bytesText(capture.peakAllocated)}` : 'resident'));
  }
  element('tiles').replaceChildren(...tiles);
}

/* Whatever is dropped, invalid, unattributed or left out of this page. */
function notices() {
  const said = [];
  const say = (count, one, many, rest) => { if (count) said.push(`${plural(count, one, many)} ${rest}.`); };
  say(capture.droppedSpans, 'span was', 'spans were', 'dropped: in no count, their time is their callers\'');
  say(capture.droppedEvents, 'span is', 'spans are', 'counted but missing from the timeline: the capture had no room for more');
  say(capture.events - events.count, 'span is', 'spans are', 'left out of the timeline of this page, the shortest; all are ' +
    `in the numbers, and ${countText(events.count)} are shown`);
  say(capture.openSpans, 'span was', 'spans were', 'still open at the end and closed there');
  say(capture.abandonedSpans, 'span was', 'spans were', 'left open inside one that ended, and closed with it');
  say(capture.droppedOperations, 'GPU operation was', 'GPU operations were', 'lost by the tracer or had no room');
  say(capture.invalidOperations, 'GPU operation', 'GPU operations', 'had impossible times: in no total');
  say(capture.unattributed, 'GPU operation', 'GPU operations', 'could not be attributed to a call path');
  say(capture.operations - operations.count, 'GPU operation is', 'GPU operations are', 'left out of the timeline, the shortest; ' +
    'all are in the numbers');
  say(capture.calls - calls.count, 'runtime call is', 'runtime calls are', 'left out of the timeline, the shortest');
  say(capture.droppedSamples, 'sample was', 'samples were', 'lost');
  say(capture.countersLeftOut, 'memory reading is', 'memory readings are', 'left out of the chart between others; peaks are kept');
  if (capture.level === 'full' && capture.deviceReason) said.push(`No GPU data: ${capture.deviceReason}.`);
  if (capture.sampleReason) said.push(`No samples: ${capture.sampleReason}.`);
  if (tottime !== capture.tottime) said.push(`This page adds up to ${countText(tottime)} ns, the capture to ${countText(capture.tottime)} ns.`);
  return said;
}

function showNotices() {
  const said = notices();
  element('notices').hidden = said.length === 0;
  element('notices').replaceChildren(...said.map((text) => make('li', {}, text)));
}

/* A bar with its share, and why it is slow as far as that is known. */
function heavyBar(name, part, figures, title, advice) {
  const bar = make('i'), why = make('span', {class: 'why'});
  bar.style.width = `${Math.min(100, 100 * part)}%`;
  if (advice) {
    const [, , , reason, measured, unknown] = advice;
    why.append(make('em', {}, reason), measured ? ` ${measured}` : '', unknown ? `${measured ? '; ' : ' '}${unknown}` : '');
  }
  return make('button', {type: 'button', title}, make('b', {}, name), make('span', {class: 'track'}, bar),
    make('span', {class: 'figures'}, make('strong', {}, shareText(part, 1)), figures), advice ? why : null);
}

function showHeavyDevice() {
  const items = data.advice.filter(([site]) => site < 0);
  element('heavy-device').hidden = items.length === 0;
  element('heavy-device-list').replaceChildren(...items.map((item) => {
    const bar = heavyBar(data.names[item[1]], item[2] / Math.max(1, capture.deviceBusy), timeText(item[2]),
      'a device operation: see the timeline', item);
    bar.addEventListener('click', () => element('timeline').scrollIntoView());
    return make('li', {}, bar);
  }));
}

function showHeavy() {
  const rows = [...functions.tottime.keys()].sort((a, b) => functions.tottime[b] - functions.tottime[a]);
  const heavy = rows.filter((row) => functions.tottime[row] >= MARK * tottime && tottime > 0);
  const rest = tottime - heavy.reduce((total, row) => total + functions.tottime[row], 0);
  element('heavy-note').textContent = tottime > 0 ? (heavy.length ?
    `Functions with 5 % of all own time or more, ${timeText(tottime)}: only these are worth optimising. ` +
    (heavy.length < rows.length ? `The other ${countText(rows.length - heavy.length)} together have ${shareText(rest, tottime)}.` : '') :
    'No function has 5 % of the time: nothing here is worth optimising alone.') : 'No time was recorded.';
  element('heavy-card').hidden = data.advice.length + heavy.length === 0;
  element('heavy-list').replaceChildren(...heavy.map((row) => {
    const site = sites[functions.site[row]], part = functions.tottime[row] / tottime;
    const button = heavyBar(site.name, part, timeText(functions.tottime[row]) + ` in ${plural(functions.calls[row], 'call')}`,
      `${site.place}: find it in the call paths and the table`, data.advice.find(([number]) => number === functions.site[row]));
    button.addEventListener('click', () => {
      const text = `^${site.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
      element('flame-search').value = text;
      flame.search(text);
      table.setMode('functions');
      table.select(row);
      element('flame').scrollIntoView();
    });
    return make('li', {}, button);
  }));
}

function pairTable(title, rows) {
  return make('div', {class: 'card'}, make('table', {}, make('caption', {}, title), make('tbody', {}, ...rows.map(([key, value]) =>
    make('tr', {}, make('th', {scope: 'row'}, key), make('td', {class: 'mono'}, value))))));
}

function showAbout() {
  const counts = [['wall time', exactTime(wall)], ['own time of all spans', exactTime(capture.tottime)],
    ['spans', countText(capture.spans)], ['call paths', countText(paths.count)], ['functions', countText(functions.count)],
    ['a span costs', `${digits(capture.pairPicoseconds / 1000)} ns`], ['dropped spans', countText(capture.droppedSpans)],
    ['spans missing from the timeline', countText(capture.droppedEvents)],
    ['spans left out of this page', countText(capture.events - events.count)],
    ['GPU operations', countText(capture.operations)], ['GPU time, one by one', exactTime(capture.deviceSum)],
    ['GPU busy', exactTime(capture.deviceBusy)],
    ['dropped GPU operations', countText(capture.droppedOperations)], ['invalid', countText(capture.invalidOperations)],
    ['unattributed', countText(capture.unattributed)],
    ['clocks of GPU and host differ by', capture.clockResidual ? `${countText(capture.clockResidual)} ns` : 'unknown'],
    ['samples', `${countText(data.lines.samples)}, lost ${countText(capture.droppedSamples)}`],
    ['memory bandwidth of the host', capture.hostBandwidth ? rateText(capture.hostBandwidth) : 'not measured']];
  const boxes = [];
  if (data.facts.length) boxes.push(pairTable('Facts', data.facts));
  boxes.push(pairTable('Counts', [['level', capture.level], ...counts]));
  boxes.push(pairTable('Threads', data.threads.slice(0, 200).map(([id, main]) => [`thread ${id}`, main ? 'started the capture' : ''])));
  if (data.devices.length) {
    boxes.push(pairTable('Devices', data.devices.map(([ordinal, name, bytes, processors, rate]) => [`GPU ${ordinal}`,
      `${name}, ${bytesText(bytes)}, ${plural(processors, 'multiprocessor')}, ${rate ? rateText(rate) : 'bandwidth not measured'}`])));
  }
  element('about-body').replaceChildren(...boxes);
}

const problems = [];
window.addEventListener('error', (event) => problems.push(event.message));
window.fmlpProfile = {flame, timeline, table, memory, lines, axis, problems,
  summary: () => ({tottime, capture: capture.tottime, device: sumOfTops(deviceTimes), wall, functions: sum(functions.tottime),
    nodes: sum(nodes.self), paths: paths.count, events: events.count, operations: operations.count,
    elements: document.getElementsByTagName('*').length}),
  ready: 0};

watchTheme();
showHeader();
showNotices();
showHeavy();
showHeavyDevice();
table.start();
flame.start();
timeline.start();
memory.start();
lines.start();
showAbout();
requestAnimationFrame(() => setTimeout(() => { /* after the first picture */
  window.fmlpProfile.ready = performance.now();
  document.body.dataset.ready = Math.round(performance.now());
}));
