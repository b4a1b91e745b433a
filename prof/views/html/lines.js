/* Where the sampler found the program: lines with their share, in their source where that was at hand. */

const lines = (() => {
  const HEAVIEST = 15, FILES = 10, FIRST = 25, MOST = 400;
  const table = columns(data.lines, ['function', 'file', 'line', 'self', 'total']);
  const sampled = columns(data.sampled, ['function', 'self', 'total']);
  const all = data.lines.samples;

  const nameOf = (number) => data.names[number];
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

  /* Names of templates run to kilobytes: their beginning is enough, the tip has the rest. */
  function nameCell(of, i) {
    const name = nameOf(of.function[i]), place = of === table ? `${nameOf(table.file[i])}:${table.line[i]}` : '';
    return make('td', {class: 'where', title: name.length > 90 ? name.slice(0, 2000) : null},
      make('b', {}, name.length > 90 ? `${name.slice(0, 90)}…` : name), ' ', make('span', {}, place));
  }

  function lineTable(of, rows, title) {
    const most = Math.min(rows.length, MOST);
    return make('div', {class: 'wide'}, make('table', {}, title ? make('caption', {}, title) : null, make('thead', {},
      make('tr', {}, make('th', {class: 'star', scope: 'col'}, '*'),
        ...['share', 'samples', 'with callees'].map((word) => make('th', {class: 'n', scope: 'col'}, word)),
        make('th', {scope: 'col'}, of === table ? 'line' : 'function'))), make('tbody', {}, ...rows.slice(0, most).map((i) => make('tr', {},
      make('td', {class: 'star'}, of.self[i] >= MARK * all ? '*' : ''),
      make('td', {class: 'n'}, shareText(of.self[i], all)), make('td', {class: 'n'}, countText(of.self[i])),
      make('td', {class: 'n'}, countText(of.total[i])), nameCell(of, i))))));
  }

  /* What a file holds, made when it is first opened. */
  function fill(details, of, texts) {
    if (texts.has(of.file)) details.append(sourceBox(of, texts.get(of.file)));
    else details.append(make('p', {class: 'missing'}, 'Its text is not in this page: fmlp profile export --format html, called in ' +
      'the folder of the sources, puts it there.'));
    const rows = of.rows.sort((a, b) => table.self[b] - table.self[a] || table.total[b] - table.total[a]);
    details.append(lineTable(table, rows.slice(0, FIRST)));
    if (rows.length <= FIRST) return;
    const more = make('button', {type: 'button'}, `Show all ${countText(rows.length)} lines` +
      (rows.length > MOST ? `, the first ${MOST}` : ''));
    more.addEventListener('click', () => {
      more.previousSibling.replaceWith(lineTable(table, rows));
      more.remove();
    });
    details.append(more);
  }

  function fileBox(of, texts) {
    const details = make('details', {class: 'card'}, make('summary', {}, make('b', {}, nameOf(of.file)),
      `  ${shareText(of.self, all)}, ${plural(of.rows.length, 'line')}`));
    let filled = false;
    details.addEventListener('toggle', () => {
      if (!filled) fill(details, of, texts);
      filled = true;
    });
    details.open = of.self >= MARK * all;
    return details;
  }

  function start() {
    const note = element('lines-note'), body = element('lines-body');
    if (!all) {
      note.textContent = capture.sampleReason ? `No samples: ${capture.sampleReason}.` :
        'The threads were not sampled in this capture.';
      note.className = 'missing';
      return;
    }
    note.textContent = `${plural(all, 'sample')}, ${shareText(data.lines.placed, all)} of them in or below a line of source ` +
      'that is known. What a line calls in code without lines counts as the line\'s own. * from 5 %.';
    const texts = new Map(data.lines.sources), first = (of) => [...of.self.keys()].slice(0, HEAVIEST).filter((i) => of.self[i] > 0);
    body.append(make('div', {class: 'grid'},
      make('div', {class: 'card'}, lineTable(table, first(table), 'The heaviest lines')),
      make('div', {class: 'card'}, lineTable(sampled, first(sampled), 'The functions that ran, with source or without'))));
    const found = files();
    body.append(...found.slice(0, FILES).map((of) => fileBox(of, texts)));
    if (found.length <= FILES) return;
    const more = make('button', {type: 'button'}, `Show ${plural(found.length - FILES, 'more file')}, ` +
      shareText(sum(found.slice(FILES).map((of) => of.self)), all));
    more.addEventListener('click', () => more.replaceWith(...found.slice(FILES).map((of) => fileBox(of, texts))));
    body.append(more);
  }

  return {start, count: () => table.count};
})();
