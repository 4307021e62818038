// The map of all genes as a file: SVG with a title on every point, PNG, TSV of places and values. Then the maps of the page begin.
(() => {
  const { GeneMap } = cistron;
  Object.assign(GeneMap.prototype, {
    svg() {
      const [width, height] = [900, 600];
      const { at, radius } = this.scale(width, height);
      const escape = (text) => text.replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);
      const points = this.order.map((row) => {
        const [x, y] = at(row);
        return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(1)}" fill="${this.shade(row, false)}"><title>${escape(this.told(row))}</title></circle>`;
      });
      return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 30}" width="${width}" height="${height + 30}"><rect width="100%" height="100%" fill="#fff"/>`
        + `${points.join("")}<text x="12" y="${height + 18}" font-family="sans-serif" font-size="13">${escape(this.status.textContent)}</text></svg>`;
    },

    png(name) {
      const copy = document.createElement("canvas");
      [copy.width, copy.height] = [1800, 1260];
      const context = copy.getContext("2d");
      context.scale(2, 2);
      this.paint(context, 900, 600, false);
      context.fillStyle = "#17263a";
      context.font = "13px sans-serif";
      context.fillText(this.status.textContent, 12, 618);
      context.globalCompositeOperation = "destination-over";
      context.fillStyle = "#ffffff";
      context.fillRect(0, 0, 900, 630);
      copy.toBlob((blob) => cistron.save(`${name}.png`, blob), "image/png");
    },

    tsv() {
      const safe = (text) => (/^[=+@-]/.test(text) ? `'${text}` : text).replace(/\s+/g, " ");
      const lines = this.rows.map((row) => [safe(this.genes.gene[row]), safe(this.genes.symbol[row]), this.x[row].toFixed(4), this.y[row].toFixed(4),
        Number.isNaN(this.values[row]) ? "" : Number(this.values[row].toFixed(4))].join("\t"));
      const title = this.which.selectedOptions[0] ? this.which.selectedOptions[0].textContent : "value";
      return `${["gene", "symbol", "x", "y", safe(title)].join("\t")}\n${lines.join("\n")}\n`;
    },
  });

  document.querySelectorAll(".gene-map").forEach((root) => {
    const view = cistron.views.find((one) => one.root.id === root.dataset.view);
    if (view) root.map = new GeneMap(root, view);
  });
})();
