/* Numbers for people, and elements without markup: text only ever enters the page as text. Integers stay
 * nanoseconds and bytes until they come here. */

const element = (id) => document.getElementById(id);

/* make('td', {class: 'n'}, 'text', child, ...) */
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : String(child)));
  return made;
}

const grouped = new Intl.NumberFormat('en-US');
const countText = (value) => grouped.format(value);

/* Three digits, more before the point. */
function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 || size === 0 ? 0 : size >= 9.995 ? 1 : 2);
}

function timeText(ns) {
  const size = Math.abs(ns);
  if (size < 999.5) return `${Math.round(ns)} ns`;
  if (size < 999.5e3) return `${digits(ns / 1e3)} µs`;
  if (size < 999.5e6) return `${digits(ns / 1e6)} ms`;
  if (size < 60e9) return `${digits(ns / 1e9)} s`;
  const seconds = Math.round(ns / 1e9);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, '0')} min`;
}

const exactTime = (ns) => Math.abs(ns) < 1000 ? timeText(ns) : `${timeText(ns)} (${countText(ns)} ns)`;

function bytesText(bytes) {
  const size = Math.abs(bytes);
  if (size < 1000) return `${countText(bytes)} B`;
  if (size < 999.5e3) return `${digits(bytes / 1e3)} kB`;
  if (size < 999.5e6) return `${digits(bytes / 1e6)} MB`;
  if (size < 999.5e9) return `${digits(bytes / 1e9)} GB`;
  return `${digits(bytes / 1e12)} TB`;
}

const rateText = (bytesPerSecond) => `${bytesText(Math.round(bytesPerSecond))}/s`;

function shareText(part, whole) {
  if (!(whole > 0)) return '–';
  const percent = 100 * part / whole;
  return `${percent > 0 && percent < 0.05 ? '<0.1' : percent.toFixed(1)} %`;
}

const plural = (count, one, many) => `${countText(count)} ${count === 1 ? one : many || `${one}s`}`;

/* What a search field asks for: a regular expression, ignoring case; null for nothing, an Error when it is none. */
function expression(text) {
  if (text === '') return null;
  try {
    return new RegExp(text, 'i');
  } catch (problem) {
    return new Error(`not a regular expression: ${problem.message}`);
  }
}
