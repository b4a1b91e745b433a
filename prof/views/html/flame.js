/* Call paths as an icicle: width is weight, the callee below its caller. A block narrower than half a pixel
 * is drawn with its smaller neighbours as one, so that the work goes with the screen, not with the capture. */

const flame = (() => {
  const ROW = 20, LEAST = 0.5;
  const canvas = element('flame-canvas'), scroller = element('flame-scroller');
  const views = [];
  let view, zoomed = -1, selected = -1, matches = null, rects = [], shown = 0;

  function addView(name, whole, sumsOf, text) {
    if (whole > 0) views.push({name, whole, sumsOf, text, sums: null, first: null, children: null});
  }

  /* Children of each path, heaviest first; place 0 is the top. Made when a view is first looked at. */
  function order(of) {
    if (of.children) return;
    of.sums = of.sumsOf();
    of.shares = ownShares(of.sums, of.whole);
    const count = paths.count + 1, first = new Int32Array(count + 2);
    for (let i = 0; i < count; i++) if (of.sums[i] > 0) first[parentOf(i) + 2]++;
    for (let i = 1; i < first.length; i++) first[i] += first[i - 1];
    const next = first.slice(), children = new Int32Array(first[first.length - 1]);
    for (let i = 0; i < count; i++) if (of.sums[i] > 0) children[next[parentOf(i) + 1]++] = i;
    for (let i = 0; i <= count; i++) {
      if (first[i + 1] - first[i] > 1) {
        children.subarray(first[i], first[i + 1]).sort((a, b) => of.sums[b] - of.sums[a] || a - b);
      }
    }
    of.first = first;
    of.children = children;
  }

  const childrenOf = (path) => view.children.subarray(view.first[path + 1], view.first[path + 2]);
  const weightOf = (path) => path < 0 ? view.whole : view.sums[path];

  /* Blocks of the zoomed part that are wide enough, by level: [x, width, path] in three steps, -2 for what is
   * too narrow to tell apart. */
  function layout(width) {
    const levels = [], stack = [[zoomed, 0, width, 0]];
    shown = 0;
    while (stack.length) {
      const [path, x, across, level] = stack.pop();
      (levels[level] = levels[level] || []).push([x, across, path]);
      shown++;
      if (path === -2) continue;
      const scale = across / weightOf(path);
      let at = x;
      const below = childrenOf(path);
      for (let i = 0; i < below.length; i++) {
        const part = view.sums[below[i]] * scale;
        if (part < LEAST) { /* and so are all that follow */
          let rest = 0;
          for (let j = i; j < below.length; j++) rest += view.sums[below[j]] * scale;
          if (rest >= LEAST) stack.push([-2, at, rest, level + 1]);
          break;
        }
        stack.push([below[i], at, part, level + 1]);
        at += part;
      }
    }
    for (const level of levels) level.sort((a, b) => a[0] - b[0]);
    return levels;
  }

  function colourOf(path) {
    if (path === -2) return theme.other;
    if (path === -1) return theme.dim;
    const site = path === UNATTRIBUTED ? -1 : paths.site[path];
    if (matches) return site >= 0 && matches[site] ? theme.found : theme.dim;
    return siteColour(site, view.shares);
  }

  function inkOf(path) {
    if (path < 0 || path === UNATTRIBUTED) return theme.ink;
    if (matches) return matches[paths.site[path]] ? theme.onfound : theme.faint;
    return siteInk(paths.site[path], view.shares);
  }

  function labelOf(path) {
    if (path === -2) return '';
    if (path === -1) return `${view.name}: ${view.text(view.whole)}`;
    return `${pathName(path)}  ${shareText(view.sums[path], view.whole)}`;
  }

  function draw() {
    if (!view) return;
    const width = scroller.clientWidth;
    if (width === 0) return;
    rects = layout(width);
    scroller.firstElementChild.style.height = `${rects.length * ROW + 1}px`;
    const height = scroller.clientHeight, top = scroller.scrollTop;
    const context = prepare(canvas, scroller.clientWidth, height);
    const from = Math.floor(top / ROW), to = Math.min(rects.length, Math.ceil((top + height) / ROW));
    for (let level = from; level < to; level++) {
      const y = level * ROW - top;
      for (const [x, across, path] of rects[level]) {
        context.fillStyle = colourOf(path);
        context.fillRect(x, y, Math.max(across - (across > 3 ? 1 : 0), 0.5), ROW - 1);
        if (path === selected && path >= 0) {
          context.strokeStyle = theme.select;
          context.lineWidth = 2;
          context.strokeRect(x + 1, y + 1, Math.max(1, across - 3), ROW - 3);
        }
        if (across < 24) continue;
        context.fillStyle = inkOf(path);
        fitText(context, labelOf(path), x + 5, y + ROW / 2, across - 10);
      }
    }
  }

  const redraw = onFrame(draw);

  function find(x, y) {
    const level = rects[Math.floor((y + scroller.scrollTop) / ROW)];
    if (!level) return null;
    let low = 0, high = level.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (level[middle][0] <= x) low = middle;
      else high = middle - 1;
    }
    const found = level[low];
    return found && x >= found[0] && x < found[0] + Math.max(found[1], 1) ? found[2] : null;
  }

  function figures(path) {
    const rows = [[view.name, `${view.text(weightOf(path))}, ${shareText(weightOf(path), view.whole)}`]];
    return path < 0 ? rows : [...rows, ...pathFigures(path)];
  }

  function tell(path) {
    element('flame-detail').textContent = path < 0 ? '' :
      `${pathText(path)} — ${view.text(weightOf(path))}, ${shareText(weightOf(path), view.whole)} of ${view.name}`;
  }

  function crumbs() {
    const chain = [-1, ...(zoomed < 0 ? [] : ancestry(zoomed))];
    const cut = chain.length > 12 ? [...chain.slice(0, 3), null, ...chain.slice(-8)] : chain;
    element('flame-crumbs').replaceChildren(...cut.map((path) => {
      if (path === null) return make('span', {}, ` … ${chain.length - 11} more … `);
      const button = make('button', {type: 'button', 'aria-current': path === zoomed ? 'location' : null},
        path < 0 ? 'all' : pathName(path));
      button.addEventListener('click', () => zoom(path));
      return button;
    }));
    element('flame-out').disabled = zoomed < 0;
  }

  function zoom(path) {
    if (path >= 0 && !(view.sums[path] > 0)) return;
    zoomed = path;
    selected = path;
    scroller.scrollTop = 0;
    crumbs();
    tell(path);
    redraw();
  }

  function select(path) {
    selected = path;
    tell(path);
    redraw();
  }

  function show(number) {
    view = views[number];
    element('flame-view').value = String(number);
    if (!view) {
      scroller.hidden = true;
      element('flame-detail').textContent = 'No calls were recorded.';
      return;
    }
    order(view);
    if (zoomed >= 0 && !(view.sums[zoomed] > 0)) zoomed = -1;
    zoom(zoomed);
    if (element('flame-search').value) search(element('flame-search').value);
  }

  /* Marks what matches, and says how much of the whole lies in it, each moment once. */
  function search(text) {
    const found = element('flame-found'), wanted = expression(text);
    found.classList.toggle('bad', wanted instanceof Error);
    matches = null;
    if (wanted === null || wanted instanceof Error) {
      found.textContent = wanted ? wanted.message : '';
    } else if (view) {
      matches = sites.map((site) => wanted.test(site.name) || wanted.test(site.place));
      const inside = new Uint8Array(paths.count);
      let count = 0, part = 0;
      for (let i = 0; i < paths.count; i++) {
        const above = paths.parent[i] >= 0 && inside[paths.parent[i]];
        const hit = matches[paths.site[i]] && view.sums[i] > 0;
        if (hit) count++;
        if (hit && !above) part += view.sums[i];
        inside[i] = hit || above ? 1 : 0;
      }
      found.textContent = `${plural(count, 'call path')}, ${shareText(part, view.whole)}`;
    }
    redraw();
  }

  /* From the selected block: to its heaviest callee, its caller, its neighbours. */
  function walk(key) {
    const at = selected < 0 ? zoomed : selected;
    if (key === 'ArrowDown') return childrenOf(at)[0];
    if (key === 'ArrowUp') return at === zoomed ? at : parentOf(at);
    if (at < 0 || at === zoomed) return at;
    const beside = childrenOf(parentOf(at)), place = beside.indexOf(at);
    return beside[place + (key === 'ArrowRight' ? 1 : -1)];
  }

  function onKey(event) {
    if (!view || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter') zoom(selected);
    else if (event.key === 'Escape' || event.key === 'Backspace') zoom(zoomed < 0 ? -1 : parentOf(zoomed));
    else if (event.key.startsWith('Arrow')) {
      const to = walk(event.key);
      if (to !== undefined) select(to);
      const level = to === undefined || to < 0 ? 0 : depths[to] - (zoomed < 0 ? -1 : depths[zoomed]);
      if (level * ROW < scroller.scrollTop) scroller.scrollTop = level * ROW;
      if ((level + 1) * ROW > scroller.scrollTop + canvas.clientHeight) {
        scroller.scrollTop = (level + 1) * ROW - canvas.clientHeight;
      }
    } else return;
    event.preventDefault();
  }

  function listen() {
    element('flame-view').addEventListener('change', (event) => show(Number(event.target.value)));
    element('flame-search').addEventListener('input', (event) => search(event.target.value));
    element('flame-out').addEventListener('click', () => zoom(parentOf(zoomed)));
    scroller.addEventListener('scroll', redraw);
    canvas.addEventListener('keydown', onKey);
    canvas.addEventListener('click', (event) => {
      const path = find(event.offsetX, event.offsetY);
      if (path === null || path === -2) return;
      zoom(path === zoomed && path >= 0 ? parentOf(path) : path);
      if (path >= 0 && path !== UNATTRIBUTED) table.selectPath(path);
    });
    canvas.addEventListener('mousemove', (event) => {
      const path = view ? find(event.offsetX, event.offsetY) : null;
      if (path === null) return tip.hide();
      const title = path === -2 ? 'blocks too narrow to show' : path < 0 ? 'all' : pathName(path);
      tip.show(title, path >= 0 ? pathPlace(path) : '', path === -2 ? [['to see them', 'zoom in']] : figures(path),
        event.clientX, event.clientY);
    });
    canvas.addEventListener('mouseleave', tip.hide);
  }

  function start() {
    const several = data.threads.length > 1;
    addView(several ? 'Time in spans, all threads' : 'Time in spans', tottime, () => totals(selfTimes), timeText);
    const ofThread = new Float64Array(data.threads.length);
    for (let i = 0; i < nodes.count; i++) ofThread[nodes.thread[i]] += nodes.self[i];
    if (several) {
      ofThread.forEach((whole, thread) =>
        addView(`CPU time of ${threadName(thread)}`, whole, () => totalsOfThread(thread), timeText));
    }
    const wait = pathValues('gpu_wait_ns'), allocated = pathValues('allocated_bytes'), samples = pathValues('samples');
    addView('GPU time, by launching path', sumOfTops(deviceTimes), () => deviceTimes, timeText);
    addView('time waiting for the GPU', sumOfTops(wait), () => wait, timeText);
    addView('allocated bytes', sum(allocated), () => totals(allocated), bytesText);
    addView('samples', sum(samples), () => totals(samples), countText);
    element('flame-view').replaceChildren(...views.map((of, number) => make('option', {value: number}, of.name)));
    legend('flame-legend', [['heat3', 'the function itself has 20 % or more'], ['heat2', '5 % or more'],
      ['heat1', '1 % or more'], ['block', 'less'], ['found', 'found'], ['other', 'blocks too narrow to show, unattributed']]);
    listen();
    show(0);
    draw();
  }

  return {start, zoom, search, show, select, draw, shown: () => shown, zoomed: () => zoomed, views: () =>
    views.map(({name, whole}) => [name, whole]), find, rows: () => rects};
})();
