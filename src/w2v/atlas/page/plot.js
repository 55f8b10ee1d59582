// A picture of points without WebGL: pixels in memory. Where there is no GPU it is faster by far than WebGL by software,
// which fills textures of the whole screen several times for a picture. Tested by node.
"use strict";

const plot = (() => {
  /** "#rrggbb" as 0xbbggrr, the order of the bytes of a pixel. */
  function pixelOf(colour) {
    const value = parseInt(colour.slice(1), 16);
    return ((value & 0xff) << 16) | (value & 0xff00) | (value >>> 16);
  }

  /**
   * How much of each pixel a disc covers, 0 to 256, in a square around it: `{ side, cover }`. The edge is as wide as a
   * pixel, from one to nothing.
   */
  function disc(diameter) {
    const radius = diameter / 2;
    const side = 2 * Math.ceil(radius - 0.5) + 1;
    const middle = (side - 1) / 2;
    const cover = new Uint16Array(side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const from = Math.hypot(row - middle, column - middle);
        cover[row * side + column] = Math.round(256 * Math.min(1, Math.max(0, radius + 0.5 - from)));
      }
    }
    return { side, cover };
  }

  /**
   * Plot points upon a background, each a stamp that is blended with what lies below it.
   *
   * `pixels` are Int32 [width * height], as ImageData has them; a point is at (xs[i], ys[i]) of the plane, has the colour
   * palette[shades[i]] and the stamp stamps[kinds[i]]. The first points are plotted last, so that they lie on top; only
   * the first `most` are plotted. Points that are not there are NaN. `camera.scale` is in pixels of the picture.
   */
  function points(pixels, width, height, { xs, ys, shades, kinds, palette, stamps, back, opacity, camera, most = Infinity }) {
    pixels.fill(-0x1000000 | back);
    const ofStamp = stamps.map(({ side, cover }) => ({ side, cover: cover.map((part) => Math.round(part * opacity)) }));
    const left = width / 2 - camera.x * camera.scale;
    const top = height / 2 + camera.y * camera.scale;
    for (let i = Math.min(most, xs.length) - 1; i >= 0; i--) {
      const px = left + xs[i] * camera.scale;
      const py = top - ys[i] * camera.scale;
      const { side, cover } = ofStamp[kinds[i]];
      if (!(px > -side && px < width + side && py > -side && py < height + side)) continue;
      const x0 = Math.round(px - side / 2);
      const y0 = Math.round(py - side / 2);
      const [first, last] = [Math.max(0, -x0), Math.min(side, width - x0)];
      const end = Math.min(side, height - y0);
      const shade = palette[shades[i]];
      const redBlue = shade & 0xff00ff;
      const green = shade & 0xff00;
      for (let row = Math.max(0, -y0); row < end; row++) {
        const line = (y0 + row) * width + x0;
        for (let column = first; column < last; column++) {
          const part = cover[row * side + column];
          const below = pixels[line + column];
          const other = 256 - part;
          // Red and blue are blended in one multiplication, green in another.
          pixels[line + column] =
            -0x1000000 |
            (((Math.imul(redBlue, part) + Math.imul(below & 0xff00ff, other)) >>> 8) & 0xff00ff) |
            (((Math.imul(green, part) + Math.imul(below & 0xff00, other)) >>> 8) & 0xff00);
        }
      }
    }
  }

  /** How many of the points fit into a picture of so many milliseconds, if `drawn` of them took `took`. */
  const affordable = (drawn, took, budget) => Math.max(1000, Math.floor((drawn * budget) / Math.max(took, 0.01)));

  return { pixelOf, disc, points, affordable };
})();

if (typeof module !== "undefined") module.exports = plot;
