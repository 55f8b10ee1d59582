"""Maps in a browser: how smoothly 100,000 points move, how large pages are, and the pictures of the documentation.

    python benchmarks/maps.py frames [--points 100000] [--browser PATH]
    python benchmarks/maps.py shots TOPICS FIRST SECOND --figures docs/figures [--browser PATH]

Both need Playwright (`w2v[browser]`) and a Chromium of the system; rendering is by software (SwiftShader), as on a
machine without a GPU, where all cores draw.

**frames** makes words with random places, frequencies and neighbours, opens the page at 1280 x 800 and drags it
about for five seconds, then for ten more that count, by pointer events, one for each frame. It prints the size, how
long it takes to open, and the times between frames.

**shots** takes a file of `w2v topics` and two of vectors, and makes three pictures of their maps: wide and light, a
telephone, and two models in the dark.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np

NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]

DRAG = """seconds => new Promise(done => {
    const map = document.querySelector(".map");
    map.setPointerCapture = () => {};
    const send = (type, x, y) => map.dispatchEvent(new PointerEvent(type, {
        pointerId: 1, pointerType: "mouse", clientX: x, clientY: y, bubbles: true }));
    const times = [];
    const start = performance.now();
    send("pointerdown", 500, 400);
    const step = now => {
        times.push(now);
        const turn = (now - start) / 500;
        send("pointermove", 500 + 150 * Math.sin(turn), 400 + 100 * Math.sin(1.7 * turn));
        if (now - start < 1000 * seconds) requestAnimationFrame(step);
        else { send("pointerup", 500, 400); done(times.slice(1).map((time, i) => time - times[i])); }
    };
    requestAnimationFrame(step);
})"""


def opened(browser: Any, path: Path, width: int, height: int, **options: Any) -> Any:
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
    page = context.new_page()
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("html[data-ready=true]", timeout=120_000)
    page.wait_for_timeout(500)
    return page


def cloud(points: int) -> Any:
    """A map of so many words, of which nothing is true but the numbers."""
    from w2v.atlas.atlas import Atlas
    from w2v.atlas.points import Colouring, Sheet, Space

    draw = np.random.default_rng(1)
    middles = draw.normal(size=(200, 2)) * 0.4
    places = np.clip(middles[draw.integers(0, 200, points)] + draw.normal(size=(points, 2)) * 0.05, -1, 1)
    near = draw.integers(0, points, (points, 10)), np.sort(draw.random((points, 10)), axis=1)[:, ::-1]
    names = ["".join(draw.choice(list("abcdefghilmnoprstu"), 7)) + str(n) for n in range(points)]
    counts = Colouring("frequency", 1e7 / (1 + np.arange(points)), logarithmic=True)
    return Atlas(names, [Sheet("words", places, [Space("used alike", *near)])], colourings=[counts])


def frames(browser: Any, points: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        cloud(points).save(path)
        started = time.perf_counter()
        page = opened(browser, path, 1280, 800)
        seconds = time.perf_counter() - started - 0.5
        page.evaluate(DRAG, 5)  # in which the page learns whether pictures are slow
        page.wait_for_timeout(1000)
        times = np.array(page.evaluate(DRAG, 10))
        size = path.stat().st_size / 1e6
    head = ["points", "page", "opens in", "frames", "median", "95th percentile", "longest"]
    row = [f"{points:,}", f"{size:.1f} MB", f"{seconds:.1f} s", f"{len(times)}"]
    return common.table([head, [*row, *(f"{value:.1f} ms" for value in np.quantile(times, [0.5, 0.95, 1]))]])


def shots(browser: Any, topics: Path, first: Path, second: Path, figures: Path) -> None:
    from w2v import KeyedVectors, Topics, align

    found = Topics.load(topics)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        found.map(title="20 Newsgroups").save(path)
        page = opened(browser, path, 1280, 760)
        page.screenshot(path=figures / "map-topics.png")
        page = opened(browser, path, 390, 780, has_touch=True, is_mobile=True)
        page.evaluate("word => w2vMap.select(w2vMap.index(word))", found.words(2, 1)[0][0])
        page.wait_for_timeout(500)
        page.screenshot(path=figures / "map-phone.png")
        before, after = KeyedVectors.load(first), KeyedVectors.load(second)
        align.draw_map(align.fit(before, after), ("first", "second"), 3000).save(path)
        page = opened(browser, path, 1280, 760, color_scheme="dark")
        page.click("#moved button >> nth=0")
        page.wait_for_timeout(500)
        page.screenshot(path=figures / "map-two.png")
    from w2v.topics import draw_stability, draw_tree

    draw_stability(found).savefig(figures / "topics-stability.png")
    draw_tree(found.reduce(min(30, len(found)))).savefig(figures / "topics-tree.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    added = commands.add_parser("frames")
    added.add_argument("--points", type=int, default=100_000)
    pictures = commands.add_parser("shots")
    for name in ("topics", "first", "second"):
        pictures.add_argument(name, type=Path)
    pictures.add_argument("--figures", type=Path, required=True)
    for command in (added, pictures):
        command.add_argument("--browser", default=next(filter(None, map(shutil.which, NAMES)), None))
    args = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=args.browser, args=FLAGS)
        if args.command == "frames":
            print(common.machine(), browser.version, sep="; Chromium ")
            print(frames(browser, args.points))
        else:
            shots(browser, args.topics, args.first, args.second, args.figures)


if __name__ == "__main__":
    main()
