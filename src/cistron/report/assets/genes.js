// The gene view: unpacks its blocks when a gene is first asked for, then shows one gene.
(() => {
  const NO_GENE = 0xffffffff;
  const LIMIT = 12;

  async function unpack(element) {
    const binary = atob(element.textContent);
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Byte planes, lowest first, back to integers.
  function joined(bytes, kind) {
    if (kind === "int8") return new Int8Array(bytes.buffer);
    const width = kind === "int16" ? 2 : 4;
    const length = bytes.length / width;
    const mixed = new Uint8Array(bytes.length);
    for (let plane = 0; plane < width; plane += 1) {
      for (let item = 0; item < length; item += 1) mixed[item * width + plane] = bytes[plane * length + item];
    }
    return kind === "int16" ? new Int16Array(mixed.buffer) : new Uint32Array(mixed.buffer);
  }

  function make(tag, text, className) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  const signed = (value, decimals = 2) => {
    if (Number.isNaN(value)) return "–";
    const text = Math.abs(value).toFixed(decimals);
    return (Number(text) === 0 ? "" : value < 0 ? "\u2212" : "+") + text;
  };

  class GeneView {
    constructor(root) {
      this.root = root;
      this.input = root.querySelector("input");
      this.list = root.querySelector("[role=listbox]");
      this.status = root.querySelector(".status");
      this.result = root.querySelector(".gene-result");
      this.blocks = {};
      this.active = -1;
      this.input.addEventListener("focus", () => this.load());
      this.input.addEventListener("input", () => this.suggest());
      this.input.addEventListener("keydown", (event) => this.key(event));
      this.input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
      root.addEventListener("click", (event) => {
        const button = event.target.closest("[data-gene]");
        if (button) this.choose(button.dataset.gene);
      });
    }

    load() {
      if (!this.loading) {
        this.status.textContent = "Unpacking …";
        this.loading = this.read().then(
          () => { this.status.textContent = ""; },
          (reason) => {
            this.status.textContent = "The gene view needs a browser of 2023 or later (DecompressionStream).";
            throw reason;
          },
        );
      }
      return this.loading;
    }

    // One block, unpacked when it is first needed.
    block(name) {
      this.pending ||= new Map();
      if (!this.pending.has(name)) {
        const element = [...this.root.querySelectorAll("script.block")].find((one) => one.dataset.name === name);
        this.pending.set(name, element ? this.unpacked(element) : Promise.resolve(undefined));
      }
      return this.pending.get(name);
    }

    async unpacked(element) {
      const { name, kind, step } = element.dataset;
      const bytes = await unpack(element);
      this.blocks[name] = kind === "json"
        ? JSON.parse(new TextDecoder().decode(bytes))
        : { values: joined(bytes, kind), step: Number(step), missing: kind === "int8" ? -128 : -32768 };
      element.textContent = "";
      return this.blocks[name];
    }

    async read() {
      for (const element of this.root.querySelectorAll("script.block")) {
        if (!element.dataset.name.startsWith("evidence ")) await this.block(element.dataset.name);
      }
      this.head = this.blocks.head;
      this.genes = this.blocks.genes;
      this.place = new Map();
      this.other = this.genes.names || [];
      this.other.forEach((names, row) => names.split(" ").forEach((name) => {
        const key = name.toLowerCase();
        if (key && !this.place.has(key)) this.place.set(key, row);
      }));
      // identifiers win over symbols, and an earlier gene over a later one of the same symbol
      this.genes.symbol.forEach((symbol, row) => {
        const key = symbol.toLowerCase();
        if (symbol && (!this.place.has(key) || this.genes.symbol[this.place.get(key)].toLowerCase() !== key)) this.place.set(key, row);
      });
      this.genes.gene.forEach((gene, row) => this.place.set(gene.toLowerCase(), row));
    }

    matches(text) {
      const wanted = text.trim().toLowerCase();
      if (!wanted) return [];
      const found = [[], [], []];
      for (let row = 0; row < this.head.scored; row += 1) {
        const symbol = this.genes.symbol[row].toLowerCase();
        const gene = this.genes.gene[row].toLowerCase();
        const also = this.other[row] ? ` ${this.other[row].toLowerCase()}` : "";
        if (symbol === wanted || gene === wanted || `${also} `.includes(` ${wanted} `)) found[0].push(row);
        else if (symbol.startsWith(wanted) || gene.startsWith(wanted)) found[1].push(row);
        else if (symbol.includes(wanted) || gene.includes(wanted) || also.includes(` ${wanted}`)) found[2].push(row);
      }
      return found.flat().slice(0, LIMIT);
    }

    async suggest() {
      await this.load();
      this.active = -1;
      this.input.removeAttribute("aria-activedescendant");
      const rows = this.matches(this.input.value);
      this.list.replaceChildren(...rows.map((row, number) => {
        const option = make("li");
        option.id = `${this.list.id}-${number}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.gene = this.genes.gene[row];
        option.append(make("span", this.genes.symbol[row] || this.genes.gene[row]));
        option.append(make("span", this.genes.symbol[row] ? this.genes.gene[row] : ""));
        return option;
      }));
      this.list.hidden = rows.length === 0;
      this.input.setAttribute("aria-expanded", String(rows.length > 0));
      this.status.textContent = this.input.value.trim() && rows.length === 0
        ? `No gene of this run matches "${this.input.value.trim()}".` : "";
    }

    key(event) {
      const options = [...this.list.children];
      if (event.key === "Escape") { this.close(); return; }
      if (event.key === "Enter") {
        event.preventDefault();
        const option = options[Math.max(0, this.active)];
        if (option && !this.list.hidden) this.choose(option.dataset.gene);
        else this.choose(this.input.value);
        return;
      }
      if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || options.length === 0) return;
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.active = (this.active + step + options.length) % options.length;
      options.forEach((option, number) => option.setAttribute("aria-selected", String(number === this.active)));
      options[this.active].scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", options[this.active].id);
    }

    close() {
      this.list.hidden = true;
      this.input.setAttribute("aria-expanded", "false");
    }

    async choose(name) {
      await this.load();
      this.close();
      const row = this.place.get(String(name).trim().toLowerCase());
      if (row === undefined) {
        this.status.textContent = name.trim() ? `No gene of this run is called "${name.trim()}".` : "";
        return;
      }
      this.input.value = this.genes.symbol[row] || this.genes.gene[row];
      this.status.textContent = "";
      if (this.head.piece) this.told = (await this.block(`evidence ${Math.floor(row / this.head.piece)}`)) || {};
      this.show(row);
      history.replaceState(null, "", `#gene=${encodeURIComponent(this.genes.gene[row])}`);
    }

    number(name, place) {
      const block = this.blocks[name];
      const value = block.values[place];
      return value === block.missing ? NaN : value * block.step;
    }

    show(row) {
      const { gene, symbol, chromosome, start } = this.genes;
      const heading = make("h3", `${symbol[row] || gene[row]} `);
      const { end = [], strand = [], biotype = [] } = this.genes;
      const until = end[row] > start[row] ? ` to ${end[row].toLocaleString("en")}` : "";
      const where = chromosome[row]
        ? `chromosome ${chromosome[row]}${start[row] >= 0 ? ` from ${(start[row] + 1).toLocaleString("en")}${until}` : ""}${strand[row] ? ` (${strand[row]})` : ""}` : "";
      heading.append(make("small", [symbol[row] ? gene[row] : "", where, biotype[row]].filter(Boolean).join(" · ")));
      const parts = [heading];
      if (this.other[row]) parts.push(make("p", `also ${this.other[row].split(" ").join(", ")}`, "status"));
      if (this.head.traits.length === 0) { /* no traits in this study */ }
      else if (row < this.head.scored) parts.push(this.table(row));
      else parts.push(make("p", "This gene has an embedding but no z-score in this run.", "note"));
      parts.push(this.neighbours(row), ...this.more(row));
      this.result.replaceChildren(...parts);
      this.result.hidden = false;
      cistron.saving(this.result, symbol[row] || gene[row]);
      this.result.dataset.gene = gene[row];
    }

    table(row) {
      const columns = [...this.head.nulls, ...this.head.embeddings];
      const head = make("tr");
      const headings = ["Trait", "", "z", ...columns.map((column) => column.label)];
      headings.forEach((text, number) => {
        const cell = make("th", text, number > 1 ? "number" : "");
        cell.scope = "col";
        head.append(cell);
      });
      const records = this.head.traits.map((trait, number) => {
        const place = number * this.head.scored + row;
        const values = columns.map((column) => this.number(column.prediction, place));
        return { trait, z: this.number("z", place), values };
      });
      const size = (record) => (Number.isNaN(record.z) ? -1 : Math.abs(record.z));
      records.sort((first, second) => size(second) - size(first));
      const largest = Math.max(4, ...records.map(size));
      const body = make("tbody");
      records.forEach((record) => body.append(this.line(record, largest)));
      const table = make("table");
      table.append(make("caption", "z-score and held-out predictions, largest z first. ▲ closer to z than the covariates alone, ▽ farther."));
      const top = make("thead");
      top.append(head);
      table.append(top, body);
      const scroll = make("div", undefined, "scroll");
      scroll.tabIndex = 0;
      scroll.append(table);
      return scroll;
    }

    line(record, largest) {
      const line = make("tr");
      const name = make("th", record.trait);
      name.scope = "row";
      const bar = make("span", undefined, "bar");
      if (!Number.isNaN(record.z)) {
        const length = make("i", undefined, record.z < 0 ? "negative" : "");
        const share = (50 * Math.abs(record.z)) / largest;
        length.style.width = `${share}%`;
        length.style.left = `${record.z < 0 ? 50 - share : 50}%`;
        bar.append(length);
      }
      bar.setAttribute("aria-hidden", "true");
      const place = make("td");
      place.append(bar);
      line.append(name, place, make("td", signed(record.z), "number strong"));
      const nulls = this.head.nulls.length;
      record.values.forEach((value, number) => {
        const cell = make("td", signed(value), "number");
        if (number >= nulls && nulls === 1 && !Number.isNaN(value + record.z + record.values[0])) {
          const closer = Math.abs(record.z - value) < Math.abs(record.z - record.values[0]);
          const mark = make("span", closer ? " ▲" : " ▽", closer ? "closer" : "farther");
          mark.setAttribute("aria-hidden", "true");
          cell.append(mark, make("span", closer ? " closer than covariates" : " farther than covariates", "visually-hidden"));
        }
        line.append(cell);
      });
      return line;
    }

    neighbours(row) {
      const box = make("div", undefined, "neighbours");
      for (const entry of this.head.embeddings.filter((one) => one.neighbours)) {
        const part = make("div");
        part.append(make("h4", `Nearest in ${entry.embedding}`));
        const list = make("ol");
        for (let rank = 0; rank < this.head.neighbours; rank += 1) {
          const place = row * this.head.neighbours + rank;
          const other = this.blocks[entry.neighbours].values[place];
          if (other === NO_GENE) continue;
          const item = make("li");
          const button = make("button", this.genes.symbol[other] || this.genes.gene[other], "link");
          button.type = "button";
          button.dataset.gene = this.genes.gene[other];
          item.append(button, make("span", this.number(entry.similarity, place).toFixed(2)));
          const shared = this.shared(row, other);
          if (shared) item.append(make("small", shared));
          list.append(item);
        }
        part.append(list.children.length ? list : make("p", "not embedded", "status"));
        box.append(part);
      }
      return box;
    }
  }

  Object.assign(cistron, { GeneView, make, signed, NO_GENE });
})();
