/* The capture: columns of integers as the program wrote them, and what several views need of them. A column
 * of zeros alone is left out of the file. */

const data = JSON.parse(element('capture').textContent);
const MARK = 0.05; /* below this share of the total nothing is worth optimising */

function column(table, name, count) {
  const values = new Float64Array(count);
  const written = table[name];
  if (written) values.set(written);
  return values;
}

/* Times are written as differences to the row before. */
function running(values) {
  for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
  return values;
}

function columns(table, names) {
  const made = {count: table.count};
  for (const name of names) made[name] = column(table, name, table.count);
  return made;
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/* ---- sites, call paths, functions ---- */

const sites = data.sites.map(([name, file, line, fn]) => ({name, file, line, place: `${file}:${line}(${fn})`,
  label: `${file}:${line}(${name})`}));
const paths = columns(data.paths, ['parent', 'site']);
const nodes = columns(data.nodes, ['thread', 'path', 'self']);
const functions = columns(data.functions, ['site', 'calls', 'primitive', 'tottime', 'cumtime']);
const callers = columns(data.callers, ['row', 'caller', 'calls', 'primitive', 'tottime', 'cumtime']);
const capture = data.capture;
const wall = capture.stop - capture.start;

/* The columns of the unified table, as `fmlp profile show` names them: {key, title, unit, values}, one more
 * value than there are paths: operations that nobody is known to have launched are a path of their own. */
const UNATTRIBUTED = paths.count;
const pathColumns = data.columns.map(({key, title, unit, values, rest}) => {
  const all = new Float64Array(paths.count + 1);
  all.set(values || []);
  all[UNATTRIBUTED] = rest;
  return {key, title, unit, values: all, used: rest !== 0 || values !== undefined};
});
const functionColumns = data.functions.columns.map(({key, title, unit, values}) =>
  ({key, title, unit, values: column({values}, 'values', functions.count), used: values !== undefined}));

const noColumn = new Float64Array(paths.count + 1);
const pathValues = (key) => (pathColumns.find((candidate) => candidate.key === key) || {values: noColumn}).values;

const selfTimes = pathValues('tottime_ns'), totalTimes = pathValues('cumtime_ns'), pathCalls = pathValues('ncalls');
const deviceTimes = pathValues('gpu_sum_ns');
const tottime = sum(selfTimes);

function pathName(path) {
  return path === UNATTRIBUTED ? '(unattributed)' : sites[paths.site[path]].name;
}

function pathPlace(path) {
  return path === UNATTRIBUTED ? 'of no known call path' : sites[paths.site[path]].place;
}

const parentOf = (path) => path === UNATTRIBUTED ? -1 : paths.parent[path];

/* The rows from the top down to `path`. */
function ancestry(path) {
  const chain = [];
  for (let at = path; at >= 0; at = parentOf(at)) chain.push(at);
  return chain.reverse();
}

/* Outer to inner; of a deep path its ends. */
function pathText(path) {
  const names = ancestry(path).map(pathName);
  return (names.length > 16 ? [...names.slice(0, 6), '…', ...names.slice(-9)] : names).join(' › ');
}

const depths = new Int32Array(paths.count + 1);
for (let i = 0; i < paths.count; i++) depths[i] = paths.parent[i] < 0 ? 0 : depths[paths.parent[i]] + 1;

/* Own weights (the unattributed last) summed up towards the top: parents stand before children. */
function totals(weights) {
  const sums = Float64Array.from(weights);
  for (let i = paths.count - 1; i >= 0; i--) if (paths.parent[i] >= 0) sums[paths.parent[i]] += sums[i];
  return sums;
}

function totalsOfThread(thread) {
  const weights = new Float64Array(paths.count + 1);
  for (let i = 0; i < nodes.count; i++) if (nodes.thread[i] === thread) weights[nodes.path[i]] += nodes.self[i];
  return totals(weights);
}

function sumOfTops(sums) {
  let whole = sums[UNATTRIBUTED];
  for (let i = 0; i < paths.count; i++) if (paths.parent[i] < 0) whole += sums[i];
  return whole;
}

/* Each site's own part of the whole, without what it called: what colours say. */
function ownShares(sums, whole) {
  const own = Float64Array.from(sums), shares = new Float64Array(sites.length);
  for (let i = 0; i < paths.count; i++) if (paths.parent[i] >= 0) own[paths.parent[i]] -= sums[i];
  for (let i = 0; i < paths.count; i++) shares[paths.site[i]] += whole > 0 ? own[i] / whole : 0;
  return shares;
}

const siteShare = ownShares(totalTimes, tottime);

function threadName(thread) {
  if (thread < 0) return 'unknown thread';
  const [id, main] = data.threads[thread];
  return main ? `main thread ${id}` : `thread ${id}`;
}

/* ---- numbers by unit ---- */

const UNITS = {
  count: countText,
  time: timeText,
  bytes: bytesText,
  rate: rateText,
  share: (millionths) => shareText(millionths, 1e6),
};

/* Every number of a path, for tips. */
function pathFigures(path) {
  return pathColumns.filter((of) => of.title && of.values[path] !== 0).map((of) =>
    [of.title, of.unit === 'time' ? exactTime(of.values[path]) : UNITS[of.unit](of.values[path])]);
}
