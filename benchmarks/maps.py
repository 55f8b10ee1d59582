"""Maps in a browser: how smoothly 100,000 points move, how large pages are, and the pictures of the documentation.

    python benchmarks/maps.py frames [--points 100000] [--browser PATH]
    python benchmarks/maps.py shots TOPICS FIRST SECOND --figures docs/figures [--browser PATH]

Both need Playwright (`w2v[browser]`) and a Chromium of the system; rendering is by software, as on a machine without a
GPU, where all cores draw.

**frames** makes words with random places, frequencies and neighbours, opens the page at 1280 x 800 and drags it about
by Playwright's mouse for four seconds, as the page draws without a GPU, and by WebGL. It does so in Chromium as it is
without a GPU, and with all composing done by SwiftShader. It prints the size, how long it takes to open, how often the
mouse moved, and the times between frames.

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
# Chromium without a GPU as it comes, which composes pages by itself and has WebGL by SwiftShader; and all of it by
# SwiftShader, as if that were a GPU.
FLAGS = {
    "its own": ["--enable-unsafe-swiftshader"],
    "SwiftShader": ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
}
SECONDS = 4

WATCH = """() => {
    window.frames_ = [];
    window.watched = true;
    const step = now => { frames_.push(now); if (watched) requestAnimationFrame(step); };
    requestAnimationFrame(step);
}"""


def dragged(page: Any, seconds: float) -> Any:
    """Milliseconds between frames while the mouse drags the map about, and how often the mouse moved."""
    page.evaluate(WATCH)
    page.mouse.move(500, 400)
    page.mouse.down()
    moves, started = 0, time.perf_counter()
    while (turn := 2 * (time.perf_counter() - started)) < 2 * seconds:
        page.mouse.move(500 + 150 * np.sin(turn), 400 + 100 * np.sin(1.7 * turn))
        moves += 1
    times = page.evaluate("() => { watched = false; return frames_; }")
    page.mouse.up()
    return np.diff(times), moves


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
    """Open a page and drag it twice: as it draws by itself, and by the library of WebGL."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        cloud(points).save(path)
        started = time.perf_counter()
        page = opened(browser, path, 1280, 800)
        seconds = time.perf_counter() - started - 0.5
        for name, way in (("pixels", "w2vMap.usePixels()"), ("WebGL", "w2vMap.useLibrary()")):
            page.evaluate(way)
            page.wait_for_timeout(1500)
            times, moves = dragged(page, SECONDS)
            kept = "" if page.evaluate("w2vMap.byLibrary()") == (name == "WebGL") else ", left for pixels"
            page_size = f"{path.stat().st_size / 1e6:.1f} MB"
            row = [f"{points:,}", page_size, f"{seconds:.1f} s", name + kept, f"{len(times)}", f"{moves}"]
            rows.append([*row, *(f"{value:.1f} ms" for value in np.quantile(times, [0.5, 0.95, 1]))])
    head = ["points", "page", "opens in", "drawn by", "frames", "moves", "median", "95th percentile", "longest"]
    return common.table([head, *rows])


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
        for composed, flags in FLAGS.items():
            browser = started.chromium.launch(executable_path=args.browser, args=[*flags, "--no-sandbox"])
            if args.command == "shots":
                return shots(browser, args.topics, args.first, args.second, args.figures)
            print(f"{common.machine()}; Chromium {browser.version}, composed by {composed}")
            print(frames(browser, args.points))
            browser.close()


if __name__ == "__main__":
    main()
