// Charts of one gene: tracks around its start site, and what a peak of each mark does. Marks carry their values.
(() => {
  const { signed } = cistron;
  const SPACE = "http://www.w3.org/2000/svg";

  function draw(parent, tag, attributes, text) {
    const element = document.createElementNS(SPACE, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  function paper(width, height, label) {
    const svg = document.createElementNS(SPACE, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    svg.setAttribute("style", `width:${width}px;max-width:100%;aspect-ratio:${width}/${height}`);
    return svg;
  }

  const short = (text, length) => (text.length > length ? `${text.slice(0, length - 9)}…${text.slice(-8)}` : text);
  const place = (start, width) => `${signed(start, 0)} to ${signed(start + width, 0)} bp`;
  const width = (root) => Math.max(290, Math.min(720, (root.parentElement || root).clientWidth - 8));

  cistron.trackChart = (tracks, root) => {
    const whole = width(root);
    const narrow = whole < 480;
    const left = narrow ? 4 : 170;
    const right = whole - 52;
    const step = narrow ? 48 : 36;
    const bottom = 6 + tracks.length * step;
    const first = tracks[0];
    const bins = first.values.length;
    const svg = paper(whole, bottom + 36, `Predicted tracks around the start site: ${tracks.map((one) => `${one.track} up to ${one.top}`).join("; ")}`);
    const x = (position) => left + ((position - first.start) / (bins * first.bin)) * (right - left);
    tracks.forEach((one, number) => {
      const base = 6 + (number + 1) * step - 4;
      const high = step - (narrow ? 20 : 10);
      const label = { fill: "currentColor", "font-size": 11 };
      if (narrow) draw(svg, "text", { ...label, x: left, y: base - high - 4 }, short(one.track, 42));
      else draw(svg, "text", { ...label, x: left - 8, y: base - 5, "text-anchor": "end" }, short(one.track, 26));
      draw(svg, "line", { x1: left, x2: right, y1: base, y2: base, stroke: "var(--axis)", "stroke-width": 0.6 });
      one.values.forEach((value, bin) => {
        if (value === null) return;
        const from = one.start + bin * one.bin;
        const tall = Math.max(1, (value / 99) * high);
        const bar = draw(svg, "rect", { x: x(from), y: base - tall, width: Math.max(0.8, x(from + one.bin) - x(from)), height: tall, fill: "#0072b2" });
        bar.dataset.tip = `${one.track}, ${place(from, one.bin)}: ${Number(((value / 99) * one.top).toPrecision(3))}`;
      });
      draw(svg, "text", { ...label, x: right + 5, y: base - 3 }, String(one.top));
    });
    const middle = x(0);
    draw(svg, "line", { x1: middle, x2: middle, y1: 4, y2: bottom, stroke: "currentColor", "stroke-dasharray": "3 2" });
    const span = Math.floor((bins * first.bin) / 2000);
    for (const [position, text, anchor] of [[-span * 1000, `${signed(-span, 0)} kb`, "middle"], [0, "start site", "middle"], [span * 1000, `${signed(span, 0)} kb`, "middle"]]) {
      if (position && !span) continue;
      draw(svg, "text", { x: Math.max(x(position), left + 14), y: bottom + 16, fill: "currentColor", "font-size": 11, "text-anchor": anchor }, text);
    }
    draw(svg, "text", { x: left, y: bottom + 31, fill: "currentColor", "font-size": 10.5 }, "in the direction of transcription →");
    return svg;
  };

  // Orange below zero, blue above, nearly white in the middle.
  const ENDS = [[140, 63, 6], [244, 245, 247], [10, 68, 128]];
  cistron.diverging = (value, limit, middle = ENDS[1]) => {
    const share = Math.max(-1, Math.min(1, value / limit));
    const end = share < 0 ? ENDS[0] : ENDS[2];
    return `rgb(${middle.map((from, channel) => Math.round(from + Math.abs(share) * (end[channel] - from))).join(",")})`;
  };

  cistron.markChart = (found, root) => {
    const whole = width(root);
    const left = whole < 480 ? 70 : 110;
    const size = (whole - left - 4) / found.starts.length;
    const high = 24;
    const bottom = 6 + found.marks.length * high;
    const known = found.effect.flat().filter((value) => value !== null).map(Math.abs);
    const limit = Math.max(1e-6, ...known);
    const strongest = found.marks.map((mark, row) => {
      const at = found.effect[row].reduce((best, value, column) => (Math.abs(value) > Math.abs(found.effect[row][best]) ? column : best), 0);
      return `${mark} ${signed(found.effect[row][at] ?? NaN, 2)} at ${place(found.starts[at], found.width)}`;
    });
    const narrow = whole < 480;
    const svg = paper(whole, bottom + (narrow ? 50 : 36), `What a peak of each mark does, strongest: ${strongest.join("; ")}`);
    found.marks.forEach((mark, row) => {
      draw(svg, "text", { x: left - 6, y: 6 + row * high + 16, fill: "currentColor", "font-size": 11, "text-anchor": "end" }, short(mark, whole < 480 ? 10 : 16));
      found.effect[row].forEach((value, column) => {
        const cell = draw(svg, "rect", {
          x: left + column * size, y: 6 + row * high, width: Math.max(1, size - 0.6), height: high - 1.5,
          fill: value === null ? "var(--grid)" : cistron.diverging(value, limit),
        });
        cell.dataset.tip = `${mark}, ${place(found.starts[column], found.width)}: ${signed(value ?? NaN, 3)}`;
      });
    });
    const every = Math.ceil(44 / size);
    found.starts.forEach((start, column) => {
      const middle = left + (column + 0.5) * size;
      if (column % every === 0) {
        draw(svg, "text", { x: middle, y: bottom + 14, fill: "currentColor", "font-size": 10.5, "text-anchor": "middle" }, signed((start + found.width / 2) / 1000, 1));
      }
    });
    const told = ["kb from the start site, middle of the peak", `full colour: ±${limit.toPrecision(2)}`];
    (narrow ? told : [told.join("; ")]).forEach((text, line) => {
      draw(svg, "text", { x: narrow ? 4 : left, y: bottom + 30 + 14 * line, fill: "currentColor", "font-size": 10.5 }, text);
    });
    return svg;
  };
})();
