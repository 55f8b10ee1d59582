// The arithmetic of a map's page, without a document: unpacking, camera, labels, search, colours. Tested by node.
"use strict";

const core = (() => {
  const TYPES = { f4: Float32Array, i2: Int16Array, i4: Int32Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

  /** What `w2v.atlas.page` packed: the length of a JSON header, the header, arrays at offsets behind it. */
  function unpack(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const arrays = {};
    for (const [name, [type, offset, count]] of Object.entries(header.arrays)) {
      arrays[name] = new TYPES[type](buffer, 4 + length + offset, count);
    }
    return { header, arrays };
  }

  // --- camera: the point of the plane in the middle of the screen, and pixels for a unit ---------------------------

  const LEAST_ZOOM = 0.5;
  const MOST_ZOOM = 4000;

  function fitted(width, height) {
    return { x: 0, y: 0, scale: 0.46 * Math.max(1, Math.min(width, height)) };
  }

  const toScreen = (camera, width, height, x, y) => [
    width / 2 + (x - camera.x) * camera.scale,
    height / 2 - (y - camera.y) * camera.scale,
  ];

  const toPlane = (camera, width, height, px, py) => [
    camera.x + (px - width / 2) / camera.scale,
    camera.y - (py - height / 2) / camera.scale,
  ];

  /** A camera zoomed by a factor; the point under (px, py) stays where it is. */
  function zoomed(camera, factor, px, py, width, height) {
    const base = fitted(width, height).scale;
    const scale = Math.min(base * MOST_ZOOM, Math.max(base * LEAST_ZOOM, camera.scale * factor));
    const [x, y] = toPlane(camera, width, height, px, py);
    return { x: x - (px - width / 2) / scale, y: y + (py - height / 2) / scale, scale };
  }

  /** A camera that sees all of some places, near enough to read what is around them. */
  function seeing(places, camera, width, height) {
    const [low, high] = [Math.min, Math.max].map((ends) => [0, 1].map((axis) => ends(...places.map((place) => place[axis]))));
    const span = Math.max(high[0] - low[0], high[1] - low[1]);
    const near = Math.max(camera.scale, fitted(width, height).scale * 4);
    const scale = Math.min(near, (0.7 * Math.min(width, height)) / Math.max(span, 1e-9));
    return { x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2, scale };
  }

  const panned = (camera, dx, dy) => ({
    x: camera.x - dx / camera.scale,
    y: camera.y + dy / camera.scale,
    scale: camera.scale,
  });

  /** The camera as a matrix of the WebGL library, in which the height of the screen is from -1 to 1. */
  function matrixOf(camera, height) {
    const k = (2 * camera.scale) / height;
    return [k, 0, 0, 0, 0, k, 0, 0, 0, 0, k, 0, -k * camera.x, -k * camera.y, 0, 1];
  }

  /** Whether a renderer of WebGL is a GPU, by its name; "" is none. The others draw by software, which is slow. */
  const hasGpu = (renderer) => renderer !== "" && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);

  // --- points and labels -------------------------------------------------------------------------------------------

  /** The point nearest to a place on the screen, within so many pixels; -1 for none. Points that are not there are NaN. */
  function nearestPoint(xs, ys, camera, width, height, px, py, radius) {
    const [x, y] = toPlane(camera, width, height, px, py);
    let best = -1;
    let least = (radius / camera.scale) ** 2;
    for (let i = 0; i < xs.length; i++) {
      const distance = (xs[i] - x) ** 2 + (ys[i] - y) ** 2;
      if (distance < least) {
        least = distance;
        best = i;
      }
    }
    return best;
  }

  const apart = (a, b) => a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;

  /**
   * Boxes for labels, none upon another. Points come in the order of their importance, so the important ones have the
   * room, and others appear as one zooms. `pinned` points come before all. Boxes in `taken` belong to others.
   */
  function placedLabels({ xs, ys, camera, width, height, measure, pinned = [], taken = [], most = 120, tries = 1500 }) {
    const placed = [];
    const tryOne = (i) => {
      const [px, py] = toScreen(camera, width, height, xs[i], ys[i]);
      if (!(px >= 0 && px <= width && py >= 0 && py <= height)) return false;
      const { w, h } = measure(i);
      const box = { index: i, x: px - w / 2, y: py - h - 4, w, h };
      box.x = Math.min(Math.max(box.x, 0), Math.max(0, width - w));
      box.y = Math.max(box.y, 0);
      const free = (other) => apart(box, other);
      if (taken.every(free) && placed.every(free)) placed.push(box);
      return true;
    };
    const first = new Set(pinned);
    for (const i of first) tryOne(i);
    for (let i = 0, tried = 0; i < xs.length && placed.length < most && tried < tries; i++) {
      if (!first.has(i) && tryOne(i)) tried++;
    }
    return placed;
  }

  /** Places of a text in at most so many characters, counted as a reader counts them where that is known. */
  function shortened(text, most = 32) {
    const parts = [...text];
    return parts.length <= most ? text : parts.slice(0, most - 1).join("") + "…";
  }

  // --- search ------------------------------------------------------------------------------------------------------

  const folded = (text) => text.normalize("NFKC").toLowerCase();

  /** Indices of names for a query: equal ones, those that begin with it, those that hold it; each by importance. */
  function found(names, query, most = 12) {
    const asked = folded(query.trim());
    if (!asked) return [];
    const groups = [[], [], []];
    for (let i = 0; i < names.length; i++) {
      const at = names[i].indexOf(asked);
      if (at < 0) continue;
      const group = names[i].length === asked.length ? 0 : at === 0 ? 1 : 2;
      if (groups[group].length < most) groups[group].push(i);
    }
    return groups.flat().slice(0, most);
  }

  // --- colours -----------------------------------------------------------------------------------------------------

  // Okabe & Ito 2008 without black; further categories step around the circle of hues by the golden angle.
  const FIRST = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
  const NONE = "#9aa0a6";
  // Viridis (van der Walt & Smith 2015) at seven places.
  const SCALE = [[68, 1, 84], [70, 50, 126], [54, 92, 141], [39, 127, 142], [31, 161, 135], [74, 193, 109], [253, 231, 37]];
  const STEPS = 64;

  const hex = (rgb) => "#" + rgb.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("");

  function hueToHex(hue, saturation, light) {
    const a = saturation * Math.min(light, 1 - light);
    const part = (n) => {
      const k = (n + hue / 30) % 12;
      return 255 * (light - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
    };
    return hex([part(0), part(8), part(4)]);
  }

  /** A colour for each of so many categories, and one more for points of none. */
  function categoryColours(count) {
    const colours = FIRST.slice(0, count);
    for (let i = colours.length; i < count; i++) colours.push(hueToHex((i * 137.508) % 360, 0.6, i % 2 ? 0.42 : 0.58));
    return [...colours, NONE];
  }

  function scaleColours() {
    const colours = [];
    for (let i = 0; i < STEPS; i++) {
      const place = (i / (STEPS - 1)) * (SCALE.length - 1);
      const low = Math.min(Math.floor(place), SCALE.length - 2);
      colours.push(hex(SCALE[low].map((part, c) => part + (SCALE[low + 1][c] - part) * (place - low))));
    }
    return [...colours, NONE];
  }

  /** The number of a colour for each value of a scale between its least and its greatest; that of none for NaN. */
  function stepsOf(values) {
    let least = Infinity;
    let most = -Infinity;
    for (const value of values) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const span = most - least || 1;
    return Array.from(values, (value) => (Number.isNaN(value) ? STEPS : Math.round(((value - least) / span) * (STEPS - 1))));
  }

  return {
    unpack, fitted, seeing, toScreen, toPlane, zoomed, panned, matrixOf, hasGpu, nearestPoint, apart, placedLabels, shortened, folded,
    found, categoryColours, scaleColours, stepsOf, NONE,
  };
})();

if (typeof module !== "undefined") module.exports = core;
