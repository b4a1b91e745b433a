/* Functions, or call paths, with all their numbers: sorted by a click on a heading, filtered by an expression,
 * and who called the selected one and whom it called. */

const table = (() => {
  const STEP = 100, MOST = 2000;
  const body = element('table-rows').tBodies[0], head = element('table-rows').tHead;
  /* Where the name stands: behind what pstats prints, before everything else, so that it is in view. */
  const NAME = ['filename:lineno(function)', null, null, 'file:line(name)', 'where'];
  const WORDS = {ncalls: 'calls; primitive ones (not from itself) after the stroke', tottime: 'in it, without what it called',
    cumtime: 'in it and what it called', percall: 'cumtime of a primitive call', share: 'of the own time of all threads'};
  let mode, sorted, filter = null, order = [], limit = STEP, selected = -1;

  /* ---- columns: [title, text of a row, value to sort by, explanation, class] ---- */

  function functionModes() {
    const share = (row) => tottime > 0 ? functions.tottime[row] / tottime : 0;
    const perCall = (row) => functions.primitive[row] ? functions.cumtime[row] / functions.primitive[row] : 0;
    const plain = [
      ['', (row) => share(row) >= MARK ? '*' : '', share, '5 % of all own time or more', 'star'],
      ['share', (row) => shareText(functions.tottime[row], tottime), share, WORDS.share, 'n'],
      ['ncalls', (row) => functions.calls[row] === functions.primitive[row] ? countText(functions.calls[row]) :
        `${countText(functions.calls[row])}/${countText(functions.primitive[row])}`, (row) => functions.calls[row],
      WORDS.ncalls, 'n'],
      ['tottime', (row) => timeText(functions.tottime[row]), (row) => functions.tottime[row], WORDS.tottime, 'n'],
      ['cumtime', (row) => timeText(functions.cumtime[row]), (row) => functions.cumtime[row], WORDS.cumtime, 'n'],
      ['percall', (row) => timeText(perCall(row)), perCall, WORDS.percall, 'n'],
    ];
    return {name: 'functions', count: functions.count, site: (row) => functions.site[row], wanted: 'tottime',
      label: (row) => sites[functions.site[row]].label, columns: [...plain, NAME, ...extra(functionColumns)]};
  }

  function pathModes() {
    const share = (row) => tottime > 0 ? selfTimes[row] / tottime : 0;
    const marked = ['', (row) => share(row) >= MARK ? '*' : '', share, '5 % of all own time or more', 'star'];
    const order = ['share', 'ncalls', 'tottime_ns', 'cumtime_ns', 'percall_ns'];
    const first = order.map((key) => pathColumns.find((of) => of.key === key)).filter(Boolean);
    const rest = pathColumns.filter((of) => !order.includes(of.key));
    const some = paths.count + (pathColumns.some((of) => of.values[UNATTRIBUTED] !== 0) ? 1 : 0);
    return {name: 'paths', count: some, site: (row) => row === UNATTRIBUTED ? -1 : paths.site[row], wanted: 'tottime',
      label: (row) => row === UNATTRIBUTED ? pathName(row) : sites[paths.site[row]].label,
      columns: [marked, ...extra(first), NAME, ...extra(rest)]};
  }

  function extra(all) {
    return all.filter((of) => of.title && of.used).map((of) => [of.title, (row) => of.values[row] === 0 ? '' :
      UNITS[of.unit](of.values[row]), (row) => of.values[row], WORDS[of.title] || of.key, 'n']);
  }

  /* ---- rows ---- */

  function choose() {
    const fits = [];
    for (let row = 0; row < mode.count; row++) if (!filter || filter.test(mode.label(row))) fits.push(row);
    const {value, down} = sorted, keys = [];
    for (const row of fits) keys[row] = value ? value(row) : mode.label(row);
    const compare = (a, b) => keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : 0;
    order = fits.sort((a, b) => (down ? compare(b, a) : compare(a, b)) || a - b);
  }

  function where(row) {
    const site = mode.site(row), cell = make('td', {class: 'where'});
    if (mode.name === 'paths') {
      const above = row === UNATTRIBUTED ? [] : ancestry(row).slice(0, -1).map(pathName);
      const cut = above.length > 6 ? [...above.slice(0, 2), '…', ...above.slice(-3)] : above;
      if (cut.length) cell.append(make('span', {}, `${cut.join(' › ')} › `));
    }
    cell.append(make('button', {type: 'button', class: 'name', title: 'callers and callees'}, make('b', {}, site < 0 ?
      '(unattributed)' : sites[site].name)), ' ', make('span', {}, site < 0 ? '' : sites[site].place));
    return cell;
  }

  function line(row) {
    const made = make('tr', {'aria-current': row === selected ? 'true' : null});
    for (const [, text, , , style] of mode.columns) made.append(text ? make('td', {class: style}, text(row)) : where(row));
    made.addEventListener('click', () => select(row)); /* of the name's button as well, by key or pointer */
    return made;
  }

  function show() {
    body.replaceChildren(...order.slice(0, limit).map(line));
    const rest = order.length - Math.min(limit, order.length), more = element('table-more');
    more.hidden = rest === 0 || limit >= MOST;
    more.textContent = `Show ${Math.min(STEP, rest)} more rows of ${countText(rest)}`;
    element('table-count').textContent = `${countText(order.length)} of ${plural(mode.count, 'row')}` +
      (rest > 0 && limit >= MOST ? `; the first ${countText(MOST)} are shown, a filter finds the others` : '');
  }

  function heading() {
    const cells = mode.columns.map(([title, , , words, style]) => {
      const button = make('button', {type: 'button', title: words, 'aria-label': title || 'marked'}, title || '*');
      button.addEventListener('click', () => sort(title));
      return make('th', {scope: 'col', class: style, 'aria-sort': sorted.title === title ?
        sorted.down ? 'descending' : 'ascending' : null}, button);
    });
    head.replaceChildren(make('tr', {}, ...cells));
  }

  function update() {
    choose();
    heading();
    show();
  }

  /* ---- what the user does ---- */

  function sort(title, down) {
    const found = mode.columns.find((of) => of[0] === title) || NAME;
    const again = sorted && sorted.title === title;
    sorted = {title, value: found[2], down: down !== undefined ? down : again ? !sorted.down : found !== NAME};
    limit = STEP;
    update();
  }

  function setMode(name) {
    mode = name === 'paths' ? pathModes() : functionModes();
    element('table-mode').value = mode.name;
    selected = -1;
    element('relations').hidden = true;
    sorted = null;
    sort(mode.wanted, true);
  }

  function setFilter(text) {
    const wanted = expression(text), said = element('table-count');
    said.classList.toggle('bad', wanted instanceof Error);
    if (wanted instanceof Error) {
      said.textContent = wanted.message;
      return;
    }
    filter = wanted;
    limit = STEP;
    update();
  }

  /* ---- callers and callees ---- */

  function relation(title, rows) {
    const cells = ([name, calls, tot, cum, go]) => {
      const button = make('button', {type: 'button', class: 'link'}, name);
      button.addEventListener('click', go);
      return make('tr', {}, make('td', {class: 'n'}, countText(calls)), make('td', {class: 'n'}, timeText(tot)),
        make('td', {class: 'n'}, timeText(cum)), make('td', {class: 'where'}, button));
    };
    if (!rows.length) return make('div', {}, make('h3', {}, title), make('p', {class: 'missing'}, 'none'));
    const shown = rows.sort((a, b) => b[3] - a[3]).slice(0, STEP);
    return make('div', {class: 'wide'}, make('table', {}, make('caption', {}, `${title}` +
      (rows.length > STEP ? `, the first ${STEP} of ${countText(rows.length)}` : '')), make('thead', {}, make('tr', {},
      ...['ncalls', 'tottime', 'cumtime'].map((word) => make('th', {scope: 'col', class: 'n'}, word)),
      make('th', {scope: 'col'}, 'function'))), make('tbody', {}, ...shown.map(cells))));
  }

  function functionRelations(row) {
    const above = [], below = [];
    for (let i = 0; i < callers.count; i++) {
      const edge = (other) => [sites[functions.site[other]].label, callers.calls[i], callers.tottime[i],
        callers.cumtime[i], () => select(other)];
      if (callers.row[i] === row) above.push(edge(callers.caller[i]));
      if (callers.caller[i] === row) below.push(edge(callers.row[i]));
    }
    return [above, below];
  }

  function pathRelations(row) {
    const edge = (other) => [pathText(other), pathCalls[other], selfTimes[other], totalTimes[other], () => select(other)];
    const below = [];
    for (let i = row + 1; i < paths.count; i++) if (paths.parent[i] === row) below.push(edge(i));
    return [row === UNATTRIBUTED || parentOf(row) < 0 ? [] : [edge(parentOf(row))], below];
  }

  function select(row) {
    selected = row;
    const [above, below] = mode.name === 'paths' ? pathRelations(row) : functionRelations(row);
    const box = element('relations');
    box.hidden = false;
    box.replaceChildren(make('h3', {}, mode.name === 'paths' ? pathText(row) : mode.label(row)),
      make('div', {class: 'grid'}, relation('Called from', above), relation('Calls', below)));
    for (let i = 0; i < body.rows.length; i++) {
      if (order[i] === row) body.rows[i].setAttribute('aria-current', 'true');
      else body.rows[i].removeAttribute('aria-current');
    }
    if (mode.name === 'paths') flame.select(row);
  }

  /* From the flame graph: the row of the same path, or of its function. */
  function selectPath(path) {
    if (mode.name === 'paths') return select(path);
    for (let row = 0; row < functions.count; row++) if (functions.site[row] === paths.site[path]) return select(row);
    return undefined;
  }

  function start() {
    element('table-mode').addEventListener('change', (event) => setMode(event.target.value));
    element('table-filter').addEventListener('input', (event) => setFilter(event.target.value));
    element('table-more').addEventListener('click', () => {
      limit += STEP;
      show();
    });
    setMode('functions');
  }

  return {start, sort, setMode, setFilter, select, selectPath, order: () => order, rows: () => body.rows.length};
})();
