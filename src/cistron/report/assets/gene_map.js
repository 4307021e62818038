// The map of all genes: coloured by a set, a trait or expression; a gene is chosen by a click, a tap or the keyboard.
(() => {
  const { make, signed } = cistron;
  const MISSING = -32768;
  const GREY = { light: "#b9c2cd", dark: "#4a5868" };
  const BLUE = "#0072b2";
  const REACH = 14; // pixels within which a pointer finds a gene

  class GeneMap {
    constructor(root, view) {
      this.root = root;
      this.view = view;
      this.canvas = root.querySelector("canvas");
      this.kind = root.querySelector(".map-kind");
      this.which = root.querySelector(".map-which");
      this.status = root.querySelector(".status");
      this.tip = document.getElementById("tip");
      this.current = -1;
      new IntersectionObserver((seen, observer) => {
        if (!seen.some((one) => one.isIntersecting)) return;
        observer.disconnect();
        this.begin();
      }, { rootMargin: "500px" }).observe(root);
    }

    async begin() {
      const [head, genes, layout] = await Promise.all(["head", "genes", "layout"].map((name) => this.view.block(name)));
      this.head = head;
      this.genes = genes;
      const rows = genes.gene.length;
      this.x = new Float32Array(rows);
      this.y = new Float32Array(rows);
      this.rows = [];
      for (let row = 0; row < rows; row += 1) {
        const [x, y] = [layout.values[2 * row], layout.values[2 * row + 1]];
        if (x === MISSING) continue;
        this.x[row] = x * layout.step;
        this.y[row] = y * layout.step;
        this.rows.push(row);
      }
      this.kind.addEventListener("input", () => this.offer());
      this.which.addEventListener("input", () => this.colour());
      this.canvas.addEventListener("pointermove", (event) => this.point(event));
      this.canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
      this.canvas.addEventListener("click", (event) => this.open(this.nearest(event)));
      this.canvas.addEventListener("keydown", (event) => this.key(event));
      this.canvas.addEventListener("blur", () => { this.tip.hidden = true; });
      // drawing changes the height of what is observed, so it waits for the next frame, and for another width
      new ResizeObserver(([seen]) => {
        const wide = Math.round(seen.contentRect.width);
        if (wide === this.seen) return;
        this.seen = wide;
        requestAnimationFrame(() => this.draw());
      }).observe(this.root.querySelector(".map-paper"));
      for (const query of ["(prefers-color-scheme: dark)", "print"]) {
        window.matchMedia(query).addEventListener("change", () => this.draw());
      }
      const name = this.root.dataset.name;
      this.root.querySelector(".map-paper").before(cistron.savingBar(
        cistron.saveButton("SVG", "Save this map as SVG", () => cistron.save(`${name}.svg`, new Blob([this.svg()], { type: "image/svg+xml" }))),
        cistron.saveButton("PNG", "Save this map as PNG", () => this.png(name)),
        cistron.saveButton("TSV", "Save the places and values of this map as TSV", () => cistron.save(`${name}.tsv`, new Blob([this.tsv()], { type: "text/tab-separated-values" }))),
      ));
      const { kind, number } = this.root.dataset;
      if (kind !== "none") this.kind.value = kind;
      await this.offer(number);
      this.root.dataset.ready = "1";
    }

    name(row) { return this.genes.symbol[row] || this.genes.gene[row]; }

    // Fill the second list with what the first one names.
    async offer(number = "0") {
      const kind = this.kind.value;
      let names = [];
      if (kind === "trait") names = this.head.traits;
      if (kind === "set") names = (await this.view.block("sets")).names;
      if (kind === "expression") names = (await this.view.block("facts")).expression.types;
      this.which.replaceChildren(...names.map((name, number) => {
        const option = make("option", name);
        option.value = String(number);
        return option;
      }));
      this.which.disabled = names.length === 0;
      if (names.length) this.which.value = number;
      await this.colour();
    }

    // Value of each gene, NaN where it is not known.
    async colour() {
      const number = Number(this.which.value);
      const values = new Float32Array(this.genes.gene.length).fill(NaN);
      const kind = this.which.disabled ? "none" : this.kind.value;
      if (kind === "trait") {
        const block = await this.view.block("z");
        for (let row = 0; row < this.head.scored; row += 1) {
          const value = block.values[number * this.head.scored + row];
          if (value !== block.missing) values[row] = value * block.step;
        }
      } else if (kind === "set") {
        const { of } = await this.view.block("sets");
        for (const row of this.rows) values[row] = of[row].includes(number) ? 1 : 0;
      } else if (kind === "expression") {
        const { of } = (await this.view.block("facts")).expression;
        for (const [row, [measured]] of Object.entries(of)) if (measured[number] !== null) values[row] = measured[number];
      }
      const known = this.rows.map((row) => values[row]).filter((value) => !Number.isNaN(value)).map(Math.abs).sort((a, b) => a - b);
      this.limit = known[Math.floor(0.98 * (known.length - 1))] || 1;
      this.values = values;
      this.mode = kind;
      // what is coloured most is drawn last, so that grey does not cover it
      this.order = [...this.rows].sort((first, second) => (Math.abs(values[first]) || 0) - (Math.abs(values[second]) || 0));
      this.draw();
      const title = this.which.selectedOptions[0] ? this.which.selectedOptions[0].textContent : "";
      const told = {
        none: "The study has no set, trait or expression to colour by.",
        trait: `Colour: z-score for ${title}, blue above, orange below zero; full colour at ±${this.limit.toFixed(1)}. Grey: no score.`,
        set: `Blue: the ${known.filter((value) => value === 1).length.toLocaleString("en")} genes of ${title} on this map.`,
        expression: `Colour: measured expression in ${title}, the more the darker; full colour at ${this.limit.toFixed(1)}. Grey: not measured.`,
      };
      this.status.textContent = told[kind];
      this.canvas.setAttribute("aria-label", `Map of ${this.rows.length} genes. ${told[kind]} Arrow keys go to the next gene in a direction, Enter opens it.`);
    }

    shade(row, dark) {
      const value = this.values[row];
      const grey = dark ? GREY.dark : GREY.light;
      if (Number.isNaN(value)) return grey;
      if (this.mode === "set") return value ? BLUE : grey;
      if (this.mode === "expression") {
        const share = Math.max(0, Math.min(1, value / this.limit));
        return `rgb(${[[222, 8], [235, 48], [247, 107]].map(([from, to]) => Math.round(from + share * (to - from))).join(",")})`;
      }
      return cistron.diverging(value, this.limit, dark ? [74, 88, 104] : [214, 219, 227]);
    }

    // Places on a paper of a size: [x, y] of a row, and the radius of a point.
    scale(width, height) {
      const margin = 12;
      const radius = Math.max(1.3, Math.min(4, Math.sqrt((width * height) / this.rows.length) / 5));
      return {
        radius,
        at: (row) => [
          margin + ((this.x[row] + 1) / 2) * (width - 2 * margin),
          margin + ((1 - this.y[row]) / 2) * (height - 2 * margin),
        ],
      };
    }

    paint(context, width, height, dark) {
      const { at, radius } = this.scale(width, height);
      context.clearRect(0, 0, width, height);
      for (const row of this.order) {
        const [x, y] = at(row);
        context.fillStyle = this.shade(row, dark);
        context.beginPath();
        context.arc(x, y, this.mode === "set" && this.values[row] ? radius * 1.5 : radius, 0, 7);
        context.fill();
      }
    }

    draw() {
      if (!this.order) return;
      const paper = this.root.querySelector(".map-paper");
      this.width = Math.max(240, Math.min(paper.clientWidth, 900));
      this.height = Math.round(this.width * (this.width < 500 ? 1 : 0.66));
      const ratio = window.devicePixelRatio || 1;
      this.canvas.width = this.width * ratio;
      this.canvas.height = this.height * ratio;
      this.canvas.style.width = `${this.width}px`;
      this.canvas.style.height = `${this.height}px`;
      const context = this.canvas.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const print = window.matchMedia("print").matches;
      const dark = !print && window.matchMedia("(prefers-color-scheme: dark)").matches;
      this.paint(context, this.width, this.height, dark);
      if (this.current < 0) return;
      const { at, radius } = this.scale(this.width, this.height);
      const [x, y] = at(this.current);
      context.strokeStyle = dark ? "#ffffff" : "#17263a";
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, radius + 4, 0, 7);
      context.stroke();
    }

    nearest(event) {
      const box = this.canvas.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      const { at } = this.scale(this.width, this.height);
      let [best, least] = [-1, REACH * REACH];
      for (const row of this.rows) {
        const [x, y] = at(row);
        const away = (x - px) ** 2 + (y - py) ** 2;
        if (away < least) [best, least] = [row, away];
      }
      return best;
    }

    told(row) {
      const value = this.values[row];
      const id = this.genes.symbol[row] ? ` (${this.genes.gene[row]})` : "";
      const title = this.which.selectedOptions[0] ? this.which.selectedOptions[0].textContent : "";
      const what = {
        none: "",
        trait: Number.isNaN(value) ? `: no score for ${title}` : `: z ${signed(value)} for ${title}`,
        set: value ? `: in ${title}` : `: not in ${title}`,
        expression: Number.isNaN(value) ? `: not measured in ${title}` : `: ${value.toFixed(2)} in ${title}`,
      };
      return `${this.name(row)}${id}${what[this.mode]}`;
    }

    show(row) {
      if (row < 0) { this.tip.hidden = true; return; }
      this.tip.setAttribute("aria-live", "polite");
      this.tip.textContent = this.told(row);
      this.tip.hidden = false;
      const [x, y] = this.scale(this.width, this.height).at(row);
      const box = this.canvas.getBoundingClientRect();
      const tip = this.tip.getBoundingClientRect();
      this.tip.style.left = `${Math.max(8, Math.min(box.left + x + 12, window.innerWidth - tip.width - 8))}px`;
      this.tip.style.top = `${Math.max(8, Math.min(box.top + y + 12, window.innerHeight - tip.height - 8))}px`;
    }

    point(event) {
      const row = this.nearest(event);
      this.canvas.style.cursor = row < 0 ? "" : "pointer";
      this.show(row);
    }

    key(event) {
      const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (event.key === "Enter" && this.current >= 0) { event.preventDefault(); this.open(this.current); return; }
      if (event.key === "Escape") { this.current = -1; this.show(-1); this.draw(); return; }
      if (!way) return;
      event.preventDefault();
      if (this.current < 0) {
        // begin with the gene that is coloured most
        this.current = this.order[this.order.length - 1];
      } else {
        let [best, least] = [-1, Infinity];
        for (const row of this.rows) {
          const [dx, dy] = [this.x[row] - this.x[this.current], this.y[row] - this.y[this.current]];
          const along = dx * way[0] + dy * way[1];
          const across = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
          if (row === this.current || along <= 0 || across > along) continue;
          const away = along * along + across * across;
          if (away < least) [best, least] = [row, away];
        }
        if (best >= 0) this.current = best;
      }
      this.draw();
      this.show(this.current);
    }

    async open(row) {
      if (row < 0) return;
      this.tip.hidden = true;
      this.current = row;
      this.draw();
      await this.view.choose(this.genes.gene[row]);
      this.view.root.closest("section").scrollIntoView();
      this.view.result.focus({ preventScroll: true });
    }
  }

  cistron.GeneMap = GeneMap;
})();
