// Tests of the page's arithmetic, run by node: `node --test tests/atlas/core_test.js`.
"use strict";

const assert = require("node:assert");
const test = require("node:test");
const core = require("../../src/w2v/atlas/page/core.js");

const size = [800, 600];

test("a place on the screen and the plane are each other's inverse", () => {
  const camera = { x: 0.3, y: -0.2, scale: 250 };
  const [px, py] = core.toScreen(camera, ...size, 0.5, 0.1);
  const [x, y] = core.toPlane(camera, ...size, px, py);
  assert.ok(Math.abs(x - 0.5) < 1e-12 && Math.abs(y - 0.1) < 1e-12);
});

test("zooming leaves the point under the pointer where it is", () => {
  const camera = core.fitted(...size);
  const before = core.toPlane(camera, ...size, 120, 77);
  const after = core.toPlane(core.zoomed(camera, 3, 120, 77, ...size), ...size, 120, 77);
  assert.ok(Math.hypot(before[0] - after[0], before[1] - after[1]) < 1e-12);
});

test("a camera sees all places that it is given", () => {
  for (const places of [[[0.2, 0.3]], [[-0.9, 0.3], [0.8, -0.7]]]) {
    const camera = core.seeing(places, core.fitted(...size), ...size);
    for (const place of places) {
      const [px, py] = core.toScreen(camera, ...size, ...place);
      assert.ok(px > 0 && px < size[0] && py > 0 && py < size[1]);
    }
  }
});

test("zooming ends somewhere", () => {
  let camera = core.fitted(...size);
  for (let i = 0; i < 100; i++) camera = core.zoomed(camera, 2, 0, 0, ...size);
  assert.ok(Number.isFinite(camera.x) && camera.scale <= core.fitted(...size).scale * 4000);
});

test("the matrix of the library shows what the camera sees", () => {
  const camera = { x: 0.3, y: -0.2, scale: 250 };
  const m = core.matrixOf(camera, size[1]);
  const [x, y] = [0.5, 0.1];
  const clip = [m[0] * x + m[12], m[5] * y + m[13]]; // the library divides x by the aspect ratio
  const screen = [size[0] / 2 + (clip[0] * size[1]) / 2, size[1] / 2 - (clip[1] * size[1]) / 2];
  assert.deepStrictEqual(screen.map((v) => v.toFixed(6)), core.toScreen(camera, ...size, x, y).map((v) => v.toFixed(6)));
});

test("no label lies upon another, and important ones come first", () => {
  const draw = (seed) => () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648) * 2 - 1;
  const next = draw(7);
  const xs = Float32Array.from({ length: 3000 }, next);
  const ys = Float32Array.from({ length: 3000 }, next);
  const measure = () => ({ w: 60, h: 17 });
  for (const scale of [280, 900, 4000]) {
    const camera = { x: 0, y: 0, scale };
    const placed = core.placedLabels({ xs, ys, camera, width: 800, height: 600, measure, pinned: [2999] });
    assert.ok(placed.length > 5);
    assert.equal(placed[0].index === 2999 || scale > 280, true);
    for (let i = 0; i < placed.length; i++) {
      for (let j = 0; j < i; j++) assert.ok(core.apart(placed[i], placed[j]));
    }
  }
  const buttons = { x: 740, y: 480, w: 50, h: 110 };
  const around = { xs, ys, camera: { x: 0, y: 0, scale: 900 }, width: 800, height: 600, measure };
  const beside = (boxes) => boxes.every((box) => core.apart(box, buttons));
  assert.ok(!beside(core.placedLabels(around)));
  assert.ok(beside(core.placedLabels({ ...around, taken: [buttons] })));
  const first = core.placedLabels({ xs, ys, camera: core.fitted(...size), width: 800, height: 600, measure });
  assert.equal(first[0].index, 0);
});

test("points that are not on a map are not found", () => {
  const xs = Float32Array.from([NaN, 0.5]);
  const ys = Float32Array.from([NaN, 0.5]);
  const camera = { x: 0, y: 0, scale: 100 };
  assert.equal(core.nearestPoint(xs, ys, camera, ...size, 400, 300, 500), 1);
  assert.equal(core.nearestPoint(xs, ys, camera, ...size, 0, 0, 10), -1);
  assert.equal(core.placedLabels({ xs, ys, camera, width: 800, height: 600, measure: () => ({ w: 9, h: 9 }) }).length, 1);
});

test("search offers equal names, then beginnings, then the rest", () => {
  const names = ["seaside", "chelsea", "sea", "seal"].map(core.folded);
  assert.deepStrictEqual(core.found(names, " Sea "), [2, 0, 3, 1]);
  assert.deepStrictEqual(core.found(names, ""), []);
  assert.deepStrictEqual(core.found(names, "zebra"), []);
});

test("a long name is cut between characters, not within one", () => {
  assert.equal(core.shortened("😀".repeat(40), 5), "😀😀😀😀…");
  assert.equal(core.shortened("short", 5), "short");
});

test("values have colours from the first to the last, and none has its own", () => {
  assert.equal(core.categoryColours(3).length, 4);
  assert.equal(core.categoryColours(200).length, 201);
  assert.equal(new Set(core.categoryColours(60)).size, 61);
  const steps = core.stepsOf(Float32Array.from([1, 3, 2, NaN]));
  assert.deepStrictEqual(steps, [0, 63, 32, 64]);
  assert.equal(core.scaleColours().at(-1), core.NONE);
  assert.ok(core.scaleColours().every((colour) => /^#[0-9a-f]{6}$/.test(colour)));
});

test("what python packs is unpacked", () => {
  const text = JSON.stringify({ names: ["a"], arrays: { x: ["f4", 0, 2], n: ["u2", 8, 1] } }).padEnd(100, " ");
  const bytes = new Uint8Array(4 + 100 + 12);
  new DataView(bytes.buffer).setUint32(0, 100, true);
  bytes.set(new TextEncoder().encode(text), 4);
  new Float32Array(bytes.buffer, 104, 2).set([0.5, -1]);
  new Uint16Array(bytes.buffer, 112, 1).set([7]);
  const { header, arrays } = core.unpack(bytes.buffer);
  assert.deepStrictEqual(header.names, ["a"]);
  assert.deepStrictEqual([...arrays.x, ...arrays.n], [0.5, -1, 7]);
});

test("a renderer that draws by software is no GPU", () => {
  assert.ok(core.hasGpu("ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11 vs_5_0 ps_5_0)") && core.hasGpu("Apple GPU"));
  for (const name of ["", "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)", "llvmpipe (LLVM 15)",
    "ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11)"]) assert.equal(core.hasGpu(name), false);
});
