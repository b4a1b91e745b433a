/* Memory over time, below the timeline and on its axis: what is held stays until the next reading. */

const memory = (() => {
  const HEIGHT = 150, TOP = 8, BOTTOM = 20;
  const canvas = element('memory-canvas');
  const COLOURS = ['series1', 'series2', 'series3', 'series4'];
  let series = [];

  function read() {
    series = data.counters.map(({kind, device, count, time, value}, number) => {
      const held = {time: running(column({time}, 'time', count)), value: column({value}, 'value', count)};
      const name = ['resident (the whole process)', 'allocated on the host', `device ${device}`][kind];
      return {...held, name, colour: COLOURS[number % COLOURS.length], peak: held.value.reduce((a, b) => Math.max(a, b), 0)};
    });
  }

  /* Number of the last reading at or before `time`, -1 before the first. */
  function at(times, time) {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] > time) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  /* Least and greatest in each pixel, so that no peak is lost. */
  function drawSeries(context, of, width, yOf) {
    const span = axis.to - axis.from;
    context.strokeStyle = theme[of.colour];
    context.lineWidth = 1.75;
    context.beginPath();
    let started = false;
    for (let x = 0; x <= width; x++) {
      const from = at(of.time, axis.from + x / width * span), to = at(of.time, axis.from + (x + 1) / width * span);
      if (to < 0) continue;
      let least = Infinity, most = -Infinity;
      for (let i = Math.max(0, from); i <= to; i++) {
        least = Math.min(least, of.value[i]);
        most = Math.max(most, of.value[i]);
      }
      const first = of.value[Math.max(0, from)], place = GUTTER + x;
      if (started) context.lineTo(place, yOf(first));
      else context.moveTo(place, yOf(first));
      if (least !== first) context.lineTo(place, yOf(least));
      if (most !== first) context.lineTo(place, yOf(most));
      context.lineTo(place, yOf(of.value[to]));
      started = true;
    }
    context.stroke();
  }

  function drawGrid(context, most, width, yOf) {
    const least = most / 5, ten = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 2.5, 5, 10].map((digit) => digit * ten).find((candidate) => candidate >= least);
    context.textAlign = 'end';
    for (let value = 0; value <= most * 1.02; value += step) {
      context.fillStyle = theme.grid;
      context.fillRect(GUTTER, Math.round(yOf(value)), width, 1);
      context.fillStyle = theme.soft;
      context.fillText(bytesText(value), GUTTER - 8, yOf(value));
    }
    context.textAlign = 'center';
    const between = axis.steps(width);
    for (let time = Math.ceil(axis.from / between) * between; time <= axis.to; time += between) {
      const x = GUTTER + (time - axis.from) / (axis.to - axis.from) * width;
      context.fillStyle = theme.soft;
      if (x > GUTTER + 20 && x < GUTTER + width - 24) {
        context.fillText(timeline.axisText(time, between), x, HEIGHT - 8);
      }
    }
    context.textAlign = 'start';
  }

  function draw() {
    if (!series.length || canvas.clientWidth === 0) return;
    const all = element('memory-canvas').parentElement.clientWidth - 34; /* the card's padding and frame */
    const context = prepare(canvas, canvas.clientWidth, HEIGHT), width = Math.max(50, Math.min(all, canvas.clientWidth) - GUTTER);
    const most = Math.max(1, ...series.map((of) => of.peak));
    const yOf = (value) => HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP);
    drawGrid(context, most, width, yOf);
    for (const of of series) drawSeries(context, of, width, yOf);
  }

  const redraw = onFrame(draw);

  function start() {
    read();
    if (!series.length) {
      canvas.hidden = true;
      element('memory-missing').hidden = false;
      element('memory-missing').textContent = capture.level === 'full' ? 'No memory readings in this capture.' :
        'Memory is read over time at level full: runtime.profile_level=full.';
      return;
    }
    const entries = series.map((of) => [of.colour, `${of.name}: at most ${bytesText(of.peak)}`]);
    legend('memory-legend', entries);
    axis.listeners.push(redraw);
    canvas.addEventListener('mousemove', (event) => {
      const width = canvas.clientWidth - GUTTER, time = axis.from + (event.offsetX - GUTTER) / width * (axis.to - axis.from);
      if (event.offsetX < GUTTER) return tip.hide();
      const rows = series.map((of) => {
        const number = at(of.time, time);
        return [of.name, number < 0 ? '–' : bytesText(of.value[number])];
      });
      return tip.show(`at ${timeText(time)}`, '', rows, event.clientX, event.clientY);
    });
    canvas.addEventListener('mouseleave', tip.hide);
    draw();
  }

  return {start, draw, series: () => series.length};
})();
