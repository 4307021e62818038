// What a study knows of one gene beside its traits and neighbours: sets, edges, expression, files of other commands.
(() => {
  const { GeneView, make, signed } = cistron;
  const fixed = (value, decimals) => (value === null || value === undefined ? "–" : value.toFixed(decimals).replace("-", "\u2212"));
  const whole = (value) => (value === null ? "–" : value.toLocaleString("en"));

  // Headings that begin with # are of numbers; the first column names the row.
  function table(headings, rows) {
    const made = make("table");
    const line = make("tr");
    for (const text of headings) {
      const cell = make("th", text.replace(/^#/, ""), text.startsWith("#") ? "number" : "");
      cell.scope = "col";
      line.append(cell);
    }
    const top = make("thead");
    top.append(line);
    const body = make("tbody");
    for (const values of rows) {
      const row = make("tr");
      values.forEach((value, column) => {
        const cell = make(column ? "td" : "th", value, headings[column].startsWith("#") ? "number" : "");
        if (!column) cell.scope = "row";
        row.append(cell);
      });
      body.append(row);
    }
    made.append(top, body);
    return scrolling(made);
  }

  function scrolling(element) {
    const scroll = make("div", undefined, "scroll");
    scroll.tabIndex = 0;
    scroll.append(element);
    return scroll;
  }

  function figure(chart, caption) {
    const made = make("figure");
    made.append(scrolling(chart), make("figcaption", caption));
    return made;
  }

  Object.assign(GeneView.prototype, {
    shared(row, other) {
      if (!this.blocks.sets) return "";
      const own = new Set(this.blocks.sets.of[row]);
      const both = this.blocks.sets.of[other].filter((number) => own.has(number));
      if (both.length === 0) return "";
      const named = both.slice(0, 2).map((number) => this.blocks.sets.names[number]).join(", ");
      return `shares ${named}${both.length > 2 ? ` and ${both.length - 2} more` : ""}`;
    },

    // Sets, edges, expression, and what this study does not have.
    more(row) {
      const facts = this.blocks.facts;
      if (!facts) return [];
      const parts = [];
      const titled = (title, element) => { parts.push(make("h4", title), element); };
      const sets = this.blocks.sets.of[row].map((number) => this.blocks.sets.names[number]);
      if (sets.length) titled("Sets", make("p", sets.slice(0, 40).join(", ") + (sets.length > 40 ? ` and ${sets.length - 40} more` : "")));
      for (const kind of ["regulators", "targets"]) {
        const edges = facts[kind][row];
        if (!edges) continue;
        const list = make("ul", undefined, "edges");
        for (const [gene, sign, probability, network] of edges) {
          const item = make("li");
          const place = this.place.get(gene.toLowerCase());
          const name = place === undefined ? gene : this.genes.symbol[place] || gene;
          const button = make("button", name, "link");
          button.type = "button";
          button.dataset.gene = gene;
          const told = [{ 1: "raises", "-1": "lowers" }[sign], probability === null ? "" : `probability ${probability}`, facts.networks[network]];
          item.append(place === undefined ? make("span", name) : button, make("span", ` ${told.filter(Boolean).join(", ")}`));
          list.append(item);
        }
        titled(kind === "regulators" ? "Regulators" : "Targets", list);
      }
      const expression = facts.expression && facts.expression.of[row];
      if (expression) titled(`Expression, measured and predicted by ${facts.expression.embedding}`, this.expression(facts.expression.types, expression));
      this.evidence(row, titled);
      const lacking = [...(this.head.absent || []), ...Object.entries(this.head.other || {})
        .filter(([key]) => !(this.told[key] && this.told[key][row])).map(([, one]) => one)];
      if (lacking.length) {
        const list = make("dl", undefined, "answers");
        for (const { what, how } of lacking) {
          const line = make("div");
          line.append(make("dt", what), make("dd", how));
          list.append(line);
        }
        titled("What this study does not have, and what would fill it", list);
      }
      return parts;
    },

    expression(types, [measured, predicted]) {
      const text = (value) => (value === null || value === undefined ? "–" : value.toFixed(3));
      return table(["Cells", "#Measured", "#Predicted"], types.map((type, number) => [type, text(measured[number]), text(predicted[number])]));
    },

    // What files of other commands say of the gene.
    evidence(row, titled) {
      const of = (key) => (this.told[key] && this.told[key][row]) || [];
      const titles = this.head.titles;
      const tracks = of("tracks");
      if (tracks.length) {
        const files = [...new Set(tracks.map((one) => one.file))].join(", ");
        const build = tracks[0].build ? `, genome build ${tracks[0].build}` : "";
        titled(titles.tracks, figure(cistron.trackChart(tracks, this.result), `Highest at the start site${build}, of ${files}. Each track by its own highest value, at its right.`));
      }
      const elements = of("enhancers");
      if (elements.length) {
        titled(titles.enhancers, table(["Element", "Place", "#Distance, bp", "Method", "#Contribution", "File"],
          elements.map((one) => [one.element, one.place, whole(one.distance), one.method, fixed(one.score, 4), one.file])));
      }
      const variants = of("variants");
      if (variants.length) {
        titled(titles.variants, table(["Variant", "Id", "#Distance, bp", "Track that changes most", "#Change", "Scale", "File"],
          variants.map((one) => [one.variant, one.id, signed(one.distance, 0), one.track, signed(one.change ?? NaN, 3), one.scale, one.file])));
      }
      for (const found of of("epigenesis")) {
        titled(titles.epigenesis, figure(cistron.markChart(found, this.result),
          `Change of predicted expression (${found.scale}) by a peak of each mark in each place, in ${found.peak_in}: blue raises, orange lowers. ${found.file}.`));
      }
      for (const found of of("designs")) {
        titled(`${titles.designs}: ${found.file}`, table(["Cell type", "Role", "#Before", "#Wanted", "#Reached", "#By networks kept out"],
          found.outcome.map((one) => [one.cell_type, one.role, ...["before", "wanted", "after", "judged"].map((name) => fixed(one[name], 2))])));
        if (found.edits.length) {
          titled("Largest edits", table(["Mark", "Cell type", "#From, bp", "#To, bp", "#Signal before", "#After"],
            found.edits.map((one) => [one.mark, one.cell_type, signed(one.start, 0), signed(one.end, 0), fixed(one.before, 2), fixed(one.after, 2)])));
        }
      }
    },
  });

  const views = [...document.querySelectorAll(".gene-view")].map((root) => new GeneView(root));
  cistron.views = views;
  const follow = () => {
    const wanted = /^#gene=(.+)$/.exec(location.hash);
    if (!wanted || views.length === 0) return;
    let name = wanted[1];
    try { name = decodeURIComponent(name); } catch { /* a hash that somebody typed by hand: take it as it is */ }
    views.forEach((view) => view.choose(name));
    views[0].root.closest("section").scrollIntoView();
  };
  window.addEventListener("hashchange", follow);
  follow();
})();
