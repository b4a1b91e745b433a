/* Where the sampler found the program: lines with their share, in their source where that was at hand. */

const lines = (() => {
  const MOST = 400;
  const table = columns(data.lines, ['function', 'file', 'line', 'self', 'total']);
  const all = data.lines.samples;

  const nameOf = (number) => number < 0 ? 'unknown file' : data.names[number];
  const heatOf = (part) => part >= 0.2 ? 'h3' : part >= MARK ? 'h2' : part > 0 ? 'h1' : '';

  /* Files with the samples of their lines, the heaviest first. */
  function files() {
    const found = new Map();
    for (let i = 0; i < table.count; i++) {
      const key = table.file[i];
      if (!found.has(key)) found.set(key, {file: key, self: 0, rows: [], lines: new Map()});
      const of = found.get(key);
      of.self += table.self[i];
      of.rows.push(i);
      of.lines.set(table.line[i], (of.lines.get(table.line[i]) || 0) + table.self[i]);
    }
    return [...found.values()].sort((a, b) => b.self - a.self);
  }

  /* The text around lines that were seen, the rest folded away. */
  function sourceBox(of, text) {
    const box = make('div', {class: 'source', tabindex: 0, role: 'region', 'aria-label': `source of ${nameOf(of.file)}`});
    const source = text.split('\n');
    let gap = false;
    source.forEach((line, index) => {
      let near = false;
      for (let at = index - 4; at <= index + 6 && !near; at++) near = of.lines.has(at);
      if (!near) {
        if (!gap) box.append(make('div', {class: 'gap'}, make('span', {}, ''), make('span', {}, '⋮'), make('span', {}, '')));
        gap = true;
        return;
      }
      gap = false;
      const self = of.lines.get(index + 1) || 0, heat = heatOf(self / all);
      box.append(make('div', {class: heat ? `heat ${heat}` : null}, make('span', {}, self ? shareText(self, all) : ''),
        make('span', {}, index + 1), make('span', {}, line)));
    });
    return box;
  }

  function lineTable(of) {
    const rows = of.rows.sort((a, b) => table.self[b] - table.self[a] || table.total[b] - table.total[a]);
    return make('div', {class: 'wide'}, make('table', {}, make('thead', {}, make('tr', {},
      make('th', {class: 'star', scope: 'col'}, '*'),
      ...['share', 'samples', 'with callees'].map((word) => make('th', {class: 'n', scope: 'col'}, word)),
      make('th', {scope: 'col'}, 'line'))), make('tbody', {}, ...rows.slice(0, MOST).map((i) => make('tr', {},
      make('td', {class: 'star'}, table.self[i] >= MARK * all ? '*' : ''),
      make('td', {class: 'n'}, shareText(table.self[i], all)), make('td', {class: 'n'}, countText(table.self[i])),
      make('td', {class: 'n'}, countText(table.total[i])),
      make('td', {class: 'where'}, make('b', {}, nameOf(table.function[i])), ' ', make('span', {},
        table.line[i] ? `${nameOf(table.file[i])}:${table.line[i]}` : nameOf(table.file[i])))))),
    rows.length > MOST ? make('caption', {}, `the first ${MOST} of ${countText(rows.length)}`) : null));
  }

  function start() {
    const note = element('lines-note'), body = element('lines-body');
    if (!all) {
      note.textContent = capture.sampleReason ? `No samples: ${capture.sampleReason}.` :
        'The threads were not sampled in this capture.';
      note.className = 'missing';
      return;
    }
    note.textContent = `${plural(all, 'sample')}; the share is that of the samples in which the line itself ran. * from 5 %.`;
    const texts = new Map(data.lines.sources);
    files().forEach((of, number) => {
      const details = make('details', {class: 'card', open: number < 3}, make('summary', {}, make('b', {}, nameOf(of.file)),
        `  ${shareText(of.self, all)}`));
      if (texts.has(of.file)) details.append(sourceBox(of, texts.get(of.file)));
      else if (of.file >= 0) details.append(make('p', {class: 'missing'}, 'The source was not at hand when this page was made.'));
      details.append(lineTable(of));
      body.append(details);
    });
  }

  return {start, count: () => table.count};
})();
