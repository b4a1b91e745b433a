/* The rows of the timeline. A row holds blocks that do not overlap, in the order of time: spans of one thread
 * at one depth, calls of a thread, operations of a stream (several rows where they run at the same time). */

const KINDS = ['kernel', 'upload', 'download', 'copy', 'fill'];
const KIND_TEXT = ['kernel', 'copy to the device', 'copy from the device', 'other copy', 'fill'];
const CALL_TEXT = ['runtime call', 'driver call', 'waiting for the GPU', 'overhead of the tracer'];

const events = columns(data.events, ['node', 'start', 'duration']);
running(events.start);
const operations = columns(data.operations, ['path', 'name', 'kind', 'device', 'stream', 'start', 'duration', 'bytes',
  'launch', 'thread', 'blocks', 'threads', 'registers', 'shared']);
running(operations.start);
const calls = columns(data.calls, ['thread', 'path', 'name', 'kind', 'start', 'duration']);
running(calls.start);

const lanes = (() => {
  /* Rows from item numbers that are in the order of starts. */
  function row(section, kind, source, items) {
    const start = new Float64Array(items.length), end = new Float64Array(items.length);
    for (let i = 0; i < items.length; i++) {
      start[i] = source.start[items[i]];
      end[i] = start[i] + source.duration[items[i]];
    }
    return {section, kind, items, start, end};
  }

  /* By thread and depth; events come by thread, then start, so that each row is in order. */
  function spanRows(sections) {
    const levels = data.threads.map(() => []);
    for (let i = 0; i < events.count; i++) {
      const node = events.node[i], level = levels[nodes.thread[node]], depth = depths[nodes.path[node]];
      while (level.length <= depth) level.push([]);
      level[depth].push(i);
    }
    levels.forEach((level, thread) => {
      const section = {title: threadName(thread), thread, rows: []};
      section.rows = level.map((items) => row(section, 'span', events, items));
      sections.push(section);
    });
  }

  /* First row of the section that is free; what overlaps goes below. */
  function spread(section, kind, source, items) {
    const tracks = [];
    for (const item of items) {
      const start = source.start[item], end = start + source.duration[item];
      let track = tracks.find((candidate) => candidate.end <= start);
      if (!track) tracks.push(track = {end: 0, items: []});
      track.items.push(item);
      track.end = end;
    }
    for (const track of tracks) section.rows.push(row(section, kind, source, track.items));
  }

  function groups(source, keyOf) {
    const found = new Map();
    for (let i = 0; i < source.count; i++) {
      const key = keyOf(i);
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(i);
    }
    return found;
  }

  function callRows(sections) {
    for (const [thread, items] of groups(calls, (i) => calls.thread[i])) {
      let section = sections.find((candidate) => candidate.thread === thread);
      if (!section) sections.push(section = {title: threadName(thread), thread, rows: []});
      spread(section, 'call', calls, items);
    }
  }

  function deviceRows(sections) {
    const found = groups(operations, (i) => operations.device[i] * 2 ** 32 + operations.stream[i]);
    for (const [key, items] of [...found].sort((a, b) => a[0] - b[0])) {
      const device = Math.floor(key / 2 ** 32), stream = key - device * 2 ** 32;
      const section = {title: `GPU ${device}, stream ${stream}`, device, rows: []};
      spread(section, 'operation', operations, items);
      sections.push(section);
    }
  }

  function build() {
    const sections = [];
    spanRows(sections);
    callRows(sections);
    const devices = [];
    deviceRows(devices);
    const main = sections.findIndex((section) => section.thread >= 0 && data.threads[section.thread][1]);
    sections.splice(main + 1, 0, ...devices); /* next to where most is launched */
    return sections.filter((section) => section.rows.length > 0);
  }

  /* ---- what a block says ---- */

  const nameOf = (kind, item) => kind === 'span' ? pathName(nodes.path[events.node[item]]) :
    data.names[(kind === 'call' ? calls : operations).name[item]];

  function colourOf(kind, item) {
    if (kind === 'span') return siteColour(paths.site[nodes.path[events.node[item]]]);
    if (kind === 'call') return calls.kind[item] === 2 ? theme.wait : calls.kind[item] === 3 ? theme.other : theme.call;
    return theme[KINDS[operations.kind[item]]];
  }

  function inkOf(kind, item) {
    if (kind === 'span') return siteInk(paths.site[nodes.path[events.node[item]]]);
    return kind === 'call' ? theme.ink : theme.card;
  }

  function times(start, duration) {
    return [['took', exactTime(duration)], ['from', `${exactTime(start)} after the start`]];
  }

  function operationFigures(item) {
    const path = operations.path[item], rows = times(operations.start[item], operations.duration[item]);
    rows.push(['launched in', path < 0 ? '(unattributed)' : pathText(path)]);
    if (operations.launch[item] >= 0) rows.push(['launch delay', exactTime(operations.launch[item])]);
    if (operations.kind[item] === 0) {
      rows.push(['grid', `${plural(operations.blocks[item], 'block')} of ${plural(operations.threads[item], 'thread')}`],
        ['registers a thread', countText(operations.registers[item])],
        ['shared memory a block', bytesText(operations.shared[item])]);
    } else {
      rows.push(['bytes', bytesText(operations.bytes[item])]);
      if (operations.duration[item] > 0) {
        rows.push(['rate', rateText(operations.bytes[item] * 1e9 / operations.duration[item])]);
      }
    }
    return rows;
  }

  /* [title, place, rows] */
  function describe(kind, item) {
    if (kind === 'span') {
      const path = nodes.path[events.node[item]];
      return [pathName(path), pathPlace(path), [...times(events.start[item], events.duration[item]),
        ['of all calls here', shareText(events.duration[item], totalTimes[path])]]];
    }
    if (kind === 'operation') {
      return [nameOf(kind, item), KIND_TEXT[operations.kind[item]], operationFigures(item)];
    }
    const path = calls.path[item];
    return [nameOf(kind, item), CALL_TEXT[calls.kind[item]], [...times(calls.start[item], calls.duration[item]),
      ['in', path < 0 ? 'no known span' : pathText(path)]]];
  }

  return {build, nameOf, colourOf, inkOf, describe};
})();
