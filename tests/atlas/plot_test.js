// Tests of pictures without WebGL, run by node: `node --test tests/atlas/`.
"use strict";

const assert = require("node:assert");
const test = require("node:test");
const plot = require("../../src/w2v/atlas/page/plot.js");
const core = require("../../src/w2v/atlas/page/core.js");

const [width, height] = [80, 60];
const bytes = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255, (pixel >>> 24) & 255];
const picture = (more) => {
  const pixels = new Int32Array(width * height);
  plot.points(pixels, width, height, {
    shades: [0, 1, 0], kinds: [0, 0, 0], palette: [0x0000ff, 0x00ff00], stamps: [plot.disc(5)], back: 0xffffff, opacity: 1,
    camera: { x: 0, y: 0, scale: 20 }, ...more,
  });
  return pixels;
};

test("a colour becomes the bytes of a pixel", () => {
  assert.deepStrictEqual(bytes(plot.pixelOf("#123456")).slice(0, 3), [0x12, 0x34, 0x56]);
});

test("a disc covers its area, and is round", () => {
  for (const diameter of [1, 3, 4, 6.5, 11, 22]) {
    const { side, cover } = plot.disc(diameter);
    const covered = cover.reduce((sum, part) => sum + part, 0) / 256;
    assert.ok(Math.abs(covered - (Math.PI * diameter ** 2) / 4) < 1 + 0.3 * diameter, `${diameter}: ${covered}`);
    assert.equal(side % 2, 1);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        assert.equal(cover[row * side + column], cover[column * side + row]);
        assert.equal(cover[row * side + column], cover[(side - 1 - row) * side + column]);
      }
    }
  }
});

test("a point lies where the camera sees it, and what is not there is not drawn", () => {
  const camera = { x: 0.4, y: -0.1, scale: 25 };
  const pixels = picture({ xs: [1, NaN, 90], ys: [0.5, 0, 0], camera });
  let [sumX, sumY, n] = [0, 0, 0];
  pixels.forEach((pixel, place) => {
    if (bytes(pixel)[1] < 128) {
      sumX += (place % width) + 0.5;
      sumY += Math.floor(place / width) + 0.5;
      n++;
    }
  });
  const [px, py] = core.toScreen(camera, width, height, 1, 0.5);
  assert.ok(n > 9 && Math.abs(sumX / n - px) <= 0.5 && Math.abs(sumY / n - py) <= 0.5);
});

test("pixels are blended as the formula says, one after the other", () => {
  const draw = (seed) => () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  const next = draw(3);
  const count = 300;
  const palette = Array.from({ length: 7 }, () => Math.floor(next() * 0xffffff));
  const given = {
    xs: Array.from({ length: count }, () => 3 * next() - 1.5), ys: Array.from({ length: count }, () => 3 * next() - 1.5),
    shades: Array.from({ length: count }, () => Math.floor(next() * 7)), kinds: Array.from({ length: count }, () => Math.floor(next() * 2)),
    palette, stamps: [plot.disc(3), plot.disc(8)], back: 0x1c1714, opacity: 0.55, camera: { x: 0.1, y: 0, scale: 30 },
  };
  const slow = Array.from({ length: width * height }, () => bytes(given.back).slice(0, 3));
  for (let i = count - 1; i >= 0; i--) {
    const { side, cover } = given.stamps[given.kinds[i]];
    const [px, py] = core.toScreen(given.camera, width, height, given.xs[i], given.ys[i]);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const [x, y] = [Math.round(px - side / 2) + column, Math.round(py - side / 2) + row];
        if (x < 0 || x >= width || y < 0 || y >= height) continue;
        const part = (cover[row * side + column] / 256) * given.opacity;
        const below = slow[y * width + x];
        bytes(palette[given.shades[i]]).slice(0, 3).forEach((own, k) => (below[k] += (own - below[k]) * part));
      }
    }
  }
  picture(given).forEach((pixel, place) => {
    const [red, green, blue, alpha] = bytes(pixel);
    assert.equal(alpha, 255);
    [red, green, blue].forEach((value, k) => assert.ok(Math.abs(value - slow[place][k]) < 4, `${value} ${slow[place][k]}`));
  });
});

test("important points lie on top, and come first where not all are plotted", () => {
  const both = { xs: [0, 0, 1], ys: [0, 0, 1] };
  const middle = (height / 2) * width + width / 2;
  assert.deepStrictEqual(bytes(picture(both)[middle]).slice(0, 3), [255, 0, 0]);
  const [all, first] = [picture(both), picture({ ...both, most: 1 })];
  assert.ok(all.filter((pixel) => pixel !== -1).length > first.filter((pixel) => pixel !== -1).length);
  assert.deepStrictEqual(bytes(first[middle]).slice(0, 3), [255, 0, 0]);
});

test("as many points move as there is time for", () => {
  assert.equal(plot.affordable(100000, 20, 10), 50000);
  assert.equal(plot.affordable(5000, 1, 10), 50000);
  assert.equal(plot.affordable(5000, 1000, 10), 1000);
});
