// The script of all pages: sorts and filters tables and draws curves with uPlot, which stands before it in the page. All text
// goes in as text, never as markup. The data are described in tools/sweep/results/curves.ts; `unit` is what x counts.
(() => {
  // Stays when the page is shown again with other data.
  const hidden = new Set();
  let leave = () => {};
  const show = () => {
    leave();
    leave = () => {};
    const { groups, charts, unit: xUnit } = JSON.parse(document.getElementById("data").textContent);
    const colourOf = (group) => groups[group]?.colour ?? "";
    const theme = () => getComputedStyle(document.documentElement);
    const themed = (name) => () => theme().getPropertyValue(name).trim();
    const made = (tag, text = "", className = "") => {
      const element = document.createElement(tag);
      element.textContent = text;
      if (className !== "") element.className = className;
      return element;
    };

    // ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────
    const compare = (a, b) => {
      // What is empty comes last either way.
      if (a === "" || b === "") return null;
      return !Number.isNaN(Number(a)) && !Number.isNaN(Number(b))
        ? Number(a) - Number(b)
        : a.localeCompare(b, "en", { numeric: true });
    };
    for (const table of document.querySelectorAll("table")) {
      const body = table.tBodies[0];
      const heads = [...table.tHead.rows[0].cells];
      for (const [column, head] of heads.entries()) {
        head.firstElementChild?.addEventListener("click", () => {
          const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
          for (const other of heads) other.removeAttribute("aria-sort");
          head.setAttribute("aria-sort", order);
          const by = (row) => row.cells[column].dataset.by;
          const rows = [...body.rows].sort((a, b) => {
            const found = compare(by(a), by(b));
            if (found === null) return (by(a) === "" ? 1 : 0) - (by(b) === "" ? 1 : 0);
            return order === "ascending" ? found : -found;
          });
          body.append(...rows);
        });
      }
      for (const row of body.rows) {
        const group = Number(row.dataset.group);
        if (row.dataset.group === undefined) continue;
        for (const part of row.querySelectorAll(".swatch")) part.style.background = colourOf(group);
        for (const part of row.querySelectorAll(".strip")) part.style.color = colourOf(group);
        row.addEventListener("mouseenter", () => highlight(group));
        row.addEventListener("mouseleave", () => highlight(null));
      }
    }

    for (const box of document.querySelectorAll("input[data-filters]")) {
      const table = document.getElementById(box.dataset.filters);
      box.addEventListener("input", () => {
        const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
        for (const row of table.tBodies[0].rows) {
          const text = row.textContent.toLowerCase();
          row.hidden = !words.every((word) => text.includes(word));
        }
      });
    }

    // ── Curves ───────────────────────────────────────────────────────────────────────────────────────────────────────
    /** Above this the dots of a curve run into each other. */
    const manyPoints = 40;
    const wholeNumbers = Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
    /** Some numbers, such as rates of learning, are known by their digits, others by their decimals. */
    const numberText = (value, decimals) =>
      decimals === null ? String(Number(value.toPrecision(4))) : value.toFixed(decimals);
    const plots = [];
    let highlighted = null;

    /** Thin seeds behind thick means; what is not highlighted steps back. */
    const alphaOf = ({ group, isMean }) => {
      const own = isMean ? 1 : 0.38;
      return highlighted === null || highlighted === group ? own : own * 0.16;
    };
    const refresh = () => {
      for (const { plot, series } of plots) {
        for (const [s, one] of series.entries()) {
          plot.series[s + 1].alpha = alphaOf(one);
          plot.series[s + 1].show = !hidden.has(one.group);
        }
        // Scales follow what is shown.
        plot.setData(plot.data, true);
      }
    };
    const redraw = () => {
      for (const { plot, series } of plots) {
        for (const [s, one] of series.entries()) plot.series[s + 1].alpha = alphaOf(one);
        plot.redraw(false, false);
      }
    };
    function highlight(group) {
      if (group === highlighted) return;
      highlighted = group;
      redraw();
    }

    const legend = document.getElementById("legend");
    if (legend === null) return;
    const buttons = groups.map((group, g) => {
      const button = made("button");
      const swatch = made("span", "", "swatch");
      swatch.style.background = group.colour;
      button.type = "button";
      button.append(swatch, group.label);
      button.addEventListener("click", () => {
        if (!hidden.delete(g)) hidden.add(g);
        shown();
      });
      button.addEventListener("dblclick", () => {
        hidden.clear();
        for (const other of groups.keys()) if (other !== g) hidden.add(other);
        shown();
      });
      button.addEventListener("mouseenter", () => highlight(g));
      button.addEventListener("mouseleave", () => highlight(null));
      return button;
    });
    const all = made("button", "show all", "all");
    all.type = "button";
    all.addEventListener("click", () => {
      hidden.clear();
      shown();
    });
    legend.append(...buttons, all);
    function shown() {
      for (const [g, button] of buttons.entries()) button.setAttribute("aria-pressed", String(!hidden.has(g)));
      all.hidden = hidden.size === 0;
      refresh();
    }

    /** uPlot itself shows three decimals at most, which makes all small numbers alike. */
    const tickTexts = (_, ticks) => ticks.map((tick) => tick?.toLocaleString("en", { maximumSignificantDigits: 5 }));
    const sync = uPlot.sync("curves");
    for (const chart of charts) draw(chart, document.getElementById("charts"));
    shown();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    leave = () => {
      scheme.removeEventListener("change", redraw);
      for (const { plot } of plots) plot.destroy();
    };

    function draw({ title, unit, hint, decimals, byStep, x, series }, parent) {
      const figure = made("figure");
      const caption = made("figcaption", title);
      caption.append(" ", made("small", hint));
      const place = made("div");
      const tip = made("div", "", "tip");
      tip.hidden = true;
      figure.append(caption, place, tip);
      parent.append(figure);

      const width = () => place.clientWidth;
      const axis = (label) => ({
        label,
        labelGap: 2,
        stroke: themed("--soft"),
        grid: { stroke: themed("--line"), width: 1 },
        ticks: { stroke: themed("--line"), width: 1, size: 5 },
        font: "12px system-ui, sans-serif",
        labelFont: "12px system-ui, sans-serif",
      });
      const plot = new uPlot(
        {
          width: width(),
          height: 290,
          legend: { show: false },
          scales: { x: { time: false } },
          axes: [
            { ...axis(`${xUnit}s`), size: 34, labelSize: 18, ...(byStep ? {} : { incrs: wholeNumbers }) },
            { ...axis(unit === "" ? title : `${title} (${unit})`), size: 56, labelSize: 20, values: tickTexts },
          ],
          cursor: {
            sync: { key: sync.key, setSeries: false },
            focus: { prox: 24 },
            points: { one: true, size: 7 },
            y: false,
            // The nearest measured value: curves have gaps where another point was measured.
            dataIdx: (self, s, index) => {
              if (s === 0 || self.data[s][index] != null) return index;
              for (let far = 1; far < (byStep ? 12 : 1); far++) {
                if (self.data[s][index - far] != null) return index - far;
                if (self.data[s][index + far] != null) return index + far;
              }
              return index;
            },
          },
          focus: { alpha: 1 },
          series: [
            {},
            ...series.map(({ group, isMean, failed }) => ({
              stroke: colourOf(group),
              width: isMean ? (byStep ? 1.75 : 2.25) : 1,
              dash: failed ? [5, 4] : undefined,
              spanGaps: true,
              points: { show: x.length <= manyPoints && !byStep, size: isMean ? 6 : 4, fill: colourOf(group) },
            })),
          ],
          hooks: {
            setSeries: [
              (_, s, options) => {
                if (options.focus === undefined) return;
                const one = s === null || s === 0 ? undefined : series[s - 1];
                highlight(one === undefined ? null : one.group);
                if (one === undefined) tip.hidden = true;
              },
            ],
            setCursor: [(self) => showTip(self)],
          },
        },
        [x, ...series.map(({ y }) => y)],
        place,
      );

      function showTip(self) {
        const s = self.series.findIndex((one, i) => i > 0 && one._focus === true && one.show);
        const one = series[s - 1];
        const index = self.cursor.idxs?.[s];
        const value = one === undefined || index == null ? null : one.y[index];
        // Other charts follow the cursor without being under it.
        tip.hidden = value == null || !place.matches(":hover");
        if (tip.hidden) return;
        const at = Number(x[index].toFixed(2));
        tip.replaceChildren(
          made("b", [groups[one.group].label, one.label].filter(Boolean).join(", ")),
          made("span", `${xUnit} ${at}: ${numberText(value, decimals)}${unit === "" ? "" : ` ${unit}`}`),
        );
        const left = place.offsetLeft + self.over.offsetLeft + self.valToPos(x[index], "x");
        const onRight = left + tip.offsetWidth + 16 < figure.clientWidth;
        tip.style.left = `${onRight ? left + 12 : left - tip.offsetWidth - 12}px`;
        tip.style.top = `${place.offsetTop + self.over.offsetTop + self.valToPos(value, "y") - 12}px`;
      }

      new ResizeObserver(() => plot.setSize({ width: width(), height: 290 })).observe(place);
      plots.push({ plot, series });
    }
  };
  show();
  globalThis.showPage = show;
})();
