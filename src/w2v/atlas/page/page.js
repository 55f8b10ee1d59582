// The page of a map: what a reader sees and does. All text is put into the page as text, never as markup.
"use strict";

const w2vMap = {};

(() => {
  const byId = (id) => document.getElementById(id);
  const LISTED = 100;
  const SIZES = [3, 4, 11]; // of words, documents, topics
  const LATE = 40; // milliseconds between two frames after which a picture of WebGL was slow
  const REST = 120; // milliseconds without a movement after which labels are placed anew
  const BUDGET = 10; // milliseconds for plotting points while they move

  /** An element with text in it. */
  function made(tag, text, classes) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (classes) element.className = classes;
    return element;
  }

  async function unpacked() {
    const coded = atob(byId("data").textContent);
    const bytes = Uint8Array.from(coded, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return core.unpack(await new Response(stream).arrayBuffer());
  }

  /** The name of what draws WebGL; "" if there is none. */
  function rendererOf() {
    const gl = made("canvas").getContext("webgl");
    const named = gl?.getExtension("WEBGL_debug_renderer_info");
    return gl ? String(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : "";
  }

  async function start() {
    const { header, arrays } = await unpacked();
    const names = header.names;
    const folded = names.map(core.folded);
    const count = names.length;
    const kinds = arrays.kinds;
    let selected = -1;
    let hovered = -1;
    let colouring = 0;
    let camera = null;

    // --- data ------------------------------------------------------------------------------------------------------

    const valueOf = (entry, i) => arrays[entry.values][i];

    function told(entry, i) {
      const value = valueOf(entry, i);
      if (entry.categories) return value < 0 ? entry.none : entry.categories[value];
      const number = entry.told ? arrays[entry.told][i] : value;
      return Number.isNaN(number) ? "–" : Number(number.toPrecision(4)).toLocaleString("en");
    }

    function neighbours(space, i) {
      const rows = arrays[space.rows];
      const cosines = arrays[space.cosines];
      const found = [];
      for (let place = i * header.k; place < (i + 1) * header.k; place++) {
        if (rows[place] < count) found.push([rows[place], cosines[place] / 10000]);
      }
      return found;
    }

    // --- maps ------------------------------------------------------------------------------------------------------

    const maps = header.sheets.map((sheet) => {
      const element = made("div", undefined, "map");
      element.tabIndex = 0;
      element.setAttribute("role", "application");
      element.setAttribute("aria-label", `Map ${sheet.name}: arrows move, plus and minus zoom, Enter selects; the list beside it says the same`);
      const points = made("canvas"); // by WebGL
      const pixels = made("canvas"); // without it
      const over = made("canvas");
      const name = made("div", sheet.name, "name");
      for (const canvas of [points, pixels, over]) canvas.setAttribute("aria-hidden", "true");
      const zoom = made("div", undefined, "zoom");
      for (const [text, label, factor] of [["+", "Zoom in", 1.6], ["−", "Zoom out", 1 / 1.6], ["◻", "Show all", 0]]) {
        const button = made("button", text);
        button.type = "button";
        button.setAttribute("aria-label", label);
        button.addEventListener("click", () => (factor ? zoomBy(map, factor) : showAll()));
        zoom.append(button);
      }
      element.append(points, pixels, over, name, zoom);
      byId("maps").append(element);
      const xs = arrays[sheet.xs];
      const ys = arrays[sheet.ys];
      const there = Array.from({ length: count }, (_, i) => i).filter((i) => !Number.isNaN(xs[i]));
      const above = [name, zoom]; // on the labels, which keep away
      return { sheet, element, points, pixels, over, above, xs, ys, there, labels: [], width: 1, height: 1, most: count };
    });

    const opacity = count > 20000 ? 0.55 : 0.8;
    let byLibrary = false;

    /** Give points the colours that are chosen; WebGL then draws them, pixels are plotted at the next look. */
    function paint() {
      const colours = header.colourings[colouring];
      const palette = colours.categories ? core.categoryColours(colours.categories.length) : core.scaleColours();
      const values = arrays[colours.values];
      const steps = colours.categories
        ? Array.from(values, (value) => (value < 0 ? colours.categories.length : value))
        : core.stepsOf(values);
      shades = Uint16Array.from(steps);
      tints = Int32Array.from(palette, plot.pixelOf);
      if (!byLibrary) return look();
      return Promise.all(maps.map((map) => {
        map.scatter.set({ pointColor: palette });
        // Important points lie on top: they are drawn last.
        const order = map.there.toReversed ? map.there.toReversed() : [...map.there].reverse();
        return map.scatter.draw(
          {
            x: order.map((i) => map.xs[i]),
            y: order.map((i) => map.ys[i]),
            z: order.map((i) => steps[i]),
            w: order.map((i) => kinds[i]),
          },
          { zDataType: "categorical", wDataType: "categorical" },
        );
      }));
    }

    let shades;
    let tints;

    /** Plot the first `most` points of a map, at so many pixels of the picture for one of the page. */
    function plotPoints(map, ratio, most) {
      const [width, height] = [map.width, map.height].map((side) => Math.max(1, Math.round(side * ratio)));
      const context = map.pixels.getContext("2d", { alpha: false, willReadFrequently: true });
      if (map.pixels.width !== width || map.pixels.height !== height || !map.image) {
        map.pixels.width = width;
        map.pixels.height = height;
        map.image = context.createImageData(width, height);
        map.stamps = SIZES.map((size) => plot.disc(size * ratio));
      }
      const began = performance.now();
      plot.points(new Int32Array(map.image.data.buffer), width, height, {
        xs: map.xs, ys: map.ys, shades, kinds, palette: tints, stamps: map.stamps, back: plot.pixelOf(backColour()), opacity,
        camera: { ...camera, scale: camera.scale * ratio }, most,
      });
      map.most = plot.affordable(Math.min(most, count), performance.now() - began, BUDGET);
      context.putImageData(map.image, 0, 0);
    }

    function backColour() {
      return getComputedStyle(document.documentElement).getPropertyValue("--back").trim();
    }

    function resized(map) {
      const box = map.element.getBoundingClientRect();
      map.width = Math.max(1, box.width);
      map.height = Math.max(1, box.height);
      const ratio = window.devicePixelRatio || 1;
      map.over.width = Math.round(map.width * ratio);
      map.over.height = Math.round(map.height * ratio);
      map.scatter?.set({ width: map.width, height: map.height });
      // A reader who has moved keeps the place; before that all is shown.
      if (camera === null || !moved) camera = core.fitted(map.width, map.height);
      look();
    }

    let moved = false;

    let late = 0;
    let watching = false;
    let resting = 0;
    let asked = 0;

    /** Leave WebGL when several of its pictures in a row have kept the next frame waiting. */
    function watch() {
      if (watching) return;
      watching = true;
      requestAnimationFrame((now) => {
        requestAnimationFrame((next) => {
          watching = false;
          late = next - now > LATE ? late + (next - now > 4 * LATE ? 4 : 1) : Math.max(0, late - 1);
          if (late >= 4 && byLibrary) usePixels();
        });
      });
    }

    /** Draw what the camera sees, points and labels. With WebGL the labels come once the points are there. */
    function look() {
      clearTimeout(resting);
      cancelAnimationFrame(asked);
      for (const map of maps) map.asked = camera;
      if (byLibrary) {
        for (const map of maps) map.scatter.view(core.matrixOf(camera, map.height), { preventEvent: true });
        return;
      }
      asked = requestAnimationFrame(() => {
        for (const map of maps) {
          plotPoints(map, window.devicePixelRatio || 1, count);
          drawOver(map);
        }
      });
    }

    /**
     * A frame of a movement without WebGL: as many points as there is time for, the important ones first, and the labels
     * where they have moved to. All points, at the full resolution, and new labels are there at rest.
     */
    function step() {
      for (const map of maps) {
        plotPoints(map, 1, map.most);
        const [px, py] = core.toScreen(camera, map.width, map.height, map.drawn.x, map.drawn.y);
        const by = `translate(${px - map.width / 2}px, ${py - map.height / 2}px) scale(${camera.scale / map.drawn.scale})`;
        map.over.style.transform = by;
      }
    }

    function go(next) {
      moved = true;
      camera = next;
      if (byLibrary || !maps.every((map) => map.drawn)) {
        look();
        if (byLibrary) watch();
        return;
      }
      for (const map of maps) map.asked = camera;
      cancelAnimationFrame(asked);
      asked = requestAnimationFrame(step);
      clearTimeout(resting);
      resting = setTimeout(look, REST);
    }

    const zoomBy = (map, factor) => go(core.zoomed(camera, factor, map.width / 2, map.height / 2, map.width, map.height));

    function showAll() {
      moved = false;
      camera = core.fitted(maps[0].width, maps[0].height);
      look();
    }

    // --- labels, on a canvas above the points ----------------------------------------------------------------------

    const FONTS = ["13px system-ui, sans-serif", "12px system-ui, sans-serif", "600 14px system-ui, sans-serif"];
    const widths = new Map();

    function drawOver(map) {
      if (!map.asked) return;
      const ratio = window.devicePixelRatio || 1;
      // Without a GPU the canvas is drawn by the processor, not by a GPU that is acted: text there takes a second.
      const context = map.over.getContext("2d", { willReadFrequently: !byLibrary });
      const style = getComputedStyle(document.documentElement);
      const [text, halo, mark] = ["--text", "--halo", "--mark"].map((name) => style.getPropertyValue(name).trim());
      const measure = (i) => {
        if (!widths.has(i)) {
          context.font = FONTS[kinds[i]];
          widths.set(i, context.measureText(core.shortened(names[i])).width + 6);
        }
        return { w: widths.get(i), h: kinds[i] === 2 ? 20 : 17 };
      };
      const near = selected < 0 ? [] : (map.sheet.spaces[0] ? neighbours(map.sheet.spaces[0], selected) : []).map(([i]) => i);
      const pinned = [selected, hovered, ...near].filter((i) => i >= 0 && !Number.isNaN(map.xs[i]));
      const { xs, ys, width, height } = map;
      const camera = map.asked;
      map.drawn = camera;
      map.over.style.transform = "";
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      for (const i of pinned) {
        const [px, py] = core.toScreen(camera, width, height, xs[i], ys[i]);
        context.beginPath();
        context.arc(px, py, i === selected ? 8 : 5, 0, 7);
        context.lineWidth = i === selected ? 3 : 1.5;
        context.strokeStyle = mark;
        context.stroke();
      }
      const most = Math.max(8, Math.round((width * height) / 9000));
      const taken = map.above.map((box) => ({ x: box.offsetLeft, y: box.offsetTop, w: box.offsetWidth, h: box.offsetHeight }));
      map.labels = core.placedLabels({ xs, ys, camera, width, height, measure, pinned, taken, most: Math.min(160, most) });
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineJoin = "round";
      context.lineWidth = 3;
      context.strokeStyle = halo;
      for (const { index, x, y, w, h } of map.labels) {
        context.font = FONTS[kinds[index]];
        context.fillStyle = index === selected ? mark : text;
        const shown = core.shortened(names[index]);
        context.strokeText(shown, x + w / 2, y + h / 2);
        context.fillText(shown, x + w / 2, y + h / 2);
      }
    }

    // --- selection -------------------------------------------------------------------------------------------------

    function entry(i, number) {
      const item = made("li");
      const button = made("button");
      button.type = "button";
      button.append(made("bdi", names[i]));
      if (number !== undefined) button.append(made("span", number));
      button.addEventListener("click", () => select(i, true));
      item.append(button);
      return item;
    }

    function select(i, fly) {
      selected = i;
      const section = byId("selection");
      section.replaceChildren();
      if (i < 0) {
        maps.forEach(drawOver);
        return;
      }
      section.append(made("h2", header.kinds[kinds[i]]));
      const name = made("bdi", names[i], "selected-name");
      section.append(name);
      const facts = made("dl");
      for (const fact of header.colourings) {
        if (fact.fact) facts.append(made("dt", fact.name), made("dd", told(fact, i)));
      }
      section.append(facts);
      for (const map of maps) {
        for (const space of map.sheet.spaces) {
          const found = neighbours(space, i);
          if (!found.length) continue;
          section.append(made("h2", maps.length > 1 ? `${space.name}, ${map.sheet.name}` : space.name));
          const list = made("ol");
          list.dataset.space = space.name;
          for (const [other, cosine] of found) list.append(entry(other, cosine.toFixed(3)));
          section.append(list);
        }
      }
      if (fly) {
        const places = maps.filter((map) => !Number.isNaN(map.xs[i])).map((map) => [map.xs[i], map.ys[i]]);
        go(core.seeing(places, camera, maps[0].width, maps[0].height));
      } else maps.forEach(drawOver);
      section.scrollIntoView({ block: "nearest" });
    }

    // --- pointers and keys -----------------------------------------------------------------------------------------

    for (const map of maps) {
      const held = new Map();
      let travelled = 0;
      const inside = (event) => {
        const box = map.element.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
      };
      const at = (place, radius) => core.nearestPoint(map.xs, map.ys, camera, map.width, map.height, ...place, radius);
      map.element.addEventListener("pointerdown", (event) => {
        if (event.target.closest("button") || event.button > 0) return;
        map.element.setPointerCapture(event.pointerId);
        held.set(event.pointerId, inside(event));
        if (held.size === 1) travelled = 0;
        map.element.classList.add("moving");
      });
      map.element.addEventListener("pointermove", (event) => {
        const place = inside(event);
        if (!held.has(event.pointerId)) {
          if (event.pointerType === "touch") return;
          const under = at(place, 9);
          if (under !== hovered) {
            hovered = under;
            map.element.style.cursor = under < 0 ? "" : "pointer";
            maps.forEach(drawOver);
          }
          return;
        }
        const before = [...held.values()];
        const last = held.get(event.pointerId);
        held.set(event.pointerId, place);
        travelled += Math.hypot(place[0] - last[0], place[1] - last[1]);
        if (held.size === 1) go(core.panned(camera, place[0] - last[0], place[1] - last[1]));
        else {
          const after = [...held.values()];
          const middle = (pair) => [(pair[0][0] + pair[1][0]) / 2, (pair[0][1] + pair[1][1]) / 2];
          const span = (pair) => Math.max(1, Math.hypot(pair[0][0] - pair[1][0], pair[0][1] - pair[1][1]));
          const [from, to] = [middle(before), middle(after)];
          const factor = span(after) / span(before);
          go(core.zoomed(core.panned(camera, to[0] - from[0], to[1] - from[1]), factor, ...to, map.width, map.height));
        }
      });
      const released = (event) => {
        if (!held.delete(event.pointerId)) return;
        if (!held.size) map.element.classList.remove("moving");
        if (event.type === "pointerup" && !held.size && travelled < 6) {
          select(at(inside(event), event.pointerType === "touch" ? 24 : 12), false);
        }
      };
      map.element.addEventListener("pointerup", released);
      map.element.addEventListener("pointercancel", released);
      map.element.addEventListener("pointerleave", () => {
        if (hovered >= 0 && !held.size) {
          hovered = -1;
          maps.forEach(drawOver);
        }
      });
      map.element.addEventListener("dblclick", (event) => {
        if (!event.target.closest("button")) go(core.zoomed(camera, 2, ...inside(event), map.width, map.height));
      });
      map.element.addEventListener(
        "wheel",
        (event) => {
          event.preventDefault();
          const lines = event.deltaMode === 1 ? 16 : 1;
          const factor = Math.exp(-Math.max(-400, Math.min(400, event.deltaY * lines)) * 0.0015);
          go(core.zoomed(camera, factor, ...inside(event), map.width, map.height));
        },
        { passive: false },
      );
      map.element.addEventListener("keydown", (event) => {
        if (event.target !== map.element || event.ctrlKey || event.metaKey || event.altKey) return;
        const step = Math.min(map.width, map.height) / 8;
        const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
        if (event.key in moves) go(core.panned(camera, ...moves[event.key]));
        else if (event.key === "+" || event.key === "=") zoomBy(map, 1.4);
        else if (event.key === "-") zoomBy(map, 1 / 1.4);
        else if (event.key === "0" || event.key === "Home") showAll();
        else if (event.key === "Enter") select(at([map.width / 2, map.height / 2], Infinity), false);
        else return;
        event.preventDefault();
      });
    }

    document.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === "/" && !typing) {
        event.preventDefault();
        byId("query").focus();
      } else if (event.key === "Escape" && !typing) select(-1, false);
    });

    // --- search ----------------------------------------------------------------------------------------------------

    const query = byId("query");
    const list = byId("found");
    let options = [];
    let active = -1;

    function offer() {
      options = core.found(folded, query.value);
      active = options.length ? 0 : -1;
      list.replaceChildren(
        ...options.map((i, place) => {
          const item = made("li");
          item.id = `found-${place}`;
          item.setAttribute("role", "option");
          item.append(made("bdi", names[i]));
          item.addEventListener("pointerdown", (event) => {
            event.preventDefault();
            take(place);
          });
          return item;
        }),
      );
      if (query.value.trim() && !options.length) {
        const none = made("li", "nothing found");
        none.setAttribute("role", "option");
        none.setAttribute("aria-disabled", "true");
        list.append(none);
      }
      list.hidden = !query.value.trim();
      mark();
    }

    function mark() {
      query.setAttribute("aria-expanded", String(!list.hidden));
      [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === active)));
      if (active >= 0 && !list.hidden) query.setAttribute("aria-activedescendant", `found-${active}`);
      else query.removeAttribute("aria-activedescendant");
    }

    function take(place) {
      if (place < 0) return;
      select(options[place], true);
      query.value = names[options[place]];
      list.hidden = true;
      mark();
    }

    query.addEventListener("input", offer);
    query.addEventListener("focus", () => query.value && offer());
    query.addEventListener("blur", () => {
      list.hidden = true;
      mark();
    });
    query.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && options.length) active = (active + 1) % options.length;
      else if (event.key === "ArrowUp" && options.length) active = (active + options.length - 1) % options.length;
      else if (event.key === "Enter") return take(active);
      else if (event.key === "Escape") list.hidden = true;
      else return;
      event.preventDefault();
      mark();
    });

    // --- colours, list, theme --------------------------------------------------------------------------------------

    const colour = byId("colour");
    header.colourings.forEach((one, place) => {
      const option = made("option", one.name);
      option.value = String(place);
      colour.append(option);
    });

    function legend() {
      const one = header.colourings[colouring];
      const box = byId("legend");
      box.replaceChildren();
      if (!one.categories) {
        const bar = made("canvas", undefined, "scale");
        const colours = core.scaleColours().slice(0, -1);
        bar.width = colours.length;
        bar.height = 1;
        const context = bar.getContext("2d");
        colours.forEach((shade, place) => {
          context.fillStyle = shade;
          context.fillRect(place, 0, 1, 1);
        });
        box.append(made("span", "less"), bar, made("span", "more"));
        return;
      }
      const palette = core.categoryColours(one.categories.length);
      const rows = one.categories.slice(0, 20).map((name, place) => [name, palette[place]]);
      if (one.none) rows.push([one.none, core.NONE]);
      for (const [name, shade] of rows) {
        const item = made("span");
        const dot = made("i");
        dot.style.background = shade;
        item.append(dot, made("bdi", core.shortened(name, 40)));
        box.append(item);
      }
      if (one.categories.length > 20) box.append(made("span", `and ${one.categories.length - 20} more`));
    }

    colour.addEventListener("change", () => {
      colouring = Number(colour.value);
      legend();
      paint();
    });

    let listed = 0;
    function more() {
      const end = Math.min(count, listed + LISTED);
      for (; listed < end; listed++) byId("list").append(entry(listed));
      byId("more").hidden = listed >= count;
    }
    byId("more").addEventListener("click", more);

    function theme(name) {
      document.documentElement.dataset.theme = name;
      byId("theme").textContent = name === "dark" ? "Light" : "Dark";
      for (const map of maps) map.scatter?.set({ backgroundColor: backColour() });
      if (camera) look();
    }
    byId("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));

    // --- beginning -------------------------------------------------------------------------------------------------

    theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    if (header.moved.length) {
      byId("moved").hidden = false;
      for (const [i, cosine] of header.moved) byId("moved").querySelector("ol").append(entry(i, cosine.toFixed(3)));
    }
    more();
    legend();
    for (const map of maps) {
      const box = map.element.getBoundingClientRect();
      map.width = Math.max(1, box.width);
      map.height = Math.max(1, box.height);
    }

    function show() {
      for (const map of maps) {
        map.points.hidden = !byLibrary;
        map.pixels.hidden = byLibrary;
      }
    }

    function usePixels() {
      byLibrary = false;
      show();
      paint();
    }

    /** Draw by WebGL from now on; an error if the browser has none. */
    async function useLibrary() {
      for (const map of maps) {
        if (map.scatter) continue;
        map.scatter = scatter.createScatterplot({
          canvas: map.points,
          width: map.width,
          height: map.height,
          backgroundColor: backColour(),
          colorBy: "valueA",
          sizeBy: "valueB",
          pointSize: SIZES,
          opacity,
          pointSizeSelected: 0,
          showReticle: false,
          lassoOnLongPress: false,
          cameraIsFixed: true,
          // Tens of thousands of points are as clear as small squares, and drawn in a fraction of the time.
          performanceMode: count > 30000,
        });
        map.scatter.subscribe("draw", () => byLibrary && drawOver(map));
      }
      byLibrary = true;
      show();
      look();
      await paint();
    }

    new ResizeObserver(() => maps.forEach(resized)).observe(byId("maps"));
    maps.forEach(resized);
    if (core.hasGpu(rendererOf())) {
      try {
        await useLibrary();
      } catch {
        usePixels(); // WebGL is promised and fails
      }
    } else usePixels();
    byId("state").textContent = `${count.toLocaleString("en")} points. ${header.note}`;

    Object.assign(w2vMap, {
      select: (i) => select(i, true),
      selected: () => selected,
      neighbours: (space, i) => neighbours(space, i).map(([other, cosine]) => [names[other], cosine]),
      labels: (number = 0) => maps[number].labels.map((box) => ({ ...box, name: names[box.index] })),
      place: (i, number = 0) => core.toScreen(camera, maps[number].width, maps[number].height, maps[number].xs[i], maps[number].ys[i]),
      index: (name) => names.indexOf(name),
      go,
      isDrawn: () => maps.every((map) => map.drawn === camera),
      useLibrary,
      usePixels,
      byLibrary: () => byLibrary,
      camera: () => camera,
      header,
    });
    document.documentElement.dataset.ready = "true";
  }

  w2vMap.ready = start().catch((error) => {
    byId("state").textContent = `This map could not be opened: ${error.message}. It needs a browser of 2023 or newer.`;
    throw error;
  });
})();
